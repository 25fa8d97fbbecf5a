/* ymo_util.h, ymo_env.h, ymo_blalloc.h. */
#include "ymo.h"

#include "../../include/ymo_blalloc.h"
#include "../../include/ymo_env.h"
#include "../../include/ymo_util.h"

const char YMO_BASE64_TABLE[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void ymo_ntolower(char *dst, const char *src, size_t len)
{
	for (size_t i = 0; i < len; i++)
		dst[i] = ymo_tolower(src[i]);
}

void ymo_ntoupper(char *dst, const char *src, size_t len)
{
	for (size_t i = 0; i < len; i++)
		dst[i] = ymo_toupper(src[i]);
}

ymo_status_t ymo_base64_encode(char *dst, const unsigned char *src, size_t len)
{
	if (!dst || (!src && len))
		return EINVAL;
	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)src[i] << 16 | (i + 1 < len ? (uint32_t)src[i + 1] << 8 : 0) | (i + 2 < len ? src[i + 2] : 0);
		*dst++ = YMO_BASE64_TABLE[v >> 18];
		*dst++ = YMO_BASE64_TABLE[v >> 12 & 63];
		*dst++ = i + 1 < len ? YMO_BASE64_TABLE[v >> 6 & 63] : '=';
		*dst++ = i + 2 < len ? YMO_BASE64_TABLE[v & 63] : '=';
	}
	*dst = 0;
	return YMO_OKAY;
}

char *ymo_base64_encoded(const unsigned char *src, size_t len)
{
	char *p = len > SIZE_MAX / 2 ? NULL : malloc(YMO_BASE64_LEN(len) + 1);
	if (!p)
		errno = ENOMEM;
	else
		ymo_base64_encode(p, src, len);
	return p;
}

/* As in libyimmo the default, where there is one, stands in for what is missing and for
 * what is no number, and that is no error. */
#define AS_NUMBER(type, parse) \
	const char *text = ymo_setting(name), *end = text; \
	errno = 0; \
	type v = text ? parse : 0; \
	bool good = text && end != text && !*end && !errno; \
	if (!good && !def) \
		return errno ? errno : EINVAL; \
	*value = good ? v : *def; \
	return 0

int ymo_env_as_long(const char *name, long *value, long *def) { AS_NUMBER(long, strtol(text, (char **)&end, 10)); }
int ymo_env_as_double(const char *name, double *value, double *def) { AS_NUMBER(double, yimmo_parse_double(text, &end)); }
int ymo_env_as_float(const char *name, float *value, float *def) { AS_NUMBER(float, (float)yimmo_parse_double(text, &end)); }

ymo_blalloc_t *ymo_blalloc_create(size_t n)
{
	ymo_blalloc_t *b = n > SIZE_MAX / 2 ? NULL : malloc(sizeof *b + n);
	if (!b) {
		errno = ENOMEM;
		return NULL;
	}
	b->total = n;
	b->end = b->val + n;
	ymo_blalloc_reset(b);
	return b;
}

void *ymo_blalloc(ymo_blalloc_t *b, size_t a, size_t n)
{
	if (!a || a & (a - 1)) {
		errno = EINVAL;
		return NULL;
	}
	size_t skip = (a - ((uintptr_t)b->current & (a - 1))) & (a - 1);
	if (skip > b->remain || n > b->remain - skip) {
		errno = ENOMEM;
		return NULL;
	}
	void *p = b->current + skip;
	b->current += skip + n;
	b->remain -= skip + n;
	return p;
}

char *ymo_blalloc_strdup(ymo_blalloc_t *b, const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = ymo_blalloc(b, 1, n);
	return p ? memcpy(p, s, n) : NULL;
}

void ymo_blalloc_reset(ymo_blalloc_t *b)
{
	b->current = b->val;
	b->remain = b->total;
}

void ymo_blalloc_free(ymo_blalloc_t *b) { free(b); }
