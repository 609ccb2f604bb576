/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the other programs of Bay are. They are looked for beside the running executable
 * first, so that a build tree and a relocated installation use their own.
 */
#ifndef BAY_BASE_PROGRAM_H
#define BAY_BASE_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

struct program {
	char path[4096];
	/*
	 * What LD_LIBRARY_PATH must start with for the program to find its libbay.so: the
	 * .libs of a build tree. Empty for an installed program.
	 */
	char library_dir[4096];
};

/*
 * Finds an executable file called name: in the directory of the running executable (in its
 * .libs first, where libtool keeps the real one), else in libexec_dir. False: in neither;
 * *program_r then says where it was looked for last. Any thread.
 */
bool program_sibling(const char *name, const char *libexec_dir, struct program *program_r)
	__attribute__((warn_unused_result));

#endif
