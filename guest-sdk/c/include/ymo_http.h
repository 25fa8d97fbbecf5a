/* ymo_http.h - libyimmo's HTTP interface. */
#ifndef YMO_HTTP_H
#define YMO_HTTP_H

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <uuid/uuid.h>

#include "ev.h"
#include "yimmo.h"
#include "ymo_blalloc.h"

YIMMO_BEGIN

typedef uint32_t ymo_http_flags_t;

/* Flags of an exchange, of a request, of a response. */
#define YMO_HTTP_FLAG_VERSION_1_1       (1)
#define YMO_HTTP_FLAG_REQUEST_CLOSE     (0xff & (~(1 << 2)))
#define YMO_HTTP_FLAG_REQUEST_KEEPALIVE (1 << 2)
#define YMO_HTTP_FLAG_SUPPORTS_CHUNKED  (1 << 3)
#define YMO_HTTP_FLAG_EXPECT            (1 << 4)
#define YMO_HTTP_FLAG_UPGRADE           (1 << 5)
#define YMO_HTTP_REQUEST_CHUNKED        (1 << 16)
#define YMO_HTTP_RESPONSE_READY         (1 << 24)
#define YMO_HTTP_RESPONSE_STARTED       (1 << 25)
#define YMO_HTTP_RESPONSE_COMPLETE      (1 << 26)
#define YMO_HTTP_RESPONSE_CHUNKED       (1 << 27)
#define YMO_HTTP_RESPONSE_CHUNK_TERM    (1 << 28)

/* Headers. Names are compared without regard to case, byte for byte. Strings given
 * to a table are copied; those that come from it live as long as the table does
 * not change. */
typedef uint32_t ymo_http_hdr_flags_t;
typedef uint16_t ymo_http_hdr_id_t;
typedef struct ymo_http_hdr_table ymo_http_hdr_table_t;
typedef struct ymo_http_hdr_table_node ymo_http_hdr_table_node_t;
typedef ymo_http_hdr_table_node_t *ymo_http_hdr_ptr_t;

struct ymo_http_hdr_table_node {
	ymo_http_hdr_id_t h_id;
	ymo_http_hdr_flags_t flags;
	const char *hdr;
	const char *value;
	size_t hdr_len;
	ymo_http_hdr_table_node_t *next;
	char *buffer;
};

struct ymo_http_hdr_table {
	ymo_http_hdr_table_node_t *first, *last;
};

const char *ymo_http_hdr_hash_override_method(void);

ymo_http_hdr_table_t *ymo_http_hdr_table_create(void);
void ymo_http_hdr_table_init(ymo_http_hdr_table_t *table);
/* insert replaces the header, add joins the values with a comma; Set-Cookie is
 * only ever added, each value by itself. The result is a hash of the name, 0 when
 * there is no memory (errno ENOMEM). */
ymo_http_hdr_id_t ymo_http_hdr_table_insert(ymo_http_hdr_table_t *table, const char *hdr, const char *value);
ymo_http_hdr_id_t ymo_http_hdr_table_add(ymo_http_hdr_table_t *table, const char *hdr, const char *value);
const char *ymo_http_hdr_table_get(const ymo_http_hdr_table_t *table, const char *hdr);
/* cur is NULL at first; NULL comes back after the last. */
ymo_http_hdr_ptr_t ymo_http_hdr_table_next(ymo_http_hdr_table_t *table, ymo_http_hdr_ptr_t cur,
	const char **hdr, size_t *hdr_len, const char **value);
void ymo_http_hdr_table_clear(ymo_http_hdr_table_t *table);
void ymo_http_hdr_table_free(ymo_http_hdr_table_t *table);

/* Exchanges. */
typedef struct ymo_http_request ymo_http_request_t;
typedef struct ymo_http_response ymo_http_response_t;
typedef struct ymo_http_exchange ymo_http_exchange_t;
typedef struct ymo_http_session ymo_http_session_t;

YMO_ENUM8_TYPEDEF(ymo_http_method) {
	YMO_HTTP_METH_OPTIONS,
	YMO_HTTP_METH_GET,
	YMO_HTTP_METH_HEAD,
	YMO_HTTP_METH_POST,
	YMO_HTTP_METH_PUT,
	YMO_HTTP_METH_DELETE,
	YMO_HTTP_METH_TRACE,
	YMO_HTTP_METH_CONNECT,
	YMO_HTTP_METH_OTHER,
} YMO_ENUM8_AS(ymo_http_method_t);

