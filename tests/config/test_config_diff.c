/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_diff.h"

#include <stdlib.h>
#include <string.h>

#include "config/config_keys.h"
#include "config/from_text.h"
#include "support/check_main.h"

/* Settings whose names begin with "live" are. */
static bool
is_live(const struct config_service *service, const char *setting, void *arg)
{
	ck_assert_ptr_null(arg);
	ck_assert_ptr_nonnull(service->plugin);
	return strncmp(setting, "live", 4) == 0;
}

/* The differences between two texts as lines: sign, what, effect, line of the origin. */
static char *
difference(const char *old_text, const char *new_text, config_live_fn *live)
{
	struct config *old_config = accepted(old_text);
	struct config *new_config = accepted(new_text);
	struct config_diff diff;
	struct buffer out = {0};

	config_diff_make(&diff, old_config, new_config, live, NULL);
	for (size_t i = 0; i < diff.count; i++) {
		const struct config_change *change = &diff.changes[i];

		ck_assert(buffer_printf(&out, "%c %s%s%s %s -> %s (%s, %u)\n",
			config_effect_sign(change->effect),
			change->service != NULL ? change->service : change->cell != NULL ? change->cell :
				change->group != NULL ? change->group : "[container]",
			change->key != NULL ? "." : "", change->key != NULL ? change->key : "",
			change->old_value != NULL ? change->old_value : "-",
			change->new_value != NULL ? change->new_value : "-",
			config_effect_name(change->effect), change->origin.line));
	}
	config_diff_finish(&diff);
	config_destroy(old_config);
	config_destroy(new_config);
	ck_assert_ptr_nonnull(buffer_text(&out));
	return (char *)out.data;
}

static void
differs(const char *old_text, const char *new_text, const char *expected)
{
	char *found = difference(old_text, new_text, is_live);

	ck_assert_str_eq(found, expected);
	free(found);
}

START_TEST(the_same_is_no_difference_wherever_it_stands)
{
	differs("[container]\n[service a]\nx = 1\ny = 2\ntimeout = 60s\n[service b]\n",
		"[container]\nlog_level = info\n\n\n[service b]\n[service a]\ny = 2\nx = 1\ntimeout = 1m\n",
		"");
}
END_TEST

START_TEST(services_come_and_go)
{
	differs("[service a]\n[service b]\n", "[service b]\n[service c]\nx = 1\n",
		"+ c - -> - (start, 2)\n"
		"- a - -> - (stop, 1)\n");
}
END_TEST

START_TEST(a_cell_that_is_not_there_is_one_with_the_defaults)
{
	differs("[cell a]\nloops = 2\n[cell b]\n", "[cell c]\nloops = 4\n[cell a]\nloops = 3\n",
		"~ c.loops container -> 4 (cell, 2)\n"
		"~ a.loops 2 -> 3 (cell, 4)\n");
	differs("[cell a]\nfds_max = 100\n", "[service x]\n",
		"~ a.fds_max 100 -> none (cell, 1)\n"
		"+ x - -> - (start, 1)\n");
}
END_TEST

START_TEST(a_key_says_whether_it_is_live)
{
	differs("[service a]\n", "[service a]\ntimeout = 2s\nstack = 64k\n",
		"~ a.timeout 30s -> 2s (live, 2)\n"
		"~ a.stack 256k -> 64k (generation, 3)\n");
}
END_TEST

START_TEST(a_key_that_falls_back_to_its_default_is_told_where_the_section_is)
{
	differs("[service a]\nqueue = 5\n", "\n[service a]\n", "~ a.queue 5 -> 1024 (live, 2)\n");
}
END_TEST

