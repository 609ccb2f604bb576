/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a file to its end, hashing it and perhaps writing it to another, a slice at a
 * time: a large plugin must not keep the master's one thread from everything else.
 *
 *	image_copy_begin(&copy, from, to);
 *	while ((progress = image_copy_continue(&copy)) == IMAGE_MORE)
 *		... other work ...
 *
 * Master only; each slice waits for the disk.
 */
#ifndef BAY_MASTER_IMAGE_COPY_H
#define BAY_MASTER_IMAGE_COPY_H

#include <stdint.h>

#include "base/hash.h"

/* Bytes between two turns of others: a few milliseconds of hashing on a slow machine. */
enum { IMAGE_SLICE = 256 * 1024 };

enum image_progress {
	IMAGE_MORE = 0, /* there is more to do */
	IMAGE_DONE,
	IMAGE_FAILED
};

struct image_copy {
	int from;
	int to; /* -1: it is only hashed */
	struct hash hash;
	uint64_t done; /* bytes so far */
};

/* Both descriptors are borrowed until the end, and go on from where they stand. */
void image_copy_begin(struct image_copy *copy, int from, int to);

/* Does the next slice. IMAGE_FAILED: errno says why. */
enum image_progress image_copy_continue(struct image_copy *copy)
	__attribute__((warn_unused_result));

#endif
