/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/cgroup_group.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "master/cgroup.h"
#include "master/cgroup_tree.h"

/* --- life ------------------------------------------------------------------------------------ */

/* A name that is taken is of one that was left: what has happened in that is not of this one. */
static bool
group_make(struct cgroup_group *group, const char *cell)
{
	struct cgroup_tree *tree = group->tree;
	bool made;

	do {
		free(group->name);
		group->name = xasprintf("cell-%s.%" PRIu64, cell, ++tree->serial);
		made = mkdirat(tree->dirfd, group->name, 0755) == 0;
	} while (!made && errno == EEXIST);
	return made;
}

struct cgroup_group *
cgroup_group_create(struct cgroup_tree *tree, const char *cell)
{
	struct cgroup_group *group = xcalloc(1, sizeof(*group));

	if (tree->litter)
		cgroup_sweep(tree);
	group->tree = tree;
	group->dirfd = group->procs_fd = group->watch_fd = -1;
	list_push_back(&tree->groups, &group->in_tree);
	if (group_make(group, cell))
		group->dirfd = openat(tree->dirfd, group->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (group->dirfd >= 0)
		group->procs_fd = openat(group->dirfd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (group->procs_fd < 0) {
		int error = errno;

		cgroup_group_destroy(group);
		errno = error;
		return NULL;
	}
	return group;
}

void
cgroup_group_destroy(struct cgroup_group *group)
{
	if (group == NULL)
		return;
	if (group->event != NULL)
		event_free(group->event);
	if (group->watch_fd >= 0)
		close(group->watch_fd);
	if (group->procs_fd >= 0)
		close(group->procs_fd);
	if (group->dirfd >= 0)
		close(group->dirfd);
	list_remove(&group->in_tree);
	if (!cgroup_remove(group->tree->dirfd, group->name))
		group->tree->litter = true;
	free(group->name);
	free(group);
}

int
cgroup_group_procs(const struct cgroup_group *group)
{
	return group->procs_fd;
}

/* --- files ----------------------------------------------------------------------------------- */

static bool
group_write(const struct cgroup_group *group, const char *file, uint64_t value)
{
	char text[24] = "max";

	if (value > 0)
		snprintf(text, sizeof(text), "%" PRIu64, value);
	return cgroup_write(group->dirfd, file, text);
}

/* A number of a file, or, with a name, of one of its lines. False: it is not known. */
static bool
group_number(const struct cgroup_group *group, const char *file, const char *name, uint64_t *value_r)
{
	struct buffer text = {0};
	bool known = cgroup_read(group->dirfd, file, &text);
	char *end;

	if (known && name != NULL) {
		known = cgroup_field(buffer_text(&text), name, value_r);
	} else if (known) {
		*value_r = strtoull(buffer_text(&text), &end, 10);
		known = end != buffer_text(&text);
	}
	buffer_finish(&text);
	return known;
}

/* --- limits ---------------------------------------------------------------------------------- */

/* Less than it has would keep us until so much of it has been reclaimed. */
static bool
group_has_more_than(const struct cgroup_group *group, const struct cgroup_values *values)
{
	uint64_t old_high = group->values.memory_high, current;

	return values->memory_high > 0 && (old_high == 0 || values->memory_high < old_high) &&
		group_number(group, "memory.current", NULL, &current) && current >= values->memory_high;
}

/* What has more already is ended by our own looks, if it has to be, and the next one gets them. */
static bool
group_set_memory(struct cgroup_group *group, const struct cgroup_values *values)
{
	if (values->memory_max == group->values.memory_max || group_has_more_than(group, values))
		return true;
	/* It ends as a whole, if it must: what is left of a cell is of no use. */
	if (!group_write(group, "memory.max", values->memory_max) ||
	    !group_write(group, "memory.high", values->memory_high) ||
	    !cgroup_write(group->dirfd, "memory.oom.group", values->memory_max > 0 ? "1" : "0"))
		return false;
	group->values.memory_max = values->memory_max;
	group->values.memory_high = values->memory_high;
	return true;
}

static bool
group_set_tasks(struct cgroup_group *group, const struct cgroup_values *values)
{
	if (values->pids_max == group->values.pids_max)
		return true;
	if (!group_write(group, "pids.max", values->pids_max))
		return false;
	group->values.pids_max = values->pids_max;
	return true;
}

bool
cgroup_group_set(struct cgroup_group *group, uint64_t memory_max, uint32_t tasks_max, uint32_t cpu_weight)
{
	const struct cgroup_values values = cgroup_values(memory_max, tasks_max);
	unsigned controllers = group->tree->controllers;
	bool done = true;

	if (controllers & CGROUP_MEMORY)
		done = group_set_memory(group, &values);
	if (controllers & CGROUP_PIDS)
		done = group_set_tasks(group, &values) && done;
	if ((controllers & CGROUP_CPU) && cpu_weight > 0)
		done = group_write(group, "cpu.weight", cpu_weight) && done;
	return done;
}

/* --- what it has ---------------------------------------------------------------------------- */

void
cgroup_group_read(const struct cgroup_group *group, uint64_t *memory_r, uint32_t *tasks_r)
{
	uint64_t anonymous, shared, swapped = 0, tasks;

	if (group_number(group, "memory.stat", "anon", &anonymous) &&
	    group_number(group, "memory.stat", "shmem", &shared)) {
		/* There may be no swap. */
		if (!group_number(group, "memory.swap.current", NULL, &swapped))
			swapped = 0;
		*memory_r = anonymous + shared + swapped;
	}
	if (group_number(group, "pids.current", NULL, &tasks))
		*tasks_r = tasks < UINT32_MAX ? (uint32_t)tasks : UINT32_MAX;
}

uint64_t
cgroup_group_killed(const struct cgroup_group *group)
{
	uint64_t own, killed;

	/* Kills are counted whoever does them; what is not ours is told to the group that had no more. */
	if (!group_number(group, "memory.events", "oom", &own) || own == 0)
		return 0;
	return group_number(group, "memory.events", "oom_kill", &killed) ? killed : 0;
}

static void
group_on_event(evutil_socket_t fd, short what, void *arg)
{
	struct cgroup_group *group = arg;
	char events[4096];

	(void)what;
	while (read(fd, events, sizeof(events)) > 0)
		continue;
	group->on_event(group->on_event_arg);
}

bool
cgroup_group_watch(struct cgroup_group *group, struct event_base *base, void (*fn)(void *arg), void *arg)
{
	static const char *const files[] = {"memory.events", "pids.events"};
	bool watched = false;

	if (group->watch_fd >= 0)
		close(group->watch_fd);
	group->on_event = fn;
	group->on_event_arg = arg;
	group->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (group->watch_fd < 0)
		return false;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", group->dirfd, files[i]);
		watched |= inotify_add_watch(group->watch_fd, path, IN_MODIFY) >= 0;
	}
	group->event = watched ? event_new(base, group->watch_fd, EV_READ | EV_PERSIST, group_on_event, group) : NULL;
	return group->event != NULL && event_add(group->event, NULL) == 0;
}
