/* The shape of a load test's server: counters, two signal watchers, totals at the end. */
#include <unistd.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <signal.h>
#include <ev.h>
#include "yimmo.h"
#include "ymo_log.h"
#include "ymo_http.h"
#include "ymo_ws.h"

static struct {
    size_t opened, closed, frames, messages;
    unsigned long long bytes;
    size_t by_op[16];
} n;

static ymo_status_t opened(ymo_ws_session_t* session) { (void)session; ++n.opened; return YMO_OKAY; }
static void closed(ymo_ws_session_t* session, void* user) { (void)session; (void)user; ++n.closed; }

static ymo_status_t frame(ymo_ws_session_t* session, void* user, uint8_t flags, const char* data, size_t len)
{
    (void)user;
    ++n.frames;
    n.messages += (flags & YMO_WS_FLAG_FIN) != 0;
    n.bytes += len;
    ++n.by_op[flags & YMO_WS_MASK_OP];
    return ymo_ws_session_send(session, flags, YMO_BUCKET_FROM_REF(data, len));
}

static ymo_status_t numbers(ymo_http_session_t* session, ymo_http_request_t* request, ymo_http_response_t* response, void* user_data)
{
    (void)session; (void)request; (void)user_data;
    char text[512];
    int len = snprintf(text, sizeof(text),
            "{\"open\": %zu, \"frames\": %zu, \"messages\": %zu, \"bytes\": %llu, \"text\": %zu, \"binary\": %zu}",
            n.opened - n.closed, n.frames, n.messages, n.bytes, n.by_op[YMO_WS_OP_TEXT], n.by_op[YMO_WS_OP_BINARY]);
    ymo_http_response_insert_header(response, "content-type", "application/json");
    ymo_http_response_insert_header(response, "cache-control", "no-store");
    ymo_http_response_set_status_str(response, "200 OK");
    ymo_http_response_body_append(response, YMO_BUCKET_FROM_CPY(text, len));
    ymo_http_response_finish(response);
    return YMO_OKAY;
}

static void on_signal(struct ev_loop* loop, ev_signal* w, int revents)
{
    ymo_log_notice("signal %i (%s), events %#x: breaking", w->signum, strsignal(w->signum), (unsigned)revents);
    ev_break(loop, EVBREAK_ALL);
}

int main(int argc, char** argv)
{
    struct ev_loop* loop = ev_default_loop(0);
    ymo_proto_t* ws = ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, &opened, &frame, &closed);
    ymo_http_upgrade_handler_t* upgrade_handlers[] = {
        ymo_ws_http_upgrade_handler(ws),
        ymo_http2_no_upgrade_handler(),
        NULL,
    };
    ymo_server_t* server = ymo_http_simple_init(loop, 8081, &numbers, upgrade_handlers, NULL);
    ev_signal term, interrupt;
    int opt;
    while( (opt = getopt(argc, argv, "hp:")) != -1 ) {
        if( opt == 'h' ) {
            printf("usage: %s [-p port]\n", argv[0]);
            exit(0);
        }
    }
    signal(SIGPIPE, SIG_IGN);
    ev_signal_init(&interrupt, on_signal, SIGINT);
    ev_signal_init(&term, on_signal, SIGTERM);
    ev_signal_start(loop, &interrupt);
    ev_signal_start(loop, &term);
    if( server ) {
        ymo_server_start(server, loop);
        ev_run(loop, 0);
        ymo_server_stop_graceful(server);
        ymo_server_free(server);
    } else {
        ymo_log_fatal("Server failed to start: %s", strerror(errno));
    }
    fprintf(stderr, "%s\n", "Totals:");
    fprintf(stderr, "  open:     %6zu\n", n.opened - n.closed);
    fprintf(stderr, "  frames:   %6zu\n", n.frames);
    fprintf(stderr, "  bytes:    %6llu\n", n.bytes);
    return 0;
}
