/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/admin_commands.h"

#include <bay/abi.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "config/config_data.h"
#include "master/admin_calls.h"
#include "master/admin_config.h"
#include "master/admin_events.h"
#include "master/admin_gate.h"
#include "master/admin_load.h"
#include "master/admin_log.h"
#include "master/admin_reports.h"
#include "master/admin_tasks.h"
#include "master/admin_trace.h"
#include "master/admin_verbs.h"
#include "master/cgroup.h"
#include "master/crash_reports.h"
#include "master/dead_letters.h"
#include "master/event_log.h"
#include "master/master.h"
#include "master/master_cell.h"
#include "master/plugin_examination.h"
#include "master/service_gate.h"
#include "master/service_isolation.h"
#include "master/service_order.h"
#include "master/service_swap.h"
#include "master/silent_loops.h"
#include "master/supervisor.h"
#include "protocol/interface.h"
#include "protocol/varlink.h"

#define STRING_OF(n) #n
#define ABI_TEXT(major, minor) STRING_OF(major) "." STRING_OF(minor)

typedef void admin_command_fn(struct admin_request *request, struct master *master);

/* --- for all commands --------------------------------------------------------------- */

void
admin_answer(struct admin_request *request, json_t *parameters)
{
	if (parameters != NULL)
		admin_reply(request, parameters);
	else
		admin_fail(request, BAY_NO_MEMORY, "make the reply: no memory");
}

const char *
admin_service_argument(const struct admin_request *request)
{
	return json_string_value(json_object_get(request->parameters, "service"));
}

static void
admin_fail_unknown_service(struct admin_request *request, const struct master *master,
	const char *name)
{
	size_t count = supervisor_count(master->supervisor);
	const char **names = xcalloc(count + 1, sizeof(*names));
	const char *nearest;

	for (size_t i = 0; i < count; i++)
		names[i] = supervisor_service(master->supervisor, i)->config->name;
	nearest = text_nearest(name, names, count);
	if (*name == '\0')
		admin_fail(request, BAY_NOT_FOUND, "no service has an empty name; bayctl list shows all");
	else if (nearest != NULL)
		admin_fail(request, BAY_NOT_FOUND, "there is no service %s; did you mean %s?", name,
			nearest);
	else
		admin_fail(request, BAY_NOT_FOUND, "there is no service %s; bayctl list shows all",
			name);
	free(names);
}

struct master_service *
admin_find_service(struct admin_request *request, const struct master *master)
{
	const char *name = admin_service_argument(request);
	struct master_service *service = supervisor_find(master->supervisor, name);

	if (service == NULL)
		admin_fail_unknown_service(request, master, name);
	return service;
}

struct event_by
admin_by(const struct admin_request *request)
{
	return (struct event_by){.source = EVENT_BY_USER, .uid = request->peer.uid,
		.pid = request->peer.pid};
}

bool
admin_refused_while_draining(struct admin_request *request, const struct master *master)
{
	if (master->state != MASTER_DRAINING)
		return false;
	admin_fail(request, BAY_CLOSED, "bayd is stopping");
	return true;
}

/* --- org.varlink.service --------------------------------------------------------------- */

static void
admin_get_info(struct admin_request *request, struct master *master)
{
	(void)master;
	admin_answer(request, interface_info_reply(PACKAGE_VERSION));
}

static void
admin_get_description(struct admin_request *request, struct master *master)
{
	const char *name = json_string_value(json_object_get(request->parameters, "interface"));
	json_t *description = interface_description_reply(name);

	(void)master;
	if (description != NULL)
		admin_reply(request, description);
	else
		admin_error(request, INTERFACE_INTERFACE_NOT_FOUND,
			interface_standard_error_parameters("interface", name, "bad-method",
				"there is no such interface"));
}

/* --- bayd itself -------------------------------------------------------------------------- */

static void
admin_ping(struct admin_request *request, struct master *master)
{
	admin_answer(request, json_pack("{s:I, s:I}", "pid", (json_int_t)getpid(),
		"uptime_ns", (json_int_t)(clock_monotonic_ns() - master->started_ns)));
}

static json_t *
admin_cell(const struct master_cell *cell)
{
	const struct cell_process *process = master_cell_process(cell);
	struct master_cell_view view;

	master_cell_view(cell, &view);
	return json_pack("{s:s, s:I, s:s, s:I, s:I, s:I}", "name", view.name,
		"pid", (json_int_t)view.pid, "state", view.state,
		"restarts", (json_int_t)view.restarts, "loops", (json_int_t)view.loops,
		"rss_bytes", (json_int_t)(process != NULL ? cell_process_rss_bytes(process) : 0));
}

