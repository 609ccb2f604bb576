/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_value.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "config/config_data.h"
#include "support/check_main.h"

/* A section of one field of every type. */
struct fields {
	char *text;
	bool truth;
	int64_t number;
	uint64_t bytes;
	struct config_rate rate;
	struct config_span span;
	uint32_t mode;
	enum config_overflow choice;
};

static const struct config_word overflow_words[] = {
	{"reject", CONFIG_OVERFLOW_REJECT}, {"wait", CONFIG_OVERFLOW_WAIT},
	{"drop-oldest", CONFIG_OVERFLOW_DROP_OLDEST}, {NULL, 0}};
static const struct config_word auto_words[] = {{"auto", 0}, {NULL, 0}};
static const struct config_word log_words[] = {{"stderr", 0}, {"syslog", 1}, {NULL, 0}};

#define AT(field) offsetof(struct fields, field)

static const struct config_key string = {.type = CONFIG_TYPE_STRING, .offset = AT(text)};
static const struct config_key name = {.type = CONFIG_TYPE_NAME, .offset = AT(text)};
static const struct config_key path = {.type = CONFIG_TYPE_PATH, .offset = AT(text)};
static const struct config_key log_key = {.type = CONFIG_TYPE_LOG, .offset = AT(text),
	.words = log_words};
static const struct config_key patterns = {.type = CONFIG_TYPE_PATTERNS, .offset = AT(text)};
static const struct config_key truth = {.type = CONFIG_TYPE_BOOL, .offset = AT(truth)};
static const struct config_key number = {.type = CONFIG_TYPE_INT, .offset = AT(number),
	.min = 1, .max = 64};
static const struct config_key number_or_auto = {.type = CONFIG_TYPE_INT,
	.offset = AT(number), .min = 1, .max = 64, .words = auto_words};
static const struct config_key size_key = {.type = CONFIG_TYPE_SIZE, .offset = AT(bytes),
	.min = 4096, .max = 1 << 20};
static const struct config_key pages = {.type = CONFIG_TYPE_PAGES, .offset = AT(bytes),
	.min = 32 << 10, .max = 64 << 20};
static const struct config_key duration = {.type = CONFIG_TYPE_DURATION,
	.offset = AT(number), .min = CLOCK_NS_PER_MS, .max = INT64_C(3600) * CLOCK_NS_PER_S};
static const struct config_key rate = {.type = CONFIG_TYPE_RATE, .offset = AT(rate), .min = 1,
	.max = 1000};
static const struct config_word no_words[] = {{"no", 0}, {NULL, 0}};
static const struct config_key percent = {.type = CONFIG_TYPE_PERCENT, .offset = AT(number), .min = 1,
	.max = 100, .words = no_words};
static const struct config_key span = {.type = CONFIG_TYPE_SPAN, .offset = AT(span),
	.max = INT64_C(3600) * CLOCK_NS_PER_S};
static const struct config_key mode = {.type = CONFIG_TYPE_MODE, .offset = AT(mode),
	.max = 0777};
static const struct config_key choice = {.type = CONFIG_TYPE_CHOICE, .offset = AT(choice),
	.words = overflow_words};

/* The text is a value, and is printed as expected. */
static void
reads(const struct config_key *key, const char *text, const char *expected)
{
	struct fields fields = {0};
	struct buffer out = {0};
	char *why = NULL;

	ck_assert_msg(config_value_parse(key, text, &fields, &why), "%s: %s", text, why);
	ck_assert(config_value_print(key, &fields, &out));
	ck_assert_str_eq(buffer_text(&out), expected);
	buffer_finish(&out);
	config_value_finish(key, &fields);
}

/* The text is no value, for this reason, and the field stays as it was. */
static void
rejects(const struct config_key *key, const char *text, const char *expected)
{
	struct fields before, fields;
	char *why = NULL;

	memset(&before, 0, sizeof(before));
	memset(&fields, 0, sizeof(fields));
	ck_assert_msg(!config_value_parse(key, text, &fields, &why), "%s", text);
	ck_assert_str_eq(why, expected);
	ck_assert_mem_eq(&fields, &before, sizeof(fields));
	free(why);
}

START_TEST(texts_are_kept_as_they_are)
{
	reads(&string, "any thing", "any thing");
	reads(&string, "", "");
	reads(&path, "run/x", "run/x");
	reads(&patterns, "a.ini\nconf.d/*.ini", "a.ini\nconf.d/*.ini");
	rejects(&path, "", "wants a path");
	rejects(&path, "a\nb", "wants a path; the indented lines below it belong to it");
	rejects(&string, "a\nb", "wants text; the indented lines below it belong to it");
}
END_TEST

