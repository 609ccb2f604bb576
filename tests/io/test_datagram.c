/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <bay/datagram.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bay/select.h>

#include "runtime/belonging.h"
#include "runtime/task.h"
#include "support/run_tasks.h"
#include "support/temp_dir.h"

#define SOON (60 * BAY_SECOND)

static struct bay_address
address(const char *text)
{
	struct bay_address made;
	char own[64];

	/* Another run of this test may be going on. */
	snprintf(own, sizeof own, strncmp(text, "unix:@", 6) == 0 ? "%s-%d" : "%s", text, (int)getpid());
	ck_assert_int_eq(bay_address_parse(own, &made), BAY_OK);
	return made;
}

static struct bay_datagram *
open_at(const char *text)
{
	struct bay_address local = address(text);
	struct bay_datagram *socket;

	ck_assert_int_eq(bay_datagram_open(&local, NULL, &socket), BAY_OK);
	ck_assert_str_eq(bay_datagram_error(), "");
	return socket;
}

static struct bay_datagram *
open_to(const struct bay_address *peer)
{
	struct bay_datagram_options options = {.length = sizeof options, .peer = peer};
	struct bay_datagram *socket;

	ck_assert_int_eq(bay_datagram_open(NULL, &options, &socket), BAY_OK);
	return socket;
}

static int
open_with(const char *local, const struct bay_datagram_options *options)
{
	struct bay_address at;
	struct bay_datagram *socket;
	int status;

	if (local != NULL)
		at = address(local);
	status = bay_datagram_open(local != NULL ? &at : NULL, options, &socket);
	ck_assert((socket == NULL) == (status != BAY_OK));
	bay_datagram_close(socket);
	return status;
}

static void
send_text(struct bay_datagram *socket, const char *text, const struct bay_address *to)
{
	ck_assert_int_eq(bay_datagram_send(socket, text, strlen(text), to, bay_after(SOON)), BAY_OK);
}

static void
expect_text(struct bay_datagram *socket, const char *text, struct bay_address *from_r)
{
	char data[64] = "";
	size_t got;

	ck_assert_int_eq(bay_datagram_receive(socket, data, sizeof data - 1, from_r, &got, bay_after(SOON)), BAY_OK);
	ck_assert_uint_eq(got, strlen(text));
	ck_assert_str_eq(data, text);
}

static size_t
open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

/* --- send and receive -------------------------------------------------------------------------- */

static void
there_and_back(const char *at)
{
	struct bay_datagram *server = open_at(at), *client;
	struct bay_address server_address = bay_datagram_address(server), from, client_address;

	client = open_to(&server_address);
	client_address = bay_datagram_address(client);
	send_text(client, "ping", NULL);
	send_text(client, "", NULL);
	expect_text(server, "ping", &from);
	ck_assert(bay_address_equal(&from, &client_address));
	expect_text(server, "", NULL);
	send_text(server, "pong", &from);
	expect_text(client, "pong", &from);
	ck_assert(bay_address_equal(&from, &server_address));
	bay_datagram_close(client);
	bay_datagram_close(server);
}

TASK_TEST(datagrams_go_there_and_back)
{
	there_and_back("127.0.0.1:0");
	there_and_back("unix:@bay-test-datagram");
	return BAY_OK;
}

static int
go_over_ipv6(void *arg)
{
	(void)arg;
	there_and_back("[::1]:0");
	return BAY_OK;
}

START_TEST(datagrams_go_over_ipv6)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	struct bay_address local = address("[::1]:0");
	bool has = fd >= 0 && bind(fd, (const struct sockaddr *)(const void *)local._storage, local._length) == 0;

	close(fd);
	if (!has)
		CHECK_SKIP("there is no IPv6 here");
	ck_assert_int_eq(run_task(go_over_ipv6, NULL), BAY_OK);
}
END_TEST

struct reader {
	struct bay_datagram *socket;
	char data[16];
	size_t got;
	int status;
	int turn;       /* the how many-th it was */
	int *turns;
	int64_t deadline;
};

