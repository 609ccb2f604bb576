/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/fd_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/status_page.h"
#include "loop/loop.h"
#include "protocol/cell_link.h"
#include "runtime/belonging.h"
#include "service/registry.h"
#include "service/service.h"

#define FD_TICK_NS (250 * CLOCK_NS_PER_MS)

/* Those that have been opened so long ago are what a service needs. */
#define FD_QUIET_NS (30 * (int64_t)CLOCK_NS_PER_S)

/* A process that meets its limit at once is not to be replaced all the time. */
#define FD_REST_NS (10 * (int64_t)CLOCK_NS_PER_S)

enum {
	FD_LEAK_MIN = 32,  /* more than before, ... */
	FD_TICKS_MIN = 3,  /* ... and seen to grow so often: a leak */
	FD_NEARLY = 8,     /* but for one part in so many of its limit, it is reached */
	FD_MOST = 2,       /* one part in so many are most of them */
	FD_NOBODY = 1,     /* is more likely than that */
	FD_SURE = 10       /* who did nothing in one part in so many of the ticks in which it grew is not it */
};

/* What is known of a service since the number has begun to grow. */
struct fd_suspect {
	uint64_t work;    /* what it has done by the last tick */
	unsigned active;  /* ticks in which it did something, */
	unsigned grown;   /* and the number grew, too */
	bool told;
};

struct fd_watch {
	struct loop *loop;
	fd_fault_fn *told;
	void *arg;
	struct timer timer;
	int64_t began_ns;
	int64_t grown_ns;        /* when the number grew last; 0: it does not */
	uint64_t base;           /* the number that nobody is told of */
	uint64_t number;         /* at the last tick, */
	uint64_t told_number;    /* and when it was told last */
	unsigned grown;          /* ticks in which it grew */
	bool limit_told;
	struct fd_suspect *suspects; /* by id of the service */
	unsigned suspect_count;
};

/* --- the number ----------------------------------------------------------------------------- */

/* The lowest that is free; all below are open. The limit: none is. */
static uint64_t
fd_lowest_free(uint64_t limit)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return errno == EMFILE ? limit : 0;
	close(fd);
	return (uint64_t)fd;
}

static uint64_t
fd_limit(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : UINT64_MAX;
}

/* Those that no bay_* function has opened, at the least. */
static uint64_t
fd_unknown(uint64_t lowest)
{
	uint64_t known = belonging_count();

	return lowest > known ? lowest - known : 0;
}

/* --- who it is ------------------------------------------------------------------------------- */

/* That of canaries, too. */
static uint64_t
fd_work_of(const struct bay_service *service)
{
	unsigned i, count = status_canary_column(service->columns, service->columns);
	uint64_t work = 0;

	for (i = 0; service->counters != NULL && i < count; i++) {
		const struct status_counters *counters = &service->counters[i];

		work += atomic_load_explicit(&counters->direct, memory_order_relaxed) +
			atomic_load_explicit(&counters->queued, memory_order_relaxed) +
			atomic_load_explicit(&counters->cpu_ns, memory_order_relaxed);
	}
	return work;
}

static void
fd_look_at_services(struct fd_watch *watch, bool first, bool grows)
{
	unsigned id, count = registry_count();

	if (count > watch->suspect_count) {
		watch->suspects = xrealloc(watch->suspects, count, sizeof *watch->suspects);
		while (watch->suspect_count < count)
			watch->suspects[watch->suspect_count++] = (struct fd_suspect){.work = 0};
	}
	for (id = 0; id < count; id++) {
		struct fd_suspect *suspect = &watch->suspects[id];
		uint64_t work = fd_work_of(registry_at((uint16_t)id));

		suspect->active += !first && work != suspect->work;
		suspect->grown += !first && work != suspect->work && grows;
		suspect->work = work;
	}
}

/* In thousandths; 0: it did nothing while the number grew. */
static unsigned
fd_weight(const struct fd_watch *watch, unsigned id)
{
	const struct fd_suspect *suspect = &watch->suspects[id];

	if (suspect->grown * FD_SURE < watch->grown * (FD_SURE - 1))
		return 0;
	return suspect->active > 0 ? suspect->grown * 1000 / suspect->active : 0;
}

static unsigned
fd_heaviest(const struct fd_watch *watch)
{
	unsigned id, heaviest = FD_NOBODY;

	for (id = 0; id < watch->suspect_count; id++)
		heaviest = fd_weight(watch, id) > heaviest ? fd_weight(watch, id) : heaviest;
	return heaviest;
}

/* Whether it is one of those that it may be: others are far less likely. */
static bool
fd_is_suspect(const struct fd_watch *watch, unsigned id, unsigned heaviest)
{
	return fd_weight(watch, id) * 4 >= heaviest * 3;
}

/* "a or b or c": all that serve here while nobody is more likely. */
static void
fd_print_suspects(const struct fd_watch *watch, char *text, size_t size)
{
	unsigned id, heaviest = fd_heaviest(watch);
	size_t length = 0;

	text[0] = '\0';
	for (id = 0; id < watch->suspect_count && length < size; id++) {
		if (fd_is_suspect(watch, id, heaviest) ||
			(heaviest == FD_NOBODY && service_state(registry_at((uint16_t)id)) == SERVICE_READY))
			length += (size_t)snprintf(text + length, size - length, "%s%s", length > 0 ? " or " : "",
				registry_at((uint16_t)id)->name);
	}
}

