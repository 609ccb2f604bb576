/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last words of a cell: which signal, at which address, in whose code. They go into the
 * status page, which outlives us, before the signal takes its course.
 */
#ifndef BAY_CELL_CRASH_H
#define BAY_CELL_CRASH_H

struct status_page;

/* Handles the signals of a crash from now on, before whoever handles them now; page is
 * borrowed for ever. */
void crash_install(struct status_page *page);

/* Gives the calling thread a stack for the handler: the task's own may be what overflowed.
 * Each thread; without it an overflow in that thread ends the process without a word. */
void crash_use_thread(void);

/* Frees it again, before the thread ends. */
void crash_leave_thread(void);

#endif
