/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/drop_in_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"

/*
 * The kernel grants no lease for reading while a file is open for writing. One that is granted is
 * given back at once; who opens the file in that instant waits for no longer than that, and the
 * signal about it is one that is ignored.
 */
static bool
drop_in_is_written(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool written = false;

	if (fd < 0)
		return false;
	if (fcntl(fd, F_SETSIG, SIGURG) == 0) {
		if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
			(void)fcntl(fd, F_SETLEASE, F_UNLCK);
		else
			written = errno == EAGAIN;
	}
	close(fd);
	return written;
}

static void
drop_in_dir_add(struct drop_in_dir *dir, int fd, const char *name,
	const struct drop_in_state *state, bool may_lease)
{
	struct drop_in_look look = {.name = name};

	/* One that has gone since is not there; so is one that cannot be looked at at all. */
	if (!drop_in_is_candidate(name) || fstatat(fd, name, &look.stat, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	look.writing = may_lease && S_ISREG(look.stat.st_mode) && drop_in_state_is_new(state, &look) &&
		drop_in_is_written(fd, name);
	/* The capacity is the next power of two. */
	if ((dir->count & (dir->count - 1)) == 0)
		dir->looks = xrealloc(dir->looks, dir->count > 0 ? dir->count * 2 : 1, sizeof(look));
	look.name = xstrdup(name);
	dir->looks[dir->count++] = look;
}

bool
drop_in_dir_read(struct drop_in_dir *dir, int fd, const struct drop_in_state *state, bool may_lease)
{
	/* Of its own: it has a position. */
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = own >= 0 ? fdopendir(own) : NULL;
	const struct dirent *entry;
	int error;

	*dir = (struct drop_in_dir){0};
	if (stream == NULL) {
		error = errno;
		fd_close(&own);
		errno = error;
		return false;
	}
	errno = 0;
	while ((entry = readdir(stream)) != NULL) {
		drop_in_dir_add(dir, fd, entry->d_name, state, may_lease);
		errno = 0;
	}
	error = errno;
	closedir(stream);
	if (error != 0)
		drop_in_dir_finish(dir);
	errno = error;
	return error == 0;
}

void
drop_in_dir_finish(struct drop_in_dir *dir)
{
	for (size_t i = 0; i < dir->count; i++)
		free((char *)(uintptr_t)dir->looks[i].name);
	free(dir->looks);
	*dir = (struct drop_in_dir){0};
}
