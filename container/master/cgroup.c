/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "master/cgroup_group.h"
#include "master/cgroup_tree.h"

#define CGROUP_MASTER "master"
#define CGROUP_CELL "cell-"

enum {
	CGROUP_FILE_MAX = 1 << 20,
	CGROUP_DEPTH = 8, /* of groups below one of a cell that are looked for */
	CGROUP_SWEEPS = 20, /* at the end */
	CGROUP_SWEEP_US = 5000
};

static const char *const cgroup_switches[] = {"memory", "pids", "cpu"};

/* --- files --------------------------------------------------------------------------------- */

bool
cgroup_read(int dirfd, const char *file, struct buffer *text)
{
	int fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	done = fd_read_all(fd, CGROUP_FILE_MAX, text);
	close(fd);
	return done && buffer_append(text, "", 1);
}

bool
cgroup_write(int dirfd, const char *file, const char *text)
{
	/* Newer kernels take it as a wish not to be kept by what a lower limit has to be reclaimed. */
	int fd = openat(dirfd, file, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t wrote;
	int error;

	if (fd < 0)
		return false;
	wrote = write(fd, text, strlen(text));
	error = errno;
	close(fd);
	errno = error;
	return wrote == (ssize_t)strlen(text);
}

static DIR *
cgroup_open_dir(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (dir == NULL && fd >= 0)
		close(fd);
	return dir;
}

/* What is in a cell may have made some of its own. */
static void
cgroup_remove_below(DIR *dir, unsigned depth)
{
	const struct dirent *entry;

	while (depth > 0 && (entry = readdir(dir)) != NULL) {
		DIR *below;

		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		below = cgroup_open_dir(dirfd(dir), entry->d_name);
		if (below != NULL) {
			cgroup_remove_below(below, depth - 1);
			closedir(below);
		}
		(void)unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	}
}

bool
cgroup_remove(int parent, const char *name)
{
	DIR *dir = cgroup_open_dir(parent, name);

	if (dir != NULL) {
		(void)!cgroup_write(dirfd(dir), "cgroup.kill", "1");
		cgroup_remove_below(dir, CGROUP_DEPTH);
		closedir(dir);
	}
	return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

static bool
cgroup_is_in_use(const struct cgroup_tree *tree, const char *name)
{
	list_for_each(pos, &tree->groups) {
		if (strcmp(container_of(pos, struct cgroup_group, in_tree)->name, name) == 0)
			return true;
	}
	return false;
}

void
cgroup_sweep(struct cgroup_tree *tree)
{
	DIR *dir = cgroup_open_dir(tree->dirfd, ".");
	const struct dirent *entry;

	if (dir == NULL)
		return;
	tree->litter = false;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_type == DT_DIR && strncmp(entry->d_name, CGROUP_CELL, sizeof(CGROUP_CELL) - 1) == 0 &&
		    !cgroup_is_in_use(tree, entry->d_name) && !cgroup_remove(tree->dirfd, entry->d_name))
			tree->litter = true;
	}
	closedir(dir);
}

/* --- which directory ---------------------------------------------------------------------- */

/* Where we are, or NULL. */
static char *
cgroup_home(void)
{
	struct buffer mounts = {0}, groups = {0};
	char *home = NULL;

	if (cgroup_read(AT_FDCWD, "/proc/self/mountinfo", &mounts) &&
	    cgroup_read(AT_FDCWD, "/proc/self/cgroup", &groups))
		home = cgroup_own_directory(buffer_text(&mounts), buffer_text(&groups));
	buffer_finish(&mounts);
	buffer_finish(&groups);
	return home;
}

/* Whoever has given it to us has said so: systemd by an attribute, others by its owner. */
static bool
cgroup_is_delegated(const char *path)
{
	static const char *const attributes[] = {"user.delegate", "trusted.delegate"};
	struct stat status;
	char value;

	for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++) {
		if (getxattr(path, attributes[i], &value, 1) == 1 && value == '1')
			return true;
	}
	return geteuid() != 0 && stat(path, &status) == 0 && status.st_uid == geteuid();
}

