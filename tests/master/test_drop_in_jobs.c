/* SPDX-License-Identifier: BSD-2-Clause */
/* With the real examiner and a fake cell; tests/system/test_drop_in.sh has a directory that is
 * watched. */
#include "config.h"

#include "master/drop_in_jobs.h"

#include <event2/event.h>
#include <string.h>

#include "master/event_log.h"
#include "master/master.h"
#include "master/plugin_examination.h"
#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

static const struct program bay_cell = {
	.path = TOP_BUILDDIR "/container/.libs/bay-cell",
	.library_dir = TOP_BUILDDIR "/container/.libs",
};

struct world {
	struct fake_master fake;
	struct master master;
	struct drop_in_jobs *jobs;
};

static void
on_again(const char *plugin, int64_t delay_ns, void *arg)
{
	(void)delay_ns;
	(void)arg;
	ck_abort_msg("%s is to be tried again", plugin);
}

/* Services a and b run; what nobody names becomes a service. */
static void
open_world(struct world *world)
{
	memset(world, 0, sizeof(*world));
	log_lines_keep();
	fake_master_open_with_plugins(&world->fake, "", "probation = 0", &bay_cell);
	fake_master_start(&world->fake);
	world->fake.config->container.autoload = true;
	world->master = (struct master){.base = world->fake.base, .config = world->fake.config,
		.supervisor = world->fake.supervisor, .events = world->fake.events};
	world->jobs = drop_in_jobs_create(&world->master, on_again, NULL);
	ck_assert_ptr_nonnull(world->jobs);
}

static void
close_world(struct world *world)
{
	drop_in_jobs_stop(world->jobs);
	/* As in master_finish. */
	supervisor_destroy(world->fake.supervisor);
	world->fake.supervisor = NULL;
	plugin_examination_destroy(world->fake.examination);
	world->fake.examination = NULL;
	drop_in_jobs_destroy(world->jobs);
	fake_master_close(&world->fake);
}

static unsigned
count_events(const struct world *world, enum event_kind kind, const char *plugin)
{
	const struct event_record *record;
	uint64_t number = 0;
	unsigned count = 0;

	while (event_log_next(world->fake.events, &number, NULL, &record))
		count += record->kind == kind && strcmp(record->plugin, plugin) == 0;
	return count;
}

/* The file of the plugin is this test plugin now. */
static void
change(struct world *world, const char *test_plugin, const char *plugin)
{
	fake_master_plugin(&world->fake, test_plugin, plugin);
	drop_in_jobs_changed(world->jobs, plugin, false);
}

static bool
is_ready(const struct world *world, const char *name)
{
	const struct master_service *service = service_of(&world->fake, name);

	return service != NULL && service->state == SERVICE_READY;
}

START_TEST(a_file_gets_to_the_service_that_names_it_or_becomes_one)
{
	struct master_service *c;
	struct world world;

	open_world(&world);
	change(&world, "good", "a");
	change(&world, "good", "c");
	UNTIL(&world.fake, is_ready(&world, "c") && count_events(&world, EVENT_SWAPPED, "a") == 1);
	ck_assert_uint_eq(count_events(&world, EVENT_ADDED, "c"), 1);
	c = service_of(&world.fake, "c");
	change(&world, "reloads", "c");
	UNTIL(&world.fake, count_events(&world, EVENT_SWAPPED, "c") == 1);
	ck_assert_ptr_nonnull(c->former);
	ck_assert_str_eq(service_of(&world.fake, "b")->image->source, "/nowhere/a.so");
	drop_in_jobs_gone(world.jobs, "c");
	UNTIL(&world.fake, service_of(&world.fake, "c") == NULL);
	ck_assert(c->image == NULL && c->former == NULL);
	close_world(&world);
}
END_TEST

START_TEST(a_file_that_goes_while_it_is_examined_is_not_taken)
{
	struct world world;

	open_world(&world);
	change(&world, "good", "a");
	change(&world, "good", "c");
	drop_in_jobs_gone(world.jobs, "a");
	drop_in_jobs_gone(world.jobs, "c");
	/* Until what comes behind them has been dealt with. */
	change(&world, "good", "d");
	UNTIL(&world.fake, is_ready(&world, "d"));
	change(&world, "good", "e");
	UNTIL(&world.fake, is_ready(&world, "e"));
	ck_assert_ptr_null(service_of(&world.fake, "c"));
	ck_assert_str_eq(service_of(&world.fake, "a")->image->source, "/nowhere/a.so");
	ck_assert_uint_eq(count_events(&world, EVENT_DROPPED_IN, "a") +
		count_events(&world, EVENT_DROPPED_IN, "c"), 0);
	/* But when it is there again. */
	change(&world, "good", "c");
	UNTIL(&world.fake, is_ready(&world, "c"));
	close_world(&world);
}
END_TEST

START_TEST(a_reason_is_told_once_of_each_file)
{
	struct world world;

	open_world(&world);
	change(&world, "no_note", "a");
	UNTIL(&world.fake, count_events(&world, EVENT_REFUSED, "a") == 1);
	drop_in_jobs_changed(world.jobs, "a", true);
	/* It has been tried when what comes behind it has been refused. */
	change(&world, "no_note", "c");
	UNTIL(&world.fake, count_events(&world, EVENT_REFUSED, "c") == 1);
	change(&world, "no_note", "d");
	UNTIL(&world.fake, count_events(&world, EVENT_REFUSED, "d") == 1);
	ck_assert_uint_eq(count_events(&world, EVENT_REFUSED, "a"), 1);
	/* Another file, whatever is wrong with it. */
	change(&world, "no_note", "a");
	drop_in_jobs_changed(world.jobs, "a", true);
	UNTIL(&world.fake, count_events(&world, EVENT_REFUSED, "a") == 2);
	close_world(&world);
}
END_TEST

CHECK_MAIN("master/drop_in_jobs",
	a_file_gets_to_the_service_that_names_it_or_becomes_one,
	a_file_that_goes_while_it_is_examined_is_not_taken,
	a_reason_is_told_once_of_each_file)
