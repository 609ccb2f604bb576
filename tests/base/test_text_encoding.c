/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "support/check_main.h"

/* --- UTF-8 ------------------------------------------------------------------ */

START_TEST(well_formed_utf8_is_known)
{
	static const char *const good[] = {"", "abc", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
		"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
		"na\xc3\xafve \xe2\x82\xac"};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ck_assert_msg(text_is_utf8(good[i], strlen(good[i])), "%zu", i);
	ck_assert(text_is_utf8("a\0b", 3));
}
END_TEST

START_TEST(broken_utf8_is_known)
{
	static const char *const bad[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41",
		"\xe0\x9f\xbf", "\xe0\xa0", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xff", "ok\xff", "\xe2\x82\x41", "\xf0\x90\x80\xc0"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!text_is_utf8(bad[i], strlen(bad[i])), "%zu", i);
}
END_TEST

/* --- escapes ---------------------------------------------------------------- */

static void
escapes(const void *data, size_t size, const char *expected)
{
	struct buffer out = {0};

	ck_assert(text_escape(&out, data, size));
	ck_assert_str_eq(buffer_text(&out), expected);
	buffer_finish(&out);
}

START_TEST(printable_text_is_not_changed)
{
	escapes("plain 'text' \"42\"", 17, "plain 'text' \"42\"");
	escapes("\xe2\x82\xac", 3, "\xe2\x82\xac");
	escapes("", 0, "");
}
END_TEST

START_TEST(what_could_forge_a_line_or_steer_a_terminal_is_escaped)
{
	escapes("a\nb\tc\rd\\e", 9, "a\\nb\\tc\\rd\\\\e");
	escapes("\x1b[31m", 5, "\\x1b[31m");
	escapes("a\0b", 3, "a\\x00b");
	escapes("\x7f", 1, "\\x7f");
	escapes("\xc2\x9b" "31m", 5, "\\xc2\\x9b31m");
	escapes("\xff\xc3", 2, "\\xff\\xc3");
	escapes("\xc3\xa4\xc3", 3, "\xc3\xa4\\xc3");
}
END_TEST

/* --- base64 ----------------------------------------------------------------- */

static void
both_ways(const char *plain, const char *coded)
{
	struct buffer out = {0};

	ck_assert(text_base64_encode(&out, plain, strlen(plain)));
	ck_assert_str_eq(buffer_text(&out), coded);
	buffer_clear(&out);
	ck_assert(text_base64_decode(&out, coded, strlen(coded)));
	ck_assert_str_eq(buffer_text(&out), plain);
	buffer_finish(&out);
}

START_TEST(the_vectors_of_rfc_4648_hold)
{
	both_ways("", "");
	both_ways("f", "Zg==");
	both_ways("fo", "Zm8=");
	both_ways("foo", "Zm9v");
	both_ways("foob", "Zm9vYg==");
	both_ways("fooba", "Zm9vYmE=");
	both_ways("foobar", "Zm9vYmFy");
	both_ways("\xfb\xff\xbe", "+/++");
}
END_TEST

START_TEST(both_ways_append_to_what_is_there)
{
	struct buffer out = {0};

	ck_assert(buffer_append_text(&out, "a:"));
	ck_assert(text_base64_encode(&out, "foo", 3));
	ck_assert(text_base64_encode(&out, "", 0));
	ck_assert(text_base64_decode(&out, "YmFy", 4));
	ck_assert_str_eq(buffer_text(&out), "a:Zm9vbar");
	buffer_finish(&out);
}
END_TEST

START_TEST(all_bytes_and_lengths_come_back)
{
	uint8_t data[256];
	struct buffer coded = {0};
	struct buffer back = {0};

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	for (size_t length = 0; length <= sizeof(data); length++) {
		buffer_clear(&coded);
		buffer_clear(&back);
		ck_assert(text_base64_encode(&coded, data, length));
		ck_assert(text_base64_decode(&back, (char *)coded.data, coded.size));
		ck_assert_uint_eq(back.size, length);
		if (length > 0)
			ck_assert_mem_eq(back.data, data, length);
	}
	buffer_finish(&coded);
	buffer_finish(&back);
}
END_TEST

START_TEST(what_is_not_canonical_base64_is_refused_and_appends_nothing)
{
	static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg===", "====", "Z===", "Zm9v\n",
		"Zm9vZg==Zg==", "Zg==Zm9v", "Zm 9", "Zm9-", "Zm9_", "Zh==", "Zm9=", "=m9v", "Z=9v",
		"Zm=v", "Zm9vZ*=="};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct buffer out = {0};

		ck_assert(buffer_append_text(&out, "kept"));
		ck_assert_msg(!text_base64_decode(&out, bad[i], strlen(bad[i])), "%s", bad[i]);
		ck_assert_str_eq(buffer_text(&out), "kept");
		buffer_finish(&out);
	}
}
END_TEST

START_TEST(what_was_escaped_before_is_not_escaped_again)
{
	struct buffer once = {0}, again = {0};

	ck_assert(text_escape(&once, "a\\b\n\033[0m\xff", 9));
	ck_assert(text_make_printable(&again, once.data, once.size));
	ck_assert_str_eq(buffer_text(&again), "a\\\\b\\n\\x1b[0m\\xff");
	buffer_clear(&again);
	ck_assert(text_make_printable(&again, "a\\b\n\033[0m\xff", 9));
	ck_assert_str_eq(buffer_text(&again), "a\\b\\n\\x1b[0m\\xff");
	buffer_finish(&once);
	buffer_finish(&again);
}
END_TEST

CHECK_MAIN("base/text_encoding",
	well_formed_utf8_is_known,
	broken_utf8_is_known,
	printable_text_is_not_changed,
	what_was_escaped_before_is_not_escaped_again,
	what_could_forge_a_line_or_steer_a_terminal_is_escaped,
	the_vectors_of_rfc_4648_hold,
	both_ways_append_to_what_is_there,
	all_bytes_and_lengths_come_back,
	what_is_not_canonical_base64_is_refused_and_appends_nothing)
