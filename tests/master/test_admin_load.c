/* SPDX-License-Identifier: BSD-2-Clause */
/* Load and Unload as a client has them; what they do is test_hand_loads'. */
#include "config.h"

#include "master/admin_load.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "master/hand_loads.h"
#include "support/admin_world.h"
#include "support/check_main.h"

static const struct program bay_cell = {
	.path = TOP_BUILDDIR "/container/.libs/bay-cell",
	.library_dir = TOP_BUILDDIR "/container/.libs",
};

static struct world world;
static struct varlink_client client;

static void
open_world(const char *orders)
{
	world_open_with_plugins(&world, orders, "", &bay_cell);
	fake_master_plugin(&world.fake, "good", "c");
	world.master.hand_loads = hand_loads_create(&world.master);
	ck_assert_ptr_nonnull(world.master.hand_loads);
	client = client_connect(&world);
}

static void
close_world(void)
{
	close(client.fd);
	hand_loads_stop(world.master.hand_loads);
	world_close_services(&world);
	hand_loads_destroy(world.master.hand_loads);
	world_close(&world);
}

/* Asks for a load of plugins/c.so with these parameters behind it. */
static void
load(const char *more)
{
	char request[600];

	snprintf(request, sizeof(request), "\"io.bayd.Container.Load\",\"parameters\":{\"file\":\"%s\"%s",
		temp_dir_path(&world.fake.dir, "plugins/c.so"), more);
	ask(&client, request);
}

static void
unload(const char *plugin)
{
	char request[200];

	snprintf(request, sizeof(request), "\"io.bayd.Container.Unload\",\"parameters\":{\"plugin\":\"%s\"", plugin);
	ask(&client, request);
}

START_TEST(a_load_is_answered_with_what_runs_and_an_unload_with_what_has_ended)
{
	const json_t *ended;
	json_t *reply;

	open_world("");
	load(",\"service\":\"other\",\"settings\":[\"queue=7\",\"retries=4\"]");
	reply = answer(&client);
	ck_assert_str_eq(json_string_value(json_object_get(reply, "service")), "other");
	ck_assert_str_eq(json_string_value(json_object_get(reply, "state")), "ready");
	ck_assert_str_eq(json_string_value(json_object_get(reply, "plugin")), "c");
	ck_assert_str_eq(json_string_value(json_object_get(reply, "path")),
		temp_dir_path(&world.fake.dir, "plugins/c.so"));
	ck_assert_int_eq(json_integer_value(json_object_get(reply, "generation")), 1);
	json_decref(reply);
	ck_assert_int_eq(service_of(&world.fake, "other")->config->queue, 7);
	unload("c");
	reply = answer(&client);
	ended = json_object_get(reply, "services");
	ck_assert_uint_eq(json_array_size(ended), 1);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(ended, 0), "name")), "other");
	ck_assert_uint_eq(json_array_size(json_object_get(json_array_get(ended, 0), "lingering")), 0);
	json_decref(reply);
	close_world();
}
END_TEST

START_TEST(each_way_to_fail_has_its_error)
{
	open_world("start=refuse:c\n");
	load(",\"settings\":[\"queue=many\"]");
	client_expect_error(&client, "io.bayd.Container.Refused", "queue = many: ");
	load(",\"service\":\"a\"");
	client_expect_error(&client, "io.bayd.Container.Failed", "a");
	load(",\"settings\":[\"restart=no\"]");
	client_expect_error(&client, "io.bayd.Container.Failed", "service c: ");
	unload("nobody");
	client_expect_error(&client, "io.bayd.Container.NotFound", "no service runs a plugin nobody");
	unload("a");
	client_expect_error(&client, "io.bayd.Container.Failed", "plugin a is held by the configuration");
	close_world();
}
END_TEST

START_TEST(a_bayd_that_is_not_there_yet_or_stops_loads_nothing)
{
	open_world("");
	world.master.state = MASTER_STARTING;
	load("");
	client_expect_error(&client, "io.bayd.Container.Failed", "bayd is still starting");
	world.master.state = MASTER_DRAINING;
	load("");
	client_expect_error(&client, "io.bayd.Container.Closed", "bayd is stopping");
	unload("a");
	client_expect_error(&client, "io.bayd.Container.Closed", "bayd is stopping");
	ck_assert_ptr_null(service_of(&world.fake, "c"));
	close_world();
}
END_TEST

CHECK_MAIN("master/admin_load",
	a_load_is_answered_with_what_runs_and_an_unload_with_what_has_ended,
	each_way_to_fail_has_its_error,
	a_bayd_that_is_not_there_yet_or_stops_loads_nothing)