START_TEST(a_second_text_takes_the_place_of_the_first)
{
	struct fields fields = {0};
	char *why;

	ck_assert(config_value_parse(&string, "one", &fields, &why));
	ck_assert(config_value_parse(&string, "two", &fields, &why));
	ck_assert_str_eq(fields.text, "two");
	config_value_finish(&string, &fields);
	ck_assert_ptr_null(fields.text);
}
END_TEST

START_TEST(names_are_plain)
{
	static const char why[] = "wants a name: a letter, digit or '_', then letters, digits, '_',"
		" '.' or '-', 48 characters at most";

	reads(&name, "a", "a");
	reads(&name, "_9.x-Y", "_9.x-Y");
	reads(&name, "123456789012345678901234567890123456789012345678",
		"123456789012345678901234567890123456789012345678");
	rejects(&name, "1234567890123456789012345678901234567890123456789", why);
	rejects(&name, "", why);
	rejects(&name, ".hidden", why);
	rejects(&name, "-x", why);
	rejects(&name, "a b", why);
	rejects(&name, "a/b", why);
	rejects(&name, "na\xc3\xafve", why);
}
END_TEST

START_TEST(a_log_is_a_word_or_a_path)
{
	reads(&log_key, "stderr", "stderr");
	reads(&log_key, "/var/log/bay.log", "/var/log/bay.log");
	rejects(&log_key, "", "wants stderr or syslog, or the path of a file");
}
END_TEST

START_TEST(truth_is_yes_or_no)
{
	reads(&truth, "yes", "yes");
	reads(&truth, "off", "no");
	rejects(&truth, "maybe", "wants yes or no");
}
END_TEST

START_TEST(numbers_are_in_their_range_or_a_word)
{
	reads(&number, "1", "1");
	reads(&number, "64", "64");
	reads(&number_or_auto, "auto", "auto");
	rejects(&number, "0", "wants a number from 1 to 64");
	rejects(&number, "65", "wants a number from 1 to 64");
	rejects(&number, "many", "wants a number from 1 to 64");
	rejects(&number, "5 # five", "wants a number from 1 to 64; a comment behind a value starts"
		" with ';'");
	rejects(&number_or_auto, "0", "wants auto, or a number from 1 to 64");
}
END_TEST

START_TEST(sizes_are_in_their_range)
{
	reads(&size_key, "64k", "64k");
	reads(&size_key, "4096", "4k");
	reads(&size_key, "5000", "5000");
	rejects(&size_key, "4095", "wants a size such as 4096, 64k or 1M, from 4k to 1M");
	rejects(&size_key, "2M", "wants a size such as 4096, 64k or 1M, from 4k to 1M");
	rejects(&size_key, "64 k", "wants a size such as 4096, 64k or 1M, from 4k to 1M");
	rejects(&size_key, "18446744073709551615",
		"wants a size such as 4096, 64k or 1M, from 4k to 1M");
}
END_TEST

START_TEST(stacks_are_whole_pages)
{
	reads(&pages, "256k", "256k");
	rejects(&pages, "100000", "wants a size such as 4096, 64k or 1M, from 32k to 64M, a multiple"
		" of the page size 4096");
}
END_TEST

START_TEST(durations_have_their_unit_and_range)
{
	reads(&duration, "1ms", "1ms");
	reads(&duration, "90s", "90s");
	reads(&duration, "120s", "2m");
	reads(&duration, "1.5s", "1500ms");
	reads(&duration, "1h", "1h");
	rejects(&duration, "5", "wants a duration with its unit, such as 250ms, 5s or 2m, from 1ms to"
		" 1h; the unit is missing");
	rejects(&duration, "0", "wants a duration with its unit, such as 250ms, 5s or 2m, from 1ms to"
		" 1h; the unit is missing");
	rejects(&duration, "2h", "wants a duration with its unit, such as 250ms, 5s or 2m, from 1ms"
		" to 1h");
}
END_TEST

