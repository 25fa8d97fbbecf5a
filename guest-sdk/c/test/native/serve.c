/* A plugin outside of WebAssembly for a real host: a process that shares a file's
 * memory with the test (kit_test.go), which hands that to the host as the memory of
 * a guest. Orders come over the standard input, answers leave over the standard
 * output; the rings, the receive area and the control block are in the file.
 *
 *     0            word 2: pages of memory there are now
 *     64 KiB       what the SDK takes as pages: control block, rings, receive area
 *     4 MiB        OUT: payloads of commands that lie outside of the file
 *     12 MiB       WINDOW: memory of the plugin's own, then room to grow
 *     1 GiB        numbers of pointers to heap, stack and data
 *
 * So every byte that a command points at is read here once, by a function that the
 * sanitizers watch, and what lies behind the payloads of a turn is out of bounds.
 */
#include "native.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sanitizer/asan_interface.h>

#include "serve.h"

#define OUT      (4u << 20)
#define WINDOW   (12u << 20)
#define FILE_END (16u << 20)
#define NUMBERS  (1u << 30)
#define SPACE    (1ull << 32)

static unsigned char *base;
static const void *number[1 << 20];
static uint32_t numbers, taken = YIMMO_PAGE, out;

void check_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

/* Addresses. */

uint32_t yimmo_addr(const void *p)
{
	uintptr_t at = (uintptr_t)p - (uintptr_t)base;
	if (!p)
		return 0;
	if (at < SPACE)
		return (uint32_t)at;
	CHECK(numbers < sizeof number / sizeof *number);
	number[numbers] = p;
	return NUMBERS + numbers++;
}

void *yimmo_at(uint32_t addr)
{
	if (addr >= NUMBERS && addr - NUMBERS < numbers)
		return (void *)number[addr - NUMBERS];
	return addr ? base + addr : NULL;
}

const void *yimmo_data(const yimmo_event *e) { return yimmo_at(e->addr); }

/* Memory. The heap is the C library's, so that the sanitizers see every block. */

void *yimmo_alloc(size_t n) { return n > SIZE_MAX / 4 ? NULL : malloc(n); }
void *yimmo_resize(void *p, size_t n) { return n > SIZE_MAX / 4 ? NULL : realloc(p, n); }
void yimmo_free(void *p) { free(p); }

void *yimmo_pages(size_t bytes)
{
	uint32_t n = (uint32_t)(bytes + YIMMO_PAGE - 1) & ~(YIMMO_PAGE - 1);
	CHECK(bytes <= OUT && taken + n <= OUT);
	taken += n;
	return base + taken - n;
}

static uint32_t *pages(void) { return (uint32_t *)base + 2; }

uint32_t native_memory_size(void) { return *pages(); }

uint32_t native_memory_grow(uint32_t n)
{
	uint32_t old = *pages();
	if (n > FILE_END / YIMMO_PAGE - old)
		return UINT32_MAX;
	*pages() += n;
	return old;
}

/* Anything is written, whatever the sanitizers think of it. */
__attribute__((no_sanitize("address"))) void native_poke(void *p, const void *from, size_t n)
{
	volatile unsigned char *to = p;
	const volatile unsigned char *f = from;
	while (n--)
		*to++ = *f++;
}

/* Orders and answers. */

struct order { uint32_t what, first, n, fresh; };
struct answer { uint32_t failed, value; };

static void answer(uint32_t failed, uint32_t value)
{
	struct answer a = { failed, value };
	CHECK(write(1, &a, sizeof a) == sizeof a);
}

void native_fail(void)
{
	answer(1, 0);
	_exit(0);
}

/* fence forbids what lies behind the last event and the last payload. */
static void fence(uint32_t n, bool up)
{
	const yimmo_host_side *s = yimmo_side;
	const yimmo_control *c = &s->control;
	uint32_t end = c->area_addr;
	for (uint32_t i = 0; i < n; i++)
		if (s->events[i].len && s->events[i].addr + s->events[i].len > end)
			end = s->events[i].addr + s->events[i].len;
	const unsigned char *area = base + end, *ring = (const unsigned char *)&s->events[n];
	size_t behind = c->area_addr + c->area_cap - end, left = (c->events_cap - n) * sizeof(yimmo_event);
	if (up) {
		__asan_poison_memory_region(area, behind);
		__asan_poison_memory_region(ring, left);
	} else {
		__asan_unpoison_memory_region(s->area, c->area_cap);
		__asan_unpoison_memory_region(s->events, c->events_cap * sizeof(yimmo_event));
	}
}

/* bring_out copies the payloads of the commands into the file. */
static void bring_out(void)
{
	const yimmo_host_side *s = yimmo_side;
	out = OUT;
	for (uint32_t i = 0; i < s->count && i < s->cap; i++) {
		yimmo_command *c = &s->commands[i];
		if (!c->len || c->addr < NUMBERS || c->addr - NUMBERS >= numbers)
			continue;
		CHECK(c->len <= WINDOW - out);
		memcpy(base + out, number[c->addr - NUMBERS], c->len);
		c->addr = out;
		out += (c->len + 7) & ~7u;
	}
}

static uint32_t run(const struct order *o)
{
	if (o->fresh)
		numbers = 0;
	fence(o->n, true);
	yimmo_core_turn(o->first, o->n);
	fence(o->n, false);
	bring_out();
	return yimmo_side->count;
}

static uint32_t init(const struct order *o)
{
	char here;
	uintptr_t top = (uintptr_t)&here + 65536; /* some frames of the caller, too */
	return yimmo_core_init(o->first, o->first, o->n, (uintptr_t)&here - (1 << 20), top);
}

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	int fd = open(argv[1], O_RDWR);
	base = mmap(NULL, SPACE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(fd >= 0 && base != MAP_FAILED);
	CHECK(mmap(base, FILE_END, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == base);
	*pages() = WINDOW / YIMMO_PAGE + NATIVE_WINDOW / YIMMO_PAGE;
	for (struct order o; read(0, &o, sizeof o) == sizeof o;)
		answer(0, o.what ? run(&o) : init(&o));
	return 0;
}
