/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as what another cell has written into the memory of a link. The input is a list of
 * its deeds: each is a word that says what, and a place or a number.
 *
 *	0 N bytes   writes bytes into the ring at a place
 *	1 N         says how much was written, by so much more
 *	2 N         says so with any number
 *	3 N         says how much was read, by any number
 *	4 N kind    writes the head of a record where the next one is looked for
 *
 * After each of them the ring is read and written as a cell does it. Whatever it says, what is
 * given out lies within the ring, and a broken ring stays broken. What is read as a record is
 * written again, and must read as the same.
 */
#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include "loop/link_record.h"
#include "loop/link_ring.h"

enum { RING = 128 * 1024, AGAIN = 128 * 1024 };

static struct link_ring ring, clean;
static _Alignas(8) unsigned char bytes[RING], clean_bytes[AGAIN];

/* The same record through a ring in order. */
static void
check_again(const struct link_record *record)
{
	struct link_record again;
	struct link_writer writer;
	struct link_reader reader;
	struct link_view view;
	const char *why;
	void *part;

	memset(&clean, 0, sizeof(clean));
	link_writer_init(&writer, &clean, clean_bytes, AGAIN);
	link_reader_init(&reader, &clean, clean_bytes, AGAIN);
	part = link_record_write(&writer, record, record->part_size);
	FUZZ_ASSERT(part != NULL);
	memset(part, 0, record->part_size);
	(void)link_writer_publish(&writer);
	FUZZ_ASSERT(link_reader_look(&reader, &view) == LINK_RECORD);
	FUZZ_ASSERT(link_record_read(&view, &again, &why));
	FUZZ_ASSERT(again.kind == record->kind && again.part_size == record->part_size);
	if (record->kind == LINK_REQUEST) {
		FUZZ_ASSERT(again.request.depth == record->request.depth);
		FUZZ_ASSERT(memcmp(again.request.chain, record->request.chain, record->request.depth * 2u) == 0);
		FUZZ_ASSERT(again.request.id == record->request.id && again.request.size == record->request.size);
	} else if (record->kind == LINK_NAME) {
		FUZZ_ASSERT(strcmp(again.name.name, record->name.name) == 0);
	} else if (record->kind == LINK_END) {
		FUZZ_ASSERT(again.end.status == record->end.status && again.end.size == record->end.size);
	} else {
		FUZZ_ASSERT(again.more.id == record->more.id);
	}
}

static void
check_record(const struct link_view *view)
{
	static unsigned char copy[LINK_PART_MAX];
	struct link_record record;
	const char *why = NULL;

	if (!link_record_read(view, &record, &why)) {
		FUZZ_ASSERT(why != NULL);
		return;
	}
	FUZZ_ASSERT(record.part_at + record.part_size == view->size);
	if (record.kind == LINK_REQUEST)
		FUZZ_ASSERT(record.request.size <= LINK_BODY_MAX && record.part_size <= record.request.size);
	if (record.kind == LINK_END)
		FUZZ_ASSERT(record.end.size <= LINK_BODY_MAX && record.part_size <= record.end.size);
	if (record.kind == LINK_CANCEL)
		FUZZ_ASSERT(memchr(record.cancel.reason, '\0', sizeof(record.cancel.reason)) != NULL);
	if (record.part_size > 0)
		link_view_copy(view, record.part_at, copy, record.part_size);
	check_again(&record);
}

/* As a cell does it. */
static void
look(struct link_reader *reader)
{
	const char *broken = reader->broken;
	enum link_look found = LINK_NOTHING;
	struct link_view view;

	for (int i = 0; i < 64 && (found = link_reader_look(reader, &view)) == LINK_RECORD; i++) {
		FUZZ_ASSERT(view.size <= LINK_RECORD_MAX);
		FUZZ_ASSERT(view._at >= bytes && view._at + view.size <= bytes + RING);
		check_record(&view);
		link_reader_pass(reader);
	}
	FUZZ_ASSERT(broken == NULL || reader->broken == broken);
	FUZZ_ASSERT((found == LINK_BROKEN) == (reader->broken != NULL));
	(void)link_reader_release(reader);
}

static void
answer(struct link_writer *writer)
{
	unsigned char *room = link_writer_begin(writer, 1000);

	if (room == NULL) {
		(void)link_writer_await_room(writer);
		return;
	}
	FUZZ_ASSERT(room >= bytes && room + 1000 <= bytes + RING);
	link_writer_end(writer, LINK_MORE);
	(void)link_writer_publish(writer);
}

/* One deed; returns how many bytes of the input it took. */
static size_t
do_deed(const uint8_t *data, size_t size, const struct link_reader *reader)
{
	uint64_t number;
	size_t more;

	if (size < 9)
		return size;
	memcpy(&number, data + 1, sizeof(number));
	switch (data[0] % 5) {
	case 0:
		more = size - 9 < 64 ? size - 9 : 64;
		number %= RING - 64;
		memcpy(bytes + number, data + 9, more);
		return 9 + more;
	case 1:
		ring.written += number % RING;
		return 9;
	case 2:
		ring.written = number;
		return 9;
	case 3:
		ring.read = number;
		return 9;
	default:
		memcpy(bytes + (reader->_read & (RING - 1)), &number, sizeof(number));
		return 9;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct link_reader reader;
	struct link_writer writer;
	/* What it reads of ours is in memory that it can write, too. */
	static struct link_ring other;

	memset(&ring, 0, sizeof(ring));
	memset(&other, 0, sizeof(other));
	memset(bytes, 0, sizeof(bytes));
	link_reader_init(&reader, &ring, bytes, RING);
	link_writer_init(&writer, &other, bytes, RING);
	while (size > 0) {
		size_t taken = do_deed(data, size, &reader);

		other.read = ring.read;
		look(&reader);
		answer(&writer);
		data += taken;
		size -= taken;
	}
	return 0;
}
