/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that the files look like is written down as one text, and two such texts are compared: what
 * of it is different does not matter.
 */
#include "config.h"

#include "master/ini_watch.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/list.h"
#include "config/config_data.h"
#include "config/config_include.h"
#include "config/config_report.h"
#include "master/dir_watch.h"
#include "master/event_log.h"

static const struct timeval ini_watch_settle = {.tv_usec = 200 * 1000};
static const int64_t ini_watch_settle_ns = 300 * (int64_t)CLOCK_NS_PER_MS;

/* Until what was refused is tried again, though it has not changed: at first, and at most. */
static const int64_t ini_watch_again_ns = 5 * (int64_t)CLOCK_NS_PER_S;
static const int64_t ini_watch_again_max_ns = 60 * (int64_t)CLOCK_NS_PER_S;

struct ini_watch {
	struct event_base *base;
	struct event_log *events;
	bool only_poll;
	void (*changed)(void *arg);
	void *arg;
	struct config *in_force;
	struct config *also;             /* was read after it, or NULL */
	struct config_patterns files;    /* absolute, or from our own directory */
	struct config_patterns patterns; /* of the main file */
	char *path;                      /* of the main file */
	struct list dirs;                /* struct ini_watch_dir */
	struct event *timer;
	struct event *again_timer;
	int64_t again_ns; /* how long it takes to fire next; 0: the least */
	char *told;       /* what they looked like when changed was called, or they were read */
	char *seen;       /* and at the last look */
	int64_t since_ns; /* they look like that */
	bool pending;     /* they had changed when we began to write */
};

struct ini_watch_dir {
	struct list link;
	struct ini_watch *watch;
	char *path;
	struct dir_watch *dir;
	bool wanted; /* by the configuration that is being set */
};

/* --- what they look like ---------------------------------------------------------- */

static bool
ini_watch_describe(struct buffer *out, const char *file)
{
	struct stat st;

	if (stat(file, &st) != 0)
		return buffer_printf(out, "%s is not there\n", file);
	return buffer_printf(out, "%s %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 ".%09ld %" PRId64
		".%09ld %o %u\n", file, (uint64_t)st.st_dev, (uint64_t)st.st_ino, (int64_t)st.st_size,
		(int64_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (int64_t)st.st_ctim.tv_sec,
		st.st_ctim.tv_nsec, (unsigned)st.st_mode, (unsigned)st.st_uid);
}

/* The caller's; NULL: no memory. */
static char *
ini_watch_look(const struct ini_watch *watch)
{
	struct config_report report = {0};
	struct config_patterns found = {0};
	struct buffer text = {0};
	bool whole = true;
	char *look;

	for (size_t i = 0; i < watch->patterns.count; i++)
		config_pattern_match(watch->patterns.list[i].text, 0, watch->path, &found, &report);
	for (size_t i = 0; i < watch->files.count && whole; i++)
		whole = ini_watch_describe(&text, watch->files.list[i].text);
	for (size_t i = 0; i < found.count && whole; i++)
		whole = ini_watch_describe(&text, found.list[i].text);
	look = whole && buffer_text(&text) != NULL ? xstrdup(buffer_text(&text)) : NULL;
	config_patterns_finish(&found);
	config_report_finish(&report);
	buffer_finish(&text);
	return look;
}

/* --- events ----------------------------------------------------------------------- */

static void
ini_watch_look_later(struct ini_watch *watch)
{
	if (!event_pending(watch->timer, EV_TIMEOUT, NULL))
		event_add(watch->timer, &ini_watch_settle);
}

static void
ini_watch_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct ini_watch *watch = arg;
	int64_t now_ns = clock_monotonic_ns();
	char *look = ini_watch_look(watch);

	(void)fd;
	(void)what;
	if (look == NULL)
		return;
	if (strcmp(look, watch->seen) != 0)
		watch->since_ns = now_ns;
	free(watch->seen);
	watch->seen = look;
	if (strcmp(look, watch->told) == 0)
		return;
	if (now_ns - watch->since_ns < ini_watch_settle_ns) {
		ini_watch_look_later(watch);
		return;
	}
	free(watch->told);
	watch->told = xstrdup(look);
	watch->again_ns = 0;
	event_del(watch->again_timer);
	watch->changed(watch->arg);
}

