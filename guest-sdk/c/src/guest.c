/* The functions of guest.h that are one command or one look at an event each. */
#include "core.h"

static yimmo_bucket from_text(const char *s)
{
	return (yimmo_bucket){ s, s ? __builtin_strlen(s) : 0 };
}

static int give1(yimmo_command c, const void *data, size_t len)
{
	yimmo_bucket b = { data, len };
	return yimmo_give(c, &b, 1);
}

/* Sending. */

int yimmo_send_copy(uint64_t session, uint8_t flags, const void *data, size_t len)
{
	if (len && !(data = yimmo_copy(data, len)))
		return YIMMO_ENOMEM;
	return yimmo_send(session, flags, data, len);
}

int yimmo_sendv(uint64_t session, uint8_t flags, const yimmo_bucket *parts, size_t n)
{
	return yimmo_give((yimmo_command){ .kind = YIMMO_COMMAND_SEND, .flags = flags, .id = session }, parts, n);
}

int yimmo_send_many(const uint64_t *sessions, size_t count, uint8_t flags, const void *data, size_t len)
{
	if (count > YIMMO_MAX_SEND_MANY)
		return YIMMO_EINVAL;
	const void *ids = yimmo_copy(sessions, count * sizeof *sessions);
	if (!ids)
		return YIMMO_ENOMEM;
	yimmo_bucket parts[2] = { { ids, count * sizeof *sessions }, { data, len } };
	return yimmo_give((yimmo_command){ .kind = YIMMO_COMMAND_SEND_MANY, .flags = flags }, parts, 2);
}

int yimmo_close(uint64_t session, uint16_t code, const char *reason)
{
	yimmo_bucket r = from_text(reason);
	if (r.len > YIMMO_MAX_CLOSE_REASON || (!code && r.len))
		return YIMMO_EINVAL;
	return yimmo_give((yimmo_command){ .kind = YIMMO_COMMAND_CLOSE, .code = code, .id = session }, &r, 1);
}

int yimmo_set_user(uint64_t session, uint64_t word)
{
	return yimmo_give((yimmo_command){ .kind = YIMMO_COMMAND_SET_USER, .id = session, .arg = word }, NULL, 0);
}

/* Fields: u32 count, then for each u32 name length, u32 value length, name, value. */

static unsigned char *put32(unsigned char *p, uint32_t v)
{
	yimmo_bytes_copy(p, &v, sizeof v);
	return p + sizeof v;
}

static uint32_t get32(const unsigned char *p)
{
	uint32_t v;
	yimmo_bytes_copy(&v, p, sizeof v);
	return v;
}

static unsigned char *put_bucket(unsigned char *p, yimmo_bucket b)
{
	if (b.len)
		yimmo_bytes_copy(p, b.data, b.len);
	return p + b.len;
}

int yimmo_encode_fields(yimmo_bucket *out, const yimmo_field *fields, size_t n)
{
	*out = (yimmo_bucket){ 0 };
	if (!n)
		return 0;
	size_t size = 4;
	for (size_t i = 0; i < n; i++) {
		if (fields[i].name.len > YIMMO_MAX_FIELDS || fields[i].value.len > YIMMO_MAX_FIELDS)
			return YIMMO_EINVAL;
		size += 8 + fields[i].name.len + fields[i].value.len;
		if (size > YIMMO_MAX_FIELDS)
			return YIMMO_EINVAL;
	}
	unsigned char *p = yimmo_scratch(size);
	if (!p)
		return YIMMO_ENOMEM;
	*out = (yimmo_bucket){ p, size };
	p = put32(p, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		p = put32(p, (uint32_t)fields[i].name.len);
		p = put32(p, (uint32_t)fields[i].value.len);
		p = put_bucket(p, fields[i].name);
		p = put_bucket(p, fields[i].value);
	}
	return 0;
}

bool yimmo_next_field(const yimmo_event *e, size_t *at, yimmo_field *f)
{
	const unsigned char *p = yimmo_data(e);
	size_t pos = *at ? *at : 4;
	if (e->len < 4 || pos > e->len || e->len - pos < 8)
		return false;
	uint32_t name = get32(p + pos), value = get32(p + pos + 4);
	if ((uint64_t)name + value > e->len - pos - 8)
		return false;
	p += pos + 8;
	*f = (yimmo_field){ { p, name }, { p + name, value } };
	*at = pos + 8 + name + value;
	return true;
}

bool yimmo_find_field(const yimmo_event *e, const char *name, yimmo_bucket *value)
{
	yimmo_field f;
	size_t at = 0, len = __builtin_strlen(name);
	while (yimmo_next_field(e, &at, &f))
		if (f.name.len == len && !yimmo_bytes_cmp(f.name.data, name, len)) {
			*value = f.value;
			return true;
		}
	return false;
}

bool yimmo_topic_data(const yimmo_event *e, yimmo_bucket *name, yimmo_bucket *data)
{
	const unsigned char *p = yimmo_data(e);
	if (e->code > e->len)
		return false;
	*name = (yimmo_bucket){ p, e->code };
	*data = (yimmo_bucket){ p + e->code, e->len - e->code };
	return true;
}

/* give_fields gives a command whose payload is fields and whose pieces are a body. */
static int give_fields(yimmo_command c, const yimmo_field *fields, size_t n, const void *body, size_t len)
{
	yimmo_bucket parts[2];
	int err = yimmo_encode_fields(&parts[0], fields, n);
	if (err)
		return err;
	parts[1] = (yimmo_bucket){ body, len };
	return yimmo_give(c, parts, len ? 2 : 1);
}

