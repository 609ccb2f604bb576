/* SPDX-License-Identifier: BSD-2-Clause */
/* Also tests examiner_process, which is there for examiner only. Images are the test plugins
 * themselves. */
#include "config.h"

#include "master/examiner.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/program.h"
#include "master/image.h"
#include "support/check_main.h"
#include "support/log_lines.h"
#include "support/temp_dir.h"

#define PLUGINS TOP_BUILDDIR "/tests/support/plugins/"

enum { VERDICTS_MAX = 16 };

static const int64_t second = INT64_C(1000000000);

static const struct program bay_cell = {
	.path = TOP_BUILDDIR "/container/.libs/bay-cell",
	.library_dir = TOP_BUILDDIR "/container/.libs",
};

/* What was said, in the order in which it was. */
struct heard {
	struct event_base *base;
	size_t count;
	size_t wanted;
	struct {
		bool ok;
		char plugin[64];
		char reason[256];
		size_t complaints;
		int64_t index;
		char message[128];
	} verdicts[VERDICTS_MAX];
};

static void
hear(const struct cell_verdict *verdict, void *arg)
{
	struct heard *heard = arg;
	size_t i = heard->count++;

	ck_assert_uint_lt(i, VERDICTS_MAX);
	heard->verdicts[i].ok = verdict->ok;
	heard->verdicts[i].complaints = verdict->complaint_count;
	snprintf(heard->verdicts[i].plugin, sizeof(heard->verdicts[i].plugin), "%s",
		verdict->plugin != NULL ? verdict->plugin : "");
	snprintf(heard->verdicts[i].reason, sizeof(heard->verdicts[i].reason), "%s",
		verdict->reason != NULL ? verdict->reason : "");
	if (verdict->complaint_count > 0) {
		heard->verdicts[i].index = verdict->complaints[0].index;
		snprintf(heard->verdicts[i].message, sizeof(heard->verdicts[i].message), "%s",
			verdict->complaints[0].message);
	}
	if (heard->count == heard->wanted)
		event_base_loopbreak(heard->base);
}

static struct examiner *
create(struct heard *heard, const struct program *program, int64_t timeout_ns)
{
	struct examiner *examiner;

	/* A sanitizer would make an exit of what should be a crash. */
	setenv("TSAN_OPTIONS", "handle_segv=0", 1);
	setenv("ASAN_OPTIONS", "handle_segv=0", 1);
	*heard = (struct heard){.base = event_base_new()};
	ck_assert_ptr_nonnull(heard->base);
	examiner = examiner_create(heard->base, program, timeout_ns);
	ck_assert_ptr_nonnull(examiner);
	return examiner;
}

static void
finish(struct heard *heard, struct examiner *examiner)
{
	examiner_destroy(examiner);
	event_base_free(heard->base);
}

static struct examination *
submit(struct examiner *examiner, const char *name, const struct cell_examine_service *services,
	size_t count, struct heard *heard)
{
	char path[512];
	struct image image = {.path = path};
	struct examination *examination;

	snprintf(path, sizeof(path), PLUGINS "%s.so", name);
	image.fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(image.fd, 0);
	examination = examiner_submit(examiner, &image, services, count, hear, heard);
	ck_assert_ptr_nonnull(examination);
	/* It need not stay. */
	close(image.fd);
	return examination;
}

static void
wait_for(struct heard *heard, size_t wanted)
{
	heard->wanted = wanted;
	event_base_dispatch(heard->base);
	ck_assert_uint_eq(heard->count, wanted);
}

static void
assert_heard(const struct heard *heard, size_t i, bool ok, const char *wanted)
{
	const char *text = ok ? heard->verdicts[i].plugin : heard->verdicts[i].reason;

	ck_assert_msg(heard->verdicts[i].ok == ok && strstr(text, wanted) != NULL,
		"verdict %zu is %d: '%s', not %d: '%s'", i, heard->verdicts[i].ok, text, ok, wanted);
}

/* --- verdicts ------------------------------------------------------------------------ */

