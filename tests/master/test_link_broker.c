/* SPDX-License-Identifier: BSD-2-Clause */
/* With fake cells, which take whatever they get. What goes over a link is tested by service/ and
 * system/. */
#include "config.h"

#include "master/link_broker.h"

#include <string.h>

#include "base/buffer.h"
#include "master/cell_process.h"
#include "support/check_main.h"
#include "support/fake_master.h"

/* What the answer to a Connect of cell main is. */
static enum bay_status
connect_to(const struct fake_master *master, const char *to, const char *text)
{
	struct buffer error = {0};
	enum bay_status status = link_broker_connect(supervisor_broker(master->supervisor),
		supervisor_cell(master->supervisor, 0), to, &error);

	if (text == NULL)
		ck_assert(error.size == 0);
	else
		ck_assert_msg(strstr(buffer_text(&error), text) != NULL, "%s", buffer_text(&error));
	buffer_finish(&error);
	return status;
}

static void
open_two_cells(struct fake_master *master)
{
	fake_master_open_pair(master, "", "", "cell = risky", NULL);
	fake_master_start(master);
}

START_TEST(two_cells_have_one_link_at_most)
{
	struct fake_master master;

	open_two_cells(&master);
	ck_assert_int_eq(connect_to(&master, "risky", NULL), BAY_OK);
	ck_assert_int_eq(connect_to(&master, "risky", "a link to cell risky already"), BAY_BUSY);
	/* Both have taken it. */
	UNTIL(&master, cell_process_is_idle(master_cell_process(supervisor_cell(master.supervisor, 0))) &&
		cell_process_is_idle(master_cell_process(supervisor_cell(master.supervisor, 1))));
	fake_master_close(&master);
}
END_TEST

START_TEST(who_is_not_there_gets_none)
{
	struct fake_master master;

	open_two_cells(&master);
	ck_assert_int_eq(connect_to(&master, "nowhere", "there is no cell nowhere"), BAY_NOT_FOUND);
	ck_assert_int_eq(connect_to(&master, "main", "no link to itself"), BAY_INVALID);
	fake_master_close(&master);
}
END_TEST

START_TEST(a_link_goes_away_with_its_cell)
{
	struct fake_master master;

	open_two_cells(&master);
	ck_assert_int_eq(connect_to(&master, "risky", NULL), BAY_OK);
	cell_process_kill(master_cell_process(supervisor_cell(master.supervisor, 1)));
	UNTIL(&master, is_state(&master, "b", SERVICE_STARTING));
	ck_assert_int_eq(connect_to(&master, "risky", "and takes no link from cell main"), BAY_CLOSED);
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	ck_assert_int_eq(connect_to(&master, "risky", NULL), BAY_OK);
	fake_master_close(&master);
}
END_TEST

static bool
is_linked_anew(const struct fake_master *master)
{
	struct buffer error = {0};
	enum bay_status status = link_broker_connect(supervisor_broker(master->supervisor),
		supervisor_cell(master->supervisor, 1), "main", &error);

	buffer_finish(&error);
	return status == BAY_OK;
}

START_TEST(a_broken_link_is_an_event_and_makes_room_for_another_after_a_rest)
{
	const struct event_record *record;
	struct link_broker *broker;
	struct fake_master master;
	uint64_t number;

	open_two_cells(&master);
	broker = supervisor_broker(master.supervisor);
	ck_assert_int_eq(connect_to(&master, "risky", NULL), BAY_OK);
	number = event_log_newest(master.events) + 1;
	/* Of another link, and of nobody's. */
	link_broker_broken(broker, supervisor_cell(master.supervisor, 1), "main", 77, "old");
	link_broker_broken(broker, supervisor_cell(master.supervisor, 1), "nowhere", 1, "wrong");
	ck_assert(!event_log_next(master.events, &number, NULL, &record));
	link_broker_broken(broker, supervisor_cell(master.supervisor, 1), "main", 1, "a length of 7");
	ck_assert(event_log_next(master.events, &number, NULL, &record));
	ck_assert_int_eq(record->kind, EVENT_LINK_BROKEN);
	ck_assert_str_eq(record->why, "of cell risky to cell main: a length of 7");
	/* For neither of the two. */
	ck_assert_int_eq(connect_to(&master, "risky", "there is another in a moment"), BAY_BUSY);
	ck_assert(!is_linked_anew(&master));
	UNTIL(&master, is_linked_anew(&master));
	fake_master_close(&master);
}
END_TEST

START_TEST(the_next_process_of_a_cell_does_not_rest_for_the_last_one)
{
	struct fake_master master;

	open_two_cells(&master);
	/* Each of them makes the rest twice as long. */
	for (int64_t epoch = 1; epoch <= 3; epoch++) {
		UNTIL(&master, is_linked_anew(&master));
		link_broker_broken(supervisor_broker(master.supervisor), supervisor_cell(master.supervisor, 0), "risky",
			epoch, "garbage");
	}
	cell_process_kill(master_cell_process(supervisor_cell(master.supervisor, 1)));
	UNTIL(&master, is_state(&master, "b", SERVICE_STARTING));
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	ck_assert_int_eq(connect_to(&master, "risky", NULL), BAY_OK);
	fake_master_close(&master);
}
END_TEST

static bool
is_told(const struct fake_master *master, uint64_t number)
{
	const struct event_record *record;

	while (event_log_next(master->events, &number, NULL, &record)) {
		if (record->kind == EVENT_LINK_BROKEN)
			return strcmp(record->why, "of cell risky to cell main: its end was closed, and it goes on") == 0;
	}
	return false;
}

START_TEST(an_end_that_was_closed_is_an_event_only_where_its_cell_goes_on)
{
	struct link_broker *broker;
	struct fake_master master;
	uint64_t number;

	open_two_cells(&master);
	broker = supervisor_broker(master.supervisor);
	number = event_log_newest(master.events) + 1;
	ck_assert_int_eq(connect_to(&master, "risky", NULL), BAY_OK);
	link_broker_broken(broker, supervisor_cell(master.supervisor, 0), "risky", 1, NULL);
	cell_process_kill(master_cell_process(supervisor_cell(master.supervisor, 1)));
	UNTIL(&master, is_state(&master, "b", SERVICE_STARTING));
	UNTIL(&master, is_state(&master, "b", SERVICE_READY));
	ck_assert_int_eq(connect_to(&master, "risky", NULL), BAY_OK);
	link_broker_broken(broker, supervisor_cell(master.supervisor, 1), "main", 2, NULL);
	/* Both say so. */
	link_broker_broken(broker, supervisor_cell(master.supervisor, 0), "risky", 2, NULL);
	UNTIL(&master, is_told(&master, number));
	UNTIL(&master, is_linked_anew(&master));
	fake_master_close(&master);
}
END_TEST

CHECK_MAIN("master/link_broker",
	two_cells_have_one_link_at_most,
	who_is_not_there_gets_none,
	a_link_goes_away_with_its_cell,
	a_broken_link_is_an_event_and_makes_room_for_another_after_a_rest,
	the_next_process_of_a_cell_does_not_rest_for_the_last_one,
	an_end_that_was_closed_is_an_event_only_where_its_cell_goes_on)
