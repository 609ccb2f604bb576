/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that are answered by many replies: printed as they come. */
#ifndef BAY_CTL_STREAM_H
#define BAY_CTL_STREAM_H

#include <jansson.h>

#include "ctl/ctl.h"

/* Prints the parameters of one reply for people. Of the last reply they may be empty. */
typedef void stream_print_fn(struct ctl *ctl, const json_t *parameters);

/*
 * Calls the method (its full name) with parameters, which are taken, and prints each reply: by
 * print, or with --json as an object a line. what is what comes ("lines"), subject what is
 * followed ("the log"). Returns the exit code.
 */
enum interface_exit stream_run(struct ctl *ctl, const char *method, json_t *parameters,
	stream_print_fn *print, const char *what, const char *subject);

#endif
