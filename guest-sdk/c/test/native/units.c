/* The small C library and the formatting against the system's, with random input.
 *
 *     units SEED ROUNDS
 */
#include "native.h"

#include "../../src/libc/libc.h"

#include "../../src/libc/memory.c"
#include "../../src/libc/stdlib.c"

#include "../../src/libc/scan.c"
#include "../../src/libc/string.c"
#include "../../src/libc/time.c"

#include "../../src/format.c"
#include "../../src/number.c"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What format.c and string.c reach beyond themselves. */
int yimmo_log_text(uint8_t level, uint64_t session, const char *s, size_t len)
{
	(void)level, (void)session, (void)s, (void)len;
	return 0;
}
void *yimmo_scratch(size_t n) { return malloc(n); }
void *yimmo_alloc(size_t n) { return malloc(n); }
void yimmo_free(void *p) { free(p); }
uint64_t yimmo_random(void) { return test_random(); }
int64_t yimmo_now(void) { return 0; }
int64_t yimmo_mono(void) { return 0; }
uint64_t test_seed = 1;

uint64_t test_random(void)
{
	uint64_t z = test_seed += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	return z ^ z >> 31;
}

static int failures;

static void differ(const char *what, const char *got, const char *want)
{
	if (failures++ < 20)
		fprintf(stderr, "%s: got \"%s\", want \"%s\"\n", what, got, want);
}

static char a[20000], b[20000];

#define SAME(format, ...) \
	do { \
		int n_ = yimmo_format(a, sizeof a, format, __VA_ARGS__), m_ = snprintf(b, sizeof b, format, __VA_ARGS__); \
		if (n_ != m_ || strcmp(a, b)) \
			differ(format, a, b); \
	} while (0)

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wunused-function"

/* spec writes a random conversion specification with the given conversion. */
static void spec_text(char *s, const char *length, char conversion)
{
	*s++ = '%';
	for (const char *f = "-+ #0"; *f; f++)
		if (test_random() % 4 == 0)
			*s++ = *f;
	if (test_random() % 2)
		s += sprintf(s, "%d", (int)(test_random() % 30));
	if (test_random() % 2)
		s += sprintf(s, ".%d", (int)(test_random() % 30));
	sprintf(s, "%s%c", length, conversion);
}

static void formats(long rounds)
{
	char f[64];
	SAME("%d %i %u %x %X %o %c %s %p %%", -1, 2, 3u, 255, 255, 8, 'c', "text", (void *)0x1234);
	SAME("%hhd %hd %ld %lld %jd %zd %td", (signed char)-1, (short)-2, -3l, -4ll, (intmax_t)-5, (ssize_t)-6, (ptrdiff_t)-7);
	SAME("%*d|%-*d|%.*s|%.*d", 8, 1, -8, 2, 2, "abc", -1, 3);
	SAME("%s %.3s %10s|%-10s|", (char *)NULL, "abcdef", "right", "left");
	SAME("%lld %llu", LLONG_MIN, ULLONG_MAX);
	SAME("%.0d|%.0x|%#.0o|%#o|%#x", 0, 0, 0, 0, 0);
	SAME("%f %F %e %E %g %G", 0.0, -0.0, 1e300, 5e-324, 1e-5, 123456789.0);
	SAME("%f %e %g %F %010f|%-10f|", NAN, INFINITY, -INFINITY, NAN, INFINITY, -INFINITY);
	SAME("%.0f %.0f %.0f %.0f %.1f %.2f", 0.5, 1.5, 2.5, 3.5, 0.25, 2.675);
	SAME("%.1090f|%.1074f|%.1200e|%.3f", 5e-324, 5e-324, 1.1, 1.7976931348623157e308);
	SAME("%Lf %.3Le", 1.25L, 3.75L);
	SAME("%#.3g|%#g|%g|%.0e|%#.0e|%#.0f", 1.0, 1.5, 100000.0, 15.0, 15.0, 3.0);
	SAME("%a %A %a %a %.0a %#.0a %.3a", 1.0, -0.1, 0.0, 5e-324, 1.5, 1.5, 1.99999);
	SAME("%20a|%-20a|%020a|%+a|%.20a|%5a", 3.0, -3.0, -3.0, 1e300, 1e-300, INFINITY);
	SAME("%200d|%-200d|%0200d", 1, 2, 3);
	for (long i = 0; i < rounds; i++) {
		uint64_t v = test_random() >> test_random() % 64;
		double d;
		memcpy(&d, &v, sizeof d);
		if (test_random() % 2)
			d = (double)(int64_t)test_random() / pow(10, (double)(test_random() % 25));
		spec_text(f, "", "dixXuo"[test_random() % 6]);
		SAME(f, (int)v);
		spec_text(f, "ll", "dixXuo"[test_random() % 6]);
		SAME(f, (long long)v);
		spec_text(f, "hh", "dixXuo"[test_random() % 6]);
		SAME(f, (int)v);
		spec_text(f, "h", "dixXuo"[test_random() % 6]);
		SAME(f, (int)v);
		spec_text(f, "z", "dixXuo"[test_random() % 6]);
		SAME(f, (size_t)v);
		spec_text(f, "", "feEgGFaA"[test_random() % 8]);
		SAME(f, d);
		size_t size = test_random() % 20;
		int n = yimmo_format(a, size, "%s-%d", "abcdef", (int)v), m = snprintf(b, size, "%s-%d", "abcdef", (int)v);
		if (n != m || (size && strcmp(a, b)))
			differ("size", a, b);
	}
}

