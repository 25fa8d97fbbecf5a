/* Every header that such a program may include, and something of most of them. */
#include <alloca.h>
#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <float.h>
#include <getopt.h>
#include <inttypes.h>
#include <iso646.h>
#include <libev/ev.h>
#include <libgen.h>
#include <limits.h>
#include <locale.h>
#include <malloc.h>
#include <math.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include <uuid/uuid.h>
#include "start_info.h"
#include "yimmo.h"
#include "yimmo_config.h"
#include "ymo_alloc.h"
#include "ymo_attrs.h"
#include "ymo_blalloc.h"
#include "ymo_bucket.h"
#include "ymo_config.h"
#include "ymo_env.h"
#include "ymo_http.h"
#include "ymo_list.h"
#include "ymo_log.h"
#include "ymo_proto_http.h"
#include "ymo_proto_ws.h"
#include "ymo_queue.h"
#include "ymo_util.h"
#include "ymo_ws.h"

static_assert(YIMMO_VERSION >> 16 == (YIMMO_VERSION_MAJOR << 8 | YIMMO_VERSION_MINOR), "version");
static_assert(YMO_OKAY == 0 && YMO_LOG_FATAL == 0 && YMO_LOG_TRACE == 6, "values");
static_assert(YMO_HTTP_TOO_MANY_REQUESTES == 429 && YMO_HTTP_UPGRADE_REQUIRED == 426, "values");
static_assert(YMO_HTTP_METH_OTHER == 8 && YMO_HTTP_UPGRADE_NOPROTO == 3, "values");
static_assert(YMO_WS_FLAG_FIN == 0x80 && YMO_WS_OP_PONG == 0x0a && YMO_WS_SERVER_BUFFERED == 1, "values");
static_assert(sizeof(ymo_http_method_t) == 1 && sizeof(ymo_http_upgrade_status_t) == 1, "sizes");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile sig_atomic_t stopped;

static void on_term(int sig)
{
    stopped = sig;
}

static int by_value(const void* a, const void* b)
{
    return *(const int*)a - *(const int*)b;
}

static int same(void* a, void* b)
{
    return strcmp(a, b);
}

static int failures;
#define CHECK(x) do { if( !(x) ) { ++failures; ymo_log_error("line %d: %s", __LINE__, #x); } } while( 0 )