static int
read_one(void *arg)
{
	struct reader *reader = arg;

	reader->status = bay_datagram_receive(reader->socket, reader->data, sizeof reader->data, NULL, &reader->got,
		reader->deadline);
	reader->turn = ++*reader->turns;
	return BAY_OK;
}

static struct bay_task *
start_reader(struct reader *reader, struct bay_datagram *socket, int *turns)
{
	struct bay_task *task;

	*reader = (struct reader){.socket = socket, .turns = turns, .deadline = BAY_INHERIT};
	task = bay_spawn("reader", read_one, reader);
	ck_assert_ptr_nonnull(task);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	return task;
}

static void
end(struct bay_task *task)
{
	ck_assert_int_eq(bay_join(task, bay_after(SOON)), BAY_OK);
}

TASK_TEST(readers_are_served_in_the_order_of_coming)
{
	struct bay_datagram *server = open_at("127.0.0.1:0"), *client;
	struct bay_address to = bay_datagram_address(server);
	static const char *const words[] = {"a", "b", "c", "d"};
	struct reader readers[4];
	struct bay_task *tasks[4];
	int turns = 0;

	client = open_to(&to);
	for (int round = 0; round < 3; round++, turns = 0) {
		for (int i = 0; i < 4; i++)
			tasks[i] = start_reader(&readers[i], server, &turns);
		/* The second goes away, and takes nothing with it. */
		bay_task_cancel(tasks[1], "not wanted");
		for (int i = 0; i < 3; i++)
			send_text(client, words[i], NULL);
		for (int i = 0; i < 4; i++)
			end(tasks[i]);
		ck_assert_int_eq(readers[1].status, BAY_CANCELED);
		ck_assert_int_eq(memcmp(readers[0].data, "a", 2), 0);
		ck_assert_int_eq(memcmp(readers[2].data, "b", 2), 0);
		ck_assert_int_eq(memcmp(readers[3].data, "c", 2), 0);
		ck_assert_int_lt(readers[0].turn, readers[2].turn);
		ck_assert_int_lt(readers[2].turn, readers[3].turn);
	}
	bay_datagram_close(client);
	bay_datagram_close(server);
	return BAY_OK;
}

TASK_TEST(a_newcomer_does_not_take_what_another_was_woken_for)
{
	struct bay_datagram *server = open_at("127.0.0.1:0"), *client;
	struct bay_address to = bay_datagram_address(server);
	struct reader first, second;
	struct bay_task *tasks[2];
	int turns = 0;

	client = open_to(&to);
	tasks[0] = start_reader(&first, server, &turns);
	send_text(client, "1", NULL);
	/* The first is woken by the loop, but has not run yet. */
	loop_poll(&scheduler_here->loop);
	second = (struct reader){.socket = server, .turns = &turns, .deadline = 0};
	ck_assert_int_eq(read_one(&second), BAY_OK);
	ck_assert_int_eq(second.status, BAY_TIMEOUT);
	tasks[1] = start_reader(&second, server, &turns);
	send_text(client, "2", NULL);
	end(tasks[0]);
	end(tasks[1]);
	ck_assert_str_eq(first.data, "1");
	ck_assert_str_eq(second.data, "2");
	bay_datagram_close(client);
	bay_datagram_close(server);
	return BAY_OK;
}

TASK_TEST(what_is_longer_than_the_buffer_is_told_with_its_length)
{
	struct bay_datagram *server = open_at("127.0.0.1:0");
	struct bay_address to = bay_datagram_address(server);
	char data[5] = "....";
	size_t got;

	send_text(server, "0123456789", &to);
	send_text(server, "next", &to);
	ck_assert_int_eq(bay_datagram_receive(server, data, 4, NULL, &got, bay_after(SOON)), BAY_TOO_BIG);
	ck_assert_uint_eq(got, 10);
	ck_assert_str_eq(data, "0123");
	expect_text(server, "next", NULL);
	bay_datagram_close(server);
	return BAY_OK;
}

