/* Responses: what a program sets, and the commands that it becomes. When something
 * goes out is exchange.c's affair. */
#include "ymo.h"

void ymo_response_init(ymo_http_response_t *r, ymo_http_exchange_t *x)
{
	*r = (ymo_http_response_t){ .exchange = x, .status = YMO_HTTP_OK, .flags = YMO_HTTP_FLAG_SUPPORTS_CHUNKED };
}

void ymo_response_clear(ymo_http_response_t *r)
{
	ymo_bucket_free_all(r->body);
	r->body = NULL;
	ymo_http_hdr_table_clear(&r->headers);
}

void ymo_response_drop_body(ymo_http_response_t *r)
{
	ymo_bucket_sent(r->body);
	r->body = NULL;
}

/* Sending. */

static uint16_t valid_status(ymo_http_status_t s)
{
	return s >= 200 && s <= 599 ? s : YMO_HTTP_INTERNAL_SERVER_ERROR;
}

/* give_head gives a command that has headers and a body. */
static int give_head(ymo_http_response_t *r, yimmo_command c)
{
	yimmo_bucket fields;
	int err = ymo_headers_encode(&fields, &r->headers);
	return err ? err : ymo_give_chain(c, &fields, r->body);
}

int ymo_response_give(ymo_http_response_t *r, uint64_t request)
{
	yimmo_command c = { .kind = YIMMO_COMMAND_HTTP_BODY, .id = request,
		.flags = r->flags & YMO_HTTP_RESPONSE_COMPLETE ? YIMMO_FLAG_END : YIMMO_FLAG_FLUSH };
	int err;
	if (r->head_out) {
		err = ymo_give_chain(c, NULL, r->body);
	} else {
		c.kind = YIMMO_COMMAND_HTTP_HEAD;
		c.code = valid_status(r->status);
		r->flags |= YMO_HTTP_RESPONSE_STARTED;
		r->head_out = true;
		err = give_head(r, c);
	}
	ymo_response_drop_body(r);
	return err;
}

void ymo_response_refuse(ymo_http_response_t *r, uint64_t session, uint16_t status)
{
	if (r->named && r->status >= 300 && r->status <= 599)
		status = r->status;
	if (give_head(r, (yimmo_command){ .kind = YIMMO_COMMAND_REFUSE, .code = status, .id = session }))
		yimmo_refuse(session, status, NULL, 0, NULL, 0);
	ymo_response_drop_body(r);
}

/* What programs set and ask. */

ymo_http_hdr_table_t *ymo_http_response_get_headers(ymo_http_response_t *r) { return &r->headers; }

const char *ymo_http_response_get_header(const ymo_http_response_t *r, const char *name)
{
	return ymo_http_hdr_table_get(&r->headers, name);
}

ymo_status_t ymo_http_response_add_header(ymo_http_response_t *r, const char *name, const char *value)
{
	if (!r || !name || !value)
		return EINVAL;
	return ymo_http_hdr_table_add(&r->headers, name, value) ? YMO_OKAY : ENOMEM;
}

ymo_status_t ymo_http_response_insert_header(ymo_http_response_t *r, const char *name, const char *value)
{
	if (!r || !name || !value)
		return EINVAL;
	return ymo_http_hdr_table_insert(&r->headers, name, value) ? YMO_OKAY : ENOMEM;
}

void ymo_http_response_set_status(ymo_http_response_t *r, ymo_http_status_t status)
{
	r->status = status;
	r->named = true;
}

int ymo_http_response_set_status_str(ymo_http_response_t *r, const char *s)
{
	for (int i = 0; i < 3; i++)
		if (!s || s[i] < '0' || s[i] > '9')
			return 0;
	ymo_http_status_t status = (ymo_http_status_t)YMO_HTTP_STATUS_CHR3_TO_INT(s);
	if ((s[3] && s[3] != ' ') || status < 100 || status > 599)
		return 0;
	ymo_http_response_set_status(r, status);
	return 1;
}

#define PROGRAM_FLAGS 0x00ffffff /* the others say what went out */

ymo_http_flags_t ymo_http_response_flags(const ymo_http_response_t *r) { return r->flags; }
void ymo_http_response_set_flag(ymo_http_response_t *r, ymo_http_flags_t f) { r->flags |= f & PROGRAM_FLAGS; }

void ymo_http_response_set_flags(ymo_http_response_t *r, ymo_http_flags_t f)
{
	r->flags = (r->flags & ~PROGRAM_FLAGS) | (f & PROGRAM_FLAGS);
}

int ymo_http_response_is_ready(const ymo_http_response_t *r) { return (r->flags & YMO_HTTP_RESPONSE_READY) != 0; }
int ymo_http_response_finished(const ymo_http_response_t *r) { return (r->flags & YMO_HTTP_RESPONSE_COMPLETE) != 0; }
