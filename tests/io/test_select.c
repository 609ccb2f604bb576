/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <bay/select.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include "runtime/task.h"
#include "support/run_tasks.h"

/* RESULT: of a task, and no status. */
enum { MANY = 40, RESULT = 1234 };

static int letters[64];

/* One who selects once. */
struct party {
	struct bay_case *cases;
	size_t count;
	size_t index;
	int status;
};

static int
select_once(void *arg)
{
	struct party *party = arg;

	party->status = bay_select(party->cases, party->count, &party->index, BAY_INHERIT);
	return BAY_OK;
}

static struct bay_task *
start(struct party *party)
{
	struct bay_task *task = bay_spawn("party", select_once, party);

	ck_assert_ptr_nonnull(task);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert(!bay_task_done(task));
	return task;
}

static void
end(struct bay_task *task)
{
	ck_assert_int_eq(bay_join(task, bay_after(60 * BAY_SECOND)), BAY_OK);
}

static void
expect(const struct party *party, size_t index, int status)
{
	ck_assert_int_eq(party->status, BAY_OK);
	ck_assert_uint_eq(party->index, index);
	ck_assert_int_eq(party->cases[index].status, status);
}

static int
return_result(void *arg)
{
	(void)arg;
	return RESULT;
}

/* --- what can happen at once ------------------------------------------------------------------ */

