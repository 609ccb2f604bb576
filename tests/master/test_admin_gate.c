/* SPDX-License-Identifier: BSD-2-Clause */
/* Pause, Resume and Drain as a client has them; what a gate does is test_service_gate's. */
#include "config.h"

#include "master/admin_gate.h"

#include <string.h>
#include <unistd.h>

#include "master/service_gate.h"
#include "support/admin_world.h"
#include "support/check_main.h"

#define OF_A "\"parameters\":{\"service\":\"a\""
#define PAUSE "\"io.bayd.Container.Pause\"," OF_A
#define RESUME "\"io.bayd.Container.Resume\"," OF_A
#define DRAIN "\"io.bayd.Container.Drain\"," OF_A

/* The client asks, and is told that state. */
static void
expect_state(const struct varlink_client *client, const char *request, const char *state)
{
	json_t *reply;

	ask(client, request);
	reply = answer(client);
	ck_assert_str_eq(json_string_value(json_object_get(reply, "state")), state);
	ck_assert_uint_eq(json_object_size(reply), 1);
	json_decref(reply);
}

START_TEST(a_pause_and_its_end_are_answered_with_the_state)
{
	struct varlink_client client;
	struct world world;

	world_open(&world, "", "");
	client = client_connect(&world);
	expect_state(&client, PAUSE, "paused");
	ck_assert_int_eq(service_of(&world.fake, "a")->gate.state, CELL_GATE_PAUSED);
	ck_assert_int_eq(service_of(&world.fake, "b")->gate.state, CELL_GATE_OPEN);
	ck_assert_uint_eq(service_of(&world.fake, "a")->gate.by.uid, getuid());
	expect_state(&client, PAUSE, "paused");
	expect_state(&client, RESUME, "ready");
	ck_assert_int_eq(service_of(&world.fake, "a")->gate.state, CELL_GATE_OPEN);
	close(client.fd);
	world_close(&world);
}
END_TEST

START_TEST(a_drain_tells_what_is_left_and_is_answered_at_its_end)
{
	struct varlink_client clients[2];
	struct world world;
	json_t *part;

	world_open(&world, "gate=busy\n", "");
	clients[0] = client_connect(&world);
	clients[1] = client_connect(&world);
	client_send(&clients[0], "{\"method\":" DRAIN "},\"more\":true}");
	part = client_receive(&clients[0]);
	ck_assert(json_is_true(json_object_get(part, "continues")));
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(part, "parameters"), "stage")),
		"1 running, 0 queued");
	ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(part, "parameters"), "running")), 1);
	json_decref(part);
	ck_assert_str_eq(service_gate_state_name(service_of(&world.fake, "a")), "draining");
	/* The cell is busy until it gets a call. */
	ask(&clients[1], "\"io.bayd.Container.Call\",\"parameters\":{\"service\":\"b\"");
	json_decref(answer(&clients[1]));
	for (part = client_receive(&clients[0]); json_is_true(json_object_get(part, "continues"));) {
		json_decref(part);
		part = client_receive(&clients[0]);
	}
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(part, "parameters"), "state")), "drained");
	json_decref(part);
	close(clients[0].fd);
	close(clients[1].fd);
	world_close(&world);
}
END_TEST

START_TEST(who_takes_one_reply_only_gets_the_last_one)
{
	struct varlink_client clients[2];
	struct world world;
	json_t *reply;

	world_open(&world, "gate=busy\n", "");
	clients[0] = client_connect(&world);
	clients[1] = client_connect(&world);
	ask(&clients[0], DRAIN ",\"wait\":\"drained\"");
	while (service_of(&world.fake, "a")->gate.seen.running != 1)
		world_turn(&world);
	ask(&clients[1], "\"io.bayd.Container.Call\",\"parameters\":{\"service\":\"b\"");
	json_decref(answer(&clients[1]));
	reply = answer(&clients[0]);
	ck_assert_str_eq(json_string_value(json_object_get(reply, "state")), "drained");
	json_decref(reply);
	close(clients[0].fd);
	close(clients[1].fd);
	world_close(&world);
}
END_TEST