/* "control groups in /sys/fs/cgroup/... (memory, pids, cpu)" */
static json_t *
admin_limits(const struct master *master)
{
	char names[32];
	char *text = master->cgroups != NULL ? xasprintf("control groups in %s (%s)", cgroup_tree_path(master->cgroups),
		cgroup_controllers_text(names, sizeof(names), cgroup_tree_controllers(master->cgroups))) :
		xasprintf("watched by bayd (no control groups: %s)",
			master->no_cgroups != NULL ? master->no_cgroups : "");
	json_t *json = varlink_text(text);

	free(text);
	return json;
}

/* NULL: no memory. */
static json_t *
admin_cells(const struct master *master)
{
	json_t *cells = json_array();

	for (size_t i = 0; i < supervisor_cell_count(master->supervisor); i++) {
		const struct master_cell *cell = supervisor_cell(master->supervisor, i);

		if (master_cell_is_there(cell) && json_array_append_new(cells, admin_cell(cell)) != 0) {
			json_decref(cells);
			return NULL;
		}
	}
	return cells;
}

static void
admin_info(struct admin_request *request, struct master *master)
{
	struct master_cell_view cell;

	master_cell_view(supervisor_cell(master->supervisor, 0), &cell);
	admin_answer(request, json_pack(
		"{s:s, s:s, s:I, s:s, s:o, s:o, s:I, s:I, s:I, s:o, s:I, s:s, s:s, s:o, s:o}",
		"version", PACKAGE_VERSION,
		"abi", ABI_TEXT(BAY_ABI_MAJOR, BAY_ABI_MINOR),
		"pid", (json_int_t)getpid(),
		"state", master_state_name(master->state),
		"config", varlink_text(master->config->path),
		"runtime_dir", varlink_text(master->runtime_dir),
		"started_wall_ns", (json_int_t)master->started_wall_ns,
		"uptime_ns", (json_int_t)(clock_monotonic_ns() - master->started_ns),
		"loops", (json_int_t)cell.loops,
		"cells", admin_cells(master),
		"services", (json_int_t)supervisor_count(master->supervisor),
		"libevent", event_get_version(),
		"method", event_base_get_method(master->base),
		"limits", admin_limits(master),
		"silent_loops", silent_loops_report(master, NULL)));
}

static void
admin_shutdown(struct admin_request *request, struct master *master)
{
	bool now = json_is_true(json_object_get(request->parameters, "now"));

	event_log_add(master->events, EVENT_ENDING, &(struct event_facts){.by = admin_by(request)},
		now ? "now" : NULL);
	log_info(NULL, "user %u asks bayd to stop%s", (unsigned)request->peer.uid,
		now ? " now" : "");
	admin_reply(request, NULL);
	master_stop(master, now);
}

/* --- start, stop, restart --------------------------------------------------------------------- */

/* Who waits for a service that others start or stop with. */
struct admin_wish {
	struct admin_request *request;
	json_t *also; /* their names */
};

static void
admin_on_settled(struct master_service *service, enum bay_status status, const char *message,
	void *arg)
{
	struct admin_wish *wish = arg;
	struct admin_request *request = wish->request;

	if (status == BAY_OK)
		admin_answer(request, json_pack("{s:s, s:O}", "state",
			service_gate_state_name(service), "also", wish->also));
	else if (status == BAY_INVALID)
		admin_refuse(request, "%s", message);
	else
		admin_fail(request, status, "service %s: %s", service->config->name, message);
	json_decref(wish->also);
	free(wish);
}

static struct admin_wish *
admin_wish_create(struct admin_request *request, struct master_service *service,
	enum service_order_wish order, const char *text)
{
	struct master_service **others = service_order_companions(service, order);
	struct admin_wish *wish = xcalloc(1, sizeof(*wish));
	const struct event_by by = admin_by(request);

	wish->request = request;
	wish->also = json_array();
	for (size_t i = 0; others[i] != NULL; i++)
		json_array_append_new(wish->also, varlink_text(others[i]->config->name));
	free(others);
	master_service_ask(service, &by, text);
	return wish;
}

static void
admin_start(struct admin_request *request, struct master *master)
{
	struct master_service *service = admin_find_service(request, master);

	if (service == NULL || admin_refused_while_draining(request, master))
		return;
	service_order_start(service, admin_on_settled,
		admin_wish_create(request, service, SERVICE_ORDER_START, "to start it"));
}

static void
admin_stop(struct admin_request *request, struct master *master)
{
	bool now = json_is_true(json_object_get(request->parameters, "now"));
	struct master_service *service = admin_find_service(request, master);

	if (service == NULL || admin_refused_while_draining(request, master))
		return;
	service_gate_reset(service, "somebody stopped it meanwhile");
	service_order_stop(service, now, admin_on_settled, admin_wish_create(request, service,
		SERVICE_ORDER_STOP, now ? "to stop it now" : "to stop it"));
}

