/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/config_history.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "config/config_data.h"

static void
config_history_drop_oldest(struct config_history *history)
{
	config_unref(history->entries[0].config);
	free(history->entries[0].why);
	history->count--;
	memmove(&history->entries[0], &history->entries[1],
		history->count * sizeof(history->entries[0]));
}

void
config_history_add(struct config_history *history, struct config *config, const char *why)
{
	if (history->count == CONFIG_HISTORY_MAX)
		config_history_drop_oldest(history);
	history->entries[history->count++] = (struct config_history_entry){
		.number = ++history->last_number,
		.since_wall_ns = clock_wall_ns(),
		.why = xstrdup(why),
		.config = config_ref(config),
	};
}

void
config_history_renew(struct config_history *history, struct config *config)
{
	struct config_history_entry *newest = &history->entries[history->count - 1];
	struct config *before = newest->config;

	newest->config = config_ref(config);
	config_unref(before);
}

struct config *
config_history_find(const struct config_history *history, int64_t number)
{
	for (size_t i = 0; i < history->count; i++)
		if (history->entries[i].number == number)
			return history->entries[i].config;
	return NULL;
}

void
config_history_finish(struct config_history *history)
{
	while (history->count > 0)
		config_history_drop_oldest(history);
}
