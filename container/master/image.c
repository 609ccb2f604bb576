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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "master/image_source.h"
#include "master/image_unique.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

enum { IMAGE_CHUNK = 64 * 1024 };

/* Root's examiners and cells are other users, who load by the descriptor: the directory
 * keeps everybody else away. */
static mode_t
image_mode(void)
{
	return geteuid() == 0 ? 0555 : 0500;
}

/* --- copying -------------------------------------------------------------------------- */

/* From where both descriptors stand to the end. True: done; the rest is told by errno. */
static bool
image_copy_by_reading(int from, int to)
{
	uint8_t *chunk = malloc(IMAGE_CHUNK);
	ssize_t got = 0;
	bool done = chunk != NULL;

	while (done) {
		got = read(from, chunk, IMAGE_CHUNK);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done = fd_write_all(to, chunk, (size_t)got);
	}
	free(chunk);
	return done && got == 0;
}

/* The kernel may copy, or even share the blocks; between some file systems it will not. */
static bool
image_copy_bytes(int from, int to, uint64_t size)
{
	while (size > 0) {
		ssize_t got = copy_file_range(from, NULL, to, NULL, size, 0);

		if (got <= 0)
			break;
		size -= (uint64_t)got;
	}
	/* Finds the rest, the real reason of a failure, or that there is nothing more. */
	return image_copy_by_reading(from, to);
}

static bool
image_is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
		a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
		a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
		a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Copies the file, which must not change meanwhile. */
static bool
image_copy(struct image *image, int from, int to, struct buffer *error)
{
	struct stat after, copy;

	if (!image_copy_bytes(from, to, (uint64_t)image->source.st_size))
		return buffer_fail(error, "it cannot be copied: %s", strerror(errno));
	if (fstat(from, &after) != 0 || fstat(to, &copy) != 0)
		return buffer_fail(error, "its copy cannot be looked at: %s", strerror(errno));
	if (!image_is_same(&image->source, &after) || copy.st_size != after.st_size)
		return buffer_fail(error, "it changed while it was copied: write it under another "
			"name and rename it when it is complete");
	image->size = (uint64_t)copy.st_size;
	return true;
}

/* What makes a copy an image: its symbols, its hash, its mode. */
static bool
image_seal_copy(struct image *image, int to, struct buffer *error)
{
	int unique;

	if (!hash_fd(to, image->source_sha256))
		return buffer_fail(error, "its copy cannot be read: %s", strerror(errno));
	unique = image_forget_unique(to, image->size);
	if (unique < 0 || fchmod(to, image_mode()) != 0)
		return buffer_fail(error, "its copy cannot be finished: %s", strerror(errno));
	if (unique == 0)
		memcpy(image->sha256, image->source_sha256, sizeof(image->sha256));
	else if (!hash_fd(to, image->sha256))
		return buffer_fail(error, "its copy cannot be read: %s", strerror(errno));
	return true;
}

/* --- a file in the directory ------------------------------------------------------------ */

/* A name that is taken was left by somebody who died. */
static int
image_create_file(const struct image *image)
{
	int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(image->_dirfd, image->_name, flags, 0600);

	if (fd < 0 && errno == EEXIST && unlinkat(image->_dirfd, image->_name, 0) == 0)
		fd = openat(image->_dirfd, image->_name, flags, 0600);
	return fd;
}

static char *
image_directory(const struct image *image)
{
	char link[32], path[4096];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", image->_dirfd);
	length = readlink(link, path, sizeof(path));
	return xstrndup(path, length > 0 ? (size_t)length : 0);
}

/* Makes the file and leaves it open for reading only, as a running program must be. */
static bool
image_make_file(struct image *image, int from, struct buffer *error)
{
	char *directory = image_directory(image);
	int to = image_create_file(image);
	bool made;

	if (to < 0)
		(void)buffer_fail(error, "its copy %s cannot be made in %s: %s", image->_name,
			directory, strerror(errno));
	made = to >= 0 && image_copy(image, from, to, error) && image_seal_copy(image, to, error);
	if (made) {
		image->path = xasprintf("%s/%s", directory, image->_name);
		image->fd = openat(image->_dirfd, image->_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (image->fd < 0)
			made = buffer_fail(error, "its copy cannot be opened: %s", strerror(errno));
	} else if (to >= 0) {
		unlinkat(image->_dirfd, image->_name, 0);
	}
	fd_close(&to);
	free(directory);
	return made;
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

/* A copy of the image in memory, for reading only; -1: memory may not be run either. */
static int
image_copy_to_memory(const struct image *image)
{
	int to = image_create_memory(image);
	char link[32];
	int fd = -1;

	if (to >= 0 && image_copy_by_reading(image->fd, to) &&
	    fchmod(to, image_mode()) == 0 &&
	    fcntl(to, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", to);
		fd = open(link, O_RDONLY | O_CLOEXEC);
	}
	fd_close(&to);
	if (fd >= 0 && !image_may_run(fd))
		fd_close(&fd);
	return fd;
}

static bool
image_move_to_memory(struct image *image, struct buffer *error)
{
	int fd = image_copy_to_memory(image);
	char link[64];

	if (fd < 0)
		return buffer_fail(error, "its copy %s may not be run, since the file system is "
			"mounted noexec, and neither may memory: set image_dir to a directory "
			"whose file system allows it", image->path);
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
image_make_from(struct image *image, int from, struct buffer *error)
{
	return image_make_file(image, from, error) &&
		(image_may_run(image->fd) || image_move_to_memory(image, error));
}

bool
image_make(struct image *image_r, const char *path, int dirfd, const char *name,
	uint64_t generation, struct buffer *error)
{
	int from;
	bool made;

	*image_r = (struct image){.fd = -1, ._dirfd = -1};
	from = image_source_open(path, &image_r->source, error);
	if (from < 0)
		return false;
	image_r->_dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	image_r->_name = xasprintf("%s.%" PRIu64 ".so", name, generation);
	made = image_r->_dirfd >= 0 ? image_make_from(image_r, from, error) :
		buffer_fail(error, "no descriptor is left: %s", strerror(errno));
	close(from);
	if (!made)
		image_finish(image_r);
	return made;
}

void
image_finish(struct image *image)
{
	if (image->path != NULL)
		unlinkat(image->_dirfd, image->_name, 0);
	fd_close(&image->fd);
	fd_close(&image->_dirfd);
	free(image->path);
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
