/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client asks of a service, passed on to a cell that does what a test wants of it, and
 * the answer on its way back. The body is not for the master to read, so the cell sends back
 * the one that it got.
 */
#include "config.h"

#include "master/admin_calls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "config/config_copy.h"
#include "master/service_change.h"
#include "protocol/body.h"
#include "protocol/cell_link.h"
#include "support/admin_world.h"
#include "support/check_main.h"
#include "support/log_lines.h"

#define CALL_A "\"io.bayd.Container.Call\",\"parameters\":{\"service\":\"a\""
#define CALL_B "\"io.bayd.Container.Call\",\"parameters\":{\"service\":\"b\""

/* The cell has been told what this client asks: a later question has been answered. */
static void
ask_and_pass_on(struct world *world, const struct varlink_client *client, const char *request)
{
	struct varlink_client other;

	ask(client, request);
	while (admin_server_connections(world->server) == 0)
		world_turn(world);
	other = client_connect(world);
	for (int n = 0; n < 3; n++) {
		ask(&other, "\"io.bayd.Container.Tasks\",\"parameters\":{");
		json_decref(answer(&other));
	}
	close(other.fd);
}

/* One call in a world of its own, which fails like this. */
static void
assert_call_fails(const char *orders, const char *request, const char *error, const char *words)
{
	struct varlink_client client;
	struct world world;

	world_open(&world, orders, "");
	client = client_connect(&world);
	ask(&client, request);
	client_expect_error(&client, error, words);
	close(client.fd);
	world_close(&world);
}

/* --- bodies -------------------------------------------------------------------------- */

START_TEST(a_text_comes_back_with_the_time_that_it_took)
{
	struct varlink_client client;
	struct world world;
	json_t *reply;

	world_open(&world, "", "");
	client = client_connect(&world);
	ask(&client, CALL_A ",\"text\":\"h\\u00e9llo\"");
	reply = answer(&client);
	ck_assert_str_eq(json_string_value(json_object_get(reply, "text")), "h\u00e9llo");
	ck_assert_int_gt(json_integer_value(json_object_get(reply, "duration_ns")), 0);
	ck_assert_uint_eq(json_object_size(reply), 2);
	json_decref(reply);
	close(client.fd);
	world_close(&world);
}
END_TEST

START_TEST(bytes_come_back_as_base64)
{
	struct varlink_client client;
	struct world world;
	json_t *reply;

	world_open(&world, "", "");
	client = client_connect(&world);
	ask(&client, CALL_A ",\"body\":\"AAEC/w==\"");
	reply = answer(&client);
	ck_assert_str_eq(json_string_value(json_object_get(reply, "body")), "AAEC/w==");
	ck_assert_ptr_null(json_object_get(reply, "text"));
	json_decref(reply);
	close(client.fd);
	world_close(&world);
}
END_TEST

/* Receives the one frame of a reply whose descriptor goes to *fd_r. */
static json_t *
receive_with_fd(struct world *world, const struct varlink_client *client, int *fd_r)
{
	char data[4096];
	int fds[4];
	size_t count = 4;
	ssize_t got;

	while ((got = fd_receive_with(client->fd, data, sizeof(data), fds, &count)) < 0) {
		ck_assert_int_eq(errno, EAGAIN);
		count = 4;
		world_turn(world);
	}
	ck_assert_uint_eq(count, 1);
	*fd_r = fds[0];
	return json_loads(data, 0, NULL);
}

