/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/admin_reports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/status_page.h"
#include "config/config_data.h"
#include "config/config_keys.h"
#include "config/config_names.h"
#include "master/admin_commands.h"
#include "master/admin_log.h"
#include "master/listener_table.h"
#include "master/master.h"
#include "master/master_cell.h"
#include "master/plugin_examination.h"
#include "master/service_order.h"
#include "master/silent_loops.h"
#include "master/service_canary.h"
#include "master/service_group.h"
#include "master/supervisor.h"
#include "protocol/varlink.h"

enum { STATUS_LOG_LINES = 10 };

/* The word of the ini, from the table of keys. */
static const char *
report_word(const struct config_key *key, int value)
{
	for (const struct config_word *word = key->words; word->word != NULL; word++) {
		if (word->value == value)
			return word->word;
	}
	return "?";
}

static const char *
report_overflow_word(const struct config_service *config)
{
	return report_word(config_keys_find(&config_service_keys, "overflow"), (int)config->overflow);
}

/* A count as JSON has it: what does not fit stops at the top. */
static json_int_t
report_int(uint64_t count)
{
	return count > INT64_MAX ? INT64_MAX : (json_int_t)count;
}

/* --- one service -------------------------------------------------------------------- */

static json_t *
report_settings(const struct config_service *config)
{
	json_t *settings = json_object();

	for (size_t i = 0; i < config->setting_count && settings != NULL; i++) {
		if (json_object_set_new(settings, config->settings[i].name,
			varlink_text(config->settings[i].value)) != 0) {
			json_decref(settings);
			settings = NULL;
		}
	}
	return settings;
}

static bool
report_add_listener(const struct listener_view *view, void *arg)
{
	return json_array_append_new(arg, json_pack("{s:o, s:o, s:b}",
		"name", varlink_text(view->name),
		"address", varlink_text(view->address),
		"passed", view->passed)) == 0;
}

static json_t *
report_listeners(const struct master *master, const struct config_service *config)
{
	json_t *listeners = json_array();

	if (listener_table_each(master->listeners, config->name, report_add_listener, listeners))
		return listeners;
	json_decref(listeners);
	return NULL;
}

static json_t *
report_source(const struct master *master, const struct master_service *service)
{
	char *path;
	json_t *text;

	if (service->image != NULL)
		return varlink_text(service->image->source);
	if (service->config->plugin_file != NULL)
		return varlink_text(service->config->plugin_file);
	path = xasprintf("%s/%s.so", master->config->container.plugin_dir,
		service->config->plugin);
	text = varlink_text(path);
	free(path);
	return text;
}

static json_t *
report_instances(const struct config_service *config)
{
	char number[24];

	if (config->instances == 0)
		return json_string("per-loop");
	if (config->instances == 1)
		return json_string("one");
	snprintf(number, sizeof(number), "%lld", (long long)config->instances);
	return json_string(number);
}

/* When it is tried again, from now; 0: it does not wait for that. */
static int64_t
report_next_try_ns(const struct master_service *service)
{
	struct master_cell_view cell;
	int64_t when_ns = service->next_try_ns;
	int64_t now_ns = clock_monotonic_ns();

	master_cell_view(service->cell, &cell);
	if (service->state == SERVICE_STARTING)
		when_ns = cell.next_try_ns;
	if (when_ns == 0)
		return 0;
	return when_ns > now_ns ? when_ns - now_ns : 1;
}

static json_t *
report_generation(const struct plugin_image *image)
{
	return json_pack("{s:I, s:o, s:s}", "generation", (json_int_t)image->generation,
		"version", varlink_text(image->version), "sha256", image->image.source_sha256);
}

static json_t *
report_lingering(const struct master_service *service)
{
	json_t *array = json_array();

	for (size_t i = 0; i < service->lingering_count; i++)
		json_array_append_new(array, json_pack("{s:I, s:o}",
			"generation", (json_int_t)service->lingering[i].generation,
			"reason", varlink_text(service->lingering[i].reason)));
	return array;
}

