/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server with a handler of canned answers and clients that behave well and badly, all in
 * one process: whoever waits lets the server's events run meanwhile.
 */
#include "config.h"

#include "master/admin_server.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/fd.h"
#include "config/config_load.h"
#include "master/admin_roles.h"
#include "protocol/body.h"
#include "support/check_main.h"
#include "support/varlink_client.h"

#define MS(n) ((n) * (int64_t)CLOCK_NS_PER_MS)

struct world {
	struct event_base *base;
	struct admin_server *server;
	struct admin_limits limits;
	int listener;
	struct sockaddr_un address;
	struct admin_request *held; /* by test.Hold */
	unsigned handled;
	unsigned gone;
	unsigned room;
	enum interface_role role; /* of the last request */
	size_t fds;               /* that came with the last request */
};

/* --- the server's side -------------------------------------------------------------- */

static void
on_gone(struct admin_request *request, void *arg)
{
	struct world *world = arg;

	ck_assert_ptr_eq(request, world->held);
	world->gone++;
}

static void
on_room(struct admin_request *request, void *arg)
{
	struct world *world = arg;

	ck_assert_ptr_eq(request, world->held);
	world->room++;
}

static json_t *
big_text(void)
{
	static char text[300 * 1024];

	memset(text, 'x', sizeof(text) - 1);
	return json_pack("{s:s}", "text", text);
}

static void
handle(struct admin_request *request, void *arg)
{
	struct world *world = arg;

	world->handled++;
	world->role = request->peer.role;
	world->fds = request->fds.count;
	if (strcmp(request->method, "test.Echo") == 0) {
		admin_reply(request, json_deep_copy(request->parameters));
	} else if (strcmp(request->method, "test.Hold") == 0) {
		ck_assert_ptr_null(world->held);
		world->held = request;
		admin_request_watch(request, on_gone, on_room, world);
	} else if (strcmp(request->method, "test.Big") == 0) {
		admin_reply(request, big_text());
	} else if (strcmp(request->method, "test.Memfd") == 0) {
		admin_reply_with_fd(request, NULL, body_memfd_create("hello", 5));
	} else if (strcmp(request->method, "test.BigMemfd") == 0) {
		static const char much[600 * 1000];

		admin_reply_with_fd(request, NULL, body_memfd_create(much, sizeof(much)));
	} else if (strcmp(request->method, "test.Refuse") == 0) {
		admin_refuse(request, "not %s", "today");
	} else {
		admin_fail(request, BAY_NOT_FOUND, "no method %s", request->method);
	}
}

static void
world_start(struct world *world)
{
	socklen_t size = sizeof(world->address);

	signal(SIGPIPE, SIG_IGN);
	world->base = event_base_new();
	world->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* Autobind: an abstract address that is free. */
	world->address.sun_family = AF_UNIX;
	ck_assert_int_eq(bind(world->listener, (struct sockaddr *)&world->address,
		sizeof(sa_family_t)), 0);
	ck_assert_int_eq(getsockname(world->listener, (struct sockaddr *)&world->address, &size),
		0);
	ck_assert_int_eq(listen(world->listener, 200), 0);
	if (world->limits.connections_per_uid == 0)
		world->limits = admin_limits_default;
	world->server = admin_server_create(world->base, world->listener,
		&(struct admin_policy){.admin_uid = geteuid(), .operator_group = (gid_t)-1},
		&world->limits, handle, world);
	ck_assert_ptr_nonnull(world->server);
}

static void
world_end(struct world *world)
{
	admin_server_destroy(world->server);
	if (world->held != NULL)
		admin_reply(world->held, NULL);
	event_base_free(world->base);
	close(world->listener);
}

/* Lets the server's events run once, waiting for one at most 10 ms. */
static void
world_turn(void *arg)
{
	struct world *world = arg;
	struct timeval soon = {.tv_usec = 10 * 1000};

	event_base_loopexit(world->base, &soon);
	event_base_loop(world->base, EVLOOP_ONCE);
}

