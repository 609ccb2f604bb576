/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/scope.h> */
#include "toolbox.h"

static void
see_close(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	int ok = BAY_OK, io = BAY_IO;
	struct bay_task *task = bay_scope_spawn(scope, "spawned", toolbox_return_status, &io);

	(void)request;
	(void)argument;
	saw(seen, "go %s", bay_status_name(bay_scope_go(scope, "goes", toolbox_return_status, &ok)));
	/* Collected, so it is no failure of the scope. */
	saw(seen, "join %s", bay_status_name(bay_join(task, BAY_INHERIT)));
	saw(seen, "close %s", bay_status_name(bay_scope_close(scope)));
}

static void
see_fail(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	struct patient patient = {"", BAY_OK};
	int io = BAY_IO, status;

	(void)request;
	(void)argument;
	status = bay_scope_go(scope, "patient", toolbox_be_patient, &patient);
	if (status == BAY_OK)
		status = bay_scope_go(scope, "careless", toolbox_return_status, &io);
	saw(seen, "go %s", bay_status_name(status));
	saw(seen, "close %s", bay_status_name(bay_scope_close(scope)));
	saw(seen, "patient %s: %s", bay_status_name(patient.status), patient.reason);
	saw(seen, bay_cancel_reason() == NULL ? "not-me" : "me-too");
}

/* Cancelled are the tasks of now and those to come. */
static void
see_cancel(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	struct patient early = {"", BAY_OK}, late = {"", BAY_OK};

	(void)request;
	saw(seen, "%s", bay_status_name(bay_scope_go(scope, "early", toolbox_be_patient, &early)));
	bay_yield();
	bay_scope_cancel(scope, argument);
	saw(seen, "%s", bay_status_name(bay_scope_go(scope, "late", toolbox_be_patient, &late)));
	saw(seen, "close %s", bay_status_name(bay_scope_close(scope)));
	saw(seen, "early %s: %s", bay_status_name(early.status), early.reason);
	saw(seen, "late %s: %s", bay_status_name(late.status), late.reason);
}

static int
see_inherited(void *arg)
{
	struct seen *seen = arg;
	/* On a busy machine it may be over. That of the request is far away. */
	int64_t left_ns = bay_deadline() - bay_now();
	int status;

	saw(seen, left_ns <= 500 * BAY_MS ? "inherited" : "not-inherited");
	status = bay_sleep(3600 * BAY_SECOND);
	saw(seen, "%s", bay_status_name(status));
	return status;
}

static void
see_scope_deadline(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_scope *scope = bay_scope_open(bay_after(500 * BAY_MS));
	int status = bay_scope_go(scope, "sleeps", see_inherited, seen);

	(void)request;
	(void)argument;
	saw(seen, "go %s", bay_status_name(status));
	saw(seen, "close %s", bay_status_name(bay_scope_close(scope)));
	saw(seen, bay_yield() == BAY_OK ? "not-me" : "me-too");
}

/* One at a time and no more, or in turn; failures cancel nobody and are all told. */
static void
see_options(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_scope_options options = {.length = sizeof options, .limit = 1, .refuse = true,
		.collect_all = true};
	struct bay_scope *scope = bay_scope_open_with(&options);
	struct bay_scope_failure failures[2];
	int io = BAY_IO, full = BAY_FULL, status;
	size_t count;

	(void)request;
	(void)argument;
	status = bay_scope_go(scope, "a", toolbox_return_status, &io);
	saw(seen, "%s %zu", bay_status_name(status), bay_scope_size(scope));
	saw(seen, "%s", bay_status_name(bay_scope_go(scope, "b", toolbox_return_status, &full)));
	saw(seen, "wait %s", bay_status_name(bay_scope_wait(scope)));
	status = bay_scope_spawn_with(scope, "c", toolbox_return_status, &full, NULL, BAY_INHERIT);
	saw(seen, "%s", bay_status_name(status));
	saw(seen, "wait %s", bay_status_name(bay_scope_wait(scope)));
	count = bay_scope_failures(scope, failures, 2);
	for (size_t i = 0; i < count && i < 2; i++)
		saw(seen, "%s:%s", failures[i].name, bay_status_name(failures[i].status));
	saw(seen, "close %s", bay_status_name(bay_scope_close(scope)));
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
forget_scope(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);
	int status = bay_scope_go(scope, "forgotten", note_end, bay_request_instance(request));

	(void)argument;
	saw(seen, "%s", bay_status_name(status));
	bay_yield();
}

static int
note_gate(void *arg)
{
	struct bay_instance *instance = arg;
	const struct toolbox_state *state = bay_instance_state(instance);
	void *nothing;
	int status = bay_channel_get(state->gate, &nothing, BAY_INHERIT);

	toolbox_note(instance, "gate %s, %s", bay_status_name(status),
		bay_deadline() == BAY_INHERIT ? "without a deadline" : "with a deadline");
	return BAY_OK;
}

/* The instance's scope is where tasks go that are to outlive the request. */
static void
use_instance_scope(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct bay_instance *instance = bay_request_instance(request);
	int status = bay_scope_go(bay_instance_scope(instance), "stays", note_gate, instance);

	(void)argument;
	saw(seen, "%s", bay_status_name(status));
}

const struct operation scope_operations[] = {
	{"scope-close", see_close, NULL},
	{"scope-fail", see_fail, NULL},
	{"scope-cancel", see_cancel, NULL},
	{"scope-deadline", see_scope_deadline, NULL},
	{"scope-options", see_options, NULL},
	{"scope-forget", forget_scope, NULL},
	{"scope-instance", use_instance_scope, NULL},
	{NULL, NULL, NULL}
};
