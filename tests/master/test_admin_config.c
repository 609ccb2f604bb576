/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands as a client has them, with the real examiner and a fake cell; what a reload does is
 * test_reload's.
 */
#include "config.h"

#include "master/admin_config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/config_load.h"
#include "master/admin_commands.h"
#include "master/reload.h"
#include "support/admin_world.h"
#include "support/check_main.h"

static const struct program bay_cell = {
	.path = TOP_BUILDDIR "/container/.libs/bay-cell",
	.library_dir = TOP_BUILDDIR "/container/.libs",
};

static struct world world;
static struct varlink_client client;
static enum interface_role role; /* that clients have */

static void
on_file(void *arg)
{
	(void)arg;
}

static void
on_read(struct config *config, void *arg)
{
	(void)config;
	(void)arg;
}

static void
on_in_force(struct config *config, void *arg)
{
	(void)arg;
	world.master.config = config;
}

static void
handle(struct admin_request *request, void *arg)
{
	request->peer.role = role;
	admin_commands_handle(request, arg);
}

/* Root is always an admin. */
static void
serve_as(enum interface_role as)
{
	const struct admin_policy policy = {.admin_uid = geteuid(), .operator_group = (gid_t)-1};

	role = as;
	admin_server_destroy(world.server);
	world.server = admin_server_create(world.fake.base, world.listener, &policy, &admin_limits_default, handle,
		&world.master);
}

static const char *
ini(void)
{
	return temp_dir_path(&world.fake.dir, "bay.ini");
}

static void
write_ini(const char *text)
{
	temp_dir_write(&world.fake.dir, "bay.ini", text);
}

/* Services a and b of plugins that have settings; the file that they came from is there. */
static void
open_world(const char *orders, const char *keys_of_a, const char *keys_of_b)
{
	const struct reload_watcher watcher = {.begun = on_file, .ended = on_file, .reading = on_file,
		.writing = on_file, .written = on_file, .read = on_read, .in_force = on_in_force};
	struct reload_options options;

	world_open_pair(&world, orders, keys_of_a, keys_of_b, &bay_cell);
	fake_master_plugin(&world.fake, "reloads", "a");
	fake_master_plugin(&world.fake, "reloads", "b");
	options = (struct reload_options){.supervisor = world.fake.supervisor,
		.examination = world.fake.examination, .listeners = world.fake.listeners,
		.config = world.fake.config, .events = world.fake.events};
	world.master.reload = reload_create(&options, &watcher);
	reload_open(world.master.reload);
	serve_as(INTERFACE_ROLE_ADMIN);
	client = client_connect(&world);
}

static void
close_world(void)
{
	close(client.fd);
	reload_close(world.master.reload);
	world_close_services(&world);
	reload_destroy(world.master.reload);
	world_close(&world);
}

/* Calls the method with these parameters: "\"key\":\"a.queue\"". */
static void
ask_for(const char *method, const char *parameters)
{
	char request[400];

	snprintf(request, sizeof(request), "\"io.bayd.Container.%s\",\"parameters\":{%s", method, parameters);
	ask(&client, request);
}

static json_t *
answer_to(const char *method, const char *parameters)
{
	ask_for(method, parameters);
	return answer(&client);
}

static void
expect_error(const char *method, const char *parameters, const char *error, const char *words)
{
	char name[80];

	ask_for(method, parameters);
	snprintf(name, sizeof(name), "io.bayd.Container.%s", error);
	client_expect_error(&client, name, words);
}

static const char *
text_of(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name));
}

/* Its member key of this name; NULL: it has none. */
static const json_t *
key_of(const json_t *reply, const char *name)
{
	const json_t *keys = json_object_get(reply, "keys");

	for (size_t i = 0; i < json_array_size(keys); i++) {
		if (strcmp(text_of(json_array_get(keys, i), "key"), name) == 0)
			return json_array_get(keys, i);
	}
	return NULL;
}

