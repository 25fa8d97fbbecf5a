/* Buckets in every way they can be made and strung together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ev.h"
#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_ws.h"
#include "ymo_log.h"

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz";

/* Three buckets by prev: a literal, a buffer of its own, a copy. */
static ymo_bucket_t* by_prev(const char* name)
{
    char* own = strdup(name);
    char local[16];
    if( !own ) return NULL;
    snprintf(local, sizeof local, "%c%c", own[0], '!');
    ymo_bucket_t* head = ymo_bucket_create(NULL, NULL, NULL, 0, "Hello, ", 7);
    ymo_bucket_t* mid = ymo_bucket_create(head, NULL, own, strlen(own) + 1, own, strlen(own));
    ymo_bucket_create_cpy(mid, NULL, local, 2);
    return head;
}

/* A hundred buckets by append, empty ones at both ends and between. */
static ymo_bucket_t* by_append(void)
{
    ymo_bucket_t* chain = NULL;
    chain = ymo_bucket_append(chain, YMO_BUCKET_FROM_REF("", 0));
    for( int i = 0; i < 100; i++ ) {
        chain = ymo_bucket_append(chain, i % 2 ? YMO_BUCKET_FROM_REF(&alphabet[i % 26], 1) : YMO_BUCKET_FROM_CPY(alphabet + i % 26, 1));
        if( i % 10 == 9 ) chain = ymo_bucket_append(chain, YMO_BUCKET_FROM_CPY(NULL, 0));
    }
    return ymo_bucket_append(chain, YMO_BUCKET_FROM_REF(NULL, 0));
}

/* Linked by hand through next, from the back. */
static ymo_bucket_t* by_next(void)
{
    ymo_bucket_t* last = YMO_BUCKET_FROM_REF("three", 5);
    ymo_bucket_t* middle = ymo_bucket_create(NULL, last, NULL, 0, "two ", 4);
    return ymo_bucket_create(NULL, middle, NULL, 0, "one ", 4);
}

/* Only part of the buffer is sent. */
static ymo_bucket_t* part_of(size_t size)
{
    char* buf = malloc(size);
    if( !buf ) return NULL;
    memset(buf, '-', size);
    memcpy(buf + size / 2, "needle", 6);
    return ymo_bucket_create(NULL, NULL, buf, size, buf + size / 2 - 1, 8);
}

static ymo_bucket_t* make(const char* data, size_t len)
{
    if( len == 4 && memcmp(data, "prev", len) == 0 ) return by_prev("chain");
    if( len == 6 && memcmp(data, "append", len) == 0 ) return by_append();
    if( len == 4 && memcmp(data, "next", len) == 0 ) return by_next();
    if( len == 4 && memcmp(data, "part", len) == 0 ) return part_of(4000);
    if( len == 4 && memcmp(data, "none", len) == 0 ) return NULL;
    ymo_bucket_t* both = YMO_BUCKET_FROM_REF(data, len);
    ymo_bucket_append(both, YMO_BUCKET_FROM_REF("|", 1));
    ymo_bucket_append(both, YMO_BUCKET_FROM_CPY(data, len));
    return both;
}

static ymo_status_t recv_cb(ymo_ws_session_t* s, void* u, uint8_t flags, const char* data, size_t len)
{
    ymo_bucket_t* out = make(data, len);
    ymo_log_info("%zu bytes, tail %s", ymo_bucket_len_all(out), out && ymo_bucket_tail(out) == out ? "is head" : "is elsewhere");
    (void)u;
    return ymo_ws_session_send(s, flags, out);
}

static ymo_status_t http_cb(ymo_http_session_t* session, ymo_http_request_t* request, ymo_http_response_t* response, void* data)
{
    (void)session, (void)data;
    const char* what = request->uri[0] ? request->uri + 1 : "";
    ymo_bucket_t* unused = make("next", 4);
    ymo_bucket_free_all(unused);
    ymo_http_response_insert_header(response, "Content-Type", "application/octet-stream");
    ymo_http_response_body_append(response, make(what, strlen(what)));
    ymo_http_response_body_append(response, YMO_BUCKET_FROM_REF("\n", 1));
    ymo_http_response_finish(response);
    return YMO_OKAY;
}

int main(int argc, char* argv[])
{
    struct ev_loop* loop = EV_DEFAULT;
    (void)argc, (void)argv;
    ymo_http_upgrade_handler_t* up[] = {
        ymo_ws_http_upgrade_handler(ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, NULL, recv_cb, NULL)),
        NULL,
    };
    ymo_server_t* srv = ymo_http_simple_init(loop, 8081, http_cb, up, NULL);
    if( !srv ) return 1;
    ymo_server_start(srv, loop);
    ymo_log_debug("%d arguments, first %s", argc, argv[0]);
    ev_run(loop, 0);
    ymo_server_free(srv);
    return 0;
}