static void doubles(long rounds)
{
	for (long i = 0; i < rounds; i++) {
		uint64_t digits = test_random() >> (11 + test_random() % 50); /* 2^53 at most */
		int e = (int)(test_random() % 45) - 22;
		char *want_end;
		const char *end;
		sprintf(a, "%s%llu%s%d tail", test_random() % 2 ? "-" : "", (unsigned long long)digits, "e", e);
		double want = strtod(a, &want_end), got = yimmo_parse_double(a, &end);
		if (got != want || end != want_end)
			sprintf(b, "%.17g", want), differ(a, "another double", b);
		sprintf(a, "%.*g", (int)(1 + test_random() % 20), (double)(int64_t)test_random() * pow(10, (double)(test_random() % 500) - 250));
		want = strtod(a, NULL), got = yimmo_parse_double(a, &end);
		if (got != want && strlen(a) < 26)
			sprintf(b, "%.17g", want), differ(a, "another double", b);
		uint64_t any = test_random() & ~((uint64_t)1 << 63);
		memcpy(&want, &any, sizeof want);
		if (want - want == 0) {
			sprintf(a, "%.17g", want);
			got = yimmo_parse_double(a, &end);
			if (got != want)
				differ(a, "another double", "the same");
		}
	}
	static const char *const odd[] = { "", "-", ".", "e5", "1e", "1e+", "1.", ".5", "-.5e1x", "  +7", "0x10", "1e400", "1e-400", "1.7976931348623157e308", "1.7976931348623159e308", "4.9e-324", "2.4e-324", "2.5e-324", "2.2250738585072014e-308", "2.225073858507201e-308", "9007199254740993", "1e23", "0e5", "00012", "1..2" };
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		char *want_end;
		const char *end;
		double want = strtod(odd[i], &want_end), got = yimmo_parse_double(odd[i], &end);
		if (strncmp(odd[i], "0x", 2) && (got != want || end != want_end))
			differ(odd[i], end, want_end);
	}
}

static int sign_of_int(int v) { return (v > 0) - (v < 0); }

/* word fills s with letters of a small alphabet. */
static char *word(char *s, size_t most)
{
	size_t n = test_random() % most;
	for (size_t i = 0; i < n; i++)
		s[i] = "aAbB,; \t"[test_random() % 8];
	s[n] = 0;
	return s;
}

#define SAME_VALUE(x, y) ((x) == (y) ? (void)0 : differ(#x, s, t))