static json_t *
report_canary(const struct master_service *service)
{
	const struct service_canary *canary = &service->canary;
	struct probation_counts own, others;

	service_canary_count(service, master_cell_page(service->cell), &own, &others);
	return json_pack("{s:I, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I}",
		"generation", (json_int_t)canary->image->generation,
		"version", varlink_text(canary->image->version),
		"sha256", canary->image->image.source_sha256,
		"share", (json_int_t)canary->share,
		"since_wall_ns", (json_int_t)canary->since_wall_ns,
		"served", report_int(own.ended - own.failed), "failed", report_int(own.failed),
		"others_served", report_int(others.ended - others.failed),
		"others_failed", report_int(others.failed));
}

/* Adds what is known of its code beside the image that it has. */
static bool
report_add_generations(json_t *json, const struct master_service *service)
{
	int64_t left_ns = service->probation.until_ns - clock_monotonic_ns();

	if (json_object_set_new(json, "generation",
		json_integer(service->image != NULL ? service->image->generation : 0)) != 0 ||
	    json_object_set_new(json, "generation_wall_ns", json_integer(service->generation_wall_ns)) != 0 ||
	    json_object_set_new(json, "lingering", report_lingering(service)) != 0)
		return false;
	if (service->former != NULL &&
	    json_object_set_new(json, "former", report_generation(service->former)) != 0)
		return false;
	if (service_canary_runs(service) &&
	    json_object_set_new(json, "canary", report_canary(service)) != 0)
		return false;
	return service->probation.until_ns == 0 ||
		json_object_set_new(json, "probation_ns", json_integer(left_ns > 0 ? left_ns : 1)) == 0;
}

/* The names of a list of the configuration. */
static json_t *
report_names(const char *list)
{
	json_t *names = json_array();
	char name[CONFIG_NAME_MAX + 1];

	while (config_names_next(&list, name))
		json_array_append_new(names, varlink_text(name));
	return names;
}

static bool
report_add_awaited(const struct master_service *awaited, void *arg)
{
	return json_array_append_new(arg, varlink_text(awaited->config->name)) == 0;
}

/* Adds whom it follows, and what that meant for its start. */
static bool
report_add_order(json_t *json, const struct master *master, const struct master_service *service)
{
	const struct config_service *config = service->config;
	json_t *awaited = json_array();

	if (!service_order_each_awaited(service, report_add_awaited, awaited) ||
	    json_object_set(json, "waits_for", awaited) != 0 ||
	    json_object_set_new(json, "requires", report_names(config->requires)) != 0 ||
	    json_object_set_new(json, "wants", report_names(config->wants)) != 0 ||
	    json_object_set_new(json, "after", report_names(config->after)) != 0 ||
	    json_object_set_new(json, "wait_took_ns", json_integer(service->wait_took_ns)) != 0) {
		json_decref(awaited);
		return false;
	}
	json_decref(awaited);
	if (service->delayed_by != NULL && json_object_set_new(json, "delayed_by",
		varlink_text(service->delayed_by->config->name)) != 0)
		return false;
	return service->served_ns == 0 || json_object_set_new(json, "served_after_ns",
		json_integer(service->served_ns - master->started_ns)) == 0;
}

static bool
report_add_health(json_t *json, const struct master_service *service, const struct status_service_view *counts)
{
	struct service_health_view health;

	service_health_look(service, counts, &health);
	return json_object_set_new(json, "health", json_string(health.word)) == 0 && (health.why[0] == '\0' ||
		json_object_set_new(json, "health_reason", varlink_text(health.why)) == 0);
}

static bool
report_add_member(const struct master_service *member, void *arg)
{
	return json_array_append_new(arg, varlink_text(member->config->name)) == 0;
}

static bool
report_add_group(json_t *json, const struct master_service *service)
{
	const struct config_key *key = config_keys_find(&config_group_keys, "strategy");
	json_t *members;

	if (*service->config->group == '\0')
		return true;
	members = json_array();
	if (!service_group_each(service, report_add_member, members)) {
		json_decref(members);
		return false;
	}
	return json_object_set_new(json, "group", json_pack("{s:s, s:s, s:o}", "name", service->config->group,
		"strategy", report_word(key, (int)service_group_strategy(service)), "services", members)) == 0;
}

