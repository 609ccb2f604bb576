/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * With the real examiner and a fake cell. Also tests reload_commit and service_change, which it is
 * made of; what happens in a real cell is in tests/system/test_reload.sh.
 */
#include "config.h"

#include "master/reload.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/config_load.h"
#include "master/master_service.h"
#include "master/plugin_examination.h"
#include "master/service_change.h"
#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

static const struct program bay_cell = {
	.path = TOP_BUILDDIR "/container/.libs/bay-cell",
	.library_dir = TOP_BUILDDIR "/container/.libs",
};

/* How one that asked was answered. */
struct answer {
	unsigned times;
	enum bay_status status;
	int64_t number;
	bool changed;
	size_t differences;
	char message[400];
};

struct world {
	struct fake_master master;
	struct reload *reload;
	unsigned begun;
	unsigned ended;
	struct config *in_force;
	bool read; /* the files have been, whatever came of it */
};

static void
on_done(const struct reload_result *result, void *arg)
{
	struct answer *answer = arg;

	answer->times++;
	answer->status = result->status;
	answer->number = result->number;
	answer->changed = result->changed;
	answer->differences = result->diff != NULL ? result->diff->count : 0;
	snprintf(answer->message, sizeof(answer->message), "%s", result->message);
}

static void
on_begun(void *arg)
{
	((struct world *)arg)->begun++;
}

static void
on_ended(void *arg)
{
	((struct world *)arg)->ended++;
}

static void
on_read(struct config *config, void *arg)
{
	((struct world *)arg)->read = config->path != NULL;
}

static void
on_in_force(struct config *config, void *arg)
{
	((struct world *)arg)->in_force = config;
}

/* Of the watch, which has tests of its own. */
static void
on_file(void *arg)
{
	(void)arg;
}

static void
write_ini(struct world *world, const char *text)
{
	temp_dir_write(&world->master.dir, "bay.ini", text);
}

/* Services a and b run; the file says so. */
static void
open_world(struct world *world, const char *orders)
{
	const struct reload_watcher watcher = {.begun = on_begun, .ended = on_ended,
		.reading = on_file, .writing = on_file, .written = on_file,
		.read = on_read, .in_force = on_in_force, .arg = world};
	struct reload_options options;

	memset(world, 0, sizeof(*world));
	log_lines_keep();
	fake_master_open_with_plugins(&world->master, orders, "", &bay_cell);
	fake_master_plugin(&world->master, "reloads", "a");
	fake_master_plugin(&world->master, "reloads", "b");
	fake_master_plugin(&world->master, "reloads", "c");
	options = (struct reload_options){.supervisor = world->master.supervisor,
		.examination = world->master.examination, .listeners = world->master.listeners,
		.config = world->master.config, .events = world->master.events};
	write_ini(world, "[container]\n[service a]\n[service b]\n");
	fake_master_start(&world->master);
	world->reload = reload_create(&options, &watcher);
	reload_open(world->reload);
}

static void
close_world(struct world *world)
{
	reload_close(world->reload);
	/* As in master_finish: what the commit waits for is answered first. */
	supervisor_destroy(world->master.supervisor);
	world->master.supervisor = NULL;
	plugin_examination_destroy(world->master.examination);
	world->master.examination = NULL;
	reload_destroy(world->reload);
	fake_master_close(&world->master);
}

static void
ask_file(struct world *world, bool dry_run, struct answer *answer)
{
	const struct reload_wish wish = {.kind = RELOAD_FILE, .dry_run = dry_run, .who = "test"};

	memset(answer, 0, sizeof(*answer));
	reload_ask(world->reload, &wish, on_done, answer);
}

static struct answer
reload_file(struct world *world, const char *text)
{
	struct answer answer;

	write_ini(world, text);
	ask_file(world, false, &answer);
	UNTIL(&world->master, answer.times > 0);
	return answer;
}

