/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/hash.h"

#include <errno.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include <sha2.h>

enum { HASH_BLOCK = 16384 };

void
hash_memory(const void *data, size_t size, char text_r[HASH_TEXT_SIZE])
{
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, data, size);
	SHA256End(&context, text_r);
}

bool
hash_fd(int fd, char text_r[HASH_TEXT_SIZE])
{
	uint8_t block[HASH_BLOCK];
	SHA2_CTX context;
	off_t offset = 0;
	ssize_t got;

	SHA256Init(&context);
	for (;;) {
		got = pread(fd, block, sizeof(block), offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		SHA256Update(&context, block, (size_t)got);
		offset += got;
	}
	if (got < 0)
		return false;
	SHA256End(&context, text_r);
	return true;
}
