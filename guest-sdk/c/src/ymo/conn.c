/* Connections: what WebSocket sessions and HTTP exchanges have in common. The host
 * names them by numbers, here they are found by these. */
#include "ymo.h"

static ymo_ids conns;

ymo_conn_t *ymo_conn_get(uint64_t id) { return ymo_ids_get(&conns, id); }

bool ymo_conn_open(ymo_conn_t *c, uint64_t id, ymo_server_t *server, ymo_proto_t *proto, ymo_conn_close_fn close)
{
	*c = (ymo_conn_t){ .server = server, .proto = proto, .id = id, .close = close };
	if (!ymo_ids_put(&conns, id, c))
		return false;
	if (server->config.user_init)
		c->user = server->config.user_init(server, c);
	return true;
}

void ymo_conn_over(ymo_conn_t *c)
{
	ymo_ids_remove(&conns, c->id);
	if (c->server && c->server->config.user_cleanup)
		c->server->config.user_cleanup(c->server, c, c->user);
}

void ymo_conns_close(uint16_t code)
{
	for (uint32_t i = 0; i < conns.cap; i++) {
		ymo_conn_t *c = conns.at[i].value;
		if (c && c->close)
			c->close(c, code);
	}
}

void ymo_conns_orphan(void)
{
	for (uint32_t i = 0; i < conns.cap; i++) {
		ymo_conn_t *c = conns.at[i].value;
		if (c)
			c->server = NULL;
	}
}

/* What programs call. */

ymo_server_t *ymo_conn_server(const ymo_conn_t *c) { return c->server; }
ymo_proto_t *ymo_conn_proto(const ymo_conn_t *c) { return c->proto; }
ymo_status_t ymo_conn_shutdown(ymo_conn_t *c) { return c && c->close ? c->close(c, YIMMO_CLOSE_NORMAL) : EINVAL; }

/* The id in a UUID of version 8, which is for whatever one likes. */
void ymo_conn_id(uuid_t dst, const ymo_conn_t *c)
{
	memset(dst, 0, 16);
	for (int i = 0; i < 8; i++)
		dst[8 + i] = (unsigned char)(c->id >> (56 - 8 * i));
	dst[0] = dst[8]; /* what the variant bits take the place of */
	dst[6] = 0x80;
	dst[8] = (dst[8] & 0x3f) | 0x80;
}

char *ymo_conn_id_str(const ymo_conn_t *c)
{
	static char text[37];
	uuid_t id;
	ymo_conn_id(id, c);
	uuid_unparse(id, text);
	return text;
}
