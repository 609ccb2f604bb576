/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/hop_store.h"

#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

static struct hop_store *store;
static struct hop_node nodes[HOP_TREE_MAX];
static size_t left_out;

static bool
add_with(uint64_t span, uint64_t parent, int64_t came_ns, const char *service, uint64_t flags)
{
	struct hop hop = {.id = {1, 1}, .span = span, .parent = parent, .came_ns = came_ns, .ended_ns = 1000000,
		.flags = flags};

	return hop_store_add(store, &hop, service, "main", 1000000);
}

static void
add(uint64_t span, uint64_t parent, int64_t came_ns, const char *service)
{
	ck_assert(add_with(span, parent, came_ns, service, 0));
}

static const struct hop_entry *
last(void)
{
	return hop_store_at(store, hop_store_end(store) - 1);
}

static size_t
tree(const struct hop_entry *root, unsigned bit)
{
	return hop_store_tree(store, root, bit, nodes, &left_out);
}

static void
expect_node(size_t i, uint64_t span, unsigned level)
{
	ck_assert_uint_eq(nodes[i].entry->hop.span, span);
	ck_assert_uint_eq(nodes[i].level, level);
}

START_TEST(a_tree_is_told_in_the_order_of_coming)
{
	store = hop_store_create();
	/* As they end: those that were called first, but not in the order of their coming. */
	add(13, 12, 5, "c");
	add(14, 11, 9, "d");
	add(12, 11, 4, "b");
	add(11, 99, 1, "a");
	ck_assert(hop_store_is_root(store, last(), "a", 0));
	ck_assert_uint_eq(tree(last(), 0), 4);
	expect_node(0, 11, 0);
	expect_node(1, 12, 1);
	expect_node(2, 13, 2);
	expect_node(3, 14, 1);
	ck_assert_uint_eq(left_out, 0);
	/* Once. */
	for (uint64_t i = 0; i < hop_store_end(store); i++)
		ck_assert(!hop_store_is_root(store, hop_store_at(store, i), "a", 0));
	hop_store_destroy(store);
}
END_TEST

START_TEST(who_traces_a_service_below_sees_that_part)
{
	store = hop_store_create();
	add(13, 12, 5, "c");
	add(12, 11, 4, "b");
	add(11, 0, 1, "a");
	ck_assert(!hop_store_is_root(store, hop_store_at(store, 0), "b", 1));
	ck_assert(!hop_store_is_root(store, last(), "b", 1));
	ck_assert(hop_store_is_root(store, hop_store_at(store, 1), "b", 1));
	ck_assert_uint_eq(tree(hop_store_at(store, 1), 1), 2);
	/* The other one sees it, too. */
	ck_assert(hop_store_is_root(store, last(), "a", 0));
	ck_assert_uint_eq(tree(last(), 0), 3);
	hop_store_destroy(store);
}
END_TEST

START_TEST(a_service_below_itself_begins_no_tree)
{
	store = hop_store_create();
	ck_assert(add_with(12, 11, 4, "a", HOP_AGAIN));
	ck_assert(!hop_store_is_root(store, last(), "a", 0));
	add(11, 0, 1, "a");
	ck_assert_uint_eq(tree(last(), 0), 2);
	hop_store_destroy(store);
}
END_TEST

START_TEST(what_ends_later_than_its_sender_is_told_later)
{
	store = hop_store_create();
	add(11, 0, 1, "a");
	ck_assert_uint_eq(tree(last(), 0), 1);
	/* What it has sent has called another one. */
	add(13, 12, 7, "c");
	ck_assert(!hop_store_is_root(store, last(), "a", 0));
	ck_assert(add_with(12, 11, 3, "b", HOP_ONE_WAY));
	ck_assert(hop_store_is_root(store, last(), "a", 0));
	ck_assert(!hop_store_is_root(store, last(), "a", 1));
	ck_assert_uint_eq(tree(last(), 0), 2);
	expect_node(1, 13, 1);
	hop_store_destroy(store);
}
END_TEST

START_TEST(hops_that_come_from_each_other_end)
{
	store = hop_store_create();
	add(11, 12, 1, "b");
	add(12, 11, 2, "a");
	add(13, 13, 3, "a");
	ck_assert_uint_eq(tree(hop_store_at(store, 1), 0), 2);
	ck_assert_uint_eq(tree(last(), 0), 1);
	hop_store_destroy(store);
}
END_TEST

START_TEST(a_tree_with_too_many_hops_is_cut_and_the_others_counted)
{
	store = hop_store_create();
	for (uint64_t i = 0; i < 1000; i++)
		add(100 + i, i < 500 ? 11 : 100 + i - 500, (int64_t)i, "b");
	add(5, 6, 1, "b");
	add(11, 0, 1, "a");
	ck_assert_uint_eq(tree(last(), 0), HOP_TREE_MAX);
	ck_assert_uint_eq(left_out, 1001 - HOP_TREE_MAX);
	for (uint64_t i = 0; i < hop_store_end(store); i++)
		ck_assert(!hop_store_is_root(store, hop_store_at(store, i), "a", 0));
	hop_store_destroy(store);
}
END_TEST

