/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/service_control.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/obituary.h"
#include "master/listener_table.h"
#include "master/master_cell.h"
#include "master/plugin_examination.h"
#include "master/service_canary.h"
#include "master/service_change.h"
#include "master/service_gate.h"
#include "master/service_group.h"
#include "master/service_isolation.h"
#include "master/service_steps.h"
#include "master/service_swap.h"
#include "master/supervisor.h"
#include "protocol/cell_link.h"

/* --- wishes ---------------------------------------------------------------------- */

void
service_control_expect(struct master_service *service)
{
	service->wanted = true;
	service->step = SERVICE_STEP_EXAMINE;
	service->step_ns = clock_monotonic_ns();
	master_service_set_state(service, SERVICE_STARTING, NULL);
}

void
service_control_examined(struct master_service *service, struct plugin_image *image,
	const char *reason)
{
	service_end_examination(service, image, reason);
}

void
service_control_boot(struct master_service *service)
{
	service->wanted = true;
	service_begin_start(service);
}

void
service_control_cell_ready(struct master_service *service)
{
	if (service->state == SERVICE_STARTING && service->step == SERVICE_STEP_NONE)
		service_begin_start(service);
}

void
service_control_cell_failed(struct master_service *service, const char *reason)
{
	if (service->state != SERVICE_STARTING || service->step != SERVICE_STEP_NONE)
		return;
	master_service_note(service, EVENT_FAILED, "%s", reason);
	service_start_failed(service, reason);
}

bool
service_refuses_to_stop(const struct master_service *service)
{
	return service->state == SERVICE_STOPPING && service->reason != NULL;
}

/* Who asked may have to wait for a drain. */
static void
service_tell_wanted_again(const struct master_service *service)
{
	char subject[CONFIG_NAME_MAX + 16];

	if (service->state != SERVICE_STOPPING || service->wanted)
		return;
	snprintf(subject, sizeof(subject), "service %s", service->config->name);
	log_info(subject, "it is wanted again, and starts when its stop is over");
}

void
service_control_start(struct master_service *service, service_done_fn *done, void *arg)
{
	service_waiters_add(service, SERVICE_WISH_START, done, arg);
	if (service_refuses_to_stop(service)) {
		service_waiters_fail(service, BAY_BUSY, service->reason);
		return;
	}
	service_tell_wanted_again(service);
	service->wanted = true;
	if (service->step == SERVICE_STEP_NONE &&
	    (service->state == SERVICE_STOPPED || service->state == SERVICE_FAILED)) {
		master_service_forgive(service);
		service_begin_examination(service);
	} else {
		service_settle(service);
	}
}

static void
service_stop_again(struct master_service *service, bool now)
{
	bool hurry = now && !service->stop_now;

	service->stop_now |= now;
	/* It ends with its cell. */
	if (supervisor_is_stopping(service->supervisor) || master_cell_is_drained(service->cell))
		return;
	/* It refused: what kept it may be over, and with now its cell ends if it is not. */
	if (service->step == SERVICE_STEP_NONE)
		service_begin_stop(service);
	else if (hurry)
		service_hurry_stop(service);
}

void
service_control_stop(struct master_service *service, bool now, service_done_fn *done,
	void *arg)
{
	service->wanted = false;
	service_waiters_add(service, SERVICE_WISH_STOP, done, arg);
	switch (service->state) {
	case SERVICE_FAILED:
		service_clear_timer(service);
		master_service_set_state(service, SERVICE_STOPPED, NULL);
		break;
	case SERVICE_STARTING:
		service->stop_now = now;
		/* A step that is under way ends first; without one it waits for the cell, perhaps for
		 * the end of one that it runs in. */
		if (service->step == SERVICE_STEP_NONE)
			master_service_set_state(service, master_cell_is_drained(service->cell) ?
				SERVICE_STOPPING : SERVICE_STOPPED, NULL);
		break;
	case SERVICE_STOPPING:
		service_stop_again(service, now);
		break;
	case SERVICE_READY:
		service->stop_now = now;
		break;
	case SERVICE_STOPPED:
		break;
	}
	service_settle(service);
}

void
service_control_restart(struct master_service *service, service_done_fn *done, void *arg)
{
	if (service->state != SERVICE_READY || service->step != SERVICE_STEP_NONE) {
		/* Whatever it does now ends with the plugin file as it is now, or nearly so. */
		service_control_start(service, done, arg);
		return;
	}
	service->wanted = true;
	service->restarting = true;
	service->again = true;
	service->stop_now = false;
	service_waiters_add(service, SERVICE_WISH_RESTART, done, arg);
	service_begin_examination(service);
}

/* --- events ------------------------------------------------------------------------------ */

void
service_control_on_timer(struct master_service *service)
{
	if (service->state == SERVICE_STOPPING) {
		service_lose_patience(service);
	} else if (service->state == SERVICE_FAILED && service->next_try_ns != 0) {
		service->next_try_ns = 0;
		service->restarts++;
		service->again = true;
		service_begin_start(service);
	}
}

void
service_control_failed(struct master_service *service, const char *message)
{
	if (service->state != SERVICE_READY)
		return;
	master_service_note(service, EVENT_FAILED, "%s", message);
	service_canary_leave(service, "what serves beside it has failed");
	if (service->step == SERVICE_STEP_NONE && service_swap_failed(service, true, message)) {
		/* It starts with nothing to wait for but those that go with it. */
		service_group_failed(service);
		service_group_turn(service->supervisor);
		service_begin_start(service);
		return;
	}
	/* What is under way goes on, and starts it again at its end. */
	if (service->step == SERVICE_STEP_NONE) {
		service_fail_with_code(service, message, "service-task");
		service_settle(service);
	} else {
		service->again = true;
		master_service_set_state(service, SERVICE_STARTING, "%s", message);
	}
}

