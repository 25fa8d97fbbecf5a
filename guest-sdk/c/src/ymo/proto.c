/* Protocols: what programs make before they serve. */
#include "ymo.h"

static ymo_proto_t *new_proto(const char *name)
{
	ymo_proto_t *p = calloc(1, sizeof *p);
	if (p)
		p->name = name;
	else
		errno = ENOMEM;
	return p;
}

const char *ymo_proto_name(ymo_proto_t *proto) { return proto ? proto->name : NULL; }

ymo_proto_t *yimmo_ws_proto_create(ymo_ws_server_flags_t flags, ymo_ws_connect_cb_t connect_cb,
	ymo_ws_recv_cb_t recv_cb, ymo_ws_close_cb_t close_cb, size_t message_max)
{
	ymo_proto_t *p = new_proto("WS");
	if (!p)
		return NULL;
	p->is_ws = true;
	p->flags = flags;
	p->connect = connect_cb;
	p->recv = recv_cb;
	p->close = close_cb;
	p->message_max = message_max;
	return p;
}

ymo_proto_t *ymo_proto_http_create(ymo_http_session_init_cb_t session_init, ymo_http_cb_t http_callback,
	ymo_http_header_cb_t header_callback, ymo_http_body_cb_t body_cb,
	ymo_http_session_cleanup_cb_t session_cleanup, void *data)
{
	ymo_proto_t *p = new_proto("HTTP");
	if (!p)
		return NULL;
	p->session_init = session_init;
	p->http = http_callback;
	p->header = header_callback;
	p->body = body_cb;
	p->session_cleanup = session_cleanup;
	p->data = data;
	return p;
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
