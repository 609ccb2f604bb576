/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of changes while it runs: two of its settings are live, and it tells which ones
 * who sees when.
 *
 *	text       its setting text
 *	mode       its setting mode
 *	level      its setting level
 *	kept       what text was when init asked
 *	hold FILE  text before and after it awaits that the file is there, and what requests see by then
 *	number     how many requests this instance has had, this one counted
 *
 * Its setting needs names a file without which init fails.
 */
#include <bay/bay.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct reloads {
	const char *text;
	int64_t level;
	const char *mode;
	const char *needs;
};

static const struct bay_setting settings[] = {
	BAY_STRING(struct reloads, text, "text", "none", "a text", BAY_LIVE),
	BAY_INT64(struct reloads, level, "level", "1", 1, 9, "a number", BAY_LIVE),
	BAY_STRING(struct reloads, mode, "mode", "plain", "what a new generation is wanted for"),
	BAY_STRING(struct reloads, needs, "needs", "", "a file without which init fails"),
	BAY_END
};

struct reloads_state {
	const struct reloads *first;
	int64_t requests;
};

static int
reloads_init(struct bay_instance *instance)
{
	const struct reloads *set = bay_instance_settings(instance);
	struct reloads_state *state;

	if (*set->needs != '\0' && access(set->needs, F_OK) != 0)
		return bay_instance_fail(instance, BAY_FAILED, "%s is not there", set->needs);
	state = bay_alloc(sizeof(*state));
	if (state == NULL)
		return BAY_NO_MEMORY;
	*state = (struct reloads_state){.first = set};
	bay_instance_set_state(instance, state);
	return BAY_OK;
}

static void
reloads_fini(struct bay_instance *instance)
{
	bay_free(bay_instance_state(instance));
}

static int
reloads_hold(struct bay_request *request, const char *file)
{
	const struct reloads *set = bay_settings(request);
	const struct reloads *now;
	const char *before = set->text;

	while (access(file, F_OK) != 0) {
		if (bay_sleep(5 * BAY_MS) != BAY_OK)
			return bay_fail(request, BAY_CANCELED, "there came no file");
	}
	set = bay_settings(request);
	now = bay_instance_settings(bay_request_instance(request));
	return bay_reply_printf(request, "%s %s %s", before, set->text, now->text);
}

static int
reloads_handle(struct bay_request *request)
{
	const struct reloads *set = bay_settings(request);
	struct reloads_state *state = bay_state(request);
	const char *order = bay_request_text(request);

	state->requests++;
	if (strncmp(order, "hold ", 5) == 0)
		return reloads_hold(request, order + 5);
	if (strcmp(order, "mode") == 0)
		return bay_reply_text(request, set->mode);
	if (strcmp(order, "level") == 0)
		return bay_reply_int64(request, set->level);
	if (strcmp(order, "kept") == 0)
		return bay_reply_text(request, state->first->text);
	if (strcmp(order, "number") == 0)
		return bay_reply_int64(request, state->requests);
	return bay_reply_text(request, set->text);
}

BAY_PLUGIN(reloads, "1.0.0",
	.summary = "tells what it is set to",
	.settings = settings,
	.init = reloads_init,
	.handle = reloads_handle,
	.fini = reloads_fini);
