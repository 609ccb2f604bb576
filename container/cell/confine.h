/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving up everything that looking at a stranger's code does not need. */
#ifndef BAY_CELL_CONFINE_H
#define BAY_CELL_CONFINE_H

/*
 * Makes this process harmless: few resources, no core dumps, no files grown, no new
 * privileges, the user nobody if it was root, a process group of its own, and dead with its
 * parent. What the system does not allow is logged and left out. At the start of a process.
 */
void confine_process(void);

#endif
