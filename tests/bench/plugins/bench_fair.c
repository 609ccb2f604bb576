/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A service whose handler computes for a while, and those who call it.
 *
 *	measure NAME COUNT       calls NAME so often, with a pause before each, and replies how long the
 *	                         median and the 99th of a hundred calls took, in nanoseconds, and
 *	                         before how many handlers of the flood they had to wait: that
 *	                         does not depend on what else the machine does
 *	flood NAME CALLERS MS    so many tasks call NAME without a pause for so long; replies how many calls
 *	                         that were
 *	anything else            computes for the time of the setting busy, then replies how many handlers of
 *	                         the flood had begun before it: those of services with the setting counts
 *
 * The count is in a file that all cells map.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bay/bay.h>

struct fair {
	int64_t busy_ns;
	const char *file;
	bool counts;
};

static const struct bay_setting settings[] = {
	BAY_DURATION(struct fair, busy_ns, "busy", "200us", "how long a handler computes"),
	BAY_STRING(struct fair, file, "file", "", "where the count is"),
	BAY_BOOL(struct fair, counts, "counts", "no", "whether its handlers are those of the flood"),
	BAY_END
};

enum { CALLERS_MAX = 256 };

struct flood {
	struct bay_service *service;
	int64_t until_ns;
	int64_t calls;
};

static _Atomic int64_t *begun;

static int
bench_fair_init(struct bay_instance *instance)
{
	const struct fair *set = bay_instance_settings(instance);
	int fd = open(set->file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *map;

	if (fd < 0 || ftruncate(fd, sizeof *begun) != 0)
		return bay_instance_fail(instance, BAY_IO, "%s cannot be opened", set->file);
	map = mmap(NULL, sizeof *begun, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return bay_instance_fail(instance, BAY_IO, "%s cannot be mapped", set->file);
	begun = map;
	return BAY_OK;
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int
measure_one(struct bay_service *service, int64_t *took_r, int64_t *turns_r)
{
	int64_t before = atomic_load(begun), began_ns = bay_now(), then;
	struct bay_message *reply;
	int status = bay_call(service, NULL, &reply, BAY_INHERIT);

	if (status != BAY_OK)
		return status;
	*took_r = bay_now() - began_ns;
	status = bay_message_read_int64(reply, &then);
	*turns_r = then - before;
	bay_message_free(reply);
	return status;
}

static int
measure(struct bay_request *request, const char *words)
{
	struct bay_service *service;
	int64_t *took, *turns;
	char name[64];
	int count, status = BAY_OK;

	if (sscanf(words, "%63s %d", name, &count) != 2 || count < 1 || count > 1000000)
		return bay_fail(request, BAY_INVALID, "measure NAME COUNT");
	service = bay_service(name);
	took = bay_alloc(2 * (size_t)count * sizeof *took);
	if (took == NULL)
		return BAY_NO_MEMORY;
	turns = took + count;
	for (int i = 0; i < count && status == BAY_OK; i++) {
		/* In step with nothing. */
		status = bay_sleep(500 * BAY_US + (int64_t)(random() % 1000) * BAY_US);
		if (status == BAY_OK)
			status = measure_one(service, &took[i], &turns[i]);
	}
	qsort(took, (size_t)count, sizeof *took, compare);
	qsort(turns, (size_t)count, sizeof *turns, compare);
	if (status == BAY_OK)
		status = bay_reply_printf(request, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, took[count / 2],
			took[count * 99 / 100], turns[count / 2], turns[count * 99 / 100]);
	bay_free(took);
	return status;
}

static int
flood_caller(void *arg)
{
	struct flood *flood = arg;

	while (bay_now() < flood->until_ns) {
		int status = bay_call(flood->service, NULL, NULL, BAY_INHERIT);

		if (status != BAY_OK)
			return status;
		flood->calls++;
	}
	return BAY_OK;
}

static int
flood(struct bay_request *request, const char *words)
{
	struct bay_task *callers[CALLERS_MAX];
	struct flood flood = {0};
	char name[64];
	int count, ms, status;

	if (sscanf(words, "%63s %d %d", name, &count, &ms) != 3 || count < 1 || count > CALLERS_MAX)
		return bay_fail(request, BAY_INVALID, "flood NAME CALLERS MS");
	flood.service = bay_service(name);
	flood.until_ns = bay_now() + ms * BAY_MS;
	for (int i = 0; i < count; i++)
		callers[i] = bay_spawn("caller", flood_caller, &flood);
	status = bay_gather(callers, (size_t)count, BAY_INHERIT);
	return status == BAY_OK ? bay_reply_int64(request, flood.calls) : status;
}

static int
bench_fair(struct bay_request *request)
{
	const struct fair *set = bay_settings(request);
	const char *order = bay_request_text(request);
	int64_t until_ns, before;

	if (strncmp(order, "measure ", 8) == 0)
		return measure(request, order + 8);
	if (strncmp(order, "flood ", 6) == 0)
		return flood(request, order + 6);
	before = set->counts ? atomic_fetch_add(begun, 1) : atomic_load(begun);
	until_ns = bay_now() + set->busy_ns;
	while (bay_now() < until_ns)
		;
	return bay_reply_int64(request, before);
}

BAY_PLUGIN(bench_fair, "1", .settings = settings, .init = bench_fair_init, .handle = bench_fair);