/* --- clients -------------------------------------------------------------------------- */

/* With fd -1: the queue of the listener is full. */
static struct varlink_client
client_try_to_connect(struct world *world)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&world->address,
		(socklen_t)(sizeof(sa_family_t) + 6)) != 0) {
		ck_assert_int_eq(errno, EAGAIN);
		fd_close(&fd);
	}
	return (struct varlink_client){.fd = fd, .turn = world_turn, .arg = world};
}

static struct varlink_client
client_connect(struct world *world)
{
	struct varlink_client client = client_try_to_connect(world);

	ck_assert_int_ge(client.fd, 0);
	return client;
}

static void
expect_echo(const struct varlink_client *client, int n)
{
	json_t *reply = client_receive(client);

	ck_assert_ptr_nonnull(reply);
	ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(reply, "parameters"),
		"n")), n);
	json_decref(reply);
}

/* --- the tests -------------------------------------------------------------------------- */

START_TEST(a_request_is_answered)
{
	struct world world = {0};
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	client_send(&client, "{\"method\":\"test.Echo\",\"parameters\":{\"n\":5}}");
	expect_echo(&client, 5);
	ck_assert_int_eq(world.role, INTERFACE_ROLE_ADMIN);
	close(client.fd);
	world_end(&world);
}
END_TEST

START_TEST(several_requests_in_one_write_are_answered_in_order)
{
	static const char frames[] = "{\"method\":\"test.Echo\",\"parameters\":{\"n\":1}}\0"
		"{\"method\":\"test.Echo\",\"parameters\":{\"n\":2}}\0"
		"{\"method\":\"test.Echo\",\"parameters\":{\"n\":3}}";
	struct world world = {0};
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	ck_assert(client_send_bytes(&client, frames, sizeof(frames)));
	for (int n = 1; n <= 3; n++)
		expect_echo(&client, n);
	close(client.fd);
	world_end(&world);
}
END_TEST

START_TEST(an_error_carries_its_name_message_and_status)
{
	struct world world = {0};
	json_t *reply;
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	client_send(&client, "{\"method\":\"test.None\"}");
	reply = client_receive(&client);
	ck_assert_str_eq(json_string_value(json_object_get(reply, "error")),
		"io.bayd.Container.NotFound");
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(reply, "parameters"),
		"status")), "not-found");
	json_decref(reply);
	client_send(&client, "{\"method\":\"test.Refuse\"}");
	client_expect_error(&client, "io.bayd.Container.Refused", "not today");
	close(client.fd);
	world_end(&world);
}
END_TEST

START_TEST(one_request_of_a_connection_is_in_work_at_a_time)
{
	struct world world = {0};
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	client_send(&client, "{\"method\":\"test.Hold\"}");
	client_send(&client, "{\"method\":\"test.Echo\",\"parameters\":{\"n\":2}}");
	while (world.held == NULL)
		world_turn(&world);
	for (int i = 0; i < 5; i++)
		world_turn(&world);
	ck_assert_uint_eq(world.handled, 1);
	admin_reply(world.held, NULL);
	world.held = NULL;
	json_decref(client_receive(&client));
	expect_echo(&client, 2);
	close(client.fd);
	world_end(&world);
}
END_TEST

START_TEST(a_client_that_goes_away_is_told_to_the_handler_who_still_ends_the_request)
{
	struct world world = {0};
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	client_send(&client, "{\"method\":\"test.Hold\"}");
	while (world.held == NULL)
		world_turn(&world);
	close(client.fd);
	while (world.gone == 0)
		world_turn(&world);
	ck_assert_uint_eq(admin_server_connections(world.server), 0);
	ck_assert(!admin_reply_part(world.held, json_object()));
	admin_reply(world.held, NULL);
	world.held = NULL;
	world_end(&world);
}
END_TEST

