/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A new plugin: a directory of its name, filled from the files in ctl/templates, those of its
 * kind and those of any. NAME in the name of a file and @NAME@ in its text are the plugin's; of
 * two files of one name the second goes on where the first ends.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "ctl/ctl.h"
#include "ctl/embedded.h"
#include "ctl/verbs.h"

enum { NEW_NAME_MAX = 47 }; /* as BAY_PLUGIN has room for */

#define NEW_TEMPLATES "ctl/templates/"
#define NEW_ANY "any"
#define NEW_DIGITS "0123456789"
#define NEW_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"

static const struct new_kind {
	const char *name;
	const char *does;
	const char *try; /* a message to call it with */
} new_kinds[] = {
	{"call", "a plugin that answers calls", "Ada"},
	{"run", "a plugin that does something by itself", "''"},
	{"stream", "a plugin that serves connections", "''"},
};

struct new_project {
	const char *name;
	const struct new_kind *kind;
	int dir;
	json_t *files; /* the names of those written, in order */
};

/* --- checks --------------------------------------------------------------------- */

static bool
new_refuse_name(struct ctl *ctl, const char *name)
{
	char better[NEW_NAME_MAX + 1];
	size_t i;

	ctl_error_set(&ctl->error, INTERFACE_EXIT_USAGE, CTL_CODE_USAGE,
		"\"%s\" is no name for a plugin: it wants letters, digits and _, no digit first, "
		"and %d bytes at most", name, NEW_NAME_MAX);
	for (i = 0; name[i] != '\0' && i < NEW_NAME_MAX; i++)
		better[i] = strchr(NEW_LETTERS NEW_DIGITS, name[i]) != NULL ? name[i] : '_';
	better[i] = '\0';
	if (i > 0 && strchr(NEW_LETTERS, better[0]) != NULL && better[strspn(better, "_")] != '\0')
		ctl_error_hint(&ctl->error, "how about %s?", better);
	return false;
}

static bool
new_check_name(struct ctl *ctl, const char *name)
{
	size_t size = strlen(name);

	if (size > 0 && size <= NEW_NAME_MAX && strspn(name, NEW_DIGITS) == 0 &&
		strspn(name, NEW_LETTERS NEW_DIGITS) == size)
		return true;
	return new_refuse_name(ctl, name);
}

static const struct new_kind *
new_find_kind(struct ctl *ctl, const char *name)
{
	for (size_t i = 0; i < sizeof(new_kinds) / sizeof(*new_kinds); i++)
		if (name == NULL || strcmp(new_kinds[i].name, name) == 0)
			return &new_kinds[i];
	ctl_error_set(&ctl->error, INTERFACE_EXIT_USAGE, CTL_CODE_USAGE,
		"--kind wants call, run or stream, not \"%s\"", name);
	return NULL;
}

/* --- files ---------------------------------------------------------------------- */

/* The text with each word replaced. */
static bool
new_replace(struct buffer *out, const char *text, const char *word, const char *with)
{
	const char *at;

	for (; (at = strstr(text, word)) != NULL; text = at + strlen(word))
		if (!buffer_append(out, text, (size_t)(at - text)) || !buffer_append_text(out, with))
			return false;
	return buffer_append_text(out, text);
}

static bool
new_write_text(int dir, const char *file, const struct buffer *text)
{
	int fd = openat(dir, file, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0666);
	bool written = fd >= 0 && fd_write_all(fd, text->data, text->size);
	int error = errno;

	if (fd >= 0 && close(fd) != 0 && written) {
		written = false;
		error = errno;
	}
	errno = error;
	return written;
}

/* Notes the name of a file, once. */
static bool
new_note(struct new_project *project, const char *file)
{
	const json_t *noted;
	size_t i;

	json_array_foreach(project->files, i, noted)
		if (strcmp(json_string_value(noted), file) == 0)
			return true;
	return json_array_append_new(project->files, json_string(file)) == 0;
}

