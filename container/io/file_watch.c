/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of <bay/watch.h>. What has happened and was not taken is a map from names to
 * bits, in the order in which the names came; then a mark that more was lost, then one that the
 * directory has gone. Each arrival goes to who waits first, if anybody does.
 */
#include "config.h"

#include "io/file_watch.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/map.h"
#include "io/inotify.h"
#include "runtime/belonging.h"
#include "runtime/waitable.h"

/* Names that are kept with their events. */
enum { FILE_WATCH_MAX = 1024 };

#define FILE_WATCH_ALL (BAY_WATCH_CREATED | BAY_WATCH_CHANGED | BAY_WATCH_WRITTEN | BAY_WATCH_MOVED_IN | \
	BAY_WATCH_MOVED_OUT | BAY_WATCH_DELETED | BAY_WATCH_ATTRIBUTES)

struct bay_watch {
	struct waitable waitable;    /* first; named like the last part of the path */
	struct belonging belonging;
	struct inotify_watch inotify;
	unsigned what;
	struct map *come;            /* names to bits, as pointers */
	bool overflowed;
	bool gone;                   /* the directory, which is to be told */
	bool ended;                  /* nothing more will be told */
	char only[NAME_MAX + 1];     /* the one name; "": all of the directory */
};

static const struct {
	unsigned what;
	uint32_t mask;
} file_watch_bits[] = {
	{BAY_WATCH_CREATED, IN_CREATE},
	{BAY_WATCH_CHANGED, IN_MODIFY},
	{BAY_WATCH_WRITTEN, IN_CLOSE_WRITE},
	{BAY_WATCH_MOVED_IN, IN_MOVED_TO},
	{BAY_WATCH_MOVED_OUT, IN_MOVED_FROM},
	{BAY_WATCH_DELETED, IN_DELETE},
	{BAY_WATCH_ATTRIBUTES, IN_ATTRIB},
};

static uint32_t
file_watch_mask(unsigned what)
{
	uint32_t mask = 0;
	size_t i;

	for (i = 0; i < sizeof file_watch_bits / sizeof file_watch_bits[0]; i++)
		mask |= what & file_watch_bits[i].what ? file_watch_bits[i].mask : 0;
	return mask;
}

static unsigned
file_watch_what(uint32_t mask)
{
	unsigned what = 0;
	size_t i;

	for (i = 0; i < sizeof file_watch_bits / sizeof file_watch_bits[0]; i++)
		what |= mask & file_watch_bits[i].mask ? file_watch_bits[i].what : 0;
	return what;
}

/* --- events --------------------------------------------------------------------------------- */

static void
file_watch_tell(struct bay_watch_event *event_r, unsigned what, const char *name)
{
	if (event_r == NULL)
		return;
	event_r->what = what;
	snprintf(event_r->name, sizeof event_r->name, "%s", name);
}

int
file_watch_take(struct bay_watch *watch, struct bay_watch_event *event_r)
{
	struct map_entry *oldest = map_first(watch->come);

	if (oldest != NULL) {
		file_watch_tell(event_r, (unsigned)(uintptr_t)oldest->value, oldest->key);
		map_remove(watch->come, oldest->key);
	} else if (watch->overflowed) {
		file_watch_tell(event_r, BAY_WATCH_OVERFLOW, "");
		watch->overflowed = false;
	} else if (watch->gone) {
		file_watch_tell(event_r, BAY_WATCH_GONE, "");
		watch->gone = false;
		watch->ended = true;
	} else {
		return watch->ended ? BAY_CLOSED : BAY_BUSY;
	}
	return BAY_OK;
}

void
file_watch_await(struct file_watch_waiter *waiter, struct bay_watch *watch)
{
	waiter->waiter.waitable = &watch->waitable;
	list_push_back(&watch->waitable.waiters, &waiter->waiter.link);
}

/* Gives what there is to those who wait. */
static void
file_watch_serve(struct bay_watch *watch)
{
	struct waiter *first;

	while ((first = waitable_first(&watch->waitable)) != NULL) {
		int status = file_watch_take(watch, container_of(first, struct file_watch_waiter, waiter)->event_r);

		if (status == BAY_BUSY)
			return;
		waiter_wake(first, status);
	}
}

/* So much has come that all of it has to be looked at. */
static void
file_watch_overflow(struct bay_watch *watch)
{
	map_destroy(watch->come);
	watch->come = map_create();
	watch->overflowed = true;
}

static void
file_watch_keep(struct bay_watch *watch, unsigned what, const char *name)
{
	uintptr_t before = (uintptr_t)map_get(watch->come, name);

	/* Who has to look at all of it sees that, too. */
	if (watch->overflowed)
		return;
	if (before == 0 && map_size(watch->come) >= FILE_WATCH_MAX)
		file_watch_overflow(watch);
	else
		map_put(watch->come, name, (void *)(before | what));
}

