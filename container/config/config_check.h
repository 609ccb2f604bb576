/* SPDX-License-Identifier: BSD-2-Clause */
/* What can only be done when every file has been read. */
#ifndef BAY_CONFIG_CONFIG_CHECK_H
#define BAY_CONFIG_CONFIG_CHECK_H

struct config;
struct config_report;

/*
 * Makes the paths absolute: a path is relative to the directory of the file that it stands
 * in, a default to that of the main file, and some are relative to runtime_dir.
 */
void config_resolve_paths(struct config *config, struct config_report *report);

/* Complains of values that are each right and do not go together. */
void config_check_together(const struct config *config, struct config_report *report);

#endif
