/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the configuration says of the process of a cell: its [cell NAME], or else [container], with
 * the user and the group found in the system. Master only.
 */
#ifndef BAY_MASTER_CELL_SECTION_H
#define BAY_MASTER_CELL_SECTION_H

#include <stdbool.h>

#include "config/config_data.h"
#include "config/config_report.h"
#include "master/cell_process.h"

/* Changes what the section says otherwise; options is what [container] says. Names are borrowed
 * from the configuration. A user or group that is not there makes it a process that cannot be
 * started. */
void cell_section_apply(const struct config *config, const char *name,
	struct cell_options *options);

/* Whether both say the same, so that a process of the one is as good as one of the other. */
bool cell_section_equal(const struct cell_options *a, const struct cell_options *b);

/* Complains of users and groups that are not there, and of sandboxes that cannot be; and of weights that we
 * may not give, unless control groups do (grouped). */
void cell_section_check(const struct config *config, bool grouped, struct config_report *report);

#endif
