/* SPDX-License-Identifier: BSD-2-Clause */
/* From the ini files to a configuration that is wholly right, or to all that is wrong. */
#ifndef BAY_CONFIG_CONFIG_LOAD_H
#define BAY_CONFIG_CONFIG_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config_data.h"
#include "config/config_report.h"

/*
 * Reads the file at path and what it includes; report is empty before. True: *config_r is the whole configuration,
 * for the caller to destroy. False: it is NULL, and report has every complaint. Settings of
 * plugins are not checked: nobody knows them yet (config_unknown_setting_text).
 *
 * Main thread of the master only.
 */
bool config_load(const char *path, struct config **config_r, struct config_report *report)
	__attribute__((warn_unused_result));

/*
 * The same, but gives what could be read even when there are complaints: to look for more of
 * them, never to run. NULL: nothing could be read.
 */
struct config *config_load_partly(const char *path, struct config_report *report)
	__attribute__((warn_unused_result));

/*
 * The same from memory, as if it were the file at path, of which only the directory must
 * exist. Includes are refused.
 */
bool config_load_memory(const char *path, const void *data, size_t size,
	struct config **config_r, struct config_report *report)
	__attribute__((warn_unused_result));

#endif
