/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who can write to a directory on the way can put another file in our place, so the way up
 * is looked at too: from the directory that was really opened, by "..", so that links in the
 * path do not lead past a check.
 */
#include "config.h"

#include "master/image_source.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "base/remedy.h"
#include "master/image.h"

enum { IMAGE_SOURCE_DEPTH_MAX = 200 };

/* --- who may write ------------------------------------------------------------------ */

/* Many systems give each user a group of the same number, with nobody else in it. */
static bool
image_source_is_own_group(gid_t gid)
{
	return geteuid() != 0 && gid == getegid() && (unsigned)gid == (unsigned)geteuid();
}

/* what: "it", or "the directory /srv". */
static bool
image_source_check_writers(const struct stat *st, const char *what, struct buffer *error)
{
	/* In a sticky directory nobody can replace what belongs to us or root. */
	bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0;

	if (st->st_uid != 0 && st->st_uid != geteuid())
		return geteuid() == 0 ?
			buffer_fail(error, "%s belongs to user %u, who could put other code there: "
				"chown it to root [plugin-place]", what, (unsigned)st->st_uid) :
			buffer_fail(error, "%s belongs to user %u, who could put other code there: "
				"chown it to root or to user %u [plugin-place]", what, (unsigned)st->st_uid,
				(unsigned)geteuid());
	if ((st->st_mode & S_IWOTH) != 0 && !sticky)
		return buffer_fail(error, "%s can be written by everybody: chmod o-w it [plugin-place]", what);
	if ((st->st_mode & S_IWGRP) != 0 && !sticky && !image_source_is_own_group(st->st_gid))
		return buffer_fail(error, "%s can be written by group %u: chmod g-w it [plugin-place]", what,
			(unsigned)st->st_gid);
	return true;
}

/* --- the way up ---------------------------------------------------------------------- */

static bool
image_source_check_directory(int fd, const struct stat *st, struct buffer *error)
{
	char link[32], path[4096 - 16], what[4096];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	path[length > 0 ? length : 0] = '\0';
	snprintf(what, sizeof(what), "the directory %s", path);
	return image_source_check_writers(st, what, error);
}

/* Takes fd. */
static bool
image_source_check_parents(int fd, struct buffer *error)
{
	struct stat st, last = {0};
	bool fine = true, top = false;

	for (int depth = 0; fine && !top; depth++) {
		int parent;

		if (fstat(fd, &st) != 0 || depth == IMAGE_SOURCE_DEPTH_MAX) {
			fine = buffer_fail(error, "the directories above it cannot be looked at");
			break;
		}
		top = depth > 0 && st.st_dev == last.st_dev && st.st_ino == last.st_ino;
		if (top)
			break;
		fine = image_source_check_directory(fd, &st, error);
		last = st;
		parent = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (parent < 0)
			fine = buffer_fail(error, "the directories above it cannot be looked at: %s",
				strerror(errno));
		close(fd);
		fd = parent;
	}
	fd_close(&fd);
	return fine;
}

/* --- the file --------------------------------------------------------------------------- */

static int
image_source_open_parent(const char *path, struct buffer *error)
{
	char *copy = xstrdup(path);
	const char *parent = dirname(copy);
	int fd = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		(void)buffer_fail(error, "its directory %s cannot be opened: %s%s", parent,
			strerror(errno), remedy_of(errno));
	free(copy);
	return fd;
}

static int
image_source_open_file(int dirfd, const char *path, struct buffer *error)
{
	const char *slash = strrchr(path, '/');
	/* Without O_NONBLOCK the daemon would wait at a fifo. */
	int fd = openat(dirfd, slash != NULL ? slash + 1 : path,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 && errno == ELOOP)
		(void)buffer_fail(error, "it is a symbolic link: put the file itself there");
	else if (fd < 0)
		(void)buffer_fail(error, "it cannot be opened: %s%s", strerror(errno), errno == EACCES ?
			"; let bayd read it (chmod, chown)" : remedy_of(errno));
	return fd;
}

static bool
image_source_check_file(int fd, struct stat *st_r, struct buffer *error)
{
	if (fstat(fd, st_r) != 0)
		return buffer_fail(error, "it cannot be looked at: %s", strerror(errno));
	if (S_ISDIR(st_r->st_mode))
		return buffer_fail(error, "it is a directory");
	if (!S_ISREG(st_r->st_mode))
		return buffer_fail(error, "it is not a regular file");
	if (st_r->st_size == 0)
		return buffer_fail(error, "it is empty: is it still being written?");
	if (st_r->st_size > IMAGE_MAX)
		return buffer_fail(error, "it is too big: it has %lld bytes, a plugin has %d at most",
			(long long)st_r->st_size, IMAGE_MAX);
	return image_source_check_writers(st_r, "it", error);
}

int
image_source_open(const char *path, struct stat *st_r, struct buffer *error)
{
	int dirfd = image_source_open_parent(path, error);
	int fd;

	if (dirfd < 0)
		return -1;
	fd = image_source_open_file(dirfd, path, error);
	if (fd < 0) {
		close(dirfd);
		return -1;
	}
	if (!image_source_check_file(fd, st_r, error)) {
		close(dirfd);
		fd_close(&fd);
	} else if (!image_source_check_parents(dirfd, error)) {
		fd_close(&fd);
	}
	return fd;
}
