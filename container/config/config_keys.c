/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_keys.h"

#include <string.h>

#include "base/text.h"
#include "config/config_data.h"

const struct config_key *
config_keys_find(const struct config_keys *keys, const char *name)
{
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(keys->rows[i].name, name) == 0)
			return &keys->rows[i];
	return NULL;
}

const char *
config_keys_nearest(const struct config_keys *keys, const char *name)
{
	const char *names[CONFIG_SECTION_KEYS_MAX];

	for (size_t i = 0; i < keys->count; i++)
		names[i] = keys->rows[i].name;
	return text_nearest(name, names, keys->count);
}
