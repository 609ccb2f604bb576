/* SPDX-License-Identifier: BSD-2-Clause */
/* With fake cells, in whose pages the test writes what their loops do; the clock stands still. */
#include "config.h"

#include "master/silent_loops.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/status_page.h"
#include "master/cell_process.h"
#include "master/master.h"
#include "support/check_main.h"
#include "support/fake_master.h"

#define SECONDS(n) ((n) * (int64_t)CLOCK_NS_PER_S)

static struct fake_master fake;
static struct master master;
static struct master_service *a, *b;

/* Service a is in cell main, and b in other; both have two loops. */
static void
open_cells(void)
{
	fake_master_open_pair(&fake, "", "", "cell = other", NULL);
	fake_master_start(&fake);
	clock_stand_still(SECONDS(1000), 0);
	master.supervisor = fake.supervisor;
	a = service_of(&fake, "a");
	b = service_of(&fake, "b");
}

/* A task has had the loop for so long. */
static void
keep_loop(const struct master_cell *cell, uint32_t loop, uint32_t slot, const char *task, int64_t held_ns)
{
	const struct status_name name = status_name_make(task);
	struct status_loop *line = status_page_loop(master_cell_page(cell), loop);

	status_loop_set_task(line, slot, &name);
	status_loop_set_phase(line, STATUS_PHASE_RUN);
	status_set(&line->pass_ns, (uint64_t)(clock_monotonic_ns() - held_ns));
}

/* The next one that is told is this, of which service may be NULL. */
static void
expect_loop(const json_t *loops, size_t i, const char *cell, int loop, const char *service, const char *task,
	int64_t held_ns)
{
	const json_t *told = json_array_get(loops, i);
	const char *name = json_string_value(json_object_get(told, "service"));

	ck_assert_str_eq(json_string_value(json_object_get(told, "cell")), cell);
	ck_assert_int_eq(json_integer_value(json_object_get(told, "loop")), loop);
	ck_assert((name == NULL) == (service == NULL));
	if (service != NULL)
		ck_assert_str_eq(name, service);
	ck_assert_str_eq(json_string_value(json_object_get(told, "task")), task);
	ck_assert_int_eq(json_integer_value(json_object_get(told, "held_ns")), held_ns);
}

START_TEST(all_loops_that_hang_are_told_in_the_order_of_the_cells)
{
	json_t *loops;

	open_cells();
	loops = silent_loops_report(&master, NULL);
	ck_assert_uint_eq(json_array_size(loops), 0);
	json_decref(loops);
	keep_loop(b->cell, 0, b->slot, "late", SECONDS(3));
	keep_loop(a->cell, 1, a->slot, "spin", STATUS_SILENT_NS);
	keep_loop(a->cell, 0, a->slot, "quick", STATUS_SILENT_NS - 1);
	keep_loop(b->cell, 1, 77, "whose", SECONDS(2));
	loops = silent_loops_report(&master, NULL);
	ck_assert_uint_eq(json_array_size(loops), 3);
	expect_loop(loops, 0, "main", 1, "a", "spin", STATUS_SILENT_NS);
	expect_loop(loops, 1, "other", 0, "b", "late", SECONDS(3));
	expect_loop(loops, 2, "other", 1, NULL, "whose", SECONDS(2));
	json_decref(loops);
	fake_master_close(&fake);
}
END_TEST

START_TEST(those_of_one_service_or_of_one_cell_can_be_asked_for)
{
	json_t *loops;

	open_cells();
	keep_loop(a->cell, 0, a->slot, "one", SECONDS(1));
	keep_loop(b->cell, 0, b->slot, "two", SECONDS(2));
	keep_loop(b->cell, 1, a->slot, "three", SECONDS(3));
	loops = silent_loops_report(&master, a);
	ck_assert_uint_eq(json_array_size(loops), 2);
	expect_loop(loops, 0, "main", 0, "a", "one", SECONDS(1));
	expect_loop(loops, 1, "other", 1, "a", "three", SECONDS(3));
	json_decref(loops);
	loops = json_array();
	ck_assert(silent_loops_report_cell(&master, b->cell, b, loops));
	ck_assert_uint_eq(json_array_size(loops), 1);
	expect_loop(loops, 0, "other", 0, "b", "two", SECONDS(2));
	/* Behind those that are there. */
	ck_assert(silent_loops_report_cell(&master, a->cell, NULL, loops));
	ck_assert_uint_eq(json_array_size(loops), 2);
	json_decref(loops);
	fake_master_close(&fake);
}
END_TEST

