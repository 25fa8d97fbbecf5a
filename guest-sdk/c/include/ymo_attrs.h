/* ymo_attrs.h - compiler attributes under libyimmo's names. */
#ifndef YMO_ATTRS_H
#define YMO_ATTRS_H

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <uuid/uuid.h>

#include "ev.h"

#define YMO_ATTR_MODE(x)    __attribute__((mode(x)))
#define YMO_ATTR_ALIGNED(x) __attribute__((aligned(x)))

/* Enumerations of one and two bytes. */
#define YMO_ENUM8_TYPEDEF(x)  enum x
#define YMO_ENUM8_AS(x)       ; typedef uint8_t x
#define YMO_ENUM16_TYPEDEF(x) enum x
#define YMO_ENUM16_AS(x)      ; typedef uint16_t x

#define YMO_FUNC_MALLOC       __attribute__((malloc))
#define YMO_FUNC_MALLOC_A     malloc
#define YMO_FUNC_MALLOC_P     malloc,
#define YMO_FUNC_UNUSED       __attribute__((unused))
#define YMO_FUNC_UNUSED_A     unused
#define YMO_FUNC_UNUSED_P     unused,
#define YMO_FUNC_ATTR_UNUSED  __attribute__((unused))
#define YMO_FUNC_FLATTEN      __attribute__((flatten))
#define YMO_FUNC_FLATTEN_A    flatten
#define YMO_FUNC_FLATTEN_P    flatten,
#define YMO_FUNC_ATTR_FLATTEN __attribute__((flatten))
#define YMO_FUNC_PURE         __attribute__((pure))
#define YMO_FUNC_PURE_A       pure
#define YMO_FUNC_PURE_P       pure,
#define YMO_FUNC_WEAK         __attribute__((weak))
#define YMO_FUNC_WEAK_A       weak
#define YMO_FUNC_WEAK_P       weak,
#define YMO_STMT_ATTR_FALLTHROUGH() __attribute__((fallthrough))

/* What cannot be in a sandbox does not compile, and says why. */
#if defined(__clang__)
#define YIMMO_CANNOT(why) __attribute__((unavailable(why)))
#else
#define YIMMO_CANNOT(why) __attribute__((error(why)))
#endif

/* Checks the arguments of printf-like functions. */
#define YIMMO_PRINTF(at, args) __attribute__((format(printf, at, args)))

#ifdef __cplusplus
#define YIMMO_BEGIN extern "C" {
#define YIMMO_END   }
#define YIMMO_RESTRICT __restrict
#else
#define YIMMO_BEGIN
#define YIMMO_END
#define YIMMO_RESTRICT restrict
#endif

#endif
