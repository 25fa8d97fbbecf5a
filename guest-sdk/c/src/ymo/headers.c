/* Header tables: a list in order. Names and values are copied behind their node, a
 * value that changes later into the node's buffer. */
#include "ymo.h"

#define NEVER_JOINED "set-cookie" /* RFC 6265 section 3 */

typedef struct header {
	ymo_http_hdr_table_node_t node;
	size_t len; /* of the value */
	size_t cap; /* of the buffer */
} header;

const char *ymo_http_hdr_hash_override_method(void) { return "none"; }

static ymo_http_hdr_id_t hash_of(const char *name)
{
	uint32_t h = 5;
	for (; *name; name++)
		h = h * 283 + (uint32_t)(*name & 0xdf);
	h &= 0x7fff;
	return (ymo_http_hdr_id_t)(h ? h : 1);
}

void ymo_http_hdr_table_init(ymo_http_hdr_table_t *t) { *t = (ymo_http_hdr_table_t){ 0 }; }

ymo_http_hdr_table_t *ymo_http_hdr_table_create(void)
{
	ymo_http_hdr_table_t *t = calloc(1, sizeof *t);
	if (!t)
		errno = ENOMEM;
	return t;
}

static header *find_header(const ymo_http_hdr_table_t *t, const char *name)
{
	ymo_http_hdr_table_node_t *n = t->first;
	while (n && strcasecmp(n->hdr, name))
		n = n->next;
	return (header *)n; /* its first member */
}

/* append puts a new header at the end. Its id, or 0 when there is no memory. */
static ymo_http_hdr_id_t append(ymo_http_hdr_table_t *t, const char *name, const char *value)
{
	size_t name_len = strlen(name), len = strlen(value);
	header *h = malloc(sizeof *h + name_len + len + 2);
	if (!h) {
		errno = ENOMEM;
		return 0;
	}
	char *p = (char *)(h + 1);
	memcpy(p, name, name_len + 1);
	memcpy(p + name_len + 1, value, len + 1);
	*h = (header){
		.node = { .h_id = hash_of(name), .hdr = p, .value = p + name_len + 1, .hdr_len = name_len },
		.len = len,
	};
	*(t->last ? &t->last->next : &t->first) = &h->node;
	t->last = &h->node;
	return h->node.h_id;
}

/* put_value puts value where that of h begins, or behind it and a comma. It may itself
 * be a part of what is there. The buffer grows by as much as it holds, so what many
 * lines cost grows with their length, not with its square. */
static ymo_http_hdr_id_t put_value(header *h, bool behind, const char *value)
{
	size_t at = behind ? h->len + 1 : 0, len = strlen(value);
	char *to = h->node.buffer;
	if (h->cap < at + len + 1) {
		if (!(to = malloc(2 * at + len + 1))) {
			errno = ENOMEM;
			return 0;
		}
		h->cap = 2 * at + len + 1;
		memcpy(to, h->node.value, at);
	}
	memmove(to + at, value, len);
	to[at + len] = 0;
	if (at)
		to[at - 1] = ',';
	if (to != h->node.buffer)
		free(h->node.buffer);
	h->node.value = h->node.buffer = to;
	h->len = at + len;
	return h->node.h_id;
}

static bool never_joined(const char *name) { return !strcasecmp(name, NEVER_JOINED); }

ymo_http_hdr_id_t ymo_http_hdr_table_insert(ymo_http_hdr_table_t *t, const char *name, const char *value)
{
	header *old = never_joined(name) ? NULL : find_header(t, name);
	if (!old)
		return append(t, name, value);
	memmove((char *)old->node.hdr, name, old->node.hdr_len); /* as it is spelled now */
	return put_value(old, false, value);
}

ymo_http_hdr_id_t ymo_http_hdr_table_add(ymo_http_hdr_table_t *t, const char *name, const char *value)
{
	header *old = never_joined(name) ? NULL : find_header(t, name);
	return old ? put_value(old, true, value) : append(t, name, value);
}

/* ymo_headers_read adds a line of a request. The host sorts them by name, so only the
 * last one can have the same: a client that sends thousands must not have each
 * compared with all before it. */
bool ymo_headers_read(ymo_http_hdr_table_t *t, const char *name, const char *value)
{
	ymo_http_hdr_table_node_t *last = t->last;
	bool same = last && !strcasecmp(last->hdr, name) && !never_joined(name);
	return (same ? put_value((header *)last, true, value) : append(t, name, value)) != 0;
}

const char *ymo_http_hdr_table_get(const ymo_http_hdr_table_t *t, const char *name)
{
	const header *h = find_header(t, name);
	return h ? h->node.value : NULL;
}

ymo_http_hdr_ptr_t ymo_http_hdr_table_next(ymo_http_hdr_table_t *t, ymo_http_hdr_ptr_t cur,
	const char **name, size_t *name_len, const char **value)
{
	cur = cur ? cur->next : t->first;
	if (cur) {
		*name = cur->hdr;
		*name_len = cur->hdr_len;
		*value = cur->value;
	}
	return cur;
}

void ymo_http_hdr_table_clear(ymo_http_hdr_table_t *t)
{
	while (t->first) {
		ymo_http_hdr_table_node_t *n = t->first;
		t->first = n->next;
		free(n->buffer);
		free(n);
	}
	t->last = NULL;
}

void ymo_http_hdr_table_free(ymo_http_hdr_table_t *t)
{
	if (t) {
		ymo_http_hdr_table_clear(t);
		free(t);
	}
}

/* What a plugin may not set: abi/ABI.md, section 17. */
static bool is_the_hosts(const char *name)
{
	static const char *const all[] = { "connection", "content-length", "keep-alive", "trailer", "transfer-encoding",
		"upgrade", "sec-websocket-accept", "sec-websocket-extensions", "sec-websocket-protocol", "sec-websocket-version" };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (!strcasecmp(name, all[i]))
			return true;
	return false;
}

/* RFC 9110 sections 5.1 and 5.5. */
static bool well_formed(const char *name, const char *value)
{
	if (!*name)
		return false;
	for (; *name; name++)
		if ((unsigned char)*name <= ' ' || (unsigned char)*name >= 127 || strchr("\"(),/:;<=>?@[\\]{}", *name))
			return false;
	for (; *value; value++)
		if (((unsigned char)*value < ' ' && *value != '\t') || *value == 127)
			return false;
	return true;
}

/* ymo_headers_encode makes the fields of an answer: all headers but the host's, and
 * without those that would have the host refuse the answer. 0, ENOMEM, or EINVAL when
 * they are too large. */
int ymo_headers_encode(yimmo_bucket *out, const ymo_http_hdr_table_t *t)
{
	size_t n = 0;
	for (const ymo_http_hdr_table_node_t *h = t->first; h; h = h->next)
		n++;
	yimmo_field *f = yimmo_scratch(n * sizeof *f);
	if (!f)
		return ENOMEM;
	n = 0;
	for (const ymo_http_hdr_table_node_t *h = t->first; h; h = h->next) {
		if (is_the_hosts(h->hdr))
			continue;
		if (!well_formed(h->hdr, h->value)) {
			ymo_log(YMO_LOG_ERROR, "header \"%s\" is left out: HTTP forbids its name or its value", h->hdr);
			continue;
		}
		/* The table may be gone when the host reads the fields; they are copied. */
		f[n++] = (yimmo_field){ { h->hdr, h->hdr_len }, { h->value, strlen(h->value) } };
	}
	return yimmo_encode_fields(out, f, n);
}
