/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Of a C++ plugin the image differs from the file in a few bits (image_unique.h), so there
 * are two hashes: one says whether the file is a new one, the other what cells may load.
 *
 * Memory is loaded by a name of its own too, not by /proc/PID/fd/N: the dynamic loader takes
 * what it has under a name already, and the numbers of descriptors come again.
 */
#include "config.h"

#include "master/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/code.h"
#include "base/fd.h"
#include "base/remedy.h"
#include "master/image_source.h"
#include "master/image_unique.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/* How many names are tried for a copy. */
enum { IMAGE_NAMES_MAX = 100 };

/* What is being done for an image that is not complete. */
enum image_step {
	IMAGE_STEP_COPY,     /* the file, to the directory */
	IMAGE_STEP_HASH,     /* its copy once more, since it was rewritten */
	IMAGE_STEP_TO_MEMORY /* the copy may not be run where it is */
};

struct image_work {
	enum image_step step;
	int from; /* the plugin file */
	int to;   /* the copy, for reading and writing */
	struct image_copy copy;
};

/* Root's examiners and cells are other users, who load by the descriptor: the directory
 * keeps everybody else away. */
static mode_t
image_mode(void)
{
	return geteuid() == 0 ? 0555 : 0500;
}

/* --- steps ---------------------------------------------------------------------------- */

static bool
image_is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
		a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
		a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
		a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void
image_work_end(struct image *image)
{
	if (image->_work == NULL)
		return;
	fd_close(&image->_work->from);
	fd_close(&image->_work->to);
	free(image->_work);
	image->_work = NULL;
}

/* The caller's. */
static char *
image_directory(const struct image *image)
{
	char link[32], path[4096];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", image->_dirfd);
	length = readlink(link, path, sizeof(path));
	return xstrndup(path, length > 0 ? (size_t)length : 0);
}

/* One slice of the step at hand. What is said is the same when it is tried again: no generations. */
static enum image_progress
image_work_slice(struct image *image, struct buffer *error)
{
	struct image_work *work = image->_work;
	enum image_progress progress = image_copy_continue(&work->copy);
	int number = errno;
	char *directory;

	if (progress != IMAGE_FAILED)
		return progress;
	directory = image_directory(image);
	if (work->step == IMAGE_STEP_HASH)
		(void)buffer_fail(error, "its copy cannot be read: %s", strerror(number));
	else
		(void)buffer_fail(error, "it cannot be copied to %s: %s%s",
			work->step == IMAGE_STEP_COPY ? directory : "memory", strerror(number), remedy_of(number));
	free(directory);
	return progress;
}

/* The file must not have changed meanwhile. */
static bool
image_check_copy(struct image *image, struct buffer *error)
{
	const struct image_work *work = image->_work;
	struct stat after;

	if (fstat(work->from, &after) != 0)
		return buffer_fail(error, "it cannot be looked at: %s", strerror(errno));
	if (!image_is_same(&image->source, &after) ||
	    work->copy.done != (uint64_t)after.st_size)
		return buffer_fail(error, "it changed while it was copied: write it under another "
			"name and rename it when it is complete [plugin-file]");
	image->size = work->copy.done;
	return true;
}

/* Makes symbols ordinary and takes the writers' permission. Its hash is still right, or it
 * has to be read again. */
static enum image_progress
image_rewrite(struct image *image, struct buffer *error)
{
	struct image_work *work = image->_work;
	int unique;

	hash_end(&work->copy.hash, image->source_sha256);
	memcpy(image->sha256, image->source_sha256, sizeof(image->sha256));
	unique = image_forget_unique(work->to, image->size);
	if (unique < 0 || fchmod(work->to, image_mode()) != 0 ||
	    lseek(work->to, 0, SEEK_SET) != 0) {
		(void)buffer_fail(error, "its copy cannot be finished: %s", strerror(errno));
		return IMAGE_FAILED;
	}
	if (unique == 0)
		return IMAGE_DONE;
	work->step = IMAGE_STEP_HASH;
	image_copy_begin(&work->copy, work->to, -1);
	return IMAGE_MORE;
}

