/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/crash_reports.h"

#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/obituary.h"
#include "base/status_page.h"
#include "base/text.h"
#include "config/config_data.h"
#include "master/admin_commands.h"
#include "master/crash_frame.h"
#include "master/master.h"
#include "master/master_service.h"
#include "master/plugin_examination.h"
#include "protocol/crash_report.h"
#include "protocol/report_store.h"
#include "protocol/varlink.h"

struct crash_reports {
	char *directory;
	struct report_store_limits limits;
	bool complained; /* that none can be written */
};

/* --- life --------------------------------------------------------------------------------- */

struct crash_reports *
crash_reports_create(const struct config *config)
{
	struct crash_reports *reports = xcalloc(1, sizeof(*reports));

	crash_reports_set_config(reports, config);
	return reports;
}

void
crash_reports_set_config(struct crash_reports *reports, const struct config *config)
{
	free(reports->directory);
	reports->directory = xasprintf("%s/" CRASH_REPORT_DIRECTORY, config->container.state_dir);
	reports->limits = (struct report_store_limits){.count = (size_t)config->container.crash_reports};
	reports->complained = false;
}

void
crash_reports_destroy(struct crash_reports *reports)
{
	if (reports == NULL)
		return;
	free(reports->directory);
	free(reports);
}

/* --- a report ------------------------------------------------------------------------------- */

/* Whichever is nearest to the truth: the cell's own word, or what the kernel says. */
static enum crash_kind
crash_report_kind(const struct crash_facts *facts, const struct crash_trace_view *trace)
{
	if (facts->hang != NULL)
		return CRASH_STALLED;
	if (trace != NULL)
		return trace->kind;
	if (facts->status != -1 && WIFSIGNALED(facts->status))
		return WTERMSIG(facts->status) == SIGKILL ? CRASH_KILLED : CRASH_SIGNAL;
	return facts->status != -1 && WIFEXITED(facts->status) ? CRASH_ENDED : CRASH_UNKNOWN;
}

static void
crash_report_add_signal(json_t *report, const struct crash_facts *facts)
{
	struct status_crash_view crash;
	const char *name;
	char text[32];

	if (facts->hang != NULL || !status_page_read_crash(facts->page, &crash))
		return;
	if (crash.task[0] != '\0')
		json_object_set_new(report, "task", varlink_text(crash.task));
	if (crash.signal == 0)
		return;
	name = sigabbrev_np(crash.signal);
	if (name != NULL)
		snprintf(text, sizeof(text), "SIG%s", name);
	else
		snprintf(text, sizeof(text), "%d", crash.signal);
	json_object_set_new(report, "signal", json_string(text));
	if (crash.signal == SIGSEGV || crash.signal == SIGBUS || crash.address != 0) {
		snprintf(text, sizeof(text), "0x%" PRIx64, crash.address);
		json_object_set_new(report, "fault_address", json_string(text));
	}
}

/* Who held the loop that hung. */
static void
crash_report_add_hang(json_t *report, const struct crash_facts *facts)
{
	struct status_loop_view view;

	if (facts->hang == NULL || facts->hung_loop >= facts->page->loops)
		return;
	status_page_read_loop(facts->page, facts->hung_loop, &view);
	if (view.task[0] != '\0')
		json_object_set_new(report, "task", varlink_text(view.task));
}

static void
crash_report_add_service(json_t *report, const struct master_service *service)
{
	const struct plugin_image *image = service != NULL ? service->image : NULL;

	if (service != NULL)
		json_object_set_new(report, "service", json_string(service->config->name));
	if (image == NULL)
		return;
	json_object_set_new(report, "plugin", json_string(service->config->plugin));
	json_object_set_new(report, "version", varlink_text(image->version));
	json_object_set_new(report, "generation", json_integer((json_int_t)image->generation));
	json_object_set_new(report, "sha256", json_string(image->image.source_sha256));
}

/* The message may be secret: then its size is all that is told. */
static void
crash_report_add_message(json_t *report, const struct crash_trace_view *trace,
	const struct master_service *service)
{
	struct buffer text = {0};
	char id[TRACE_ID_SIZE];

	if (!trace->has_message)
		return;
	json_object_set_new(report, "message_size", json_integer((json_int_t)trace->message_size));
	if (!trace_id_is_none(&trace->id)) {
		trace_id_print(id, &trace->id);
		json_object_set_new(report, "trace", json_string(id));
	}
	if (service == NULL || !service->config->crash_content)
		return;
	if (text_escape(&text, trace->message, trace->message_kept))
		json_object_set_new(report, "message",
			varlink_text(buffer_text(&text) != NULL ? buffer_text(&text) : ""));
	buffer_finish(&text);
}

