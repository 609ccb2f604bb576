/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stream of <bay/stream.h> from inside. The files around it are
 *
 *	stream.c         its life, and what the loop tells it
 *	stream_read.c    the way in
 *	stream_write.c   the way out
 *	stream_file.c    files, the same way
 *	stream_facts.c   what can be asked of it and set
 *	connector.c, listener.c: where streams come from
 *	tls_session.c    a transport
 *
 *	kernel --> transport --> input ---> reader           one task at a time
 *	kernel <-- output <---- transport <--- writer        who has the turn; others in line
 *	           |  gone by the loop itself, whoever waits
 *
 * Between the plugin's bytes and the descriptor's lies a transport: plain, or one that turns
 * the ones into the others. Whatever the kernel does not take at once stands in output, as
 * the descriptor's bytes.
 *
 * Owning loop only.
 */
#ifndef BAY_IO_STREAM_H
#define BAY_IO_STREAM_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <bay/stream.h>

#include "base/list.h"
#include "io/stream_buffer.h"
#include "loop/edge.h"
#include "runtime/belonging.h"
#include "runtime/waitable.h"

struct stream_transport {
	/* Reads into data: BAY_OK and how much (not 0); BAY_BUSY: nothing yet; BAY_CLOSED: nothing
	 * more will come; a failure, after stream_fail(). */
	int (*get)(struct bay_stream *stream, void *data, size_t size, size_t *size_r);
	/* Takes all of it, to the kernel or to output: BAY_OK or a failure, after stream_fail(). */
	int (*put)(struct bay_stream *stream, const void *data, size_t size);
	/* Puts into output what says that nothing more comes; or NULL. */
	void (*end)(struct bay_stream *stream);
	/* Frees the session; or NULL. */
	void (*finish)(struct bay_stream *stream);
	/* The plugin's bytes are the descriptor's. */
	bool plain;
};

extern const struct stream_transport stream_plain;

/* Who is at the other end, where that fits; the others can be asked. */
struct stream_peer {
	uint32_t length;             /* 0: not known */
	union {
		struct sockaddr any;
		struct sockaddr_in ipv4;
		struct sockaddr_in6 ipv6;
	} address;
};

struct bay_stream {
	struct waitable waitable;    /* first; waiters: who waits for the turn to write */
	struct belonging belonging;
	struct edge edge;
	const struct stream_transport *transport;
	void *session;               /* the transport's, or NULL */
	struct stream_buffer input;
	struct stream_buffer output;
	struct list readers;         /* struct waiter.link: one at most, for something to read */
	struct list room;            /* the same: who has the turn, for output to go */
	struct list drainers;        /* struct stream_drainer.waiter.link, oldest first */
	uint64_t appended;           /* bytes that have gone into output so far */
	size_t high_water;           /* see <bay/stream.h> */
	size_t low_water;
	size_t read_size;            /* what is asked of the kernel at once: follows what it gives */
	char *error;                 /* words for the last failure, malloc'd, or NULL */
	int fd;
	int read_status;             /* BAY_OK; BAY_CLOSED: the end has come; or a failure */
	int write_status;            /* BAY_OK or a failure */
	bool readable;               /* as far as we know; tried first */
	bool writable;               /* the same; while output is not empty it is false */
	bool is_socket;
	bool is_tcp;
	bool tells_short;            /* less than asked for means that no more is there */
	bool reading;                /* a task waits in a read, or has been woken there */
	bool writing;                /* a task has the turn to write */
	bool finished;               /* bay_stream_write_eof() was called, */
	bool shut;                   /* and has been carried out */
	bool closing;                /* refuses everything but to drain */
	bool was_reset;
	bool connecting;
	struct stream_peer peer;     /* as it was in the beginning: a dead socket has forgotten it */
};

/* So many bytes in or out count as one more call of the task's slice: 1 KiB. */
#define STREAM_BYTES_PER_CALL_SHIFT 10

