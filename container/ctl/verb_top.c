/* SPDX-License-Identifier: BSD-2-Clause */
/* bayctl top: what the services use, looked at again and again. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/ctl.h"
#include "ctl/screen.h"
#include "ctl/show.h"
#include "ctl/table.h"
#include "ctl/top_figures.h"
#include "ctl/verbs.h"

/* Until there is something to compare the first look with. */
#define TOP_FIRST_NS (200 * CLOCK_NS_PER_MS)

/* Loops that are told above the services, at most. */
enum { TOP_LOOPS = 8 };

struct top {
	struct ctl *ctl;
	const struct top_order *order;
	json_t *before;       /* two replies, or NULL */
	json_t *now;
	int64_t before_ns;    /* when they came */
	int64_t now_ns;
};

/* Looks once. False: ctl->error says why not. */
static bool
top_look(struct top *top)
{
	struct ctl_reply reply;

	if (!ctl_ask(top->ctl, INTERFACE_STATS, NULL, &reply))
		return false;
	json_decref(top->before);
	top->before = top->now;
	top->before_ns = top->now_ns;
	top->now = json_incref(json_object_get(reply.frame, "parameters"));
	top->now_ns = clock_monotonic_ns();
	ctl_reply_finish(&reply);
	return true;
}

static json_t *
top_make(const struct top *top)
{
	int64_t interval_ns = top->before != NULL ? top->now_ns - top->before_ns : 0;

	return top_figures(top->before, top->now, interval_ns, top->order);
}

/* --- for people ------------------------------------------------------------------------------- */

static void
top_cell_printf(struct table *table, const char *format, double value)
{
	char text[32];

	snprintf(text, sizeof(text), format, value);
	table_text(table, PRINT_PLAIN, text);
}

/* "12.3", or "1230" where there is no room for less than one. */
static void
top_cell_number(struct table *table, double value)
{
	top_cell_printf(table, value < 99.95 ? "%.1f" : "%.0f", value);
}

static void
top_row(struct table *table, const json_t *service)
{
	const char *state = view_text(service, "state");

	table_text(table, PRINT_PLAIN, view_text(service, "service"));
	table_text(table, print_state_style(state), state);
	top_cell_number(table, json_number_value(json_object_get(service, "cpu_percent")));
	top_cell_number(table, json_number_value(json_object_get(service, "calls_per_s")));
	top_cell_number(table, json_number_value(json_object_get(service, "failed_per_s")));
	table_int(table, view_int(service, "tasks"));
	table_int(table, view_int(service, "queue"));
	if (json_is_integer(json_object_get(service, "latency_p99_ns")))
		table_duration(table, view_int(service, "latency_p99_ns"));
	else
		table_text(table, PRINT_PLAIN, "");
	table_size(table, view_int(service, "memory_bytes"));
}

static void
top_table(struct print *print, const json_t *figures, bool heading)
{
	static const struct table_column columns[] = {
		{"SERVICE", TABLE_LEFT}, {"STATE", TABLE_LEFT | TABLE_USEFUL}, {"CPU%", TABLE_RIGHT},
		{"CALLS/s", TABLE_RIGHT}, {"FAILED/s", TABLE_RIGHT | TABLE_USEFUL}, {"TASKS", TABLE_RIGHT},
		{"QUEUE", TABLE_RIGHT | TABLE_USEFUL}, {"P99", TABLE_RIGHT | TABLE_USEFUL}, {"MEMORY", TABLE_RIGHT}};
	const json_t *services = json_object_get(figures, "services");
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));

	for (size_t i = 0; i < json_array_size(services); i++)
		top_row(table, json_array_get(services, i));
	table_print(table, print, heading);
	table_destroy(table);
}

/* "loops  main/0 12%  main/1 3%, late 1.2ms", as far as the line goes. */
static void
top_print_loops(struct print *print, const json_t *loops)
{
	unsigned left = print->columns > 5 ? print->columns - 5 : 0;

	fputs("loops", print->file);
	for (size_t i = 0; i < json_array_size(loops) && i < TOP_LOOPS; i++) {
		const json_t *loop = json_array_get(loops, i);
		int64_t lag_ns = view_int(loop, "lag_p99_ns");
		char *cell = print_escape(view_text(loop, "cell"));
		char text[128], lag[CLOCK_TEXT_SIZE];
		unsigned width;

		clock_format_duration(lag, sizeof(lag), lag_ns);
		snprintf(text, sizeof(text), "  %s/%" PRId64 " %.0f%%%s%s", cell, view_int(loop, "loop"),
			json_number_value(json_object_get(loop, "cpu_percent")), lag_ns > 0 ? " late " : "",
			lag_ns > 0 ? lag : "");
		free(cell);
		width = print_width(text);
		if (print->columns != 0 && width > left)
			break;
		left -= width;
		fputs(text, print->file);
	}
	fputc('\n', print->file);
}

