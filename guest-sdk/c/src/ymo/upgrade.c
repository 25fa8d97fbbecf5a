/* Upgrades: an HTTP protocol's handlers, and which of them takes a handshake. A
 * handler that is the program's own looks at the request and may fill in a response;
 * nothing of that goes out unless it refuses. */
#include "ymo.h"

/* The library's handlers. */

static ymo_http_upgrade_status_t accept_websocket(const char *upgrade, ymo_http_request_t *request,
	ymo_http_response_t *response)
{
	(void)request, (void)response;
	return strcmp(upgrade, "websocket") ? YMO_HTTP_UPGRADE_NOPROTO : YMO_HTTP_UPGRADE_HANDLED;
}

static ymo_http_upgrade_status_t http2_fallback(const char *upgrade, ymo_http_request_t *request,
	ymo_http_response_t *response)
{
	(void)request, (void)response;
	return strcasecmp(upgrade, "h2c") ? YMO_HTTP_UPGRADE_NOPROTO : YMO_HTTP_UPGRADE_IGNORE;
}

ymo_http_upgrade_handler_t *ymo_ws_http_upgrade_handler(ymo_proto_t *proto)
{
	if (!proto || !proto->is_ws) {
		errno = EINVAL;
		return NULL;
	}
	proto->handler = (ymo_http_upgrade_handler_t){ accept_websocket, proto };
	return &proto->handler;
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

/* Choosing. */

/* A glance is what handlers of the program see. It is made for the first of them. */
typedef struct glance {
	bool made;
	ymo_request request;
	ymo_http_response_t response;
} glance;

static bool make_glance(glance *g, const yimmo_event *e)
{
	ymo_response_init(&g->response, NULL);
	g->made = true;
	if (!ymo_request_read(&g->request, e))
		return false;
	g->request.seen.flags |= YMO_HTTP_FLAG_UPGRADE;
	return true;
}

static void drop_glance(glance *g)
{
	ymo_request_clear(&g->request);
	ymo_response_clear(&g->response);
}

/* walk asks the handlers one by one. It returns the WebSocket protocol that takes the
 * session, or NULL and the status to refuse it with. */
static ymo_proto_t *walk(const yimmo_event *e, const ymo_proto_t *http, glance *g, uint16_t *status)
{
	*status = YMO_HTTP_NOT_IMPLEMENTED;
	for (ymo_upgrade *u = http->upgrades; u; u = u->next) {
		if (u->cb == accept_websocket)
			return u->proto;
		if (!g->made && !make_glance(g, e)) {
			*status = YMO_HTTP_SERVICE_UNAVAILABLE;
			return NULL;
		}
		errno = 0;
		ymo_http_upgrade_status_t verdict = u->cb("websocket", &g->request.seen, &g->response);
		if (verdict == YMO_HTTP_UPGRADE_NOPROTO)
			continue;
		if (verdict == YMO_HTTP_UPGRADE_HANDLED && u->proto && u->proto->is_ws)
			return u->proto;
		*status = verdict == YMO_HTTP_UPGRADE_IGNORE ? YMO_HTTP_UPGRADE_REQUIRED : ymo_http_code(errno ? errno : EINVAL);
		return NULL;
	}
	return NULL;
}

ymo_proto_t *ymo_upgrade_choose(const yimmo_event *e, const ymo_proto_t *http)
{
	glance g = { 0 };
	uint16_t status;
	ymo_proto_t *chosen = walk(e, http, &g, &status);
	if (!chosen)
		ymo_response_refuse(&g.response, e->id, status);
	if (g.made)
		drop_glance(&g);
	return chosen;
}
