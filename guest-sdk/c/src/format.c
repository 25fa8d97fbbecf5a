/* printf formats, without a libc. */
#include "core.h"

#include <limits.h>

typedef struct spec {
	bool left, plus, space, alternate, zero;
	int width, precision; /* precision -1: not given */
	char length;          /* 'H' hh, 'h', 'l', 'L' ll and long double, 'j', 'z', 't', 0 */
	char conversion;
} spec;

static void emit(yimmo_sink *s, const char *p, size_t n)
{
	if (n) {
		s->total += n;
		s->put(s, p, n);
	}
}

static void pad(yimmo_sink *s, char c, int n)
{
	char run[16];
	yimmo_bytes_set(run, c, sizeof run);
	for (; n > 0; n -= (int)sizeof run)
		emit(s, run, (size_t)yimmo_min(n, (int)sizeof run));
}

/* field writes prefix and body, padded to the width; zeros go between the two. */
static void field(yimmo_sink *s, const spec *f, const char *prefix, size_t before, int zeros, const char *body, size_t n)
{
	int64_t used = (int64_t)before + zeros + (int64_t)n;
	int fill = used < f->width ? f->width - (int)used : 0;
	if (fill && f->zero && !f->left) {
		zeros += fill;
		fill = 0;
	}
	if (!f->left)
		pad(s, ' ', fill);
	emit(s, prefix, before);
	pad(s, '0', zeros);
	emit(s, body, n);
	if (f->left)
		pad(s, ' ', fill);
}

static const char *sign_of(const spec *f, bool negative)
{
	return negative ? "-" : f->plus ? "+" : f->space ? " " : "";
}

static void integer(yimmo_sink *s, spec f, uint64_t v, unsigned base, const char *prefix)
{
	char digits[64], *p = digits + sizeof digits;
	const char *set = f.conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	if (f.alternate && base == 16 && v)
		prefix = f.conversion == 'X' ? "0X" : "0x";
	bool zero = v == 0;
	for (; v; v /= base)
		*--p = set[v % base];
	int n = (int)(digits + sizeof digits - p);
	if (f.precision >= 0)
		f.zero = false;
	int least = f.precision < 0 ? 1 : f.precision;
	if (f.alternate && base == 8 && least <= n && !(zero && least))
		least = n + 1;
	field(s, &f, prefix, __builtin_strlen(prefix), least > n ? least - n : 0, p, (size_t)n);
}

static void string(yimmo_sink *s, spec f, const char *p)
{
	if (!p)
		p = f.precision < 0 || f.precision >= 6 ? "(null)" : "";
	size_t most = f.precision < 0 ? SIZE_MAX : (size_t)f.precision, n = 0;
	while (n < most && p[n])
		n++;
	f.zero = false;
	field(s, &f, "", 0, 0, p, n);
}

/* hexadecimal writes v, finite and without its sign. It has 13 digits behind the point,
 * so more than a hundred are not worth a buffer of any size. */
static void hexadecimal(yimmo_sink *s, spec f, const char *sign, double v)
{
	char text[128], prefix[4];
	yimmo_format(prefix, sizeof prefix, "%s0%c", sign, f.conversion == 'A' ? 'X' : 'x');
	size_t n = yimmo_format_hex(text, v, f.conversion, yimmo_min(f.precision, 100), f.alternate);
	field(s, &f, prefix, __builtin_strlen(prefix), 0, text, n);
}

static void real(yimmo_sink *s, spec f, double v)
{
	char small[128], *p = small;
	bool negative = __builtin_signbit(v) != 0;
	if (negative)
		v = -v;
	if (!(v - v == 0)) { /* infinite or no number */
		bool lower = f.conversion >= 'a';
		const char *word = v != v ? (lower ? "nan" : "NAN") : (lower ? "inf" : "INF");
		f.zero = false;
		field(s, &f, sign_of(&f, negative), __builtin_strlen(sign_of(&f, negative)), 0, word, 3);
		return;
	}
	if (f.conversion == 'a' || f.conversion == 'A') {
		hexadecimal(s, f, sign_of(&f, negative), v);
		return;
	}
	int precision = f.precision < 0 ? 6 : f.precision;
	/* A double has at most 1074 digits behind the point that are not zero. */
	int most = f.conversion == 'f' || f.conversion == 'F' ? 1074 : 1100;
	int trailing = precision > most ? precision - most : 0;
	if ((f.conversion == 'g' || f.conversion == 'G') && !f.alternate)
		trailing = 0;
	precision = yimmo_min(precision, most);
	if (v >= 1e60 || precision > 40) {
		p = yimmo_alloc(1600);
		if (!p) {
			emit(s, "?", 1);
			return;
		}
	}
	size_t n = yimmo_format_double(p, v, f.conversion, precision, f.alternate);
	if (!trailing) {
		field(s, &f, sign_of(&f, negative), __builtin_strlen(sign_of(&f, negative)), 0, p, n);
	} else { /* zeros that no buffer holds: before the exponent, if there is one */
		size_t head = n;
		for (size_t i = 0; i < n; i++)
			if (p[i] == 'e' || p[i] == 'E')
				head = i;
		spec plain = f;
		plain.width = f.width - trailing - (int)(n - head);
		if (f.left)
			plain.width = 0;
		field(s, &plain, sign_of(&f, negative), __builtin_strlen(sign_of(&f, negative)), 0, p, head);
		pad(s, '0', trailing);
		emit(s, p + head, n - head);
		if (f.left)
			pad(s, ' ', f.width - trailing - (int)n - (int)__builtin_strlen(sign_of(&f, negative)));
	}
	if (p != small)
		yimmo_free(p);
}

