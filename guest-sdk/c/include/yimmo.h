/* yimmo.h - libyimmo's core types and functions, for programs that become plugins.
 *
 * Names and signatures are those of libyimmo 0.2; guest-sdk/c/README.md tells
 * what is the same, what differs and what cannot be.
 */
#ifndef YIMMO_H
#define YIMMO_H

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <uuid/uuid.h>

#include "ev.h"
#include "ymo_attrs.h"

#ifndef YMO_SOURCE
#define YMO_SOURCE __FILE__
#endif

/* The version whose interface this is. */
#define YIMMO_VERSION_MAJOR 0
#define YIMMO_VERSION_MINOR 2
#define YIMMO_VERSION_PATCH 4
#define YIMMO_VERSION ((YIMMO_VERSION_MAJOR << 24) | (YIMMO_VERSION_MINOR << 16) | (YIMMO_VERSION_PATCH << 8))
#define YMO_ABI_CURRENT  0
#define YMO_ABI_AGE      0
#define YMO_ABI_REVISION 0

YIMMO_BEGIN

const char *ymo_version_str(void);

/* 0, or an errno value. */
typedef int ymo_status_t;
#define YMO_OKAY 0

#define YMO_ERROR_SSIZE_T(x) (errno = (x), -1)
#define YMO_ERROR_PTR(x)     (errno = (x), NULL)
#define YMO_IS_BLOCKED(s)    ((s) == EAGAIN || (s) == EWOULDBLOCK)

typedef struct ymo_server ymo_server_t;
typedef struct ymo_conn ymo_conn_t;
typedef struct ymo_proto ymo_proto_t;
typedef struct ymo_bucket ymo_bucket_t;

/* Called for each connection that the plugin sees: a WebSocket session or an
 * HTTP request. The result is the connection's user pointer. */
typedef void *(*ymo_user_conn_init_cb_t)(ymo_server_t *server, ymo_conn_t *conn);
typedef void (*ymo_user_conn_cleanup_cb_t)(ymo_server_t *server, ymo_conn_t *conn, void *user);

typedef enum ymo_server_config_flags {
	YMO_SERVER_REUSE_ADDR = 0x01,
	YMO_SERVER_REUSE_PORT = 0x02,
} ymo_server_config_flags_t;

/* Of these the sandbox knows loop, user_init and user_cleanup. port is compared
 * with the host's and a difference is logged; the rest is the host's business
 * and setting it is logged, too. */
typedef struct ymo_server_config {
	struct ev_loop *loop;
	ymo_user_conn_init_cb_t user_init;
	ymo_user_conn_cleanup_cb_t user_cleanup;
	in_port_t port;
	ymo_server_config_flags_t flags;
	int listen_backlog;
	int use_tls;
	const char *cert_path;
	const char *key_path;
} ymo_server_config_t;

/* Buckets. The bytes of a reference must stay as they are until the turn is over;
 * those on the stack are noticed and copied. buf, if given, is freed after the
 * bucket was sent. A bucket belongs to the library once it was sent or appended
 * to a response. If sending fails it still belongs to the program, which may
 * free it or forget it: what is forgotten is freed after the turn. */
typedef void (*ymo_bucket_free_fn)(ymo_bucket_t *bucket);

ymo_bucket_t *ymo_bucket_create(ymo_bucket_t *YIMMO_RESTRICT prev, ymo_bucket_t *YIMMO_RESTRICT next,
	char *buf, size_t buf_len, const char *data, size_t len);
ymo_bucket_t *ymo_bucket_create_cpy(ymo_bucket_t *YIMMO_RESTRICT prev, ymo_bucket_t *YIMMO_RESTRICT next,
	const char *buf, size_t buf_len);
ymo_bucket_t *ymo_bucket_from_file(ymo_bucket_t *YIMMO_RESTRICT prev, ymo_bucket_t *YIMMO_RESTRICT next,
	const char *filepath)
	YIMMO_CANNOT("a plugin has no files: compile the data in, or take it from the configuration (getenv)");

#define YMO_BUCKET_FROM_REF(data, len) ymo_bucket_create(NULL, NULL, NULL, 0, (data), (len))
#define YMO_BUCKET_FROM_CPY(data, len) ymo_bucket_create_cpy(NULL, NULL, (data), (len))

/* Appends src to the chain dst and returns dst, or src if there is no dst. */
ymo_bucket_t *ymo_bucket_append(ymo_bucket_t *YIMMO_RESTRICT dst, ymo_bucket_t *YIMMO_RESTRICT src);
size_t ymo_bucket_len_all(ymo_bucket_t *p);
ymo_bucket_t *ymo_bucket_tail(ymo_bucket_t *p);
void ymo_bucket_free(ymo_bucket_t *bucket);
void ymo_bucket_free_all(ymo_bucket_t *bucket);

/* Servers. One server serves: the first that is started. */
typedef enum ymo_server_state {
	YMO_SERVER_CREATED,
	YMO_SERVER_INITIALIZED,
	YMO_SERVER_STARTED,
	YMO_SERVER_STOP_GRACEFUL,
} ymo_server_state_t;

ymo_server_t *ymo_server_create(ymo_server_config_t *svr_config, ymo_proto_t *proto);
ymo_status_t ymo_server_init(ymo_server_t *server);
ymo_status_t ymo_server_init_socket(ymo_server_t *server, int fd)
	YIMMO_CANNOT("the host owns the sockets: use ymo_server_init");
ymo_status_t ymo_server_pre_fork(ymo_server_t *server)
	YIMMO_CANNOT("a plugin is one process and cannot fork: the setting `lanes` runs it several times");
ymo_status_t ymo_server_start(ymo_server_t *server, struct ev_loop *loop);
ymo_server_state_t ymo_server_get_state(ymo_server_t *server);
struct ev_loop *ymo_server_loop(ymo_server_t *server);
/* Closes the sessions with 1001 and refuses new ones. */
ymo_status_t ymo_server_stop_graceful(ymo_server_t *server);
void ymo_server_free(ymo_server_t *server);

/* Connections. The id is made of the host's id for the session or request. */
ymo_server_t *ymo_conn_server(const ymo_conn_t *conn);
ymo_proto_t *ymo_conn_proto(const ymo_conn_t *conn);
void ymo_conn_id(uuid_t dst, const ymo_conn_t *conn);
char *ymo_conn_id_str(const ymo_conn_t *conn);
/* Closes a session with 1000. EINVAL for anything but a session. */
ymo_status_t ymo_conn_shutdown(ymo_conn_t *conn);
static inline void ymo_conn_lock(ymo_conn_t *conn) { (void)conn; }
static inline void ymo_conn_unlock(ymo_conn_t *conn) { (void)conn; }

const char *ymo_proto_name(ymo_proto_t *proto);

YIMMO_END

#endif
