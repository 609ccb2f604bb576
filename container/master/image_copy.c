/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * By reading and writing and not by copy_file_range: the bytes have to be read for their
 * hash anyway, and this way what is hashed is what is written.
 */
#include "config.h"

#include "master/image_copy.h"

#include <errno.h>
#include <unistd.h>

#include "base/fd.h"

enum { IMAGE_COPY_BLOCK = 64 * 1024 };

void
image_copy_begin(struct image_copy *copy, int from, int to)
{
	*copy = (struct image_copy){.from = from, .to = to};
	hash_begin(&copy->hash);
}

enum image_progress
image_copy_continue(struct image_copy *copy)
{
	uint8_t block[IMAGE_COPY_BLOCK];

	for (size_t sliced = 0; sliced < IMAGE_SLICE;) {
		ssize_t got = read(copy->from, block, sizeof(block));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return IMAGE_FAILED;
		if (got == 0)
			return IMAGE_DONE;
		hash_add(&copy->hash, block, (size_t)got);
		if (copy->to >= 0 && !fd_write_all(copy->to, block, (size_t)got))
			return IMAGE_FAILED;
		sliced += (size_t)got;
		copy->done += (uint64_t)got;
	}
	return IMAGE_MORE;
}