TASK_TEST(each_kind_happens_at_once_if_it_can)
{
	struct bay_channel *full = bay_channel_create(1), *empty = bay_channel_create(1);
	struct bay_task *task = bay_spawn("ends", return_result, NULL);
	struct bay_case one;
	size_t index = 9;
	int fd = eventfd(1, EFD_CLOEXEC);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_int_eq(bay_channel_try_put(full, &letters[1]), BAY_OK);
	one = bay_case_get(full);
	ck_assert_int_eq(bay_select(&one, 1, &index, BAY_INHERIT), BAY_OK);
	ck_assert_uint_eq(index, 0);
	ck_assert_ptr_eq(one.item, &letters[1]);
	one = bay_case_put(empty, &letters[2]);
	ck_assert_int_eq(bay_select(&one, 1, &index, BAY_INHERIT), BAY_OK);
	ck_assert_uint_eq(bay_channel_size(empty), 1);
	one = bay_case_task(task);
	ck_assert_int_eq(bay_select(&one, 1, &index, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), RESULT);
	one = bay_case_time(bay_now() - 1);
	ck_assert_int_eq(bay_select(&one, 1, &index, BAY_INHERIT), BAY_OK);
	one = bay_case_fd(fd, BAY_READABLE | BAY_WRITABLE);
	ck_assert_int_eq(bay_select(&one, 1, &index, BAY_INHERIT), BAY_OK);
	ck_assert_uint_eq(one.ready, BAY_READABLE | BAY_WRITABLE);
	close(fd);
	ck_assert_int_eq(bay_select(&one, 1, &index, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(one.status, BAY_CLOSED);
	one = bay_case_task(NULL);
	ck_assert_int_eq(bay_select(&one, 1, &index, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(one.status, BAY_NO_MEMORY);
	bay_channel_close(full);
	one = bay_case_get(full);
	ck_assert_int_eq(bay_select(&one, 1, &index, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(one.status, BAY_CLOSED);
	bay_channel_destroy(full);
	bay_channel_destroy(empty);
	return BAY_OK;
}

TASK_TEST(exactly_one_happens_and_none_is_starved)
{
	struct bay_channel *channels[3];
	struct bay_case cases[3];
	int times[3] = {0, 0, 0};
	size_t index;

	for (int i = 0; i < 3; i++) {
		channels[i] = bay_channel_create(1000);
		for (int k = 0; k < 1000; k++)
			ck_assert_int_eq(bay_channel_try_put(channels[i], &letters[i]), BAY_OK);
		cases[i] = bay_case_get(channels[i]);
	}
	for (int k = 0; k < 900; k++) {
		ck_assert_int_eq(bay_select(cases, 3, &index, BAY_INHERIT), BAY_OK);
		ck_assert_ptr_eq(cases[index].item, &letters[index]);
		times[index]++;
	}
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(bay_channel_size(channels[i]), (size_t)(1000 - times[i]));
		ck_assert_int_gt(times[i], 150);
		bay_channel_destroy(channels[i]);
	}
	return BAY_OK;
}

TASK_TEST(a_case_that_is_switched_off_never_happens)
{
	struct bay_case cases[] = {bay_case_of(BAY_CASE_NONE), bay_case_get(NULL), bay_case_put(NULL, NULL),
		bay_case_tick(NULL), bay_case_time(BAY_INHERIT)};
	size_t index = 9;

	ck_assert_int_eq(bay_select(cases, 5, &index, 0), BAY_TIMEOUT);
	ck_assert_int_eq(bay_select(cases, 5, &index, bay_after(BAY_MS)), BAY_TIMEOUT);
	ck_assert_uint_eq(index, 9);
	return BAY_OK;
}

TASK_TEST(nonsense_is_refused)
{
	struct bay_case cases[2] = {bay_case_of((enum bay_case_kind)99), bay_case_fd(-1, BAY_READABLE)};
	size_t index = 9;

	ck_assert_int_eq(bay_select(cases, 0, &index, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(bay_select(cases, 1, &index, BAY_INHERIT), BAY_INVALID);
	ck_assert_int_eq(bay_select(&cases[1], 1, &index, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(cases[1].status, BAY_INVALID);
	cases[0] = bay_case_task(task_current()->handle);
	ck_assert_int_eq(bay_select(cases, 1, &index, BAY_INHERIT), BAY_INVALID);
	return BAY_OK;
}

TASK_TEST(a_task_can_stand_only_once)
{
	struct bay_channel *channel = bay_channel_create(0);
	struct bay_task *task = bay_spawn("ends", return_result, NULL);
	struct bay_case cases[] = {bay_case_get(channel), bay_case_task(task), bay_case_task(task)};
	size_t index;

	ck_assert_int_eq(bay_select(cases, 3, &index, BAY_INHERIT), BAY_BUSY);
	/* And it stands nowhere now. */
	ck_assert_int_eq(bay_channel_try_put(channel, &letters[1]), BAY_FULL);
	ck_assert_int_eq(bay_join(task, BAY_INHERIT), RESULT);
	bay_channel_destroy(channel);
	return BAY_OK;
}

/* --- waiting ------------------------------------------------------------------------------------ */

/* A select that stands in everything there is, and how to make each happen. */
struct stand {
	struct bay_channel *in, *out, *gate;
	struct bay_task *task;
	struct bay_case cases[5];
	struct party party;
	struct bay_task *selects;
	int fd;
};

enum { GET, PUT, TASK, FD, TIME };

static int
wait_at_gate(void *arg)
{
	void *nothing;

	(void)bay_channel_get(arg, &nothing, BAY_INHERIT);
	return RESULT;
}

static void
stand_begin(struct stand *stand)
{
	stand->in = bay_channel_create(1);
	stand->out = bay_channel_create(0);
	stand->gate = bay_channel_create(0);
	stand->task = bay_spawn("waits", wait_at_gate, stand->gate);
	stand->fd = eventfd(0, EFD_CLOEXEC);
	stand->cases[GET] = bay_case_get(stand->in);
	stand->cases[PUT] = bay_case_put(stand->out, &letters[5]);
	stand->cases[TASK] = bay_case_task(stand->task);
	stand->cases[FD] = bay_case_fd(stand->fd, BAY_READABLE);
	stand->cases[TIME] = bay_case_time(bay_after(3600 * BAY_SECOND));
	stand->party = (struct party){stand->cases, 5, 99, -1};
	stand->selects = start(&stand->party);
}

/* Nothing of it stands anywhere any more. */
static void
stand_finish(struct stand *stand)
{
	void *item;

	if (stand->selects != NULL)
		end(stand->selects);
	ck_assert_int_eq(bay_channel_try_get(stand->out, &item), BAY_BUSY);
	ck_assert_int_eq(bay_channel_try_put(stand->out, &letters[6]), BAY_FULL);
	ck_assert_uint_eq(run_tasks_scheduler.loop._watch_count, 0);
	bay_channel_close(stand->gate);
	ck_assert_int_eq(bay_join(stand->task, BAY_INHERIT), RESULT);
	close(stand->fd);
	bay_channel_destroy(stand->in);
	bay_channel_destroy(stand->out);
	bay_channel_destroy(stand->gate);
}

static void
wake_by(struct stand *stand, int which)
{
	uint64_t one = 1;
	void *item;

	switch (which) {
	case GET:
		ck_assert_int_eq(bay_channel_try_put(stand->in, &letters[1]), BAY_OK);
		break;
	case PUT:
		ck_assert_int_eq(bay_channel_try_get(stand->out, &item), BAY_OK);
		ck_assert_ptr_eq(item, &letters[5]);
		break;
	case TASK:
		bay_channel_close(stand->gate);
		while (!bay_task_done(stand->task))
			ck_assert_int_eq(bay_yield(), BAY_OK);
		break;
	default:
		ck_assert_int_eq(write(stand->fd, &one, sizeof one), (int)sizeof one);
		while (stand->party.status == -1)
			ck_assert_int_eq(bay_yield(), BAY_OK);
		break;
	}
}

TASK_TEST(each_kind_wakes_a_select_that_stands_in_all)
{
	for (int which = GET; which <= FD; which++) {
		struct stand stand;

		stand_begin(&stand);
		wake_by(&stand, which);
		end(stand.selects);
		expect(&stand.party, (size_t)which, BAY_OK);
		if (which == GET)
			ck_assert_ptr_eq(stand.cases[GET].item, &letters[1]);
		if (which == FD)
			ck_assert_uint_eq(stand.cases[FD].ready, BAY_READABLE);
		stand.selects = NULL;
		stand_finish(&stand);
	}
	return BAY_OK;
}

/* Two come in the same turn, before the select has run: the second finds nobody. */
TASK_TEST(what_comes_second_is_not_taken)
{
	struct stand stand;
	void *item;

	stand_begin(&stand);
	wake_by(&stand, PUT);
	ck_assert_int_eq(bay_channel_try_put(stand.in, &letters[1]), BAY_OK);
	ck_assert_uint_eq(bay_channel_size(stand.in), 1);
	end(stand.selects);
	expect(&stand.party, PUT, BAY_OK);
	ck_assert_int_eq(bay_channel_try_get(stand.in, &item), BAY_OK);
	stand.selects = NULL;
	stand_finish(&stand);
	return BAY_OK;
}

TASK_TEST(a_cancelled_select_takes_nothing)
{
	struct stand stand;

	stand_begin(&stand);
	bay_task_cancel(stand.selects, "enough");
	ck_assert_int_eq(bay_channel_try_put(stand.in, &letters[1]), BAY_OK);
	ck_assert_uint_eq(bay_channel_size(stand.in), 1);
	stand_finish(&stand);
	ck_assert_int_eq(stand.party.status, BAY_CANCELED);
	ck_assert_uint_eq(stand.party.index, 99);
	return BAY_OK;
}

TASK_TEST(a_select_cancelled_after_its_case_happened_has_it)
{
	struct stand stand;

	stand_begin(&stand);
	ck_assert_int_eq(bay_channel_try_put(stand.in, &letters[1]), BAY_OK);
	bay_task_cancel(stand.selects, "too late");
	stand_finish(&stand);
	expect(&stand.party, GET, BAY_OK);
	ck_assert_ptr_eq(stand.cases[GET].item, &letters[1]);
	ck_assert_uint_eq(stand.party.index, GET);
	return BAY_OK;
}

TASK_TEST(closing_a_channel_or_a_descriptor_wakes_a_select)
{
	struct stand stand;

	stand_begin(&stand);
	bay_channel_close(stand.in);
	stand_finish(&stand);
	expect(&stand.party, GET, BAY_CLOSED);
	stand_begin(&stand);
	ck_assert_int_eq(bay_fd_close(stand.fd), BAY_OK);
	end(stand.selects);
	expect(&stand.party, FD, BAY_CLOSED);
	stand.fd = eventfd(0, EFD_CLOEXEC);
	stand.selects = NULL;
	stand_finish(&stand);
	return BAY_OK;
}

TASK_TEST(the_earliest_time_wakes_a_select)
{
	struct bay_ticker *ticker = bay_ticker_create(2 * BAY_MS);
	struct bay_case cases[] = {bay_case_time(bay_after(3600 * BAY_SECOND)), bay_case_tick(ticker)};
	size_t index;

	ck_assert_int_eq(bay_select(cases, 2, &index, bay_after(60 * BAY_SECOND)), BAY_OK);
	ck_assert_uint_eq(index, 1);
	cases[0] = bay_case_time(bay_after(BAY_MS));
	ck_assert_int_eq(bay_ticker_reset(ticker, 3600 * BAY_SECOND), BAY_OK);
	ck_assert_int_eq(bay_select(cases, 2, &index, bay_after(60 * BAY_SECOND)), BAY_OK);
	ck_assert_uint_eq(index, 0);
	ck_assert_int_ge(bay_now(), cases[0].when_ns);
	/* The deadline comes before the case. */
	cases[0] = bay_case_time(bay_after(3600 * BAY_SECOND));
	ck_assert_int_eq(bay_select(cases, 2, &index, bay_after(BAY_MS)), BAY_TIMEOUT);
	bay_ticker_destroy(ticker);
	return BAY_OK;
}

TASK_TEST(a_select_stands_in_line_as_any_task)
{
	struct bay_channel *channel = bay_channel_create(0);
	struct bay_case cases[3] = {bay_case_get(channel), bay_case_get(channel), bay_case_get(channel)};
	struct party parties[3] = {{&cases[0], 1, 9, -1}, {&cases[1], 1, 9, -1}, {&cases[2], 1, 9, -1}};
	struct bay_task *tasks[3];

	for (int i = 0; i < 3; i++)
		tasks[i] = start(&parties[i]);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(bay_channel_try_put(channel, &letters[i]), BAY_OK);
	for (int i = 0; i < 3; i++) {
		end(tasks[i]);
		ck_assert_ptr_eq(cases[i].item, &letters[i]);
	}
	bay_channel_destroy(channel);
	return BAY_OK;
}

/* The select stood first in the line, with an item that did not fit. */
TASK_TEST(when_a_select_leaves_a_line_those_behind_it_go_on)
{
	struct bay_channel_options options = {.length = sizeof options, .capacity = 9, .capacity_bytes = 10};
	struct bay_channel *bytes = bay_channel_create_with(&options), *other = bay_channel_create(0);
	struct bay_case cases[] = {bay_case_put(bytes, &letters[1]), bay_case_get(other)},
		behind = bay_case_put(bytes, &letters[2]);
	struct party party = {cases, 2, 9, -1}, second = {&behind, 1, 9, -1};
	struct bay_task *tasks[2];

	cases[0].bytes = 10;
	behind.bytes = 2;
	ck_assert_int_eq(bay_channel_try_put_with(bytes, &letters[0], 0, 5), BAY_OK);
	tasks[0] = start(&party);
	tasks[1] = start(&second);
	ck_assert_int_eq(bay_channel_try_put(other, &letters[3]), BAY_OK);
	ck_assert_uint_eq(bay_channel_size(bytes), 2);
	end(tasks[0]);
	end(tasks[1]);
	expect(&party, 1, BAY_OK);
	expect(&second, 0, BAY_OK);
	bay_channel_destroy(bytes);
	bay_channel_destroy(other);
	return BAY_OK;
}

TASK_TEST(two_selects_can_meet_in_a_rendezvous)
{
	struct bay_channel *channel = bay_channel_create(0);
	struct bay_case one[] = {bay_case_get(channel), bay_case_put(channel, &letters[1])},
		two[] = {bay_case_get(channel), bay_case_put(channel, &letters[2])};
	struct party first = {one, 2, 9, -1}, second = {two, 2, 9, -1};
	struct bay_task *task = start(&first);
	void *item;

	ck_assert_int_eq(select_once(&second), BAY_OK);
	end(task);
	ck_assert_uint_eq(first.index + second.index, 1);
	item = first.index == 0 ? one[0].item : two[0].item;
	ck_assert_ptr_eq(item, &letters[first.index == 0 ? 2 : 1]);
	ck_assert_int_eq(bay_channel_try_get(channel, &item), BAY_BUSY);
	ck_assert_int_eq(bay_channel_try_put(channel, &letters[3]), BAY_FULL);
	bay_channel_destroy(channel);
	return BAY_OK;
}

TASK_TEST(there_may_be_many_cases)
{
	struct bay_channel *channels[MANY];
	struct bay_case cases[MANY];
	struct party party = {cases, MANY, 99, -1};
	struct bay_task *task;

	for (int i = 0; i < MANY; i++) {
		channels[i] = bay_channel_create(0);
		cases[i] = bay_case_get(channels[i]);
	}
	task = start(&party);
	ck_assert_int_eq(bay_channel_try_put(channels[MANY - 2], &letters[1]), BAY_OK);
	end(task);
	expect(&party, MANY - 2, BAY_OK);
	for (int i = 0; i < MANY; i++) {
		ck_assert_int_eq(bay_channel_try_put(channels[i], &letters[1]), BAY_FULL);
		bay_channel_destroy(channels[i]);
	}
	return BAY_OK;
}

CHECK_MAIN("io/select",
	each_kind_happens_at_once_if_it_can,
	exactly_one_happens_and_none_is_starved,
	a_case_that_is_switched_off_never_happens,
	nonsense_is_refused,
	a_task_can_stand_only_once,
	each_kind_wakes_a_select_that_stands_in_all,
	what_comes_second_is_not_taken,
	a_cancelled_select_takes_nothing,
	a_select_cancelled_after_its_case_happened_has_it,
	closing_a_channel_or_a_descriptor_wakes_a_select,
	the_earliest_time_wakes_a_select,
	a_select_stands_in_line_as_any_task,
	when_a_select_leaves_a_line_those_behind_it_go_on,
	two_selects_can_meet_in_a_rendezvous,
	there_may_be_many_cases)
