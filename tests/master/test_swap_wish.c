/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/swap_wish.h"

#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

static struct list list;
static char told[200];

static void
on_stage(struct master_service *service, const char *stage, void *arg)
{
	ck_assert_ptr_null(service);
	strcat(told, arg);
	strcat(told, stage);
}

static void
on_done(struct master_service *service, enum swap_outcome outcome, const char *message, void *arg)
{
	ck_assert_ptr_null(service);
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s %s %s; ", (const char *)arg,
		swap_outcome_name(outcome), message);
}

/* Asks again as it is answered. */
static void
on_done_again(struct master_service *service, enum swap_outcome outcome, const char *message, void *arg)
{
	const struct swap_wish again = {.done = on_done, .arg = arg};

	on_done(service, outcome, message, arg);
	swap_wishes_add(&list, &again);
}

static void
add(const char *name, bool patient)
{
	const struct swap_wish wish = {.by.pid = name[0], .through_probation = patient, .stage = on_stage,
		.done = on_done, .arg = (void *)name};

	swap_wishes_add(&list, &wish);
}

static void
open_list(void)
{
	list_init(&list);
	told[0] = '\0';
}

START_TEST(all_are_told_in_their_order)
{
	open_list();
	add("a", false);
	add("b", true);
	swap_wishes_add(&list, &(struct swap_wish){0});
	ck_assert_int_eq(swap_wishes_first(&list)->by.pid, 'a');
	swap_wishes_tell_stage(&list, NULL, "1");
	ck_assert_str_eq(told, "a1b1");
	told[0] = '\0';
	swap_wishes_answer(&list, NULL, SWAP_SAME, NULL);
	ck_assert_str_eq(told, "a same ; b same ; ");
	ck_assert(list_empty(&list));
}
END_TEST

START_TEST(who_asks_again_as_he_is_answered_waits_for_the_next_time)
{
	const struct swap_wish wish = {.done = on_done_again, .arg = (void *)"a"};

	open_list();
	swap_wishes_add(&list, &wish);
	swap_wishes_add(&list, &wish);
	swap_wishes_answer(&list, NULL, SWAP_FAILED, "no");
	ck_assert_str_eq(told, "a  no; a  no; ");
	swap_wishes_answer(&list, NULL, SWAP_SWAPPED, "");
	ck_assert_str_eq(told, "a  no; a  no; a swapped ; a swapped ; ");
}
END_TEST

START_TEST(the_patient_are_moved_behind_those_who_are_there)
{
	struct list patient;

	open_list();
	list_init(&patient);
	add("p", true);
	swap_wishes_move_patient(&patient, &list);
	add("a", false);
	add("b", true);
	add("c", true);
	swap_wishes_move_patient(&patient, &list);
	swap_wishes_answer(&list, NULL, SWAP_SAME, "");
	ck_assert_str_eq(told, "a same ; ");
	swap_wishes_answer(&patient, NULL, SWAP_STARTED, "");
	ck_assert_str_eq(told, "a same ; p started ; b started ; c started ; ");
}
END_TEST

CHECK_MAIN("master/swap_wish",
	all_are_told_in_their_order,
	who_asks_again_as_he_is_answered_waits_for_the_next_time,
	the_patient_are_moved_behind_those_who_are_there)
