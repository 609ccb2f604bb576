/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The examination of everything that a configuration enables, or of a choice of it, each plugin
 * file once, with all complaints together: what bayd -t prints, and what has to be right before
 * anything starts.
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_PLUGIN_SURVEY_H
#define BAY_MASTER_PLUGIN_SURVEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "config/config_data.h"
#include "config/config_report.h"

struct plugin_examination;
struct plugin_image;

/* What became of one service; those that were not looked at have neither. */
struct plugin_survey_entry {
	struct plugin_image *image; /* a reference, or NULL */
	char *reason;               /* why its plugin is refused, or NULL */
};

struct plugin_survey {
	struct plugin_survey_entry *entries; /* by the service's index */
	struct config_report complaints;     /* about settings of plugins */
	const struct config *_config;
	struct list _groups;
	bool *_chosen; /* by the service's index */
	size_t _pending;
	void (*_done)(void *arg);
	void *_arg;
};

/* Begins; done(arg) is called when the last plugin has been looked at, never from inside
 * this call, unless there is nothing to look at. Both are borrowed until then. */
void plugin_survey_begin(struct plugin_survey *survey, const struct config *config,
	struct plugin_examination *examination, void (*done)(void *arg), void *arg);

/* The same for those services whose index is true in chosen. */
void plugin_survey_begin_with(struct plugin_survey *survey, const struct config *config,
	const bool *chosen, struct plugin_examination *examination, void (*done)(void *arg),
	void *arg);

/* Adds the refused plugins to the complaints, with the lines that name them. */
void plugin_survey_complain_of_refusals(struct plugin_survey *survey);

/* Frees what nobody has taken out. After the examination's end, if it was not done. */
void plugin_survey_finish(struct plugin_survey *survey);

#endif
