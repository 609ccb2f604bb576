/* SPDX-License-Identifier: BSD-2-Clause */
/* <bay/deadline.h> */
#include "toolbox.h"

static void
see_block(struct bay_request *request, const char *argument, struct seen *seen)
{
	(void)request;
	(void)argument;
	saw(seen, "%s", bay_status_name(bay_deadline_push(bay_after(3600 * BAY_SECOND))));
	saw(seen, "%s", bay_status_name(bay_deadline_move(bay_after(5 * BAY_MS))));
	saw(seen, "%s", bay_status_name(bay_sleep(3600 * BAY_SECOND)));
	saw(seen, "%s", bay_status_name(bay_deadline_pop()));
	saw(seen, "%s", bay_status_name(bay_deadline_push(bay_after(3600 * BAY_SECOND))));
	saw(seen, "%s", bay_status_name(bay_deadline_pop()));
	saw(seen, bay_yield() == BAY_OK ? "not-me" : "me-too");
	saw(seen, "%s", bay_status_name(bay_deadline_pop()));
}

struct shielded {
	struct seen *seen;
	struct bay_task *around;
};

static int
commit(void *arg)
{
	struct shielded *shielded = arg;
	int status;

	bay_task_cancel(shielded->around, "enough");
	status = bay_sleep(BAY_MS);
	saw(shielded->seen, "commit %s %d", bay_status_name(status), bay_cancel_reason() != NULL);
	return status;
}

static int
shield_commit(void *arg)
{
	struct shielded *shielded = arg;

	shielded->around = bay_task_current();
	if (bay_shield("commit", commit, shielded, bay_after(10 * BAY_SECOND)) != BAY_OK)
		return BAY_FAILED;
	return bay_yield();
}

static void
see_shield(struct bay_request *request, const char *argument, struct seen *seen)
{
	struct shielded shielded = {.seen = seen};
	struct bay_task *task = bay_spawn("shields", shield_commit, &shielded);

	(void)request;
	(void)argument;
	saw(seen, "%s: enough", bay_status_name(bay_join(task, BAY_INHERIT)));
	bay_task_free(task);
	saw(seen, "%s", bay_status_name(bay_shield("endless", commit, &shielded, BAY_INHERIT)));
}

const struct operation deadline_operations[] = {
	{"deadline-block", see_block, NULL},
	{"shield", see_shield, NULL},
	{NULL, NULL, NULL}
};