START_TEST(who_does_not_wait_is_answered_at_once)
{
	struct varlink_client client;
	struct world world;

	world_open(&world, "gate=busy\n", "");
	client = client_connect(&world);
	expect_state(&client, DRAIN ",\"wait\":\"none\"", "draining");
	expect_state(&client, RESUME, "ready");
	close(client.fd);
	world_close(&world);
}
END_TEST

START_TEST(a_wait_that_there_is_not_changes_nothing)
{
	struct varlink_client client;
	struct world world;

	world_open(&world, "", "");
	client = client_connect(&world);
	ask(&client, DRAIN ",\"wait\":\"perhaps\"");
	client_expect_error(&client, "org.varlink.service.InvalidParameter", "wait is none or drained");
	ck_assert_int_eq(service_of(&world.fake, "a")->gate.state, CELL_GATE_OPEN);
	close(client.fd);
	world_close(&world);
}
END_TEST

START_TEST(what_does_not_run_has_no_gate)
{
	static const char *const requests[] = {PAUSE, DRAIN, DRAIN ",\"wait\":\"none\""};
	struct varlink_client client;
	struct world world;

	world_open(&world, "", "");
	client = client_connect(&world);
	service_control_stop(service_of(&world.fake, "a"), true, NULL, NULL);
	UNTIL(&world.fake, is_state(&world.fake, "a", SERVICE_STOPPED));
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		ask(&client, requests[i]);
		client_expect_error(&client, "io.bayd.Container.Closed", "service a: ");
		ck_assert_int_eq(service_of(&world.fake, "a")->gate.state, CELL_GATE_OPEN);
	}
	ask(&client, "\"io.bayd.Container.Pause\",\"parameters\":{\"service\":\"aa\"");
	client_expect_error(&client, "io.bayd.Container.NotFound", "did you mean a?");
	close(client.fd);
	world_close(&world);
}
END_TEST

START_TEST(a_bayd_that_stops_moves_no_gate)
{
	static const char *const requests[] = {PAUSE, RESUME, DRAIN};
	struct varlink_client client;
	struct world world;

	world_open(&world, "", "");
	client = client_connect(&world);
	expect_state(&client, PAUSE, "paused");
	world.master.state = MASTER_DRAINING;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		ask(&client, requests[i]);
		client_expect_error(&client, "io.bayd.Container.Closed", "bayd is stopping");
		ck_assert_int_eq(service_of(&world.fake, "a")->gate.state, CELL_GATE_PAUSED);
	}
	close(client.fd);
	world_close(&world);
}
END_TEST

START_TEST(a_drain_that_an_end_of_it_comes_between_is_told_so)
{
	struct varlink_client clients[2];
	struct world world;

	world_open(&world, "gate=busy\n", "");
	clients[0] = client_connect(&world);
	clients[1] = client_connect(&world);
	ask(&clients[0], DRAIN);
	while (service_of(&world.fake, "a")->gate.seen.running != 1)
		world_turn(&world);
	expect_state(&clients[1], RESUME, "ready");
	client_expect_error(&clients[0], "io.bayd.Container.Failed", "service a: ");
	close(clients[0].fd);
	close(clients[1].fd);
	world_close(&world);
}
END_TEST

CHECK_MAIN("master/admin_gate",
	a_pause_and_its_end_are_answered_with_the_state,
	a_drain_tells_what_is_left_and_is_answered_at_its_end,
	who_takes_one_reply_only_gets_the_last_one,
	who_does_not_wait_is_answered_at_once,
	a_wait_that_there_is_not_changes_nothing,
	what_does_not_run_has_no_gate,
	a_bayd_that_stops_moves_no_gate,
	a_drain_that_an_end_of_it_comes_between_is_told_so)
