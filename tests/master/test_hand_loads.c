/* SPDX-License-Identifier: BSD-2-Clause */
/* With the real examiner and a fake cell, of which services a and b are those of the configuration. */
#include "config.h"

#include "master/hand_loads.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "master/master.h"
#include "master/plugin_examination.h"
#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

static const struct program bay_cell = {
	.path = TOP_BUILDDIR "/container/.libs/bay-cell",
	.library_dir = TOP_BUILDDIR "/container/.libs",
};

static const struct event_by by = {.source = EVENT_BY_USER, .uid = 7, .pid = 8};

/* What became of a load, or of an unload. */
struct told {
	unsigned times;
	enum bay_status status;
	char message[400];
	char services[100]; /* that were loaded, or have ended */
};

static struct fake_master fake;
static struct master master;
static struct hand_loads *loads;
static struct told told;

static void
on_loaded(struct master_service *service, enum bay_status status, const char *message, void *arg)
{
	struct told *load = arg;

	load->times++;
	load->status = status;
	snprintf(load->message, sizeof(load->message), "%s", message);
	if (service != NULL)
		snprintf(load->services, sizeof(load->services), "%s", service->config->name);
}

static void
on_unloaded(struct master_service *const *ended, size_t count, enum bay_status status, const char *message,
	void *arg)
{
	on_loaded(NULL, status, message, arg);
	for (size_t i = 0; i < count; i++)
		strcat(told.services, ended[i]->config->name);
}

static void
open_world(const char *orders)
{
	log_lines_keep();
	fake_master_open_with_plugins(&fake, orders, "", &bay_cell);
	fake_master_start(&fake);
	fake_master_plugin(&fake, "good", "c");
	master = (struct master){.base = fake.base, .config = fake.config, .supervisor = fake.supervisor,
		.events = fake.events, .state = MASTER_READY};
	loads = hand_loads_create(&master);
	ck_assert_ptr_nonnull(loads);
	memset(&told, 0, sizeof(told));
}

static void
close_world(void)
{
	hand_loads_stop(loads);
	/* As in master_finish. */
	supervisor_destroy(fake.supervisor);
	fake.supervisor = NULL;
	plugin_examination_destroy(fake.examination);
	fake.examination = NULL;
	hand_loads_destroy(loads);
	fake_master_close(&fake);
}

/* Begins a load of plugins/FILE, or of the file itself when it begins otherwise. */
static void
begin_load(const char *file, const char *name, const char *setting, struct told *load)
{
	char path[300];
	const struct hand_load_wish wish = {.file = path, .name = name, .settings = &setting,
		.setting_count = setting != NULL, .by = by, .done = on_loaded, .arg = load};

	memset(load, 0, sizeof(*load));
	snprintf(path, sizeof(path), "%s", strchr(file, '/') != NULL || *file == '\0' ? file :
		temp_dir_path(&fake.dir, "plugins"));
	if (strchr(file, '/') == NULL && *file != '\0')
		snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%s", file);
	hand_loads_begin(loads, &wish);
}

static void
load_and_wait(const char *file, const char *name, const char *setting)
{
	begin_load(file, name, setting, &told);
	UNTIL(&fake, told.times > 0);
	ck_assert_uint_eq(told.times, 1);
}

static void
unload_and_wait(const char *plugin)
{
	memset(&told, 0, sizeof(told));
	hand_loads_unload(loads, plugin, &by, on_unloaded, &told);
	UNTIL(&fake, told.times > 0);
	ck_assert_uint_eq(told.times, 1);
}

static unsigned
count_events(enum event_kind kind, const char *plugin)
{
	const struct event_record *record;
	uint64_t number = 0;
	unsigned count = 0;

	while (event_log_next(fake.events, &number, NULL, &record))
		count += record->kind == kind && strcmp(record->plugin, plugin) == 0;
	return count;
}

/* --- wishes -------------------------------------------------------------------------------- */