/* --- telling ----------------------------------------------------------------------------------- */

static void
fd_tell(struct fd_watch *watch, uint64_t lowest)
{
	unsigned id, heaviest = fd_heaviest(watch);
	char text[256], names[128];
	const struct cell_fault fault = {.kind = CELL_FAULT_FD_LEAK, .text = text};

	fd_print_suspects(watch, names, sizeof names);
	snprintf(text, sizeof text, "%" PRIu64 " descriptors were opened and not closed while %s worked; %" PRIu64
		" are open in its cell", watch->number - watch->base, names, lowest);
	for (id = 0; id < watch->suspect_count; id++) {
		struct cell_fault its = fault;

		if (!fd_is_suspect(watch, id, heaviest))
			continue;
		its.service = registry_at((uint16_t)id)->name;
		watch->suspects[id].told = true;
		watch->told(&its, watch->arg);
	}
	watch->told_number = watch->number;
}

/* It does not grow any more: what there is now is what there is. */
static void
fd_tell_over(struct fd_watch *watch)
{
	unsigned id;

	for (id = 0; id < watch->suspect_count; id++) {
		const struct cell_fault over = {.service = registry_at((uint16_t)id)->name, .kind = CELL_FAULT_FD_LEAK};

		if (watch->suspects[id].told)
			watch->told(&over, watch->arg);
		watch->suspects[id] = (struct fd_suspect){.work = watch->suspects[id].work};
	}
	watch->base = watch->number;
	watch->told_number = watch->number;
	watch->grown = 0;
	watch->grown_ns = 0;
}

/* Hardly one is left, and most are such as nobody knows, of which more have come: another process does not
 * help who has as many sockets as it may. */
static bool
fd_is_leaked_away(const struct fd_watch *watch, uint64_t lowest, uint64_t limit)
{
	return lowest >= limit - limit / FD_NEARLY && watch->number > watch->base && watch->number >= limit / FD_MOST;
}

static void
fd_tell_limit(struct fd_watch *watch, uint64_t lowest, uint64_t limit)
{
	char text[256], names[128];
	const struct cell_fault fault = {.service = "", .kind = CELL_FAULT_FD_LIMIT, .text = text};

	if (watch->limit_told || !fd_is_leaked_away(watch, lowest, limit) ||
		loop_now(watch->loop) - watch->began_ns < FD_REST_NS)
		return;
	watch->limit_told = true;
	fd_print_suspects(watch, names, sizeof names);
	snprintf(text, sizeof text, "%" PRIu64 " of the %" PRIu64 " descriptors that it may have are open (see fds_max), most by"
		" service %s", lowest, limit, names);
	watch->told(&fault, watch->arg);
}

/* --- a tick -------------------------------------------------------------------------------------- */

static void
fd_look(struct fd_watch *watch)
{
	uint64_t limit = fd_limit(), lowest = fd_lowest_free(limit), number = fd_unknown(lowest);
	bool grows = number > watch->number, first = watch->grown_ns == 0;
	int64_t now_ns = loop_now(watch->loop);

	watch->number = number;
	if (grows)
		watch->grown_ns = now_ns;
	watch->grown += grows && !first;
	/* Until it grows nobody is looked at, so nobody knows who it was the first time. */
	if (watch->grown_ns != 0)
		fd_look_at_services(watch, first, grows);
	if (number < watch->base || (watch->grown_ns != 0 && now_ns - watch->grown_ns > FD_QUIET_NS))
		fd_tell_over(watch);
	else if (grows && watch->grown >= FD_TICKS_MIN && number >= watch->told_number + FD_LEAK_MIN)
		fd_tell(watch, lowest);
	fd_tell_limit(watch, lowest, limit);
}

static void
fd_on_tick(struct timer *timer)
{
	struct fd_watch *watch = container_of(timer, struct fd_watch, timer);

	fd_look(watch);
	wheel_add(&watch->loop->wheel, &watch->timer, loop_now(watch->loop) + FD_TICK_NS);
}

struct fd_watch *
fd_watch_create(struct loop *loop, fd_fault_fn *told, void *arg)
{
	struct fd_watch *watch = xcalloc(1, sizeof *watch);

	watch->loop = loop;
	watch->told = told;
	watch->arg = arg;
	watch->began_ns = loop_now(loop);
	watch->number = fd_unknown(fd_lowest_free(fd_limit()));
	watch->base = watch->number;
	watch->told_number = watch->number;
	timer_init(&watch->timer, fd_on_tick);
	wheel_add(&loop->wheel, &watch->timer, loop_now(loop) + FD_TICK_NS);
	return watch;
}

void
fd_watch_destroy(struct fd_watch *watch)
{
	if (watch == NULL)
		return;
	wheel_remove(&watch->loop->wheel, &watch->timer);
	free(watch->suspects);
	free(watch);
}
