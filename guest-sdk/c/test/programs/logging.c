/* Every way to print. */
#define YMO_LOG_LEVEL_MAX 6
#include <errno.h>
#include <ev.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_log.h"

int main(void)
{
    ymo_log_fatal("fatal %d", -1);
    ymo_log_error("error %s %5s|%-5s|", "a", "b", "c");
    ymo_log_warning("warning %u %x %X %#x %o", 7u, 255u, 255u, 255u, 8u);
    ymo_log_notice("notice %05d %+d % d %.3d", 42, 42, 42, 7);
    ymo_log_info("info %lld %llu %ld %zu %c %%", -5000000000ll, 18446744073709551615ull, 123456l, sizeof(int), 'x');
    ymo_log_debug("debug %p", (void*)0);
    ymo_log_debug("debug without arguments");
    ymo_log_trace("trace %" PRId64 " %" PRIu8, (int64_t)-1, (uint8_t)200);
    ymo_log_msg(YMO_LOG_INFO, "message %s is not a format");
    ymo_log_info("float %f %.2f %8.3f %e %g %g", 3.5, 2.675, -1.0 / 3, 12345.678, 0.0001, 1e20);
    ymo_log_info("star %*d %.*s %-*d|", 6, 42, 3, "abcdef", 4, 7);
    ymo_log(YMO_LOG_INFO, "level %s", ymo_log_get_level_name(YMO_LOG_NOTICE));
    ymo_log_set_level(YMO_LOG_WARNING);
    ymo_log_info("not shown");
    ymo_log_set_level_by_name("TRACE");
    uuid_t id;
    uuid_parse("00112233-4455-6677-8899-aabbccddeeff", id);
    ymo_log_debug_uuid("with an id %d", id, 1);
    printf("two\nlines, ");
    puts("and a half");
    printf("no end");
    fprintf(stderr, "to %s\n", "stderr");
    errno = ENOENT;
    perror("perror");
    fputs("fputs\n", stdout);
    putchar('!');
    putchar('\n');
    syslog(LOG_ERR, "syslog %d", 3);
    time_t now = time(NULL);
    char text[64];
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", gmtime(&now));
    ymo_log_info("time %s", text);
    ymo_log_info("%s", getenv("GREETING"));

    ymo_server_t* server = ymo_http_simple_init(EV_DEFAULT, 8081, NULL, NULL, NULL);
    ymo_server_start(server, EV_DEFAULT);
    ev_run(EV_DEFAULT, 0);
    ymo_log_info("the end");
    return 0;
}
