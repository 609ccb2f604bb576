/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a header traceparent. What is accepted has ids, and what is printed of it reads back
 * as the same.
 */
#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include "base/traceparent.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct traceparent header = {.parent = 77}, again;
	char text[TRACEPARENT_SIZE];

	if (!traceparent_parse((const char *)data, size, &header)) {
		FUZZ_ASSERT(header.parent == 77 && trace_id_is_none(&header.id));
		return 0;
	}
	FUZZ_ASSERT(!trace_id_is_none(&header.id) && header.parent != 0);
	FUZZ_ASSERT((header.flags & ~TRACE_SAMPLED) == 0);
	traceparent_print(text, &header);
	FUZZ_ASSERT(strlen(text) == TRACEPARENT_SIZE - 1);
	FUZZ_ASSERT(memcmp(text + 3, data + 3, 49) == 0);
	FUZZ_ASSERT(traceparent_parse(text, strlen(text), &again));
	FUZZ_ASSERT(again.id.high == header.id.high && again.id.low == header.id.low &&
		again.parent == header.parent && again.flags == header.flags);
	return 0;
}