/* Of the cells that do not let calls to it through as they come. */
static bool
report_add_breakers(json_t *json, const struct master *master, const struct master_service *service)
{
	int64_t now_ns = clock_monotonic_ns();
	json_t *breakers = json_array();
	bool added = true;

	for (size_t i = 0; i < supervisor_cell_count(master->supervisor); i++) {
		const struct master_cell *cell = supervisor_cell(master->supervisor, i);
		struct status_breaker_view view;

		if (!service_guard_look(service, cell, &view))
			continue;
		added = added && json_array_append_new(breakers, json_pack("{s:s, s:s, s:I, s:I, s:I}",
			"cell", master_cell_name(cell),
			"state", service_guard_state_name(view.state),
			"calls", report_int(view.calls),
			"failed", report_int(view.failed),
			"next_try_ns", view.next_ns <= INT64_MAX && (int64_t)view.next_ns > now_ns ?
				(json_int_t)view.next_ns - now_ns : (json_int_t)0)) == 0;
	}
	return json_object_set_new(json, "breakers", breakers) == 0 && added;
}

/* Adds what is not always there. */
static bool
report_add_optional(json_t *json, const struct master_service *service)
{
	int64_t next_try_ns = report_next_try_ns(service);
	const struct service_gate *gate = &service->gate;
	char by[64];

	event_by_print(by, sizeof(by), &gate->by);
	if (gate->state != CELL_GATE_OPEN &&
	    (json_object_set_new(json, "gate", json_string(gate->state == CELL_GATE_PAUSED ? "paused" :
		"drained")) != 0 || json_object_set_new(json, "gate_by", json_string(by)) != 0))
		return false;
	if (service->reason != NULL &&
	    json_object_set_new(json, "reason", varlink_text(service->reason)) != 0)
		return false;
	return next_try_ns == 0 ||
		json_object_set_new(json, "next_try_ns", json_integer(next_try_ns)) == 0;
}

static json_t *
report_configuration(const struct master *master, const struct master_service *service)
{
	const struct config_service *config = service->config;
	const struct plugin_image *image = service->image;

	return json_pack("{s:s, s:s, s:s, s:b, s:s, s:o, s:o, s:o, s:s, s:o, s:I, s:s, s:I, s:I, s:o, s:I, "
		"s:o, s:o, s:b, s:s, s:b}",
		"name", config->name,
		"state", service_gate_state_name(service),
		"cell", master_cell_name(service->cell),
		"isolated", (int)service->apart,
		"plugin", config->plugin,
		"version", varlink_text(image != NULL ? image->version : ""),
		"path", report_source(master, service),
		"image", varlink_text(image != NULL ? image->image.path : ""),
		"sha256", image != NULL ? image->image.sha256 : "",
		"instances", report_instances(config),
		"concurrency", (json_int_t)config->concurrency,
		"overflow", report_overflow_word(config),
		"queue", (json_int_t)config->queue,
		"queue_bytes", report_int(config->queue_bytes),
		"file", varlink_text(config->origin.file != NULL ? config->origin.file : ""),
		"line", (json_int_t)config->origin.line,
		"settings", report_settings(config),
		"listeners", report_listeners(master, config),
		"enabled", (int)config->enabled,
		"origin", config->plugin_file != NULL ? "load" : service->source->dropped_in ? "autoload" : "config",
		"file_gone", (int)service->file_gone);
}

/* All about a service; NULL: no memory. totals is room for the figures. */
static json_t *
report_service(const struct master *master, const struct master_service *service,
	struct service_totals *totals)
{
	const struct status_service_view *counts = &totals->counts;
	json_t *json = report_configuration(master, service);
	json_t *figures;

