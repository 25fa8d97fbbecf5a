/* What a plugin that runs in serve.c can do that others cannot. */
#ifndef YIMMO_TEST_SERVE_H
#define YIMMO_TEST_SERVE_H

#include <stddef.h>
#include <stdint.h>

#define NATIVE_WINDOW 0x60000u /* bytes of the plugin's own at the end of memory */

uint32_t native_memory_size(void);       /* in pages */
uint32_t native_memory_grow(uint32_t n); /* the size before, or UINT32_MAX */
void native_poke(void *p, const void *from, size_t n);
_Noreturn void native_fail(void);        /* ends the process as a trap would */

#endif
