/* A calculator over whole messages: tables of functions, parsing, sorting. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define YMO_WS_MSG_LEN_MAX (64 * 1024)
#include <ymo_ws.h>
#include <ymo_log.h>

typedef double (*op_fn)(double, double);
static double add(double a, double b) { return a + b; }
static double divide(double a, double b) { return a / b; }
static double mul(double a, double b) { return a * b; }
static double sub(double a, double b) { return a - b; }
typedef struct op { const char* name; op_fn fn; } op_t;
static const op_t ops[] = { { "add", add }, { "div", divide }, { "mul", mul }, { "sub", sub } }; /* sorted */

static int by_name(const void* key, const void* el) { return strcmp((const char*)key, ((const op_t*)el)->name); }
static int by_value(const void* a, const void* b)
{
    long x = *(const long*)a, y = *(const long*)b;
    return (x > y) - (x < y);
}

static ymo_status_t text(ymo_ws_session_t* s, const char* t)
{
    return ymo_ws_session_send(s, YMO_WS_FLAG_FIN | YMO_WS_OP_TEXT, YMO_BUCKET_FROM_CPY(t, strlen(t)));
}

static ymo_status_t on_message(ymo_ws_session_t* s, void* user, uint8_t flags, const char* data, size_t len)
{
    (void)user;
    assert(flags & YMO_WS_FLAG_FIN);
    char* line = strndup(data, len);
    char* rest = NULL;
    char out[256];
    ymo_status_t status = EINVAL;
    if( !line ) {
        return ENOMEM;
    }
    char* word = strtok_r(line, " ,", &rest);
    if( !word ) {
        status = text(s, "nothing");
    } else if( !strcmp(word, "sort") ) {
        long v[32];
        size_t n = 0;
        for( char* w; n < 32 && (w = strtok_r(NULL, " ,", &rest)) != NULL; ) {
            char* end;
            errno = 0;
            v[n] = strtol(w, &end, 0);
            if( *end || errno == ERANGE ) {
                free(line);
                return EINVAL;
            }
            n++;
        }
        qsort(v, n, sizeof(*v), by_value);
        size_t at = 0;
        out[0] = 0;
        for( size_t i = 0; i < n; i++ ) {
            at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%ld", i ? " " : "", v[i]);
        }
        status = text(s, out);
    } else {
        const op_t* op = bsearch(word, ops, sizeof ops / sizeof *ops, sizeof *ops, by_name);
        char *a = strtok_r(NULL, " ", &rest), *b = strtok_r(NULL, " ", &rest);
        if( op && a && b ) {
            double x = strtod(a, NULL), y = strtod(b, NULL), z = op->fn(x, y);
            snprintf(out, sizeof(out), isfinite(z) ? "%.6g" : "%f", z);
            status = text(s, out);
        }
    }
    free(line);
    return status;
}

static ymo_status_t nothing(ymo_http_session_t* s, ymo_http_request_t* q, ymo_http_response_t* r, void* d)
{
    (void)s; (void)q; (void)d;
    ymo_http_response_finish(r);
    return YMO_OKAY;
}

int main(void)
{
    ymo_http_upgrade_handler_t* handlers[] = {
        ymo_http2_no_upgrade_handler(),
        ymo_ws_http_upgrade_handler(ymo_proto_ws_create(YMO_WS_SERVER_BUFFERED, NULL, on_message, NULL)),
        NULL
    };
    ymo_server_t* server = ymo_http_simple_init(ev_default_loop(0), 8081, nothing, handlers, NULL);
    return !server || ymo_server_start(server, ev_default_loop(0)) || ev_run(ev_default_loop(0), 0);
}
