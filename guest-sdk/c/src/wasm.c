/* The module's exports. */
#include "core.h"

#if defined(__wasm__)

extern unsigned char __data_end[];
void __wasm_call_ctors(void);

/* init runs constructors itself: a module with _initialize, which wasi-libc
 * brings, has had that called. */
__attribute__((export_name(YIMMO_EXPORT_INIT)))
uint32_t yimmo_v1_init(uint32_t events, uint32_t commands, uint32_t area)
{
	if (yimmo_side)
		return 0; /* once */
#if !defined(__wasi__)
	__wasm_call_ctors();
#endif
	/* The stack lies below the data (--stack-first) or between data and heap. */
	uint32_t top = yimmo_stack(), data_end = yimmo_addr(__data_end);
	return yimmo_core_init(events, commands, area, top > data_end ? data_end : 0, top);
}

__attribute__((export_name(YIMMO_EXPORT_TURN)))
uint32_t yimmo_v1_turn(uint32_t first, uint32_t end)
{
	if (!yimmo_side)
		return 0;
	uint32_t stack = yimmo_stack();
	yimmo_set_stack((uint32_t)yimmo_side->stack_top);
	if (yimmo_hook.call_begin)
		yimmo_hook.call_begin();
	yimmo_core_turn(first, end);
	if (yimmo_hook.main) {
		yimmo_hook.main();
		yimmo_set_stack((uint32_t)yimmo_side->stack_top); /* it may have moved */
		yimmo_hook.after_main();
	}
	yimmo_set_stack(stack);
	return yimmo_side->count;
}

#endif
