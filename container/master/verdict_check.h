/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the master checks of a verdict itself: it comes from a process in which a plugin has
 * run, and that knows nothing of the configuration. Pure functions. Master only.
 */
#ifndef BAY_MASTER_VERDICT_CHECK_H
#define BAY_MASTER_VERDICT_CHECK_H

#include <jansson.h>
#include <stdbool.h>

struct cell_verdict;

/* Whether all complaints are about services and settings that request, the members of a
 * cell_examine, has asked about. */
bool verdict_fits_request(const struct cell_verdict *verdict, const json_t *request);

/* The first setting of the plugin whose name is that of a key of [service], which never
 * reaches the plugin. Borrowed from the verdict; NULL: there is none. */
const char *verdict_reserved_setting(const struct cell_verdict *verdict);

#endif
