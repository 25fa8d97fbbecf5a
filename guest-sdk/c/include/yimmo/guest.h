/* yimmo/guest.h - write a plugin in C.
 *
 *     #include <yimmo/guest.h>
 *
 *     static void recv(const yimmo_event *e)
 *     {
 *         yimmo_send(e->id, e->flags, yimmo_data(e), e->len);
 *     }
 *
 *     YIMMO_PLUGIN(.recv = recv)
 *
 * A plugin is a set of callbacks. The host calls into the plugin with a turn:
 * a run of events. Each event calls back once; what the callbacks ask for
 * (send, close, publish ...) is queued as commands, and the host carries the
 * commands out in order when the turn has returned normally. If the plugin
 * traps, none of that turn's commands happen.
 *
 * Nothing here blocks and nothing is called from another thread: there is one
 * thread, and no callback interrupts another.
 *
 * Memory. The bytes of an event (yimmo_data) lie in the receive area and are
 * valid until the callback returns. The bytes given to a command are read by
 * the host after the turn: they must stay where they are, unchanged, until
 * then. Constants, globals and the event's own bytes do. Bytes on the stack are
 * noticed and copied. Heap memory that is freed or reused before the turn ends
 * does not: use yimmo_send_copy, or yimmo_copy.
 *
 * Functions that give commands return 0 or an errno value: EINVAL for what can
 * be seen to be wrong here, ENOMEM when memory is short. The command is then
 * not given. What only the host can see comes back as a refused event.
 */
#ifndef YIMMO_GUEST_H
#define YIMMO_GUEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An event as it lies in the event ring. Which fields mean something depends on
 * the kind; abi/ABI.md has the table. */
typedef struct yimmo_event {
	uint8_t kind;   /* YIMMO_EVENT_... */
	uint8_t flags;  /* recv: byte 0 of the frame, RFC 6455 section 5.2; else bits */
	uint16_t code;  /* close: code; refused, dropped: YIMMO_STATUS_... */
	uint32_t len;   /* bytes at yimmo_data */
	uint64_t id;    /* session, request or timer */
	uint32_t addr;  /* use yimmo_data */
	uint32_t seq;   /* number of the event in its session; refused, dropped: the tag */
	uint64_t user;  /* the session's user word, see yimmo_set_user; 0 at first */
} yimmo_event;

/* A plugin. Every callback may be left out: connect is then accepted, the
 * others are ignored, and without http and http_body the host answers plain
 * requests itself (GET: 200 "OK").
 *
 * needs names features (YIMMO_FEATURE_...) without which the host shall refuse
 * to load the plugin, wants those that it can do without; yimmo_granted tells
 * what is in force. HTTP, TIMERS, TOPICS and BACK_PRESSURE are wanted by
 * themselves when their callback is there. */
typedef struct yimmo_plugin {
	uint32_t needs, wants;
	void (*start)(const yimmo_event *e);     /* first; fields: the configuration */
	void (*stop)(const yimmo_event *e);      /* last */
	void (*connect)(const yimmo_event *e);   /* before the 101; fields: the request */
	void (*recv)(const yimmo_event *e);      /* a frame, a piece of one, or a message */
	void (*close)(const yimmo_event *e);     /* once for each accepted connect */
	void (*http)(const yimmo_event *e);      /* a request; YIMMO_FLAG_END: without body */
	void (*http_body)(const yimmo_event *e); /* YIMMO_FLAG_END: the last of it */
	void (*http_gone)(const yimmo_event *e); /* the client left before the answer was complete */
	void (*timer)(const yimmo_event *e);     /* id: the timer, user: periods missed */
	void (*topic)(const yimmo_event *e);     /* see yimmo_topic_data */
	void (*dropped)(const yimmo_event *e);   /* a send was dropped; seq: its tag */
	void (*drained)(const yimmo_event *e);   /* the session takes data again */
	void (*refused)(const yimmo_event *e);   /* code: why, data: the command's 32 bytes */
	void (*state_export)(const yimmo_event *e);
	void (*state_import)(const yimmo_event *e); /* data: state, YIMMO_FLAG_END on the last */
	void (*turn_end)(void);                  /* all events of a turn are done */
} yimmo_plugin;