static struct answer
set_key(struct world *world, const char *service, const char *key, const char *value)
{
	const struct reload_wish wish = {.kind = RELOAD_SET, .service = service, .key = key,
		.value = value, .who = "test"};
	struct answer answer = {0};

	reload_ask(world->reload, &wish, on_done, &answer);
	UNTIL(&world->master, answer.times > 0);
	return answer;
}

START_TEST(a_file_that_says_the_same_changes_nothing)
{
	struct world world;
	struct answer answer;

	open_world(&world, "");
	answer = reload_file(&world, "# moved\n[container]\n\n[service b]\n[service a]\n");
	ck_assert_int_eq(answer.status, BAY_OK);
	ck_assert_int_eq(answer.number, 1);
	ck_assert(!answer.changed);
	/* But where things stand is known again. */
	ck_assert_uint_eq(service_of(&world.master, "a")->config->origin.line, 5);
	ck_assert_uint_eq(config_find_service(world.in_force, "b")->origin.line, 4);
	ck_assert_ptr_eq(supervisor_service(world.master.supervisor, 0), service_of(&world.master, "b"));
	ck_assert_uint_eq(world.begun, 1);
	ck_assert_uint_eq(world.ended, 1);
	close_world(&world);
}
END_TEST

START_TEST(services_are_added_changed_and_removed)
{
	struct world world;
	struct master_service *a, *b;
	struct answer answer;

	open_world(&world, "");
	a = service_of(&world.master, "a");
	b = service_of(&world.master, "b");
	answer = reload_file(&world, "[container]\n[service a]\n[service b]\nmode = new\n");
	ck_assert_msg(answer.status == BAY_OK, "%s", answer.message);
	ck_assert_ptr_nonnull(b->former);
	answer = reload_file(&world, "[container]\n[service a]\nmode = new\n[service c]\n");
	ck_assert_msg(answer.status == BAY_OK, "%s", answer.message);
	ck_assert_int_eq(answer.number, 3);
	ck_assert_uint_eq(answer.differences, 3);
	ck_assert(is_state(&world.master, "a", SERVICE_READY));
	ck_assert(is_state(&world.master, "c", SERVICE_READY));
	ck_assert_ptr_null(supervisor_find(world.master.supervisor, "b"));
	ck_assert_uint_eq(supervisor_count(world.master.supervisor), 2);
	ck_assert_str_eq(a->config->settings[0].value, "new");
	ck_assert_str_eq(a->image->source, temp_dir_path(&world.master.dir, "plugins/a.so"));
	/* A slot is for life, code is not. */
	ck_assert(b->image == NULL && b->former == NULL);
	ck_assert_str_eq(supervisor_by_slot(world.master.supervisor, 1)->config->name, "b");
	answer = reload_file(&world, "[container]\n[service b]\n");
	ck_assert_int_eq(answer.status, BAY_OK);
	ck_assert_uint_eq(service_of(&world.master, "b")->slot, 1);
	close_world(&world);
}
END_TEST

START_TEST(what_is_different_and_live_is_no_restart)
{
	struct world world;
	struct answer answer;
	int64_t since_ns;

	open_world(&world, "");
	since_ns = service_of(&world.master, "a")->since_ns;
	answer = reload_file(&world, "[container]\n[service a]\ntimeout = 5s\n[service b]\n");
	ck_assert_msg(answer.status == BAY_OK, "%s", answer.message);
	ck_assert_int_eq(service_of(&world.master, "a")->config->timeout_ns, MS(5000));
	ck_assert_int_eq(service_of(&world.master, "a")->since_ns, since_ns);
	close_world(&world);
}
END_TEST

