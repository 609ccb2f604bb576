/* SPDX-License-Identifier: BSD-2-Clause */
/* The Log command with a real connection and a ring that the test fills. */
#include "config.h"

#include "master/admin_log.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/config_load.h"
#include "master/admin_commands.h"
#include "master/admin_server.h"
#include "master/log_ring.h"
#include "master/master.h"
#include "master/supervisor.h"
#include "support/check_main.h"
#include "support/temp_dir.h"
#include "support/varlink_client.h"

enum { LINES = 1000 };

struct world {
	struct temp_dir dir;
	struct master master;
	struct config *config;
	struct admin_server *server;
	int listener;
	struct varlink_client client;
};

static void
world_turn(void *arg)
{
	struct world *world = arg;
	struct timeval soon = {.tv_usec = 10 * 1000};

	event_base_loopexit(world->master.base, &soon);
	event_base_loop(world->master.base, EVLOOP_ONCE);
}

/* A service a that nothing is known of but its name. */
static void
make_supervisor(struct world *world)
{
	static const char text[] = "[container]\n[service a]\n";
	static const struct supervisor_watcher watcher;
	struct supervisor_options options = {.base = world->master.base,
		.limits = &supervisor_limits_default, .cell = {.name = "main", .loops = 1}};
	struct config_report report = {0};

	ck_assert(config_load_memory(temp_dir_path(&world->dir, "bay.ini"), text, strlen(text),
		&world->config, &report));
	config_report_finish(&report);
	options.config = world->config;
	world->master.config = world->config;
	world->master.supervisor = supervisor_create(&options, &watcher);
}

static void
world_open(struct world *world)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(address);
	const struct admin_policy policy = {.admin_uid = geteuid(), .operator_group = (gid_t)-1};

	memset(world, 0, sizeof(*world));
	temp_dir_init(&world->dir);
	world->master.base = event_base_new();
	world->master.ring = log_ring_create(LINES);
	world->master.admin_log = admin_log_create(world->master.base, world->master.ring);
	make_supervisor(world);
	world->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(world->listener, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
	ck_assert_int_eq(getsockname(world->listener, (struct sockaddr *)&address, &size), 0);
	ck_assert_int_eq(listen(world->listener, 1), 0);
	world->server = admin_server_create(world->master.base, world->listener, &policy,
		&admin_limits_default, admin_commands_handle, &world->master);
	world->client = (struct varlink_client){.turn = world_turn, .arg = world,
		.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
	ck_assert_int_eq(connect(world->client.fd, (struct sockaddr *)&address, size), 0);
}

static void
world_close(struct world *world)
{
	supervisor_destroy(world->master.supervisor);
	admin_log_destroy(world->master.admin_log);
	admin_server_destroy(world->server);
	event_base_free(world->master.base);
	log_ring_destroy(world->master.ring);
	config_destroy(world->config);
	close(world->listener);
	close(world->client.fd);
	temp_dir_finish(&world->dir);
}

static void
push(struct world *world, const char *subject, const char *text)
{
	struct log_record record = {.level = LOG_LEVEL_INFO, .process = "master",
		.subject = subject, .text = text};

	log_ring_push(world->master.ring, &record);
	admin_log_wake(world->master.admin_log);
}

static void
ask(struct world *world, const char *parameters)
{
	char frame[256];

	snprintf(frame, sizeof(frame),
		"{\"method\":\"io.bayd.Container.Log\",\"more\":true,\"parameters\":{%s}}", parameters);
	client_send(&world->client, frame);
}

/* The next reply is the last one. */
static void
expect_end(struct world *world)
{
	json_t *reply = client_receive(&world->client);

	ck_assert_ptr_nonnull(reply);
	ck_assert_ptr_null(json_object_get(reply, "error"));
	ck_assert(!json_is_true(json_object_get(reply, "continues")));
	ck_assert_ptr_null(json_object_get(json_object_get(reply, "parameters"), "line"));
	json_decref(reply);
}

/* What stands in the line stands beside it, too, unless it tells of lines that are lost. */
static void
expect_parts(const json_t *parts, const char *line)
{
	static const char *const names[] = {"time", "process", "level", "text"};

	if (line[0] == '(')
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *part = json_string_value(json_object_get(parts, names[i]));

		ck_assert_msg(part != NULL && strstr(line, part) != NULL, "%s: %s", names[i], line);
	}
}