/* A client whose request is held, and who sends no more. */
static struct varlink_client
start_with_half_closed(struct world *world)
{
	struct varlink_client client;

	world_start(world);
	client = client_connect(world);
	client_send(&client, "{\"method\":\"test.Hold\"}");
	ck_assert_int_eq(shutdown(client.fd, SHUT_WR), 0);
	while (world->held == NULL)
		world_turn(world);
	for (int i = 0; i < 5; i++)
		world_turn(world);
	ck_assert_uint_eq(world->gone, 0);
	return client;
}

START_TEST(a_client_that_stops_sending_and_goes_away_later_is_told_to_the_handler)
{
	struct world world = {0};
	struct varlink_client client = start_with_half_closed(&world);

	close(client.fd);
	while (world.gone == 0)
		world_turn(&world);
	ck_assert_uint_eq(admin_server_connections(world.server), 0);
	admin_reply(world.held, NULL);
	world.held = NULL;
	world_end(&world);
}
END_TEST

START_TEST(a_client_that_only_stops_sending_gets_its_reply)
{
	struct world world = {0};
	struct varlink_client client = start_with_half_closed(&world);

	admin_reply(world.held, json_pack("{s:i}", "n", 7));
	world.held = NULL;
	expect_echo(&client, 7);
	client_expect_closed(&client);
	close(client.fd);
	world_end(&world);
}
END_TEST

START_TEST(junk_gets_one_error_and_the_end)
{
	struct world world = {0};
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	client_send(&client, "GET / HTTP/1.1\r\n");
	client_expect_error(&client, "org.varlink.service.InvalidParameter", "JSON");
	client_expect_closed(&client);
	ck_assert_uint_eq(world.handled, 0);
	close(client.fd);
	world_end(&world);
}
END_TEST

START_TEST(an_object_that_is_no_call_gets_one_error_and_the_end)
{
	struct world world = {0};
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	client_send(&client, "{\"methods\":\"test.Echo\"}");
	client_expect_error(&client, "org.varlink.service.InvalidParameter", "read a request");
	client_expect_closed(&client);
	close(client.fd);
	world_end(&world);
}
END_TEST

START_TEST(a_request_without_end_is_refused_at_the_limit_and_not_kept)
{
	static char chunk[64 * 1024];
	struct world world = {0};
	size_t sent = 0;
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	memset(chunk, '{', sizeof(chunk));
	/* A gigabyte, unless the server closes before. */
	while (sent < (size_t)1 << 30 && client_send_bytes(&client, chunk, sizeof(chunk)))
		sent += sizeof(chunk);
	ck_assert_uint_lt(sent, 2 * 1024 * 1024);
	client_expect_error(&client, "io.bayd.Container.TooBig", "larger than the limit");
	ck_assert_uint_eq(admin_server_connections(world.server), 0);
	close(client.fd);
	world_end(&world);
}
END_TEST

/* That this process has computed, however busy the machine is. */
static int64_t
cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * CLOCK_NS_PER_S + now.tv_nsec;
}

START_TEST(a_bomb_of_tokens_is_refused_before_it_is_decoded)
{
	struct buffer bomb = {0};
	struct world world = {0};
	int64_t started_ns;
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	ck_assert(buffer_append_text(&bomb, "{\"method\":\"test.Echo\",\"parameters\":{\"a\":["));
	while (bomb.size < 200 * 1024)
		ck_assert(buffer_append_text(&bomb, "{},"));
	ck_assert(buffer_append(&bomb, "0]}}", 5));
	started_ns = cpu_ns();
	ck_assert(client_send_bytes(&client, bomb.data, bomb.size));
	client_expect_error(&client, "io.bayd.Container.TooBig", "more values than the limit");
	ck_assert_int_lt(cpu_ns() - started_ns, CLOCK_NS_PER_S);
	client_expect_closed(&client);
	buffer_finish(&bomb);
	close(client.fd);
	world_end(&world);
}
END_TEST

START_TEST(half_a_request_is_given_a_time_and_then_refused)
{
	struct world world = {.limits = {.connections_per_uid = 64, .output_bytes = 1024 * 1024,
		.partial_ns = MS(50), .stall_ns = MS(10000)}};
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	ck_assert(client_send_bytes(&client, "{\"method\"", 9));
	client_expect_error(&client, "io.bayd.Container.Timeout", "did not come within 50ms");
	client_expect_closed(&client);
	close(client.fd);
	world_end(&world);
}
END_TEST

