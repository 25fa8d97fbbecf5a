/* main leaves with exit. */
#include <ev.h>
#include <stdlib.h>
#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_ws.h"

static ymo_status_t on_recv(ymo_ws_session_t* s, void* user, uint8_t flags, const char* msg, size_t len)
{
    (void)user;
    return ymo_ws_session_send(s, flags, YMO_BUCKET_FROM_REF(msg, len));
}

int main(void)
{
    ymo_proto_t* ws = ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, NULL, on_recv, NULL);
    ymo_http_upgrade_handler_t* handlers[] = { ymo_ws_http_upgrade_handler(ws), NULL };
    ymo_server_t* server = ymo_http_simple_init(EV_DEFAULT, 8081, NULL, handlers, NULL);
    if( ymo_server_start(server, EV_DEFAULT) != YMO_OKAY ) {
        exit(EXIT_FAILURE);
    }
    ev_run(EV_DEFAULT, 0);
    ymo_server_free(server);
    exit(EXIT_SUCCESS);
}