/* The next line ends like this. */
static void
expect_line(struct world *world, const char *end)
{
	json_t *reply = client_receive(&world->client);
	const char *line = json_string_value(json_object_get(
		json_object_get(reply, "parameters"), "line"));

	ck_assert(json_is_true(json_object_get(reply, "continues")));
	ck_assert_ptr_nonnull(line);
	ck_assert_uint_ge(strlen(line), strlen(end));
	ck_assert_str_eq(line + strlen(line) - strlen(end), end);
	expect_parts(json_object_get(reply, "parameters"), line);
	json_decref(reply);
}

START_TEST(the_last_lines_come_oldest_first_and_then_the_end)
{
	struct world world;

	world_open(&world);
	push(&world, NULL, "one");
	push(&world, "service a", "two");
	push(&world, NULL, "three");
	ask(&world, "\"lines\":2");
	expect_line(&world, " master info service a: two");
	expect_line(&world, " master info three");
	expect_end(&world);
	world_close(&world);
}
END_TEST

START_TEST(no_lines_are_the_end_at_once)
{
	struct world world;

	world_open(&world);
	ask(&world, "");
	expect_end(&world);
	push(&world, NULL, "one");
	ask(&world, "\"lines\":0");
	expect_end(&world);
	world_close(&world);
}
END_TEST

START_TEST(the_lines_of_one_service_are_told_from_the_others)
{
	struct world world;

	world_open(&world);
	push(&world, "service a", "one");
	push(&world, NULL, "two");
	push(&world, "service a", "three");
	push(&world, NULL, "four");
	ask(&world, "\"lines\":1,\"service\":\"a\"");
	expect_line(&world, "three");
	expect_end(&world);
	world_close(&world);
}
END_TEST

START_TEST(a_service_that_does_not_exist_is_an_error)
{
	struct world world;

	world_open(&world);
	ask(&world, "\"service\":\"nobody\"");
	client_expect_error(&world.client, "io.bayd.Container.NotFound", "nobody");
	world_close(&world);
}
END_TEST

START_TEST(a_client_that_takes_one_reply_only_is_refused)
{
	struct world world;

	world_open(&world);
	client_send(&world.client, "{\"method\":\"io.bayd.Container.Log\"}");
	client_expect_error(&world.client, "org.varlink.service.ExpectedMore", "more");
	world_close(&world);
}
END_TEST

START_TEST(who_follows_gets_new_lines_as_they_come)
{
	struct world world;

	world_open(&world);
	push(&world, NULL, "old");
	ask(&world, "\"lines\":0,\"follow\":true");
	world_turn(&world);
	push(&world, NULL, "one");
	expect_line(&world, "one");
	push(&world, NULL, "two");
	push(&world, NULL, "three");
	expect_line(&world, "two");
	expect_line(&world, "three");
	world_close(&world);
}
END_TEST

START_TEST(who_follows_one_service_is_not_bothered_with_others)
{
	struct world world;

	world_open(&world);
	ask(&world, "\"follow\":true,\"service\":\"a\"");
	world_turn(&world);
	push(&world, NULL, "of another");
	world_turn(&world);
	push(&world, "service a", "mine");
	expect_line(&world, "mine");
	world_close(&world);
}
END_TEST

START_TEST(a_follower_that_goes_away_is_forgotten)
{
	struct world world;

	world_open(&world);
	ask(&world, "\"follow\":true");
	world_turn(&world);
	shutdown(world.client.fd, SHUT_RDWR);
	while (admin_server_connections(world.server) > 0)
		world_turn(&world);
	push(&world, NULL, "nobody listens");
	world_turn(&world);
	world_close(&world);
}
END_TEST

