/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "loop/edge.h"

#include <errno.h>
#include <event2/event.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/fd.h"
#include "loop/loop.h"

enum {
	/* Told at once; more are told by the next poll. */
	EDGE_BATCH = 128
};

struct edge_set {
	struct event *event;     /* of libevent's: the set has something to tell */
	int fd;
	int told;                /* of the batch: all before have been told */
	int count;               /* of the batch */
	struct epoll_event batch[EDGE_BATCH];
};

static unsigned
edge_what(uint32_t events)
{
	unsigned what = 0;

	if (events & EPOLLIN)
		what |= EDGE_READABLE;
	if (events & EPOLLOUT)
		what |= EDGE_WRITABLE;
	if (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP | EPOLLPRI))
		what |= EDGE_ODD;
	return what;
}

static void
edge_set_on_event(evutil_socket_t fd, short events, void *arg)
{
	struct edge_set *set = arg;

	(void)events;
	set->count = epoll_wait(fd, set->batch, EDGE_BATCH, 0);
	for (set->told = 0; set->told < set->count; set->told++) {
		const struct epoll_event *event = &set->batch[set->told];
		struct edge *edge = event->data.ptr;

		if (edge != NULL)
			edge->fn(edge, edge_what(event->events));
	}
	set->count = 0;
}

static struct edge_set *
edge_set_create(struct loop *loop)
{
	struct edge_set *set = calloc(1, sizeof *set);

	if (set == NULL)
		return NULL;
	set->fd = epoll_create1(EPOLL_CLOEXEC);
	if (set->fd < 0)
		goto free_set;
	set->event = event_new(loop->base, set->fd, EV_READ | EV_PERSIST, edge_set_on_event, set);
	if (set->event != NULL && event_add(set->event, NULL) == 0)
		return set;
	errno = ENOMEM;
free_set:
	edge_set_destroy(set);
	return NULL;
}

void
edge_set_destroy(struct edge_set *set)
{
	if (set == NULL)
		return;
	if (set->event != NULL)
		event_free(set->event);
	fd_close(&set->fd);
	free(set);
}

bool
edge_begin(struct edge *edge, struct loop *loop, int fd, edge_fn *fn)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET,
		.data.ptr = edge};

	if (loop->_edges == NULL)
		loop->_edges = edge_set_create(loop);
	if (loop->_edges == NULL)
		return false;
	edge->loop = NULL;
	if (epoll_ctl(loop->_edges->fd, EPOLL_CTL_ADD, fd, &event) != 0)
		return false;
	edge->loop = loop;
	edge->fn = fn;
	edge->fd = fd;
	return true;
}

/* Whatever of the batch has not been told: its owner may free the edge now. */
static void
edge_forget(struct edge_set *set, const struct edge *edge)
{
	int i;

	for (i = set->told + 1; i < set->count; i++) {
		if (set->batch[i].data.ptr == edge)
			set->batch[i].data.ptr = NULL;
	}
}

void
edge_end(struct edge *edge)
{
	struct edge_set *set;
	struct epoll_event unused;

	if (edge->loop == NULL)
		return;
	set = edge->loop->_edges;
	/* Not left to close(2): the file may be open under another number, too. */
	(void)epoll_ctl(set->fd, EPOLL_CTL_DEL, edge->fd, &unused);
	edge_forget(set, edge);
	edge->loop = NULL;
}
