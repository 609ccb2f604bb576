/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services inside the process of a test, with libbay-test (pkg-config: bay-test). No daemon,
 * no ini, no threads: the calling thread is the container's only loop, so nothing goes on
 * while the test itself computes.
 *
 *	START_TEST(square_squares)                               a test of Check, or any C program
 *	{
 *		bay_test_begin(NULL);
 *		bay_test_add("square", "./square.so", NULL);
 *		ck_assert_int_eq(bay_test_call("square", "5"), BAY_OK);
 *		ck_assert_str_eq(bay_test_reply(), "25");
 *		ck_assert_int_eq(bay_test_end(), 0);                 nothing is left over
 *	}
 *	END_TEST
 *
 * With .virtual_time an hour's sleep takes no time: the clock stands still until every task
 * waits, and then shows the time of the next timer. bay_now(), bay_wall(), deadlines, tickers
 * and messages sent later all follow it, to the nanosecond.
 *
 * One container at a time in a process, and everything here on the thread that began it,
 * outside its tasks unless said otherwise. Mistakes in the use of these functions end the
 * process with a line on standard error. Not for plugins. <bay/bay.h> does not include it.
 */
#ifndef BAY_TEST_H
#define BAY_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/bay.h>

BAY_BEGIN_DECLS

/* --- a container ------------------------------------------------------------------------- */

/* Which way calls between tasks and services take. What a service does must not depend on it. */
enum bay_test_calls {
	BAY_TEST_CALLS_DIRECT = 0, /* the first way that is open, as in a cell */
	BAY_TEST_CALLS_QUEUED,     /* always through the service's queue */
	BAY_TEST_CALLS_RANDOM      /* one or the other, drawn for each call */
};

/* A seed that is different each time. */
#define BAY_TEST_ANY_SEED UINT64_MAX

/* Zero stands for the usual. */
struct bay_test_options {
	bool virtual_time;
	int64_t wall_ns;      /* what bay_wall() begins with then; usually 2026-01-01 */
	int64_t patience_ns;  /* before the clock is moved while a task waits for a descriptor:
	                       * of real time, for the other end; 10 ms */
	uint64_t seed;        /* of the order in which ready tasks run; 0: as they became ready */
	enum bay_test_calls calls;
	const char *log_level; /* "error", "warn", "info", "debug"; usually "info" */
};

/* Begins a container; options NULL: the usual. The environment may say more: BAY_TEST_SEED=N is
 * the seed, BAY_TEST_LOG=LEVEL shows the log on standard error. A seed that is in use is
 * printed there. Since 1.0. */
BAY_API void bay_test_begin(const struct bay_test_options *options);

/* Stops all services and ends the container. Returns how many things were left over: tasks,
 * locks that they hold, messages, memory of bay_alloc(), descriptors, services that refuse to
 * stop; each is told on standard error, by name. Since 1.0. */
BAY_API int bay_test_end(void);

/* The seed in use, or 0. Since 1.0. */
BAY_API uint64_t bay_test_seed(void);

/* --- services ---------------------------------------------------------------------------- */

/* Starts a service from a plugin's file and waits until it is ready. Behind file come settings
 * as texts "key=value", then NULL. BAY_OK; BAY_INVALID when the plugin or a setting is not in
 * order; BAY_NOT_FOUND when there is no such file; what init failed with. bay_test_error()
 * says why. Since 1.0. */
BAY_API int bay_test_add(const char *name, const char *file, ...)
	__attribute__((sentinel));

/* The same with a descriptor that is part of the test: that of a plugin's source compiled into
 * it (BAY_TEST_PLUGIN), or BAY_TEST_DESCRIPTOR(...). Borrowed until bay_test_end().
 * Since 1.0. */
BAY_API int bay_test_add_plugin(const char *name, const struct bay_plugin *plugin, ...)
	__attribute__((sentinel));

/* What BAY_PLUGIN(...) of a source in the same program has made. */
extern const struct bay_plugin bay_plugin_v1;
#define BAY_TEST_PLUGIN (&bay_plugin_v1)

/* A descriptor in place: BAY_TEST_DESCRIPTOR(.handle = upper, .settings = rows). */
#define BAY_TEST_DESCRIPTOR(...)                                                        \
	(&(const struct bay_plugin){.size = sizeof(struct bay_plugin),                      \
		.abi_major = BAY_ABI_MAJOR, .abi_minor = BAY_ABI_MINOR_NEEDED, .name = "test",  \
		.version = "1", __VA_ARGS__})

