/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/reload_commit.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/config_order.h"
#include "master/listener_table.h"
#include "master/master_service.h"
#include "master/plugin_survey.h"
#include "master/reload_item.h"
#include "master/reload_plan.h"
#include "master/supervisor.h"

/* --- in their order ------------------------------------------------------------------------ */

/* Those that require one that is stopped are stopped with it, as an operator would. */
static void
commit_drag(struct reload_commit *commit, const struct config_order *order)
{
	bool *stops = xcalloc(commit->to->service_count + 1, sizeof(*stops));

	for (size_t i = 0; i < commit->to->service_count; i++)
		stops[i] = commit->items[i].action == RELOAD_STOP;
	config_order_mark_dependants(order, stops);
	for (size_t i = 0; i < commit->to->service_count; i++) {
		struct reload_item *item = &commit->items[i];

		if (!stops[i] || reload_item_is_ending(item) || !item->wanted)
			continue;
		item->action = RELOAD_STOP;
		item->dragged = true;
	}
	free(stops);
}

/* Whether it follows, as it is, something that ends early. */
static bool
commit_follows_early(const struct reload_commit *commit, const struct reload_item *item)
{
	for (size_t i = 0; i < commit->count; i++)
		if (commit->items[i].frees &&
		    config_service_follows(item->former.config, commit->items[i].name))
			return true;
	return false;
}

/* What follows something that ends early ends before that. */
static void
commit_find_early(struct reload_commit *commit)
{
	bool grows = true;

	for (size_t i = 0; i < commit->count; i++)
		commit->items[i].frees = reload_item_is_ending(&commit->items[i]) && commit->items[i].listens;
	while (grows) {
		grows = false;
		for (size_t i = 0; i < commit->count; i++) {
			struct reload_item *item = &commit->items[i];

			if (!reload_item_is_ending(item) || item->frees || !commit_follows_early(commit, item))
				continue;
			item->frees = true;
			grows = true;
		}
	}
}

static void
commit_find_order(struct reload_commit *commit)
{
	struct config_order *order = config_order_create(commit->to, NULL);
	size_t size = (commit->to->service_count + 1) * sizeof(*commit->sorted);

	commit->sorted = xcalloc(1, size);
	memcpy(commit->sorted, config_order_sorted(order), size - sizeof(*commit->sorted));
	commit_drag(commit, order);
	commit_find_early(commit);
	config_order_destroy(order);
}

/* The item that comes next: those of the new configuration in its order, then the others. */
static struct reload_item *
commit_in_order(struct reload_commit *commit, size_t place)
{
	return &commit->items[place < commit->to->service_count ? commit->sorted[place] : place];
}

struct reload_commit *
reload_commit_create(struct supervisor *supervisor, struct listener_table *listeners,
	struct config *to, const struct config_diff *diff, bool retry,
	const struct plugin_survey *survey, reload_commit_fn *done, void *arg)
{
	struct reload_commit *commit = xcalloc(1, sizeof(*commit));
	bool *needed = reload_plan_needed(supervisor, to, diff, retry);

	*commit = (struct reload_commit){.supervisor = supervisor, .listeners = listeners,
		.to = config_ref(to), .diff = diff, .retry = retry, .done = done, .arg = arg};
	commit->items = xcalloc(to->service_count + supervisor_count(supervisor) + 1,
		sizeof(*commit->items));
	for (size_t i = 0; i < to->service_count; i++)
		reload_item_init(&commit->items[commit->count++], commit,
			supervisor_find(supervisor, to->services[i].name), &to->services[i],
			survey->entries[i].image, needed[i]);
	for (size_t i = 0; i < supervisor_count(supervisor); i++) {
		struct master_service *service = supervisor_service(supervisor, i);

		/* No configuration has what a plugin file has become. */
		if (!service->source->dropped_in && config_find_service(to, service->config->name) == NULL)
			reload_item_init(&commit->items[commit->count++], commit, service, NULL, NULL, false);
	}
	free(needed);
	commit_find_order(commit);
	return commit;
}

void
reload_commit_destroy(struct reload_commit *commit)
{
	if (commit == NULL)
		return;
	for (size_t i = 0; i < commit->count; i++)
		reload_item_finish(&commit->items[i]);
	free(commit->items);
	free(commit->sorted);
	free(commit->why);
	config_unref(commit->to);
	free(commit);
}