static void strings(long rounds)
{
	char s[64], t[64], x[256], y[256], set[8];
	for (long i = 0; i < rounds; i++) {
		word(s, 40);
		word(t, test_random() % 2 ? 40 : 4);
		word(set, 5);
		size_t n = test_random() % 40;
		int c = "aAbB,; \t"[test_random() % 8];
		SAME_VALUE(sign_of_int(yc_strcmp(s, t)), sign_of_int(strcmp(s, t)));
		SAME_VALUE(sign_of_int(yc_strncmp(s, t, n)), sign_of_int(strncmp(s, t, n)));
		SAME_VALUE(sign_of_int(yc_strcasecmp(s, t)), sign_of_int(strcasecmp(s, t)));
		SAME_VALUE(sign_of_int(yc_strncasecmp(s, t, n)), sign_of_int(strncasecmp(s, t, n)));
		SAME_VALUE(sign_of_int(yc_memcmp(s, t, yimmo_min(strlen(s), strlen(t)))), sign_of_int(memcmp(s, t, yimmo_min(strlen(s), strlen(t)))));
		SAME_VALUE(yc_strlen(s), strlen(s));
		SAME_VALUE(yc_strnlen(s, n), strnlen(s, n));
		SAME_VALUE(yc_strchr(s, c), strchr(s, c));
		SAME_VALUE(yc_strrchr(s, c), strrchr(s, c));
		SAME_VALUE(yc_strrchr(s, 0), strrchr(s, 0));
		SAME_VALUE(yc_strstr(s, t), strstr(s, t));
		SAME_VALUE(yc_strcasestr(s, t), strcasestr(s, t));
		SAME_VALUE(yc_strspn(s, set), strspn(s, set));
		SAME_VALUE(yc_strcspn(s, set), strcspn(s, set));
		SAME_VALUE(yc_strpbrk(s, set), strpbrk(s, set));
		SAME_VALUE(yc_memchr(s, c, strlen(s)), memchr(s, c, strlen(s)));
		SAME_VALUE(yc_memmem(s, strlen(s), t, strlen(t)), memmem(s, strlen(s), t, strlen(t)));
		memset(x, 'x', sizeof x), memset(y, 'x', sizeof y);
		yc_strncpy(x, s, n), strncpy(y, s, n);
		yc_strcpy(x + 64, s), strcpy(y + 64, s);
		yc_strcat(x + 64, t), strcat(y + 64, t);
		yc_strncat(x + 64, t, n), strncat(y + 64, t, n);
		SAME_VALUE(memcmp(x, y, sizeof x), 0);
		size_t from = test_random() % 100, to = test_random() % 100;
		yc_memmove(x + to, x + from, n), memmove(y + to, y + from, n);
		yc_memset(x + from, c, n), memset(y + from, c, n);
		SAME_VALUE(memcmp(x, y, sizeof x), 0);
		char *p, *q;
		strcpy(x, s), strcpy(y, s);
		char *u = yc_strtok_r(x, set, &p), *v = strtok_r(y, set, &q);
		for (; u && v; u = yc_strtok_r(NULL, set, &p), v = strtok_r(NULL, set, &q))
			if (strcmp(u, v))
				differ("strtok_r", u, v);
		SAME_VALUE(!u, !v);
	}
}

static void numbers(long rounds)
{
	float f = 0, g = 0;
	double u = 0, w = 0;
	if (yc_sscanf("12.345e1 x", "%4lf%f", &u, &f) != sscanf("12.345e1 x", "%4lf%f", &w, &g) || u != w || f != g)
		differ("sscanf", "another width", "12.3 and 450");
	for (long i = 0; i < rounds; i++) {
		char *p, *q;
		int base = (int)(test_random() % 37);
		if (base == 1)
			base = 0;
		sprintf(a, "%s%s%s%llx%s", test_random() % 4 ? "" : " \t", test_random() % 3 ? "" : test_random() % 2 ? "-" : "+",
			test_random() % 3 ? "" : "0x", (unsigned long long)(test_random() >> test_random() % 64), test_random() % 2 ? "zz" : "");
		if (test_random() % 2)
			sprintf(a, "%lld%llu", (long long)test_random() >> test_random() % 64, (unsigned long long)(test_random() >> 60));
		errno = 0;
		long long v = yc_strtoll(a, &p, base);
		int e = errno;
		errno = 0;
		long long sv = strtoll(a, &q, base);
		if (v != sv || p != q || e != errno)
			differ("strtoll", a, "the same");
		errno = 0;
		unsigned long long uv = yc_strtoull(a, &p, base);
		e = errno;
		errno = 0;
		unsigned long long uw = strtoull(a, &q, base);
		if (uv != uw || p != q || e != errno)
			differ("strtoull", a, "the same");
		int x[3] = { 0 }, y[3] = { 0 };
		char s[16] = "", t[16] = "";
		sprintf(b, "%d,%x %s", (int)test_random() >> test_random() % 32, (unsigned)test_random(), "word-1 x");
		b[test_random() % (strlen(b) + 1)] = 0;
		int n = yc_sscanf(b, "%d,%x %15[a-z-]%n", &x[0], (unsigned *)&x[1], s, &x[2]);
		int m = sscanf(b, "%d,%x %15[a-z-]%n", &y[0], (unsigned *)&y[1], t, &y[2]);
		if (n != m || memcmp(x, y, sizeof x) || strcmp(s, t))
			differ("sscanf", b, "the same");
		sprintf(b, "%.*g;%g%% %s", (int)(test_random() % 17), (double)(int64_t)test_random() / pow(10, (double)(test_random() % 25)),
			(double)(int)test_random() / 1000, "rest");
		b[test_random() % (strlen(b) + 1)] = 0;
		if (!strchr("e+-", b[0] ? b[strlen(b) - 1] : 0)) { /* cut in an exponent: the system takes no number at all */
			n = yc_sscanf(b, " %25lf;%f%%%*5s%n", &u, &f, &x[2]);
			m = sscanf(b, " %25lf;%f%%%*5s%n", &w, &g, &y[2]);
			if (n != m || u != w || f != g || x[2] != y[2])
				differ("sscanf", b, "the same");
		}
	}
}

