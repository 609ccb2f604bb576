/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines of the source that a report of a crash has addresses of: read from the objects where they
 * lay, if these are the same still, by their build-ids, and from the debug packages of the system.
 */
#ifndef BAY_CTL_CRASH_LINES_H
#define BAY_CTL_CRASH_LINES_H

#include <jansson.h>

/*
 * Gives the frames and awaits of a Crash object "where", like "sleeper.c:23", as far as it is known. The
 * paths in a report are the word of a process that went wrong: read is only what is a file of root's or
 * ours that not everybody may write. Without libdw nothing is added.
 */
void crash_lines_add(json_t *crash);

#endif
