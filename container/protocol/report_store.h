/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbered JSON objects in a directory, a file each, of which the oldest go when there are too
 * many: what is to be there when all processes were killed.
 *
 *	DIRECTORY/17.json     written as a whole under another name first
 *
 * Files are not synced: they outlive every process, but perhaps not a loss of power. One process
 * writes; any may read. Never suspends, but uses the disk.
 */
#ifndef BAY_PROTOCOL_REPORT_STORE_H
#define BAY_PROTOCOL_REPORT_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;

/* No file is larger. */
enum { REPORT_STORE_FILE_MAX = 1 << 20 };

struct report_store_limits {
	size_t count;   /* of files; 0: nothing is kept */
	uint64_t bytes; /* of all together; the newest stays in any case; 0: any */
};

/* Writes the object, with its number as "number", and removes what is too much then. The directory
 * is made, and the one above it, with mode 0700. False: why is appended to error. */
bool report_store_add(const char *directory, const struct report_store_limits *limits, json_t *object,
	uint64_t *number_r, struct buffer *error)
	__attribute__((warn_unused_result));

/* The numbers that there are, the newest first; the caller frees *numbers_r. A directory that is
 * not there has none. False: it cannot be read, see errno. */
bool report_store_list(const char *directory, uint64_t **numbers_r, size_t *count_r)
	__attribute__((warn_unused_result));

/* The caller's. NULL: there is none with the number, or it cannot be read. */
json_t *report_store_read(const char *directory, uint64_t number)
	__attribute__((warn_unused_result));

/* An array of those whose "service" is that (NULL: of all), the newest first, without the members
 * that details names, ended by NULL. Or, number not 0, of the one with it, whole. The caller's. */
json_t *report_store_select(const char *directory, const char *service, uint64_t number,
	const char *const *details)
	__attribute__((warn_unused_result));

/* False: there is none. */
bool report_store_remove(const char *directory, uint64_t number);

#endif