/* The directory to use, the caller's; NULL, and why. */
static char *
cgroup_choose(const char *where, const char *home, char **why_r)
{
	const char *last = home != NULL ? strrchr(home, '/') : NULL;
	char *path;

	if (strcmp(where, "no") == 0) {
		*why_r = xstrdup("cgroup = no");
		return NULL;
	}
	if (strcmp(where, "auto") != 0)
		return xstrdup(where);
	if (home == NULL) {
		*why_r = xstrdup("there is no cgroup v2");
		return NULL;
	}
	/* As with DelegateSubgroup=master. */
	path = last != NULL && strcmp(last, "/" CGROUP_MASTER) == 0 ?
		xasprintf("%.*s", (int)(last - home), home) : xstrdup(home);
	if (cgroup_is_delegated(path))
		return path;
	*why_r = xasprintf("%s is not delegated to bayd (Delegate=yes of systemd)", path);
	free(path);
	return NULL;
}

/* --- taking it ------------------------------------------------------------------------------- */

static char *
cgroup_why(const struct cgroup_tree *tree, const char *step)
{
	return xasprintf("%s: %s: %s", tree->path, step, strerror(errno));
}

/* A process that is in the group, and not us; 0: one of another pid namespace; -1: there is none. */
static int
cgroup_stranger(int dirfd, const char *file)
{
	struct buffer text = {0};
	int stranger = -1;

	if (cgroup_read(dirfd, file, &text)) {
		const char *line = buffer_text(&text);

		for (; *line != '\0' && stranger < 0; line += strcspn(line, "\n"), line += *line == '\n') {
			int pid = atoi(line);

			stranger = pid != (int)getpid() ? pid : -1;
		}
	}
	buffer_finish(&text);
	return stranger;
}

static char *
cgroup_look(struct cgroup_tree *tree, unsigned *controllers_r)
{
	struct buffer text = {0};
	char *why = NULL;
	int stranger;

	tree->dirfd = open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree->dirfd < 0)
		return cgroup_why(tree, "open it");
	if (!cgroup_read(tree->dirfd, "cgroup.controllers", &text))
		why = cgroup_why(tree, "read its cgroup.controllers");
	else if ((*controllers_r = cgroup_controllers(buffer_text(&text))) == 0)
		why = xasprintf("%s: it has none of the controllers memory, pids and cpu", tree->path);
	buffer_finish(&text);
	if (why != NULL)
		return why;
	stranger = cgroup_stranger(tree->dirfd, "cgroup.procs");
	if (stranger < 0)
		stranger = cgroup_stranger(tree->dirfd, CGROUP_MASTER "/cgroup.procs");
	if (stranger == 0)
		return xasprintf("%s: a process of another pid namespace is in it, too", tree->path);
	return stranger > 0 ? xasprintf("%s: process %d is in it, too", tree->path, stranger) : NULL;
}

/* Those that cannot be had are left out. */
static void
cgroup_switch_on(struct cgroup_tree *tree, unsigned controllers)
{
	for (size_t i = 0; i < sizeof(cgroup_switches) / sizeof(*cgroup_switches); i++) {
		unsigned bit = cgroup_controllers(cgroup_switches[i]);
		char text[16];

		snprintf(text, sizeof(text), "+%s", cgroup_switches[i]);
		if ((controllers & bit) && cgroup_write(tree->dirfd, "cgroup.subtree_control", text))
			tree->controllers |= bit;
	}
}

static void
cgroup_switch_off(struct cgroup_tree *tree)
{
	for (size_t i = 0; i < sizeof(cgroup_switches) / sizeof(*cgroup_switches); i++) {
		char text[16];

		snprintf(text, sizeof(text), "-%s", cgroup_switches[i]);
		if (tree->controllers & cgroup_controllers(cgroup_switches[i]))
			(void)!cgroup_write(tree->dirfd, "cgroup.subtree_control", text);
	}
	tree->controllers = 0;
}

