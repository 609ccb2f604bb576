/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How no wake is lost: the loop stores _sleeping, then looks once more whether there is
 * work; a poster leaves its work, then looks at _sleeping. All four are in one total order,
 * so at least one of the two sees the other. Whoever changes _sleeping from true to false
 * writes to the eventfd, so there is at most one write per sleep.
 */
#include "config.h"

#include "loop/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "loop/edge.h"
#include "loop/glance.h"
#include "loop/watch.h"

enum {
	/* How long to look for work before sleeping: about what a wake would cost. */
	SPIN_NS = 50 * CLOCK_NS_PER_US,

	/*
	 * Look only if there was mostly less than this to wait for. It is measured from
	 * outside, sleep and wake included: judged by its own hits, a loop that once slept
	 * would find waiting slow and sleep for ever.
	 */
	SPIN_IDLE_NS = 100 * CLOCK_NS_PER_US,

	/* One long idle time says no more than this one does. */
	IDLE_MAX_NS = 400 * CLOCK_NS_PER_US,

	/* Glances at the inbox between two looks at events and clock; and where other processes bring
	 * work by memory, which is faster than those looks. */
	SPIN_GLANCES = 32,
	SPIN_GLANCES_MANY = 256
};

/* Also says that the descriptor is not readable any more. */
static void
loop_read_count(evutil_socket_t fd)
{
	uint64_t count;
	ssize_t ignored = read(fd, &count, sizeof(count));

	(void)ignored;
}

static void
loop_on_wake(evutil_socket_t fd, short events, void *arg)
{
	(void)events;
	(void)arg;
	loop_read_count(fd);
}

static void
loop_on_alarm(evutil_socket_t fd, short events, void *arg)
{
	struct loop *loop = arg;

	(void)events;
	loop_read_count(fd);
	loop->_alarm_ns = INT64_MAX;
}

/*
 * Without the precise timer, because that costs a system call more each time libevent is
 * asked, even when it has no timers. Ours is set when we sleep, and precise.
 */
static struct event_base *
loop_base_create(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config == NULL)
		return NULL;
	if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
		base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

static struct event *
loop_watch(struct loop *loop, int fd, event_callback_fn fn)
{
	struct event *event = event_new(loop->base, fd, EV_READ | EV_PERSIST, fn, loop);

	if (event != NULL && event_add(event, NULL) != 0) {
		event_free(event);
		return NULL;
	}
	return event;
}

static bool
loop_events_init(struct loop *loop)
{
	loop->_wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->_wake_fd < 0)
		return false;
	loop->_alarm_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (loop->_alarm_fd < 0)
		return false;
	loop->base = loop_base_create();
	if (loop->base == NULL)
		return false;
	loop->_wake_event = loop_watch(loop, loop->_wake_fd, loop_on_wake);
	loop->_alarm_event = loop_watch(loop, loop->_alarm_fd, loop_on_alarm);
	return loop->_wake_event != NULL && loop->_alarm_event != NULL;
}

bool
loop_init(struct loop *loop, const char *name)
{
	cpu_set_t cpus;

	memset(loop, 0, sizeof(*loop));
	loop->name = name;
	loop->_wake_fd = -1;
	loop->_alarm_fd = -1;
	loop->_alarm_ns = INT64_MAX;
	loop->_idle_ns = IDLE_MAX_NS;
	/* With a single processor, whoever brings work cannot run while we look for it. */
	loop->_may_spin = sched_getaffinity(0, sizeof(cpus), &cpus) != 0 || CPU_COUNT(&cpus) > 1;
	list_init(&loop->_glances);
	inbox_init(&loop->_inbox);
	atomic_init(&loop->_sleeping, false);
	wheel_init(&loop->wheel, loop_now(loop));
	loop->looked_ns = loop->now_ns;
	for (int i = 0; i < LOOP_WATCH_BUCKETS; i++)
		list_init(&loop->_watches[i]);
	timer_init(&loop->_watch_timer, watch_on_check);
	if (!loop_events_init(loop)) {
		int saved = errno != 0 ? errno : ENOMEM;

		loop_finish(loop);
		errno = saved;
		return false;
	}
	return true;
}

