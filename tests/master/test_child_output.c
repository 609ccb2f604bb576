/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/child_output.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "support/check_main.h"

/* What the log of this process has taken, "process level text" a line. */
static char taken[64 * 1024];

static void
take(const struct log_record *record, void *arg)
{
	size_t used = strlen(taken);

	(void)arg;
	snprintf(taken + used, sizeof(taken) - used, "%s|%s|%s\n", record->process,
		log_level_name(record->level), record->text);
}

struct printing {
	struct event_base *base;
	struct child_output *output;
};

static void
begin(struct printing *printing)
{
	taken[0] = '\0';
	/* Nothing of this belongs on the terminal. */
	ck_assert(log_to_file("/dev/null"));
	log_set_hook(take, NULL);
	printing->base = event_base_new();
	printing->output = child_output_create(printing->base, "cell main");
	ck_assert_ptr_nonnull(printing->output);
}

static void
end(struct printing *printing)
{
	child_output_destroy(printing->output);
	event_base_free(printing->base);
	log_set_hook(NULL, NULL);
}

/* As the child would: 0 is standard output, 1 standard error. */
static void
print_bytes(const struct printing *printing, int which, const void *data, size_t size)
{
	ck_assert_int_eq(write(child_output_ends(printing->output)[which], data, size), (ssize_t)size);
	event_base_loop(printing->base, EVLOOP_NONBLOCK);
}

static void
print(const struct printing *printing, int which, const char *text)
{
	print_bytes(printing, which, text, strlen(text));
}

START_TEST(each_line_is_one_of_the_log)
{
	struct printing printing;

	begin(&printing);
	print(&printing, 0, "one\n\ntwo\nthr");
	ck_assert_str_eq(taken, "cell main|info|prints: one\ncell main|info|prints: two\n");
	print(&printing, 0, "ee\n");
	ck_assert_ptr_nonnull(strstr(taken, "|prints: three\n"));
	end(&printing);
}
END_TEST

START_TEST(standard_error_is_a_warning)
{
	struct printing printing;

	begin(&printing);
	print(&printing, 1, "help\n");
	ck_assert_str_eq(taken, "cell main|warn|prints: help\n");
	end(&printing);
}
END_TEST

START_TEST(the_two_do_not_mix)
{
	struct printing printing;

	begin(&printing);
	print(&printing, 0, "half ");
	print(&printing, 1, "whole\n");
	print(&printing, 0, "and half\n");
	ck_assert_str_eq(taken, "cell main|warn|prints: whole\ncell main|info|prints: half and half\n");
	end(&printing);
}
END_TEST

START_TEST(an_overlong_line_comes_in_pieces_and_none_is_lost)
{
	struct printing printing;
	char line[3000];
	size_t seen = 0;

	begin(&printing);
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	print_bytes(&printing, 0, line, sizeof(line));
	for (const char *at = taken; *at != '\0'; at++)
		seen += *at == 'x';
	ck_assert_uint_eq(seen, sizeof(line) - 1);
	end(&printing);
}
END_TEST

START_TEST(a_nul_does_not_hide_what_follows)
{
	struct printing printing;

	begin(&printing);
	print_bytes(&printing, 0, "a\0b\n", 4);
	ck_assert_str_eq(taken, "cell main|info|prints: a?b\n");
	end(&printing);
}
END_TEST

START_TEST(last_words_without_an_end_are_heard)
{
	struct printing printing;

	begin(&printing);
	print(&printing, 1, "I am dying");
	ck_assert_str_eq(taken, "");
	child_output_close_ends(printing.output);
	child_output_drain(printing.output);
	ck_assert_str_eq(taken, "cell main|warn|prints: I am dying\n");
	end(&printing);
}
END_TEST

START_TEST(one_that_prints_without_end_gets_one_turn_at_a_time)
{
	struct printing printing;
	char lines[32 * 1024];
	size_t count = 0;

	begin(&printing);
	for (size_t i = 0; i < sizeof(lines); i += 16)
		memcpy(lines + i, "fifteen letters\n", 16);
	ck_assert_int_eq(write(child_output_ends(printing.output)[0], lines, sizeof(lines)),
		(ssize_t)sizeof(lines));
	event_base_loop(printing.base, EVLOOP_ONCE);
	for (const char *at = taken; (at = strchr(at, '\n')) != NULL; at++)
		count++;
	ck_assert_uint_gt(count, 0);
	ck_assert_uint_lt(count, sizeof(lines) / 16 / 2);
	end(&printing);
}
END_TEST

CHECK_MAIN("master/child_output",
	each_line_is_one_of_the_log,
	standard_error_is_a_warning,
	the_two_do_not_mix,
	an_overlong_line_comes_in_pieces_and_none_is_lost,
	a_nul_does_not_hide_what_follows,
	last_words_without_an_end_are_heard,
	one_that_prints_without_end_gets_one_turn_at_a_time)