/* line 0: it is the default, and says nothing of files. */
static void
expect_key(const json_t *reply, const char *name, const char *value, bool live, int line)
{
	const json_t *key = key_of(reply, name);

	ck_assert_msg(key != NULL, "%s", name);
	ck_assert_str_eq(text_of(key, "value"), value);
	ck_assert_msg(json_is_true(json_object_get(key, "live")) == live, "%s", name);
	ck_assert_str_eq(text_of(key, "origin"), line > 0 ? "file" : "default");
	ck_assert_int_eq(json_integer_value(json_object_get(key, "line")), line);
	if (line > 0)
		ck_assert_str_eq(text_of(key, "file"), ini());
	else
		ck_assert(json_object_get(key, "file") == NULL && json_object_get(key, "line") == NULL);
	ck_assert_ptr_null(json_object_get(key, "by"));
}

/* The answer to a change: the configuration that is in force, and how many differences that made. */
static void
expect_changes(json_t *reply, int number, bool changed, size_t changes)
{
	ck_assert_int_eq(json_integer_value(json_object_get(reply, "number")), number);
	ck_assert(json_is_true(json_object_get(reply, "changed")) == changed);
	ck_assert_uint_eq(json_array_size(json_object_get(reply, "changes")), changes);
	json_decref(reply);
}

/* --- show --------------------------------------------------------------------------------------- */

START_TEST(each_key_of_a_service_is_shown_with_where_it_comes_from)
{
	json_t *reply;

	open_world("", "queue = 7\nmode = new", "");
	reply = answer_to("ShowConfig", "\"service\":\"a\"");
	ck_assert_str_eq(text_of(reply, "service"), "a");
	expect_key(reply, "queue", "7", true, 3);
	expect_key(reply, "concurrency", "256", true, 0);
	expect_key(reply, "instances", "one", false, 0);
	ck_assert_str_eq(text_of(key_of(reply, "queue"), "help"), "how many messages the queue holds");
	/* What it has of its plugin is not known before that was examined. */
	expect_key(reply, "mode", "new", false, 4);
	ck_assert_str_eq(text_of(key_of(reply, "mode"), "help"), "");
	ck_assert_ptr_null(key_of(reply, "level"));
	json_decref(reply);
	close_world();
}
END_TEST

START_TEST(what_its_plugin_declares_is_shown_whether_it_is_set_or_not)
{
	json_t *reply;

	open_world("", "", "");
	write_ini("[container]\n[service a]\nmode = new\nlevel = 4\n[service b]\n");
	expect_changes(answer_to("ReloadConfig", ""), 2, true, 2);
	reply = answer_to("ShowConfig", "\"service\":\"a\"");
	expect_key(reply, "mode", "new", false, 3);
	expect_key(reply, "level", "4", true, 4);
	expect_key(reply, "text", "none", true, 0);
	ck_assert_str_eq(text_of(key_of(reply, "mode"), "help"), "what a new generation is wanted for");
	json_decref(reply);
	/* Each once, and one alone. */
	reply = answer_to("ShowConfig", "\"service\":\"a\",\"key\":\"level\"");
	ck_assert_uint_eq(json_array_size(json_object_get(reply, "keys")), 1);
	expect_key(reply, "level", "4", true, 4);
	json_decref(reply);
	reply = answer_to("ShowConfig", "\"service\":\"a\",\"key\":\"needs\"");
	ck_assert_uint_eq(json_array_size(json_object_get(reply, "keys")), 1);
	expect_key(reply, "needs", "", false, 0);
	json_decref(reply);
	close_world();
}
END_TEST

START_TEST(one_key_is_shown_alone_and_one_that_is_none_is_told_so)
{
	json_t *reply;

	open_world("", "mode = new", "");
	reply = answer_to("ShowConfig", "\"service\":\"a\",\"key\":\"queue\"");
	ck_assert_uint_eq(json_array_size(json_object_get(reply, "keys")), 1);
	expect_key(reply, "queue", "1024", true, 0);
	json_decref(reply);
	reply = answer_to("ShowConfig", "\"service\":\"a\",\"key\":\"mode\"");
	ck_assert_uint_eq(json_array_size(json_object_get(reply, "keys")), 1);
	expect_key(reply, "mode", "new", false, 3);
	json_decref(reply);
	expect_error("ShowConfig", "\"service\":\"a\",\"key\":\"que\"", "NotFound",
		"a has no key que; bayctl show a shows all");
	close_world();
}
END_TEST

