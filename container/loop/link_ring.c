/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How no wake is lost: who is about to sleep stores that, then looks once more at the other's
 * index; who has moved his index looks at that afterwards. There is a fence between the two on
 * both sides, so at least one of them sees the other. Who takes the word back is to wake.
 */
#include "config.h"

#include "loop/link_ring.h"

#include "loop/loop.h"

/* Before each record. Kind 0: nothing but the way to the end of the bytes. */
struct record_head {
	uint32_t size;
	uint32_t kind;
};

enum { LINK_ALIGN = sizeof(struct record_head) };

_Static_assert(sizeof(struct link_ring) == 512, "the parts of a ring share no cache lines");
_Static_assert(sizeof(struct record_head) == 8, "a record begins where it may");

/* With its head, and up to where the next may begin. */
static uint64_t
link_record_bytes(uint64_t size)
{
	return (sizeof(struct record_head) + size + LINK_ALIGN - 1) & ~(uint64_t)(LINK_ALIGN - 1);
}

void
link_writer_init(struct link_writer *writer, struct link_ring *ring, void *bytes, size_t size)
{
	*writer = (struct link_writer){._ring = ring, ._bytes = bytes, ._size = size};
}

void
link_reader_init(struct link_reader *reader, struct link_ring *ring, const void *bytes, size_t size)
{
	*reader = (struct link_reader){._ring = ring, ._bytes = bytes, ._size = size};
}

/* --- the writer -------------------------------------------------------------------- */

/* Looks how far the reader has come. */
static void
link_writer_refresh(struct link_writer *writer)
{
	uint64_t read = atomic_load_explicit(&writer->_ring->read, memory_order_acquire);

	if (read - writer->_read > writer->_published - writer->_read) {
		writer->broken = "it says that it has read what was never written";
		return;
	}
	writer->_read = read;
}

static bool
link_writer_has_room(struct link_writer *writer, uint64_t bytes)
{
	if (writer->_size - (writer->_written - writer->_read) >= bytes)
		return true;
	link_writer_refresh(writer);
	return writer->broken == NULL && writer->_size - (writer->_written - writer->_read) >= bytes;
}

static struct record_head *
link_writer_record(const struct link_writer *writer)
{
	return (struct record_head *)(writer->_bytes + (writer->_written & (writer->_size - 1)));
}

void *
link_writer_begin(struct link_writer *writer, size_t size)
{
	uint64_t to_the_end = writer->_size - (writer->_written & (writer->_size - 1));
	uint64_t bytes = link_record_bytes(size);

	if (writer->broken != NULL || size > LINK_RECORD_MAX)
		return NULL;
	if (bytes > to_the_end) {
		if (!link_writer_has_room(writer, to_the_end + bytes))
			return NULL;
		*link_writer_record(writer) = (struct record_head){
			.size = (uint32_t)(to_the_end - sizeof(struct record_head))};
		writer->_written += to_the_end;
	} else if (!link_writer_has_room(writer, bytes)) {
		return NULL;
	}
	writer->_begun = bytes;
	link_writer_record(writer)->size = (uint32_t)size;
	return link_writer_record(writer) + 1;
}

void
link_writer_end(struct link_writer *writer, uint32_t kind)
{
	link_writer_record(writer)->kind = kind;
	writer->_written += writer->_begun;
	writer->_begun = 0;
}

bool
link_writer_publish(struct link_writer *writer)
{
	if (writer->_published == writer->_written)
		return false;
	writer->_published = writer->_written;
	atomic_store_explicit(&writer->_ring->written, writer->_written, memory_order_release);
	loop_fence();
	return atomic_load_explicit(&writer->_ring->asleep, memory_order_relaxed) != 0 &&
		atomic_exchange_explicit(&writer->_ring->asleep, 0, memory_order_relaxed) != 0;
}

bool
link_writer_await_room(struct link_writer *writer)
{
	uint64_t before = writer->_read;

	atomic_store_explicit(&writer->_ring->wants_room, 1, memory_order_relaxed);
	loop_fence();
	link_writer_refresh(writer);
	if (writer->broken == NULL && writer->_read == before)
		return true;
	atomic_store_explicit(&writer->_ring->wants_room, 0, memory_order_relaxed);
	return false;
}