START_TEST(who_asks_meanwhile_shares_the_next_run)
{
	struct answer first, second, third, dry;
	struct world world;

	open_world(&world, "");
	write_ini(&world, "[container]\n[service a]\nmode = 1\n[service b]\n");
	ask_file(&world, false, &first);
	write_ini(&world, "[container]\n[service a]\nmode = 2\n[service b]\n");
	ask_file(&world, false, &second);
	ask_file(&world, false, &third);
	ask_file(&world, true, &dry);
	ck_assert_uint_eq(world.begun, 1);
	UNTIL(&world.master, dry.times > 0);
	ck_assert_uint_eq(first.times, 1);
	ck_assert_uint_eq(second.times, 1);
	ck_assert_uint_eq(third.times, 1);
	ck_assert_int_eq(first.number, 2);
	ck_assert_int_eq(second.number, 3);
	ck_assert_int_eq(third.number, 3);
	ck_assert_uint_eq(world.begun, 2);
	ck_assert_uint_eq(dry.differences, 0);
	ck_assert_str_eq(service_of(&world.master, "a")->config->settings[0].value, "2");
	close_world(&world);
}
END_TEST

START_TEST(a_dry_run_says_what_it_would_do)
{
	struct answer answer;
	struct world world;

	open_world(&world, "");
	write_ini(&world, "[container]\n[service a]\nmode = 1\n");
	ask_file(&world, true, &answer);
	UNTIL(&world.master, answer.times > 0);
	ck_assert_int_eq(answer.status, BAY_OK);
	ck_assert_uint_eq(answer.differences, 2);
	ck_assert_int_eq(answer.number, 1);
	ck_assert_uint_eq(service_of(&world.master, "a")->config->setting_count, 0);
	ck_assert_uint_eq(world.begun, 0);
	close_world(&world);
}
END_TEST

static void
is_refused(struct world *world, const char *text, const char *expected)
{
	struct answer answer = reload_file(world, text);

	ck_assert_int_eq(answer.status, BAY_INVALID);
	ck_assert_int_eq(answer.number, 1);
	ck_assert_msg(strstr(answer.message, expected) != NULL, "%s", answer.message);
	ck_assert(is_state(&world->master, "a", SERVICE_READY));
	ck_assert_uint_eq(service_of(&world->master, "a")->config->setting_count, 0);
}

START_TEST(all_that_is_wrong_with_a_file_is_one_event)
{
	const struct event_record *record;
	uint64_t next;
	struct world world;

	open_world(&world, "");
	is_refused(&world, "[container]\n[service a]\ntimeout = soon\nqueue = none\n", "bay.ini:4: queue");
	next = event_log_newest(world.master.events);
	ck_assert(event_log_next(world.master.events, &next, NULL, &record));
	ck_assert_msg(strchr(record->why, '\n') == NULL, "%s", record->why);
	ck_assert_ptr_nonnull(strstr(record->why, "[config-value]; "));
	ck_assert_ptr_nonnull(strstr(record->why, "bay.ini:4: queue"));
	close_world(&world);
}
END_TEST

START_TEST(a_wrong_file_changes_nothing)
{
	struct answer answer;
	struct world world;

	open_world(&world, "");
	is_refused(&world, "[container]\n[service a]\ntimeout = soon\n", "bay.ini:3: timeout");
	ck_assert(world.read);
	is_refused(&world, "[container]\n[service a]\nlevel = 77\n", "bay.ini:3: level");
	is_refused(&world, "[container]\n[service a]\n[service d]\n", "bay.ini:3: service d: ");
	is_refused(&world, "", "neither [container] nor a service");
	is_refused(&world, "[service a]\n", "lost its section [container]");
	ck_assert_int_eq(unlink(temp_dir_path(&world.master.dir, "bay.ini")), 0);
	ask_file(&world, false, &answer);
	ck_assert_int_eq(answer.status, BAY_INVALID);
	ck_assert_ptr_nonnull(strstr(answer.message, "No such file"));
	ck_assert_uint_eq(world.ended, world.begun);
	close_world(&world);
}
END_TEST

