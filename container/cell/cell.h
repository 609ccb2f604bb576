/* SPDX-License-Identifier: BSD-2-Clause */
/* A cell: the process that loads plugins and runs services. */
#ifndef BAY_CELL_CELL_H
#define BAY_CELL_CELL_H

/* Runs a cell on the descriptors that bayd passes to its children (protocol/cell_link.h),
 * until bayd says Shutdown or goes away. Returns the exit code. The mode "run". */
int cell_run(int argc, char **argv);

#endif
