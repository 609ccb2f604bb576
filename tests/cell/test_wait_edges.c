/* SPDX-License-Identifier: BSD-2-Clause */
/* Tasks that wait for each other in all the ways there are, as the list of tasks shows them. */
#include "config.h"

#include "cell/wait_edges.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cell/crossing.h"
#include "cell/task_list.h"
#include "protocol/cell_link.h"
#include "support/cell_control.h"
#include "support/services.h"

enum { FAR = 3600 };

static struct bay_service *first, *second;
static atomic_int entered, needed;
static atomic_bool over;
static int64_t asked;

#define START(name_, ...) services_start(&(struct service_options){.name = name_, __VA_ARGS__})

/* --- knots within one loop ------------------------------------------------------------------ */

static struct bay_lock *north, *south;

/* Until the service stops. */
static void
wait_for_both(struct bay_task **tasks)
{
	entered++;
	(void)bay_gather_all(tasks, 2, BAY_INHERIT);
	bay_task_free(tasks[0]);
	bay_task_free(tasks[1]);
}

static void
tie_locks(void)
{
	struct crossing down = {north, south}, up = {south, north};
	struct bay_task *tasks[] = {bay_spawn("a", crossing_take, &down), bay_spawn("b", crossing_take, &up)};

	wait_for_both(tasks);
}

static int
join_the_other(void *arg)
{
	struct bay_task **other = arg;

	return bay_join(*other, BAY_INHERIT);
}

/* Each is the other's, and nobody waits for them but they. */
static void
tie_joins(void)
{
	struct bay_task *tasks[2];

	tasks[0] = bay_spawn("a", join_the_other, &tasks[1]);
	tasks[1] = bay_spawn("b", join_the_other, &tasks[0]);
	entered++;
	(void)bay_sleep(FAR * BAY_SECOND);
	bay_task_cancel(tasks[0], "over");
	bay_task_cancel(tasks[1], "over");
	(void)bay_sleep(BAY_MS);
}

static int
want_north(void *arg)
{
	int status = bay_lock_acquire(north, BAY_INHERIT);

	(void)arg;
	if (status == BAY_OK)
		bay_lock_release(north);
	return status;
}

static int
sleep_long(void *arg)
{
	(void)arg;
	return bay_sleep(FAR * BAY_SECOND);
}

/* A subscription with room for one message, for whose next the publisher waits. */
static struct bay_subscription *
subscribe_to_one(void)
{
	const struct bay_subscription_options options = {.length = sizeof options, .messages = 1, .slow = BAY_SLOW_WAIT};
	struct bay_subscription *subscription = NULL;

	ck_assert_int_eq(bay_subscribe("tied.>", &options, &subscription), BAY_OK);
	return subscription;
}

static int
publish_two(void *arg)
{
	struct bay_message *message = bay_message_int64(1);
	int status = bay_publish("tied.up", message, BAY_INHERIT);

	(void)arg;
	entered++;
	if (status == BAY_OK)
		status = bay_publish("tied.up", message, BAY_INHERIT);
	bay_message_free(message);
	return status;
}

/* Who could take a message waits for the publisher, and perhaps somebody else does not. */
static void
tie_publisher(bool with_another)
{
	struct bay_subscription *subscription = subscribe_to_one();
	struct bay_task *tasks[2] = {NULL, NULL};

	bay_task_rename(bay_task_current(), "a");
	tasks[0] = bay_spawn("b", publish_two, NULL);
	if (with_another)
		tasks[1] = bay_spawn("c", sleep_long, NULL);
	(void)bay_gather_all(tasks, 1, BAY_INHERIT);
	bay_task_free(tasks[0]);
	bay_task_free(tasks[1]);
	bay_unsubscribe(subscription);
}

/* The end of a task in a select, and perhaps something else that ends it. */
static void
select_task(struct bay_task *task, bool or_time)
{
	struct bay_case cases[] = {bay_case_task(task), bay_case_get(NULL), bay_case_time(bay_after(FAR * BAY_SECOND))};
	size_t which;

	(void)bay_select(cases, or_time ? 3 : 2, &which, BAY_INHERIT);
}

