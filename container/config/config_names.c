/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/config_value.h"

static const char config_names_gaps[] = ", \t\r\n";

bool
config_names_next(const char **list, char name_r[CONFIG_NAME_MAX + 1])
{
	const char *text = *list + strspn(*list, config_names_gaps);
	size_t size = strcspn(text, config_names_gaps);

	*list = text;
	if (!config_name_is_valid(text, size))
		return false;
	memcpy(name_r, text, size);
	name_r[size] = '\0';
	*list = text + size;
	return true;
}

bool
config_names_have(const char *list, const char *name)
{
	char next[CONFIG_NAME_MAX + 1];

	while (config_names_next(&list, next))
		if (strcmp(next, name) == 0)
			return true;
	return false;
}

char *
config_names_tidy(const char *text, char **wrong_r)
{
	char *tidy = xstrdup("");
	char name[CONFIG_NAME_MAX + 1];

	while (config_names_next(&text, name)) {
		char *before = tidy;

		if (config_names_have(before, name))
			continue;
		tidy = xasprintf("%s%s%s", before, *before != '\0' ? ", " : "", name);
		free(before);
	}
	if (*text == '\0')
		return tidy;
	free(tidy);
	*wrong_r = xstrndup(text, strcspn(text, config_names_gaps));
	return NULL;
}
