/* Messages: fragments put together, for buffered mode where the host does not do it. */
#include "ymo.h"

static bool reserve_bytes(ymo_message *m, size_t n)
{
	if (m->cap - m->len >= n)
		return true;
	size_t cap = m->len + n + m->len / 2;
	char *p = realloc(m->owned, cap ? cap : 1);
	if (p) {
		m->data = m->owned = p;
		m->cap = cap;
	}
	return p != NULL;
}

ymo_message_state ymo_message_add(ymo_message *m, const yimmo_event *e, size_t most)
{
	bool begins = !m->begun, ends = e->flags & YIMMO_FLAG_FIN;
	if (begins && !(e->flags & YMO_WS_MASK_OP))
		return YMO_MESSAGE_MORE; /* its beginning went to an instance that is gone */
	if (e->len > most || m->len > most - e->len)
		return YMO_MESSAGE_TOO_LARGE;
	if (begins)
		m->flags = e->flags | YIMMO_FLAG_FIN;
	m->begun = true;
	if (begins && ends) { /* it is whole where it lies */
		m->data = yimmo_data(e);
		m->len = e->len;
		return YMO_MESSAGE_WHOLE;
	}
	if (!reserve_bytes(m, e->len))
		return YMO_MESSAGE_NO_MEMORY;
	if (e->len)
		memcpy(m->owned + m->len, yimmo_data(e), e->len);
	m->len += e->len;
	return ends ? YMO_MESSAGE_WHOLE : YMO_MESSAGE_MORE;
}

/* What was sent may refer to it: it goes with the buckets. */
void ymo_message_done(ymo_message *m)
{
	if (!m->owned)
		return;
	ymo_bucket_t *b = ymo_bucket_create(NULL, NULL, m->owned, m->len, NULL, 0);
	if (b)
		ymo_bucket_sent(b);
	else
		ymo_log(YMO_LOG_ERROR, "out of memory: a message is lost"); /* never freed, never used again */
}

void ymo_message_drop(ymo_message *m) { free(m->owned); }
