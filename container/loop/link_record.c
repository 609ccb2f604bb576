/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "loop/link_record.h"

#include <stdlib.h>
#include <string.h>

#include "loop/link_ring.h"

/* The heads as they lie in the ring. */
struct name_head {
	uint16_t number;
	char name[LINK_NAME_MAX + 6];
};

struct request_head {
	uint64_t id;
	int64_t deadline;
	uint64_t trace_high;
	uint64_t trace_low;
	uint64_t parent;
	uint32_t size;
	uint16_t service;
	uint8_t depth;
	uint8_t waiting_from;
	uint8_t one_way;
	uint8_t is_null;
	uint8_t flags;
	uint8_t recorded;
	uint8_t unused[4];
};

struct end_head {
	uint64_t id;
	int32_t status;
	uint32_t size;
	uint8_t by_handler;
	uint8_t is_null;
	uint8_t unused[6];
};

struct credit_head {
	uint16_t service;
	uint16_t unused;
	uint32_t messages;
	uint64_t bytes;
};

_Static_assert(LINK_PART_MAX + sizeof(struct request_head) + sizeof(uint16_t) * LINK_CHAIN_MAX <= LINK_RECORD_MAX,
	"a head and a part fit into a record");

/* Where the part begins, behind the services of a chain. */
static uint32_t
request_part_at(unsigned depth)
{
	return (uint32_t)((sizeof(struct request_head) + depth * sizeof(uint16_t) + 7) & ~(size_t)7);
}

/* --- reading ---------------------------------------------------------------------------- */

static bool
record_is_wrong(const char **why_r, const char *why)
{
	*why_r = why;
	return false;
}

/* Copies a head; all after it is the part. */
static bool
read_head(const struct link_view *view, void *head, size_t size, struct link_record *record, const char **why_r)
{
	if (view->size < size)
		return record_is_wrong(why_r, "a record is shorter than its head");
	link_view_copy(view, 0, head, size);
	record->part_at = (uint32_t)size;
	record->part_size = view->size - (uint32_t)size;
	return true;
}

/* A record that has no part. */
static bool
read_whole(const struct link_view *view, void *head, size_t size, struct link_record *record, const char **why_r)
{
	if (view->size != size)
		return record_is_wrong(why_r, "a record has not its size");
	return read_head(view, head, size, record, why_r);
}

static bool
read_name(const struct link_view *view, struct link_record *record, const char **why_r)
{
	struct name_head head;

	if (!read_whole(view, &head, sizeof(head), record, why_r))
		return false;
	if (memchr(head.name, '\0', sizeof(record->name.name)) == NULL)
		return record_is_wrong(why_r, "a name is too long");
	record->name.number = head.number;
	memcpy(record->name.name, head.name, sizeof(record->name.name));
	return true;
}

static bool
read_request(const struct link_view *view, struct link_record *record, const char **why_r)
{
	struct link_request *request = &record->request;
	struct request_head head;

	if (!read_head(view, &head, sizeof(head), record, why_r))
		return false;
	if (head.size > LINK_BODY_MAX || head.depth > LINK_CHAIN_MAX || head.waiting_from > head.depth ||
		head.one_way > 1 || head.is_null > 1 || head.recorded > head.depth + 1)
		return record_is_wrong(why_r, "the head of a request cannot be");
	if (view->size < request_part_at(head.depth))
		return record_is_wrong(why_r, "a record is shorter than its head");
	record->part_at = request_part_at(head.depth);
	record->part_size = view->size - record->part_at;
	request->id = head.id;
	request->deadline = head.deadline;
	request->trace = (struct traceparent){.id = {head.trace_high, head.trace_low}, .parent = head.parent,
		.flags = head.flags & TRACE_SAMPLED};
	request->size = head.size;
	request->service = head.service;
	request->depth = head.depth;
	request->waiting_from = head.waiting_from;
	request->one_way = head.one_way;
	request->is_null = head.is_null;
	request->recorded = head.recorded;
	link_view_copy(view, sizeof(head), request->chain, head.depth * sizeof(request->chain[0]));
	if (record->part_size > LINK_PART_MAX || record->part_size > head.size || (head.is_null && head.size != 0))
		return record_is_wrong(why_r, "a request has more than its body");
	return true;
}

static bool
read_end(const struct link_view *view, struct link_record *record, const char **why_r)
{
	struct end_head head;

	if (!read_head(view, &head, sizeof(head), record, why_r))
		return false;
	if (head.size > (head.status == 0 ? LINK_BODY_MAX : LINK_TEXT_MAX) || head.by_handler > 1 || head.is_null > 1)
		return record_is_wrong(why_r, "the head of an end cannot be");
	if (record->part_size > LINK_PART_MAX || record->part_size > head.size || (head.is_null && head.size != 0))
		return record_is_wrong(why_r, "an end has more than its body");
	if (head.status != 0 && record->part_size != head.size)
		return record_is_wrong(why_r, "a failure has not all of its text");
	record->end = (struct link_outcome){.id = head.id, .status = head.status, .size = head.size,
		.by_handler = head.by_handler, .is_null = head.is_null};
	return true;
}