START_TEST(a_good_plugin_passes)
{
	struct heard heard;
	struct examiner *examiner = create(&heard, &bay_cell, 20 * second);

	submit(examiner, "good", NULL, 0, &heard);
	ck_assert_uint_eq(heard.count, 0);
	ck_assert_uint_eq(examiner_pending(examiner), 1);
	wait_for(&heard, 1);
	ck_assert_uint_eq(examiner_pending(examiner), 0);
	assert_heard(&heard, 0, true, "good");
	ck_assert_uint_eq(heard.verdicts[0].complaints, 0);
	finish(&heard, examiner);
}
END_TEST

START_TEST(complaints_about_settings_come_with_the_verdict)
{
	struct cell_setting settings[] = {{"loud", "no"}, {"delay", "soon"}};
	struct cell_examine_service services[] = {{"one", settings, 2}};
	struct heard heard;
	struct examiner *examiner = create(&heard, &bay_cell, 20 * second);

	submit(examiner, "good", services, 1, &heard);
	wait_for(&heard, 1);
	assert_heard(&heard, 0, true, "good");
	ck_assert_uint_eq(heard.verdicts[0].complaints, 1);
	ck_assert_int_eq(heard.verdicts[0].index, 1);
	ck_assert_ptr_nonnull(strstr(heard.verdicts[0].message, "'soon' is not a duration"));
	finish(&heard, examiner);
}
END_TEST

START_TEST(each_of_many_gets_its_own_verdict_in_order)
{
	struct heard heard;
	struct examiner *examiner = create(&heard, &bay_cell, 20 * second);

	submit(examiner, "good", NULL, 0, &heard);
	submit(examiner, "no_note", NULL, 0, &heard);
	submit(examiner, "exits", NULL, 0, &heard);
	submit(examiner, "nodelete", NULL, 0, &heard);
	submit(examiner, "crashes", NULL, 0, &heard);
	submit(examiner, "babbles", NULL, 0, &heard);
	submit(examiner, "crashes_late", NULL, 0, &heard);
	submit(examiner, "undefined", NULL, 0, &heard);
	submit(examiner, "unique", NULL, 0, &heard);
	submit(examiner, "reserved", NULL, 0, &heard);
	wait_for(&heard, 10);
	assert_heard(&heard, 0, true, "good");
	assert_heard(&heard, 1, false, "no Bay note");
	assert_heard(&heard, 2, false, "it ended the process with exit code 0 while");
	assert_heard(&heard, 3, true, "good");
	assert_heard(&heard, 4, false, "it crashed: SIGSEGV while it was loaded");
	assert_heard(&heard, 5, false, "wrote to a descriptor of the container");
	assert_heard(&heard, 6, false, "it crashed: SIGSEGV while it was loaded");
	assert_heard(&heard, 7, false, "bay_no_such_function");
	assert_heard(&heard, 8, true, "unique");
	assert_heard(&heard, 9, false, "its setting 'queue' has the name of a key of [service]");
	finish(&heard, examiner);
}
END_TEST

START_TEST(one_that_hangs_is_killed_and_the_others_go_on)
{
	struct heard heard;
	struct examiner *examiner = create(&heard, &bay_cell, 5 * second);

	submit(examiner, "hangs", NULL, 0, &heard);
	submit(examiner, "good", NULL, 0, &heard);
	wait_for(&heard, 2);
	assert_heard(&heard, 0, true, "good");
	assert_heard(&heard, 1, false, "it hung while it was loaded or unloaded (nothing happened "
		"for 5s)");
	finish(&heard, examiner);
}
END_TEST

START_TEST(several_that_hang_do_so_at_once)
{
	struct cell_examine_service services[] = {{"late", NULL, 0}};
	struct heard heard;
	struct examiner *examiner = create(&heard, &bay_cell, 5 * second);

	log_lines_keep();
	submit(examiner, "good", NULL, 0, &heard);
	submit(examiner, "hangs", services, 1, &heard);
	submit(examiner, "hangs", services, 1, &heard);
	submit(examiner, "hangs", services, 1, &heard);
	submit(examiner, "unique", NULL, 0, &heard);
	wait_for(&heard, 2);
	assert_heard(&heard, 0, true, "good");
	assert_heard(&heard, 1, true, "unique");
	ck_assert_uint_eq(examiner_pending(examiner), 3);
	ck_assert_int_eq(log_lines_with("the plugin of service late takes long to be loaded"), 3);
	wait_for(&heard, 5);
	for (size_t i = 2; i < 5; i++)
		assert_heard(&heard, i, false, "(nothing happened for 5s)");
	finish(&heard, examiner);
}
END_TEST

