/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "bench/cell_process.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "bench/bench.h"
#include "loop/link_memory.h"

#define PLUGINS TOP_BUILDDIR "/tests/bench/plugins/"
#define SAMPLES TOP_BUILDDIR "/plugins/"
#define BAY_CELL TOP_BUILDDIR "/container/bay-cell run"

enum { CELL_SERVICES = 16, FIRST_FREE_FD = 16 };

static _Noreturn void __attribute__((format(printf, 1, 2)))
cell_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

/* --- frames ------------------------------------------------------------------------- */

static json_t *
cell_process_receive_any(struct cell_process *cell)
{
	struct pollfd readable = {.fd = cell->fd, .events = POLLIN};
	struct varlink_fds fds;
	json_t *frame;

	while (varlink_stream_take(&cell->stream, &frame, &fds) != VARLINK_OK) {
		if (poll(&readable, 1, -1) != 1)
			cell_die("wait for the cell: %s", strerror(errno));
		if (varlink_stream_receive(&cell->stream) == VARLINK_STREAM_CLOSED)
			cell_die("the cell has ended");
	}
	return frame;
}

/* All that a benchmark listens at: a port of 127.0.0.1 that the kernel chooses. */
static int
cell_process_listen(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 1024) != 0)
		cell_die("listen: %s", strerror(errno));
	return fd;
}

/* The cell asks: it can only be for a socket to listen at, or to be heard. Or it says something. */
static void
cell_process_answer(struct cell_process *cell, const json_t *frame)
{
	struct varlink_reply reply = {.has_id = true};
	struct varlink_call call;
	const char *why;
	bool listens;
	int fd = -1;

	if (varlink_call_decode(frame, &call, &why) != VARLINK_OK)
		cell_die("the cell asks: %s", why);
	/* Of the other cell, which has ended before it. */
	if (strcmp(call.method, CELL_BROKEN) == 0)
		return;
	listens = strcmp(call.method, CELL_LISTEN) == 0;
	if (!listens && strcmp(call.method, CELL_TOPICS) != 0)
		cell_die("the cell says %s", call.method);
	reply.id = call.id;
	if (listens)
		fd = cell_process_listen();
	if (varlink_stream_send_reply(&cell->stream, &reply, &fd, listens) &&
		varlink_stream_flush(&cell->stream) == VARLINK_STREAM_OK)
		return;
	/* One that is about to end hears nothing any more of what it has said before that. */
	if (listens)
		cell_die("%s: %s", call.method, varlink_stream_error(&cell->stream));
}

/* The next reply of the cell. */
static json_t *
cell_process_receive(struct cell_process *cell)
{
	json_t *frame = cell_process_receive_any(cell);

	while (varlink_is_call(frame)) {
		cell_process_answer(cell, frame);
		json_decref(frame);
		frame = cell_process_receive_any(cell);
	}
	return frame;
}

/* Sends a call with descriptors and waits for its reply, which is the caller's. Takes all. */
static json_t *
cell_process_ask_with(struct cell_process *cell, const char *method, json_t *parameters, const int *fds,
	size_t fd_count)
{
	struct varlink_call call = {.method = method, .parameters = parameters, .has_id = true, .id = 1};
	struct varlink_reply reply;
	const char *why;
	json_t *frame;

	if (!varlink_stream_send_call(&cell->stream, &call, fds, fd_count) ||
		varlink_stream_flush(&cell->stream) != VARLINK_STREAM_OK)
		cell_die("%s: %s", method, varlink_stream_error(&cell->stream));
	json_decref(parameters);
	frame = cell_process_receive(cell);
	if (varlink_reply_decode(frame, &reply, &why) != VARLINK_OK)
		cell_die("%s: %s", method, why);
	if (reply.error != NULL)
		cell_die("%s: %s", method, json_string_value(json_object_get(reply.parameters, "message")));
	return frame;
}

static json_t *
cell_process_ask(struct cell_process *cell, const char *method, json_t *parameters)
{
	return cell_process_ask_with(cell, method, parameters, NULL, 0);
}

/* --- life --------------------------------------------------------------------------- */