START_TEST(a_memfd_is_passed_on_unread_both_ways)
{
	static const char frame[] = "{\"method\":" CALL_A ",\"body_fd\":1}}";
	struct varlink_client client;
	struct world world;
	int sent[2], came;
	struct stat before, after;
	json_t *reply;

	world_open(&world, "", "");
	client = client_connect(&world);
	sent[0] = dup(STDERR_FILENO);
	sent[1] = body_memfd_create("hello", 5);
	ck_assert_int_eq(fd_send_with(client.fd, frame, sizeof(frame), sent, 2), sizeof(frame));
	reply = receive_with_fd(&world, &client, &came);
	ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(reply, "parameters"),
		"body_fd")), 0);
	/* The same memory, not a copy. */
	ck_assert_int_eq(fstat(sent[1], &before), 0);
	ck_assert_int_eq(fstat(came, &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_uint_eq(before.st_dev, after.st_dev);
	json_decref(reply);
	close(came);
	close(sent[0]);
	close(sent[1]);
	close(client.fd);
	world_close(&world);
}
END_TEST

START_TEST(a_call_without_a_body_is_answered_without_one)
{
	struct varlink_client client;
	struct world world;
	json_t *reply;

	world_open(&world, "", "");
	client = client_connect(&world);
	ask(&client, CALL_A);
	reply = answer(&client);
	ck_assert_uint_eq(json_object_size(reply), 1);
	json_decref(reply);
	close(client.fd);
	world_close(&world);
}
END_TEST

START_TEST(a_body_that_cannot_be_passed_on_is_refused_before_the_cell_sees_it)
{
	assert_call_fails("call=exit\n", CALL_A ",\"text\":\"a\",\"body\":\"YQ==\"",
		"io.bayd.Container.Failed", "take the message: ");
	assert_call_fails("call=exit\n", CALL_A ",\"body_fd\":0", "io.bayd.Container.Failed",
		"take the message: ");
}
END_TEST

START_TEST(a_body_of_the_cell_that_cannot_be_passed_on_is_a_failure)
{
	assert_call_fails("call=bad-body\n", CALL_A, "io.bayd.Container.Failed",
		"pass on the reply of the service: ");
}
END_TEST

START_TEST(a_message_that_is_sent_is_taken_without_a_reply)
{
	struct varlink_client client;
	struct world world;
	json_t *reply;

	world_open(&world, "", "");
	client = client_connect(&world);
	ask(&client, "\"io.bayd.Container.Send\",\"parameters\":{\"service\":\"a\",\"text\":\"x\"");
	reply = answer(&client);
	ck_assert_uint_eq(json_object_size(reply), 0);
	json_decref(reply);
	close(client.fd);
	world_close(&world);
}
END_TEST

/* --- failures ------------------------------------------------------------------------ */

START_TEST(the_failure_of_a_handler_is_failed_and_that_of_the_cell_has_its_own_error)
{
	assert_call_fails("call=fail\n", CALL_A, "io.bayd.Container.Failed", "no such page");
	assert_call_fails("call=refuse\n", CALL_A, "io.bayd.Container.NotFound", "it is gone");
	assert_call_fails("call=refuse\n",
		"\"io.bayd.Container.Send\",\"parameters\":{\"service\":\"a\"",
		"io.bayd.Container.NotFound", "it is gone");
}
END_TEST

START_TEST(a_cell_that_does_not_answer_costs_its_time_and_no_more)
{
	struct varlink_client clients[2];
	struct world world;

	world_open(&world, "call=silent\n", "");
	clients[0] = client_connect(&world);
	clients[1] = client_connect(&world);
	ask(&clients[0], CALL_A ",\"timeout_ns\":1");
	/* Meanwhile others are served. */
	ask(&clients[1], "\"io.bayd.Container.Tasks\",\"parameters\":{");
	json_decref(answer(&clients[1]));
	client_expect_error(&clients[0], "io.bayd.Container.Timeout",
		"the cell did not answer within 2s");
	ck_assert(is_state(&world.fake, "a", SERVICE_READY));
	close(clients[0].fd);
	close(clients[1].fd);
	world_close(&world);
}
END_TEST

START_TEST(the_time_of_a_call_is_that_of_its_service_when_it_names_none)
{
	struct varlink_client client;
	struct world world;

	world_open(&world, "call=silent\n", "timeout = 500ms");
	client = client_connect(&world);
	ask(&client, CALL_A);
	client_expect_error(&client, "io.bayd.Container.Timeout",
		"the cell did not answer within 2.5s");
	close(client.fd);
	world_close(&world);
}
END_TEST

START_TEST(a_loop_that_hangs_is_named_to_who_waits_for_it)
{
	struct varlink_client client;
	struct world world;
	json_t *reply;
	json_t *loop;

	/* The first call has set the loop going when the others are made. */
	world_open(&world, "call=spin\n", "");
	client = client_connect(&world);
	ask(&client, CALL_B ",\"timeout_ns\":1");
	json_decref(client_receive(&client));
	ask(&client, CALL_A ",\"timeout_ns\":1");
	client_expect_error(&client, "io.bayd.Container.Timeout",
		" (loop 0 hangs in service b, task task)");
	ask(&client, "\"io.bayd.Container.Tasks\",\"parameters\":{");
	reply = answer(&client);
	ck_assert_uint_eq(json_array_size(json_object_get(reply, "tasks")), 0);
	ck_assert_uint_eq(json_array_size(json_object_get(reply, "silent_loops")), 1);
	loop = json_array_get(json_object_get(reply, "silent_loops"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(loop, "service")), "b");
	ck_assert_int_eq(json_integer_value(json_object_get(loop, "loop")), 0);
	json_decref(reply);
	close(client.fd);
	world_close(&world);
}
END_TEST

START_TEST(tasks_of_a_cell_that_is_silent_without_a_hang_are_a_failure)
{
	assert_call_fails("tasks=silent\n", "\"io.bayd.Container.Tasks\",\"parameters\":{",
		"io.bayd.Container.Timeout", "the cell did not answer within 1s");
}
END_TEST

START_TEST(a_cell_that_dies_answers_all_calls_and_the_next_one_serves)
{
	struct varlink_client clients[2];
	struct world world;

	world_open(&world, "call=hold\n", "");
	for (int i = 0; i < 2; i++) {
		clients[i] = client_connect(&world);
		ask_and_pass_on(&world, &clients[i], CALL_A);
	}
	cell_process_kill(master_cell_process(supervisor_cell(world.fake.supervisor, 0)));
	for (int i = 0; i < 2; i++)
		client_expect_error(&clients[i], "io.bayd.Container.PeerDied",
			"cell main was killed by SIGKILL");
	UNTIL(&world.fake, is_state(&world.fake, "a", SERVICE_READY));
	ask(&clients[1], CALL_A ",\"text\":\"again\"");
	json_decref(answer(&clients[1]));
	for (int i = 0; i < 2; i++)
		close(clients[i].fd);
	world_close(&world);
}
END_TEST

START_TEST(a_cell_that_ends_or_talks_rubbish_during_a_call_is_told_as_its_death)
{
	assert_call_fails("call=exit\n", CALL_A, "io.bayd.Container.PeerDied",
		"cell main ended the process with exit code 9");
	assert_call_fails("call=crash\n", CALL_B, "io.bayd.Container.PeerDied",
		"cell main crashed: SIGSEGV in service b");
	assert_call_fails("call=rubbish\n", CALL_A, "io.bayd.Container.PeerDied",
		"cell main was killed by SIGKILL");
}
END_TEST

START_TEST(a_service_that_is_not_ready_takes_nothing_and_says_why)
{
	struct varlink_client client;
	struct world world;

	world_open(&world, "call=crash\n", "restart = no");
	client = client_connect(&world);
	ask(&client, CALL_A);
	client_expect_error(&client, "io.bayd.Container.PeerDied", "");
	ask(&client, CALL_A);
	client_expect_error(&client, "io.bayd.Container.Closed",
		"service a is failed: crashed: SIGSEGV");
	service_control_stop(service_of(&world.fake, "a"), false, NULL, NULL);
	ask(&client, CALL_A);
	client_expect_error(&client, "io.bayd.Container.Closed", "service a is stopped");
	world.master.state = MASTER_DRAINING;
	ask(&client, CALL_B);
	client_expect_error(&client, "io.bayd.Container.Closed", "bayd is stopping");
	close(client.fd);
	world_close(&world);
}
END_TEST

/* The cell has ended, and the next one has not come yet: it is the second in a row, which takes
 * its time. */
static void
world_without_a_cell(struct world *world, const char *orders, const char *keys)
{
	world_open(world, orders, keys);
	for (int n = 0; n < 2; n++) {
		UNTIL(&world->fake, is_state(&world->fake, "a", SERVICE_READY));
		cell_process_kill(master_cell_process(supervisor_cell(world->fake.supervisor, 0)));
		UNTIL(&world->fake, is_state(&world->fake, "a", SERVICE_STARTING));
	}
}

START_TEST(a_call_waits_for_a_service_that_is_starting)
{
	struct varlink_client clients[2];
	struct world world;

	world_without_a_cell(&world, "", "");
	clients[0] = client_connect(&world);
	clients[1] = client_connect(&world);
	ask(&clients[0], CALL_A ",\"text\":\"patience\",\"timeout_ns\":60000000000");
	ask(&clients[1], "\"io.bayd.Container.Send\",\"parameters\":{\"service\":\"b\"");
	json_decref(answer(&clients[0]));
	json_decref(answer(&clients[1]));
	ck_assert(is_state(&world.fake, "a", SERVICE_READY));
	close(clients[0].fd);
	close(clients[1].fd);
	world_close(&world);
}
END_TEST

/* b goes to a cell of its own, whose Start is answered when a Call has come there. The cell is ready, and
 * what b had before is kept for the way back: as while it gets a new generation where it is. */
START_TEST(a_call_to_a_service_that_moves_waits_until_it_has_started_there)
{
	struct service_target target = {0};
	struct varlink_client clients[2];
	const struct master_service *b;
	struct config *config;
	struct world world;
	char *why = NULL;
	json_t *reply;

	world_open(&world, "\nstart=late:b\n", "");
	b = service_of(&world.fake, "b");
	config = config_copy(world.fake.config);
	ck_assert(config_copy_set(config, "b", "isolate", "yes", "test", &why));
	target = (struct service_target){.source = config, .config = config_find_service(config, "b"),
		.image = b->image};
	service_change_generation(service_of(&world.fake, "b"), &target, NULL, NULL);
	while (master_cell_process(b->cell) == NULL || master_cell_ready(b->cell) == NULL ||
	    strcmp(master_cell_name(b->cell), "b") != 0 || b->step != SERVICE_STEP_START)
		world_turn(&world);
	ck_assert(!admin_is_open(b));
	clients[0] = client_connect(&world);
	clients[1] = client_connect(&world);
	ask(&clients[0], CALL_B ",\"text\":\"moved\"");
	/* The second is answered when the first has been looked at, and by its cell if it went there. */
	for (int n = 0; n < 3; n++) {
		ask(&clients[1], "\"io.bayd.Container.Tasks\",\"parameters\":{");
		json_decref(answer(&clients[1]));
	}
	ck_assert(is_state(&world.fake, "b", SERVICE_STARTING));
	cell_process_call(master_cell_process(b->cell), CELL_CALL, json_pack("{s:s}", "service", "b"), -1, 0,
		cell_reply_ignore, NULL);
	reply = answer(&clients[0]);
	ck_assert_str_eq(json_string_value(json_object_get(reply, "text")), "moved");
	json_decref(reply);
	ck_assert(is_state(&world.fake, "b", SERVICE_READY));
	close(clients[0].fd);
	close(clients[1].fd);
	world_close(&world);
	config_unref(config);
}
END_TEST

START_TEST(a_call_waits_no_longer_than_its_deadline)
{
	struct varlink_client client;
	struct world world;

	world_open(&world, "", "");
	supervisor_service(world.fake.supervisor, 0)->state = SERVICE_STARTING;
	client = client_connect(&world);
	ask(&client, CALL_A ",\"timeout_ns\":20000000");
	client_expect_error(&client, "io.bayd.Container.Timeout",
		"service a did not start before the deadline");
	/* And whoever is gone by the time of the start harms nobody. */
	ask(&client, CALL_A);
	close(client.fd);
	while (admin_server_connections(world.server) > 0)
		world_turn(&world);
	cell_process_kill(master_cell_process(supervisor_cell(world.fake.supervisor, 0)));
	UNTIL(&world.fake, is_state(&world.fake, "b", SERVICE_STARTING));
	UNTIL(&world.fake, is_state(&world.fake, "b", SERVICE_READY));
	world_close(&world);
}
END_TEST

START_TEST(a_call_does_not_wait_for_what_will_not_start)
{
	struct varlink_client clients[2];
	struct world world;

	world_without_a_cell(&world, "", "");
	clients[0] = client_connect(&world);
	clients[1] = client_connect(&world);
	ask(&clients[0], CALL_A);
	ask(&clients[1], CALL_B);
	while (list_empty(&service_of(&world.fake, "a")->waiters) ||
	    list_empty(&service_of(&world.fake, "b")->waiters))
		world_turn(&world);
	service_control_stop(service_of(&world.fake, "a"), false, NULL, NULL);
	client_expect_error(&clients[0], "io.bayd.Container.Closed", "service a is stopped");
	world.master.state = MASTER_DRAINING;
	supervisor_destroy(world.fake.supervisor);
	world.fake.supervisor = NULL;
	client_expect_error(&clients[1], "io.bayd.Container.Closed", "bayd is stopping");
	close(clients[0].fd);
	close(clients[1].fd);
	world_close(&world);
}
END_TEST

START_TEST(a_service_that_does_not_exist_is_not_found_and_the_nearest_is_named)
{
	assert_call_fails("", "\"io.bayd.Container.Call\",\"parameters\":{\"service\":\"aa\"",
		"io.bayd.Container.NotFound", "there is no service aa; did you mean a?");
	assert_call_fails("", "\"io.bayd.Container.Call\",\"parameters\":{\"service\":\"\"",
		"io.bayd.Container.NotFound", "no service has an empty name; bayctl list shows all");
}
END_TEST

/* --- clients ------------------------------------------------------------------------- */

START_TEST(the_reply_to_a_client_that_is_gone_harms_nobody)
{
	struct varlink_client clients[2];
	struct world world;

	world_open(&world, "call=hold\n", "");
	clients[0] = client_connect(&world);
	ask_and_pass_on(&world, &clients[0], CALL_A);
	close(clients[0].fd);
	while (admin_server_connections(world.server) > 0)
		world_turn(&world);
	/* Releases the one of which nobody is left. */
	clients[1] = client_connect(&world);
	ask(&clients[1], CALL_B);
	json_decref(answer(&clients[1]));
	ask(&clients[1], "\"io.bayd.Container.Tasks\",\"parameters\":{");
	json_decref(answer(&clients[1]));
	close(clients[1].fd);
	world_close(&world);
}
END_TEST

/* The cell keeps a call until the other service is called, or the call is cancelled. */
START_TEST(the_call_of_a_client_that_goes_is_cancelled_in_its_cell_and_no_other)
{
	struct varlink_client clients[3];
	struct world world;
	struct cell_process *cell;

	world_open(&world, "call=hold\n", "");
	cell = master_cell_process(supervisor_cell(world.fake.supervisor, 0));
	clients[0] = client_connect(&world);
	ask_and_pass_on(&world, &clients[0], CALL_A);
	close(clients[0].fd);
	UNTIL(&world.fake, cell_process_is_idle(cell));
	clients[1] = client_connect(&world);
	ask_and_pass_on(&world, &clients[1], CALL_A);
	clients[2] = client_connect(&world);
	ask_and_pass_on(&world, &clients[2], CALL_A);
	close(clients[2].fd);
	while (admin_server_connections(world.server) > 1)
		world_turn(&world);
	clients[0] = client_connect(&world);
	ask(&clients[0], CALL_B);
	json_decref(answer(&clients[0]));
	json_decref(answer(&clients[1]));
	UNTIL(&world.fake, cell_process_is_idle(cell));
	close(clients[0].fd);
	close(clients[1].fd);
	world_close(&world);
}
END_TEST

/* Sends {"method":REQUEST},"oneway":true}, as ask does, and closes. */
static void
ask_and_go(struct world *world, const char *request)
{
	struct varlink_client client = client_connect(world);
	char text[256];
	int length = snprintf(text, sizeof(text), "{\"method\":%s},\"oneway\":true}", request);

	ck_assert_int_eq(write(client.fd, text, (size_t)length + 1), length + 1);
	close(client.fd);
}

START_TEST(a_call_that_nobody_waits_for_is_made_although_its_client_goes_at_once)
{
	struct varlink_client client;
	struct world world;
	struct cell_process *cell;

	/* It is kept until b is called, and would be answered if it were cancelled. */
	world_open(&world, "call=hold\n", "");
	cell = master_cell_process(supervisor_cell(world.fake.supervisor, 0));
	ask_and_go(&world, CALL_A);
	UNTIL(&world.fake, !cell_process_is_idle(cell));
	while (admin_server_connections(world.server) > 0)
		world_turn(&world);
	client = client_connect(&world);
	ask(&client, "\"io.bayd.Container.Tasks\",\"parameters\":{");
	json_decref(answer(&client));
	ck_assert(!cell_process_is_idle(cell));
	ask(&client, CALL_B);
	json_decref(answer(&client));
	UNTIL(&world.fake, cell_process_is_idle(cell));
	close(client.fd);
	world_close(&world);
}
END_TEST

START_TEST(one_that_waits_for_a_start_is_made_then_although_its_client_has_gone)
{
	struct world world;

	log_lines_keep();
	world_open(&world, "\ncall=exit\n", "");
	supervisor_service(world.fake.supervisor, 0)->state = SERVICE_STARTING;
	ask_and_go(&world, CALL_A);
	while (list_empty(&service_of(&world.fake, "a")->waiters))
		world_turn(&world);
	while (admin_server_connections(world.server) > 0)
		world_turn(&world);
	cell_process_kill(master_cell_process(supervisor_cell(world.fake.supervisor, 0)));
	/* The next one ends by it. */
	UNTIL(&world.fake, log_lines_with("ended the process with exit code 9") == 1);
	world_close(&world);
}
END_TEST

START_TEST(a_call_that_waits_for_a_start_goes_with_its_client)
{
	struct varlink_client client;
	struct world world;
	pid_t pid;

	world_open(&world, "\ncall=exit\n", "");
	supervisor_service(world.fake.supervisor, 0)->state = SERVICE_STARTING;
	client = client_connect(&world);
	ask(&client, CALL_A ",\"timeout_ns\":3600000000000");
	while (list_empty(&service_of(&world.fake, "a")->waiters))
		world_turn(&world);
	close(client.fd);
	while (admin_server_connections(world.server) > 0)
		world_turn(&world);
	cell_process_kill(master_cell_process(supervisor_cell(world.fake.supervisor, 0)));
	UNTIL(&world.fake, is_state(&world.fake, "b", SERVICE_STARTING));
	UNTIL(&world.fake, is_state(&world.fake, "a", SERVICE_READY));
	/* Made, it would end this one. */
	pid = cell_process_pid(master_cell_process(supervisor_cell(world.fake.supervisor, 0)));
	client = client_connect(&world);
	ask(&client, "\"io.bayd.Container.Tasks\",\"parameters\":{");
	json_decref(answer(&client));
	ck_assert_int_eq(cell_process_pid(master_cell_process(supervisor_cell(world.fake.supervisor, 0))), pid);
	close(client.fd);
	world_close(&world);
}
END_TEST

START_TEST(a_client_and_a_cell_may_both_be_gone)
{
	struct varlink_client client;
	struct world world;

	world_open(&world, "call=hold\n", "");
	client = client_connect(&world);
	ask_and_pass_on(&world, &client, CALL_A);
	close(client.fd);
	while (admin_server_connections(world.server) > 0)
		world_turn(&world);
	cell_process_kill(master_cell_process(supervisor_cell(world.fake.supervisor, 0)));
	UNTIL(&world.fake, is_state(&world.fake, "a", SERVICE_STARTING));
	UNTIL(&world.fake, is_state(&world.fake, "a", SERVICE_READY));
	world_close(&world);
}
END_TEST

START_TEST(as_many_calls_as_connections_are_under_way_at_once_and_one_more_is_refused)
{
	struct varlink_client clients[65];
	struct world world;

	world_open(&world, "call=hold\n", "");
	for (int i = 0; i < 64; i++) {
		clients[i] = client_connect(&world);
		ask(&clients[i], i < 63 ? CALL_A : "\"io.bayd.Container.Tasks\",\"parameters\":{");
	}
	json_decref(answer(&clients[63]));
	clients[64] = client_connect(&world);
	client_expect_error(&clients[64], "io.bayd.Container.Full", "64 connections already");
	ask(&clients[63], CALL_B);
	for (int i = 0; i < 64; i++)
		json_decref(answer(&clients[i]));
	for (int i = 0; i < 65; i++)
		close(clients[i].fd);
	world_close(&world);
}
END_TEST

START_TEST(who_waits_for_the_cell_at_the_end_is_answered)
{
	struct varlink_client client;
	struct world world;

	world_open(&world, "call=hold\n", "");
	client = client_connect(&world);
	ask_and_pass_on(&world, &client, CALL_A);
	supervisor_destroy(world.fake.supervisor);
	world.fake.supervisor = NULL;
	client_expect_error(&client, "io.bayd.Container.PeerDied", "bayd ends");
	close(client.fd);
	world_close(&world);
}
END_TEST

START_TEST(while_there_is_no_cell_there_are_no_tasks)
{
	struct varlink_client client;
	struct world world;
	json_t *reply;

	/* The second cell in a row is not started at once. */
	world_open(&world, "", "");
	for (int n = 0; n < 2; n++) {
		UNTIL(&world.fake, is_state(&world.fake, "a", SERVICE_READY));
		cell_process_kill(master_cell_process(supervisor_cell(world.fake.supervisor, 0)));
		UNTIL(&world.fake, is_state(&world.fake, "a", SERVICE_STARTING));
	}
	supervisor_stop(world.fake.supervisor, false);
	ck_assert_ptr_null(master_cell_process(supervisor_cell(world.fake.supervisor, 0)));
	client = client_connect(&world);
	ask(&client, "\"io.bayd.Container.Tasks\",\"parameters\":{\"service\":\"a\"");
	reply = answer(&client);
	ck_assert_uint_eq(json_array_size(json_object_get(reply, "tasks")), 0);
	json_decref(reply);
	ask(&client, CALL_A);
	client_expect_error(&client, "io.bayd.Container.Closed", "service a is st");
	close(client.fd);
	world_close(&world);
}
END_TEST

CHECK_MAIN("master/admin_calls",
	a_text_comes_back_with_the_time_that_it_took,
	bytes_come_back_as_base64,
	a_memfd_is_passed_on_unread_both_ways,
	a_call_without_a_body_is_answered_without_one,
	a_body_that_cannot_be_passed_on_is_refused_before_the_cell_sees_it,
	a_body_of_the_cell_that_cannot_be_passed_on_is_a_failure,
	a_message_that_is_sent_is_taken_without_a_reply,
	the_failure_of_a_handler_is_failed_and_that_of_the_cell_has_its_own_error,
	a_cell_that_does_not_answer_costs_its_time_and_no_more,
	the_time_of_a_call_is_that_of_its_service_when_it_names_none,
	a_loop_that_hangs_is_named_to_who_waits_for_it,
	tasks_of_a_cell_that_is_silent_without_a_hang_are_a_failure,
	a_cell_that_dies_answers_all_calls_and_the_next_one_serves,
	a_cell_that_ends_or_talks_rubbish_during_a_call_is_told_as_its_death,
	a_service_that_is_not_ready_takes_nothing_and_says_why,
	a_call_waits_for_a_service_that_is_starting,
	a_call_to_a_service_that_moves_waits_until_it_has_started_there,
	a_call_waits_no_longer_than_its_deadline,
	a_call_does_not_wait_for_what_will_not_start,
	a_service_that_does_not_exist_is_not_found_and_the_nearest_is_named,
	the_reply_to_a_client_that_is_gone_harms_nobody,
	the_call_of_a_client_that_goes_is_cancelled_in_its_cell_and_no_other,
	a_call_that_nobody_waits_for_is_made_although_its_client_goes_at_once,
	one_that_waits_for_a_start_is_made_then_although_its_client_has_gone,
	a_call_that_waits_for_a_start_goes_with_its_client,
	a_client_and_a_cell_may_both_be_gone,
	as_many_calls_as_connections_are_under_way_at_once_and_one_more_is_refused,
	who_waits_for_the_cell_at_the_end_is_answered,
	while_there_is_no_cell_there_are_no_tasks)
