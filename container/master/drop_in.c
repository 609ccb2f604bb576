/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/drop_in.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/remedy.h"
#include "config/config_data.h"
#include "master/dir_watch.h"
#include "master/drop_in_dir.h"
#include "master/drop_in_jobs.h"
#include "master/drop_in_state.h"
#include "master/event_log.h"
#include "master/master.h"

/* From the first sign of a change to a look; and to the next one after a look that failed. */
static const int64_t drop_in_look_ns = 50 * (int64_t)CLOCK_NS_PER_MS;
static const int64_t drop_in_failed_ns = CLOCK_NS_PER_S;

struct drop_in {
	struct master *master;
	struct dir_watch *watch;    /* NULL: it has not begun, or has stopped */
	bool may_lease;             /* its file system is one of this machine */
	struct drop_in_state *state;
	struct drop_in_jobs *jobs;
	struct event *look_timer;
	int64_t look_at_ns;         /* when it fires; INT64_MAX: it is not set */
	int look_errno;             /* of a look that failed, as it was told; or 0 */
};

static const char *
drop_in_path(const struct drop_in *drop_in)
{
	return drop_in->master->config->container.plugin_dir;
}

static void
drop_in_note(const struct drop_in *drop_in, enum event_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void
drop_in_note(const struct drop_in *drop_in, enum event_kind kind, const char *format, ...)
{
	const struct event_facts facts = {.by = {.source = EVENT_BY_SUPERVISOR}};
	char why[4096 + 256];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	event_log_add(drop_in->master->events, kind, &facts, "%s", why);
}

/* --- looks ------------------------------------------------------------------------ */

/* At this time, unless it is earlier. */
static void
drop_in_look_at(struct drop_in *drop_in, int64_t when_ns)
{
	int64_t delay_ns = when_ns - clock_monotonic_ns();
	struct timeval delay = {0};

	if (when_ns >= drop_in->look_at_ns || drop_in->watch == NULL)
		return;
	drop_in->look_at_ns = when_ns;
	if (delay_ns > 0)
		delay = (struct timeval){.tv_sec = delay_ns / CLOCK_NS_PER_S,
			.tv_usec = delay_ns % CLOCK_NS_PER_S / CLOCK_NS_PER_US + 1};
	event_add(drop_in->look_timer, &delay);
}

/* The file's plugin, "square" of "square.so"; the caller's. */
static char *
drop_in_plugin(const char *file)
{
	return xstrndup(file, strlen(file) - strlen(".so"));
}

static void
drop_in_decide(enum drop_in_verdict verdict, const char *name, void *arg)
{
	struct drop_in *drop_in = arg;
	char *plugin = drop_in_plugin(name);

	switch (verdict) {
	case DROP_IN_CHANGED:
	case DROP_IN_AGAIN:
		drop_in_jobs_changed(drop_in->jobs, plugin, verdict == DROP_IN_AGAIN);
		break;
	case DROP_IN_GONE:
		drop_in_jobs_gone(drop_in->jobs, plugin);
		break;
	case DROP_IN_HELD:
		drop_in_note(drop_in, EVENT_TROUBLE, "%s/%s is open for writing for long: it is taken once "
			"that is closed (see fuser)", drop_in_path(drop_in), name);
		break;
	}
	free(plugin);
}

static void
drop_in_look_failed(struct drop_in *drop_in, int error)
{
	if (drop_in->look_errno != error)
		drop_in_note(drop_in, EVENT_TROUBLE, "plugin_dir %s cannot be read: %s%s; what runs goes on, "
			"and it is tried again", drop_in_path(drop_in), strerror(error), remedy_of(error));
	drop_in->look_errno = error;
	drop_in_look_at(drop_in, clock_monotonic_ns() + drop_in_failed_ns);
}

static void
drop_in_on_look_timer(evutil_socket_t fd, short what, void *arg)
{
	struct drop_in *drop_in = arg;
	int dirfd = dir_watch_fd(drop_in->watch);
	struct drop_in_dir dir;
	int64_t next_ns;

	(void)fd;
	(void)what;
	drop_in->look_at_ns = INT64_MAX;
	/* Of a directory that is not there nothing can be said. */
	if (dirfd < 0)
		return;
	if (!drop_in_dir_read(&dir, dirfd, drop_in->state, drop_in->may_lease)) {
		drop_in_look_failed(drop_in, errno);
		return;
	}
	drop_in->look_errno = 0;
	next_ns = drop_in_state_step(drop_in->state, dir.looks, dir.count, clock_monotonic_ns(),
		drop_in_decide, drop_in);
	drop_in_dir_finish(&dir);
	drop_in_look_at(drop_in, next_ns);
}

static void
drop_in_on_again(const char *plugin, int64_t delay_ns, void *arg)
{
	struct drop_in *drop_in = arg;
	int64_t when_ns = clock_monotonic_ns() + delay_ns;
	char *file = xasprintf("%s.so", plugin);

	drop_in_state_retry(drop_in->state, file, when_ns);
	drop_in_look_at(drop_in, when_ns);
	free(file);
}

/* --- the watch -------------------------------------------------------------------- */

static void
drop_in_on_changed(void *arg)
{
	drop_in_look_at(arg, clock_monotonic_ns() + drop_in_look_ns);
}

static void
drop_in_on_turned(enum dir_watch_state state, const char *why, void *arg)
{
	struct drop_in *drop_in = arg;

	drop_in->may_lease = state == DIR_WATCH_INOTIFY;
	if (state == DIR_WATCH_GONE) {
		drop_in_note(drop_in, EVENT_TROUBLE, "plugin_dir %s cannot be opened: %s; what runs goes "
			"on, and the directory is taken when it is there", drop_in_path(drop_in), why);
	} else {
		drop_in_note(drop_in, EVENT_WATCHING, "plugin_dir %s, %s", drop_in_path(drop_in), why);
		drop_in_look_at(drop_in, clock_monotonic_ns());
	}
}

/* --- lifecycle -------------------------------------------------------------------- */

/* Whether a section names this file's plugin: it is looked at with the start. */
static bool
drop_in_is_named(const struct config *config, const char *file)
{
	char *plugin = drop_in_plugin(file);
	bool named = false;

	for (size_t i = 0; i < config->service_count && !named; i++)
		named = strcmp(config->services[i].plugin, plugin) == 0;
	free(plugin);
	return named;
}

/* With autoload, what nobody names is new. */
static void
drop_in_know_all(struct drop_in *drop_in)
{
	const struct config *config = drop_in->master->config;
	int fd = open(drop_in_path(drop_in), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct drop_in_dir dir = {0};

	/* What cannot be read now is told when the watch begins. */
	if (fd < 0 || !drop_in_dir_read(&dir, fd, drop_in->state, false)) {
		fd_close(&fd);
		return;
	}
	for (size_t i = 0; i < dir.count; i++)
		if (!config->container.autoload || drop_in_is_named(config, dir.looks[i].name))
			drop_in_state_know(drop_in->state, &dir.looks[i]);
	drop_in_dir_finish(&dir);
	fd_close(&fd);
}

struct drop_in *
drop_in_create(struct master *master)
{
	struct drop_in *drop_in = xcalloc(1, sizeof(*drop_in));

	drop_in->master = master;
	drop_in->look_at_ns = INT64_MAX;
	drop_in->state = drop_in_state_create();
	drop_in->jobs = drop_in_jobs_create(master, drop_in_on_again, drop_in);
	drop_in->look_timer = evtimer_new(master->base, drop_in_on_look_timer, drop_in);
	if (drop_in->jobs == NULL || drop_in->look_timer == NULL) {
		drop_in_destroy(drop_in);
		return NULL;
	}
	drop_in_know_all(drop_in);
	return drop_in;
}

void
drop_in_start(struct drop_in *drop_in)
{
	const struct config_container *container = &drop_in->master->config->container;
	const struct dir_watch_watcher watcher = {.changed = drop_in_on_changed,
		.turned = drop_in_on_turned, .arg = drop_in};

	drop_in->watch = dir_watch_create(drop_in->master->base, container->plugin_dir,
		container->watch == CONFIG_WATCH_POLL, &watcher);
	if (drop_in->watch == NULL)
		drop_in_note(drop_in, EVENT_TROUBLE, "plugin_dir cannot be watched: no memory");
}

void
drop_in_stop(struct drop_in *drop_in)
{
	if (drop_in == NULL)
		return;
	event_del(drop_in->look_timer);
	drop_in_jobs_stop(drop_in->jobs);
	dir_watch_destroy(drop_in->watch);
	drop_in->watch = NULL;
}

void
drop_in_destroy(struct drop_in *drop_in)
{
	if (drop_in == NULL)
		return;
	drop_in_jobs_destroy(drop_in->jobs);
	drop_in_state_destroy(drop_in->state);
	dir_watch_destroy(drop_in->watch);
	if (drop_in->look_timer != NULL)
		event_free(drop_in->look_timer);
	free(drop_in);
}
