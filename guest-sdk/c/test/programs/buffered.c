/* Whole messages. */
#include <ev.h>
#include <stdio.h>
#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_log.h"
#include "ymo_ws.h"

static ymo_status_t on_message(ymo_ws_session_t* session, void* user, uint8_t flags, const char* msg, size_t len)
{
    char head[32];
    (void)user;
    int n = snprintf(head, sizeof(head), "%02x %zu ", flags, len);
    ymo_bucket_t* answer = YMO_BUCKET_FROM_CPY(head, (size_t)n);
    ymo_bucket_append(answer, YMO_BUCKET_FROM_REF(msg, len));
    return ymo_ws_session_send(session, YMO_WS_FLAG_FIN | YMO_WS_OP_BINARY, answer);
}

int main(void)
{
    ymo_proto_t* ws = ymo_proto_ws_create(YMO_WS_SERVER_BUFFERED, NULL, on_message, NULL);
    ymo_http_upgrade_handler_t* handlers[] = { ymo_ws_http_upgrade_handler(ws), ymo_http2_no_upgrade_handler(), NULL };
    ymo_server_t* server = ymo_http_simple_init(NULL, 8081, NULL, handlers, NULL);
    ymo_server_start(server, ev_default_loop(0));
    ev_run(ev_default_loop(0), 0);
    ymo_server_free(server);
    return 0;
}
