/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/inotify.h"

#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/map.h"
#include "loop/loop.h"

/* Bytes of events that are read at a time; the loop comes back for the rest. */
enum { INOTIFY_BYTES = 16 << 10 };

/* What ends a directory. */
#define INOTIFY_END (IN_DELETE_SELF | IN_MOVE_SELF)

struct inotify_directory {
	struct list watches;   /* struct inotify_watch._link */
	char key[16];          /* the number that the kernel gave it, as text */
	int number;
	bool ended;            /* the kernel does not know it any more */
};

struct inotify {
	int fd;
	struct event *event;
	struct map *directories; /* those that have not ended, by number */
	unsigned count;          /* all, the ended ones too */
};

/* Of this thread's loop, while there is a watch. */
static __thread struct inotify *inotify_here __attribute__((tls_model("initial-exec")));

/* --- events ----------------------------------------------------------------------------------- */

static void
inotify_tell(struct inotify_directory *directory, uint32_t mask, const char *name)
{
	list_for_each(pos, &directory->watches) {
		struct inotify_watch *watch = container_of(pos, struct inotify_watch, _link);

		watch->fn(watch, mask, name);
	}
}

/* The kernel has dropped it, or it is not where it was. */
static void
inotify_end_directory(struct inotify *inotify, struct inotify_directory *directory, bool known)
{
	map_remove(inotify->directories, directory->key);
	directory->ended = true;
	if (known)
		(void)inotify_rm_watch(inotify->fd, directory->number);
	inotify_tell(directory, IN_IGNORED, "");
}

static void
inotify_take(struct inotify *inotify, const struct inotify_event *event)
{
	struct inotify_directory *directory;
	struct map_entry *entry;
	char key[16];

	if (event->mask & IN_Q_OVERFLOW) {
		map_for_each(entry, inotify->directories)
			inotify_tell(entry->value, IN_Q_OVERFLOW, "");
		return;
	}
	snprintf(key, sizeof key, "%d", event->wd);
	directory = map_get(inotify->directories, key);
	if (directory == NULL)
		return;
	if (event->mask & (IN_IGNORED | IN_UNMOUNT | INOTIFY_END))
		inotify_end_directory(inotify, directory, (event->mask & IN_MOVE_SELF) != 0);
	else
		inotify_tell(directory, event->mask & ~(uint32_t)IN_ISDIR, event->len > 0 ? event->name : "");
}

static void
inotify_on_event(evutil_socket_t fd, short events, void *arg)
{
	char bytes[INOTIFY_BYTES] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct inotify *inotify = arg;
	ssize_t got = read(fd, bytes, sizeof bytes), at = 0;

	(void)events;
	while (at < got) {
		const struct inotify_event *event = (const struct inotify_event *)(const void *)(bytes + at);

		at += (ssize_t)(sizeof *event + event->len);
		inotify_take(inotify, event);
	}
}

/* --- life --------------------------------------------------------------------------------------- */

static void
inotify_close(struct inotify *inotify)
{
	if (inotify->event != NULL)
		event_free(inotify->event);
	map_destroy(inotify->directories);
	close(inotify->fd);
	free(inotify);
	inotify_here = NULL;
}

/* That of the loop, which is made if there is none. 0 or errno. */
static int
inotify_open(struct loop *loop)
{
	struct inotify *inotify;
	int fd;

	if (inotify_here != NULL)
		return 0;
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0)
		return errno;
	inotify = xcalloc(1, sizeof *inotify);
	inotify->fd = fd;
	inotify->directories = map_create();
	inotify->event = event_new(loop->base, fd, EV_READ | EV_PERSIST, inotify_on_event, inotify);
	if (inotify->event == NULL || event_add(inotify->event, NULL) != 0) {
		inotify_close(inotify);
		return ENOMEM;
	}
	inotify_here = inotify;
	return 0;
}

/* The directory of that number. */
static struct inotify_directory *
inotify_find_directory(struct inotify *inotify, int number)
{
	struct inotify_directory *directory;
	char key[sizeof directory->key];

	snprintf(key, sizeof key, "%d", number);
	directory = map_get(inotify->directories, key);
	if (directory != NULL)
		return directory;
	directory = xcalloc(1, sizeof *directory);
	list_init(&directory->watches);
	snprintf(directory->key, sizeof directory->key, "%s", key);
	directory->number = number;
	map_put(inotify->directories, key, directory);
	inotify->count++;
	return directory;
}

int
inotify_join(struct loop *loop, struct inotify_watch *watch, const char *directory, uint32_t mask)
{
	int error = inotify_open(loop), number;

	if (error != 0)
		return error;
	/* One that is watched already is watched for the others' events too. */
	number = inotify_add_watch(inotify_here->fd, directory, mask | INOTIFY_END | IN_ONLYDIR | IN_MASK_ADD);
	if (number < 0) {
		error = errno;
		if (inotify_here->count == 0)
			inotify_close(inotify_here);
		return error;
	}
	watch->_directory = inotify_find_directory(inotify_here, number);
	list_init(&watch->_link);
	list_push_back(&watch->_directory->watches, &watch->_link);
	return 0;
}

void
inotify_leave(struct inotify_watch *watch)
{
	struct inotify_directory *directory = watch->_directory;
	struct inotify *inotify = inotify_here;

	list_remove(&watch->_link);
	if (!list_empty(&directory->watches))
		return;
	if (!directory->ended) {
		map_remove(inotify->directories, directory->key);
		(void)inotify_rm_watch(inotify->fd, directory->number);
	}
	free(directory);
	if (--inotify->count == 0)
		inotify_close(inotify);
}
