/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames and descriptors over a non-blocking Unix stream socket: the same on both ends of
 * the admin socket and of the link to a cell. It calls nothing back and waits for nothing;
 * the owner polls the descriptor and calls receive and flush.
 *
 *	when readable:  varlink_stream_receive, then varlink_stream_take until VARLINK_MORE
 *	to send:        varlink_stream_send..., then varlink_stream_flush
 *	when writable:  varlink_stream_flush, while varlink_stream_pending is not 0
 *
 * Descriptors belong to a frame. A frame that has some is sent by a sendmsg of its own, so
 * the last byte that recvmsg returned beside them lies in that frame: this is how the
 * receiver knows whose they are.
 *
 * Has one owner. One thread; never suspends.
 */
#ifndef BAY_PROTOCOL_VARLINK_STREAM_H
#define BAY_PROTOCOL_VARLINK_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "protocol/varlink.h"

/* The most descriptors that one frame may carry. */
enum { VARLINK_STREAM_FDS_MAX = 4 };

enum varlink_stream_result {
	VARLINK_STREAM_OK = 0,   /* bytes were received; or everything was sent */
	VARLINK_STREAM_AGAIN,    /* poll first */
	VARLINK_STREAM_CLOSED,   /* the other end closed, or reset */
	VARLINK_STREAM_REFUSED,  /* it sent what is over a limit: see varlink_stream_error */
	VARLINK_STREAM_FAILED    /* the system said no: see varlink_stream_error */
};

/* Descriptors that came with a frame; the caller's. */
struct varlink_fds {
	int fd[VARLINK_STREAM_FDS_MAX];
	size_t count;
};

/* Closes what is left in fds; entries that were taken are -1. */
void varlink_fds_close(struct varlink_fds *fds);

/* Members are private. */
struct varlink_stream {
	int _fd;
	struct varlink_reader _reader;
	struct list _in;  /* descriptors not yet taken */
	size_t _in_count;
	struct list _out; /* pieces not yet sent */
	size_t _out_bytes;
	size_t _unread_fds;      /* queued, or sent and perhaps not received */
	uint64_t _unread_bytes; /* of the memory files among these */
	char _error[128];
};

/* Borrows fd, which must be non-blocking and outlive the stream. */
void varlink_stream_init(struct varlink_stream *stream, int fd,
	const struct varlink_limits *limits);

/* Forgets what was not sent, closes descriptors that nobody took; not fd. */
void varlink_stream_finish(struct varlink_stream *stream);

/* Receives once, 64 KiB at most. */
enum varlink_stream_result varlink_stream_receive(struct varlink_stream *stream)
	__attribute__((warn_unused_result));

/* As varlink_reader_take; the frame's descriptors are in *fds_r, close-on-exec. One that this
 * process had no number left for is -1. */
enum varlink_result varlink_stream_take(struct varlink_stream *stream, json_t **frame_r,
	struct varlink_fds *fds_r)
	__attribute__((warn_unused_result));

/* Whether take would give a frame or an error: no reason to receive more before that. */
bool varlink_stream_has_frame(struct varlink_stream *stream);

/* Whether the beginning of a frame is there whose end is still to come. */
bool varlink_stream_has_part(struct varlink_stream *stream);

/*
 * Queue a frame. fds (count of them, or NULL and 0) are taken: closed once sent, or by
 * finish; on failure they are still the caller's. False: no memory, or no JSON.
 */
bool varlink_stream_send_call(struct varlink_stream *stream, const struct varlink_call *call,
	const int *fds, size_t count)
	__attribute__((warn_unused_result));
bool varlink_stream_send_reply(struct varlink_stream *stream,
	const struct varlink_reply *reply, const int *fds, size_t count)
	__attribute__((warn_unused_result));

/* Sends what it can. VARLINK_STREAM_OK: nothing is left. Never raises SIGPIPE. */
enum varlink_stream_result varlink_stream_flush(struct varlink_stream *stream)
	__attribute__((warn_unused_result));

/* Bytes queued and not sent. */
size_t varlink_stream_pending(const struct varlink_stream *stream);

/* Bytes sent that the other end has not received. 0: it has received all. */
size_t varlink_stream_in_flight(const struct varlink_stream *stream);

/*
 * The descriptors that are queued, or were sent since the other end was last seen to have
 * received all, and the bytes of the memory files among them: the kernel keeps what a
 * descriptor stands for until it is received, however small its frame is.
 */
size_t varlink_stream_unread_fds(struct varlink_stream *stream, uint64_t *bytes_r);

/* Why the last call on the stream failed. Borrowed, valid until the next one. */
const char *varlink_stream_error(const struct varlink_stream *stream);

#endif
