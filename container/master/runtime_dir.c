/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/runtime_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/code.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/remedy.h"
#include "master/socket_file.h"

struct runtime_dir {
	const char *key;
	char *path;
	int fd;       /* also holds the lock */
	bool created; /* by us, now */
	bool no_link; /* at the end of path */
	bool marked;  /* made by us or by a bayd before us, which is the same: ours to empty */
};

/* Stands in a directory that a bayd made, for the next one if that bayd is killed. */
#define RUNTIME_DIR_MARK ".made-by-bayd"

/* A bayd that just ends removes its directory under our hands: then look again. */
enum { RUNTIME_DIR_TRIES = 10 };

/* For a lock that nobody holds any more who can be seen: two seconds. */
enum { RUNTIME_DIR_LOCK_TRIES = 200 };

/* --- the lock ---------------------------------------------------------------- */

/* The process that holds the lock on the file st, from /proc/locks; 0: not to be seen. */
static pid_t
runtime_dir_lock_holder(const struct stat *st)
{
	FILE *locks = fopen("/proc/locks", "re");
	unsigned long inode;
	unsigned major_nr;
	unsigned minor_nr;
	char line[256];
	pid_t holder = 0;
	int pid;

	if (locks == NULL)
		return 0;
	while (holder == 0 && fgets(line, sizeof(line), locks) != NULL) {
		if (sscanf(line, "%*u: FLOCK %*s WRITE %d %x:%x:%lu", &pid, &major_nr, &minor_nr,
			&inode) == 4 && pid > 0 && inode == st->st_ino &&
		    makedev(major_nr, minor_nr) == st->st_dev)
			holder = pid;
	}
	fclose(locks);
	return holder;
}

/* The lock, or why not (an errno). A child of a bayd that was killed has it, too, until it runs its own
 * program or hears of that end: then there is nobody any more who took it, and it is free soon. */
static int
runtime_dir_try_lock(const struct runtime_dir *dir, pid_t *holder_r)
{
	const struct timespec pause = {.tv_nsec = 10 * CLOCK_NS_PER_MS};
	struct stat st;
	int i;

	*holder_r = 0;
	for (i = 0; flock(dir->fd, LOCK_EX | LOCK_NB) != 0; i++) {
		if (errno != EWOULDBLOCK)
			return errno;
		*holder_r = fstat(dir->fd, &st) == 0 ? runtime_dir_lock_holder(&st) : 0;
		if (*holder_r != 0 && kill(*holder_r, 0) != 0 && errno == ESRCH)
			*holder_r = 0;
		if (*holder_r != 0 || i >= RUNTIME_DIR_LOCK_TRIES)
			return EWOULDBLOCK;
		nanosleep(&pause, NULL);
	}
	return 0;
}

static bool
runtime_dir_lock(const struct runtime_dir *dir, struct buffer *error)
{
	char process[32] = "";
	pid_t pid;
	int status = runtime_dir_try_lock(dir, &pid);

	if (status == 0)
		return true;
	if (status != EWOULDBLOCK)
		return buffer_fail(error, "lock %s %s: %s", dir->key, dir->path, strerror(status));
	if (pid > 0)
		snprintf(process, sizeof(process), " (process %d)", (int)pid);
	return buffer_fail(error, "%s %s is in use by another bayd%s: stop that one, "
		"or give this one a %s of its own [start-busy]", dir->key, dir->path, process, dir->key);
}

/* Whether the path still leads to the directory that is open. */
static bool
runtime_dir_is_current(const struct runtime_dir *dir)
{
	struct stat opened;
	struct stat named;

	return fstat(dir->fd, &opened) == 0 && stat(dir->path, &named) == 0 &&
		opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

static bool
runtime_dir_is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

/* --- opening ------------------------------------------------------------------ */

static bool
runtime_dir_make(struct runtime_dir *dir, mode_t mode, struct buffer *error)
{
	if (mkdir(dir->path, mode) == 0)
		dir->created = true;
	else if (errno != EEXIST)
		return buffer_fail(error, "make %s %s: %s%s", dir->key, dir->path, strerror(errno),
			errno == ENOENT ? " (the directory above it must exist)" : remedy_of(errno));
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
		(dir->no_link ? O_NOFOLLOW : 0));
	if (dir->fd < 0 && dir->no_link && runtime_dir_is_link(dir->path))
		return buffer_fail(error, "%s %s is a symbolic link, which nobody but bayd should make "
			"there: remove it, or name the directory that it leads to", dir->key, dir->path);
	if (dir->fd < 0 && errno != ENOENT)
		return buffer_fail(error, "open %s %s: %s", dir->key, dir->path, strerror(errno));
	/* The umask may have narrowed it; one that was there keeps its mode. */
	if (dir->fd >= 0 && dir->created && fchmod(dir->fd, mode) != 0)
		return buffer_fail(error, "set the mode of %s %s: %s", dir->key, dir->path,
			strerror(errno));
	return true;
}

/* Who may write here could put his own code in the place of a checked plugin. */
static bool
runtime_dir_check_owner(const struct runtime_dir *dir, struct buffer *error)
{
	struct stat st;

	if (fstat(dir->fd, &st) != 0)
		return buffer_fail(error, "look at %s %s: %s", dir->key, dir->path, strerror(errno));
	if (st.st_uid != geteuid())
		return buffer_fail(error, "%s %s belongs to user %u, bayd runs as user %u: "
			"change its owner or name another directory", dir->key, dir->path,
			(unsigned)st.st_uid, (unsigned)geteuid());
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return buffer_fail(error, "%s %s can be written by others (mode %04o): "
			"take that away with chmod go-w", dir->key, dir->path,
			(unsigned)st.st_mode & 07777);
	return true;
}

