/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/description.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "service/setting_row.h"
#include "service/settings.h"
#include "service/verb_table.h"

/* Settings, or the arguments of a verb: rows of one kind. The caller's. */
static struct cell_plugin_setting *
description_of_rows(struct description *description, const struct bay_setting *table, size_t *count_r)
{
	size_t rows = settings_table_rows(table);
	struct cell_plugin_setting *described = xcalloc(rows, sizeof(*described));

	*count_r = rows;
	for (size_t i = 0; i < rows; i++) {
		char *room = description->_ranges[description->_range_count++];
		const char *range = setting_row_range(&table[i], room, DESCRIPTION_RANGE_SIZE);

		described[i] = (struct cell_plugin_setting){
			.name = table[i].name,
			.type = setting_type_name(table[i].type),
			.default_value = table[i].default_text,
			.help = table[i].help,
			.range = range[0] != '\0' ? range : NULL,
			.live = (table[i].flags & BAY_LIVE) != 0,
		};
	}
	return described;
}

void
description_make(struct description *description, const struct bay_setting *settings,
	const struct bay_verb *verbs)
{
	size_t rows = settings_table_rows(settings), count = verb_table_rows(verbs);

	for (size_t i = 0; i < count; i++)
		rows += settings_table_rows(verbs[i].arguments);
	*description = (struct description){.verb_count = count};
	description->_ranges = xcalloc(rows, sizeof(*description->_ranges));
	description->settings = description_of_rows(description, settings,
		&description->setting_count);
	description->verbs = xcalloc(count, sizeof(*description->verbs));
	for (size_t i = 0; i < count; i++) {
		struct cell_plugin_verb *verb = &description->verbs[i];

		verb->name = verbs[i].name;
		verb->role = verb_role_name(verbs[i].role);
		verb->help = verbs[i].help;
		verb->arguments = description_of_rows(description, verbs[i].arguments,
			&verb->argument_count);
	}
}

void
description_finish(struct description *description)
{
	for (size_t i = 0; i < description->verb_count; i++)
		free(description->verbs[i].arguments);
	free(description->verbs);
	free(description->settings);
	free(description->_ranges);
	*description = (struct description){0};
}
