/* The SDK outside of WebAssembly, for tests under sanitizers. */
#ifndef YIMMO_TEST_NATIVE_H
#define YIMMO_TEST_NATIVE_H

#include "../../src/core.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A host in a few lines: events in, commands judged and handed to command. */
typedef struct host host;
typedef struct host_command {
	yimmo_command record;
	const char *payload; /* as many bytes as record.len */
	char *pieces;        /* joined */
	size_t pieces_len;
} host_command;

/* host_begin starts the plugin of this program. Features offered, rings, area as
 * the host asks for them. */
void host_begin(uint32_t features, uint32_t rings, uint32_t area, void (*command)(const host_command *c));
/* host_event puts an event into the queue; payload is copied. */
void host_event(yimmo_event e, const void *payload, size_t len);
/* host_turn runs turns until the queue is empty. */
void host_turn(void);
/* host_end frees everything. */
void host_end(void);
void host_pass(int64_t ns);

#define CHECK(x) ((x) ? (void)0 : check_failed(#x, __FILE__, __LINE__))
_Noreturn void check_failed(const char *what, const char *file, int line);

uint64_t test_random(void);
extern uint64_t test_seed;

#endif
