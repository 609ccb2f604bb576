/* SPDX-License-Identifier: BSD-2-Clause */
/* What two cells could say, of their own services, of each other's, and what is no notice at all. */
#include "config.h"

#include "master/cell_notices.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "config/config_data.h"
#include "master/cell_process.h"
#include "protocol/cell_link.h"
#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

static struct fake_master fake;
static struct master_service *a, *b;

/* Service a is in cell main, and b in other. */
static void
open_cells(const char *keys)
{
	log_lines_keep();
	fake_master_open_pair(&fake, "", keys, "restart = no\ncell = other", NULL);
	free(fake.config->container.state_dir);
	fake.config->container.state_dir = xstrdup(temp_dir_path(&fake.dir, "state"));
	fake_master_start(&fake);
	a = service_of(&fake, "a");
	b = service_of(&fake, "b");
}

/* Its parameters are as in C, with ' for ". */
static json_t *
make(const char *text)
{
	char json[512];
	json_t *made;

	snprintf(json, sizeof(json), "%s", text);
	for (char *at = json; (at = strchr(at, '\'')) != NULL;)
		*at = '"';
	made = json_loads(json, JSON_DECODE_ANY, NULL);
	ck_assert_msg(made != NULL, "%s", json);
	return made;
}

static void
notice(struct master_cell *cell, const char *method, const char *text)
{
	json_t *parameters = make(text);

	cell_notices_on_notice(method, parameters, cell);
	json_decref(parameters);
}

/* Of the call; the message is in text. */
static char text[400];

static enum bay_status
call(struct master_cell *cell, const char *method, const char *asked, int *fd_r)
{
	struct cell_answer answer = {.status = BAY_OK, .fd = -1};
	json_t *parameters = make(asked);

	cell_notices_on_call(method, parameters, &answer, cell);
	json_decref(parameters);
	snprintf(text, sizeof(text), "%s", answer.message.size > 0 ? buffer_text(&answer.message) : "");
	buffer_finish(&answer.message);
	*fd_r = answer.fd;
	return answer.status;
}

static unsigned
events_of(enum event_kind kind, const char *service)
{
	const struct event_record *record;
	uint64_t next = event_log_oldest(fake.events);
	unsigned count = 0;

	while (event_log_next(fake.events, &next, service, &record)) {
		if (record->kind != kind)
			continue;
		snprintf(text, sizeof(text), "%s", record->why != NULL ? record->why : "");
		count++;
	}
	return count;
}

/* --- what cannot be read ---------------------------------------------------------------------------- */

START_TEST(what_is_no_notice_is_logged_and_changes_nothing)
{
	static const char *const methods[] = {CELL_FAILED, CELL_STAGE, CELL_LINGERS, CELL_HEALTH, CELL_BREAKER, CELL_FAULT,
		CELL_BROKEN, CELL_DEAD_LETTER};
	static const char *const garbage[] = {"{}", "[]", "null", "7", "{'service':7}", "{'service':null,'cell':null}",
		"{'service':'a','generation':0,'message':'x','stage':'loaded','id':1}",
		"{'service':'a','generation':-1,'message':'x','stage':'loaded','id':1}",
		"{'service':'a','generation':1,'message':7,'reason':7,'stage':'no such','state':'no such','kind':'no such',"
		"'why':'x','crashes':0,'size':-1,'epoch':-1,'cell':'main','id':-1}",
		"{'service':'a','generation':1.5,'message':[],'reason':{},'stage':3,'state':true,'kind':null,'why':7,'cell':[],"
		"'crashes':'2','size':1,'epoch':1.5}"};
	int lines = 0;

	open_cells("restart = no");
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		for (size_t j = 0; j < sizeof(garbage) / sizeof(*garbage); j++) {
			uint64_t newest = event_log_newest(fake.events);

			notice(a->cell, methods[i], garbage[j]);
			lines++;
			ck_assert_msg(log_lines_with("cell main: sent a notice that cannot be read: ") == lines, "%s %s",
				methods[i], garbage[j]);
			ck_assert_uint_eq(event_log_newest(fake.events), newest);
		}
	}
	ck_assert_int_eq(log_lines_with("[cell-link]"), lines);
	ck_assert(is_state(&fake, "a", SERVICE_READY) && is_state(&fake, "b", SERVICE_READY));
	fake_master_close(&fake);
}
END_TEST

START_TEST(a_notice_that_is_not_known_is_logged_by_its_name)
{
	static const char *const methods[] = {"", "Failed", CELL_START, CELL_LISTEN, CELL_FAILED "x"};

	open_cells("restart = no");
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		char line[200];

		notice(b->cell, methods[i], "{'service':'b','generation':1,'message':'x'}");
		snprintf(line, sizeof(line), "cell other: sent a notice that is not known: %s [cell-link]", methods[i]);
		ck_assert_int_eq(log_lines_with(line), 1);
	}
	ck_assert(is_state(&fake, "b", SERVICE_READY));
	fake_master_close(&fake);
}
END_TEST