TASK_TEST(what_no_datagram_can_carry_is_refused)
{
	struct bay_datagram *server = open_at("127.0.0.1:0");
	struct bay_address to = bay_datagram_address(server);
	char *data = calloc(1, 70000);

	ck_assert_int_eq(bay_datagram_send(server, data, 70000, &to, BAY_INHERIT), BAY_TOO_BIG);
	ck_assert_ptr_nonnull(strstr(bay_datagram_error(), "send to 127.0.0.1:"));
	ck_assert_int_eq(bay_datagram_send(server, data, 65507, &to, BAY_INHERIT), BAY_OK);
	ck_assert_str_eq(bay_datagram_error(), "");
	free(data);
	bay_datagram_close(server);
	return BAY_OK;
}

TASK_TEST(nobody_there_is_a_status_and_the_socket_goes_on)
{
	struct bay_datagram *server = open_at("127.0.0.1:0"), *client;
	struct bay_address to = bay_datagram_address(server);
	char port[64];
	char data[16];
	size_t got;

	client = open_to(&to);
	bay_datagram_close(server);
	send_text(client, "lost", NULL);
	ck_assert_int_eq(bay_datagram_receive(client, data, sizeof data, NULL, &got, bay_after(SOON)), BAY_IO);
	ck_assert_str_eq(bay_datagram_error(), "receive: Connection refused");
	ck_assert_int_eq(bay_datagram_receive(client, data, sizeof data, NULL, &got, 0), BAY_TIMEOUT);
	ck_assert_str_eq(bay_datagram_error(), "");
	server = open_at(bay_address_text(&to, port, sizeof port));
	send_text(client, "found", NULL);
	expect_text(server, "found", NULL);
	bay_datagram_close(client);
	bay_datagram_close(server);
	return BAY_OK;
}

static int
send_many(void *arg)
{
	struct bay_datagram *client = arg;
	int count;

	for (count = 0; count < 1000; count++)
		ck_assert_int_eq(bay_datagram_send(client, "x", 1, NULL, BAY_INHERIT), BAY_OK);
	return BAY_OK;
}

/* With a peer, the kernel tells when it has room again. */
TASK_TEST(a_full_receiver_is_waited_for)
{
	struct bay_datagram *server = open_at("unix:@bay-test-full"), *client;
	struct bay_address to = bay_datagram_address(server);
	struct bay_task *task;
	int count;

	client = open_to(&to);
	task = bay_spawn("sender", send_many, client);
	for (count = 0; count < 1000; count++)
		expect_text(server, "x", NULL);
	end(task);
	bay_datagram_close(client);
	bay_datagram_close(server);
	return BAY_OK;
}

struct blind {
	struct bay_datagram *client;
	struct bay_address to;
};

static int
send_blindly(void *arg)
{
	struct blind *blind = arg;
	int count;

	for (count = 0; count < 100; count++) {
		int status = bay_datagram_send(blind->client, "x", 1, &blind->to, BAY_INHERIT);

		if (status != BAY_OK)
			return status;
	}
	return BAY_OK;
}

/* Without, it does not. */
TASK_TEST(a_full_receiver_that_is_no_peer_is_waited_for_too)
{
	struct bay_datagram *server = open_at("unix:@bay-test-blind"), *other = open_at("unix:@bay-test-other");
	struct blind blind = {open_at("unix:@bay-test-sender"), bay_datagram_address(server)};
	struct bay_address to_other = bay_datagram_address(other);
	struct bay_task *tasks[3];
	int count;

	for (count = 0; bay_datagram_send(blind.client, "x", 1, &blind.to, 0) == BAY_OK; count++)
		ck_assert_int_lt(count, 100000);
	for (int i = 0; i < 3; i++)
		tasks[i] = bay_spawn("sender", send_blindly, &blind);
	ck_assert_int_eq(bay_yield(), BAY_OK);
	/* They are in nobody's way. */
	send_text(blind.client, "hello", &to_other);
	expect_text(other, "hello", NULL);
	bay_task_cancel(tasks[2], "enough");
	ck_assert_int_eq(bay_join(tasks[2], bay_after(SOON)), BAY_CANCELED);
	for (count += 200; count > 0; count--)
		expect_text(server, "x", NULL);
	for (int i = 0; i < 2; i++)
		end(tasks[i]);
	/* The address is gone: not waited for. */
	bay_datagram_close(server);
	ck_assert_int_eq(bay_datagram_send(blind.client, "x", 1, &blind.to, BAY_INHERIT), BAY_IO);
	bay_datagram_close(blind.client);
	bay_datagram_close(other);
	return BAY_OK;
}

