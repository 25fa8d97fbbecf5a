/* ev_run is called below main, in functions of several kinds; what main does with
 * its variables afterwards must not be seen while the program serves. */
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_log.h"
#include "ymo_ws.h"

struct app {
    struct ev_loop* loop;
    char* motto;
    int frames;
};

static struct app* the_app;

static ymo_status_t on_recv(ymo_ws_session_t* s, void* user, uint8_t flags, const char* msg, size_t len)
{
    (void)user;
    (void)msg;
    (void)len;
    the_app->frames++;
    return ymo_ws_session_send(s, flags, YMO_BUCKET_FROM_REF(the_app->motto, strlen(the_app->motto)));
}

static void run(struct app* app)
{
    ev_run(app->loop, 0);
    ymo_log_info("run returns after %d frames", app->frames);
}

static char* serve(struct app* app)
{
    run(app);
    return app->motto;
}

static void at_exit(void)
{
    puts("at exit");
}

int main(int argc, char** argv)
{
    struct app app = { .loop = ev_default_loop(0) };
    (void)argc;
    atexit(at_exit);
    app.motto = malloc(64);
    snprintf(app.motto, 64, "served by %s", argv[0]);
    the_app = &app;
    ymo_proto_t* ws = ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, NULL, on_recv, NULL);
    ymo_http_upgrade_handler_t* handlers[] = { ymo_ws_http_upgrade_handler(ws), NULL };
    ymo_server_t* server = ymo_http_simple_init(app.loop, 8081, NULL, handlers, NULL);
    ymo_server_start(server, app.loop);
    char* motto = serve(&app);
    ymo_log_info("main ends, %s", motto);
    memset(motto, 'x', 63);
    free(motto);
    app.motto = NULL;
    the_app = NULL;
    ymo_server_free(server);
    return 0;
}
