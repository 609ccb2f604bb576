/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/child_session.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	/* One look finds all, unless somebody has moved to a group of its own meanwhile. */
	SESSION_LOOKS = 16,
	SESSION_STAT = 512
};

struct session_process {
	char state;
	int group;
	int session;
};

/* What /proc says of a process; false: it has gone. */
static bool
session_read(int proc, const char *number, struct session_process *process_r)
{
	char path[32], text[SESSION_STAT];
	const char *fields;
	ssize_t got;
	int fd;

	snprintf(path, sizeof path, "%.20s/stat", number);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, text, sizeof text - 1);
	close(fd);
	if (got <= 0)
		return false;
	text[got] = '\0';
	/* The name before may hold anything, brackets too. */
	fields = strrchr(text, ')');
	return fields != NULL && sscanf(fields + 1, " %c %*d %d %d", &process_r->state, &process_r->group,
		&process_r->session) == 3;
}

/* Kills the groups that are there; false: there were none. */
static bool
session_kill_groups(DIR *proc, pid_t leader)
{
	const struct dirent *entry;
	bool found = false;

	rewinddir(proc);
	while ((entry = readdir(proc)) != NULL) {
		struct session_process process;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
			!session_read(dirfd(proc), entry->d_name, &process) || process.session != leader ||
			process.state == 'Z' || process.state == 'X' || process.group <= 1)
			continue;
		/* The whole group at once: none of it can run away by a fork. */
		found |= kill(-process.group, SIGKILL) == 0;
	}
	return found;
}

void
child_session_end(pid_t leader)
{
	DIR *proc = opendir("/proc");
	int look;

	if (proc == NULL)
		return;
	for (look = 0; look < SESSION_LOOKS && session_kill_groups(proc, leader); look++)
		;
	closedir(proc);
}
