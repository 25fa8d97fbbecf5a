/* yimmo.c - the SDK in one file: compile it with your plugin.
 *
 *     make -C guest-sdk/c PLUGIN=/path/to/plugin.c
 *
 * A program with libyimmo's interface and a main of its own takes libyimmo.c
 * instead of this file. */
#include "commands.c"
#include "format.c"
#include "guest.c"
#include "number.c"
#include "scratch.c"
#include "turn.c"

#if defined(__wasm__)
#include "pages.c"
#include "wasm.c"
#endif

#if defined(__wasi__)
#include "wasi.c"
#elif defined(__wasm__)
#include "heap.c"
#endif

#if defined(__wasm__) && !defined(__wasi__)
#include "libc/args.c"
#include "libc/memory.c"
#include "libc/scan.c"
#include "libc/stdio.c"
#include "libc/stdlib.c"
#include "libc/string.c"
#include "libc/time.c"
#endif

#if defined(__wasm__)
#include "libc/uuid.c"
#endif