extern const yimmo_plugin yimmo_plugin_definition;

/* YIMMO_PLUGIN(.connect = ..., .recv = ...) makes the program a plugin. Once
 * per program, at file scope. */
#define YIMMO_PLUGIN(...) const yimmo_plugin yimmo_plugin_definition = { __VA_ARGS__ };

/* The bytes of an event, len of them; may be NULL when there are none. Valid until
 * the callback returns. */
#if defined(__wasm__)
static inline const void *yimmo_data(const yimmo_event *e)
{
	return (const void *)(uintptr_t)e->addr;
}
#else
const void *yimmo_data(const yimmo_event *e);
#endif

/* A run of bytes. Several of them make a brigade: they leave as one message
 * without being copied together first. */
typedef struct yimmo_bucket {
	const void *data;
	size_t len;
} yimmo_bucket;

/* A name and a value: a header, a configuration key. */
typedef struct yimmo_field {
	yimmo_bucket name, value;
} yimmo_field;

/* YIMMO_FIELD("name", "value") for strings; YIMMO_TEXT("x") for one bucket. */
#define YIMMO_TEXT(s) { (s), __builtin_strlen(s) }
#define YIMMO_FIELD(n, v) { YIMMO_TEXT(n), YIMMO_TEXT(v) }

/* yimmo_next_field steps through the fields of start, connect and http events.
 * *at is 0 before the first; false after the last. Names and values are views,
 * not terminated by zero, valid until the callback returns. */
bool yimmo_next_field(const yimmo_event *e, size_t *at, yimmo_field *f);

/* yimmo_find_field finds the first field with exactly that name. Header names
 * are lower case in events. */
bool yimmo_find_field(const yimmo_event *e, const char *name, yimmo_bucket *value);

/* yimmo_topic_data splits a topic event into the topic's name and the data.
 * False when the event does not hold both. */
bool yimmo_topic_data(const yimmo_event *e, yimmo_bucket *name, yimmo_bucket *data);

/* Sending. flags is byte 0 of the frame: YIMMO_FLAG_FIN | YIMMO_OP_TEXT ...
 * yimmo_send takes the bytes by reference, see Memory above; yimmo_send_copy
 * takes a copy that lasts for the turn. */
int yimmo_send(uint64_t session, uint8_t flags, const void *data, size_t len);
int yimmo_send_copy(uint64_t session, uint8_t flags, const void *data, size_t len);
int yimmo_sendv(uint64_t session, uint8_t flags, const yimmo_bucket *parts, size_t n);

/* One frame to many sessions; the ids are copied. Needs SEND_MANY. */
int yimmo_send_many(const uint64_t *sessions, size_t count, uint8_t flags, const void *data, size_t len);

/* yimmo_close begins the closing handshake. Code 0 sends none, and then reason
 * must be empty; else 1000-1003, 1007-1014, 3000-4999 and at most 123 bytes of
 * UTF-8. reason may be NULL. */
int yimmo_close(uint64_t session, uint16_t code, const char *reason);

/* The answer to connect. Without any of these the session is accepted. fields
 * of accept: headers for the 101, ":protocol" chooses a subprotocol. Status of
 * refuse: 300 to 599. Hold needs HOLD: the answer comes in a later turn. */
int yimmo_accept(uint64_t session, const yimmo_field *fields, size_t n);
int yimmo_refuse(uint64_t session, uint16_t status, const yimmo_field *fields, size_t n, const void *body, size_t len);
int yimmo_hold(uint64_t session);

/* The host keeps one word for each session and hands it out with its events. */
int yimmo_set_user(uint64_t session, uint64_t word);

