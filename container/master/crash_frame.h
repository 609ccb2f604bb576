/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names the places of a trace by the files of the objects: which one, which function in it. The
 * symbols of each file are read once. Master only; never suspends, but reads files.
 */
#ifndef BAY_MASTER_CRASH_FRAME_H
#define BAY_MASTER_CRASH_FRAME_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/crash_area.h"

struct buffer;
struct crash_names;

/* area is borrowed. */
struct crash_names *crash_names_create(const struct crash_area *area);
void crash_names_destroy(struct crash_names *names);

/* A Frame object of the interface; the caller's. */
json_t *crash_names_report(struct crash_names *names, uint64_t address);

/* Appends "handle+0x1f in square.3.so". False: no memory. */
bool crash_names_print(struct crash_names *names, uint64_t address, struct buffer *text);

#endif
