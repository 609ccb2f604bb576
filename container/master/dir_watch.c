/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Neither the renaming of a directory above ours nor a mount over it is an event, so the path
 * is compared with what is watched once a second: one stat.
 */
#include "config.h"

#include "master/dir_watch.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"

/* `ln` gives only CREATE, install closes and changes the mode after that, and a mode that is
 * repaired gives only ATTRIB. */
#define DIR_WATCH_MASK (IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | \
	IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)

static const struct timeval dir_watch_poll_period = {.tv_usec = 500 * 1000};
static const struct timeval dir_watch_check_period = {.tv_sec = 1};

struct dir_watch {
	struct event_base *base;
	char *path;
	bool only_poll;
	struct dir_watch_watcher watcher;
	enum dir_watch_state state;
	bool told;       /* turned has been called */
	int gone_errno;  /* of what was told last while it is gone */
	int fd;          /* of the directory; -1: gone */
	int inotify;     /* -1: not used */
	struct event *event; /* of inotify */
	struct event *timer;
};

/* --- file systems that do not tell -------------------------------------------------- */

static const struct {
	unsigned long magic;
	const char *name;
} dir_watch_silent[] = {
	{NFS_SUPER_MAGIC, "NFS"},
	{CIFS_SUPER_MAGIC, "CIFS"},
	{SMB2_SUPER_MAGIC, "SMB"},
	{SMB_SUPER_MAGIC, "SMB"},
	{FUSE_SUPER_MAGIC, "FUSE"},
	{V9FS_MAGIC, "9p"},
	{CEPH_SUPER_MAGIC, "Ceph"},
	{AFS_SUPER_MAGIC, "AFS"},
	{AFS_FS_MAGIC, "AFS"},
	{CODA_SUPER_MAGIC, "Coda"},
	{OCFS2_SUPER_MAGIC, "OCFS2"},
	{0x01161970, "GFS2"},
	{0x0bd00bd0, "Lustre"},
	{0x786f4256, "a VirtualBox folder"},
	{OVERLAYFS_SUPER_MAGIC, "overlayfs"},
};

/* The name of a file system whose changes may be made where inotify does not hear of them, or
 * NULL. */
static const char *
dir_watch_silent_name(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0)
		return NULL;
	for (size_t i = 0; i < sizeof(dir_watch_silent) / sizeof(*dir_watch_silent); i++)
		if (dir_watch_silent[i].magic == ((unsigned long)fs.f_type & 0xffffffffUL))
			return dir_watch_silent[i].name;
	return NULL;
}

/* --- states ------------------------------------------------------------------------- */

static void
dir_watch_set_timer(struct dir_watch *watch)
{
	event_add(watch->timer, watch->state == DIR_WATCH_POLLING ? &dir_watch_poll_period :
		&dir_watch_check_period);
}

/* Leaves what was watched, whatever that was. */
static void
dir_watch_close(struct dir_watch *watch)
{
	if (watch->event != NULL)
		event_free(watch->event);
	watch->event = NULL;
	fd_close(&watch->inotify);
	fd_close(&watch->fd);
}

static void
dir_watch_turn(struct dir_watch *watch, enum dir_watch_state state, const char *why)
{
	watch->state = state;
	watch->told = true;
	watch->watcher.turned(state, why, watch->watcher.arg);
}

static void dir_watch_on_readable(evutil_socket_t fd, short what, void *arg);