START_TEST(nobody_pays_for_what_an_earlier_one_left_behind)
{
	struct heard heard;
	struct examiner *examiner = create(&heard, &bay_cell, 20 * second);

	submit(examiner, "late", NULL, 0, &heard);
	submit(examiner, "slow", NULL, 0, &heard);
	wait_for(&heard, 2);
	assert_heard(&heard, 0, true, "late");
	assert_heard(&heard, 1, true, "slow");
	finish(&heard, examiner);
}
END_TEST

/* --- its own life ---------------------------------------------------------------------- */

START_TEST(when_all_is_done_nothing_runs_any_more)
{
	struct heard heard;
	struct examiner *examiner = create(&heard, &bay_cell, 20 * second);
	int status;

	/* What an examiner leaves becomes our child, and is found. */
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	submit(examiner, "forks", NULL, 0, &heard);
	wait_for(&heard, 1);
	assert_heard(&heard, 0, true, "forks");
	event_base_loop(heard.base, EVLOOP_ONCE);
	ck_assert_int_gt(waitpid(-1, &status, 0), 0);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(waitpid(-1, &status, 0), -1);
	ck_assert_int_eq(errno, ECHILD);
	/* And it can begin again. */
	submit(examiner, "good", NULL, 0, &heard);
	wait_for(&heard, 2);
	assert_heard(&heard, 1, true, "good");
	finish(&heard, examiner);
}
END_TEST

START_TEST(what_is_cancelled_is_not_heard_of)
{
	struct heard heard;
	struct examiner *examiner = create(&heard, &bay_cell, 20 * second);
	struct examination *first = submit(examiner, "slow", NULL, 0, &heard);
	struct examination *second_one = submit(examiner, "slow", NULL, 0, &heard);

	submit(examiner, "good", NULL, 0, &heard);
	examiner_cancel(examiner, second_one);
	ck_assert_uint_eq(examiner_pending(examiner), 2);
	/* The first one is sent. */
	event_base_loop(heard.base, EVLOOP_ONCE);
	examiner_cancel(examiner, first);
	wait_for(&heard, 1);
	assert_heard(&heard, 0, true, "good");
	finish(&heard, examiner);
}
END_TEST

START_TEST(destroying_it_ends_the_process_and_says_nothing)
{
	struct heard heard;
	struct examiner *examiner = create(&heard, &bay_cell, 20 * second);

	submit(examiner, "hangs", NULL, 0, &heard);
	submit(examiner, "good", NULL, 0, &heard);
	event_base_loop(heard.base, EVLOOP_ONCE);
	finish(&heard, examiner);
	ck_assert_uint_eq(heard.count, 0);
	ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
	ck_assert_int_eq(errno, ECHILD);
	examiner_destroy(NULL);
}
END_TEST

START_TEST(a_program_that_is_no_examiner_is_a_reason)
{
	static const struct program missing = {.path = "/no/such/bay-cell"};
	static const struct program stranger = {.path = "/bin/true"};
	struct heard heard;
	struct examiner *examiner = create(&heard, &missing, 20 * second);

	submit(examiner, "good", NULL, 0, &heard);
	submit(examiner, "good", NULL, 0, &heard);
	wait_for(&heard, 2);
	assert_heard(&heard, 0, false, "cannot be examined: start /no/such/bay-cell");
	assert_heard(&heard, 1, false, "No such file");
	finish(&heard, examiner);
	examiner = create(&heard, &stranger, 20 * second);
	submit(examiner, "good", NULL, 0, &heard);
	wait_for(&heard, 1);
	assert_heard(&heard, 0, false, "exit code 0");
	finish(&heard, examiner);
}
END_TEST

