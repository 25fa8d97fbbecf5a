/* Two WebSocket protocols behind one server, chosen by the request's path. */
#include <errno.h>
#include <string.h>
#include <stdlib.h>
#include <ev.h>
#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_ws.h"
#include "ymo_log.h"

static ymo_status_t shout(ymo_ws_session_t* s, void* u, uint8_t flags, const char* p, size_t n)
{
    (void)u;
    char up[n ? n : 1];
    for( size_t i = 0; i < n; i++ ) {
        up[i] = (char)(p[i] >= 'a' && p[i] <= 'z' ? p[i] - 32 : p[i]);
    }
    return ymo_ws_session_send(s, flags, YMO_BUCKET_FROM_REF(up, n));
}

static ymo_status_t reverse(ymo_ws_session_t* s, void* u, uint8_t flags, const char* p, size_t n)
{
    (void)u;
    char* back = malloc(n + 1);
    if( !back ) {
        return ENOMEM;
    }
    for( size_t i = 0; i < n; i++ ) {
        back[i] = p[n - 1 - i];
    }
    return ymo_ws_session_send(s, flags, ymo_bucket_create(NULL, NULL, back, n + 1, back, n));
}

static ymo_http_upgrade_status_t loud(const char* up, ymo_http_request_t* q, ymo_http_response_t* r)
{
    (void)r;
    return !strcasecmp(up, "websocket") && !strncmp(q->uri, "/loud", 5) ? YMO_HTTP_UPGRADE_HANDLED : YMO_HTTP_UPGRADE_NOPROTO;
}

static ymo_http_upgrade_status_t back(const char* up, ymo_http_request_t* q, ymo_http_response_t* r)
{
    (void)up;
    if( strcmp(q->uri, "/back") ) {
        ymo_http_response_set_status(r, YMO_HTTP_NOT_FOUND);
        ymo_http_response_body_append(r, YMO_BUCKET_FROM_REF("no such way", 11));
        return YMO_HTTP_UPGRADE_ERROR;
    }
    return YMO_HTTP_UPGRADE_HANDLED;
}

static ymo_status_t on_http(ymo_http_session_t* s, ymo_http_request_t* q, ymo_http_response_t* r, void* d)
{
    (void)s; (void)d;
    ymo_http_response_insert_header(r, "x-flags", q->flags & YMO_HTTP_FLAG_VERSION_1_1 ? "1.1" : "1.0");
    ymo_http_response_body_append(r, YMO_BUCKET_FROM_CPY(q->version, strlen(q->version)));
    ymo_http_response_finish(r);
    return YMO_OKAY;
}

int main(int argc, char** argv)
{
    (void)argc; (void)argv;
    static ymo_http_upgrade_handler_t first, second;
    first = (ymo_http_upgrade_handler_t){ .cb = loud, .proto_new = ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, NULL, shout, NULL) };
    second.cb = back;
    second.proto_new = ymo_proto_ws_create(YMO_WS_SERVER_BUFFERED, NULL, reverse, NULL);
    ymo_http_upgrade_handler_t* handlers[] = { ymo_http2_no_upgrade_handler(), &first, &second, NULL };
    struct ev_loop* loop = ev_default_loop(0);
    ymo_server_t* server = ymo_http_simple_init(loop, 8081, on_http, handlers, NULL);
    ymo_server_start(server, loop);
    ev_run(loop, 0);
    ymo_server_free(server);
    return 0;
}