/* --- ends ---------------------------------------------------------------------------------------- */

TASK_TEST(closing_ends_the_waits)
{
	struct bay_datagram *server = open_at("127.0.0.1:0");
	struct reader readers[3];
	struct bay_task *tasks[3];
	int turns = 0;

	for (int i = 0; i < 3; i++)
		tasks[i] = start_reader(&readers[i], server, &turns);
	bay_datagram_close(server);
	for (int i = 0; i < 3; i++) {
		end(tasks[i]);
		ck_assert_int_eq(readers[i].status, BAY_CLOSED);
	}
	bay_datagram_close(NULL);
	return BAY_OK;
}

/* Woken for a datagram, but the socket is closed before it runs. */
TASK_TEST(closing_ends_the_wait_of_who_was_woken)
{
	struct bay_datagram *server = open_at("127.0.0.1:0");
	struct bay_address to = bay_datagram_address(server);
	struct reader readers[2];
	struct bay_task *tasks[2];
	int turns = 0;

	for (int i = 0; i < 2; i++)
		tasks[i] = start_reader(&readers[i], server, &turns);
	ck_assert_int_eq(bay_datagram_send(server, "x", 1, &to, BAY_INHERIT), BAY_OK);
	loop_poll(&scheduler_here->loop);
	bay_datagram_close(server);
	for (int i = 0; i < 2; i++) {
		end(tasks[i]);
		ck_assert_int_eq(readers[i].status, BAY_CLOSED);
	}
	return BAY_OK;
}

TASK_TEST(a_deadline_and_a_cancellation_end_a_wait)
{
	struct bay_datagram *server = open_at("127.0.0.1:0");
	struct reader reader;
	struct bay_task *task;
	char data[4];
	size_t got;
	int turns = 0;

	ck_assert_int_eq(bay_datagram_receive(server, data, sizeof data, NULL, &got, bay_after(BAY_MS)), BAY_TIMEOUT);
	ck_assert_int_eq(bay_datagram_receive(server, data, sizeof data, NULL, &got, 0), BAY_TIMEOUT);
	task = start_reader(&reader, server, &turns);
	bay_task_cancel(task, "enough");
	end(task);
	ck_assert_int_eq(reader.status, BAY_CANCELED);
	bay_datagram_close(server);
	return BAY_OK;
}

/* The loop has not looked yet. */
TASK_TEST(a_deadline_that_has_passed_only_looks)
{
	struct bay_datagram *server = open_at("127.0.0.1:0");
	struct bay_address to = bay_datagram_address(server);
	char data[4];
	size_t got;

	ck_assert_int_eq(bay_datagram_receive(server, data, sizeof data, NULL, &got, 0), BAY_TIMEOUT);
	ck_assert_int_eq(bay_datagram_send(server, "x", 1, &to, 0), BAY_OK);
	ck_assert_int_eq(bay_datagram_receive(server, data, sizeof data, NULL, &got, 0), BAY_OK);
	bay_datagram_close(server);
	return BAY_OK;
}

static int
count_turns(void *turns)
{
	for (;;) {
		int status = bay_yield();

		if (status != BAY_OK)
			return BAY_OK;
		++*(int *)turns;
	}
}

