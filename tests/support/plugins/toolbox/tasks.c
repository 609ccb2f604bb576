/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/task.h>: one task at a time. */
#include <stdio.h>
#include <string.h>

#include "toolbox.h"

/* Says its name, and again after each turn of the others. */
struct speaker {
	struct seen *seen;
	const char *name;
	int turns;
};

static int
speak(void *arg)
{
	const struct speaker *speaker = arg;
	int status = BAY_OK;

	for (int i = 0; i < speaker->turns && status == BAY_OK; i++) {
		saw(speaker->seen, "%s", speaker->name);
		status = bay_yield();
	}
	return status;
}

static void
see_spawn(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct speaker a = {seen, "a", 1}, b = {seen, "b", 1};
	int io = BAY_IO;
	struct bay_task *tasks[] = {
		bay_spawn("a", speak, &a),
		bay_spawn(NULL, speak, &b),
		bay_spawn("fails", toolbox_return_status, &io)
	};

	(void)request;
	(void)argument;
	saw(seen, "spawned");
	for (int i = 0; i < 3; i++)
		saw(seen, "%s", bay_status_name(bay_join(tasks[i], BAY_INHERIT)));
}

static void
see_yield(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct speaker a = {seen, "a", 3}, b = {seen, "b", 3};
	struct bay_task *first = bay_spawn("a", speak, &a), *second = bay_spawn("b", speak, &b);

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_join(first, BAY_INHERIT)));
	saw(seen, "%s", bay_status_name(bay_join(second, BAY_INHERIT)));
}

static void
see_go(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct speaker a = {seen, "a", 1};

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_go("a", speak, &a)));
	saw(seen, "%s", bay_status_name(bay_yield()));
}

/* A failure that nobody collects cancels whoever spawned the task. */
static void
see_go_fail(struct bay_request *request, const char *argument, struct seen *seen)
{
	int io = BAY_IO, status;

	(void)request;
	(void)argument;
	saw(seen, bay_cancel_reason() == NULL ? "free" : "canceled");
	saw(seen, "%s", bay_status_name(bay_go("careless", toolbox_return_status, &io)));
	status = bay_sleep(3600 * BAY_SECOND);
	saw(seen, "%s: %s", bay_status_name(status), bay_cancel_reason());
}

static void
see_join_timeout(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct patient patient = {"", BAY_OK};
	struct bay_task *task = bay_spawn("patient", toolbox_be_patient, &patient);

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_join(task, bay_after(10 * BAY_MS))));
	saw(seen, bay_task_done(task) ? "done" : "going-on");
	saw(seen, "%s", bay_status_name(bay_task_status(task)));
	bay_task_cancel(task, "enough of it");
	saw(seen, "%s", bay_status_name(bay_join(task, BAY_INHERIT)));
	saw(seen, "%s: %s", bay_status_name(patient.status), patient.reason);
}

/* Being cancelled lasts: every await says so. */
static int
await_three_times(void *arg)
{
	struct seen *seen = arg;
	struct bay_channel *channel = bay_channel_create(1);

	saw(seen, "%s", bay_status_name(bay_sleep(3600 * BAY_SECOND)));
	saw(seen, "%s", bay_status_name(bay_yield()));
	saw(seen, "%s", bay_status_name(bay_channel_put(channel, NULL, BAY_INHERIT)));
	saw(seen, "%s", bay_cancel_reason());
	bay_channel_destroy(channel);
	return BAY_OK;
}

static void
see_cancel(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_task *task = bay_spawn("awaits", await_three_times, seen);

	(void)request;
	bay_yield();
	bay_task_cancel(task, argument);
	bay_task_cancel(task, "another reason");
	saw(seen, "%s", bay_status_name(bay_join(task, BAY_INHERIT)));
}

static void
see_task(struct bay_request *request, const char *argument, struct seen *seen)
{
	int closed = BAY_CLOSED;
	struct bay_task *task = bay_spawn("ends", toolbox_return_status, &closed);

	(void)request;
	(void)argument;
	saw(seen, "%d %s '%s'", bay_task_done(task), bay_status_name(bay_task_status(task)),
		bay_task_error(task));
	bay_yield();
	saw(seen, "%d %s '%s'", bay_task_done(task), bay_status_name(bay_task_status(task)),
		bay_task_error(task));
	saw(seen, bay_task_take_reply(task) == NULL ? "no-reply" : "a-reply");
	bay_task_free(task);
	bay_task_free(NULL);
}