static void
admin_restart(struct admin_request *request, struct master *master)
{
	struct master_service *service = admin_find_service(request, master);
	bool runs;

	if (service == NULL || admin_refused_while_draining(request, master))
		return;
	runs = service->state == SERVICE_READY;
	service_order_restart(service, admin_on_settled, admin_wish_create(request, service,
		runs ? SERVICE_ORDER_RESTART : SERVICE_ORDER_START, "to restart it"));
}

static void
admin_on_reset(struct master_service *service, enum bay_status status, const char *message,
	void *arg)
{
	struct admin_request *request = arg;

	if (status == BAY_OK)
		admin_answer(request, json_pack("{s:s, s:s}", "state", service_state_name(service->state),
			"cell", master_cell_name(service->cell)));
	else
		admin_fail(request, status, "service %s: %s", service->config->name, message);
}

static void
admin_reset(struct admin_request *request, struct master *master)
{
	struct master_service *service = admin_find_service(request, master);
	struct event_by by;

	if (service == NULL || admin_refused_while_draining(request, master))
		return;
	by = admin_by(request);
	master_service_ask(service, &by, "to reset it");
	service_isolation_reset(service, admin_on_reset, request);
}

/* --- reload, roll back ------------------------------------------------------------------------- */

static json_t *
admin_swap_reply(const struct master_service *service, const char *outcome)
{
	bool canary = strcmp(outcome, swap_outcome_name(SWAP_CANARY)) == 0;
	const struct plugin_image *image = canary ? service->canary.image : service->image;

	return json_pack("{s:s, s:s, s:I, s:o}", "outcome", outcome,
		"state", service_gate_state_name(service),
		"generation", (json_int_t)(image != NULL ? image->generation : 0),
		"version", varlink_text(image != NULL ? image->version : ""));
}

static void
admin_on_swap_stage(struct master_service *service, const char *stage, void *arg)
{
	struct admin_request *request = arg;

	(void)service;
	/* Who does not read it in time does without. */
	if (request->more && !admin_reply_part(request, json_pack("{s:s}", "stage", stage)))
		return;
}

static void
admin_on_swapped(struct master_service *service, enum swap_outcome outcome, const char *message,
	void *arg)
{
	struct admin_request *request = arg;
	char *text = xasprintf("service %s: %s", service->config->name, message);

	switch (outcome) {
	case SWAP_REFUSED:
		admin_refuse(request, "%s", text);
		break;
	case SWAP_BUSY:
		admin_fail(request, BAY_BUSY, "%s", text);
		break;
	case SWAP_FAILED:
		admin_fail(request, BAY_FAILED, "%s", text);
		break;
	case SWAP_ROLLED_BACK:
		admin_error(request, INTERFACE_ROLLED_BACK, interface_error_parameters(BAY_FAILED, "swap-failed", text));
		break;
	default:
		admin_answer(request, admin_swap_reply(service, swap_outcome_name(outcome)));
		break;
	}
	free(text);
}

static void
admin_swap(struct admin_request *request, struct master *master,
	void (*begin)(struct master_service *service, const struct swap_wish *wish))
{
	const char *wait = json_string_value(json_object_get(request->parameters, "wait"));
	struct swap_wish wish = {.by = admin_by(request),
		.share = json_integer_value(json_object_get(request->parameters, "canary")),
		.stage = admin_on_swap_stage, .done = admin_on_swapped, .arg = request};
	struct master_service *service = admin_find_service(request, master);

	if (service == NULL || admin_refused_while_draining(request, master))
		return;
	if (wait == NULL || strcmp(wait, "flip") == 0) {
		begin(service, &wish);
	} else if (strcmp(wait, "probation") == 0) {
		wish.through_probation = true;
		begin(service, &wish);
	} else if (strcmp(wait, "none") == 0) {
		begin(service, &(struct swap_wish){.by = wish.by, .share = wish.share});
		admin_answer(request, admin_swap_reply(service, "asked"));
	} else {
		admin_error(request, INTERFACE_INVALID_PARAMETER, interface_standard_error_parameters(
			"parameter", "wait", "bad-parameter", "wait is none, flip or probation"));
	}
}

static void
admin_reload(struct admin_request *request, struct master *master)
{
	admin_swap(request, master, service_swap_reload);
}

static void
admin_rollback(struct admin_request *request, struct master *master)
{
	admin_swap(request, master, service_swap_roll_back);
}

static void
admin_promote(struct admin_request *request, struct master *master)
{
	admin_swap(request, master, service_swap_promote);
}

static void
admin_abort(struct admin_request *request, struct master *master)
{
	admin_swap(request, master, service_swap_abort);
}