/* --- of services -------------------------------------------------------------------------------------- */

START_TEST(a_cell_says_that_its_service_has_failed_and_speaks_for_no_others_nor_for_other_code)
{
	open_cells("restart = no");
	notice(b->cell, CELL_FAILED, "{'service':'a','generation':1,'message':'it gave up'}");
	notice(a->cell, CELL_FAILED, "{'service':'a','generation':2,'message':'it gave up'}");
	notice(a->cell, CELL_FAILED, "{'service':'nobody','generation':1,'message':'it gave up'}");
	ck_assert(is_state(&fake, "a", SERVICE_READY));
	notice(a->cell, CELL_FAILED, "{'service':'a','generation':1,'message':'it gave up'}");
	ck_assert(is_state(&fake, "a", SERVICE_FAILED));
	ck_assert_ptr_nonnull(strstr(a->reason, "it gave up"));
	ck_assert(is_state(&fake, "b", SERVICE_READY));
	fake_master_close(&fake);
}
END_TEST

START_TEST(a_stage_is_of_the_swap_that_is_under_way_in_that_cell)
{
	open_cells("restart = no");
	notice(a->cell, CELL_STAGE, "{'service':'a','generation':1,'stage':'loaded'}");
	notice(a->cell, CELL_STAGE, "{'service':'nobody','generation':1,'stage':'loaded'}");
	ck_assert(!a->swap.started);
	/* As if it were swapped to what runs. */
	a->swap.image = a->image;
	notice(b->cell, CELL_STAGE, "{'service':'a','generation':1,'stage':'loaded'}");
	notice(a->cell, CELL_STAGE, "{'service':'a','generation':2,'stage':'loaded'}");
	ck_assert(!a->swap.started);
	notice(a->cell, CELL_STAGE, "{'service':'a','generation':1,'stage':'loaded'}");
	ck_assert(a->swap.started);
	a->swap.image = NULL;
	a->swap.started = false;
	fake_master_close(&fake);
}
END_TEST

START_TEST(what_lingers_may_be_of_a_service_that_is_elsewhere_by_now)
{
	open_cells("restart = no");
	notice(b->cell, CELL_LINGERS, "{'service':'a','id':7,'generation':1,'reason':'a thread'}");
	notice(b->cell, CELL_LINGERS, "{'service':'nobody','id':8,'generation':1,'reason':'a thread'}");
	ck_assert_uint_eq(a->lingering_count, 1);
	ck_assert_ptr_eq(a->lingering[0].cell, b->cell);
	ck_assert_str_eq(a->lingering[0].reason, "a thread");
	/* In another cell it is another one. */
	notice(a->cell, CELL_LINGERS, "{'service':'a','id':7,'generation':1}");
	ck_assert_uint_eq(a->lingering_count, 1);
	notice(b->cell, CELL_LINGERS, "{'service':'a','id':7,'generation':1}");
	ck_assert_uint_eq(a->lingering_count, 0);
	fake_master_close(&fake);
}
END_TEST

START_TEST(a_cell_in_which_too_much_lingers_is_replaced)
{
	pid_t pid;

	open_cells("restart = no");
	pid = cell_process_pid(master_cell_process(a->cell));
	fake.config->container.max_lingering = 1;
	notice(a->cell, CELL_LINGERS, "{'service':'a','id':1,'generation':1,'reason':'a thread'}");
	ck_assert(!master_cell_is_replaced(a->cell));
	notice(a->cell, CELL_LINGERS, "{'service':'b','id':2,'generation':1,'reason':'a thread'}");
	ck_assert(master_cell_is_replaced(a->cell));
	UNTIL(&fake, is_state(&fake, "a", SERVICE_READY) && cell_process_pid(master_cell_ready(a->cell)) != pid);
	fake_master_close(&fake);
}
END_TEST

START_TEST(a_cell_says_how_its_services_are)
{
	open_cells("restart = no");
	notice(b->cell, CELL_HEALTH, "{'service':'a','generation':1,'reason':'no disk'}");
	notice(a->cell, CELL_HEALTH, "{'service':'nobody','generation':1,'reason':'no disk'}");
	ck_assert_ptr_null(a->health.reason);
	notice(a->cell, CELL_HEALTH, "{'service':'a','generation':1,'reason':'no disk'}");
	ck_assert_str_eq(a->health.reason, "no disk");
	notice(b->cell, CELL_HEALTH, "{'service':'a','generation':1}");
	ck_assert_ptr_nonnull(a->health.reason);
	notice(a->cell, CELL_HEALTH, "{'service':'a','generation':1}");
	ck_assert_ptr_null(a->health.reason);
	fake_master_close(&fake);
}
END_TEST

