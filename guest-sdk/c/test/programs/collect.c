/* Puts messages together itself, as the guide advises when frames are delivered. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ev.h>
#include "yimmo.h"
#include "ymo_ws.h"
#include "ymo_http.h"
#include "ymo_log.h"

#define LIMIT 1000

typedef struct {
    char* text;
    size_t len, room;
    uint8_t op;
    int open;
} message_t;

static ymo_status_t begin(ymo_ws_session_t* s)
{
    static int n;
    message_t* m = malloc(sizeof(message_t));
    if( m == NULL )
        return ENOMEM;
    memset(m, 0, sizeof(*m));
    ymo_ws_session_set_userdata(s, m);
    if( ++n % 3 == 0 ) { /* every third is turned away; the close callback frees what it has */
        ymo_log_notice("number %d is turned away", n);
        return EACCES;
    }
    return 0;
}

static ymo_status_t more(ymo_ws_session_t* s, void* user, uint8_t flags, const char* data, size_t len)
{
    message_t* m = (message_t*)user;
    uint8_t op = flags & YMO_WS_MASK_OP;
    if( op != YMO_WS_OP_CONTINUATION ) {
        m->op = op;
        m->len = 0;
        m->open = 1;
    }
    if( !m->open )
        return EPROTO;
    if( m->len + len > LIMIT )
        return EMSGSIZE;
    if( m->len + len + 1 > m->room ) {
        size_t room = m->room ? m->room : 16;
        while( room < m->len + len + 1 )
            room *= 2;
        char* p = realloc(m->text, room);
        if( !p )
            return ENOMEM;
        m->text = p;
        m->room = room;
    }
    memcpy(m->text + m->len, data, len);
    m->len += len;
    m->text[m->len] = 0;
    if( !(flags & YMO_WS_FLAG_FIN) )
        return YMO_OKAY;
    m->open = 0;
    if( m->op == YMO_WS_OP_BINARY )
        return ENOTSUP;
    if( !strcmp(m->text, "quit") )
        return ECANCELED;
    if( !strcmp(m->text, "code") )
        return 4321;
    char head[32];
    int n = snprintf(head, sizeof head, "%zu:", m->len);
    ymo_bucket_t* answer = YMO_BUCKET_FROM_CPY(head, n);
    ymo_bucket_append(answer, YMO_BUCKET_FROM_CPY(m->text, m->len));
    return ymo_ws_session_send(s, YMO_WS_FLAG_FIN | m->op, answer);
}

static void end(ymo_ws_session_t* s, void* user)
{
    message_t* m = user;
    ymo_log_info("%p ends with %zu bytes pending", (void*)s != NULL ? NULL : (void*)s, m->open ? m->len : (size_t)0);
    free(m->text);
    free(m);
}

static ymo_status_t plain(ymo_http_session_t* s, ymo_http_request_t* q, ymo_http_response_t* r, void* d)
{
    (void)s; (void)q; (void)d;
    ymo_http_response_issue(r, YMO_HTTP_UPGRADE_REQUIRED);
    return YMO_OKAY;
}

int main(int argc, char** argv)
{
    int port = argc > 1 ? atoi(argv[1]) : 8081;
    struct ev_loop* loop = ev_default_loop(0);
    ymo_proto_t* ws = ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, &begin, &more, &end);
    ymo_http_upgrade_handler_t* handlers[] = { ymo_ws_http_upgrade_handler(ws), ymo_http2_no_upgrade_handler(), NULL };
    ymo_server_t* server = ymo_http_simple_init(loop, (in_port_t)port, &plain, handlers, NULL);
    if( !server ) {
        fprintf(stderr, "%s: port %d: %s\n", argv[0], port, strerror(errno));
        return 1;
    }
    ymo_server_start(server, loop);
    ev_run(loop, 0);
    ymo_log(YMO_LOG_INFO, "Loop exited. Shutting down!");
    ymo_server_free(server);
    return 0;
}
