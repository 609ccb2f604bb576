/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of a plugin as others are told of them: its settings and its verbs, in the words of
 * cell_link. Any thread; never suspends.
 */
#ifndef BAY_CELL_DESCRIPTION_H
#define BAY_CELL_DESCRIPTION_H

#include <bay/setting.h>
#include <bay/verb.h>

#include "protocol/cell_link.h"

enum { DESCRIPTION_RANGE_SIZE = 72 };

/* Borrows the texts of the tables. */
struct description {
	struct cell_plugin_setting *settings;
	size_t setting_count;
	struct cell_plugin_verb *verbs;
	size_t verb_count;
	char (*_ranges)[DESCRIPTION_RANGE_SIZE]; /* of all rows, as many as described so far */
	size_t _range_count;
};

/* Of tables that have been checked; either may be NULL. */
void description_make(struct description *description, const struct bay_setting *settings,
	const struct bay_verb *verbs);
void description_finish(struct description *description);

#endif
