/* The HTTP protocol by hand: session callbacks, header callback, unbuffered body,
 * server configuration, connection callbacks. */
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_log.h"

typedef struct counter {
    size_t chunks;
    size_t bytes;
} counter_t;

static void* conn_open(ymo_server_t* server, ymo_conn_t* conn)
{
    ymo_log_info("connection %s of a %s server", ymo_conn_id_str(conn), ymo_proto_name(ymo_conn_proto(conn)));
    return ymo_conn_server(conn) == server ? conn : NULL;
}

static void conn_close(ymo_server_t* server, ymo_conn_t* conn, void* user)
{
    (void)server;
    ymo_log_info("connection over, %s", user == conn ? "as expected" : "but whose?");
}

static ymo_status_t session_init(void* server_data, ymo_http_session_t* session)
{
    counter_t* c = calloc(1, sizeof(counter_t));
    (void)server_data;
    if( !c ) {
        return ENOMEM;
    }
    ymo_http_session_set_userdata(session, c);
    return YMO_OKAY;
}

static void session_cleanup(void* server_data, ymo_http_session_t* session, void* user_data)
{
    (void)session;
    ++*(int*)server_data;
    free(user_data);
}

static ymo_status_t on_header(ymo_http_session_t* s, ymo_http_request_t* req, ymo_http_response_t* res, void* user)
{
    (void)s;
    (void)user;
    if( ymo_http_hdr_table_get(&req->headers, "x-stop") ) {
        ymo_http_response_set_status(res, YMO_HTTP_EXPECTATION_FAILED);
        ymo_http_response_finish(res);
    }
    return YMO_OKAY;
}

static ymo_status_t on_body(ymo_http_session_t* s, ymo_http_request_t* req, ymo_http_response_t* res,
        const char* data, size_t len, void* user)
{
    counter_t* c = user;
    (void)s;
    (void)res;
    if( req->body || memchr(data, '!', len) ) {
        return EBADMSG;
    }
    ++c->chunks;
    c->bytes += len;
    return YMO_OKAY;
}

static ymo_status_t on_http(ymo_http_session_t* s, ymo_http_request_t* req, ymo_http_response_t* res, void* user)
{
    counter_t* c = user;
    char text[64];
    (void)s;
    (void)req;
    int n = snprintf(text, sizeof(text), "%zu bytes in %zu parts", c->bytes, c->chunks);
    ymo_http_response_set_status(res, YMO_HTTP_ACCEPTED);
    ymo_http_response_body_append(res, YMO_BUCKET_FROM_CPY(text, (size_t)n));
    ymo_http_response_finish(res);
    return YMO_OKAY;
}

int main(void)
{
    int over = 0;
    ymo_proto_t* proto = ymo_proto_http_create(session_init, on_http, on_header, on_body, session_cleanup, &over);
    ymo_server_config_t config = {
        .loop = ev_default_loop(EVFLAG_AUTO),
        .user_init = conn_open,
        .user_cleanup = conn_close,
        .port = 8081,
        .flags = YMO_SERVER_REUSE_ADDR,
        .listen_backlog = 512,
    };
    ymo_server_t* server = ymo_server_create(&config, proto);
    if( ymo_server_get_state(server) != YMO_SERVER_CREATED || ymo_server_init(server) != YMO_OKAY ) {
        return 1;
    }
    ymo_server_start(server, config.loop);
    ev_run(ymo_server_loop(server), 0);
    ymo_log_info("%d sessions were cleaned up", over);
    ymo_server_free(server);
    return 0;
}
