/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/plugin_survey.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/config_order.h"
#include "master/plugin_examination.h"

/* The services of one plugin that has not been looked at yet. */
struct survey_group {
	struct list link;
	struct plugin_survey *survey;
	size_t count;
	const struct config_service *services[];
};

static struct plugin_survey_entry *
survey_entry(struct plugin_survey *survey, const struct config_service *service)
{
	return &survey->entries[service - survey->_config->services];
}

static void
survey_copy_complaints(struct plugin_survey *survey, const struct config_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		config_report_add(&survey->complaints, report->complaints[i].file,
			report->complaints[i].line, "%s", report->complaints[i].text);
}

static void
survey_on_result(const struct plugin_result *result, void *arg)
{
	struct survey_group *group = arg;
	struct plugin_survey *survey = group->survey;

	survey_copy_complaints(survey, result->complaints);
	for (size_t i = 0; i < group->count; i++) {
		struct plugin_survey_entry *entry = survey_entry(survey, group->services[i]);

		if (result->image != NULL)
			entry->image = plugin_image_ref(result->image);
		else
			entry->reason = xstrdup(result->reason);
	}
	list_remove(&group->link);
	free(group);
	if (--survey->_pending == 0)
		survey->_done(survey->_arg);
}

/* Whether an earlier service has brought this one's plugin along. */
static bool
survey_is_grouped(const struct plugin_survey *survey, size_t index)
{
	const struct config *config = survey->_config;

	for (size_t i = 0; i < index; i++) {
		if (survey->_chosen[i] &&
		    strcmp(config->services[i].plugin, config->services[index].plugin) == 0)
			return true;
	}
	return false;
}

static struct survey_group *
survey_group_create(struct plugin_survey *survey, const char *plugin)
{
	const struct config *config = survey->_config;
	struct survey_group *group = xcalloc(1, sizeof(*group) +
		config->service_count * sizeof(group->services[0]));

	group->survey = survey;
	list_push_back(&survey->_groups, &group->link);
	for (size_t i = 0; i < config->service_count; i++) {
		if (survey->_chosen[i] && strcmp(config->services[i].plugin, plugin) == 0)
			group->services[group->count++] = &config->services[i];
	}
	return group;
}

void
plugin_survey_begin(struct plugin_survey *survey, const struct config *config,
	struct plugin_examination *examination, void (*done)(void *arg), void *arg)
{
	bool *starts = config_order_starts(config);

	plugin_survey_begin_with(survey, config, starts, examination, done, arg);
	free(starts);
}

void
plugin_survey_begin_with(struct plugin_survey *survey, const struct config *config,
	const bool *chosen, struct plugin_examination *examination, void (*done)(void *arg),
	void *arg)
{
	*survey = (struct plugin_survey){._config = config, ._done = done, ._arg = arg};
	list_init(&survey->_groups);
	survey->_chosen = xcalloc(config->service_count + 1, sizeof(*chosen));
	memcpy(survey->_chosen, chosen, config->service_count * sizeof(*chosen));
	survey->entries = xcalloc(config->service_count + 1, sizeof(*survey->entries));
	/* So that complaints come in the order of the files. */
	for (size_t i = 0; i < config->file_count; i++)
		config_report_file(&survey->complaints, config->files[i]);
	for (size_t i = 0; i < config->service_count; i++) {
		struct survey_group *group;

		if (!chosen[i] || survey_is_grouped(survey, i))
			continue;
		group = survey_group_create(survey, config->services[i].plugin);
		survey->_pending++;
		plugin_examination_begin(examination, group->services, group->count,
			survey_on_result, group);
	}
	if (survey->_pending == 0)
		done(arg);
}

void
plugin_survey_complain_of_refusals(struct plugin_survey *survey)
{
	const struct config *config = survey->_config;

	for (size_t i = 0; i < config->service_count; i++) {
		const struct config_service *service = &config->services[i];
		const struct config_origin *origin = config_service_origin(service, "plugin");

		if (survey->entries[i].reason == NULL)
			continue;
		if (origin->file == NULL)
			origin = &service->origin;
		config_report_add(&survey->complaints, origin->file != NULL ? origin->file :
			config->path, origin->line, "service %s: %s", service->name,
			survey->entries[i].reason);
	}
}

void
plugin_survey_finish(struct plugin_survey *survey)
{
	if (survey->entries == NULL)
		return;
	for (size_t i = 0; i < survey->_config->service_count; i++) {
		plugin_image_unref(survey->entries[i].image);
		free(survey->entries[i].reason);
	}
	list_for_each_safe(pos, &survey->_groups)
		free(container_of(pos, struct survey_group, link));
	free(survey->_chosen);
	free(survey->entries);
	survey->entries = NULL;
	config_report_finish(&survey->complaints);
}
