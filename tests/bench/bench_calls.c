/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls from service to service in a real cell: each squares an integer, the request message
 * is used again, the reply is freed.
 */
#include "config.h"

#include "bench/cell_process.h"

/* Caller and callee on one loop. */
static void
bench_one_loop(void)
{
	struct cell_process cell;

	cell_process_start(&cell, 1);
	cell_process_serve(&cell, &(struct cell_service){.name = "driver", .plugin = "bench_driver"});
	cell_process_serve(&cell, &(struct cell_service){.name = "leaf", .plugin = "bench_leaf"});
	cell_process_serve(&cell, &(struct cell_service){.name = "plain", .plugin = "bench_plain"});
	cell_process_serve(&cell, &(struct cell_service){.name = "yields", .plugin = "bench_plain",
		.setting = "yields", .value = "1"});
	/* As many callers as the peers' scenario of that name has, all in flight at once. */
	cell_process_serve(&cell, &(struct cell_service){.name = "wide", .plugin = "bench_plain",
		.concurrency = 1000, .setting = "yields", .value = "1"});
	/* One at a time and two callers: one of them always has to queue. */
	cell_process_serve(&cell, &(struct cell_service){.name = "single", .plugin = "bench_plain",
		.concurrency = 1, .setting = "yields", .value = "1"});
	cell_process_serve(&cell, &(struct cell_service){.name = "leaf_guarded", .plugin = "bench_leaf", .breaker = 50});
	cell_process_serve(&cell, &(struct cell_service){.name = "guarded", .plugin = "bench_plain", .breaker = 50});
	cell_process_measure(&cell, "call_leaf", "call", "leaf", 5000000, 1);
	cell_process_measure(&cell, "call", "call", "plain", 3000000, 1);
	cell_process_measure(&cell, "call_leaf_breaker", "call", "leaf_guarded", 5000000, 1);
	cell_process_measure(&cell, "call_breaker", "call", "guarded", 3000000, 1);
	cell_process_measure(&cell, "call_parks", "call", "yields", 1000000, 1);
	cell_process_measure(&cell, "call_queued", "call_together", "single", 300000, 2);
	cell_process_measure(&cell, "pipeline", "call_together", "wide", 1000000, 1000);
	cell_process_end(&cell);
}

/* The driver is alone on loop 0, the others are on loop 1. */
static void
bench_two_loops(void)
{
	struct cell_process cell;

	cell_process_start(&cell, 2);
	cell_process_serve(&cell, &(struct cell_service){.name = "driver", .plugin = "bench_driver"});
	cell_process_serve(&cell, &(struct cell_service){.name = "far", .plugin = "bench_leaf"});
	cell_process_measure(&cell, "call_cross", "call", "far", 50000, 1);
	cell_process_measure(&cell, "pipeline_cross", "call_together", "far", 200000, 200);
	cell_process_end(&cell);
}

int
main(void)
{
	bench_one_loop();
	bench_two_loops();
	return 0;
}
