/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is to be sent is a row of pieces, each one buffer: frames without descriptors are
 * put together, one with descriptors is a piece of its own.
 */
#include "config.h"

#include "protocol/varlink_stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"

enum {
	VARLINK_STREAM_CHUNK = 64 * 1024,
	/* Descriptors of frames that are complete or under way and not yet taken. */
	VARLINK_STREAM_IN_MAX = 2 * VARLINK_STREAM_FDS_MAX
};

struct varlink_in {
	struct list link;
	int fd;
	uint64_t offset; /* of a byte of the frame that it belongs to */
};

struct varlink_out {
	struct list link;
	struct buffer bytes;
	size_t sent;
	struct varlink_fds fds; /* go with the first byte; then count is 0 */
	bool alone;             /* had descriptors: nothing may be appended */
};

void
varlink_fds_close(struct varlink_fds *fds)
{
	for (size_t i = 0; i < fds->count; i++)
		fd_close(&fds->fd[i]);
	fds->count = 0;
}

void
varlink_stream_init(struct varlink_stream *stream, int fd, const struct varlink_limits *limits)
{
	*stream = (struct varlink_stream){._fd = fd};
	varlink_reader_init(&stream->_reader, limits);
	list_init(&stream->_in);
	list_init(&stream->_out);
}

static void
varlink_in_destroy(struct varlink_stream *stream, struct varlink_in *in)
{
	list_remove(&in->link);
	stream->_in_count--;
	fd_close(&in->fd);
	free(in);
}

static void
varlink_out_destroy(struct varlink_stream *stream, struct varlink_out *out)
{
	stream->_out_bytes -= out->bytes.size - out->sent;
	list_remove(&out->link);
	varlink_fds_close(&out->fds);
	buffer_finish(&out->bytes);
	free(out);
}

void
varlink_stream_finish(struct varlink_stream *stream)
{
	list_for_each_safe(pos, &stream->_in)
		varlink_in_destroy(stream, container_of(pos, struct varlink_in, link));
	list_for_each_safe(pos, &stream->_out)
		varlink_out_destroy(stream, container_of(pos, struct varlink_out, link));
	varlink_reader_finish(&stream->_reader);
}

const char *
varlink_stream_error(const struct varlink_stream *stream)
{
	return stream->_error;
}

size_t
varlink_stream_pending(const struct varlink_stream *stream)
{
	return stream->_out_bytes;
}

