/* Servers. The host listens; what is left of a server is whose callbacks are called. */
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
			ymo_conns_close(YIMMO_CLOSE_GOING_AWAY);
	}
	return YMO_OKAY;
}

void ymo_server_free(ymo_server_t *s)
{
	if (!s)
		return;
	if (s == ymo_serving) {
		ymo_conns_close(YIMMO_CLOSE_GOING_AWAY);
		ymo_conns_orphan();
		ymo_serving = NULL;
	}
	free(s);
}