START_TEST(the_oldest_go_when_there_is_no_room)
{
	uint64_t number;

	store = hop_store_create();
	ck_assert_uint_eq(hop_store_oldest(store), 0);
	for (uint64_t i = 1; i <= 3 * (uint64_t)HOP_STORE_MAX; i++)
		add(i, i % 3 == 0 ? 0 : i - 1, (int64_t)i, "a");
	ck_assert_uint_eq(hop_store_oldest(store), 2 * (uint64_t)HOP_STORE_MAX);
	number = hop_store_end(store) - 1;
	while (hop_store_at(store, number)->hop.parent != 0)
		number--;
	number -= 3;
	ck_assert_uint_eq(tree(hop_store_at(store, number), 0), 3);
	/* The end of one that has gone, and what came from it. */
	number = hop_store_oldest(store);
	ck_assert_uint_le(tree(hop_store_at(store, number), 0), 3);
	hop_store_destroy(store);
}
END_TEST

START_TEST(no_stranger_makes_the_search_long)
{
	size_t kept = 0, told = 0;

	store = hop_store_create();
	for (int64_t i = 0; i < 5000; i++)
		kept += add_with(7, 7, i, "a", 0);
	ck_assert_uint_ge(kept, 1);
	ck_assert_uint_le(kept, 100);
	/* What another span has called. */
	for (uint64_t i = 0; i < 5000; i++)
		told += add_with(1000 + i, 8, (int64_t)i, "b", 0);
	ck_assert_uint_gt(told, HOP_TREE_MAX);
	ck_assert_uint_le(told, 2000);
	add(8, 0, 1, "a");
	ck_assert_uint_eq(tree(last(), 0), HOP_TREE_MAX);
	ck_assert_uint_eq(left_out, told + 1 - HOP_TREE_MAX);
	/* There is room again when they have gone; another hop may share their bucket until then. */
	for (uint64_t i = 0; hop_store_oldest(store) < kept + told + 1; i++)
		(void)add_with(10000 + i, 0, (int64_t)i, "a", 0);
	add(7, 7, 1, "a");
	add(9, 8, 1, "a");
	hop_store_destroy(store);
}
END_TEST

START_TEST(times_that_cannot_be_are_made_such_that_can)
{
	static const struct {
		int64_t came_ns, begun_ns, ended_ns, came, begun, ended;
	} rows[] = {
		{5, 7, 9, 5, 7, 9},
		{5, 0, 9, 5, 0, 9},
		{INT64_MIN, INT64_MAX, INT64_MAX, 0, 100, 100},
		{INT64_MAX, INT64_MIN, INT64_MIN, 0, 0, 0},
		{50, 40, 30, 30, 30, 30},
		{200, 1, 200, 100, 100, 100},
	};

	store = hop_store_create();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct hop hop = {.span = 1, .came_ns = rows[i].came_ns, .begun_ns = rows[i].begun_ns,
			.ended_ns = rows[i].ended_ns};

		ck_assert(hop_store_add(store, &hop, "a", "main", 100));
		ck_assert_int_eq(last()->hop.came_ns, rows[i].came);
		ck_assert_int_eq(last()->hop.begun_ns, rows[i].begun);
		ck_assert_int_eq(last()->hop.ended_ns, rows[i].ended);
	}
	hop_store_destroy(store);
}
END_TEST

START_TEST(a_bit_can_be_used_again)
{
	store = hop_store_create();
	add(11, 0, 1, "a");
	ck_assert_uint_eq(tree(last(), 3), 1);
	ck_assert(!hop_store_is_root(store, last(), "a", 3));
	hop_store_clear(store, 3);
	ck_assert(hop_store_is_root(store, last(), "a", 3));
	hop_store_destroy(store);
}
END_TEST

START_TEST(a_hop_is_known_by_its_span_and_when_it_came)
{
	struct hop hop = {.span = 7, .came_ns = 10, .ended_ns = 20};

	store = hop_store_create();
	ck_assert(!hop_store_has(store, &hop));
	ck_assert(hop_store_add(store, &hop, "a", "main", 1000000));
	ck_assert(hop_store_has(store, &hop));
	hop.came_ns = 0;
	ck_assert(!hop_store_has(store, &hop));
	hop.span = 8;
	ck_assert(!hop_store_has(store, &hop));
	hop_store_destroy(store);
}
END_TEST

CHECK_MAIN("master/hop_store",
	a_tree_is_told_in_the_order_of_coming,
	who_traces_a_service_below_sees_that_part,
	a_service_below_itself_begins_no_tree,
	what_ends_later_than_its_sender_is_told_later,
	hops_that_come_from_each_other_end,
	a_tree_with_too_many_hops_is_cut_and_the_others_counted,
	the_oldest_go_when_there_is_no_room,
	no_stranger_makes_the_search_long,
	times_that_cannot_be_are_made_such_that_can,
	a_bit_can_be_used_again,
	a_hop_is_known_by_its_span_and_when_it_came)
