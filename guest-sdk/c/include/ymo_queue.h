/* ymo_queue.h - queues of pointers. */
#ifndef YIMMO_QUEUE_H
#define YIMMO_QUEUE_H

#include <string.h>

#include "yimmo.h"

YIMMO_BEGIN

typedef int (*ymo_queue_cmp_fn)(void *l, void *r);
typedef struct ymo_queue ymo_queue_t;
typedef struct ymo_queue_node ymo_queue_node_t;

struct ymo_queue {
	ymo_queue_node_t *head;
	ymo_queue_node_t *tail;
	size_t no_items;
	ymo_queue_node_t *pool;   /* memory of the pool, if the queue owns one */
	ymo_queue_node_t *pstack; /* free nodes of the pool */
};

struct ymo_queue_node {
	ymo_queue_t *queue;
	struct ymo_queue_node *next;
	struct ymo_queue_node *prev;
	void *data;
};

ymo_queue_t *ymo_queue_create(void);
static inline void ymo_queue_init(ymo_queue_t *queue) { memset(queue, 0, sizeof *queue); }
/* With a pool, the queue holds at most n items; appending more is ENOMEM. */
ymo_queue_t *ymo_queue_create_pool(size_t n);
void ymo_queue_pool_init(ymo_queue_t *queue, ymo_queue_node_t *pool, size_t n);
void ymo_queue_free(ymo_queue_t *queue);
ymo_status_t ymo_queue_append(ymo_queue_t *queue, void *item);
ymo_status_t ymo_queue_append_queue(ymo_queue_t *dst, ymo_queue_t *src);
ymo_status_t ymo_queue_prepend(ymo_queue_t *queue, void *item);
/* NULL when the queue is empty. */
void *ymo_queue_popfront(ymo_queue_t *queue);
void *ymo_queue_peekfront(ymo_queue_t *queue);
void *ymo_queue_popback(ymo_queue_t *queue);
void *ymo_queue_peekback(ymo_queue_t *queue);
const ymo_queue_node_t *ymo_queue_head(ymo_queue_t *queue);
const ymo_queue_node_t *ymo_queue_tail(ymo_queue_t *queue);
/* The first item for which cmp_fn(item of the queue, item) is 0, or NULL. */
void *ymo_queue_find(ymo_queue_t *queue, ymo_queue_cmp_fn cmp_fn, void *item);
/* Removes *node and sets it to NULL. */
ymo_status_t ymo_queue_remove(ymo_queue_t *queue, ymo_queue_node_t **node);
size_t ymo_queue_size(ymo_queue_t *queue);

YIMMO_END

#endif