	supervisor_totals(master->supervisor, service, totals);
	figures = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"in_flight", report_int(counts->in_flight),
		"queued", report_int(counts->queue_length),
		"queued_bytes", report_int(counts->queue_bytes),
		"served", report_int(counts->served),
		"failed", report_int(counts->failed),
		"dropped", report_int(counts->dropped),
		"rejected", report_int(counts->rejected),
		"timeouts", report_int(counts->timeouts),
		"breaker_refused", report_int(counts->breaker_refused),
		"retries", report_int(counts->retries),
		"retries_refused", report_int(counts->retries_refused),
		"restarts", report_int(service->restarts),
		"examine_took_ns", (json_int_t)service->examine_took_ns,
		"start_took_ns", (json_int_t)service->start_took_ns,
		"since_wall_ns", (json_int_t)service->since_wall_ns,
		"uptime_ns", service->state == SERVICE_READY ?
			(json_int_t)(clock_monotonic_ns() - service->since_ns) : (json_int_t)0);
	if (json == NULL || figures == NULL || json_object_update(json, figures) != 0 ||
	    !report_add_generations(json, service) || !report_add_health(json, service, counts) ||
	    !report_add_breakers(json, master, service) || !report_add_group(json, service) ||
	    !report_add_order(json, master, service) || !report_add_optional(json, service)) {
		json_decref(json);
		json = NULL;
	}
	json_decref(figures);
	return json;
}

/* --- one queue ------------------------------------------------------------------------ */

static json_t *
report_queue(const struct master *master, const struct master_service *service,
	struct service_totals *totals)
{
	const struct config_service *config = service->config;
	const struct status_service_view *counts = &totals->counts;
	int64_t now_ns = clock_monotonic_ns();
	int64_t oldest_ns = 0;

	supervisor_totals(master->supervisor, service, totals);
	if (counts->queue_oldest_ns != 0 && counts->queue_oldest_ns < (uint64_t)now_ns)
		oldest_ns = now_ns - (int64_t)counts->queue_oldest_ns;
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I}",
		"service", config->name,
		"queued", report_int(counts->queue_length),
		"bytes", report_int(counts->queue_bytes),
		"limit", (json_int_t)config->queue,
		"limit_bytes", report_int(config->queue_bytes),
		"oldest_ns", (json_int_t)oldest_ns,
		"overflow", report_overflow_word(config),
		"waiting_senders", report_int(counts->waiting_senders),
		"dropped", report_int(counts->dropped),
		"rejected", report_int(counts->rejected),
		"topic_waiting", report_int(counts->topic_waiting),
		"topic_lost", report_int(counts->topic_lost));
}

/* --- statistics -------------------------------------------------------------------------- */

static uint64_t
report_add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* How many took less than 2^10 ns, 2^11, ..., 2^37, and then how many longer. */
enum { REPORT_BUCKETS_FIRST = 10, REPORT_BUCKETS_LAST = 37 };

static json_t *
report_buckets(const struct histogram_counts *counts)
{
	json_t *buckets = json_array();
	uint64_t seen = 0;
	unsigned at = 0;

	for (unsigned power = REPORT_BUCKETS_FIRST; power <= REPORT_BUCKETS_LAST; power++) {
		while (at < HISTOGRAM_BUCKETS && histogram_bucket_last(at) < UINT64_C(1) << power)
			seen = report_add(seen, counts->count[at++]);
		json_array_append_new(buckets, json_integer(report_int(seen)));
	}
	return buckets;
}

static json_t *
report_durations(const struct histogram_counts *counts)
{
	return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I}",
		"buckets", report_buckets(counts),
		"sum_ns", report_int(counts->sum),
		"p50_ns", report_int(histogram_percentile(counts, 50)),
		"p90_ns", report_int(histogram_percentile(counts, 90)),
		"p99_ns", report_int(histogram_percentile(counts, 99)),
		"max_ns", report_int(histogram_percentile(counts, 100)),
		"samples", report_int(counts->total));
}

static json_t *
report_service_stats(const struct master *master, const struct master_service *service,
	struct service_totals *totals)
{
	const struct status_service_view *counts = &totals->counts;

