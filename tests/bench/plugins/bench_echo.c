/* SPDX-License-Identifier: BSD-2-Clause */
/* Gives back as many bytes as it is sent. */
#include <bay/bay.h>

static int
bench_echo(struct bay_request *request)
{
	return bay_reply(request, bay_request_data(request), bay_request_size(request));
}

BAY_PLUGIN(bench_echo, "1.0.0",
	.summary = "replies with the request",
	.handle = bench_echo);
