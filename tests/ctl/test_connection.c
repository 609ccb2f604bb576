/* SPDX-License-Identifier: BSD-2-Clause */
/* Reaching the daemon or saying why not; all of it seen from outside, by exit code and text. */
#include "config.h"

#include "ctl/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/fake_server.h"
#include "ctl/run.h"
#include "support/check_main.h"

static void
ping(struct run *run, int exit, const char *said)
{
	run_words(run, "ping", "--timeout", "5s", NULL);
	ck_assert_msg(run->exit == exit, "exit %d: %s", run->exit, run->err);
	ck_assert_msg(strstr(run->err, said) != NULL, "%s", run->err);
	ck_assert_str_eq(run->out, "");
	run_json(run, "ping", "--timeout", "5s", NULL);
	ck_assert_int_eq(run->exit, exit);
	run_finish(run);
}

static void
answer_ping(struct fake_call *call)
{
	fake_reply(call, "{'pid':5,'uptime_ns':7}");
}

/* --- no daemon ------------------------------------------------------------------------------- */

START_TEST(no_socket_is_7_and_asks_whether_bayd_is_running)
{
	struct run run = {.socket = "/nonexistent/control.sock"};

	ping(&run, 7, "bayctl: there is no socket /nonexistent/control.sock [unreachable]\n"
		"        is bayd running? name its socket with -s SOCKET or in BAY_SOCKET\n");
}
END_TEST

START_TEST(a_socket_that_nobody_listens_at_is_7_and_says_so)
{
	struct temp_dir dir;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct run run;

	temp_dir_init(&dir);
	strcpy(address.sun_path, temp_dir_path(&dir, "sock"));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	run = (struct run){.socket = address.sun_path};
	ping(&run, 7, "any more [unreachable]\n        the bayd that made it is gone; start bayd again\n");
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_file_that_is_no_socket_is_7_and_says_so)
{
	struct temp_dir dir;
	struct run run;

	temp_dir_init(&dir);
	temp_dir_write(&dir, "file", "x");
	run = (struct run){.socket = temp_dir_path(&dir, "file")};
	ping(&run, 7, "is no socket [unreachable]\n");
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_socket_without_permission_is_6_and_says_who_may)
{
	struct fake_server server;
	struct run run;

	fake_server_start(&server, answer_ping);
	run = (struct run){.socket = server.path};
	ck_assert_int_eq(chmod(server.path, 0), 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(chmod(server.dir.path, 0755), 0);
		ck_assert_int_eq(seteuid(65534), 0);
	}
	ping(&run, 6, "not permitted: user ");
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	fake_server_stop(&server);
}
END_TEST

/* --- which socket ---------------------------------------------------------------------------- */

START_TEST(the_socket_is_the_named_one_or_from_the_environment_or_here_or_the_systems)
{
	struct temp_dir dir;

	temp_dir_init(&dir);
	ck_assert_int_eq(chdir(dir.path), 0);
	setenv("BAY_SOCKET", "from-env", 1);
	ck_assert_str_eq(connection_socket("named"), "named");
	ck_assert_str_eq(connection_socket(NULL), "from-env");
	setenv("BAY_SOCKET", "", 1);
	ck_assert_ptr_nonnull(strstr(connection_socket(NULL), "/bay/control.sock"));
	unsetenv("BAY_SOCKET");
	ck_assert_ptr_nonnull(strstr(connection_socket(NULL), "/bay/control.sock"));
	temp_dir_write(&dir, "run/control.sock", "");
	ck_assert_str_eq(connection_socket(NULL), "run/control.sock");
	temp_dir_finish(&dir);
}
END_TEST

