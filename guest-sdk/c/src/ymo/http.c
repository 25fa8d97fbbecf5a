/* HTTP: a request, its response and its session are one exchange.
 *
 *     http_request event -> session_init, header callback
 *     http_body events   -> body callback, or the buffer
 *     the last of them   -> http callback -> response, now or later
 *
 * While a callback runs the response is only noted down; when it returns, what
 * there is goes out. Later, every call goes out at once.
 */
#include "ymo.h"

#include "../../include/ymo_blalloc.h"

#define WORKSPACE 4096

typedef struct ymo_http_exchange exchange;

struct ymo_http_session {
	ymo_conn_t conn;
	void *user;
	exchange *exchange;
};

struct ymo_http_response {
	exchange *exchange;
	ymo_http_hdr_table_t headers;
	ymo_http_status_t status;
	ymo_http_flags_t flags;
	bool named; /* the program set the status */
	ymo_bucket_t *body;
};

struct ymo_http_exchange {
	ymo_http_session_t session;
	ymo_http_request_t request;
	ymo_http_response_t response;
	bool look;       /* only looked at: nothing goes out */
	bool in_callback;
	bool complete;   /* the whole request is here */
	bool head_out;   /* the head went out */
	bool over;       /* answered, or the client is gone */
	bool promised;   /* the program said that it answers later, and holds on to the response */
	bool ghost;      /* nobody waits for the answer, but the program has not been told */
	size_t body_cap;
	char *text;      /* strings of the request */
	exchange *next;  /* in done */
};

static ymo_ids exchanges;
static exchange *done; /* freed at reset */

/* The request. */

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

/* read_request fills in the request from the fields of an event. */
static bool read_request(exchange *x, const yimmo_event *e)
{
	ymo_http_request_t *r = &x->request;
	yimmo_field f;
	char *to = x->text = malloc((size_t)e->len + 1); /* each string and its zero fit: fields have 8 bytes more */
	if (!to)
		return false;
	r->method = r->uri = "";
	r->version = "HTTP/1.1";
	r->flags = YMO_HTTP_FLAG_VERSION_1_1 | YMO_HTTP_FLAG_SUPPORTS_CHUNKED | YMO_HTTP_FLAG_REQUEST_KEEPALIVE;
	for (size_t at = 0; yimmo_next_field(e, &at, &f);) {
		if (is_named(&f, YIMMO_FIELD_METHOD)) {
			r->method = copy_text(&to, f.value);
		} else if (is_named(&f, YIMMO_FIELD_PATH)) {
			char *uri = copy_text(&to, f.value), *part;
			if ((part = strchr(uri, '#'))) {
				*part = 0;
				r->fragment = part + 1;
			}
			if ((part = strchr(uri, '?'))) {
				*part = 0;
				r->query = part + 1;
			}
			r->uri = uri;
		} else if (is_named(&f, YIMMO_FIELD_AUTHORITY)) {
			if (!ymo_http_hdr_table_get(&r->headers, "host"))
				ymo_http_hdr_table_insert(&r->headers, "host", copy_text(&to, f.value));
		} else if (f.name.len && *(const char *)f.name.data != ':') {
			char *name = copy_text(&to, f.name), *value = copy_text(&to, f.value);
			if (!strcmp(name, "host"))
				continue;
			if (!ymo_headers_read(&r->headers, name, value))
				return false;
			if (!strcmp(name, "content-length"))
				r->content_length = (size_t)strtoul(value, NULL, 10);
			if (!strcmp(name, "expect"))
				r->flags |= YMO_HTTP_FLAG_EXPECT;
		}
	}
	return (r->ws = ymo_blalloc_create(WORKSPACE)) != NULL;
}

static void free_exchange(exchange *x)
{
	ymo_http_hdr_table_clear(&x->request.headers);
	ymo_http_hdr_table_clear(&x->response.headers);
	ymo_bucket_free_all(x->response.body);
	ymo_blalloc_free(x->request.ws);
	free(x->request.body);
	free(x->text);
	free(x);
}

static exchange *new_exchange(const yimmo_event *e)
{
	exchange *x = calloc(1, sizeof *x);
	if (!x)
		return NULL;
	x->session.exchange = x->response.exchange = x;
	x->response.status = YMO_HTTP_OK;
	x->response.flags = YMO_HTTP_FLAG_SUPPORTS_CHUNKED;
	if (!read_request(x, e)) {
		free_exchange(x);
		return NULL;
	}
	return x;
}

/* The response. */

static void end_session(exchange *x)
{
	ymo_proto_t *p = x->session.conn.proto;
	ymo_ids_remove(&exchanges, x->session.conn.id);
	if (p->session_cleanup)
		p->session_cleanup(p->data, &x->session, x->session.user);
	ymo_conn_over(&x->session.conn);
}

