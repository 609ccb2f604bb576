/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/config_history.h"

#include <stdio.h>
#include <string.h>

#include "config/config_load.h"
#include "support/check_main.h"

static struct config *
make_config(void)
{
	static const char text[] = "[container]\n[service a]\n";
	struct config_report report = {0};
	struct config *config;

	ck_assert(config_load_memory("bay.ini", text, strlen(text), &config, &report));
	config_report_finish(&report);
	return config;
}

START_TEST(the_last_ten_are_kept_and_numbers_go_on)
{
	struct config_history history = {0};
	struct config *configs[13];
	char why[16];

	for (int i = 0; i < 13; i++) {
		configs[i] = make_config();
		snprintf(why, sizeof(why), "%d", i + 1);
		config_history_add(&history, configs[i], why);
		config_unref(configs[i]);
	}
	ck_assert_uint_eq(history.count, CONFIG_HISTORY_MAX);
	ck_assert_int_eq(history.last_number, 13);
	ck_assert_int_eq(history.entries[0].number, 4);
	ck_assert_str_eq(history.entries[9].why, "13");
	ck_assert_ptr_null(config_history_find(&history, 3));
	ck_assert_ptr_null(config_history_find(&history, 14));
	ck_assert_ptr_eq(config_history_find(&history, 4), configs[3]);
	config_history_finish(&history);
	ck_assert_uint_eq(history.count, 0);
}
END_TEST

START_TEST(one_that_says_the_same_takes_the_place_of_the_newest)
{
	struct config_history history = {0};
	struct config *first = make_config(), *second = make_config();

	config_history_add(&history, first, "start");
	config_history_renew(&history, second);
	ck_assert_uint_eq(history.count, 1);
	ck_assert_int_eq(history.last_number, 1);
	ck_assert_ptr_eq(config_history_find(&history, 1), second);
	/* The same one again, with its only other reference. */
	config_unref(second);
	config_history_renew(&history, second);
	ck_assert_str_eq(config_history_find(&history, 1)->services[0].name, "a");
	config_history_finish(&history);
	config_unref(first);
}
END_TEST

CHECK_MAIN("master/config_history",
	the_last_ten_are_kept_and_numbers_go_on,
	one_that_says_the_same_takes_the_place_of_the_newest)
