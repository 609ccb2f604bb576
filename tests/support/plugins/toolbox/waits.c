/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/task.h>: several tasks at a time. */
#include "toolbox.h"

static void
see_tasks(struct seen *seen, struct bay_task *const *tasks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		saw(seen, "%s", bay_status_name(bay_task_status(tasks[i])));
}

static void
see_gather(struct bay_request *request, const char *argument, struct seen *seen)
{
	int ok = BAY_OK;
	struct bay_task *tasks[] = {
		bay_spawn("a", toolbox_return_status, &ok),
		bay_spawn("b", toolbox_return_status, &ok)
	};

	(void)request;
	(void)argument;
	see_tasks(seen, tasks, 2);
	saw(seen, "gather %s:", bay_status_name(bay_gather(tasks, 2, BAY_INHERIT)));
	see_tasks(seen, tasks, 2);
	saw(seen, "none %s", bay_status_name(bay_gather(NULL, 0, BAY_INHERIT)));
}

static void
see_gather_fail(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct patient patient = {"", BAY_OK};
	int ok = BAY_OK, io = BAY_IO;
	struct bay_task *tasks[] = {
		bay_spawn("patient", toolbox_be_patient, &patient),
		bay_spawn("well", toolbox_return_status, &ok),
		bay_spawn("fails", toolbox_return_status, &io)
	};

	(void)request;
	(void)argument;
	saw(seen, "gather %s:", bay_status_name(bay_gather(tasks, 3, BAY_INHERIT)));
	see_tasks(seen, tasks, 3);
	saw(seen, "%s", patient.reason);
}

static void
see_gather_timeout(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct patient patient = {"", BAY_OK};
	struct bay_task *task = bay_spawn("patient", toolbox_be_patient, &patient);

	(void)request;
	(void)argument;
	saw(seen, "gather %s:", bay_status_name(bay_gather(&task, 1, bay_after(10 * BAY_MS))));
	see_tasks(seen, &task, 1);
	saw(seen, "%s", patient.reason);
}

/* A start that had no memory stands in the list as NULL. */
static void
see_gather_null(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct patient patient = {"", BAY_OK};
	struct bay_task *tasks[] = {bay_spawn("patient", toolbox_be_patient, &patient), NULL};

	(void)request;
	(void)argument;
	saw(seen, "gather %s:", bay_status_name(bay_gather(tasks, 2, BAY_INHERIT)));
	see_tasks(seen, tasks, 1);
}

static void
see_wait_first(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct patient patients[2] = {{"", BAY_OK}, {"", BAY_OK}};
	int io = BAY_IO;
	struct bay_task *tasks[] = {
		bay_spawn("patient", toolbox_be_patient, &patients[0]),
		bay_spawn("fails", toolbox_return_status, &io),
		bay_spawn("patient", toolbox_be_patient, &patients[1])
	};
	size_t index = 77;

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_wait_first(tasks, 3, &index, BAY_INHERIT)));
	saw(seen, "%zu:", index);
	see_tasks(seen, tasks, 3);
	saw(seen, "%s", bay_status_name(bay_wait_first(tasks, 1, &index, bay_after(10 * BAY_MS))));
	see_tasks(seen, tasks, 1);
}

static void
see_gather_all(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct patient patient = {"", BAY_OK};
	int ok = BAY_OK, io = BAY_IO;
	struct bay_task *tasks[] = {
		bay_spawn("fails", toolbox_return_status, &io),
		bay_spawn("well", toolbox_return_status, &ok),
		bay_spawn("patient", toolbox_be_patient, &patient)
	};

	(void)request;
	(void)argument;
	saw(seen, "%s:", bay_status_name(bay_gather_all(tasks, 2, BAY_INHERIT)));
	saw(seen, "%s:", bay_status_name(bay_gather_all(tasks, 3, bay_after(10 * BAY_MS))));
	see_tasks(seen, tasks, 3);
	saw(seen, "%s", patient.reason);
}

static void
see_wait(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct patient patient = {"", BAY_OK};
	int ok = BAY_OK, io = BAY_IO;
	struct bay_task *tasks[] = {
		bay_spawn("well", toolbox_return_status, &ok),
		bay_spawn("fails", toolbox_return_status, &io),
		bay_spawn("patient", toolbox_be_patient, &patient)
	};

	(void)request;
	(void)argument;
	saw(seen, "any %s:", bay_status_name(bay_wait(tasks, 3, BAY_UNTIL_ANY, BAY_INHERIT)));
	see_tasks(seen, tasks, 3);
	saw(seen, "error %s:", bay_status_name(bay_wait(tasks, 3, BAY_UNTIL_ERROR, BAY_INHERIT)));
	see_tasks(seen, tasks, 3);
	saw(seen, "all %s:", bay_status_name(bay_wait(tasks, 3, BAY_UNTIL_ALL, bay_after(10 * BAY_MS))));
	see_tasks(seen, tasks, 3);
}

const struct operation wait_operations[] = {
	{"gather", see_gather, NULL},
	{"gather-fail", see_gather_fail, NULL},
	{"gather-timeout", see_gather_timeout, NULL},
	{"gather-null", see_gather_null, NULL},
	{"wait-first", see_wait_first, NULL},
	{"gather-all", see_gather_all, NULL},
	{"wait-tasks", see_wait, NULL},
	{NULL, NULL, NULL}
};