typedef uint16_t ymo_http_status_t;

struct ymo_http_request {
	const char *method;            /* "GET" ... */
	const char *uri;               /* path, without query and fragment */
	const char *version;           /* "HTTP/1.1" */
	const char *query;             /* what follows '?', or NULL */
	const char *fragment;          /* what follows '#', or NULL */
	ymo_http_hdr_table_t headers;
	ymo_blalloc_t *ws;             /* 4 KiB that are freed with the request */
	char *body;                    /* buffered body, with a zero behind it, or NULL */
	size_t body_received;
	size_t content_length;
	ymo_http_flags_t flags;
	void *user;                    /* for the program */
};

/* Responses. Header names and values are copied. The headers Connection, Keep-Alive,
 * Transfer-Encoding, Upgrade and Content-Length are the host's; they are left out. */
ymo_http_hdr_table_t *ymo_http_response_get_headers(ymo_http_response_t *response);
const char *ymo_http_response_get_header(const ymo_http_response_t *response, const char *hdr_name);
ymo_status_t ymo_http_response_add_header(ymo_http_response_t *response, const char *header, const char *value);
ymo_status_t ymo_http_response_insert_header(ymo_http_response_t *response, const char *header, const char *value);
void ymo_http_response_body_append(ymo_http_response_t *response, ymo_bucket_t *body_data);
/* 200 to 599; anything else answers 500. 200 if neither is called. */
void ymo_http_response_set_status(ymo_http_response_t *response, ymo_http_status_t status);
/* "200 OK"; the host writes its own reason. 1, or 0 if that is no status. */
int ymo_http_response_set_status_str(ymo_http_response_t *response, const char *status_str);
ymo_status_t ymo_http_response_issue(ymo_http_response_t *response, ymo_http_status_t status);
ymo_http_flags_t ymo_http_response_flags(const ymo_http_response_t *response);
void ymo_http_response_set_flag(ymo_http_response_t *response, ymo_http_flags_t flag);
void ymo_http_response_set_flags(ymo_http_response_t *response, ymo_http_flags_t flags);
/* ready sends what there is so far, finish completes the response. It must not be
 * used after the callback or turn that finished it. */
void ymo_http_response_ready(ymo_http_response_t *response);
int ymo_http_response_is_ready(const ymo_http_response_t *response);
void ymo_http_response_finish(ymo_http_response_t *response);
int ymo_http_response_finished(const ymo_http_response_t *response);

/* Sessions. Each request is a session of its own: the host does not tell which
 * requests shared a connection. The user data is the server's until it is set. */
void ymo_http_session_set_userdata(ymo_http_session_t *session, void *data);
void *ymo_http_session_get_userdata(const ymo_http_session_t *session);

/* A session that init does not return YMO_OKAY for is refused and not cleaned up. */
typedef ymo_status_t (*ymo_http_session_init_cb_t)(void *server_data, ymo_http_session_t *session);
typedef void (*ymo_http_session_cleanup_cb_t)(void *server_data, ymo_http_session_t *session, void *user_data);

/* YMO_OKAY: the response was finished. EAGAIN: it will be, later. Anything else:
 * an error is answered, see the README's table. */
typedef ymo_status_t (*ymo_http_cb_t)(ymo_http_session_t *session, ymo_http_request_t *request,
	ymo_http_response_t *response, void *user_data);
typedef ymo_http_cb_t ymo_http_header_cb_t;
typedef ymo_status_t (*ymo_http_body_cb_t)(ymo_http_session_t *session, ymo_http_request_t *request,
	ymo_http_response_t *response, const char *data, size_t len, void *user_data);

/* Upgrades. The host tells of WebSocket upgrades only; all others are plain
 * requests. A handler of the program's own sees the request and says NOPROTO to
 * leave it to the next one, ERROR to refuse it with the response it filled in or the
 * status of errno, or HANDLED with proto_new a WebSocket protocol. IGNORE refuses
 * with 426: a handshake cannot become a plain request. */
YMO_ENUM8_TYPEDEF(ymo_http_upgrade_status) {
	YMO_HTTP_UPGRADE_HANDLED,
	YMO_HTTP_UPGRADE_IGNORE,
	YMO_HTTP_UPGRADE_ERROR,
	YMO_HTTP_UPGRADE_NOPROTO,
} YMO_ENUM8_AS(ymo_http_upgrade_status_t);

