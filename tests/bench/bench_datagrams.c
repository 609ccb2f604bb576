/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams over the loopback: there and back between pairs of sockets on one thread, by tasks and
 * by a bare loop around epoll_wait(2), which is all that a program can do without tasks. And names
 * of hosts that are known.
 */
#include "config.h"

#include <bay/datagram.h>
#include <bay/resolve.h>

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"

enum { PAIRS = 64, SIZE = 64, STACK_BYTES = 64 << 10 };

static void
check(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

/* --- by tasks ---------------------------------------------------------------------------------- */

static struct scheduler scheduler;

struct player {
	struct bay_datagram *socket;
	int64_t count;
	bool serves;     /* sends first */
};

static int
play(void *arg)
{
	struct player *player = arg;
	char data[SIZE] = "";
	size_t got;
	int status = BAY_OK;

	for (int64_t i = 0; i < player->count && status == BAY_OK; i++) {
		if (player->serves)
			status = bay_datagram_send(player->socket, data, sizeof data, NULL, BAY_INHERIT);
		if (status == BAY_OK)
			status = bay_datagram_receive(player->socket, data, sizeof data, NULL, &got, BAY_INHERIT);
		if (status == BAY_OK && !player->serves)
			status = bay_datagram_send(player->socket, data, sizeof data, NULL, BAY_INHERIT);
	}
	return status;
}

static struct bay_datagram *
open_datagram(const struct bay_address *at, const struct bay_address *peer)
{
	struct bay_datagram_options options = {.length = sizeof options, .peer = peer};
	struct bay_datagram *socket;

	check(bay_datagram_open(at, &options, &socket) == BAY_OK, "bay_datagram_open");
	return socket;
}

/* Two sockets that are each other's peers. */
static void
open_pair(struct player players[2])
{
	struct bay_address any, first, second;
	struct bay_datagram *socket;

	check(bay_address_parse("127.0.0.1:0", &any) == BAY_OK, "bay_address_parse");
	socket = open_datagram(&any, NULL);
	first = bay_datagram_address(socket);
	players[1].socket = open_datagram(&any, &first);
	second = bay_datagram_address(players[1].socket);
	bay_datagram_close(socket);
	players[0].socket = open_datagram(&first, &second);
	players[0].serves = true;
	players[1].serves = false;
}

struct game {
	int pairs;
	int64_t count;
};

static int
play_all(void *arg)
{
	const struct game *game = arg;
	struct player players[2 * PAIRS];
	struct bay_task *tasks[2 * PAIRS] = {NULL};
	int i, count = 2 * game->pairs;
	int status;

	for (i = 0; i < count; i += 2)
		open_pair(&players[i]);
	for (i = 0; i < count; i++) {
		players[i].count = game->count / game->pairs;
		tasks[i] = bay_spawn("plays", play, &players[i]);
	}
	status = bay_gather(tasks, (size_t)count, BAY_INHERIT);
	for (i = 0; i < count; i++) {
		bay_task_free(tasks[i]);
		bay_datagram_close(players[i].socket);
	}
	return status;
}

static int
look_up_all(void *count)
{
	struct bay_address address;
	size_t found;
	int status = BAY_OK;

	for (int64_t i = 0; i < *(int64_t *)count && status == BAY_OK; i++)
		status = bay_resolve("localhost", "80", 0, &address, 1, &found, BAY_INHERIT);
	return status;
}

static void
ended(struct task *task, int status)
{
	check(status == BAY_OK, "a task");
	scheduler_stop(task->scheduler);
}

static void
run_task(bay_task_fn *fn, void *arg)
{
	struct task_spec spec = {.name = "bench", .fn = fn, .arg = arg, .ended = ended, .deadline = BAY_INHERIT,
		.slot = STATUS_NO_SLOT, .phase = STATUS_PHASE_RUN,
		.class = scheduler_stack_class(&scheduler, STACK_BYTES)};
	struct task *task = task_create(&scheduler, &spec);

	check(task != NULL, "task_create");
	task->handle->detached = true;
	task_start(task);
	scheduler_run(&scheduler);
	atomic_store(&scheduler.stopping, false);
}

static void
by_tasks(void *pairs, int64_t count)
{
	struct game game = {*(int *)pairs, count};

	run_task(play_all, &game);
}

static void
look_up(void *arg, int64_t count)
{
	(void)arg;
	run_task(look_up_all, &count);
}

/* --- by a bare loop ------------------------------------------------------------------------------ */

static int
open_socket(struct sockaddr_in *address)
{
	socklen_t length = sizeof *address;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	check(fd >= 0 && bind(fd, (const struct sockaddr *)address, length) == 0, "bind");
	check(getsockname(fd, (struct sockaddr *)address, &length) == 0, "getsockname");
	return fd;
}

static void
open_socket_pair(int epoll, int fds[2])
{
	struct sockaddr_in addresses[2];

	for (int i = 0; i < 2; i++)
		fds[i] = open_socket(&addresses[i]);
	for (int i = 0; i < 2; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.fd = fds[i]};

		check(connect(fds[i], (const struct sockaddr *)&addresses[!i], sizeof addresses[0]) == 0, "connect");
		check(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event) == 0, "epoll_ctl");
	}
}

static void
by_epoll(void *pairs, int64_t count)
{
	int i, ready, epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[2 * PAIRS];
	int fds[2 * PAIRS];
	char data[SIZE] = "";
	int64_t left = 2 * count;

	for (i = 0; i < *(int *)pairs; i++) {
		open_socket_pair(epoll, &fds[2 * i]);
		check(send(fds[2 * i], data, sizeof data, 0) == SIZE, "send");
	}
	while (left > 0) {
		ready = epoll_wait(epoll, events, 2 * PAIRS, -1);
		for (i = 0; i < ready; i++, left--) {
			check(recv(events[i].data.fd, data, sizeof data, 0) == SIZE, "recv");
			check(send(events[i].data.fd, data, sizeof data, 0) == SIZE, "send");
		}
	}
	for (i = 0; i < 2 * *(int *)pairs; i++)
		close(fds[i]);
	close(epoll);
}

int
main(void)
{
	int one = 1, many = PAIRS;

	check(scheduler_init(&scheduler, 0, "bench"), "scheduler_init");
	bench_run("udp_there_and_back", by_tasks, &one, 20000);
	bench_run("udp_there_and_back_epoll", by_epoll, &one, 20000);
	bench_run("udp_there_and_back_64", by_tasks, &many, 64000);
	bench_run("udp_there_and_back_64_epoll", by_epoll, &many, 64000);
	bench_run("resolve_known", look_up, NULL, 200000);
	scheduler_finish(&scheduler);
	return 0;
}