START_TEST(a_cell_says_what_is_wrong_with_its_services_and_that_it_is_over)
{
	open_cells("restart = no");
	notice(b->cell, CELL_FAULT, "{'service':'a','kind':'deadlock','text':'a circle'}");
	notice(a->cell, CELL_FAULT, "{'service':'nobody','kind':'deadlock','text':'a circle'}");
	ck_assert_uint_eq(events_of(EVENT_FAULT, NULL), 0);
	notice(a->cell, CELL_FAULT, "{'service':'a','kind':'deadlock','text':'a circle'}");
	ck_assert_str_eq(a->faults.text[CELL_FAULT_DEADLOCK], "a circle");
	ck_assert_uint_eq(events_of(EVENT_FAULT, "a"), 1);
	ck_assert_str_eq(text, "deadlock: a circle [service-deadlock]");
	notice(b->cell, CELL_FAULT, "{'service':'a','kind':'deadlock'}");
	ck_assert_ptr_nonnull(a->faults.text[CELL_FAULT_DEADLOCK]);
	notice(a->cell, CELL_FAULT, "{'service':'a','kind':'deadlock'}");
	ck_assert_ptr_null(a->faults.text[CELL_FAULT_DEADLOCK]);
	ck_assert_uint_eq(events_of(EVENT_FAULT_OVER, "a"), 1);
	fake_master_close(&fake);
}
END_TEST

START_TEST(a_breaker_is_told_by_whoever_calls_the_service)
{
	open_cells("restart = no");
	notice(b->cell, CELL_BREAKER, "{'service':'a','state':'open','why':'12 of 20 calls failed'}");
	ck_assert_uint_eq(events_of(EVENT_BREAKER_OPEN, "a"), 1);
	ck_assert_str_eq(text, "in cell other: 12 of 20 calls failed [breaker-open]");
	notice(b->cell, CELL_BREAKER, "{'service':'nobody','state':'open','why':'12 of 20 calls failed'}");
	ck_assert_uint_eq(events_of(EVENT_BREAKER_OPEN, NULL), 1);
	fake_master_close(&fake);
}
END_TEST

START_TEST(a_dead_letter_is_put_away_by_whoever_had_sent_it)
{
	open_cells("restart = no");
	notice(b->cell, CELL_DEAD_LETTER, "{'service':'nobody','crashes':2,'size':1,'body':'YQ=='}");
	ck_assert_uint_eq(events_of(EVENT_DEAD_LETTER, NULL), 0);
	ck_assert_int_ne(access(temp_dir_path(&fake.dir, "state"), F_OK), 0);
	notice(b->cell, CELL_DEAD_LETTER, "{'service':'a','crashes':2,'size':1,'body':'YQ=='}");
	ck_assert_uint_eq(events_of(EVENT_DEAD_LETTER, "a"), 1);
	ck_assert_ptr_nonnull(strstr(text, "cell other"));
	ck_assert_int_eq(access(temp_dir_path(&fake.dir, "state/dead-letters/a"), F_OK), 0);
	fake_master_close(&fake);
}
END_TEST

/* --- of cells ---------------------------------------------------------------------------------------------- */