static bool
read_more(const struct link_view *view, struct link_record *record, const char **why_r)
{
	if (!read_head(view, &record->more, sizeof(record->more), record, why_r))
		return false;
	if (record->part_size == 0 || record->part_size > LINK_PART_MAX)
		return record_is_wrong(why_r, "a part of a body has no size that it may have");
	return true;
}

static bool
read_cancel(const struct link_view *view, struct link_record *record, const char **why_r)
{
	if (!read_whole(view, &record->cancel, sizeof(record->cancel), record, why_r))
		return false;
	record->cancel.reason[sizeof(record->cancel.reason) - 1] = '\0';
	return true;
}

static bool
read_credit(const struct link_view *view, struct link_record *record, const char **why_r)
{
	struct credit_head head;

	if (!read_whole(view, &head, sizeof(head), record, why_r))
		return false;
	record->credit = (struct link_credit){.service = head.service, .messages = head.messages, .bytes = head.bytes};
	return true;
}

bool
link_record_read(const struct link_view *view, struct link_record *record_r, const char **why_r)
{
	record_r->kind = (enum link_kind)view->kind;
	switch (view->kind) {
	case LINK_NAME:
		return read_name(view, record_r, why_r);
	case LINK_REQUEST:
		return read_request(view, record_r, why_r);
	case LINK_MORE:
	case LINK_MORE_END:
		return read_more(view, record_r, why_r);
	case LINK_CANCEL:
		return read_cancel(view, record_r, why_r);
	case LINK_END:
		return read_end(view, record_r, why_r);
	case LINK_CREDIT:
		return read_credit(view, record_r, why_r);
	default:
		return record_is_wrong(why_r, "there is no such kind of record");
	}
}

/* --- writing ---------------------------------------------------------------------------- */

/* A record with this head and room for the part behind it. */
static void *
write_head(struct link_writer *writer, const struct link_record *record, const void *head, size_t size,
	uint32_t part_size)
{
	unsigned char *room = link_writer_begin(writer, size + part_size);

	if (room == NULL)
		return NULL;
	memcpy(room, head, size);
	link_writer_end(writer, record->kind);
	return room + size;
}

static void *
write_name(struct link_writer *writer, const struct link_record *record)
{
	struct name_head head = {.number = record->name.number};

	memcpy(head.name, record->name.name, sizeof(record->name.name));
	return write_head(writer, record, &head, sizeof(head), 0);
}

static void *
write_request(struct link_writer *writer, const struct link_record *record, uint32_t part_size)
{
	const struct link_request *request = &record->request;
	uint32_t part_at = request_part_at(request->depth);
	struct request_head head = {.id = request->id, .deadline = request->deadline,
		.trace_high = request->trace.id.high, .trace_low = request->trace.id.low, .parent = request->trace.parent,
		.flags = request->trace.flags, .size = request->size, .service = request->service, .depth = request->depth,
		.waiting_from = request->waiting_from, .one_way = request->one_way, .is_null = request->is_null,
		.recorded = request->recorded};
	unsigned char *room = link_writer_begin(writer, part_at + part_size);

	if (room == NULL)
		return NULL;
	memcpy(room, &head, sizeof(head));
	memcpy(room + sizeof(head), request->chain, request->depth * sizeof(request->chain[0]));
	link_writer_end(writer, record->kind);
	return room + part_at;
}

static void *
write_end(struct link_writer *writer, const struct link_record *record, uint32_t part_size)
{
	struct end_head head = {.id = record->end.id, .status = record->end.status, .size = record->end.size,
		.by_handler = record->end.by_handler, .is_null = record->end.is_null};

	return write_head(writer, record, &head, sizeof(head), part_size);
}

static void *
write_credit(struct link_writer *writer, const struct link_record *record)
{
	struct credit_head head = {.service = record->credit.service, .messages = record->credit.messages,
		.bytes = record->credit.bytes};

	return write_head(writer, record, &head, sizeof(head), 0);
}

void *
link_record_write(struct link_writer *writer, const struct link_record *record, uint32_t part_size)
{
	switch (record->kind) {
	case LINK_NAME:
		return write_name(writer, record);
	case LINK_REQUEST:
		return write_request(writer, record, part_size);
	case LINK_MORE:
	case LINK_MORE_END:
		return write_head(writer, record, &record->more, sizeof(record->more), part_size);
	case LINK_CANCEL:
		return write_head(writer, record, &record->cancel, sizeof(record->cancel), 0);
	case LINK_END:
		return write_end(writer, record, part_size);
	case LINK_CREDIT:
		return write_credit(writer, record);
	}
	abort();
}
