/* What the parts of the libyimmo layer know of each other.
 *
 *     proto.c        what programs make before they serve
 *     plugin.c       the host's events, handed to
 *       session.c    WebSocket sessions: connect, receive, send, close
 *         upgrade.c    which protocol takes a handshake
 *         message.c    fragments put together
 *         frames.c     what may be sent
 *       http.c       HTTP requests, by way of the callbacks
 *         exchange.c   a request, its response and its session
 *         request.c    what a program reads
 *         response.c   what it sets, and the commands that it becomes
 *       program.c    main, before and after the loop; program_wasi.c
 *         main.c       where it is
 *         image.c      copies of its memory
 *       timers.c     timers and periodics
 *       signals.c    signals, of which the host sends one
 *       refused.c    commands that the host did not carry out
 *     loop.c         watchers
 *     server.c       servers
 *     conn.c         connections, which are sessions or exchanges
 *
 * Each calls what stands below it or further in, none the other way. On the ground are
 * bucket.c, headers.c, ids.c, status.c, config.c and log.c; queue.c and most of util.c are
 * for programs only.
 */
#ifndef YIMMO_SRC_YMO_H
#define YIMMO_SRC_YMO_H

#include "../core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../include/yimmo.h"
#include "../../include/ymo_bucket.h"
#include "../../include/ymo_http.h"
#include "../../include/ymo_log.h"
#include "../../include/ymo_ws.h"

/* How a connection is closed by others than the peer. NULL: it is an HTTP exchange,
 * which ends with its answer. */
typedef ymo_status_t (*ymo_conn_close_fn)(ymo_conn_t *c, uint16_t code);

/* The first member of what has more to tell about a connection. */
struct ymo_conn {
	ymo_server_t *server; /* NULL once it is freed */
	ymo_proto_t *proto;
	uint64_t id;
	void *user;           /* what user_init returned */
	ymo_conn_close_fn close;
};

typedef struct ymo_upgrade {
	struct ymo_upgrade *next;
	ymo_http_upgrade_cb_t cb;
	ymo_proto_t *proto;
} ymo_upgrade;

struct ymo_proto {
	const char *name;
	bool is_ws;
	/* WebSocket */
	ymo_ws_server_flags_t flags;
	ymo_ws_connect_cb_t connect;
	ymo_ws_recv_cb_t recv;
	ymo_ws_close_cb_t close;
	size_t message_max;
	ymo_http_upgrade_handler_t handler;
	/* HTTP */
	ymo_http_session_init_cb_t session_init;
	ymo_http_session_cleanup_cb_t session_cleanup;
	ymo_http_cb_t http;
	ymo_http_header_cb_t header;
	ymo_http_body_cb_t body;
	ymo_upgrade *upgrades;
	void *data;
};

struct ymo_server {
	ymo_server_config_t config;
	ymo_proto_t *proto;
	ymo_server_state_t state;
};

extern ymo_server_t *ymo_serving; /* the server that was started first, or NULL */

/* conn.c: opened ones are found by the host's id until they are over. */
bool ymo_conn_open(ymo_conn_t *c, uint64_t id, ymo_server_t *server, ymo_proto_t *proto, ymo_conn_close_fn close);
void ymo_conn_over(ymo_conn_t *c);
ymo_conn_t *ymo_conn_get(uint64_t id);
void ymo_conns_close(uint16_t code);
void ymo_conns_orphan(void); /* their server is about to be freed */

/* status.c: what a callback's status means, the README's table. */
bool ymo_is_close_code(int status);
uint16_t ymo_close_code(int status);
uint16_t ymo_http_code(int status);
void ymo_report(const char *callback, int status, const char *outcome);

/* frames.c */
bool ymo_may_send(uint8_t flags, ymo_bucket_t *payload);
bool ymo_may_close_with(const unsigned char *payload, size_t n);

/* ids.c: from ids of the host to what the layer keeps for them. */
typedef struct ymo_ids {
	struct ymo_id { uint64_t id; void *value; } *at;
	uint32_t used, cap; /* cap is 0 or a power of two */
} ymo_ids;
void *ymo_ids_get(const ymo_ids *t, uint64_t id);
bool ymo_ids_put(ymo_ids *t, uint64_t id, void *value);
void ymo_ids_remove(ymo_ids *t, uint64_t id);

/* bucket.c */
void ymo_bucket_sent(ymo_bucket_t *chain);    /* freed when the host has read it */
void ymo_bucket_forgive(ymo_bucket_t *chain); /* sending failed: freed then, unless the program does */
void ymo_bucket_reset(void);

/* yimmo_give_chain gives a command with a payload of its own, if there is one,
 * and a chain of buckets. */
int ymo_give_chain(yimmo_command c, const yimmo_bucket *payload, ymo_bucket_t *chain);

/* headers.c */
bool ymo_headers_read(ymo_http_hdr_table_t *t, const char *name, const char *value);
int ymo_headers_encode(yimmo_bucket *out, const ymo_http_hdr_table_t *t);

/* request.c: what a program reads and the memory behind it. Zero at first. */
typedef struct ymo_request {
	ymo_http_request_t seen; /* by the program */
	char *text;              /* its strings */
	size_t body_cap;
} ymo_request;
bool ymo_request_read(ymo_request *q, const yimmo_event *e); /* false: no memory */
bool ymo_request_keep_body(ymo_request *q, const void *data, size_t n);
void ymo_request_clear(ymo_request *q);

