/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends every request back, whatever its bytes are.
 *
 *	[service echo]
 *
 *	$ bayctl call echo - < picture.png > same.png
 */
#include <bay/bay.h>

/*
 * A message is bytes with a size. Text is the special case: bay_request_text() gives the
 * same bytes, which a NUL always follows.
 */
static int
echo(struct bay_request *request)
{
	return bay_reply(request, bay_request_data(request), bay_request_size(request));
}

BAY_PLUGIN(echo, "1.0.0",
	.summary = "sends the request back",
	.flags = BAY_LEAF,
	.handle = echo);
