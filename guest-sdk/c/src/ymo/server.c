/* Servers and connections. The host listens; what is left of a server is whose
 * callbacks are called. */
#include "ymo.h"

ymo_server_t *ymo_serving;

const char *ymo_version_str(void)
{
#define TEXT_(v) #v
#define TEXT(v) TEXT_(v)
	return TEXT(YIMMO_VERSION_MAJOR) "." TEXT(YIMMO_VERSION_MINOR) "." TEXT(YIMMO_VERSION_PATCH);
}

ymo_server_t *ymo_server_create(ymo_server_config_t *config, ymo_proto_t *proto)
{
	ymo_server_t *s = config && proto ? calloc(1, sizeof *s) : NULL;
	if (!s) {
		errno = config && proto ? ENOMEM : EINVAL;
		return NULL;
	}
	s->config = *config;
	s->proto = proto;
	return s;
}

ymo_status_t ymo_server_init(ymo_server_t *s)
{
	if (!s)
		return EINVAL;
	s->state = YMO_SERVER_INITIALIZED;
	return YMO_OKAY;
}

/* report_settings tells the operator what the program asked for and the host
 * decides. */
static void report_settings(const ymo_server_t *s)
{
	const char *port = ymo_config(YIMMO_FIELD_PORT);
	if (port && s->config.port != (unsigned)atoi(port))
		ymo_log(YMO_LOG_NOTICE, "the program asks for port %u, the host listens on %s", s->config.port, port);
	if (s->config.use_tls || s->config.cert_path || s->config.key_path)
		ymo_log(YMO_LOG_WARNING, "the program asks for TLS: that is a setting of the host");
}

ymo_status_t ymo_server_start(ymo_server_t *s, struct ev_loop *loop)
{
	if (!s)
		return EINVAL;
	if (s->state == YMO_SERVER_STARTED)
		return YMO_OKAY;
	if (ymo_serving) {
		ymo_log(YMO_LOG_WARNING, "a second server was started, for port %u: a plugin has one, it does not serve",
			s->config.port);
		return EADDRINUSE;
	}
	if (loop)
		s->config.loop = loop;
	report_settings(s);
	s->state = YMO_SERVER_STARTED;
	ymo_serving = s;
	return YMO_OKAY;
}

ymo_server_state_t ymo_server_get_state(ymo_server_t *s) { return s->state; }
struct ev_loop *ymo_server_loop(ymo_server_t *s) { return s->config.loop; }

ymo_status_t ymo_server_stop_graceful(ymo_server_t *s)
{
	if (!s)
		return EINVAL;
	if (s->state != YMO_SERVER_STOP_GRACEFUL) {
		s->state = YMO_SERVER_STOP_GRACEFUL;
		if (s == ymo_serving)
			ymo_sessions_close(YIMMO_CLOSE_GOING_AWAY);
	}
	return YMO_OKAY;
}

void ymo_server_free(ymo_server_t *s)
{
	if (!s)
		return;
	if (s == ymo_serving) {
		ymo_sessions_close(YIMMO_CLOSE_GOING_AWAY);
		ymo_serving = NULL;
	}
	free(s);
}

/* Connections. */

void ymo_conn_open(ymo_conn_t *c, uint64_t id, ymo_proto_t *proto, bool is_session)
{
	*c = (ymo_conn_t){ .server = ymo_serving, .proto = proto, .id = id, .is_session = is_session };
	if (ymo_serving && ymo_serving->config.user_init)
		c->user = ymo_serving->config.user_init(ymo_serving, c);
}

void ymo_conn_over(ymo_conn_t *c)
{
	if (c->server && c->server == ymo_serving && c->server->config.user_cleanup)
		c->server->config.user_cleanup(c->server, c, c->user);
}

ymo_server_t *ymo_conn_server(const ymo_conn_t *c) { return c->server; }
ymo_proto_t *ymo_conn_proto(const ymo_conn_t *c) { return c->proto; }

/* The id in a UUID of version 8, which is for whatever one likes. */
void ymo_conn_id(uuid_t dst, const ymo_conn_t *c)
{
	memset(dst, 0, 16);
	for (int i = 0; i < 8; i++)
		dst[8 + i] = (unsigned char)(c->id >> (56 - 8 * i));
	dst[0] = dst[8]; /* what the variant bits take the place of */
	dst[6] = 0x80;
	dst[8] = (dst[8] & 0x3f) | 0x80;
}

char *ymo_conn_id_str(const ymo_conn_t *c)
{
	static char text[37];
	uuid_t id;
	ymo_conn_id(id, c);
	uuid_unparse(id, text);
	return text;
}
