/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs that need no daemon: they run another program of Bay and pass its outcome on. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "base/program.h"
#include "ctl/ctl.h"
#include "ctl/show.h"
#include "ctl/verbs.h"

enum { PROGRAM_OUTPUT_MAX = 16 * 1024 * 1024 };

static bool
program_find(struct ctl *ctl, const char *name, const char *dir, struct program *program_r)
{
	if (program_sibling(name, dir, program_r))
		return true;
	ctl_error_set(&ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO,
		"%s is neither beside bayctl nor in %s", name, dir);
	ctl_error_hint(&ctl->error, "is Bay installed completely?");
	return false;
}

/* The other program finds its libraries where it was built. */
static void
program_set_library_path(const struct program *program)
{
	const char *old = getenv("LD_LIBRARY_PATH");
	char *path;

	if (program->library_dir[0] == '\0')
		return;
	path = xasprintf("%s%s%s", program->library_dir, old != NULL && *old != '\0' ? ":" : "",
		old != NULL ? old : "");
	setenv("LD_LIBRARY_PATH", path, 1);
	free(path);
}

/* Becomes the other program; returns only when that fails. */
static void
program_exec(struct ctl *ctl, const struct program *program, const char *const *words)
{
	fflush(ctl->out.file);
	program_set_library_path(program);
	execv(program->path, (char **)(uintptr_t)words);
	ctl_error_set(&ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO, "running %s: %s",
		program->path, strerror(errno));
}

/* --- with --json: what it prints is packed into our object ------------------- */

/* Runs it and gathers what it prints, errors too. Its wait status, or -1 with errno. */
static int
program_capture(struct ctl *ctl, const struct program *program, const char *const *words,
	struct buffer *output)
{
	int fds[2];
	int status = -1;
	pid_t pid;
	bool complete;
	int error;

