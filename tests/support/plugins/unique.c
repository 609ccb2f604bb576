/* SPDX-License-Identifier: BSD-2-Clause */
/* Has a symbol as C++ makes them for inline variables: one for the whole process. */
#include <bay/plugin.h>

__asm__(
	".pushsection .data\n"
	".balign 4\n"
	".type bay_test_unique, %gnu_unique_object\n"
	".size bay_test_unique, 4\n"
	"bay_test_unique:\n"
	".long 1\n"
	".popsection");

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

BAY_PLUGIN(unique, "1", .handle = handle);
