/* Control frames, bad flags, bucket bookkeeping. */
#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_log.h"
#include "ymo_ws.h"

static ymo_status_t say(ymo_ws_session_t* s, const char* text)
{
    return ymo_ws_session_send(s, YMO_WS_FLAG_FIN | YMO_WS_OP_TEXT, YMO_BUCKET_FROM_CPY(text, strlen(text)));
}

static ymo_status_t on_recv(ymo_ws_session_t* s, void* user, uint8_t flags, const char* msg, size_t len)
{
    char what[16] = { 0 };
    char text[64];
    (void)user;
    (void)flags;
    memcpy(what, msg, len < 15 ? len : 15);
    if( !strcmp(what, "ping") ) {
        return ymo_ws_session_send(s, YMO_WS_FLAG_FIN | YMO_WS_OP_PING, NULL);
    }
    if( !strcmp(what, "pong") ) {
        return ymo_ws_session_send(s, YMO_WS_FLAG_FIN | YMO_WS_OP_PONG, YMO_BUCKET_FROM_REF("x", 1));
    }
    if( !strcmp(what, "close") ) {
        ymo_status_t r = ymo_ws_session_send(s, YMO_WS_FLAG_FIN | YMO_WS_OP_CLOSE, YMO_BUCKET_FROM_REF("\x0f\xa1" "bye", 5));
        ymo_log_info("close: %d, then: %d", r, say(s, "too late"));
        return YMO_OKAY;
    }
    if( !strcmp(what, "quit") ) {
        return ymo_ws_session_send(s, YMO_WS_FLAG_FIN | YMO_WS_OP_CLOSE, NULL);
    }
    if( len > 6 && !memcmp(msg, "frame ", 6) ) {
        /* The rest is a frame: its flags, its payload. */
        ymo_status_t r = ymo_ws_session_send(s, (uint8_t)msg[6], YMO_BUCKET_FROM_CPY(msg + 7, len - 7));
        snprintf(text, sizeof(text), "%s", r == YMO_OKAY ? "sent" : strerror(r));
        say(s, text);
        return YMO_OKAY;
    }
    if( !strcmp(what, "bad") ) {
        /* One fails and is freed by the program, one fails and is forgotten. */
        ymo_bucket_t* mine = YMO_BUCKET_FROM_CPY("mine", 4);
        ymo_status_t a = ymo_ws_session_send(s, YMO_WS_FLAG_FIN | 0x03, mine);
        ymo_bucket_free_all(mine);
        ymo_status_t b = ymo_ws_session_send(s, YMO_WS_FLAG_FIN | 0x0b, YMO_BUCKET_FROM_CPY("yours", 5));
        ymo_bucket_t* again = YMO_BUCKET_FROM_CPY("again", 5);
        ymo_status_t c = ymo_ws_session_send(s, YMO_WS_FLAG_FIN | 0x0c, again);
        ymo_status_t d = ymo_ws_session_send(NULL, YMO_WS_FLAG_FIN | YMO_WS_OP_TEXT, NULL);
        snprintf(text, sizeof(text), "%d %d %d %d", a == EINVAL, b == EINVAL, c == EINVAL, d == EINVAL);
        say(s, text);
        return ymo_ws_session_send(s, YMO_WS_FLAG_FIN | YMO_WS_OP_TEXT, again);
    }
    if( !strcmp(what, "stack") ) {
        /* The bytes are gone when this returns: the library notices. */
        char local[8] = "local";
        return ymo_ws_session_send(s, YMO_WS_FLAG_FIN | YMO_WS_OP_TEXT, YMO_BUCKET_FROM_REF(local, 5));
    }
    if( !strcmp(what, "chain") ) {
        ymo_bucket_t* a = YMO_BUCKET_FROM_REF("a", 1);
        ymo_bucket_t* c = YMO_BUCKET_FROM_CPY("c", 1);
        ymo_bucket_t* b = ymo_bucket_create(a, c, NULL, 0, "b", 1);
        ymo_bucket_t* e = YMO_BUCKET_FROM_CPY("", 0);
        ymo_bucket_append(a, e);
        for( int i = 0; i < 40; ++i ) {
            ymo_bucket_append(a, YMO_BUCKET_FROM_CPY(&"0123456789"[i % 10], 1));
        }
        ymo_log_info("chain of %zu bytes, b is %s, its tail %s", ymo_bucket_len_all(a),
                a == ymo_bucket_append(a, NULL) && b ? "in it" : "lost", ymo_bucket_tail(a) == ymo_bucket_tail(b) ? "the same" : "another");
        return ymo_ws_session_send(s, YMO_WS_FLAG_FIN | YMO_WS_OP_BINARY, a);
    }
    if( !strcmp(what, "long") ) {
        /* More buckets than the command ring has places. */
        ymo_bucket_t* all = NULL;
        for( int i = 0; i < 3000; ++i ) {
            char digit = (char)('0' + i % 10);
            ymo_bucket_t* b = YMO_BUCKET_FROM_CPY(&digit, 1);
            b ? (void)(all = ymo_bucket_create(NULL, all, NULL, 0, "", 0)), ymo_bucket_append(all, b) : (void)0;
        }
        return ymo_ws_session_send(s, YMO_WS_FLAG_FIN | YMO_WS_OP_TEXT, all);
    }
    if( !strcmp(what, "many") ) {
        /* More commands than the command ring has places. */
        for( int i = 0; i < 3000; ++i ) {
            snprintf(text, sizeof(text), "%d", i);
            if( say(s, text) != YMO_OKAY ) {
                return ENOBUFS;
            }
        }
        return YMO_OKAY;
    }
    return ymo_ws_session_send(s, flags, YMO_BUCKET_FROM_REF(msg, len));
}

int main(void)
{
    ymo_proto_t* ws = ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, NULL, on_recv, NULL);
    ymo_http_upgrade_handler_t* handlers[] = { ymo_ws_http_upgrade_handler(ws), NULL };
    ymo_server_t* server = ymo_http_simple_init(EV_DEFAULT, 8081, NULL, handlers, NULL);
    ymo_server_start(server, EV_DEFAULT);
    ev_run(EV_DEFAULT, 0);
    return 0;
}
