/* SPDX-License-Identifier: BSD-2-Clause */
/* Channels between tasks of one loop, and a service's queue that several loops serve. */
#include "config.h"

#include "bench/cell_process.h"

int
main(void)
{
	struct cell_process cell;

	cell_process_start(&cell, 1);
	cell_process_serve(&cell, &(struct cell_service){.name = "driver", .plugin = "bench_driver"});
	cell_process_serve(&cell, &(struct cell_service){.name = "sink", .plugin = "bench_sink",
		.overflow = CELL_OVERFLOW_WAIT});
	cell_process_measure(&cell, "queue", "channel", "-", 10000000, 1);
	cell_process_measure(&cell, "queue_mpmc", "channel", "-", 10000000, 4);
	cell_process_measure(&cell, "queue_rendezvous", "rendezvous", "-", 3000000, 1);
	cell_process_measure(&cell, "topic", "topic", "-", 3000000, 1);
	cell_process_measure(&cell, "topic_8_readers", "topic", "-", 8000000, 8);
	cell_process_measure(&cell, "send", "send", "sink", 500000, 1);
	cell_process_end(&cell);

	cell_process_start(&cell, 2);
	cell_process_serve(&cell, &(struct cell_service){.name = "driver", .plugin = "bench_driver"});
	cell_process_serve(&cell, &(struct cell_service){.name = "sink", .plugin = "bench_sink",
		.instances = -1, .overflow = CELL_OVERFLOW_WAIT});
	cell_process_measure(&cell, "send_two_loops", "send", "sink", 500000, 4);
	cell_process_end(&cell);
	return 0;
}
