/* HTTP: what the host's events make of an exchange, by way of the program's callbacks.
 *
 *     http_request event -> session_init, header callback
 *     http_body events   -> body callback, or the buffer
 *     the last of them   -> http callback -> response, now or later
 */
#include "ymo.h"

/* callback_done ends a callback: its status is an answer, a promise, or an error. */
static void callback_done(ymo_http_exchange_t *x, const char *callback, int status)
{
	x->in_callback = false;
	bool later = status == EAGAIN || status == EWOULDBLOCK;
	x->promised |= later;
	if (status == YMO_OKAY || later)
		ymo_exchange_give(x);
	else if (!x->over)
		ymo_exchange_fail(x, callback, status);
}

static bool wants_more(const ymo_http_exchange_t *x)
{
	return !x->complete && !x->over && !(x->response.flags & YMO_HTTP_RESPONSE_COMPLETE);
}

/* request_complete calls the http callback. */
static void request_complete(ymo_http_exchange_t *x)
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

/* begin_session asks the program whether it takes the session. What it does not take it
 * has set no data for, so there is nothing to clean up. */
static bool begin_session(ymo_http_exchange_t *x)
{
	ymo_proto_t *p = x->session.conn.proto;
	ymo_status_t status = p->session_init ? p->session_init(p->data, &x->session) : YMO_OKAY;
	x->begun = status == YMO_OKAY;
	if (!x->begun)
		ymo_exchange_fail(x, "session init", status);
	return x->begun;
}

void ymo_on_http(const yimmo_event *e)
{
	ymo_server_t *server = ymo_serving;
	ymo_http_exchange_t *x = server && server->state == YMO_SERVER_STARTED ? ymo_exchange_open(e, server) : NULL;
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
	ymo_http_exchange_t *x = ymo_exchange_get(e);
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
static void blame(const ymo_http_exchange_t *x)
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
	ymo_http_exchange_t *x = ymo_exchange_get(e);
	if (!x)
		return;
	blame(x);
	ymo_exchange_abandon(x);
}