/* What the owner of a lock waits for, which wants that lock. */
static void
tie_owner(const char *how)
{
	struct bay_completions *ended = NULL;
	struct bay_scope *scope = NULL;
	struct bay_task *tasks[2] = {NULL, NULL}, *task;
	size_t which;

	bay_task_rename(bay_task_current(), "a");
	if (bay_lock_acquire(north, BAY_INHERIT) != BAY_OK)
		return;
	entered++;
	if (strcmp(how, "shield") == 0) {
		(void)bay_shield("b", want_north, NULL, bay_after(2 * BAY_SECOND));
	} else if (strcmp(how, "scope") == 0) {
		scope = bay_scope_open(BAY_INHERIT);
		ck_assert_int_eq(bay_scope_go(scope, "b", want_north, NULL), BAY_OK);
		(void)bay_scope_close(scope);
	} else {
		tasks[0] = bay_spawn("b", want_north, NULL);
		if (strcmp(how, "any") == 0)
			tasks[1] = bay_spawn("c", sleep_long, NULL);
		if (strcmp(how, "gather") == 0)
			(void)bay_gather(tasks, 1, BAY_INHERIT);
		else if (strncmp(how, "select", 6) == 0)
			select_task(tasks[0], how[6] != '\0');
		else if (strcmp(how, "any") == 0 || strcmp(how, "first") == 0)
			(void)bay_wait_first(tasks, how[0] == 'a' ? 2 : 1, &which, BAY_INHERIT);
		else if (strcmp(how, "completions") == 0) {
			ended = bay_as_completed(tasks, 1);
			(void)bay_completions_next(ended, &task, BAY_INHERIT);
			bay_completions_destroy(ended);
		}
	}
	bay_lock_release(north);
}

static int
make_locks(struct bay_instance *instance)
{
	(void)instance;
	north = bay_lock_create("north");
	south = bay_lock_create("south");
	return BAY_OK;
}

static void
destroy_locks(struct bay_instance *instance)
{
	(void)instance;
	bay_lock_destroy(north);
	bay_lock_destroy(south);
}

static int
tie(struct bay_request *request)
{
	const char *how = bay_request_text(request);

	if (strcmp(how, "locks") == 0)
		tie_locks();
	else if (strcmp(how, "joins") == 0)
		tie_joins();
	else if (strncmp(how, "publish", 7) == 0)
		tie_publisher(how[7] != '\0');
	else
		tie_owner(how);
	return BAY_CANCELED;
}

/* --- lists ------------------------------------------------------------------------------------ */

static int
send_main(void *arg)
{
	struct bay_message *message = bay_message_printf("%s", (const char *)arg);
	int status = bay_send(first, message, BAY_INHERIT);

	bay_message_free(message);
	return status;
}

static const json_t *
list(void)
{
	const struct cell_answer *answer;

	asked++;
	task_list_begin(cell_control, &cell_control_loop, services_executor(), services_page(), asked,
		&(struct cell_tasks){.service = NULL});
	answer = cell_control_answer(asked);
	ck_assert_str_eq(answer->status, "ok");
	return answer->parameters;
}

/* The text of the deadlock of the task of this name, "" if none. */
static const char *
deadlock_of(const json_t *listed, const char *service, const char *name)
{
	const json_t *task;
	size_t i;

	json_array_foreach(json_object_get(listed, "tasks"), i, task) {
		const char *text = json_string_value(json_object_get(task, "deadlock"));

		if (strcmp(json_string_value(json_object_get(task, "name")), name) == 0 &&
			strcmp(json_string_value(json_object_get(task, "service")), service) == 0)
			return text != NULL ? text : "";
	}
	return "";
}

