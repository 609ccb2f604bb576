/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/settings.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "service/setting_row.h"
#include "support/check_main.h"

struct all {
	int64_t retries;
	bool loud;
	int64_t delay_ns;
	uint64_t cache;
	const char *text;
	int64_t mode;
};

static const struct bay_setting all[] = {
	BAY_INT64(struct all, retries, "retries", "3", 0, 10, "how often to try again"),
	BAY_BOOL(struct all, loud, "loud", "no", "whether to log"),
	BAY_DURATION(struct all, delay_ns, "delay", "1s", "how long to sleep"),
	BAY_SIZE(struct all, cache, "cache", "64k", 4096, 1048576, "bytes to keep"),
	BAY_STRING(struct all, text, "text", "done", "the reply"),
	BAY_CHOICE(struct all, mode, "mode", "fast", "fast|safe", "how to go about it"),
	BAY_END
};

struct one {
	const char *path;
};

static const struct bay_setting required[] = {
	BAY_STRING(struct one, path, "path", NULL, "where the data lies"),
	BAY_END
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The first complaint about these values must contain the text. */
static void
assert_complaint(const struct bay_setting *table, const struct setting_value *values,
	size_t count, size_t about, const char *wanted)
{
	struct settings_report report = {0};
	struct settings *settings;

	ck_assert(!settings_create(table, values, count, &settings, &report));
	ck_assert_ptr_null(settings);
	ck_assert_uint_ge(report.count, 1);
	ck_assert_uint_eq(report.items[0].value, about);
	ck_assert_msg(strstr(report.items[0].text, wanted) != NULL, "'%s' lacks '%s'",
		report.items[0].text, wanted);
	settings_report_finish(&report);
}

static void
assert_wrong(const char *key, const char *value, const char *wanted)
{
	struct setting_value values[] = {{key, value}};

	assert_complaint(all, values, 1, 0, wanted);
}

static void
assert_table_refused(const struct bay_setting *table, const char *wanted)
{
	struct buffer error = {0};

	ck_assert(!settings_table_check(table, &error));
	ck_assert_msg(strstr(buffer_text(&error), wanted) != NULL, "'%s' lacks '%s'",
		buffer_text(&error), wanted);
	buffer_finish(&error);
}

/* --- filling -------------------------------------------------------------------- */

START_TEST(without_values_the_struct_holds_the_defaults)
{
	struct settings_report report = {0};
	struct settings *settings;
	const struct all *set;

	ck_assert(settings_create(all, NULL, 0, &settings, &report));
	set = settings_struct(settings);
	ck_assert_int_eq(set->retries, 3);
	ck_assert(!set->loud);
	ck_assert_int_eq(set->delay_ns, 1000000000);
	ck_assert_uint_eq(set->cache, 65536);
	ck_assert_str_eq(set->text, "done");
	ck_assert_int_eq(set->mode, 0);
	settings_unref(settings);
}
END_TEST

START_TEST(values_of_each_type_reach_their_fields)
{
	struct setting_value values[] = {
		{"mode", "safe"}, {"text", ""}, {"cache", "1M"}, {"delay", "250ms"},
		{"loud", "yes"}, {"retries", "10"},
	};
	struct settings_report report = {0};
	struct settings *settings;
	const struct all *set;

	ck_assert(settings_create(all, values, COUNT(values), &settings, &report));
	set = settings_struct(settings);
	ck_assert_int_eq(set->retries, 10);
	ck_assert(set->loud);
	ck_assert_int_eq(set->delay_ns, 250000000);
	ck_assert_uint_eq(set->cache, 1048576);
	ck_assert_str_eq(set->text, "");
	ck_assert_int_eq(set->mode, 1);
	settings_unref(settings);
}
END_TEST

START_TEST(strings_live_as_long_as_the_settings)
{
	char text[] = "short-lived";
	struct setting_value values[] = {{"text", text}};
	struct settings_report report = {0};
	struct settings *settings;

	ck_assert(settings_create(all, values, 1, &settings, &report));
	memset(text, 'x', sizeof(text) - 1);
	ck_assert_str_eq(((const struct all *)settings_struct(settings))->text, "short-lived");
	settings_unref(settings);
}
END_TEST

START_TEST(a_plugin_without_a_table_gets_no_struct)
{
	struct setting_value values[] = {{"delay", "1s"}};
	struct settings_report report = {0};
	struct settings *settings;

	ck_assert(settings_create(NULL, NULL, 0, &settings, &report));
	ck_assert_ptr_null(settings);
	ck_assert_ptr_null(settings_struct(settings));
	settings_unref(settings);
	assert_complaint(NULL, values, 1, 0, "the plugin has none");
}
END_TEST

/* --- complaints -------------------------------------------------------------------- */

/* Sizes are unsigned, their bounds are not. */
static const struct bay_setting vast[] = {
	BAY_SIZE(struct all, cache, "cache", "64k", INT64_MIN + 1, INT64_MAX, "bytes to keep"),
	BAY_END
};

START_TEST(a_wrong_value_is_told_what_is_allowed)
{
	static const struct setting_value too_much = {"cache", "8388608T"};

	assert_wrong("retries", "many", "'many' is not a whole number");
	assert_wrong("retries", "11", "11 is not within 0..10");
	assert_wrong("retries", "-1", "-1 is not within 0..10");
	assert_wrong("loud", "loud", "is not yes or no");
	assert_wrong("delay", "5 seconds", "such as 250ms, 5s or 2m");
	assert_wrong("delay", "-1s", "such as 250ms, 5s or 2m");
	assert_wrong("cache", "1k", "1k is not within 4k..1M");
	assert_wrong("cache", "16777216T", "is not");
	assert_wrong("mode", "save", "'save' is not one of fast|safe; did you mean 'safe'?");
	assert_wrong("mode", "faster", "did you mean 'fast'?");
	assert_wrong("mode", "fas", "did you mean 'fast'?");
	assert_wrong("mode", "", "is not one of fast|safe");
	assert_complaint(vast, &too_much, 1, 0, "is not a size");
}
END_TEST

START_TEST(an_unknown_key_is_told_the_nearest_known_one)
{
	assert_wrong("dealy", "1s", "no such setting; did you mean 'delay'?");
	assert_wrong("colour", "red", "no such setting; the plugin has retries, loud, delay");
}
END_TEST

START_TEST(a_key_given_twice_is_a_complaint_about_the_second)
{
	struct setting_value values[] = {{"delay", "1s"}, {"loud", "no"}, {"delay", "2s"}};

	assert_complaint(all, values, COUNT(values), 2, "given twice");
}
END_TEST

START_TEST(a_setting_without_default_must_be_given)
{
	struct setting_value values[] = {{"path", "/var/lib"}};
	struct settings_report report = {0};
	struct settings *settings;

	assert_complaint(required, NULL, 0, SIZE_MAX, "must be given");
	assert_complaint(required, NULL, 0, SIZE_MAX, "where the data lies");
	ck_assert(settings_create(required, values, 1, &settings, &report));
	ck_assert_str_eq(((const struct one *)settings_struct(settings))->path, "/var/lib");
	settings_unref(settings);
}
END_TEST

START_TEST(every_mistake_is_reported_at_once)
{
	struct setting_value values[] = {{"delay", "soon"}, {"loud", "yes"}, {"lod", "no"}};
	struct settings_report report = {0};
	struct settings *settings;

	ck_assert(!settings_create(all, values, COUNT(values), &settings, &report));
	ck_assert_uint_eq(report.count, 2);
	ck_assert_uint_eq(report.items[0].value, 0);
	ck_assert_str_eq(report.items[0].key, "delay");
	ck_assert_uint_eq(report.items[1].value, 2);
	ck_assert_str_eq(report.items[1].key, "lod");
	settings_report_finish(&report);
}
END_TEST

/* --- tables ----------------------------------------------------------------------------- */

START_TEST(good_tables_pass)
{
	static const struct bay_setting empty[] = {BAY_END};
	struct buffer error = {0};

	ck_assert(settings_table_check(all, &error));
	ck_assert(settings_table_check(required, &error));
	ck_assert(settings_table_check(empty, &error));
	ck_assert(settings_table_check(NULL, &error));
	ck_assert_uint_eq(settings_table_rows(all), 6);
	ck_assert_uint_eq(settings_table_rows(NULL), 0);
}
END_TEST

/* Each row stands for one mistake, made in a copy of the good table. */
START_TEST(tables_that_make_no_sense_are_refused)
{
	static char long_text[SETTINGS_TEXT_MAX + 2];
	struct bay_setting table[COUNT(all)];

#define WRONG(statement, wanted) \
	do { \
		memcpy(table, all, sizeof(all)); \
		statement; \
		assert_table_refused(table, wanted); \
	} while (0)

	memset(long_text, 'x', sizeof(long_text) - 1);
	WRONG(table[0].type = 99, "unknown type 99");
	WRONG(table[0].name = NULL, "row 0 of its settings has no name");
	WRONG(table[1].name = "", "row 1 of its settings has no name");
	WRONG(table[1].name = "two words", "not made of letters");
	WRONG(table[1].name = long_text + sizeof(long_text) - 1 - (SETTINGS_NAME_MAX + 1), "not made of letters");
	WRONG(for (size_t i = 0; i < COUNT(all) - 1; i++) table[i].struct_size = SETTINGS_STRUCT_MAX + 1,
		"lies outside of its struct");
	WRONG(table[0].field_size = 4, "has 8 bytes, not 4");
	WRONG(table[2].type = BAY_SETTING_BOOL, "whose field has 1 bytes, not 8");
	WRONG(table[0].offset = sizeof(struct all), "lies outside of its struct");
	WRONG(table[0].offset = UINT32_MAX, "lies outside of its struct");
	WRONG(table[3].struct_size = 8, "all rows fill one struct");
	WRONG(table[2].name = "loud", "'loud' is there twice");
	WRONG(table[2].offset = table[0].offset, "fill the same field");
	WRONG(table[0].minimum = 11, "allows no value");
	WRONG(table[3].minimum = -1, "allows no value");
	WRONG(table[0].default_text = "11", "the default of its setting 'retries' is wrong");
	WRONG(table[2].default_text = "soon", "the default of its setting 'delay' is wrong");
	WRONG(table[5].default_text = "slow", "not one of fast|safe");
	WRONG(table[5].choices = NULL, "no list of choices");
	WRONG(table[5].choices = "fast||safe", "empty choice");
	WRONG(table[5].choices = "fast|safe|fast", "'fast' twice");
	WRONG(table[5].choices = "fast|\xff", "no list of choices");
	WRONG(table[4].default_text = long_text, "more than");
	WRONG(table[4].help = long_text, "more than");
	WRONG(table[4].flags = BAY_LIVE | 2, "flags that are not known");
#undef WRONG
}
END_TEST

START_TEST(a_table_without_an_end_is_refused)
{
	static struct bay_setting endless[SETTINGS_ROWS_MAX + 1];
	static char names[SETTINGS_ROWS_MAX + 1][8];

	for (size_t i = 0; i < COUNT(endless); i++) {
		snprintf(names[i], sizeof(names[i]), "k%zu", i);
		endless[i] = (struct bay_setting){BAY_SETTING_BOOL, COUNT(endless), (uint32_t)i, 1,
			names[i], "no", 0, 1, NULL, NULL, 0};
	}
	assert_table_refused(endless, "no BAY_END");
}
END_TEST

START_TEST(a_row_is_live_only_if_it_says_so)
{
	static const struct bay_setting table[] = {
		BAY_STRING(struct one, path, "path", "/", "where the data lies", BAY_LIVE),
		BAY_END
	};
	struct buffer error = {0};

	ck_assert_uint_eq(table[0].flags, BAY_LIVE);
	ck_assert_str_eq(table[0].help, "where the data lies");
	ck_assert_uint_eq(required[0].flags, 0);
	ck_assert(settings_table_check(table, &error));
}
END_TEST

START_TEST(settings_live_as_long_as_somebody_refers_to_them)
{
	const struct setting_value value = {"path", "/tmp"};
	struct settings_report report = {0};
	struct settings *settings;

	ck_assert(settings_create(required, &value, 1, &settings, &report));
	ck_assert_ptr_eq(settings_ref(settings), settings);
	settings_unref(settings);
	ck_assert_str_eq(((const struct one *)settings_struct(settings))->path, "/tmp");
	settings_unref(settings);
	ck_assert_ptr_null(settings_ref(NULL));
	settings_unref(NULL);
}
END_TEST

START_TEST(a_row_says_what_it_allows)
{
	char buf[72];

	ck_assert_str_eq(setting_row_range(&all[0], buf, sizeof(buf)), "0..10");
	ck_assert_str_eq(setting_row_range(&all[1], buf, sizeof(buf)), "");
	ck_assert_str_eq(setting_row_range(&all[3], buf, sizeof(buf)), "4k..1M");
	ck_assert_str_eq(setting_row_range(&all[5], buf, sizeof(buf)), "fast|safe");
	ck_assert_str_eq(setting_type_name(BAY_SETTING_DURATION), "duration");
	ck_assert_ptr_null(setting_type_name(BAY_SETTING_END));
	ck_assert_ptr_null(setting_type_name(99));
}
END_TEST

CHECK_MAIN("service/settings",
	without_values_the_struct_holds_the_defaults,
	values_of_each_type_reach_their_fields,
	strings_live_as_long_as_the_settings,
	a_plugin_without_a_table_gets_no_struct,
	a_wrong_value_is_told_what_is_allowed,
	an_unknown_key_is_told_the_nearest_known_one,
	a_key_given_twice_is_a_complaint_about_the_second,
	a_setting_without_default_must_be_given,
	every_mistake_is_reported_at_once,
	good_tables_pass,
	tables_that_make_no_sense_are_refused,
	a_table_without_an_end_is_refused,
	a_row_is_live_only_if_it_says_so,
	settings_live_as_long_as_somebody_refers_to_them,
	a_row_says_what_it_allows)
