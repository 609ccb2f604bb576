/* SPDX-License-Identifier: BSD-2-Clause */
/* Services that are programs, whose callers, handlers and attendants are cut short at each of
 * their awaits in turn. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "exec_service.h"
#include "io/process_keeper.h"
#include "loop/signals.h"
#include "support/cancel_points.h"

static struct bay_service *service;
static struct exec *exec;

/* Goes on while nothing is disturbed. */
#define TRY(expression)                                \
	do {                                               \
		int try_status = points_expect(expression);    \
		if (try_status != BAY_OK)                      \
			return try_status;                         \
	} while (0)

/* Knows the instance. */
static int
init(struct bay_instance *instance)
{
	int status = bay_plugin_v1.init(instance);

	exec = bay_instance_state(instance);
	return status;
}

/* All processes are free again, and those that are there are idle workers. */
static int
check_slots(void *arg)
{
	int64_t deadline = bay_after(60 * BAY_SECOND);

	(void)arg;
	while (bay_semaphore_value(exec->slots) != (size_t)exec->set->pool.max_workers ||
		exec->pool.present != exec->pool.idle_count || exec->pool.alive != exec->pool.idle_count) {
		ck_assert_int_lt(bay_now(), deadline);
		(void)bay_sleep(BAY_MS);
	}
	return BAY_OK;
}

/* No child is left that is no worker, nor one that has ended. */
static void
check_processes(void)
{
	int64_t deadline = bay_after(60 * BAY_SECOND);
	siginfo_t info;

	ck_assert_int_eq(services_run(check_slots, NULL), BAY_OK);
	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
			ck_assert_int_eq(errno, ECHILD);
			break;
		}
		if (info.si_pid == 0 && exec->pool.present > 0)
			break;
		ck_assert_int_lt(bay_now(), deadline);
		usleep(200);
	}
}

static int
call(const char *text, const char *expected)
{
	struct bay_message *request = bay_message(text, strlen(text)), *reply;
	int status = bay_call(service, request, &reply, BAY_INHERIT);

	bay_message_free(request);
	if (status == BAY_OK)
		ck_assert_str_eq(bay_message_text(reply), expected);
	bay_message_free(reply);
	return status;
}

/* Another's attendant may have been cut short, and its worker with it. */
static int
call_worker(const char *text)
{
	int status = call(text, text);

	return status == BAY_PEER_DIED ? BAY_OK : status;
}

static int
run_body(bay_task_fn *fn, void *arg)
{
	return services_run(fn, arg);
}

#define EVERYWHERE(test_, least, settings_)                                       \
	static int test_##_main(void *arg);                                          \
	START_TEST(test_)                                                            \
	{                                                                            \
		const struct points_scenario scenario = {.run = run_body,                \
			.body = test_##_main, .check = check_processes};                     \
		struct bay_plugin plugin = bay_plugin_v1;                                \
		ck_assert(log_to_file("/dev/null"));                                     \
		signals_ignore_sigpipe();                                                \
		services_begin(0);                                                       \
		plugin.init = init;                                                      \
		service = services_start(&(struct service_options){.name = "exec",       \
			.plugin = &plugin, .settings = settings_});                          \
		ck_assert_uint_ge(points_everywhere(&scenario), least);                  \
		services_end();                                                          \
		keeper_finish();                                                         \
	}                                                                            \
	END_TEST                                                                     \
	static int test_##_main(void *arg __attribute__((unused)))

EVERYWHERE(a_process_for_a_request_leaves_nothing, 4, EXEC_SETTINGS(EXEC_ONCE, "cat"))
{
	return call("a", "a");
}

EVERYWHERE(a_worker_is_answered_or_replaced, 3, EXEC_SETTINGS(EXEC_LINE, "cat", .pool = {.max_workers = 1,
	.max_requests = 2}))
{
	TRY(call_worker("a"));
	return call_worker("b");
}

CHECK_MAIN("plugins/exec, everywhere",
	a_process_for_a_request_leaves_nothing,
	a_worker_is_answered_or_replaced)
