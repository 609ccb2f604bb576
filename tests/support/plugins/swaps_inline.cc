/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two versions of a C++ plugin whose inline variable, one for the whole process as compilers make
 * it, has another form in each: whoever saw the other's data would reply nonsense.
 */
#include <bay/bay.h>

#include <cinttypes>

#ifndef INLINE_VERSION
#define INLINE_VERSION "1"
#define INLINE_WORDS 8
#endif

struct table {
	int64_t padding[INLINE_WORDS] = {7, 7, 7, 7};
	int64_t calls = 0;
	const char *name = INLINE_VERSION;
};

inline table the_table;

static int
handle(struct bay_request *request)
{
	return bay_reply_printf(request, "%s %" PRId64, the_table.name, ++the_table.calls);
}

BAY_PLUGIN(swaps_inline, INLINE_VERSION, .handle = handle);
