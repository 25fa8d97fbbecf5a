/* A failed assert traps: the host rolls the turn back and reports where. */
#include "yimmo_libc.h"
#undef assert
#ifdef NDEBUG
#define assert(x) ((void)0)
#else
#define assert(x) ((x) ? (void)0 : yimmo_assert_failed(#x, __FILE__, __LINE__, __func__))
#endif
#ifndef YIMMO_ASSERT_H
#define YIMMO_ASSERT_H
YIMMO_LIBC_BEGIN
__attribute__((noreturn)) void yimmo_assert_failed(const char *what, const char *file, int line, const char *func);
YIMMO_LIBC_END
#ifndef __cplusplus
#undef static_assert
#define static_assert _Static_assert
#endif
#endif
