/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Doubly linked lists whose links live inside the things listed.
 *
 *	struct thing { int n; struct list link; };
 *
 *	struct list things;               a head is a link too: the ring goes
 *	list_init(&things);               head -> first -> ... -> last -> head
 *	list_push_back(&things, &t->link);
 *
 *	list_for_each(pos, &things) {
 *		struct thing *t = container_of(pos, struct thing, link);
 *		...
 *	}
 *
 * A link that is in no list points to itself (list_init, list_remove), so removing it once
 * more does no harm. The list owns nothing. One thread at a time.
 */
#ifndef BAY_BASE_LIST_H
#define BAY_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev;
	struct list *next;
};

/* For a list in static storage: struct list things = LIST_INIT(things); */
#define LIST_INIT(name) {&(name), &(name)}

/* The struct of the given type whose member is at pointer. */
#define container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void
list_init(struct list *list)
{
	list->prev = list;
	list->next = list;
}

static inline void
list_insert_before(struct list *position, struct list *link)
{
	link->prev = position->prev;
	link->next = position;
	position->prev->next = link;
	position->prev = link;
}

static inline void
list_push_back(struct list *head, struct list *link)
{
	list_insert_before(head, link);
}

static inline void
list_push_front(struct list *head, struct list *link)
{
	list_insert_before(head->next, link);
}

static inline void
list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

/* Of a head: whether the list has nothing in it. Of a link: whether it is in no list. */
static inline bool
list_empty(const struct list *head)
{
	return head->next == head;
}

/* The first or last link, or NULL. */
static inline struct list *
list_first(const struct list *head)
{
	return list_empty(head) ? NULL : head->next;
}

static inline struct list *
list_last(const struct list *head)
{
	return list_empty(head) ? NULL : head->prev;
}

/* Removes and returns the first link, or NULL. */
static inline struct list *
list_pop_front(struct list *head)
{
	struct list *link = list_first(head);

	if (link != NULL)
		list_remove(link);
	return link;
}

/* Moves everything in from to the end of head; from is then empty. */
static inline void
list_splice_back(struct list *head, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = head->prev;
	head->prev->next = from->next;
	from->prev->next = head;
	head->prev = from->prev;
	list_init(from);
}

/* The body may not change the list; see list_for_each_safe. */
#define list_for_each(pos, head) \
	for (struct list *pos = (head)->next; pos != (head); pos = pos->next)

/* The body may remove (and free) the thing at pos, and nothing else. */
#define list_for_each_safe(pos, head) \
	for (struct list *pos = (head)->next, *pos##_next = pos->next; pos != (head); \
		pos = pos##_next, pos##_next = pos->next)

#endif
