/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "support/two_cells.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bay/status.h>
#include <bay/time.h>

#include "runtime/scheduler.h"
#include "service/peer.h"
#include "service/registry.h"
#include "service/service.h"
#include "support/check_main.h"
#include "support/services.h"

enum { LOOPS_MAX = 8 };

struct two_cells two_cells;

static struct scheduler *schedulers[LOOPS_MAX];
static unsigned loop_count;
static const char *other_name = "b";

static void
on_connect(const char *cell, void *arg)
{
	(void)cell;
	(void)arg;
	atomic_fetch_add(&two_cells.wanted, 1);
}

static void
on_broken(const char *cell, uint64_t epoch, const char *why, void *arg)
{
	(void)cell;
	(void)epoch;
	(void)arg;
	if (why == NULL) {
		atomic_fetch_add(&two_cells.closed, 1);
		return;
	}
	atomic_store(&two_cells.why, why);
	atomic_fetch_add(&two_cells.broken, 1);
}

void
two_cells_begin(unsigned loops)
{
	static const struct peer_source source = {.connect = on_connect, .broken = on_broken};

	services_begin(loops);
	loop_count = loops;
	for (unsigned i = 0; i < loops; i++)
		schedulers[i] = services_scheduler(i);
	peers_begin(schedulers, loops, &source);
}

static int
nothing(void *arg)
{
	(void)arg;
	return BAY_OK;
}

void
two_cells_check_nothing_left(void)
{
	peers_stop();
	/* The second time they have looked at their links after that. */
	for (unsigned i = 0; i < 2 * loop_count; i++)
		ck_assert_int_eq(services_run_on(i % loop_count, nothing, NULL), BAY_OK);
	services_check_nothing_left();
}

void
two_cells_end(void)
{
	peers_stop();
	services_end();
	peers_finish();
}

struct bay_service *
two_cells_elsewhere(const char *name, unsigned retry)
{
	struct bay_service *service = registry_get(name);

	ck_assert_ptr_nonnull(service);
	peer_route_set(service, other_name, false, retry);
	service_set_state(service, SERVICE_ELSEWHERE, NULL);
	return service;
}

static void
attach(const char *cell, uint64_t epoch, unsigned side, int memory_fd, int socket_fd)
{
	const char *why = NULL;

	ck_assert_msg(peer_attach(cell, epoch, side, memory_fd, socket_fd, &why), "%s", why);
}

static _Noreturn void
other_cell_main(uint64_t epoch, void (*serve)(void), int memory_fd, int socket_fd, int fd)
{
	char byte = 'x';

	other_name = "a";
	two_cells_begin(1);
	serve();
	attach("a", epoch, 1, memory_fd, socket_fd);
	if (write(fd, &byte, 1) != 1)
		_exit(2);
	while (read(fd, &byte, 1) > 0)
		;
	two_cells_end();
	_exit(0);
}

struct other_cell
other_cell_start(uint64_t epoch, void (*serve)(void))
{
	int memory_fd = link_memory_create(epoch), link_pair[2], pair[2];
	struct other_cell other;
	char byte;

	ck_assert_int_ge(memory_fd, 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, link_pair), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	other.pid = fork();
	ck_assert_int_ge(other.pid, 0);
	if (other.pid == 0) {
		close(pair[0]);
		close(link_pair[0]);
		other_cell_main(epoch, serve, memory_fd, link_pair[1], pair[1]);
	}
	close(pair[1]);
	close(link_pair[1]);
	other.fd = pair[0];
	other.epoch = epoch;
	other.memory_fd = memory_fd;
	other.socket_fd = link_pair[0];
	ck_assert_int_eq(read(other.fd, &byte, 1), 1);
	return other;
}

void
other_cell_link(struct other_cell *other)
{
	attach("b", other->epoch, 0, other->memory_fd, other->socket_fd);
}

void
other_cell_stop(struct other_cell *other)
{
	int status;

	close(other->fd);
	ck_assert_int_eq(waitpid(other->pid, &status, 0), other->pid);
	ck_assert_int_eq(status, 0);
}

void
other_cell_kill(struct other_cell *other)
{
	kill(other->pid, SIGKILL);
	ck_assert_int_eq(waitpid(other->pid, NULL, 0), other->pid);
	close(other->fd);
}

void
two_cells_by_hand(uint64_t epoch, struct link *end_r)
{
	int memory_fd = link_memory_create(epoch), pair[2];
	const char *why;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	ck_assert(link_open(end_r, dup(memory_fd), pair[1], 1, epoch, &why));
	attach("b", epoch, 0, memory_fd, pair[0]);
}

const char *
two_cells_await_broken(int times)
{
	while (atomic_load(&two_cells.broken) < times)
		usleep(1000);
	return atomic_load(&two_cells.why);
}
