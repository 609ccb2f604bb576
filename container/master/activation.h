/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets that the service manager has opened and passes to bayd: systemd's socket
 * activation, by the environment variables LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES.
 * Has one owner. Master only.
 */
#ifndef BAY_MASTER_ACTIVATION_H
#define BAY_MASTER_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>

struct buffer;

/* The name of a socket that has been given none. */
#define ACTIVATION_NAMELESS "unknown"

struct activation_socket {
	int fd; /* listening, non-blocking, close-on-exec; who takes it leaves -1 */
	char *name;
};

/* A zeroed one has none. */
struct activation {
	struct activation_socket *sockets;
	size_t count;
};

/*
 * Takes the sockets that were passed to this process, if any, and removes the variables, so
 * that no child takes them for its own. False: something is wrong with them, and the reason
 * is appended to error.
 */
bool activation_take(struct activation *activation, struct buffer *error)
	__attribute__((warn_unused_result));

/* Closes what is left of them. */
void activation_finish(struct activation *activation);

#endif
