/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/listener.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bay/select.h>
#include <bay/task.h>

#include "io/address.h"
#include "runtime/task.h"
#include "base/log.h"
#include "support/run_tasks.h"
#include "support/streams.h"
#include "support/temp_dir.h"

static int64_t
soon(void)
{
	return bay_after(60 * BAY_SECOND);
}

static struct bay_listener *
listen_at(const char *address)
{
	struct bay_listener *listener;
	char error[200] = "";
	struct bay_listener_options options = {.length = sizeof options, .error = error,
		.error_size = sizeof error};

	ck_assert_msg(bay_listen(address, &options, &listener, soon()) == BAY_OK, "%s", error);
	return listener;
}

/* A plain connection to a listener. */
static int
connect_plain(const struct bay_listener *listener)
{
	struct bay_address address;
	const struct sockaddr *name;
	socklen_t length;
	int fd;

	bay_listener_address(listener, &address);
	name = address_sockaddr(&address, &length);
	fd = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, name, length), 0);
	return fd;
}

/* Accepts one and says in which order. */
struct acceptor {
	struct bay_listener *listener;
	struct bay_stream *stream;
	int status;
	int place;
};

static int places;

static int
accept_one(void *arg)
{
	struct acceptor *acceptor = arg;

	acceptor->status = bay_accept(acceptor->listener, &acceptor->stream, BAY_INHERIT);
	acceptor->place = ++places;
	return BAY_OK;
}

static struct bay_task *
start(struct acceptor *acceptor, struct bay_listener *listener)
{
	struct bay_task *task;

	*acceptor = (struct acceptor){.listener = listener, .status = -1};
	task = bay_spawn("acceptor", accept_one, acceptor);
	ck_assert_ptr_nonnull(task);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	return task;
}

static void
check_accept(const char *address)
{
	struct bay_listener *listener = listen_at(address);
	int fd = connect_plain(listener);
	struct bay_address local, own;
	struct bay_stream *stream;
	char *line;

	ck_assert_int_eq(bay_accept(listener, &stream, soon()), BAY_OK);
	streams_say(fd, "hello\n");
	ck_assert_int_eq(bay_stream_read_line(stream, 100, &line, NULL, soon()), BAY_OK);
	ck_assert_str_eq(line, "hello");
	bay_listener_address(listener, &own);
	ck_assert_int_eq(bay_stream_local(stream, &local), BAY_OK);
	ck_assert(bay_address_equal(&own, &local));
	ck_assert_int_eq(bay_accept(listener, &stream, bay_after(0)), BAY_TIMEOUT);
	ck_assert_ptr_null(stream);
	bay_listener_close(listener);
	close(fd);
}

TASK_TEST(connections_are_accepted_by_tcp)
{
	check_accept("127.0.0.1:0");
	return BAY_OK;
}

TASK_TEST(connections_are_accepted_by_unix_sockets)
{
	char address[400];
	struct temp_dir dir;

	temp_dir_init(&dir);
	snprintf(address, sizeof address, "unix:%s", temp_dir_path(&dir, "s"));
	check_accept(address);
	/* Nothing is left of it. */
	ck_assert_int_ne(access(temp_dir_path(&dir, "s"), F_OK), 0);
	temp_dir_finish(&dir);
	snprintf(address, sizeof address, "unix:@bay-listener-%d", (int)getpid());
	check_accept(address);
	return BAY_OK;
}

TASK_TEST(who_waits_is_served_in_the_order_of_coming)
{
	struct bay_listener *listener = listen_at("127.0.0.1:0");
	struct acceptor acceptors[3];
	struct bay_task *tasks[3];
	int fds[3];

	places = 0;
	for (int i = 0; i < 3; i++)
		tasks[i] = start(&acceptors[i], listener);
	/* One who leaves holds nobody up. */
	bay_task_cancel(tasks[1], "enough");
	for (int i = 0; i < 2; i++)
		fds[i] = connect_plain(listener);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(bay_join(tasks[i], soon()), BAY_OK);
	ck_assert_int_eq(acceptors[0].status, BAY_OK);
	ck_assert_int_eq(acceptors[1].status, BAY_CANCELED);
	ck_assert_int_eq(acceptors[2].status, BAY_OK);
	ck_assert_int_lt(acceptors[0].place, acceptors[2].place);
	for (int i = 0; i < 3; i++)
		bay_stream_abort(acceptors[i].stream);
	close(fds[0]);
	close(fds[1]);
	bay_listener_close(listener);
	return BAY_OK;
}

TASK_TEST(closing_lets_who_waits_go)
{
	struct bay_listener *listener = listen_at("127.0.0.1:0");
	struct acceptor acceptor;
	struct bay_task *task = start(&acceptor, listener);

	bay_listener_close(listener);
	bay_listener_close(NULL);
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	ck_assert_int_eq(acceptor.status, BAY_CLOSED);
	return BAY_OK;
}

