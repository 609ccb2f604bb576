/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin while it is written: whenever its source changes it is compiled, examined and put
 * into a private container, which goes on with the one before when any of that fails.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/program.h"
#include "ctl/ctl.h"
#include "ctl/dev.h"
#include "ctl/embedded.h"
#include "ctl/verbs.h"

enum { DEV_LINE_MAX = 64 * 1024 };

/* What is typed. */
struct dev_input {
	int fd; /* -1: no more comes */
	struct buffer bytes;
	bool is_tty;
};

/* --- telling ------------------------------------------------------------------------ */

/* Nobody has ended the line of the prompt. */
static void
dev_leave_prompt(struct dev *dev)
{
	if (dev->prompted)
		fputc('\n', dev->ctl->out.file);
	dev->prompted = false;
}

static void
dev_tell(struct dev *dev, const char *event, const char *text)
{
	struct ctl *ctl = dev->ctl;
	json_t *data;

	if (ctl->options.json) {
		data = json_pack("{s:s, s:s}", "event", event, "plugin", dev->name);
		ctl_print_json(ctl, NULL, data);
		json_decref(data);
	} else if (!ctl->options.quiet) {
		fprintf(ctl->out.file, "%s: %s\n", dev->name, text);
	}
	fflush(ctl->out.file);
}

/* For those who want to see more of it from another terminal. */
static void
dev_tell_place(struct dev *dev)
{
	struct ctl *ctl = dev->ctl;
	json_t *data;

	if (ctl->options.json) {
		data = json_pack("{s:s, s:s, s:s}", "event", "container", "plugin", dev->name, "socket",
			dev->socket);
		ctl_print_json(ctl, NULL, data);
		json_decref(data);
	} else if (!ctl->options.quiet) {
		fprintf(ctl->out.file, "%s: a container of its own: bayctl -s %s ...\n", dev->name,
			dev->socket);
	}
}

/* Who found it has said what is wrong; this says what becomes of it. */
static void
dev_tell_refusal(struct dev *dev, const char *what)
{
	struct ctl_error error;

	ctl_error_set(&error, INTERFACE_EXIT_INVALID, CTL_CODE_INVALID, "%s %s", dev->name, what);
	if (dev->serves)
		ctl_error_hint(&error, "the one before goes on serving");
	else
		ctl_error_hint(&error, "nothing runs yet; waiting for a change of %s", dev->source);
	if (dev->ctl->options.json)
		ctl_print_json(dev->ctl, &error, NULL);
	else
		print_error(&dev->ctl->err, &error, false);
	fflush(dev->ctl->out.file);
	fflush(dev->ctl->err.file);
}

static void
dev_prompt(struct dev *dev, const struct dev_input *input)
{
	if (!input->is_tty || input->fd < 0 || !dev->serves || dev->ctl->options.json)
		return;
	fprintf(dev->ctl->out.file, "%s> ", dev->name);
	fflush(dev->ctl->out.file);
	dev->prompted = true;
}

/* --- one round ---------------------------------------------------------------------- */

/* By a shell, since $CC and what pkg-config says are words for one. */
static bool
dev_compile(struct dev *dev)
{
	const struct ctl_options *options = &dev->ctl->options;
	char *output = xasprintf("%s/next/%s.so", dev->place, dev->name);
	const char **words = xcalloc(options->argument_count + 10, sizeof(*words));
	size_t count = 0;
	int exit;

	words[count++] = "sh";
	words[count++] = "-c";
	words[count++] = embedded_text("ctl/dev/build");
	words[count++] = "build";
	words[count++] = dev->directory;
	words[count++] = dev->source;
	words[count++] = dev->name;
	words[count++] = output;
	words[count++] = INCLUDEDIR;
	for (size_t i = 1; i < options->argument_count; i++)
		words[count++] = options->arguments[i];
	exit = dev_child_run(dev, "/bin/sh", words, DEV_CHILD_PLAIN);
	free(words);
	free(output);
	return exit == 0;
}

static void
dev_call(struct dev *dev, const char *text)
{
	const char *const words[] = {"call", dev->name, "--", text, NULL};

	dev_child_ask(dev, words, true);
	/* A reply need not end its line. */
	if (!dev->ctl->options.json && !dev->ctl->out.is_tty)
		fputc('\n', dev->ctl->out.file);
	fflush(dev->ctl->out.file);
}

static void
dev_round(struct dev *dev)
{
	dev_leave_prompt(dev);
	dev_watch_settle(dev);
	dev_tell(dev, "compile", "compiling");
	if (!dev_compile(dev)) {
		if (!dev->ends)
			dev_tell_refusal(dev, "was not compiled");
	} else if (!dev_container_accepts(dev)) {
		if (!dev->ends)
			dev_tell_refusal(dev, "was refused");
	} else if (!dev_container_swap(dev)) {
		if (!dev->ends)
			dev_tell_refusal(dev, "did not start");
	} else if (dev->ctl->options.call != NULL) {
		dev_call(dev, dev->ctl->options.call);
	}
}

/* --- what is typed ------------------------------------------------------------------- */