START_TEST(a_path_longer_than_an_address_is_reached)
{
	struct fake_server server;
	struct run run;
	char path[600];
	char name[201];

	memset(name, 'd', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	fake_server_start(&server, answer_ping);
	snprintf(path, sizeof(path), "%s/%s", server.dir.path, name);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s/sock", server.dir.path, name);
	ck_assert_int_eq(rename(server.path, path), 0);
	run = (struct run){.socket = path};
	run_words(&run, "ping", NULL);
	ck_assert_msg(run.exit == 0, "%s", run.err);
	run_finish(&run);
	fake_server_stop(&server);
}
END_TEST

START_TEST(a_long_path_to_nothing_is_7)
{
	char path[400];
	struct run run = {.socket = path};

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	ping(&run, 7, "File name too long");
	path[0] = '/';
	path[200] = '/';
	ping(&run, 7, "there is no socket");
	memcpy(path, "/tmp/", 5);
	path[200] = 'x';
	ping(&run, 7, "File name too long");
}
END_TEST

/* --- replies that are none -------------------------------------------------------------------- */

static void
answer_nothing(struct fake_call *call)
{
	(void)call;
}

START_TEST(silence_is_8_at_the_deadline)
{
	struct fake_server server;
	struct run run;
	int64_t start = clock_monotonic_ns();

	fake_server_start(&server, answer_nothing);
	run = (struct run){.socket = server.path};
	run_words(&run, "ping", "--timeout", "100ms", NULL);
	ck_assert_int_eq(run.exit, 8);
	ck_assert_ptr_nonnull(strstr(run.err, "no reply to Ping within 100ms [timeout]\n"));
	ck_assert_int_ge(clock_monotonic_ns() - start, 100 * CLOCK_NS_PER_MS);
	ck_assert_int_lt(clock_monotonic_ns() - start, 10 * INT64_C(1000000000));
	run_finish(&run);
	fake_server_stop(&server);
}
END_TEST

static void
answer_half(struct fake_call *call)
{
	fake_bytes(call, "{\"parameters\":{", 15);
}

START_TEST(half_a_frame_is_8_at_the_deadline)
{
	struct fake_server server;
	struct run run;

	fake_server_start(&server, answer_half);
	run = (struct run){.socket = server.path};
	run_words(&run, "ping", "--timeout", "100ms", NULL);
	ck_assert_int_eq(run.exit, 8);
	run_finish(&run);
	fake_server_stop(&server);
}
END_TEST

static void
answer_half_and_close(struct fake_call *call)
{
	fake_bytes(call, "{\"parameters\":{", 15);
	call->close = true;
}

START_TEST(half_a_frame_and_the_end_is_7)
{
	struct fake_server server;
	struct run run;

	fake_server_start(&server, answer_half_and_close);
	run = (struct run){.socket = server.path};
	ping(&run, 7, "bayctl: the daemon closed the connection [unreachable]\n");
	fake_server_stop(&server);
}
END_TEST

static void
answer_in_pieces(struct fake_call *call)
{
	static const char frame[] = "{\"parameters\":{\"pid\":5,\"uptime_ns\":7}}";

	for (size_t i = 0; i < sizeof(frame); i++)
		fake_bytes(call, frame + i, 1);
}

START_TEST(a_reply_in_pieces_is_a_reply)
{
	struct fake_server server;
	struct run run;

	fake_server_start(&server, answer_in_pieces);
	run = (struct run){.socket = server.path};
	run_words(&run, "ping", NULL);
	ck_assert_int_eq(run.exit, 0);
	ck_assert_ptr_nonnull(strstr(run.out, "bayd with pid 5 answered"));
	run_finish(&run);
	fake_server_stop(&server);
}
END_TEST

static void
answer_junk(struct fake_call *call)
{
	fake_bytes(call, "HTTP/1.1 400 Bad Request\r\n\r\n", 29);
}

static void
answer_list(struct fake_call *call)
{
	fake_bytes(call, "[1,2,3]", 8);
}

static void
answer_call(struct fake_call *call)
{
	fake_bytes(call, "{\"method\":\"a.B\"}", 17);
}

START_TEST(junk_is_7_and_asks_whether_this_is_bayd)
{
	static fake_server_fn *const answers[] = {answer_junk, answer_list, answer_call};

	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		struct fake_server server;
		struct run run;

		fake_server_start(&server, answers[i]);
		run = (struct run){.socket = server.path};
		ping(&run, 7, "is this the socket of bayd?");
		fake_server_stop(&server);
	}
}
END_TEST

static void
answer_without_end(struct fake_call *call)
{
	static char block[1 << 20];

	memset(block, ' ', sizeof(block));
	block[0] = '{';
	/* The first refusal to take more ends the server; 64 MiB would be 4 times the limit. */
	for (int i = 0; i < 64; i++)
		fake_bytes(call, block, sizeof(block));
}

