/* SPDX-License-Identifier: BSD-2-Clause */
/* A circle of those who wait for each other, in words. Pure; any thread. */
#ifndef BAY_BASE_WAIT_TEXT_H
#define BAY_BASE_WAIT_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* What a node is called, malloc'd; NULL: it only lies between. */
typedef char *wait_name_fn(uint64_t node, const void *arg);

/* "a -> b -> c -> a", malloc'd: the names of all nodes, and the first again; of a long one those of its
 * begin and of its end, with " -> ... -> " between them, which are the same wherever it was found: it begins
 * with its least node. length is 1 at the least. */
char *wait_text_of_circle(const uint64_t *circle, size_t length, wait_name_fn *name, const void *arg);

#endif