/* Calls the service with each line that is complete, as long as nothing else is to be done. */
static void
dev_call_lines(struct dev *dev, struct dev_input *input)
{
	char *end;

	while (!dev->ends && !dev->changed && input->bytes.size > 0 &&
		(end = memchr(input->bytes.data, '\n', input->bytes.size)) != NULL) {
		size_t size = (size_t)(end - (char *)input->bytes.data);
		char *line;

		*end = '\0';
		line = xstrdup((const char *)input->bytes.data);
		buffer_consume(&input->bytes, size + 1);
		dev->prompted = false;
		if (dev->serves)
			dev_call(dev, line);
		else
			fputs("bayctl: nothing runs yet: the line is not answered\n", dev->ctl->err.file);
		free(line);
		dev_prompt(dev, input);
	}
}

/* At a terminal the end of what is typed is the end; a script may have nothing to type. */
static void
dev_read(struct dev *dev, struct dev_input *input)
{
	char bytes[4096];
	ssize_t size = read(input->fd, bytes, sizeof(bytes));

	if (size > 0 && input->bytes.size < DEV_LINE_MAX &&
		buffer_append(&input->bytes, bytes, (size_t)size))
		return;
	if (size < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	input->fd = -1;
	dev->ends = dev->ends || input->is_tty;
}

/* --- the verb ------------------------------------------------------------------------- */

static void
dev_loop(struct dev *dev, struct dev_input *input)
{
	dev->changed = true;
	while (!dev->ends && !ferror(dev->ctl->out.file)) {
		struct pollfd wait[] = {
			{.fd = dev->signals, .events = POLLIN},
			{.fd = dev->watch, .events = POLLIN},
			{.fd = input->fd, .events = POLLIN},
		};

		if (dev->changed) {
			dev_round(dev);
			dev_prompt(dev, input);
			dev_call_lines(dev, input);
			continue;
		}
		poll(wait, 3, -1);
		dev_signals_take(dev);
		dev_watch_take(dev);
		if (!dev->ends && wait[2].revents != 0)
			dev_read(dev, input);
		dev_call_lines(dev, input);
	}
}

/* "src/hello.c" is the plugin hello, whose source lies in src. */
static bool
dev_read_source(struct dev *dev)
{
	const char *source = dev->ctl->options.arguments[0];
	const char *slash = strrchr(source, '/');
	const char *file = slash != NULL ? slash + 1 : source;
	const char *ending = strrchr(file, '.');

	if (ending == NULL || ending == file || strcmp(ending, ".so") == 0 || strcmp(ending, ".h") == 0) {
		ctl_error_set(&dev->ctl->error, INTERFACE_EXIT_USAGE, CTL_CODE_USAGE,
			"%s is no source of a plugin: it wants NAME.c, or NAME.cc for C++", source);
		return false;
	}
	if (access(source, R_OK) != 0) {
		ctl_error_set(&dev->ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO, "%s: %s", source,
			strerror(errno));
		if (errno == ENOENT)
			ctl_error_hint(&dev->ctl->error, "bayctl new NAME begins a plugin");
		return false;
	}
	dev->source = xstrdup(source);
	dev->directory = slash == NULL ? xstrdup(".") :
		xstrndup(source, slash == source ? 1 : (size_t)(slash - source));
	dev->name = xstrndup(file, (size_t)(ending - file));
	return true;
}

/* Where pkg-config finds the Bay that this bayctl is of, unless it is told of another: the
 * build tree, where bay-uninstalled.pc lies beside bayd or above its .libs, or an installation. */
static void
dev_set_pkg_config_path(void)
{
	const char *old = getenv("PKG_CONFIG_PATH");
	struct program bayd;
	char *path;

	if (!program_sibling("bayd", SBINDIR, &bayd))
		return;
	*strrchr(bayd.path, '/') = '\0';
	path = xasprintf("%s%s%s:%s/..:%s", old != NULL ? old : "", old != NULL && *old != '\0' ? ":" : "",
		bayd.path, bayd.path, PKGCONFIGDIR);
	setenv("PKG_CONFIG_PATH", path, 1);
	free(path);
}

enum interface_exit
verb_dev(struct ctl *ctl)
{
	struct dev dev = {.ctl = ctl, .signals = -1, .watch = -1};
	struct dev_input input = {.fd = STDIN_FILENO, .is_tty = isatty(STDIN_FILENO) == 1};

	dev_set_pkg_config_path();
	if (dev_read_source(&dev) && dev_signals_open(&dev) && dev_watch_open(&dev) &&
		dev_container_make(&dev)) {
		dev_tell_place(&dev);
		dev_loop(&dev, &input);
	}
	dev_leave_prompt(&dev);
	dev_container_remove(&dev);
	fd_close(&dev.signals);
	fd_close(&dev.watch);
	free(dev.source);
	free(dev.directory);
	free(dev.name);
	buffer_finish(&input.bytes);
	return ctl->error.exit == INTERFACE_EXIT_DONE ? INTERFACE_EXIT_DONE : ctl_fail(ctl);
}