TASK_TEST(who_sends_without_end_lets_others_run)
{
	struct bay_datagram *server = open_at("127.0.0.1:0");
	struct bay_address to = bay_datagram_address(server);
	int turns = 0;
	struct bay_task *task = bay_spawn("counts", count_turns, &turns);

	for (int i = 0; i < 5000; i++)
		ck_assert_int_eq(bay_datagram_send(server, "x", 1, &to, BAY_INHERIT), BAY_OK);
	ck_assert_int_gt(turns, 5);
	bay_task_cancel(task, "enough");
	end(task);
	bay_datagram_close(server);
	return BAY_OK;
}

/* --- the rest ------------------------------------------------------------------------------------ */

TASK_TEST(a_select_can_wait_for_one)
{
	struct bay_datagram *server = open_at("127.0.0.1:0");
	struct bay_address to = bay_datagram_address(server);
	struct bay_case cases[] = {bay_case_fd(bay_datagram_fd(server), BAY_READABLE),
		bay_case_time(bay_after(BAY_MS))};
	size_t which;

	ck_assert_int_ge(cases[0].fd, 0);
	ck_assert_int_eq(bay_datagram_fd(server), cases[0].fd);
	ck_assert_int_eq(bay_select(cases, 2, &which, bay_after(SOON)), BAY_OK);
	ck_assert_uint_eq(which, 1);
	send_text(server, "x", &to);
	ck_assert_int_eq(bay_select(cases, 1, &which, bay_after(SOON)), BAY_OK);
	ck_assert_uint_eq(cases[0].ready, BAY_READABLE);
	expect_text(server, "x", NULL);
	bay_datagram_close(server);
	return BAY_OK;
}

static int
select_one(void *arg)
{
	struct bay_case one = bay_case_fd(bay_datagram_fd(arg), BAY_READABLE);
	size_t which;

	ck_assert_int_eq(bay_select(&one, 1, &which, BAY_INHERIT), BAY_OK);
	return one.status;
}

TASK_TEST(closing_ends_selects_too)
{
	struct bay_datagram *server = open_at("127.0.0.1:0");
	struct bay_task *task = bay_spawn("selects", select_one, server);

	ck_assert_int_eq(bay_yield(), BAY_OK);
	bay_datagram_close(server);
	ck_assert_int_eq(bay_join(task, bay_after(SOON)), BAY_CLOSED);
	return BAY_OK;
}

TASK_TEST(groups_are_joined_and_left)
{
	struct bay_datagram_options options = {.length = sizeof options, .interface = "lo", .hops = 1,
		.flags = BAY_DATAGRAM_REUSE};
	struct bay_address any = address("0.0.0.0:0"), group = address("239.255.77.1:0"),
		one = address("127.0.0.1:0");
	struct bay_datagram *first, *second;

	ck_assert_int_eq(bay_datagram_open(&any, &options, &first), BAY_OK);
	any = bay_datagram_address(first);
	ck_assert_int_eq(bay_datagram_open(&any, &options, &second), BAY_OK);
	ck_assert_int_eq(bay_address_set_port(&group, bay_address_port(&any)), BAY_OK);
	ck_assert_int_eq(bay_datagram_join(first, &group, "lo"), BAY_OK);
	ck_assert_int_eq(bay_datagram_join(second, &group, "lo"), BAY_OK);
	ck_assert_int_eq(bay_datagram_join(first, &group, "lo"), BAY_BUSY);
	ck_assert_int_eq(bay_datagram_join(first, &one, "lo"), BAY_INVALID);
	ck_assert_int_eq(bay_datagram_join(first, &group, "nowhere0"), BAY_INVALID);
	send_text(first, "all", &group);
	expect_text(first, "all", NULL);
	expect_text(second, "all", NULL);
	ck_assert_int_eq(bay_datagram_leave(first, &group, "lo"), BAY_OK);
	ck_assert_int_eq(bay_datagram_leave(first, &group, "lo"), BAY_NOT_FOUND);
	bay_datagram_close(first);
	bay_datagram_close(second);
	return BAY_OK;
}