START_TEST(the_container_cells_and_groups_are_shown_by_their_names)
{
	json_t *reply;

	open_world("", "", "cell = other\ngroup = team\n[cell other]\nloops = 3\n[group team]\nstrategy = one-for-all");
	reply = answer_to("ShowConfig", "\"service\":\"container\"");
	/* Of its keys, those are live that a reload can change. */
	expect_key(reply, "drain_timeout", "10s", true, 0);
	expect_key(reply, "cgroup", "auto", false, 0);
	ck_assert_ptr_null(key_of(reply, "queue"));
	json_decref(reply);
	reply = answer_to("ShowConfig", "\"service\":\"cell.other\"");
	ck_assert_str_eq(text_of(reply, "service"), "cell.other");
	expect_key(reply, "loops", "3", false, 8);
	ck_assert_ptr_null(key_of(reply, "queue"));
	json_decref(reply);
	reply = answer_to("ShowConfig", "\"service\":\"group.team\",\"key\":\"strategy\"");
	ck_assert_str_eq(text_of(key_of(reply, "strategy"), "value"), "one-for-all");
	json_decref(reply);
	expect_error("ShowConfig", "\"service\":\"cell.other\",\"key\":\"queue\"", "NotFound",
		"cell.other has no key queue; bayctl show cell.other shows all");
	close_world();
}
END_TEST

START_TEST(a_service_of_such_a_name_comes_first)
{
	json_t *reply;

	open_world("", "", "cell = other\ngroup = team\n[cell other]\n[group team]\n[service container]\nqueue = 11\n"
		"[service cell.other]\nqueue = 12\n[service group.team]\nqueue = 13");
	reply = answer_to("ShowConfig", "\"service\":\"container\",\"key\":\"queue\"");
	ck_assert_str_eq(text_of(key_of(reply, "queue"), "value"), "11");
	json_decref(reply);
	reply = answer_to("ShowConfig", "\"service\":\"cell.other\",\"key\":\"queue\"");
	ck_assert_str_eq(text_of(key_of(reply, "queue"), "value"), "12");
	json_decref(reply);
	reply = answer_to("ShowConfig", "\"service\":\"group.team\",\"key\":\"queue\"");
	ck_assert_str_eq(text_of(key_of(reply, "queue"), "value"), "13");
	json_decref(reply);
	close_world();
}
END_TEST

START_TEST(what_has_no_section_is_told_with_where_to_look)
{
	open_world("", "", "cell = other");
	expect_error("ShowConfig", "\"service\":\"A\"", "NotFound", "there is no service A");
	expect_error("ShowConfig", "\"service\":\"cell.main\"", "NotFound",
		"cell main has no section: all that is said of it is in [container]");
	expect_error("ShowConfig", "\"service\":\"cell.other\"", "NotFound", "cell other has no section");
	expect_error("ShowConfig", "\"service\":\"cell.nowhere\"", "NotFound",
		"there is no cell nowhere, and no section [cell nowhere]");
	expect_error("ShowConfig", "\"service\":\"group.team\"", "NotFound", "there is no service group.team");
	close_world();
}
END_TEST

START_TEST(a_cell_that_nobody_is_in_any_more_is_not_there)
{
	const struct master_cell *other;

	open_world("", "", "cell = other");
	other = service_of(&world.fake, "b")->cell;
	write_ini("[container]\n[service a]\n[service b]\n");
	json_decref(answer_to("ReloadConfig", ""));
	UNTIL(&world.fake, !master_cell_is_there(other));
	expect_error("ShowConfig", "\"service\":\"cell.other\"", "NotFound", "there is no cell other");
	close_world();
}
END_TEST

/* --- set ------------------------------------------------------------------------------------------- */

