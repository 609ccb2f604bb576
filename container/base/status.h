/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of <bay/status.h> back to numbers. */
#ifndef BAY_BASE_STATUS_H
#define BAY_BASE_STATUS_H

#include <bay/status.h>

#include <stdbool.h>

/* Bytes of room for status_text. */
#define STATUS_ROOM 64

/* As bay_status_name prints it. False: no such status; *status_r is then untouched. Any thread. */
bool status_parse(const char *name, enum bay_status *status_r)
	__attribute__((warn_unused_result));

/* For a sentence on what failed: the name, or in words that plugin code has returned a number
 * that is none, in room (STATUS_ROOM). Any thread. */
const char *status_text(int status, char *room);

#endif
