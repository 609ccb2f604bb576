/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/traceparent.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Where the parts begin, and the size of version 00. */
enum {
	TRACEPARENT_VERSION_AT = 0,
	TRACEPARENT_ID_AT = 3,
	TRACEPARENT_SPAN_AT = 36,
	TRACEPARENT_FLAGS_AT = 53,
	TRACEPARENT_LENGTH = 55
};

/* The digits are small letters, always. */
static bool
traceparent_read_hex(const char *text, size_t digits, uint64_t *number_r)
{
	uint64_t number = 0;

	for (size_t i = 0; i < digits; i++) {
		char digit = text[i];

		if (digit >= '0' && digit <= '9')
			number = number << 4 | (uint64_t)(digit - '0');
		else if (digit >= 'a' && digit <= 'f')
			number = number << 4 | (uint64_t)(digit - 'a' + 10);
		else
			return false;
	}
	*number_r = number;
	return true;
}

/* A later version may have more behind another dash. */
static bool
traceparent_has_its_size(const char *text, size_t size, uint64_t version)
{
	return size == TRACEPARENT_LENGTH ||
		(version > 0 && size > TRACEPARENT_LENGTH && text[TRACEPARENT_LENGTH] == '-');
}

bool
traceparent_parse(const char *text, size_t size, struct traceparent *header_r)
{
	struct traceparent header;
	uint64_t version, flags;

	if (size < TRACEPARENT_LENGTH || text[TRACEPARENT_ID_AT - 1] != '-' ||
		text[TRACEPARENT_SPAN_AT - 1] != '-' || text[TRACEPARENT_FLAGS_AT - 1] != '-')
		return false;
	if (!traceparent_read_hex(text + TRACEPARENT_VERSION_AT, 2, &version) || version == 0xff ||
		!traceparent_has_its_size(text, size, version))
		return false;
	if (!traceparent_read_hex(text + TRACEPARENT_ID_AT, 16, &header.id.high) ||
		!traceparent_read_hex(text + TRACEPARENT_ID_AT + 16, 16, &header.id.low) ||
		!traceparent_read_hex(text + TRACEPARENT_SPAN_AT, 16, &header.parent) ||
		!traceparent_read_hex(text + TRACEPARENT_FLAGS_AT, 2, &flags))
		return false;
	if (trace_id_is_none(&header.id) || header.parent == 0)
		return false;
	header.flags = flags & TRACE_SAMPLED;
	*header_r = header;
	return true;
}

bool
trace_id_parse(const char *text, struct trace_id *id_r)
{
	struct trace_id id;

	if (strlen(text) != TRACE_ID_SIZE - 1 || !traceparent_read_hex(text, 16, &id.high) ||
		!traceparent_read_hex(text + 16, 16, &id.low) || trace_id_is_none(&id))
		return false;
	*id_r = id;
	return true;
}

void
traceparent_print(char text[TRACEPARENT_SIZE], const struct traceparent *header)
{
	snprintf(text, TRACEPARENT_SIZE, "00-%016" PRIx64 "%016" PRIx64 "-%016" PRIx64 "-%02x", header->id.high,
		header->id.low, header->parent, (unsigned)(header->flags & TRACE_SAMPLED));
}

void
trace_id_print(char text[TRACE_ID_SIZE], const struct trace_id *id)
{
	snprintf(text, TRACE_ID_SIZE, "%016" PRIx64 "%016" PRIx64, id->high, id->low);
}

void
span_id_print(char text[SPAN_ID_SIZE], uint64_t span)
{
	snprintf(text, SPAN_ID_SIZE, "%016" PRIx64, span);
}
