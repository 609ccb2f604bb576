/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/admin_verbs.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "master/admin_calls.h"
#include "master/admin_commands.h"
#include "master/event_log.h"
#include "master/master.h"
#include "master/plugin_examination.h"
#include "master/supervisor.h"
#include "protocol/cell_link.h"
#include "protocol/interface.h"
#include "protocol/varlink.h"

/* Of the plugin as it runs, or will; NULL: it has not been examined well. Borrowed. */
static const json_t *
admin_verbs_of(const struct master_service *service)
{
	return service->image != NULL ? service->image->verbs : NULL;
}

/* --- Verbs --------------------------------------------------------------------------- */

static bool
admin_verbs_add(const struct master_service *service, json_t *list)
{
	const json_t *verb;
	size_t i;

	json_array_foreach(admin_verbs_of(service), i, verb) {
		json_t *copy = json_copy((json_t *)(uintptr_t)verb);

		if (copy == NULL ||
		    json_object_set_new(copy, "service", varlink_text(service->config->name)) != 0 ||
		    json_array_append(list, copy) != 0) {
			json_decref(copy);
			return false;
		}
		json_decref(copy);
	}
	return true;
}

void
admin_verbs(struct admin_request *request, struct master *master)
{
	json_t *list;
	bool done = true;

	if (admin_service_argument(request) != NULL && admin_find_service(request, master) == NULL)
		return;
	list = json_array();
	for (size_t i = 0; i < supervisor_count(master->supervisor) && done; i++) {
		const struct master_service *service = supervisor_service(master->supervisor, i);
		const char *only = admin_service_argument(request);

		if (only == NULL || strcmp(only, service->config->name) == 0)
			done = admin_verbs_add(service, list);
	}
	if (!done) {
		json_decref(list);
		list = NULL;
	}
	admin_answer(request, list != NULL ? json_pack("{s:o}", "verbs", list) : NULL);
}

/* --- Do ------------------------------------------------------------------------------ */

static const char *
admin_verb_name(const json_t *verb)
{
	return json_string_value(json_object_get(verb, "name"));
}

static void
admin_fail_unknown_verb(struct admin_request *request, const struct master_service *service,
	const char *name)
{
	const json_t *verbs = admin_verbs_of(service);
	size_t count = json_array_size(verbs);
	const char **names = xcalloc(count + 1, sizeof(*names));
	const char *nearest;

	for (size_t i = 0; i < count; i++)
		names[i] = admin_verb_name(json_array_get(verbs, i));
	nearest = text_nearest(name, names, count);
	if (count == 0)
		admin_fail(request, BAY_NOT_FOUND, "service %s has no verbs [verb-unknown]", service->config->name);
	else if (nearest != NULL)
		admin_fail(request, BAY_NOT_FOUND, "service %s has no verb %s; did you mean %s? [verb-unknown]",
			service->config->name, name, nearest);
	else
		admin_fail(request, BAY_NOT_FOUND, "service %s has no verb %s; bayctl do %s lists "
			"those that it has [verb-unknown]", service->config->name, name, service->config->name);
	free(names);
}

static const json_t *
admin_find_verb(const struct master_service *service, const char *name)
{
	const json_t *verb;
	size_t i;

	json_array_foreach(admin_verbs_of(service), i, verb) {
		if (strcmp(admin_verb_name(verb), name) == 0)
			return verb;
	}
	return NULL;
}

/* False: the request has been ended with the reason. */
static bool
admin_may_do(struct admin_request *request, const struct master_service *service, const json_t *verb)
{
	const char *role = json_string_value(json_object_get(verb, "role"));

	if (request->peer.role >= interface_role_parse(role))
		return true;
	admin_fail(request, BAY_NOT_PERMITTED, "not permitted: verb %s of service %s is for the role "
		"%s, and user %u has %s", admin_verb_name(verb), service->config->name, role,
		(unsigned)request->peer.uid, interface_role_name(request->peer.role));
	return false;
}

/* What it changes, only the plugin knows. */
static void
admin_note_verb(const struct admin_request *request, const struct master *master,
	const struct master_service *service, const char *verb)
{
	event_log_add(master->events, EVENT_ASKED, &(struct event_facts){.service = service->config->name,
		.by = admin_by(request)}, "for its verb %s", verb);
}

static void
admin_pass_words_on(struct admin_request *request, struct master *master,
	struct master_service *service, const char *verb)
{
	const json_t *arguments = json_object_get(request->parameters, "arguments");
	struct cell_do asked = {.service = service->config->name, .verb = verb};

	asked.timeout_ns = admin_timeout_ns(request, service);
	asked.word_count = json_array_size(arguments);
	asked.words = xcalloc(asked.word_count + 1, sizeof(*asked.words));
	for (size_t i = 0; i < asked.word_count; i++)
		asked.words[i].text = json_string_value(json_array_get(arguments, i));
	admin_pass_verb_on(request, master, service, &asked);
	free(asked.words);
}

void
admin_do(struct admin_request *request, struct master *master)
{
	const char *name = json_string_value(json_object_get(request->parameters, "verb"));
	struct master_service *service = admin_find_service(request, master);
	const json_t *verb;

	if (service == NULL || admin_refused_while_draining(request, master))
		return;
	verb = admin_find_verb(service, name);
	if (verb == NULL && admin_verbs_of(service) == NULL)
		admin_fail_not_ready(request, service);
	else if (verb == NULL)
		admin_fail_unknown_verb(request, service, name);
	else if (!admin_may_do(request, service, verb))
		return;
	else if (!admin_is_open(service))
		admin_fail_not_ready(request, service);
	else {
		admin_note_verb(request, master, service, name);
		admin_pass_words_on(request, master, service, name);
	}
}
