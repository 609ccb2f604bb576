/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest plugin: a function and a descriptor.
 *
 *	[service square]
 *
 *	$ bayctl call square 5
 *	25
 */
#include <bay/bay.h>

/* Replies with the square of the integer in the request. */
static int
square(struct bay_request *request)
{
	int64_t n, result;

	if (bay_request_int64(request, &n) != BAY_OK)
		return bay_fail(request, BAY_INVALID, "square wants one integer");
	if (__builtin_mul_overflow(n, n, &result))
		return bay_fail(request, BAY_INVALID, "the square of %" PRId64 " has more than 64 bits", n);
	return bay_reply_int64(request, result);
}

/*
 * BAY_LEAF promises that the handler never waits. It then runs as a plain function of
 * whoever calls it, which costs a few nanoseconds.
 */
BAY_PLUGIN(square, "1.0.0",
	.summary = "the square of an integer",
	.flags = BAY_LEAF,
	.handle = square);
