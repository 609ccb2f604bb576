/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/lock.h>, <bay/condition.h>, <bay/semaphore.h>: what tasks take in turn. */
#include "toolbox.h"

/* What several tasks share, and the order in which they had their turn. */
struct shared {
	struct bay_lock *lock;
	struct bay_condition *condition;
	struct bay_semaphore *semaphore;
	struct seen *seen;
	int goods;
};

static int
take_turn(void *arg)
{
	struct shared *shared = arg;
	int status = bay_lock_acquire(shared->lock, BAY_INHERIT);

	saw(shared->seen, "%s", bay_status_name(status));
	if (status != BAY_OK)
		return BAY_OK;
	bay_yield();
	return bay_lock_release(shared->lock);
}

static void
see_lock(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct shared shared = {.lock = bay_lock_create("turn"), .seen = seen};
	struct bay_task *tasks[2];

	(void)request;
	(void)argument;
	saw(seen, "%d%d", bay_lock_is_held(shared.lock), bay_lock_is_mine(shared.lock));
	saw(seen, "%s", bay_status_name(bay_lock_acquire(shared.lock, BAY_INHERIT)));
	saw(seen, "%d%d", bay_lock_is_held(shared.lock), bay_lock_is_mine(shared.lock));
	saw(seen, "%s", bay_status_name(bay_lock_acquire(shared.lock, BAY_INHERIT)));
	tasks[0] = bay_spawn("cancelled", take_turn, &shared);
	tasks[1] = bay_spawn("patient", take_turn, &shared);
	bay_yield();
	bay_task_cancel(tasks[0], "enough");
	saw(seen, "%s", bay_status_name(bay_lock_release(shared.lock)));
	saw(seen, "%d%d", bay_lock_is_held(shared.lock), bay_lock_is_mine(shared.lock));
	saw(seen, "%s", bay_status_name(bay_lock_try_acquire(shared.lock)));
	saw(seen, "%s", bay_status_name(bay_lock_release(shared.lock)));
	bay_gather(tasks, 2, BAY_INHERIT);
	bay_lock_destroy(shared.lock);
}

static int
forget_lock(void *arg)
{
	return bay_lock_acquire(arg, BAY_INHERIT);
}

static void
see_forgotten(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_lock *lock = bay_lock_create("forgotten");

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_join(bay_spawn("careless", forget_lock, lock), BAY_INHERIT)));
	saw(seen, "%d", bay_lock_is_held(lock));
	bay_lock_destroy(lock);
}

static bool
has_goods(void *arg)
{
	const struct shared *shared = arg;

	return shared->goods > 0;
}

static int
buy(void *arg)
{
	struct shared *shared = arg;
	int status = bay_lock_acquire(shared->lock, BAY_INHERIT);

	if (status == BAY_OK)
		status = bay_condition_wait_for(shared->condition, has_goods, shared, BAY_INHERIT);
	if (status == BAY_OK)
		shared->goods--;
	saw(shared->seen, "%s-%d", bay_status_name(status), bay_lock_is_mine(shared->lock));
	return bay_lock_release(shared->lock);
}

static int
wait_plainly(void *arg)
{
	struct shared *shared = arg;
	int status = bay_lock_acquire(shared->lock, BAY_INHERIT);

	if (status == BAY_OK)
		status = bay_condition_wait(shared->condition, BAY_INHERIT);
	saw(shared->seen, "%s-%d", bay_status_name(status), bay_lock_is_mine(shared->lock));
	return bay_lock_release(shared->lock);
}