START_TEST(when_the_cell_refuses_one_all_are_as_before)
{
	struct answer answer;
	struct world world;

	open_world(&world, "start=refuse:c");
	answer = reload_file(&world, "[container]\n[service a]\nmode = new\n[service b]\n"
		"timeout = 5s\n[service c]\n");
	ck_assert_int_eq(answer.status, BAY_FAILED);
	ck_assert_ptr_nonnull(strstr(answer.message, "service c: "));
	ck_assert_int_eq(answer.number, 1);
	ck_assert(is_state(&world.master, "a", SERVICE_READY));
	ck_assert_uint_eq(service_of(&world.master, "a")->config->setting_count, 0);
	ck_assert_str_eq(service_of(&world.master, "a")->image->source, "/nowhere/a.so");
	ck_assert_int_eq(service_of(&world.master, "b")->config->timeout_ns, MS(30000));
	ck_assert_ptr_null(supervisor_find(world.master.supervisor, "c"));
	ck_assert_ptr_null(world.in_force);
	close_world(&world);
}
END_TEST

/* A plugin file becomes service c: it is examined first, or is ready at once. */
static struct master_service *
drop_in_c(struct world *world, bool at_once)
{
	static const char text[] = "[container]\n[service c]\n";
	struct config_report report = {0};
	struct service_target target = {.image = service_of(&world->master, "a")->image};
	struct master_service *c;

	ck_assert(config_load_memory("c.so", text, strlen(text), &target.source, &report));
	config_report_finish(&report);
	target.source->dropped_in = true;
	target.config = &target.source->services[0];
	c = supervisor_add(world->master.supervisor, target.source, target.config);
	if (at_once)
		service_change_start(c, &target, fake_master_on_done, &world->master);
	else
		service_control_start(c, fake_master_on_done, &world->master);
	config_unref(target.source);
	return c;
}

START_TEST(a_section_takes_over_what_its_plugin_file_becomes_meanwhile)
{
	static const char *const files[] = {"[service c]\n", "[service c]\nenabled = no\n"};

	for (int i = 0; i < 4; i++) {
		bool enabled = i % 2 == 0;
		struct master_service *a, *c;
		struct answer answer;
		struct world world;
		char text[200];

		open_world(&world, "listen=127.0.0.1:0 stop=drain");
		a = service_of(&world.master, "a");
		snprintf(text, sizeof(text), "[container]\n[service b]\n%s", files[i % 2]);
		write_ini(&world, text);
		ask_file(&world, false, &answer);
		/* What listens and is to go keeps all else waiting. */
		UNTIL(&world.master, is_state(&world.master, "a", SERVICE_STOPPING));
		ck_assert_ptr_null(service_of(&world.master, "c"));
		c = drop_in_c(&world, i / 2 == 1);
		if (i / 2 == 1)
			UNTIL(&world.master, is_state(&world.master, "c", SERVICE_READY));
		service_control_stop(a, true, NULL, NULL);
		if (!enabled) {
			UNTIL(&world.master, is_state(&world.master, "c", SERVICE_STOPPING));
			service_control_stop(c, true, NULL, NULL);
		}
		UNTIL(&world.master, answer.times > 0);
		ck_assert_msg(answer.status == BAY_OK, "%s", answer.message);
		UNTIL(&world.master, c->step == SERVICE_STEP_NONE);
		ck_assert(is_state(&world.master, "c", enabled ? SERVICE_READY : SERVICE_STOPPED));
		ck_assert(!c->source->dropped_in);
		ck_assert(c->config->enabled == enabled);
		ck_assert_int_eq(log_lines_with("service c: ready"), 1);
		ck_assert_int_eq(log_lines_with("service c: stopped"), !enabled);
		if (enabled)
			ck_assert_str_eq(c->image->source, temp_dir_path(&world.master.dir, "plugins/c.so"));
		close_world(&world);
	}
}
END_TEST

static void
remove_service(struct master_service *service, enum bay_status status, const char *message, void *arg)
{
	(void)message;
	(void)arg;
	ck_assert_int_eq(status, BAY_OK);
	supervisor_remove(service->supervisor, service);
}

