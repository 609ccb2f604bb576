/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/map.h"
#include "config/config_keys.h"
#include "config/config_value.h"

static const struct {
	char sign;
	const char *name;
} effects[] = {
	[CONFIG_EFFECT_LIVE] = {'~', "live"},
	[CONFIG_EFFECT_START] = {'+', "start"},
	[CONFIG_EFFECT_STOP] = {'-', "stop"},
	[CONFIG_EFFECT_GENERATION] = {'~', "generation"},
	[CONFIG_EFFECT_CELL] = {'~', "cell"},
	[CONFIG_EFFECT_RESTART] = {'!', "restart"},
};

char
config_effect_sign(enum config_effect effect)
{
	return effects[effect].sign;
}

const char *
config_effect_name(enum config_effect effect)
{
	return effects[effect].name;
}

/* --- changes ------------------------------------------------------------------- */

static struct config_change *
config_diff_add(struct config_diff *diff, enum config_effect effect, const char *service,
	const char *key, const struct config_origin *origin)
{
	struct config_change *change;

	/* The capacity is the next power of two. */
	if ((diff->count & (diff->count - 1)) == 0)
		diff->changes = xrealloc(diff->changes, diff->count > 0 ? diff->count * 2 : 1,
			sizeof(*change));
	change = &diff->changes[diff->count++];
	*change = (struct config_change){.effect = effect, .service = service, .key = key,
		.origin = *origin};
	return change;
}

static char *
config_diff_text(const struct config_key *key, const void *section)
{
	struct buffer text = {0};
	char *copy = xstrdup(config_value_print(key, section, &text) && buffer_text(&text) != NULL ?
		buffer_text(&text) : "");

	buffer_finish(&text);
	return copy;
}

/* Where a default comes from is the section that does not set it. */
static const struct config_origin *
config_diff_origin(const struct config_origin *origin, const struct config_origin *section)
{
	return origin->file != NULL ? origin : section;
}

/* --- sections ------------------------------------------------------------------ */

static enum config_effect
config_diff_effect(const struct config_key *key, bool container)
{
	if (!key->reloadable)
		return CONFIG_EFFECT_RESTART;
	return container || key->live ? CONFIG_EFFECT_LIVE : CONFIG_EFFECT_GENERATION;
}

/* What a key includes has been compared already, and nobody asks for it again. */
static bool
config_diff_is_told(const struct config_key *key)
{
	return key->type != CONFIG_TYPE_PATTERNS;
}

static void
config_diff_container(struct config_diff *diff, const struct config_container *from,
	const struct config_container *to)
{
	for (size_t i = 0; i < config_container_keys.count; i++) {
		const struct config_key *key = &config_container_keys.rows[i];
		struct config_change *change;

		if (!config_diff_is_told(key) || config_value_equal(key, from, to))
			continue;
		change = config_diff_add(diff, config_diff_effect(key, true), NULL, key->name,
			config_diff_origin(&to->origins[i], &to->origin));
		change->old_value = config_diff_text(key, from);
		change->new_value = config_diff_text(key, to);
	}
}

static void
config_diff_keys(struct config_diff *diff, const struct config_service *from,
	const struct config_service *to)
{
	for (size_t i = 0; i < config_service_keys.count; i++) {
		const struct config_key *key = &config_service_keys.rows[i];
		struct config_change *change;

		if (config_value_equal(key, from, to))
			continue;
		change = config_diff_add(diff, config_diff_effect(key, false), to->name, key->name,
			config_diff_origin(&to->origins[i], &to->origin));
		change->old_value = config_diff_text(key, from);
		change->new_value = config_diff_text(key, to);
	}
}

/* A section with a name that is not of a service. One that is not there (NULL) says what the defaults
 * say. Where its name goes is the caller's. */
static size_t
config_diff_section(struct config_diff *diff, enum config_effect effect, const struct config_keys *keys,
	const void *from, const void *to, const struct config_origin *origins,
	const struct config_origin *section)
{
	size_t before_count = diff->count;

	for (size_t i = 0; i < keys->count; i++) {
		const struct config_key *key = &keys->rows[i];
		char *before = from != NULL ? config_diff_text(key, from) : xstrdup(key->fallback);
		char *after = to != NULL ? config_diff_text(key, to) : xstrdup(key->fallback);
		struct config_change *change;

		if (strcmp(before, after) == 0) {
			free(before);
			free(after);
			continue;
		}
		change = config_diff_add(diff, effect, NULL, key->name,
			to != NULL ? config_diff_origin(&origins[i], section) : section);
		change->old_value = before;
		change->new_value = after;
	}
	return before_count;
}

static void
config_diff_cell(struct config_diff *diff, const struct config_cell *from,
	const struct config_cell *to)
{
	const struct config_cell *there = to != NULL ? to : from;
	size_t i = config_diff_section(diff, CONFIG_EFFECT_CELL, &config_cell_keys, from, to, there->origins,
		&there->origin);

	for (; i < diff->count; i++)
		diff->changes[i].cell = there->name;
}

