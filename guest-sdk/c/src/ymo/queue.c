/* ymo_queue.h */
#include "ymo.h"

#include "../../include/ymo_queue.h"

ymo_queue_t *ymo_queue_create(void)
{
	ymo_queue_t *q = calloc(1, sizeof *q);
	if (!q)
		errno = ENOMEM;
	return q;
}

static bool is_pooled(const ymo_queue_t *q) { return q->pool != NULL; }

/* The nodes of a pool that the queue was given stay the program's: the address in
 * pool is the same, but only a queue that made it frees it. That one has its pool
 * behind itself. */
static ymo_queue_node_t *own_pool(ymo_queue_t *q) { return (ymo_queue_node_t *)(q + 1); }

ymo_queue_t *ymo_queue_create_pool(size_t n)
{
	ymo_queue_t *q = n > SIZE_MAX / 2 / sizeof(ymo_queue_node_t) ? NULL : malloc(sizeof *q + n * sizeof(ymo_queue_node_t));
	if (!q) {
		errno = ENOMEM;
		return NULL;
	}
	ymo_queue_init(q);
	ymo_queue_pool_init(q, own_pool(q), n);
	return q;
}

void ymo_queue_pool_init(ymo_queue_t *q, ymo_queue_node_t *pool, size_t n)
{
	q->pool = pool;
	q->pstack = NULL;
	while (n--) {
		pool[n].next = q->pstack;
		q->pstack = &pool[n];
	}
}

static ymo_queue_node_t *take_node(ymo_queue_t *q, void *item)
{
	ymo_queue_node_t *n = is_pooled(q) ? q->pstack : malloc(sizeof *n);
	if (!n)
		return NULL;
	if (is_pooled(q))
		q->pstack = n->next;
	*n = (ymo_queue_node_t){ .queue = q, .data = item };
	return n;
}

static void *drop_node(ymo_queue_t *q, ymo_queue_node_t *n)
{
	if (!n)
		return NULL;
	void *item = n->data;
	*(n->prev ? &n->prev->next : &q->head) = n->next;
	*(n->next ? &n->next->prev : &q->tail) = n->prev;
	q->no_items--;
	if (is_pooled(q)) {
		n->next = q->pstack;
		q->pstack = n;
	} else {
		free(n);
	}
	return item;
}

ymo_status_t ymo_queue_append(ymo_queue_t *q, void *item)
{
	ymo_queue_node_t *n = take_node(q, item);
	if (!n)
		return ENOMEM;
	n->prev = q->tail;
	*(q->tail ? &q->tail->next : &q->head) = n;
	q->tail = n;
	q->no_items++;
	return YMO_OKAY;
}

ymo_status_t ymo_queue_prepend(ymo_queue_t *q, void *item)
{
	ymo_queue_node_t *n = take_node(q, item);
	if (!n)
		return ENOMEM;
	n->next = q->head;
	*(q->head ? &q->head->prev : &q->tail) = n;
	q->head = n;
	q->no_items++;
	return YMO_OKAY;
}

ymo_status_t ymo_queue_append_queue(ymo_queue_t *dst, ymo_queue_t *src)
{
	while (src->head) {
		ymo_status_t err = ymo_queue_append(dst, src->head->data);
		if (err)
			return err;
		drop_node(src, src->head);
	}
	return YMO_OKAY;
}

void *ymo_queue_popfront(ymo_queue_t *q) { return drop_node(q, q->head); }
void *ymo_queue_popback(ymo_queue_t *q) { return drop_node(q, q->tail); }
void *ymo_queue_peekfront(ymo_queue_t *q) { return q->head ? q->head->data : NULL; }
void *ymo_queue_peekback(ymo_queue_t *q) { return q->tail ? q->tail->data : NULL; }
const ymo_queue_node_t *ymo_queue_head(ymo_queue_t *q) { return q->head; }
const ymo_queue_node_t *ymo_queue_tail(ymo_queue_t *q) { return q->tail; }
size_t ymo_queue_size(ymo_queue_t *q) { return q->no_items; }

void *ymo_queue_find(ymo_queue_t *q, ymo_queue_cmp_fn cmp, void *item)
{
	for (ymo_queue_node_t *n = q->head; n; n = n->next)
		if (!cmp(n->data, item))
			return n->data;
	return NULL;
}

ymo_status_t ymo_queue_remove(ymo_queue_t *q, ymo_queue_node_t **node)
{
	if (!node || !*node || (*node)->queue != q)
		return EINVAL;
	drop_node(q, *node);
	*node = NULL;
	return YMO_OKAY;
}

void ymo_queue_free(ymo_queue_t *q)
{
	while (q && q->head)
		drop_node(q, q->head);
	free(q);
}