static void
ini_watch_on_again_timer(evutil_socket_t fd, short what, void *arg)
{
	struct ini_watch *watch = arg;

	(void)fd;
	(void)what;
	watch->changed(watch->arg);
}

void
ini_watch_again(struct ini_watch *watch)
{
	int64_t delay_ns = watch->again_ns > 0 ? watch->again_ns : ini_watch_again_ns;
	struct timeval delay = {.tv_sec = delay_ns / CLOCK_NS_PER_S};

	watch->again_ns = delay_ns * 2 < ini_watch_again_max_ns ? delay_ns * 2 : ini_watch_again_max_ns;
	event_add(watch->again_timer, &delay);
}

static void
ini_watch_on_changed(void *arg)
{
	const struct ini_watch_dir *dir = arg;

	ini_watch_look_later(dir->watch);
}

/* That a directory is not there is no trouble: what was in it is missed by the reload. */
static void
ini_watch_on_turned(enum dir_watch_state state, const char *why, void *arg)
{
	const struct ini_watch_dir *dir = arg;

	if (state != DIR_WATCH_GONE)
		event_log_add(dir->watch->events, EVENT_WATCHING, &(struct event_facts){0},
			"configuration files in %s, %s", dir->path, why);
	ini_watch_look_later(dir->watch);
}

/* --- what is watched -------------------------------------------------------------- */

static void
ini_watch_dir_destroy(struct ini_watch_dir *dir)
{
	list_remove(&dir->link);
	dir_watch_destroy(dir->dir);
	free(dir->path);
	free(dir);
}

/* Watches the directory; takes path. */
static void
ini_watch_add_dir(struct ini_watch *watch, char *path)
{
	struct dir_watch_watcher watcher = {.changed = ini_watch_on_changed,
		.turned = ini_watch_on_turned};
	struct ini_watch_dir *dir;

	list_for_each(pos, &watch->dirs) {
		dir = container_of(pos, struct ini_watch_dir, link);
		if (strcmp(dir->path, path) == 0) {
			dir->wanted = true;
			free(path);
			return;
		}
	}
	dir = xcalloc(1, sizeof(*dir));
	dir->watch = watch;
	dir->path = path;
	dir->wanted = true;
	watcher.arg = dir;
	list_push_back(&watch->dirs, &dir->link);
	dir->dir = dir_watch_create(watch->base, path, watch->only_poll, &watcher);
}

/* Watches the directory of a name that is relative to base, which has its slash or is "". */
static void
ini_watch_add_dir_of(struct ini_watch *watch, const char *base, const char *name)
{
	char *dir = config_dir_of(name);
	char *joined = dir[0] == '/' ? xstrdup(dir) : xasprintf("%s%s", base, dir);
	char *path = realpath(*joined != '\0' ? joined : ".", NULL);

	/* Of directories that are a pattern themselves only those with files are watched. */
	if (strpbrk(joined, "*?[") == NULL) {
		ini_watch_add_dir(watch, path != NULL ? path : joined);
		if (path == NULL)
			joined = NULL;
		path = NULL;
	}
	free(path);
	free(joined);
	free(dir);
}

static void
ini_watch_add_config(struct ini_watch *watch, const struct config *config)
{
	config_patterns_add(&watch->patterns, config->container.include, 0);
	for (size_t i = 0; i < config->file_count; i++) {
		/* Others are named as the main one was, perhaps from where bayd was started. */
		const char *file = i == 0 ? config->path : config->files[i];

		config_patterns_add(&watch->files, file, 0);
		ini_watch_add_dir_of(watch, "", file);
	}
}

