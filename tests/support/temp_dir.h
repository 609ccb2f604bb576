/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A directory of a test's own, below TMPDIR or /tmp. Failures fail the test that calls.
 *
 *	struct temp_dir dir;
 *
 *	temp_dir_init(&dir);
 *	temp_dir_write(&dir, "a.ini", "[container]\n");
 *	... temp_dir_path(&dir, "a.ini") ...
 *	temp_dir_finish(&dir);
 */
#ifndef BAY_TESTS_SUPPORT_TEMP_DIR_H
#define BAY_TESTS_SUPPORT_TEMP_DIR_H

#include <stddef.h>

struct temp_dir {
	char path[256];
};

void temp_dir_init(struct temp_dir *dir);

/* Removes the directory with all that is in it. */
void temp_dir_finish(struct temp_dir *dir);

/* The path of a name in it: borrowed, valid until seven more calls. */
const char *temp_dir_path(const struct temp_dir *dir, const char *name);

/* Makes a file of these contents, and the directories above it. */
void temp_dir_write(struct temp_dir *dir, const char *name, const char *text);
void temp_dir_write_bytes(struct temp_dir *dir, const char *name, const void *data,
	size_t size);

#endif