/* Answers to connect. */

int yimmo_accept(uint64_t session, const yimmo_field *fields, size_t n)
{
	return give_fields((yimmo_command){ .kind = YIMMO_COMMAND_ACCEPT, .id = session }, fields, n, NULL, 0);
}

int yimmo_refuse(uint64_t session, uint16_t status, const yimmo_field *fields, size_t n, const void *body, size_t len)
{
	return give_fields((yimmo_command){ .kind = YIMMO_COMMAND_REFUSE, .code = status, .id = session },
		fields, n, body, len);
}

int yimmo_hold(uint64_t session)
{
	return yimmo_give((yimmo_command){ .kind = YIMMO_COMMAND_HOLD, .id = session }, NULL, 0);
}

/* Answers to http. */

int yimmo_answer(uint64_t request, uint16_t status, const yimmo_field *fields, size_t n, const void *body, size_t len)
{
	return give_fields((yimmo_command){ .kind = YIMMO_COMMAND_HTTP_HEAD, .flags = YIMMO_FLAG_END,
		.code = status, .id = request }, fields, n, body, len);
}

int yimmo_answer_head(uint64_t request, uint16_t status, const yimmo_field *fields, size_t n)
{
	return give_fields((yimmo_command){ .kind = YIMMO_COMMAND_HTTP_HEAD, .code = status, .id = request },
		fields, n, NULL, 0);
}

int yimmo_answer_body(uint64_t request, uint8_t flags, const void *data, size_t len)
{
	return give1((yimmo_command){ .kind = YIMMO_COMMAND_HTTP_BODY, .flags = flags, .id = request }, data, len);
}

/* Topics, timers, state. */

static int give_topic(yimmo_command c, const char *topic, yimmo_bucket data, size_t parts)
{
	yimmo_bucket all[2] = { from_text(topic), data };
	if (!all[0].len || all[0].len > YIMMO_MAX_TOPIC)
		return YIMMO_EINVAL;
	return yimmo_give(c, all, parts);
}

int yimmo_publish(const char *topic, uint8_t flags, const void *data, size_t len, uint64_t except)
{
	return give_topic((yimmo_command){ .kind = YIMMO_COMMAND_PUBLISH, .flags = flags, .id = except },
		topic, (yimmo_bucket){ data, len }, 2);
}

int yimmo_subscribe(uint64_t session, const char *topic)
{
	return give_topic((yimmo_command){ .kind = YIMMO_COMMAND_SUBSCRIBE, .id = session },
		topic, (yimmo_bucket){ 0 }, 1);
}

int yimmo_unsubscribe(uint64_t session, const char *topic)
{
	return give_topic((yimmo_command){ .kind = YIMMO_COMMAND_UNSUBSCRIBE, .id = session },
		topic, (yimmo_bucket){ 0 }, 1);
}

int yimmo_timer_set(uint64_t id, int64_t delay, bool repeat)
{
	if (delay < 0 || (repeat && !delay))
		return YIMMO_EINVAL;
	return yimmo_give((yimmo_command){ .kind = YIMMO_COMMAND_TIMER_SET,
		.flags = repeat ? YIMMO_FLAG_REPEAT : 0, .id = id, .arg = (uint64_t)delay }, NULL, 0);
}

int yimmo_timer_clear(uint64_t id)
{
	return yimmo_give((yimmo_command){ .kind = YIMMO_COMMAND_TIMER_CLEAR, .id = id }, NULL, 0);
}

int yimmo_state(uint8_t flags, const void *data, size_t len)
{
	return give1((yimmo_command){ .kind = YIMMO_COMMAND_STATE, .flags = flags }, data, len);
}

/* What the operator sees. */

int yimmo_log_text(uint8_t level, uint64_t session, const char *s, size_t len)
{
	if (level < YIMMO_LEVEL_TRACE || level > YIMMO_LEVEL_ERROR)
		return YIMMO_EINVAL;
	return give1((yimmo_command){ .kind = YIMMO_COMMAND_LOG, .flags = level, .id = session },
		s, yimmo_min(len, (size_t)YIMMO_MAX_LOG));
}

int yimmo_metric(uint8_t type, const char *name, double value)
{
	yimmo_bucket n = from_text(name);
	if (type < YIMMO_METRIC_COUNTER || type > YIMMO_METRIC_HISTOGRAM || !n.len || n.len > YIMMO_MAX_METRIC_NAME)
		return YIMMO_EINVAL;
	if (!(value - value == 0) || (type == YIMMO_METRIC_COUNTER && value < 0)) /* not finite */
		return YIMMO_EINVAL;
	yimmo_command c = { .kind = YIMMO_COMMAND_METRIC, .flags = type };
	yimmo_bytes_copy(&c.arg, &value, sizeof value);
	return yimmo_give(c, &n, 1);
}

/* The turn. */

void yimmo_tag(uint32_t tag) { yimmo_side->tag = tag; }
int64_t yimmo_now(void) { return yimmo_side->control.now; }
int64_t yimmo_mono(void) { return yimmo_side->control.mono; }
uint64_t yimmo_turn(void) { return yimmo_side->control.turn; }
uint32_t yimmo_granted(void) { return yimmo_side->control.granted; }

/* SplitMix64, Steele, Lea and Flood 2014. */
uint64_t yimmo_random(void)
{
	uint64_t z = yimmo_side->random += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}
