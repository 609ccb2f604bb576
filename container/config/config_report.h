/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that is wrong with a configuration, each with its place. A zeroed struct is an
 * empty report:
 *
 *	struct config_report report = {0};
 *
 *	if (!config_load(path, &config, &report))
 *		... config_report_print(&report, &out) ...
 *	config_report_finish(&report);
 *
 * Complaints are kept in the order of files and lines. A file with thousands of faults gets
 * the first CONFIG_REPORT_MAX and a count of the others.
 */
#ifndef BAY_CONFIG_CONFIG_REPORT_H
#define BAY_CONFIG_CONFIG_REPORT_H

#include <stdbool.h>
#include <stddef.h>

struct buffer;

enum { CONFIG_REPORT_MAX = 200 };

struct config_complaint {
	const char *file; /* borrowed from the report */
	unsigned line;    /* 0: the file as a whole */
	char *text;       /* one line */
	size_t _file_rank;
};

struct config_report {
	struct config_complaint *complaints;
	size_t count;
	size_t hidden; /* more were found than are kept */
	char **_files; /* in the order in which they were read */
	size_t _file_count;
};

/* Frees what it holds; it is then empty. */
void config_report_finish(struct config_report *report);

/* Says that this file is read now: its complaints come after those of earlier files. */
void config_report_file(struct config_report *report, const char *file);

/* Adds a complaint about a line of a file, or with line 0 about the file. */
void config_report_add(struct config_report *report, const char *file, unsigned line,
	const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Returns what a file says, fit for a complaint: in single quotes, control bytes escaped,
 * cut when it is long. The caller frees.
 */
char *config_report_quote(const char *text)
	__attribute__((warn_unused_result));

/* Appends the complaints as lines "file:line: text". False: no memory. */
bool config_report_print(const struct config_report *report, struct buffer *out)
	__attribute__((warn_unused_result));

#endif
