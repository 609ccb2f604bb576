/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Landlock of the kernel: a process takes from itself, and from all that it starts, the right to
 * write files, to look into other processes and to send them signals. Needs no privilege.
 * Master only, and in a child between fork and exec.
 */
#ifndef BAY_MASTER_LANDLOCK_H
#define BAY_MASTER_LANDLOCK_H

#include <stdbool.h>

/* What the kernel can, by the version of its interface. */
enum {
	LANDLOCK_NONE = 0,
	LANDLOCK_FILES = 1,    /* writing files; other processes are not to be looked into */
	LANDLOCK_REFER = 2,    /* links and renames from directory to directory may be allowed */
	LANDLOCK_TRUNCATE = 3, /* shortening a file counts as writing */
	LANDLOCK_SCOPE = 6     /* no signals and no abstract sockets to others */
};

/* The version that this kernel has, or LANDLOCK_NONE: it has none, or it is switched off. */
int landlock_version(void);

/*
 * From now on the process writes only below these directories (a list with blanks between them) and
 * to the harmless devices; version is one that the kernel has. It has given up new privileges
 * before. False: errno says why, *step_r what was being done (a constant). Cannot be undone.
 */
bool landlock_enter(int version, const char *writable, const char **step_r)
	__attribute__((warn_unused_result));

#endif
