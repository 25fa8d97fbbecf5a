/* A ticker: one timer for all, one for each session that asks. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <ev.h>
#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_ws.h"
#include "ymo_log.h"

typedef struct sub {
    ev_timer timer; /* first, so that the watcher is the subscription */
    ymo_ws_session_t* session;
    unsigned ticks;
    struct sub *next, **back;
} sub_t;

static sub_t* subs;
static unsigned beats;

static void push(struct ev_loop* loop, ev_timer* w, int revents)
{
    sub_t* s = (sub_t*)w;
    char text[32];
    (void)revents;
    int len = snprintf(text, sizeof(text), "tick %u", ++s->ticks);
    if( ymo_ws_session_send(s->session, YMO_WS_FLAG_FIN | YMO_WS_OP_TEXT, YMO_BUCKET_FROM_CPY(text, (size_t)len)) != YMO_OKAY || s->ticks == 3 ) {
        ev_timer_stop(loop, w);
    }
}

static void beat(struct ev_loop* loop, ev_timer* w, int revents)
{
    (void)loop; (void)w; (void)revents;
    ++beats;
    for( sub_t* s = subs; s; s = s->next ) {
        ymo_ws_session_send(s->session, YMO_WS_FLAG_FIN | YMO_WS_OP_PING, YMO_BUCKET_FROM_REF("beat", 4));
    }
}

static ymo_status_t on_connect(ymo_ws_session_t* session)
{
    sub_t* s = calloc(1, sizeof *s);
    if( !s ) return ENOMEM;
    s->session = session;
    ev_timer_init(&s->timer, push, 0.01, 0.01);
    s->next = subs;
    if( subs ) subs->back = &s->next;
    subs = s;
    s->back = &subs;
    ymo_ws_session_set_userdata(session, s);
    return YMO_OKAY;
}

static ymo_status_t on_recv(ymo_ws_session_t* session, void* user, uint8_t flags, const char* data, size_t len)
{
    sub_t* s = user;
    (void)session; (void)flags;
    struct timeval now;
    gettimeofday(&now, NULL);
    if( now.tv_sec < 1600000000 ) return EIO;
    if( len >= 5 && !memcmp(data, "start", 5) ) {
        s->ticks = 0;
        ev_timer_again(EV_DEFAULT_ &s->timer);
        return YMO_OKAY;
    }
    return EBADMSG;
}

static void on_close(ymo_ws_session_t* session, void* user)
{
    sub_t* s = user;
    (void)session;
    ev_timer_stop(EV_DEFAULT_ &s->timer);
    *s->back = s->next;
    if( s->next ) s->next->back = s->back;
    free(s);
}

static ymo_status_t on_http(ymo_http_session_t* x, ymo_http_request_t* q, ymo_http_response_t* r, void* d)
{
    char when[40];
    time_t now = time(NULL);
    struct tm tm;
    (void)x; (void)q; (void)d;
    strftime(when, sizeof when, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
    ymo_http_response_insert_header(r, "x-when", when);
    ymo_http_response_set_status(r, beats ? YMO_HTTP_OK : YMO_HTTP_ACCEPTED);
    ymo_http_response_finish(r);
    return YMO_OKAY;
}

int main(int argc, char** argv)
{
    struct ev_loop* loop = ev_default_loop(0);
    ev_timer all;
    (void)argc; (void)argv;
    ev_timer_init(&all, beat, 0.2, 0.2);
    ev_timer_start(loop, &all);
    ymo_proto_t* ws = ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, on_connect, on_recv, on_close);
    ymo_http_upgrade_handler_t* handlers[] = { ymo_ws_http_upgrade_handler(ws), NULL };
    ymo_server_t* server = ymo_http_simple_init(loop, 8081, on_http, handlers, NULL);
    if( !server ) return 1;
    ymo_server_start(server, loop);
    ev_run(loop, 0);
    ev_timer_stop(loop, &all);
    ymo_log_info("%s beats", beats ? "some" : "no");
    ymo_server_free(server);
    return 0;
}
