/* What the parts of the SDK know of each other. Not for plugins. */
#ifndef YIMMO_CORE_H
#define YIMMO_CORE_H

#include "../include/yimmo/guest.h"

#define YIMMO_PAGE 65536u

#if defined(__GNUC__)
#define YIMMO_COLD __attribute__((cold, noinline))
#else
#define YIMMO_COLD
#endif

/* A command as it lies in the command ring. */
typedef struct yimmo_command {
	uint8_t kind, flags;
	uint16_t code;
	uint32_t len;
	uint64_t id;
	uint32_t addr, tag;
	uint64_t arg;
} yimmo_command;

/* The control block, written here in init; granted and what follows belongs to
 * the host, but for consumed and more. */
typedef struct yimmo_control {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t needs, wants;
	uint32_t events_addr, events_cap;
	uint32_t commands_addr, commands_cap;
	uint32_t area_addr, area_cap;
	uint32_t granted, consumed, more, reserved;
	int64_t now, mono;
	uint64_t seed, turn, reserved2;
} yimmo_control;

_Static_assert(sizeof(yimmo_event) == YIMMO_RECORD_SIZE, "event record");
_Static_assert(sizeof(yimmo_command) == YIMMO_RECORD_SIZE, "command record");
_Static_assert(sizeof(yimmo_control) == YIMMO_CONTROL_SIZE, "control block");
_Static_assert(offsetof(yimmo_event, id) == YIMMO_RECORD_OFFSET_ID, "event id");
_Static_assert(offsetof(yimmo_event, user) == YIMMO_RECORD_OFFSET_USER, "event user");
_Static_assert(offsetof(yimmo_command, tag) == YIMMO_RECORD_OFFSET_TAG, "command tag");
_Static_assert(offsetof(yimmo_control, granted) == YIMMO_OFFSET_GRANTED, "granted");
_Static_assert(offsetof(yimmo_control, more) == YIMMO_OFFSET_MORE, "more");
_Static_assert(offsetof(yimmo_control, now) == YIMMO_OFFSET_NOW, "now");
_Static_assert(offsetof(yimmo_control, turn) == YIMMO_OFFSET_TURN, "turn");
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "records are little-endian and are used as they lie in memory"
#endif

/* What must outlive every image of memory that program.c takes and restores:
 * the blocks that the host knows about, and how far a call has come. It lies in
 * pages of its own, with the rings and the receive area behind it. */
typedef struct yimmo_host_side {
	yimmo_control control;
	yimmo_event *events;
	yimmo_command *commands;
	unsigned char *area;
	uint32_t cap;           /* of the command ring */
	uint32_t count;         /* commands in it */
	uint32_t tag;
	bool held;              /* the event at first is done, but not all its commands are out */
	uint64_t random;        /* state of yimmo_random, set anew for each call */
	unsigned char *spare;   /* what is left of the pages that this lies in */
	size_t spare_size;
	uintptr_t stack_low;    /* the stack that is free for calls: [low, top) */
	uintptr_t stack_top;
} yimmo_host_side;

extern yimmo_host_side *yimmo_side;

/* turn.c: the two exports without what is special to WebAssembly. The stack is
 * what calls use from now on; it grows down. */
uint32_t yimmo_core_init(uint32_t events, uint32_t commands, uint32_t area, uintptr_t stack_low, uintptr_t stack_top);
void yimmo_core_turn(uint32_t first, uint32_t end);
void yimmo_core_close(void); /* says how far the call has come */

/* Hooks of the layer that gives original-style programs their main. All but
 * reset may give commands. */
typedef struct yimmo_hooks {
	void (*init)(yimmo_control *c);  /* may add to needs and wants */
	void (*turn_end)(void);
	void (*flush)(void);             /* after turn_end: half-written lines */
	void (*reset)(void);             /* the host has read all commands given so far */
	void (*call_begin)(void);        /* before anything else of a call */
	/* After everything else of a call, once: nothing but the export itself is on
	 * the stack then, so stack_top may be moved. */
	void (*main)(void);
	void (*after_main)(void);
} yimmo_hooks;
extern yimmo_hooks yimmo_hook;
extern const yimmo_hooks yimmo_layer __attribute__((weak)); /* what hook begins with */
extern uint64_t yimmo_log_session; /* session whose callback is running, for lines without one */

