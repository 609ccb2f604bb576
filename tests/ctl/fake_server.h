/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Something that listens where bayd would, in a child process, and answers as a test wants.
 *
 *	static void
 *	answer(struct fake_call *call)
 *	{
 *		fake_reply(call, "{'pid':5,'uptime_ns':7}");
 *	}
 *
 *	struct fake_server server;
 *
 *	fake_server_start(&server, answer);
 *	... server.path ...
 *	fake_server_stop(&server);
 *
 * JSON may be written with single quotes.
 */
#ifndef BAY_TESTS_CTL_FAKE_SERVER_H
#define BAY_TESTS_CTL_FAKE_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "protocol/varlink_stream.h"
#include "support/temp_dir.h"

struct fake_call {
	const char *method; /* without the interface */
	const json_t *parameters;
	bool more;
	struct varlink_fds *fds;
	int fd;         /* the connection, for bytes that are no frames */
	unsigned count; /* of calls to this server, from 1 */
	unsigned connection; /* the number of this one, from 1 */
	struct varlink_stream *stream;
	bool close;     /* set it to close the connection after this call */
	bool exit;      /* set it to end the server */
	bool exit_at_next; /* set it to end the server once somebody connects again */
};

typedef void fake_server_fn(struct fake_call *call);

struct fake_server {
	struct temp_dir dir;
	char path[512]; /* of the socket */
	pid_t pid;
};

void fake_server_start(struct fake_server *server, fake_server_fn *answer);
void fake_server_stop(struct fake_server *server);

/* Replies with these parameters. */
void fake_reply(struct fake_call *call, const char *parameters);

/* The same, more replies follow. */
void fake_reply_continues(struct fake_call *call, const char *parameters);

/* Replies with parameters from json_pack, taken, and a descriptor, taken, unless it is -1. */
void fake_reply_json(struct fake_call *call, json_t *parameters, int fd);

/* Replies with an error of io.bayd.Container, or of any interface if it has a dot. */
void fake_error(struct fake_call *call, const char *error, const char *parameters);

/* Writes bytes as they are. */
void fake_bytes(struct fake_call *call, const void *data, size_t size);

/* The string parameter of a call; "" if it is not there. */
const char *fake_text(const struct fake_call *call, const char *name);

#endif
