/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports of a page that the test fills, as a cell would have left it. */
#include "config.h"

#include "master/crash_reports.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/status_page.h"
#include "config/config_data.h"
#include "master/master_service.h"
#include "protocol/report_store.h"
#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

/* As waitpid says it. */
#define BY_SIGNAL(number) (number)
#define BY_EXIT(code) ((code) << 8)

static struct fake_master master;
static struct crash_reports *reports;
static struct status_page page;
static char directory[300];

static void
begin(const char *keys, int64_t kept)
{
	struct config_container *container;
	int fd;

	fake_master_open(&master, "", keys);
	container = &master.config->container;
	free(container->state_dir);
	container->state_dir = xstrdup(temp_dir_path(&master.dir, "state"));
	container->crash_reports = kept;
	snprintf(directory, sizeof(directory), "%s", temp_dir_path(&master.dir, "state/crashes"));
	fd = status_page_create(&page, "test", 4, 2);
	ck_assert_int_ge(fd, 0);
	close(fd);
	reports = crash_reports_create(master.config);
	log_lines_keep();
}

static void
end(void)
{
	crash_reports_destroy(reports);
	status_page_close(&page);
	fake_master_close(&master);
}

static struct crash_facts
facts_of(int status)
{
	return (struct crash_facts){.cell = "risky", .pid = 42, .page = &page, .status = status,
		.service = service_of(&master, "a"), .hung_loop = UINT32_MAX, .text = "it has ended"};
}

/* What was written; the caller's. */
static json_t *
report_of(const struct crash_facts *facts)
{
	uint64_t number = crash_reports_add(reports, facts);
	json_t *report;

	ck_assert_uint_gt(number, 0);
	report = report_store_read(directory, number);
	ck_assert_ptr_nonnull(report);
	ck_assert_int_eq(json_integer_value(json_object_get(report, "number")), (json_int_t)number);
	return report;
}

static const char *
text_of(const json_t *report, const char *member)
{
	const char *text = json_string_value(json_object_get(report, member));

	return text != NULL ? text : "";
}

/* --- what kind it is ------------------------------------------------------------------------- */

START_TEST(without_a_word_of_the_cell_the_kernel_says_what_kind_it_is)
{
	static const struct {
		int status;
		const char *kind;
	} ends[] = {
		{BY_SIGNAL(SIGKILL), "killed"},
		{BY_SIGNAL(SIGTERM), "signal"},
		{BY_SIGNAL(SIGSEGV), "signal"},
		{BY_EXIT(0), "ended"},
		{BY_EXIT(9), "ended"},
		{-1, "unknown"},
	};

	begin("", 100);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const struct crash_facts facts = facts_of(ends[i].status);
		json_t *report = report_of(&facts);

		ck_assert_str_eq(text_of(report, "kind"), ends[i].kind);
		ck_assert_str_eq(text_of(report, "cell"), "risky");
		ck_assert_str_eq(text_of(report, "text"), "it has ended");
		ck_assert_str_eq(text_of(report, "service"), "a");
		ck_assert_int_eq(json_integer_value(json_object_get(report, "pid")), 42);
		ck_assert_ptr_null(json_object_get(report, "signal"));
		ck_assert_ptr_null(json_object_get(report, "frames"));
		ck_assert_uint_eq(json_array_size(json_object_get(report, "events")), 0);
		json_decref(report);
	}
	end();
}
END_TEST

/* Writes the trace of a thread that worked on a message. */
static void
write_trace(struct crash_trace *trace, enum crash_kind kind, uint64_t pass)
{
	crash_trace_begin(trace);
	trace->kind = kind;
	trace->pass = pass;
	trace->tid = 43;
	crash_put_text(trace->thread, CRASH_THREAD_SIZE, "loop 1");
	trace->frames[0] = 0x1000;
	trace->frames[1] = 0x2000;
	trace->frame_count = 2;
	trace->awaits[0].where = 0x3000;
	crash_put_text(trace->awaits[0].function, CRASH_AWAIT_SIZE, "bay_sleep");
	trace->await_count = 1;
	trace->has_message = 1;
	trace->message_size = 700;
	crash_put_bytes(trace->message, CRASH_MESSAGE_SIZE, "se\1cret", 7);
	crash_trace_end(trace);
}