/* The line above all, cut at the edge. */
static void
top_print_title(struct print *print, const struct top *top)
{
	char text[256], wall[CLOCK_TEXT_SIZE];
	size_t services = json_array_size(json_object_get(top->now, "services"));

	clock_format_wall(wall, sizeof(wall), clock_wall_ns());
	snprintf(text, sizeof(text), "%s  %zu services by %s  (crftwlmn: order, q: quit)", wall, services,
		top->order->word);
	fprintf(print->file, "%.*s\n", (int)print_fit(text, print->columns), text);
}

/* The whole screen as text, malloc'd; NULL: no memory. */
static char *
top_frame(const struct top *top)
{
	struct print print = top->ctl->out;
	json_t *figures = top_make(top);
	char *text = NULL;
	size_t size;

	print.columns = screen_size().columns;
	print.file = open_memstream(&text, &size);
	if (print.file != NULL) {
		top_print_title(&print, top);
		top_print_loops(&print, json_object_get(figures, "loops"));
		fputc('\n', print.file);
		top_table(&print, figures, true);
		fclose(print.file);
	}
	json_decref(figures);
	return text;
}

/* Until the time of the next look. False: q. */
static bool
top_attend(struct top *top, int64_t until_ns)
{
	for (;;) {
		char *frame = top_frame(top);
		const struct top_order *order;
		int key;

		if (frame != NULL)
			screen_draw(frame);
		free(frame);
		do
			key = screen_wait(until_ns);
		while (key >= 0 && key != 'q' && key != ' ' && top_order_of_key(key) == NULL);
		order = top_order_of_key(key);
		if (order != NULL)
			top->order = order;
		else if (key != SCREEN_DRAW)
			return key != 'q';
	}
}

static enum interface_exit
top_watch(struct top *top)
{
	int64_t interval_ns = top->ctl->options.interval_ns;
	bool looked = top_look(top);
	bool goes_on = looked;

	if (!looked)
		return ctl_fail(top->ctl);
	fflush(top->ctl->out.file);
	screen_open(STDIN_FILENO, fileno(top->ctl->out.file));
	while (goes_on) {
		goes_on = top_attend(top, top->now_ns + (top->before != NULL ? interval_ns : TOP_FIRST_NS));
		if (goes_on)
			goes_on = looked = top_look(top);
	}
	screen_close();
	return looked ? INTERFACE_EXIT_DONE : ctl_fail(top->ctl);
}

/* --- for others --------------------------------------------------------------------------------- */

static void
top_print(const struct top *top)
{
	struct ctl *ctl = top->ctl;
	json_t *figures = top_make(top);

	if (ctl->options.json)
		ctl_print_json(ctl, NULL, figures);
	else
		top_table(&ctl->out, figures, !ctl->options.quiet);
	json_decref(figures);
	fflush(ctl->out.file);
}

/* Each between two looks. */
static enum interface_exit
top_list(struct top *top)
{
	const struct ctl_options *options = &top->ctl->options;
	bool again = options->json && !options->once;

	if (!top_look(top))
		return ctl_fail(top->ctl);
	do {
		usleep((useconds_t)(options->interval_ns / CLOCK_NS_PER_US));
		if (!top_look(top))
			return ctl_fail(top->ctl);
		top_print(top);
	} while (again && !ferror(top->ctl->out.file));
	return INTERFACE_EXIT_DONE;
}

enum interface_exit
verb_top(struct ctl *ctl)
{
	struct top top = {.ctl = ctl, .order = &top_orders[0]};
	enum interface_exit exit;

	if (ctl->options.sort != NULL)
		top.order = top_order_find(ctl->options.sort);
	if (top.order == NULL) {
		ctl_error_set(&ctl->error, INTERFACE_EXIT_USAGE, CTL_CODE_USAGE, "--sort wants %s, not \"%s\"",
			option_rows[OPTION_SORT].value, ctl->options.sort);
		return ctl_fail(ctl);
	}
	if (ctl->out.is_tty && !ctl->options.json && !ctl->options.once)
		exit = top_watch(&top);
	else
		exit = top_list(&top);
	json_decref(top.before);
	json_decref(top.now);
	return exit;
}
