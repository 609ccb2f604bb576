/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last words of a cell: which signal, at which address, in whose code; or who called
 * exit(). They go into the status page, which outlives us, before the end takes its course.
 */
#ifndef BAY_CELL_CRASH_H
#define BAY_CELL_CRASH_H

#include <stdint.h>

struct status_page;

/* Handles the signals of a crash, and exit(), from now on, before whoever handles them now;
 * page is copied and must never be closed: its owner is gone when exit() is called. Once. */
void crash_install(const struct status_page *page);

/* The descriptor that is written to when a crash has been written down, before the process ends:
 * who reads its other end hears of it before a core is written. It stays the caller's. */
void crash_tell(int fd);

/* The calling thread is this loop: where it is can be asked from now on by CRASH_STALL_SIGNAL,
 * sent to it; the answer is in the page. After crash_install(). */
void crash_use_loop(uint32_t loop);

/* Writes down what code is loaded, which has changed. One thread at a time. */
void crash_see_objects(void);

/* Gives the calling thread a stack for the handler: the task's own may be what overflowed.
 * Each thread; without it an overflow in that thread ends the process without a word. */
void crash_use_thread(void);

/* The calling thread, which is no loop, runs code of the service in this slot from now on:
 * loads or unloads it. STATUS_NO_SLOT: it does so no more. One thread. */
void crash_set_loading(uint32_t slot);

/* Puts our handlers back where somebody has taken their place. Returns the first signal for
 * which that was so, 0: none. Any thread. */
int crash_handle_again(void);

/* Frees it again, before the thread ends. */
void crash_leave_thread(void);

#endif