/* Topics. session 0 subscribes the plugin itself, which then gets topic events.
 * Names are 1 to 255 bytes of UTF-8. except is a session to leave out, or 0.
 * Needs TOPICS. */
int yimmo_publish(const char *topic, uint8_t flags, const void *data, size_t len, uint64_t except);
int yimmo_subscribe(uint64_t session, const char *topic);
int yimmo_unsubscribe(uint64_t session, const char *topic);

/* Timers are named by an id of the plugin's choice; setting an armed one
 * replaces it. delay in nanoseconds from now, not negative. Needs TIMERS. */
int yimmo_timer_set(uint64_t id, int64_t delay, bool repeat);
int yimmo_timer_clear(uint64_t id);

/* Answers to http events. yimmo_answer gives a whole one. yimmo_answer_head
 * begins one that yimmo_answer_body continues; flags: YIMMO_FLAG_END for the
 * last part, YIMMO_FLAG_FLUSH to send at once. Status 200 to 599. */
int yimmo_answer(uint64_t request, uint16_t status, const yimmo_field *fields, size_t n, const void *body, size_t len);
int yimmo_answer_head(uint64_t request, uint16_t status, const yimmo_field *fields, size_t n);
int yimmo_answer_body(uint64_t request, uint8_t flags, const void *data, size_t len);

/* One line for the operator. level is YIMMO_LEVEL_..., session the one that the
 * line is about or 0. The format is that of yimmo_format. Lines longer than
 * YIMMO_MAX_LOG are cut. */
int yimmo_log(uint8_t level, uint64_t session, const char *format, ...) __attribute__((format(printf, 3, 4)));
int yimmo_log_text(uint8_t level, uint64_t session, const char *text, size_t len);

/* A sample. type is YIMMO_METRIC_...; value must be finite, a counter's not
 * negative. The name is 1 to 128 bytes. */
int yimmo_metric(uint8_t type, const char *name, double value);

/* State for the successor, in answer to state_export: any number of parts,
 * YIMMO_FLAG_END with the last. Needs STATE. */
int yimmo_state(uint8_t flags, const void *data, size_t len);

/* yimmo_tag sets the tag of the commands that follow. Refused and dropped events
 * hand it back as seq. 0 at first. */
void yimmo_tag(uint32_t tag);

/* What the host said about this turn. The clocks stand still during a turn:
 * yimmo_now counts nanoseconds since 1970 UTC, yimmo_mono since the plugin
 * began. */
int64_t yimmo_now(void);
int64_t yimmo_mono(void);
uint64_t yimmo_turn(void);
uint32_t yimmo_granted(void);

/* yimmo_random returns random bits. The host chooses the seed of each call into
 * the plugin, so a replay sees the same ones. Not for keys. */
uint64_t yimmo_random(void);

/* yimmo_alloc returns n bytes, aligned to 16, or NULL; yimmo_free takes them
 * back, NULL too. A pointer that did not come from here, or was freed before,
 * traps. yimmo_resize keeps the contents up to the smaller size; on failure it
 * returns NULL and the old memory stays. */
void *yimmo_alloc(size_t n) __attribute__((malloc, warn_unused_result));
void *yimmo_resize(void *p, size_t n) __attribute__((warn_unused_result));
void yimmo_free(void *p);

/* yimmo_copy returns a copy that lasts until the host has read this turn's
 * commands; nobody frees it. NULL when memory is short. */
void *yimmo_copy(const void *data, size_t len);

/* yimmo_format is snprintf: %d %i %u %o %x %X %c %s %p %n %% %f %e %g (and upper
 * case), flags "-+ #0", width and precision (also *), lengths hh h l ll j z t.
 * At most size bytes are written, the last of them zero; the result is the
 * length that there would have been, or -1 if it is above INT_MAX. %n is
 * refused: it writes nothing. Floating point is exact to 17 digits. */
int yimmo_format(char *dst, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int yimmo_vformat(char *dst, size_t size, const char *format, va_list args);

#ifdef __cplusplus
}
#endif

#endif
