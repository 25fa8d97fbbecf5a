/* Timers, periodics, asyncs and the loop's other watchers. */
#include <ev.h>
#include <stdlib.h>
#include <string.h>
#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_log.h"
#include "ymo_ws.h"

typedef struct peer {
    ev_timer idle;
    ymo_ws_session_t* session;
} peer_t;

static int ticks;
static ev_async wake;

static void on_tick(EV_P_ ev_timer* w, int revents)
{
    ymo_log_info("tick %d at %.2f, remaining %.2f, %s", ++ticks, ev_now(EV_A), ev_timer_remaining(EV_A_ w), revents & EV_TIMER ? "timer" : "?");
    if( ticks == 3 ) {
        ev_timer_stop(EV_A_ w);
    }
}

static void on_once(EV_P_ ev_timer* w, int revents)
{
    (void)loop;
    (void)revents;
    ymo_log_info("once, active %d, data %s", ev_is_active(w), (const char*)w->data);
}

static void on_hour(EV_P_ ev_periodic* w, int revents)
{
    (void)revents;
    ymo_log_info("the hour %.0f, next %.0f", ev_now(EV_A), ev_periodic_at(w));
}

static void on_wake(EV_P_ ev_async* w, int revents)
{
    (void)loop;
    ymo_log_info("woken, %d", w->sent && (revents & EV_ASYNC));
}

static void on_idle_peer(EV_P_ ev_timer* w, int revents)
{
    peer_t* p = w->data;
    (void)loop;
    (void)revents;
    ymo_ws_session_send(p->session, YMO_WS_FLAG_FIN | YMO_WS_OP_CLOSE, YMO_BUCKET_FROM_REF("\x03\xe9", 2));
}

static void on_prepare(EV_P_ ev_prepare* w, int revents)
{
    static int told;
    (void)revents;
    if( !told++ ) {
        ymo_log_info("prepared");
    }
    if( told == 3 ) {
        ev_prepare_stop(EV_A_ w);
    }
}

static void on_cleanup(EV_P_ ev_cleanup* w, int revents)
{
    (void)loop;
    (void)w;
    (void)revents;
    ymo_log_info("cleaned up");
}

static ymo_status_t on_connect(ymo_ws_session_t* session)
{
    peer_t* p = malloc(sizeof(*p));
    if( !p ) {
        return ENOMEM;
    }
    p->session = session;
    ev_init(&p->idle, on_idle_peer);
    p->idle.repeat = 5.;
    p->idle.data = p;
    ev_timer_again(EV_DEFAULT_ &p->idle);
    ymo_ws_session_set_userdata(session, p);
    return YMO_OKAY;
}

static ymo_status_t on_recv(ymo_ws_session_t* session, void* user, uint8_t flags, const char* msg, size_t len)
{
    peer_t* p = user;
    ev_timer_again(EV_DEFAULT_ &p->idle);
    if( len == 4 && !memcmp(msg, "wake", 4) ) {
        ev_async_send(EV_DEFAULT_ &wake);
        ev_async_send(EV_DEFAULT_ &wake);
        ymo_log_info("sent, pending %d", ev_async_pending(&wake));
    }
    return ymo_ws_session_send(session, flags, YMO_BUCKET_FROM_REF(msg, len));
}

static void on_close(ymo_ws_session_t* session, void* user)
{
    peer_t* p = user;
    (void)session;
    ev_timer_stop(EV_DEFAULT_ &p->idle);
    free(p);
}

int main(void)
{
    struct ev_loop* loop = EV_DEFAULT;
    ev_timer tick, once;
    ev_periodic hour;
    ev_prepare prepare;
    ev_cleanup cleanup;
    ev_timer_init(&tick, on_tick, 1., 2.);
    ev_timer_start(loop, &tick);
    ev_timer_init(&once, on_once, 0.5, 0.);
    once.data = "here";
    ev_timer_start(loop, &once);
    ev_periodic_init(&hour, on_hour, 0., 3600., 0);
    ev_periodic_start(loop, &hour);
    ev_async_init(&wake, on_wake);
    ev_async_start(loop, &wake);
    ev_prepare_init(&prepare, on_prepare);
    ev_prepare_start(loop, &prepare);
    ev_cleanup_init(&cleanup, on_cleanup);
    ev_cleanup_start(loop, &cleanup);
    ev_set_userdata(loop, &ticks);

    ymo_proto_t* ws = ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, on_connect, on_recv, on_close);
    ymo_http_upgrade_handler_t* handlers[] = { ymo_ws_http_upgrade_handler(ws), NULL };
    ymo_server_t* server = ymo_http_simple_init(loop, 8081, NULL, handlers, NULL);
    ymo_server_start(server, loop);
    ev_loop(loop, 0);
    ymo_log_info("%d ticks", *(int*)ev_userdata(loop));
    ymo_server_free(server);
    ev_loop_destroy(loop);
    return 0;
}