static size_t
count_deadlocked(const json_t *listed)
{
	const json_t *task;
	size_t i, count = 0;

	json_array_foreach(json_object_get(listed, "tasks"), i, task)
		count += json_object_get(task, "deadlock") != NULL;
	return count;
}

/* Lists until so many are in circles. */
static const json_t *
await_deadlocked(size_t count)
{
	static const struct timespec pause = {.tv_nsec = 5000000};
	const json_t *listed;

	/* So that there are numbers for half a minute of asking. */
	while (count_deadlocked(listed = list()) != count) {
		ck_assert_int_lt(asked, CELL_CONTROL_IDS - 1);
		nanosleep(&pause, NULL);
	}
	return listed;
}

/* "task 9 a (s) -> task 8 b (s) -> task 9 a (s)": without the numbers. */
static void
check_circle(const char *text, const char *expected)
{
	char plain[512] = "";
	size_t length = 0;

	for (; *text != '\0' && length < sizeof plain - 1; text++) {
		if (strncmp(text, "task ", 5) == 0) {
			text += 5;
			text += strspn(text, "0123456789");
			continue;
		}
		plain[length++] = *text;
	}
	ck_assert_str_eq(plain, expected);
}

static void
begin(unsigned loops)
{
	entered = 0;
	over = false;
	asked = 0;
	services_begin(loops);
	cell_control_begin();
}

static void
end(void)
{
	over = true;
	ck_assert(services_stop(first, 0, 20 * BAY_SECOND, NULL));
	if (second != NULL)
		ck_assert(services_stop(second, 0, 20 * BAY_SECOND, NULL));
	second = NULL;
	services_end();
	cell_control_end();
}

static const struct bay_plugin tied = {.size = sizeof tied, .abi_major = BAY_ABI_MAJOR, .name = "test",
	.version = "1", .init = make_locks, .handle = tie, .fini = destroy_locks};

static void
send_first(const char *text)
{
	ck_assert_int_eq(services_run_on(0, send_main, (char *)text), BAY_OK);
}

static void
check_tied(const char *how)
{
	const json_t *listed;

	begin(1);
	first = START("s", .plugin = &tied);
	send_first(how);
	listed = await_deadlocked(2);
	check_circle(deadlock_of(listed, "s", "a"), "a (s) -> b (s) -> a (s)");
	check_circle(deadlock_of(listed, "s", "b"), "b (s) -> a (s) -> b (s)");
	end();
}

#define TIED(name, how)  \
	START_TEST(name)     \
	{                    \
		check_tied(how); \
	}                    \
	END_TEST

TIED(two_locks, "locks")
TIED(two_joins, "joins")
TIED(a_gather_of_who_wants_my_lock, "gather")
TIED(a_wait_for_the_first_of_one, "first")
TIED(a_scope_of_who_wants_my_lock, "scope")
TIED(a_shield_of_who_wants_my_lock, "shield")
TIED(completions_of_who_wants_my_lock, "completions")
TIED(a_select_of_who_wants_my_lock, "select")

static void
check_untied(const char *how, unsigned concurrency)
{
	int i;

	begin(1);
	first = START("s", .plugin = &tied, .concurrency = concurrency);
	send_first(how);
	while (entered == 0)
		sched_yield();
	for (i = 0; i < 50; i++)
		ck_assert_uint_eq(count_deadlocked(list()), 0);
	end();
}

START_TEST(who_waits_for_any_and_has_another_is_in_none)
{
	check_untied("any", 0);
}
END_TEST

START_TEST(who_selects_something_else_too_is_in_none)
{
	check_untied("select or time", 0);
}
END_TEST

START_TEST(a_publisher_for_whom_the_only_reader_waits)
{
	const json_t *listed;

	begin(1);
	first = START("s", .plugin = &tied, .concurrency = 1);
	send_first("publish");
	listed = await_deadlocked(2);
	check_circle(deadlock_of(listed, "s", "a"),
		"a (s) -> b (s) -> the subscription of s to tied.> -> a (s)");
	check_circle(deadlock_of(listed, "s", "b"), "b (s) -> the subscription of s to tied.> -> b (s)");
	end();
}
END_TEST

