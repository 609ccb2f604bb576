/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/list.h"

#include "support/check_main.h"

struct thing {
	int n;
	struct list link;
};

static struct list static_list = LIST_INIT(static_list);

static int
digits(const struct list *head)
{
	int all = 0;

	list_for_each(pos, head)
		all = all * 10 + container_of(pos, struct thing, link)->n;
	return all;
}

START_TEST(an_initialised_list_is_empty)
{
	struct list head;

	list_init(&head);
	ck_assert(list_empty(&head));
	ck_assert(list_empty(&static_list));
	ck_assert_ptr_null(list_first(&head));
	ck_assert_ptr_null(list_last(&head));
	ck_assert_ptr_null(list_pop_front(&head));
}
END_TEST

START_TEST(things_are_in_the_order_they_were_pushed)
{
	struct list head;
	struct thing a = {.n = 1}, b = {.n = 2}, c = {.n = 3}, d = {.n = 4};

	list_init(&head);
	list_push_back(&head, &b.link);
	list_push_back(&head, &c.link);
	list_push_front(&head, &a.link);
	list_insert_before(&c.link, &d.link);
	ck_assert_int_eq(digits(&head), 1243);
	ck_assert_ptr_eq(list_first(&head), &a.link);
	ck_assert_ptr_eq(list_last(&head), &c.link);
	ck_assert_ptr_eq(list_pop_front(&head), &a.link);
	ck_assert_int_eq(digits(&head), 243);
}
END_TEST

START_TEST(a_removed_link_is_in_no_list_and_may_be_removed_again)
{
	struct list head;
	struct thing a = {.n = 1}, b = {.n = 2};

	list_init(&head);
	list_push_back(&head, &a.link);
	list_push_back(&head, &b.link);
	list_remove(&a.link);
	ck_assert(list_empty(&a.link));
	list_remove(&a.link);
	ck_assert_int_eq(digits(&head), 2);
	list_push_back(&head, &a.link);
	ck_assert_int_eq(digits(&head), 21);
}
END_TEST

START_TEST(safe_iteration_survives_removal_of_every_thing)
{
	struct list head;
	struct thing things[5];
	int seen = 0;

	list_init(&head);
	for (int i = 0; i < 5; i++)
		list_push_back(&head, &things[i].link);
	list_for_each_safe(pos, &head) {
		list_remove(pos);
		seen++;
	}
	ck_assert_int_eq(seen, 5);
	ck_assert(list_empty(&head));
}
END_TEST

START_TEST(splicing_moves_everything_to_the_end)
{
	struct list head, from;
	struct thing a = {.n = 1}, b = {.n = 2}, c = {.n = 3};

	list_init(&head);
	list_init(&from);
	list_splice_back(&head, &from);
	ck_assert(list_empty(&head));
	list_push_back(&from, &b.link);
	list_push_back(&from, &c.link);
	list_push_back(&head, &a.link);
	list_splice_back(&head, &from);
	ck_assert_int_eq(digits(&head), 123);
	ck_assert_ptr_eq(list_last(&head), &c.link);
	ck_assert(list_empty(&from));
}
END_TEST

CHECK_MAIN("base/list",
	an_initialised_list_is_empty,
	things_are_in_the_order_they_were_pushed,
	a_removed_link_is_in_no_list_and_may_be_removed_again,
	safe_iteration_survives_removal_of_every_thing,
	splicing_moves_everything_to_the_end)
