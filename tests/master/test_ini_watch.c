/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/ini_watch.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/config_load.h"
#include "support/check_main.h"
#include "support/temp_dir.h"

struct world {
	struct temp_dir dir;
	struct event_base *base;
	struct config *config;
	struct ini_watch *watch;
	unsigned changes;
};

static void
on_changed(void *arg)
{
	((struct world *)arg)->changes++;
}

static struct config *
load(struct world *world)
{
	struct config_report report = {0};
	struct config *config;

	ck_assert(config_load(temp_dir_path(&world->dir, "bay.ini"), &config, &report));
	config_report_finish(&report);
	return config;
}

static void
world_open(struct world *world)
{
	memset(world, 0, sizeof(*world));
	temp_dir_init(&world->dir);
	temp_dir_write(&world->dir, "bay.ini", "[container]\ninclude = conf.d/*.ini\n  more.ini\n");
	temp_dir_write(&world->dir, "more.ini", "[service m]\n");
	temp_dir_write(&world->dir, "conf.d/a.ini", "[service a]\n");
	world->base = event_base_new();
	world->config = load(world);
	world->watch = ini_watch_create(world->base, NULL, world->config, on_changed, world);
	ck_assert_ptr_nonnull(world->watch);
}

static void
world_close(struct world *world)
{
	ini_watch_destroy(world->watch);
	config_unref(world->config);
	event_base_free(world->base);
	temp_dir_finish(&world->dir);
}

/* Runs events until one more change is told; the test's own time limit ends what never is. */
static void
expect_change(struct world *world)
{
	unsigned before = world->changes;

	while (world->changes == before)
		event_base_loop(world->base, EVLOOP_ONCE);
	ck_assert_uint_eq(world->changes, before + 1);
}

/* What has been done so far was no change: the next one is told alone. */
static void
expect_nothing_before(struct world *world, const char *text)
{
	unsigned before = world->changes;

	/* Longer than a change takes to settle. */
	for (int i = 0; i < 20; i++) {
		struct timeval pause = {.tv_usec = 50 * 1000};

		event_base_loopexit(world->base, &pause);
		event_base_dispatch(world->base);
	}
	ck_assert_uint_eq(world->changes, before);
	temp_dir_write(&world->dir, "bay.ini", text);
	expect_change(world);
}

START_TEST(the_main_file_and_all_that_it_includes_are_watched)
{
	struct world world;

	world_open(&world);
	temp_dir_write(&world.dir, "bay.ini", "[container]\ninclude = conf.d/*.ini\n  more.ini\n\n");
	expect_change(&world);
	temp_dir_write(&world.dir, "more.ini", "[service m]\n\n");
	expect_change(&world);
	temp_dir_write(&world.dir, "conf.d/a.ini", "[service a]\n\n");
	expect_change(&world);
	ck_assert_int_eq(unlink(temp_dir_path(&world.dir, "conf.d/a.ini")), 0);
	expect_change(&world);
	ck_assert_int_eq(unlink(temp_dir_path(&world.dir, "bay.ini")), 0);
	expect_change(&world);
	world_close(&world);
}
END_TEST

START_TEST(a_file_that_a_pattern_finds_is_a_change)
{
	struct world world;

	world_open(&world);
	temp_dir_write(&world.dir, "conf.d/b.ini", "[service b]\n");
	expect_change(&world);
	world_close(&world);
}
END_TEST

START_TEST(other_files_beside_them_are_none)
{
	struct world world;

	world_open(&world);
	temp_dir_write(&world.dir, "bayd.log", "a line\n");
	temp_dir_write(&world.dir, "conf.d/b.ini.bak", "[service b]\n");
	temp_dir_write(&world.dir, "conf.d/.b.ini.swp", "[service b]\n");
	expect_nothing_before(&world, "[container]\n");
	world_close(&world);
}
END_TEST

START_TEST(several_steps_of_an_editor_are_one_change)
{
	struct timeval one_look = {.tv_usec = 230 * 1000};
	struct world world;
	int64_t start_ns;

	world_open(&world);
	start_ns = clock_monotonic_ns();
	temp_dir_write(&world.dir, "bay.ini", "");
	event_base_loopexit(world.base, &one_look);
	event_base_dispatch(world.base);
	/* A machine that is so slow sees two. */
	if (clock_monotonic_ns() - start_ns < 300 * (int64_t)CLOCK_NS_PER_MS)
		ck_assert_uint_eq(world.changes, 0);
	world.changes = 0;
	temp_dir_write(&world.dir, "bay.ini", "[container]\n");
	temp_dir_write(&world.dir, ".bay.ini.new", "[container]\nloops = 1\n");
	ck_assert_int_eq(rename(temp_dir_path(&world.dir, ".bay.ini.new"),
		temp_dir_path(&world.dir, "bay.ini")), 0);
	expect_change(&world);
	expect_nothing_before(&world, "[container]\nloops = 2\n");
	world_close(&world);
}
END_TEST

