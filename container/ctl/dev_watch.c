/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The watch on a source. It is the directory that is watched: editors write a new file and
 * rename it over the old one, and headers and the Makefile count too. Which events there were
 * says only that it is time to look.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "ctl/dev.h"

enum {
	DEV_WATCH_SETTLE_MS = 60,
	DEV_WATCH_SETTLE_ROUNDS = 20 /* somebody writes all the time: that is a state, too */
};

static const char *const dev_watch_endings[] = {".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".inc"};

bool
dev_watch_open(struct dev *dev)
{
	dev->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (dev->watch >= 0 && inotify_add_watch(dev->watch, dev->directory, IN_CLOSE_WRITE |
		IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR) >= 0)
		return true;
	ctl_error_set(&dev->ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO, "watching %s: %s",
		dev->directory, strerror(errno));
	return false;
}

/* Not what a build leaves, nor what an editor keeps for itself. */
static bool
dev_watch_concerns(const char *file)
{
	const char *ending = strrchr(file, '.');

	if (strcmp(file, "Makefile") == 0 || strcmp(file, "GNUmakefile") == 0)
		return true;
	if (ending == NULL || ending == file || file[0] == '.')
		return false;
	for (size_t i = 0; i < sizeof(dev_watch_endings) / sizeof(*dev_watch_endings); i++)
		if (strcmp(ending, dev_watch_endings[i]) == 0)
			return true;
	return false;
}

static void
dev_watch_on_event(struct dev *dev, const struct inotify_event *event)
{
	if ((event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) != 0) {
		ctl_error_set(&dev->ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO,
			"the directory %s is gone", dev->directory);
		dev->ends = true;
	} else if ((event->mask & IN_Q_OVERFLOW) != 0 ||
		(event->len > 0 && dev_watch_concerns(event->name))) {
		dev->changed = true;
	}
}

void
dev_watch_take(struct dev *dev)
{
	char bytes[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t size;

	while ((size = read(dev->watch, bytes, sizeof(bytes))) > 0) {
		const struct inotify_event *event;

		for (ssize_t at = 0; at < size; at += (ssize_t)(sizeof(*event) + event->len)) {
			event = (const struct inotify_event *)(const void *)(bytes + at);
			dev_watch_on_event(dev, event);
		}
	}
}

void
dev_watch_settle(struct dev *dev)
{
	struct pollfd wait = {.fd = dev->watch, .events = POLLIN};

	for (int i = 0; i < DEV_WATCH_SETTLE_ROUNDS && poll(&wait, 1, DEV_WATCH_SETTLE_MS) > 0; i++)
		dev_watch_take(dev);
	dev->changed = false;
}
