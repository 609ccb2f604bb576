/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole of a terminal, for what is drawn again and again. While it is taken, lines are
 * drawn on its second page without a cursor, and keys come one by one. However the process
 * ends or is stopped by a signal that can be caught, the terminal is given back first, and taken
 * again when it goes on.
 *
 * One at a time, since there is one terminal and signals belong to the process.
 */
#ifndef BAY_CTL_SCREEN_H
#define BAY_CTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct screen_size {
	unsigned rows;
	unsigned columns;
};

/* Takes the terminal behind out; keys are read from in, which may be something else. */
void screen_open(int in, int out);

/* Gives it back. */
void screen_close(void);

/* How large it is now. */
struct screen_size screen_size(void);

/* Draws text of whole lines from the top on, by one write: of each line, and below the last one,
 * what was there before is gone. Lines that do not fit are left out. */
void screen_draw(const char *text);

enum {
	SCREEN_TIME = -1, /* the time has come */
	SCREEN_DRAW = -2  /* it has another size, or was away */
};

/* Waits for a key, which it returns, at most until then (clock_monotonic_ns). */
int screen_wait(int64_t until_ns);

#endif