static const char *parse_number(const char *p, int *n)
{
	int64_t v = 0;
	for (; *p >= '0' && *p <= '9'; p++)
		if (v <= INT_MAX)
			v = v * 10 + (*p - '0');
	*n = v > INT_MAX ? INT_MAX : (int)v;
	return p;
}

static const char *parse_flags(const char *p, spec *f)
{
	for (;; p++)
		switch (*p) {
		case '-': f->left = true; break;
		case '+': f->plus = true; break;
		case ' ': f->space = true; break;
		case '#': f->alternate = true; break;
		case '0': f->zero = true; break;
		default: return p;
		}
}

static const char *parse_length(const char *p, spec *f)
{
	switch (*p) {
	case 'h': f->length = p[1] == 'h' ? 'H' : 'h'; break;
	case 'l': f->length = p[1] == 'l' ? 'L' : 'l'; break;
	case 'q': case 'L': f->length = 'L'; return p + 1;
	case 'j': case 'z': case 't': f->length = *p; break;
	default: return p;
	}
	return p + (f->length == 'H' || f->length == 'L' ? 2 : 1);
}

static int64_t take_signed(const spec *f, va_list *args)
{
	switch (f->length) {
	case 'H': return (signed char)va_arg(*args, int);
	case 'h': return (short)va_arg(*args, int);
	case 'l': return va_arg(*args, long);
	case 'L': return va_arg(*args, long long);
	case 'j': return va_arg(*args, intmax_t);
	case 'z': case 't': return va_arg(*args, ptrdiff_t);
	default: return va_arg(*args, int);
	}
}

static uint64_t take_unsigned(const spec *f, va_list *args)
{
	switch (f->length) {
	case 'H': return (unsigned char)va_arg(*args, unsigned);
	case 'h': return (unsigned short)va_arg(*args, unsigned);
	case 'l': return va_arg(*args, unsigned long);
	case 'L': return va_arg(*args, unsigned long long);
	case 'j': return va_arg(*args, uintmax_t);
	case 'z': case 't': return va_arg(*args, size_t);
	default: return va_arg(*args, unsigned);
	}
}

#if defined(__wasm__)
/* A long double has 128 bits here, and the functions that compute with it are in
 * a library that a freestanding program does not have. */
static double take_long_double(va_list *args)
{
	long double quad = va_arg(*args, long double); /* moved, never computed with */
	struct { uint64_t low, high; } q;
	yimmo_bytes_copy(&q, &quad, sizeof q);
	uint64_t sign = q.high & (uint64_t)1 << 63, m = (q.high & 0xffffffffffff) << 4 | q.low >> 60, bits;
	int64_t e = (int64_t)(q.high >> 48 & 0x7fff) - 16383 + 1023;
	bool up = q.low >> 59 & 1 && (m & 1 || q.low << 5); /* half to even */
	if (e >= 0x7ff)
		bits = (uint64_t)0x7ff << 52 | (e - 1023 == 16384 && (m || q.low << 4) ? 1 : 0);
	else
		bits = e > 0 ? ((uint64_t)e << 52 | m) + up : 0; /* nothing below 2^-1022 */
	bits |= sign;
	double v;
	yimmo_bytes_copy(&v, &bits, sizeof v);
	return v;
}
#else
static double take_long_double(va_list *args) { return (double)va_arg(*args, long double); }
#endif

/* store_total is the conversion n: how much has been written so far. */
static void store_total(const yimmo_sink *s, const spec *f, void *p)
{
	switch (f->length) {
	case 'H': *(signed char *)p = (signed char)s->total; break;
	case 'h': *(short *)p = (short)s->total; break;
	case 'l': *(long *)p = (long)s->total; break;
	case 'L': *(long long *)p = (long long)s->total; break;
	case 'j': *(intmax_t *)p = (intmax_t)s->total; break;
	case 'z': case 't': *(ptrdiff_t *)p = (ptrdiff_t)s->total; break;
	default: *(int *)p = (int)s->total;
	}
}

