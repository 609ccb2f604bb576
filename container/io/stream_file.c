/* SPDX-License-Identifier: BSD-2-Clause */
/* Files sent over a stream. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "io/stream.h"
#include "runtime/task.h"

enum {
	/* Of a file, in one system call, which the loop waits for. */
	STREAM_FILE_BYTES = 256 << 10,
	/* The same where the bytes go through here. */
	STREAM_BLOCK = 16 << 10
};

/* A file on its way. */
struct stream_file {
	int fd;
	off_t offset;
	size_t left;    /* SIZE_MAX: to its end */
	size_t sent;
};

/* What the kernel takes now. BAY_OK and some of it, or all; BAY_BUSY; BAY_CLOSED: the file has
 * ended; a failure. */
static int
stream_send_file_now(struct bay_stream *stream, struct stream_file *file)
{
	size_t size = file->left < STREAM_FILE_BYTES ? file->left : STREAM_FILE_BYTES;
	ssize_t n;

	if (!stream->writable)
		return BAY_BUSY;
	do {
		n = sendfile(stream->fd, file->fd, &file->offset, size);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return BAY_CLOSED;
	if (n < 0 && errno == EAGAIN) {
		stream->writable = false;
		return BAY_BUSY;
	}
	if (n < 0 && (errno == EINVAL || errno == EBADF || errno == ESPIPE || errno == EOVERFLOW))
		return BAY_INVALID;
	if (n < 0) {
		stream->was_reset |= errno == ECONNRESET;
		stream_fail_write(stream, BAY_IO, "sendfile: %s", strerror(errno));
		return BAY_IO;
	}
	file->sent += (size_t)n;
	if (file->left != SIZE_MAX)
		file->left -= (size_t)n;
	stream->waitable.scheduler->slice -= (int)((size_t)n >> STREAM_BYTES_PER_CALL_SHIFT);
	return BAY_OK;
}

/* The same where the transport changes the bytes. */
static int
stream_put_file_now(struct bay_stream *stream, struct stream_file *file)
{
	struct stream_buffer block = {.data = NULL};
	size_t size = file->left < STREAM_BLOCK ? file->left : STREAM_BLOCK;
	int status = BAY_OK;
	ssize_t n;

	if (stream_buffer_size(&stream->output) > stream->low_water)
		return BAY_BUSY;
	if (!stream_buffer_reserve(&block, STREAM_BLOCK))
		return BAY_NO_MEMORY;
	n = pread(file->fd, block.data, size, file->offset);
	if (n > 0)
		status = stream->transport->put(stream, block.data, (size_t)n);
	else
		status = n == 0 ? BAY_CLOSED : BAY_INVALID;
	stream_buffer_finish(&block);
	if (status != BAY_OK)
		return status;
	file->offset += n;
	file->sent += (size_t)n;
	if (file->left != SIZE_MAX)
		file->left -= (size_t)n;
	return BAY_OK;
}

/* Lets others run; then again. */
static int
stream_rest_between_blocks(struct bay_stream *stream)
{
	int status;

	if (stream->waitable.scheduler->slice > 0)
		return BAY_OK;
	waitable_enter(&stream->waitable);
	task_pause();
	status = stream->closing ? STREAM_GONE : task_current()->canceled != NULL ? BAY_CANCELED
		: stream->write_status;
	waitable_leave(&stream->waitable);
	return status;
}

/* Who has the turn. */
static int
stream_put_file(struct bay_stream *stream, struct stream_file *file, int64_t deadline)
{
	bool plain = stream->transport->plain;
	int status = BAY_OK;

	while (status == BAY_OK && file->left > 0) {
		/* What was written before comes before it. */
		if (plain && stream_buffer_size(&stream->output) > 0)
			status = BAY_BUSY;
		else
			status = plain ? stream_send_file_now(stream, file) : stream_put_file_now(stream, file);
		if (status == BAY_BUSY) {
			status = stream_await_room(stream, deadline);
			if (status == BAY_OK)
				status = stream->write_status;
		} else if (status == BAY_OK) {
			status = stream_rest_between_blocks(stream);
		}
	}
	return status == BAY_CLOSED && file->left == SIZE_MAX ? BAY_OK : status;
}

int
bay_stream_sendfile(struct bay_stream *stream, int fd, int64_t offset, size_t size, size_t *sent_r,
	int64_t deadline)
{
	struct stream_file file = {.fd = fd, .offset = offset, .left = size};
	int status;

	if (sent_r != NULL)
		*sent_r = 0;
	if (!STREAM_BEGIN(stream, "bay_stream_sendfile"))
		return BAY_INVALID;
	status = stream_begin_write(stream, "bay_stream_sendfile");
	if (status == BAY_OK)
		status = stream_take_turn(stream, deadline);
	else
		return status == STREAM_GONE ? BAY_CLOSED : status;
	if (status == BAY_OK) {
		status = stream_write_refusal(stream, "bay_stream_sendfile");
		if (status == BAY_OK)
			status = stream_put_file(stream, &file, deadline);
		if (status != STREAM_GONE)
			stream_hand_on(stream);
	}
	if (sent_r != NULL)
		*sent_r = file.sent;
	return status == STREAM_GONE ? BAY_CLOSED : status;
}