TASK_TEST(what_makes_no_sense_is_refused)
{
	struct bay_datagram_options short_one = {.length = 8};
	struct bay_datagram_options unknown = {.length = sizeof unknown, .flags = 1u << 20};
	struct bay_datagram_options far = {.length = sizeof far, .hops = 256};
	struct bay_datagram_options no_peer = {.length = sizeof no_peer};
	struct bay_datagram_options nowhere = {.length = sizeof nowhere, .interface = "nowhere0"};
	struct bay_address none, to = address("[::1]:9");
	struct bay_datagram *server = open_at("127.0.0.1:0");

	memset(&none, 0, sizeof none);
	ck_assert_int_eq(open_with(NULL, &short_one), BAY_INVALID);
	ck_assert_int_eq(open_with(NULL, &unknown), BAY_INVALID);
	ck_assert_int_eq(open_with(NULL, &far), BAY_INVALID);
	ck_assert_int_eq(open_with(NULL, &nowhere), BAY_INVALID);
	no_peer.peer = &none;
	ck_assert_int_eq(open_with(NULL, &no_peer), BAY_INVALID);
	ck_assert_int_eq(bay_datagram_send(server, "x", 1, NULL, 0), BAY_INVALID);
	ck_assert_int_eq(bay_datagram_send(server, "x", 1, &to, 0), BAY_INVALID);
	ck_assert_int_eq(bay_datagram_send(server, "x", 1, &none, 0), BAY_INVALID);
	ck_assert_int_eq(bay_datagram_send(NULL, "x", 1, &to, 0), BAY_INVALID);
	bay_datagram_close(server);
	return BAY_OK;
}

TASK_TEST(an_address_that_is_taken_is_busy)
{
	struct bay_datagram *server = open_at("127.0.0.1:0");
	struct bay_address taken = bay_datagram_address(server);
	struct bay_datagram_options options = {.length = sizeof options, .flags = BAY_DATAGRAM_SPREAD};
	char text[64];
	char wanted[128];

	bay_address_text(&taken, text, sizeof text);
	snprintf(wanted, sizeof wanted, "open a socket %s: Address already in use", text);
	ck_assert_int_eq(open_with(text, NULL), BAY_BUSY);
	ck_assert_str_eq(bay_datagram_error(), wanted);
	bay_datagram_close(server);
	ck_assert_int_eq(bay_datagram_open(&taken, &options, &server), BAY_OK);
	ck_assert_int_eq(open_with(text, NULL), BAY_BUSY);
	ck_assert_int_eq(open_with(text, &options), BAY_OK);
	bay_datagram_close(server);
	ck_assert_int_eq(open_with("192.0.2.1:9", NULL), BAY_IO);
	return BAY_OK;
}

TASK_TEST(a_broadcast_wants_the_flag)
{
	struct bay_datagram_options options = {.length = sizeof options, .flags = BAY_DATAGRAM_BROADCAST};
	struct bay_address to = address("127.255.255.255:9"), at = address("127.0.0.1:0");
	struct bay_datagram *socket = open_at("127.0.0.1:0");

	ck_assert_int_eq(bay_datagram_send(socket, "x", 1, &to, BAY_INHERIT), BAY_NOT_PERMITTED);
	bay_datagram_close(socket);
	ck_assert_int_eq(bay_datagram_open(&at, &options, &socket), BAY_OK);
	ck_assert_int_eq(bay_datagram_send(socket, "x", 1, &to, BAY_INHERIT), BAY_OK);
	bay_datagram_close(socket);
	return BAY_OK;
}

/* A socket without us. */
static int
bind_by_hand(const struct bay_address *at)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)(const void *)at->_storage, at->_length), 0);
	return fd;
}

