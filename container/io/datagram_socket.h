/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel is asked for when a socket for datagrams is made. Any thread; never suspends. */
#ifndef BAY_IO_DATAGRAM_SOCKET_H
#define BAY_IO_DATAGRAM_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

#include <bay/datagram.h>

/* The file that a Unix socket has made. */
struct datagram_file {
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1]; /* "": none */
	dev_t device;
	ino_t inode;
};

/* A non-blocking socket, bound and connected as asked for, and its file. -1: errno says why. */
int datagram_socket_open(const struct bay_address *local, const struct bay_datagram_options *options,
	struct datagram_file *file_r);

/* Removes the file, if it is still that one. */
void datagram_file_remove(const struct datagram_file *file);

/* Joins the group or leaves it. False: errno says why. */
bool datagram_socket_group(int fd, const struct bay_address *group, const char *interface, bool join);

/* What plugins are told instead of an errno. */
int datagram_status(int error);

#endif
