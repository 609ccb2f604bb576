/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes to a descriptor that is not its own while it is loaded. */
#include <bay/plugin.h>

#include <unistd.h>

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

__attribute__((constructor)) static void
construct(void)
{
	static const char text[] = "{\"parameters\":{}}";

	(void)!write(3, text, sizeof(text));
}

BAY_PLUGIN(babbles, "1", .handle = handle);
