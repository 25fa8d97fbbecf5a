/* ymo_list.h - lists whose links lie in their items. */
#ifndef YIMMO_LIST_H
#define YIMMO_LIST_H

#include <stddef.h>

#include "yimmo.h"

typedef int (*ymo_list_cmp_fn)(void *l, void *r);

typedef struct ymo_list_head {
	struct ymo_list_head *next;
	struct ymo_list_head *prev;
} ymo_list_head_t;

/* prev and next may be NULL. */
static inline void ymo_list_insert(ymo_list_head_t *prev, ymo_list_head_t *current, ymo_list_head_t *next)
{
	if (prev)
		prev->next = current;
	current->prev = prev;
	current->next = next;
	if (next)
		next->prev = current;
}

static inline const ymo_list_head_t *ymo_list_last(const ymo_list_head_t *current)
{
	while (current && current->next)
		current = current->next;
	return current;
}

static inline const ymo_list_head_t *ymo_list_next(const ymo_list_head_t *head) { return head->next; }
static inline const ymo_list_head_t *ymo_list_prev(const ymo_list_head_t *head) { return head->prev; }

/* From a head to its item; NULL stays NULL. */
#define YIMMO_LIST_ITEM_(h, t, m) \
	__extension__({ \
		const ymo_list_head_t *ym_head_ = (h); \
		ym_head_ ? (t *)(void *)((char *)(uintptr_t)ym_head_ - offsetof(t, m)) : (t *)NULL; \
	})

#define YMO_LIST_NAME_DEFAULT         yl_head
#define YMO_LIST_HEAD_M(name)         ymo_list_head_t name
#define YMO_LIST_HEAD()               ymo_list_head_t YMO_LIST_NAME_DEFAULT
#define YMO_LIST_INIT_M(p, m)         ((p)->m.prev = (p)->m.next = NULL)
#define YMO_LIST_INIT(p)              YMO_LIST_INIT_M(p, YMO_LIST_NAME_DEFAULT)
#define YMO_LIST_APPEND_M(c, n, m)    ymo_list_insert(&(c)->m, &(n)->m, NULL)
#define YMO_LIST_APPEND(c, n)         YMO_LIST_APPEND_M(c, n, YMO_LIST_NAME_DEFAULT)
#define YMO_LIST_INSERT_M(p, c, n, m) ymo_list_insert(&(p)->m, &(c)->m, &(n)->m)
#define YMO_LIST_INSERT(p, c, n)      YMO_LIST_INSERT_M(p, c, n, YMO_LIST_NAME_DEFAULT)
#define YMO_LIST_NEXT_M(p, t, m)      YIMMO_LIST_ITEM_(ymo_list_next(&(p)->m), t, m)
#define YMO_LIST_NEXT(p, t)           YMO_LIST_NEXT_M(p, t, YMO_LIST_NAME_DEFAULT)
#define YMO_LIST_PREV_M(p, t, m)      YIMMO_LIST_ITEM_(ymo_list_prev(&(p)->m), t, m)
#define YMO_LIST_PREV(p, t)           YMO_LIST_PREV_M(p, t, YMO_LIST_NAME_DEFAULT)
#define YMO_LIST_LAST_M(c, t, m)      YIMMO_LIST_ITEM_(ymo_list_last(&(c)->m), t, m)
#define YMO_LIST_LAST(c, t)           YMO_LIST_LAST_M(c, t, YMO_LIST_NAME_DEFAULT)

#endif
