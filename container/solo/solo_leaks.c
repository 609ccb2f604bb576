/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "solo/solo_leaks.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/list.h"
#include "base/text.h"
#include "runtime/belonging.h"
#include "runtime/lock.h"
#include "runtime/scheduler.h"
#include "runtime/spawn.h"
#include "runtime/task.h"
#include "service/instance.h"
#include "service/message.h"
#include "service/registry.h"
#include "service/service.h"
#include "solo/solo_inside.h"
#include "solo/solo_log.h"

/* Descriptors above are not looked at. */
enum { LEAKS_FDS = 4096 };

struct solo_leaks {
	struct solo *solo;
	size_t messages;
	size_t belongings;
	size_t left_open;
	bool fds[LEAKS_FDS];   /* open before there was a container */
	bool inner[LEAKS_FDS]; /* and with it */
	struct buffer text;
	size_t count;
};

/* Calls fn for each open descriptor below LEAKS_FDS, but not for the one it looks through. */
static void
leaks_each_fd(struct solo_leaks *leaks, void (*fn)(struct solo_leaks *leaks, int fd))
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		int64_t fd;

		if (text_parse_int64(entry->d_name, &fd) && fd < LEAKS_FDS && fd != dirfd(dir))
			fn(leaks, (int)fd);
	}
	closedir(dir);
}

static void
leaks_note_fd(struct solo_leaks *leaks, int fd)
{
	if (leaks->solo != NULL)
		leaks->inner[fd] = true;
	else
		leaks->fds[fd] = true;
}

/* Opened by a task that belongs to no service. */
static bool
leaks_is_of_test(const struct belonging *belonging)
{
	return belonging->instance == NULL && !belonging->lasting;
}

static size_t
leaks_belongings(const struct solo_leaks *leaks)
{
	size_t count = 0;

	list_for_each(pos, &leaks->solo->scheduler->belongings)
		count += leaks_is_of_test(container_of(pos, struct belonging, link));
	return count;
}

struct solo_leaks *
solo_leaks_begin(void)
{
	struct solo_leaks *leaks = xcalloc(1, sizeof *leaks);

	leaks_each_fd(leaks, leaks_note_fd);
	return leaks;
}

void
solo_leaks_attach(struct solo_leaks *leaks, struct solo *solo)
{
	leaks->solo = solo;
	if (solo == NULL)
		return;
	leaks->messages = message_in_use();
	leaks->belongings = leaks_belongings(leaks);
	leaks->left_open = solo_log_left_open();
	leaks_each_fd(leaks, leaks_note_fd);
}

void
solo_leaks_end(struct solo_leaks *leaks)
{
	if (leaks == NULL)
		return;
	buffer_finish(&leaks->text);
	free(leaks);
}