TASK_TEST(tasks_are_listed_with_the_listener_they_wait_for)
{
	struct bay_listener *listener = listen_at("127.0.0.1:0");
	struct acceptor acceptor;
	struct bay_task *task = start(&acceptor, listener);
	char text[128];

	ck_assert_int_eq(strncmp(task_waiting_on(task_of_handle(task), text, sizeof text), "listener 127.0.0.1:",
		19), 0);
	bay_listener_close(listener);
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	return BAY_OK;
}

TASK_TEST(what_cannot_be_listened_at_is_said_in_words)
{
	char error[200], text[BAY_ADDRESS_TEXT_SIZE], big[300] = "unix:";
	struct bay_listener_options options = {.length = sizeof options, .error = error,
		.error_size = sizeof error};
	struct bay_listener_options wrong = {.length = 1};
	struct bay_listener *listener = listen_at("127.0.0.1:0"), *other;
	struct bay_address address;

	ck_assert_int_eq(bay_listen("nowhere", &options, &other, soon()), BAY_INVALID);
	ck_assert_str_eq(error, "'nowhere' is no address");
	memset(big + 5, 'x', 200);
	ck_assert_int_eq(bay_listen(big, &options, &other, soon()), BAY_TOO_BIG);
	ck_assert_ptr_nonnull(strstr(error, "107 bytes"));
	ck_assert_int_eq(bay_listen("192.0.2.1:80", &options, &other, soon()), BAY_IO);
	ck_assert_ptr_nonnull(strstr(error, "Cannot assign requested address"));
	bay_listener_address(listener, &address);
	bay_address_text(&address, text, sizeof text);
	ck_assert_int_eq(bay_listen(text, &options, &other, soon()), BAY_BUSY);
	ck_assert_ptr_nonnull(strstr(error, "Address already in use"));
	ck_assert_int_eq(bay_listen(text, NULL, &other, soon()), BAY_BUSY);
	ck_assert_int_eq(bay_listen(text, &wrong, &other, soon()), BAY_INVALID);
	ck_assert_ptr_null(other);
	bay_listener_close(listener);
	return BAY_OK;
}

TASK_TEST(a_socket_that_nobody_listens_at_is_replaced_and_no_other)
{
	struct bay_listener *listener, *other;
	struct temp_dir dir;
	struct bay_address address;
	char text[400], path[300];
	const struct sockaddr *name;
	socklen_t length;
	int fd;

	temp_dir_init(&dir);
	snprintf(path, sizeof path, "%s", temp_dir_path(&dir, "s"));
	snprintf(text, sizeof text, "unix:%s", path);
	ck_assert_int_eq(bay_address_parse(text, &address), BAY_OK);
	name = address_sockaddr(&address, &length);
	/* Left behind by a process that is gone. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, name, length), 0);
	close(fd);
	listener = listen_at(text);
	ck_assert_int_eq(bay_listen(text, NULL, &other, soon()), BAY_BUSY);
	fd = connect_plain(listener);
	close(fd);
	bay_listener_close(listener);
	temp_dir_write(&dir, "s", "a file");
	ck_assert_int_eq(bay_listen(text, NULL, &other, soon()), BAY_BUSY);
	ck_assert_int_eq(access(path, F_OK), 0);
	/* Nor is what has taken the place removed in the end. */
	ck_assert_int_eq(unlink(path), 0);
	listener = listen_at(text);
	ck_assert_int_eq(unlink(path), 0);
	temp_dir_write(&dir, "s", "a file");
	bay_listener_close(listener);
	ck_assert_int_eq(access(path, F_OK), 0);
	temp_dir_finish(&dir);
	return BAY_OK;
}

/* --- no free descriptors ------------------------------------------------------------------- */

static void
limit_fds(rlim_t most)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = most;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* The least number that no descriptor has. */
static int
next_fd(void)
{
	int fd = dup(0);

	ck_assert_int_ge(fd, 0);
	close(fd);
	return fd;
}

static unsigned pauses;

static void
count_pauses(const struct log_record *record, void *arg)
{
	(void)arg;
	if (strstr(record->text, "pauses, as no connection can be accepted: Too many open files") != NULL)
		pauses++;
}

TASK_TEST(without_descriptors_it_pauses_and_then_goes_on)
{
	struct bay_listener *listener = listen_at("127.0.0.1:0");
	struct acceptor acceptor;
	struct bay_task *task = start(&acceptor, listener);
	uint64_t polls;
	int fd = connect_plain(listener);

	pauses = 0;
	log_set_hook(count_pauses, NULL);
	limit_fds((rlim_t)next_fd());
	/* It is in the line while there is nothing to accept with. */
	polls = run_tasks_scheduler.loop.sleeps;
	ck_assert_int_eq(bay_sleep(200 * BAY_MS), BAY_OK);
	ck_assert(!bay_task_done(task));
	/* Neither does the loop spin, nor the log overflow. */
	ck_assert_uint_le(run_tasks_scheduler.loop.sleeps - polls, 60);
	ck_assert_uint_eq(pauses, 1);
	limit_fds(1024);
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	ck_assert_int_eq(acceptor.status, BAY_OK);
	log_set_hook(NULL, NULL);
	bay_stream_abort(acceptor.stream);
	close(fd);
	/* All as before. */
	fd = connect_plain(listener);
	ck_assert_int_eq(bay_accept(listener, &acceptor.stream, soon()), BAY_OK);
	bay_stream_abort(acceptor.stream);
	close(fd);
	bay_listener_close(listener);
	return BAY_OK;
}

