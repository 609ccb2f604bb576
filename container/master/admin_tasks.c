/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/admin_tasks.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "master/admin_commands.h"
#include "master/master.h"
#include "master/master_cell.h"
#include "master/silent_loops.h"
#include "master/supervisor.h"
#include "master/wait_join.h"
#include "protocol/cell_link.h"

static const int64_t tasks_timeout_ns = CLOCK_NS_PER_S;

/* One request; freed with the answer of the last cell. When the tasks of some cells seem to wait for each
 * other for ever, those are asked again. */
struct tasks_ask {
	struct admin_request *request;
	struct master *master;
	json_t *tasks;
	json_t *silent_loops;
	struct wait_join *join;
	bool again;     /* they are being asked again */
	int64_t total;
	unsigned asked; /* cells */
	unsigned left;  /* of them, without an answer yet */
	unsigned told;  /* of them, that have said something or whose silence is explained */
	enum bay_status status; /* of the first that failed */
	char *message;
};

/* What one cell was asked. */
struct tasks_part {
	struct tasks_ask *ask;
	const struct master_cell *cell;
	bool waits_only; /* its tasks are not wanted */
};

/* Adds the objects of from with the name of their cell, up to max in all. */
static void
tasks_add(json_t *to, const json_t *from, const struct master_cell *cell, size_t max)
{
	for (size_t i = 0; i < json_array_size(from) && json_array_size(to) < max; i++) {
		json_t *copy = json_copy(json_array_get(from, i));

		/* Without memory there is one less. */
		if (copy != NULL && json_object_set_new(copy, "cell", json_string(master_cell_name(cell))) == 0)
			(void)json_array_append(to, copy);
		json_decref(copy);
	}
}

static void
tasks_take(struct tasks_ask *ask, const struct master_cell *cell, const json_t *reply)
{
	const json_t *tasks = json_object_get(reply, "tasks");
	const json_t *total = json_object_get(reply, "total");

	ask->told++;
	ask->total += json_is_integer(total) ? json_integer_value(total) : (int64_t)json_array_size(tasks);
	tasks_add(ask->tasks, tasks, cell, CELL_TASKS_MAX);
	tasks_add(ask->silent_loops, json_object_get(reply, "silent_loops"), cell, SIZE_MAX);
}

/* Its tasks are not known, but what keeps it from answering may be. */
static void
tasks_take_failure(struct tasks_ask *ask, const struct master_cell *cell,
	const struct cell_reply *reply)
{
	size_t before = json_array_size(ask->silent_loops);

	if (reply->kind == CELL_REPLY_SILENT &&
	    silent_loops_report_cell(ask->master, cell, NULL, ask->silent_loops) &&
	    json_array_size(ask->silent_loops) > before) {
		ask->told++;
	} else if (ask->message == NULL) {
		ask->status = reply->status;
		ask->message = xstrdup(reply->message);
	}
}

static void tasks_on_reply(const struct cell_reply *reply, void *arg);

/* No process, no tasks. */
static void
tasks_ask_cell(struct tasks_ask *ask, const struct master_cell *cell, bool waits_only)
{
	const struct cell_tasks tasks = {.service = waits_only ? NULL : admin_service_argument(ask->request),
		.waits_only = waits_only};
	struct cell_process *process = master_cell_process(cell);
	struct tasks_part *part;

	if (process == NULL)
		return;
	part = xcalloc(1, sizeof(*part));
	*part = (struct tasks_part){.ask = ask, .cell = cell, .waits_only = waits_only};
	ask->asked += !waits_only;
	ask->left++;
	cell_process_call(process, CELL_TASKS, cell_tasks_to_json(&tasks), -1, tasks_timeout_ns,
		tasks_on_reply, part);
}

/* False: nobody is. */
static bool
tasks_ask_again(struct tasks_ask *ask)
{
	const struct supervisor *supervisor = ask->master->supervisor;

	ask->again = true;
	for (size_t i = 0; i < supervisor_cell_count(supervisor); i++) {
		const struct master_cell *cell = supervisor_cell(supervisor, i);

		if (wait_join_has(ask->join, master_cell_name(cell)))
			tasks_ask_cell(ask, cell, true);
	}
	return ask->left > 0;
}

static void
tasks_end(struct tasks_ask *ask)
{
	if (ask->told > 0 || ask->asked == 0)
		admin_answer(ask->request, json_pack("{s:O, s:O, s:I}", "tasks", ask->tasks,
			"silent_loops", ask->silent_loops, "total", (json_int_t)ask->total));
	else
		admin_fail(ask->request, ask->status, "%s", ask->message);
	json_decref(ask->tasks);
	json_decref(ask->silent_loops);
	wait_join_destroy(ask->join);
	free(ask->message);
	free(ask);
}

static void
tasks_all_have_answered(struct tasks_ask *ask)
{
	if (!ask->again && wait_join_is_stuck(ask->join) && tasks_ask_again(ask))
		return;
	if (ask->again)
		wait_join_mark(ask->join, ask->tasks);
	tasks_end(ask);
}

static void
tasks_on_reply(const struct cell_reply *reply, void *arg)
{
	struct tasks_part *part = arg;
	struct tasks_ask *ask = part->ask;
	const json_t *waits = reply->kind == CELL_REPLY_DONE ? json_object_get(reply->parameters, "waits") : NULL;

	if (ask->again)
		wait_join_add_again(ask->join, master_cell_name(part->cell), waits);
	else
		wait_join_add(ask->join, master_cell_name(part->cell), waits);
	if (!part->waits_only && reply->kind == CELL_REPLY_DONE)
		tasks_take(ask, part->cell, reply->parameters);
	else if (!part->waits_only)
		tasks_take_failure(ask, part->cell, reply);
	free(part);
	if (--ask->left == 0)
		tasks_all_have_answered(ask);
}

void
admin_tasks(struct admin_request *request, struct master *master)
{
	bool one = admin_service_argument(request) != NULL;
	const struct master_service *service = one ? admin_find_service(request, master) : NULL;
	struct tasks_ask *ask;

	if (one && service == NULL)
		return;
	ask = xcalloc(1, sizeof(*ask));
	*ask = (struct tasks_ask){.request = request, .master = master, .tasks = json_array(),
		.silent_loops = json_array(), .join = wait_join_create()};
	/* What those of one service wait for may be in any cell. */
	for (size_t i = 0; i < supervisor_cell_count(master->supervisor); i++) {
		const struct master_cell *cell = supervisor_cell(master->supervisor, i);

		tasks_ask_cell(ask, cell, one && cell != service->cell);
	}
	if (ask->left == 0)
		tasks_end(ask);
}
