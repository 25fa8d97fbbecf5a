/* Exchanges: a request, its response and its session, from the first event to the last
 * command. While a callback runs the response is only noted down; when it returns, what
 * there is goes out. Later, every call goes out at once. */
#include "ymo.h"

typedef ymo_http_exchange_t exchange;

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

exchange *ymo_exchange_open(const yimmo_event *e, ymo_server_t *server)
{
	exchange *x = new_exchange(e);
	if (x && ymo_conn_open(&x->session.conn, e->id, server, server->proto, NULL)) {
		x->session.user = server->proto->data;
		return x;
	}
	if (x)
		free_exchange(x);
	return NULL;
}

exchange *ymo_exchange_get(const yimmo_event *e)
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

/* A program with a cleanup callback is told by it and forgets the response, as it must
 * with libyimmo. One without goes on with what it promised until it is finished. What
 * nobody promised to finish is not waited for. */
void ymo_exchange_abandon(exchange *x)
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

void ymo_exchange_give(exchange *x)
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
		ymo_exchange_abandon(x);
}

/* The host may refuse the head of an answer, with the body that came with it. Then
 * the request still waits. */
void ymo_on_answer_refused(const yimmo_event *e)
{
	if (e->code != YIMMO_STATUS_TOO_LARGE && e->code != YIMMO_STATUS_BAD_FIELDS)
		return; /* the client is gone */
	yimmo_answer(e->id, YMO_HTTP_INTERNAL_SERVER_ERROR, NULL, 0, NULL, 0);
	exchange *x = ymo_exchange_get(e);
	if (x)
		ymo_exchange_abandon(x);
}

void ymo_exchange_fail(exchange *x, const char *callback, int status)
{
	char outcome[32];
	uint16_t code = ymo_http_code(status);
	yimmo_format(outcome, sizeof outcome, "answered with %u", code);
	ymo_report(callback, status, outcome);
	ymo_response_clear(&x->response);
	x->response.status = code;
	x->response.flags |= YMO_HTTP_RESPONSE_COMPLETE;
	ymo_exchange_give(x);
}

/* What a program does with its response in a callback, or later. One that an upgrade
 * handler fills in has no exchange: it is looked at when the handler returns. */

static void act(ymo_http_response_t *r, ymo_http_flags_t flags)
{
	r->flags |= flags;
	if (r->exchange)
		ymo_exchange_give(r->exchange);
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
