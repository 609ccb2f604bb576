/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the files of the configuration again, beside the one that is in force. What cannot be meant
 * is no configuration: an editor that is at work leaves a file empty for a moment, a lost disk leaves
 * it empty for longer, and a directory of files that is not mounted has none.
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_RELOAD_READ_H
#define BAY_MASTER_RELOAD_READ_H

#include <stdbool.h>

struct config;
struct config_report;

/* False: complaints have been added to report. *partly_r is what could be read, also then, the
 * caller's; NULL: nothing. */
bool reload_read(const struct config *before, struct config **partly_r,
	struct config_report *report)
	__attribute__((warn_unused_result));

#endif
