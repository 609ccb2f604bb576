/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of a container by itself, kept to be looked at. A line is "LEVEL SUBJECT: TEXT", or
 * "LEVEL TEXT" without a subject. Any thread, but a line is borrowed until solo_log_clear().
 */
#ifndef BAY_SOLO_SOLO_LOG_H
#define BAY_SOLO_SOLO_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* Lines that are kept; of more, the first are forgotten. */
enum { SOLO_LOG_MAX = 10000 };

/* Keeps lines of this level ("info", ...) and above from now on, and writes them to standard
 * error too if shown. False: there is no such level. */
bool solo_log_begin(const char *level, bool shown);

/* The log goes to standard error again, and is forgotten. */
void solo_log_end(void);

size_t solo_log_count(void);

/* From the oldest; NULL: there is none. */
const char *solo_log_line(size_t index);

void solo_log_clear(void);

/* Lines that say what a service has left open. */
size_t solo_log_left_open(void);

#endif
