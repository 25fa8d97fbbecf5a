/* Buckets.
 *
 * The host reads the bytes of a command after the turn, so a bucket that was sent
 * lives until reset, when all commands have been read. One whose sending failed
 * waits there, too, in case the program forgets it; if it frees it or sends it
 * again it leaves the list.
 */
#include "ymo.h"

enum { OWNED = 0, SENT, FORGIVEN };

static ymo_bucket_t *to_free;

static void enlist(ymo_bucket_t *b, unsigned char state)
{
	if (b->ym_state == OWNED) {
		b->ym_prev = NULL;
		b->ym_next = to_free;
		if (to_free)
			to_free->ym_prev = b;
		to_free = b;
	}
	b->ym_state = state;
}

static void unlist(ymo_bucket_t *b)
{
	if (b->ym_state == OWNED)
		return;
	if (b->ym_next)
		b->ym_next->ym_prev = b->ym_prev;
	if (b->ym_prev)
		b->ym_prev->ym_next = b->ym_next;
	else
		to_free = b->ym_next;
	b->ym_state = OWNED;
}

static ymo_bucket_t *link_bucket(ymo_bucket_t *b, ymo_bucket_t *prev, ymo_bucket_t *next)
{
	b->next = prev && prev->next ? prev->next : next;
	if (prev)
		prev->next = b;
	return b;
}

ymo_bucket_t *ymo_bucket_create(ymo_bucket_t *restrict prev, ymo_bucket_t *restrict next,
	char *buf, size_t buf_len, const char *data, size_t len)
{
	ymo_bucket_t *b = malloc(sizeof *b);
	if (!b) {
		errno = ENOMEM;
		return NULL;
	}
	*b = (ymo_bucket_t){ .data = data, .len = data ? len : 0, .buf = buf, .buf_len = buf_len };
	return link_bucket(b, prev, next);
}

/* The copy lies behind the bucket, in one piece of memory with it. */
ymo_bucket_t *ymo_bucket_create_cpy(ymo_bucket_t *restrict prev, ymo_bucket_t *restrict next,
	const char *buf, size_t buf_len)
{
	if (!buf)
		buf_len = 0;
	ymo_bucket_t *b = buf_len > SIZE_MAX / 2 ? NULL : malloc(sizeof *b + buf_len);
	if (!b) {
		errno = ENOMEM;
		return NULL;
	}
	*b = (ymo_bucket_t){ .data = (char *)(b + 1), .len = buf_len };
	if (buf_len)
		memcpy(b + 1, buf, buf_len);
	return link_bucket(b, prev, next);
}

ymo_bucket_t *ymo_bucket_tail(ymo_bucket_t *p)
{
	while (p && p->next)
		p = p->next;
	return p;
}

ymo_bucket_t *ymo_bucket_append(ymo_bucket_t *restrict dst, ymo_bucket_t *restrict src)
{
	if (!dst)
		return src;
	ymo_bucket_tail(dst)->next = src;
	return dst;
}

size_t ymo_bucket_len_all(ymo_bucket_t *p)
{
	size_t n = 0;
	for (; p; p = p->next)
		n += p->len;
	return n;
}

void ymo_bucket_free(ymo_bucket_t *b)
{
	if (!b || b->ym_state == SENT) /* sent: the library frees it */
		return;
	unlist(b);
	if (b->cleanup_cb)
		b->cleanup_cb(b);
	free(b->buf);
	free(b);
}

void ymo_bucket_free_all(ymo_bucket_t *b)
{
	while (b) {
		ymo_bucket_t *next = b->next;
		ymo_bucket_free(b);
		b = next;
	}
}

void ymo_bucket_sent(ymo_bucket_t *chain)
{
	for (; chain; chain = chain->next)
		enlist(chain, SENT);
}

void ymo_bucket_forgive(ymo_bucket_t *chain)
{
	for (; chain; chain = chain->next)
		if (chain->ym_state == OWNED)
			enlist(chain, FORGIVEN);
}

void ymo_bucket_reset(void)
{
	while (to_free) {
		ymo_bucket_t *b = to_free;
		b->ym_state = FORGIVEN;
		ymo_bucket_free(b);
	}
}

int ymo_give_chain(yimmo_command c, const yimmo_bucket *payload, ymo_bucket_t *chain)
{
	yimmo_bucket few[8], *all = few;
	size_t n = payload ? 1 : 0;
	for (ymo_bucket_t *b = chain; b; b = b->next)
		n++;
	if (n > 8 && !(all = yimmo_scratch(n * sizeof *all)))
		return ENOMEM;
	n = 0;
	if (payload)
		all[n++] = *payload;
	for (ymo_bucket_t *b = chain; b; b = b->next)
		all[n++] = (yimmo_bucket){ b->data, b->len };
	return yimmo_give(c, all, n);
}
