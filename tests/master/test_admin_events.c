/* SPDX-License-Identifier: BSD-2-Clause */
/* The Events command with a real connection and events that the test adds. */
#include "config.h"

#include "master/admin_events.h"

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
#include "master/event_log.h"
#include "master/master.h"
#include "master/supervisor.h"
#include "support/check_main.h"
#include "support/temp_dir.h"
#include "support/varlink_client.h"

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
	world->master.events = event_log_create();
	world->master.admin_events = admin_events_create(world->master.base, world->master.events);
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
	admin_events_destroy(world->master.admin_events);
	admin_server_destroy(world->server);
	event_base_free(world->master.base);
	event_log_destroy(world->master.events);
	config_destroy(world->config);
	close(world->listener);
	close(world->client.fd);
	temp_dir_finish(&world->dir);
}

static void
add(struct world *world, const char *service, const char *why)
{
	event_log_add(world->master.events, EVENT_STOPPED,
		&(struct event_facts){.service = service, .by = {EVENT_BY_USER, 7, 8}}, "%s", why);
}

static void
ask(struct world *world, const char *parameters)
{
	char frame[256];

	snprintf(frame, sizeof(frame),
		"{\"method\":\"io.bayd.Container.Events\",\"more\":true,\"parameters\":{%s}}", parameters);
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
	ck_assert_uint_eq(json_object_size(json_object_get(reply, "parameters")), 0);
	json_decref(reply);
}

/* The next event has this number and this reason. */
static void
expect_event(struct world *world, int number, const char *why)
{
	json_t *reply = client_receive(&world->client);
	json_t *event = json_object_get(json_object_get(reply, "parameters"), "event");

	ck_assert(json_is_true(json_object_get(reply, "continues")));
	ck_assert_int_eq(json_integer_value(json_object_get(event, "number")), number);
	ck_assert_str_eq(json_string_value(json_object_get(event, "why")), why);
	json_decref(reply);
}

/* The next reply says that so many are lost before this one. */
static void
expect_gap(struct world *world, int count, int next, bool restarted)
{
	json_t *reply = client_receive(&world->client);
	json_t *lost = json_object_get(json_object_get(reply, "parameters"), "lost");

	ck_assert_ptr_nonnull(lost);
	ck_assert_int_eq(json_integer_value(json_object_get(lost, "count")), count);
	ck_assert_int_eq(json_integer_value(json_object_get(lost, "next")), next);
	ck_assert(json_is_true(json_object_get(lost, "restarted")) == restarted);
	json_decref(reply);
}

START_TEST(an_event_says_what_it_knows_and_leaves_out_the_rest)
{
	struct world world;
	json_t *reply;
	json_t *event;

	world_open(&world);
	event_log_add(world.master.events, EVENT_GAVE_UP, &(struct event_facts){.service = "a",
		.plugin = "p", .generation = 2, .took_ns = 3, .by = {EVENT_BY_USER, 7, 8}}, "why");
	event_log_add(world.master.events, EVENT_UP, &(struct event_facts){0}, NULL);
	ask(&world, "");
	reply = client_receive(&world.client);
	event = json_object_get(json_object_get(reply, "parameters"), "event");
	ck_assert_str_eq(json_string_value(json_object_get(event, "kind")), "gave-up");
	ck_assert_str_eq(json_string_value(json_object_get(event, "service")), "a");
	ck_assert_str_eq(json_string_value(json_object_get(event, "plugin")), "p");
	ck_assert_str_eq(json_string_value(json_object_get(event, "by")), "user");
	ck_assert_int_eq(json_integer_value(json_object_get(event, "uid")), 7);
	ck_assert_int_eq(json_integer_value(json_object_get(event, "pid")), 8);
	ck_assert_int_eq(json_integer_value(json_object_get(event, "generation")), 2);
	ck_assert_int_eq(json_integer_value(json_object_get(event, "took_ns")), 3);
	json_decref(reply);
	reply = client_receive(&world.client);
	event = json_object_get(json_object_get(reply, "parameters"), "event");
	ck_assert_str_eq(json_string_value(json_object_get(event, "by")), "supervisor");
	/* number, time, kind, by */
	ck_assert_uint_eq(json_object_size(event), 4);
	json_decref(reply);
	expect_end(&world);
	world_close(&world);
}
END_TEST

START_TEST(the_last_events_come_oldest_first_and_then_the_end)
{
	struct world world;

	world_open(&world);
	add(&world, "a", "one");
	add(&world, NULL, "two");
	add(&world, "a", "three");
	ask(&world, "\"lines\":2");
	expect_event(&world, 2, "two");
	expect_event(&world, 3, "three");
	expect_end(&world);
	ask(&world, "\"service\":\"a\"");
	expect_event(&world, 1, "one");
	expect_event(&world, 3, "three");
	expect_end(&world);
	world_close(&world);
}
END_TEST

