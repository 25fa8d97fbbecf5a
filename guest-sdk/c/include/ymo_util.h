/* ymo_util.h - small helpers. */
#ifndef YMO_UTIL_H
#define YMO_UTIL_H

#include <stdint.h>
#include <stdlib.h>

#include "yimmo.h"

YIMMO_BEGIN

extern const char YMO_BASE64_TABLE[];

#define YMO_MIN(x, y)       (((x) < (y)) ? (x) : (y))
#define YMO_TOLOWER(c)      ((c) >= 'A' && (c) <= 'Z' ? (c) | 0x20 : (c))
#define YMO_TOUPPER(c)      ((c) >= 'a' && (c) <= 'z' ? (c) & ~0x20 : (c))
/* Enough for the encoding of len bytes; it needs one more for the zero. */
#define YMO_BASE64_LEN(len) (4 * (((len) + 2) / 3))
#define YMO_PTR_ALIGN       (sizeof(void *) - 1)
#define YMO_PTR_FLOOR(p)    (((uintptr_t)(p)) & ~YMO_PTR_ALIGN)
#define YMO_PTR_CEIL(p)     ((((uintptr_t)(p)) + YMO_PTR_ALIGN) & ~YMO_PTR_ALIGN)

static inline char ymo_tolower(char c) { return (char)YMO_TOLOWER(c); }
static inline char ymo_toupper(char c) { return (char)YMO_TOUPPER(c); }
/* dst may be src. No zero is added. */
void ymo_ntolower(char *dst, const char *src, size_t len);
void ymo_ntoupper(char *dst, const char *src, size_t len);
/* Both end with a zero; the second one allocates. */
ymo_status_t ymo_base64_encode(char *dst, const unsigned char *src, size_t len);
char *ymo_base64_encoded(const unsigned char *src, size_t len);

YIMMO_END

#endif
