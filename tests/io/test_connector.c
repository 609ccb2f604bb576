/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bay/listener.h>
#include <bay/stream.h>
#include <bay/task.h>

#include "io/address.h"
#include "runtime/task.h"
#include "support/run_tasks.h"
#include "support/streams.h"
#include "support/temp_dir.h"

static int64_t
soon(void)
{
	return bay_after(60 * BAY_SECOND);
}

/* A plain listener with this backlog, at an address of which only the port may be chosen. */
static int
listen_plain(struct bay_address *address, int backlog)
{
	const struct sockaddr *name;
	socklen_t length;
	int fd;

	name = address_sockaddr(address, &length);
	fd = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(fd, name, length), 0);
	ck_assert_int_eq(listen(fd, backlog), 0);
	address_local(address, fd);
	return fd;
}

static int
accept_plain(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static struct bay_address
parsed(const char *text)
{
	struct bay_address address;

	ck_assert_int_eq(bay_address_parse(text, &address), BAY_OK);
	return address;
}

static void
check_connect(const char *where)
{
	struct bay_address address = parsed(where), peer;
	int listener = listen_plain(&address, 5), fd;
	char text[BAY_ADDRESS_TEXT_SIZE], *line;
	struct bay_stream *stream;

	ck_assert_int_eq(bay_connect(bay_address_text(&address, text, sizeof text), NULL, &stream, soon()), BAY_OK);
	fd = accept_plain(listener);
	streams_say(fd, "welcome\n");
	ck_assert_int_eq(bay_stream_read_line(stream, 100, &line, NULL, soon()), BAY_OK);
	ck_assert_str_eq(line, "welcome");
	ck_assert_int_eq(bay_stream_peer(stream, &peer), BAY_OK);
	ck_assert(bay_address_equal(&peer, &address));
	ck_assert_int_eq(bay_stream_close(stream, soon()), BAY_OK);
	close(fd);
	ck_assert_int_eq(bay_connect_to(&address, NULL, &stream, soon()), BAY_OK);
	close(accept_plain(listener));
	bay_stream_abort(stream);
	close(listener);
}

TASK_TEST(it_connects_by_tcp)
{
	check_connect("127.0.0.1:0");
	return BAY_OK;
}

TASK_TEST(it_connects_by_unix_sockets)
{
	char address[400];
	struct temp_dir dir;

	temp_dir_init(&dir);
	snprintf(address, sizeof address, "unix:%s", temp_dir_path(&dir, "s"));
	check_connect(address);
	temp_dir_finish(&dir);
	snprintf(address, sizeof address, "unix:@bay-connector-%d", (int)getpid());
	check_connect(address);
	return BAY_OK;
}

TASK_TEST(why_it_cannot_is_said_in_words)
{
	char error[200], text[BAY_ADDRESS_TEXT_SIZE], wanted[200];
	struct bay_stream_options options = {.length = sizeof options, .error = error, .error_size = sizeof error};
	struct bay_address address = parsed("127.0.0.1:0"), none = {._length = 0};
	struct bay_stream *stream = (void *)&options;

	close(listen_plain(&address, 5));
	ck_assert_int_eq(bay_connect_to(&address, &options, &stream, soon()), BAY_IO);
	ck_assert_ptr_null(stream);
	snprintf(wanted, sizeof wanted, "connect to %s: Connection refused",
		bay_address_text(&address, text, sizeof text));
	ck_assert_str_eq(error, wanted);
	ck_assert_int_eq(bay_connect("unix:/there/is/no/such/file", &options, &stream, soon()), BAY_IO);
	ck_assert_str_eq(error, "connect to unix:/there/is/no/such/file: No such file or directory");
	ck_assert_int_eq(bay_connect("300.0.0.1:80", &options, &stream, soon()), BAY_INVALID);
	ck_assert_int_eq(bay_connect_to(&none, &options, &stream, soon()), BAY_INVALID);
	ck_assert_str_eq(error, "that is no address");
	options.length--;
	ck_assert_int_eq(bay_connect_to(&address, &options, &stream, soon()), BAY_INVALID);
	ck_assert_int_eq(bay_connect_to(&address, NULL, &stream, soon()), BAY_IO);
	return BAY_OK;
}

TASK_TEST(this_end_may_be_chosen)
{
	struct bay_address address = parsed("127.0.0.1:0"), here = parsed("127.0.0.2:0"), local;
	struct bay_stream_options options = {.length = sizeof options, .local = &here};
	int listener = listen_plain(&address, 5);
	struct bay_stream *stream;

	ck_assert_int_eq(bay_connect_to(&address, &options, &stream, soon()), BAY_OK);
	ck_assert_int_eq(bay_stream_local(stream, &local), BAY_OK);
	ck_assert_int_eq(bay_address_set_port(&local, 0), BAY_OK);
	ck_assert(bay_address_equal(&local, &here));
	bay_stream_abort(stream);
	here = parsed("192.0.2.1:0");
	ck_assert_int_eq(bay_connect_to(&address, &options, &stream, soon()), BAY_IO);
	close(listener);
	return BAY_OK;
}

/* A backlog that is full swallows what would begin a connection. */
TASK_TEST(no_answer_in_time_is_a_timeout_with_words)
{
	struct bay_address address = parsed("127.0.0.1:0");
	int listener = listen_plain(&address, 0);
	struct bay_stream *streams[8];
	char error[200] = "";
	struct bay_stream_options options = {.length = sizeof options, .error = error, .error_size = sizeof error};
	int status = BAY_OK;
	size_t count = 0;
	unsigned before;

	while (count < 8 && status == BAY_OK) {
		before = streams_open_fds();
		status = bay_connect_to(&address, &options, &streams[count], bay_after(50 * BAY_MS));
		if (status == BAY_OK)
			count++;
	}
	ck_assert_int_eq(status, BAY_TIMEOUT);
	ck_assert_uint_eq(streams_open_fds(), before);
	ck_assert_ptr_nonnull(strstr(error, "no answer in time"));
	while (count > 0)
		bay_stream_abort(streams[--count]);
	close(listener);
	return BAY_OK;
}

struct connecting {
	struct bay_address address;
	struct bay_stream *stream;
	int status;
};

static int
connect_it(void *arg)
{
	struct connecting *connecting = arg;

	connecting->status = bay_connect_to(&connecting->address, NULL, &connecting->stream, BAY_INHERIT);
	return BAY_OK;
}

TASK_TEST(a_full_unix_socket_is_tried_again)
{
	struct connecting all[4];
	struct bay_task *tasks[4];
	char address[100];
	int listener;

	snprintf(address, sizeof address, "unix:@bay-full-%d", (int)getpid());
	all[0].address = parsed(address);
	listener = listen_plain(&all[0].address, 0);
	for (int i = 0; i < 4; i++) {
		all[i] = (struct connecting){.address = all[0].address, .status = -1};
		tasks[i] = bay_spawn("connects", connect_it, &all[i]);
	}
	ck_assert_int_eq(bay_sleep(5 * BAY_MS), BAY_OK);
	ck_assert(!bay_task_done(tasks[3]));
	for (int accepted = 0; accepted < 4;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0) {
			accepted++;
			close(fd);
		}
		ck_assert_int_eq(bay_sleep(BAY_MS), BAY_OK);
	}
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(bay_join(tasks[i], soon()), BAY_OK);
		ck_assert_int_eq(all[i].status, BAY_OK);
		bay_stream_abort(all[i].stream);
	}
	close(listener);
	return BAY_OK;
}

