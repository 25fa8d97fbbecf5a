/* The small C library: how its sources name things.
 *
 * In a plugin the functions have their C names. Elsewhere, in tests, they are
 * called yc_memcpy and so on, so that they can be compared with the real ones.
 */
#ifndef YIMMO_SRC_LIBC_H
#define YIMMO_SRC_LIBC_H

#include "../core.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The compiler knows what strcpy does, and would make a call of strcpy from what is
 * in strcpy. Every function that has a C name says LIBC. */
#if defined(__clang__)
#define LIBC __attribute__((no_builtin, weak)) /* a program may bring its own */
#else
#define LIBC __attribute__((optimize("no-tree-loop-distribute-patterns")))
#endif

#if defined(__wasm__)
#define YC(name) name
#else
#define YC(name) yc_##name
#endif

#endif
