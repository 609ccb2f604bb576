/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/hash.h"

#include <errno.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

enum { HASH_BLOCK = 16384 };

void
hash_begin(struct hash *hash)
{
	SHA256Init(&hash->_context);
}

void
hash_add(struct hash *hash, const void *data, size_t size)
{
	SHA256Update(&hash->_context, data, size);
}

void
hash_end(struct hash *hash, char text_r[HASH_TEXT_SIZE])
{
	SHA256End(&hash->_context, text_r);
}

void
hash_memory(const void *data, size_t size, char text_r[HASH_TEXT_SIZE])
{
	struct hash hash;

	hash_begin(&hash);
	hash_add(&hash, data, size);
	hash_end(&hash, text_r);
}

bool
hash_fd(int fd, char text_r[HASH_TEXT_SIZE])
{
	uint8_t block[HASH_BLOCK];
	struct hash hash;
	off_t offset = 0;
	ssize_t got;

	hash_begin(&hash);
	for (;;) {
		got = pread(fd, block, sizeof(block), offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		hash_add(&hash, block, (size_t)got);
		offset += got;
	}
	if (got < 0)
		return false;
	hash_end(&hash, text_r);
	return true;
}