TASK_TEST(the_file_of_a_unix_socket_comes_and_goes_with_it)
{
	struct temp_dir dir;
	struct bay_datagram *socket, *again;
	struct bay_address at;
	char text[BAY_ADDRESS_TEXT_SIZE], other[512];
	struct stat found;
	int stale;

	temp_dir_init(&dir);
	snprintf(text, sizeof text, "unix:%s", temp_dir_path(&dir, "a.sock"));
	there_and_back(text);
	ck_assert_int_ne(stat(text + 5, &found), 0);
	/* One that somebody has open is not taken away, one that nobody has is. */
	socket = open_at(text);
	ck_assert_int_eq(open_with(text, NULL), BAY_BUSY);
	ck_assert_int_eq(stat(text + 5, &found), 0);
	bay_datagram_close(socket);
	at = address(text);
	stale = bind_by_hand(&at);
	ck_assert_int_eq(stat(text + 5, &found), 0);
	close(stale);
	socket = open_at(text);
	/* That of another is not removed. */
	snprintf(other, sizeof other, "%s.old", text + 5);
	ck_assert_int_eq(rename(text + 5, other), 0);
	again = open_at(text);
	bay_datagram_close(socket);
	ck_assert_int_eq(stat(text + 5, &found), 0);
	bay_datagram_close(again);
	/* A file that is no socket is nobody's to replace. */
	temp_dir_write(&dir, "a.sock", "precious");
	ck_assert_int_eq(open_with(text, NULL), BAY_BUSY);
	ck_assert_int_eq(stat(text + 5, &found), 0);
	temp_dir_finish(&dir);
	return BAY_OK;
}

static int
forget_one(void *arg)
{
	struct bay_datagram *socket = open_at("127.0.0.1:0");

	(void)arg;
	ck_assert_int_ge(bay_datagram_fd(socket), 0);
	return BAY_OK;
}

START_TEST(a_socket_that_is_forgotten_is_closed_in_the_end)
{
	size_t before = open_descriptors();

	ck_assert_int_eq(run_task(forget_one, NULL), BAY_OK);
	ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

TASK_TEST(a_socket_ends_with_the_instance_of_its_task)
{
	struct bay_datagram *socket;
	struct task *self = task_current();
	static int instance;
	struct reader reader;
	struct bay_task *task;
	int turns = 0;

	self->instance = (struct bay_instance *)(void *)&instance;
	socket = open_at("127.0.0.1:0");
	self->instance = NULL;
	task = start_reader(&reader, socket, &turns);
	belonging_end_of_instance(scheduler_here, (struct bay_instance *)(void *)&instance);
	end(task);
	ck_assert_int_eq(reader.status, BAY_CLOSED);
	return BAY_OK;
}

TASK_TEST(without_descriptors_it_is_full)
{
	size_t before = open_descriptors();
	int fds[4096];
	int count = 0;

	do {
		fds[count] = dup(0);
	} while (fds[count] >= 0 && ++count < 4096);
	if (count < 4096)
		ck_assert_int_eq(open_with("127.0.0.1:0", NULL), BAY_FULL);
	while (count > 0)
		close(fds[--count]);
	ck_assert_int_eq(open_with("127.0.0.1:0", NULL), BAY_OK);
	ck_assert_uint_eq(open_descriptors(), before);
	return BAY_OK;
}

CHECK_MAIN("io/datagram",
	datagrams_go_there_and_back,
	datagrams_go_over_ipv6,
	readers_are_served_in_the_order_of_coming,
	a_newcomer_does_not_take_what_another_was_woken_for,
	what_is_longer_than_the_buffer_is_told_with_its_length,
	what_no_datagram_can_carry_is_refused,
	nobody_there_is_a_status_and_the_socket_goes_on,
	a_full_receiver_is_waited_for,
	a_full_receiver_that_is_no_peer_is_waited_for_too,
	closing_ends_the_waits,
	closing_ends_the_wait_of_who_was_woken,
	a_deadline_and_a_cancellation_end_a_wait,
	a_deadline_that_has_passed_only_looks,
	who_sends_without_end_lets_others_run,
	a_select_can_wait_for_one,
	closing_ends_selects_too,
	groups_are_joined_and_left,
	what_makes_no_sense_is_refused,
	an_address_that_is_taken_is_busy,
	a_broadcast_wants_the_flag,
	the_file_of_a_unix_socket_comes_and_goes_with_it,
	a_socket_that_is_forgotten_is_closed_in_the_end,
	a_socket_ends_with_the_instance_of_its_task,
	without_descriptors_it_is_full)