START_TEST(dribbling_does_not_extend_the_time_of_half_a_request)
{
	struct world world = {.limits = {.connections_per_uid = 64, .output_bytes = 1024 * 1024,
		.partial_ns = MS(100), .stall_ns = MS(10000)}};
	int64_t started_ns;
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	started_ns = clock_monotonic_ns();
	while (client_send_bytes(&client, " ", 1) &&
	       clock_monotonic_ns() - started_ns < 30 * (int64_t)CLOCK_NS_PER_S)
		continue;
	ck_assert_int_lt(clock_monotonic_ns() - started_ns, 30 * (int64_t)CLOCK_NS_PER_S);
	close(client.fd);
	world_end(&world);
}
END_TEST

START_TEST(an_idle_connection_may_stay)
{
	struct world world = {.limits = {.connections_per_uid = 64, .output_bytes = 1024 * 1024,
		.partial_ns = MS(20), .stall_ns = MS(20)}};
	int64_t until_ns;
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	client_send(&client, "{\"method\":\"test.Echo\",\"parameters\":{\"n\":1}}");
	expect_echo(&client, 1);
	until_ns = clock_monotonic_ns() + MS(100);
	while (clock_monotonic_ns() < until_ns)
		world_turn(&world);
	client_send(&client, "{\"method\":\"test.Echo\",\"parameters\":{\"n\":2}}");
	expect_echo(&client, 2);
	close(client.fd);
	world_end(&world);
}
END_TEST

START_TEST(one_connection_too_many_is_refused_and_the_others_go_on)
{
	struct world world = {0};
	struct varlink_client clients[65];

	world_start(&world);
	for (int i = 0; i < 65; i++)
		clients[i] = client_connect(&world);
	client_expect_error(&clients[64], "io.bayd.Container.Full", "64 connections already");
	client_expect_closed(&clients[64]);
	ck_assert_uint_eq(admin_server_connections(world.server), 64);
	client_send(&clients[63], "{\"method\":\"test.Echo\",\"parameters\":{\"n\":4}}");
	expect_echo(&clients[63], 4);
	close(clients[0].fd);
	while (admin_server_connections(world.server) == 64)
		world_turn(&world);
	clients[0] = client_connect(&world);
	client_send(&clients[0], "{\"method\":\"test.Echo\",\"parameters\":{\"n\":5}}");
	expect_echo(&clients[0], 5);
	for (int i = 0; i < 65; i++)
		close(clients[i].fd);
	world_end(&world);
}
END_TEST

START_TEST(a_client_that_never_reads_is_read_no_more_and_dropped_after_a_while)
{
	struct world world = {.limits = {.connections_per_uid = 64, .output_bytes = 1024 * 1024,
		.partial_ns = MS(10000), .stall_ns = MS(100)}};
	static const char frame[] = "{\"method\":\"test.Big\"}";
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	/* 1,000 replies of 300 kB each would be 300 MB. */
	for (int i = 0; i < 1000; i++) {
		if (write(client.fd, frame, sizeof(frame)) < 0 && errno != EAGAIN)
			break;
	}
	while (admin_server_connections(world.server) > 0 || world.handled == 0)
		world_turn(&world);
	/* 1 MiB of output, what the socket holds, and one beyond. */
	ck_assert_uint_lt(world.handled, 10);
	close(client.fd);
	world_end(&world);
}
END_TEST

/* How many of many requests are answered while the client reads nothing. */
static unsigned
requests_of_hog(struct world *world, const struct varlink_client *client, const char *frame)
{
	size_t size = strlen(frame) + 1;

	for (int i = 0; i < 40; i++) {
		if (write(client->fd, frame, size) < 0 && errno != EAGAIN)
			break;
		world_turn(world);
	}
	return world->handled;
}