START_TEST(a_section_adds_what_has_gone_with_its_plugin_file_meanwhile)
{
	struct master_service *c;
	struct answer answer;
	struct world world;

	open_world(&world, "listen=127.0.0.1:0 stop=drain");
	c = drop_in_c(&world, true);
	UNTIL(&world.master, is_state(&world.master, "c", SERVICE_READY));
	write_ini(&world, "[container]\n[service b]\n[service c]\nmode = new\n");
	ask_file(&world, false, &answer);
	UNTIL(&world.master, is_state(&world.master, "a", SERVICE_STOPPING));
	/* It ends before the other does. */
	service_control_stop(c, true, remove_service, NULL);
	UNTIL(&world.master, answer.times > 0);
	ck_assert_msg(answer.status == BAY_OK, "%s", answer.message);
	ck_assert_ptr_eq(service_of(&world.master, "c"), c);
	ck_assert(is_state(&world.master, "c", SERVICE_READY));
	ck_assert(!c->source->dropped_in);
	close_world(&world);
}
END_TEST

START_TEST(one_that_does_not_end_fails_what_would_change_it)
{
	static const char *const orders[] = {"stop=refuse", "stop=silent"};

	for (int i = 0; i < 2; i++) {
		struct answer answer;
		struct world world;
		struct master_service *a;

		open_world(&world, orders[i]);
		(void)reload_file(&world, "[container]\n[service a]\ndrain_timeout = 1ms\n[service b]\n");
		a = service_of(&world.master, "a");
		world.master.limits.grace_ns = MS(1);
		service_control_stop(a, false, fake_master_on_done, &world.master);
		UNTIL(&world.master, world.master.answers == 1);
		ck_assert(is_state(&world.master, "a", SERVICE_STOPPING));
		answer = reload_file(&world, "[container]\n[service a]\ntimeout = 5s\n[service b]\n");
		ck_assert_int_eq(answer.status, BAY_FAILED);
		ck_assert_ptr_nonnull(strstr(answer.message, "[service-stuck]"));
		ck_assert_int_eq(a->config->timeout_ns, MS(30000));
		/* What needs nothing of it goes on; what is to end may end later. */
		answer = reload_file(&world, "[container]\n[service b]\ntimeout = 5s\n");
		ck_assert_msg(answer.status == BAY_OK, "%s", answer.message);
		ck_assert_int_eq(service_of(&world.master, "b")->config->timeout_ns, MS(5000));
		ck_assert_ptr_eq(supervisor_find(world.master.supervisor, "a"), a);
		close_world(&world);
	}
}
END_TEST

START_TEST(one_that_does_not_end_when_it_is_to_is_wanted_again)
{
	static const char *const orders[] = {"listen=127.0.0.1:0 stop=refuse call=crash",
		"listen=127.0.0.1:0 stop=silent call=crash"};
	static const char *const files[] = {"[service a]\nenabled = no\n[service b]\n", "[service b]\n"};

	for (int i = 0; i < 4; i++) {
		struct answer answer;
		struct world world;
		struct master_service *a;
		struct config *source;
		char text[200];

		open_world(&world, orders[i / 2]);
		(void)reload_file(&world, "[container]\n[service a]\ndrain_timeout = 1ms\n[service b]\n");
		a = service_of(&world.master, "a");
		source = a->source;
		world.master.limits.grace_ns = MS(1);
		snprintf(text, sizeof(text), "[container]\n%s", files[i % 2]);
		answer = reload_file(&world, text);
		ck_assert_int_eq(answer.status, BAY_FAILED);
		ck_assert_ptr_nonnull(strstr(answer.message, "service a: "));
		ck_assert(a->wanted);
		ck_assert_ptr_eq(a->source, source);
		ck_assert_ptr_eq(supervisor_find(world.master.supervisor, "a"), a);
		/* Its end comes at last. */
		fake_master_crash(&world.master, 1);
		UNTIL(&world.master, is_state(&world.master, "a", SERVICE_READY));
		ck_assert_str_eq(a->image->source, "/nowhere/a.so");
		close_world(&world);
	}
}
END_TEST

