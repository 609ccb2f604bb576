/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "support/temp_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

void
temp_dir_init(struct temp_dir *dir)
{
	const char *base = getenv("TMPDIR");

	*dir = (struct temp_dir){0};
	snprintf(dir->path, sizeof(dir->path), "%s/bay-test-XXXXXX", base != NULL ? base : "/tmp");
	ck_assert_msg(mkdtemp(dir->path) != NULL, "%s: %s", dir->path, strerror(errno));
}

static int
temp_dir_remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
	(void)status;
	(void)type;
	(void)at;
	return remove(path);
}

void
temp_dir_finish(struct temp_dir *dir)
{
	ck_assert_msg(nftw(dir->path, temp_dir_remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0,
		"%s: %s", dir->path, strerror(errno));
}

const char *
temp_dir_path(const struct temp_dir *dir, const char *name)
{
	static char paths[8][512];
	static unsigned next;
	char *path = paths[next++ % 8];

	ck_assert_int_lt(snprintf(path, sizeof(paths[0]), "%s/%s", dir->path, name),
		(int)sizeof(paths[0]));
	return path;
}

static void
temp_dir_make_parents(char *path, size_t from)
{
	for (char *slash = strchr(path + from, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		ck_assert_msg(mkdir(path, 0755) == 0 || errno == EEXIST, "%s: %s", path, strerror(errno));
		*slash = '/';
	}
}

void
temp_dir_write_bytes(struct temp_dir *dir, const char *name, const void *data, size_t size)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s", temp_dir_path(dir, name));
	temp_dir_make_parents(path, strlen(dir->path) + 1);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
	close(fd);
}

void
temp_dir_write(struct temp_dir *dir, const char *name, const char *text)
{
	temp_dir_write_bytes(dir, name, text, strlen(text));
}
