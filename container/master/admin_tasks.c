/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/admin_tasks.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "master/admin_commands.h"
#include "master/master.h"
#include "master/master_cell.h"
#include "master/silent_loops.h"
#include "master/supervisor.h"
#include "master/wait_ask.h"
#include "master/wait_join.h"
#include "protocol/cell_link.h"

/* One request; freed with the last answer. */
struct tasks_ask {
	struct admin_request *request;
	struct master *master;
	json_t *tasks;
	json_t *silent_loops;
	int64_t total;
	unsigned asked; /* cells, for their tasks */
	unsigned told;  /* of them, that have said something or whose silence is explained */
	enum bay_status status; /* of the first that failed */
	char *message;
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

static void
tasks_on_answer(const struct master_cell *cell, const struct cell_reply *reply, bool waits_only, void *arg)
{
	struct tasks_ask *ask = arg;

	if (waits_only)
		return;
	if (reply->kind == CELL_REPLY_DONE)
		tasks_take(ask, cell, reply->parameters);
	else
		tasks_take_failure(ask, cell, reply);
}

static void
tasks_on_done(const struct wait_ask *waits, struct wait_join *join, void *arg)
{
	struct tasks_ask *ask = arg;

	(void)waits;
	wait_join_mark(join, ask->tasks);
	if (ask->told > 0 || ask->asked == 0)
		admin_answer(ask->request, json_pack("{s:O, s:O, s:I}", "tasks", ask->tasks,
			"silent_loops", ask->silent_loops, "total", (json_int_t)ask->total));
	else
		admin_fail(ask->request, ask->status, "%s", ask->message);
	json_decref(ask->tasks);
	json_decref(ask->silent_loops);
	free(ask->message);
	free(ask);
}

void
admin_tasks(struct admin_request *request, struct master *master)
{
	const char *name = admin_service_argument(request);
	const struct master_service *service = name != NULL ? admin_find_service(request, master) : NULL;
	struct wait_ask_watcher watcher = {.answered = tasks_on_answer, .done = tasks_on_done};
	struct wait_ask *waits;
	struct tasks_ask *ask;

	if (name != NULL && service == NULL)
		return;
	ask = xcalloc(1, sizeof(*ask));
	*ask = (struct tasks_ask){.request = request, .master = master, .tasks = json_array(),
		.silent_loops = json_array()};
	watcher.arg = ask;
	waits = wait_ask_create(master->supervisor, &watcher);
	/* What those of one service wait for may be in any cell. No process, no tasks. */
	for (size_t i = 0; i < supervisor_cell_count(master->supervisor); i++) {
		const struct master_cell *cell = supervisor_cell(master->supervisor, i);
		bool waits_only = service != NULL && cell != service->cell;
		const struct cell_tasks tasks = {.service = waits_only ? NULL : name, .waits_only = waits_only};

		ask->asked += wait_ask_cell(waits, cell, &tasks) && !waits_only;
	}
	wait_ask_begin(waits);
}