START_TEST(a_generation_that_is_refused_is_taken_back)
{
	struct answer answer;
	struct world world;

	open_world(&world, "start=refuse-second:a");
	/* With another number of instances it ends before it begins anew. */
	answer = reload_file(&world, "[container]\n[service a]\nmode = new\ninstances = 2\n"
		"[service b]\n");
	ck_assert_int_eq(answer.status, BAY_FAILED);
	ck_assert_ptr_nonnull(strstr(answer.message, "service a: "));
	UNTIL(&world.master, is_state(&world.master, "a", SERVICE_READY));
	ck_assert_uint_eq(service_of(&world.master, "a")->config->setting_count, 0);
	ck_assert_str_eq(service_of(&world.master, "a")->image->source, "/nowhere/a.so");
	ck_assert_ptr_null(service_of(&world.master, "a")->undo);
	ck_assert_ptr_null(service_of(&world.master, "a")->former);
	ck_assert_int_eq(log_lines_with("it is put back to the configuration"), 1);
	close_world(&world);
}
END_TEST

START_TEST(a_generation_that_is_not_swapped_to_leaves_the_one_that_runs)
{
	struct answer answer;
	struct world world;
	int64_t since_ns;

	open_world(&world, "swap=refuse");
	since_ns = service_of(&world.master, "a")->since_ns;
	answer = reload_file(&world, "[container]\n[service a]\nmode = new\n[service b]\n");
	ck_assert_int_eq(answer.status, BAY_FAILED);
	ck_assert_ptr_nonnull(strstr(answer.message, "service a: "));
	ck_assert(is_state(&world.master, "a", SERVICE_READY));
	ck_assert_int_eq(service_of(&world.master, "a")->since_ns, since_ns);
	ck_assert_uint_eq(service_of(&world.master, "a")->config->setting_count, 0);
	ck_assert_str_eq(service_of(&world.master, "a")->image->source, "/nowhere/a.so");
	ck_assert_ptr_null(service_of(&world.master, "a")->next_image);
	ck_assert_ptr_null(service_of(&world.master, "a")->undo);
	close_world(&world);
}
END_TEST

START_TEST(one_that_fails_as_it_is_to_be_swapped_is_started_as_it_was)
{
	struct answer answer;
	struct world world;

	open_world(&world, "swap=late");
	answer = reload_file(&world, "[container]\n[service a]\nmode = new\n[service b]\n");
	ck_assert_int_eq(answer.status, BAY_FAILED);
	UNTIL(&world.master, is_state(&world.master, "a", SERVICE_READY));
	ck_assert_uint_eq(service_of(&world.master, "a")->config->setting_count, 0);
	ck_assert_str_eq(service_of(&world.master, "a")->image->source, "/nowhere/a.so");
	ck_assert_ptr_null(service_of(&world.master, "a")->undo);
	close_world(&world);
}
END_TEST

START_TEST(a_generation_that_crashes_in_the_swap_is_taken_back)
{
	struct answer answer;
	struct world world;

	open_world(&world, "swap=crash");
	answer = reload_file(&world, "[container]\n[service a]\nmode = new\n[service b]\n");
	ck_assert_int_eq(answer.status, BAY_FAILED);
	UNTIL(&world.master, is_state(&world.master, "a", SERVICE_READY));
	ck_assert_uint_eq(service_of(&world.master, "a")->config->setting_count, 0);
	ck_assert_str_eq(service_of(&world.master, "a")->image->source, "/nowhere/a.so");
	ck_assert_ptr_null(service_of(&world.master, "a")->undo);
	close_world(&world);
}
END_TEST

