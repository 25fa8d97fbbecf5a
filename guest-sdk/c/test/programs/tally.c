/* Keeps a record for each session: C11 from end to end. */
#include <inttypes.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yimmo.h>
#include <ymo_http.h>
#include <ymo_log.h>
#include <ymo_ws.h>

_Static_assert(YMO_OKAY == 0, "callbacks return 0 when all is well");
_Static_assert((YMO_WS_FLAG_FIN | YMO_WS_OP_TEXT) == 0x81, "one byte");

#define TYPE_NAME(x) _Generic((x), int: "int", double: "double", char*: "string", default: "other")

typedef struct tally {
    alignas(16) unsigned char pad[16];
    uint64_t bytes;
    uint32_t crc;
    union {
        struct { uint16_t texts, binaries; };
        uint32_t frames;
    };
    double mean;
    bool greeted;
} tally_t;

static atomic_uint_fast32_t live;
static _Thread_local int last_error;
static const char* const kinds[16] = { [YMO_WS_OP_CONTINUATION] = "more", [YMO_WS_OP_TEXT] = "text", [YMO_WS_OP_BINARY] = "binary" };

static uint32_t crc(uint32_t c, const char* p, size_t n)
{
    for( c = ~c; n--; ) {
        c ^= (uint8_t)*p++;
        for( int k = 0; k < 8; ++k ) {
            c = (c & 1u) ? (c >> 1) ^ 0xedb88320u : c >> 1;
        }
    }
    return ~c;
}

static ymo_status_t on_connect(ymo_ws_session_t* session)
{
    tally_t* t = aligned_alloc(alignof(tally_t), sizeof(*t));
    if( !t || (uintptr_t)t % alignof(tally_t) ) {
        return ENOMEM;
    }
    *t = (tally_t){ .mean = 0.5, .greeted = true };
    ymo_ws_session_set_userdata(session, t);
    atomic_fetch_add(&live, 1);
    ymo_log_notice("%-10s|%5" PRIuFAST32 "|%p|%s", "connect", atomic_load(&live), (void*)session == NULL ? (void*)session : NULL,
            TYPE_NAME(t->mean));
    return YMO_OKAY;
}

static ymo_status_t on_recv(ymo_ws_session_t* session, void* user_data, uint8_t flags, const char* data, size_t len)
{
    tally_t* t = user_data;
    char line[160];
    t->bytes += len;
    t->crc = crc(t->crc, data, len);
    switch( flags & YMO_WS_MASK_OP ) {
        case YMO_WS_OP_TEXT:
            ++t->texts;
            break;
        case YMO_WS_OP_BINARY:
            ++t->binaries;
            YMO_STMT_ATTR_FALLTHROUGH();
        default:
            break;
    }
    t->mean = (double)t->bytes / (double)(t->texts + t->binaries);
    int n = snprintf(line, sizeof(line), "%s %llu %08x %zu %.*s %*d %f", kinds[flags & YMO_WS_MASK_OP], (unsigned long long)t->bytes,
            (unsigned)t->crc, len, (int)(len < 3 ? len : 3), data, 6, (int)t->texts, t->mean);
    ymo_log_info("%s", line);
    return (last_error = ymo_ws_session_send(session, YMO_WS_FLAG_FIN | YMO_WS_OP_TEXT, YMO_BUCKET_FROM_CPY(line, (size_t)n)));
}

static void on_close(ymo_ws_session_t* session, void* user_data)
{
    (void)session;
    free(user_data);
    if( atomic_fetch_sub(&live, 1) == 1 ) {
        ymo_log_notice("nobody is left, last error %d", last_error);
    }
}

static ymo_status_t on_http(ymo_http_session_t* session, ymo_http_request_t* request, ymo_http_response_t* response, void* user_data)
{
    (void)session;
    (void)user_data;
    if( strcmp(request->method, "GET") != 0 ) {
        return ymo_http_response_issue(response, YMO_HTTP_METHOD_NOT_ALLOWED);
    }
    char text[24];
    snprintf(text, sizeof text, "%" PRIuFAST32 " live", atomic_load(&live));
    ymo_http_response_body_append(response, YMO_BUCKET_FROM_CPY(text, strlen(text)));
    ymo_http_response_finish(response);
    return YMO_OKAY;
}

int main(void)
{
    ymo_proto_t* proto = ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, on_connect, on_recv, on_close);
    ymo_http_upgrade_handler_t* handlers[] = { ymo_http2_no_upgrade_handler(), ymo_ws_http_upgrade_handler(proto), NULL };
    ymo_server_t* server = ymo_http_simple_init(ev_default_loop(EVFLAG_AUTO), 9000, on_http, handlers, NULL);
    if( server == NULL || ymo_server_start(server, ev_default_loop(EVFLAG_AUTO)) != YMO_OKAY ) {
        ymo_log_fatal("no server: %s (%d)", strerror(errno), errno);
        return EXIT_FAILURE;
    }
    ev_run(ev_default_loop(EVFLAG_AUTO), 0);
    ymo_log_notice("over, %u live", (unsigned)atomic_load(&live));
    ymo_server_free(server);
    return EXIT_SUCCESS;
}