static char *
cgroup_enter(struct cgroup_tree *tree, unsigned controllers)
{
	char pid[16];
	char *why;

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	cgroup_sweep(tree);
	if (mkdirat(tree->dirfd, CGROUP_MASTER, 0755) != 0 && errno != EEXIST)
		return cgroup_why(tree, "make a group in it");
	if (!cgroup_write(tree->dirfd, CGROUP_MASTER "/cgroup.procs", pid)) {
		why = cgroup_why(tree, "go into the group master in it");
		(void)unlinkat(tree->dirfd, CGROUP_MASTER, AT_REMOVEDIR);
		return why;
	}
	tree->entered = true;
	cgroup_switch_on(tree, controllers);
	return tree->controllers == 0 ? cgroup_why(tree, "switch its controllers on") : NULL;
}

/* --- life -------------------------------------------------------------------------------------- */

static struct cgroup_tree *
cgroup_tree_create(const char *where, char **why_r)
{
	char *home = cgroup_home();
	char *path = cgroup_choose(where, home, why_r);
	struct cgroup_tree *tree;

	if (path == NULL) {
		free(home);
		return NULL;
	}
	tree = xcalloc(1, sizeof(*tree));
	tree->path = path;
	tree->home = home;
	tree->dirfd = -1;
	list_init(&tree->groups);
	return tree;
}

struct cgroup_tree *
cgroup_tree_open(const char *where, char **why_r)
{
	struct cgroup_tree *tree = cgroup_tree_create(where, why_r);
	unsigned controllers = 0;

	if (tree == NULL)
		return NULL;
	*why_r = cgroup_look(tree, &controllers);
	if (*why_r == NULL)
		*why_r = cgroup_enter(tree, controllers);
	if (*why_r == NULL)
		return tree;
	cgroup_tree_close(tree);
	return NULL;
}

unsigned
cgroup_tree_probe(const char *where)
{
	char *why = NULL;
	struct cgroup_tree *tree = cgroup_tree_create(where, &why);
	unsigned controllers = 0;

	if (tree != NULL)
		why = cgroup_look(tree, &controllers);
	/* We would not be alone in it, but this is no bayd that goes there. */
	free(why);
	cgroup_tree_close(tree);
	return controllers;
}

/* What was killed in one takes a moment to be gone. */
static void
cgroup_sweep_all(struct cgroup_tree *tree)
{
	for (unsigned tries = CGROUP_SWEEPS; tries-- > 0;) {
		cgroup_sweep(tree);
		if (!tree->litter)
			return;
		usleep(CGROUP_SWEEP_US);
	}
}

/* The controllers first: a group that has them switched on takes no process. */
static void
cgroup_leave(struct cgroup_tree *tree)
{
	char *procs = xasprintf("%s/cgroup.procs", tree->home != NULL ? tree->home : tree->path);
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	cgroup_switch_off(tree);
	(void)!cgroup_write(AT_FDCWD, procs, pid);
	(void)unlinkat(tree->dirfd, CGROUP_MASTER, AT_REMOVEDIR);
	free(procs);
}

void
cgroup_tree_close(struct cgroup_tree *tree)
{
	if (tree == NULL)
		return;
	if (tree->entered) {
		cgroup_sweep_all(tree);
		cgroup_leave(tree);
	}
	if (tree->dirfd >= 0)
		close(tree->dirfd);
	free(tree->path);
	free(tree->home);
	free(tree);
}

const char *
cgroup_tree_path(const struct cgroup_tree *tree)
{
	return tree->path;
}

unsigned
cgroup_tree_controllers(const struct cgroup_tree *tree)
{
	return tree != NULL ? tree->controllers : 0;
}
