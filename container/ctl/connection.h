/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection to the daemon, used in turns: call, wait for the reply. Every wait has a
 * deadline (clock_monotonic_ns; INT64_MAX: none). Failures fill a struct ctl_error.
 */
#ifndef BAY_CTL_CONNECTION_H
#define BAY_CTL_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/error.h"
#include "protocol/varlink_stream.h"

struct ctl_connection {
	int fd; /* -1: closed */
	struct varlink_stream stream;
};

/* What came back. Its strings are borrowed from frame. */
struct ctl_reply {
	json_t *frame;
	struct varlink_reply reply;
	struct varlink_fds fds;
};

enum ctl_wait {
	CTL_WAIT_DONE = 0,
	CTL_WAIT_TIMEOUT, /* the deadline passed; another try may follow */
	CTL_WAIT_FAILED   /* see the error */
};

/* The deadline that lies this long ahead; 0 is none. */
int64_t connection_deadline(int64_t timeout_ns);

/*
 * The socket to use: the one that was named, else $BAY_SOCKET, else ./run/control.sock if it
 * is there, else the system's. Borrowed for ever.
 */
const char *connection_socket(const char *named);

/* Connects to the socket at path, of any length. */
bool connection_open(struct ctl_connection *connection, const char *path, int64_t deadline,
	struct ctl_error *error)
	__attribute__((warn_unused_result));

/* A closed connection is fine. */
void connection_close(struct ctl_connection *connection);

/*
 * Sends a call; fd goes with it unless it is -1, and is taken in any case.
 */
enum ctl_wait connection_send(struct ctl_connection *connection, const struct varlink_call *call,
	int fd, int64_t deadline, struct ctl_error *error)
	__attribute__((warn_unused_result));

/* Waits for one reply, of success or failure, which is then to be finished. */
enum ctl_wait connection_receive(struct ctl_connection *connection, struct ctl_reply *reply_r,
	int64_t deadline, struct ctl_error *error)
	__attribute__((warn_unused_result));

void ctl_reply_finish(struct ctl_reply *reply);

/* Takes a reply that is there already: as connection_receive, CTL_WAIT_TIMEOUT for none. */
enum ctl_wait connection_take(struct ctl_connection *connection, struct ctl_reply *reply_r,
	struct ctl_error *error)
	__attribute__((warn_unused_result));

/* Fills error with what a result of the stream means that is neither OK nor AGAIN. */
void connection_explain(const struct ctl_connection *connection,
	enum varlink_stream_result result, struct ctl_error *error);

#endif