START_TEST(a_client_that_leaves_replies_with_descriptors_unread_gets_no_more_of_them)
{
	struct world world = {0};
	struct varlink_client client, other;

	world_start(&world);
	client = client_connect(&world);
	ck_assert_uint_le(requests_of_hog(&world, &client, "{\"method\":\"test.Memfd\"}"), 4);
	ck_assert_uint_gt(world.handled, 0);
	/* Nobody else notices. */
	other = client_connect(&world);
	client_send(&other, "{\"method\":\"test.Echo\",\"parameters\":{\"n\":2}}");
	expect_echo(&other, 2);
	close(client.fd);
	close(other.fd);
	world_end(&world);
}
END_TEST

START_TEST(memory_files_count_as_output_that_waits)
{
	struct world world = {0};
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	/* Of 600 kB each. */
	ck_assert_uint_eq(requests_of_hog(&world, &client, "{\"method\":\"test.BigMemfd\"}"), 2);
	close(client.fd);
	world_end(&world);
}
END_TEST

START_TEST(a_client_that_leaves_descriptors_unread_is_dropped_after_a_while)
{
	struct world world = {.limits = {.connections_per_uid = 64, .output_bytes = 1024 * 1024,
		.output_fds = 4, .partial_ns = MS(10000), .stall_ns = MS(100)}};
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	for (int i = 0; i < 5; i++)
		client_send(&client, "{\"method\":\"test.Memfd\"}");
	while (admin_server_connections(world.server) > 0 || world.handled == 0)
		world_turn(&world);
	ck_assert_uint_eq(world.handled, 4);
	close(client.fd);
	world_end(&world);
}
END_TEST

START_TEST(who_reads_gets_all_descriptors_however_many_it_asks_for_at_once)
{
	struct world world = {0};
	struct varlink_client client;
	unsigned got = 0;

	world_start(&world);
	client = client_connect(&world);
	for (int i = 0; i < 30; i++)
		client_send(&client, "{\"method\":\"test.Memfd\"}");
	while (got < 30) {
		int received[4];
		size_t count = 4;
		char data[256];

		if (fd_receive_with(client.fd, data, sizeof(data), received, &count) <= 0)
			count = 0;
		got += (unsigned)count;
		while (count > 0)
			close(received[--count]);
		world_turn(&world);
	}
	ck_assert_uint_eq(world.handled, 30);
	close(client.fd);
	world_end(&world);
}
END_TEST

START_TEST(the_last_descriptors_are_not_for_clients)
{
	struct world world = {0};
	struct varlink_client client, late;
	struct rlimit limit, few;

	world_start(&world);
	client = client_connect(&world);
	client_send(&client, "{\"method\":\"test.Echo\",\"parameters\":{\"n\":1}}");
	expect_echo(&client, 1);
	late = client_connect(&world);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = (rlim_t)late.fd + 20;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	client_expect_error(&late, "io.bayd.Container.Full", "no more files");
	client_expect_closed(&late);
	client_send(&client, "{\"method\":\"test.Echo\",\"parameters\":{\"n\":2}}");
	expect_echo(&client, 2);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	close(client.fd);
	close(late.fd);
	world_end(&world);
}
END_TEST

START_TEST(a_slow_reader_gets_everything)
{
	struct world world = {0};
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	for (int i = 0; i < 12; i++)
		client_send(&client, "{\"method\":\"test.Big\"}");
	for (int i = 0; i < 12; i++) {
		json_t *reply = client_receive(&client);

		ck_assert_uint_eq(json_string_length(json_object_get(
			json_object_get(reply, "parameters"), "text")), 300 * 1024 - 1);
		json_decref(reply);
	}
	close(client.fd);
	world_end(&world);
}
END_TEST

