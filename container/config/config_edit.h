/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets one key in the text of an ini file and leaves everything else of it as it is: comments,
 * order, blanks, line ends. What the text says must have been read before without a complaint,
 * which is where the line numbers come from.
 *
 * Never suspends.
 */
#ifndef BAY_CONFIG_CONFIG_EDIT_H
#define BAY_CONFIG_CONFIG_EDIT_H

#include <stdbool.h>
#include <stddef.h>

struct buffer;

/* Where the key is, or belongs. Lines count from 1. */
struct config_place {
	unsigned section; /* the line of the section's header */
	unsigned key;     /* the line of the key; 0: it is not there */
};

/*
 * Appends the text with the key set to value, in quotes if it needs them. A key that is not
 * there comes behind the last one of its section; *line_r is where it stands then. False: no
 * memory, or the value has several lines.
 */
bool config_edit_set(const char *text, size_t size, const struct config_place *place,
	const char *key, const char *value, struct buffer *out, unsigned *line_r)
	__attribute__((warn_unused_result));

/*
 * Does that to a file: a new one with the mode and, if that is possible, the owner of the old
 * one takes its name, so that there always is a whole one. A symbolic link stays, and the file
 * it leads to is replaced. False: nothing has changed, and the reason is appended to error.
 *
 * Waits for the disk. Any thread.
 */
bool config_edit_file(const char *path, const struct config_place *place, const char *key,
	const char *value, unsigned *line_r, struct buffer *error)
	__attribute__((warn_unused_result));

#endif