bool
link_writer_is_read(struct link_writer *writer)
{
	link_writer_refresh(writer);
	return writer->broken == NULL && writer->_read == writer->_published;
}

/* --- the reader -------------------------------------------------------------------- */

static enum link_look
link_reader_break(struct link_reader *reader, const char *why)
{
	reader->broken = why;
	return LINK_BROKEN;
}

/* Looks how far the writer has come. */
static enum link_look
link_reader_refresh(struct link_reader *reader)
{
	uint64_t written = atomic_load_explicit(&reader->_ring->written, memory_order_acquire);

	if (written == reader->_written)
		return LINK_NOTHING;
	if (written - reader->_read > reader->_size || written - reader->_read < reader->_written - reader->_read)
		return link_reader_break(reader, "it says that it has written more than there is room for");
	if (written % LINK_ALIGN != 0)
		return link_reader_break(reader, "it has written a part of a record");
	reader->_written = written;
	return LINK_RECORD;
}

/* The head of the record at hand, read once. */
static struct record_head
link_reader_record(const struct link_reader *reader)
{
	const volatile uint64_t *at =
		(const volatile uint64_t *)(reader->_bytes + (reader->_read & (reader->_size - 1)));
	struct record_head record;
	uint64_t both = *at;

	memcpy(&record, &both, sizeof(record));
	return record;
}

/* The head of the next record, or gap, and that its bytes are all there. */
static enum link_look
link_reader_find(struct link_reader *reader, struct record_head *record_r)
{
	uint64_t to_the_end = reader->_size - (reader->_read & (reader->_size - 1));
	uint64_t bytes;

	if (reader->broken != NULL)
		return LINK_BROKEN;
	if (reader->_read == reader->_written) {
		enum link_look look = link_reader_refresh(reader);

		if (look != LINK_RECORD)
			return look;
	}
	*record_r = link_reader_record(reader);
	bytes = link_record_bytes(record_r->size);
	if (bytes > to_the_end || bytes > reader->_written - reader->_read)
		return link_reader_break(reader, "a record is longer than what was written");
	if (record_r->size > LINK_RECORD_MAX)
		return link_reader_break(reader, "a record is longer than any may be");
	reader->_passing = bytes;
	return LINK_RECORD;
}

enum link_look
link_reader_look(struct link_reader *reader, struct link_view *view_r)
{
	struct record_head record;
	enum link_look look = link_reader_find(reader, &record);

	if (look == LINK_RECORD && record.kind == 0) {
		/* A gap, because the next record did not fit before the end: there is one after it. */
		if ((reader->_read + reader->_passing) % reader->_size != 0)
			return link_reader_break(reader, "a gap is not at the end");
		link_reader_pass(reader);
		look = link_reader_find(reader, &record);
		if (look == LINK_NOTHING || (look == LINK_RECORD && record.kind == 0))
			return link_reader_break(reader, "a gap without a record after it");
	}
	if (look != LINK_RECORD)
		return look;
	view_r->kind = record.kind;
	view_r->size = record.size;
	view_r->_at = reader->_bytes + (reader->_read & (reader->_size - 1)) + sizeof(record);
	return LINK_RECORD;
}

void
link_reader_pass(struct link_reader *reader)
{
	reader->_read += reader->_passing;
	reader->_passing = 0;
}

bool
link_reader_release(struct link_reader *reader)
{
	if (reader->_released == reader->_read)
		return false;
	reader->_released = reader->_read;
	atomic_store_explicit(&reader->_ring->read, reader->_read, memory_order_release);
	loop_fence();
	return atomic_load_explicit(&reader->_ring->wants_room, memory_order_relaxed) != 0 &&
		atomic_exchange_explicit(&reader->_ring->wants_room, 0, memory_order_relaxed) != 0;
}

void
link_reader_sleeps(struct link_reader *reader)
{
	atomic_store_explicit(&reader->_ring->asleep, 1, memory_order_relaxed);
}

void
link_reader_wakes(struct link_reader *reader)
{
	atomic_store_explicit(&reader->_ring->asleep, 0, memory_order_relaxed);
}