/* --- a file in the directory ------------------------------------------------------------ */

/* A name that is taken is somebody else's file: what a daemon that died has left is removed
 * before, where one can tell. Then it is called NAME.GENERATION.N.so. */
static int
image_create_file(struct image *image)
{
	int stem = (int)strlen(image->_name) - (int)strlen(".so");
	char *first = image->_name;
	int fd = -1;

	for (int n = 0; fd < 0 && n < IMAGE_NAMES_MAX && (n == 0 || errno == EEXIST); n++) {
		if (image->_name != first)
			free(image->_name);
		image->_name = n == 0 ? first : xasprintf("%.*s.%d.so", stem, first, n);
		fd = openat(image->_dirfd, image->_name,
			O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	}
	if (image->_name != first)
		free(first);
	return fd;
}

/* Leaves the copy open for reading only, as a running program must be. */
static bool
image_reopen_file(struct image *image, struct buffer *error)
{
	fd_close(&image->_work->to);
	image->fd = openat(image->_dirfd, image->_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return image->fd >= 0 ||
		buffer_fail(error, "its copy cannot be opened: %s%s", strerror(errno), remedy_of(errno));
}

/* --- or memory ---------------------------------------------------------------------------- */

/* Whether code may run from it: not from a file system that is mounted noexec. */
static bool
image_may_run(int fd)
{
	long page = sysconf(_SC_PAGESIZE);
	void *map = mmap(NULL, (size_t)page, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	if (map == MAP_FAILED)
		return false;
	munmap(map, (size_t)page);
	return true;
}

static int
image_create_memory(const struct image *image)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create(image->_name, flags | MFD_EXEC);

	/* Linux before 6.3 does not know MFD_EXEC and does not need it. */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(image->_name, flags);
	return fd;
}

static bool
image_begin_memory(struct image *image, struct buffer *error)
{
	struct image_work *work = image->_work;

	work->step = IMAGE_STEP_TO_MEMORY;
	work->to = image_create_memory(image);
	image_copy_begin(&work->copy, image->fd, work->to);
	return work->to >= 0 ||
		buffer_fail(error, "its copy cannot be put into memory: %s%s", strerror(errno),
			remedy_of(errno));
}

/* The memory as others get it, for reading only; -1: it may not be run either. */
static int
image_seal_memory(int to)
{
	char link[32];
	int fd = -1;

	if (fchmod(to, image_mode()) == 0 &&
	    fcntl(to, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", to);
		fd = open(link, O_RDONLY | O_CLOEXEC);
	}
	if (fd >= 0 && !image_may_run(fd))
		fd_close(&fd);
	return fd;
}

static bool
image_move_to_memory(struct image *image, struct buffer *error)
{
	int fd = image_seal_memory(image->_work->to);
	char link[64];

	if (fd < 0)
		return buffer_fail(error, "its copy %s may not be run, since the file system is "
			"mounted noexec, and neither may memory: set image_dir to a directory "
			"whose file system allows it [plugin-noexec]", image->path);
	fd_close(&image->fd);
	image->fd = fd;
	image->in_memory = true;
	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)getpid(), fd);
	if (unlinkat(image->_dirfd, image->_name, 0) != 0 ||
	    symlinkat(link, image->_dirfd, image->_name) != 0)
		return buffer_fail(error, "its copy %s cannot be replaced by a link: %s",
			image->path, strerror(errno));
	return true;
}

/* --- the whole ----------------------------------------------------------------------------- */

static bool
image_begin_file(struct image *image, int dirfd, struct buffer *error)
{
	char *directory;

	image->_dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	if (image->_dirfd < 0)
		return buffer_fail(error, "no descriptor is left: %s%s", strerror(errno), remedy_of(errno));
	directory = image_directory(image);
	image->_work->to = image_create_file(image);
	if (image->_work->to >= 0)
		image->path = xasprintf("%s/%s", directory, image->_name);
	else
		(void)buffer_fail(error, "a copy of it cannot be made in %s: %s%s", directory,
			strerror(errno), remedy_of(errno));
	free(directory);
	image_copy_begin(&image->_work->copy, image->_work->from, image->_work->to);
	return image->_work->to >= 0;
}

/* The caller's. */
static char *
image_origin(const char *path)
{
	char *copy = xstrdup(path);
	char *origin = realpath(dirname(copy), NULL);

	free(copy);
	return origin;
}

bool
image_begin(struct image *image_r, const char *path, int dirfd, const char *name,
	uint64_t generation, struct buffer *error)
{
	int from;

	*image_r = (struct image){.fd = -1, ._dirfd = -1};
	from = image_source_open(path, &image_r->source, error);
	if (from < 0)
		return code_fail(error, "plugin-file");
	image_r->origin = image_origin(path);
	image_r->_name = xasprintf("%s.%" PRIu64 ".so", name, generation);
	image_r->_work = xcalloc(1, sizeof(*image_r->_work));
	*image_r->_work = (struct image_work){.from = from, .to = -1};
	if (image_begin_file(image_r, dirfd, error))
		return true;
	image_finish(image_r);
	return code_fail(error, "plugin-copy");
}

/* The copy has its bytes and its hash. */
static enum image_progress
image_complete_file(struct image *image, struct buffer *error)
{
	if (!image_reopen_file(image, error))
		return IMAGE_FAILED;
	if (image_may_run(image->fd))
		return IMAGE_DONE;
	return image_begin_memory(image, error) ? IMAGE_MORE : IMAGE_FAILED;
}

/* The step at hand has come to its end. */
static enum image_progress
image_end_step(struct image *image, struct buffer *error)
{
	enum image_progress progress;

	switch (image->_work->step) {
	case IMAGE_STEP_COPY:
		progress = image_check_copy(image, error) ? image_rewrite(image, error) :
			IMAGE_FAILED;
		return progress == IMAGE_DONE ? image_complete_file(image, error) : progress;
	case IMAGE_STEP_HASH:
		hash_end(&image->_work->copy.hash, image->sha256);
		return image_complete_file(image, error);
	case IMAGE_STEP_TO_MEMORY:
		return image_move_to_memory(image, error) ? IMAGE_DONE : IMAGE_FAILED;
	}
	return IMAGE_FAILED;
}

enum image_progress
image_continue(struct image *image, struct buffer *error)
{
	enum image_progress progress = image_work_slice(image, error);

	if (progress == IMAGE_DONE)
		progress = image_end_step(image, error);
	if (progress == IMAGE_DONE)
		image_work_end(image);
	else if (progress == IMAGE_FAILED) {
		(void)code_fail(error, "plugin-copy");
		image_finish(image);
	}
	return progress;
}

bool
image_make(struct image *image_r, const char *path, int dirfd, const char *name,
	uint64_t generation, struct buffer *error)
{
	enum image_progress progress = IMAGE_MORE;

	if (!image_begin(image_r, path, dirfd, name, generation, error))
		return false;
	while (progress == IMAGE_MORE)
		progress = image_continue(image_r, error);
	return progress == IMAGE_DONE;
}

void
image_finish(struct image *image)
{
	image_work_end(image);
	if (image->path != NULL)
		unlinkat(image->_dirfd, image->_name, 0);
	fd_close(&image->fd);
	fd_close(&image->_dirfd);
	free(image->path);
	free(image->origin);
	free(image->_name);
	*image = (struct image){.fd = -1, ._dirfd = -1};
}

bool
image_is_current(const struct image *image, const char *path)
{
	struct stat st;

	return fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		image_is_same(&image->source, &st);
}