START_TEST(a_publisher_with_another_reader_is_in_none)
{
	check_untied("publish, and another", 1);
}
END_TEST

/* It might read, too. */
START_TEST(a_publisher_where_another_handler_may_begin_is_in_none)
{
	check_untied("publish", 2);
}
END_TEST

/* Two subscribes and calls one, which publishes more than there is room for. */
static int
publish_to_my_caller(struct bay_request *request)
{
	struct bay_subscription *subscription;
	int status;

	if (strcmp(bay_instance_name(bay_request_instance(request)), "one") == 0)
		return publish_two(NULL);
	subscription = subscribe_to_one();
	status = bay_call(first, NULL, NULL, BAY_INHERIT);
	bay_unsubscribe(subscription);
	return status;
}

static const struct bay_plugin publishes = {.size = sizeof publishes, .abi_major = BAY_ABI_MAJOR, .name = "test",
	.version = "1", .handle = publish_to_my_caller};

static int
send_to_second(void *arg)
{
	(void)arg;
	return bay_send(second, NULL, BAY_INHERIT);
}

START_TEST(a_publisher_and_a_caller_on_two_loops)
{
	const json_t *listed;

	begin(2);
	first = START("one", .plugin = &publishes, .loops = 1, .concurrency = 1);
	second = START("two", .plugin = &publishes, .loops = 2, .concurrency = 1);
	ck_assert_int_eq(services_run_on(0, send_to_second, NULL), BAY_OK);
	listed = await_deadlocked(2);
	check_circle(deadlock_of(listed, "one", "handle"),
		"handle (one) -> the subscription of two to tied.> -> handle (two) -> handle (one)");
	check_circle(deadlock_of(listed, "two", "handle"),
		"handle (two) -> handle (one) -> the subscription of two to tied.> -> handle (two)");
	end();
}
END_TEST

/* --- services ------------------------------------------------------------------------------------ */

/* Calls the other service when so many handlers are at work. */
static int
call_the_other(struct bay_request *request)
{
	struct bay_service *other = bay_request_instance(request) == NULL ? NULL :
		strcmp(bay_instance_name(bay_request_instance(request)), "one") == 0 ? second : first;
	struct bay_task *call;
	int status;

	entered++;
	while (entered < needed && !over) {
		status = bay_sleep(BAY_MS);
		if (status != BAY_OK)
			return status;
	}
	if (strcmp(bay_request_text(request), "started") != 0)
		return bay_call(other, NULL, NULL, BAY_INHERIT);
	call = bay_call_start(other, NULL);
	status = bay_gather(&call, 1, BAY_INHERIT);
	bay_task_free(call);
	return status;
}

static int
send_to_both(void *arg)
{
	struct bay_message *message = bay_message_printf("%s", (const char *)arg);
	int i;

	for (i = 0; i < needed; i++)
		ck_assert_int_eq(bay_send(i % 2 == 0 ? first : second, message, BAY_INHERIT), BAY_OK);
	bay_message_free(message);
	return BAY_OK;
}

static const struct bay_plugin calls = {.size = sizeof calls, .abi_major = BAY_ABI_MAJOR, .name = "test",
	.version = "1", .handle = call_the_other};

static void
tie_services(const char *how, uint64_t loops_of_one, uint64_t loops_of_two, unsigned concurrency)
{
	const json_t *listed;

	begin(2);
	needed = (int)(2 * concurrency);
	first = START("one", .plugin = &calls, .loops = loops_of_one, .concurrency = concurrency);
	second = START("two", .plugin = &calls, .loops = loops_of_two, .concurrency = concurrency);
	ck_assert_int_eq(services_run_on(0, send_to_both, (char *)how), BAY_OK);
	listed = await_deadlocked(2 * concurrency);
	check_circle(deadlock_of(listed, "one", "handle"),
		"handle (one) -> the queue of two -> handle (two) -> the queue of one -> handle (one)");
	check_circle(deadlock_of(listed, "two", "handle"),
		"handle (two) -> the queue of one -> handle (one) -> the queue of two -> handle (two)");
	end();
}