START_TEST(a_cell_without_a_process_has_none)
{
	json_t *loops;

	open_cells();
	keep_loop(b->cell, 0, b->slot, "spin", SECONDS(2));
	fake.limits.backoff.at_once = false;
	cell_process_kill(master_cell_process(b->cell));
	UNTIL(&fake, master_cell_process(b->cell) == NULL);
	loops = silent_loops_report(&master, NULL);
	ck_assert_uint_eq(json_array_size(loops), 0);
	json_decref(loops);
	fake_master_close(&fake);
}
END_TEST

START_TEST(a_text_names_those_of_its_cell)
{
	struct buffer text = {0};

	open_cells();
	ck_assert(buffer_append_text(&text, "no answer"));
	silent_loops_append(&text, fake.supervisor, a->cell);
	ck_assert_str_eq(buffer_text(&text), "no answer");
	keep_loop(a->cell, 0, a->slot, "spin", SECONDS(1));
	keep_loop(a->cell, 1, 77, "", SECONDS(1));
	keep_loop(b->cell, 0, b->slot, "late", SECONDS(1));
	silent_loops_append(&text, fake.supervisor, a->cell);
	ck_assert_str_eq(buffer_text(&text), "no answer (loop 0 hangs in service a, task spin) (loop 1 hangs in service ?)");
	buffer_finish(&text);
	fake_master_close(&fake);
}
END_TEST

/* How many of the hints are behind the text, and nothing else is; needs no memory. */
static size_t
count_hints(struct buffer *text, size_t length)
{
	static const char *const hints[] = {" (loop 0 hangs in service a, task spin)",
		" (loop 1 hangs in service ?, task longest)"};
	const char *at;
	size_t count = 0;

	alloc_fail_at(1);
	at = buffer_text(text);
	alloc_fail_at(0);
	ck_assert_ptr_nonnull(at);
	ck_assert_uint_eq(strspn(at, "x"), length);
	for (at += length; count < 2 && strncmp(at, hints[count], strlen(hints[count])) == 0; count++)
		at += strlen(hints[count]);
	ck_assert_str_eq(at, "");
	return count;
}

/* Whatever part of them it is that there is no memory for. */
START_TEST(a_text_without_memory_keeps_what_it_has)
{
	unsigned seen[3] = {0};

	open_cells();
	keep_loop(a->cell, 0, a->slot, "spin", SECONDS(1));
	keep_loop(a->cell, 1, 77, "longest", SECONDS(1));
	for (int length = 1; length < 256; length++) {
		struct buffer text = {0};

		for (int i = 0; i < length; i++)
			ck_assert(buffer_printf(&text, "x"));
		alloc_fail_at(1);
		silent_loops_append(&text, fake.supervisor, a->cell);
		alloc_fail_at(0);
		seen[count_hints(&text, (size_t)length)]++;
		buffer_finish(&text);
	}
	ck_assert(seen[0] > 0 && seen[1] > 0 && seen[2] > 0);
	fake_master_close(&fake);
}
END_TEST

START_TEST(the_name_of_a_task_is_text_whatever_the_page_holds)
{
	struct buffer text = {0};
	json_t *loops;

	open_cells();
	keep_loop(a->cell, 0, a->slot, "\033[2J\xff\n", SECONDS(1));
	for (unsigned i = 0; i < STATUS_NAME_SIZE / 8; i++)
		status_set(&status_page_loop(master_cell_page(b->cell), 0)->task[i], UINT64_MAX);
	status_loop_set_phase(status_page_loop(master_cell_page(b->cell), 0), STATUS_PHASE_RUN);
	loops = silent_loops_report(&master, NULL);
	ck_assert_uint_eq(json_array_size(loops), 2);
	for (size_t i = 0; i < 2; i++)
		ck_assert_ptr_nonnull(json_string_value(json_object_get(json_array_get(loops, i), "task")));
	json_decref(loops);
	silent_loops_append(&text, fake.supervisor, a->cell);
	silent_loops_append(&text, fake.supervisor, b->cell);
	for (const char *at = buffer_text(&text); *at != '\0'; at++)
		ck_assert_int_ge(*at, ' ');
	buffer_finish(&text);
	fake_master_close(&fake);
}
END_TEST

CHECK_MAIN("master/silent_loops",
	all_loops_that_hang_are_told_in_the_order_of_the_cells,
	those_of_one_service_or_of_one_cell_can_be_asked_for,
	a_cell_without_a_process_has_none,
	a_text_names_those_of_its_cell,
	a_text_without_memory_keeps_what_it_has,
	the_name_of_a_task_is_text_whatever_the_page_holds)