START_TEST(a_generation_that_is_swapped_to_is_no_restart)
{
	struct answer answer;
	struct world world;
	int64_t since_ns;

	open_world(&world, "");
	since_ns = service_of(&world.master, "a")->since_ns;
	answer = reload_file(&world, "[container]\n[service a]\nmode = new\n[service b]\n");
	ck_assert_msg(answer.status == BAY_OK, "%s", answer.message);
	ck_assert_int_eq(service_of(&world.master, "a")->since_ns, since_ns);
	ck_assert_str_eq(service_of(&world.master, "a")->image->source,
		temp_dir_path(&world.master.dir, "plugins/a.so"));
	ck_assert_ptr_null(service_of(&world.master, "a")->next_image);
	close_world(&world);
}
END_TEST

START_TEST(only_live_keys_are_set_by_hand)
{
	struct answer answer;
	struct world world;

	open_world(&world, "");
	answer = set_key(&world, "a", "timeout", "7s");
	ck_assert_int_eq(answer.status, BAY_OK);
	ck_assert_int_eq(answer.number, 2);
	ck_assert_int_eq(service_of(&world.master, "a")->config->timeout_ns, MS(7000));
	ck_assert_str_eq(config_service_origin(service_of(&world.master, "a")->config,
		"timeout")->file, "set by test");
	answer = set_key(&world, "a", "stack", "64k");
	ck_assert_int_eq(answer.status, BAY_INVALID);
	ck_assert_ptr_nonnull(strstr(answer.message, "cannot be changed in what runs"));
	answer = set_key(&world, NULL, "loops", "1");
	ck_assert_int_eq(answer.status, BAY_INVALID);
	answer = set_key(&world, "nobody", "timeout", "1s");
	ck_assert_int_eq(answer.status, BAY_NOT_FOUND);
	answer = set_key(&world, NULL, "log", "relative.log");
	ck_assert_int_eq(answer.status, BAY_INVALID);
	ck_assert_ptr_nonnull(strstr(answer.message, "absolute"));
	/* The file has the last word. */
	answer = reload_file(&world, "[container]\n[service a]\n[service b]\n");
	ck_assert_int_eq(answer.number, 3);
	ck_assert_int_eq(service_of(&world.master, "a")->config->timeout_ns, MS(30000));
	close_world(&world);
}
END_TEST

/* A loop of the cell hangs in b, and the cell answers to nothing. */
START_TEST(what_only_the_master_goes_by_is_set_beside_a_loop_that_hangs)
{
	static const struct {
		const char *key;
		const char *value;
	} masters[] = {{"stall_kill", "1h"}, {"stall_warn", "2s"}, {"restart", "no"},
		{"restart_delay", "1s..2s"}, {"start_limit", "3/1m"}, {"on_crash", "stay"}, {"poison", "3"}};
	static const char *const settings = "[container]\n[service a]\nqueue = 9\n[service b]\n";
	struct answer answer;
	struct world world;

	open_world(&world, "call=spin");
	cell_process_call(master_cell_process(supervisor_cell(world.master.supervisor, 0)), CELL_CALL,
		json_pack("{s:s}", "service", "b"), -1, 0, cell_reply_ignore, NULL);
	for (size_t i = 0; i < sizeof(masters) / sizeof(masters[0]); i++) {
		answer = set_key(&world, "b", masters[i].key, masters[i].value);
		ck_assert_msg(answer.status == BAY_OK, "%s: %s", masters[i].key, answer.message);
	}
	ck_assert_int_eq(service_of(&world.master, "b")->config->stall_kill_ns, 3600 * MS(1000));
	/* What its loops have to take waits for them, but not for ever. */
	answer = set_key(&world, "a", "queue", "7");
	ck_assert_int_eq(answer.status, BAY_FAILED);
	ck_assert_msg(strstr(answer.message, "its loops have not taken the change: the cell did not answer "
		"within 3s (loop 0 hangs in service b, task task)") != NULL, "%s", answer.message);
	ck_assert_int_eq(service_of(&world.master, "a")->config->queue, 1024);
	answer = reload_file(&world, settings);
	ck_assert_int_eq(answer.status, BAY_FAILED);
	/* The next cell takes it. */
	cell_process_kill(master_cell_process(supervisor_cell(world.master.supervisor, 0)));
	UNTIL(&world.master, !is_state(&world.master, "a", SERVICE_READY));
	UNTIL(&world.master, is_state(&world.master, "a", SERVICE_READY));
	answer = reload_file(&world, settings);
	ck_assert_msg(answer.status == BAY_OK, "%s", answer.message);
	ck_assert_int_eq(service_of(&world.master, "a")->config->queue, 9);
	close_world(&world);
}
END_TEST

