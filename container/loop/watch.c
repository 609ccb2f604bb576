/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "loop/watch.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "loop/loop.h"

enum {
	/* Descriptors that are looked at each time: 0.3 us each. */
	WATCH_CHECK_MAX = 1024
};

#define WATCH_CHECK_NS CLOCK_NS_PER_S

static struct list *
watch_bucket(struct loop *loop, int fd)
{
	return &loop->_watches[(unsigned)fd % LOOP_WATCH_BUCKETS];
}

static void
watch_leave(struct watch *watch)
{
	struct loop *loop = watch->loop;

	list_remove(&watch->_link);
	event_free(watch->_event);
	watch->_event = NULL;
	if (--loop->_watch_count == 0)
		wheel_remove(&loop->wheel, &loop->_watch_timer);
}

static void
watch_on_event(evutil_socket_t fd, short events, void *arg)
{
	struct watch *watch = arg;
	unsigned what = 0;

	(void)fd;
	if (events & EV_READ)
		what |= WATCH_READABLE;
	if (events & EV_WRITE)
		what |= WATCH_WRITABLE;
	watch_leave(watch);
	watch->fn(watch, what);
}

/* Those that stand for the number already may stand for a file that is not there any more:
 * then libevent takes the number for registered while the kernel does not know it. */
static void
watch_register_again(struct loop *loop, int fd)
{
	struct list *bucket = watch_bucket(loop, fd);

	list_for_each(pos, bucket) {
		struct watch *other = container_of(pos, struct watch, _link);

		if (other->fd == fd)
			(void)event_del(other->_event);
	}
	list_for_each(pos, bucket) {
		struct watch *other = container_of(pos, struct watch, _link);

		if (other->fd == fd)
			(void)event_add(other->_event, NULL);
	}
}

bool
watch_begin(struct watch *watch, struct loop *loop, int fd, unsigned what, watch_fn *fn)
{
	short events = (short)((what & WATCH_READABLE ? EV_READ : 0) | (what & WATCH_WRITABLE ? EV_WRITE : 0));
	struct stat file;

	if (fstat(fd, &file) != 0)
		return false;
	watch->loop = loop;
	watch->fn = fn;
	watch->fd = fd;
	watch->_device = file.st_dev;
	watch->_inode = file.st_ino;
	watch->_event = event_new(loop->base, fd, events, watch_on_event, watch);
	if (watch->_event == NULL) {
		errno = ENOMEM;
		return false;
	}
	watch_register_again(loop, fd);
	if (event_add(watch->_event, NULL) != 0) {
		event_free(watch->_event);
		return false;
	}
	list_init(&watch->_link);
	list_push_back(watch_bucket(loop, fd), &watch->_link);
	if (loop->_watch_count++ == 0)
		wheel_add(&loop->wheel, &loop->_watch_timer, loop->now_ns + WATCH_CHECK_NS);
	return true;
}

void
watch_end(struct watch *watch)
{
	if (watch->_event != NULL)
		watch_leave(watch);
}

/* --- descriptors that are closed ---------------------------------------------------------- */

/* The first in the bucket that stands for the descriptor, or NULL. */
static struct watch *
watch_find(struct loop *loop, int fd)
{
	list_for_each(pos, watch_bucket(loop, fd)) {
		struct watch *watch = container_of(pos, struct watch, _link);

		if (watch->fd == fd)
			return watch;
	}
	return NULL;
}

void
watch_closed(struct loop *loop, int fd)
{
	struct watch *watch;

	while ((watch = watch_find(loop, fd)) != NULL) {
		watch_leave(watch);
		watch->fn(watch, WATCH_CLOSED);
	}
}

static bool
watch_is_gone(const struct watch *watch)
{
	struct stat file;

	return fstat(watch->fd, &file) != 0 || file.st_dev != watch->_device ||
		file.st_ino != watch->_inode;
}

/* Takes those of one bucket whose file is gone out of it; returns how many it looked at. */
static unsigned
watch_check_bucket(struct list *bucket, struct list *gone)
{
	struct list *pos = bucket->next;
	unsigned count = 0;

	while (pos != bucket) {
		struct watch *watch = container_of(pos, struct watch, _link);

		pos = pos->next;
		count++;
		if (watch_is_gone(watch)) {
			list_remove(&watch->_link);
			list_push_back(gone, &watch->_link);
		}
	}
	return count;
}

void
watch_on_check(struct timer *timer)
{
	struct loop *loop = container_of(timer, struct loop, _watch_timer);
	unsigned i, count = 0;
	struct list gone;
	struct list *link;

	list_init(&gone);
	for (i = 0; i < LOOP_WATCH_BUCKETS && count < WATCH_CHECK_MAX; i++) {
		loop->_watch_turn = (loop->_watch_turn + 1) % LOOP_WATCH_BUCKETS;
		count += watch_check_bucket(&loop->_watches[loop->_watch_turn], &gone);
	}
	wheel_add(&loop->wheel, timer, loop->now_ns + WATCH_CHECK_NS);
	while ((link = list_first(&gone)) != NULL) {
		struct watch *watch = container_of(link, struct watch, _link);

		watch_leave(watch);
		watch->fn(watch, WATCH_CLOSED);
	}
}
