/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A private copy of a plugin file: the only thing that is ever examined or loaded. The file
 * that a person put somewhere may be overwritten or replaced at any time, the image may not.
 *
 *	plugins/square.so  --checked, copied, hashed-->  images/square.3.so
 *
 * Where the directory of the images may not hold code (mounted noexec), the image is a
 * sealed piece of memory, and its name there a link to our descriptor of that. Either way
 * the descriptor is what others load it by when they may not open the path.
 *
 * Made in slices, so that a large or slow file does not keep the master from other work:
 *
 *	image_begin  ->  image_continue, image_continue, ...  ->  an image
 *
 * Master only; each step waits for the disk.
 */
#ifndef BAY_MASTER_IMAGE_H
#define BAY_MASTER_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "master/image_copy.h"

struct buffer;

/* No plugin file is larger. */
enum { IMAGE_MAX = 256 * 1024 * 1024 };

/* Plain data, read only; has one owner. */
struct image {
	int fd;     /* of the image, for reading; close-on-exec */
	char *path; /* absolute; no later image of this plugin has the same */
	char *origin; /* the directory of the file, absolute; NULL: its name cannot be told */
	bool in_memory;
	uint64_t size;
	char sha256[HASH_TEXT_SIZE]; /* of the image */
	char source_sha256[HASH_TEXT_SIZE]; /* of the file, which may differ: see image.c */
	struct stat source; /* the file when it was copied */
	int _dirfd;
	char *_name;
	struct image_work *_work; /* NULL: it is complete */
};

/*
 * Begins to copy the plugin at path to NAME.GENERATION.so in the directory dirfd, which is
 * duplicated. False: it is refused, with the reason appended to error and nothing left
 * behind: a file that is a link, not a regular file, empty or too big, or that somebody else
 * could have written or could replace.
 */
bool image_begin(struct image *image_r, const char *path, int dirfd, const char *name,
	uint64_t generation, struct buffer *error)
	__attribute__((warn_unused_result));

/*
 * Goes on with it, one slice. IMAGE_DONE: it is an image now. IMAGE_FAILED: it is refused as
 * by image_begin, since it changed meanwhile or cannot be copied.
 */
enum image_progress image_continue(struct image *image, struct buffer *error)
	__attribute__((warn_unused_result));

/* Both, to the end. */
bool image_make(struct image *image_r, const char *path, int dirfd, const char *name,
	uint64_t generation, struct buffer *error)
	__attribute__((warn_unused_result));

/* Removes the copy, whole or half made. Who has loaded it keeps it. A refused one is fine. */
void image_finish(struct image *image);

/*
 * Whether the file at path still is the one that was copied, by its number, size and times.
 * False also when it is gone.
 */
bool image_is_current(const struct image *image, const char *path);

#endif
