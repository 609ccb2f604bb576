/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256, which says whether two plugin files are the same. Any thread. */
#ifndef BAY_BASE_HASH_H
#define BAY_BASE_HASH_H

#include <sha2.h>
#include <stdbool.h>
#include <stddef.h>

/* 64 lower case hexadecimal digits and a NUL. */
enum { HASH_TEXT_SIZE = 65 };

/* Of what comes in pieces; its member is private. */
struct hash {
	SHA2_CTX _context;
};

void hash_begin(struct hash *hash);
void hash_add(struct hash *hash, const void *data, size_t size);

/* Ends it; begin comes before another add. */
void hash_end(struct hash *hash, char text_r[HASH_TEXT_SIZE]);

void hash_memory(const void *data, size_t size, char text_r[HASH_TEXT_SIZE]);

/* Of the whole file; its position does not matter and stays. False: unreadable, see errno. */
bool hash_fd(int fd, char text_r[HASH_TEXT_SIZE])
	__attribute__((warn_unused_result));

#endif
