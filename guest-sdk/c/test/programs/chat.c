/* A chat: a list of members with names, broadcast, commands, per-session data. */
#include <libev/ev.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "yimmo.h"
#include "ymo_alloc.h"
#include "ymo_http.h"
#include "ymo_list.h"
#include "ymo_log.h"
#include "ymo_proto_ws.h"

#define NAME_MAX_LEN 16

typedef struct member {
    YMO_LIST_HEAD_M(head);
    ymo_ws_session_t* session;
    char name[NAME_MAX_LEN + 1];
} member_t;

typedef struct room {
    member_t* first;
    unsigned joined;
    const char* title;
} room_t;

static room_t* the_room;

static void say_to(ymo_ws_session_t* session, const char* text)
{
    ymo_ws_session_send(session, YMO_WS_FLAG_FIN | YMO_WS_OP_TEXT, YMO_BUCKET_FROM_CPY(text, strlen(text)));
}

static void say_to_all(const member_t* except, const char* from, const char* text, size_t len)
{
    for( member_t* m = the_room->first; m; m = YMO_LIST_NEXT_M(m, member_t, head) ) {
        if( m == except ) {
            continue;
        }
        ymo_bucket_t* head = YMO_BUCKET_FROM_CPY(from, strlen(from));
        ymo_bucket_t* colon = ymo_bucket_create(head, NULL, NULL, 0, ": ", 2);
        ymo_bucket_create_cpy(colon, NULL, text, len);
        ymo_status_t status = ymo_ws_session_send(m->session, YMO_WS_FLAG_FIN | YMO_WS_OP_TEXT, head);
        if( status != YMO_OKAY ) {
            ymo_log_warning("%s: %s", m->name, strerror(status));
            ymo_bucket_free_all(head);
        }
    }
}

static ymo_status_t on_connect(ymo_ws_session_t* session)
{
    member_t* m = YMO_NEW0(member_t);
    if( !m ) {
        return ENOMEM;
    }
    m->session = session;
    snprintf(m->name, sizeof(m->name), "guest-%u", ++the_room->joined);
    ymo_list_insert(NULL, &m->head, the_room->first ? &the_room->first->head : NULL);
    the_room->first = m;
    ymo_ws_session_set_userdata(session, m);
    char welcome[64];
    sprintf(welcome, "Welcome to %s, %s!", the_room->title, m->name);
    say_to(session, welcome);
    say_to_all(m, "*", m->name, strlen(m->name));
    return YMO_OKAY;
}

static ymo_status_t on_recv(ymo_ws_session_t* session, void* user_data, uint8_t flags, const char* msg, size_t len)
{
    member_t* me = user_data;
    if( (flags & YMO_WS_MASK_OP) != YMO_WS_OP_TEXT || !(flags & YMO_WS_FLAG_FIN) ) {
        return EINVAL;
    }
    if( len > 6 && !strncasecmp(msg, "/nick ", 6) ) {
        size_t n = 0;
        for( size_t i = 6; i < len && n < NAME_MAX_LEN && isalnum((unsigned char)msg[i]); ++i ) {
            me->name[n++] = msg[i];
        }
        me->name[n] = '\0';
        say_to(session, me->name);
        return YMO_OKAY;
    }
    if( len == 4 && !memcmp(msg, "/who", 4) ) {
        char* all = NULL;
        size_t size = 0;
        for( member_t* m = the_room->first; m; m = YMO_LIST_NEXT_M(m, member_t, head) ) {
            size_t more = strlen(m->name) + 2;
            all = realloc(all, size + more);
            if( !all ) {
                return ENOMEM;
            }
            size += (size_t)sprintf(all + size, "%s%s", size ? " " : "", m->name);
        }
        /* The buffer goes along with the bucket. */
        ymo_bucket_t* list = ymo_bucket_create(NULL, NULL, all, size + 1, all, size);
        return ymo_ws_session_send(session, YMO_WS_FLAG_FIN | YMO_WS_OP_TEXT, list);
    }
    say_to_all(me, me->name, msg, len);
    return YMO_OKAY;
}

static void on_close(ymo_ws_session_t* session, void* user_data)
{
    member_t* m = user_data;
    (void)session;
    if( m->head.prev ) {
        m->head.prev->next = m->head.next;
    } else {
        the_room->first = YMO_LIST_NEXT_M(m, member_t, head);
    }
    if( m->head.next ) {
        m->head.next->prev = m->head.prev;
    }
    say_to_all(NULL, "-", m->name, strlen(m->name));
    YMO_DELETE(member_t, m);
}

static ymo_status_t on_http(ymo_http_session_t* s, ymo_http_request_t* req, ymo_http_response_t* res, void* user)
{
    (void)s;
    (void)req;
    room_t* room = user;
    char* text = ymo_blalloc(req->ws, 1, 64);
    int n = snprintf(text, 64, "%u joined %s", room->joined, room->title);
    ymo_http_response_body_append(res, YMO_BUCKET_FROM_CPY(text, (size_t)n));
    ymo_http_response_set_status_str(res, "200 OK");
    ymo_http_response_finish(res);
    return YMO_OKAY;
}

int main(int argc, char* argv[])
{
    /* The room lives in main. */
    room_t room = { .first = NULL, .joined = 0, .title = getenv("ROOM_TITLE") };
    (void)argc;
    (void)argv;
    if( !room.title ) {
        room.title = "the lobby";
    }
    the_room = &room;

    ymo_proto_t* ws = ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, &on_connect, &on_recv, &on_close);
    ymo_http_upgrade_handler_t* handlers[] = { ymo_ws_http_upgrade_handler(ws), NULL };
    ymo_server_t* server = ymo_http_simple_init(EV_DEFAULT, 9000, &on_http, handlers, &room);
    if( !server || ymo_server_start(server, EV_DEFAULT) != YMO_OKAY ) {
        return EXIT_FAILURE;
    }
    ev_run(EV_DEFAULT_ 0);
    ymo_log_notice("%s closes, %u joined", room.title, room.joined);
    for( member_t* m = room.first; m; ) {
        member_t* next = YMO_LIST_NEXT_M(m, member_t, head);
        free(m);
        m = next;
    }
    ymo_server_free(server);
    return EXIT_SUCCESS;
}