START_TEST(parts_are_sent_until_there_is_no_room_and_again_when_there_is)
{
	struct world world = {0};
	unsigned parts = 0;
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	client_send(&client, "{\"method\":\"test.Hold\",\"more\":true}");
	while (world.held == NULL)
		world_turn(&world);
	ck_assert(world.held->more);
	while (admin_reply_part(world.held, big_text())) {
		world_turn(&world);
		parts++;
	}
	ck_assert_uint_ge(parts, 3);
	ck_assert_uint_lt(parts, 10);
	ck_assert_uint_eq(world.room, 0);
	for (unsigned i = 0; i < parts; i++)
		json_decref(client_receive(&client));
	ck_assert_uint_eq(world.room, 1);
	ck_assert(admin_reply_part(world.held, big_text()));
	json_decref(client_receive(&client));
	close(client.fd);
	while (world.gone == 0)
		world_turn(&world);
	world_end(&world);
}
END_TEST

START_TEST(a_oneway_request_gets_no_reply)
{
	struct world world = {0};
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	client_send(&client,
		"{\"method\":\"test.Echo\",\"oneway\":true,\"parameters\":{\"n\":1}}");
	client_send(&client, "{\"method\":\"test.Echo\",\"parameters\":{\"n\":2}}");
	expect_echo(&client, 2);
	ck_assert_uint_eq(world.handled, 2);
	close(client.fd);
	world_end(&world);
}
END_TEST

static unsigned
open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

START_TEST(descriptors_of_a_request_are_closed_with_it)
{
	static const char frame[] = "{\"method\":\"test.Echo\",\"parameters\":{\"n\":1}}";
	struct world world = {0};
	unsigned before;
	int extra[2];
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	client_send(&client, frame);
	expect_echo(&client, 1);
	ck_assert_int_eq(pipe(extra), 0);
	before = open_fds();
	ck_assert_int_eq(fd_send_with(client.fd, frame, sizeof(frame), extra, 2), sizeof(frame));
	expect_echo(&client, 1);
	ck_assert_uint_eq(world.fds, 2);
	ck_assert_uint_eq(open_fds(), before);
	close(client.fd);
	world_end(&world);
}
END_TEST

START_TEST(more_descriptors_than_a_frame_may_have_are_refused)
{
	static const char frame[] = "{\"method\":\"test.Echo\"}";
	struct world world = {0};
	struct varlink_client client;
	unsigned before;
	int fds[5];

	world_start(&world);
	client = client_connect(&world);
	for (int i = 0; i < 5; i++)
		fds[i] = dup(STDERR_FILENO);
	before = open_fds();
	ck_assert_int_eq(fd_send_with(client.fd, frame, sizeof(frame), fds, 5), sizeof(frame));
	client_expect_error(&client, "io.bayd.Container.TooBig", "too many descriptors");
	client_expect_closed(&client);
	ck_assert_uint_eq(world.handled, 0);
	/* Nothing of it is kept, and the connection's own end is gone. */
	ck_assert_uint_le(open_fds(), before);
	close(client.fd);
	world_end(&world);
}
END_TEST

START_TEST(without_descriptors_clients_wait_and_the_processor_rests)
{
	struct world world = {0};
	struct varlink_client client, waiting;
	struct rlimit limit, none;
	unsigned turns = 0;
	int64_t until_ns;

	world_start(&world);
	client = client_connect(&world);
	client_send(&client, "{\"method\":\"test.Echo\",\"parameters\":{\"n\":1}}");
	expect_echo(&client, 1);
	waiting = client_connect(&world);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	client_send(&waiting, "{\"method\":\"test.Echo\",\"parameters\":{\"n\":3}}");
	/* A client that stays in the backlog would make its event come each time at once. */
	until_ns = clock_monotonic_ns() + MS(100);
	for (; clock_monotonic_ns() < until_ns; turns++)
		world_turn(&world);
	ck_assert_uint_le(turns, 20);
	/* Those who are connected are served. */
	client_send(&client, "{\"method\":\"test.Echo\",\"parameters\":{\"n\":2}}");
	expect_echo(&client, 2);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	expect_echo(&waiting, 3);
	close(client.fd);
	close(waiting.fd);
	world_end(&world);
}
END_TEST