static void
crash_report_add_trace(json_t *report, const struct crash_area *area, const struct crash_trace_view *trace)
{
	struct crash_names *names = crash_names_create(area);
	json_t *frames = json_array(), *awaits = json_array();

	for (size_t i = 0; i < trace->frame_count; i++)
		json_array_append_new(frames, crash_names_report(names, trace->frames[i]));
	for (size_t i = 0; i < trace->await_count; i++) {
		/* The place behind the call may be another function's. */
		json_t *await = crash_names_report(names, trace->awaits[i].where - 1);

		json_object_set_new(await, "await", varlink_text(trace->awaits[i].function));
		json_array_append_new(awaits, await);
	}
	crash_names_destroy(names);
	json_object_set_new(report, "thread", varlink_text(trace->thread));
	json_object_set_new(report, "tid", json_integer((json_int_t)trace->tid));
	json_object_set_new(report, "frames", frames);
	json_object_set_new(report, "awaits", awaits);
}

static void
crash_report_add_events(json_t *report, const struct crash_area *area)
{
	struct crash_event_view *views = xcalloc(CRASH_EVENTS, sizeof(*views));
	size_t count = crash_area_read_events(area, views);
	json_t *events = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(events, json_pack("{s:I, s:s, s:o}",
			"time_wall_ns", (json_int_t)views[i].wall_ns,
			"level", log_level_name(views[i].level <= LOG_LEVEL_DEBUG ?
				(enum log_level)views[i].level : LOG_LEVEL_DEBUG),
			"text", varlink_text(views[i].text)));
	json_object_set_new(report, "events", events);
	free(views);
}

/* False: there is none, which is so for a SIGKILL; or it tells of an earlier time. */
static bool
crash_report_read_trace(const struct crash_facts *facts, const struct crash_area *area,
	struct crash_trace_view *trace)
{
	struct status_loop_view view;

	if (facts->hang == NULL)
		return crash_trace_read(&area->crash, trace);
	if (facts->hung_loop >= facts->page->loops || !crash_trace_read(&area->stalls[facts->hung_loop], trace))
		return false;
	status_page_read_loop(facts->page, facts->hung_loop, &view);
	return trace->pass == view.passes;
}

static json_t *
crash_report_make(const struct crash_facts *facts)
{
	const struct crash_area *area = status_page_crash_area(facts->page);
	struct crash_trace_view *trace = xcalloc(1, sizeof(*trace));
	bool traced = crash_report_read_trace(facts, area, trace);
	enum crash_kind kind = crash_report_kind(facts, traced ? trace : NULL);
	json_t *report = json_pack("{s:I, s:s, s:I, s:s, s:o}",
		"time_wall_ns", (json_int_t)clock_wall_ns(), "cell", facts->cell, "pid", (json_int_t)facts->pid,
		"kind", crash_kind_name(kind), "text", varlink_text(facts->text));

	crash_report_add_service(report, facts->service);
	crash_report_add_signal(report, facts);
	crash_report_add_hang(report, facts);
	if (traced) {
		crash_report_add_message(report, trace, facts->service);
		crash_report_add_trace(report, area, trace);
	}
	crash_report_add_events(report, area);
	free(trace);
	return report;
}

uint64_t
crash_reports_add(struct crash_reports *reports, const struct crash_facts *facts)
{
	struct buffer error = {0};
	uint64_t number = 0;
	json_t *report;

	if (reports == NULL || reports->limits.count == 0)
		return 0;
	report = crash_report_make(facts);
	if (!report_store_add(reports->directory, &reports->limits, report, &number, &error)) {
		log_at(reports->complained ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, NULL,
			"no report of a crash is written: %s [state-dir]", buffer_text(&error));
		reports->complained = true;
		number = 0;
	}
	buffer_finish(&error);
	json_decref(report);
	return number;
}

bool
crash_reports_print_trace(const struct crash_area *area, const struct crash_trace_view *trace,
	struct buffer *text)
{
	struct crash_names *names = crash_names_create(area);
	bool printed = true;

	for (size_t i = 0; i < trace->frame_count && printed; i++)
		printed = buffer_append_text(text, i == 0 ? "" : " < ") &&
			crash_names_print(names, trace->frames[i], text);
	for (size_t i = 0; i < trace->await_count && printed; i++) {
		const char *function = trace->awaits[i].function;

		printed = buffer_append_text(text, i == 0 ? "; before, it waited in " : ", ") &&
			text_escape(text, function, strlen(function));
	}
	crash_names_destroy(names);
	return printed;
}

/* --- the command ------------------------------------------------------------------------------ */

void
admin_crashes(struct admin_request *request, struct master *master)
{
	const char *service = admin_service_argument(request);
	json_int_t number = json_integer_value(json_object_get(request->parameters, "number"));
	json_t *list = report_store_select(master->crash_reports->directory, service,
		(uint64_t)number, crash_report_details);

	if (number != 0 && json_array_size(list) == 0) {
		json_decref(list);
		admin_fail(request, BAY_NOT_FOUND, "there is no report %lld of a crash; bayctl crash lists them",
			(long long)number);
		return;
	}
	admin_answer(request, json_pack("{s:o}", "crashes", list));
}
