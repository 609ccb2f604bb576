/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bay/arena.h>
#include <bay/task.h>

#include "support/services.h"

enum { PIECES = 3000 };

static struct bay_service *keeper, *leaf;

static bool
is_all(const unsigned char *bytes, size_t size, unsigned char byte)
{
	while (size > 0 && bytes[size - 1] == byte)
		size--;
	return size == 0;
}

/* Pieces of all sizes, each filled with bytes of its own. */
static void
take_many(struct bay_arena *arena, unsigned seed)
{
	static unsigned char *pieces[PIECES];
	static size_t sizes[PIECES];

	for (int i = 0; i < PIECES; i++) {
		sizes[i] = (size_t)rand_r(&seed) % (rand_r(&seed) % 50 == 0 ? 100000 : 100);
		pieces[i] = bay_arena_alloc(arena, sizes[i]);
		ck_assert_ptr_nonnull(pieces[i]);
		ck_assert_uint_eq((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		ck_assert(is_all(pieces[i], sizes[i], 0));
		memset(pieces[i], 1 + i % 255, sizes[i]);
	}
	for (int i = 0; i < PIECES; i++)
		ck_assert(is_all(pieces[i], sizes[i], (unsigned char)(1 + i % 255)));
}

START_TEST(pieces_are_zero_aligned_and_apart)
{
	struct bay_arena *arena = bay_arena_create();
	size_t first = bay_arena_bytes(arena);

	for (unsigned seed = 1; seed < 10; seed++) {
		take_many(arena, seed);
		ck_assert_uint_gt(bay_arena_bytes(arena), first);
		/* And again zero, in the memory that it kept. */
		bay_arena_reset(arena);
		ck_assert_uint_eq(bay_arena_bytes(arena), first);
	}
	ck_assert_ptr_ne(bay_arena_alloc(arena, 0), bay_arena_alloc(arena, 0));
	bay_arena_destroy(arena);
	bay_arena_destroy(NULL);
	bay_arena_reset(NULL);
}
END_TEST

/* A large piece has memory of its own: the rest of the chunk is still there for small ones. */
START_TEST(a_large_piece_wastes_nothing)
{
	struct bay_arena *arena = bay_arena_create();
	char *before = bay_arena_alloc(arena, 16), *after;

	ck_assert_ptr_nonnull(bay_arena_alloc(arena, 1 << 20));
	after = bay_arena_alloc(arena, 16);
	ck_assert_ptr_eq(after, before + 16);
	bay_arena_destroy(arena);
}
END_TEST

START_TEST(copies_and_texts_end_with_a_nul)
{
	struct bay_arena *arena = bay_arena_create();
	char *copy = bay_arena_copy(arena, "ab\0cd", 5), *text = bay_arena_printf(arena, "%s-%d", "x", 7), *longer;

	ck_assert_int_eq(memcmp(copy, "ab\0cd", 6), 0);
	ck_assert_str_eq(text, "x-7");
	ck_assert_str_eq(bay_arena_copy(arena, NULL, 0), "");
	longer = bay_arena_printf(arena, "%05000d", 1);
	ck_assert_uint_eq(strlen(longer), 5000);
	bay_arena_destroy(arena);
}
END_TEST

START_TEST(what_cannot_be_is_null)
{
	struct bay_arena *arena = bay_arena_create();

	ck_assert_ptr_null(bay_arena_alloc(arena, SIZE_MAX));
	ck_assert_ptr_null(bay_arena_alloc(arena, SIZE_MAX - 64));
	ck_assert_ptr_null(bay_arena_copy(arena, "", SIZE_MAX));
	ck_assert_ptr_null(bay_arena_alloc(NULL, 1));
	ck_assert_ptr_null(bay_arena_copy(NULL, "", 1));
	ck_assert_ptr_null(bay_arena_printf(NULL, "x"));
	ck_assert_uint_eq(bay_arena_bytes(NULL), 0);
	ck_assert_ptr_nonnull(bay_arena_alloc(arena, 1));
	bay_arena_destroy(arena);
}
END_TEST

/* --- of a request --------------------------------------------------------------------------- */

static uint64_t while_it_ran;

/* Writes to the arena's memory after everybody else has ended. */
static int
write_late(void *arg)
{
	int status = bay_sleep(3600 * BAY_SECOND);

	memset(arg, 'x', 5000);
	return status;
}

/* "take", "fail", or "spawn": a task that goes on until it is cancelled. */
static int
keep(struct bay_request *request)
{
	const char *text = bay_request_text(request);
	void *piece = bay_arena_alloc(bay_request_arena(request), 5000);

	ck_assert_ptr_nonnull(piece);
	ck_assert_ptr_eq(bay_request_arena(request), bay_request_arena(request));
	while_it_ran = services_figures(bay_service(bay_instance_name(bay_request_instance(request)))).memory_bytes;
	if (strcmp(text, "fail") == 0)
		return bay_fail(request, BAY_IO, "%s", bay_arena_printf(bay_request_arena(request), "told to"));
	if (strcmp(text, "spawn") == 0) {
		ck_assert_ptr_nonnull(bay_spawn("late", write_late, piece));
		(void)bay_yield();
	}
	return bay_reply_text(request, bay_arena_printf(bay_request_arena(request), "done"));
}

static int
ask(void *arg)
{
	(void)arg;
	services_expect_text(keeper, "take", BAY_OK, "done");
	ck_assert_uint_ge(while_it_ran, 5000);
	ck_assert_uint_eq(services_figures(keeper).memory_bytes, 0);
	services_expect_text(keeper, "fail", BAY_IO, NULL);
	ck_assert_uint_eq(services_figures(keeper).memory_bytes, 0);
	services_expect_text(keeper, "spawn", BAY_OK, "done");
	ck_assert_uint_eq(services_figures(keeper).memory_bytes, 0);
	services_expect_text(leaf, "take", BAY_OK, "done");
	ck_assert_uint_ge(while_it_ran, 5000);
	ck_assert_uint_eq(services_figures(leaf).memory_bytes, 0);
	services_expect_text(leaf, "fail", BAY_IO, NULL);
	ck_assert_uint_eq(services_figures(leaf).memory_bytes, 0);
	return BAY_OK;
}

START_TEST(the_arena_of_a_request_ends_with_it)
{
	services_begin(0);
	keeper = services_start(&(struct service_options){.name = "keeper", .plugin = PLUGIN(.handle = keep)});
	leaf = services_start(&(struct service_options){.name = "leaf",
		.plugin = PLUGIN(.handle = keep, .flags = BAY_LEAF)});
	ck_assert_int_eq(services_run(ask, NULL), BAY_OK);
	services_end();
}
END_TEST

CHECK_MAIN("service/arena",
	pieces_are_zero_aligned_and_apart,
	a_large_piece_wastes_nothing,
	copies_and_texts_end_with_a_nul,
	what_cannot_be_is_null,
	the_arena_of_a_request_ends_with_it)