START_TEST(a_thousand_connections_of_one_user_leave_as_many_as_are_allowed)
{
	struct world world = {0};
	struct rlimit limit;
	struct varlink_client *clients = calloc(1000, sizeof(*clients));

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < 2200)
		CHECK_SKIP("a process may have only %llu descriptors",
			(unsigned long long)limit.rlim_max);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	world_start(&world);
	for (int i = 0; i < 1000; i++) {
		/* The queue of the listener is shorter. */
		clients[i] = client_try_to_connect(&world);
		while (clients[i].fd < 0) {
			world_turn(&world);
			clients[i] = client_try_to_connect(&world);
		}
	}
	while (admin_server_connections(world.server) != 64)
		world_turn(&world);
	for (int i = 64; i < 1000; i++)
		client_expect_error(&clients[i], "io.bayd.Container.Full", "close one first");
	client_send(&clients[63], "{\"method\":\"test.Echo\",\"parameters\":{\"n\":4}}");
	expect_echo(&clients[63], 4);
	for (int i = 0; i < 1000; i++)
		close(clients[i].fd);
	while (admin_server_connections(world.server) != 0)
		world_turn(&world);
	free(clients);
	world_end(&world);
}
END_TEST

START_TEST(a_crowd_at_the_door_does_not_keep_the_others_waiting)
{
	struct world world = {.limits = {.connections_per_uid = 1000, .output_bytes = 1024,
		.partial_ns = MS(10000), .stall_ns = MS(10000)}};
	struct varlink_client clients[100];

	world_start(&world);
	for (int i = 0; i < 100; i++)
		clients[i] = client_connect(&world);
	event_base_loop(world.base, EVLOOP_ONCE);
	ck_assert_uint_gt(admin_server_connections(world.server), 0);
	ck_assert_uint_lt(admin_server_connections(world.server), 50);
	for (int i = 0; i < 100; i++)
		close(clients[i].fd);
	world_end(&world);
}
END_TEST

START_TEST(a_reply_can_carry_a_descriptor)
{
	struct world world = {0};
	char data[256];
	int received[4];
	size_t count = 4;
	ssize_t got;
	struct varlink_client client;

	world_start(&world);
	client = client_connect(&world);
	client_send(&client, "{\"method\":\"test.Memfd\"}");
	while ((got = fd_receive_with(client.fd, data, sizeof(data), received, &count)) < 0) {
		count = 4;
		world_turn(&world);
	}
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(pread(received[0], data, sizeof(data), 0), 5);
	close(received[0]);
	close(client.fd);
	world_end(&world);
}
END_TEST

START_TEST(other_users_have_no_role_and_members_of_the_group_are_operators)
{
	struct admin_policy policy = {.admin_uid = 0, .operator_group = 4321};
	struct admin_peer peer;
	const gid_t groups[] = {17, 4321};
	int fds[2];

	if (geteuid() != 0)
		CHECK_SKIP("only root can become somebody else");
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert(admin_peer_read(fds[0], &policy, &peer));
	ck_assert_int_eq(peer.role, INTERFACE_ROLE_ADMIN);
	ck_assert_int_eq(setgroups(2, groups), 0);
	ck_assert_int_eq(setegid(999), 0);
	ck_assert_int_eq(seteuid(12345), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert(admin_peer_read(fds[0], &policy, &peer));
	ck_assert_uint_eq(peer.uid, 12345);
	ck_assert_int_eq(peer.role, INTERFACE_ROLE_OPERATOR);
	policy.operator_group = 999;
	ck_assert(admin_peer_read(fds[0], &policy, &peer));
	ck_assert_int_eq(peer.role, INTERFACE_ROLE_OPERATOR);
	policy.operator_group = 77;
	ck_assert(admin_peer_read(fds[0], &policy, &peer));
	ck_assert_int_eq(peer.role, INTERFACE_ROLE_NONE);
	policy.operator_group = (gid_t)-1;
	ck_assert(admin_peer_read(fds[0], &policy, &peer));
	ck_assert_int_eq(peer.role, INTERFACE_ROLE_NONE);
	policy.admin_uid = 12345;
	ck_assert(admin_peer_read(fds[0], &policy, &peer));
	ck_assert_int_eq(peer.role, INTERFACE_ROLE_ADMIN);
	/* The leak checker wants to look at this process. */
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0);
}
END_TEST

