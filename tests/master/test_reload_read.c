/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/reload_read.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/config_data.h"
#include "config/config_load.h"
#include "config/config_report.h"
#include "support/check_main.h"
#include "support/temp_dir.h"

struct world {
	struct temp_dir dir;
	struct config *before;
};

static void
world_open(struct world *world, const char *ini)
{
	struct config_report report = {0};

	temp_dir_init(&world->dir);
	temp_dir_write(&world->dir, "bay.ini", ini);
	temp_dir_write(&world->dir, "conf.d/a.ini", "[service a]\n");
	temp_dir_write(&world->dir, "empty.d/a.txt", "");
	/* As the operator named it at the start. */
	ck_assert_int_eq(chdir(temp_dir_path(&world->dir, ".")), 0);
	ck_assert(config_load("bay.ini", &world->before, &report));
	config_report_finish(&report);
}

static void
world_close(struct world *world)
{
	config_unref(world->before);
	ck_assert_int_eq(chdir("/"), 0);
	temp_dir_finish(&world->dir);
}

/* NULL: it is taken. */
static void
expect(const struct world *world, const char *complaint)
{
	struct config_report report = {0};
	struct config *config;

	if (complaint == NULL) {
		ck_assert(reload_read(world->before, &config, &report));
	} else {
		ck_assert(!reload_read(world->before, &config, &report));
		ck_assert_uint_eq(report.count, 1);
		ck_assert_msg(strstr(report.complaints[0].text, complaint) != NULL, "%s",
			report.complaints[0].text);
	}
	config_unref(config);
	config_report_finish(&report);
}

static void
rename_in(const struct world *world, const char *from, const char *to)
{
	char name[200];

	snprintf(name, sizeof(name), "%s", temp_dir_path(&world->dir, from));
	ck_assert_int_eq(rename(name, temp_dir_path(&world->dir, to)), 0);
}

START_TEST(what_is_empty_is_not_meant)
{
	struct world world;

	world_open(&world, "[container]\n[service b]\n");
	expect(&world, NULL);
	temp_dir_write(&world.dir, "bay.ini", "");
	expect(&world, "neither [container] nor a service");
	temp_dir_write(&world.dir, "bay.ini", "[service b]\n");
	expect(&world, "has lost its section [container]");
	world_close(&world);
}
END_TEST

START_TEST(a_directory_whose_files_are_in_force_is_not_meant_to_be_gone)
{
	struct world world;

	world_open(&world, "[container]\ninclude = conf.d/*.ini\n  empty.d/*.ini\n  never.d/*.ini\n");
	expect(&world, NULL);
	rename_in(&world, "conf.d", "away");
	expect(&world, "conf.d/, whose files are in force, is gone");
	/* One that is empty may be meant, and so may one that is not asked for any more. */
	temp_dir_write(&world.dir, "conf.d/a.txt", "");
	expect(&world, NULL);
	rename_in(&world, "conf.d", "away2");
	expect(&world, "conf.d/, whose files are in force, is gone");
	temp_dir_write(&world.dir, "bay.ini", "[container]\ninclude = never.d/*.ini\n");
	expect(&world, NULL);
	/* Nothing was in this one. */
	temp_dir_write(&world.dir, "bay.ini", "[container]\ninclude = empty.d/*.ini\n");
	rename_in(&world, "empty.d", "away3");
	expect(&world, NULL);
	world_close(&world);
}
END_TEST

START_TEST(what_cannot_be_read_whole_is_handed_out_in_part)
{
	struct config_report report = {0};
	struct config *config;
	struct world world;

	world_open(&world, "[container]\ninclude = conf.d/*.ini\n");
	temp_dir_write(&world.dir, "conf.d/b.ini", "[service b]\ntimeout = never\n");
	ck_assert(!reload_read(world.before, &config, &report));
	ck_assert_ptr_nonnull(config);
	ck_assert_uint_eq(config->file_count, 3);
	config_unref(config);
	config_report_finish(&report);
	unlink(temp_dir_path(&world.dir, "bay.ini"));
	ck_assert(!reload_read(world.before, &config, &report));
	ck_assert_ptr_null(config);
	config_report_finish(&report);
	world_close(&world);
}
END_TEST

CHECK_MAIN("master/reload_read",
	what_is_empty_is_not_meant,
	a_directory_whose_files_are_in_force_is_not_meant_to_be_gone,
	what_cannot_be_read_whole_is_handed_out_in_part)
