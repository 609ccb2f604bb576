/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening a plugin file that a person put somewhere, if nobody else can have meddled with
 * it. Master only. */
#ifndef BAY_MASTER_IMAGE_SOURCE_H
#define BAY_MASTER_IMAGE_SOURCE_H

#include <stdbool.h>
#include <sys/stat.h>

struct buffer;

/*
 * Opens the file for reading: a regular one, not through a link, of this user or root, as
 * are all directories above it, none of them open to writers other than those. Returns the
 * descriptor, the caller's, or -1: the reason is appended to error.
 */
int image_source_open(const char *path, struct stat *st_r, struct buffer *error)
	__attribute__((warn_unused_result));

#endif