/* commands.c */
#define YIMMO_EINVAL 22 /* errno.h has the same numbers */
#define YIMMO_ENOMEM 12

/* yimmo_give queues a command with n parts: the first is its payload, the others
 * follow as pieces. All of them or, with ENOMEM or EINVAL, nothing. */
int yimmo_give(yimmo_command head, const yimmo_bucket *parts, size_t n);
void yimmo_commands_flush(void);   /* moves what did not fit into the ring */
bool yimmo_commands_waiting(void); /* something is left for the next call */

/* guest.c: fields, encoded in scratch. 0 or an errno value. */
int yimmo_encode_fields(yimmo_bucket *out, const yimmo_field *fields, size_t n);

/* scratch.c: memory that lasts until reset. */
void *yimmo_scratch(size_t n);
void yimmo_scratch_reset(void);

/* pages.c: whole pages, aligned to 16 and zero at first use. NULL when there are none. */
void *yimmo_pages(size_t bytes);

/* Which pages were given out, so that they can be given out again. */
#define YIMMO_PAGE_RUNS 32
typedef struct yimmo_page_run { uint32_t addr, pages; } yimmo_page_run;
typedef struct yimmo_page_log {
	enum { YIMMO_PAGES_RECORD, YIMMO_PAGES_REPLAY } mode;
	uint32_t used, at;
	bool lost; /* the log does not tell the truth any more */
	yimmo_page_run run[YIMMO_PAGE_RUNS];
} yimmo_page_log;
extern yimmo_page_log *yimmo_page_log_on; /* NULL: none is kept */

/* heap.c */
typedef struct yimmo_heap yimmo_heap;
void *yimmo_alloc_aligned(size_t align, size_t n);
size_t yimmo_alloc_size(const void *p);
void yimmo_heap_donate(void *p, size_t n);
/* The heap's first region, and how far it was ever in use. */
typedef struct yimmo_heap_extent { unsigned char *from, *top, *end; } yimmo_heap_extent;
yimmo_heap_extent yimmo_heap_first(void);

/* The stack pointer, and addresses as records hold them. */
#if defined(__wasm__)
static inline uint32_t yimmo_stack(void)
{
	uint32_t v;
	__asm__ volatile(".globaltype __stack_pointer, i32\n"
		"global.get __stack_pointer\n"
		"local.set %0" : "=r"(v));
	return v;
}
static inline void yimmo_set_stack(uint32_t v)
{
	__asm__ volatile("local.get %0\n"
		"global.set __stack_pointer" : : "r"(v) : "memory");
}
static inline uint32_t yimmo_addr(const void *p) { return (uint32_t)(uintptr_t)p; }
static inline void *yimmo_at(uint32_t addr) { return (void *)(uintptr_t)addr; }
#else
uint32_t yimmo_addr(const void *p); /* native.c */
void *yimmo_at(uint32_t addr);
#endif

/* Formatting: format.c calls put for runs of bytes. */
typedef struct yimmo_sink {
	void (*put)(struct yimmo_sink *s, const char *p, size_t n);
	size_t total;
} yimmo_sink;
void yimmo_format_to(yimmo_sink *s, const char *format, va_list args);
int yimmo_log_va(uint8_t level, uint64_t session, const char *format, va_list args);

/* number.c: digits of a double; see there. */
size_t yimmo_format_hex(char *dst, double v, char conversion, int precision, bool alternate);
size_t yimmo_format_double(char *dst, double v, char conversion, int precision, bool alternate);
double yimmo_parse_double(const char *s, const char **end);

#define yimmo_min(a, b) ((a) < (b) ? (a) : (b))

/* The compiler turns these into memory.copy and memory.fill. */
#define yimmo_bytes_copy __builtin_memcpy
#define yimmo_bytes_move __builtin_memmove
#define yimmo_bytes_set __builtin_memset
#define yimmo_bytes_cmp __builtin_memcmp

/* A trap whose name shows in the host's log. */
#define YIMMO_TRAP(name) \
	__attribute__((noreturn, noinline, cold)) static void name(void) { __builtin_trap(); }

#endif
