/* A store shared by all sessions: a hash table of one's own, JSON by hand. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "yimmo.h"
#include "ymo_alloc.h"
#include "ymo_log.h"
#include "ymo_http.h"
#include "ymo_ws.h"

#define BUCKETS 64u
#define offset_of(type, member) offsetof(type, member)

typedef struct entry {
    struct entry* next;
    uint32_t hash;
    size_t key_len, value_len;
    char bytes[]; /* key, then value */
} entry_t;

static entry_t* table[BUCKETS];

static uint32_t hash(const char* p, size_t n)
{
    uint32_t h = 2166136261u;
    while( n-- ) {
        h = (h ^ (unsigned char)*p++) * 16777619u;
    }
    return h;
}

static entry_t** find(const char* key, size_t n)
{
    uint32_t h = hash(key, n);
    entry_t** at = &table[h % BUCKETS];
    while( *at && ((*at)->hash != h || (*at)->key_len != n || memcmp((*at)->bytes, key, n)) ) {
        at = &(*at)->next;
    }
    return at;
}

static ymo_status_t put(const char* key, size_t kn, const char* value, size_t vn)
{
    entry_t** at = find(key, kn);
    entry_t* e = malloc(offset_of(entry_t, bytes) + kn + vn);
    if( !e ) {
        return ENOMEM;
    }
    *e = (entry_t){ .next = *at ? (*at)->next : NULL, .hash = hash(key, kn), .key_len = kn, .value_len = vn };
    memcpy(e->bytes, key, kn);
    memcpy(e->bytes + kn, value, vn);
    free(*at);
    *at = e;
    return YMO_OKAY;
}

static ymo_status_t reply(ymo_ws_session_t* s, const char* key, size_t kn)
{
    entry_t* e = *find(key, kn);
    ymo_bucket_t* out = YMO_BUCKET_FROM_REF("{\"", 2);
    ymo_bucket_t* at = ymo_bucket_create_cpy(out, NULL, key, kn);
    at = ymo_bucket_create(at, NULL, NULL, 0, "\":", 2);
    if( e ) {
        at = ymo_bucket_create_cpy(at, NULL, e->bytes + e->key_len, e->value_len);
    } else {
        at = ymo_bucket_create(at, NULL, NULL, 0, "null", 4);
    }
    ymo_bucket_create(at, NULL, NULL, 0, "}", 1);
    ymo_log_info("%.*s: %zu bytes", (int)kn, key, ymo_bucket_len_all(out));
    return ymo_ws_session_send(s, YMO_WS_FLAG_FIN | YMO_WS_OP_TEXT, out);
}

static ymo_status_t on_recv(ymo_ws_session_t* session, void* user_data, uint8_t flags, const char* data, size_t len)
{
    (void)user_data;
    if( (flags & YMO_WS_MASK_OP) != YMO_WS_OP_TEXT ) {
        return EOPNOTSUPP;
    }
    const char* eq = memchr(data, '=', len);
    if( eq ) {
        ymo_status_t r = put(data, (size_t)(eq - data), eq + 1, len - (size_t)(eq + 1 - data));
        if( r != YMO_OKAY ) {
            return r;
        }
        len = (size_t)(eq - data);
    }
    return reply(session, data, len);
}

static ymo_status_t on_connect(ymo_ws_session_t* session)
{
    ymo_status_t r = reply(session, "motd", 4);
    return r ? r : ymo_ws_session_send(session, YMO_WS_FLAG_FIN | YMO_WS_OP_BINARY, NULL);
}

static ymo_status_t on_http(ymo_http_session_t* session, ymo_http_request_t* request, ymo_http_response_t* response, void* user_data)
{
    (void)session; (void)user_data;
    const char* key = request->uri[0] ? request->uri + 1 : "";
    entry_t* e = *find(key, strlen(key));
    if( !strcmp(request->method, "PUT") ) {
        ymo_status_t r = put(key, strlen(key), request->body ? request->body : "", request->content_length);
        return r ? r : ymo_http_response_issue(response, e ? YMO_HTTP_NO_CONTENT : YMO_HTTP_CREATED);
    }
    if( !e ) {
        return YMO_HTTP_NOT_FOUND;
    }
    ymo_http_response_body_append(response, YMO_BUCKET_FROM_CPY(e->bytes + e->key_len, e->value_len));
    ymo_http_response_finish(response);
    return YMO_OKAY;
}

int main(int argc, char** argv)
{
    (void)argc; (void)argv;
    const char* motd = getenv("MOTD");
    if( put("motd", 4, motd ? motd : "\"none\"", motd ? strlen(motd) : 6) != YMO_OKAY ) {
        return 1;
    }
    struct ev_loop* loop = ev_default_loop(0);
    ymo_proto_t* ws_proto = ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, &on_connect, &on_recv, NULL);
    ymo_http_upgrade_handler_t* upgrade_handlers[] = { ymo_ws_http_upgrade_handler(ws_proto), ymo_http2_no_upgrade_handler(), NULL };
    ymo_server_t* http_srv = ymo_http_simple_init(loop, 8081, &on_http, upgrade_handlers, NULL);
    ymo_server_start(http_srv, loop);
    if( http_srv ) {
        ev_run(ev_default_loop(0), 0);
        size_t entries = 0;
        for( size_t i = 0; i < BUCKETS; i++ ) {
            while( table[i] ) {
                entry_t* e = table[i];
                table[i] = e->next;
                free(e);
                ++entries;
            }
        }
        ymo_log(YMO_LOG_INFO, "Loop exited with %zu entries. Shutting down!", entries);
        ymo_server_free(http_srv);
    } else {
        ymo_log(YMO_LOG_ERROR, "Server failed to start!");
    }
    return 0;
}