TASK_TEST(tasks_are_listed_with_where_they_connect_to)
{
	struct connecting more[8];
	struct bay_task *tasks[8];
	struct bay_address address = parsed("127.0.0.1:0");
	int listener = listen_plain(&address, 0);
	char text[128], *end;
	bool seen = false;

	for (int i = 0; i < 8; i++) {
		more[i] = (struct connecting){.address = address, .status = -1};
		tasks[i] = bay_spawn("connects", connect_it, &more[i]);
	}
	ck_assert_int_eq(bay_sleep(20 * BAY_MS), BAY_OK);
	for (int i = 0; i < 8; i++) {
		if (bay_task_done(tasks[i]))
			continue;
		ck_assert_ptr_nonnull(task_waiting_on(task_of_handle(tasks[i]), text, sizeof text));
		end = strrchr(text, ' ');
		seen |= strncmp(text, "stream 127.0.0.1:", 17) == 0 && strcmp(end, " connect") == 0;
		bay_task_cancel(tasks[i], "enough");
	}
	ck_assert(seen);
	for (int i = 0; i < 8; i++) {
		ck_assert_int_eq(bay_join(tasks[i], soon()), BAY_OK);
		bay_stream_abort(more[i].stream);
	}
	close(listener);
	return BAY_OK;
}

CHECK_MAIN("io/connector",
	it_connects_by_tcp,
	it_connects_by_unix_sockets,
	why_it_cannot_is_said_in_words,
	this_end_may_be_chosen,
	no_answer_in_time_is_a_timeout_with_words,
	a_full_unix_socket_is_tried_again,
	tasks_are_listed_with_where_they_connect_to)