/* --- dispatch ------------------------------------------------------------------------------------ */

static admin_command_fn *const admin_commands[INTERFACE_METHODS] = {
	[INTERFACE_GET_INFO] = admin_get_info,
	[INTERFACE_GET_DESCRIPTION] = admin_get_description,
	[INTERFACE_PING] = admin_ping,
	[INTERFACE_INFO] = admin_info,
	[INTERFACE_LIST] = admin_list,
	[INTERFACE_STATUS] = admin_status,
	[INTERFACE_CALL] = admin_call,
	[INTERFACE_SEND] = admin_send,
	[INTERFACE_VERBS] = admin_verbs,
	[INTERFACE_DO] = admin_do,
	[INTERFACE_START] = admin_start,
	[INTERFACE_STOP] = admin_stop,
	[INTERFACE_RESTART] = admin_restart,
	[INTERFACE_RESET] = admin_reset,
	[INTERFACE_RELOAD] = admin_reload,
	[INTERFACE_ROLLBACK] = admin_rollback,
	[INTERFACE_PROMOTE] = admin_promote,
	[INTERFACE_ABORT] = admin_abort,
	[INTERFACE_PAUSE] = admin_pause,
	[INTERFACE_RESUME] = admin_resume,
	[INTERFACE_DRAIN] = admin_drain,
	[INTERFACE_LOAD] = admin_load,
	[INTERFACE_UNLOAD] = admin_unload,
	[INTERFACE_TASKS] = admin_tasks,
	[INTERFACE_QUEUES] = admin_queues,
	[INTERFACE_STATS] = admin_stats,
	[INTERFACE_CRASHES] = admin_crashes,
	[INTERFACE_DEAD_LETTERS] = admin_dead_letters,
	[INTERFACE_DROP_DEAD_LETTERS] = admin_drop_dead_letters,
	[INTERFACE_LOG] = admin_log_lines,
	[INTERFACE_EVENTS] = admin_events,
	[INTERFACE_TRACE] = admin_trace,
	[INTERFACE_RELOAD_CONFIG] = admin_reload_config,
	[INTERFACE_DIFF_CONFIG] = admin_diff_config,
	[INTERFACE_SHOW_CONFIG] = admin_show_config,
	[INTERFACE_SET_CONFIG] = admin_set_config,
	[INTERFACE_CONFIG_HISTORY] = admin_config_history,
	[INTERFACE_ROLLBACK_CONFIG] = admin_rollback_config,
	[INTERFACE_SHUTDOWN] = admin_shutdown,
};

/* For the audit, but not as an event: whoever may connect could fill the list with those. */
static void
admin_log_refusal(const struct admin_request *request, const struct interface_method *method)
{
	static struct log_rate rate = {.burst = 5, .period_ns = 10 * (int64_t)CLOCK_NS_PER_S};
	char hidden_text[64];
	uint64_t hidden;

	if (log_rate_pass(&rate, &hidden))
		log_warn(NULL, "user %u, process %d has the role %s and was refused %s%s [not-permitted]",
			(unsigned)request->peer.uid, (int)request->peer.pid,
			interface_role_name(request->peer.role), method->name,
			log_rate_text(hidden, hidden_text, sizeof(hidden_text)));
}

/* False: the request has been ended with the reason. */
static bool
admin_check(struct admin_request *request, const struct interface_method *method)
{
	char text[INTERFACE_TEXT_SIZE];
	const char *field;

	if (request->peer.role < method->role) {
		admin_log_refusal(request, method);
		admin_fail(request, BAY_NOT_PERMITTED, "not permitted: %s is for the role %s, and user %u has %s",
			method->name, interface_role_name(method->role), (unsigned)request->peer.uid,
			interface_role_name(request->peer.role));
		return false;
	}
	if (!interface_check(method, request->parameters, &field, text)) {
		admin_error(request, INTERFACE_INVALID_PARAMETER,
			interface_standard_error_parameters("parameter", field, "bad-parameter", text));
		return false;
	}
	if (method->streams && !request->more) {
		admin_error(request, INTERFACE_EXPECTED_MORE,
			interface_standard_error_parameters("method", method->name, "wants-more",
				"this method has several replies: set \"more\""));
		return false;
	}
	return true;
}

void
admin_commands_handle(struct admin_request *request, void *arg)
{
	const char *error;
	const struct interface_method *method = interface_find(request->method, &error);

	if (method == NULL)
		admin_error(request, error,
			interface_standard_error_parameters(strcmp(error, INTERFACE_METHOD_NOT_FOUND) == 0 ?
				"method" : "interface", request->method, "bad-method", "there is no such method"));
	else if (admin_check(request, method))
		admin_commands[method->id](request, arg);
}
