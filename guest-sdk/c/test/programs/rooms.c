/* Rooms: a list of sessions, what one says goes to the others. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <ev.h>
#include <yimmo.h>
#include <ymo_log.h>
#include <ymo_http.h>
#include <ymo_ws.h>

struct member {
    LIST_ENTRY(member) others;
    ymo_ws_session_t* session;
    char name[24];
    time_t since;
};

static LIST_HEAD(, member) room = LIST_HEAD_INITIALIZER(room);
static unsigned serial;

static ymo_status_t say(struct member* to, const char* who, const char* what, size_t len)
{
    ymo_bucket_t* out = YMO_BUCKET_FROM_CPY(who, strlen(who));
    ymo_bucket_create(out, NULL, NULL, 0, ": ", 2);
    ymo_bucket_append(out, YMO_BUCKET_FROM_REF(what, len));
    return ymo_ws_session_send(to->session, YMO_WS_FLAG_FIN|YMO_WS_OP_TEXT, out);
}

static void tell(struct member* from, const char* what, size_t len)
{
    struct member* m;
    LIST_FOREACH(m, &room, others) {
        if( m != from ) {
            ymo_status_t status = say(m, from->name, what, len);
            if( status != YMO_OKAY ) {
                ymo_log_warning("%s does not hear %s: %s", m->name, from->name, strerror(status));
            }
        }
    }
}

static ymo_status_t enter(ymo_ws_session_t* session)
{
    struct member* m = calloc(1, sizeof *m);
    if( !m ) {
        return ENOMEM;
    }
    m->session = session;
    m->since = time(NULL);
    snprintf(m->name, sizeof m->name, "#%u", ++serial);
    ymo_ws_session_set_userdata(session, m);
    LIST_INSERT_HEAD(&room, m, others);
    tell(m, "hi", 2);
    return YMO_OKAY;
}

static ymo_status_t hear(ymo_ws_session_t* session, void* user_data, uint8_t flags, const char* data, size_t len)
{
    struct member* m = ymo_ws_session_get_userdata(session);
    if( m != user_data ) {
        return EFAULT;
    }
    if( !(flags & YMO_WS_FLAG_FIN) || (flags & YMO_WS_MASK_OP) != YMO_WS_OP_TEXT ) {
        return ENOTSUP;
    }
    if( len > 5 && !strncmp(data, "/name ", 6) ) {
        size_t n = 0;
        for( size_t i = 6; i < len && n < sizeof m->name - 1; i++ ) {
            if( isalnum((unsigned char)data[i]) ) {
                m->name[n++] = (char)toupper((unsigned char)data[i]);
            }
        }
        m->name[n] = '\0';
        return n ? YMO_OKAY : EINVAL;
    }
    if( len == 4 && !memcmp(data, "/bye", 4) ) {
        static const char reason[] = "\x03\xe8" "see you";
        return ymo_ws_session_send(session, YMO_WS_FLAG_FIN | YMO_WS_OP_CLOSE, YMO_BUCKET_FROM_REF(reason, sizeof reason - 1));
    }
    tell(m, data, len);
    return YMO_OKAY;
}

static void leave(ymo_ws_session_t* session, void* user_data)
{
    struct member* m = user_data;
    (void)session;
    LIST_REMOVE(m, others);
    tell(m, "bye", 3);
    free(m);
}

static ymo_status_t page(ymo_http_session_t* s, ymo_http_request_t* rq, ymo_http_response_t* rs, void* u)
{
    struct member* m;
    ymo_bucket_t* list = NULL;
    (void)s; (void)rq; (void)u;
    LIST_FOREACH(m, &room, others) {
        list = ymo_bucket_append(list, YMO_BUCKET_FROM_CPY(m->name, strlen(m->name)));
        list = ymo_bucket_append(list, YMO_BUCKET_FROM_REF("\n", 1));
    }
    ymo_http_response_set_status(rs, list ? YMO_HTTP_OK : YMO_HTTP_NO_CONTENT);
    if( list ) {
        ymo_http_response_body_append(rs, list);
    }
    ymo_http_response_finish(rs);
    return YMO_OKAY;
}

int main(int argc, char** argv)
{
    struct ev_loop* loop = ev_default_loop(0);
    ymo_http_upgrade_handler_t* chain[3];
    ymo_server_t* server;
    chain[0] = ymo_ws_http_upgrade_handler(ymo_proto_ws_create(YMO_WS_SERVER_BUFFERED, enter, hear, leave));
    chain[1] = ymo_http2_no_upgrade_handler();
    chain[2] = NULL;
    (void)argc; (void)argv;
    if( (server = ymo_http_simple_init(loop, 8081, page, chain, NULL)) == NULL ) {
        perror("rooms");
        return EXIT_FAILURE;
    }
    if( ymo_server_start(server, loop) != YMO_OKAY ) {
        perror("start");
        return EXIT_FAILURE;
    }
    ev_run(loop, 0);
    ymo_log_notice("%u came", serial);
    ymo_server_free(server);
    return EXIT_SUCCESS;
}