/* A service with all that an ini could say. Zero stands for the usual. */
struct bay_test_service {
	const char *name;
	const char *file;                /* or */
	const struct bay_plugin *plugin; /* as above */
	const char *const *settings;     /* "key=value", ended by NULL; or NULL */
	int64_t concurrency;             /* 256 */
	int64_t queue;                   /* 1,024 messages */
	int64_t queue_bytes;             /* 16 MiB */
	const char *overflow;            /* "wait", "reject", "drop-oldest", "drop-newest" */
	int64_t timeout_ns;              /* of a call; none */
	int64_t stack_bytes;             /* 256 KiB */
	int64_t start_timeout_ns;        /* of init; a minute */
};

/* Starts it; as bay_test_add(). Since 1.0. */
BAY_API int bay_test_add_service(const struct bay_test_service *service);

/* Stops a service; what it is doing has drain_ns to end. BAY_OK also when there is none;
 * BAY_BUSY when something of it refuses to end. Since 1.0. */
BAY_API int bay_test_stop(const char *name, int64_t drain_ns);

/* Why a service failed by itself (its run or another task of its own), or NULL. Borrowed until
 * it is started again. Also inside tasks. Since 1.0. */
BAY_API const char *bay_test_failure(const char *name);

/* --- doing something --------------------------------------------------------------------- */

/* Runs fn(arg) as a task, with a megabyte of stack, until it and all that it spawned have
 * ended. It may call services, wait and assert. Returns what fn returns. When nothing can
 * happen any more (no timer, and every task waits for another) the log says who waits for
 * what, and the task is cancelled. Since 1.0. */
BAY_API int bay_test_run(bay_task_fn *fn, void *arg);

/* Calls a service with a text; returns the status of the call. The reply is bay_test_reply(),
 * a failure's text bay_test_error(). Since 1.0. */
BAY_API int bay_test_call(const char *service, const char *text);

/* The same with bytes, and at most for timeout_ns (BAY_INHERIT: for ever). Since 1.0. */
BAY_API int bay_test_call_with(const char *service, const void *data, size_t size, int64_t timeout_ns);

/* The last reply, with a NUL behind it; "" if there was none. Borrowed until the next call.
 * Since 1.0. */
BAY_API const char *bay_test_reply(void);
BAY_API size_t bay_test_reply_size(void);

/* Why the last of these functions failed; "" if it did not. Borrowed until the next.
 * Since 1.0. */
BAY_API const char *bay_test_error(void);

/* Lets everybody work for a span of the container's clock. Since 1.0. */
BAY_API void bay_test_advance(int64_t span_ns);

/* --- the log ----------------------------------------------------------------------------- */

/* Lines are "LEVEL SUBJECT: TEXT", such as "warn service slow: it is late", or "LEVEL TEXT". The
 * last 10,000 are kept. All of these also inside tasks. */

/* How many lines there are. Since 1.0. */
BAY_API size_t bay_test_log_count(void);

/* A line, 0 being the oldest; NULL: there is none. Borrowed until bay_test_log_clear() or
 * bay_test_end(). Since 1.0. */
BAY_API const char *bay_test_log_line(size_t index);

/* The latest line, or "". Since 1.0. */
BAY_API const char *bay_test_log_last(void);

/* How many lines contain the text. Since 1.0. */
BAY_API size_t bay_test_log_has(const char *text);

/* Forgets them. Since 1.0. */
BAY_API void bay_test_log_clear(void);

/* --- faults ------------------------------------------------------------------------------ */

/* The nth allocation that may fail fails from now on, once (1: the next; 0: none): bay_alloc(),
 * messages, requests, channels, locks and whatever else a service or peer chooses the number
 * or size of. The function that asked says BAY_NO_MEMORY or NULL. Also inside tasks.
 * Since 1.0. */
BAY_API void bay_test_fail_allocation(uint64_t nth);

/* Whether that has happened. Also inside tasks. Since 1.0. */
BAY_API bool bay_test_allocation_failed(void);

/* Runs fn(arg) as a task again and again, with its first allocation failing, its second, and so
 * on, until a run needs no more. After each, nothing may be left over. Returns how many
 * allocations there are, or -1: something was left over (bay_test_error()). Since 1.0. */
BAY_API int bay_test_every_allocation(bay_task_fn *fn, void *arg);

/* Runs fn(arg) as a task again and again, and cancels it at its first await, its second, and so
 * on, until a run has no more: each twice, at once and after all who were ready have run.
 * After each, nothing may be left over. Returns how many awaits there are, or -1: something
 * was left over (bay_test_error()).
 * Since 1.0. */
BAY_API int bay_test_every_await(bay_task_fn *fn, void *arg);

BAY_END_DECLS

#endif