START_TEST(a_cell_whose_descriptors_are_nearly_all_open_is_replaced)
{
	static const struct {
		const char *parameters, *why;
	} rows[] = {
		{"{'service':'','kind':'fd-limit','text':'250 of 256 are open'}",
			"cell main: 250 of 256 are open: it is replaced [cell-limit]"},
		/* Of whom it is makes no difference. */
		{"{'service':'b','kind':'fd-limit'}",
			"cell main: its descriptors are nearly all open: it is replaced [cell-limit]"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		open_cells("restart = no");
		notice(a->cell, CELL_FAULT, rows[i].parameters);
		ck_assert_uint_eq(events_of(EVENT_LIMIT, NULL), 1);
		ck_assert_str_eq(text, rows[i].why);
		ck_assert(master_cell_is_replaced(a->cell));
		ck_assert(!master_cell_is_replaced(b->cell));
		ck_assert_uint_eq(events_of(EVENT_FAULT, NULL), 0);
		fake_master_close(&fake);
	}
}
END_TEST

START_TEST(a_link_is_given_up_by_its_number)
{
	int fd;

	open_cells("restart = no");
	ck_assert_int_eq(call(a->cell, CELL_CONNECT, "{'cell':'other'}", &fd), BAY_OK);
	ck_assert_int_eq(call(a->cell, CELL_CONNECT, "{'cell':'other'}", &fd), BAY_BUSY);
	/* Not that link, and no cell. */
	notice(a->cell, CELL_BROKEN, "{'cell':'other','epoch':100,'reason':'rubbish'}");
	notice(a->cell, CELL_BROKEN, "{'cell':'main','epoch':1,'reason':'rubbish'}");
	notice(a->cell, CELL_BROKEN, "{'cell':'nowhere','epoch':1,'reason':'rubbish'}");
	ck_assert_uint_eq(events_of(EVENT_LINK_BROKEN, NULL), 0);
	notice(a->cell, CELL_BROKEN, "{'cell':'other','epoch':1,'reason':'rubbish'}");
	ck_assert_uint_eq(events_of(EVENT_LINK_BROKEN, NULL), 1);
	ck_assert_ptr_nonnull(strstr(text, "rubbish"));
	fake_master_close(&fake);
}
END_TEST

/* --- calls --------------------------------------------------------------------------------------------------- */

START_TEST(a_cell_gets_the_socket_that_its_service_listens_on)
{
	int fd;

	open_cells("listen = 127.0.0.1:0");
	ck_assert_int_eq(call(a->cell, CELL_LISTEN, "{'service':'a','generation':1,'address':'127.0.0.1:0','backlog':0}",
		&fd), BAY_OK);
	ck_assert_int_ge(fd, 0);
	close(fd);
	fake_master_close(&fake);
}
END_TEST

START_TEST(calls_that_are_none_or_for_others_are_refused_with_the_reason)
{
	static const struct {
		const char *method, *parameters;
		enum bay_status status;
		const char *words;
	} rows[] = {
		{CELL_LISTEN, "{}", BAY_INVALID, "service"},
		{CELL_LISTEN, "[]", BAY_INVALID, ""},
		{CELL_LISTEN, "{'service':'a','generation':0,'address':'x','backlog':0}", BAY_INVALID, "generation"},
		{CELL_LISTEN, "{'service':'a','generation':1,'address':'x','backlog':-1}", BAY_INVALID, "backlog"},
		{CELL_LISTEN, "{'service':'b','generation':1,'address':'x','backlog':0}", BAY_NOT_FOUND, "no such service"},
		{CELL_LISTEN, "{'service':'nobody','generation':1,'address':'x','backlog':0}", BAY_NOT_FOUND, "no such service"},
		{CELL_LISTEN, "{'service':'a','generation':2,'address':'x','backlog':0}", BAY_CLOSED, "is being stopped"},
		{CELL_CONNECT, "{}", BAY_INVALID, "cell"},
		{CELL_CONNECT, "{'cell':7}", BAY_INVALID, "cell"},
		{CELL_CONNECT, "{'cell':'nowhere'}", BAY_NOT_FOUND, "no cell nowhere"},
		{CELL_CONNECT, "{'cell':'main'}", BAY_INVALID, "no link to itself"},
		{CELL_FAILED, "{'service':'a','generation':1,'message':'x'}", BAY_INVALID, "does not know the call " CELL_FAILED},
		{"", "{}", BAY_INVALID, "does not know the call "},
	};

	open_cells("restart = no");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int fd;

		ck_assert_msg(call(a->cell, rows[i].method, rows[i].parameters, &fd) == rows[i].status, "row %zu: %s", i, text);
		ck_assert_msg(strstr(text, rows[i].words) != NULL && *text != '\0', "row %zu: %s", i, text);
		ck_assert_int_eq(fd, -1);
	}
	ck_assert(is_state(&fake, "a", SERVICE_READY));
	fake_master_close(&fake);
}
END_TEST

CHECK_MAIN("master/cell_notices",
	what_is_no_notice_is_logged_and_changes_nothing,
	a_notice_that_is_not_known_is_logged_by_its_name,
	a_cell_says_that_its_service_has_failed_and_speaks_for_no_others_nor_for_other_code,
	a_stage_is_of_the_swap_that_is_under_way_in_that_cell,
	what_lingers_may_be_of_a_service_that_is_elsewhere_by_now,
	a_cell_in_which_too_much_lingers_is_replaced,
	a_cell_says_how_its_services_are,
	a_cell_says_what_is_wrong_with_its_services_and_that_it_is_over,
	a_breaker_is_told_by_whoever_calls_the_service,
	a_dead_letter_is_put_away_by_whoever_had_sent_it,
	a_cell_whose_descriptors_are_nearly_all_open_is_replaced,
	a_link_is_given_up_by_its_number,
	a_cell_gets_the_socket_that_its_service_listens_on,
	calls_that_are_none_or_for_others_are_refused_with_the_reason)
