/* SPDX-License-Identifier: BSD-2-Clause */
/* With fake cells that print what they are told of services whose state the test sets. */
#include "config.h"

#include "master/service_absence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "master/cell_process.h"
#include "master/plugin_examination.h"
#include "protocol/cell_link.h"
#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

/* What cells are told of service a: its own, and another one. */
#define OWN(state, reason) \
	"main Absent {\"generation\":0,\"poison\":0," reason "\"retry\":0,\"service\":\"a\",\"state\":\"" state \
	"\",\"there\":\"starting\",\"wait\":false}"
#define ELSEWHERE(to, reason, there, wait) \
	to " Absent {\"cell\":\"main\",\"generation\":7,\"poison\":5," reason "\"retry\":2,\"service\":\"a\"," \
	"\"state\":\"elsewhere\",\"there\":\"" there "\",\"wait\":" wait "}"
#define REASON "\"reason\":\"no disk\","

static struct fake_master fake;
static struct master_service *a;
static struct config_service changed; /* what a is to be */
static const struct config_service *former;

static struct master_cell *
cell_of(const char *name)
{
	return service_of(&fake, name)->cell;
}

/* Since the last time they have been told this of service a, and nothing else; "": nobody was. */
static void
expect(const char *first, const char *second)
{
	fake_master_await_told(&fake);
	ck_assert_int_eq(log_lines_with("\"service\":\"a\""), (*first != '\0') + (*second != '\0'));
	ck_assert_msg(*first == '\0' || log_lines_with(first) == 1, "%s", first);
	ck_assert_msg(*second == '\0' || log_lines_with(second) == 1, "%s", second);
	log_lines_keep();
}

/* Service a is in cell main, b in other and c in third; all of it has been told. */
static void
open_cells(void)
{
	log_lines_keep();
	/* A cell that is told to end stays, and hears all the same. */
	fake_master_open_pair(&fake, "tell=Absent shutdown=silent\ntell=Absent shutdown=silent\n"
		"tell=Absent shutdown=silent\ntell=Absent shutdown=silent\n", "",
		"cell = other\n[service c]\ncell = third", NULL);
	fake_master_start(&fake);
	a = service_of(&fake, "a");
	former = a->config;
	changed = *former;
	changed.retry = 2;
	changed.poison = 5;
	a->config = &changed;
	a->image->generation = 7;
	service_tell_others(a);
	fake_master_await_told(&fake);
	log_lines_keep();
}

static void
set_state(enum service_state state, const char *reason)
{
	a->state = state;
	free(a->reason);
	a->reason = reason != NULL ? xstrdup(reason) : NULL;
}

static void
close_cells(void)
{
	set_state(SERVICE_READY, NULL);
	a->gone = a->moving = false;
	a->next_try_ns = 0;
	a->config = former;
	fake_master_close(&fake);
}

/* --- its own cell -------------------------------------------------------------------------------- */

START_TEST(its_own_cell_hears_why_it_is_not_there_unless_it_is)
{
	static const struct {
		enum service_state state;
		const char *reason;
		bool gone, moving;
		const char *told;
	} rows[] = {
		{SERVICE_STOPPED, NULL, false, false, OWN("stopped", "")},
		{SERVICE_STARTING, NULL, false, false, OWN("starting", "")},
		{SERVICE_FAILED, "no disk", false, false, OWN("failed", REASON)},
		{SERVICE_READY, NULL, false, false, ""},
		{SERVICE_STOPPING, "no disk", false, false, ""},
		{SERVICE_STOPPED, NULL, true, false, OWN("unknown", "")},
		{SERVICE_FAILED, "no disk", true, false, OWN("unknown", REASON)},
		/* It is on its way to another one, which is worth waiting for. */
		{SERVICE_STOPPED, NULL, false, true, OWN("starting", "")},
		{SERVICE_FAILED, "no disk", false, true, OWN("starting", REASON)},
		{SERVICE_STOPPED, NULL, true, true, OWN("unknown", "")},
		/* What has been removed and not stopped yet is still there. */
		{SERVICE_READY, NULL, true, false, ""},
		{SERVICE_STOPPING, NULL, true, true, ""},
	};

	open_cells();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		set_state(rows[i].state, rows[i].reason);
		a->gone = rows[i].gone;
		a->moving = rows[i].moving;
		service_tell_absence(a);
		expect(rows[i].told, "");
		/* Of its own service, a cell that has just become ready hears the same. */
		service_tell_cell(a, a->cell);
		expect(rows[i].told, "");
	}
	close_cells();
}
END_TEST