static void
see_condition(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct shared shared = {.lock = bay_lock_create("store"), .seen = seen};
	struct bay_task *tasks[4];

	(void)request;
	(void)argument;
	shared.condition = bay_condition_create("goods", shared.lock);
	saw(seen, "%s", bay_status_name(bay_condition_notify(shared.condition, 1)));
	tasks[0] = bay_spawn("cancelled", buy, &shared);
	tasks[1] = bay_spawn("buyer", buy, &shared);
	tasks[2] = bay_spawn("buyer", buy, &shared);
	tasks[3] = bay_spawn("plain", wait_plainly, &shared);
	bay_yield();
	(void)!bay_lock_acquire(shared.lock, BAY_INHERIT);
	bay_task_cancel(tasks[0], "enough");
	shared.goods = 2;
	saw(seen, "%s", bay_status_name(bay_condition_notify(shared.condition, 1)));
	saw(seen, "%s", bay_status_name(bay_condition_notify_all(shared.condition)));
	saw(seen, "%s", bay_status_name(bay_condition_wait(shared.condition, bay_after(BAY_MS))));
	bay_lock_release(shared.lock);
	bay_gather(tasks, 4, BAY_INHERIT);
	saw(seen, "%d", shared.goods);
	bay_condition_destroy(shared.condition);
	bay_lock_destroy(shared.lock);
}

static int
take_two(void *arg)
{
	struct shared *shared = arg;
	int status = bay_semaphore_acquire(shared->semaphore, 2, BAY_INHERIT);

	saw(shared->seen, "%s", bay_status_name(status));
	return BAY_OK;
}

static void
see_semaphore(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct shared shared = {.semaphore = bay_semaphore_create("units", 1), .seen = seen};
	struct bay_semaphore *bounded = bay_semaphore_create_bounded("bounded", 2);
	struct bay_task *takes = bay_spawn("takes", take_two, &shared);

	(void)request;
	(void)argument;
	bay_yield();
	saw(seen, "%s", bay_status_name(bay_semaphore_try_acquire(shared.semaphore, 1)));
	saw(seen, "%s", bay_status_name(bay_semaphore_release(shared.semaphore, 2)));
	saw(seen, "%zu", bay_semaphore_value(shared.semaphore));
	bay_join(takes, BAY_INHERIT);
	saw(seen, "%s", bay_status_name(bay_semaphore_acquire(shared.semaphore, 2, bay_after(BAY_MS))));
	saw(seen, "%s", bay_status_name(bay_semaphore_release(bounded, 1)));
	saw(seen, "%s", bay_status_name(bay_semaphore_acquire(bounded, 3, BAY_INHERIT)));
	saw(seen, "%zu", bay_semaphore_value(bounded));
	bay_semaphore_destroy(shared.semaphore);
	bay_semaphore_destroy(bounded);
}

/* --- a deadlock, to be looked at ---------------------------------------------------------- */

struct crossing {
	struct bay_lock *first;
	struct bay_lock *second;
};

static int
cross(void *arg)
{
	const struct crossing *crossing = arg;
	int status = bay_lock_acquire(crossing->first, BAY_INHERIT);

	if (status != BAY_OK)
		return status;
	bay_yield();
	status = bay_lock_acquire(crossing->second, BAY_INHERIT);
	if (status == BAY_OK)
		bay_lock_release(crossing->second);
	bay_lock_release(crossing->first);
	return status;
}

/* Until the gate of the instance is opened. */
static int
lock_each_other_out(struct bay_request *request, const char *argument)
{
	const struct toolbox_state *state = bay_state(request);
	struct bay_lock *north = bay_lock_create("north"), *south = bay_lock_create("south");
	struct crossing down = {north, south}, up = {south, north};
	struct bay_task *tasks[] = {bay_spawn("down", cross, &down), bay_spawn("up", cross, &up)};
	void *nothing;
	int status;

	bay_channel_get(state->gate, &nothing, BAY_INHERIT);
	bay_task_cancel(tasks[0], argument);
	status = bay_join(tasks[0], BAY_INHERIT);
	status = bay_reply_printf(request, "%s %s", bay_status_name(status),
		bay_status_name(bay_join(tasks[1], BAY_INHERIT)));
	bay_lock_destroy(north);
	bay_lock_destroy(south);
	return status;
}

const struct operation lock_operations[] = {
	{"lock", see_lock, NULL},
	{"lock-forgotten", see_forgotten, NULL},
	{"condition", see_condition, NULL},
	{"semaphore", see_semaphore, NULL},
	{"deadlock", NULL, lock_each_other_out},
	{NULL, NULL, NULL}
};