START_TEST(a_reply_without_end_is_refused_at_the_limit)
{
	struct fake_server server;
	struct run run;

	fake_server_start(&server, answer_without_end);
	run = (struct run){.socket = server.path};
	run_words(&run, "ping", "--timeout", "15s", NULL);
	ck_assert_int_eq(run.exit, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "the frame is larger than the limit"));
	run_finish(&run);
	fake_server_stop(&server);
}
END_TEST

static void
answer_many_values(struct fake_call *call)
{
	size_t size = 8 << 20;
	char *frame = malloc(size);

	memset(frame, ' ', size);
	memcpy(frame, "{\"a\":[0", 7);
	for (size_t i = 7; i + 4 < size; i += 2)
		memcpy(frame + i, ",0", 2);
	memcpy(frame + size - 3, "]}", 3);
	fake_bytes(call, frame, size);
	free(frame);
}

START_TEST(a_reply_of_too_many_values_is_refused)
{
	struct fake_server server;
	struct run run;

	fake_server_start(&server, answer_many_values);
	run = (struct run){.socket = server.path};
	run_words(&run, "ping", "--timeout", "15s", NULL);
	ck_assert_int_eq(run.exit, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "the frame has more values than the limit"));
	run_finish(&run);
	fake_server_stop(&server);
}
END_TEST

static void
answer_large(struct fake_call *call)
{
	size_t size = 6 << 20;
	char *text = malloc(size + 1);

	memset(text, 'x', size);
	text[size] = '\0';
	fake_reply_json(call, json_pack("{s:i, s:s}", "pid", 5, "more", text), -1);
	free(text);
}

START_TEST(a_large_reply_within_the_limit_is_read)
{
	struct fake_server server;
	struct run run;

	fake_server_start(&server, answer_large);
	run = (struct run){.socket = server.path};
	run_words(&run, "ping", "--timeout", "15s", NULL);
	ck_assert_msg(run.exit == 0, "%s", run.err);
	run_finish(&run);
	fake_server_stop(&server);
}
END_TEST

/* A server that refuses before it reads says why, then closes: the reason is what counts. */
static void
answer_error_and_close(struct fake_call *call)
{
	fake_error(call, "NotPermitted", "{'message':'not you'}");
	call->close = true;
}

START_TEST(not_permitted_is_6)
{
	struct fake_server server;
	struct run run;

	fake_server_start(&server, answer_error_and_close);
	run = (struct run){.socket = server.path};
	ping(&run, 6, "bayctl: not you [not-permitted]\n");
	fake_server_stop(&server);
}
END_TEST

START_TEST(a_queue_of_connections_that_is_full_is_8)
{
	struct temp_dir dir;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	int fds[20];
	struct run run;

	temp_dir_init(&dir);
	strcpy(address.sun_path, temp_dir_path(&dir, "sock"));
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	for (int i = 0; i < 20; i++) {
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(fds[i], (struct sockaddr *)&address, sizeof(address)) != 0)
			break;
	}
	run = (struct run){.socket = address.sun_path};
	run_words(&run, "ping", "--timeout", "50ms", NULL);
	ck_assert_int_eq(run.exit, 8);
	ck_assert_ptr_nonnull(strstr(run.err, "takes no more connections"));
	run_finish(&run);
	temp_dir_finish(&dir);
}
END_TEST

CHECK_MAIN("ctl/connection",
	no_socket_is_7_and_asks_whether_bayd_is_running,
	a_socket_that_nobody_listens_at_is_7_and_says_so,
	a_file_that_is_no_socket_is_7_and_says_so,
	a_socket_without_permission_is_6_and_says_who_may,
	the_socket_is_the_named_one_or_from_the_environment_or_here_or_the_systems,
	a_path_longer_than_an_address_is_reached,
	a_long_path_to_nothing_is_7,
	silence_is_8_at_the_deadline,
	half_a_frame_is_8_at_the_deadline,
	half_a_frame_and_the_end_is_7,
	a_reply_in_pieces_is_a_reply,
	junk_is_7_and_asks_whether_this_is_bayd,
	a_reply_without_end_is_refused_at_the_limit,
	a_reply_of_too_many_values_is_refused,
	a_large_reply_within_the_limit_is_read,
	not_permitted_is_6,
	a_queue_of_connections_that_is_full_is_8)