/* What a wait ends with when the stream is, or may be, gone: it must not be touched any more. The
 * plugin sees BAY_CLOSED, which inside stands for the end of what is read. */
#define STREAM_GONE (-1)

/* How a function begins that may wait for the stream, or that only a task may call. */
#define STREAM_BEGIN(stream, function) WAITABLE_BEGIN(stream, function)

/* --- stream.c ------------------------------------------------------------------------------- */

/* NULL or options that make sense, filled up with what is usual. BAY_OK, or BAY_INVALID with a
 * line in the log. */
int stream_options_read(const struct bay_stream_options *options, struct bay_stream_options *full_r,
	const char *function);

/* A stream on a non-blocking, close-on-exec descriptor, which it takes; full comes from
 * stream_options_read(). BAY_OK; BAY_NO_MEMORY, BAY_IO (errno says why): the descriptor is the
 * caller's. */
int stream_create(int fd, const struct bay_stream_options *full, struct bay_stream **stream_r);

/* Sets what full says of the socket: who is there already has to be known. */
void stream_apply(struct bay_stream *stream, const struct bay_stream_options *full);

/* Of an address, if it fits. */
void stream_peer_init(struct stream_peer *peer, const struct sockaddr *address, socklen_t length);

/* Ends it: who waits goes on with BAY_CLOSED. With reset, the other end is told that it was no
 * good end, where that can be said. */
void stream_end(struct bay_stream *stream, bool reset);

/* Keeps the words for a failure. A write error says so to all who wait to write. */
void stream_fail_read(struct bay_stream *stream, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void stream_fail_write(struct bay_stream *stream, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* --- stream_read.c --------------------------------------------------------------------------- */

/* Lets those on who wait to read. */
void stream_wake_readers(struct bay_stream *stream, int status);

/* Whether a read would wait just now: fills input if there is nothing in it. BAY_OK;
 * BAY_CLOSED: the end; BAY_BUSY; or a failure. */
int stream_look(struct bay_stream *stream);

/* Waits until there may be something to read. BAY_OK, BAY_TIMEOUT, BAY_CANCELED, STREAM_GONE. */
int stream_await_input(struct bay_stream *stream, int64_t deadline);

/* What the descriptor gives: as get of a transport. */
int stream_receive(struct bay_stream *stream, void *data, size_t size, size_t *size_r);

/* --- stream_write.c -------------------------------------------------------------------------- */

/* Gives output to the kernel, and lets those on who wait for that. */
void stream_flush(struct bay_stream *stream);

/* Lets all go on who wait to write, for their turn or for output to go. */
void stream_wake_writers(struct bay_stream *stream, int status);

/* Bytes for the descriptor, to the kernel or to output: as put of a transport. */
int stream_send(struct bay_stream *stream, const void *data, size_t size);

/* Waits for the turn to write, which then has to be handed on to the first in line. BAY_OK,
 * BAY_TIMEOUT, BAY_CANCELED, STREAM_GONE. */
int stream_take_turn(struct bay_stream *stream, int64_t deadline);
void stream_hand_on(struct bay_stream *stream);

/* Whether a task may begin to write: BAY_OK, BAY_CANCELED, STREAM_GONE, or as below. Suspends from
 * time to time, for the sake of others. */
int stream_begin_write(struct bay_stream *stream, const char *function);

/* Why nothing can be written, or BAY_OK. */
int stream_write_refusal(const struct bay_stream *stream, const char *function);

/* Waits until output is down to the low mark; if it was, until the kernel takes more. Who waits has
 * the turn. BAY_OK, BAY_TIMEOUT, BAY_CANCELED, STREAM_GONE. */
int stream_await_room(struct bay_stream *stream, int64_t deadline);

/* Waits until all that stands in output now has gone. BAY_OK, a failure, BAY_CLOSED,
 * BAY_TIMEOUT, BAY_CANCELED. */
int stream_drain(struct bay_stream *stream, int64_t deadline);

#endif