void
loop_finish(struct loop *loop)
{
	edge_set_destroy(loop->_edges);
	loop->_edges = NULL;
	if (loop->_wake_event != NULL)
		event_free(loop->_wake_event);
	if (loop->_alarm_event != NULL)
		event_free(loop->_alarm_event);
	if (loop->base != NULL)
		event_base_free(loop->base);
	fd_close(&loop->_wake_fd);
	fd_close(&loop->_alarm_fd);
	loop->_wake_event = NULL;
	loop->_alarm_event = NULL;
	loop->base = NULL;
}

void
loop_set_has_work(struct loop *loop, loop_has_work_fn *has_work, void *arg)
{
	loop->_has_work = has_work;
	loop->_has_work_arg = arg;
}

void
loop_set_idle(struct loop *loop, loop_idle_fn *idle, void *arg)
{
	loop->_idle = idle;
	loop->_idle_arg = arg;
}

/* Only one of many gets the token and pays for the system call. */
static bool
loop_wake_if_sleeping(struct loop *loop)
{
	static const uint64_t one = 1;
	ssize_t ignored;

	if (!atomic_load_explicit(&loop->_sleeping, memory_order_seq_cst) ||
		!atomic_exchange_explicit(&loop->_sleeping, false, memory_order_seq_cst))
		return false;
	ignored = write(loop->_wake_fd, &one, sizeof(one));
	(void)ignored;
	return true;
}

void
loop_post(struct loop *loop, struct inbox_item *item)
{
	(void)inbox_push(&loop->_inbox, item);
	(void)loop_wake_if_sleeping(loop);
}

bool
loop_wake(struct loop *loop)
{
	/* What the caller published before may have been published with less. */
	loop_fence();
	return loop_wake_if_sleeping(loop);
}

/* --- glances ---------------------------------------------------------------------- */

void
glance_begin(struct glance *glance, struct loop *loop, glance_look_fn *look, glance_sleeps_fn *sleeps)
{
	glance->look = look;
	glance->sleeps = sleeps;
	list_push_back(&loop->_glances, &glance->_link);
}

void
glance_end(struct glance *glance)
{
	list_remove(&glance->_link);
}

/* Whether one of them had something. */
static bool
loop_glance(struct loop *loop)
{
	bool found = false;

	list_for_each(pos, &loop->_glances) {
		struct glance *glance = container_of(pos, struct glance, _link);

		found |= glance->look(glance);
	}
	return found;
}

static void
loop_tell_glances(struct loop *loop, bool sleeps)
{
	list_for_each(pos, &loop->_glances) {
		struct glance *glance = container_of(pos, struct glance, _link);

		glance->sleeps(glance, sleeps);
	}
}

/* --- passes ------------------------------------------------------------------------- */

bool
loop_drain_inbox(struct loop *loop)
{
	struct inbox_item *item = inbox_take_all(&loop->_inbox);
	bool found = item != NULL;

	while (item != NULL) {
		struct inbox_item *next = item->next;

		item->run(item);
		item = next;
	}
	return loop_glance(loop) || found;
}

int64_t
loop_now(struct loop *loop)
{
	loop->now_ns = clock_monotonic_ns();
	return loop->now_ns;
}

static void
loop_fire_timers(struct loop *loop)
{
	if (__builtin_expect(clock_stands_still(), 0))
		(void)wheel_advance_exactly(&loop->wheel, loop_now(loop));
	else
		(void)wheel_advance(&loop->wheel, loop_now(loop));
}

/* When the next timer is due, or before. */
static int64_t
loop_next_timer_ns(const struct loop *loop)
{
	if (__builtin_expect(clock_stands_still(), 0))
		return wheel_first_ns(&loop->wheel);
	return wheel_next_ns(&loop->wheel);
}

void
loop_poll(struct loop *loop)
{
	loop->polls++;
	(void)event_base_loop(loop->base, EVLOOP_NONBLOCK);
	loop_fire_timers(loop);
	loop->looked_ns = loop->now_ns;
}

static bool
loop_found_work(struct loop *loop)
{
	return !inbox_empty(&loop->_inbox) || loop_glance(loop) ||
		(loop->_has_work != NULL && loop->_has_work(loop->_has_work_arg));
}

static inline void
loop_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("isb" ::: "memory");
#endif
}

/* Looks for work until then. Returns whether there is some. Where the latest came from events, it
 * looks at those first. */