static int by_value(const void *p, const void *q)
{
	int x = *(const int *)p, y = *(const int *)q;
	return (x > y) - (x < y);
}

static void sorting(long rounds)
{
	for (long i = 0; i < rounds / 20; i++) {
		int x[60], y[60];
		size_t n = test_random() % 60;
		for (size_t k = 0; k < n; k++)
			x[k] = y[k] = (int)(test_random() % 40);
		yc_qsort(x, n, sizeof *x, by_value);
		qsort(y, n, sizeof *y, by_value);
		if (n && memcmp(x, y, n * sizeof *x))
			differ("qsort", "unsorted", "sorted");
		int key = (int)(test_random() % 40);
		if (!yc_bsearch(&key, x, n, sizeof *x, by_value) != !bsearch(&key, y, n, sizeof *y, by_value))
			differ("bsearch", "one", "the other");
	}
}

static void dates(long rounds)
{
	for (long i = 0; i < rounds; i++) {
		time_t when = (time_t)((int64_t)test_random() >> (15 + test_random() % 30));
		struct tm x = { 0 }, y = { 0 };
		if (!gmtime_r(&when, &y) || y.tm_year > 200000 || y.tm_year < -1900)
			continue;
		yc_gmtime_r(&when, &x);
		if (x.tm_sec != y.tm_sec || x.tm_min != y.tm_min || x.tm_hour != y.tm_hour || x.tm_mday != y.tm_mday
			|| x.tm_mon != y.tm_mon || x.tm_year != y.tm_year || x.tm_wday != y.tm_wday || x.tm_yday != y.tm_yday)
			differ("gmtime", "another date", asctime(&y));
		if (yc_timegm(&x) != when)
			differ("timegm", "another time", asctime(&y));
		if (y.tm_year < 0 || y.tm_year > 8000)
			continue;
		y.tm_zone = "UTC";
		const char *f = "%a %A %b %B %C %d %D %e %F %G %H %I %j %m %M %p %R %S %T %u %U %V %w %W %y %Y %z %%";
		yc_strftime(a, sizeof a, f, &x);
		strftime(b, sizeof b, f, &y);
		if (strcmp(a, b))
			differ("strftime", a, b);
		struct tm odd = { .tm_year = (int)(test_random() % 300), .tm_mon = (int)(test_random() % 40) - 20,
			.tm_mday = (int)(test_random() % 90) - 30, .tm_hour = (int)(test_random() % 90) - 30, .tm_min = (int)(test_random() % 200) }, same = odd;
		if (yc_timegm(&odd) != timegm(&same))
			differ("timegm", "another time", asctime(&same));
	}
}

int main(int argc, char **argv)
{
	long rounds = argc > 2 ? atol(argv[2]) : 20000;
	test_seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	formats(rounds);
	doubles(rounds);
	strings(rounds);
	numbers(rounds);
	sorting(rounds);
	dates(rounds);
	return failures != 0;
}