static char *
long_text(unsigned n)
{
	static char text[3000];

	memset(text, 'x', sizeof(text) - 1);
	snprintf(text, 16, "%08u", n);
	text[8] = ' ';
	memcpy(text + sizeof(text) - 10, text, 8);
	return text;
}

static unsigned
number_of(const json_t *reply)
{
	const char *line = json_string_value(json_object_get(
		json_object_get(reply, "parameters"), "line"));

	ck_assert_ptr_nonnull(line);
	return (unsigned)strtoul(line + strlen(line) - 9, NULL, 10);
}

START_TEST(more_lines_than_fit_come_as_the_client_reads_them)
{
	struct world world;

	/* 3 MB through a connection that holds 1 MiB. */
	world_open(&world);
	for (unsigned i = 0; i < LINES; i++)
		push(&world, NULL, long_text(i));
	ask(&world, "\"lines\":1000");
	for (int i = 0; i < 5; i++)
		world_turn(&world);
	for (unsigned i = 0; i < LINES; i++) {
		json_t *reply = client_receive(&world.client);

		ck_assert_uint_eq(number_of(reply), i);
		json_decref(reply);
	}
	expect_end(&world);
	world_close(&world);
}
END_TEST

START_TEST(a_follower_too_slow_for_the_ring_is_told_what_it_lost)
{
	struct world world;
	unsigned expected = 0;
	unsigned lost = 0;

	world_open(&world);
	ask(&world, "\"lines\":0,\"follow\":true");
	world_turn(&world);
	for (unsigned i = 0; i < 3 * LINES; i++) {
		push(&world, NULL, long_text(i));
		if (i % 100 == 0)
			world_turn(&world);
	}
	while (expected < 3 * LINES) {
		json_t *reply = client_receive(&world.client);
		const char *line = json_string_value(json_object_get(
			json_object_get(reply, "parameters"), "line"));

		if (sscanf(line, "(%u lines are lost here", &lost) == 1) {
			expected += lost;
		} else {
			ck_assert_uint_eq(number_of(reply), expected);
			expected++;
		}
		json_decref(reply);
	}
	ck_assert_uint_gt(lost, 0);
	world_close(&world);
}
END_TEST

START_TEST(the_lines_of_one_trace_are_told_with_its_id)
{
	const struct log_record traced = {.level = LOG_LEVEL_INFO, .process = "cell main", .subject = "service a",
		.text = "traced", .trace = {UINT64_C(0x4bf92f3577b34da6), UINT64_C(0xa3ce929d0e0e4736)}};
	struct world world;
	json_t *reply;

	world_open(&world);
	push(&world, "service a", "one");
	log_ring_push(world.master.ring, &traced);
	push(&world, "service a", "two");
	ask(&world, "\"trace\":\"4bf92f3577b34da6a3ce929d0e0e4736\"");
	reply = client_receive(&world.client);
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(reply, "parameters"), "trace")),
		"4bf92f3577b34da6a3ce929d0e0e4736");
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(reply, "parameters"), "text")), "traced");
	json_decref(reply);
	expect_end(&world);
	ask(&world, "\"trace\":\"rubbish\"");
	client_expect_error(&world.client, "io.bayd.Container.Failed", "the trace is not valid");
	world_close(&world);
}
END_TEST

CHECK_MAIN("master/admin_log",
	the_last_lines_come_oldest_first_and_then_the_end,
	no_lines_are_the_end_at_once,
	the_lines_of_one_service_are_told_from_the_others,
	a_service_that_does_not_exist_is_an_error,
	a_client_that_takes_one_reply_only_is_refused,
	who_follows_gets_new_lines_as_they_come,
	who_follows_one_service_is_not_bothered_with_others,
	a_follower_that_goes_away_is_forgotten,
	more_lines_than_fit_come_as_the_client_reads_them,
	a_follower_too_slow_for_the_ring_is_told_what_it_lost,
	the_lines_of_one_trace_are_told_with_its_id)
