/* Numbers from text, random numbers, sorting, and malloc's names. */
#include "libc.h"

/* digit is the value of c in any base up to 36, or 99. */
static unsigned digit(char c)
{
	unsigned v = (unsigned)(unsigned char)c - '0';
	if (v < 10)
		return v;
	v = ((unsigned)(unsigned char)c | 32) - 'a';
	return v < 26 ? v + 10 : 99;
}

/* parse_integer reads what strtoull and its kin read. The magnitude is capped at most;
 * errno says so. */
static uint64_t parse_integer(const char *s, char **end, int base, uint64_t most_plus, uint64_t most_minus, bool *negative)
{
	const char *p = s;
	while (*p == ' ' || (*p >= '\t' && *p <= '\r'))
		p++;
	*negative = *p == '-';
	p += *p == '-' || *p == '+';
	if ((base == 0 || base == 16) && *p == '0' && (p[1] | 32) == 'x' && digit(p[2]) < 16) {
		p += 2;
		base = 16;
	} else if (base == 0) {
		base = *p == '0' ? 8 : 10;
	}
	const char *from = p;
	uint64_t v = 0, most = *negative ? most_minus : most_plus;
	bool over = false;
	for (; base >= 2 && base <= 36 && digit(*p) < (unsigned)base; p++) {
		over |= v > (most - digit(*p)) / (unsigned)base;
		v = over ? most : v * (unsigned)base + digit(*p);
	}
	if (end)
		*end = (char *)(p == from ? s : p);
	if (over)
		errno = ERANGE;
	if (base < 2 || base > 36)
		errno = EINVAL;
	return v;
}

LIBC long long YC(strtoll)(const char *restrict s, char **restrict end, int base)
{
	bool negative;
	uint64_t v = parse_integer(s, end, base, LLONG_MAX, (uint64_t)LLONG_MAX + 1, &negative);
	return negative ? (long long)(0 - v) : (long long)v;
}

LIBC unsigned long long YC(strtoull)(const char *restrict s, char **restrict end, int base)
{
	bool negative;
	uint64_t v = parse_integer(s, end, base, ULLONG_MAX, ULLONG_MAX, &negative);
	return negative && !(v == ULLONG_MAX && errno == ERANGE) ? 0 - v : v;
}

LIBC long YC(strtol)(const char *restrict s, char **restrict end, int base)
{
	bool negative;
	uint64_t v = parse_integer(s, end, base, LONG_MAX, (uint64_t)LONG_MAX + 1, &negative);
	return negative ? (long)(0 - v) : (long)v;
}

LIBC unsigned long YC(strtoul)(const char *restrict s, char **restrict end, int base)
{
	bool negative;
	uint64_t v = parse_integer(s, end, base, ULONG_MAX, ULONG_MAX, &negative);
	return negative && !(v == ULONG_MAX && errno == ERANGE) ? (unsigned long)(0 - v) : (unsigned long)v;
}

LIBC intmax_t YC(strtoimax)(const char *restrict s, char **restrict end, int base) { return YC(strtoll)(s, end, base); }
LIBC uintmax_t YC(strtoumax)(const char *restrict s, char **restrict end, int base) { return YC(strtoull)(s, end, base); }
LIBC int YC(atoi)(const char *s) { return (int)YC(strtol)(s, NULL, 10); }
LIBC long YC(atol)(const char *s) { return YC(strtol)(s, NULL, 10); }
LIBC long long YC(atoll)(const char *s) { return YC(strtoll)(s, NULL, 10); }

LIBC double YC(strtod)(const char *restrict s, char **restrict end)
{
	const char *after;
	double v = yimmo_parse_double(s, &after);
	if (end)
		*end = (char *)after;
	if (v - v != 0)
		errno = ERANGE;
	return v;
}

LIBC float YC(strtof)(const char *restrict s, char **restrict end) { return (float)YC(strtod)(s, end); }
LIBC double YC(atof)(const char *s) { return YC(strtod)(s, NULL); }

/* rand is a 64-bit linear congruential generator, its upper bits mixed. */
static uint64_t random_state = 1;

static int next_random(uint64_t *s)
{
	*s = *s * 6364136223846793005u + 1442695040888963407u;
	return (int)((*s ^ *s >> 22) >> 29 & 0x7fffffff);
}