TASK_TEST(one_that_pauses_can_be_closed)
{
	struct bay_listener *listener = listen_at("127.0.0.1:0");
	int fd = connect_plain(listener);
	struct bay_stream *stream;

	limit_fds((rlim_t)next_fd());
	ck_assert_int_eq(bay_accept(listener, &stream, bay_after(BAY_MS)), BAY_TIMEOUT);
	bay_listener_close(listener);
	limit_fds(1024);
	close(fd);
	return BAY_OK;
}

/* --- sources, select, what is forgotten ---------------------------------------------------- */

static int given = -1;

static int
give(const char *address, int backlog, int *fd_r, char *error_r, size_t error_size, int64_t deadline)
{
	if (strcmp(address, "refused") == 0) {
		snprintf(error_r, error_size, "not for you");
		return BAY_NOT_PERMITTED;
	}
	ck_assert_int_eq(backlog, 7);
	/* A source may wait. */
	ck_assert_int_eq(bay_yield(), BAY_OK);
	return listener_bind("127.0.0.1:0", backlog, fd_r, error_r, error_size, deadline) == BAY_OK
		? (given = *fd_r, BAY_OK) : BAY_IO;
}

TASK_TEST(sockets_may_come_from_elsewhere)
{
	char error[32];
	struct bay_listener_options options = {.length = sizeof options, .backlog = 7, .error = error,
		.error_size = sizeof error};
	struct bay_listener *listener;

	listener_set_source(give);
	ck_assert_int_eq(bay_listen("refused", &options, &listener, soon()), BAY_NOT_PERMITTED);
	ck_assert_str_eq(error, "not for you");
	ck_assert_int_eq(bay_listen("anything", &options, &listener, soon()), BAY_OK);
	bay_listener_close(listener);
	ck_assert_int_lt(fcntl(given, F_GETFD), 0);
	return BAY_OK;
}

static int
connect_later(void *arg)
{
	int status = bay_sleep(BAY_MS);

	return connect_plain(arg) >= 0 ? status : BAY_IO;
}

TASK_TEST(a_select_accepts)
{
	struct bay_listener *listener = listen_at("127.0.0.1:0");
	struct bay_case cases[] = {bay_case_accept(listener), bay_case_time(soon()), bay_case_accept(NULL)};
	struct bay_task *task;
	size_t index;

	ck_assert_int_eq(bay_select(cases, 3, &index, bay_after(0)), BAY_TIMEOUT);
	task = bay_spawn("connects", connect_later, listener);
	ck_assert_int_eq(bay_select(cases, 3, &index, soon()), BAY_OK);
	ck_assert_uint_eq(index, 0);
	ck_assert_int_eq(cases[0].status, BAY_OK);
	ck_assert_ptr_nonnull(cases[0].stream);
	bay_stream_abort(cases[0].stream);
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	/* One that is there already. */
	(void)connect_plain(listener);
	ck_assert_int_eq(bay_select(cases, 3, &index, soon()), BAY_OK);
	bay_stream_abort(cases[0].stream);
	bay_listener_close(listener);
	return BAY_OK;
}

static int
close_it(void *listener)
{
	bay_listener_close(listener);
	return BAY_OK;
}

TASK_TEST(a_select_is_told_that_its_listener_was_closed)
{
	struct bay_listener *listener = listen_at("127.0.0.1:0");
	struct bay_case one = bay_case_accept(listener);
	struct bay_task *task = bay_spawn("closes", close_it, listener);
	size_t index;

	ck_assert_int_eq(bay_select(&one, 1, &index, soon()), BAY_OK);
	ck_assert_int_eq(one.status, BAY_CLOSED);
	ck_assert_int_eq(bay_join(task, soon()), BAY_OK);
	return BAY_OK;
}

static int
forget(void *arg)
{
	(void)arg;
	(void)listen_at("127.0.0.1:0");
	return BAY_OK;
}

START_TEST(what_was_forgotten_ends_with_its_loop)
{
	unsigned before = streams_open_fds();

	ck_assert_int_eq(run_task(forget, NULL), BAY_OK);
	ck_assert_uint_eq(streams_open_fds(), before);
}
END_TEST

CHECK_MAIN("io/listener",
	connections_are_accepted_by_tcp,
	connections_are_accepted_by_unix_sockets,
	who_waits_is_served_in_the_order_of_coming,
	closing_lets_who_waits_go,
	tasks_are_listed_with_the_listener_they_wait_for,
	what_cannot_be_listened_at_is_said_in_words,
	a_socket_that_nobody_listens_at_is_replaced_and_no_other,
	without_descriptors_it_pauses_and_then_goes_on,
	one_that_pauses_can_be_closed,
	sockets_may_come_from_elsewhere,
	a_select_accepts,
	a_select_is_told_that_its_listener_was_closed,
	what_was_forgotten_ends_with_its_loop)
