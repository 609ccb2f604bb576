/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A listening socket with a file in the file system: that of bayctl, and those of services.
 * It appears under its name only when its mode and group are right and it listens: there is
 * no moment at which a stranger could connect, nor one at which a friend is refused. Has one
 * owner. Master only.
 */
#ifndef BAY_MASTER_SOCKET_FILE_H
#define BAY_MASTER_SOCKET_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include <bay/status.h>

struct buffer;

struct socket_file_options {
	const char *name; /* for texts: "control /run/bay/control.sock" */
	const char *path;
	mode_t mode;
	gid_t gid; /* of the file; (gid_t)-1: as it comes */
	int backlog;
};

struct socket_file {
	int fd;     /* listening, non-blocking, close-on-exec */
	int _dirfd; /* of the directory it is in */
	char *_name;
	ino_t _inode;
};

/*
 * Makes a socket at path, however long that is (bind takes 107 bytes only, so this goes
 * through a descriptor of the directory). A socket that nobody listens on any more is
 * replaced; one that somebody listens on, and anything that is no socket, is BAY_BUSY. Else
 * BAY_NOT_PERMITTED, or BAY_IO; the reason is appended to error.
 */
enum bay_status socket_file_open(struct socket_file *file,
	const struct socket_file_options *options, struct buffer *error)
	__attribute__((warn_unused_result));

/* Closes it and removes the file, unless somebody has put another one in its place. */
void socket_file_close(struct socket_file *file);

/* Whether there is a socket of this name in the directory, and nobody listens on it. */
bool socket_file_is_abandoned(int dirfd, const char *name);

#endif
