/* SPDX-License-Identifier: BSD-2-Clause */
/* The log as the configuration wants it: where it goes, how and from which level on. Master only. */
#ifndef BAY_MASTER_LOG_SINK_H
#define BAY_MASTER_LOG_SINK_H

#include <stdbool.h>

struct buffer;
struct config;

/* Opens it; before is the configuration that was in force until now, or NULL: what is as there
 * stays open. False: it goes where it went, and the reason is appended to error. */
bool log_sink_set(const struct config *config, const struct config *before, struct buffer *error)
	__attribute__((warn_unused_result));

#endif
