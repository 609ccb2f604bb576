/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/canned.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "support/check_main.h"

json_t *
canned(const char *quoted)
{
	char *copy = xstrdup(quoted);
	json_t *json;

	for (char *c = copy; *c != '\0'; c++)
		if (*c == '\'')
			*c = '"';
	json = json_loads(copy, 0, NULL);
	ck_assert_msg(json != NULL, "%s", copy);
	free(copy);
	return json;
}
