/* SPDX-License-Identifier: BSD-2-Clause */
/* What fake cells say when they are asked for their waits: for the tests of those who ask. */
#ifndef BAY_TESTS_MASTER_CIRCLE_CELLS_H
#define BAY_TESTS_MASTER_CIRCLE_CELLS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "support/check_main.h"
#include "support/fake_master.h"

/* Task 1 of a service waits, in its wait of this number, for request 12, which the other cell has. Its only
 * handler serves request 11 in that task; request 14 of the other cell stands in its queue, 13. */
static inline json_t *
circle_waits(const char *service, const char *other, int serial)
{
	char *queue = xasprintf("the queue of %s", service), *task = xasprintf("task 1 handle (%s)", service);
	json_t *waits = json_pack("{s:[[i,i,i,b],[i,i,i,b],[i,i,i,b],[i,i,i,b]], s:[[i,s],[i,s]], s:[[i,s],[i,s]],"
		" s:[[i,s]], s:[[i,s,i,i]], s:[], s:[[i,i,i]]}",
		"edges", 1, 12, serial, false, 11, 1, 0, false, 14, 13, 0, false, 13, 1, 0, true,
		"names", 1, task, 13, queue, "services", 1, service, 13, service, "queues", 13, service,
		"sent", 12, other, 7, 100, "unsent", "served", 14, 7, 100);

	ck_assert_ptr_nonnull(waits);
	free(queue);
	free(task);
	return waits;
}

/* Takes the answer. */
static inline void
circle_cell_answers(struct fake_master *master, const char *cell, json_t *answer)
{
	char *name = xasprintf("tasks.%s", cell), *text = json_dumps(answer, JSON_ENCODE_ANY);

	/* Not half of it. */
	temp_dir_write(&master->dir, "new", text);
	ck_assert_int_eq(rename(temp_dir_path(&master->dir, "new"), temp_dir_path(&master->dir, name)), 0);
	json_decref(answer);
	free(text);
	free(name);
}

/* With these waits (taken; NULL: none), if that is all, and so long that it took the loops. */
static inline json_t *
circle_answer(json_t *waits, bool partial, int64_t took_ns)
{
	json_t *answer = json_pack("{s:[], s:[], s:i, s:b, s:I}", "tasks", "silent_loops", "total", 0, "partial", partial,
		"took_ns", (json_int_t)took_ns);

	if (waits != NULL)
		json_object_set_new(answer, "waits", waits);
	return answer;
}

/* From now on. */
static inline void
circle_cell_says(struct fake_master *master, const char *cell, json_t *waits, bool partial, int64_t took_ns)
{
	circle_cell_answers(master, cell, circle_answer(waits, partial, took_ns));
}

static inline void
circle_cell_is_silent(struct fake_master *master, const char *cell)
{
	circle_cell_answers(master, cell, json_string("silent"));
}

/* How often it was asked. */
static inline unsigned
circle_cell_asked(const struct fake_master *master, const char *cell)
{
	char *name = xasprintf("tasks.%s.asked", cell);
	struct stat status;
	unsigned asked = stat(temp_dir_path(&master->dir, name), &status) == 0 ? (unsigned)status.st_size : 0;

	free(name);
	return asked;
}

static inline const struct master_cell *
circle_cell(const struct fake_master *master, const char *name)
{
	const struct master_cell *cell = supervisor_find_cell(master->supervisor, name);

	ck_assert_ptr_nonnull(cell);
	return cell;
}

#endif