START_TEST(two_services_on_one_loop)
{
	tie_services("", 1, 1, 1);
}
END_TEST

START_TEST(two_services_on_two_loops)
{
	tie_services("", 1, 2, 1);
}
END_TEST

START_TEST(all_handlers_of_two_services)
{
	tie_services("", 2, 1, 3);
}
END_TEST

START_TEST(two_services_that_started_calls)
{
	tie_services("started", 1, 2, 1);
}
END_TEST

/* As long as one of its handlers may end, a service is alive. */
START_TEST(a_service_with_a_handler_that_is_free_is_in_none)
{
	int i;

	begin(2);
	needed = 2;
	first = START("one", .plugin = &calls, .loops = 1, .concurrency = 1);
	second = START("two", .plugin = &calls, .loops = 2, .concurrency = 2);
	/* Two's second handler calls one, which waits for it: that is a circle of requests, and the first
	 * handler of two is not in it as long as it sleeps. */
	needed = 100;
	send_first("");
	while (entered == 0)
		sched_yield();
	for (i = 0; i < 20; i++)
		ck_assert_uint_eq(count_deadlocked(list()), 0);
	end();
}
END_TEST

/* --- those that are well --------------------------------------------------------------------------- */

/* Calls the other way round do not happen: whatever waits at a moment goes on. */
static int
work(struct bay_request *request)
{
	if (strcmp(bay_instance_name(bay_request_instance(request)), "one") == 0)
		return bay_call(second, NULL, NULL, BAY_INHERIT) == BAY_OK ? bay_reply_text(request, "") : BAY_FAILED;
	if (bay_yield() != BAY_OK)
		return BAY_CANCELED;
	return bay_reply_text(request, "");
}

static int
call_in_a_loop(void *arg)
{
	(void)arg;
	while (!over)
		ck_assert_int_eq(bay_call(first, NULL, NULL, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

static const struct bay_plugin works = {.size = sizeof works, .abi_major = BAY_ABI_MAJOR, .name = "test",
	.version = "1", .handle = work};

START_TEST(busy_services_are_in_none)
{
	struct services_job *jobs[6];
	unsigned i;

	begin(3);
	first = START("one", .plugin = &works, .loops = 3, .concurrency = 1);
	second = START("two", .plugin = &works, .loops = 6, .concurrency = 1);
	for (i = 0; i < 6; i++)
		jobs[i] = services_go(i % 3, call_in_a_loop, NULL);
	for (i = 0; i < 300; i++)
		ck_assert_uint_eq(count_deadlocked(list()), 0);
	over = true;
	for (i = 0; i < 6; i++)
		ck_assert_int_eq(services_join(jobs[i]), BAY_OK);
	end();
}
END_TEST

CHECK_MAIN("cell/wait_edges",
	two_locks,
	two_joins,
	a_gather_of_who_wants_my_lock,
	a_wait_for_the_first_of_one,
	a_scope_of_who_wants_my_lock,
	a_shield_of_who_wants_my_lock,
	completions_of_who_wants_my_lock,
	a_select_of_who_wants_my_lock,
	who_waits_for_any_and_has_another_is_in_none,
	who_selects_something_else_too_is_in_none,
	a_publisher_for_whom_the_only_reader_waits,
	a_publisher_with_another_reader_is_in_none,
	a_publisher_where_another_handler_may_begin_is_in_none,
	a_publisher_and_a_caller_on_two_loops,
	two_services_on_one_loop,
	two_services_on_two_loops,
	all_handlers_of_two_services,
	two_services_that_started_calls,
	a_service_with_a_handler_that_is_free_is_in_none,
	busy_services_are_in_none)