START_TEST(a_key_that_is_set_is_in_force_by_who_set_it)
{
	char by[64];
	json_t *reply;
	const json_t *change;

	open_world("", "", "");
	reply = answer_to("SetConfig", "\"key\":\"a.queue\",\"value\":\"5\"");
	change = json_array_get(json_object_get(reply, "changes"), 0);
	ck_assert_str_eq(text_of(change, "service"), "a");
	ck_assert_str_eq(text_of(change, "key"), "queue");
	ck_assert_str_eq(text_of(change, "old"), "1024");
	ck_assert_str_eq(text_of(change, "new"), "5");
	ck_assert_str_eq(text_of(change, "sign"), "~");
	ck_assert_str_eq(text_of(change, "effect"), "live");
	ck_assert(json_object_get(change, "cell") == NULL && json_object_get(change, "group") == NULL);
	expect_changes(reply, 2, true, 1);
	ck_assert_int_eq(service_of(&world.fake, "a")->config->queue, 5);
	reply = answer_to("ShowConfig", "\"service\":\"a\",\"key\":\"queue\"");
	snprintf(by, sizeof(by), "set by user %u, process %d", (unsigned)getuid(), (int)getpid());
	ck_assert_str_eq(text_of(key_of(reply, "queue"), "origin"), "set");
	ck_assert_str_eq(text_of(key_of(reply, "queue"), "by"), by);
	ck_assert_ptr_null(json_object_get(key_of(reply, "queue"), "file"));
	json_decref(reply);
	expect_changes(answer_to("SetConfig", "\"key\":\"a.queue\",\"value\":\"5\""), 2, false, 0);
	expect_changes(answer_to("SetConfig", "\"key\":\"container.drain_timeout\",\"value\":\"7s\""), 3, true, 1);
	ck_assert_int_eq(world.master.config->container.drain_timeout_ns, MS(7000));
	close_world();
}
END_TEST

START_TEST(the_longest_name_of_a_service_before_a_dot_is_meant)
{
	open_world("", "", "[service x]\n[service x.y]\n[service container]");
	ck_assert_ptr_nonnull(service_of(&world.fake, "x.y"));
	json_decref(answer_to("SetConfig", "\"key\":\"x.y.queue\",\"value\":\"5\""));
	json_decref(answer_to("SetConfig", "\"key\":\"x.queue\",\"value\":\"6\""));
	ck_assert_int_eq(service_of(&world.fake, "x.y")->config->queue, 5);
	ck_assert_int_eq(service_of(&world.fake, "x")->config->queue, 6);
	/* A service of this name comes before [container]. */
	json_decref(answer_to("SetConfig", "\"key\":\"container.queue\",\"value\":\"7\""));
	ck_assert_int_eq(service_of(&world.fake, "container")->config->queue, 7);
	/* The key has the rest, which may have dots, too. */
	expect_error("SetConfig", "\"key\":\"x.z.queue\",\"value\":\"5\"", "Refused", "z.queue");
	close_world();
}
END_TEST

START_TEST(a_key_of_nobody_is_told_so)
{
	static const char *const keys[] = {"queue", "nobody.queue", ".queue", ".", "", "..", "nobody.x.queue"};

	open_world("", "", "");
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		char parameters[80], words[120];

		snprintf(parameters, sizeof(parameters), "\"key\":\"%s\",\"value\":\"5\"", keys[i]);
		snprintf(words, sizeof(words), "there is no service of which %s is a key; it is SERVICE.KEY or "
			"container.KEY", keys[i]);
		expect_error("SetConfig", parameters, "NotFound", words);
	}
	close_world();
}
END_TEST

START_TEST(a_value_that_is_wrong_or_a_key_that_is_not_live_is_refused)
{
	open_world("", "", "");
	expect_error("SetConfig", "\"key\":\"a.queue\",\"value\":\"many\"", "Refused", "wants a number from 1 to 1000000");
	expect_error("SetConfig", "\"key\":\"a.instances\",\"value\":\"2\"", "Refused", "instances");
	expect_error("SetConfig", "\"key\":\"container.cgroup\",\"value\":\"no\"", "Refused", "cgroup");
	ck_assert_int_eq(service_of(&world.fake, "a")->config->queue, 1024);
	close_world();
}
END_TEST

static bool
file_has(const char *words)
{
	char text[1000] = "";
	FILE *file = fopen(ini(), "re");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_lt(fread(text, 1, sizeof(text) - 1, file), sizeof(text) - 1);
	fclose(file);
	return strstr(text, words) != NULL;
}

