/* SPDX-License-Identifier: BSD-2-Clause */
/* The way of requests through the services, as it is recorded while somebody looks. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/traceparent.h"
#include "ctl/stream.h"
#include "ctl/table.h"
#include "ctl/verbs.h"
#include "protocol/varlink.h"

/* What is deeper stands no further to the right. */
enum { TRACE_LEVELS_SHOWN = 32 };

/* What was called stands below what has called it. */
static void
trace_row_name(struct table *table, const json_t *hop)
{
	int64_t level = view_int(hop, "level");
	char name[2 * TRACE_LEVELS_SHOWN + 64];

	if (level > TRACE_LEVELS_SHOWN)
		level = TRACE_LEVELS_SHOWN;
	snprintf(name, sizeof(name), "%*s%.60s", (int)(2 * level), "", view_text(hop, "service"));
	table_text(table, PRINT_PLAIN, name);
}

static void
trace_row(struct table *table, const json_t *hop)
{
	const char *status = json_is_true(json_object_get(hop, "crashed")) ? "crashed" : view_text(hop, "status");
	bool waited = strcmp(view_text(hop, "way"), "direct") != 0;
	char way[32];

	trace_row_name(table, hop);
	table_text(table, PRINT_PLAIN, view_text(hop, "cell"));
	snprintf(way, sizeof(way), "%s%.16s", json_is_true(json_object_get(hop, "one_way")) ? "sent, " : "",
		view_text(hop, "way"));
	table_text(table, PRINT_PLAIN, way);
	table_duration(table, view_int(hop, "start_ns"));
	if (waited)
		table_duration(table, view_int(hop, "wait_ns"));
	else
		table_text(table, PRINT_PLAIN, "");
	table_duration(table, view_int(hop, "run_ns"));
	table_duration(table, view_int(hop, "total_ns"));
	table_text(table, strcmp(status, "ok") == 0 ? PRINT_PLAIN : PRINT_BAD, status);
}

static void
trace_print_request(struct ctl *ctl, const json_t *request)
{
	static const struct table_column columns[] = {
		{"SERVICE", TABLE_LEFT}, {"CELL", TABLE_LEFT | TABLE_SPARE}, {"WAY", TABLE_LEFT},
		{"AT", TABLE_RIGHT | TABLE_SPARE}, {"WAIT", TABLE_RIGHT}, {"RUN", TABLE_RIGHT}, {"TOTAL", TABLE_RIGHT},
		{"STATUS", TABLE_LAST}};
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));
	const char *caller = view_text(request, "caller");
	int64_t left_out = view_int(request, "left_out");
	char text[CLOCK_TEXT_SIZE];
	const json_t *hop;
	size_t i;

	clock_format_wall(text, sizeof(text), view_int(request, "time_wall_ns"));
	fprintf(ctl->out.file, "%s trace ", text);
	print_text(&ctl->out, view_text(request, "trace"));
	if (*caller != '\0') {
		fputs(" from ", ctl->out.file);
		print_text(&ctl->out, caller);
	}
	fputs(json_is_true(json_object_get(request, "continues")) ? " (goes on)\n" : "\n", ctl->out.file);
	json_array_foreach(json_object_get(request, "hops"), i, hop)
		trace_row(table, hop);
	table_print(table, &ctl->out, !ctl->options.quiet);
	table_destroy(table);
	if (left_out > 0)
		fprintf(ctl->out.file, "(and %lld hops more)\n", (long long)left_out);
}

static void
trace_print_begin(struct ctl *ctl, const char *service, bool slow)
{
	char text[CLOCK_TEXT_SIZE];

	if (ctl->options.quiet)
		return;
	fprintf(ctl->err.file, "tracing service ");
	print_text(&ctl->err, service);
	if (ctl->options.for_ns != 0)
		fprintf(ctl->err.file, " for %s", clock_format_duration(text, sizeof(text), ctl->options.for_ns));
	fputs(slow ? ", but not yet on a loop that does not answer\n" : "\n", ctl->err.file);
	fflush(ctl->err.file);
}

static void
trace_print_reply(struct ctl *ctl, const json_t *parameters)
{
	const json_t *request = json_object_get(parameters, "request");
	const json_t *ended = json_object_get(parameters, "ended");
	const char *begun = view_text(parameters, "begun");

	if (*begun != '\0')
		trace_print_begin(ctl, begun, json_is_true(json_object_get(parameters, "slow")));
	if (view_int(parameters, "lost") > 0)
		fprintf(ctl->out.file, "(%lld hops are lost here: there are more than can be told)\n",
			(long long)view_int(parameters, "lost"));
	if (request != NULL)
		trace_print_request(ctl, request);
	if (ended != NULL && !ctl->options.quiet)
		fprintf(ctl->err.file, "%lld requests, %lld hops lost\n", (long long)view_int(ended, "requests"),
			(long long)view_int(ended, "lost"));
}

enum interface_exit
verb_trace(struct ctl *ctl)
{
	const char *header = ctl->options.traceparent;
	struct traceparent only;
	json_t *parameters;

	/* Of a call a header that is none counts as not there; here that would be all requests. */
	if (header != NULL && !traceparent_parse(header, strlen(header), &only)) {
		ctl_error_set(&ctl->error, INTERFACE_EXIT_USAGE, CTL_CODE_USAGE, "--traceparent: '%.80s' is not valid: it has "
			"the form of 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", header);
		return ctl_fail(ctl);
	}
	parameters = json_pack("{s:o}", "service", varlink_text(ctl->options.arguments[0]));
	if (ctl->options.for_ns != 0)
		json_object_set_new(parameters, "for_ns", json_integer(ctl->options.for_ns));
	if (ctl->options.limit != 0)
		json_object_set_new(parameters, "limit", json_integer(ctl->options.limit));
	if (header != NULL)
		json_object_set_new(parameters, "traceparent", varlink_text(header));
	/* Nothing may pass for a long time. */
	ctl->options.follow = true;
	return stream_run(ctl, INTERFACE_NAME ".Trace", parameters, trace_print_reply, "requests", "the service");
}
