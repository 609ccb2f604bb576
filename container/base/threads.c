/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/threads.h"

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"

static struct {
	pthread_mutex_t lock;
	struct thread_ids ids; /* in no order */
} own = {.lock = PTHREAD_MUTEX_INITIALIZER};

static pid_t
thread_id(void)
{
	return (pid_t)syscall(SYS_gettid);
}

static void
thread_ids_add(struct thread_ids *ids, pid_t id)
{
	ids->ids = xrealloc(ids->ids, ids->count + 1, sizeof(*ids->ids));
	ids->ids[ids->count++] = id;
}

void
thread_ids_finish(struct thread_ids *ids)
{
	free(ids->ids);
	*ids = (struct thread_ids){0};
}

bool
thread_ids_has(const struct thread_ids *ids, pid_t id)
{
	for (size_t i = 0; ids != NULL && i < ids->count; i++) {
		if (ids->ids[i] == id)
			return true;
	}
	return false;
}

void
threads_begin(const char *name)
{
	pthread_setname_np(pthread_self(), name);
	pthread_mutex_lock(&own.lock);
	thread_ids_add(&own.ids, thread_id());
	pthread_mutex_unlock(&own.lock);
}

void
threads_end(void)
{
	pid_t id = thread_id();

	pthread_mutex_lock(&own.lock);
	for (size_t i = 0; i < own.ids.count; i++) {
		if (own.ids.ids[i] == id) {
			own.ids.ids[i] = own.ids.ids[--own.ids.count];
			break;
		}
	}
	if (own.ids.count == 0)
		thread_ids_finish(&own.ids);
	pthread_mutex_unlock(&own.lock);
}

static int
thread_ids_compare(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return x < y ? -1 : x > y;
}

void
threads_find_foreign(struct thread_ids *ids_r)
{
	DIR *dir = opendir("/proc/self/task");
	const struct dirent *entry;
	int64_t id;

	*ids_r = (struct thread_ids){0};
	if (dir == NULL)
		return;
	pthread_mutex_lock(&own.lock);
	while ((entry = readdir(dir)) != NULL) {
		if (text_parse_int64(entry->d_name, &id) && id != getpid() && !thread_ids_has(&own.ids, (pid_t)id))
			thread_ids_add(ids_r, (pid_t)id);
	}
	pthread_mutex_unlock(&own.lock);
	closedir(dir);
	if (ids_r->count > 1)
		qsort(ids_r->ids, ids_r->count, sizeof(*ids_r->ids), thread_ids_compare);
}
