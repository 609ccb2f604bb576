/* SPDX-License-Identifier: BSD-2-Clause */
/* The scripts that let shells complete the words of bayctl; see complete.h. */
#include "config.h"

#include <string.h>

#include "ctl/ctl.h"
#include "ctl/embedded.h"
#include "ctl/verbs.h"

static const struct {
	const char *shell;
	const char *file;
} completion_scripts[] = {
	{"bash", "ctl/completion/bayctl"},
	{"zsh", "ctl/completion/_bayctl"},
	{"fish", "ctl/completion/bayctl.fish"},
};

/* NULL: for a shell that nobody has written one for. */
static const char *
completion_script(const char *shell)
{
	for (size_t i = 0; i < sizeof(completion_scripts) / sizeof(*completion_scripts); i++)
		if (strcmp(completion_scripts[i].shell, shell) == 0)
			return embedded_text(completion_scripts[i].file);
	return NULL;
}

enum interface_exit
verb_completion(struct ctl *ctl)
{
	const char *shell = ctl->options.arguments[0];
	const char *script = completion_script(shell);
	json_t *data;

	if (script == NULL) {
		ctl_error_set(&ctl->error, INTERFACE_EXIT_USAGE, CTL_CODE_USAGE,
			"there is no completion for \"%s\"", shell);
		ctl_error_hint(&ctl->error, "the shells are bash, zsh and fish");
		return ctl_fail(ctl);
	}
	if (!ctl->options.json) {
		fputs(script, ctl->out.file);
		return INTERFACE_EXIT_DONE;
	}
	data = json_pack("{s:s, s:s}", "shell", shell, "script", script);
	ctl_print_json(ctl, NULL, data);
	json_decref(data);
	return INTERFACE_EXIT_DONE;
}
