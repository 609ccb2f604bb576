/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/wait_ask.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "master/cell_process.h"
#include "master/master_cell.h"
#include "master/master_service.h"
#include "master/supervisor.h"
#include "master/wait_join.h"
#include "protocol/cell_link.h"

static const int64_t ask_timeout_ns = CLOCK_NS_PER_S;

/* What one cell was asked. */
struct ask_part {
	struct wait_ask *ask;
	const struct master_cell *cell;
	bool waits_only; /* its tasks are not wanted */
	bool sure;       /* it has told all, as often as it was asked */
	int64_t took_ns;
};

struct wait_ask {
	const struct supervisor *supervisor;
	struct wait_ask_watcher watcher;
	struct wait_join *join;
	bool again;    /* they are being asked again */
	unsigned left; /* without an answer yet */
	int64_t own_ns; /* what the answers took of the master's time */
	size_t count;
	struct ask_part parts[]; /* one for each cell that there is */
};

static bool
ask_owns(const char *cell, const char *name, const void *arg)
{
	const struct master_service *service = supervisor_find(arg, name);

	return service != NULL && strcmp(master_cell_name(service->cell), cell) == 0;
}

struct wait_ask *
wait_ask_create(const struct supervisor *supervisor, const struct wait_ask_watcher *watcher)
{
	struct wait_ask *ask = xcalloc(1, sizeof(*ask) + supervisor_cell_count(supervisor) * sizeof(ask->parts[0]));

	ask->supervisor = supervisor;
	ask->watcher = *watcher;
	ask->join = wait_join_create(ask_owns, supervisor);
	return ask;
}

static void ask_on_reply(const struct cell_reply *reply, void *arg);

static bool
ask_part_ask(struct ask_part *part, const struct cell_tasks *tasks)
{
	struct cell_process *process = master_cell_process(part->cell);

	if (process == NULL)
		return false;
	part->ask->left++;
	cell_process_call(process, CELL_TASKS, cell_tasks_to_json(tasks), -1, ask_timeout_ns, ask_on_reply, part);
	return true;
}

bool
wait_ask_cell(struct wait_ask *ask, const struct master_cell *cell, const struct cell_tasks *tasks)
{
	struct ask_part *part = &ask->parts[ask->count];

	*part = (struct ask_part){.ask = ask, .cell = cell, .waits_only = tasks->waits_only, .sure = true};
	if (!ask_part_ask(part, tasks))
		return false;
	ask->count++;
	return true;
}

/* False: nobody is. */
static bool
ask_again(struct wait_ask *ask)
{
	const struct cell_tasks tasks = {.waits_only = true};

	ask->again = true;
	for (size_t i = 0; i < ask->count; i++) {
		struct ask_part *part = &ask->parts[i];

		if (wait_join_has(ask->join, master_cell_name(part->cell)) && !ask_part_ask(part, &tasks))
			part->sure = false;
	}
	return ask->left > 0;
}

static void
ask_all_have_answered(struct wait_ask *ask)
{
	if (!ask->again && wait_join_is_stuck(ask->join) && ask_again(ask))
		return;
	ask->watcher.done(ask, ask->join, ask->watcher.arg);
	wait_join_destroy(ask->join);
	free(ask);
}

/* How sure it is of what it says, and how long that took; it may say anything. */
static void
ask_take_figures(struct ask_part *part, const struct cell_reply *reply)
{
	const json_t *took = json_object_get(reply->parameters, "took_ns");
	json_int_t ns = json_is_integer(took) ? json_integer_value(took) : 0;

	part->sure = part->sure && !json_is_true(json_object_get(reply->parameters, "partial"));
	if (ns > 0)
		part->took_ns += ns < ask_timeout_ns ? ns : ask_timeout_ns;
}

static void
ask_on_reply(const struct cell_reply *reply, void *arg)
{
	struct ask_part *part = arg;
	struct wait_ask *ask = part->ask;
	const char *name = master_cell_name(part->cell);
	int64_t began_ns = clock_thread_cpu_ns();
	const json_t *waits = NULL;

	if (reply->kind == CELL_REPLY_DONE) {
		waits = json_object_get(reply->parameters, "waits");
		ask_take_figures(part, reply);
	} else {
		part->sure = false;
	}
	if (ask->again) {
		wait_join_add_again(ask->join, name, waits);
	} else {
		wait_join_add(ask->join, name, waits);
		if (ask->watcher.answered != NULL)
			ask->watcher.answered(part->cell, reply, part->waits_only, ask->watcher.arg);
	}
	ask->own_ns += clock_thread_cpu_ns() - began_ns;
	if (--ask->left == 0)
		ask_all_have_answered(ask);
}

void
wait_ask_begin(struct wait_ask *ask)
{
	if (ask->left == 0)
		ask_all_have_answered(ask);
}

bool
wait_ask_is_sure_of(const struct wait_ask *ask, const struct master_cell *cell)
{
	for (size_t i = 0; i < ask->count; i++) {
		if (ask->parts[i].cell == cell)
			return ask->parts[i].sure;
	}
	return false;
}

int64_t
wait_ask_took_ns(const struct wait_ask *ask)
{
	int64_t most_ns = ask->own_ns;

	for (size_t i = 0; i < ask->count; i++)
		most_ns = ask->parts[i].took_ns > most_ns ? ask->parts[i].took_ns : most_ns;
	return most_ns;
}