static void
config_diff_group(struct config_diff *diff, const struct config_group *from,
	const struct config_group *to)
{
	const struct config_group *there = to != NULL ? to : from;
	size_t i = config_diff_section(diff, CONFIG_EFFECT_LIVE, &config_group_keys, from, to, there->origins,
		&there->origin);

	for (; i < diff->count; i++)
		diff->changes[i].group = there->name;
}

static void
config_diff_groups(struct config_diff *diff, const struct config *from, const struct config *to)
{
	for (size_t i = 0; i < to->group_count; i++)
		config_diff_group(diff, config_find_group(from, to->groups[i].name), &to->groups[i]);
	for (size_t i = 0; i < from->group_count; i++)
		if (config_find_group(to, from->groups[i].name) == NULL)
			config_diff_group(diff, &from->groups[i], NULL);
}

static void
config_diff_cells(struct config_diff *diff, const struct config *from, const struct config *to)
{
	for (size_t i = 0; i < to->cell_count; i++)
		config_diff_cell(diff, config_find_cell(from, to->cells[i].name), &to->cells[i]);
	for (size_t i = 0; i < from->cell_count; i++)
		if (config_find_cell(to, from->cells[i].name) == NULL)
			config_diff_cell(diff, &from->cells[i], NULL);
}

static const struct config_setting *
config_diff_find_setting(const struct config_service *service, const char *name)
{
	for (size_t i = 0; i < service->setting_count; i++)
		if (strcmp(service->settings[i].name, name) == 0)
			return &service->settings[i];
	return NULL;
}

/* One of the two may be NULL. */
static void
config_diff_setting(struct config_diff *diff, const struct config_service *to_service,
	const struct config_setting *from, const struct config_setting *to, bool live)
{
	struct config_change *change = config_diff_add(diff,
		live ? CONFIG_EFFECT_LIVE : CONFIG_EFFECT_GENERATION, to_service->name,
		to != NULL ? to->name : from->name, to != NULL ? &to->origin : &to_service->origin);

	change->old_value = from != NULL ? xstrdup(from->value) : NULL;
	change->new_value = to != NULL ? xstrdup(to->value) : NULL;
}

static void
config_diff_settings(struct config_diff *diff, const struct config_service *from,
	const struct config_service *to, config_live_fn *live, void *arg)
{
	/* Another plugin has other settings, whatever their names are. */
	bool same = live != NULL && strcmp(from->plugin, to->plugin) == 0;

	for (size_t i = 0; i < to->setting_count; i++) {
		const struct config_setting *now = &to->settings[i];
		const struct config_setting *before = config_diff_find_setting(from, now->name);

		if (before == NULL || strcmp(before->value, now->value) != 0)
			config_diff_setting(diff, to, before, now, same && live(from, now->name, arg));
	}
	for (size_t i = 0; i < from->setting_count; i++) {
		const struct config_setting *before = &from->settings[i];

		if (config_diff_find_setting(to, before->name) == NULL)
			config_diff_setting(diff, to, before, NULL,
				same && live(from, before->name, arg));
	}
}

/* --- the whole ----------------------------------------------------------------- */

/* By name: there may be thousands. */
static struct map *
config_diff_names(const struct config *config)
{
	struct map *names = map_create();

	for (size_t i = 0; i < config->service_count; i++)
		map_put(names, config->services[i].name, &config->services[i]);
	return names;
}

void
config_diff_make(struct config_diff *diff, const struct config *old_config,
	const struct config *new_config, config_live_fn *live, void *arg)
{
	struct map *before = config_diff_names(old_config);
	struct map *after = config_diff_names(new_config);

	*diff = (struct config_diff){0};
	config_diff_container(diff, &old_config->container, &new_config->container);
	config_diff_cells(diff, old_config, new_config);
	config_diff_groups(diff, old_config, new_config);
	for (size_t i = 0; i < new_config->service_count; i++) {
		const struct config_service *to = &new_config->services[i];
		const struct config_service *from = map_get(before, to->name);

		if (from == NULL) {
			config_diff_add(diff, CONFIG_EFFECT_START, to->name, NULL, &to->origin);
		} else {
			config_diff_keys(diff, from, to);
			config_diff_settings(diff, from, to, live, arg);
		}
	}
	for (size_t i = 0; i < old_config->service_count; i++) {
		const struct config_service *from = &old_config->services[i];

		if (map_get(after, from->name) == NULL)
			config_diff_add(diff, CONFIG_EFFECT_STOP, from->name, NULL, &from->origin);
	}
	map_destroy(before);
	map_destroy(after);
}

void
config_diff_finish(struct config_diff *diff)
{
	for (size_t i = 0; i < diff->count; i++) {
		free(diff->changes[i].old_value);
		free(diff->changes[i].new_value);
	}
	free(diff->changes);
	*diff = (struct config_diff){0};
}

bool
config_diff_service(const struct config_diff *diff, const char *service,
	enum config_effect *effect_r)
{
	bool found = false;

	for (size_t i = 0; i < diff->count; i++) {
		const struct config_change *change = &diff->changes[i];

		if (change->service == NULL || strcmp(change->service, service) != 0)
			continue;
		if (!found || change->effect > *effect_r)
			*effect_r = change->effect;
		found = true;
	}
	return found;
}
