/* SPDX-License-Identifier: BSD-2-Clause */
/* Plugins that come and go by hand. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ctl/ctl.h"
#include "ctl/show.h"
#include "ctl/verbs.h"

/* As the daemon needs it, which is elsewhere; the caller's. NULL: there is no such place. */
static char *
plugin_absolute(struct ctl *ctl, const char *file)
{
	char *here, *path;

	if (*file == '/')
		return xstrdup(file);
	here = getcwd(NULL, 0);
	if (here == NULL) {
		ctl_error_set(&ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO, "the directory that this is "
			"cannot be named: %s; give an absolute path", strerror(errno));
		return NULL;
	}
	while (strncmp(file, "./", 2) == 0)
		file += 2;
	path = xasprintf("%s/%s", strcmp(here, "/") == 0 ? "" : here, file);
	free(here);
	return path;
}

static json_t *
plugin_load_parameters(struct ctl *ctl, const char *path)
{
	json_t *settings = json_array();
	json_t *parameters = json_pack("{s:o, s:o}", "file", varlink_text(path), "settings", settings);

	for (size_t i = 1; i < ctl->options.repeated_count; i += 2)
		json_array_append_new(settings, varlink_text(ctl->options.repeated[i]));
	if (ctl->options.as != NULL)
		json_object_set_new(parameters, "service", varlink_text(ctl->options.as));
	return parameters;
}

static void
plugin_print_loaded(struct ctl *ctl, const json_t *reply, int64_t took_ns)
{
	const char *state = view_text(reply, "state");
	char took[CLOCK_TEXT_SIZE];

	print_text(&ctl->out, view_text(reply, "service"));
	fputs(": ", ctl->out.file);
	print_styled(&ctl->out, print_state_style(state), state);
	fputs(": ", ctl->out.file);
	print_text(&ctl->out, view_text(reply, "plugin"));
	fputc(' ', ctl->out.file);
	print_text(&ctl->out, view_text(reply, "version"));
	fputs(" from ", ctl->out.file);
	print_text(&ctl->out, view_text(reply, "path"));
	fprintf(ctl->out.file, " (%s)\n", clock_format_duration(took, sizeof(took), took_ns));
}

enum interface_exit
verb_load(struct ctl *ctl)
{
	char *path = plugin_absolute(ctl, ctl->options.arguments[0]);
	int64_t start_ns = clock_monotonic_ns();
	struct ctl_reply reply;
	bool done;

	if (path == NULL)
		return ctl_fail(ctl);
	done = ctl_ask(ctl, INTERFACE_LOAD, plugin_load_parameters(ctl, path), &reply);
	free(path);
	if (!done)
		return ctl_fail(ctl);
	if (ctl->options.json)
		ctl_print_json(ctl, NULL, json_object_get(reply.frame, "parameters"));
	else if (!ctl->options.quiet)
		plugin_print_loaded(ctl, reply.reply.parameters, clock_monotonic_ns() - start_ns);
	ctl_reply_finish(&reply);
	return INTERFACE_EXIT_DONE;
}

static void
plugin_print_unloaded(struct ctl *ctl, const json_t *services)
{
	for (size_t i = 0; i < json_array_size(services); i++) {
		const json_t *service = json_array_get(services, i);
		const json_t *lingering = json_object_get(service, "lingering");

		print_text(&ctl->out, view_text(service, "name"));
		fputs(": removed\n", ctl->out.file);
		for (size_t n = 0; n < json_array_size(lingering); n++) {
			fprintf(ctl->out.file, "  generation %lld lingers: ",
				(long long)view_int(json_array_get(lingering, n), "generation"));
			print_text(&ctl->out, view_text(json_array_get(lingering, n), "reason"));
			fputc('\n', ctl->out.file);
		}
	}
}

enum interface_exit
verb_unload(struct ctl *ctl)
{
	const char *plugin = ctl->options.arguments[0];
	struct ctl_reply reply;

	if (!ctl_ask(ctl, INTERFACE_UNLOAD, json_pack("{s:o}", "plugin", varlink_text(plugin)), &reply))
		return ctl_fail(ctl);
	if (ctl->options.json)
		ctl_print_json(ctl, NULL, json_object_get(reply.frame, "parameters"));
	else if (!ctl->options.quiet)
		plugin_print_unloaded(ctl, json_object_get(reply.reply.parameters, "services"));
	ctl_reply_finish(&reply);
	return INTERFACE_EXIT_DONE;
}
