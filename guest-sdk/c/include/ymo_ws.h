/* ymo_ws.h - libyimmo's WebSocket interface. */
#ifndef YMO_WEBSOCKETS_H
#define YMO_WEBSOCKETS_H

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <uuid/uuid.h>

#include "ev.h"
#include "yimmo.h"
#include "ymo_http.h"

YIMMO_BEGIN

typedef uint8_t ymo_ws_server_flags_t;

#define YMO_WS_SERVER_DEFAULT  0x00 /* the receive callback gets frames */
#define YMO_WS_SERVER_BUFFERED 0x01 /* the receive callback gets whole messages */

/* The largest message in buffered mode, in bytes; a larger one closes with 1009.
 * Define it before the first include to change it. The host has a limit, too. */
#ifndef YMO_WS_MSG_LEN_MAX
#define YMO_WS_MSG_LEN_MAX 4096
#endif

/* Byte 0 of a frame, RFC 6455 section 5.2. */
#define YMO_WS_FLAG_FIN  0x80
#define YMO_WS_FLAG_RSV1 0x40
#define YMO_WS_FLAG_RSV2 0x20
#define YMO_WS_FLAG_RSV3 0x10
#define YMO_WS_MASK_OP   0x0f

#define YMO_WS_OP_CONTINUATION 0x00
#define YMO_WS_OP_TEXT         0x01
#define YMO_WS_OP_BINARY       0x02
#define YMO_WS_OP_CLOSE        0x08
#define YMO_WS_OP_PING         0x09
#define YMO_WS_OP_PONG         0x0a

/* Byte 1. The host looks after it. */
#define YMO_WS_FLAG_MASKED 0x80
#define YMO_WS_MASK_LEN    0x7f

/* A session. Its pointer means nothing after the close callback. */
typedef struct ymo_ws_session ymo_ws_session_t;

/* Called before the handshake is answered. Not YMO_OKAY refuses it, see the
 * README's table; what is sent here reaches the peer right after the handshake. */
typedef ymo_status_t (*ymo_ws_connect_cb_t)(ymo_ws_session_t *session);

/* Called for each frame, a large one in pieces, or for each whole message; msg is
 * valid until the callback returns, never NULL and not terminated by zero. In
 * buffered mode flags are FIN and the opcode of the first frame. Not YMO_OKAY
 * closes the session, see the README's table. */
typedef ymo_status_t (*ymo_ws_recv_cb_t)(ymo_ws_session_t *session, void *user_data, uint8_t flags,
	const char *msg, size_t len);

/* Called once for each connect callback, whoever ends the session, also when the
 * connect callback failed. */
typedef void (*ymo_ws_close_cb_t)(ymo_ws_session_t *session, void *user_data);

void ymo_ws_session_set_userdata(ymo_ws_session_t *session, void *user_data);
void *ymo_ws_session_get_userdata(ymo_ws_session_t *session);

ymo_proto_t *yimmo_ws_proto_create(ymo_ws_server_flags_t flags, ymo_ws_connect_cb_t connect_cb,
	ymo_ws_recv_cb_t recv_cb, ymo_ws_close_cb_t close_cb, size_t message_max);

/* The host is told before main runs whether the program wants whole messages or frames.
 * So calls with constant flags leave a mark of their kind in the module, others of both. */
#define YIMMO_MARK(kind) \
	do { \
		static const char mark __attribute__((section(kind))) = 1; \
		__asm__ volatile("" : : "r"(&mark)); \
	} while (0)

/* Any of the callbacks may be NULL. */
static inline ymo_proto_t *ymo_proto_ws_create(ymo_ws_server_flags_t flags, ymo_ws_connect_cb_t connect_cb,
	ymo_ws_recv_cb_t recv_cb, ymo_ws_close_cb_t close_cb)
{
	if (flags & YMO_WS_SERVER_BUFFERED)
		YIMMO_MARK("yimmo_whole");
	else
		YIMMO_MARK("yimmo_frames");
	return yimmo_ws_proto_create(flags, connect_cb, recv_cb, close_cb, YMO_WS_MSG_LEN_MAX);
}

ymo_http_upgrade_handler_t *ymo_ws_http_upgrade_handler(ymo_proto_t *proto);

/* Sends one frame whose payload is the chain, which may be NULL. The opcode CLOSE
 * begins the closing handshake: payload two bytes of code, then the reason.
 *
 * Returns EINVAL for a frame that must not be sent (an opcode that is none, reserved
 * bits, a ping that is long or not whole, a close code or reason that RFC 6455 forbids;
 * whether text is UTF-8 and fragments follow each other only the host knows and
 * logs), EADDRNOTAVAIL when the session is
 * closing, EPIPE when it is closed, ENOMEM. */
ymo_status_t ymo_ws_session_send(ymo_ws_session_t *session, uint8_t flags, ymo_bucket_t *payload);

YIMMO_END

#endif
