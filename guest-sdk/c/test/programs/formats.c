/* Every conversion of printf that a program may log with. */
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ev.h>
#define YMO_LOG_LEVEL_MAX 6
#include "ymo_log.h"
#include "yimmo.h"
#include "ymo_http.h"

static char page[4096];
static size_t used;

static void line(const char* fmt, ...) __attribute__((format(printf, 1, 2)));
static void line(const char* fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    if( n >= 0 && used + (size_t)n + 2 < sizeof(page) ) {
        used += (size_t)vsnprintf(page + used, sizeof(page) - used, fmt, again);
        page[used++] = '\n';
    }
    va_end(again);
    va_end(args);
}

static void all(void)
{
    int written = -1;
    volatile double zero = 0.0;
    double infinite = 1.0 / zero, nothing = zero / zero;
    nothing = nothing < 0 ? nothing : -nothing;
    line("%d %i %u %o %x %X %c %%", -1, 2, 3u, 8u, 255u, 255u, 'z');
    line("[%5d] [%-5d] [%05d] [%+d] [% d] [%5.3d] [%.0d]", 42, 42, 42, 42, 42, 42, 0);
    line("%hhd %hd %ld %lld %jd %zd %td", (signed char)-1, (short)-2, -3L, -4LL, (intmax_t)-5, (ssize_t)-6, (ptrdiff_t)-7);
    line("%hhu %hu %lu %llu %ju %zu", (unsigned char)255, (unsigned short)65535, 3UL, ULLONG_MAX, UINTMAX_C(5), sizeof(char));
    line("%#x %#X %#o %08x %-8x| %#010x", 48879u, 48879u, 8u, 0xbeefu, 0xbeefu, 0xbeefu);
    line("[%s] [%10s] [%-10s] [%.2s] [%*s] [%-*s] [%.*s]", "abc", "abc", "abc", "abc", 6, "abc", 6, "abc", 1, "abc");
    line("%*d|%-*d|%.*f|%*.*f", 6, 42, 6, 42, 2, 3.14159, 8, 3, 3.14159);
    line("%f %.0f %.10f %e %E %g %G %g", 1.5, 2.5, 0.1, 12345.678, 0.00012, 1e-5, 1e20, 100000.0);
    line("%+.2f|% .2f|%08.2f|%-8.2f|%#.0f", 1.005, 1.005, -1.5, 1.5, 3.0);
    line("%f %f %5.1f %F", infinite, -infinite, nothing, infinite);
    line("%p %p", (void*)0, (void*)(uintptr_t)0xabc0);
    line("%" PRId64 " %" PRIu32 " %" PRIx16 " %" PRIX64, INT64_MIN, UINT32_MAX, (uint16_t)0xabcd, UINT64_MAX);
    line("%d%n and on", 12345, &written);
    line("%d written, %ld %d", written, LONG_MIN, INT_MIN);
    line("%3c|%-3c|", 'a', 'b');
    line("%.3s|%.10s|%s", "precision", "exact", "tail");
    line("%Lf %.3Lg", 2.25L, 1234.5L);
}

static ymo_status_t on_http(ymo_http_session_t* s, ymo_http_request_t* req, ymo_http_response_t* res, void* data)
{
    (void)s; (void)req;
    ymo_http_response_set_status_str(res, "200 OK");
    ymo_http_response_insert_header(res, "content-type", "text/plain; charset=utf-8");
    ymo_http_response_body_append(res, YMO_BUCKET_FROM_REF((const char*)data, used));
    ymo_http_response_finish(res);
    return YMO_OKAY;
}

int main(int argc, char** argv)
{
    (void)argc; (void)argv;
    all();
    ymo_log_init();
    ymo_log(YMO_LOG_WARNING, "%s at %zu of %zu bytes (%.1f%%)", "page", used, sizeof(page), 100.0 * (double)used / (double)sizeof(page));
    ymo_log_trace("trace %d", 1);
    ymo_log_debug("%s", "debug");
    ymo_log_msg(YMO_LOG_INFO, "100% as it is");
    printf("%s", "out, ");
    printf("%d\n", 1);
    fprintf(stderr, "%s %c\n", "err", '2');
    ymo_server_t* server = ymo_http_simple_init(EV_DEFAULT_ 8081, &on_http, NULL, page);
    ymo_server_start(server, EV_DEFAULT);
    ev_run(EV_DEFAULT_ 0);
    printf("bye\n");
    ymo_server_free(server);
    return 0;
}
