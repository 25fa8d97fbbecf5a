/* What the C library of the machine it runs on does, as text: as a plugin that is
 * the small one of this SDK, elsewhere the system's. A test compares the two.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static char out[1 << 20];
static size_t used;

static void say(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(out + used, sizeof out - used, format, args);
	va_end(args);
	if (n > 0 && (size_t)n < sizeof out - used)
		used += (size_t)n;
}

static uint64_t seed;

static unsigned rnd(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % below;
}

static char *word(char *s, unsigned most)
{
	unsigned n = rnd(most);
	for (unsigned i = 0; i < n; i++)
		s[i] = "aAbB,; 1-x"[rnd(10)];
	s[n] = 0;
	return s;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int sign(int v) { return (v > 0) - (v < 0); }
static long at(const char *p, const char *s) { return p ? p - s : -1; }

static void round_of_strings(void)
{
	char s[64], t[64], set[8], x[256];
	word(s, 40), word(t, rnd(2) ? 40 : 4), word(set, 5);
	unsigned n = rnd(40);
	int c = "aAbB,; "[rnd(7)];
	say("[%s] [%s] %d %d %d %d ", s, t, sign(strcmp(s, t)), sign(strncmp(s, t, n)), sign(strcasecmp(s, t)), sign(strncasecmp(s, t, n)));
	say("%zu %zu %ld %ld %ld %ld ", strlen(s), strnlen(s, n), at(strchr(s, c), s), at(strrchr(s, c), s), at(strstr(s, t), s), at(strpbrk(s, set), s));
	say("%zu %zu %d %ld ", strspn(s, set), strcspn(s, set), sign(memcmp(s, t, strlen(s) < strlen(t) ? strlen(s) : strlen(t))), at(memchr(s, c, strlen(s)), s));
	strcpy(x, s);
	strcat(x, t);
	strncat(x, s, n);
	say("%s ", x);
	memset(x, '.', sizeof x);
	strncpy(x, s, n);
	x[n] = 0;
	say("%s ", x);
	memmove(x + rnd(9), x + rnd(9), n);
	x[60] = 0;
	for (int i = 0; i < 60; i++)
		x[i] = x[i] ? x[i] : '_';
	memcpy(x + 20, s, strlen(s));
	memset(x + rnd(50), '#', rnd(9));
	say("%s ", x);
	strcpy(x, s);
	char *rest;
	for (char *w = strtok_r(x, set[0] ? set : ",", &rest); w; w = strtok_r(NULL, set[0] ? set : ",", &rest))
		say("<%s>", w);
	char *copy = strdup(s), *half = strndup(s, n);
	say(" %s %s ", copy, half);
	copy = realloc(copy, 500);
	say("%s\n", copy);
	free(copy);
	free(half);
}

static void round_of_numbers(void)
{
	char s[80], *end, w[16] = "";
	snprintf(s, sizeof s, "%s%s%x%s", rnd(3) ? "" : " \t", rnd(3) ? "" : "-", rnd(0x7fffffff) >> rnd(31), rnd(2) ? "zz" : "");
	int base = (int)(rnd(3) == 0 ? 0 : rnd(3) == 0 ? 16 : 10);
	errno = 0;
	long long v = strtoll(s, &end, base);
	say("%s %d: %lld %ld %d ", s, base, v, at(end, s), errno);
	say("%llu %ld %d %ld ", strtoull(s, NULL, base), strtol("-12x", &end, 10), atoi(s), atol("77 "));
	say("%.17g %.17g %.3f %e %g ", strtod("0.1", NULL), atof("-12.5e2"), strtod(s, NULL), strtod("1e5", NULL), atof(".25"));
	int a = 0, b = 0, n = 0;
	snprintf(s, sizeof s, "%d/%d %s", (int)rnd(100000), -(int)rnd(1000), "room-7 tail");
	say("%d ", sscanf(s, "%d/%i %15[a-z0-9-]%n", &a, &b, w, &n));
	say("%d %d %s %d ", a, b, w, n);
	int k[20];
	for (int i = 0; i < 20; i++)
		k[i] = (int)rnd(50);
	qsort(k, 20, sizeof *k, compare);
	for (int i = 0; i < 20; i++)
		say("%d,", k[i]);
	int key = (int)rnd(50);
	say(" %d %d %d %" PRId64 "\n", bsearch(&key, k, 20, sizeof *k, compare) != NULL, abs(-5), div(7, 2).rem, (int64_t)imaxabs(-9));
}

static void round_of_formats(void)
{
	int v = (int)rnd(0x7fffffff) >> rnd(31);
	double d = ((double)rnd(1000000) - 500000) / (double)(1 + rnd(5000));
	say("%d|%5d|%-5d|%05d|%+d|% d|%x|%#X|%o|%.4d|%u|", v, v % 100, v % 100, v % 100, v, v, v, v, v, v % 100, (unsigned)v);
	say("%c|%s|%.3s|%8.2s|%-8s|%%|%p|", 'a' + v % 26, "text", "abcdef", "xyz", "left", (void *)0);
	say("%lld|%hhd|%hd|%zu|%jd|%*d|%.*f|%f|%e|%g|%10.3f|\n", (long long)v * 1000003, (signed char)v, (short)v, (size_t)v, (intmax_t)-v, 7, v % 10, 2, d, d, d, d, d);
	time_t when = (time_t)rnd(0x7fffffff) * 3;
	struct tm t;
	gmtime_r(&when, &t);
	char s[100];
	strftime(s, sizeof s, "%a, %d %b %Y %H:%M:%S %j %U %V %G %p", &t);
	say("%s %d\n", s, isalpha(v & 127) && islower(v & 127) ? toupper(v & 127) : tolower(v & 127));
	say("%s %s\n", strerror(ENOMEM), strerror(EPIPE));
}

static void transcript(uint64_t from)
{
	seed = from;
	used = 0;
	for (int i = 0; i < 300; i++) {
		round_of_strings();
		round_of_numbers();
		round_of_formats();
	}
}

#if defined(__wasm__)
#include <yimmo/guest.h>

static void on_recv(const yimmo_event *e)
{
	transcript(e->len);
	yimmo_send(e->id, 0x82, out, used);
}

YIMMO_PLUGIN(.recv = on_recv)
#else
int main(int argc, char **argv)
{
	transcript(argc > 1 ? strtoull(argv[1], NULL, 10) : 0);
	fwrite(out, 1, used, stdout);
	return 0;
}
#endif
