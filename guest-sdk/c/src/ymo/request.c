/* Requests: from the fields of an event to what a program reads, and the body that
 * is kept until the program wants it whole. */
#include "ymo.h"

#include "../../include/ymo_blalloc.h"

#define WORKSPACE 4096

static char *copy_text(char **to, yimmo_bucket b)
{
	char *s = *to;
	if (b.len)
		memcpy(s, b.data, b.len);
	s[b.len] = 0;
	*to += b.len + 1;
	return s;
}

static bool is_named(const yimmo_field *f, const char *name)
{
	return f->name.len == strlen(name) && !memcmp(f->name.data, name, f->name.len);
}

/* split_at ends s where c is and returns what follows it, or NULL. */
static char *split_at(char *s, char c)
{
	char *part = strchr(s, c);
	if (part)
		*part++ = 0;
	return part;
}

static void set_target(ymo_http_request_t *r, char *uri)
{
	r->fragment = split_at(uri, '#');
	r->query = split_at(uri, '?');
	r->uri = uri;
}

/* read_header takes one line of the head. The host is told by :authority. */
static bool read_header(ymo_http_request_t *r, const char *name, const char *value)
{
	if (!strcmp(name, "host"))
		return true;
	if (!ymo_headers_read(&r->headers, name, value))
		return false;
	if (!strcmp(name, "content-length"))
		r->content_length = (size_t)strtoul(value, NULL, 10);
	if (!strcmp(name, "expect"))
		r->flags |= YMO_HTTP_FLAG_EXPECT;
	return true;
}

static bool read_field(ymo_http_request_t *r, const yimmo_field *f, char **to)
{
	if (is_named(f, YIMMO_FIELD_METHOD)) {
		r->method = copy_text(to, f->value);
	} else if (is_named(f, YIMMO_FIELD_PATH)) {
		set_target(r, copy_text(to, f->value));
	} else if (is_named(f, YIMMO_FIELD_AUTHORITY)) {
		if (!ymo_http_hdr_table_get(&r->headers, "host"))
			ymo_http_hdr_table_insert(&r->headers, "host", copy_text(to, f->value));
	} else if (f->name.len && *(const char *)f->name.data != ':') {
		const char *name = copy_text(to, f->name), *value = copy_text(to, f->value);
		return read_header(r, name, value);
	}
	return true;
}

bool ymo_request_read(ymo_request *q, const yimmo_event *e)
{
	ymo_http_request_t *r = &q->seen;
	yimmo_field f;
	char *to = q->text = malloc((size_t)e->len + 1); /* each string and its zero fit: fields have 8 bytes more */
	if (!to)
		return false;
	r->method = r->uri = "";
	r->version = "HTTP/1.1";
	r->flags = YMO_HTTP_FLAG_VERSION_1_1 | YMO_HTTP_FLAG_SUPPORTS_CHUNKED | YMO_HTTP_FLAG_REQUEST_KEEPALIVE;
	for (size_t at = 0; yimmo_next_field(e, &at, &f);)
		if (!read_field(r, &f, &to))
			return false;
	return (r->ws = ymo_blalloc_create(WORKSPACE)) != NULL;
}

bool ymo_request_keep_body(ymo_request *q, const void *data, size_t n)
{
	ymo_http_request_t *r = &q->seen;
	if (q->body_cap - r->body_received < n + 1) {
		size_t cap = r->body_received + n + 1 + r->body_received / 2;
		char *p = realloc(r->body, cap);
		if (!p)
			return false;
		r->body = p;
		q->body_cap = cap;
	}
	if (n)
		memcpy(r->body + r->body_received, data, n);
	r->body_received += n;
	r->body[r->body_received] = 0;
	r->content_length = r->body_received;
	return true;
}

void ymo_request_clear(ymo_request *q)
{
	ymo_http_hdr_table_clear(&q->seen.headers);
	ymo_blalloc_free(q->seen.ws);
	free(q->seen.body);
	free(q->text);
}