/* As after a way back to an earlier configuration: the files say something else, and that is
 * meant. */
START_TEST(that_another_configuration_is_in_force_is_no_change)
{
	struct world world;
	struct config *other;

	world_open(&world);
	temp_dir_write(&world.dir, "bay.ini", "[container]\n");
	expect_change(&world);
	other = load(&world);
	ini_watch_set(world.watch, other);
	ini_watch_set(world.watch, world.config);
	expect_nothing_before(&world, "[container]\nloops = 2\n");
	config_unref(other);
	world_close(&world);
}
END_TEST

START_TEST(a_change_while_another_configuration_comes_into_force_is_told)
{
	struct world world;

	world_open(&world);
	temp_dir_write(&world.dir, "bay.ini", "[container]\nloops = 1\n");
	ini_watch_set(world.watch, world.config);
	expect_change(&world);
	world_close(&world);
}
END_TEST

/* As after bayctl reload, which was quicker: what is set after it by hand would be lost. */
START_TEST(what_somebody_has_read_is_no_change)
{
	struct world world;

	world_open(&world);
	temp_dir_write(&world.dir, "bay.ini", "[container]\nloops = 1\n");
	ini_watch_reading(world.watch);
	ini_watch_set(world.watch, world.config);
	expect_nothing_before(&world, "[container]\nloops = 2\n");
	/* Also when nothing is different, and it is not set. */
	temp_dir_write(&world.dir, "bay.ini", "[container]\nloops = 2\n\n");
	ini_watch_reading(world.watch);
	expect_nothing_before(&world, "[container]\nloops = 3\n");
	world_close(&world);
}
END_TEST

START_TEST(what_was_written_by_us_is_no_change)
{
	struct world world;

	world_open(&world);
	ini_watch_writing(world.watch);
	temp_dir_write(&world.dir, "bay.ini", "[container]\nloops = 1\n");
	ini_watch_written(world.watch);
	ini_watch_set(world.watch, world.config);
	expect_nothing_before(&world, "[container]\nloops = 2\n");
	world_close(&world);
}
END_TEST

START_TEST(a_change_that_stood_when_we_wrote_is_told)
{
	struct world world;

	world_open(&world);
	temp_dir_write(&world.dir, "bay.ini", "[container]\nloops = 1\n");
	ini_watch_writing(world.watch);
	temp_dir_write(&world.dir, "bay.ini", "[container]\nloops = 1\n\n");
	ini_watch_written(world.watch);
	ini_watch_set(world.watch, world.config);
	expect_change(&world);
	world_close(&world);
}
END_TEST

/* Mended in the file that the one in force does not have. */
START_TEST(the_files_of_a_configuration_that_was_refused_are_watched_too)
{
	struct config_report report = {0};
	struct config *refused;
	struct world world;

	world_open(&world);
	temp_dir_write(&world.dir, "other.d/wrong.ini", "[service w]\ntimeout = never\n");
	temp_dir_write(&world.dir, "bay.ini", "[container]\ninclude = other.d/*.ini\n");
	expect_change(&world);
	refused = config_load_partly(temp_dir_path(&world.dir, "bay.ini"), &report);
	ck_assert_uint_eq(report.count, 1);
	config_report_finish(&report);
	ini_watch_also(world.watch, refused);
	config_unref(refused);
	temp_dir_write(&world.dir, "other.d/wrong.ini", "[service w]\ntimeout = 5s\n");
	expect_change(&world);
	/* And those of the one in force still are. */
	temp_dir_write(&world.dir, "conf.d/b.ini", "[service b]\n");
	expect_change(&world);
	ini_watch_set(world.watch, world.config);
	world_close(&world);
}
END_TEST

START_TEST(what_may_pass_by_itself_is_tried_again_though_nothing_has_changed)
{
	struct world world;

	world_open(&world);
	ini_watch_again(world.watch);
	expect_change(&world);
	expect_nothing_before(&world, "[container]\nloops = 2\n");
	world_close(&world);
}
END_TEST

CHECK_MAIN("master/ini_watch",
	the_main_file_and_all_that_it_includes_are_watched,
	a_file_that_a_pattern_finds_is_a_change,
	other_files_beside_them_are_none,
	several_steps_of_an_editor_are_one_change,
	that_another_configuration_is_in_force_is_no_change,
	a_change_while_another_configuration_comes_into_force_is_told,
	what_somebody_has_read_is_no_change,
	what_was_written_by_us_is_no_change,
	a_change_that_stood_when_we_wrote_is_told,
	the_files_of_a_configuration_that_was_refused_are_watched_too,
	what_may_pass_by_itself_is_tried_again_though_nothing_has_changed)
