/* Answers that are not there yet: timers, an async watcher, a queue of work. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ev.h>
#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_ws.h"
#include "ymo_log.h"
#include "ymo_queue.h"

struct job {
    struct job* next;
    ymo_http_response_t* response;
    int left;
};

static struct job *first, **last = &first;
static ev_timer clock_;
static ev_async wake;
static ymo_ws_session_t* watcher;
static double begun;

static void finish(struct job* j)
{
    ymo_http_response_body_append(j->response, YMO_BUCKET_FROM_REF("done\n", 5));
    ymo_http_response_finish(j->response);
    free(j);
}

static void on_tick(EV_P_ ev_timer* w, int revents)
{
    (void)revents;
    struct job* j = first;
    if( j && --j->left <= 0 ) {
        first = j->next;
        if( !first ) last = &first;
        finish(j);
    } else if( j ) {
        char part[32];
        ymo_http_response_body_append(j->response, YMO_BUCKET_FROM_CPY(part, (size_t)sprintf(part, "%d...", j->left)));
        ymo_http_response_ready(j->response);
    }
    if( !first ) {
        ev_timer_stop(EV_A_ w);
        ev_async_send(EV_A_ &wake);
    }
}

static void on_wake(EV_P_ ev_async* w, int revents)
{
    (void)w, (void)revents, (void)loop;
    if( watcher ) {
        ymo_ws_session_send(watcher, YMO_WS_FLAG_FIN | YMO_WS_OP_TEXT, YMO_BUCKET_FROM_REF("idle", 4));
    }
}

static ymo_status_t on_http(ymo_http_session_t* s, ymo_http_request_t* q, ymo_http_response_t* r, void* loop)
{
    (void)s;
    int steps = 1;
    if( q->query ) sscanf(q->query, "steps=%d", &steps);
    if( steps == 0 ) {
        ymo_http_response_body_append(r, YMO_BUCKET_FROM_REF("at once\n", 8));
        ymo_http_response_finish(r);
        return YMO_OKAY;
    }
    struct job* j = calloc(1, sizeof *j);
    if( !j ) return ENOMEM;
    j->response = r;
    j->left = steps;
    *last = j;
    last = &j->next;
    ymo_http_response_insert_header(r, "content-type", "text/plain");
    if( !ev_is_active(&clock_) ) {
        ev_timer_set(&clock_, 0.005, 0.005);
        ev_timer_start((struct ev_loop*)loop, &clock_);
    }
    return EWOULDBLOCK;
}

static ymo_status_t on_connect(ymo_ws_session_t* s)
{
    if( watcher ) return EBUSY;
    watcher = s;
    return YMO_OKAY;
}

static void on_close(ymo_ws_session_t* s, void* u)
{
    (void)u;
    if( s == watcher ) watcher = NULL;
}

int main(int argc, char** argv)
{
    (void)argc; (void)argv;
    struct ev_loop* loop = ev_default_loop(0);
    begun = ev_now(loop);
    ev_timer_init(&clock_, on_tick, 0., 0.);
    ev_async_init(&wake, on_wake);
    ev_async_start(loop, &wake);
    ymo_http_upgrade_handler_t* handlers[] = {
        ymo_ws_http_upgrade_handler(ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, on_connect, NULL, on_close)),
        ymo_http2_no_upgrade_handler(), NULL };
    ymo_server_t* server = ymo_http_simple_init(loop, 8081, on_http, handlers, loop);
    if( !server ) {
        ymo_log_error("%s", strerror(errno));
        return -1;
    }
    ymo_server_start(server, loop);
    ev_run(loop, 0);
    ymo_log_info("served for %s", ev_now(loop) >= begun ? "a while" : "less than nothing");
    ev_async_stop(loop, &wake);
    ymo_server_free(server);
    ev_loop_destroy(loop);
    return 0;
}
