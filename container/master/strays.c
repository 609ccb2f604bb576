/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/strays.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "master/child.h"
#include "protocol/cell_link.h"

enum {
	STRAYS_ENVIRONMENT_MAX = 256 * 1024,
	STRAYS_NAME_MAX = 64,
	STRAYS_TOLD_MAX = 16,
	STRAYS_END_MS = 2000
};

/* What is no child of child.c is a stray only then. */
static bool strays_are_adopted;

void
strays_adopt(void)
{
	strays_are_adopted = true;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		log_warn_errno(NULL, "adopt what plugins leave behind: it will outlive bayd");
}

/* --- one of them ------------------------------------------------------------------ */

/* False: it is not to be read, or too large. */
static bool
stray_read(pid_t pid, const char *file, size_t max, struct buffer *out)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	return fd_read_file(AT_FDCWD, path, 0, max, out) && buffer_text(out) != NULL;
}

/* The number of the child that it came from; 0: not known. */
static int64_t
stray_child(pid_t pid)
{
	static const char variable[] = CELL_ENV_CHILD "=";
	struct buffer environment = {0};
	int64_t number = 0;

	if (stray_read(pid, "environ", STRAYS_ENVIRONMENT_MAX, &environment)) {
		const char *at = buffer_text(&environment);
		const char *end = at + environment.size;

		for (; at < end && number == 0; at += strlen(at) + 1) {
			if (strncmp(at, variable, sizeof(variable) - 1) == 0 &&
			    !text_parse_int64(at + sizeof(variable) - 1, &number))
				number = 0;
		}
	}
	buffer_finish(&environment);
	return number;
}

/* One that is looked at again before it is dead is not told of again. */
static bool
stray_is_told(pid_t pid)
{
	static pid_t told[STRAYS_TOLD_MAX];
	static unsigned next;

	for (unsigned i = 0; i < STRAYS_TOLD_MAX; i++) {
		if (told[i] == pid)
			return true;
	}
	told[next] = pid;
	next = (next + 1) % STRAYS_TOLD_MAX;
	return false;
}

static void
stray_tell(pid_t pid)
{
	static struct log_rate rate = {.burst = 5, .period_ns = 10 * (int64_t)CLOCK_NS_PER_S};
	struct buffer name = {0};
	char hidden_text[64];
	uint64_t hidden;

	if (stray_is_told(pid) || !log_rate_pass(&rate, &hidden))
		return;
	if (stray_read(pid, "comm", STRAYS_NAME_MAX, &name) && name.size > 1)
		name.data[name.size - 1] = '\0';
	else if (!buffer_append(&name, "?", sizeof("?")))
		return;
	log_info(NULL, "process %d (%s), which a plugin has left behind, is killed%s", (int)pid,
		(const char *)name.data, log_rate_text(hidden, hidden_text, sizeof(hidden_text)));
	buffer_finish(&name);
}

static void
stray_look_at(pid_t pid, bool all)
{
	int64_t child;

	if (waitpid(pid, NULL, WNOHANG) == pid)
		return;
	child = all ? 0 : stray_child(pid);
	if (all || (child == 0 ? !child_any_lives() : !child_lives(child))) {
		stray_tell(pid);
		kill(pid, SIGKILL);
	}
}

/* --- all of them -------------------------------------------------------------------- */

/* Returns how many there were. */
static unsigned
strays_look(bool all)
{
	struct buffer pids = {0};
	unsigned count = 0;
	char path[48];
	char *at;
	char *end;

	/* Of the main thread, which is the one that forks and adopts. */
	snprintf(path, sizeof(path), "task/%d/children", (int)getpid());
	if (strays_are_adopted && stray_read(getpid(), path, STRAYS_ENVIRONMENT_MAX, &pids)) {
		for (at = buffer_text(&pids);; at = end) {
			pid_t pid = (pid_t)strtol(at, &end, 10);

			if (end == at)
				break;
			if (child_is_ours(pid))
				continue;
			stray_look_at(pid, all);
			count++;
		}
	}
	buffer_finish(&pids);
	return count;
}

void
strays_sweep(void)
{
	(void)strays_look(false);
}

void
strays_end(void)
{
	const struct timespec pause = {.tv_nsec = CLOCK_NS_PER_MS};

	for (int i = 0; i < STRAYS_END_MS && strays_look(true) > 0; i++)
		nanosleep(&pause, NULL);
}