/* Lists as the configuration has them. */
static struct admin_roles *
roles_of(const char *text)
{
	struct config_report report = {0};
	struct admin_roles *roles;
	struct config *config;

	ck_assert(config_load_memory("test.ini", text, strlen(text), &config, &report));
	roles = admin_roles_create(config, &report);
	config_report_finish(&report);
	config_destroy(config);
	return roles;
}

START_TEST(other_roles_count_for_who_is_connected)
{
	struct admin_roles *viewers = roles_of("[container]\nviewers = *\n");
	struct admin_roles *operators = roles_of("[container]\nviewers = *\noperators = 12345\n");
	const struct {
		const struct admin_roles *roles;
		enum interface_role role;
	} steps[] = {
		{NULL, INTERFACE_ROLE_NONE},
		{operators, INTERFACE_ROLE_OPERATOR},
		{viewers, INTERFACE_ROLE_VIEWER},
		{NULL, INTERFACE_ROLE_NONE},
	};
	struct world world = {0};
	struct varlink_client client;

	if (geteuid() != 0)
		CHECK_SKIP("only root can become somebody else");
	world_start(&world);
	ck_assert_int_eq(seteuid(12345), 0);
	client = client_connect(&world);
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0);
	for (int i = 0; i < 4; i++) {
		admin_server_set_roles(world.server, steps[i].roles);
		client_send(&client, "{\"method\":\"test.Echo\",\"parameters\":{\"n\":5}}");
		expect_echo(&client, 5);
		ck_assert_int_eq(world.role, steps[i].role);
	}
	close(client.fd);
	world_end(&world);
	admin_roles_destroy(viewers);
	admin_roles_destroy(operators);
}
END_TEST

CHECK_MAIN("master/admin_server",
	a_request_is_answered,
	several_requests_in_one_write_are_answered_in_order,
	an_error_carries_its_name_message_and_status,
	one_request_of_a_connection_is_in_work_at_a_time,
	a_client_that_goes_away_is_told_to_the_handler_who_still_ends_the_request,
	a_client_that_stops_sending_and_goes_away_later_is_told_to_the_handler,
	a_client_that_only_stops_sending_gets_its_reply,
	junk_gets_one_error_and_the_end,
	an_object_that_is_no_call_gets_one_error_and_the_end,
	a_request_without_end_is_refused_at_the_limit_and_not_kept,
	a_bomb_of_tokens_is_refused_before_it_is_decoded,
	half_a_request_is_given_a_time_and_then_refused,
	dribbling_does_not_extend_the_time_of_half_a_request,
	an_idle_connection_may_stay,
	one_connection_too_many_is_refused_and_the_others_go_on,
	a_client_that_never_reads_is_read_no_more_and_dropped_after_a_while,
	a_client_that_leaves_replies_with_descriptors_unread_gets_no_more_of_them,
	memory_files_count_as_output_that_waits,
	a_client_that_leaves_descriptors_unread_is_dropped_after_a_while,
	who_reads_gets_all_descriptors_however_many_it_asks_for_at_once,
	the_last_descriptors_are_not_for_clients,
	a_slow_reader_gets_everything,
	parts_are_sent_until_there_is_no_room_and_again_when_there_is,
	a_oneway_request_gets_no_reply,
	descriptors_of_a_request_are_closed_with_it,
	more_descriptors_than_a_frame_may_have_are_refused,
	without_descriptors_clients_wait_and_the_processor_rests,
	a_thousand_connections_of_one_user_leave_as_many_as_are_allowed,
	a_crowd_at_the_door_does_not_keep_the_others_waiting,
	a_reply_can_carry_a_descriptor,
	other_users_have_no_role_and_members_of_the_group_are_operators,
	other_roles_count_for_who_is_connected)