typedef ymo_http_upgrade_status_t (*ymo_http_upgrade_cb_t)(const char *hdr_upgrade,
	ymo_http_request_t *request, ymo_http_response_t *response);

typedef struct ymo_http_upgrade_handler {
	ymo_http_upgrade_cb_t cb;
	ymo_proto_t *proto_new;
} ymo_http_upgrade_handler_t;

ymo_http_upgrade_handler_t *ymo_http2_no_upgrade_handler(void);

ymo_proto_t *ymo_proto_http_create(ymo_http_session_init_cb_t session_init, ymo_http_cb_t http_callback,
	ymo_http_header_cb_t header_callback, ymo_http_body_cb_t body_cb,
	ymo_http_session_cleanup_cb_t session_cleanup, void *data);

/* Takes over a handler that came from the library; one of the program's own
 * must stay. */
ymo_status_t ymo_http_add_upgrade_handler(ymo_proto_t *proto, ymo_http_upgrade_handler_t *upgrade_handler);

/* upgrade_handlers ends with NULL and may be NULL. */
ymo_server_t *ymo_http_simple_init(struct ev_loop *loop, in_port_t port, ymo_http_cb_t http_callback,
	ymo_http_upgrade_handler_t **upgrade_handlers, void *data);

#define YMO_HTTP_CONTINUE                        100
#define YMO_HTTP_SWITCHING_PROTOCOLS             101
#define YMO_HTTP_OK                              200
#define YMO_HTTP_CREATED                         201
#define YMO_HTTP_ACCEPTED                        202
#define YMO_HTTP_NON_AUTHORITATIVE_INFORMATION   203
#define YMO_HTTP_NO_CONTENT                      204
#define YMO_HTTP_RESET_CONTENT                   205
#define YMO_HTTP_PARTIAL_CONTENT                 206
#define YMO_HTTP_MULTIPLE_CHOICES                300
#define YMO_HTTP_MOVED_PERMANENTLY               301
#define YMO_HTTP_FOUND                           302
#define YMO_HTTP_SEE_OTHER                       303
#define YMO_HTTP_NOT_MODIFIED                    304
#define YMO_HTTP_USE_PROXY                       305
#define YMO_HTTP_TEMPORARY_REDIRECT              307
#define YMO_HTTP_BAD_REQUEST                     400
#define YMO_HTTP_UNAUTHORIZED                    401
#define YMO_HTTP_PAYMENT_REQUIRED                402
#define YMO_HTTP_FORBIDDEN                       403
#define YMO_HTTP_NOT_FOUND                       404
#define YMO_HTTP_METHOD_NOT_ALLOWED              405
#define YMO_HTTP_NOT_ACCEPTABLE                  406
#define YMO_HTTP_PROXY_AUTHENTICATION_REQUIRED   407
#define YMO_HTTP_REQUEST_TIMEOUT                 408
#define YMO_HTTP_CONFLICT                        409
#define YMO_HTTP_GONE                            410
#define YMO_HTTP_LENGTH_REQUIRED                 411
#define YMO_HTTP_PRECONDITION_FAILED             412
#define YMO_HTTP_REQUEST_ENTITY_TOO_LARGE        413
#define YMO_HTTP_REQUEST_URI_TOO_LONG            414
#define YMO_HTTP_UNSUPPORTED_MEDIA_TYPE          415
#define YMO_HTTP_REQUESTED_RANGE_NOT_SATISFIABLE 416
#define YMO_HTTP_EXPECTATION_FAILED              417
#define YMO_HTTP_UPGRADE_REQUIRED                426
#define YMO_HTTP_PRECONDITION_REQUIRED           428
#define YMO_HTTP_TOO_MANY_REQUESTS               429
#define YMO_HTTP_TOO_MANY_REQUESTES              429 /* libyimmo's spelling */
#define YMO_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE 431
#define YMO_HTTP_INTERNAL_SERVER_ERROR           500
#define YMO_HTTP_NOT_IMPLEMENTED                 501
#define YMO_HTTP_BAD_GATEWAY                     502
#define YMO_HTTP_SERVICE_UNAVAILABLE             503
#define YMO_HTTP_GATEWAY_TIMEOUT                 504
#define YMO_HTTP_HTTP_VERSION_NOT_SUPPORTED      505

/* Three digits to a number; nothing is checked. */
#define YMO_HTTP_STATUS_CHR3_TO_INT(s) (((s)[0] & 0xf) * 100 + ((s)[1] & 0xf) * 10 + ((s)[2] & 0xf))

YIMMO_END

#endif
