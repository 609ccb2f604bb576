/* SPDX-License-Identifier: BSD-2-Clause */
/* The child processes of bayctl dev, and the signals that end it. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/dev.h"

enum {
	DEV_CHILD_WORDS = 16,
	DEV_CHILD_NOT_RUN = 127
};

static const int dev_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};

bool
dev_signals_open(struct dev *dev)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(dev_signals) / sizeof(*dev_signals); i++)
		sigaddset(&set, dev_signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* Whoever reads us went away: that is seen when it is written to. */
	signal(SIGPIPE, SIG_IGN);
	/* As a shell may have left it for what it starts in the background. */
	signal(SIGCHLD, SIG_DFL);
	dev->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (dev->signals >= 0)
		return true;
	ctl_error_set(&dev->ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO,
		"a descriptor for signals: %s", strerror(errno));
	return false;
}

static void
dev_child_look_at_bayd(struct dev *dev)
{
	int status;

	if (dev->bayd == 0 || waitpid(dev->bayd, &status, WNOHANG) != dev->bayd)
		return;
	dev->bayd = 0;
	dev->serves = false;
	dev->ends = true;
	ctl_error_set(&dev->ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_FAILED,
		"the private bayd has ended; what it said is above");
}

void
dev_signals_take(struct dev *dev)
{
	struct signalfd_siginfo info;

	while (read(dev->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			dev_child_look_at_bayd(dev);
		else
			dev->ends = true;
	}
}

/* In the child. */
static void
dev_child_become(const struct dev *dev, const char *path, const char *const *words, unsigned how,
	pid_t parent)
{
	sigset_t none;
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (size_t i = 0; i < sizeof(dev_signals) / sizeof(*dev_signals); i++)
		signal(dev_signals[i], SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(nothing, STDIN_FILENO);
	if ((how & DEV_CHILD_SILENT) != 0)
		dup2(nothing, STDOUT_FILENO);
	setpgid(0, 0);
	if (getppid() == parent && ((how & DEV_CHILD_IN_PLACE) == 0 || chdir(dev->place) == 0))
		execv(path, (char **)(uintptr_t)words);
	_exit(DEV_CHILD_NOT_RUN);
}

pid_t
dev_child_start(struct dev *dev, const char *path, const char *const *words, unsigned how)
{
	pid_t parent = getpid();
	pid_t pid;

	fflush(dev->ctl->out.file);
	fflush(dev->ctl->err.file);
	pid = fork();
	if (pid == 0)
		dev_child_become(dev, path, words, how, parent);
	/* Here too: it may be killed before it has come to that. */
	if (pid > 0)
		setpgid(pid, pid);
	if (pid < 0) {
		ctl_error_set(&dev->ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO, "starting %s: %s",
			words[0], strerror(errno));
		dev->ends = true;
	}
	return pid;
}

int
dev_child_wait(struct dev *dev, pid_t pid, bool may_be_cut)
{
	struct pollfd wait[] = {
		{.fd = dev->signals, .events = POLLIN},
		{.fd = may_be_cut ? dev->watch : -1, .events = POLLIN},
	};
	bool asked = false;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (!asked && (dev->ends || (may_be_cut && dev->changed))) {
			asked = true;
			wait[1].fd = -1;
			kill(-pid, SIGTERM);
		}
		poll(wait, 2, -1);
		dev_signals_take(dev);
		if (!asked && may_be_cut)
			dev_watch_take(dev);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
dev_child_run(struct dev *dev, const char *path, const char *const *words, unsigned how)
{
	pid_t pid = dev_child_start(dev, path, words, how);

	return pid > 0 ? dev_child_wait(dev, pid, false) : DEV_CHILD_NOT_RUN;
}

int
dev_child_ask(struct dev *dev, const char *const *words, bool may_be_cut)
{
	const char *all[DEV_CHILD_WORDS] = {"bayctl", "-s", dev->socket};
	size_t count = 3;
	pid_t pid;

	if (dev->ctl->options.json)
		all[count++] = "--json";
	if (dev->ctl->options.quiet)
		all[count++] = "--quiet";
	while (*words != NULL && count < DEV_CHILD_WORDS - 1)
		all[count++] = *words++;
	pid = dev_child_start(dev, "/proc/self/exe", all, DEV_CHILD_PLAIN);
	return pid > 0 ? dev_child_wait(dev, pid, may_be_cut) : DEV_CHILD_NOT_RUN;
}
