/* Header tables: a list in order. Names and values are copied behind their node. */
#include "ymo.h"

#define NEVER_JOINED "set-cookie" /* RFC 6265 section 3 */

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

static ymo_http_hdr_table_node_t *find_header(const ymo_http_hdr_table_t *t, const char *name)
{
	ymo_http_hdr_table_node_t *n = t->first;
	while (n && strcasecmp(n->hdr, name))
		n = n->next;
	return n;
}

/* append adds a node with the value of a and, behind a comma, that of b. */
static ymo_http_hdr_table_node_t *node(const char *name, const char *a, const char *b)
{
	size_t name_len = strlen(name), a_len = strlen(a), b_len = b ? strlen(b) : 0;
	ymo_http_hdr_table_node_t *n = malloc(sizeof *n + name_len + a_len + b_len + 3);
	if (!n) {
		errno = ENOMEM;
		return NULL;
	}
	char *p = (char *)(n + 1), *value = p + name_len + 1;
	memcpy(p, name, name_len + 1);
	memcpy(value, a, a_len + 1);
	if (b) {
		value[a_len] = ',';
		memcpy(value + a_len + 1, b, b_len + 1);
	}
	*n = (ymo_http_hdr_table_node_t){ .h_id = hash_of(name), .hdr = p, .value = value, .hdr_len = name_len };
	return n;
}

/* put puts n in the place of old, or at the end. */
static ymo_http_hdr_id_t put_node(ymo_http_hdr_table_t *t, ymo_http_hdr_table_node_t *n, ymo_http_hdr_table_node_t *old)
{
	ymo_http_hdr_table_node_t **link = &t->first;
	if (!n)
		return 0;
	while (*link && *link != old)
		link = &(*link)->next;
	n->next = old ? old->next : NULL;
	*link = n;
	if (!n->next)
		t->last = n;
	free(old);
	return n->h_id;
}

ymo_http_hdr_id_t ymo_http_hdr_table_insert(ymo_http_hdr_table_t *t, const char *name, const char *value)
{
	ymo_http_hdr_table_node_t *old = strcasecmp(name, NEVER_JOINED) ? find_header(t, name) : NULL;
	return put_node(t, node(name, value, NULL), old);
}

ymo_http_hdr_id_t ymo_http_hdr_table_add(ymo_http_hdr_table_t *t, const char *name, const char *value)
{
	ymo_http_hdr_table_node_t *old = strcasecmp(name, NEVER_JOINED) ? find_header(t, name) : NULL;
	return put_node(t, old ? node(old->hdr, old->value, value) : node(name, value, NULL), old);
}

const char *ymo_http_hdr_table_get(const ymo_http_hdr_table_t *t, const char *name)
{
	const ymo_http_hdr_table_node_t *n = find_header(t, name);
	return n ? n->value : NULL;
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
 * without those that would have the host refuse the answer. */
bool ymo_headers_encode(yimmo_bucket *out, const ymo_http_hdr_table_t *t)
{
	size_t n = 0;
	for (const ymo_http_hdr_table_node_t *h = t->first; h; h = h->next)
		n++;
	yimmo_field *f = yimmo_scratch(n * sizeof *f);
	if (!f)
		return false;
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
	return yimmo_encode_fields(out, f, n) == 0;
}
