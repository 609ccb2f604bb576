/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/show.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/table.h"

/* --- queues ------------------------------------------------------------------ */

static void
show_queue_row(struct table *table, const json_t *queue)
{
	table_text(table, PRINT_PLAIN, view_text(queue, "service"));
	table_int(table, view_int(queue, "queued"));
	table_int(table, view_int(queue, "limit"));
	table_size(table, view_int(queue, "bytes"));
	table_size(table, view_int(queue, "limit_bytes"));
	if (view_int(queue, "queued") > 0)
		table_duration(table, view_int(queue, "oldest_ns"));
	else
		table_text(table, PRINT_PLAIN, "");
	table_text(table, PRINT_PLAIN, view_text(queue, "overflow"));
	table_int(table, view_int(queue, "waiting_senders"));
	table_int(table, view_int(queue, "dropped"));
	table_int(table, view_int(queue, "rejected"));
	table_int(table, view_int(queue, "topic_waiting"));
	table_int(table, view_int(queue, "topic_lost"));
}

void
show_queues(struct print *print, const json_t *reply, bool heading)
{
	static const struct table_column columns[] = {
		{"SERVICE", TABLE_LEFT}, {"QUEUED", TABLE_RIGHT}, {"LIMIT", TABLE_RIGHT},
		{"BYTES", TABLE_RIGHT}, {"LIMIT", TABLE_RIGHT | TABLE_SPARE}, {"OLDEST", TABLE_RIGHT},
		{"WHEN-FULL", TABLE_LEFT | TABLE_SPARE}, {"WAITING", TABLE_RIGHT}, {"DROPPED", TABLE_RIGHT},
		{"REJECTED", TABLE_RIGHT}, {"TOPICS", TABLE_RIGHT | TABLE_SPARE}, {"LOST", TABLE_RIGHT}};
	const json_t *queues = json_object_get(reply, "queues");
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));

	for (size_t i = 0; i < json_array_size(queues); i++)
		show_queue_row(table, json_array_get(queues, i));
	table_print(table, print, heading);
	table_destroy(table);
}

/* --- stats ------------------------------------------------------------------- */

/* A percentile, or nothing when there are no samples to make it from. */
static void
show_duration_cell(struct table *table, const json_t *durations, const char *name)
{
	if (view_int(durations, "samples") > 0)
		table_duration(table, view_int(durations, name));
	else
		table_text(table, PRINT_PLAIN, "");
}

static void
show_stats_row(struct table *table, const json_t *service)
{
	const json_t *latency = json_object_get(service, "latency");
	const json_t *wait = json_object_get(service, "wait");

	table_text(table, PRINT_PLAIN, view_text(service, "service"));
	table_int(table, view_int(service, "calls"));
	table_int(table, view_int(service, "direct"));
	table_int(table, view_int(service, "served"));
	table_int(table, view_int(service, "failed"));
	table_duration(table, view_int(service, "cpu_ns"));
	table_int(table, view_int(service, "tasks"));
	show_duration_cell(table, latency, "p50_ns");
	show_duration_cell(table, latency, "p99_ns");
	show_duration_cell(table, latency, "max_ns");
	show_duration_cell(table, wait, "p99_ns");
	table_size(table, view_int(service, "memory_bytes") + view_int(service, "queue_bytes"));
	table_size(table, view_int(service, "stack_used_bytes"));
}

static void
show_loops(struct print *print, const json_t *loops, bool heading)
{
	static const struct table_column all[] = {
		{"CELL", TABLE_LEFT}, {"LOOP", TABLE_RIGHT}, {"CPU", TABLE_RIGHT}, {"LAG-P99", TABLE_RIGHT},
		{"LAG-MAX", TABLE_RIGHT}, {"PASSES", TABLE_RIGHT | TABLE_SPARE}, {"SWITCHES", TABLE_RIGHT},
		{"TASKS", TABLE_RIGHT}, {"STACKS", TABLE_RIGHT}, {"WAKES", TABLE_RIGHT | TABLE_SPARE},
		{"POLLS", TABLE_RIGHT}};
	bool cells = show_has_cells(loops);
	struct table *table = table_create(all + !cells, sizeof(all) / sizeof(*all) - !cells);

	for (size_t i = 0; i < json_array_size(loops); i++) {
		const json_t *loop = json_array_get(loops, i);

		if (cells)
			table_text(table, PRINT_PLAIN, view_text(loop, "cell"));
		table_int(table, view_int(loop, "loop"));
		table_duration(table, view_int(loop, "cpu_ns"));
		show_duration_cell(table, json_object_get(loop, "lag"), "p99_ns");
		show_duration_cell(table, json_object_get(loop, "lag"), "max_ns");
		table_int(table, view_int(loop, "passes"));
		table_int(table, view_int(loop, "switches"));
		table_int(table, view_int(loop, "tasks"));
		table_int(table, view_int(loop, "stacks"));
		table_int(table, view_int(loop, "wakes"));
		table_int(table, view_int(loop, "polls"));
	}
	table_print(table, print, heading);
	table_destroy(table);
}