START_TEST(what_is_wrong_with_a_wish_is_told_at_once_and_leaves_nothing)
{
	static const struct {
		const char *file, *name, *setting;
		enum bay_status status;
		const char *words;
	} wrong[] = {
		{"./c.so", NULL, NULL, BAY_INVALID, "the path of a plugin file has to be absolute"},
		{"", NULL, NULL, BAY_INVALID, "the path of a plugin file has to be absolute"},
		{"/x/c.txt", NULL, NULL, BAY_INVALID, "the name of a plugin file ends with .so"},
		{"/x/.so", NULL, NULL, BAY_INVALID, "the name of a plugin file ends with .so"},
		{"/x/so", NULL, NULL, BAY_INVALID, "the name of a plugin file ends with .so"},
		{"/x/", NULL, NULL, BAY_INVALID, "the name of a plugin file ends with .so"},
		{"/x/a b.so", NULL, NULL, BAY_INVALID, "no plugin can be called as this file is: rename it"},
		{"/x/-c.so", NULL, NULL, BAY_INVALID, "rename it"},
		{"/nowhere/c.so", NULL, NULL, BAY_INVALID, "plugin /nowhere/c.so: "},
		{"c.so", "no/name", NULL, BAY_INVALID, "no service can have the name 'no/name'"},
		{"c.so", "", NULL, BAY_INVALID, "no service can have the name ''"},
		{"c.so", "a", NULL, BAY_BUSY, "a"},
		{"c.so", NULL, "queue", BAY_INVALID, "a setting is given as KEY=VALUE"},
		{"c.so", NULL, "=7", BAY_INVALID, "a setting is given as KEY=VALUE"},
		{"c.so", NULL, "plugin=x", BAY_INVALID, "the file says which"},
		{"c.so", NULL, "enabled=no", BAY_INVALID, "what is loaded by hand is to run"},
		{"c.so", NULL, "requires=a", BAY_INVALID, "no place in the order"},
		{"c.so", NULL, "wants=a", BAY_INVALID, "no place in the order"},
		{"c.so", NULL, "after=a", BAY_INVALID, "no place in the order"},
		{"c.so", NULL, "queue=many", BAY_INVALID, "queue = many: "},
	};

	open_world("");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		begin_load(wrong[i].file, wrong[i].name, wrong[i].setting, &told);
		ck_assert_msg(told.times == 1 && told.status == wrong[i].status &&
			strstr(told.message, wrong[i].words) != NULL, "%zu: %s", i, told.message);
		ck_assert_str_eq(told.services, "");
	}
	ck_assert_uint_eq(supervisor_count(fake.supervisor), 2);
	close_world();
}
END_TEST

START_TEST(a_plugin_becomes_a_service_by_its_name_or_another_and_leaves_with_its_plugin)
{
	const struct master_service *c;

	open_world("");
	load_and_wait("c.so", NULL, "queue=7");
	ck_assert_msg(told.status == BAY_OK, "%s", told.message);
	ck_assert_str_eq(told.services, "c");
	c = service_of(&fake, "c");
	ck_assert_int_eq(c->state, SERVICE_READY);
	ck_assert_int_eq(c->config->queue, 7);
	ck_assert_str_eq(c->config->plugin_file, temp_dir_path(&fake.dir, "plugins/c.so"));
	load_and_wait("c.so", "other", NULL);
	ck_assert_msg(told.status == BAY_OK, "%s", told.message);
	load_and_wait("c.so", NULL, NULL);
	ck_assert_int_eq(told.status, BAY_BUSY);
	ck_assert_uint_eq(count_events(EVENT_ADDED, "c"), 2);
	/* All that run it, and no others. */
	unload_and_wait("c");
	ck_assert_msg(told.status == BAY_OK, "%s", told.message);
	ck_assert(strcmp(told.services, "cother") == 0 || strcmp(told.services, "otherc") == 0);
	ck_assert_ptr_null(service_of(&fake, "c"));
	ck_assert_ptr_null(service_of(&fake, "other"));
	ck_assert_int_eq(service_of(&fake, "a")->state, SERVICE_READY);
	unload_and_wait("c");
	ck_assert_int_eq(told.status, BAY_NOT_FOUND);
	close_world();
}
END_TEST

/* --- what comes after the wish --------------------------------------------------------------- */

START_TEST(a_plugin_that_is_refused_leaves_nothing_but_its_event)
{
	static const struct {
		const char *plugin, *setting;
	} refused[] = {{"no_note", NULL}, {"crashes", NULL}, {"good", "retries=11"}, {"good", "no_such_key=1"}};

	open_world("");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		fake_master_plugin(&fake, refused[i].plugin, "d");
		load_and_wait("d.so", NULL, refused[i].setting);
		ck_assert_msg(told.status == BAY_INVALID, "%s: %s", refused[i].plugin, told.message);
		ck_assert_str_ne(told.message, "");
		ck_assert_ptr_null(service_of(&fake, "d"));
	}
	ck_assert_uint_eq(count_events(EVENT_REFUSED, "d"), 4);
	close_world();
}
END_TEST