/* In the child: its descriptors where a cell looks for them, nothing of ours in the way. */
static _Noreturn void
cell_process_exec(int control, int log, int page)
{
	const char *command = getenv("BENCH_CELL");
	char line[1024];

	/* Nobody reads its log, and nobody reads of its crashes. */
	if (fcntl(control, F_DUPFD, FIRST_FREE_FD) != FIRST_FREE_FD ||
		fcntl(log, F_DUPFD, FIRST_FREE_FD) != FIRST_FREE_FD + 1 ||
		fcntl(page, F_DUPFD, FIRST_FREE_FD) != FIRST_FREE_FD + 2 ||
		fcntl(log, F_DUPFD, FIRST_FREE_FD) != FIRST_FREE_FD + 3)
		_exit(127);
	for (int fd = CELL_CONTROL_FD; fd < CELL_FDS_END; fd++)
		dup2(FIRST_FREE_FD + fd - CELL_CONTROL_FD, fd);
	for (int fd = CELL_FDS_END; fd < FIRST_FREE_FD + 4; fd++)
		close(fd);
	snprintf(line, sizeof(line), "exec %s", command != NULL ? command : BAY_CELL);
	execl("/bin/sh", "sh", "-c", line, (char *)NULL);
	_exit(127);
}

void
cell_process_start(struct cell_process *cell, int64_t loops)
{
	struct cell_setup setup = {
		.version_major = CELL_VERSION_MAJOR, .version_minor = CELL_VERSION_MINOR,
		.cell = "bench", .loops = loops, .max_depth = 64, .max_lingering = 32, .log_level = "warn",
	};
	int pair[2], page;

	memset(cell, 0, sizeof(*cell));
	page = status_page_create(&cell->page, "bench", CELL_SERVICES, (uint32_t)loops);
	if (page < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		cell_die("prepare a cell: %s", strerror(errno));
	cell->pid = fork();
	if (cell->pid < 0)
		cell_die("fork: %s", strerror(errno));
	/* What it logs, as records, goes nowhere readable: its failures come as replies. */
	if (cell->pid == 0)
		cell_process_exec(pair[1], open("/dev/null", O_WRONLY), page);
	close(pair[1]);
	close(page);
	cell->fd = pair[0];
	if (!fd_set_nonblocking(cell->fd))
		cell_die("O_NONBLOCK: %s", strerror(errno));
	varlink_stream_init(&cell->stream, cell->fd, &varlink_limits_cell);
	json_decref(cell_process_ask(cell, CELL_SETUP, cell_setup_to_json(&setup)));
}

/* A cell loads nothing but what was examined, which it knows by its hash. */
static void
cell_process_hash(const char *image, char hash_r[HASH_TEXT_SIZE])
{
	int fd = open(image, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || !hash_fd(fd, hash_r))
		cell_die("%s: %s", image, strerror(errno));
	close(fd);
}

/* Before the calls of a service, which is in the slot of the next start. */
static void
cell_process_guard(struct cell_process *cell, const struct cell_service *service)
{
	const struct cell_guard guard = {.service = service->name, .slot = cell->slots, .breaker = service->breaker,
		.breaker_calls = 20, .breaker_window_ns = 10 * (int64_t)CLOCK_NS_PER_S,
		.breaker_delay_ns = 5 * (int64_t)CLOCK_NS_PER_S, .breaker_trials = 3};

	json_decref(cell_process_ask(cell, CELL_GUARD, cell_guard_to_json(&guard)));
}

void
cell_process_serve(struct cell_process *cell, const struct cell_service *service)
{
	struct cell_setting settings[] = {{.key = service->setting, .value = service->value},
		{.key = service->setting2, .value = service->value2}};
	char image[512], hash[HASH_TEXT_SIZE];
	struct cell_start start = {
		.service = service->name, .plugin = service->plugin, .image = image, .sha256 = hash,
		.generation = 1, .slot = cell->slots++,
		.instances = service->instances == 0 ? 1 : service->instances < 0 ? 0 : service->instances,
		.concurrency = service->concurrency != 0 ? service->concurrency : 256,
		.queue = 1024, .queue_bytes = 64 << 20, .overflow = service->overflow,
		/* Calls with a deadline are what users get: there is one by default. */
		.timeout_ns = service->timeout_ns != 0 ? service->timeout_ns : 30 * (int64_t)CLOCK_NS_PER_S,
		.stack_bytes = service->stack_bytes != 0 ? service->stack_bytes : 256 << 10,
		.start_timeout_ns = 30 * (int64_t)CLOCK_NS_PER_S,
		.drain_timeout_ns = 10 * (int64_t)CLOCK_NS_PER_S,
		.settings = settings, .setting_count = (service->setting != NULL) + (service->setting2 != NULL),
	};

	snprintf(image, sizeof(image), "%s%s.so", service->sample ? SAMPLES : PLUGINS, service->plugin);
	cell_process_hash(image, hash);
	if (service->breaker > 0)
		cell_process_guard(cell, service);
	json_decref(cell_process_ask(cell, CELL_START, cell_start_to_json(&start)));
}

static void
cell_process_take_link(struct cell_process *cell, const char *other, int64_t side, int memory, int socket)
{
	struct cell_linked linked = {.cell = other, .epoch = 1, .side = side};
	int fds[] = {memory, socket};

	json_decref(cell_process_ask_with(cell, CELL_LINK, cell_linked_to_json(&linked), fds, 2));
}

void
cell_process_link(struct cell_process *a, struct cell_process *b)
{
	int memory = link_memory_create(1), pair[2];

	if (memory < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		cell_die("prepare a link: %s", strerror(errno));
	cell_process_take_link(a, "b", 0, fcntl(memory, F_DUPFD_CLOEXEC, 0), pair[0]);
	cell_process_take_link(b, "a", 1, memory, pair[1]);
}

void
cell_process_elsewhere(struct cell_process *cell, const char *service, const char *other)
{
	struct cell_absent absent = {.service = service, .state = CELL_ABSENCE_ELSEWHERE, .cell = other};

	json_decref(cell_process_ask(cell, CELL_ABSENT, cell_absent_to_json(&absent)));
}

void
cell_process_interest(struct cell_process *cell, const char *other, const char *pattern)
{
	struct cell_word word = {pattern};
	struct cell_interest interest = {.cell = other, .wait = &word, .wait_count = 1};

	json_decref(cell_process_ask(cell, CELL_INTEREST, cell_interest_to_json(&interest)));
}

void
cell_process_call(struct cell_process *cell, const char *service, const char *text, char *reply_r,
	size_t size)
{
	struct cell_call call = {.service = service};
	json_t *parameters = cell_call_to_json(&call);
	json_t *frame;

	json_object_set_new(parameters, "text", json_string(text));
	frame = cell_process_ask(cell, CELL_CALL, parameters);
	text = json_string_value(json_object_get(json_object_get(frame, "parameters"), "text"));
	snprintf(reply_r, size, "%s", text != NULL ? text : "");
	json_decref(frame);
}

void
cell_process_end(struct cell_process *cell)
{
	struct cell_shutdown shutdown = {.drain_timeout_ns = CLOCK_NS_PER_S};
	int status;

	json_decref(cell_process_ask(cell, CELL_SHUTDOWN, cell_shutdown_to_json(&shutdown)));
	varlink_stream_finish(&cell->stream);
	close(cell->fd);
	status_page_close(&cell->page);
	if (waitpid(cell->pid, &status, 0) != cell->pid || status != 0)
		cell_die("the cell ended with status %d", status);
}

/* --- measuring ---------------------------------------------------------------------- */

void
cell_process_measure(struct cell_process *cell, const char *label, const char *scenario,
	const char *service, int64_t count, int64_t width)
{
	double each_ns[BENCH_RUNS_MAX];
	char text[128], reply[64];

	if (!bench_wanted(label))
		return;
	count = bench_count(count);
	for (int round = -1; round < bench_runs(); round++) {
		snprintf(text, sizeof(text), "%s %s %lld %lld", scenario, service,
			(long long)(round < 0 ? (count + 9) / 10 : count), (long long)width);
		cell_process_call(cell, "driver", text, reply, sizeof(reply));
		if (round >= 0)
			each_ns[round] = strtod(reply, NULL) / (double)count;
	}
	bench_print(label, each_ns, bench_runs(), "ns");
}
