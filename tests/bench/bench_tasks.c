/* SPDX-License-Identifier: BSD-2-Clause */
/* Tasks of a plugin in a real cell: starting, switching, waiting by the hundred thousand. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/cell_process.h"

enum { SLEEP_MS = 3000 };

/* What a run of sleepers brought, in the order in which the driver says it. */
enum { BEYOND_NS, RESIDENT, PAGE_TABLES, LATEST_NS, EARLY, FIGURES };

static const struct {
	const char *suffix;
	double unit;
	const char *unit_name;
} figures[FIGURES] = {
	[BEYOND_NS] = {"", 1, "ns"},
	[RESIDENT] = {"_resident", 1024, "KiB"},
	[PAGE_TABLES] = {"_page_tables", 1024, "KiB"},
	[LATEST_NS] = {"_last_late", CLOCK_NS_PER_MS, "ms"},
	[EARLY] = {"_early", 1, "tasks"},
};

/* Count tasks sleep for as long, in a cell of their own, whose memory nobody has used. */
static void
sleep_once(long count, int64_t stack_bytes, double values[FIGURES])
{
	struct cell_process cell;
	char text[64], reply[128];

	cell_process_start(&cell, 1);
	cell_process_serve(&cell, &(struct cell_service){.name = "driver", .plugin = "bench_driver",
		.stack_bytes = stack_bytes, .timeout_ns = 600 * (int64_t)CLOCK_NS_PER_S});
	snprintf(text, sizeof(text), "sleepers - %ld %d", count, SLEEP_MS);
	cell_process_call(&cell, "driver", text, reply, sizeof(reply));
	if (sscanf(reply, "%lf %lf %lf %lf %lf", &values[BEYOND_NS], &values[RESIDENT],
			&values[PAGE_TABLES], &values[LATEST_NS], &values[EARLY]) != FIGURES) {
		fprintf(stderr, "the driver said %s\n", reply);
		exit(1);
	}
	values[BEYOND_NS] /= (double)count;
	values[RESIDENT] += values[PAGE_TABLES];
	cell_process_end(&cell);
}

/* What each of count tasks costs beyond the sleep. It takes long: at most max_runs times. */
static void
bench_sleepers(const char *label, long count, int64_t stack_bytes, int max_runs)
{
	int runs = bench_runs() < max_runs ? bench_runs() : max_runs;
	double values[FIGURES][BENCH_RUNS_MAX], once[FIGURES];
	char scenario[64];

	if (!bench_wanted(label))
		return;
	for (int run = 0; run < runs; run++) {
		sleep_once(count, stack_bytes, once);
		for (int i = 0; i < FIGURES; i++)
			values[i][run] = once[i] / figures[i].unit;
	}
	for (int i = 0; i < FIGURES; i++) {
		snprintf(scenario, sizeof(scenario), "%s%s", label, figures[i].suffix);
		bench_print(scenario, values[i], runs, figures[i].unit_name);
	}
}

int
main(void)
{
	struct cell_process cell;

	cell_process_start(&cell, 1);
	cell_process_serve(&cell, &(struct cell_service){.name = "driver", .plugin = "bench_driver"});
	cell_process_measure(&cell, "yield", "yield", "-", 10000000, 2);
	cell_process_measure(&cell, "yield_1000", "yield", "-", 5000000, 1000);
	cell_process_measure(&cell, "spawn", "spawn", "-", 2000000, 1);
	cell_process_measure(&cell, "spawn_gather", "spawn_gather", "-", 500000, 1);
	cell_process_end(&cell);
	bench_sleepers("sleepers_100k", 100000, 0, 3);
	bench_sleepers("sleepers_1m", 1000000, 32 << 10, 1);
	return 0;
}
