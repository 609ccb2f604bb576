/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/show.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/table.h"

void
show_crashes(struct print *print, const json_t *crashes, bool heading)
{
	static const struct table_column columns[] = {
		{"NUMBER", TABLE_RIGHT}, {"TIME", TABLE_LEFT | TABLE_USEFUL}, {"SERVICE", TABLE_LEFT},
		{"CELL", TABLE_LEFT | TABLE_SPARE}, {"KIND", TABLE_LEFT}, {"TASK", TABLE_LEFT | TABLE_USEFUL},
		{"WHAT", TABLE_LAST}};
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));

	for (size_t i = 0; i < json_array_size(crashes); i++) {
		const json_t *crash = json_array_get(crashes, i);
		char time[CLOCK_TEXT_SIZE];

		clock_format_wall(time, sizeof(time), view_int(crash, "time_wall_ns"));
		table_int(table, view_int(crash, "number"));
		table_text(table, PRINT_PLAIN, time);
		table_text(table, PRINT_PLAIN, view_text(crash, "service"));
		table_text(table, PRINT_PLAIN, view_text(crash, "cell"));
		table_text(table, PRINT_BAD, view_text(crash, "kind"));
		table_text(table, PRINT_PLAIN, view_text(crash, "task"));
		table_text(table, PRINT_PLAIN, view_text(crash, "text"));
	}
	table_print(table, print, heading);
	table_destroy(table);
}

/* "handle+0x1f at square.c:42 in square.3.so (build-id 0123456789ab)" */
static void
show_place(struct print *print, const json_t *frame)
{
	const char *function = view_text(frame, "function");
	const char *object = view_text(frame, "object");
	const char *build_id = view_text(frame, "build_id");
	const char *where = view_text(frame, "where");

	if (*function != '\0') {
		print_text(print, function);
		fprintf(print->file, "+0x%" PRIx64, (uint64_t)view_int(frame, "offset"));
	} else {
		print_text(print, *object != '\0' ? view_text(frame, "in_object") : view_text(frame, "address"));
	}
	if (*where != '\0') {
		fputs(" at ", print->file);
		print_text(print, where);
	}
	if (*object != '\0') {
		fputs(" in ", print->file);
		print_text(print, object);
	}
	if (*build_id != '\0') {
		fputs(" (build-id ", print->file);
		print_text(print, build_id);
		fputc(')', print->file);
	}
}

static void
show_frames(struct print *print, const json_t *frames)
{
	if (json_array_size(frames) > 0)
		fputs("frames, the innermost first:\n", print->file);
	for (size_t i = 0; i < json_array_size(frames); i++) {
		fprintf(print->file, "  #%-2zu ", i);
		show_place(print, json_array_get(frames, i));
		fputc('\n', print->file);
	}
}

static void
show_awaits(struct print *print, const json_t *awaits)
{
	if (json_array_size(awaits) > 0)
		fputs("what the task had waited in, the last first:\n", print->file);
	for (size_t i = 0; i < json_array_size(awaits); i++) {
		const json_t *await = json_array_get(awaits, i);

		fputs("  ", print->file);
		print_text(print, view_text(await, "await"));
		fputs(", called by ", print->file);
		show_place(print, await);
		fputc('\n', print->file);
	}
}

static void
show_crash_events(struct print *print, const json_t *events)
{
	char time[CLOCK_TEXT_SIZE];

	if (json_array_size(events) > 0)
		fputs("last lines of the cell:\n", print->file);
	for (size_t i = 0; i < json_array_size(events); i++) {
		const json_t *event = json_array_get(events, i);

		clock_format_wall(time, sizeof(time), view_int(event, "time_wall_ns"));
		fprintf(print->file, "  %s ", time);
		print_text(print, view_text(event, "level"));
		fputc(' ', print->file);
		print_text(print, view_text(event, "text"));
		fputc('\n', print->file);
	}
}

static void
show_crash_message(struct print *print, const json_t *crash)
{
	const json_t *message = json_object_get(crash, "message");
	int64_t size = view_int(crash, "message_size");

	if (json_object_get(crash, "message_size") == NULL)
		return;
	if (!json_is_string(message)) {
		show_fact_printf(print, "message", "%" PRId64 " bytes, which are not shown (crash_content)", size);
		return;
	}
	show_fact_printf(print, "message", "%" PRId64 " bytes, which begin with", size);
	show_fact(print, "", *json_string_value(message) != '\0' ? json_string_value(message) : "nothing");
}

void
show_crash(struct print *print, const json_t *crash)
{
	char time[CLOCK_TEXT_SIZE];

	fprintf(print->file, "crash %" PRId64 ": ", view_int(crash, "number"));
	print_styled(print, PRINT_BAD, view_text(crash, "kind"));
	fputc('\n', print->file);
	show_fact(print, "what", view_text(crash, "text"));
	clock_format_wall(time, sizeof(time), view_int(crash, "time_wall_ns"));
	show_fact(print, "time", time);
	show_fact(print, "service", view_text(crash, "service"));
	show_fact(print, "task", view_text(crash, "task"));
	if (json_object_get(crash, "generation") != NULL)
		show_fact_printf(print, "generation", "%" PRId64, view_int(crash, "generation"));
	show_fact(print, "plugin", view_text(crash, "plugin"));
	show_fact(print, "version", view_text(crash, "version"));
	show_fact(print, "sha256", view_text(crash, "sha256"));
	show_fact(print, "cell", view_text(crash, "cell"));
	show_fact_printf(print, "process", "%" PRId64, view_int(crash, "pid"));
	show_fact(print, "thread", view_text(crash, "thread"));
	show_fact(print, "signal", view_text(crash, "signal"));
	show_fact(print, "address", view_text(crash, "fault_address"));
	show_crash_message(print, crash);
	show_fact(print, "trace", view_text(crash, "trace"));
	show_frames(print, json_object_get(crash, "frames"));
	show_awaits(print, json_object_get(crash, "awaits"));
	show_crash_events(print, json_object_get(crash, "events"));
}

void
show_dead_letters(struct print *print, const json_t *letters, bool heading)
{
	static const struct table_column columns[] = {
		{"NUMBER", TABLE_RIGHT}, {"TIME", TABLE_LEFT}, {"FROM CELL", TABLE_LEFT},
		{"CRASHES", TABLE_RIGHT}, {"BYTES", TABLE_RIGHT}};
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));

	for (size_t i = 0; i < json_array_size(letters); i++) {
		const json_t *letter = json_array_get(letters, i);
		char time[CLOCK_TEXT_SIZE];

		clock_format_wall(time, sizeof(time), view_int(letter, "time_wall_ns"));
		table_int(table, view_int(letter, "number"));
		table_text(table, PRINT_PLAIN, time);
		table_text(table, PRINT_PLAIN, view_text(letter, "sender"));
		table_int(table, view_int(letter, "crashes"));
		table_int(table, view_int(letter, "size"));
	}
	table_print(table, print, heading);
	table_destroy(table);
}