/* --- phases -------------------------------------------------------------------------------- */

static bool
commit_has_part(const struct reload_item *item, enum commit_phase phase)
{
	switch (phase) {
	case COMMIT_FREE:
		return item->frees;
	case COMMIT_CHANGE:
		return !reload_item_is_ending(item) && item->action != RELOAD_KEEP;
	case COMMIT_END:
		return reload_item_is_ending(item);
	case COMMIT_UNDO:
		return !reload_item_is_ending(item) && reload_item_is_to_undo(item);
	case COMMIT_RESTORE:
		return item->ends;
	case COMMIT_OVER:
		break;
	}
	return false;
}

static void
commit_item_begin(struct reload_item *item)
{
	switch (item->commit->phase) {
	case COMMIT_FREE:
		reload_item_end(item);
		break;
	case COMMIT_CHANGE:
		reload_item_change(item);
		break;
	case COMMIT_END:
		/* One that has stopped in the first phase answers at once. */
		reload_item_end(item);
		break;
	case COMMIT_UNDO:
	case COMMIT_RESTORE:
		reload_item_undo(item);
		break;
	case COMMIT_OVER:
		break;
	}
}

/* Each waits for those that are to stop before it or to start before it, also if their turn in the
 * phase is still to come. */
static void
commit_item_announce(struct reload_item *item)
{
	switch (item->commit->phase) {
	case COMMIT_FREE:
	case COMMIT_END:
		item->service->wanted = false;
		break;
	case COMMIT_UNDO:
		if (item->action == RELOAD_ADD ||
		    (item->action == RELOAD_START && item->was == SERVICE_STOPPED))
			item->service->wanted = false;
		break;
	case COMMIT_RESTORE:
		item->service->wanted = item->wanted;
		break;
	default:
		break;
	}
}

static void commit_next(struct reload_commit *commit);

static void
commit_leave(struct reload_commit *commit)
{
	if (--commit->pending == 0)
		commit_next(commit);
}

static void
commit_enter(struct reload_commit *commit, enum commit_phase phase)
{
	commit->phase = phase;
	commit->pending = 1;
	for (size_t i = 0; i < commit->count; i++)
		if (commit_has_part(&commit->items[i], phase))
			commit_item_announce(&commit->items[i]);
	for (size_t i = 0; i < commit->count; i++) {
		struct reload_item *item = commit_in_order(commit, i);

		if (!commit_has_part(item, phase))
			continue;
		commit->pending++;
		commit_item_begin(item);
	}
	commit_leave(commit);
}

void
reload_item_ended(struct reload_item *item)
{
	commit_leave(item->commit);
}

/* Nothing of them is different, but that may be said elsewhere. */
static void
commit_tell_others(struct reload_commit *commit)
{
	for (size_t i = 0; i < commit->count; i++) {
		struct reload_item *item = &commit->items[i];

		if (item->action == RELOAD_KEEP)
			master_service_configure(item->service, item->target.source, item->target.config);
		else if (item->action == RELOAD_GENERATION)
			listener_table_trim(commit->listeners, item->target.config);
	}
}

static void
commit_end(struct reload_commit *commit)
{
	commit->phase = COMMIT_OVER;
	if (commit->why == NULL)
		commit_tell_others(commit);
	commit->done(commit->why, commit->arg);
}

static void
commit_next(struct reload_commit *commit)
{
	if (supervisor_is_stopping(commit->supervisor)) {
		if (commit->why == NULL)
			commit->why = xstrdup("bayd stops");
		commit_end(commit);
	} else if (commit->phase == COMMIT_RESTORE || commit->phase == COMMIT_END) {
		commit_end(commit);
	} else if (commit->phase == COMMIT_UNDO) {
		commit_enter(commit, COMMIT_RESTORE);
	} else if (commit->why != NULL) {
		commit_enter(commit, COMMIT_UNDO);
	} else {
		commit_enter(commit, commit->phase == COMMIT_FREE ? COMMIT_CHANGE : COMMIT_END);
	}
}

void
reload_commit_begin(struct reload_commit *commit)
{
	commit_enter(commit, COMMIT_FREE);
}
