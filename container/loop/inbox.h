/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where other threads leave work for one thread: a lock-free stack that the consumer takes
 * whole and turns around. Order is kept between the items of one producer.
 *
 *	struct job { struct inbox_item item; ... };
 *
 *	job->item.run = job_run;             job_run finds its job by container_of
 *	inbox_push(&inbox, &job->item);
 *
 * The inbox owns nothing; an item must stay until its run function is called, which may
 * free it.
 */
#ifndef BAY_LOOP_INBOX_H
#define BAY_LOOP_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct inbox_item;
typedef void inbox_fn(struct inbox_item *item);

struct inbox_item {
	struct inbox_item *next;
	inbox_fn *run;
};

struct inbox {
	_Atomic(struct inbox_item *) _newest;
};

static inline void
inbox_init(struct inbox *inbox)
{
	atomic_init(&inbox->_newest, NULL);
}

/*
 * Leaves an item. True: the inbox was empty. Sequentially consistent, so what the caller
 * loads afterwards in that order is not older than its push. Any thread.
 */
static inline bool
inbox_push(struct inbox *inbox, struct inbox_item *item)
{
	struct inbox_item *newest = atomic_load_explicit(&inbox->_newest, memory_order_relaxed);

	do {
		item->next = newest;
	} while (!atomic_compare_exchange_weak_explicit(&inbox->_newest, &newest, item,
		memory_order_seq_cst, memory_order_relaxed));
	return newest == NULL;
}

/* A glance: may be outdated when it returns. Any thread. */
static inline bool
inbox_empty(struct inbox *inbox)
{
	return atomic_load_explicit(&inbox->_newest, memory_order_seq_cst) == NULL;
}

/*
 * Takes all items: a chain by next, oldest first, or NULL. The caller reads item->next
 * before it runs the item. Consumer only.
 */
static inline struct inbox_item *
inbox_take_all(struct inbox *inbox)
{
	struct inbox_item *newest, *oldest = NULL;

	/* Spares the locked exchange in the common case. */
	if (atomic_load_explicit(&inbox->_newest, memory_order_relaxed) == NULL)
		return NULL;
	newest = atomic_exchange_explicit(&inbox->_newest, NULL, memory_order_acquire);
	while (newest != NULL) {
		struct inbox_item *older = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = older;
	}
	return oldest;
}

#endif
