/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_copy.h"

#include <stdlib.h>
#include <string.h>

#include "config/config_diff.h"
#include "config/config_keys.h"
#include "config/from_text.h"
#include "support/check_main.h"

static const char example[] = "[container]\nlog_level = warn\nloops = 3\nlog = bay.log\n"
	"[service a]\nqueue = 5\nx = 1\nstart_limit = 3/10s\noverflow = wait\nlisten = 127.0.0.1:1\n"
	"[service b]\nenabled = no\nlisten_mode = 0660\ncell = risky\n[cell risky]\nloops = 3\n"
	"[group g]\nstrategy = one-for-all\n";

static void
are_equal(const struct config *a, const struct config *b)
{
	struct config_diff diff;

	config_diff_make(&diff, a, b, NULL, NULL);
	ck_assert_uint_eq(diff.count, 0);
	config_diff_finish(&diff);
}

START_TEST(a_copy_says_the_same_and_lives_longer)
{
	struct config *config = accepted(example);
	struct config *copy = config_copy(config);
	struct config *again = accepted(example);

	config_destroy(config);
	are_equal(copy, again);
	for (size_t i = 0; i < config_service_keys.count; i++) {
		const struct config_origin *origin = &copy->services[0].origins[i];

		ck_assert_uint_eq(origin->line, again->services[0].origins[i].line);
		if (origin->file != NULL)
			ck_assert_str_eq(origin->file, "test.ini");
	}
	ck_assert_uint_eq(copy->services[0].settings[0].origin.line, 7);
	ck_assert_str_eq(copy->path, again->path);
	ck_assert_int_eq(config_find_cell(copy, "risky")->loops, 3);
	ck_assert_uint_eq(config_cell_origin(config_find_cell(copy, "risky"), "loops")->line,
		config_cell_origin(config_find_cell(again, "risky"), "loops")->line);
	ck_assert_int_eq(config_find_group(copy, "g")->strategy, CONFIG_ONE_FOR_ALL);
	ck_assert_uint_eq(config_find_group(copy, "g")->origins[0].line, 18);
	config_destroy(again);
	config_destroy(copy);
}
END_TEST

START_TEST(the_last_reference_frees_it)
{
	struct config *config = accepted(example);

	ck_assert_ptr_eq(config_ref(config), config);
	config_unref(config);
	ck_assert_str_eq(config->services[0].name, "a");
	config_unref(config);
	config_unref(NULL);
}
END_TEST

START_TEST(a_key_that_is_set_says_by_whom)
{
	struct config *config = accepted(example);
	const struct config_origin *origin = config_service_origin(&config->services[0], "queue");
	char *why;

	ck_assert(config_copy_set(config, "a", "queue", "77", "set by user 5", &why));
	ck_assert_int_eq(config->services[0].queue, 77);
	ck_assert_str_eq(origin->file, "set by user 5");
	ck_assert_uint_eq(origin->line, 0);
	ck_assert(config_copy_set(config, NULL, "log_level", "debug", "set by user 5", &why));
	ck_assert_int_eq(config->container.log_level, LOG_LEVEL_DEBUG);
	config_destroy(config);
}
END_TEST

START_TEST(a_setting_of_a_plugin_is_replaced_or_added)
{
	struct config *config = accepted(example);
	char *why;

	ck_assert(config_copy_set(config, "a", "x", "2", "me", &why));
	ck_assert(config_copy_set(config, "a", "y", "3", "me", &why));
	ck_assert_uint_eq(config->services[0].setting_count, 2);
	ck_assert_str_eq(config->services[0].settings[0].value, "2");
	ck_assert_str_eq(config->services[0].settings[1].name, "y");
	ck_assert_str_eq(config->services[0].settings[1].value, "3");
	config_destroy(config);
}
END_TEST

static void
cannot_set(const char *service, const char *key, const char *text, const char *expected)
{
	struct config *config = accepted(example);
	struct config *again = accepted(example);
	char *why;

	ck_assert(!config_copy_set(config, service, key, text, "me", &why));
	ck_assert_msg(strstr(why, expected) != NULL, "%s", why);
	are_equal(config, again);
	free(why);
	config_destroy(config);
	config_destroy(again);
}

START_TEST(what_is_wrong_is_not_set)
{
	cannot_set("a", "queue", "many", "wants a number from 1");
	cannot_set("c", "queue", "5", "there is no service c");
	cannot_set(NULL, "log_levle", "info", "did you mean 'log_level'?");
	cannot_set(NULL, "qqqqqqqqqqqq", "info", "unknown key");
}
END_TEST

START_TEST(what_waits_for_a_restart_is_kept_and_the_rest_is_not)
{
	struct config *config = accepted("[container]\nloops = 7\nlog_level = debug\n");
	struct config *in_force = accepted(example);

	config_copy_keep(config, in_force);
	config_destroy(in_force);
	ck_assert_int_eq(config->container.loops, 3);
	ck_assert_uint_eq(config_container_origin(config, "loops")->line, 3);
	ck_assert_int_eq(config->container.log_level, LOG_LEVEL_DEBUG);
	config_destroy(config);
}
END_TEST

START_TEST(what_has_been_saved_is_where_the_file_has_it)
{
	struct config *config = accepted(example);
	struct config *saved = accepted("\n[service a]\n\n\nqueue = 77\nx = 2\n");
	char *why;

	ck_assert(config_copy_set(config, "a", "queue", "77", "me", &why));
	ck_assert(config_copy_set(config, "a", "x", "2", "me", &why));
	config_copy_origins(config, saved);
	config_destroy(saved);
	ck_assert_uint_eq(config_service_origin(&config->services[0], "queue")->line, 5);
	ck_assert_str_eq(config_service_origin(&config->services[0], "queue")->file, "test.ini");
	ck_assert_uint_eq(config->services[0].settings[0].origin.line, 6);
	/* Not that of what is another value there. */
	ck_assert_uint_eq(config_service_origin(&config->services[0], "overflow")->line, 9);
	config_destroy(config);
}
END_TEST

CHECK_MAIN("config/config_copy",
	a_copy_says_the_same_and_lives_longer,
	the_last_reference_frees_it,
	a_key_that_is_set_says_by_whom,
	a_setting_of_a_plugin_is_replaced_or_added,
	what_is_wrong_is_not_set,
	what_waits_for_a_restart_is_kept_and_the_rest_is_not,
	what_has_been_saved_is_where_the_file_has_it)
