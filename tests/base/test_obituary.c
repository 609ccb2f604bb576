/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/obituary.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "support/check_main.h"

enum {
	SERVICES = 3,
	LOOPS = 2
};

static void
page_create(struct status_page *page)
{
	int fd = status_page_create(page, "test", SERVICES, LOOPS);

	ck_assert_int_ge(fd, 0);
	close(fd);
	for (uint32_t loop = 0; loop < LOOPS; loop++)
		status_loop_set_task(status_page_loop(page, loop), STATUS_NO_SLOT, NULL);
}

static void
set_loop(struct status_page *page, uint32_t loop, uint32_t slot, const char *task,
	enum status_phase phase)
{
	struct status_name name = status_name_make(task);

	status_loop_set_task(status_page_loop(page, loop), slot, &name);
	status_loop_set_phase(status_page_loop(page, loop), phase);
}

START_TEST(the_crash_record_names_the_culprit_and_the_place)
{
	struct obituary obituary;
	struct status_page page;

	page_create(&page);
	set_loop(&page, 0, 2, "bystander", STATUS_PHASE_RUN);
	set_loop(&page, 1, 1, "handle", STATUS_PHASE_RUN);
	status_page_write_crash(&page, SIGSEGV, 0x40, 1, "stack overflow");
	obituary_write(&obituary, &page, SIGSEGV);
	ck_assert_uint_eq(obituary.culprit, 1);
	ck_assert(!obituary.in_init);
	ck_assert_str_eq(obituary.how, "crashed: SIGSEGV");
	ck_assert_str_eq(obituary.where, " at address 0x40 in task handle: stack overflow");
	status_page_close(&page);
}
END_TEST

START_TEST(a_crash_in_init_is_told_from_one_while_serving)
{
	struct obituary obituary;
	struct status_page page;

	page_create(&page);
	set_loop(&page, 1, 1, "init", STATUS_PHASE_INIT);
	status_page_write_crash(&page, SIGABRT, 0, 1, "");
	obituary_write(&obituary, &page, SIGABRT);
	ck_assert_uint_eq(obituary.culprit, 1);
	ck_assert(obituary.in_init);
	ck_assert_str_eq(obituary.where, " in task init");
	status_page_close(&page);
}
END_TEST

START_TEST(a_task_name_from_a_plugin_is_escaped)
{
	struct obituary obituary;
	struct status_page page;

	page_create(&page);
	set_loop(&page, 0, 0, "a\nb\033[2J", STATUS_PHASE_RUN);
	status_page_write_crash(&page, SIGABRT, 0, 0, "");
	obituary_write(&obituary, &page, SIGABRT);
	ck_assert_str_eq(obituary.where, " in task a\\nb\\x1b[2J");
	status_page_close(&page);
}
END_TEST

START_TEST(without_a_record_the_one_that_ran_is_to_blame)
{
	struct obituary obituary;
	struct status_page page;

	page_create(&page);
	set_loop(&page, 1, 2, "handle", STATUS_PHASE_RUN);
	obituary_write(&obituary, &page, 3 << 8);
	ck_assert_uint_eq(obituary.culprit, 2);
	ck_assert(!obituary.in_init);
	ck_assert_str_eq(obituary.how, "ended the process with exit code 3");
	ck_assert_str_eq(obituary.where, "");
	status_page_close(&page);
}
END_TEST

START_TEST(without_a_record_an_init_is_blamed_before_others)
{
	struct obituary obituary;
	struct status_page page;

	page_create(&page);
	set_loop(&page, 0, 2, "handle", STATUS_PHASE_RUN);
	set_loop(&page, 1, 1, "init", STATUS_PHASE_INIT);
	obituary_write(&obituary, &page, 0);
	ck_assert_uint_eq(obituary.culprit, 1);
	ck_assert(obituary.in_init);
	status_page_close(&page);
}
END_TEST

START_TEST(who_was_being_loaded_is_blamed_for_what_happened_on_no_loop)
{
	struct obituary obituary;
	struct status_page page;

	page_create(&page);
	set_loop(&page, 0, 2, "handle", STATUS_PHASE_RUN);
	status_page_set_loading(&page, 1);
	obituary_write(&obituary, &page, 0);
	ck_assert_uint_eq(obituary.culprit, 1);
	ck_assert(obituary.in_load && !obituary.in_init);
	/* It may have been the one or the other. */
	set_loop(&page, 0, 2, "init", STATUS_PHASE_INIT);
	obituary_write(&obituary, &page, 0);
	ck_assert_uint_eq(obituary.culprit, STATUS_NO_SLOT);
	obituary_write(&obituary, &page, SIGKILL);
	ck_assert_uint_eq(obituary.culprit, STATUS_NO_SLOT);
	/* A record knows better. */
	status_page_write_crash(&page, SIGSEGV, 0, UINT32_MAX, "");
	obituary_write(&obituary, &page, SIGSEGV);
	ck_assert_uint_eq(obituary.culprit, 1);
	ck_assert(obituary.in_load && !obituary.in_init);
	/* A cell may write there what it wants. */
	status_page_set_loading(&page, 4000000);
	obituary_write(&obituary, &page, SIGSEGV);
	ck_assert_uint_eq(obituary.culprit, STATUS_NO_SLOT);
	ck_assert(!obituary.in_load);
	status_page_close(&page);
}
END_TEST