static void
leaks_add(struct solo_leaks *leaks, size_t count, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void
leaks_add(struct solo_leaks *leaks, size_t count, const char *format, ...)
{
	va_list args;
	bool told;

	leaks->count += count;
	va_start(args, format);
	told = buffer_vprintf(&leaks->text, format, args) && buffer_append_text(&leaks->text, "\n");
	va_end(args);
	/* Without memory for the text the count still says it. */
	if (!told)
		buffer_clear(&leaks->text);
}

/* --- kinds ---------------------------------------------------------------------- */

static void
leaks_look_at_locks(struct solo_leaks *leaks, const struct task *task)
{
	const struct bay_lock *lock;

	for (lock = task->locks; lock != NULL; lock = lock->older)
		leaks_add(leaks, 1, "the task %s holds the lock %s", task->name, lock->waitable.name);
}

/* Those of a service live as long as it does. */
static void
leaks_look_at_tasks(struct solo_leaks *leaks)
{
	const struct spawn *spawn = NULL;

	list_for_each(pos, &leaks->solo->scheduler->tasks) {
		const struct task *task = container_of(pos, struct task, in_scheduler);
		const char *subject = task_subject(task);
		char room[128];
		const char *on = task_waiting_on(task, room, sizeof room);

		if (task->state == TASK_DONE || (subject != NULL && task->request == NULL))
			continue;
		leaks_add(leaks, 1, "the task %s%s%s is left, in %s", task->name, subject != NULL ? " of " : "",
			subject != NULL ? subject : "", on != NULL ? on : "nothing");
		leaks_look_at_locks(leaks, task);
	}
	while ((spawn = spawn_next(leaks->solo->scheduler, spawn)) != NULL) {
		if (spawn->instance == NULL || spawn->request != NULL)
			leaks_add(leaks, 1, "the task %s is left and has not begun", spawn->name);
	}
}

static void
leaks_look_at_messages(struct solo_leaks *leaks)
{
	size_t now = message_in_use();

	if (now > leaks->messages)
		leaks_add(leaks, now - leaks->messages, "%zu %s not freed (bay_message_free)", now - leaks->messages,
			text_number(now - leaks->messages, "message is", "messages are"));
}

/* A service that has ended owns nothing. */
static void
leaks_look_at_services(struct solo_leaks *leaks)
{
	unsigned id;

	for (id = 0; id < registry_count(); id++) {
		const struct bay_service *service = registry_at((uint16_t)id);
		struct status_service_view view;

		if (service->slot == STATUS_NO_SLOT || service->instances[0] != NULL)
			continue;
		status_page_read_service(leaks->solo->page, service->slot, &view);
		if (view.memory_bytes != 0)
			leaks_add(leaks, 1, "%s has %" PRIu64 " bytes of bay_alloc() that are not freed",
				service->subject, view.memory_bytes);
	}
}

/* What was closed for them. */
static void
leaks_look_at_left_open(struct solo_leaks *leaks)
{
	size_t i, left = solo_log_left_open() - leaks->left_open;

	for (i = solo_log_count(); i-- > 0 && left > 0;) {
		const char *line = solo_log_line(i);

		if (strstr(line, BELONGING_LEFT) == NULL)
			continue;
		leaks_add(leaks, 1, "%s", line);
		left--;
	}
	/* Their lines may have been forgotten. */
	if (left > 0)
		leaks_add(leaks, left, "%zu services have left something open", left);
}

static void
leaks_look_at_fd(struct solo_leaks *leaks, int fd)
{
	char link[48], target[PATH_MAX];
	ssize_t size;

	if (leaks->fds[fd] || (leaks->solo != NULL && leaks->inner[fd]))
		return;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	size = readlink(link, target, sizeof target - 1);
	if (size < 0)
		return;
	target[size] = '\0';
	if (leaks->solo != NULL && strncmp(target, "anon_inode:", strlen("anon_inode:")) == 0)
		return;
	leaks_add(leaks, 1, "the descriptor %d (%s) is open", fd, target);
}

static void
leaks_look_at_belongings(struct solo_leaks *leaks)
{
	size_t now = leaks_belongings(leaks);

	if (now <= leaks->belongings)
		return;
	list_for_each(pos, &leaks->solo->scheduler->belongings) {
		const struct belonging *belonging = container_of(pos, struct belonging, link);

		if (leaks_is_of_test(belonging) && now-- > leaks->belongings)
			leaks_add(leaks, 1, "a %s that a task of the test opened is not closed", belonging->kind);
	}
}

static void
leaks_begin_look(struct solo_leaks *leaks)
{
	buffer_clear(&leaks->text);
	leaks->count = 0;
}

static size_t
leaks_end_look(struct solo_leaks *leaks, const char **text_r)
{
	*text_r = buffer_text(&leaks->text);
	if (*text_r == NULL)
		*text_r = "";
	return leaks->count;
}

size_t
solo_leaks_look(struct solo_leaks *leaks, const char **text_r)
{
	leaks_begin_look(leaks);
	leaks_look_at_tasks(leaks);
	leaks_look_at_messages(leaks);
	leaks_look_at_services(leaks);
	leaks_look_at_left_open(leaks);
	leaks_look_at_belongings(leaks);
	return leaks_end_look(leaks, text_r);
}

size_t
solo_leaks_look_at_fds(struct solo_leaks *leaks, const char **text_r)
{
	leaks_begin_look(leaks);
	leaks_each_fd(leaks, leaks_look_at_fd);
	return leaks_end_look(leaks, text_r);
}
