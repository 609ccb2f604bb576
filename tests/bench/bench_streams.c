/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams, from the other end of the connection.
 *
 * echo: 64 connections by TCP, each with one small message on its way. The same program asks a
 * cell and a bare epoll loop in turns, so that both have the same machine.
 * readline: a thread sends lines as fast as they are taken.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/cell_process.h"

enum { CONNECTIONS = 64, MESSAGE = 64, BLOCK = 4 << 10, LINE = 120, LINES_BLOCK = LINE * 2000 };

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

/* --- the bare loop: what one would write by hand --------------------------------------------- */

static int
bare_listen(in_port_t *port_r)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1024) != 0 ||
		getsockname(fd, (struct sockaddr *)&address, &length) != 0)
		fail("listen");
	*port_r = address.sin_port;
	return fd;
}

static void
bare_watch(int set, int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = fd};

	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0)
		fail("epoll_ctl");
}

static void
bare_accept(int set, int listener)
{
	const int yes = 1;
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
		bare_watch(set, fd);
	}
}

/* Until the kernel has no more, as edges demand, but for a short read. */
static void
bare_echo(int fd)
{
	char block[BLOCK];
	ssize_t n;

	do {
		n = read(fd, block, sizeof block);
		if (n > 0 && write(fd, block, (size_t)n) != n)
			n = 0;
	} while (n == (ssize_t)sizeof block);
	if (n == 0)
		close(fd);
}

static void
bare_serve(int listener)
{
	int set = epoll_create1(EPOLL_CLOEXEC);

	bare_watch(set, listener);
	for (;;) {
		struct epoll_event events[128];
		int count = epoll_wait(set, events, 128, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == listener)
				bare_accept(set, listener);
			else
				bare_echo(events[i].data.fd);
		}
	}
}

/* In a process of its own, as the cell is; it ends with this one. */
static pid_t
bare_start(in_port_t *port_r)
{
	int listener = bare_listen(port_r);
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		bare_serve(listener);
	}
	close(listener);
	return pid;
}

/* --- who asks ----------------------------------------------------------------------------------- */

static int
asker_connect(in_port_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = port,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int yes = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		fail("connect");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	return fd;
}

struct asker {
	int set;
	int fds[CONNECTIONS];
};

static void
asker_begin(struct asker *asker, in_port_t port)
{
	asker->set = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < CONNECTIONS; i++) {
		asker->fds[i] = asker_connect(port);
		bare_watch(asker->set, asker->fds[i]);
	}
}

static void
asker_end(struct asker *asker)
{
	for (int i = 0; i < CONNECTIONS; i++)
		close(asker->fds[i]);
	close(asker->set);
}

static void
asker_ask(int fd)
{
	static const char message[MESSAGE];

	if (write(fd, message, sizeof message) != (ssize_t)sizeof message)
		fail("write");
}

static void
asker_hear(int fd)
{
	char message[MESSAGE];

	if (recv(fd, message, sizeof message, MSG_WAITALL) != (ssize_t)sizeof message)
		fail("read");
}

/* So many answers, from all connections at a time. What one took, in ns. */
static double
asker_run(struct asker *asker, int64_t count)
{
	int64_t begin_ns = clock_monotonic_ns(), asked = CONNECTIONS, heard = 0;

	for (int i = 0; i < CONNECTIONS; i++)
		asker_ask(asker->fds[i]);
	while (heard < asked) {
		struct epoll_event events[CONNECTIONS];
		int ready = epoll_wait(asker->set, events, CONNECTIONS, -1);

		for (int i = 0; i < ready; i++) {
			asker_hear(events[i].data.fd);
			heard++;
			if (asked < count) {
				asker_ask(events[i].data.fd);
				asked++;
			}
		}
	}
	return (double)(clock_monotonic_ns() - begin_ns) / (double)count;
}

/* --- scenarios ------------------------------------------------------------------------------------ */

static in_port_t
cell_port(struct cell_process *cell, const char *what)
{
	char reply[32];

	cell_process_call(cell, "streams", what, reply, sizeof reply);
	return htons((in_port_t)strtoul(reply, NULL, 10));
}

static void
bench_echo(struct cell_process *cell)
{
	double ours[BENCH_RUNS_MAX], bare[BENCH_RUNS_MAX], ratio[BENCH_RUNS_MAX];
	int64_t count = bench_count(100000);
	struct asker to_cell, to_bare;
	in_port_t port;
	pid_t pid;

	if (!bench_wanted("echo"))
		return;
	pid = bare_start(&port);
	asker_begin(&to_bare, port);
	asker_begin(&to_cell, cell_port(cell, "echo"));
	(void)asker_run(&to_bare, CONNECTIONS);
	(void)asker_run(&to_cell, CONNECTIONS);
	for (int run = 0; run < bench_runs(); run++) {
		bare[run] = asker_run(&to_bare, count);
		ours[run] = asker_run(&to_cell, count);
		ratio[run] = bare[run] / ours[run];
	}
	bench_print("echo", ours, bench_runs(), "ns");
	bench_print("echo_bare_loop", bare, bench_runs(), "ns");
	bench_print("echo_of_bare", ratio, bench_runs(), "x");
	asker_end(&to_cell);
	asker_end(&to_bare);
	kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* Sends lines, and takes the time until all have been read. */
static double
send_lines(in_port_t port, int64_t blocks)
{
	static char block[LINES_BLOCK];
	int64_t begin_ns = clock_monotonic_ns(), lines;
	int fd = asker_connect(port);
	char reply[64] = "";

	memset(block, 'x', sizeof block);
	for (size_t i = LINE; i <= sizeof block; i += LINE)
		block[i - 1] = '\n';
	for (int64_t i = 0; i < blocks; i++) {
		for (size_t done = 0; done < sizeof block;) {
			ssize_t n = write(fd, block + done, sizeof block - done);

			if (n <= 0)
				fail("write");
			done += (size_t)n;
		}
	}
	shutdown(fd, SHUT_WR);
	if (recv(fd, reply, sizeof reply - 1, MSG_WAITALL) <= 0)
		fail("read");
	close(fd);
	lines = strtoll(reply, NULL, 10);
	if (lines != blocks * (LINES_BLOCK / LINE))
		fail("lines are missing");
	return (double)(clock_monotonic_ns() - begin_ns) / ((double)blocks * LINES_BLOCK / 1000);
}

static void
bench_readline(struct cell_process *cell)
{
	double each[BENCH_RUNS_MAX];
	in_port_t port;

	if (!bench_wanted("readline"))
		return;
	port = cell_port(cell, "lines");
	for (int run = 0; run < bench_runs(); run++)
		each[run] = send_lines(port, bench_count(2000));
	bench_print("readline", each, bench_runs(), "ns/kB");
}

static void
bench_idle(struct cell_process *cell)
{
	double each[BENCH_RUNS_MAX];
	char reply[32];

	if (!bench_wanted("stream_idle"))
		return;
	for (int run = 0; run < bench_runs(); run++) {
		cell_process_call(cell, "streams", "idle 100", reply, sizeof reply);
		each[run] = strtod(reply, NULL);
	}
	bench_print("stream_idle", each, bench_runs(), "bytes");
}

int
main(void)
{
	struct cell_process cell;

	cell_process_start(&cell, 1);
	cell_process_serve(&cell, &(struct cell_service){.name = "streams", .plugin = "bench_streams"});
	bench_echo(&cell);
	bench_readline(&cell);
	bench_idle(&cell);
	cell_process_end(&cell);
	return 0;
}