/* --- another one ---------------------------------------------------------------------------------- */

START_TEST(another_cell_hears_where_it_is_and_whether_it_is_about_to_serve)
{
	static const struct {
		enum service_state state;
		const char *reason;
		int64_t next_try_ns;
		bool moving;
		const char *told;
	} rows[] = {
		{SERVICE_STOPPED, NULL, 0, false, ELSEWHERE("other", "", "stopped", "false")},
		{SERVICE_STARTING, NULL, 0, false, ELSEWHERE("other", "", "starting", "true")},
		{SERVICE_READY, NULL, 0, false, ELSEWHERE("other", "", "ready", "false")},
		/* It answers what it has. */
		{SERVICE_STOPPING, "no disk", 0, false, ELSEWHERE("other", "", "ready", "false")},
		{SERVICE_FAILED, "no disk", 0, false, ELSEWHERE("other", REASON, "failed", "false")},
		{SERVICE_FAILED, "no disk", 1, false, ELSEWHERE("other", REASON, "failed", "true")},
		/* That is when its stop is given up. */
		{SERVICE_STOPPING, NULL, 1, false, ELSEWHERE("other", "", "ready", "false")},
		{SERVICE_STOPPING, NULL, 0, true, ELSEWHERE("other", "", "ready", "true")},
		{SERVICE_STOPPED, NULL, 0, true, ELSEWHERE("other", "", "stopped", "true")},
	};

	open_cells();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		set_state(rows[i].state, rows[i].reason);
		a->next_try_ns = rows[i].next_try_ns;
		a->moving = rows[i].moving;
		service_tell_cell(a, cell_of("b"));
		expect(rows[i].told, "");
	}
	close_cells();
}
END_TEST

START_TEST(another_cell_hears_of_one_that_the_configuration_has_no_more)
{
	open_cells();
	a->gone = true;
	set_state(SERVICE_STARTING, NULL);
	service_tell_cell(a, cell_of("b"));
	expect("other Absent {\"generation\":7,\"poison\":5,\"retry\":2,\"service\":\"a\",\"state\":\"unknown\","
		"\"there\":\"starting\",\"wait\":false}", "");
	close_cells();
}
END_TEST

START_TEST(one_whose_code_is_not_known_has_no_generation)
{
	struct plugin_image *image;

	open_cells();
	image = a->image;
	a->image = NULL;
	set_state(SERVICE_FAILED, "no disk");
	service_tell_cell(a, cell_of("c"));
	expect("third Absent {\"cell\":\"main\",\"generation\":0,\"poison\":5," REASON "\"retry\":2,\"service\":\"a\","
		"\"state\":\"elsewhere\",\"there\":\"failed\",\"wait\":false}", "");
	a->image = image;
	close_cells();
}
END_TEST

/* --- all others --------------------------------------------------------------------------------------- */

enum change { STATE, WAIT, RETRY, POISON, GONE, GENERATION, CHANGES };

static void
change_one(enum change change)
{
	if (change == STATE)
		set_state(SERVICE_FAILED, "no disk");
	else if (change == WAIT)
		a->next_try_ns = 1;
	else if (change == RETRY)
		changed.retry = 3;
	else if (change == POISON)
		changed.poison = 6;
	else if (change == GENERATION)
		a->image->generation = 8;
	else
		a->gone = true;
}

