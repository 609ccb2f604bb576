/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C++ compilers mark some symbols (inline variables, statics of inline functions) as the one
 * and only of the whole process. The dynamic loader then never unloads a library that has
 * any, and lets a new generation of a plugin use the variables of the old one, whatever
 * their layout is. In an image they are made ordinary symbols. Master only.
 */
#ifndef BAY_MASTER_IMAGE_UNIQUE_H
#define BAY_MASTER_IMAGE_UNIQUE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Rewrites the symbols in a file that is open for reading and writing, and that nobody else
 * writes. Returns how many there were; 0 also for what is no shared object: that is for an
 * examiner to refuse. -1: the file cannot be read or written, see errno.
 */
int image_forget_unique(int fd, size_t size)
	__attribute__((warn_unused_result));

#endif