static void check_library(int argc, char** argv)
{
    int numbers[] = { 5, 3, 9, -1, 7 };
    qsort(numbers, 5, sizeof(int), by_value);
    int key = 7;
    CHECK(numbers[0] == -1 && numbers[4] == 9);
    CHECK((int*)bsearch(&key, numbers, 5, sizeof(int), by_value) == &numbers[3]);

    char words[] = "a,b;;c";
    char* rest;
    CHECK(!strcmp(strtok_r(words, ",;", &rest), "a") && !strcmp(strtok_r(NULL, ",;", &rest), "b"));
    CHECK(!strcmp(strtok_r(NULL, ",;", &rest), "c") && !strtok_r(NULL, ",;", &rest));
    CHECK(strtol("-0x1f", NULL, 0) == -31 && strtoul("077", NULL, 0) == 63 && atoi(" 42x") == 42);
    errno = 0;
    CHECK(strtol("99999999999", NULL, 10) == LONG_MAX && errno == ERANGE);
    CHECK(strtod("-1.5e3", NULL) == -1500. && atof("0.1") == 0.1);
    int a, b;
    char word[8];
    CHECK(sscanf("12:0x7 hello!", "%d:%x %5s", &a, (unsigned*)&b, word) == 3 && a == 12 && b == 7 && !strcmp(word, "hello"));
    float f;
    double d;
    CHECK(sscanf("move 1.5,-2.25e1", "move %f,%lf", &f, &d) == 2 && f == 1.5f && d == -22.5);
    CHECK(fmod(10, 0.1) == 0.09999999999999945 && fmod(-7.5, 2) == -1.5 && fmod(1e300, 7) == 1 && isnan(fmod(1, 0)));
    CHECK(sscanf("/join room1", "/join %7[a-z0-9]", word) == 1 && !strcmp(word, "room1"));

    uuid_t u, v;
    char text[37];
    uuid_generate(u);
    uuid_unparse(u, text);
    CHECK(!uuid_parse(text, v) && !uuid_compare(u, v) && !uuid_is_null(u) && strlen(text) == 36);

    CHECK(htons(0x1234) == 0x3412 && ntohl(1) == 0x01000000);
    CHECK(floor(-1.5) == -2 && sqrt(9) == 3 && isnan(NAN) && fabs(-2.) == 2);
    CHECK(!pthread_mutex_lock(&lock) && !pthread_mutex_unlock(&lock));
    CHECK(isalpha('x') && !isdigit('x') && toupper('x') == 'X' && isspace('\n'));

    struct timespec t;
    struct timeval tv;
    CHECK(!clock_gettime(CLOCK_REALTIME, &t) && !gettimeofday(&tv, NULL) && t.tv_sec == time(NULL) && tv.tv_sec == t.tv_sec);
    struct tm date = { .tm_year = 124, .tm_mon = 1, .tm_mday = 29, .tm_hour = 12 };
    CHECK(timegm(&date) == 1709208000 && date.tm_wday == 4 && date.tm_yday == 59);

    CHECK(argc == 1 && argv[0] && !argv[1] && !strcmp(basename(argv[0]), argv[0]));
    CHECK(getopt(argc, argv, "p:v") == -1);
    CHECK(getenv("NO_SUCH_KEY") == NULL);

    ymo_queue_t* q = ymo_queue_create();
    CHECK(!ymo_queue_append(q, "b") && !ymo_queue_append(q, "c") && !ymo_queue_prepend(q, "a") && ymo_queue_size(q) == 3);
    CHECK(ymo_queue_find(q, same, "b") && !ymo_queue_find(q, same, "x"));
    CHECK(!strcmp(ymo_queue_popback(q), "c") && !strcmp(ymo_queue_popfront(q), "a") && !strcmp(ymo_queue_peekfront(q), "b"));
    ymo_queue_free(q);
    q = ymo_queue_create_pool(1);
    CHECK(!ymo_queue_append(q, "b") && ymo_queue_append(q, "c") == ENOMEM);
    ymo_queue_free(q);

    ymo_blalloc_t* block = ymo_blalloc_create(32);
    char* s = ymo_blalloc_strdup(block, "abc");
    int* i = YMO_BLALLOC(block, int);
    CHECK(!strcmp(s, "abc") && (uintptr_t)i % alignof(int) == 0 && !ymo_blalloc(block, 1, 64) && errno == ENOMEM);
    ymo_blalloc_free(block);

    ymo_http_hdr_table_t* h = ymo_http_hdr_table_create();
    const char* value;
    CHECK(ymo_http_hdr_table_add(h, "Via", "a") && ymo_http_hdr_table_add(h, "via", "bc") && ymo_http_hdr_table_add(h, "VIA", ""));
    CHECK((value = ymo_http_hdr_table_get(h, "via")) && !strcmp(value, "a,bc,"));
    for( int k = 0; k < 3; ++k ) { /* with itself: first it has room, then not */
        ymo_http_hdr_table_add(h, "via", ymo_http_hdr_table_get(h, "via"));
    }
    CHECK((value = ymo_http_hdr_table_get(h, "via")) && strlen(value) == 47 && !strcmp(value + 41, ",a,bc,"));
    CHECK(ymo_http_hdr_table_insert(h, "via", value + 42) && !strcmp(ymo_http_hdr_table_get(h, "via"), "a,bc,"));
    CHECK(ymo_http_hdr_table_insert(h, "via", "d") && ymo_http_hdr_table_add(h, "via", "e"));
    CHECK(!strcmp(ymo_http_hdr_table_get(h, "via"), "d,e") && !h->first->next);
    CHECK(ymo_http_hdr_table_add(h, "Set-Cookie", "x") && ymo_http_hdr_table_add(h, "Set-Cookie", "y") && h->first->next->next);
    ymo_http_hdr_table_free(h);

    long n, def = 5;
    CHECK(ymo_env_as_long("NO_SUCH_KEY", &n, &def) == 0 && n == 5);
    CHECK(ymo_env_as_long("NO_SUCH_KEY", &n, NULL) == EINVAL && n == 5);
    char code[YMO_BASE64_LEN(4) + 1];
    CHECK(!ymo_base64_encode(code, (const unsigned char*)"yimm", 4) && !strcmp(code, "eWltbQ=="));
    CHECK(ymo_toupper('y') == 'Y' && YMO_MIN(2, 1) == 1);
    void* volatile none = malloc(SIZE_MAX); /* or the compiler takes the answer for granted */
    CHECK(none == NULL && errno == ENOMEM);
    none = calloc(SIZE_MAX / 2, 4);
    CHECK(none == NULL);
    void* aligned;
    CHECK(!posix_memalign(&aligned, 256, 100) && (uintptr_t)aligned % 256 == 0);
    free(aligned);
    char* dup = strdup("dup");
    dup = realloc(dup, 1000);
    CHECK(dup && !strcmp(dup, "dup"));
    YMO_FREE(dup);
    CHECK(rand() != rand());
    assert(argc);
}

int main(int argc, char** argv)
{
    issue_startup_msg();
    signal(SIGPIPE, SIG_IGN);
    struct sigaction term = { .sa_handler = on_term };
    sigemptyset(&term.sa_mask);
    CHECK(sigaction(SIGTERM, &term, NULL) == 0);
    setvbuf(stdout, NULL, _IONBF, 0);
    check_library(argc, argv);
    ymo_server_t* server = ymo_http_simple_init(EV_DEFAULT, 8081, NULL, NULL, NULL);
    ymo_server_start(server, EV_DEFAULT);
    printf("%d failures\n", failures);
    fflush(stdout);
    while( !stopped ) {
        ev_run(EV_DEFAULT_ EVRUN_ONCE);
    }
    printf("stopped by %d, depth %u\n", stopped, ev_depth(EV_DEFAULT));
    return failures;
}