START_TEST(a_crash_on_a_loop_is_not_blamed_on_who_is_loaded)
{
	struct obituary obituary;
	struct status_page page;

	page_create(&page);
	set_loop(&page, 0, 2, "handle", STATUS_PHASE_RUN);
	status_page_set_loading(&page, 1);
	status_page_write_crash(&page, SIGSEGV, 0, 0, "");
	obituary_write(&obituary, &page, SIGSEGV);
	ck_assert_uint_eq(obituary.culprit, 2);
	ck_assert(!obituary.in_load && !obituary.in_init);
	status_page_close(&page);
}
END_TEST

START_TEST(nobody_is_blamed_when_it_may_have_been_several)
{
	struct obituary obituary;
	struct status_page page;

	page_create(&page);
	set_loop(&page, 0, 2, "handle", STATUS_PHASE_RUN);
	set_loop(&page, 1, 1, "handle", STATUS_PHASE_RUN);
	obituary_write(&obituary, &page, 0);
	ck_assert_uint_eq(obituary.culprit, STATUS_NO_SLOT);
	status_page_close(&page);
}
END_TEST

START_TEST(one_service_on_two_loops_is_one)
{
	struct obituary obituary;
	struct status_page page;

	page_create(&page);
	set_loop(&page, 0, 1, "handle", STATUS_PHASE_RUN);
	set_loop(&page, 1, 1, "handle", STATUS_PHASE_RUN);
	obituary_write(&obituary, &page, 0);
	ck_assert_uint_eq(obituary.culprit, 1);
	status_page_close(&page);
}
END_TEST

START_TEST(nobody_is_blamed_for_a_kill_from_outside)
{
	struct obituary obituary;
	struct status_page page;

	page_create(&page);
	set_loop(&page, 0, 2, "handle", STATUS_PHASE_RUN);
	obituary_write(&obituary, &page, SIGKILL);
	ck_assert_uint_eq(obituary.culprit, STATUS_NO_SLOT);
	ck_assert_str_eq(obituary.how, "was killed by SIGKILL");
	status_page_close(&page);
}
END_TEST

START_TEST(a_page_full_of_rubbish_is_survived)
{
	struct obituary obituary;
	struct status_page page;
	uint32_t services;
	uint32_t loops;

	page_create(&page);
	services = page.services;
	loops = page.loops;
	memset(page.head, 0xff, page.size);
	obituary_write(&obituary, &page, SIGSEGV);
	ck_assert(obituary.culprit == STATUS_NO_SLOT || obituary.culprit < services);
	ck_assert_uint_lt(strlen(obituary.where), sizeof(obituary.where));
	ck_assert_uint_eq(page.loops, loops);
	status_page_close(&page);
}
END_TEST

START_TEST(the_way_it_ended_is_told_in_words)
{
	char text[OBITUARY_HOW_SIZE];

	ck_assert_str_eq(obituary_how(SIGSEGV, text, sizeof(text)), "crashed: SIGSEGV");
	ck_assert_str_eq(obituary_how(SIGKILL, text, sizeof(text)), "was killed by SIGKILL");
	ck_assert_str_eq(obituary_how(0, text, sizeof(text)),
		"ended the process with exit code 0");
	ck_assert_str_eq(obituary_how(7 << 8, text, sizeof(text)),
		"ended the process with exit code 7");
	ck_assert_str_eq(obituary_how(-1, text, sizeof(text)), "ended in an unknown way");
}
END_TEST

CHECK_MAIN("base/obituary",
	the_way_it_ended_is_told_in_words,
	the_crash_record_names_the_culprit_and_the_place,
	a_crash_in_init_is_told_from_one_while_serving,
	a_task_name_from_a_plugin_is_escaped,
	without_a_record_the_one_that_ran_is_to_blame,
	without_a_record_an_init_is_blamed_before_others,
	who_was_being_loaded_is_blamed_for_what_happened_on_no_loop,
	a_crash_on_a_loop_is_not_blamed_on_who_is_loaded,
	nobody_is_blamed_when_it_may_have_been_several,
	one_service_on_two_loops_is_one,
	nobody_is_blamed_for_a_kill_from_outside,
	a_page_full_of_rubbish_is_survived)