START_TEST(a_file_that_is_cut_is_refused)
{
	open_world("");
	temp_dir_write_bytes(&fake.dir, "plugins/d.so", "\177ELF\2\1\1", 7);
	load_and_wait("d.so", NULL, NULL);
	ck_assert_int_eq(told.status, BAY_INVALID);
	temp_dir_write(&fake.dir, "plugins/d.so", "");
	load_and_wait("d.so", NULL, NULL);
	ck_assert_int_eq(told.status, BAY_INVALID);
	ck_assert_ptr_null(service_of(&fake, "d"));
	close_world();
}
END_TEST

START_TEST(one_that_does_not_start_is_removed_and_its_name_is_free)
{
	open_world("start=refuse-first:c\n");
	load_and_wait("c.so", NULL, "restart=no");
	ck_assert_int_eq(told.status, BAY_FAILED);
	UNTIL(&fake, service_of(&fake, "c") == NULL);
	load_and_wait("c.so", NULL, NULL);
	ck_assert_msg(told.status == BAY_OK, "%s", told.message);
	close_world();
}
END_TEST

START_TEST(of_two_with_one_name_the_second_is_refused)
{
	struct told first, second;

	open_world("");
	begin_load("c.so", "same", NULL, &first);
	begin_load("c.so", "same", NULL, &second);
	UNTIL(&fake, first.times == 1 && second.times == 1);
	ck_assert((first.status == BAY_OK && second.status == BAY_BUSY) ||
		(first.status == BAY_BUSY && second.status == BAY_OK));
	close_world();
}
END_TEST

START_TEST(what_the_configuration_holds_is_not_unloaded)
{
	open_world("");
	unload_and_wait("nobody");
	ck_assert_int_eq(told.status, BAY_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(told.message, "no service runs a plugin nobody"));
	unload_and_wait("a");
	ck_assert_int_eq(told.status, BAY_BUSY);
	ck_assert_msg(strstr(told.message, "plugin a is held by the configuration: service a (") != NULL &&
		strstr(told.message, "ready, 0 running, 0 queued)") != NULL &&
		strstr(told.message, "bayctl disable a ends a service") != NULL, "%s", told.message);
	ck_assert_str_eq(told.services, "");
	ck_assert(is_state(&fake, "a", SERVICE_READY));
	close_world();
}
END_TEST

/* --- the end ------------------------------------------------------------------------------------- */

START_TEST(at_the_end_all_who_wait_are_told_and_nothing_is_begun)
{
	struct told load, unload;

	open_world("stop=silent\n");
	load_and_wait("c.so", NULL, NULL);
	ck_assert_int_eq(told.status, BAY_OK);
	begin_load("c.so", "late", NULL, &load);
	memset(&unload, 0, sizeof(unload));
	hand_loads_unload(loads, "c", &by, on_unloaded, &unload);
	ck_assert_uint_eq(load.times + unload.times, 0);
	hand_loads_stop(loads);
	ck_assert_uint_eq(unload.times, 1);
	ck_assert_int_eq(unload.status, BAY_CLOSED);
	begin_load("c.so", "later", NULL, &told);
	ck_assert_uint_eq(told.times, 1);
	ck_assert_int_eq(told.status, BAY_CLOSED);
	unload_and_wait("c");
	ck_assert_int_eq(told.status, BAY_CLOSED);
	/* What is being examined is over by now, or at the end. */
	close_world();
	ck_assert_uint_eq(load.times, 1);
	ck_assert_int_eq(load.status, BAY_CLOSED);
}
END_TEST

CHECK_MAIN("master/hand_loads",
	what_is_wrong_with_a_wish_is_told_at_once_and_leaves_nothing,
	a_plugin_becomes_a_service_by_its_name_or_another_and_leaves_with_its_plugin,
	a_plugin_that_is_refused_leaves_nothing_but_its_event,
	a_file_that_is_cut_is_refused,
	one_that_does_not_start_is_removed_and_its_name_is_free,
	of_two_with_one_name_the_second_is_refused,
	what_the_configuration_holds_is_not_unloaded,
	at_the_end_all_who_wait_are_told_and_nothing_is_begun)
