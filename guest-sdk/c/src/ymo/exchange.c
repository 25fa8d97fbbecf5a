/* Exchanges: a request, its response and its session.
 *
 *     http_request event -> session_init, header callback
 *     http_body events   -> body callback, or the buffer
 *     the last of them   -> http callback -> response, now or later
 *
 * While a callback runs the response is only noted down; when it returns, what
 * there is goes out. Later, every call goes out at once.
 */
#include "ymo.h"

typedef struct ymo_http_exchange exchange;

struct ymo_http_session {
	ymo_conn_t conn;
	void *user;
};

struct ymo_http_exchange {
	ymo_http_session_t session;
	ymo_request request;
	ymo_http_response_t response;
	bool begun;      /* session_init let it in */
	bool in_callback;
	bool complete;   /* the whole request is here */
	bool over;       /* answered, or the client is gone */
	bool promised;   /* the program said that it answers later, and holds on to the response */
	bool ghost;      /* nobody waits for the answer, but the program has not been told */
	exchange *next;  /* in done */
};

static exchange *done; /* freed at reset */

static void free_exchange(exchange *x)
{
	ymo_request_clear(&x->request);
	ymo_response_clear(&x->response);
	free(x);
}

static exchange *new_exchange(const yimmo_event *e)
{
	exchange *x = calloc(1, sizeof *x);
	if (!x)
		return NULL;
	ymo_response_init(&x->response, x);
	if (!ymo_request_read(&x->request, e)) {
		free_exchange(x);
		return NULL;
	}
	return x;
}

static exchange *exchange_of(const yimmo_event *e)
{
	ymo_conn_t *c = ymo_conn_get(e->id);
	return c && !c->close ? (exchange *)c : NULL; /* its session comes first */
}

/* The end. */

static void end_session(exchange *x)
{
	ymo_proto_t *p = x->session.conn.proto;
	if (p->session_cleanup && x->begun)
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
 * libyimmo. One without goes on with what it promised until it is finished. What nobody
 * promised to finish is not waited for. */
static void abandon(exchange *x)
{
	x->over = true;
	end_session(x);
	if (x->promised && !x->session.conn.proto->session_cleanup)
		x->ghost = true;
	else
		retire(x);
}

void ymo_exchanges_reset(void)
{
	while (done) {
		exchange *x = done;
		done = x->next;
		free_exchange(x);
	}
}

/* Answering. */

/* give_out sends what the response has and what was not sent yet. */
static void give_out(exchange *x)
{
	ymo_http_response_t *r = &x->response;
	uint64_t id = x->session.conn.id;
	bool complete = r->flags & YMO_HTTP_RESPONSE_COMPLETE, begins = !r->head_out;
	if (x->over)
		ymo_response_drop_body(r);
	if (x->over || x->in_callback)
		return;
	if (!complete && !r->body && !(r->flags & YMO_HTTP_RESPONSE_READY && begins))
		return;
	int err = ymo_response_give(r, id);
	if (err)
		ymo_log(YMO_LOG_ERROR, "an answer is lost: %s", err == EINVAL ? "its headers are larger than 64 KiB" : strerror(err));
	if (err && begins)
		yimmo_answer(id, YMO_HTTP_INTERNAL_SERVER_ERROR, NULL, 0, NULL, 0);
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
	yimmo_answer(e->id, YMO_HTTP_INTERNAL_SERVER_ERROR, NULL, 0, NULL, 0);
	exchange *x = exchange_of(e);
	if (x)
		abandon(x);
}

static void answer_error(exchange *x, const char *callback, int status)
{
	char outcome[32];
	uint16_t code = ymo_http_code(status);
	yimmo_format(outcome, sizeof outcome, "answered with %u", code);
	ymo_report(callback, status, outcome);
	ymo_response_clear(&x->response);
	x->response.status = code;
	x->response.flags |= YMO_HTTP_RESPONSE_COMPLETE;
	give_out(x);
}

/* What a program does with its response in a callback, or later. One that an upgrade
 * handler fills in has no exchange: it is looked at when the handler returns. */

static void act(ymo_http_response_t *r, ymo_http_flags_t flags)
{
	r->flags |= flags;
	if (r->exchange)
		give_out(r->exchange);
}

void ymo_http_response_body_append(ymo_http_response_t *r, ymo_bucket_t *body)
{
	r->body = ymo_bucket_append(r->body, body);
	act(r, YMO_HTTP_RESPONSE_READY);
}

void ymo_http_response_ready(ymo_http_response_t *r) { act(r, YMO_HTTP_RESPONSE_READY); }

void ymo_http_response_finish(ymo_http_response_t *r)
{
	if (r->exchange && r->exchange->ghost)
		retire(r->exchange);
	act(r, YMO_HTTP_RESPONSE_READY | YMO_HTTP_RESPONSE_COMPLETE);
}

ymo_status_t ymo_http_response_issue(ymo_http_response_t *r, ymo_http_status_t status)
{
	ymo_http_response_set_status(r, status);
	ymo_http_response_finish(r);
	return YMO_OKAY;
}

void ymo_http_session_set_userdata(ymo_http_session_t *s, void *data) { s->user = data; }
void *ymo_http_session_get_userdata(const ymo_http_session_t *s) { return s->user; }

/* The callbacks. */

/* callback_done ends a callback: its status is an answer, a promise, or an error. */
static void callback_done(exchange *x, const char *callback, int status)
{
	x->in_callback = false;
	bool later = status == EAGAIN || status == EWOULDBLOCK;
	x->promised |= later;
	if (status == YMO_OKAY || later)
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
		status = p->http(&x->session, &x->request.seen, &x->response, x->session.user);
	} else { /* what the host answers for plugins without HTTP */
		ymo_http_response_insert_header(&x->response, "content-type", "text/plain");
		ymo_http_response_body_append(&x->response, YMO_BUCKET_FROM_REF("OK", 2));
		ymo_http_response_finish(&x->response);
	}
	callback_done(x, "http", status);
}