START_TEST(the_others_hear_of_each_change_once)
{
	open_cells();
	service_tell_others(a);
	expect("", "");
	for (int change = 0; change < CHANGES; change++) {
		change_one((enum change)change);
		service_tell_others(a);
		fake_master_await_told(&fake);
		ck_assert_msg(log_lines_with("other Absent {") == 2 && log_lines_with("third Absent {") == 2 &&
			log_lines_with("\"service\":\"a\"") == 2, "change %d", change);
		log_lines_keep();
		service_tell_others(a);
		expect("", "");
	}
	close_cells();
}
END_TEST

START_TEST(what_they_need_not_know_is_not_told)
{
	open_cells();
	a->waits = true;
	set_state(SERVICE_STOPPING, "3 tasks go on");
	service_tell_others(a);
	expect("", "");
	close_cells();
}
END_TEST

START_TEST(the_others_are_all_but_that_which_it_is_in_now)
{
	struct master_cell *main_cell;

	open_cells();
	main_cell = a->cell;
	a->cell = cell_of("b");
	service_tell_others(a);
	expect("main Absent {\"cell\":\"other\",\"generation\":7,\"poison\":5,\"retry\":2,\"service\":\"a\","
		"\"state\":\"elsewhere\",\"there\":\"ready\",\"wait\":false}",
		"third Absent {\"cell\":\"other\",\"generation\":7,\"poison\":5,\"retry\":2,\"service\":\"a\","
		"\"state\":\"elsewhere\",\"there\":\"ready\",\"wait\":false}");
	a->cell = main_cell;
	service_tell_others(a);
	expect(ELSEWHERE("other", "", "ready", "false"), ELSEWHERE("third", "", "ready", "false"));
	close_cells();
}
END_TEST

/* --- cells that come and go ---------------------------------------------------------------------------- */

START_TEST(a_cell_without_a_process_hears_of_it_once_it_is_ready)
{
	open_cells();
	cell_process_kill(master_cell_process(cell_of("b")));
	UNTIL(&fake, master_cell_process(cell_of("b")) == NULL);
	log_lines_keep();
	changed.retry = 3;
	service_tell_others(a);
	changed.retry = 2;
	UNTIL(&fake, is_state(&fake, "b", SERVICE_READY));
	fake_master_await_told(&fake);
	ck_assert_int_eq(log_lines_with("\"retry\":3,\"service\":\"a\""), 1);
	ck_assert_int_eq(log_lines_with("\"service\":\"a\""), 2);
	ck_assert_int_eq(log_lines_with(ELSEWHERE("other", "", "ready", "false")), 1);
	close_cells();
}
END_TEST

START_TEST(a_cell_that_is_about_to_end_hears_of_it_too)
{
	open_cells();
	master_cell_shut_down(cell_of("b"), MS(100000), MS(100000));
	ck_assert_ptr_null(master_cell_ready(cell_of("b")));
	set_state(SERVICE_STARTING, NULL);
	service_tell_others(a);
	UNTIL(&fake, log_lines_with(ELSEWHERE("other", "", "starting", "true")) == 1 &&
		log_lines_with(ELSEWHERE("third", "", "starting", "true")) == 1);
	close_cells();
}
END_TEST

CHECK_MAIN("master/service_absence",
	its_own_cell_hears_why_it_is_not_there_unless_it_is,
	another_cell_hears_where_it_is_and_whether_it_is_about_to_serve,
	another_cell_hears_of_one_that_the_configuration_has_no_more,
	one_whose_code_is_not_known_has_no_generation,
	the_others_hear_of_each_change_once,
	what_they_need_not_know_is_not_told,
	the_others_are_all_but_that_which_it_is_in_now,
	a_cell_without_a_process_hears_of_it_once_it_is_ready,
	a_cell_that_is_about_to_end_hears_of_it_too)