START_TEST(an_earlier_configuration_gets_a_new_number)
{
	struct reload_wish wish = {.kind = RELOAD_ROLLBACK, .number = 1, .who = "test"};
	struct answer answer;
	struct world world;

	open_world(&world, "");
	(void)reload_file(&world, "[container]\n[service a]\ntimeout = 5s\n[service b]\n");
	answer = (struct answer){0};
	reload_ask(world.reload, &wish, on_done, &answer);
	UNTIL(&world.master, answer.times > 0);
	ck_assert_int_eq(answer.status, BAY_OK);
	ck_assert_int_eq(answer.number, 3);
	ck_assert_int_eq(service_of(&world.master, "a")->config->timeout_ns, MS(30000));
	ck_assert_uint_eq(reload_history(world.reload)->count, 3);
	wish.number = 9;
	answer = (struct answer){0};
	reload_ask(world.reload, &wish, on_done, &answer);
	ck_assert_int_eq(answer.status, BAY_NOT_FOUND);
	close_world(&world);
}
END_TEST

START_TEST(when_bayd_stops_everybody_is_told)
{
	struct answer first, second, late;
	struct world world;

	open_world(&world, "");
	write_ini(&world, "[container]\n[service a]\nmode = 1\n[service b]\n");
	ask_file(&world, false, &first);
	ask_file(&world, false, &second);
	reload_close(world.reload);
	ck_assert_int_eq(first.status, BAY_CLOSED);
	ck_assert_int_eq(second.status, BAY_CLOSED);
	ask_file(&world, false, &late);
	ck_assert_int_eq(late.status, BAY_CLOSED);
	close_world(&world);
	ck_assert_uint_eq(first.times, 1);
	ck_assert_uint_eq(second.times, 1);
}
END_TEST

CHECK_MAIN("master/reload",
	a_file_that_says_the_same_changes_nothing,
	services_are_added_changed_and_removed,
	what_is_different_and_live_is_no_restart,
	who_asks_meanwhile_shares_the_next_run,
	a_dry_run_says_what_it_would_do,
	a_wrong_file_changes_nothing,
	all_that_is_wrong_with_a_file_is_one_event,
	when_the_cell_refuses_one_all_are_as_before,
	a_section_takes_over_what_its_plugin_file_becomes_meanwhile,
	a_section_adds_what_has_gone_with_its_plugin_file_meanwhile,
	one_that_does_not_end_fails_what_would_change_it,
	one_that_does_not_end_when_it_is_to_is_wanted_again,
	a_generation_that_is_refused_is_taken_back,
	a_generation_that_is_not_swapped_to_leaves_the_one_that_runs,
	one_that_fails_as_it_is_to_be_swapped_is_started_as_it_was,
	a_generation_that_crashes_in_the_swap_is_taken_back,
	a_generation_that_is_swapped_to_is_no_restart,
	only_live_keys_are_set_by_hand,
	what_only_the_master_goes_by_is_set_beside_a_loop_that_hangs,
	an_earlier_configuration_gets_a_new_number,
	when_bayd_stops_everybody_is_told)