START_TEST(who_was_interrupted_goes_on_behind_the_last_event_that_he_saw)
{
	struct world world;

	world_open(&world);
	add(&world, "a", "one");
	add(&world, "b", "two");
	add(&world, "a", "three");
	ask(&world, "\"since\":1");
	expect_event(&world, 2, "two");
	expect_event(&world, 3, "three");
	expect_end(&world);
	ask(&world, "\"since\":3");
	expect_end(&world);
	world_close(&world);
}
END_TEST

START_TEST(events_that_are_kept_no_more_are_told_as_a_gap)
{
	struct world world;

	world_open(&world);
	for (int i = 0; i < EVENT_LOG_CAPACITY + 5; i++)
		add(&world, "a", "x");
	ask(&world, "\"since\":2");
	expect_gap(&world, 3, 6, false);
	expect_event(&world, 6, "x");
	world_close(&world);
}
END_TEST

START_TEST(a_number_that_is_not_there_yet_is_one_of_another_daemon)
{
	struct world world;

	world_open(&world);
	add(&world, "a", "one");
	ask(&world, "\"since\":99");
	expect_gap(&world, 0, 1, true);
	expect_event(&world, 1, "one");
	expect_end(&world);
	world_close(&world);
}
END_TEST

START_TEST(a_service_that_no_event_tells_of_must_exist)
{
	struct world world;

	world_open(&world);
	add(&world, "gone", "one");
	ask(&world, "\"service\":\"nobody\"");
	client_expect_error(&world.client, "io.bayd.Container.NotFound", "nobody");
	ask(&world, "\"service\":\"gone\"");
	expect_event(&world, 1, "one");
	expect_end(&world);
	world_close(&world);
}
END_TEST

START_TEST(who_follows_gets_new_events_as_they_come)
{
	struct world world;

	world_open(&world);
	add(&world, "a", "old");
	ask(&world, "\"since\":1,\"follow\":true,\"service\":\"a\"");
	world_turn(&world);
	add(&world, "b", "of another");
	add(&world, "a", "one");
	expect_event(&world, 3, "one");
	add(&world, "a", "two");
	add(&world, "a", "three");
	expect_event(&world, 4, "two");
	expect_event(&world, 5, "three");
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
	add(&world, "a", "nobody listens");
	world_turn(&world);
	world_close(&world);
}
END_TEST

/* It is not kept waiting for, what it has not got is counted, and the rest is whole. */
START_TEST(a_follower_that_is_too_slow_is_told_what_it_lost)
{
	enum { EVENTS = 4 * EVENT_LOG_CAPACITY };
	static char why[3000];
	struct world world;
	int expected = 1;
	int lost = 0;

	memset(why, 'x', sizeof(why) - 1);
	world_open(&world);
	ask(&world, "\"since\":0,\"follow\":true");
	world_turn(&world);
	for (int i = 0; i < EVENTS; i++) {
		add(&world, "a", why);
		if (i % 100 == 0)
			world_turn(&world);
	}
	while (expected <= EVENTS) {
		json_t *reply = client_receive(&world.client);
		json_t *parameters = json_object_get(reply, "parameters");
		json_t *gap = json_object_get(parameters, "lost");

		if (gap != NULL) {
			lost += (int)json_integer_value(json_object_get(gap, "count"));
			expected += (int)json_integer_value(json_object_get(gap, "count"));
			ck_assert_int_eq(json_integer_value(json_object_get(gap, "next")), expected);
		} else {
			ck_assert_int_eq(json_integer_value(json_object_get(
				json_object_get(parameters, "event"), "number")), expected);
			expected++;
		}
		json_decref(reply);
	}
	ck_assert_int_gt(lost, 0);
	world_close(&world);
}
END_TEST

CHECK_MAIN("master/admin_events",
	an_event_says_what_it_knows_and_leaves_out_the_rest,
	the_last_events_come_oldest_first_and_then_the_end,
	who_was_interrupted_goes_on_behind_the_last_event_that_he_saw,
	events_that_are_kept_no_more_are_told_as_a_gap,
	a_number_that_is_not_there_yet_is_one_of_another_daemon,
	a_service_that_no_event_tells_of_must_exist,
	who_follows_gets_new_events_as_they_come,
	a_follower_that_goes_away_is_forgotten,
	a_follower_that_is_too_slow_is_told_what_it_lost)
