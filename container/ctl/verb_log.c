/* SPDX-License-Identifier: BSD-2-Clause */
/* The log and the events: many replies to one call. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/traceparent.h"
#include "ctl/stream.h"
#include "ctl/verbs.h"

static json_t *
log_parameters(const struct ctl *ctl)
{
	const char *service = ctl->options.arguments[0];
	json_t *parameters = json_pack("{s:I, s:b}", "lines", (json_int_t)ctl->options.lines,
		"follow", (int)ctl->options.follow);

	if (service != NULL)
		json_object_set_new(parameters, "service", varlink_text(service));
	return parameters;
}

/* --- log --------------------------------------------------------------------- */

static void
log_print_line(struct ctl *ctl, const json_t *parameters)
{
	print_text(&ctl->out, view_text(parameters, "line"));
	fputc('\n', ctl->out.file);
}

enum interface_exit
verb_log(struct ctl *ctl)
{
	const char *trace = ctl->options.trace;
	struct trace_id id;
	json_t *parameters;

	if (trace != NULL && !trace_id_parse(trace, &id)) {
		ctl_error_set(&ctl->error, INTERFACE_EXIT_USAGE, CTL_CODE_USAGE, "--trace: '%.80s' is not valid: it has "
			"the form of 4bf92f3577b34da6a3ce929d0e0e4736, the second part of a traceparent", trace);
		return ctl_fail(ctl);
	}
	parameters = log_parameters(ctl);
	if (trace != NULL)
		json_object_set_new(parameters, "trace", varlink_text(trace));
	return stream_run(ctl, INTERFACE_NAME ".Log", parameters, log_print_line, "lines", "the log");
}

/* --- events ------------------------------------------------------------------ */

static enum print_style
event_style(const char *kind)
{
	static const struct {
		const char *kind;
		enum print_style style;
	} styles[] = {
		{"started", PRINT_GOOD}, {"restarted", PRINT_GOOD}, {"swapped", PRINT_GOOD},
		{"promoted", PRINT_GOOD}, {"aborted", PRINT_BAD}, {"up", PRINT_GOOD}, {"asked", PRINT_FAINT},
		{"failed", PRINT_BAD}, {"crashed", PRINT_BAD}, {"gave-up", PRINT_BAD},
		{"unhealthy", PRINT_BAD}, {"healthy", PRINT_GOOD},
		{"breaker-open", PRINT_BAD}, {"breaker-half-open", PRINT_BUSY}, {"breaker-closed", PRINT_GOOD},
		{"refused", PRINT_BAD}, {"rolled-back", PRINT_BAD}, {"trouble", PRINT_BAD},
		{"lingers", PRINT_BUSY}, {"file-gone", PRINT_BUSY},
	};

	for (size_t i = 0; i < sizeof(styles) / sizeof(*styles); i++)
		if (strcmp(styles[i].kind, kind) == 0)
			return styles[i].style;
	return PRINT_PLAIN;
}

/* Who asked, unless the daemon did by itself. */
static void
event_print_by(struct ctl *ctl, const json_t *event)
{
	const char *by = view_text(event, "by");

	if (strcmp(by, "supervisor") == 0)
		return;
	fputs(" by ", ctl->out.file);
	print_text(&ctl->out, by);
	if (strcmp(by, "user") == 0)
		fprintf(ctl->out.file, " %lld, process %lld", (long long)view_int(event, "uid"),
			(long long)view_int(event, "pid"));
}

static void
event_print(struct ctl *ctl, const json_t *event)
{
	const char *service = view_text(event, "service");
	const char *plugin = view_text(event, "plugin");
	const char *why = view_text(event, "why");
	int64_t took_ns = view_int(event, "took_ns");
	char text[CLOCK_TEXT_SIZE];

	clock_format_wall(text, sizeof(text), view_int(event, "time_wall_ns"));
	fprintf(ctl->out.file, "%s %5lld ", text, (long long)view_int(event, "number"));
	if (*service == '\0' && *plugin != '\0')
		fputs("plugin ", ctl->out.file);
	print_text(&ctl->out, *service != '\0' ? service : *plugin != '\0' ? plugin : "bayd");
	fputc(' ', ctl->out.file);
	print_styled(&ctl->out, event_style(view_text(event, "kind")), view_text(event, "kind"));
	if (view_int(event, "generation") != 0)
		fprintf(ctl->out.file, ", generation %lld", (long long)view_int(event, "generation"));
	event_print_by(ctl, event);
	if (took_ns != 0)
		fprintf(ctl->out.file, " (%s)", clock_format_duration(text, sizeof(text), took_ns));
	if (*why != '\0') {
		fputs(": ", ctl->out.file);
		print_text(&ctl->out, why);
	}
	fputc('\n', ctl->out.file);
}

static void
event_print_gap(struct ctl *ctl, const json_t *lost)
{
	if (json_is_true(json_object_get(lost, "restarted")))
		fprintf(ctl->out.file, "(the daemon was started again: its events follow from the first "
			"one on)\n");
	else
		fprintf(ctl->out.file, "(%lld events are lost here, since only so many are kept: "
			"read faster)\n", (long long)view_int(lost, "count"));
}

static void
event_print_reply(struct ctl *ctl, const json_t *parameters)
{
	const json_t *event = json_object_get(parameters, "event");
	const json_t *lost = json_object_get(parameters, "lost");

	if (lost != NULL)
		event_print_gap(ctl, lost);
	if (event != NULL)
		event_print(ctl, event);
}

enum interface_exit
verb_events(struct ctl *ctl)
{
	json_t *parameters = log_parameters(ctl);

	if (ctl->options.since >= 0)
		json_object_set_new(parameters, "since", json_integer(ctl->options.since));
	return stream_run(ctl, INTERFACE_NAME ".Events", parameters, event_print_reply, "events",
		"the events");
}
