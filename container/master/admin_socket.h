/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The listening socket of bayctl. It appears under its name only when its mode and group
 * are right and it listens: there is no moment at which a stranger could connect, nor one at
 * which a friend is refused. Has one owner. Master only.
 */
#ifndef BAY_MASTER_ADMIN_SOCKET_H
#define BAY_MASTER_ADMIN_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

struct buffer;

struct admin_socket {
	int fd;     /* listening, non-blocking, close-on-exec */
	int _dirfd; /* of the directory it is in */
	char *_name;
	ino_t _inode;
};

/*
 * Makes a socket at path, however long that is (bind takes 107 bytes only, so this goes
 * through a descriptor of the directory). A socket that nobody listens on any more is
 * replaced; one that somebody listens on, and anything that is no socket, is refused. gid
 * is the group of the file, (gid_t)-1 to leave it. False: the reason is appended to error.
 */
bool admin_socket_open(struct admin_socket *admin, const char *path, mode_t mode, gid_t gid,
	struct buffer *error)
	__attribute__((warn_unused_result));

/* Closes it and removes the file, unless somebody has put another one in its place. */
void admin_socket_close(struct admin_socket *admin);

#endif
