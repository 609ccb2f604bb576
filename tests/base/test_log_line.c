/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/log_line.h"

#include "base/buffer.h"
#include "support/check_main.h"

static const struct log_record plain = {
	.wall_ns = INT64_C(1767323045678000000),
	.level = LOG_LEVEL_INFO,
	.process = "master",
	.subject = "service square",
	.text = "generation 2 is live",
};

static void
line(const struct log_record *record, enum log_format format, const char *expected)
{
	struct buffer out = {0};

	ck_assert(log_line_append(&out, record, format));
	ck_assert_str_eq(buffer_text(&out), expected);
	buffer_finish(&out);
}

START_TEST(a_text_line_has_time_process_level_subject_and_text)
{
	struct log_record record = plain;

	line(&record, LOG_FORMAT_TEXT,
		"2026-01-02T03:04:05.678Z master info service square: generation 2 is live\n");
	record.subject = NULL;
	record.level = LOG_LEVEL_ERROR;
	line(&record, LOG_FORMAT_TEXT, "2026-01-02T03:04:05.678Z master error generation 2 is live\n");
}
END_TEST

START_TEST(a_text_line_stays_one_line_whatever_is_in_it)
{
	struct log_record record = plain;

	record.subject = "service a\x1b";
	record.text = "x\n2026-01-02T03:04:05.678Z master info forged\xff";
	line(&record, LOG_FORMAT_TEXT, "2026-01-02T03:04:05.678Z master info service a\\x1b: "
		"x\\n2026-01-02T03:04:05.678Z master info forged\\xff\n");
}
END_TEST

START_TEST(a_json_line_is_one_object)
{
	struct log_record record = plain;

	line(&record, LOG_FORMAT_JSON, "{\"time\":\"2026-01-02T03:04:05.678Z\",\"process\":\"master\","
		"\"level\":\"info\",\"subject\":\"service square\",\"text\":\"generation 2 is live\"}\n");
	record.subject = NULL;
	record.text = "a \"b\" \\ \n \x7f \xe2\x82\xac \xff";
	line(&record, LOG_FORMAT_JSON, "{\"time\":\"2026-01-02T03:04:05.678Z\",\"process\":\"master\","
		"\"level\":\"info\",\"text\":\"a \\\"b\\\" \\\\ \\u000a \\u007f \xe2\x82\xac \\ufffd\"}\n");
	record.trace = (struct trace_id){UINT64_C(0x4bf92f3577b34da6), 7};
	record.text = "x";
	line(&record, LOG_FORMAT_JSON, "{\"time\":\"2026-01-02T03:04:05.678Z\",\"process\":\"master\","
		"\"level\":\"info\",\"trace\":\"4bf92f3577b34da60000000000000007\",\"text\":\"x\"}\n");
	/* It is long. */
	line(&record, LOG_FORMAT_TEXT, "2026-01-02T03:04:05.678Z master info x\n");
}
END_TEST

START_TEST(a_line_for_syslog_leaves_out_time_and_level)
{
	struct buffer out = {0};
	struct log_record record = plain;

	ck_assert(log_line_append_short(&out, &record));
	ck_assert_str_eq(buffer_text(&out), "master service square: generation 2 is live");
	buffer_clear(&out);
	record.subject = NULL;
	ck_assert(log_line_append_short(&out, &record));
	ck_assert_str_eq(buffer_text(&out), "master: generation 2 is live");
	buffer_finish(&out);
}
END_TEST

CHECK_MAIN("base/log_line",
	a_text_line_has_time_process_level_subject_and_text,
	a_text_line_stays_one_line_whatever_is_in_it,
	a_json_line_is_one_object,
	a_line_for_syslog_leaves_out_time_and_level)
