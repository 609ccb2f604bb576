/* SPDX-License-Identifier: BSD-2-Clause */
/* Tasks of a plugin in a real cell: starting, switching, waiting by the hundred thousand. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/cell_process.h"

enum { SLEEP_MS = 3000 };

static void
bench_print_sleepers(const char *label, const char *what, double value, const char *unit)
{
	char scenario[64];

	snprintf(scenario, sizeof(scenario), "%s%s", label, what);
	bench_print(scenario, value, unit);
}

/* count tasks sleep for as long: what each costs beyond the sleep. */
static void
bench_sleepers(const char *label, long count, int64_t stack_bytes)
{
	struct cell_process cell;
	char text[64], reply[128];
	double ns, rss, pte, latest_ns, early;

	cell_process_start(&cell, 1);
	cell_process_serve(&cell, &(struct cell_service){.name = "driver", .plugin = "bench_driver",
		.stack_bytes = stack_bytes, .timeout_ns = 600 * (int64_t)CLOCK_NS_PER_S});
	snprintf(text, sizeof(text), "sleepers - %ld %d", count, SLEEP_MS);
	cell_process_call(&cell, "driver", text, reply, sizeof(reply));
	if (sscanf(reply, "%lf %lf %lf %lf %lf", &ns, &rss, &pte, &latest_ns, &early) != 5) {
		fprintf(stderr, "the driver said %s\n", reply);
		exit(1);
	}
	bench_print_sleepers(label, "", ns / (double)count, "ns");
	bench_print_sleepers(label, "_resident", (rss + pte) / 1024, "KiB");
	bench_print_sleepers(label, "_page_tables", pte / 1024, "KiB");
	bench_print_sleepers(label, "_last_late", latest_ns / CLOCK_NS_PER_MS, "ms");
	bench_print_sleepers(label, "_early", early, "tasks");
	cell_process_end(&cell);
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
	bench_sleepers("sleepers_100k", 100000, 0);
	bench_sleepers("sleepers_1m", 1000000, 32 << 10);
	return 0;
}
