/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The container's log. A line names the service and task that wrote it by
 * itself: inside a task they are known. Arguments are not evaluated when the
 * level is off. What is written for a request whose trace somebody else knows
 * (see <bay/trace.h>) can be found by that. Text is cut at about 3,900 bytes; control bytes are escaped.
 */
#ifndef BAY_LOG_H
#define BAY_LOG_H

#include <bay/abi.h>

BAY_BEGIN_DECLS

enum bay_log_level {
	BAY_LOG_ERROR = 0,
	BAY_LOG_WARN = 1,
	BAY_LOG_INFO = 2,
	BAY_LOG_DEBUG = 3
};

/* Whether lines of this level are written. Any thread; never suspends.
 * Since 1.0. */
BAY_API int bay_log_enabled(enum bay_log_level level);

/* Writes one line. Keeps nothing. Any thread; never suspends (a line that the
 * log cannot take at once is counted and dropped). Since 1.0. */
BAY_API void bay_log(enum bay_log_level level, const char *format, ...) BAY_PRINTF(2, 3);

#define bay_log_at_(level, ...) \
	do { if (bay_log_enabled(level)) bay_log(level, __VA_ARGS__); } while (0)
#define bay_log_error(...) bay_log_at_(BAY_LOG_ERROR, __VA_ARGS__)
#define bay_log_warn(...) bay_log_at_(BAY_LOG_WARN, __VA_ARGS__)
#define bay_log_info(...) bay_log_at_(BAY_LOG_INFO, __VA_ARGS__)
#define bay_log_debug(...) bay_log_at_(BAY_LOG_DEBUG, __VA_ARGS__)

BAY_END_DECLS

#endif
