/* WebSocket sessions. */
#include "ymo.h"

/* Sessions that are over rest for a while before their place is used again: a
 * program that still holds the pointer is told that it is closed, not given
 * somebody else's session. */
#define RESTING 256

typedef enum session_state {
	OVER,       /* closed, or never was */
	CONNECTING, /* in the connect callback: nothing decided */
	OPEN,
	CLOSING,    /* our close frame is on its way */
	FAILED,     /* a callback's status closed it: what still comes is dropped */
} session_state;

struct ymo_ws_session {
	ymo_conn_t conn; /* its id is 0 while the session rests */
	session_state state;
	bool spoke;      /* something was sent */
	bool quiet;      /* taken over from another instance: the connect callback's sends are dropped */
	void *user;
	ymo_message message;    /* buffered mode */
	ymo_ws_session_t *next; /* resting */
};

static ymo_ws_session_t *resting, **resting_end = &resting;
static unsigned resting_count;

static ymo_ws_session_t *new_session(bool taken_over)
{
	ymo_ws_session_t *s = resting;
	if (s && resting_count > RESTING) {
		resting = s->next;
		resting_count--;
	} else if (!(s = malloc(sizeof *s))) {
		return NULL;
	}
	*s = (ymo_ws_session_t){ .state = CONNECTING, .quiet = taken_over };
	return s;
}

/* rest ends a session whose callbacks are done. */
static void rest(ymo_ws_session_t *s)
{
	ymo_conn_over(&s->conn);
	ymo_message_drop(&s->message);
	memset(s, 0, sizeof *s);
	*resting_end = s;
	resting_end = &s->next;
	resting_count++;
}

/* Sending. */

/* close_frame gives the close command for the payload of a close frame: nothing,
 * or two bytes of code and a reason. */
static ymo_status_t close_frame(ymo_ws_session_t *s, ymo_bucket_t *payload)
{
	unsigned char text[YIMMO_MAX_CLOSE_REASON + 2];
	size_t n = 0;
	for (; payload; payload = payload->next) {
		if (payload->len > sizeof text - n)
			return EINVAL;
		if (payload->len)
			memcpy(text + n, payload->data, payload->len);
		n += payload->len;
	}
	if (!ymo_may_close_with(text, n))
		return EINVAL;
	yimmo_bucket reason = { text + 2, n ? n - 2 : 0 };
	uint16_t code = n ? (uint16_t)(text[0] << 8 | text[1]) : 0;
	int err = yimmo_give((yimmo_command){ .kind = YIMMO_COMMAND_CLOSE, .code = code, .id = s->conn.id }, &reason, 1);
	if (!err)
		s->state = CLOSING;
	return err;
}

static ymo_status_t send_frame(ymo_ws_session_t *s, uint8_t flags, ymo_bucket_t *payload)
{
	if (!s || !ymo_may_send(flags, payload))
		return EINVAL;
	if (s->state == OVER)
		return EPIPE;
	if (s->state == CLOSING)
		return EADDRNOTAVAIL;
	if (s->state == FAILED)
		return ECONNABORTED;
	if (s->quiet)
		return YMO_OKAY;
	int err = (flags & YMO_WS_MASK_OP) == YMO_WS_OP_CLOSE ? close_frame(s, payload)
		: ymo_give_chain((yimmo_command){ .kind = YIMMO_COMMAND_SEND, .flags = flags, .id = s->conn.id }, NULL, payload);
	if (!err)
		s->spoke = true;
	return err;
}

ymo_status_t ymo_ws_session_send(ymo_ws_session_t *s, uint8_t flags, ymo_bucket_t *payload)
{
	ymo_status_t err = send_frame(s, flags, payload);
	if (err)
		ymo_bucket_forgive(payload);
	else
		ymo_bucket_sent(payload);
	return err;
}

void ymo_ws_session_set_userdata(ymo_ws_session_t *s, void *user) { s->user = user; }
void *ymo_ws_session_get_userdata(ymo_ws_session_t *s) { return s->user; }

/* close_conn is how connections of this kind are closed. */
static ymo_status_t close_conn(ymo_conn_t *c, uint16_t code)
{
	ymo_ws_session_t *s = (ymo_ws_session_t *)c; /* its first member */
	if (s->state != OPEN && s->state != CONNECTING)
		return s->state == OVER ? EPIPE : EADDRNOTAVAIL;
	ymo_status_t err = yimmo_close(c->id, code, NULL);
	if (!err)
		s->state = CLOSING;
	return err;
}

static ymo_ws_session_t *session_of(const yimmo_event *e)
{
	ymo_conn_t *c = ymo_conn_get(e->id);
	return c && c->close == close_conn ? (ymo_ws_session_t *)c : NULL;
}