LIBC int YC(rand)(void) { return next_random(&random_state); }
LIBC void YC(srand)(unsigned seed) { random_state = seed; }
LIBC long YC(random)(void) { return next_random(&random_state); }
LIBC void YC(srandom)(unsigned seed) { random_state = seed; }

LIBC int YC(rand_r)(unsigned *seed)
{
	uint64_t s = *seed;
	int v = next_random(&s);
	*seed = (unsigned)(s >> 32);
	return v;
}

LIBC uint32_t YC(arc4random)(void) { return (uint32_t)(yimmo_random() >> 32); }

LIBC uint32_t YC(arc4random_uniform)(uint32_t below)
{
	return (uint32_t)((uint64_t)YC(arc4random)() * below >> 32);
}

LIBC void YC(arc4random_buf)(void *p, size_t n)
{
	for (unsigned char *q = p; n--; q++)
		*q = (unsigned char)(yimmo_random() >> 56);
}

/* Heap sort: no memory, no worst case. */

static void swap(unsigned char *a, unsigned char *b, size_t size)
{
	while (size--) {
		unsigned char c = *a;
		*a++ = *b;
		*b++ = c;
	}
}

static void sift(unsigned char *p, size_t at, size_t count, size_t size, int (*cmp)(const void *, const void *))
{
	for (size_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && cmp(p + child * size, p + (child + 1) * size) < 0)
			child++;
		if (cmp(p + at * size, p + child * size) >= 0)
			return;
		swap(p + at * size, p + child * size, size);
	}
}

LIBC void YC(qsort)(void *p, size_t count, size_t size, int (*cmp)(const void *, const void *))
{
	for (size_t i = count / 2; i--;)
		sift(p, i, count, size, cmp);
	for (size_t n = count; n > 1; n--) {
		swap(p, (unsigned char *)p + (n - 1) * size, size);
		sift(p, 0, n - 1, size, cmp);
	}
}

LIBC void *YC(bsearch)(const void *key, const void *p, size_t count, size_t size, int (*cmp)(const void *, const void *))
{
	while (count) {
		const char *middle = (const char *)p + count / 2 * size;
		int c = cmp(key, middle);
		if (!c)
			return (void *)middle;
		if (c > 0) {
			p = middle + size;
			count -= count / 2 + 1;
		} else {
			count /= 2;
		}
	}
	return NULL;
}

#if defined(__wasm__)

int yimmo_errno;

static void *or_errno(void *p)
{
	if (!p)
		errno = ENOMEM;
	return p;
}

LIBC void *malloc(size_t n) { return or_errno(yimmo_alloc(n)); }
LIBC void free(void *p) { yimmo_free(p); }
LIBC void *aligned_alloc(size_t align, size_t n) { return or_errno(yimmo_alloc_aligned(align, n)); }

LIBC void *calloc(size_t count, size_t size)
{
	size_t n;
	if (__builtin_mul_overflow(count, size, &n))
		return or_errno(NULL);
	void *p = malloc(n);
	return p ? memset(p, 0, n) : NULL;
}

LIBC void *realloc(void *p, size_t n)
{
	if (p && !n) {
		free(p);
		return NULL;
	}
	return or_errno(yimmo_resize(p, n));
}

LIBC void *reallocarray(void *p, size_t count, size_t size)
{
	size_t n;
	return __builtin_mul_overflow(count, size, &n) ? or_errno(NULL) : realloc(p, n);
}

LIBC int posix_memalign(void **p, size_t align, size_t n)
{
	if (!align || align & (align - 1) || align % sizeof(void *))
		return EINVAL;
	void *q = yimmo_alloc_aligned(align, n);
	if (!q)
		return ENOMEM;
	*p = q;
	return 0;
}

/* Nothing leaves a plugin in mid-turn. The names show in the host's report. */
YIMMO_TRAP(yimmo_program_called_abort)
YIMMO_TRAP(yimmo_program_called_exit)
YIMMO_TRAP(yimmo_assertion_failed)

LIBC void abort(void) { yimmo_program_called_abort(); }
LIBC void exit(int status) { (void)status; yimmo_program_called_exit(); }
LIBC void _Exit(int status) { exit(status); }
LIBC void _exit(int status) { exit(status); }

LIBC void yimmo_assert_failed(const char *what, const char *file, int line, const char *func)
{
	(void)what, (void)file, (void)line, (void)func; /* a trap takes the log of its turn along */
	yimmo_assertion_failed();
}

#endif
