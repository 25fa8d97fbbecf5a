/* The shape of libyimmo's first example: a greeting, an echo, a plain answer. */
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_log.h"
#include "ymo_ws.h"

#ifndef HTTP_PORT
#define HTTP_PORT 8081
#endif

static ymo_status_t on_open(ymo_ws_session_t* session);
static ymo_status_t on_data(ymo_ws_session_t* session, void* user_data, uint8_t flags, const char* data, size_t len);
static void on_gone(ymo_ws_session_t* session, void* user_data);

static ymo_status_t on_open(ymo_ws_session_t* session)
{
    ymo_log_info("open: %p", (void*)session);
    ymo_bucket_t* greeting = YMO_BUCKET_FROM_REF("Hello!", 6);
    return ymo_ws_session_send(session, YMO_WS_FLAG_FIN | YMO_WS_OP_TEXT, greeting);
}

static ymo_status_t on_data(ymo_ws_session_t* session, void* user_data, uint8_t flags, const char* data, size_t len)
{
    (void)user_data;
    if( data && len ) {
        if( flags & YMO_WS_OP_TEXT ) {
            ymo_log_info("received \"%.*s\"", (int)len, data);
        }
    } else {
        ymo_log_info("received nothing");
    }
    return ymo_ws_session_send(session, flags, YMO_BUCKET_FROM_CPY(data, len));
}

static void on_gone(ymo_ws_session_t* session, void* user_data)
{
    (void)session;
    (void)user_data;
    ymo_log_info("gone");
}

static ymo_status_t on_http(
        ymo_http_session_t* session, ymo_http_request_t* request, ymo_http_response_t* response, void* user_data)
{
    (void)session;
    (void)request;
    (void)user_data;
    ymo_http_response_insert_header(response, "content-type", "text/plain");
    ymo_bucket_t* content = YMO_BUCKET_FROM_REF("OK", 2);
    ymo_http_response_set_status_str(response, "200 OK");
    ymo_http_response_body_append(response, content);
    ymo_http_response_finish(response);
    return YMO_OKAY;
}

int main(int argc, char** argv)
{
    printf("%s starts with %d argument(s)\n", argv[0], argc);

    struct ev_loop* loop = ev_default_loop(0);

    ymo_proto_t* ws_proto = ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, &on_open, &on_data, &on_gone);

    ymo_http_upgrade_handler_t* upgrade_handlers[] = {
        ymo_ws_http_upgrade_handler(ws_proto),
        ymo_http2_no_upgrade_handler(),
        NULL,
    };

    ymo_server_t* http_srv = ymo_http_simple_init(loop, HTTP_PORT, &on_http, upgrade_handlers, NULL);

    ymo_server_start(http_srv, loop);
    if( http_srv ) {
        ev_run(ev_default_loop(0), 0);
        ymo_log(YMO_LOG_INFO, "the loop is over");
        ymo_server_free(http_srv);
    } else {
        ymo_log(YMO_LOG_ERROR, "no server");
    }
    return 0;
}