START_TEST(settings_that_are_no_utf8_cannot_be_submitted)
{
	struct cell_setting settings[] = {{"text", "\xff"}};
	struct cell_examine_service services[] = {{"one", settings, 1}};
	struct heard heard;
	struct examiner *examiner = create(&heard, &bay_cell, 20 * second);
	char path[] = "/";
	struct image image = {.fd = STDIN_FILENO, .path = path};

	ck_assert_ptr_null(examiner_submit(examiner, &image, services, 1, hear, &heard));
	ck_assert_uint_eq(examiner_pending(examiner), 0);
	finish(&heard, examiner);
}
END_TEST

/* --- one that cannot be trusted -------------------------------------------------------- */

static const struct program fake_cell = {.path = TOP_BUILDDIR "/tests/support/fake_cell"};

/* Has good examined, which any examiner of the truth lets pass, by one that obeys orders. */
static void
examine_with_fake(const char *orders, size_t count, struct heard *heard)
{
	struct examiner *examiner;
	struct temp_dir dir;
	int pipe;

	temp_dir_init(&dir);
	ck_assert_int_eq(mkfifo(temp_dir_path(&dir, "orders"), 0600), 0);
	pipe = open(temp_dir_path(&dir, "orders"), O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(write(pipe, orders, strlen(orders)), strlen(orders));
	setenv("FAKE_CELL", temp_dir_path(&dir, "orders"), 1);
	examiner = create(heard, &fake_cell, 20 * second);
	for (size_t i = 0; i < count; i++)
		submit(examiner, "good", NULL, 0, heard);
	wait_for(heard, count);
	finish(heard, examiner);
	close(pipe);
	temp_dir_finish(&dir);
}

START_TEST(a_verdict_without_the_nonce_is_a_forgery_of_the_plugin)
{
	struct heard heard;

	examine_with_fake("verdict=forged\n", 1, &heard);
	assert_heard(&heard, 0, false, "wrote to a descriptor of the container");
}
END_TEST

START_TEST(a_verdict_on_what_was_not_asked_is_a_forgery_of_the_plugin)
{
	struct heard heard;

	examine_with_fake("verdict=stranger\n", 1, &heard);
	assert_heard(&heard, 0, false, "wrote to a descriptor of the container");
}
END_TEST

START_TEST(what_stays_in_an_examiner_is_no_company_for_the_next)
{
	struct heard heard;

	examine_with_fake("verdict=lingers\nverdict=refuse\n", 3, &heard);
	assert_heard(&heard, 0, true, "fake");
	/* Another process, which goes on with the third. */
	assert_heard(&heard, 1, false, "refused by the fake");
	assert_heard(&heard, 2, false, "refused by the fake");
}
END_TEST

START_TEST(an_examiner_that_is_not_well_refuses_what_it_is_given)
{
	struct heard heard;

	examine_with_fake("setup=refuse\ndie\nsetup=rubbish\n", 3, &heard);
	assert_heard(&heard, 0, false, "does not work: not this time");
	assert_heard(&heard, 1, false, "ended the process with exit code 9");
	assert_heard(&heard, 2, false, "wrote to a descriptor of the container");
}
END_TEST

CHECK_MAIN("master/examiner",
	a_good_plugin_passes,
	complaints_about_settings_come_with_the_verdict,
	each_of_many_gets_its_own_verdict_in_order,
	one_that_hangs_is_killed_and_the_others_go_on,
	several_that_hang_do_so_at_once,
	nobody_pays_for_what_an_earlier_one_left_behind,
	when_all_is_done_nothing_runs_any_more,
	what_is_cancelled_is_not_heard_of,
	destroying_it_ends_the_process_and_says_nothing,
	a_program_that_is_no_examiner_is_a_reason,
	settings_that_are_no_utf8_cannot_be_submitted,
	a_verdict_without_the_nonce_is_a_forgery_of_the_plugin,
	a_verdict_on_what_was_not_asked_is_a_forgery_of_the_plugin,
	what_stays_in_an_examiner_is_no_company_for_the_next,
	an_examiner_that_is_not_well_refuses_what_it_is_given)