void
show_stats(struct print *print, const json_t *reply, bool heading)
{
	static const struct table_column columns[] = {
		{"SERVICE", TABLE_LEFT}, {"CALLS", TABLE_RIGHT}, {"DIRECT", TABLE_RIGHT | TABLE_SPARE},
		{"SERVED", TABLE_RIGHT | TABLE_USEFUL}, {"FAILED", TABLE_RIGHT}, {"CPU", TABLE_RIGHT},
		{"TASKS", TABLE_RIGHT}, {"P50", TABLE_RIGHT | TABLE_SPARE}, {"P99", TABLE_RIGHT},
		{"MAX", TABLE_RIGHT | TABLE_SPARE}, {"WAIT-P99", TABLE_RIGHT | TABLE_USEFUL},
		{"MEMORY", TABLE_RIGHT}, {"STACK", TABLE_RIGHT}};
	const json_t *services = json_object_get(reply, "services");
	const json_t *loops = json_object_get(reply, "loops");
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));

	for (size_t i = 0; i < json_array_size(services); i++)
		show_stats_row(table, json_array_get(services, i));
	table_print(table, print, heading);
	table_destroy(table);
	if (json_array_size(loops) > 0) {
		fputc('\n', print->file);
		show_loops(print, loops, heading);
	}
}

/* --- one service ------------------------------------------------------------- */

static void
show_durations(struct print *print, const char *name, const json_t *durations)
{
	char p50[CLOCK_TEXT_SIZE];
	char p90[CLOCK_TEXT_SIZE];
	char p99[CLOCK_TEXT_SIZE];
	char max[CLOCK_TEXT_SIZE];

	if (view_int(durations, "samples") == 0)
		return;
	clock_format_duration(p50, sizeof(p50), view_int(durations, "p50_ns"));
	clock_format_duration(p90, sizeof(p90), view_int(durations, "p90_ns"));
	clock_format_duration(p99, sizeof(p99), view_int(durations, "p99_ns"));
	clock_format_duration(max, sizeof(max), view_int(durations, "max_ns"));
	show_fact_printf(print, name, "p50 %s, p90 %s, p99 %s, max %s (%" PRId64 " %s)",
		p50, p90, p99, max, view_int(durations, "samples"),
		text_number((uint64_t)view_int(durations, "samples"), "sample", "samples"));
}

void
show_service_stats(struct print *print, const json_t *reply)
{
	const json_t *service = json_array_get(json_object_get(reply, "services"), 0);
	char cpu[CLOCK_TEXT_SIZE];
	char memory[32];
	char queued[32];

	print_text(print, view_text(service, "service"));
	fputc('\n', print->file);
	show_fact_printf(print, "calls", "%" PRId64 ": %" PRId64 " direct, %" PRId64 " queued",
		view_int(service, "calls"), view_int(service, "direct"), view_int(service, "queued"));
	show_fact_printf(print, "served", "%" PRId64, view_int(service, "served"));
	show_fact_printf(print, "failed", "%" PRId64 " (timeouts %" PRId64 ", canceled %" PRId64 ")",
		view_int(service, "failed"), view_int(service, "timeouts"),
		view_int(service, "canceled"));
	show_fact_printf(print, "refused", "%" PRId64 " rejected, %" PRId64 " dropped",
		view_int(service, "rejected"), view_int(service, "dropped"));
	show_fact(print, "cpu", clock_format_duration(cpu, sizeof(cpu), view_int(service, "cpu_ns")));
	show_fact_printf(print, "tasks", "%" PRId64 ", of them %" PRId64 " handling requests",
		view_int(service, "tasks"), view_int(service, "in_flight"));
	text_format_size(memory, sizeof(memory), (uint64_t)view_int(service, "memory_bytes"));
	text_format_size(queued, sizeof(queued), (uint64_t)view_int(service, "queue_bytes"));
	show_fact_printf(print, "memory", "%s bytes, and %s in the queue", memory, queued);
	if (view_int(service, "stack_used_bytes") > 0) {
		text_format_size(memory, sizeof(memory), (uint64_t)view_int(service, "stack_used_bytes"));
		text_format_size(queued, sizeof(queued), (uint64_t)view_int(service, "stack_bytes"));
		show_fact_printf(print, "stack", "%s bytes used at most, of %s", memory, queued);
	}
	show_durations(print, "latency", json_object_get(service, "latency"));
	show_durations(print, "wait", json_object_get(service, "wait"));
	show_durations(print, "total", json_object_get(service, "total"));
}
