/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One socket that listens on an address: made, or refused with what is in the way and what
 * to do about it. Has one owner. Master only.
 */
#ifndef BAY_MASTER_LISTENER_SOCKET_H
#define BAY_MASTER_LISTENER_SOCKET_H

#include <sys/types.h>

#include <bay/status.h>

#include "config/listen_address.h"
#include "master/socket_file.h"

struct buffer;

struct listener_socket {
	int fd; /* listening, non-blocking, close-on-exec; of file if it is one */
	struct socket_file file;
};

/*
 * Opens one; mode is of a socket file. An IPv6 address takes no IPv4 connections. Else BAY_BUSY
 * (somebody has the address), BAY_NOT_PERMITTED or BAY_IO, and the reason is appended to
 * error.
 */
enum bay_status listener_socket_open(struct listener_socket *listener,
	const struct listen_address *address, mode_t mode, int backlog, struct buffer *error)
	__attribute__((warn_unused_result));

/* Nobody can connect any more, wherever there may be duplicates; removes the file. */
void listener_socket_close(struct listener_socket *listener);

#endif