static bool
loop_spin(struct loop *loop, int64_t until_ns)
{
	int many = list_empty(&loop->_glances) ? SPIN_GLANCES : SPIN_GLANCES_MANY;
	int glances = loop->_events_first ? 1 : many;

	do {
		for (int i = 0; i < glances; i++) {
			if (loop_found_work(loop)) {
				loop->_events_first = false;
				return true;
			}
			loop_pause();
		}
		/* Somebody else may need this processor to bring us what we wait for. */
		if (glances == many)
			sched_yield();
		glances = many;
		if (loop->_has_work == NULL) {
			loop_now(loop);
			continue;
		}
		loop_poll(loop);
		if (loop_found_work(loop)) {
			loop->_events_first = true;
			return true;
		}
	} while (loop->now_ns < until_ns);
	return loop_found_work(loop);
}

static void
loop_set_alarm(struct loop *loop, int64_t when_ns)
{
	/* All zeroes: none. */
	struct itimerspec when = {.it_value = {0, 0}};

	if (when_ns == loop->_alarm_ns)
		return;
	loop->_alarm_ns = when_ns;
	if (when_ns != INT64_MAX) {
		when.it_value.tv_sec = when_ns / CLOCK_NS_PER_S;
		when.it_value.tv_nsec = when_ns % CLOCK_NS_PER_S;
	}
	(void)timerfd_settime(loop->_alarm_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void
loop_sleep(struct loop *loop, int64_t until_ns)
{
	loop_set_alarm(loop, until_ns);
	atomic_store_explicit(&loop->_sleeping, true, memory_order_seq_cst);
	loop_tell_glances(loop, true);
	loop_fence();
	if (loop_found_work(loop)) {
		atomic_store_explicit(&loop->_sleeping, false, memory_order_relaxed);
		loop_tell_glances(loop, false);
		return;
	}
	loop->sleeps++;
	(void)event_base_loop(loop->base, EVLOOP_ONCE);
	atomic_store_explicit(&loop->_sleeping, false, memory_order_relaxed);
	loop_tell_glances(loop, false);
	loop_fire_timers(loop);
}

static int64_t
loop_min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Of a time and a span that may be longer than there is time. */
static int64_t
loop_later(int64_t when_ns, int64_t span_ns)
{
	return span_ns < INT64_MAX - when_ns ? when_ns + span_ns : INT64_MAX;
}

/* While the clock stands still: nothing comes of itself before until_ns but from outside. */
static void
loop_move_clock(struct loop *loop, int64_t until_ns, int64_t patience_ns)
{
	int64_t kernel_ns = clock_kernel_ns(), limit_ns;

	/* A wait in the kernel is never longer than the one it stands for. */
	limit_ns = loop_later(kernel_ns, loop_min(patience_ns, until_ns - loop->now_ns));
	if (until_ns == INT64_MAX)
		limit_ns = loop_later(kernel_ns, patience_ns > 0 ? patience_ns : INT64_MAX);
	if (limit_ns > kernel_ns)
		loop_sleep(loop, limit_ns);
	else
		loop_poll(loop);
	if (until_ns == INT64_MAX || loop_found_work(loop) || clock_kernel_ns() < limit_ns)
		return;
	clock_move_to(until_ns);
	loop_fire_timers(loop);
}

/* Somebody wants to know. True: that was all the waiting. */
static __attribute__((noinline)) bool
loop_tell_idle(struct loop *loop, int64_t until_ns)
{
	int64_t patience_ns;

	loop_poll(loop);
	if (loop_found_work(loop))
		return true;
	patience_ns = loop->_idle(loop, until_ns, loop->_idle_arg);
	if (loop_found_work(loop))
		return true;
	if (!clock_stands_still())
		return false;
	loop_move_clock(loop, until_ns, patience_ns);
	return true;
}

void
loop_wait(struct loop *loop, int64_t until_ns)
{
	int64_t start_ns = loop_now(loop);
	int64_t idle_ns;

	until_ns = loop_min(until_ns, loop_next_timer_ns(loop));
	if (until_ns <= start_ns) {
		loop_poll(loop);
		return;
	}
	if (loop->_idle != NULL && loop_tell_idle(loop, until_ns))
		return;
	if (loop->_may_spin && loop->_idle_ns < SPIN_IDLE_NS &&
		loop_spin(loop, loop_min(until_ns, start_ns + SPIN_NS)))
		loop->spins++;
	else if (loop->now_ns < until_ns)
		loop_sleep(loop, until_ns);
	loop->looked_ns = loop_now(loop);
	idle_ns = loop_min(loop->looked_ns - start_ns, IDLE_MAX_NS);
	loop->_idle_ns += (idle_ns - loop->_idle_ns) / 4;
}