/* Connecting. */

static void refuse(uint64_t id, uint16_t status)
{
	yimmo_refuse(id, status, NULL, 0, NULL, 0);
}

/* over tells the program that a session is over. As in the original each connect
 * callback is followed by one close callback, also if it failed. */
static void over(ymo_ws_session_t *s)
{
	s->state = OVER;
	if (s->conn.proto->close)
		s->conn.proto->close(s, s->user);
	rest(s);
}

/* failed ends a session because a callback said so. */
static void failed(ymo_ws_session_t *s, const char *callback, int status)
{
	char outcome[48];
	if (s->state == CLOSING || s->state == FAILED)
		return;
	if (s->state == CONNECTING && !s->spoke && !s->quiet) {
		uint16_t code = ymo_http_code(status);
		yimmo_format(outcome, sizeof outcome, "handshake refused with %u", code);
		ymo_report(callback, status, outcome);
		refuse(s->conn.id, code);
		over(s);
		return;
	}
	uint16_t code = ymo_close_code(status);
	yimmo_format(outcome, sizeof outcome, "session closed with %u", code);
	ymo_report(callback, status, outcome);
	s->state = FAILED;
	yimmo_close(s->conn.id, code, NULL);
}

void ymo_on_connect(const yimmo_event *e)
{
	bool taken_over = e->flags & YIMMO_FLAG_SYNTHESISED;
	ymo_server_t *server = ymo_serving;
	if (!server || server->state != YMO_SERVER_STARTED) {
		if (!taken_over)
			refuse(e->id, YMO_HTTP_SERVICE_UNAVAILABLE);
		return;
	}
	ymo_proto_t *proto = server->proto->is_ws ? server->proto : ymo_upgrade_choose(e, server->proto);
	if (!proto)
		return;
	ymo_ws_session_t *s = new_session(taken_over);
	if (!s || !ymo_conn_open(&s->conn, e->id, server, proto, close_conn)) {
		free(s);
		ymo_log(YMO_LOG_ERROR, "out of memory for a session");
		if (taken_over)
			yimmo_close(e->id, YIMMO_CLOSE_TRY_AGAIN, NULL);
		else
			refuse(e->id, YMO_HTTP_SERVICE_UNAVAILABLE);
		return;
	}
	ymo_status_t status = proto->connect ? proto->connect(s) : YMO_OKAY;
	if (status != YMO_OKAY) {
		failed(s, "connect", status);
		return;
	}
	s->quiet = false;
	if (s->state == CONNECTING)
		s->state = OPEN;
}

/* Receiving. */

static void hand_over(ymo_ws_session_t *s, uint8_t flags, const char *data, size_t len)
{
	ymo_proto_t *p = s->conn.proto;
	ymo_status_t status = p->recv ? p->recv(s, s->user, flags, data ? data : "", len) : YMO_OKAY;
	if (status != YMO_OKAY && s->conn.id)
		failed(s, "receive", status);
}

static void too_large(ymo_ws_session_t *s)
{
	if (s->state == CLOSING)
		return;
	ymo_log(YMO_LOG_WARNING, "message larger than %zu bytes (YMO_WS_MSG_LEN_MAX): session closed with 1009",
		s->conn.proto->message_max);
	s->state = FAILED;
	yimmo_close(s->conn.id, YIMMO_CLOSE_TOO_BIG, NULL);
}

/* collect puts fragments together. A message that comes whole is handed over where it
 * lies. */
static void collect(ymo_ws_session_t *s, const yimmo_event *e)
{
	switch (ymo_message_add(&s->message, e, s->conn.proto->message_max)) {
	case YMO_MESSAGE_WHOLE: {
		/* The callback may close and free the session: what it gets is not in it. */
		ymo_message m = s->message;
		s->message = (ymo_message){ 0 };
		hand_over(s, m.flags, m.data, m.len);
		ymo_message_done(&m);
		return;
	}
	case YMO_MESSAGE_TOO_LARGE:
		too_large(s);
		return;
	case YMO_MESSAGE_NO_MEMORY:
		failed(s, "receive", ENOMEM);
		return;
	case YMO_MESSAGE_MORE:
		return;
	}
}

void ymo_on_recv(const yimmo_event *e)
{
	ymo_ws_session_t *s = session_of(e);
	if (!s || s->state == FAILED)
		return;
	if (s->conn.proto->flags & YMO_WS_SERVER_BUFFERED)
		collect(s, e);
	else
		hand_over(s, e->flags, yimmo_data(e), e->len);
}

void ymo_on_close(const yimmo_event *e)
{
	ymo_ws_session_t *s = session_of(e);
	if (s)
		over(s);
}
