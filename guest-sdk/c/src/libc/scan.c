/* sscanf: d i u x o f e g c s [ n %, width, *, h hh l ll z j t. No long double. */
#include "libc.h"

#include <stdarg.h>

typedef struct scan {
	const char *p;
	int width; /* characters that the conversion may take, INT_MAX if not given */
	char length;
	bool drop;
} scan;

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static void store_integer(const scan *s, va_list *args, long long v)
{
	if (s->drop)
		return;
	switch (s->length) {
	case 'H': *va_arg(*args, signed char *) = (signed char)v; break;
	case 'h': *va_arg(*args, short *) = (short)v; break;
	case 'l': *va_arg(*args, long *) = (long)v; break;
	case 'L': case 'j': *va_arg(*args, long long *) = v; break;
	case 'z': case 't': *va_arg(*args, ptrdiff_t *) = (ptrdiff_t)v; break;
	default: *va_arg(*args, int *) = (int)v; break;
	}
}

/* copy_word copies what may be a number, so that the width can end it. */
static void copy_word(scan *s, char *text, size_t size)
{
	size_t n = 0;
	while (is_space(*s->p))
		s->p++;
	while (n < size - 1 && n < (size_t)s->width && s->p[n] && !is_space(s->p[n]))
		text[n] = s->p[n], n++;
	text[n] = 0;
}

static bool take_real(scan *s, va_list *args)
{
	char text[400]; /* more digits than a double has */
	const char *end;
	copy_word(s, text, sizeof text);
	double v = yimmo_parse_double(text, &end);
	if (end == text)
		return false;
	s->p += end - text;
	if (s->drop)
		return true;
	if (s->length == 'l')
		*va_arg(*args, double *) = v;
	else
		*va_arg(*args, float *) = (float)v;
	return true;
}

static bool take_number(scan *s, va_list *args, int base, bool is_signed)
{
	char text[72], *end;
	copy_word(s, text, sizeof text);
	long long v = is_signed ? YC(strtoll)(text, &end, base) : (long long)YC(strtoull)(text, &end, base);
	if (end == text)
		return false;
	s->p += end - text;
	store_integer(s, args, v);
	return true;
}

/* in_set tells whether c is one of the characters between set and end. */
static bool in_set(const char *set, const char *end, char c)
{
	for (; set < end; set++) {
		if (set + 2 < end && set[1] == '-') {
			if ((unsigned char)c >= (unsigned char)set[0] && (unsigned char)c <= (unsigned char)set[2])
				return true;
			set += 2;
		} else if (*set == c) {
			return true;
		}
	}
	return false;
}

/* take_text takes characters for s, c and [; set NULL stands for "no space". */
static bool take_text(scan *s, va_list *args, char kind, const char *set, const char *end, bool invert)
{
	if (kind == 's')
		while (is_space(*s->p))
			s->p++;
	char *to = s->drop ? NULL : va_arg(*args, char *);
	int n = 0, most = kind == 'c' && s->width == INT_MAX ? 1 : s->width;
	while (n < most && *s->p) {
		if (kind == 's' && is_space(*s->p))
			break;
		if (kind == '[' && in_set(set, end, *s->p) == invert)
			break;
		if (to)
			to[n] = *s->p;
		n++;
		s->p++;
	}
	if (to && kind != 'c')
		to[n] = 0;
	return kind == 'c' ? n == most : n > 0;
}

LIBC int YC(vsscanf)(const char *restrict from, const char *restrict format, va_list list)
{
	va_list args;
	va_copy(args, list);
	scan s = { .p = from };
	int done = 0;
	for (const char *f = format; *f; f++) {
		if (is_space(*f)) {
			while (is_space(*s.p))
				s.p++;
			continue;
		}
		if (*f != '%') {
			if (*s.p != *f)
				goto out;
			s.p++;
			continue;
		}
		f++;
		s.drop = *f == '*';
		f += s.drop;
		s.width = 0;
		for (; *f >= '0' && *f <= '9'; f++)
			s.width = s.width < INT_MAX / 100 ? s.width * 10 + (*f - '0') : s.width;
		if (!s.width)
			s.width = INT_MAX;
		s.length = 0;
		if (*f == 'h' || *f == 'l') {
			s.length = f[1] == *f ? (char)(*f ^ 32) : *f;
			f += f[1] == *f ? 2 : 1;
		} else if (*f == 'j' || *f == 'z' || *f == 't' || *f == 'q') {
			s.length = *f == 'q' ? 'L' : *f;
			f++;
		}
		bool ok;
		const char *set = f + 1;
		bool invert = false;
		switch (*f) {
		case 'd': ok = take_number(&s, &args, 10, true); break;
		case 'i': ok = take_number(&s, &args, 0, true); break;
		case 'u': ok = take_number(&s, &args, 10, false); break;
		case 'o': ok = take_number(&s, &args, 8, false); break;
		case 'x': case 'X': ok = take_number(&s, &args, 16, false); break;
		case 'f': case 'F': case 'e': case 'E': case 'g': case 'G': ok = take_real(&s, &args); break;
		case 'c': case 's': ok = take_text(&s, &args, *f, NULL, NULL, false); break;
		case '[':
			invert = *set == '^';
			set += invert;
			for (f = set + (*set == ']'); *f && *f != ']';)
				f++;
			if (!*f)
				goto out;
			ok = take_text(&s, &args, '[', set, f, invert);
			break;
		case 'n':
			store_integer(&s, &args, s.p - from);
			continue;
		case '%':
			while (is_space(*s.p))
				s.p++;
			if (*s.p != '%')
				goto out;
			s.p++;
			continue;
		default:
			goto out;
		}
		if (!ok) {
			if (!done && !*s.p)
				done = -1;
			goto out;
		}
		done += !s.drop;
	}
out:
	va_end(args);
	return done;
}

LIBC int YC(sscanf)(const char *restrict s, const char *restrict format, ...)
{
	va_list args;
	va_start(args, format);
	int n = YC(vsscanf)(s, format, args);
	va_end(args);
	return n;
}
