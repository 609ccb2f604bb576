/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a code address to the place in the source: "sleeper.c:23", or "sleeper.so+0x11d2"
 * without debug information or without libdw.
 */
#ifndef BAY_CELL_SOURCE_LINE_H
#define BAY_CELL_SOURCE_LINE_H

#include <stddef.h>
#include <stdint.h>

struct source_lines;

/* Knows the code that is in the process now. Takes some milliseconds. Any thread. */
struct source_lines *source_lines_open(void);
void source_lines_close(struct source_lines *lines);

/* The place from which the function that returns to address was called; "" if unknown. */
void source_lines_find(struct source_lines *lines, uintptr_t address, char *text, size_t size);

#endif