START_TEST(rates_are_a_number_and_a_duration)
{
	static const char why[] = "wants a number from 1 to 1000, a slash and a duration, such as"
		" 5/1m";

	reads(&rate, "5/1m", "5/1m");
	reads(&rate, "1000/250ms", "1000/250ms");
	rejects(&rate, "5", why);
	rejects(&rate, "5/", why);
	rejects(&rate, "/1m", why);
	rejects(&rate, "0/1m", why);
	rejects(&rate, "5/0", why);
	rejects(&rate, "5/60", why);
	rejects(&rate, "5/1m/2", why);
	reads(&rate, "00000000000000000000005/1m", "5/1m");
	rejects(&rate, "000000000000000000000005/1m", why);
	rejects(&rate, "99999999999999999999999999/1m", why);
}
END_TEST

START_TEST(percentages_have_their_sign_and_range)
{
	static const char why[] = "wants no, or a percentage from 1% to 100%";

	reads(&percent, "50%", "50%");
	reads(&percent, "100%", "100%");
	reads(&percent, "no", "no");
	rejects(&percent, "50", "wants no, or a percentage from 1% to 100%; the % is missing");
	rejects(&percent, "0%", why);
	rejects(&percent, "101%", why);
	rejects(&percent, "%", why);
	rejects(&percent, "5 %", why);
	rejects(&percent, "5%%", why);
	rejects(&percent, "", why);
	reads(&percent, "00000000000000000000005%", "5%");
	rejects(&percent, "000000000000000000000005%", why);
}
END_TEST

START_TEST(spans_are_two_durations_or_the_first)
{
	static const char why[] = "wants a duration with its unit, such as 250ms, 5s or 2m, from 0 to 1h, "
		"or two such as 200ms..30s, the longer one last";

	reads(&span, "200ms..30s", "200ms..30s");
	reads(&span, "200ms", "200ms..1m");
	reads(&span, "2m", "2m..2m");
	reads(&span, "0", "0..1m");
	reads(&span, "1s..1s", "1s..1s");
	rejects(&span, "30s..200ms", why);
	rejects(&span, "1s..2h", why);
	rejects(&span, "1s..", why);
	rejects(&span, "..1s", why);
	rejects(&span, "1s.2s", why);
	rejects(&span, "1s..2s..3s", why);
	rejects(&span, "1..2", why);
	rejects(&span, "000000000000000000000000000000001s..2s", why);
}
END_TEST

START_TEST(modes_are_octal)
{
	static const char why[] = "wants an octal file mode from 0000 to 0777, such as 0660";

	reads(&mode, "0660", "0660");
	reads(&mode, "600", "0600");
	reads(&mode, "0", "0000");
	rejects(&mode, "0800", why);
	rejects(&mode, "01777", why);
	rejects(&mode, "", why);
	rejects(&mode, "0x1", why);
	rejects(&mode, "-1", why);
	rejects(&mode, "000000000000000000000000000600", why);
}
END_TEST

START_TEST(choices_are_one_of_the_words)
{
	reads(&choice, "drop-oldest", "drop-oldest");
	reads(&choice, "reject", "reject");
	rejects(&choice, "drop", "wants reject, wait or drop-oldest");
	rejects(&choice, "Reject", "wants reject, wait or drop-oldest");
	rejects(&choice, "", "wants reject, wait or drop-oldest");
}
END_TEST

START_TEST(equal_values_are_equal_however_they_were_written)
{
	struct fields a = {.number = INT64_C(60) * CLOCK_NS_PER_S};
	struct fields b = {0};
	char *why;

	ck_assert(config_value_parse(&duration, "1m", &b, &why));
	ck_assert(config_value_equal(&duration, &a, &b));
	ck_assert(config_value_parse(&duration, "61s", &b, &why));
	ck_assert(!config_value_equal(&duration, &a, &b));
	ck_assert(config_value_parse(&string, "", &a, &why));
	ck_assert(config_value_parse(&string, "", &b, &why));
	ck_assert(config_value_equal(&string, &a, &b));
	ck_assert(config_value_parse(&string, "x", &b, &why));
	ck_assert(!config_value_equal(&string, &a, &b));
	config_value_finish(&string, &a);
	config_value_finish(&string, &b);
}
END_TEST

CHECK_MAIN("config/config_value",
	texts_are_kept_as_they_are,
	a_second_text_takes_the_place_of_the_first,
	names_are_plain,
	a_log_is_a_word_or_a_path,
	truth_is_yes_or_no,
	numbers_are_in_their_range_or_a_word,
	sizes_are_in_their_range,
	stacks_are_whole_pages,
	durations_have_their_unit_and_range,
	rates_are_a_number_and_a_duration,
	percentages_have_their_sign_and_range,
	spans_are_two_durations_or_the_first,
	modes_are_octal,
	choices_are_one_of_the_words,
	equal_values_are_equal_however_they_were_written)
