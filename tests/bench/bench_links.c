/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls from one cell to another, over a link of shared memory. */
#include "config.h"

#include "bench/cell_process.h"

int
main(void)
{
	struct cell_process a, b;

	cell_process_start(&a, 1);
	cell_process_start(&b, 1);
	cell_process_serve(&b, &(struct cell_service){.name = "leaf", .plugin = "bench_leaf"});
	cell_process_serve(&b, &(struct cell_service){.name = "echo", .plugin = "bench_echo"});
	cell_process_serve(&b, &(struct cell_service){.name = "sink", .plugin = "bench_sink"});
	cell_process_serve(&a, &(struct cell_service){.name = "driver", .plugin = "bench_driver"});
	cell_process_link(&a, &b);
	cell_process_elsewhere(&a, "leaf", "b");
	cell_process_elsewhere(&a, "echo", "b");
	cell_process_elsewhere(&a, "sink", "b");
	cell_process_measure(&a, "call_isolated", "call", "leaf", 200000, 1);
	cell_process_measure(&a, "pipeline_isolated", "call_64_bytes_together", "echo", 1000000, 200);
	cell_process_measure(&a, "send_isolated", "send", "sink", 1000000, 200);
	cell_process_measure(&a, "call_isolated_64_bytes", "call_bytes", "echo", 200000, 64);
	cell_process_measure(&a, "call_isolated_64k", "call_bytes", "echo", 2000, 64 << 10);
	cell_process_measure(&a, "call_isolated_64m", "call_bytes", "echo", 5, 64 << 20);
	cell_process_serve(&b, &(struct cell_service){.name = "reader", .plugin = "bench_reader"});
	cell_process_interest(&a, "b", "bench.*");
	cell_process_measure(&a, "publish_isolated", "publish", "reader", 1000000, 1);
	cell_process_end(&a);
	cell_process_end(&b);
	return 0;
}