START_TEST(a_plugin_says_which_of_its_settings_are_live)
{
	differs("[service a]\nlive1 = 1\nlive2 = 2\nother = 3\n",
		"[service a]\nlive1 = 0\nother = 4\nlive3 = 5\n",
		"~ a.live1 1 -> 0 (live, 2)\n"
		"~ a.other 3 -> 4 (generation, 3)\n"
		"~ a.live3 - -> 5 (live, 4)\n"
		"~ a.live2 2 -> - (live, 1)\n");
}
END_TEST

START_TEST(a_group_is_live)
{
	differs("[group g]\n[group h]\nstrategy = one-for-all\n[service a]\n",
		"[group g]\nstrategy = rest-for-one\n[service a]\ngroup = g\n",
		"~ g.strategy one-for-one -> rest-for-one (live, 2)\n"
		"~ h.strategy one-for-all -> one-for-one (live, 2)\n"
		"~ a.group  -> g (live, 4)\n");
}
END_TEST

START_TEST(of_another_plugin_no_setting_is_live)
{
	differs("[service a]\nlive1 = 1\n", "[service a]\nplugin = b\nlive1 = 2\n",
		"~ a.plugin a -> b (generation, 2)\n"
		"~ a.live1 1 -> 2 (generation, 3)\n");
}
END_TEST

START_TEST(without_a_judge_no_setting_is_live)
{
	char *found = difference("[service a]\nlive1 = 1\n", "[service a]\nlive1 = 2\n", NULL);

	ck_assert_str_eq(found, "~ a.live1 1 -> 2 (generation, 2)\n");
	free(found);
}
END_TEST

START_TEST(the_container_has_keys_that_wait_for_a_restart)
{
	differs("[container]\nloops = 1\n", "[container]\nloops = 2\nlog_level = debug\n",
		"~ [container].log_level info -> debug (live, 3)\n"
		"! [container].loops 1 -> 2 (restart, 2)\n");
}
END_TEST

START_TEST(the_gravest_effect_of_a_service_counts)
{
	struct config *old_config = accepted("[service a]\n[service b]\n[service c]\n");
	struct config *new_config = accepted("[service a]\nstack = 64k\ntimeout = 1s\n"
		"[service b]\ntimeout = 1s\n[service c]\n[service d]\n");
	struct config_diff diff;
	enum config_effect effect;

	config_diff_make(&diff, old_config, new_config, NULL, NULL);
	ck_assert(config_diff_service(&diff, "a", &effect));
	ck_assert_int_eq(effect, CONFIG_EFFECT_GENERATION);
	ck_assert(config_diff_service(&diff, "b", &effect));
	ck_assert_int_eq(effect, CONFIG_EFFECT_LIVE);
	ck_assert(!config_diff_service(&diff, "c", &effect));
	ck_assert(config_diff_service(&diff, "d", &effect));
	ck_assert_int_eq(effect, CONFIG_EFFECT_START);
	config_diff_finish(&diff);
	config_destroy(old_config);
	config_destroy(new_config);
}
END_TEST

/* What bay.ini(5) says is what the table says; the table is what is done. */
START_TEST(nothing_that_is_live_waits_for_a_restart)
{
	for (size_t i = 0; i < config_service_keys.count; i++)
		ck_assert(!config_service_keys.rows[i].live || config_service_keys.rows[i].reloadable);
	for (size_t i = 0; i < config_container_keys.count; i++)
		ck_assert(!config_container_keys.rows[i].live);
}
END_TEST

CHECK_MAIN("config/config_diff",
	the_same_is_no_difference_wherever_it_stands,
	services_come_and_go,
	a_cell_that_is_not_there_is_one_with_the_defaults,
	a_key_says_whether_it_is_live,
	a_key_that_falls_back_to_its_default_is_told_where_the_section_is,
	a_plugin_says_which_of_its_settings_are_live,
	a_group_is_live,
	of_another_plugin_no_setting_is_live,
	without_a_judge_no_setting_is_live,
	the_container_has_keys_that_wait_for_a_restart,
	the_gravest_effect_of_a_service_counts,
	nothing_that_is_live_waits_for_a_restart)