/* False: it does not work here, for the reason in why. */
static bool
dir_watch_begin_inotify(struct dir_watch *watch, char *why, size_t size)
{
	const char *silent = dir_watch_silent_name(watch->fd);
	char link[32];

	if (watch->only_poll) {
		snprintf(why, size, "as watch = poll asks for");
		return false;
	}
	if (silent != NULL) {
		snprintf(why, size, "since it is on %s, which may not tell of changes", silent);
		return false;
	}
	/* By the descriptor: the path may lead elsewhere by now. */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", watch->fd);
	watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->inotify < 0 || inotify_add_watch(watch->inotify, link, DIR_WATCH_MASK) < 0) {
		snprintf(why, size, "since inotify does not work: %s%s", strerror(errno),
			errno == EMFILE ? " (see fs.inotify.max_user_instances)" :
			errno == ENOSPC ? " (see fs.inotify.max_user_watches)" : "");
		fd_close(&watch->inotify);
		return false;
	}
	watch->event = event_new(watch->base, watch->inotify, EV_READ | EV_PERSIST,
		dir_watch_on_readable, watch);
	if (watch->event == NULL || event_add(watch->event, NULL) != 0) {
		snprintf(why, size, "since there is no memory for more");
		return false;
	}
	return true;
}

/* Opens what the path leads to now and watches it. */
static void
dir_watch_open(struct dir_watch *watch)
{
	char why[160];

	watch->fd = open(watch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (watch->fd < 0) {
		int error = errno;

		if (watch->told && watch->state == DIR_WATCH_GONE && watch->gone_errno == error)
			return;
		watch->gone_errno = error;
		dir_watch_turn(watch, DIR_WATCH_GONE, strerror(error));
	} else if (dir_watch_begin_inotify(watch, why, sizeof(why))) {
		dir_watch_turn(watch, DIR_WATCH_INOTIFY, "by inotify");
	} else {
		char text[200];

		snprintf(text, sizeof(text), "by a look twice a second, %s", why);
		dir_watch_turn(watch, DIR_WATCH_POLLING, text);
	}
}

/* Whether the path still leads to what is watched. */
static bool
dir_watch_is_right(const struct dir_watch *watch)
{
	struct stat here;
	struct stat there;

	return watch->fd >= 0 && fstat(watch->fd, &here) == 0 && stat(watch->path, &there) == 0 &&
		here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* --- events ------------------------------------------------------------------------- */

static void
dir_watch_check(struct dir_watch *watch)
{
	if (dir_watch_is_right(watch))
		return;
	dir_watch_close(watch);
	dir_watch_open(watch);
}

static void
dir_watch_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct dir_watch *watch = arg;

	(void)fd;
	(void)what;
	dir_watch_check(watch);
	if (watch->state == DIR_WATCH_POLLING)
		watch->watcher.changed(watch->watcher.arg);
	dir_watch_set_timer(watch);
}

static void
dir_watch_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct dir_watch *watch = arg;
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	uint32_t mask = 0;
	ssize_t size = read((int)fd, events, sizeof(events));

	(void)what;
	for (ssize_t at = 0; at < size;) {
		const struct inotify_event *event = (const void *)(events + at);

		mask |= event->mask;
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	if ((mask & IN_Q_OVERFLOW) != 0)
		log_debug(NULL, "so much has changed in %s that all of it is looked at", watch->path);
	if ((mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0) {
		dir_watch_check(watch);
		dir_watch_set_timer(watch);
	}
	watch->watcher.changed(watch->watcher.arg);
}

/* --- lifecycle ---------------------------------------------------------------------- */

struct dir_watch *
dir_watch_create(struct event_base *base, const char *path, bool only_poll,
	const struct dir_watch_watcher *watcher)
{
	struct dir_watch *watch = xcalloc(1, sizeof(*watch));
	const struct timeval at_once = {0};

	watch->base = base;
	watch->path = xstrdup(path);
	watch->only_poll = only_poll;
	watch->watcher = *watcher;
	watch->fd = -1;
	watch->inotify = -1;
	watch->timer = evtimer_new(base, dir_watch_on_timer, watch);
	if (watch->timer == NULL || event_add(watch->timer, &at_once) != 0) {
		dir_watch_destroy(watch);
		return NULL;
	}
	return watch;
}

void
dir_watch_destroy(struct dir_watch *watch)
{
	if (watch == NULL)
		return;
	dir_watch_close(watch);
	if (watch->timer != NULL)
		event_free(watch->timer);
	free(watch->path);
	free(watch);
}

int
dir_watch_fd(const struct dir_watch *watch)
{
	return watch->fd;
}
