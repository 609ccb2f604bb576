/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams, cut short at each await in turn: none is lost, none comes twice, nothing is left. */
#include "config.h"

#include <bay/datagram.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/cancel_everywhere.h"

enum { COUNT = 6 };

static struct bay_datagram *
open_at(const char *text, const struct bay_address *peer)
{
	struct bay_datagram_options options = {.length = sizeof options, .peer = peer};
	struct bay_address local;
	struct bay_datagram *socket;
	char own[64];

	/* Another run of this test may be going on. */
	snprintf(own, sizeof own, strncmp(text, "unix:", 5) == 0 ? "%s-%d" : "%s", text, (int)getpid());
	ck_assert_int_eq(bay_address_parse(own, &local), BAY_OK);
	ck_assert_int_eq(bay_datagram_open(&local, &options, &socket), BAY_OK);
	return socket;
}

/* No descriptor either: the next one has the same number every time. */
static void
check_nothing_left(void)
{
	static int first = -1;
	int fd = dup(0);

	ck_assert_int_ge(fd, 0);
	if (first < 0)
		first = fd;
	ck_assert_int_eq(fd, first);
	close(fd);
	run_tasks_check_nothing_left();
}

struct flow {
	struct bay_datagram *from, *to;
	struct bay_address address;     /* of to */
	int sent, got;
};

static int
send_all(void *arg)
{
	struct flow *flow = arg;

	while (flow->sent < COUNT) {
		TRY(bay_datagram_send(flow->from, &flow->sent, sizeof flow->sent, &flow->address, BAY_INHERIT));
		flow->sent++;
		TRY(bay_yield());
	}
	return BAY_OK;
}

static int
receive_all(void *arg)
{
	struct flow *flow = arg;
	size_t size;
	int number;

	while (flow->got < COUNT) {
		TRY(bay_datagram_receive(flow->to, &number, sizeof number, NULL, &size, BAY_INHERIT));
		ck_assert_int_eq(number, flow->got);
		flow->got++;
	}
	return BAY_OK;
}

/* A receiver that was cut short takes nothing: the rest is still there, in order. */
EVERYWHERE(receives_lose_nothing, 4, check_nothing_left)
{
	struct flow flow = {open_at("127.0.0.1:0", NULL), open_at("127.0.0.1:0", NULL), {{0}, 0, 0}, 0, 0};
	struct bay_task *tasks[2];
	int number, status;
	size_t size;

	flow.address = bay_datagram_address(flow.to);
	tasks[0] = bay_spawn("receives", receive_all, &flow);
	tasks[1] = bay_spawn("sends", send_all, &flow);
	status = points_expect(bay_gather(tasks, 2, BAY_INHERIT));
	for (int i = 0; i < 2; i++)
		bay_task_free(tasks[i]);
	while (status != BAY_CANCELED && flow.got < flow.sent &&
		bay_datagram_receive(flow.to, &number, sizeof number, NULL, &size, 0) == BAY_OK) {
		ck_assert_int_eq(number, flow.got);
		flow.got++;
	}
	if (status == BAY_OK)
		ck_assert_int_eq(flow.got, flow.sent);
	bay_datagram_close(flow.from);
	bay_datagram_close(flow.to);
	return status;
}

static int
receive_one(void *arg)
{
	struct flow *flow = arg;
	size_t size;
	int number;
	int status = points_expect(bay_datagram_receive(flow->to, &number, sizeof number, NULL, &size, BAY_INHERIT));

	flow->got += status == BAY_OK;
	return status;
}

/* Of several that wait, the others get what one that was cut short did not. */
EVERYWHERE(turns_are_passed_on, 3, check_nothing_left)
{
	struct flow flow = {open_at("127.0.0.1:0", NULL), open_at("127.0.0.1:0", NULL), {{0}, 0, 0}, 0, 0};
	struct bay_task *tasks[3];
	int status, gathered, i;

	flow.address = bay_datagram_address(flow.to);
	for (i = 0; i < 3; i++)
		tasks[i] = bay_spawn("receives", receive_one, &flow);
	status = points_expect(bay_yield());
	for (i = 0; i < 3; i++) {
		int sent = points_expect(bay_datagram_send(flow.from, &i, sizeof i, &flow.address, BAY_INHERIT));

		status = status == BAY_OK ? sent : status;
	}
	gathered = points_expect(bay_gather_all(tasks, 3, BAY_INHERIT));
	status = status == BAY_OK ? gathered : status;
	for (i = 0; i < 3; i++)
		bay_task_free(tasks[i]);
	bay_datagram_close(flow.from);
	bay_datagram_close(flow.to);
	return status;
}

static int
drain(void *arg)
{
	struct flow *flow = arg;

	/* It may be told that it is enough before it has them all. */
	while (flow->got < flow->sent) {
		size_t size;
		int number;
		int status = bay_datagram_receive(flow->to, &number, sizeof number, NULL, &size, BAY_INHERIT);

		if (status == BAY_OK) {
			flow->got++;
			status = bay_yield();
		}
		if (status != BAY_OK)
			return status;
	}
	return BAY_OK;
}

/* Waits for room that the kernel tells of, and for room that it does not. */
static int
send_to_a_full_one(bool connected)
{
	struct flow flow = {NULL, open_at("unix:@bay-test-everywhere", NULL), {{0}, 0, 0}, 0, 0};
	struct bay_task *task;
	int status;

	flow.address = bay_datagram_address(flow.to);
	flow.from = open_at("unix:@bay-test-everywhere-2", connected ? &flow.address : NULL);
	while ((status = bay_datagram_send(flow.from, "full", 4, connected ? NULL : &flow.address, 0)) == BAY_OK)
		flow.sent++;
	if (points_expect(status == BAY_TIMEOUT ? BAY_OK : status) == BAY_OK) {
		task = bay_spawn("drains", drain, &flow);
		status = points_expect(bay_datagram_send(flow.from, "more", 4,
			connected ? NULL : &flow.address, BAY_INHERIT));
		bay_task_cancel(task, "enough");
		(void)bay_join(task, BAY_INHERIT);
	}
	bay_datagram_close(flow.from);
	bay_datagram_close(flow.to);
	return points_expect(status);
}

EVERYWHERE(sends_wait_for_room, 2, check_nothing_left)
{
	return send_to_a_full_one(true);
}

EVERYWHERE(sends_wait_for_room_that_nobody_tells_of, 2, check_nothing_left)
{
	return send_to_a_full_one(false);
}

CHECK_MAIN("io/datagram_everywhere",
	receives_lose_nothing,
	turns_are_passed_on,
	sends_wait_for_room,
	sends_wait_for_room_that_nobody_tells_of)