START_TEST(what_the_cell_has_left_is_nearer_to_the_truth)
{
	struct crash_facts facts;
	json_t *report;

	begin("", 100);
	status_page_write_crash(&page, SIGSEGV, 0x10, UINT32_MAX, "as it was told to");
	write_trace(&status_page_crash_area(&page)->crash, CRASH_STACK_OVERFLOW, 0);
	crash_area_add_event(status_page_crash_area(&page), 5, 2, "service a", "the last word");
	facts = facts_of(BY_SIGNAL(SIGKILL));
	report = report_of(&facts);
	ck_assert_str_eq(text_of(report, "kind"), "stack-overflow");
	ck_assert_str_eq(text_of(report, "signal"), "SIGSEGV");
	ck_assert_str_eq(text_of(report, "fault_address"), "0x10");
	ck_assert_str_eq(text_of(report, "thread"), "loop 1");
	ck_assert_uint_eq(json_array_size(json_object_get(report, "frames")), 2);
	ck_assert_str_eq(text_of(json_array_get(json_object_get(report, "awaits"), 0), "await"), "bay_sleep");
	ck_assert_str_eq(text_of(json_array_get(json_object_get(report, "events"), 0), "text"),
		"service a: the last word");
	/* Escaped, as it may be anything. */
	ck_assert_str_ne(text_of(report, "message"), "");
	ck_assert_ptr_null(strchr(text_of(report, "message"), '\1'));
	ck_assert_int_eq(json_integer_value(json_object_get(report, "message_size")), 700);
	json_decref(report);
	end();
}
END_TEST

START_TEST(a_message_that_is_secret_is_told_by_its_size_only)
{
	struct crash_facts facts;
	json_t *report;

	begin("crash_content = no", 100);
	write_trace(&status_page_crash_area(&page)->crash, CRASH_ABORT, 0);
	facts = facts_of(BY_SIGNAL(SIGABRT));
	report = report_of(&facts);
	ck_assert_ptr_null(json_object_get(report, "message"));
	ck_assert_int_eq(json_integer_value(json_object_get(report, "message_size")), 700);
	json_decref(report);
	/* Nor is that of a service that nobody knows. */
	facts.service = NULL;
	report = report_of(&facts);
	ck_assert_ptr_null(json_object_get(report, "message"));
	ck_assert_ptr_null(json_object_get(report, "service"));
	json_decref(report);
	end();
}
END_TEST

START_TEST(of_a_loop_that_hung_the_trace_of_that_pass_is_told_and_no_earlier_one)
{
	struct status_name name = status_name_make("digger");
	struct crash_facts facts;
	json_t *report;

	begin("", 100);
	facts = facts_of(BY_SIGNAL(SIGKILL));
	facts.hang = "a task kept its loop";
	facts.hung_loop = 1;
	status_loop_set_task(status_page_loop(&page, 1), 0, &name);
	status_set(&status_page_loop(&page, 1)->passes, 7);
	write_trace(&status_page_crash_area(&page)->stalls[1], CRASH_STALLED, 6);
	report = report_of(&facts);
	ck_assert_str_eq(text_of(report, "kind"), "stalled");
	ck_assert_str_eq(text_of(report, "task"), "digger");
	ck_assert_ptr_null(json_object_get(report, "frames"));
	json_decref(report);
	write_trace(&status_page_crash_area(&page)->stalls[1], CRASH_STALLED, 7);
	report = report_of(&facts);
	ck_assert_uint_eq(json_array_size(json_object_get(report, "frames")), 2);
	json_decref(report);
	/* Which loop it was may not be known, or be none of the page. */
	for (uint32_t loop = 2; loop != 1; loop = loop == 2 ? UINT32_MAX : 1) {
		facts.hung_loop = loop;
		report = report_of(&facts);
		ck_assert_str_eq(text_of(report, "kind"), "stalled");
		ck_assert_ptr_null(json_object_get(report, "task"));
		ck_assert_ptr_null(json_object_get(report, "frames"));
		json_decref(report);
	}
	end();
}
END_TEST

START_TEST(a_page_that_is_all_rubbish_makes_a_report)
{
	struct crash_area *area;
	struct crash_facts facts;
	json_t *report;

	begin("", 100);
	area = status_page_crash_area(&page);
	memset(area, 0xfe, sizeof(*area));
	facts = facts_of(BY_SIGNAL(SIGSEGV));
	report = report_of(&facts);
	ck_assert_str_eq(text_of(report, "kind"), "unknown");
	json_decref(report);
	end();
}
END_TEST

