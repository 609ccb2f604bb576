/* SPDX-License-Identifier: BSD-2-Clause */
/* The private container of bayctl dev: its directory, its configuration, its bayd. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/program.h"
#include "ctl/dev.h"
#include "ctl/verbs.h"

enum { DEV_CONTAINER_LOOK_MS = 20 };

/* How long bayd may take to end before it is ended. */
#define DEV_CONTAINER_END_NS INT64_C(10000000000)

static bool
dev_container_fail(struct dev *dev, const char *what)
{
	ctl_error_set(&dev->ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO, "%s: %s", what,
		strerror(errno));
	return false;
}

/* --- configuration --------------------------------------------------------------- */

static bool
dev_container_refuse_setting(struct dev *dev, const char *setting, const char *why)
{
	ctl_error_set(&dev->ctl->error, INTERFACE_EXIT_USAGE, CTL_CODE_USAGE, "--set %s: %s", setting,
		why);
	return false;
}

/* "key=value" as a line of the section, in quotes: nothing in it ends the value. */
static bool
dev_container_put_setting(struct dev *dev, struct buffer *ini, const char *setting)
{
	size_t key = strcspn(setting, "=");
	const char *at = setting + key;

	if (*at != '=' || key == 0 || strspn(setting, "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != key)
		return dev_container_refuse_setting(dev, setting, "it wants KEY=VALUE");
	if (strpbrk(at, "\n\r") != NULL)
		return dev_container_refuse_setting(dev, setting, "a value has one line");
	if (!buffer_printf(ini, "%.*s = \"", (int)key, setting))
		return false;
	for (at++; *at != '\0'; at++)
		if (!buffer_printf(ini, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at))
			return false;
	return buffer_append_text(ini, "\"\n");
}

/* The section of the plugin first, as it is the one that complaints are about. */
static bool
dev_container_put_ini(struct dev *dev, const char *file, const char *plugin_dir,
	const char *runtime_dir)
{
	const struct ctl_options *options = &dev->ctl->options;
	char *path = xasprintf("%s/%s", dev->place, file);
	struct buffer ini = {0};
	bool done = buffer_printf(&ini, "[service %s]\ndrain_timeout = 1s\n", dev->name);
	int fd;

	for (size_t i = 0; done && i + 1 < options->repeated_count; i += 2)
		done = dev_container_put_setting(dev, &ini, options->repeated[i + 1]);
	done = done && buffer_printf(&ini, "\n[container]\nplugin_dir = %s\nruntime_dir = %s\n"
		"loops = 1\ndrain_timeout = 1s\n"
		/* What is swapped is for us to say, also what is put back. */
		"watch = no\n", plugin_dir, runtime_dir);
	if (done) {
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		done = (fd >= 0 && fd_write_all(fd, ini.data, ini.size)) || dev_container_fail(dev, path);
		fd_close(&fd);
	}
	if (!done && dev->ctl->error.exit == INTERFACE_EXIT_DONE)
		ctl_error_set(&dev->ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_NO_MEMORY, "no memory");
	buffer_finish(&ini);
	free(path);
	return done;
}

static bool
dev_container_make_dir(struct dev *dev, const char *name)
{
	char *path = xasprintf("%s/%s", dev->place, name);
	bool made = mkdir(path, 0700) == 0 || dev_container_fail(dev, path);

	free(path);
	return made;
}

bool
dev_container_make(struct dev *dev)
{
	const char *base = getenv("TMPDIR");
	char *real = realpath(base != NULL && *base != '\0' ? base : "/tmp", NULL);
	char *place = xasprintf("%s/bay-dev-XXXXXX", real != NULL ? real : "/tmp");
	bool made = mkdtemp(place) != NULL;

	free(real);
	if (!made) {
		dev_container_fail(dev, place);
		free(place);
		return false;
	}
	dev->place = place;
	dev->socket = xasprintf("%s/run/control.sock", place);
	/* What a compiler that is ended leaves goes with the rest. */
	setenv("TMPDIR", place, 1);
	return dev_container_make_dir(dev, "plugins") && dev_container_make_dir(dev, "next") &&
		dev_container_make_dir(dev, "last") &&
		dev_container_put_ini(dev, "bay.ini", "plugins", "run") &&
		dev_container_put_ini(dev, "dev.ini", "next", "no-run");
}

/* --- bayd --------------------------------------------------------------------------- */

static bool
dev_container_find_bayd(struct dev *dev, struct program *bayd)
{
	if (program_sibling("bayd", SBINDIR, bayd))
		return true;
	ctl_error_set(&dev->ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO,
		"bayd is neither beside bayctl nor in " SBINDIR);
	dev->ends = true;
	return false;
}

bool
dev_container_accepts(struct dev *dev)
{
	static const char *const words[] = {"bayd", "-t", "-c", "dev.ini", NULL};
	struct program bayd;

	return dev_container_find_bayd(dev, &bayd) && dev_child_run(dev, bayd.path, words,
		DEV_CHILD_SILENT | DEV_CHILD_IN_PLACE) == 0;
}

/* Whether it answers and has started what there is to start. */
static bool
dev_container_is_ready(struct dev *dev)
{
	struct ctl_error error = dev->ctl->error;
	struct ctl_reply reply;
	bool ready;

	dev->ctl->options.socket = dev->socket;
	ready = ctl_ask(dev->ctl, INTERFACE_INFO, NULL, &reply);
	if (ready) {
		ready = strcmp(view_text(reply.reply.parameters, "state"), "ready") == 0;
		ctl_reply_finish(&reply);
	}
	connection_close(&dev->ctl->connection);
	dev->ctl->error = error;
	return ready;
}

static bool
dev_container_start(struct dev *dev)
{
	static const char *const words[] = {"bayd", "-c", "bay.ini", NULL};
	struct pollfd wait = {.fd = dev->signals, .events = POLLIN};
	struct program bayd;
	pid_t pid;

	if (!dev_container_find_bayd(dev, &bayd))
		return false;
	pid = dev_child_start(dev, bayd.path, words, DEV_CHILD_IN_PLACE);
	if (pid < 0)
		return false;
	dev->bayd = pid;
	while (!dev->ends && !dev_container_is_ready(dev)) {
		poll(&wait, 1, DEV_CONTAINER_LOOK_MS);
		dev_signals_take(dev);
	}
	return !dev->ends;
}

/* --- the plugin ---------------------------------------------------------------------- */

static bool
dev_container_move(struct dev *dev, const char *from, const char *to)
{
	char *old = xasprintf("%s/%s/%s.so", dev->place, from, dev->name);
	char *new = xasprintf("%s/%s/%s.so", dev->place, to, dev->name);
	bool moved = rename(old, new) == 0 || dev_container_fail(dev, new);

	dev->ends = dev->ends || !moved;
	free(old);
	free(new);
	return moved;
}

/* Asks for the service until it is ready; what goes wrong is told by who asks. */
static bool
dev_container_ask(struct dev *dev, const char *verb)
{
	const char *const words[] = {verb, dev->name, NULL};

	return dev_child_ask(dev, words, false) == 0;
}

static bool
dev_container_replace(struct dev *dev)
{
	if (dev->serves && !dev_container_move(dev, "plugins", "last"))
		return false;
	if (!dev_container_move(dev, "next", "plugins"))
		return false;
	if (dev->bayd == 0 && !dev_container_start(dev))
		return false;
	return dev_container_ask(dev, !dev->serves ? "start" : verb_find("reload") != NULL ? "reload" : "restart");
}

bool
dev_container_swap(struct dev *dev)
{
	if (dev_container_replace(dev)) {
		dev->serves = true;
		return true;
	}
	if (dev->serves && !dev->ends)
		dev->serves = dev_container_move(dev, "last", "plugins") &&
			dev_container_ask(dev, "start");
	return false;
}

/* --- the end -------------------------------------------------------------------------- */

static int
dev_container_remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
	(void)status;
	(void)type;
	(void)at;
	/* What cannot be removed is passed over: the rest can. */
	(void)remove(path);
	return 0;
}

/* Signals may come meanwhile; none of them makes it any faster. */
static void
dev_container_end_bayd(struct dev *dev)
{
	int64_t deadline = connection_deadline(DEV_CONTAINER_END_NS);

	if (dev->bayd == 0)
		return;
	kill(dev->bayd, SIGTERM);
	while (waitpid(dev->bayd, NULL, WNOHANG) == 0) {
		poll(NULL, 0, DEV_CONTAINER_LOOK_MS);
		if (clock_monotonic_ns() >= deadline)
			kill(dev->bayd, SIGKILL);
	}
	dev->bayd = 0;
}

void
dev_container_remove(struct dev *dev)
{
	dev_container_end_bayd(dev);
	if (dev->place != NULL)
		nftw(dev->place, dev_container_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(dev->place);
	free(dev->socket);
	dev->place = dev->socket = NULL;
}
