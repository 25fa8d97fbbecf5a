/* HTTP only: method, uri, query, headers, body, workspace, responses of all kinds,
 * answers that come later. */
#include <errno.h>
#include <ev.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_log.h"
#include "ymo_util.h"

static int requests;

typedef struct later {
    ev_timer timer;
    ymo_http_response_t* response;
    int parts;
} later_t;

static void on_later(struct ev_loop* loop, ev_timer* w, int revents)
{
    later_t* l = (later_t*)w->data;
    (void)revents;
    if( l->parts-- ) {
        ymo_http_response_body_append(l->response, YMO_BUCKET_FROM_REF("part ", 5));
        return;
    }
    ymo_http_response_finish(l->response);
    ev_timer_stop(loop, w);
    free(l);
}

static ymo_status_t answer(ymo_http_response_t* res, const char* status, ymo_bucket_t* body)
{
    ymo_http_response_set_status_str(res, status);
    if( body ) {
        ymo_http_response_body_append(res, body);
    }
    ymo_http_response_finish(res);
    return YMO_OKAY;
}

static ymo_status_t on_http(ymo_http_session_t* s, ymo_http_request_t* req, ymo_http_response_t* res, void* user_data)
{
    ymo_log_info("%s %s?%s #%d", req->method, req->uri, req->query ? req->query : "", ++requests);
    if( user_data != ymo_http_session_get_userdata(s) ) {
        return EIO;
    }
    if( !strcmp(req->uri, "/headers") ) {
        const char* name;
        const char* value;
        size_t len;
        ymo_bucket_t* body = NULL;
        ymo_http_hdr_ptr_t it = ymo_http_hdr_table_next(&req->headers, NULL, &name, &len, &value);
        while( it ) {
            char line[256];
            int n = snprintf(line, sizeof(line), "%.*s=%s\n", (int)len, name, value);
            body = ymo_bucket_append(body, YMO_BUCKET_FROM_CPY(line, (size_t)n));
            it = ymo_http_hdr_table_next(&req->headers, it, &name, &len, &value);
        }
        return answer(res, "200 OK", body);
    }
    if( !strcmp(req->uri, "/agent") ) {
        const char* agent = ymo_http_hdr_table_get(&req->headers, "User-Agent");
        ymo_http_response_insert_header(res, "x-agent", agent ? agent : "none");
        ymo_http_response_insert_header(res, "X-Agent", agent ? agent : "nobody");
        ymo_http_response_add_header(res, "x-list", "a");
        ymo_http_response_add_header(res, "X-List", "b");
        ymo_http_response_add_header(res, "set-cookie", "a=1");
        ymo_http_response_add_header(res, "set-cookie", "b=2");
        ymo_http_response_insert_header(res, "Content-Length", "99");
        ymo_http_response_insert_header(res, "Connection", "close");
        ymo_http_response_insert_header(res, "x-bad", "a\r\nb: c");
        return answer(res, "204 No Content", NULL);
    }
    if( !strcmp(req->uri, "/body") ) {
        char* text = ymo_blalloc_strdup(req->ws, "received ");
        ymo_bucket_t* body = YMO_BUCKET_FROM_CPY(text, strlen(text));
        if( req->body ) {
            char n[32];
            snprintf(n, sizeof(n), "%zu of %zu: ", req->body_received, req->content_length);
            ymo_bucket_append(body, YMO_BUCKET_FROM_CPY(n, strlen(n)));
            ymo_bucket_append(body, YMO_BUCKET_FROM_REF(req->body, strlen(req->body)));
        } else {
            ymo_bucket_append(body, YMO_BUCKET_FROM_REF("nothing", 7));
        }
        ymo_log_info("answer of %zu bytes", ymo_bucket_len_all(body));
        return answer(res, "200 OK", body);
    }
    if( !strcmp(req->uri, "/base64") ) {
        const char* q = req->query ? req->query : "";
        char* text = ymo_base64_encoded((const unsigned char*)q, strlen(q));
        return answer(res, "200 OK", ymo_bucket_create(NULL, NULL, text, strlen(text) + 1, text, strlen(text)));
    }
    if( !strcmp(req->uri, "/later") ) {
        later_t* l = calloc(1, sizeof(*l));
        if( !l ) {
            return ENOMEM;
        }
        l->response = res;
        l->parts = req->query ? atoi(req->query) : 0;
        ev_timer_init(&l->timer, on_later, 0.01, 0.01);
        l->timer.data = l;
        ev_timer_start(EV_DEFAULT_ &l->timer);
        ymo_http_response_insert_header(res, "x-later", "yes");
        return EAGAIN;
    }
    if( !strcmp(req->uri, "/error") ) {
        return req->query ? atoi(req->query) : EIO;
    }
    if( !strcmp(req->uri, "/status") ) {
        ymo_http_response_set_status(res, (ymo_http_status_t)atoi(req->query));
        ymo_http_response_finish(res);
        return YMO_OKAY;
    }
    if( !strcmp(req->uri, "/data") ) {
        return answer(res, "200 OK", YMO_BUCKET_FROM_REF((char*)user_data, strlen(user_data)));
    }
    return ymo_http_response_issue(res, YMO_HTTP_NOT_FOUND);
}

static void on_sigint(struct ev_loop* loop, ev_signal* w, int revents);

int main(int argc, char** argv)
{
    (void)argc;
    (void)argv;
    ymo_server_t* http_srv = NULL;
    ymo_http_upgrade_handler_t* handlers[2] = { ymo_http2_no_upgrade_handler(), NULL };
    struct ev_loop* loop = ev_default_loop(0);
    char data[32];
    strcpy(data, "the server's data");

    http_srv = ymo_http_simple_init(loop, 8081, &on_http, handlers, data);
    if( !http_srv ) {
        ymo_log_error("no server: %s", strerror(errno));
        return -1;
    }
    ev_signal sigint;
    ev_signal_init(&sigint, on_sigint, SIGINT);
    ev_signal_start(loop, &sigint);
    ymo_server_start(http_srv, loop);
    ev_run(loop, 0);
    ymo_log(YMO_LOG_INFO, "stops after %d requests", requests);
    ymo_server_free(http_srv);
    return 0;
}

static void on_sigint(struct ev_loop* loop, ev_signal* w, int revents)
{
    (void)w;
    (void)revents;
    ev_break(loop, EVBREAK_ALL);
}