static exchange *open_exchange(const yimmo_event *e)
{
	ymo_server_t *server = ymo_serving;
	exchange *x = server && server->state == YMO_SERVER_STARTED ? new_exchange(e) : NULL;
	if (x && ymo_conn_open(&x->session.conn, e->id, server, server->proto, NULL)) {
		x->session.user = server->proto->data;
		return x;
	}
	if (x)
		free_exchange(x);
	return NULL;
}

/* begin_session asks the program whether it takes the session. What it does not take it
 * has set no data for, so there is nothing to clean up. */
static bool begin_session(exchange *x)
{
	ymo_proto_t *p = x->session.conn.proto;
	ymo_status_t status = p->session_init ? p->session_init(p->data, &x->session) : YMO_OKAY;
	x->begun = status == YMO_OKAY;
	if (!x->begun)
		answer_error(x, "session init", status);
	return x->begun;
}

void ymo_on_http(const yimmo_event *e)
{
	exchange *x = open_exchange(e);
	if (!x) {
		yimmo_answer(e->id, YMO_HTTP_SERVICE_UNAVAILABLE, NULL, 0, NULL, 0);
		return;
	}
	if (!begin_session(x))
		return;
	ymo_proto_t *p = x->session.conn.proto;
	if (p->header) {
		x->in_callback = true;
		callback_done(x, "header", p->header(&x->session, &x->request.seen, &x->response, x->session.user));
	}
	if (e->flags & YIMMO_FLAG_END)
		request_complete(x);
}

void ymo_on_http_body(const yimmo_event *e)
{
	exchange *x = exchange_of(e);
	if (!x || !wants_more(x))
		return;
	ymo_http_request_t *r = &x->request.seen;
	ymo_proto_t *p = x->session.conn.proto;
	ymo_status_t status = YMO_OKAY;
	if (!p->body) {
		if (!ymo_request_keep_body(&x->request, yimmo_data(e), e->len))
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

/* blame tells of an http callback that neither finished its answer nor said that it
 * will, nor has a cleanup callback that hears of the end. */
static void blame(const exchange *x)
{
	static bool told;
	if (told || !x->complete || x->promised || x->session.conn.proto->session_cleanup)
		return;
	told = true;
	ymo_log(YMO_LOG_WARNING, "a client left without an answer, for which the http callback had returned YMO_OKAY: "
		"call ymo_http_response_finish, or return EAGAIN to do it later");
}

void ymo_on_http_gone(const yimmo_event *e)
{
	exchange *x = exchange_of(e);
	if (!x)
		return;
	blame(x);
	abandon(x);
}
