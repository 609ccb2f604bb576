/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/cell_limits.h"

#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "master/cgroup.h"

enum {
	LIMITS_STAT = 1024,
	LIMITS_FAR = 4 /* the part of the limit that is far beyond it */
};

/* What grows by a gigabyte a second is seen within 50 MiB. */
static const struct timeval limits_look = {.tv_usec = 50 * 1000};

/* One that outgrows its limit as soon as it has started is not to be replaced all the time. */
#define LIMITS_REST_NS (10 * (int64_t)CLOCK_NS_PER_S)

struct cell_limits {
	cell_limits_fn *over;
	void *arg;
	struct event_base *base;
	struct event *timer;
	uint64_t memory_max;
	uint32_t tasks_max;
	pid_t pid;         /* 0: none */
	struct cgroup_group *group; /* of it, or NULL */
	bool group_watched;
	bool told;         /* of this process */
	bool told_far;
	int64_t told_ns;   /* when it was last told of any */
};

bool
cell_limits_read(pid_t pid, uint64_t *memory_r, uint32_t *threads_r)
{
	char path[32], text[LIMITS_STAT];
	const char *fields;
	uint64_t pages;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got <= 0)
		return false;
	text[got] = '\0';
	/* The name before may hold anything, brackets too. Then: 16 fields, threads, 3, pages. */
	fields = strrchr(text, ')');
	if (fields == NULL || sscanf(fields + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			"%*s %*s %" SCNu32 " %*s %*s %*s %" SCNu64, threads_r, &pages) != 2)
		return false;
	*memory_r = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return true;
}

static bool
limits_are_far(uint64_t value, uint64_t max)
{
	return value - max > max / LIMITS_FAR;
}

static void
limits_tell(struct cell_limits *limits, const char *what, bool memory, bool far)
{
	int64_t now_ns = clock_monotonic_ns();
	bool rests = limits->told_ns != 0 && now_ns - limits->told_ns < LIMITS_REST_NS;

	if (far ? limits->told_far : limits->told || rests)
		return;
	limits->told = true;
	limits->told_far = far;
	limits->told_ns = now_ns;
	limits->over(what, memory, far, limits->arg);
}

static void
limits_tell_memory(struct cell_limits *limits, uint64_t memory)
{
	char has[32], max[32], what[128];

	snprintf(what, sizeof(what), "it has %s of memory (memory_max = %s)",
		text_format_size(has, sizeof(has), memory & ~UINT64_C(0xfffff)),
		text_format_size(max, sizeof(max), limits->memory_max));
	limits_tell(limits, what, true, limits_are_far(memory, limits->memory_max));
}

static void
limits_tell_threads(struct cell_limits *limits, uint32_t threads)
{
	char what[128];

	snprintf(what, sizeof(what), "it has %" PRIu32 " threads (tasks_max = %" PRIu32 ")", threads,
		limits->tasks_max);
	limits_tell(limits, what, false, limits_are_far(threads, limits->tasks_max));
}

static void
limits_look_at(struct cell_limits *limits)
{
	uint64_t memory;
	uint32_t threads;

	if (limits->pid == 0 || !cell_limits_read(limits->pid, &memory, &threads))
		return;
	if (limits->group != NULL)
		cgroup_group_read(limits->group, &memory, &threads);
	if (limits->memory_max > 0 && memory > limits->memory_max)
		limits_tell_memory(limits, memory);
	/* The process may have gone by that. */
	if (limits->pid != 0 && limits->tasks_max > 0 && threads > limits->tasks_max)
		limits_tell_threads(limits, threads);
}

static void
limits_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	limits_look_at(arg);
}

/* The kernel has slowed it down, or refused it something: earlier than our next look. */
static void
limits_on_group(void *arg)
{
	limits_look_at(arg);
}

/* Who has no limits costs nothing. */
static void
limits_watch(struct cell_limits *limits)
{
	if (limits->pid == 0 || (limits->memory_max == 0 && limits->tasks_max == 0)) {
		event_del(limits->timer);
		return;
	}
	event_add(limits->timer, &limits_look);
	/* Without that there are our own looks. */
	if (limits->group != NULL && !limits->group_watched)
		limits->group_watched = cgroup_group_watch(limits->group, limits->base, limits_on_group, limits);
}

void
cell_limits_set(struct cell_limits *limits, uint64_t memory_max, uint32_t tasks_max)
{
	limits->memory_max = memory_max;
	limits->tasks_max = tasks_max;
	if (limits->group != NULL && !cgroup_group_set(limits->group, memory_max, tasks_max, 0))
		log_warn_errno(NULL, "set the limits of a control group");
	limits_watch(limits);
}

void
cell_limits_begin(struct cell_limits *limits, pid_t pid, struct cgroup_group *group)
{
	limits->pid = pid;
	limits->group = group;
	limits->group_watched = false;
	limits->told = false;
	limits->told_far = false;
	limits_watch(limits);
}

void
cell_limits_end(struct cell_limits *limits)
{
	limits->pid = 0;
	limits->group = NULL;
	limits_watch(limits);
}

bool
cell_limits_was_ended(const struct cell_limits *limits, char *what, size_t size)
{
	char max[32];

	if (limits->group == NULL || limits->memory_max == 0 || cgroup_group_killed(limits->group) == 0)
		return false;
	snprintf(what, size, "it had more memory than even the kernel lets it have (memory_max = %s)",
		text_format_size(max, sizeof(max), limits->memory_max));
	return true;
}

struct cell_limits *
cell_limits_create(struct event_base *base, cell_limits_fn *over, void *arg)
{
	struct cell_limits *limits = xcalloc(1, sizeof(*limits));

	limits->base = base;
	limits->over = over;
	limits->arg = arg;
	limits->timer = event_new(base, -1, EV_PERSIST, limits_on_timer, limits);
	if (limits->timer == NULL)
		abort();
	return limits;
}

void
cell_limits_destroy(struct cell_limits *limits)
{
	if (limits == NULL)
		return;
	event_free(limits->timer);
	free(limits);
}