/* response.c */
struct ymo_http_response {
	ymo_http_exchange_t *exchange; /* NULL: an upgrade handler's */
	ymo_http_hdr_table_t headers;
	ymo_http_status_t status;
	ymo_http_flags_t flags;
	bool named;    /* the program set the status */
	bool head_out; /* the head went out */
	ymo_bucket_t *body;
};
void ymo_response_init(ymo_http_response_t *r, ymo_http_exchange_t *x);
void ymo_response_clear(ymo_http_response_t *r);     /* headers and body */
void ymo_response_drop_body(ymo_http_response_t *r); /* it went out, or nobody waits for it */
/* Gives what there is: the head, if it is not out yet, and the body so far. 0, ENOMEM,
 * or EINVAL when the headers are too large. */
int ymo_response_give(ymo_http_response_t *r, uint64_t request);
/* Gives the response as the refusal of a connect, with its own status if it has one. */
void ymo_response_refuse(ymo_http_response_t *r, uint64_t session, uint16_t status);

/* exchange.c */
struct ymo_http_session {
	ymo_conn_t conn;
	void *user;
};
struct ymo_http_exchange {
	ymo_http_session_t session;
	ymo_request request;
	ymo_http_response_t response;
	bool begun;      /* session_init let it in */
	bool in_callback;
	bool complete;   /* the whole request is here */
	bool over;       /* answered, or the client is gone */
	bool promised;   /* the program said that it answers later, and holds on to the response */
	bool ghost;      /* nobody waits for the answer, but the program has not been told */
	ymo_http_exchange_t *next; /* over, and to be freed */
};
ymo_http_exchange_t *ymo_exchange_open(const yimmo_event *e, ymo_server_t *server); /* NULL: no memory */
ymo_http_exchange_t *ymo_exchange_get(const yimmo_event *e);
/* Sends what the response has and what was not sent yet. */
void ymo_exchange_give(ymo_http_exchange_t *x);
/* Answers what the status of that callback stands for. */
void ymo_exchange_fail(ymo_http_exchange_t *x, const char *callback, int status);
/* Ends it before the program has finished its answer. */
void ymo_exchange_abandon(ymo_http_exchange_t *x);
void ymo_exchanges_reset(void); /* frees what the host has read */
void ymo_on_answer_refused(const yimmo_event *e);

/* http.c */
void ymo_on_http(const yimmo_event *e);
void ymo_on_http_body(const yimmo_event *e);
void ymo_on_http_gone(const yimmo_event *e);

/* upgrade.c: the protocol that takes the session of a connect event, or NULL after it
 * was refused. */
ymo_proto_t *ymo_upgrade_choose(const yimmo_event *e, const ymo_proto_t *http);

/* message.c: fragments become a message. Zero at first. */
typedef struct ymo_message {
	const char *data;
	size_t len, cap;
	char *owned;   /* data, unless that lies in the receive area */
	uint8_t flags; /* of its first frame, and FIN */
	bool begun;
} ymo_message;
typedef enum ymo_message_state {
	YMO_MESSAGE_MORE,
	YMO_MESSAGE_WHOLE,
	YMO_MESSAGE_TOO_LARGE,
	YMO_MESSAGE_NO_MEMORY,
} ymo_message_state;
ymo_message_state ymo_message_add(ymo_message *m, const yimmo_event *e, size_t most);
void ymo_message_done(ymo_message *m); /* of a whole one, after the callback: freed when the host has read it */
void ymo_message_drop(ymo_message *m); /* of one that will not become whole */

/* session.c */
void ymo_on_connect(const yimmo_event *e);
void ymo_on_recv(const yimmo_event *e);
void ymo_on_close(const yimmo_event *e);

/* loop.c */
void ymo_watch(ev_watcher **list, ev_watcher *w);
void ymo_unwatch(ev_watcher **list, ev_watcher *w);
void ymo_loop_pending(void); /* what callbacks have set off */
void ymo_loop_end(void);     /* check, idle and prepare watchers */
void ymo_loop_stop(void);    /* from now on ev_break may be called */

/* timers.c */
void ymo_on_timer(const yimmo_event *e);

/* signals.c */
void ymo_signal_stop(void); /* to watchers and handlers of SIGTERM, or SIGINT */

/* refused.c: tells the operator what was lost and why, of each kind once a turn. */
void ymo_refused_tell(const yimmo_event *e, uint8_t kind);
void ymo_refused_turn_end(void);

/* config.c: the start event's fields, kept for good. */
bool ymo_config_keep(const yimmo_event *e);
const char *ymo_config(const char *name);
const char *ymo_setting(const char *name); /* the key of that name, or of that name in lower case */

/* main.c */
void ymo_main_require(void); /* traps where the program has none */
int ymo_main_call(void);
int ymo_main_is_over(void);  /* what ev_run returns in a callback */

/* image.c: a copy of the program's data, of the heap's first region as far as it was in
 * use, of pages that the heap was given and of a part of the stack. */
typedef struct ymo_image {
	unsigned char *at;         /* NULL: there is none */
	size_t size;
	unsigned char *heap_top;
	const yimmo_page_log *log;
	uint32_t runs;             /* of the log */
	uint32_t stack_low, stack_high;
} ymo_image;
bool ymo_image_save(ymo_image *m);
void ymo_image_restore(const ymo_image *m);
void ymo_image_drop(ymo_image *m); /* gives the copy's memory to the heap */
/* Memory that no log tells of: what is left over beside the rings, or new pages. *n
 * becomes how much it is. */
unsigned char *ymo_image_pages(size_t *n);

/* program.c, program_wasi.c, or test/native: how main is parted into before and after
 * the loop. start and finish run as hooks, see core.h; what follows them tells how it
 * went. */
void ymo_program_init(void);
void ymo_program_start(void);
void ymo_program_finish(void);
bool ymo_program_serves(void);         /* main has come to ev_run */
void ymo_program_at_exit(void);

#endif