static void
file_watch_on_inotify(struct inotify_watch *inotify, uint32_t mask, const char *name)
{
	struct bay_watch *watch = container_of(inotify, struct bay_watch, inotify);
	unsigned what = file_watch_what(mask) & watch->what;

	if (mask & IN_IGNORED)
		watch->gone = !watch->ended;
	else if (mask & IN_Q_OVERFLOW)
		file_watch_overflow(watch);
	else if (what != 0 && (watch->only[0] == '\0' || strcmp(watch->only, name) == 0))
		file_watch_keep(watch, what, name);
	else
		return;
	file_watch_serve(watch);
}

/* --- life ----------------------------------------------------------------------------------- */

static void
file_watch_release(struct bay_watch *watch)
{
	belonging_remove(&watch->belonging);
	inotify_leave(&watch->inotify);
	map_destroy(watch->come);
	watch->come = NULL;
	waitable_close(&watch->waitable);
}

static void
file_watch_on_end(struct belonging *belonging)
{
	file_watch_release(container_of(belonging, struct bay_watch, belonging));
}

static int
file_watch_status(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return BAY_NOT_FOUND;
	case EACCES:
	case EPERM:
		return BAY_NOT_PERMITTED;
	case EMFILE:
	case ENFILE:
	case ENOSPC:
		return BAY_FULL;
	case ENOMEM:
		return BAY_NO_MEMORY;
	case ENAMETOOLONG:
		return BAY_TOO_BIG;
	case ELOOP:
		return BAY_INVALID;
	default:
		return BAY_IO;
	}
}

/* Splits a path: the directory to be watched goes to directory, which has room for it, and the
 * one name to only, "" when it is a directory itself. BAY_OK, or why it cannot be watched. */
static int
file_watch_split(const char *path, char directory[PATH_MAX], char only[NAME_MAX + 1])
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	struct stat file;

	if (strlen(path) >= PATH_MAX || strlen(name) > NAME_MAX)
		return BAY_TOO_BIG;
	only[0] = '\0';
	if ((stat(path, &file) == 0 && S_ISDIR(file.st_mode)) || name[0] == '\0') {
		strcpy(directory, path);
		return BAY_OK;
	}
	strcpy(only, name);
	if (slash == NULL)
		strcpy(directory, ".");
	else
		snprintf(directory, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return BAY_OK;
}

static int
file_watch_create(const char *path, unsigned what, struct bay_watch **watch_r)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];
	struct bay_watch *watch;
	int status, error;

	watch = waitable_create(sizeof *watch, "watch", slash != NULL && slash[1] != '\0' ? slash + 1 : path);
	if (watch == NULL)
		return BAY_NO_MEMORY;
	watch->what = what != 0 ? what & FILE_WATCH_ALL : FILE_WATCH_ALL;
	watch->inotify.fn = file_watch_on_inotify;
	status = file_watch_split(path, directory, watch->only);
	if (status == BAY_OK) {
		error = inotify_join(&watch->waitable.scheduler->loop, &watch->inotify, directory,
			file_watch_mask(watch->what));
		status = error != 0 ? file_watch_status(error) : BAY_OK;
	}
	if (status != BAY_OK) {
		waitable_close(&watch->waitable);
		return status;
	}
	watch->come = map_create();
	belonging_add(&watch->belonging, "watch", file_watch_on_end);
	*watch_r = watch;
	return BAY_OK;
}

int
bay_watch_open(const char *path, unsigned what, struct bay_watch **watch_r)
{
	*watch_r = NULL;
	if (!AWAIT_BEGIN("bay_watch_open") || path == NULL || path[0] == '\0' ||
		(what & ~(FILE_WATCH_ALL | BAY_WATCH_OVERFLOW | BAY_WATCH_GONE)) != 0)
		return BAY_INVALID;
	return file_watch_create(path, what, watch_r);
}

void
bay_watch_close(struct bay_watch *watch)
{
	if (watch != NULL && waitable_is_here(watch, "bay_watch_close"))
		file_watch_release(watch);
}

int
bay_watch_next(struct bay_watch *watch, struct bay_watch_event *event_r, int64_t deadline)
{
	struct file_watch_waiter waiter;
	struct task *self;
	int status;

	if (!WAITABLE_BEGIN(watch, "bay_watch_next"))
		return BAY_INVALID;
	self = task_current();
	if (await_is_over(self))
		return await_over(self);
	status = file_watch_take(watch, event_r);
	if (status != BAY_BUSY)
		return await_refused(self, status);
	waiter_init(&waiter.waiter, AWAIT_CANCELABLE);
	waiter.event_r = event_r;
	file_watch_await(&waiter, watch);
	return task_await(&waiter.waiter, deadline);
}