size_t
varlink_stream_in_flight(const struct varlink_stream *stream)
{
	int bytes = 0;

	return ioctl(stream->_fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? (size_t)bytes : 0;
}

size_t
varlink_stream_unread_fds(struct varlink_stream *stream, uint64_t *bytes_r)
{
	if (stream->_unread_fds > 0 && stream->_out_bytes == 0 &&
	    varlink_stream_in_flight(stream) == 0) {
		stream->_unread_fds = 0;
		stream->_unread_bytes = 0;
	}
	*bytes_r = stream->_unread_bytes;
	return stream->_unread_fds;
}

static enum varlink_stream_result
varlink_stream_refuse(struct varlink_stream *stream, const char *why)
{
	snprintf(stream->_error, sizeof(stream->_error), "%s", why);
	return VARLINK_STREAM_REFUSED;
}

static enum varlink_stream_result
varlink_stream_system_error(struct varlink_stream *stream, const char *doing)
{
	int error = errno;

	if (error == EAGAIN)
		return VARLINK_STREAM_AGAIN;
	/* More descriptors in one message than anybody may send. */
	if (error == EMSGSIZE)
		return varlink_stream_refuse(stream, "too many descriptors in one message");
	snprintf(stream->_error, sizeof(stream->_error), "%s: %s", doing, strerror(error));
	if (error == EPIPE || error == ECONNRESET)
		return VARLINK_STREAM_CLOSED;
	return VARLINK_STREAM_FAILED;
}

/* --- receiving --------------------------------------------------------------- */

static void
varlink_stream_keep_fds(struct varlink_stream *stream, const struct varlink_fds *fds)
{
	for (size_t i = 0; i < fds->count; i++) {
		struct varlink_in *in = xcalloc(1, sizeof(*in));

		in->fd = fds->fd[i];
		in->offset = varlink_reader_fed(&stream->_reader) - 1;
		list_push_back(&stream->_in, &in->link);
		stream->_in_count++;
	}
}

enum varlink_stream_result
varlink_stream_receive(struct varlink_stream *stream)
{
	uint8_t chunk[VARLINK_STREAM_CHUNK];
	struct varlink_fds fds = {.count = VARLINK_STREAM_FDS_MAX};
	enum varlink_result result;
	ssize_t got = fd_receive_with(stream->_fd, chunk, sizeof(chunk), fds.fd, &fds.count);

	if (got < 0)
		return varlink_stream_system_error(stream, "receiving");
	if (got == 0) {
		varlink_fds_close(&fds);
		snprintf(stream->_error, sizeof(stream->_error), "the other end closed the connection");
		return VARLINK_STREAM_CLOSED;
	}
	result = varlink_reader_feed(&stream->_reader, chunk, (size_t)got);
	if (result != VARLINK_OK) {
		varlink_fds_close(&fds);
		return varlink_stream_refuse(stream, varlink_result_text(result));
	}
	if (stream->_in_count + fds.count > VARLINK_STREAM_IN_MAX) {
		varlink_fds_close(&fds);
		return varlink_stream_refuse(stream, "too many descriptors that no frame asked for");
	}
	varlink_stream_keep_fds(stream, &fds);
	return VARLINK_STREAM_OK;
}

/* Hands out the descriptors that lie before the end of the frame just taken. */
static void
varlink_stream_take_fds(struct varlink_stream *stream, struct varlink_fds *fds)
{
	list_for_each_safe(pos, &stream->_in) {
		struct varlink_in *in = container_of(pos, struct varlink_in, link);

		if (in->offset >= varlink_reader_taken(&stream->_reader))
			break;
		if (fds->count < VARLINK_STREAM_FDS_MAX) {
			fds->fd[fds->count++] = in->fd;
			in->fd = -1;
		}
		varlink_in_destroy(stream, in);
	}
}

enum varlink_result
varlink_stream_take(struct varlink_stream *stream, json_t **frame_r, struct varlink_fds *fds_r)
{
	enum varlink_result result = varlink_reader_take(&stream->_reader, frame_r);

	fds_r->count = 0;
	if (result == VARLINK_OK)
		varlink_stream_take_fds(stream, fds_r);
	else if (result != VARLINK_MORE)
		varlink_stream_refuse(stream, varlink_result_text(result));
	return result;
}

bool
varlink_stream_has_frame(struct varlink_stream *stream)
{
	return varlink_reader_has_frame(&stream->_reader);
}

bool
varlink_stream_has_part(struct varlink_stream *stream)
{
	return varlink_reader_fed(&stream->_reader) > varlink_reader_taken(&stream->_reader) &&
		!varlink_reader_has_frame(&stream->_reader);
}

/* --- sending ----------------------------------------------------------------- */

/* The piece that the next frame goes into. */
static struct varlink_out *
varlink_stream_piece(struct varlink_stream *stream, bool alone)
{
	struct list *last = list_last(&stream->_out);
	struct varlink_out *out;

	if (last != NULL && !alone) {
		out = container_of(last, struct varlink_out, link);
		if (!out->alone && out->bytes.size < VARLINK_STREAM_CHUNK)
			return out;
	}
	out = xcalloc(1, sizeof(*out));
	out->alone = alone;
	list_push_back(&stream->_out, &out->link);
	return out;
}

/* Memory that nobody but the file keeps. */
static uint64_t
varlink_file_bytes(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 0 ?
		(uint64_t)st.st_size : 0;
}

/* Counts what was appended to the piece; an empty piece is of no use. */
static bool
varlink_stream_finish_piece(struct varlink_stream *stream, struct varlink_out *out,
	size_t size_before, bool done, const int *fds, size_t count)
{
	if (!done) {
		if (out->bytes.size == 0)
			varlink_out_destroy(stream, out);
		return false;
	}
	stream->_out_bytes += out->bytes.size - size_before;
	for (size_t i = 0; i < count; i++) {
		out->fds.fd[i] = fds[i];
		stream->_unread_bytes += varlink_file_bytes(fds[i]);
	}
	out->fds.count = count;
	stream->_unread_fds += count;
	return true;
}

bool
varlink_stream_send_call(struct varlink_stream *stream, const struct varlink_call *call,
	const int *fds, size_t count)
{
	struct varlink_out *out;
	size_t size;

	if (count > VARLINK_STREAM_FDS_MAX)
		return false;
	out = varlink_stream_piece(stream, count > 0);
	size = out->bytes.size;
	return varlink_stream_finish_piece(stream, out, size,
		varlink_call_encode(&out->bytes, call), fds, count);
}

bool
varlink_stream_send_reply(struct varlink_stream *stream, const struct varlink_reply *reply,
	const int *fds, size_t count)
{
	struct varlink_out *out;
	size_t size;

	if (count > VARLINK_STREAM_FDS_MAX)
		return false;
	out = varlink_stream_piece(stream, count > 0);
	size = out->bytes.size;
	return varlink_stream_finish_piece(stream, out, size,
		varlink_reply_encode(&out->bytes, reply), fds, count);
}

enum varlink_stream_result
varlink_stream_flush(struct varlink_stream *stream)
{
	struct list *first;

	while ((first = list_first(&stream->_out)) != NULL) {
		struct varlink_out *out = container_of(first, struct varlink_out, link);
		ssize_t sent = fd_send_with(stream->_fd, out->bytes.data + out->sent,
			out->bytes.size - out->sent, out->fds.fd, out->fds.count);

		if (sent < 0)
			return varlink_stream_system_error(stream, "sending");
		varlink_fds_close(&out->fds);
		out->sent += (size_t)sent;
		stream->_out_bytes -= (size_t)sent;
		if (out->sent == out->bytes.size)
			varlink_out_destroy(stream, out);
	}
	return VARLINK_STREAM_OK;
}