/* --- where they are kept -------------------------------------------------------------------------- */

static size_t
kept(void)
{
	uint64_t *numbers = NULL;
	size_t count = 0;

	ck_assert(report_store_list(directory, &numbers, &count));
	free(numbers);
	return count;
}

START_TEST(no_more_are_kept_than_was_said)
{
	struct crash_facts facts;

	begin("", 2);
	facts = facts_of(BY_EXIT(1));
	for (uint64_t n = 1; n <= 4; n++)
		ck_assert_uint_eq(crash_reports_add(reports, &facts), n);
	ck_assert_uint_eq(kept(), 2);
	master.config->container.crash_reports = 0;
	crash_reports_set_config(reports, master.config);
	ck_assert_uint_eq(crash_reports_add(reports, &facts), 0);
	ck_assert_uint_eq(crash_reports_add(NULL, &facts), 0);
	ck_assert_uint_eq(kept(), 2);
	ck_assert_int_eq(log_lines_with("no report of a crash is written"), 0);
	end();
}
END_TEST

START_TEST(where_none_can_be_written_that_is_said_once_for_each_configuration)
{
	struct crash_facts facts;

	begin("", 100);
	facts = facts_of(BY_EXIT(1));
	temp_dir_write(&master.dir, "state", "a file");
	ck_assert_uint_eq(crash_reports_add(reports, &facts), 0);
	ck_assert_int_eq(log_lines_with("no report of a crash is written: "), 1);
	ck_assert_uint_eq(crash_reports_add(reports, &facts), 0);
	ck_assert_int_eq(log_lines_with("no report of a crash is written: "), 1);
	crash_reports_set_config(reports, master.config);
	ck_assert_uint_eq(crash_reports_add(reports, &facts), 0);
	ck_assert_int_eq(log_lines_with("no report of a crash is written: "), 2);
	end();
}
END_TEST

START_TEST(a_disk_that_is_full_loses_one_and_the_next_is_there)
{
	struct rlimit limit, full;
	struct crash_facts facts;
	uint64_t number;

	begin("", 100);
	facts = facts_of(BY_EXIT(1));
	ck_assert_uint_eq(crash_reports_add(reports, &facts), 1);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	full = limit;
	full.rlim_cur = 10;
	/* Nothing of the test itself may be written meanwhile. */
	(void)setrlimit(RLIMIT_FSIZE, &full);
	number = crash_reports_add(reports, &facts);
	(void)setrlimit(RLIMIT_FSIZE, &limit);
	ck_assert_uint_eq(number, 0);
	ck_assert_uint_eq(kept(), 1);
	ck_assert_uint_eq(crash_reports_add(reports, &facts), 2);
	end();
}
END_TEST

START_TEST(a_trace_is_one_line_for_the_log)
{
	struct crash_trace_view *view = xcalloc(1, sizeof(*view));
	struct buffer text = {0};

	begin("", 100);
	write_trace(&status_page_crash_area(&page)->crash, CRASH_ABORT, 0);
	ck_assert(crash_trace_read(&status_page_crash_area(&page)->crash, view));
	ck_assert(crash_reports_print_trace(status_page_crash_area(&page), view, &text));
	ck_assert_ptr_nonnull(strstr(buffer_text(&text), " < "));
	ck_assert_ptr_nonnull(strstr(buffer_text(&text), "; before, it waited in bay_sleep"));
	ck_assert_ptr_null(strchr(buffer_text(&text), '\n'));
	buffer_finish(&text);
	free(view);
	end();
}
END_TEST

CHECK_MAIN("master/crash_reports",
	without_a_word_of_the_cell_the_kernel_says_what_kind_it_is,
	what_the_cell_has_left_is_nearer_to_the_truth,
	a_message_that_is_secret_is_told_by_its_size_only,
	of_a_loop_that_hung_the_trace_of_that_pass_is_told_and_no_earlier_one,
	a_page_that_is_all_rubbish_makes_a_report,
	no_more_are_kept_than_was_said,
	where_none_can_be_written_that_is_said_once_for_each_configuration,
	a_disk_that_is_full_loses_one_and_the_next_is_there,
	a_trace_is_one_line_for_the_log)