	supervisor_totals(master->supervisor, service, totals);
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
		"s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}",
		"service", service->config->name,
		"state", service_gate_state_name(service),
		"cell", master_cell_name(service->cell),
		"calls", report_int(counts->calls),
		"direct", report_int(counts->direct),
		"queued", report_int(counts->queued),
		"served", report_int(counts->served),
		"failed", report_int(counts->failed),
		"timeouts", report_int(counts->timeouts),
		"canceled", report_int(counts->canceled),
		"dropped", report_int(counts->dropped),
		"rejected", report_int(counts->rejected),
		"breaker_refused", report_int(counts->breaker_refused),
		"breaker_opened", report_int(counts->breaker_opened),
		"retries", report_int(counts->retries),
		"retries_refused", report_int(counts->retries_refused),
		"restarts", report_int(service->restarts),
		"in_flight", report_int(counts->in_flight),
		"queue", report_int(counts->queue_length),
		"queue_bytes", report_int(counts->queue_bytes),
		"tasks", report_int(counts->tasks),
		"cpu_ns", report_int(counts->cpu_ns),
		"memory_bytes", report_int(counts->memory_bytes),
		"stack_used_bytes", report_int(counts->stack_used),
		"stack_bytes", report_int(service->config->stack_bytes),
		"latency", report_durations(&totals->histograms.latency),
		"wait", report_durations(&totals->histograms.wait),
		"total", report_durations(&totals->histograms.total));
}

/* False: no memory. */
static bool
report_add_loop(json_t *loops, const struct master_cell *cell, uint32_t loop)
{
	struct histogram_counts lag = {0};
	struct status_loop_view view;

	status_page_read_loop(master_cell_page(cell), loop, &view);
	status_page_add_lag(master_cell_page(cell), loop, &lag);
	return json_array_append_new(loops, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
		"cell", master_cell_name(cell),
		"loop", (json_int_t)loop,
		"passes", report_int(view.passes),
		"switches", report_int(view.switches),
		"tasks", report_int(view.tasks),
		"stacks", report_int(view.stacks),
		"wakes", report_int(view.wakes),
		"polls", report_int(view.polls),
		"cpu_ns", report_int(view.cpu_ns),
		"lag", report_durations(&lag))) == 0;
}

/* The loops of the cells that run now. */
static json_t *
report_loops(const struct master *master)
{
	json_t *loops = json_array();
	bool added = true;

	for (size_t i = 0; i < supervisor_cell_count(master->supervisor); i++) {
		const struct master_cell *cell = supervisor_cell(master->supervisor, i);
		const struct status_page *page = master_cell_page(cell);

		for (uint32_t loop = 0; page != NULL && loop < page->loops && added; loop++)
			added = report_add_loop(loops, cell, loop);
	}
	if (added)
		return loops;
	json_decref(loops);
	return NULL;
}

/* --- the commands --------------------------------------------------------------------------- */

typedef json_t *report_fn(const struct master *master, const struct master_service *service,
	struct service_totals *totals);

/* An array with the report of each service, or of only; NULL: no memory. */
static json_t *
report_each(const struct master *master, const struct master_service *only, report_fn *report)
{
	struct service_totals *totals = xcalloc(1, sizeof(*totals));
	json_t *array = json_array();

	for (size_t i = 0; i < supervisor_count(master->supervisor); i++) {
		const struct master_service *service = supervisor_service(master->supervisor, i);

		if (only != NULL && service != only)
			continue;
		if (json_array_append_new(array, report(master, service, totals)) != 0) {
			json_decref(array);
			array = NULL;
			break;
		}
	}
	free(totals);
	return array;
}

void
admin_list(struct admin_request *request, struct master *master)
{
	admin_answer(request, json_pack("{s:o}", "services",
		report_each(master, NULL, report_service)));
}

void
admin_status(struct admin_request *request, struct master *master)
{
	struct master_service *service = admin_find_service(request, master);
	struct service_totals *totals;

	if (service == NULL)
		return;
	totals = xcalloc(1, sizeof(*totals));
	admin_answer(request, json_pack("{s:o, s:o, s:o}",
		"service", report_service(master, service, totals),
		"log", admin_log_last_lines(master->ring, service->config->name, STATUS_LOG_LINES),
		"silent_loops", silent_loops_report(master, service)));
	free(totals);
}

void
admin_queues(struct admin_request *request, struct master *master)
{
	admin_answer(request, json_pack("{s:o}", "queues", report_each(master, NULL, report_queue)));
}

void
admin_stats(struct admin_request *request, struct master *master)
{
	const struct master_service *only = NULL;

	if (admin_service_argument(request) != NULL) {
		only = admin_find_service(request, master);
		if (only == NULL)
			return;
	}
	admin_answer(request, json_pack("{s:o, s:o}",
		"services", report_each(master, only, report_service_stats),
		"loops", report_loops(master)));
}
