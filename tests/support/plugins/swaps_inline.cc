/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two versions of a C++ plugin whose inline variable, one for the whole process as compilers make
 * it, has another form in each: whoever saw the other's data would reply nonsense.
 */
#include <bay/bay.h>

#include <cinttypes>

#ifndef INLINE_VERSION
#define INLINE_VERSION "1"
#endif

struct table {
#ifdef INLINE_WIDE
	int64_t padding[8] = {7, 7, 7, 7, 7, 7, 7, 7};
#endif
	int64_t calls = 0;
	const char *name = INLINE_VERSION;
};

inline table the_table;

static int
handle(struct bay_request *request)
{
	bay_message_free(nullptr);
	return bay_reply_printf(request, "%s %" PRId64, the_table.name, ++the_table.calls);
}

BAY_PLUGIN(swaps_inline, INLINE_VERSION, .handle = handle);
