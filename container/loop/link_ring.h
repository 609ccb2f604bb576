/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One direction between two processes: a ring of records in memory that both have mapped,
 * with one writer and one reader.
 *
 *	         read                   written
 *	 ---------|======================|--------------    both only ever grow; modulo the size
 *	  free    | records              | free
 *
 * The other side may be hostile: what it can write is read once, checked, and only then used.
 * An index or a size that cannot be breaks this side of the ring, with a reason, and from then
 * on it does nothing. The contents of records are the caller's to distrust: he copies them out
 * before he looks at them (link_reader_copy).
 *
 * A record is at most LINK_RECORD_MAX bytes, lies in one piece and is aligned to 8. Nothing
 * waits here: who finds the ring full, or empty, says so in the memory before he goes to sleep,
 * and the other side is told to wake him.
 *
 * One thread at a time for each side.
 */
#ifndef BAY_LOOP_LINK_RING_H
#define BAY_LOOP_LINK_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The largest record. */
#define LINK_RECORD_MAX ((size_t)32 * 1024)

/* What both sides have mapped, besides the bytes. Each word has its own cache lines, two since they
 * are fetched in pairs: the index of one side changes all the time, what the other looks at after
 * that hardly ever. */
struct link_ring {
	_Atomic uint64_t written;       /* by the writer: bytes since ever */
	char _apart[120];
	_Atomic uint32_t wants_room;    /* the writer sleeps until there is room */
	char _apart2[124];
	_Atomic uint64_t read;          /* by the reader: bytes since ever */
	char _apart3[120];
	_Atomic uint32_t asleep;        /* the reader sleeps until there is a record */
	char _apart4[124];
};

struct link_writer {
	struct link_ring *_ring;
	unsigned char *_bytes;
	uint64_t _size;                 /* a power of two, 4 records at least */
	uint64_t _written;              /* ours; what the memory says of it is not looked at */
	uint64_t _published;
	uint64_t _read;                 /* as it was seen last */
	uint64_t _begun;                /* bytes of the record that is being written */
	const char *broken;             /* why it is of no use any more, or NULL */
};

struct link_reader {
	struct link_ring *_ring;
	const unsigned char *_bytes;
	uint64_t _size;
	uint64_t _read;                 /* ours */
	uint64_t _released;
	uint64_t _written;              /* as it was seen last */
	uint64_t _passing;              /* bytes of the record that is being looked at */
	const char *broken;
};

/* A record where it lies: its size is ours, its bytes may change at any time. */
struct link_view {
	uint32_t kind;                  /* 1..; the writer's word */
	uint32_t size;
	const unsigned char *_at;
};

enum link_look {
	LINK_RECORD,
	LINK_NOTHING,
	LINK_BROKEN
};

/* Size: a power of two, of the bytes. Both sides begin when nothing was ever written. */
void link_writer_init(struct link_writer *writer, struct link_ring *ring, void *bytes, size_t size);
void link_reader_init(struct link_reader *reader, struct link_ring *ring, const void *bytes, size_t size);

/* --- the writer -------------------------------------------------------------------- */

/* Room for a record of size bytes (at most LINK_RECORD_MAX), to be filled and then given to
 * link_writer_end(); NULL: there is none now, or the ring is broken. */
void *link_writer_begin(struct link_writer *writer, size_t size);

/* It is whole. Kind: not 0. */
void link_writer_end(struct link_writer *writer, uint32_t kind);

/* Lets the reader see all that was ended. True: it sleeps, and is to be woken by the caller. */
bool link_writer_publish(struct link_writer *writer);

/* Before the writer sleeps: it is to be woken when there is more room than now. False: there is
 * some already. */
bool link_writer_await_room(struct link_writer *writer);

/* Whether the reader has given back all that was published. */
bool link_writer_is_read(struct link_writer *writer);

/* The same as of the last look, which costs nothing. */
static inline bool
link_writer_was_read(const struct link_writer *writer)
{
	return writer->_read == writer->_published;
}

/* --- the reader -------------------------------------------------------------------- */

/* The next record; the same again until it is passed. */
enum link_look link_reader_look(struct link_reader *reader, struct link_view *view_r);

/* Copies size bytes from offset on; they must lie within the record. */
static inline void
link_view_copy(const struct link_view *view, size_t offset, void *to, size_t size)
{
	memcpy(to, view->_at + offset, size);
}

/* The record is of no more interest. */
void link_reader_pass(struct link_reader *reader);

/* Gives the room of all that was passed back. True: the writer sleeps for it, and is to be woken
 * by the caller. */
bool link_reader_release(struct link_reader *reader);

/* The bytes of what was passed and not given back. */
static inline uint64_t
link_reader_kept(const struct link_reader *reader)
{
	return reader->_read - reader->_released;
}

/* A glance: whether there may be something to look at. */
static inline bool
link_reader_sees(const struct link_reader *reader)
{
	return reader->broken == NULL &&
		atomic_load_explicit(&reader->_ring->written, memory_order_acquire) != reader->_read;
}

/* Before and after the reader sleeps; it looks once more between the first and its sleep, after a
 * loop_fence(). */
void link_reader_sleeps(struct link_reader *reader);
void link_reader_wakes(struct link_reader *reader);

#endif