/* convert takes the argument of f and writes it. False: no such conversion. */
static bool convert(yimmo_sink *s, spec f, va_list *args)
{
	char c;
	int64_t v;
	switch (f.conversion) {
	case 'd': case 'i':
		v = take_signed(&f, args);
		integer(s, f, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, sign_of(&f, v < 0));
		return true;
	case 'u': integer(s, f, take_unsigned(&f, args), 10, ""); return true;
	case 'o': integer(s, f, take_unsigned(&f, args), 8, ""); return true;
	case 'x': case 'X': integer(s, f, take_unsigned(&f, args), 16, ""); return true;
	case 'p':
		f.alternate = true;
		f.conversion = 'x';
		v = (int64_t)(uintptr_t)va_arg(*args, void *);
		if (v)
			integer(s, f, (uint64_t)v, 16, "");
		else
			string(s, (spec){ .width = f.width, .left = f.left, .precision = -1 }, "(nil)");
		return true;
	case 'c':
		c = (char)va_arg(*args, int);
		f.zero = false;
		field(s, &f, "", 0, 0, &c, 1);
		return true;
	case 's': string(s, f, va_arg(*args, const char *)); return true;
	case 'f': case 'F': case 'e': case 'E': case 'g': case 'G': case 'a': case 'A':
		real(s, f, f.length == 'L' ? take_long_double(args) : va_arg(*args, double));
		return true;
	case 'n': store_total(s, &f, va_arg(*args, void *)); return true;
	default: return false;
	}
}

void yimmo_format_to(yimmo_sink *s, const char *format, va_list list)
{
	va_list args;
	va_copy(args, list);
	for (const char *p = format; *p;) {
		const char *from = p;
		while (*p && *p != '%')
			p++;
		emit(s, from, (size_t)(p - from));
		if (!*p)
			break;
		from = p++;
		if (*p == '%') {
			emit(s, p++, 1);
			continue;
		}
		spec f = { .precision = -1 };
		p = parse_flags(p, &f);
		if (*p == '*') {
			p++;
			f.width = va_arg(args, int);
			if (f.width < 0) {
				f.left = true;
				f.width = f.width == INT_MIN ? INT_MAX : -f.width;
			}
		} else {
			p = parse_number(p, &f.width);
		}
		if (*p == '.') {
			if (*++p == '*') {
				p++;
				f.precision = va_arg(args, int);
				if (f.precision < 0)
					f.precision = -1;
			} else {
				p = parse_number(p, &f.precision);
			}
		}
		p = parse_length(p, &f);
		f.conversion = *p;
		if (*p)
			p++;
		if (!convert(s, f, &args)) { /* as it stands; later arguments cannot be known */
			emit(s, from, __builtin_strlen(from));
			break;
		}
	}
	va_end(args);
}

/* snprintf and the log line. */

typedef struct memory_sink {
	yimmo_sink sink;
	char *at;
	size_t left;
} memory_sink;

static void put_memory(yimmo_sink *sink, const char *p, size_t n)
{
	memory_sink *m = (memory_sink *)sink;
	n = yimmo_min(n, m->left);
	if (!n)
		return; /* at may be NULL */
	yimmo_bytes_copy(m->at, p, n);
	m->at += n;
	m->left -= n;
}

int yimmo_vformat(char *dst, size_t size, const char *format, va_list args)
{
	memory_sink m = { { put_memory, 0 }, dst, size ? size - 1 : 0 };
	yimmo_format_to(&m.sink, format, args);
	if (size)
		*m.at = 0;
	return m.sink.total > INT_MAX ? -1 : (int)m.sink.total;
}

int yimmo_format(char *dst, size_t size, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = yimmo_vformat(dst, size, format, args);
	va_end(args);
	return n;
}

int yimmo_log_va(uint8_t level, uint64_t session, const char *format, va_list args)
{
	char small[256], *line = small;
	size_t n = (size_t)yimmo_vformat(small, sizeof small, format, args);
	if (n >= sizeof small) {
		n = yimmo_min(n, (size_t)YIMMO_MAX_LOG);
		line = yimmo_scratch(n + 1);
		if (!line)
			return YIMMO_ENOMEM;
		yimmo_vformat(line, n + 1, format, args);
	}
	return yimmo_log_text(level, session, line, n);
}

int yimmo_log(uint8_t level, uint64_t session, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int err = yimmo_log_va(level, session, format, args);
	va_end(args);
	return err;
}
