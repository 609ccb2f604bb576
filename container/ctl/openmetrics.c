/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/openmetrics.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "ctl/print.h"

enum metric_kind {
	METRIC_COUNTER,   /* its name ends with _total */
	METRIC_GAUGE,
	METRIC_HISTOGRAM, /* of a Durations object */
	METRIC_STATE      /* a gauge: 1 when the member is the word "ready" */
};

struct metric {
	const char *name;   /* of the family */
	enum metric_kind kind;
	const char *member; /* of the object */
	bool ns;            /* the member counts nanoseconds, the metric seconds */
	const char *unit;   /* which the name ends with, or NULL */
	const char *help;
};

static const struct metric service_metrics[] = {
	{"bay_service_ready", METRIC_STATE, "state", false, NULL, "Whether the service is ready."},
	{"bay_service_restarts_total", METRIC_COUNTER, "restarts", false, NULL, "Starts after failures."},
	{"bay_service_calls_total", METRIC_COUNTER, "calls", false, NULL, "Messages that came, in whatever way."},
	{"bay_service_direct_total", METRIC_COUNTER, "direct", false, NULL,
		"Messages that were handled without the queue."},
	{"bay_service_queued_total", METRIC_COUNTER, "queued", false, NULL, "Messages that came into the queue."},
	{"bay_service_served_total", METRIC_COUNTER, "served", false, NULL, "Messages that were answered well."},
	{"bay_service_failed_total", METRIC_COUNTER, "failed", false, NULL, "Messages that failed in any way."},
	{"bay_service_timeouts_total", METRIC_COUNTER, "timeouts", false, NULL,
		"Messages that failed because their deadline had passed."},
	{"bay_service_canceled_total", METRIC_COUNTER, "canceled", false, NULL,
		"Messages that failed because they were cancelled."},
	{"bay_service_dropped_total", METRIC_COUNTER, "dropped", false, NULL,
		"Messages that were dropped because the queue was full."},
	{"bay_service_rejected_total", METRIC_COUNTER, "rejected", false, NULL,
		"Messages that were not let into the queue."},
	{"bay_service_breaker_refused_total", METRIC_COUNTER, "breaker_refused", false, NULL,
		"Calls that a breaker refused."},
	{"bay_service_breaker_opened_total", METRIC_COUNTER, "breaker_opened", false, NULL,
		"Times that a breaker opened."},
	{"bay_service_retries_total", METRIC_COUNTER, "retries", false, NULL,
		"Requests that were sent again after the end of their cell."},
	{"bay_service_retries_refused_total", METRIC_COUNTER, "retries_refused", false, NULL,
		"Requests that were not sent again, the retry budget being spent."},
	{"bay_service_cpu_seconds_total", METRIC_COUNTER, "cpu_ns", true, NULL,
		"Time of a processor that its code has had."},
	{"bay_service_in_flight", METRIC_GAUGE, "in_flight", false, NULL, "Messages that are being handled."},
	{"bay_service_queue_length", METRIC_GAUGE, "queue", false, NULL, "Messages in the queue."},
	{"bay_service_queue_bytes", METRIC_GAUGE, "queue_bytes", false, "bytes", "Bytes of the messages in the queue."},
	{"bay_service_tasks", METRIC_GAUGE, "tasks", false, NULL, "Tasks that are alive."},
	{"bay_service_memory_bytes", METRIC_GAUGE, "memory_bytes", false, "bytes", "What its plugin has allocated."},
	{"bay_service_stack_used_bytes", METRIC_GAUGE, "stack_used_bytes", false, "bytes",
		"The most of a stack that a sample of its handlers needed."},
	{"bay_service_stack_bytes", METRIC_GAUGE, "stack_bytes", false, "bytes", "The size of its stacks."},
	{"bay_service_queue_wait_seconds", METRIC_HISTOGRAM, "wait", true, "seconds", "Time in the queue."},
	{"bay_service_handler_seconds", METRIC_HISTOGRAM, "latency", true, "seconds",
		"Time from the begin of the handler to the reply; a sample of what was handled without the queue."},
	{"bay_service_latency_seconds", METRIC_HISTOGRAM, "total", true, "seconds",
		"Time in the queue and in the handler; a sample of what was handled without the queue."},
};

static const struct metric loop_metrics[] = {
	{"bay_loop_passes_total", METRIC_COUNTER, "passes", false, NULL, "Turns of the loop."},
	{"bay_loop_switches_total", METRIC_COUNTER, "switches", false, NULL, "Switches from task to task."},
	{"bay_loop_wakes_total", METRIC_COUNTER, "wakes", false, NULL, "Times that the loop slept."},
	{"bay_loop_polls_total", METRIC_COUNTER, "polls", false, NULL, "Times that it asked for events."},
	{"bay_loop_cpu_seconds_total", METRIC_COUNTER, "cpu_ns", true, NULL,
		"Time of a processor that its thread has had."},
	{"bay_loop_tasks", METRIC_GAUGE, "tasks", false, NULL, "Tasks that are alive."},
	{"bay_loop_stacks", METRIC_GAUGE, "stacks", false, NULL, "Stacks that are mapped."},
	{"bay_loop_lag_seconds", METRIC_HISTOGRAM, "lag", true, "seconds",
		"Time for which timers and descriptors were not looked at."},
};

/* Of the buckets of a Durations object the first has what took less than 2^10 ns. */
enum { METRICS_FIRST_POWER = 10 };

struct metrics {
	FILE *file;
	enum metrics_form form;
	const char *const *labels; /* names of members, up to NULL */
};

/* --- one sample -------------------------------------------------------------------------- */

