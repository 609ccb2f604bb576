/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/runtime_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "base/log.h"

struct runtime_dir {
	char *path;
	int fd;       /* also holds the lock */
	bool created; /* by us, so we remove it */
};

/* A bayd that just ends removes its directory under our hands: then look again. */
enum { RUNTIME_DIR_TRIES = 10 };

static void __attribute__((format(printf, 2, 3)))
runtime_dir_say(struct buffer *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	/* Without memory the refusal goes without its reason. */
	if (!buffer_vprintf(error, format, args))
		buffer_clear(error);
	va_end(args);
}

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

static void
runtime_dir_refuse_second(const struct runtime_dir *dir, struct buffer *error)
{
	struct stat st;
	pid_t pid = fstat(dir->fd, &st) == 0 ? runtime_dir_lock_holder(&st) : 0;

	if (pid > 0)
		runtime_dir_say(error, "runtime_dir %s is in use by another bayd (process %d): "
			"stop that one, or give this one a runtime_dir of its own", dir->path, (int)pid);
	else
		runtime_dir_say(error, "runtime_dir %s is in use by another bayd: "
			"stop that one, or give this one a runtime_dir of its own", dir->path);
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

/* --- opening ------------------------------------------------------------------ */

static bool
runtime_dir_make(struct runtime_dir *dir, mode_t mode, struct buffer *error)
{
	if (mkdir(dir->path, mode) == 0) {
		dir->created = true;
	} else if (errno != EEXIST) {
		runtime_dir_say(error, "make runtime_dir %s: %s%s", dir->path, strerror(errno),
			errno == ENOENT ? " (the directory above it must exist)" : "");
		return false;
	}
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0 && errno != ENOENT) {
		runtime_dir_say(error, "open runtime_dir %s: %s", dir->path, strerror(errno));
		return false;
	}
	return true;
}

/* Who may write here could put his own code in the place of a checked plugin. */
static bool
runtime_dir_check_owner(const struct runtime_dir *dir, struct buffer *error)
{
	struct stat st;

	if (fstat(dir->fd, &st) != 0) {
		runtime_dir_say(error, "look at runtime_dir %s: %s", dir->path, strerror(errno));
		return false;
	}
	if (st.st_uid != geteuid()) {
		runtime_dir_say(error, "runtime_dir %s belongs to user %u, bayd runs as user %u: "
			"change its owner or name another directory", dir->path,
			(unsigned)st.st_uid, (unsigned)geteuid());
		return false;
	}
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		runtime_dir_say(error, "runtime_dir %s can be written by others (mode %04o): "
			"take that away with chmod go-w", dir->path, (unsigned)st.st_mode & 07777);
		return false;
	}
	return true;
}

/* The umask would narrow what mkdir was asked for; one that was there keeps its mode. */
static bool
runtime_dir_set_mode(const struct runtime_dir *dir, mode_t mode, struct buffer *error)
{
	if (!dir->created || fchmod(dir->fd, mode) == 0)
		return true;
	runtime_dir_say(error, "set the mode of runtime_dir %s: %s", dir->path, strerror(errno));
	return false;
}

/* True with the lock held, or with dir->fd -1 when the directory vanished meanwhile. */
static bool
runtime_dir_try(struct runtime_dir *dir, mode_t mode, struct buffer *error)
{
	if (!runtime_dir_make(dir, mode, error))
		return false;
	if (dir->fd < 0)
		return true;
	if (!runtime_dir_check_owner(dir, error))
		return false;
	if (flock(dir->fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			runtime_dir_refuse_second(dir, error);
		else
			runtime_dir_say(error, "lock runtime_dir %s: %s", dir->path, strerror(errno));
		return false;
	}
	if (!runtime_dir_is_current(dir))
		fd_close(&dir->fd);
	return true;
}

static void
runtime_dir_free(struct runtime_dir *dir)
{
	fd_close(&dir->fd);
	free(dir->path);
	free(dir);
}

/* --- what is in it ------------------------------------------------------------- */

static void
runtime_dir_unlink(int dirfd, const char *name, int flags)
{
	if (unlinkat(dirfd, name, flags) != 0 && errno != ENOENT)
		log_warn_errno(NULL, "remove %s from runtime_dir", name);
}

/* NAME.GEN.so, and the name such a copy has while it is made. */
static bool
runtime_dir_is_image(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL && (strcmp(dot, ".so") == 0 || strcmp(dot, ".tmp") == 0);
}

/* The private name of a control socket that is not ready yet. */
static bool
runtime_dir_is_unready_socket(const char *name)
{
	return strncmp(name, ".bayd-", 6) == 0;
}

/* Takes fd, and removes what is in that directory under a name of the wanted kind. */
static void
runtime_dir_remove_matching(int fd, bool (*wanted)(const char *name))
{
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (stream == NULL) {
		fd_close(&fd);
		return;
	}
	while ((entry = readdir(stream)) != NULL) {
		if (wanted(entry->d_name))
			runtime_dir_unlink(fd, entry->d_name, 0);
	}
	closedir(stream);
}

static int
runtime_dir_open_below(const struct runtime_dir *dir, const char *name)
{
	return openat(dir->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Only what Bay makes: a directory that was named by mistake keeps its files. */
static void
runtime_dir_clean(const struct runtime_dir *dir)
{
	struct stat st;

	if (fstatat(dir->fd, RUNTIME_DIR_SOCKET, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISSOCK(st.st_mode))
		runtime_dir_unlink(dir->fd, RUNTIME_DIR_SOCKET, 0);
	runtime_dir_remove_matching(runtime_dir_open_below(dir, "."),
		runtime_dir_is_unready_socket);
	if (fstatat(dir->fd, RUNTIME_DIR_IMAGES, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		runtime_dir_remove_matching(runtime_dir_open_below(dir, RUNTIME_DIR_IMAGES),
			runtime_dir_is_image);
		runtime_dir_unlink(dir->fd, RUNTIME_DIR_IMAGES, AT_REMOVEDIR);
	}
}

/* --- public --------------------------------------------------------------------- */

struct runtime_dir *
runtime_dir_open(const char *path, mode_t mode, struct buffer *error)
{
	struct runtime_dir *dir = xcalloc(1, sizeof(*dir));
	char *absolute;

	dir->path = xstrdup(path);
	dir->fd = -1;
	for (int i = 0; i < RUNTIME_DIR_TRIES && dir->fd < 0; i++) {
		if (!runtime_dir_try(dir, mode, error))
			goto free_dir;
	}
	if (dir->fd < 0) {
		runtime_dir_say(error, "lock runtime_dir %s: somebody keeps removing it", path);
		goto free_dir;
	}
	if (!runtime_dir_set_mode(dir, mode, error))
		goto free_dir;
	absolute = realpath(path, NULL);
	if (absolute != NULL) {
		free(dir->path);
		dir->path = absolute;
	}
	runtime_dir_clean(dir);
	return dir;

free_dir:
	runtime_dir_free(dir);
	return NULL;
}

void
runtime_dir_close(struct runtime_dir *dir)
{
	if (dir == NULL)
		return;
	runtime_dir_clean(dir);
	/* Before the lock goes: the next bayd may want a directory of the same name. */
	if (dir->created && rmdir(dir->path) != 0 && errno != ENOENT)
		log_warn_errno(NULL, "remove runtime_dir %s", dir->path);
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