static void retire(exchange *x)
{
	x->ghost = false;
	x->next = done;
	done = x;
}

static void answered(exchange *x)
{
	x->over = true;
	end_session(x);
	retire(x);
}

/* abandon ends an exchange before the program has finished its answer. A program with
 * a cleanup callback is told by it and forgets the response, as it must with
 * libyimmo. One without goes on with what it promised until it is finished. */
static void abandon(exchange *x)
{
	x->over = true;
	end_session(x);
	if (x->promised && !x->session.conn.proto->session_cleanup)
		x->ghost = true;
	else
		retire(x);
}

static uint16_t valid_status(ymo_http_status_t s)
{
	return s >= 200 && s <= 599 ? s : YMO_HTTP_INTERNAL_SERVER_ERROR;
}

static int give_head(exchange *x, yimmo_command c)
{
	yimmo_bucket fields;
	c.kind = YIMMO_COMMAND_HTTP_HEAD;
	c.code = valid_status(x->response.status);
	x->response.flags |= YMO_HTTP_RESPONSE_STARTED;
	x->head_out = true;
	int err = ymo_headers_encode(&fields, &x->response.headers);
	return err ? err : ymo_give_chain(c, &fields, x->response.body);
}

/* give_out sends what the response has and what was not sent yet. */
static void give_out(exchange *x)
{
	ymo_http_response_t *r = &x->response;
	bool complete = r->flags & YMO_HTTP_RESPONSE_COMPLETE, begins = !x->head_out;
	if (x->over || x->look || x->in_callback)
		return;
	if (!complete && !r->body && !(r->flags & YMO_HTTP_RESPONSE_READY && begins))
		return;
	yimmo_command c = { .kind = YIMMO_COMMAND_HTTP_BODY, .id = x->session.conn.id,
		.flags = complete ? YIMMO_FLAG_END : YIMMO_FLAG_FLUSH };
	int err = begins ? give_head(x, c) : ymo_give_chain(c, NULL, r->body);
	ymo_bucket_sent(r->body);
	r->body = NULL;
	if (err)
		ymo_log(YMO_LOG_ERROR, "an answer is lost: %s", err == EINVAL ? "its headers are larger than 64 KiB" : strerror(err));
	if (err && begins)
		yimmo_answer(c.id, YMO_HTTP_INTERNAL_SERVER_ERROR, NULL, 0, NULL, 0);
	if (complete)
		answered(x);
	else if (err && begins)
		abandon(x);
}

/* The host may refuse the head of an answer, with the body that came with it. Then
 * the request still waits. */
void ymo_on_answer_refused(const yimmo_event *e)
{
	if (e->code != YIMMO_STATUS_TOO_LARGE && e->code != YIMMO_STATUS_BAD_FIELDS)
		return; /* the client is gone */
	yimmo_log_session = e->id;
	ymo_log(YMO_LOG_ERROR, "an answer is lost: %s", e->code == YIMMO_STATUS_TOO_LARGE
		? "it is larger than what the host lets wait for a peer" : "the host refuses its headers");
	yimmo_answer(e->id, YMO_HTTP_INTERNAL_SERVER_ERROR, NULL, 0, NULL, 0);
	exchange *x = ymo_ids_get(&exchanges, e->id);
	if (x)
		abandon(x);
}

static void answer_error(exchange *x, const char *callback, int status)
{
	char outcome[32];
	uint16_t code = ymo_http_code(status);
	yimmo_format(outcome, sizeof outcome, "answered with %u", code);
	ymo_report(callback, status, outcome);
	ymo_http_response_t *r = &x->response;
	ymo_bucket_free_all(r->body);
	r->body = NULL;
	ymo_http_hdr_table_clear(&r->headers);
	r->status = code;
	r->flags |= YMO_HTTP_RESPONSE_COMPLETE;
	give_out(x);
}

/* callback_done ends a callback: its status is an answer, a promise, or an error. */
static void callback_done(exchange *x, const char *callback, int status)
{
	x->in_callback = false;
	x->promised |= x->complete || status == EAGAIN || status == EWOULDBLOCK;
	if (status == YMO_OKAY || status == EAGAIN || status == EWOULDBLOCK)
		give_out(x);
	else if (!x->over)
		answer_error(x, callback, status);
}

static bool wants_more(const exchange *x)
{
	return !x->complete && !x->over && !(x->response.flags & YMO_HTTP_RESPONSE_COMPLETE);
}