START_TEST(what_is_saved_is_in_the_file_and_only_for_admins)
{
	char refused[120];

	open_world("", "", "");
	write_ini("[container]\n[service a]\n[service b]\n");
	serve_as(INTERFACE_ROLE_OPERATOR);
	close(client.fd);
	client = client_connect(&world);
	snprintf(refused, sizeof(refused), "to save is for the role admin, and user %u has operator", (unsigned)getuid());
	expect_error("SetConfig", "\"key\":\"a.queue\",\"value\":\"5\",\"save\":true", "NotPermitted", refused);
	ck_assert_int_eq(service_of(&world.fake, "a")->config->queue, 1024);
	expect_changes(answer_to("SetConfig", "\"key\":\"a.queue\",\"value\":\"5\",\"save\":false"), 2, true, 1);
	ck_assert(!file_has("queue"));
	role = INTERFACE_ROLE_ADMIN;
	expect_changes(answer_to("SetConfig", "\"key\":\"a.queue\",\"value\":\"6\",\"save\":true"), 3, true, 1);
	ck_assert(file_has("queue = 6"));
	close_world();
}
END_TEST

START_TEST(what_cannot_be_saved_is_in_force_all_the_same)
{
	open_world("", "", "");
	write_ini("[container]\n[service b]\n");
	expect_error("SetConfig", "\"key\":\"a.queue\",\"value\":\"5\",\"save\":true", "Failed",
		"it is in force, as configuration 2, but not saved: ");
	ck_assert_int_eq(service_of(&world.fake, "a")->config->queue, 5);
	close_world();
}
END_TEST

/* --- reload, diff ------------------------------------------------------------------------------------ */

START_TEST(a_difference_is_told_before_it_is_made_and_made_by_a_reload)
{
	json_t *reply;
	const json_t *change;

	open_world("", "", "");
	write_ini("[container]\n[service a]\nqueue = 5\n[service c]\nenabled = no\n");
	reply = answer_to("DiffConfig", "");
	ck_assert_uint_eq(json_array_size(json_object_get(reply, "changes")), 3);
	change = json_array_get(json_object_get(reply, "changes"), 0);
	ck_assert_str_eq(text_of(change, "key"), "queue");
	ck_assert_str_eq(text_of(change, "file"), ini());
	ck_assert_int_eq(json_integer_value(json_object_get(change, "line")), 3);
	expect_changes(reply, 1, false, 3);
	expect_changes(answer_to("ReloadConfig", "\"dry_run\":true"), 1, false, 3);
	ck_assert_int_eq(service_of(&world.fake, "a")->config->queue, 1024);
	expect_changes(answer_to("ReloadConfig", "\"dry_run\":false"), 2, true, 3);
	ck_assert_int_eq(service_of(&world.fake, "a")->config->queue, 5);
	ck_assert_ptr_null(service_of(&world.fake, "b"));
	expect_changes(answer_to("DiffConfig", ""), 2, false, 0);
	close_world();
}
END_TEST

START_TEST(a_difference_of_a_cell_or_a_group_names_it)
{
	json_t *reply;
	bool cell = false, group = false;

	open_world("", "", "cell = other\ngroup = team\n[cell other]\nloops = 3\n[group team]\nstrategy = one-for-all");
	write_ini("[container]\n[service a]\n[service b]\ncell = other\ngroup = team\n[cell other]\nloops = 4\n"
		"[group team]\nstrategy = rest-for-one\n");
	reply = answer_to("DiffConfig", "");
	for (size_t i = 0; i < json_array_size(json_object_get(reply, "changes")); i++) {
		const json_t *change = json_array_get(json_object_get(reply, "changes"), i);
		const char *key = text_of(change, "key");

		cell |= key != NULL && strcmp(key, "loops") == 0 && strcmp(text_of(change, "cell"), "other") == 0;
		group |= key != NULL && strcmp(key, "strategy") == 0 && strcmp(text_of(change, "group"), "team") == 0;
	}
	ck_assert(cell && group);
	json_decref(reply);
	close_world();
}
END_TEST

