/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of files, by subscription: what happens to the entries of a directory, or to one
 * name in it.
 *
 *	struct bay_watch *watch;
 *	struct bay_watch_event event;
 *
 *	if ((status = bay_watch_open("/etc/app.conf", 0, &watch)) != BAY_OK)
 *		return status;
 *	while (bay_watch_next(watch, &event, BAY_INHERIT) == BAY_OK)
 *		if ((event.what & (BAY_WATCH_WRITTEN | BAY_WATCH_MOVED_IN | BAY_WATCH_OVERFLOW)) != 0)
 *			read_config();
 *	bay_watch_close(watch);
 *
 * An event says that it is worth looking, not what one will see: those of one name that nobody
 * has taken yet are told as one. A file is watched by its name in its directory, so it may be
 * replaced, deleted and made again. The change of a file that a symbolic link points to is not
 * seen at the link.
 *
 * A watch ends with its service at the latest. All functions: on the loop that opened it.
 */
#ifndef BAY_WATCH_H
#define BAY_WATCH_H

#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_watch;

/* What has happened to an entry; any combination. */
#define BAY_WATCH_CREATED 1u      /* made: a file (perhaps still empty), a directory, a link */
#define BAY_WATCH_CHANGED 2u      /* written to, cut, or lengthened */
#define BAY_WATCH_WRITTEN 4u      /* closed by somebody who could write to it */
#define BAY_WATCH_MOVED_IN 8u     /* has this name now, by a rename */
#define BAY_WATCH_MOVED_OUT 16u   /* had this name, before a rename */
#define BAY_WATCH_DELETED 32u
#define BAY_WATCH_ATTRIBUTES 64u  /* mode, owner, times, number of links */

/* Told always, with an empty name. */
#define BAY_WATCH_OVERFLOW 128u   /* so much has happened that it was not kept: look at all */
#define BAY_WATCH_GONE 256u       /* the directory was deleted, moved away or unmounted: nothing
                                   * more will come */

struct bay_watch_event {
	unsigned what;    /* of the above */
	char name[256];   /* of the entry in the directory; "": the directory itself */
};

/* Watches path: the entries of a directory, or, if it is none, the one entry of that name,
 * which need not be there yet. What is a combination of the above; 0: everything. BAY_OK:
 * *watch_r is the caller's, to be closed. Else it is NULL: BAY_NOT_FOUND (no such directory),
 * BAY_NOT_PERMITTED, BAY_FULL (no more descriptors, or watches of the system: see
 * inotify(7)), BAY_TOO_BIG (a path of 4 KiB), BAY_INVALID, BAY_NO_MEMORY, BAY_IO. Inside a
 * task; never suspends, but looks at the file system, which may be slow. Since 1.0. */
BAY_API int bay_watch_open(const char *path, unsigned what, struct bay_watch **watch_r);

/* Ends the watch; NULL is allowed. Who waits ends with BAY_CLOSED. Never suspends. Since
 * 1.0. */
BAY_API void bay_watch_close(struct bay_watch *watch);

/* Waits for the next event and takes it. At most 1024 names with their events are kept, then
 * BAY_WATCH_OVERFLOW comes instead. Of several tasks that wait for one watch the first gets
 * it. BAY_OK; BAY_CLOSED: BAY_WATCH_GONE has been taken, or the watch was closed;
 * BAY_TIMEOUT; BAY_CANCELED: nothing was taken. Inside a task; may suspend. Since 1.0. */
BAY_API int bay_watch_next(struct bay_watch *watch, struct bay_watch_event *event_r, int64_t deadline);

BAY_END_DECLS

#endif
