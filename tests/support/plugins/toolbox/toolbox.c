/* SPDX-License-Identifier: BSD-2-Clause */
#include "toolbox.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct bay_setting settings[] = {
	BAY_STRING(struct toolbox_settings, greeting, "greeting", "hello", "a text"),
	BAY_BOOL(struct toolbox_settings, fail_init, "fail_init", "no", "whether init fails"),
	BAY_BOOL(struct toolbox_settings, fail_run, "fail_run", "no", "whether run fails"),
	BAY_END
};

static const struct operation *const operations[] = {
	message_operations,
	request_operations,
	task_operations,
	wait_operations,
	scope_operations,
	deadline_operations,
	channel_operations,
	queue_operations,
	lock_operations,
	meeting_operations,
	select_operations,
	stream_operations,
	blocking_operations,
	network_operations,
	process_operations,
	subscription_operations,
	call_operations,
	topic_operations,
	plain_operations,
};

/* --- what operations use -------------------------------------------------------------- */

void
saw(struct seen *seen, const char *format, ...)
{
	size_t room = sizeof seen->text - seen->length;
	va_list args;
	int length;

	if (seen->length > 0 && room > 1) {
		seen->text[seen->length++] = ' ';
		room--;
	}
	va_start(args, format);
	length = vsnprintf(seen->text + seen->length, room, format, args);
	va_end(args);
	seen->length += length < 0 ? 0 : (size_t)length < room ? (size_t)length : room - 1;
}

void
toolbox_note(struct bay_instance *instance, const char *format, ...)
{
	struct toolbox_state *state = bay_instance_state(instance);
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (bay_channel_try_put(state->notes, text) != BAY_OK)
		free(text);
}

int
toolbox_be_patient(void *arg)
{
	struct patient *patient = arg;

	patient->status = bay_sleep(3600 * BAY_SECOND);
	snprintf(patient->reason, sizeof patient->reason, "%s",
		bay_cancel_reason() != NULL ? bay_cancel_reason() : "none");
	return patient->status;
}

int
toolbox_return_status(void *status)
{
	return *(const int *)status;
}

/* --- the plugin ----------------------------------------------------------------------- */

static int
toolbox_init(struct bay_instance *instance)
{
	const struct toolbox_settings *set = bay_instance_settings(instance);
	struct toolbox_state *state;

	if (set->fail_init)
		return bay_instance_fail(instance, BAY_IO, "init was told to fail, by %s", set->greeting);
	state = bay_alloc(sizeof *state);
	if (state == NULL)
		return BAY_NO_MEMORY;
	state->notes = bay_channel_create(16);
	state->gate = bay_channel_create(0);
	bay_instance_set_state(instance, state);
	return BAY_OK;
}

static int
toolbox_run(struct bay_instance *instance)
{
	const struct toolbox_settings *set = bay_instance_settings(instance);
	struct toolbox_state *state = bay_instance_state(instance);

	state->running = true;
	if (set->fail_run)
		return bay_instance_fail(instance, BAY_IO, "run was told to fail, by %s", set->greeting);
	return bay_sleep(3600 * BAY_SECOND);
}

static void
toolbox_stop(struct bay_instance *instance)
{
	bay_log_info("stop of %s", bay_instance_name(instance));
}

static void
toolbox_fini(struct bay_instance *instance)
{
	struct toolbox_state *state = bay_instance_state(instance);
	void *text;

	bay_log_info("fini of %s", bay_instance_name(instance));
	while (bay_channel_try_get(state->notes, &text) == BAY_OK)
		free(text);
	bay_channel_destroy(state->notes);
	bay_channel_destroy(state->gate);
	bay_free(state->held);
	bay_free(state);
}

static const struct operation *
toolbox_find(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
		for (const struct operation *row = operations[i]; row->name != NULL; row++)
			if (strlen(row->name) == length && memcmp(row->name, name, length) == 0)
				return row;
	return NULL;
}

static int
toolbox(struct bay_request *request)
{
	const char *text = bay_request_text(request);
	size_t length = strcspn(text, " ");
	const char *argument = text[length] == ' ' ? text + length + 1 : "";
	const struct operation *operation = toolbox_find(text, length);
	struct seen seen = {.length = 0};

	if (operation == NULL)
		return bay_fail(request, BAY_INVALID, "there is no operation %s", text);
	if (operation->handle != NULL)
		return operation->handle(request, argument);
	operation->run(request, argument, &seen);
	return bay_reply(request, seen.text, seen.length);
}

BAY_PLUGIN(toolbox, "1.0.0",
	.summary = "uses every function that plugins may call",
	.settings = settings,
	.init = toolbox_init,
	.handle = toolbox,
	.run = toolbox_run,
	.stop = toolbox_stop,
	.fini = toolbox_fini,
	.verbs = toolbox_verbs);
