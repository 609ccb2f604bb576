/* SPDX-License-Identifier: BSD-2-Clause */
/* Locks and their like between tasks of one loop: alone, and handed from task to task. */
#include "config.h"

#include "bench/cell_process.h"

int
main(void)
{
	struct cell_process cell;

	cell_process_start(&cell, 1);
	cell_process_serve(&cell, &(struct cell_service){.name = "driver", .plugin = "bench_driver"});
	cell_process_measure(&cell, "lock_uncontended", "lock", "-", 20000000, 1);
	cell_process_measure(&cell, "lock_handed_on", "lock_handed_on", "-", 3000000, 4);
	cell_process_measure(&cell, "semaphore_uncontended", "semaphore", "-", 20000000, 1);
	cell_process_end(&cell);
	return 0;
}