static bool
service_is_of(const struct plugin_image *image, int64_t generation)
{
	return image != NULL && image->generation == generation;
}

enum bay_status
service_control_listen(struct master_service *service, const struct cell_listen *asked, int *fd_r,
	struct buffer *error)
{
	bool runs = service->state == SERVICE_READY || service->step == SERVICE_STEP_START;
	bool known = service_is_of(service->image, asked->generation) ||
		service_is_of(service->swap.image, asked->generation) ||
		service_is_of(service->canary.image, asked->generation) ||
		(service->undo != NULL && service_is_of(service->next_image, asked->generation));

	if (!runs || !known || !service->wanted || supervisor_is_stopping(service->supervisor)) {
		buffer_fail(error, "listen on %s: service %s is being stopped [closed]", asked->address,
			service->config->name);
		return BAY_CLOSED;
	}
	return listener_table_open(supervisor_listeners(service->supervisor), service->config,
		asked->address, (int)asked->backlog, fd_r, error);
}

/* --- the cell's end ------------------------------------------------------------------------------ */

/* What it did that ended its cell, or what became of that. */
static void
service_end_text(const struct obituary *obituary, const char *hang, char *text, size_t size)
{
	if (hang != NULL)
		snprintf(text, size, "hung: %s", hang);
	else
		snprintf(text, size, "%s%s%s", obituary->how,
			obituary->in_load ? " while its code was loaded" : obituary->in_init ? " in init" : "",
			obituary->where);
}

/* starting: it did not serve yet. */
static void
service_fail_with_cell(struct master_service *service, const struct obituary *obituary,
	const char *hang, bool starting)
{
	char reason[sizeof(obituary->how) + sizeof(obituary->where) + 48];
	bool in_init = obituary->in_init || obituary->in_load;

	service->by = (struct event_by){0};
	if (hang != NULL) {
		master_service_note(service, EVENT_CRASHED, "%s", hang);
		if (service->stalled)
			service_isolation_note_crash(service);
		service_fail(service, starting ? RESTART_CAUSE_INIT_HUNG : RESTART_CAUSE_HUNG, hang);
		return;
	}
	snprintf(reason, sizeof(reason), "%s%s%s [%s]", obituary->in_load ? "its code " :
		obituary->in_init ? "init " : "", obituary->how, obituary->where, obituary->code);
	master_service_note(service, EVENT_CRASHED, "%s", reason);
	if (!in_init)
		service_isolation_note_crash(service);
	service_fail(service, in_init ? RESTART_CAUSE_INIT_CRASHED : RESTART_CAUSE_CRASHED, reason);
}

/* A new generation was to blame: the former one starts in the next cell. */
static void
service_take_back_with_cell(struct master_service *service, const struct obituary *obituary,
	const char *hang)
{
	char *reason = hang != NULL ? xstrdup(hang) : xasprintf("%s %s%s",
		obituary->in_load ? "its code" : "init", obituary->how, obituary->where);

	service_change_take_back(service, BAY_FAILED, reason);
	master_service_set_state(service, SERVICE_STARTING, NULL);
	free(reason);
}

void
service_control_cell_ended(struct master_service *service, const struct obituary *obituary,
	const char *hang)
{
	bool in_cell = service->state == SERVICE_READY || service->step == SERVICE_STEP_START;
	bool starting = service->state == SERVICE_STARTING;
	bool guilty = hang != NULL || obituary->culprit == service->slot;
	bool ends = service->state == SERVICE_STOPPING ||
		(in_cell && (!service->wanted || supervisor_is_stopping(service->supervisor)));
	bool suspect = in_cell && !ends && (guilty || master_cell_suspect(service->cell) == service);
	char text[sizeof(obituary->how) + sizeof(obituary->where) + 32];

	service_gate_forget(service);
	if (service->gone)
		return;
	if (!guilty && !suspect)
		master_service_excuse_lost(service);
	service_end_text(obituary, hang, text, sizeof(text));
	if (service->step != SERVICE_STEP_EXAMINE)
		service->step = SERVICE_STEP_NONE;
	if (service_swap_failed(service, suspect, text) && !ends) {
		master_service_set_state(service, SERVICE_STARTING, NULL);
		if (suspect)
			service_group_failed(service);
	} else if (ends) {
		service_clear_timer(service);
		master_service_set_state(service, SERVICE_STOPPED, NULL);
	} else if (in_cell && guilty && service->undo != NULL) {
		service_take_back_with_cell(service, obituary, hang);
		service_group_failed(service);
	} else if (in_cell && guilty) {
		service_fail_with_cell(service, obituary, hang, starting);
	} else if (in_cell) {
		service->restarts++;
		service->again = true;
		master_service_set_state(service, SERVICE_STARTING, NULL);
	}
	service->stalled = false;
	service_settle(service);
}

void
service_control_finish(struct master_service *service)
{
	service_waiters_fail(service, BAY_CLOSED, "bayd stops");
	service_swap_finish(service, "bayd stops");
	service_gate_finish(service);
	service_health_forget(service);
	service_faults_forget(service);
	service_clear_timer(service);
	service_change_settle(service);
	plugin_image_unref(service->next_image);
	plugin_image_unref(service->image);
	service->next_image = NULL;
	service->image = NULL;
}
