/* Signal watchers, counters in globals, totals on the way out. main has no
 * arguments. */
#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <string.h>
#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_log.h"
#include "ymo_ws.h"

size_t no_connect = 0;
size_t no_disconnect = 0;
size_t no_frames = 0;
size_t no_msgs = 0;

static ymo_status_t connect_cb(ymo_ws_session_t* session)
{
    (void)session;
    ++no_connect;
    return YMO_OKAY;
}

static ymo_status_t recv_cb(ymo_ws_session_t* session, void* user, uint8_t flags, const char* data, size_t len)
{
    (void)user;
    ++no_frames;
    if( flags & YMO_WS_FLAG_FIN ) {
        ++no_msgs;
    }
    return ymo_ws_session_send(session, flags, YMO_BUCKET_FROM_CPY(data, len));
}

static void close_cb(ymo_ws_session_t* session, void* user)
{
    (void)session;
    (void)user;
    ++no_disconnect;
}

static ymo_status_t http_cb(
        ymo_http_session_t* session, ymo_http_request_t* request, ymo_http_response_t* response, void* user)
{
    (void)session;
    (void)request;
    (void)user;
    ymo_http_response_set_status(response, YMO_HTTP_OK);
    ymo_http_response_finish(response);
    return YMO_OKAY;
}

static void on_signal(struct ev_loop* loop, ev_signal* w, int revents)
{
    fprintf(stderr, "signal %d, events %#x\n", w->signum, (unsigned)revents);
    ev_break(loop, EVBREAK_ALL);
}

int main(void)
{
    struct ev_loop* loop = ev_default_loop(0);
    ymo_log_init();
    ymo_proto_t* ws = ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, connect_cb, recv_cb, close_cb);
    ymo_http_upgrade_handler_t* handlers[] = { ymo_ws_http_upgrade_handler(ws), ymo_http2_no_upgrade_handler(), NULL };
    ymo_server_t* server = ymo_http_simple_init(loop, 8081, http_cb, handlers, NULL);
    if( !server ) {
        ymo_log_fatal("no server: %s", strerror(errno));
        return 1;
    }

    ev_signal sigint;
    ev_signal sigterm;
    ev_signal_init(&sigint, on_signal, SIGINT);
    ev_signal_init(&sigterm, on_signal, SIGTERM);
    ev_signal_start(loop, &sigint);
    ev_signal_start(loop, &sigterm);

    ymo_server_start(server, loop);
    ev_run(loop, 0);
    ymo_server_free(server);

    fprintf(stderr, "connects %zu, disconnects %zu\n", no_connect, no_disconnect);
    fprintf(stderr, "frames %zu, messages %zu\n", no_frames, no_msgs);
    return 0;
}
