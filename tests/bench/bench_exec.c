/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services that are programs: cat, which gives back what it is sent, as a process for each call
 * and as workers. Four callers have four of either.
 */
#include "config.h"

#include "bench/cell_process.h"

int
main(void)
{
	struct cell_process cell;

	cell_process_start(&cell, 1);
	cell_process_serve(&cell, &(struct cell_service){.name = "driver", .plugin = "bench_driver"});
	cell_process_serve(&cell, &(struct cell_service){.name = "once", .plugin = "exec", .sample = true,
		.setting = "command", .value = "cat"});
	cell_process_serve(&cell, &(struct cell_service){.name = "line", .plugin = "exec", .sample = true,
		.setting = "command", .value = "cat", .setting2 = "mode", .value2 = "line"});
	cell_process_serve(&cell, &(struct cell_service){.name = "length", .plugin = "exec", .sample = true,
		.setting = "command", .value = "cat", .setting2 = "mode", .value2 = "length"});
	cell_process_measure(&cell, "exec_once", "call", "once", 300, 1);
	cell_process_measure(&cell, "exec_once_4", "call_together", "once", 600, 4);
	cell_process_measure(&cell, "exec_line", "call", "line", 10000, 1);
	cell_process_measure(&cell, "exec_line_4", "call_together", "line", 20000, 4);
	cell_process_measure(&cell, "exec_length", "call", "length", 10000, 1);
	cell_process_end(&cell);
	return 0;
}
