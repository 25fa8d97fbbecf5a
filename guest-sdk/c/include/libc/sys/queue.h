/* BSD's lists: SLIST and STAILQ are linked one way, LIST and TAILQ both ways; the
 * heads of STAILQ (also called SIMPLEQ) and TAILQ know the end. Macros only; the
 * arguments are evaluated more than once. */
#ifndef YIMMO_SYS_QUEUE_H
#define YIMMO_SYS_QUEUE_H

#define SLIST_HEAD(name, type)     struct name { struct type *slh_first; }
#define SLIST_HEAD_INITIALIZER(head) { 0 }
#define SLIST_ENTRY(type)          struct { struct type *sle_next; }
#define SLIST_INIT(head)           ((head)->slh_first = 0)
#define SLIST_FIRST(head)          ((head)->slh_first)
#define SLIST_EMPTY(head)          ((head)->slh_first == 0)
#define SLIST_NEXT(el, field)      ((el)->field.sle_next)
#define SLIST_FOREACH(v, head, field) for ((v) = SLIST_FIRST(head); (v); (v) = SLIST_NEXT(v, field))
#define SLIST_FOREACH_SAFE(v, head, field, t) \
	for ((v) = SLIST_FIRST(head); (v) && ((t) = SLIST_NEXT(v, field), 1); (v) = (t))
#define SLIST_INSERT_HEAD(head, el, field) \
	do { (el)->field.sle_next = (head)->slh_first; (head)->slh_first = (el); } while (0)
#define SLIST_INSERT_AFTER(at, el, field) \
	do { (el)->field.sle_next = (at)->field.sle_next; (at)->field.sle_next = (el); } while (0)
#define SLIST_REMOVE_HEAD(head, field) ((void)((head)->slh_first = (head)->slh_first->field.sle_next))
#define SLIST_REMOVE(head, el, type, field) \
	do { \
		struct type **yq_at = &(head)->slh_first; \
		while (*yq_at != (el)) \
			yq_at = &(*yq_at)->field.sle_next; \
		*yq_at = (*yq_at)->field.sle_next; \
	} while (0)

#define LIST_HEAD(name, type)      struct name { struct type *lh_first; }
#define LIST_HEAD_INITIALIZER(head) { 0 }
#define LIST_ENTRY(type)           struct { struct type *le_next, **le_prev; }
#define LIST_INIT(head)            ((head)->lh_first = 0)
#define LIST_FIRST(head)           ((head)->lh_first)
#define LIST_EMPTY(head)           ((head)->lh_first == 0)
#define LIST_NEXT(el, field)       ((el)->field.le_next)
#define LIST_FOREACH(v, head, field) for ((v) = LIST_FIRST(head); (v); (v) = LIST_NEXT(v, field))
#define LIST_FOREACH_SAFE(v, head, field, t) \
	for ((v) = LIST_FIRST(head); (v) && ((t) = LIST_NEXT(v, field), 1); (v) = (t))
#define LIST_INSERT_HEAD(head, el, field) \
	do { \
		if (((el)->field.le_next = (head)->lh_first) != 0) \
			(head)->lh_first->field.le_prev = &(el)->field.le_next; \
		(head)->lh_first = (el); \
		(el)->field.le_prev = &(head)->lh_first; \
	} while (0)
#define LIST_INSERT_AFTER(at, el, field) \
	do { \
		if (((el)->field.le_next = (at)->field.le_next) != 0) \
			(at)->field.le_next->field.le_prev = &(el)->field.le_next; \
		(at)->field.le_next = (el); \
		(el)->field.le_prev = &(at)->field.le_next; \
	} while (0)
#define LIST_INSERT_BEFORE(at, el, field) \
	do { \
		(el)->field.le_prev = (at)->field.le_prev; \
		(el)->field.le_next = (at); \
		*(at)->field.le_prev = (el); \
		(at)->field.le_prev = &(el)->field.le_next; \
	} while (0)
#define LIST_REMOVE(el, field) \
	do { \
		if ((el)->field.le_next) \
			(el)->field.le_next->field.le_prev = (el)->field.le_prev; \
		*(el)->field.le_prev = (el)->field.le_next; \
	} while (0)

#define STAILQ_HEAD(name, type)    struct name { struct type *stqh_first, **stqh_last; }
#define STAILQ_HEAD_INITIALIZER(head) { 0, &(head).stqh_first }
#define STAILQ_ENTRY(type)         struct { struct type *stqe_next; }
#define STAILQ_INIT(head)          ((void)((head)->stqh_first = 0, (head)->stqh_last = &(head)->stqh_first))
#define STAILQ_FIRST(head)         ((head)->stqh_first)
#define STAILQ_EMPTY(head)         ((head)->stqh_first == 0)
#define STAILQ_NEXT(el, field)     ((el)->field.stqe_next)
#define STAILQ_FOREACH(v, head, field) for ((v) = STAILQ_FIRST(head); (v); (v) = STAILQ_NEXT(v, field))
#define STAILQ_FOREACH_SAFE(v, head, field, t) \
	for ((v) = STAILQ_FIRST(head); (v) && ((t) = STAILQ_NEXT(v, field), 1); (v) = (t))
#define STAILQ_INSERT_HEAD(head, el, field) \
	do { \
		if (((el)->field.stqe_next = (head)->stqh_first) == 0) \
			(head)->stqh_last = &(el)->field.stqe_next; \
		(head)->stqh_first = (el); \
	} while (0)
