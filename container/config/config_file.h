/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One ini file as a row of sections and keys with their line numbers.
 *
 * The text is parsed by inih, which is lenient where a daemon must not be: it forgets empty
 * sections, cuts names at 49 characters, gives the keys behind a bad header to the section
 * before it, and takes an indented key for the rest of the value above. So every line is
 * looked at before inih sees it, faults are complained of here, and inih gets an empty line
 * in their place.
 */
#ifndef BAY_CONFIG_CONFIG_FILE_H
#define BAY_CONFIG_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct config_report;

/* Longer files are refused unread. */
enum { CONFIG_FILE_MAX = 1 << 20 };

/*
 * Called in the order of the file. Strings are borrowed for the call. A section that
 * returns false is bad: its keys are withheld.
 */
struct config_file_events {
	bool (*section)(void *arg, const char *header, unsigned line);
	/* value: without comments and quotes; continued lines are joined by newlines. */
	void (*key)(void *arg, const char *name, const char *value, unsigned line);
	void *arg;
};

/*
 * Parses the contents of a file; name is how complaints call it. Not two at a time (inih
 * keeps its options in global variables).
 */
void config_file_parse(const char *name, const void *data, size_t size,
	const struct config_file_events *events, struct config_report *report);

#endif
