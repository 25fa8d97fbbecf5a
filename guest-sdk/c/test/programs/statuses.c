/* Callbacks that fail, with what the peer says. */
#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>
#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_log.h"
#include "ymo_ws.h"

static int connect_status;
static int speak_first;

static ymo_status_t on_connect(ymo_ws_session_t* session)
{
    if( speak_first ) {
        ymo_ws_session_send(session, YMO_WS_FLAG_FIN | YMO_WS_OP_TEXT, YMO_BUCKET_FROM_REF("hi", 2));
    }
    int status = connect_status;
    connect_status = speak_first = 0;
    return status;
}

static ymo_status_t on_recv(ymo_ws_session_t* session, void* user, uint8_t flags, const char* msg, size_t len)
{
    char text[32] = { 0 };
    (void)session;
    (void)user;
    (void)flags;
    memcpy(text, msg, len < sizeof(text) - 1 ? len : sizeof(text) - 1);
    if( text[0] == 'c' || text[0] == 'g' ) {
        connect_status = atoi(text + 1);
        speak_first = text[0] == 'g';
        return YMO_OKAY;
    }
    return atoi(text);
}

static void on_close(ymo_ws_session_t* session, void* user)
{
    (void)user;
    ymo_status_t status = ymo_ws_session_send(session, YMO_WS_FLAG_FIN | YMO_WS_OP_TEXT, YMO_BUCKET_FROM_REF("late", 4));
    ymo_log_info("closed; sending now gives %s", status == EPIPE ? "EPIPE" : strerror(status));
}

int main(void)
{
    ymo_proto_t* ws = ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, on_connect, on_recv, on_close);
    ymo_http_upgrade_handler_t* handlers[] = { ymo_ws_http_upgrade_handler(ws), NULL };
    ymo_server_t* server = ymo_http_simple_init(EV_DEFAULT, 8081, NULL, handlers, NULL);
    ymo_server_start(server, EV_DEFAULT);
    ev_run(EV_DEFAULT, 0);
    return 0;
}
