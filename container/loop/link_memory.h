/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of a link between two cells: a head and the rings of the two directions.
 *
 *	| head | ring of side 0 | ring of side 1 | ... | bytes of side 0 | bytes of side 1 |
 *
 * The master makes it for the two and keeps nothing of it. It is sealed so that neither can
 * change its size: memory that was cut off would be a SIGBUS to the other. Whoever gets one
 * looks at that, and that it is the link that he was told of.
 *
 * Any thread.
 */
#ifndef BAY_LOOP_LINK_MEMORY_H
#define BAY_LOOP_LINK_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link_reader;
struct link_writer;

/* Of one direction. */
#define LINK_RING_BYTES ((size_t)256 * 1024)

struct link_memory {
	void *_at;              /* NULL: closed */
};

/* A new one, for the link with this number: -1 and errno, or its descriptor. */
int link_memory_create(uint64_t epoch)
	__attribute__((warn_unused_result));

/* Maps one that was received; fd stays the caller's and is not needed any more. False: it is
 * not what it should be, and why; then it is closed. */
bool link_memory_open(struct link_memory *memory, int fd, uint64_t epoch, const char **why_r)
	__attribute__((warn_unused_result));

void link_memory_close(struct link_memory *memory);

/* The ends of side 0 or 1. They are valid until it is closed. */
void link_memory_ends(const struct link_memory *memory, unsigned side, struct link_writer *writer_r,
	struct link_reader *reader_r);

/* Side says which request of the other it serves while it crashes, by the number that it was sent
 * with; 0 is none. Safe in a handler of a signal. And what side has said last. */
void link_memory_blame(const struct link_memory *memory, unsigned side, uint64_t id);
uint64_t link_memory_blamed(const struct link_memory *memory, unsigned side);

/* Side says that it ends in order, and whether it has. */
void link_memory_leave(const struct link_memory *memory, unsigned side);
bool link_memory_has_left(const struct link_memory *memory, unsigned side);

#endif