#define STAILQ_INSERT_TAIL(head, el, field) \
	do { \
		(el)->field.stqe_next = 0; \
		*(head)->stqh_last = (el); \
		(head)->stqh_last = &(el)->field.stqe_next; \
	} while (0)
#define STAILQ_INSERT_AFTER(head, at, el, field) \
	do { \
		if (((el)->field.stqe_next = (at)->field.stqe_next) == 0) \
			(head)->stqh_last = &(el)->field.stqe_next; \
		(at)->field.stqe_next = (el); \
	} while (0)
#define STAILQ_REMOVE_HEAD(head, field) \
	do { \
		if (((head)->stqh_first = (head)->stqh_first->field.stqe_next) == 0) \
			(head)->stqh_last = &(head)->stqh_first; \
	} while (0)
#define STAILQ_REMOVE(head, el, type, field) \
	do { \
		struct type **yq_at = &(head)->stqh_first; \
		while (*yq_at != (el)) \
			yq_at = &(*yq_at)->field.stqe_next; \
		if ((*yq_at = (*yq_at)->field.stqe_next) == 0) \
			(head)->stqh_last = yq_at; \
	} while (0)

#define SIMPLEQ_HEAD               STAILQ_HEAD
#define SIMPLEQ_HEAD_INITIALIZER   STAILQ_HEAD_INITIALIZER
#define SIMPLEQ_ENTRY              STAILQ_ENTRY
#define SIMPLEQ_INIT               STAILQ_INIT
#define SIMPLEQ_FIRST              STAILQ_FIRST
#define SIMPLEQ_EMPTY              STAILQ_EMPTY
#define SIMPLEQ_NEXT               STAILQ_NEXT
#define SIMPLEQ_FOREACH            STAILQ_FOREACH
#define SIMPLEQ_INSERT_HEAD        STAILQ_INSERT_HEAD
#define SIMPLEQ_INSERT_TAIL        STAILQ_INSERT_TAIL
#define SIMPLEQ_INSERT_AFTER       STAILQ_INSERT_AFTER
#define SIMPLEQ_REMOVE_HEAD        STAILQ_REMOVE_HEAD
#define SIMPLEQ_REMOVE             STAILQ_REMOVE

#define TAILQ_HEAD(name, type)     struct name { struct type *tqh_first, **tqh_last; }
#define TAILQ_HEAD_INITIALIZER(head) { 0, &(head).tqh_first }
#define TAILQ_ENTRY(type)          struct { struct type *tqe_next, **tqe_prev; }
#define TAILQ_INIT(head)           ((void)((head)->tqh_first = 0, (head)->tqh_last = &(head)->tqh_first))
#define TAILQ_FIRST(head)          ((head)->tqh_first)
#define TAILQ_EMPTY(head)          ((head)->tqh_first == 0)
#define TAILQ_NEXT(el, field)      ((el)->field.tqe_next)
/* A head and an entry are laid out alike: that is how the way back is found. */
#define TAILQ_LAST(head, name)     (*((struct name *)(void *)(head)->tqh_last)->tqh_last)
#define TAILQ_PREV(el, name, field) (*((struct name *)(void *)(el)->field.tqe_prev)->tqh_last)
#define TAILQ_FOREACH(v, head, field) for ((v) = TAILQ_FIRST(head); (v); (v) = TAILQ_NEXT(v, field))
#define TAILQ_FOREACH_SAFE(v, head, field, t) \
	for ((v) = TAILQ_FIRST(head); (v) && ((t) = TAILQ_NEXT(v, field), 1); (v) = (t))
#define TAILQ_FOREACH_REVERSE(v, head, name, field) \
	for ((v) = TAILQ_LAST(head, name); (v); (v) = TAILQ_PREV(v, name, field))
#define TAILQ_INSERT_HEAD(head, el, field) \
	do { \
		if (((el)->field.tqe_next = (head)->tqh_first) != 0) \
			(head)->tqh_first->field.tqe_prev = &(el)->field.tqe_next; \
		else \
			(head)->tqh_last = &(el)->field.tqe_next; \
		(head)->tqh_first = (el); \
		(el)->field.tqe_prev = &(head)->tqh_first; \
	} while (0)
#define TAILQ_INSERT_TAIL(head, el, field) \
	do { \
		(el)->field.tqe_next = 0; \
		(el)->field.tqe_prev = (head)->tqh_last; \
		*(head)->tqh_last = (el); \
		(head)->tqh_last = &(el)->field.tqe_next; \
	} while (0)
#define TAILQ_INSERT_AFTER(head, at, el, field) \
	do { \
		if (((el)->field.tqe_next = (at)->field.tqe_next) != 0) \
			(el)->field.tqe_next->field.tqe_prev = &(el)->field.tqe_next; \
		else \
			(head)->tqh_last = &(el)->field.tqe_next; \
		(at)->field.tqe_next = (el); \
		(el)->field.tqe_prev = &(at)->field.tqe_next; \
	} while (0)
#define TAILQ_INSERT_BEFORE(at, el, field) \
	do { \
		(el)->field.tqe_prev = (at)->field.tqe_prev; \
		(el)->field.tqe_next = (at); \
		*(at)->field.tqe_prev = (el); \
		(at)->field.tqe_prev = &(el)->field.tqe_next; \
	} while (0)
#define TAILQ_REMOVE(head, el, field) \
	do { \
		if ((el)->field.tqe_next) \
			(el)->field.tqe_next->field.tqe_prev = (el)->field.tqe_prev; \
		else \
			(head)->tqh_last = (el)->field.tqe_prev; \
		*(el)->field.tqe_prev = (el)->field.tqe_next; \
	} while (0)

#endif