/* request_complete calls the http callback. */
static void request_complete(exchange *x)
{
	ymo_proto_t *p = x->session.conn.proto;
	ymo_status_t status = YMO_OKAY;
	if (!wants_more(x))
		return;
	x->in_callback = x->complete = true;
	if (p->http) {
		status = p->http(&x->session, &x->request, &x->response, x->session.user);
	} else { /* what the host answers for plugins without HTTP */
		ymo_http_response_insert_header(&x->response, "content-type", "text/plain");
		ymo_http_response_body_append(&x->response, YMO_BUCKET_FROM_REF("OK", 2));
		ymo_http_response_finish(&x->response);
	}
	callback_done(x, "http", status);
}

void ymo_on_http(const yimmo_event *e)
{
	ymo_server_t *server = ymo_serving;
	if (!server || server->state != YMO_SERVER_STARTED) {
		yimmo_answer(e->id, YMO_HTTP_SERVICE_UNAVAILABLE, NULL, 0, NULL, 0);
		return;
	}
	exchange *x = new_exchange(e);
	if (!x || !ymo_ids_put(&exchanges, e->id, x)) {
		if (x)
			free_exchange(x);
		yimmo_answer(e->id, YMO_HTTP_SERVICE_UNAVAILABLE, NULL, 0, NULL, 0);
		return;
	}
	ymo_proto_t *p = server->proto;
	ymo_conn_open(&x->session.conn, e->id, p, false);
	x->session.user = p->data;
	x->in_callback = true;
	ymo_status_t status = p->session_init ? p->session_init(p->data, &x->session) : YMO_OKAY;
	const char *callback = "session init";
	if (status == YMO_OKAY && p->header) {
		callback = "header";
		status = p->header(&x->session, &x->request, &x->response, x->session.user);
	}
	callback_done(x, callback, status);
	if (e->flags & YIMMO_FLAG_END)
		request_complete(x);
}

static bool buffer_body(ymo_http_request_t *r, exchange *x, const void *data, size_t n)
{
	if (x->body_cap - r->body_received < n + 1) {
		size_t cap = r->body_received + n + 1 + r->body_received / 2;
		char *p = realloc(r->body, cap);
		if (!p)
			return false;
		r->body = p;
		x->body_cap = cap;
	}
	if (n)
		memcpy(r->body + r->body_received, data, n);
	r->body_received += n;
	r->body[r->body_received] = 0;
	r->content_length = r->body_received;
	return true;
}

void ymo_on_http_body(const yimmo_event *e)
{
	exchange *x = ymo_ids_get(&exchanges, e->id);
	if (!x || !wants_more(x))
		return;
	ymo_http_request_t *r = &x->request;
	ymo_proto_t *p = x->session.conn.proto;
	ymo_status_t status = YMO_OKAY;
	if (!p->body) {
		if (!buffer_body(r, x, yimmo_data(e), e->len))
			status = ENOMEM;
	} else if (e->len) {
		r->body_received += e->len;
		x->in_callback = true;
		status = p->body(&x->session, r, &x->response, yimmo_data(e), e->len, x->session.user);
	}
	callback_done(x, "body", status);
	if (e->flags & YIMMO_FLAG_END)
		request_complete(x);
}

void ymo_on_http_gone(const yimmo_event *e)
{
	exchange *x = ymo_ids_get(&exchanges, e->id);
	if (x)
		abandon(x);
}

void ymo_http_reset(void)
{
	while (done) {
		exchange *x = done;
		done = x->next;
		free_exchange(x);
	}
}

/* What programs call. */

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