START_TEST(a_file_that_is_wrong_is_refused_with_the_place)
{
	char place[300];

	open_world("", "", "");
	write_ini("[container]\n[service a]\nqueue = many\n[service b]\n");
	snprintf(place, sizeof(place), "%s:3: ", ini());
	expect_error("DiffConfig", "", "Refused", place);
	expect_error("ReloadConfig", "", "Refused", place);
	expect_error("ReloadConfig", "\"dry_run\":true", "Refused", place);
	ck_assert_ptr_nonnull(service_of(&world.fake, "b"));
	close_world();
}
END_TEST

START_TEST(a_configuration_with_which_a_service_does_not_come_up_is_rolled_back)
{
	open_world("swap=refuse\n", "", "");
	write_ini("[container]\n[service a]\nmode = new\n[service b]\n");
	expect_error("ReloadConfig", "", "RolledBack", "service a: ");
	expect_changes(answer_to("DiffConfig", ""), 1, false, 1);
	close_world();
}
END_TEST

START_TEST(a_bayd_that_stops_changes_nothing)
{
	open_world("", "", "");
	reload_close(world.master.reload);
	expect_error("SetConfig", "\"key\":\"a.queue\",\"value\":\"5\"", "Closed", "");
	expect_error("ReloadConfig", "", "Closed", "");
	ck_assert_int_eq(service_of(&world.fake, "a")->config->queue, 1024);
	close_world();
}
END_TEST

/* --- history ---------------------------------------------------------------------------------------------- */

START_TEST(each_configuration_that_was_in_force_is_told_and_can_be_gone_back_to)
{
	json_t *reply;
	const json_t *all, *last;

	open_world("", "", "");
	json_decref(answer_to("SetConfig", "\"key\":\"a.queue\",\"value\":\"5\""));
	write_ini("[container]\n[service a]\n[service b]\n[service c]\nenabled = no\n");
	json_decref(answer_to("ReloadConfig", ""));
	reply = answer_to("ConfigHistory", "");
	all = json_object_get(reply, "configurations");
	ck_assert_uint_eq(json_array_size(all), 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(all, i), "number")), (json_int_t)i + 1);
	last = json_array_get(all, 2);
	ck_assert_int_eq(json_integer_value(json_object_get(last, "services")), 3);
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(all, 1), "services")), 2);
	ck_assert_int_gt(json_integer_value(json_object_get(last, "since_wall_ns")), 0);
	ck_assert_ptr_nonnull(strstr(text_of(json_array_get(all, 1), "why"), "a.queue"));
	ck_assert_ptr_nonnull(strstr(text_of(last, "why"), "user "));
	json_decref(reply);
	json_decref(answer_to("RollbackConfig", "\"number\":2"));
	ck_assert_int_eq(service_of(&world.fake, "a")->config->queue, 5);
	ck_assert_ptr_null(service_of(&world.fake, "c"));
	expect_error("RollbackConfig", "\"number\":77", "NotFound", "there is no configuration 77");
	close_world();
}
END_TEST

CHECK_MAIN("master/admin_config",
	each_key_of_a_service_is_shown_with_where_it_comes_from,
	what_its_plugin_declares_is_shown_whether_it_is_set_or_not,
	one_key_is_shown_alone_and_one_that_is_none_is_told_so,
	the_container_cells_and_groups_are_shown_by_their_names,
	a_service_of_such_a_name_comes_first,
	what_has_no_section_is_told_with_where_to_look,
	a_cell_that_nobody_is_in_any_more_is_not_there,
	a_key_that_is_set_is_in_force_by_who_set_it,
	the_longest_name_of_a_service_before_a_dot_is_meant,
	a_key_of_nobody_is_told_so,
	a_value_that_is_wrong_or_a_key_that_is_not_live_is_refused,
	what_is_saved_is_in_the_file_and_only_for_admins,
	what_cannot_be_saved_is_in_force_all_the_same,
	a_difference_is_told_before_it_is_made_and_made_by_a_reload,
	a_difference_of_a_cell_or_a_group_names_it,
	a_file_that_is_wrong_is_refused_with_the_place,
	a_configuration_with_which_a_service_does_not_come_up_is_rolled_back,
	a_bayd_that_stops_changes_nothing,
	each_configuration_that_was_in_force_is_told_and_can_be_gone_back_to)
