/* SPDX-License-Identifier: BSD-2-Clause */
/* What the plugin exec is made of: words, frames, lines of errors. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bay/bay.h>

#include "../../plugins/exec/errors.h"
#include "../../plugins/exec/framing.h"
#include "../../plugins/exec/words.h"
#include "support/run_tasks.h"

/* --- words ----------------------------------------------------------------------------------- */

/* The words with '|' behind each. */
static void
expect_words(const char *text, const char *expected)
{
	struct words words;
	const char *why;
	char got[256] = "";

	ck_assert_int_eq(words_init(&words, text, &why), BAY_OK);
	for (size_t i = 0; i < words.count; i++) {
		strcat(got, words.list[i]);
		strcat(got, "|");
	}
	ck_assert_ptr_null(words.list[words.count]);
	ck_assert_str_eq(got, expected);
	words_finish(&words);
}

START_TEST(words_are_separated_and_quoted_as_in_a_shell)
{
	expect_words("", "");
	expect_words(" \t ", "");
	expect_words("tr a-z  A-Z ", "tr|a-z|A-Z|");
	expect_words("sh -c 'echo \"a b\"; \\x'", "sh|-c|echo \"a b\"; \\x|");
	expect_words("a \"b 'c' \\\" \\\\ \\n\" d", "a|b 'c' \" \\ \\n|d|");
	expect_words("a\\ b c\\'d x\\\\", "a b|c'd|x\\|");
	expect_words("pre'fix 'and\" more\"", "prefix and more|");
	expect_words("'' \"\" x", "|" "|x|");
	expect_words("ends\\", "ends\\|");
}
END_TEST

START_TEST(a_quote_that_is_not_closed_is_refused)
{
	const char *const texts[] = {"'", "a \"b", "a 'b\"", "\"\\\""};
	struct words words;
	const char *why;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		ck_assert_int_eq(words_init(&words, texts[i], &why), BAY_INVALID);
		ck_assert_str_eq(why, "a quote is not closed");
		words_finish(&words);
	}
}
END_TEST

START_TEST(words_are_added_at_the_end)
{
	struct words words;
	const char *why;

	ck_assert_int_eq(words_init(&words, "A=1", &why), BAY_OK);
	ck_assert_int_eq(words_add(&words, "B=", "two words"), BAY_OK);
	ck_assert_uint_eq(words.count, 2);
	ck_assert_str_eq(words.list[1], "B=two words");
	ck_assert_ptr_null(words.list[2]);
	words_finish(&words);
}
END_TEST

/* --- frames ---------------------------------------------------------------------------------- */

static int
read_frame(bool line, const char *bytes, size_t size, size_t max, struct frame *frame, char *copy)
{
	struct bay_arena *arena = bay_arena_create();
	struct bay_stream *to, *from;
	int status;

	ck_assert_int_eq(bay_pipe(&from, &to), BAY_OK);
	ck_assert_int_eq(bay_stream_write(to, bytes, size, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_stream_close(to, BAY_INHERIT), BAY_OK);
	status = framing_read(from, line, max, arena, frame, bay_after(30 * BAY_SECOND));
	memcpy(copy, frame->data, status == BAY_OK ? frame->size : 0);
	copy[status == BAY_OK ? frame->size : 0] = '\0';
	bay_stream_abort(from);
	bay_arena_destroy(arena);
	return status;
}

static const struct {
	bool line;
	const char *bytes;
	int status;
	int reply;
	const char *body;
} frames[] = {
	{true, "hello\n", BAY_OK, BAY_OK, "hello"},
	{true, "\n", BAY_OK, BAY_OK, ""},
	{true, "hello", BAY_CLOSED, 0, ""},
	{true, "", BAY_CLOSED, 0, ""},
	{true, "seventeen letters\n", BAY_TOO_BIG, 0, ""},
	{false, "5\nhello", BAY_OK, BAY_OK, "hello"},
	{false, "05\nhello rest", BAY_OK, BAY_OK, "hello"},
	{false, "0\n", BAY_OK, BAY_OK, ""},
	{false, "16\n0123456789abcdef", BAY_OK, BAY_OK, "0123456789abcdef"},
	{false, "17\n", BAY_TOO_BIG, 0, ""},
	{false, "7 not-found\nno such", BAY_OK, BAY_NOT_FOUND, "no such"},
	{false, "0 failed\n", BAY_OK, BAY_FAILED, ""},
	{false, "5\nhell", BAY_CLOSED, 0, ""},
	{false, "5", BAY_CLOSED, 0, ""},
	{false, "", BAY_CLOSED, 0, ""},
	{false, "\n", BAY_INVALID, 0, ""},
	{false, "-1\n", BAY_INVALID, 0, ""},
	{false, "+1\nx", BAY_INVALID, 0, ""},
	{false, " 1\nx", BAY_INVALID, 0, ""},
	{false, "1 \nx", BAY_INVALID, 0, ""},
	{false, "1 ok\nx", BAY_INVALID, 0, ""},
	{false, "1 unknown\nx", BAY_INVALID, 0, ""},
	{false, "1 nonsense\nx", BAY_INVALID, 0, ""},
	{false, "1x\nx", BAY_INVALID, 0, ""},
	{false, "18446744073709551617\nx", BAY_INVALID, 0, ""},
	{false, "999999999999999999\nx", BAY_TOO_BIG, 0, ""},
	{false, "this is a text and no frame, and the more so as it does not end before long\n", BAY_INVALID, 0, ""},
};

TASK_TEST(a_reply_is_a_whole_frame_or_none)
{
	struct frame frame;
	char body[32];

	for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
		int status = read_frame(frames[i].line, frames[i].bytes, strlen(frames[i].bytes), 16, &frame, body);

		ck_assert_msg(status == frames[i].status, "%zu: %s", i, bay_status_name(status));
		ck_assert_msg(strcmp(body, frames[i].body) == 0, "%zu: %s", i, body);
		if (status == BAY_OK)
			ck_assert_msg(frame.status == frames[i].reply, "%zu: is %s", i, bay_status_name(frame.status));
	}
	ck_assert_int_eq(read_frame(false, "1\0\nx", 4, 16, &frame, body), BAY_INVALID);
	ck_assert_int_eq(read_frame(false, "3\n\0\n\0", 5, 16, &frame, body), BAY_OK);
	ck_assert_mem_eq(body, "\0\n\0", 3);
	return BAY_OK;
}