/* "NAME.c" is square.c, and "gitignore" .gitignore: a template must not be what it makes. */
static bool
new_write(struct new_project *project, const char *template, const char *text)
{
	struct buffer file = {0};
	struct buffer filled = {0};
	bool written;

	errno = ENOMEM;
	written = (strcmp(template, "gitignore") != 0 || buffer_append_text(&file, ".")) &&
		new_replace(&file, template, "NAME", project->name) && buffer_text(&file) != NULL &&
		new_replace(&filled, text, "@NAME@", project->name) &&
		new_note(project, buffer_text(&file)) &&
		new_write_text(project->dir, buffer_text(&file), &filled);
	buffer_finish(&file);
	buffer_finish(&filled);
	return written;
}

static bool
new_write_all(struct new_project *project, const char *folder)
{
	char prefix[64];
	int size = snprintf(prefix, sizeof(prefix), NEW_TEMPLATES "%s/", folder);

	for (const struct embedded *file = embedded_files; file->name != NULL; file++)
		if (strncmp(file->name, prefix, (size_t)size) == 0 &&
			!new_write(project, file->name + size, file->text))
			return false;
	return true;
}

/* What could not be finished is not to stand in the way of the next try. */
static void
new_remove(const struct new_project *project)
{
	const json_t *file;
	size_t i;

	json_array_foreach(project->files, i, file)
		unlinkat(project->dir, json_string_value(file), 0);
	rmdir(project->name);
}

static bool
new_fill(struct ctl *ctl, struct new_project *project)
{
	bool done;

	project->dir = open(project->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	done = project->dir >= 0 && new_write_all(project, project->kind->name) &&
		new_write_all(project, NEW_ANY);
	if (!done) {
		ctl_error_set(&ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO, "writing %s: %s",
			project->name, strerror(errno));
		new_remove(project);
	}
	fd_close(&project->dir);
	return done;
}

/* Nothing that is there already is touched, whatever it is. */
static bool
new_make(struct ctl *ctl, struct new_project *project)
{
	if (mkdir(project->name, 0777) == 0)
		return new_fill(ctl, project);
	if (errno == EEXIST) {
		ctl_error_set(&ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_FAILED,
			"%s is there already; nothing was written", project->name);
		ctl_error_hint(&ctl->error, "choose another name, or move it away");
	} else {
		ctl_error_set(&ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO,
			"making the directory %s: %s", project->name, strerror(errno));
	}
	return false;
}

/* --- the verb ------------------------------------------------------------------- */

static void
new_tell(struct ctl *ctl, const struct new_project *project)
{
	FILE *out = ctl->out.file;
	const json_t *file;
	size_t i;

	fprintf(out, "%s/: %s\n", project->name, project->kind->does);
	if (ctl->options.quiet)
		return;
	json_array_foreach(project->files, i, file)
		fprintf(out, "  %s\n", json_string_value(file));
	fprintf(out, "Next:\n"
		"  cd %s && make check\n"
		"  bayctl run ./%s.so --call %s\n"
		"README.md tells the rest.\n", project->name, project->name, project->kind->try);
}

enum interface_exit
verb_new(struct ctl *ctl)
{
	struct new_project project = {
		.name = ctl->options.arguments[0],
		.kind = new_find_kind(ctl, ctl->options.kind),
		.dir = -1,
	};
	json_t *data;
	bool made;

	if (project.kind == NULL || !new_check_name(ctl, project.name))
		return ctl_fail(ctl);
	project.files = json_array();
	made = new_make(ctl, &project);
	if (made && ctl->options.json) {
		data = json_pack("{s:s, s:s, s:O}", "name", project.name, "kind", project.kind->name,
			"files", project.files);
		ctl_print_json(ctl, NULL, data);
		json_decref(data);
	} else if (made) {
		new_tell(ctl, &project);
	}
	json_decref(project.files);
	return made ? INTERFACE_EXIT_DONE : ctl_fail(ctl);
}