static void
metrics_escape(FILE *file, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\' || *text == '"')
			fputc('\\', file);
		if (*text == '\n')
			fputs("\\n", file);
		else
			fputc(*text, file);
	}
}

static void
metrics_label(FILE *file, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	fprintf(file, "%s=\"", name);
	if (json_is_integer(value))
		fprintf(file, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else
		metrics_escape(file, view_text(object, name));
	fputc('"', file);
}

/* "name_suffix{service=\"a\",le=\"...\"} ", without le when that is NULL. */
static void
metrics_head(const struct metrics *metrics, const json_t *object, const char *name, const char *suffix,
	const char *le)
{
	fprintf(metrics->file, "%s%s{", name, suffix);
	for (const char *const *label = metrics->labels; *label != NULL; label++) {
		metrics_label(metrics->file, object, *label);
		fputs(label[1] != NULL ? "," : "", metrics->file);
	}
	if (le != NULL)
		fprintf(metrics->file, ",le=\"%s\"", le);
	fputs("} ", metrics->file);
}

/* Exact, and with a point whatever the locale says. */
static void
metrics_format_seconds(char *text, size_t size, int64_t ns)
{
	if (ns < 0)
		ns = 0;
	snprintf(text, size, "%" PRId64 ".%09" PRId64, ns / 1000000000, ns % 1000000000);
}

static void
metrics_value(const struct metrics *metrics, const struct metric *metric, int64_t value)
{
	char seconds[32];

	if (value < 0)
		value = 0;
	if (metric->ns) {
		metrics_format_seconds(seconds, sizeof(seconds), value);
		fprintf(metrics->file, "%s\n", seconds);
		return;
	}
	fprintf(metrics->file, "%" PRId64 "\n", value);
}

/* What does not add up, since nobody stands still meanwhile, is made to: each bucket has at least
 * what the one before it has, and no more than all. */
static void
metrics_histogram(const struct metrics *metrics, const struct metric *metric, const json_t *object)
{
	const json_t *durations = json_object_get(object, metric->member);
	const json_t *buckets = json_object_get(durations, "buckets");
	int64_t all = view_int(durations, "samples");
	int64_t seen = 0;
	char le[32];

	if (all < 0)
		all = 0;
	for (size_t i = 0; i < json_array_size(buckets) && i + METRICS_FIRST_POWER < 63; i++) {
		int64_t count = json_integer_value(json_array_get(buckets, i));

		if (count > seen)
			seen = count < all ? count : all;
		metrics_format_seconds(le, sizeof(le), (INT64_C(1) << (i + METRICS_FIRST_POWER)) - 1);
		metrics_head(metrics, object, metric->name, "_bucket", le);
		fprintf(metrics->file, "%" PRId64 "\n", seen);
	}
	metrics_head(metrics, object, metric->name, "_bucket", "+Inf");
	fprintf(metrics->file, "%" PRId64 "\n", all);
	metrics_head(metrics, object, metric->name, "_sum", NULL);
	metrics_value(metrics, metric, view_int(durations, "sum_ns"));
	metrics_head(metrics, object, metric->name, "_count", NULL);
	fprintf(metrics->file, "%" PRId64 "\n", all);
}

static void
metrics_sample(const struct metrics *metrics, const struct metric *metric, const json_t *object)
{
	if (metric->kind == METRIC_HISTOGRAM) {
		metrics_histogram(metrics, metric, object);
		return;
	}
	metrics_head(metrics, object, metric->name, "", NULL);
	if (metric->kind == METRIC_STATE)
		fprintf(metrics->file, "%d\n", strcmp(view_text(object, metric->member), "ready") == 0);
	else
		metrics_value(metrics, metric, view_int(object, metric->member));
}

/* --- families ------------------------------------------------------------------------------ */

/* A counter is named x_total by both forms, but its family x by OpenMetrics and x_total by the other:
 * to be right for both, it says no type. */
static const char *
metrics_type(const struct metrics *metrics, const struct metric *metric)
{
	switch (metric->kind) {
	case METRIC_COUNTER:
		return metrics->form == METRICS_PROMETHEUS ? "counter" : NULL;
	case METRIC_HISTOGRAM:
		return "histogram";
	default:
		return "gauge";
	}
}

static void
metrics_family(const struct metrics *metrics, const struct metric *metric, const json_t *objects)
{
	const char *type = metrics_type(metrics, metric);

	fprintf(metrics->file, "# HELP %s %s\n", metric->name, metric->help);
	if (type != NULL)
		fprintf(metrics->file, "# TYPE %s %s\n", metric->name, type);
	if (metric->unit != NULL && metrics->form == METRICS_OPENMETRICS)
		fprintf(metrics->file, "# UNIT %s %s\n", metric->name, metric->unit);
	for (size_t i = 0; i < json_array_size(objects); i++)
		metrics_sample(metrics, metric, json_array_get(objects, i));
}

void
openmetrics_print(FILE *file, const json_t *reply, enum metrics_form form)
{
	static const char *const of_service[] = {"service", NULL};
	static const char *const of_loop[] = {"cell", "loop", NULL};
	const struct metrics services = {.file = file, .form = form, .labels = of_service};
	const struct metrics loops = {.file = file, .form = form, .labels = of_loop};

	for (size_t i = 0; i < sizeof(service_metrics) / sizeof(*service_metrics); i++)
		metrics_family(&services, &service_metrics[i], json_object_get(reply, "services"));
	for (size_t i = 0; i < sizeof(loop_metrics) / sizeof(*loop_metrics); i++)
		metrics_family(&loops, &loop_metrics[i], json_object_get(reply, "loops"));
	if (form == METRICS_OPENMETRICS)
		fputs("# EOF\n", file);
}