void ymo_http_response_body_append(ymo_http_response_t *r, ymo_bucket_t *body)
{
	r->body = ymo_bucket_append(r->body, body);
	r->flags |= YMO_HTTP_RESPONSE_READY;
	give_out(r->exchange);
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

ymo_status_t ymo_http_response_issue(ymo_http_response_t *r, ymo_http_status_t status)
{
	ymo_http_response_set_status(r, status);
	ymo_http_response_finish(r);
	return YMO_OKAY;
}

#define PROGRAM_FLAGS 0x00ffffff /* the others say what went out */

ymo_http_flags_t ymo_http_response_flags(const ymo_http_response_t *r) { return r->flags; }
void ymo_http_response_set_flag(ymo_http_response_t *r, ymo_http_flags_t f) { r->flags |= f & PROGRAM_FLAGS; }

void ymo_http_response_set_flags(ymo_http_response_t *r, ymo_http_flags_t f)
{
	r->flags = (r->flags & ~PROGRAM_FLAGS) | (f & PROGRAM_FLAGS);
}

void ymo_http_response_ready(ymo_http_response_t *r)
{
	r->flags |= YMO_HTTP_RESPONSE_READY;
	give_out(r->exchange);
}

int ymo_http_response_is_ready(const ymo_http_response_t *r) { return (r->flags & YMO_HTTP_RESPONSE_READY) != 0; }

void ymo_http_response_finish(ymo_http_response_t *r)
{
	r->flags |= YMO_HTTP_RESPONSE_READY | YMO_HTTP_RESPONSE_COMPLETE;
	if (r->exchange->ghost)
		retire(r->exchange);
	else
		give_out(r->exchange);
}

int ymo_http_response_finished(const ymo_http_response_t *r) { return (r->flags & YMO_HTTP_RESPONSE_COMPLETE) != 0; }
void ymo_http_session_set_userdata(ymo_http_session_t *s, void *data) { s->user = data; }
void *ymo_http_session_get_userdata(const ymo_http_session_t *s) { return s->user; }

/* The protocol. */

ymo_proto_t *ymo_proto_http_create(ymo_http_session_init_cb_t session_init, ymo_http_cb_t http_callback,
	ymo_http_header_cb_t header_callback, ymo_http_body_cb_t body_cb,
	ymo_http_session_cleanup_cb_t session_cleanup, void *data)
{
	ymo_proto_t *p = calloc(1, sizeof *p);
	if (!p) {
		errno = ENOMEM;
		return NULL;
	}
	p->name = "HTTP";
	p->session_init = session_init;
	p->http = http_callback;
	p->header = header_callback;
	p->body = body_cb;
	p->session_cleanup = session_cleanup;
	p->data = data;
	return p;
}

static ymo_http_upgrade_status_t http2_fallback(const char *upgrade, ymo_http_request_t *request,
	ymo_http_response_t *response)
{
	(void)request, (void)response;
	return strcasecmp(upgrade, "h2c") ? YMO_HTTP_UPGRADE_NOPROTO : YMO_HTTP_UPGRADE_IGNORE;
}

ymo_http_upgrade_handler_t *ymo_http2_no_upgrade_handler(void)
{
	static ymo_http_upgrade_handler_t handler = { http2_fallback, NULL };
	return &handler;
}

ymo_status_t ymo_http_add_upgrade_handler(ymo_proto_t *proto, ymo_http_upgrade_handler_t *h)
{
	if (!proto || !h || !h->cb)
		return EINVAL;
	if (h->cb == http2_fallback) /* the host answers such requests as plain ones by itself */
		return YMO_OKAY;
	ymo_upgrade **link = &proto->upgrades;
	while (*link)
		link = &(*link)->next;
	ymo_upgrade *u = *link = malloc(sizeof *u);
	if (!u)
		return ENOMEM;
	*u = (ymo_upgrade){ NULL, h->cb, h->proto_new };
	return YMO_OKAY;
}

ymo_server_t *ymo_http_simple_init(struct ev_loop *loop, in_port_t port, ymo_http_cb_t http_callback,
	ymo_http_upgrade_handler_t **handlers, void *data)
{
	ymo_proto_t *p = ymo_proto_http_create(NULL, http_callback, NULL, NULL, NULL, data);
	if (!p)
		return NULL;
	for (; handlers && *handlers; handlers++)
		if ((errno = ymo_http_add_upgrade_handler(p, *handlers)))
			return NULL;
	ymo_server_config_t config = { .loop = loop ? loop : EV_DEFAULT, .port = port };
	ymo_server_t *s = ymo_server_create(&config, p);
	if (s)
		ymo_server_init(s);
	return s;
}

/* Looking at an upgrade request. */

struct ymo_look { exchange *x; };

ymo_look *ymo_look_create(const yimmo_event *e, ymo_http_request_t **request, ymo_http_response_t **response)
{
	exchange *x = new_exchange(e);
	if (!x)
		return NULL;
	x->look = true;
	x->request.flags |= YMO_HTTP_FLAG_UPGRADE;
	*request = &x->request;
	*response = &x->response;
	return (ymo_look *)x;
}

void ymo_look_refuse(ymo_look *l, uint64_t session, uint16_t status)
{
	ymo_http_response_t *r = &((exchange *)l)->response;
	yimmo_bucket fields;
	if (r->named && r->status >= 300 && r->status <= 599)
		status = r->status;
	yimmo_command c = { .kind = YIMMO_COMMAND_REFUSE, .code = status, .id = session };
	if (ymo_headers_encode(&fields, &r->headers) || ymo_give_chain(c, &fields, r->body))
		yimmo_refuse(session, status, NULL, 0, NULL, 0);
	ymo_bucket_sent(r->body);
	r->body = NULL;
}

void ymo_look_free(ymo_look *l)
{
	if (l)
		free_exchange((exchange *)l);
}