static void
see_free(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct patient patient = {"", BAY_OK};
	struct bay_task *task = bay_spawn("patient", toolbox_be_patient, &patient);

	(void)request;
	(void)argument;
	bay_yield();
	bay_task_free(task);
	while (patient.reason[0] == '\0' && bay_yield() == BAY_OK)
		continue;
	saw(seen, "%s: %s", bay_status_name(patient.status), patient.reason);
}

/* --- what outlives the handler's last line ---------------------------------------------- */

static int
note_end(void *arg)
{
	struct bay_instance *instance = arg;
	int status = bay_sleep(3600 * BAY_SECOND);

	toolbox_note(instance, "%s: %s", bay_status_name(status), bay_cancel_reason());
	return status;
}

static void
leave_task_behind(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_task *task = bay_spawn("left behind", note_end, bay_request_instance(request));

	(void)argument;
	saw(seen, "%s", task != NULL && bay_yield() == BAY_OK ? "left" : "not-started");
}

static void
see_deadline(struct bay_request *request, const char *argument, struct seen *seen)
{
	(void)argument;
	saw(seen, bay_deadline() == bay_request_deadline(request) ? "of-the-request" : "another");
}

static void
saw_end(struct bay_task *task, int status, void *arg)
{
	saw(arg, "end-of-%s:%s", bay_task_name(task), bay_status_name(status));
}

static void
see_identity(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct patient patient = {"", BAY_OK};
	struct bay_task *task = bay_spawn("patient", toolbox_be_patient, &patient);
	struct bay_task_info infos[16];
	size_t count;

	(void)request;
	(void)argument;
	saw(seen, "%s", bay_task_name(bay_task_current()));
	saw(seen, "%s", bay_status_name(bay_task_rename(task, "renamed")));
	bay_yield();
	count = bay_task_list(infos, 16);
	for (size_t i = 0; i < count && i < 16; i++) {
		if (infos[i].id == bay_task_id(task))
			saw(seen, "%s %s", infos[i].name, infos[i].waiting_on);
	}
	saw(seen, "%s", bay_status_name(bay_task_add_callback(task, saw_end, seen)));
	saw(seen, "%s", bay_status_name(bay_task_add_callback(task, saw_end, &patient)));
	saw(seen, "%zu", bay_task_remove_callback(task, saw_end, &patient));
	saw(seen, "%s", bay_status_name(bay_task_cancel_id(bay_task_id(task), "by number")));
	saw(seen, "%s %s", bay_status_name(bay_join(task, BAY_INHERIT)), patient.reason);
}

/* --- task-local values ------------------------------------------------------------------- */

struct local_use {
	struct bay_local *local;
	struct seen *seen;
};

static int
see_inherited(void *arg)
{
	const struct local_use *use = arg;

	saw(use->seen, "child:%s", (const char *)bay_local_get(use->local));
	return BAY_OK;
}

static void
see_local(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct local_use use = {bay_local_create("user", bay_free), seen};
	char *value = bay_alloc(8);

	(void)request;
	(void)argument;
	strcpy(value, "ada");
	saw(seen, "%s", bay_local_name(use.local));
	saw(seen, bay_local_get(use.local) == NULL ? "none" : "one");
	saw(seen, "%s", bay_status_name(bay_local_set(use.local, value)));
	saw(seen, "%s", bay_status_name(bay_join(bay_spawn("child", see_inherited, &use), BAY_INHERIT)));
	saw(seen, "%s", (const char *)bay_local_get(use.local));
	bay_local_destroy(use.local);
}

const struct operation task_operations[] = {
	{"spawn-join", see_spawn, NULL},
	{"yield", see_yield, NULL},
	{"go", see_go, NULL},
	{"go-fail", see_go_fail, NULL},
	{"join-timeout", see_join_timeout, NULL},
	{"cancel", see_cancel, NULL},
	{"task", see_task, NULL},
	{"free", see_free, NULL},
	{"leave-task", leave_task_behind, NULL},
	{"deadline", see_deadline, NULL},
	{"identity", see_identity, NULL},
	{"task-local", see_local, NULL},
	{NULL, NULL, NULL}
};
