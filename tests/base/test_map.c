/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/map.h"

#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

static int one, two, three;

START_TEST(a_new_map_is_empty)
{
	struct map *map = map_create();

	ck_assert_uint_eq(map_size(map), 0);
	ck_assert_ptr_null(map_get(map, "a"));
	ck_assert_ptr_null(map_get(map, ""));
	ck_assert_ptr_null(map_remove(map, "a"));
	ck_assert_ptr_null(map_first(map));
	map_destroy(map);
}
END_TEST

START_TEST(no_map_is_an_empty_map)
{
	ck_assert_ptr_null(map_get(NULL, "a"));
	ck_assert_uint_eq(map_size(NULL), 0);
	ck_assert_ptr_null(map_first(NULL));
	map_destroy(NULL);
}
END_TEST

START_TEST(values_are_found_by_equal_keys_not_by_the_pointer)
{
	struct map *map = map_create();
	char key[] = "abcdefghi";

	ck_assert_ptr_null(map_put(map, key, &one));
	key[0] = 'z';
	ck_assert_ptr_eq(map_get(map, "abcdefghi"), &one);
	ck_assert_ptr_null(map_get(map, key));
	ck_assert_ptr_null(map_get(map, "abcdefgh"));
	ck_assert_ptr_null(map_put(map, "", &two));
	ck_assert_ptr_eq(map_get(map, ""), &two);
	map_destroy(map);
}
END_TEST

START_TEST(putting_again_returns_the_old_value_and_keeps_the_place)
{
	struct map *map = map_create();

	map_put(map, "a", &one);
	map_put(map, "b", &two);
	ck_assert_ptr_eq(map_put(map, "a", &three), &one);
	ck_assert_uint_eq(map_size(map), 2);
	ck_assert_str_eq(map_first(map)->key, "a");
	ck_assert_ptr_eq(map_first(map)->value, &three);
	map_destroy(map);
}
END_TEST

START_TEST(thousands_of_keys_stay_in_order_of_insertion)
{
	struct map *map = map_create();
	struct map_entry *entry;
	static int values[5000];
	char key[32];
	int i;

	for (i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "key-%d", i * 7919 % 5000);
		ck_assert_ptr_null(map_put(map, key, &values[i]));
	}
	ck_assert_uint_eq(map_size(map), 5000);
	i = 0;
	map_for_each(entry, map) {
		snprintf(key, sizeof(key), "key-%d", i * 7919 % 5000);
		ck_assert_str_eq(entry->key, key);
		ck_assert_ptr_eq(entry->value, &values[i]);
		ck_assert_ptr_eq(map_get(map, key), &values[i]);
		i++;
	}
	ck_assert_int_eq(i, 5000);
	map_destroy(map);
}
END_TEST

START_TEST(removed_keys_are_gone_and_the_others_keep_their_order)
{
	struct map *map = map_create();
	struct map_entry *entry;
	char order[8] = "";

	map_put(map, "a", &one);
	map_put(map, "b", &two);
	map_put(map, "c", &three);
	ck_assert_ptr_eq(map_remove(map, "b"), &two);
	ck_assert_ptr_null(map_remove(map, "b"));
	ck_assert_ptr_null(map_get(map, "b"));
	map_put(map, "b", &two);
	map_for_each(entry, map)
		strcat(order, entry->key);
	ck_assert_str_eq(order, "acb");
	map_remove(map, "a");
	map_remove(map, "b");
	ck_assert_str_eq(map_first(map)->key, "c");
	map_remove(map, "c");
	ck_assert_ptr_null(map_first(map));
	map_put(map, "d", &one);
	ck_assert_str_eq(map_first(map)->key, "d");
	map_destroy(map);
}
END_TEST

CHECK_MAIN("base/map",
	a_new_map_is_empty,
	no_map_is_an_empty_map,
	values_are_found_by_equal_keys_not_by_the_pointer,
	putting_again_returns_the_old_value_and_keeps_the_place,
	thousands_of_keys_stay_in_order_of_insertion,
	removed_keys_are_gone_and_the_others_keep_their_order)
