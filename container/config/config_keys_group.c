/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys of [group NAME]. */
#include "config.h"

#include <stddef.h>

#include "config/config_data.h"
#include "config/config_keys.h"
#include "config/config_keys_rows.h"

static const struct config_word strategy_words[] = {
	{"one-for-one", CONFIG_ONE_FOR_ONE},
	{"one-for-all", CONFIG_ONE_FOR_ALL},
	{"rest-for-one", CONFIG_REST_FOR_ONE},
	{NULL, 0},
};

#define AT(field) offsetof(struct config_group, field)

static const struct config_key group_rows[] = {
	{
		.name = "strategy",
		.type = CONFIG_TYPE_CHOICE,
		.offset = AT(strategy),
		.fallback = "one-for-one",
		.words = strategy_words,
		.reloadable = true,
		.help = "who is started again with a service of the group that failed",
	},
};

CONFIG_ROWS_CHECK(group_rows);

const struct config_keys config_group_keys = CONFIG_ROWS_TABLE(group_rows);
