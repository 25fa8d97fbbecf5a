/* memcpy and the like. With bulk memory, which the build line turns on, each of
 * the first three is one instruction. */
#include "libc.h"

LIBC void *YC(memcpy)(void *restrict to, const void *restrict from, size_t n)
{
#if defined(__wasm_bulk_memory__)
	__builtin_memcpy(to, from, n);
#else
	unsigned char *t = to;
	const unsigned char *f = from;
	for (; n >= 8; n -= 8, t += 8, f += 8) {
		uint64_t w;
		__builtin_memcpy(&w, f, 8);
		__builtin_memcpy(t, &w, 8);
	}
	while (n--)
		*t++ = *f++;
#endif
	return to;
}

LIBC void *YC(memmove)(void *to, const void *from, size_t n)
{
#if defined(__wasm_bulk_memory__)
	__builtin_memmove(to, from, n);
#else
	unsigned char *t = to;
	const unsigned char *f = from;
	if ((uintptr_t)t - (uintptr_t)f >= n) {
		for (; n; n--)
			*t++ = *f++;
	} else {
		while (n--)
			t[n] = f[n];
	}
#endif
	return to;
}

LIBC void *YC(memset)(void *p, int c, size_t n)
{
#if defined(__wasm_bulk_memory__)
	__builtin_memset(p, c, n);
#else
	unsigned char *t = p;
	while (n--)
		*t++ = (unsigned char)c;
#endif
	return p;
}

LIBC int YC(memcmp)(const void *a, const void *b, size_t n)
{
	const unsigned char *p = a, *q = b;
	for (; n >= 8; n -= 8, p += 8, q += 8) {
		uint64_t v, w;
		__builtin_memcpy(&v, p, 8);
		__builtin_memcpy(&w, q, 8);
		if (v != w)
			break;
	}
	for (; n; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

LIBC size_t YC(strlen)(const char *s)
{
	const char *p = s;
	while (*p)
		p++;
	return (size_t)(p - s);
}