	if (pipe(fds) != 0)
		return -1;
	fflush(ctl->out.file);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		program_set_library_path(program);
		execv(program->path, (char **)(uintptr_t)words);
		_exit(127);
	}
	close(fds[1]);
	complete = pid > 0 && fd_read_all(fds[0], PROGRAM_OUTPUT_MAX, output);
	error = errno;
	close(fds[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	errno = error;
	return complete ? status : -1;
}

/* An object of its own becomes the data; text becomes lines. */
static json_t *
program_output(struct buffer *output)
{
	json_t *data = json_loadb((const char *)output->data, output->size, JSON_REJECT_DUPLICATES,
		NULL);
	char *line = buffer_text(output);
	char *rest;
	json_t *lines;

	if (json_is_object(data))
		return data;
	json_decref(data);
	lines = json_array();
	for (line = strtok_r(line, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		json_array_append_new(lines, varlink_text(line));
	return json_pack("{s:o}", "output", lines);
}

static const char *
program_code(int exit)
{
	switch (exit) {
	case INTERFACE_EXIT_USAGE:
		return CTL_CODE_USAGE;
	case INTERFACE_EXIT_NOT_FOUND:
		return CTL_CODE_NOT_FOUND;
	case INTERFACE_EXIT_INVALID:
		return CTL_CODE_INVALID;
	case INTERFACE_EXIT_NOT_PERMITTED:
		return CTL_CODE_NOT_PERMITTED;
	default:
		return CTL_CODE_FAILED;
	}
}

/* Why it failed: its own reason, else the first line that it printed. */
static const char *
program_reason(const json_t *data)
{
	const char *reason = json_string_value(json_object_get(data, "reason"));

	if (reason == NULL)
		reason = json_string_value(json_array_get(json_object_get(data, "output"), 0));
	return reason != NULL ? reason : "it does not say why";
}

static enum interface_exit
program_report(struct ctl *ctl, const char *name, int status, struct buffer *output)
{
	json_t *data = output->size > 0 ? program_output(output) : NULL;
	int exit = WIFEXITED(status) ? WEXITSTATUS(status) : INTERFACE_EXIT_FAILED;

	if (WIFSIGNALED(status))
		ctl_error_set(&ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO,
			"%s was ended by signal %d", name, WTERMSIG(status));
	else if (exit != 0)
		ctl_error_set(&ctl->error, (enum interface_exit)exit, program_code(exit), "%s",
			program_reason(data));
	ctl_print_json(ctl, &ctl->error, data);
	json_decref(data);
	return (enum interface_exit)exit;
}

static enum interface_exit
program_run(struct ctl *ctl, const struct program *program, const char *const *words)
{
	struct buffer output = {0};
	enum interface_exit exit;
	int status;

	if (!ctl->options.json) {
		program_exec(ctl, program, words);
		return ctl_fail(ctl);
	}
	status = program_capture(ctl, program, words, &output);
	if (status < 0) {
		ctl_error_set(&ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO, "running %s: %s",
			program->path, strerror(errno));
		exit = ctl_fail(ctl);
	} else {
		exit = program_report(ctl, words[0], status, &output);
	}
	buffer_finish(&output);
	return exit;
}

/* --- the verbs --------------------------------------------------------------- */

enum interface_exit
verb_check(struct ctl *ctl)
{
	const char *file = ctl->options.arguments[0];
	const char *words[] = {"bayd", "-t", file != NULL ? "-c" : NULL, file, NULL};
	struct program program;

	if (!program_find(ctl, "bayd", SBINDIR, &program))
		return ctl_fail(ctl);
	return program_run(ctl, &program, words);
}

/* What it prints comes while it runs, so it is in its place, with --json too. */
enum interface_exit
verb_run(struct ctl *ctl)
{
	const struct ctl_options *options = &ctl->options;
	const char **words = xcalloc(options->repeated_count + 12, sizeof(*words));
	struct program program;
	char timeout[32];
	size_t count = 0;

	words[count++] = "bay-cell";
	words[count++] = "solo";
	for (size_t i = 0; i < options->repeated_count; i++)
		words[count++] = options->repeated[i];
	if (options->call != NULL) {
		words[count++] = "--call";
		words[count++] = options->call;
	}
	if (options->repl)
		words[count++] = "--repl";
	if (options->virtual_time)
		words[count++] = "--virtual-time";
	if (options->timeout_ns > 0) {
		snprintf(timeout, sizeof(timeout), "--timeout=%" PRId64 "ns", options->timeout_ns);
		words[count++] = timeout;
	}
	if (options->json)
		words[count++] = "--json";
	if (options->quiet)
		words[count++] = "--quiet";
	words[count++] = "--";
	words[count++] = options->arguments[0];
	if (program_find(ctl, "bay-cell", LIBEXECDIR, &program))
		program_exec(ctl, &program, words);
	free(words);
	return ctl_fail(ctl);
}

/* The program speaks JSON; people get it as tables. */
static enum interface_exit
doc_show(struct ctl *ctl, int status, struct buffer *output)
{
	json_t *data = program_output(output);
	int exit = WIFEXITED(status) ? WEXITSTATUS(status) : INTERFACE_EXIT_FAILED;

	if (WIFSIGNALED(status))
		ctl_error_set(&ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO,
			"bay-cell was ended by signal %d", WTERMSIG(status));
	else if (exit != 0)
		ctl_error_set(&ctl->error, (enum interface_exit)exit, program_code(exit), "%s: %s",
			ctl->options.arguments[0], program_reason(data));
	else
		show_plugin(&ctl->out, json_object_get(data, "plugin"));
	json_decref(data);
	return exit != 0 ? ctl_fail(ctl) : INTERFACE_EXIT_DONE;
}

enum interface_exit
verb_doc(struct ctl *ctl)
{
	const char *words[] = {"bay-cell", "doc", ctl->options.arguments[0], NULL};
	struct buffer output = {0};
	struct program program;
	enum interface_exit exit;
	int status;

	if (!program_find(ctl, "bay-cell", LIBEXECDIR, &program))
		return ctl_fail(ctl);
	status = program_capture(ctl, &program, words, &output);
	if (status < 0) {
		ctl_error_set(&ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO, "running %s: %s",
			program.path, strerror(errno));
		exit = ctl_fail(ctl);
	} else {
		exit = ctl->options.json ? program_report(ctl, words[0], status, &output) :
			doc_show(ctl, status, &output);
	}
	buffer_finish(&output);
	return exit;
}

enum interface_exit
verb_inspect(struct ctl *ctl)
{
	const char *words[] = {"bay-cell", "inspect", ctl->options.arguments[0],
		ctl->options.json ? "--json" : NULL, NULL};
	struct program program;

	if (!program_find(ctl, "bay-cell", LIBEXECDIR, &program))
		return ctl_fail(ctl);
	return program_run(ctl, &program, words);
}
