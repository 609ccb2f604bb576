/* SPDX-License-Identifier: BSD-2-Clause */
/* A log record as one line of text or JSON; the trace, which is long, is in JSON only. Any thread. */
#ifndef BAY_BASE_LOG_LINE_H
#define BAY_BASE_LOG_LINE_H

#include <stdbool.h>

#include "base/log.h"

struct buffer;

/* Appends the record as one line, with its newline. False: no memory. */
bool log_line_append(struct buffer *out, const struct log_record *record,
	enum log_format format)
	__attribute__((warn_unused_result));

/* Appends "process subject: text" without a newline, for syslog. False: no memory. */
bool log_line_append_short(struct buffer *out, const struct log_record *record)
	__attribute__((warn_unused_result));

#endif
