/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/config_saver.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "config/config_edit.h"
#include "support/check_main.h"
#include "support/temp_dir.h"

struct world {
	struct temp_dir dir;
	struct event_base *base;
	unsigned told;
	unsigned line;
	char why[500];
};

static void
world_open(struct world *world)
{
	memset(world, 0, sizeof(*world));
	temp_dir_init(&world->dir);
	temp_dir_write(&world->dir, "bay.ini", "[container]\nloops = 1\n");
	world->base = event_base_new();
}

static void
world_close(struct world *world)
{
	event_base_free(world->base);
	temp_dir_finish(&world->dir);
}

static void
on_done(unsigned line, const char *why, void *arg)
{
	struct world *world = arg;

	world->told++;
	world->line = line;
	snprintf(world->why, sizeof(world->why), "%s", why != NULL ? why : "");
}

static struct config_saver *
begin(struct world *world, const char *file)
{
	const struct config_place place = {.section = 1, .key = 2};
	struct config_saver *saver = config_saver_begin(world->base, temp_dir_path(&world->dir, file), &place,
		"loops", "7", on_done, world);

	/* Not before the caller has it. */
	ck_assert_uint_eq(world->told, 0);
	return saver;
}

static void
expect_text(const struct world *world, const char *text)
{
	char read[100] = "";
	FILE *file = fopen(temp_dir_path(&world->dir, "bay.ini"), "r");

	ck_assert_ptr_nonnull(file);
	(void)!fread(read, 1, sizeof(read) - 1, file);
	fclose(file);
	ck_assert_str_eq(read, text);
}

static void
expect_saved(struct world *world)
{
	ck_assert_ptr_nonnull(begin(world, "bay.ini"));
	while (world->told == 0)
		event_base_loop(world->base, EVLOOP_ONCE);
	ck_assert_str_eq(world->why, "");
	ck_assert_uint_eq(world->line, 2);
	expect_text(world, "[container]\nloops = 7\n");
}

START_TEST(the_key_is_saved_and_its_line_told)
{
	struct world world;

	world_open(&world);
	expect_saved(&world);
	world_close(&world);
}
END_TEST

START_TEST(why_it_could_not_be_is_told)
{
	struct world world;

	world_open(&world);
	ck_assert_ptr_nonnull(begin(&world, "absent.ini"));
	while (world.told == 0)
		event_base_loop(world.base, EVLOOP_ONCE);
	ck_assert_ptr_nonnull(strstr(world.why, "absent.ini: No such file or directory"));
	world_close(&world);
}
END_TEST

START_TEST(whoever_destroys_it_waits_and_is_not_told)
{
	struct world world;

	world_open(&world);
	config_saver_destroy(begin(&world, "bay.ini"));
	expect_text(&world, "[container]\nloops = 7\n");
	event_base_loop(world.base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(world.told, 0);
	config_saver_destroy(NULL);
	world_close(&world);
}
END_TEST

/* Root may have as many as it likes: then this is as any other. */
START_TEST(without_a_thread_it_is_saved_all_the_same)
{
	struct rlimit limit, few;
	struct world world;

	world_open(&world);
	ck_assert_int_eq(getrlimit(RLIMIT_NPROC, &limit), 0);
	few = limit;
	few.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &few), 0);
	expect_saved(&world);
	ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &limit), 0);
	world_close(&world);
}
END_TEST

CHECK_MAIN("master/config_saver",
	the_key_is_saved_and_its_line_told,
	why_it_could_not_be_is_told,
	whoever_destroys_it_waits_and_is_not_told,
	without_a_thread_it_is_saved_all_the_same)