TASK_TEST(a_request_is_a_frame)
{
	struct bay_stream *to, *from;
	char *all;
	size_t size;

	ck_assert_int_eq(bay_pipe(&from, &to), BAY_OK);
	ck_assert_int_eq(framing_write(to, true, "a line", 6, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(framing_write(to, true, NULL, 0, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(framing_write(to, false, "\n\n", 2, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(framing_write(to, false, NULL, 0, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_stream_close(to, BAY_INHERIT), BAY_OK);
	ck_assert_int_eq(bay_stream_read_all(from, 100, &all, &size, BAY_INHERIT), BAY_OK);
	ck_assert_str_eq(all, "a line\n\n2\n\n\n0\n");
	bay_stream_abort(from);
	return BAY_OK;
}

START_TEST(one_end_of_line_may_stand_behind_a_line)
{
	const struct { const char *text; bool fits; size_t size; } bodies[] = {
		{"", true, 0}, {"\n", true, 0}, {"a", true, 1}, {"a\n", true, 1}, {"a\n\n", false, 0}, {"a\nb", false, 0}};

	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		size_t size = strlen(bodies[i].text);

		ck_assert_msg(framing_fits_line(bodies[i].text, &size) == bodies[i].fits, "%zu", i);
		if (bodies[i].fits)
			ck_assert_uint_eq(size, bodies[i].size);
	}
}
END_TEST

/* --- errors ---------------------------------------------------------------------------------- */

static struct errors errors;
static int errors_to;

static void
open_errors(void)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	errors_to = fds[1];
	errors_open(&errors, fds[0], 7, ERRORS_OFF);
}

static void
say(const char *text)
{
	ck_assert_int_eq(write(errors_to, text, strlen(text)), (ssize_t)strlen(text));
	errors_take(&errors);
}

START_TEST(the_last_lines_are_kept_whole)
{
	char expected[ERRORS_LAST * 2] = "", line[64];

	open_errors();
	ck_assert_str_eq(errors_last(&errors), "");
	say("first\r\nsec");
	ck_assert_str_eq(errors_last(&errors), ": first");
	say("ond\n\nunfinished");
	ck_assert_str_eq(errors_last(&errors), ": first | second");
	close(errors_to);
	ck_assert(!errors_take(&errors));
	ck_assert_int_eq(errors.fd, -1);
	ck_assert_str_eq(errors_last(&errors), ": first | second | unfinished");

	open_errors();
	for (int i = 0; i < 1000; i++) {
		snprintf(line, sizeof line, "line number %d\n", i);
		say(line);
	}
	ck_assert_int_le((int)strlen(errors_last(&errors)), ERRORS_LAST - 1);
	for (int i = 978; i < 1000; i++) {
		snprintf(line, sizeof line, "%sline number %d", i > 978 ? " | " : ": ", i);
		strcat(expected, line);
	}
	ck_assert_str_eq(errors_last(&errors), expected);
	errors_close(&errors);
	close(errors_to);
}
END_TEST

START_TEST(a_line_without_end_is_cut_and_a_flood_is_taken_by_turns)
{
	static char flood[1 << 20];
	ssize_t written, all = 0;

	open_errors();
	memset(flood, 'x', sizeof flood);
	ck_assert_int_ge(fcntl(errors_to, F_SETPIPE_SZ, sizeof flood), 0);
	while ((written = write(errors_to, flood, sizeof flood)) > 0)
		all += written;
	ck_assert_int_gt(all, 2 * 64 * 1024);
	ck_assert(errors_take(&errors));
	/* It has left the rest. */
	ck_assert_int_gt(read(errors.fd, flood, sizeof flood), 64 * 1024);
	ck_assert_uint_eq(strlen(errors_last(&errors)), ERRORS_LAST - 1);
	ck_assert_uint_le(errors.length, ERRORS_LINE);
	errors_close(&errors);
	errors_close(&errors);
	close(errors_to);
}
END_TEST

CHECK_MAIN("plugins/exec, its parts",
	words_are_separated_and_quoted_as_in_a_shell,
	a_quote_that_is_not_closed_is_refused,
	words_are_added_at_the_end,
	a_reply_is_a_whole_frame_or_none,
	a_request_is_a_frame,
	one_end_of_line_may_stand_behind_a_line,
	the_last_lines_are_kept_whole,
	a_line_without_end_is_cut_and_a_flood_is_taken_by_turns)
