/* SPDX-License-Identifier: BSD-2-Clause */
/* With the real examiner, over configurations of services that are and are not all right. */
#include "config.h"

#include "master/plugin_survey.h"

#include <event2/event.h>
#include <string.h>

#include "base/buffer.h"
#include "config/config_load.h"
#include "master/plugin_examination.h"
#include "support/check_main.h"
#include "support/fake_master.h"

static const struct program bay_cell = {
	.path = TOP_BUILDDIR "/container/.libs/bay-cell",
	.library_dir = TOP_BUILDDIR "/container/.libs",
};

/* A survey of a configuration of its own. */
struct world {
	struct fake_master master;
	struct config *config;
	struct plugin_examination *examination;
	struct plugin_survey survey;
	unsigned done;
};

static void
on_done(void *arg)
{
	struct world *world = arg;

	world->done++;
}

/* The directories and plugins are those of a fake master. */
static void
world_open(struct world *world, const char *text)
{
	struct config_report report = {0};

	memset(world, 0, sizeof(*world));
	fake_master_open_with_plugins(&world->master, "", "", &bay_cell);
	fake_master_plugin(&world->master, "actor", "actor");
	fake_master_plugin(&world->master, "good", "good");
	ck_assert(config_load_memory(temp_dir_path(&world->master.dir, "bay.ini"), text,
		strlen(text), &world->config, &report));
	config_report_finish(&report);
	world->examination = plugin_examination_create(world->master.base, world->config,
		&bay_cell, world->master.image_dirfd, 20 * (int64_t)CLOCK_NS_PER_S);
}

static void
survey(struct world *world)
{
	plugin_survey_begin(&world->survey, world->config, world->examination, on_done, world);
	ck_assert_uint_eq(world->done, 0);
	UNTIL(&world->master, world->done > 0);
	ck_assert_uint_eq(world->done, 1);
}

static void
world_close(struct world *world)
{
	plugin_survey_finish(&world->survey);
	plugin_examination_destroy(world->examination);
	config_destroy(world->config);
	fake_master_close(&world->master);
}

static void
assert_complaints(const struct world *world, const char *expected)
{
	struct buffer text = {0};

	for (size_t i = 0; i < world->survey.complaints.count; i++) {
		const struct config_complaint *one = &world->survey.complaints.complaints[i];
		const char *name = strrchr(one->file, '/');

		ck_assert(buffer_printf(&text, "%s:%u: %s\n", name != NULL ? name + 1 : one->file,
			one->line, one->text));
	}
	ck_assert_str_eq(buffer_text(&text) != NULL ? buffer_text(&text) : "", expected);
	buffer_finish(&text);
}

START_TEST(services_of_one_plugin_share_one_image)
{
	struct world world;

	world_open(&world, "[service one]\nplugin = actor\n[service two]\nplugin = good\n"
		"[service three]\nplugin = actor\n");
	survey(&world);
	ck_assert_ptr_nonnull(world.survey.entries[0].image);
	ck_assert_ptr_nonnull(world.survey.entries[1].image);
	ck_assert_ptr_eq(world.survey.entries[0].image, world.survey.entries[2].image);
	ck_assert_ptr_ne(world.survey.entries[0].image, world.survey.entries[1].image);
	ck_assert_int_eq(world.survey.entries[2].image->generation, 1);
	assert_complaints(&world, "");
	world_close(&world);
}
END_TEST

START_TEST(a_disabled_service_is_not_looked_at)
{
	struct world world;

	world_open(&world, "[service one]\nplugin = nowhere\nenabled = no\n"
		"[service two]\nplugin = good\n");
	survey(&world);
	ck_assert_ptr_null(world.survey.entries[0].image);
	ck_assert_ptr_null(world.survey.entries[0].reason);
	ck_assert_ptr_nonnull(world.survey.entries[1].image);
	world_close(&world);
}
END_TEST

START_TEST(the_plugin_of_a_disabled_service_is_looked_at_for_the_enabled_one)
{
	struct world world;

	world_open(&world, "[service one]\nplugin = good\nenabled = no\n"
		"[service two]\nplugin = good\n");
	survey(&world);
	ck_assert_ptr_null(world.survey.entries[0].image);
	ck_assert_ptr_nonnull(world.survey.entries[1].image);
	world_close(&world);
}
END_TEST

START_TEST(without_services_it_is_done_at_once)
{
	struct world world;

	world_open(&world, "[service one]\nenabled = no\n");
	plugin_survey_begin(&world.survey, world.config, world.examination, on_done, &world);
	ck_assert_uint_eq(world.done, 1);
	world_close(&world);
}
END_TEST

START_TEST(a_refusal_is_a_complaint_only_when_it_is_asked_for)
{
	struct world world;

	world_open(&world, "[service good]\n[service one]\nqueue = 1\nplugin = broken\n"
		"[service broken]\n");
	fake_master_plugin(&world.master, "exits", "broken");
	survey(&world);
	ck_assert_ptr_nonnull(world.survey.entries[1].reason);
	ck_assert_ptr_nonnull(world.survey.entries[2].reason);
	assert_complaints(&world, "");
	/* At the line that names the plugin, which may be that of the section. */
	plugin_survey_complain_of_refusals(&world.survey);
	ck_assert_uint_eq(world.survey.complaints.count, 2);
	ck_assert_uint_eq(world.survey.complaints.complaints[0].line, 4);
	ck_assert_ptr_nonnull(strstr(world.survey.complaints.complaints[0].text,
		"service one: plugin broken: it ended the process with exit code "));
	ck_assert_uint_eq(world.survey.complaints.complaints[1].line, 5);
	world_close(&world);
}
END_TEST

START_TEST(complaints_come_in_the_order_of_the_file_whatever_was_looked_at_first)
{
	const char *third, *sixth, *ninth;
	struct buffer text = {0};
	struct world world;

	/* The third service is looked at with the first. */
	world_open(&world, "[service one]\nplugin = actor\nlevel = 10\n[service two]\n"
		"plugin = good\nnonsense = 1\n[service three]\nplugin = actor\nlevel = 11\n");
	survey(&world);
	ck_assert_uint_eq(world.survey.complaints.count, 3);
	ck_assert(config_report_print(&world.survey.complaints, &text));
	third = strstr(buffer_text(&text), "bay.ini:3: ");
	sixth = strstr(buffer_text(&text), "bay.ini:6: ");
	ninth = strstr(buffer_text(&text), "bay.ini:9: ");
	ck_assert(third != NULL && third < sixth && sixth < ninth);
	buffer_finish(&text);
	world_close(&world);
}
END_TEST

START_TEST(a_survey_that_is_given_up_leaves_nothing)
{
	struct world world;

	world_open(&world, "[service one]\nplugin = good\n[service two]\nplugin = hanging\n");
	fake_master_plugin(&world.master, "hangs", "hanging");
	plugin_survey_begin(&world.survey, world.config, world.examination, on_done, &world);
	UNTIL(&world.master, world.survey.entries[0].image != NULL);
	plugin_examination_destroy(world.examination);
	world.examination = NULL;
	ck_assert_uint_eq(world.done, 0);
	world_close(&world);
}
END_TEST

CHECK_MAIN("master/plugin_survey",
	services_of_one_plugin_share_one_image,
	a_disabled_service_is_not_looked_at,
	the_plugin_of_a_disabled_service_is_looked_at_for_the_enabled_one,
	without_services_it_is_done_at_once,
	a_refusal_is_a_complaint_only_when_it_is_asked_for,
	complaints_come_in_the_order_of_the_file_whatever_was_looked_at_first,
	a_survey_that_is_given_up_leaves_nothing)
