/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two processes: the child loads plugins and works, the parent waits for it and says how it
 * ended, if it cannot say so itself. The parent loads nothing, so it outlives everything.
 */
#include "config.h"

#include "solo/solo_main.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bay/status.h>

#include "base/obituary.h"
#include "base/status_page.h"
#include "loop/signals.h"
#include "protocol/interface.h"
#include "solo/solo_print.h"
#include "solo/solo_words.h"
#include "solo/solo_work.h"

/* How long the child may take to end before a person is told what to do. */
enum { SOLO_PATIENCE_S = 2 };

struct guard {
	struct solo_words words;
	struct solo_print print;
	struct status_page page;
	struct solo_outcome *outcome;
	pid_t child;
	unsigned asked; /* how often it was told to end */
	bool killed;
};

static const int guard_signals[] = {SIGINT, SIGTERM, SIGCHLD};

/* --- how it ended ------------------------------------------------------------------ */

static const char *
guard_name(const struct guard *guard, uint32_t slot)
{
	return slot < guard->words.count ? guard->words.services[slot].name : NULL;
}

/* It was ended because it did not end. */
static int
guard_tell_killed(const struct guard *guard)
{
	struct status_loop_view loop;
	const char *name;

	status_page_read_loop(&guard->page, 0, &loop);
	name = guard_name(guard, loop.slot);
	if (name == NULL)
		name = guard_name(guard, status_page_loading(&guard->page));
	if (name != NULL)
		solo_print_error(&guard->print, INTERFACE_EXIT_FAILED, BAY_OK, "killed: the code of service %s was "
			"at work and did not come back", name);
	else
		solo_print_error(&guard->print, INTERFACE_EXIT_FAILED, BAY_OK, "killed: it did not end");
	return INTERFACE_EXIT_FAILED;
}

static int
guard_tell_end(const struct guard *guard, int status)
{
	struct obituary obituary;
	const char *name;

	obituary_write(&obituary, &guard->page, status);
	name = guard_name(guard, obituary.culprit);
	if (name != NULL && obituary.in_load) {
		solo_print_error(&guard->print, INTERFACE_EXIT_INVALID, BAY_INVALID, "%s: it %s while it was loaded or "
			"unloaded: look at its constructors and destructors",
			guard->words.services[obituary.culprit].file, obituary.how);
		return INTERFACE_EXIT_INVALID;
	}
	if (name != NULL)
		solo_print_error(&guard->print, INTERFACE_EXIT_FAILED, BAY_PEER_DIED, "%s in %sservice %s%s",
			obituary.how, obituary.in_init ? "init of " : "", name, obituary.where);
	else
		solo_print_error(&guard->print, INTERFACE_EXIT_FAILED, BAY_PEER_DIED, "the process %s%s", obituary.how,
			obituary.where);
	return INTERFACE_EXIT_FAILED;
}

static int
guard_judge(const struct guard *guard, int status)
{
	if (atomic_load(&guard->outcome->done))
		return atomic_load(&guard->outcome->code);
	return guard->killed ? guard_tell_killed(guard) : guard_tell_end(guard, status);
}

/* --- waiting for it ---------------------------------------------------------------- */

/* A terminal tells its whole group of ^C: then the child has heard it. */
static void
guard_on_signal(struct guard *guard, const siginfo_t *info)
{
	guard->asked++;
	if (guard->asked > 1) {
		guard->killed = true;
		kill(guard->child, SIGKILL);
	} else if (info->si_code != SI_KERNEL) {
		kill(guard->child, info->si_signo);
	}
}

static int
guard_wait(struct guard *guard)
{
	const struct timespec patience = {.tv_sec = SOLO_PATIENCE_S};
	bool told = false;
	sigset_t set;
	size_t i;
	int status;

	sigemptyset(&set);
	for (i = 0; i < sizeof guard_signals / sizeof guard_signals[0]; i++)
		sigaddset(&set, guard_signals[i]);
	while (waitpid(guard->child, &status, WNOHANG) == 0) {
		siginfo_t info;
		int number = guard->asked == 1 ? sigtimedwait(&set, &info, &patience) : sigwaitinfo(&set, &info);

		if (number == SIGINT || number == SIGTERM)
			guard_on_signal(guard, &info);
		else if (number < 0 && errno == EAGAIN && !told && isatty(STDERR_FILENO) == 1)
			told = fprintf(stderr, "bayctl: it does not end; ^C once more kills it\n") > 0;
	}
	return status;
}

/* Who was started by the plugin's code, and left, is ours by now: see guard_run(). */
static void
guard_end_strays(void)
{
	char path[64];
	FILE *file;
	int pid, status;

	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	for (;;) {
		file = fopen(path, "re");
		if (file == NULL || fscanf(file, "%d", &pid) != 1)
			break;
		fclose(file);
		kill(pid, SIGKILL);
		(void)waitpid(pid, &status, 0);
	}
	if (file != NULL)
		fclose(file);
}

/* --- beginning ------------------------------------------------------------------------ */

static int
guard_child(struct guard *guard, pid_t parent)
{
	sigset_t set;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(INTERFACE_EXIT_FAILED);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return solo_work(&guard->words, &guard->print, &guard->page, guard->outcome);
}

static bool
guard_open(struct guard *guard)
{
	int fd = status_page_create(&guard->page, "solo", SOLO_SERVICES, 1);

	if (fd < 0)
		return false;
	close(fd);
	guard->outcome = mmap(NULL, sizeof *guard->outcome, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return guard->outcome != MAP_FAILED;
}

static int
guard_run(struct guard *guard)
{
	pid_t parent = getpid();
	int code;

	if (!guard_open(guard)) {
		solo_print_error(&guard->print, INTERFACE_EXIT_FAILED, BAY_NO_MEMORY, "no memory for a container: %m");
		return INTERFACE_EXIT_FAILED;
	}
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	signals_block(guard_signals, sizeof guard_signals / sizeof guard_signals[0]);
	guard->child = fork();
	if (guard->child < 0) {
		solo_print_error(&guard->print, INTERFACE_EXIT_FAILED, BAY_IO, "start a process: %m");
		code = INTERFACE_EXIT_FAILED;
	} else {
		code = guard->child == 0 ? guard_child(guard, parent) : guard_judge(guard, guard_wait(guard));
	}
	/* The crash handler of the child keeps its page for as long as there is code. */
	if (guard->child != 0) {
		guard_end_strays();
		status_page_close(&guard->page);
	}
	munmap(guard->outcome, sizeof *guard->outcome);
	return code;
}

/* What is opened next must not become one of the three that everybody uses. */
static void
guard_fill_descriptors(void)
{
	int fd = open("/dev/null", O_RDWR);

	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = open("/dev/null", O_RDWR);
	if (fd >= 0)
		close(fd);
}

int
bay_solo_main(int argc, char **argv)
{
	static struct guard guard;
	char *error;
	int code = INTERFACE_EXIT_USAGE;

	guard_fill_descriptors();
	if (solo_words_parse(&guard.words, argc, argv, &error)) {
		solo_print_init(&guard.print, guard.words.json, guard.words.repl);
		code = guard_run(&guard);
	} else {
		solo_print_init(&guard.print, guard.words.json, false);
		solo_print_error(&guard.print, code, BAY_OK, "%s", error);
		free(error);
	}
	solo_words_finish(&guard.words);
	return code;
}
