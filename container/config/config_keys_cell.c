/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys of [cell NAME]. */
#include "config.h"

#include <stddef.h>

#include "base/status_page.h"
#include "config/config_data.h"
#include "config/config_keys.h"
#include "config/config_keys_rows.h"

static const struct config_word container_words[] = {
	{"container", 0},
	{NULL, 0},
};

static const struct config_word none_words[] = {
	{"none", 0},
	{NULL, 0},
};

#define AT(field) offsetof(struct config_cell, field)

static const struct config_key cell_rows[] = {
	{
		.name = "loops",
		.type = CONFIG_TYPE_INT,
		.offset = AT(loops),
		.fallback = "container",
		.min = 1,
		.max = STATUS_PAGE_LOOPS_MAX,
		.words = container_words,
		.reloadable = true,
		.help = "the number of event loops of the cell; container is that of [container]",
	},
	{
		.name = "user",
		.type = CONFIG_TYPE_STRING,
		.offset = AT(user),
		.fallback = "",
		.reloadable = true,
		.help = "the user that the cell runs as when bayd is started by root; empty for that of [container]",
	},
	{
		.name = "group",
		.type = CONFIG_TYPE_STRING,
		.offset = AT(group),
		.fallback = "",
		.reloadable = true,
		.help = "the group that the cell runs as when bayd is started by root; empty for user's own",
	},
	{
		.name = "fds_max",
		.type = CONFIG_TYPE_INT,
		.offset = AT(fds_max),
		.fallback = "none",
		.min = 64,
		.max = 1048576,
		.words = none_words,
		.reloadable = true,
		.help = "how many descriptors the cell may have; none for as many as the system lets it have",
	},
	{
		.name = "memory_max",
		.type = CONFIG_TYPE_SIZE,
		.offset = AT(memory_max),
		.fallback = "none",
		.min = 1 << 20,
		.max = INT64_C(1) << 50,
		.words = none_words,
		.reloadable = true,
		.help = "how much memory the cell may have before it is replaced",
	},
	{
		.name = "tasks_max",
		.type = CONFIG_TYPE_INT,
		.offset = AT(tasks_max),
		.fallback = "none",
		.min = 8,
		.max = 1000000,
		.words = none_words,
		.reloadable = true,
		.help = "how many threads the cell may have before it is replaced",
	},
	{
		.name = "cpu_weight",
		.type = CONFIG_TYPE_INT,
		.offset = AT(cpu_weight),
		.fallback = "100",
		.min = 1,
		.max = 10000,
		.reloadable = true,
		.help = "the cell's part of the processors when they are short, beside the 100 of others",
	},
	{
		.name = "sandbox",
		.type = CONFIG_TYPE_BOOL,
		.offset = AT(sandbox),
		.fallback = "no",
		.reloadable = true,
		.help = "whether the cell is kept from everything that is not its own",
	},
	{
		.name = "writable",
		.type = CONFIG_TYPE_STRING,
		.offset = AT(writable),
		.fallback = "",
		.reloadable = true,
		.help = "the directories below which a sandboxed cell may write, with blanks between them",
	},
};

CONFIG_ROWS_CHECK(cell_rows);

const struct config_keys config_cell_keys = CONFIG_ROWS_TABLE(cell_rows);