/* True with the lock held, or with dir->fd -1 when the directory vanished meanwhile. */
static bool
runtime_dir_try(struct runtime_dir *dir, mode_t mode, struct buffer *error)
{
	if (!runtime_dir_make(dir, mode, error))
		return false;
	if (dir->fd < 0)
		return true;
	if (!runtime_dir_check_owner(dir, error) || !runtime_dir_lock(dir, error))
		return false;
	if (!runtime_dir_is_current(dir))
		fd_close(&dir->fd);
	return true;
}

/* --- what is in it ------------------------------------------------------------- */

/* NAME.GEN.so; a plugin of the user's has no such number. */
static bool
runtime_dir_is_image(const char *name)
{
	size_t length = strlen(name);
	size_t digits = 0;

	if (length < 3 || strcmp(name + length - 3, ".so") != 0)
		return false;
	for (length -= 3; length > 0 && name[length - 1] >= '0' && name[length - 1] <= '9'; length--)
		digits++;
	return digits > 0 && length > 1 && name[length - 1] == '.';
}

/* The control socket, also under the private name that it has until it is ready. */
static bool
runtime_dir_is_socket(int dirfd, const char *name)
{
	struct stat st;

	return (strcmp(name, "control.sock") == 0 || strncmp(name, ".bayd-", 6) == 0) &&
		fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(st.st_mode);
}

/* Only what Bay makes, also here: people put things into directories that others made. Sockets
 * that nobody listens on are those of services of a bayd that was killed. */
static void
runtime_dir_clean(const struct runtime_dir *dir)
{
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (stream == NULL) {
		log_warn_errno(NULL, "read %s %s", dir->key, dir->path);
		fd_close(&fd);
		return;
	}
	while ((entry = readdir(stream)) != NULL) {
		if ((runtime_dir_is_image(entry->d_name) ||
		     runtime_dir_is_socket(fd, entry->d_name) ||
		     socket_file_is_abandoned(fd, entry->d_name)) &&
		    unlinkat(fd, entry->d_name, 0) != 0 && errno != ENOENT)
			log_warn_errno(NULL, "remove %s from %s %s", entry->d_name, dir->key, dir->path);
	}
	closedir(stream);
}

/* Whose a directory is decides who removes it; whoever made it may not live long enough. */
static void
runtime_dir_mark(struct runtime_dir *dir)
{
	struct stat st;
	int fd = -1;

	if (dir->created)
		fd = openat(dir->fd, RUNTIME_DIR_MARK, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (dir->created && fd < 0)
		log_warn_errno(NULL, "mark %s %s as made by bayd", dir->key, dir->path);
	fd_close(&fd);
	dir->marked = fstatat(dir->fd, RUNTIME_DIR_MARK, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISREG(st.st_mode);
}

static void
runtime_dir_remove(const struct runtime_dir *dir)
{
	if (unlinkat(dir->fd, RUNTIME_DIR_MARK, 0) != 0 && errno != ENOENT)
		log_warn_errno(NULL, "remove %s from %s %s", RUNTIME_DIR_MARK, dir->key, dir->path);
	if (rmdir(dir->path) != 0 && errno != ENOENT)
		log_warn_errno(NULL, "remove %s %s", dir->key, dir->path);
}

/* --- public --------------------------------------------------------------------- */

static void
runtime_dir_free(struct runtime_dir *dir)
{
	fd_close(&dir->fd);
	free(dir->path);
	free(dir);
}

static void
runtime_dir_make_path_absolute(struct runtime_dir *dir)
{
	char *absolute = realpath(dir->path, NULL);

	if (absolute == NULL)
		return;
	free(dir->path);
	dir->path = absolute;
}

struct runtime_dir *
runtime_dir_open(const struct runtime_dir_options *options, struct buffer *error)
{
	struct runtime_dir *dir = xcalloc(1, sizeof(*dir));
	bool opened = true;

	dir->key = options->key;
	dir->path = xstrdup(options->path);
	dir->fd = -1;
	dir->no_link = options->no_link;
	dir->created = options->made;
	for (int i = 0; i < RUNTIME_DIR_TRIES && opened && dir->fd < 0; i++)
		opened = runtime_dir_try(dir, options->mode, error);
	if (opened && dir->fd < 0)
		opened = buffer_fail(error, "lock %s %s: somebody keeps removing it", dir->key,
			dir->path);
	if (!opened) {
		(void)code_fail(error, "start-dir");
		runtime_dir_free(dir);
		return NULL;
	}
	runtime_dir_mark(dir);
	runtime_dir_make_path_absolute(dir);
	if (dir->marked)
		runtime_dir_clean(dir);
	return dir;
}

void
runtime_dir_close(struct runtime_dir *dir)
{
	if (dir == NULL)
		return;
	/* Before the lock goes: the next bayd may want a directory of the same name. */
	if (dir->marked) {
		runtime_dir_clean(dir);
		runtime_dir_remove(dir);
	}
	runtime_dir_free(dir);
}

const char *
runtime_dir_path(const struct runtime_dir *dir)
{
	return dir->path;
}

int
runtime_dir_fd(const struct runtime_dir *dir)
{
	return dir->fd;
}