static void
ini_watch_replace(struct ini_watch *watch)
{
	char *base = config_dir_of(watch->in_force->path);

	free(watch->path);
	watch->path = xstrdup(watch->in_force->path);
	config_patterns_finish(&watch->files);
	config_patterns_finish(&watch->patterns);
	list_for_each(pos, &watch->dirs)
		container_of(pos, struct ini_watch_dir, link)->wanted = false;
	ini_watch_add_config(watch, watch->in_force);
	if (watch->also != NULL && watch->also != watch->in_force)
		ini_watch_add_config(watch, watch->also);
	for (size_t i = 0; i < watch->patterns.count; i++)
		ini_watch_add_dir_of(watch, base, watch->patterns.list[i].text);
	list_for_each_safe(pos, &watch->dirs) {
		struct ini_watch_dir *dir = container_of(pos, struct ini_watch_dir, link);

		if (!dir->wanted)
			ini_watch_dir_destroy(dir);
	}
	free(base);
}

/* Whether there is a change that has not been told. */
static bool
ini_watch_is_pending(const struct ini_watch *watch)
{
	char *look = watch->told != NULL ? ini_watch_look(watch) : NULL;
	bool pending = look != NULL && strcmp(look, watch->told) != 0;

	free(look);
	return pending;
}

void
ini_watch_reading(struct ini_watch *watch)
{
	char *look = ini_watch_look(watch);

	if (look == NULL)
		return;
	free(watch->told);
	watch->told = look;
}

void
ini_watch_writing(struct ini_watch *watch)
{
	watch->pending = ini_watch_is_pending(watch);
}

void
ini_watch_written(struct ini_watch *watch)
{
	if (!watch->pending)
		ini_watch_reading(watch);
}

/* A change that has not been told yet stays one; that there are other files now is none. */
static void
ini_watch_renew(struct ini_watch *watch)
{
	bool pending = ini_watch_is_pending(watch);
	char *look;

	ini_watch_replace(watch);
	look = ini_watch_look(watch);
	if (look == NULL)
		return;
	free(watch->seen);
	free(watch->told);
	watch->seen = look;
	watch->since_ns = clock_monotonic_ns();
	watch->told = xstrdup(pending ? "" : look);
	if (pending)
		ini_watch_look_later(watch);
}

void
ini_watch_set(struct ini_watch *watch, struct config *config)
{
	config_unref(watch->in_force);
	watch->in_force = config_ref(config);
	ini_watch_renew(watch);
}

void
ini_watch_also(struct ini_watch *watch, struct config *config)
{
	config_unref(watch->also);
	watch->also = config_ref(config);
	ini_watch_renew(watch);
}

/* --- lifecycle -------------------------------------------------------------------- */

struct ini_watch *
ini_watch_create(struct event_base *base, struct event_log *events,
	struct config *config, void (*changed)(void *arg), void *arg)
{
	struct ini_watch *watch = xcalloc(1, sizeof(*watch));

	watch->base = base;
	watch->events = events;
	watch->only_poll = config->container.watch == CONFIG_WATCH_POLL;
	watch->changed = changed;
	watch->arg = arg;
	list_init(&watch->dirs);
	watch->timer = evtimer_new(base, ini_watch_on_timer, watch);
	watch->again_timer = evtimer_new(base, ini_watch_on_again_timer, watch);
	if (watch->timer == NULL || watch->again_timer == NULL) {
		ini_watch_destroy(watch);
		return NULL;
	}
	ini_watch_set(watch, config);
	if (watch->told == NULL) {
		ini_watch_destroy(watch);
		return NULL;
	}
	return watch;
}

void
ini_watch_destroy(struct ini_watch *watch)
{
	if (watch == NULL)
		return;
	list_for_each_safe(pos, &watch->dirs)
		ini_watch_dir_destroy(container_of(pos, struct ini_watch_dir, link));
	if (watch->timer != NULL)
		event_free(watch->timer);
	if (watch->again_timer != NULL)
		event_free(watch->again_timer);
	config_unref(watch->in_force);
	config_unref(watch->also);
	config_patterns_finish(&watch->files);
	config_patterns_finish(&watch->patterns);
	free(watch->path);
	free(watch->told);
	free(watch->seen);
	free(watch);
}
