/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/program.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Puts the directory of the running executable into dir. */
static bool
program_own_dir(char *dir, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", dir, size - 1);
	char *slash;

	if (length <= 0)
		return false;
	dir[length] = '\0';
	slash = strrchr(dir, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	return true;
}

/* Whether dir/between/name is a program that we may run; fills *program_r either way. */
static bool
program_try(const char *dir, const char *between, const char *name,
	struct program *program_r)
{
	struct stat status;
	const char *path = program_r->path;
	int length = snprintf(program_r->path, sizeof(program_r->path), "%s%s/%s", dir, between, name);

	program_r->library_dir[0] = '\0';
	return length > 0 && (size_t)length < sizeof(program_r->path) && stat(path, &status) == 0 &&
		S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static bool
program_is_libtool_dir(const char *dir)
{
	size_t length = strlen(dir);

	return length >= 6 && strcmp(dir + length - 6, "/.libs") == 0;
}

/* The libraries of a build tree lie in the .libs where libtool put the program. */
static bool
program_found_in_libs(struct program *program_r)
{
	size_t length = (size_t)(strrchr(program_r->path, '/') - program_r->path);

	memcpy(program_r->library_dir, program_r->path, length);
	program_r->library_dir[length] = '\0';
	return true;
}

bool
program_sibling(const char *name, const char *libexec_dir, struct program *program_r)
{
	char dir[sizeof(program_r->path)];

	if (program_own_dir(dir, sizeof(dir))) {
		if (program_try(dir, "/.libs", name, program_r))
			return program_found_in_libs(program_r);
		if (program_try(dir, "", name, program_r))
			return !program_is_libtool_dir(dir) || program_found_in_libs(program_r);
		if (program_is_libtool_dir(dir) && program_try(dir, "/..", name, program_r))
			return true;
	}
	return program_try(libexec_dir, "", name, program_r);
}
