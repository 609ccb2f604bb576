/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way out of a stream. A write that need not wait goes straight through. One that has to
 * takes the turn, and hands it on to the first of those in line when it is through: so what
 * one call writes stays together.
 *
 *	line (waitable.waiters) --> turn --> room --> output --> kernel
 *	                                     until it is down to low_water
 */
#include "config.h"

#include "io/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "runtime/task.h"

enum {
	/* Pieces that are given to the kernel at once. */
	STREAM_PIECES = 16
};

/* What a task has yet to write. */
struct stream_source {
	const struct iovec *pieces;
	int count;
	size_t offset;   /* in the first */
	size_t left;     /* bytes, in all of them */
};

/* One who waits until output has gone as far as it then was. */
struct stream_drainer {
	struct waiter waiter;  /* first */
	uint64_t until;        /* as appended counts */
};

/* --- to the kernel ----------------------------------------------------------------------------- */

/* The plainest system call that will do: the others cost more. */
static ssize_t
stream_send_once(const struct bay_stream *stream, struct iovec *pieces, size_t count)
{
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};

	if (!stream->is_socket)
		return writev(stream->fd, pieces, (int)count);
	if (count == 1)
		return fd_send(stream->fd, pieces[0].iov_base, pieces[0].iov_len);
	return sendmsg(stream->fd, &message, MSG_NOSIGNAL);
}

/* How many it took: 0 when it takes nothing more for now; -1 after stream_fail_write(). */
static ssize_t
stream_send_pieces(struct bay_stream *stream, struct iovec *pieces, size_t count)
{
	ssize_t n;

	do {
		n = stream_send_once(stream, pieces, count);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		stream->waitable.scheduler->slice -= (int)((size_t)n >> STREAM_BYTES_PER_CALL_SHIFT);
	if (n >= 0)
		return n;
	if (errno == EAGAIN) {
		stream->writable = false;
		return 0;
	}
	stream->was_reset |= errno == ECONNRESET;
	stream_fail_write(stream, BAY_IO, "write: %s", strerror(errno));
	return -1;
}

/* What stands first in the source goes to the kernel, until that takes no more. */
static int
stream_send_source(struct bay_stream *stream, struct stream_source *source)
{
	while (source->left > 0 && stream->writable) {
		struct iovec pieces[STREAM_PIECES];
		size_t count, offset = source->offset;
		ssize_t n;

		for (count = 0; count < STREAM_PIECES && (int)count < source->count; count++) {
			pieces[count] = source->pieces[count];
			/* An empty piece may lie at NULL. */
			if (offset > 0)
				pieces[count].iov_base = (char *)pieces[count].iov_base + offset;
			pieces[count].iov_len -= offset;
			offset = 0;
		}
		n = stream_send_pieces(stream, pieces, count);
		if (n < 0)
			return stream->write_status;
		source->left -= (size_t)n;
		source->offset += (size_t)n;
		while (source->count > 0 && source->offset >= source->pieces[0].iov_len) {
			source->offset -= source->pieces[0].iov_len;
			source->pieces++;
			source->count--;
		}
	}
	return BAY_OK;
}

static int
stream_append(struct bay_stream *stream, const void *data, size_t size)
{
	if (!stream_buffer_append(&stream->output, data, size)) {
		stream_fail_write(stream, BAY_NO_MEMORY, "write: no memory");
		return BAY_NO_MEMORY;
	}
	stream->appended += size;
	return BAY_OK;
}

int
stream_send(struct bay_stream *stream, const void *data, size_t size)
{
	struct iovec piece = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
	struct stream_source source = {.pieces = &piece, .count = 1, .left = size};

	if (stream_buffer_size(&stream->output) == 0 && stream_send_source(stream, &source) != BAY_OK)
		return stream->write_status;
	return stream_append(stream, (const char *)data + (size - source.left), source.left);
}

/* --- output goes --------------------------------------------------------------------------------- */

static void
stream_wake_room(struct bay_stream *stream, int status)
{
	struct list *first;

	while ((first = list_first(&stream->room)) != NULL)
		waiter_wake(container_of(first, struct waiter, link), status);
}

/* Lets those on for whom enough has gone. */
static void
stream_wake_drainers(struct bay_stream *stream)
{
	uint64_t gone = stream->appended - stream_buffer_size(&stream->output);
	struct list *first;

	while ((first = list_first(&stream->drainers)) != NULL) {
		struct stream_drainer *drainer = container_of(first, struct stream_drainer, waiter.link);

		if (stream->write_status == BAY_OK && drainer->until > gone)
			return;
		waiter_wake(&drainer->waiter, stream->write_status);
	}
}

/* All that was written has gone, and nothing more will come. */
static void
stream_shut(struct bay_stream *stream)
{
	stream->shut = true;
	if (shutdown(stream->fd, SHUT_WR) != 0 && stream->write_status == BAY_OK)
		stream_fail_write(stream, BAY_IO, "write: %s", strerror(errno));
}

void
stream_flush(struct bay_stream *stream)
{
	struct stream_buffer *output = &stream->output;

	while (stream_buffer_size(output) > 0 && stream->writable) {
		struct iovec piece = {stream_buffer_bytes(output), stream_buffer_size(output)};
		ssize_t n = stream_send_pieces(stream, &piece, 1);

		/* The failure has told everybody. */
		if (n < 0)
			return;
		stream_buffer_consume(output, (size_t)n);
	}
	if (stream_buffer_size(output) == 0) {
		stream_buffer_finish(output);
		if (stream->finished && !stream->shut && stream->write_status == BAY_OK)
			stream_shut(stream);
	}
	if (stream_buffer_size(output) <= stream->low_water)
		stream_wake_room(stream, BAY_OK);
	stream_wake_drainers(stream);
}

void
stream_wake_writers(struct bay_stream *stream, int status)
{
	stream_wake_room(stream, status);
	waitable_wake_all(&stream->waitable, status, NULL);
}

/* --- turns ------------------------------------------------------------------------------------------ */

/* Parks on a waiter that stands in one of the stream's lists. BAY_OK, BAY_TIMEOUT, BAY_CANCELED,
 * STREAM_GONE. */
static int
stream_await(struct bay_stream *stream, struct waiter *waiter, int64_t deadline)
{
	int status;

	waiter->waitable = &stream->waitable;
	waitable_enter(&stream->waitable);
	status = task_await(waiter, deadline);
	/* However the wait ended: it may be closed since. */
	if (stream->closing)
		status = STREAM_GONE;
	waitable_leave(&stream->waitable);
	return status;
}

int
stream_take_turn(struct bay_stream *stream, int64_t deadline)
{
	struct waiter waiter;

	if (!stream->writing && list_empty(&stream->waitable.waiters)) {
		stream->writing = true;
		return BAY_OK;
	}
	waitable_stand(&stream->waitable, &waiter);
	return stream_await(stream, &waiter, deadline);
}

void
stream_hand_on(struct bay_stream *stream)
{
	struct waiter *first = waitable_first(&stream->waitable);

	if (first != NULL)
		waiter_wake(first, BAY_OK);
	else
		stream->writing = false;
}

int
stream_await_room(struct bay_stream *stream, int64_t deadline)
{
	struct waiter waiter;

	waiter_init(&waiter, AWAIT_CANCELABLE);
	list_push_back(&stream->room, &waiter.link);
	return stream_await(stream, &waiter, deadline);
}

int
stream_write_refusal(const struct bay_stream *stream, const char *function)
{
	if (stream->closing)
		return STREAM_GONE;
	if (stream->write_status != BAY_OK)
		return stream->write_status;
	if (!stream->finished)
		return BAY_OK;
	log_error(task_subject(task_current()), "%s: bay_stream_write_eof() said that no more comes [misuse-argument]", function);
	return BAY_INVALID;
}

int
stream_begin_write(struct bay_stream *stream, const char *function)
{
	struct task *self = task_current();

	/* Whoever can always write would otherwise never let anybody else run. */
	if (--self->scheduler->slice <= 0) {
		bool closing;

		waitable_enter(&stream->waitable);
		task_pause();
		closing = stream->closing;
		waitable_leave(&stream->waitable);
		if (closing)
			return STREAM_GONE;
	}
	if (await_is_over(self))
		return await_over(self);
	return stream_write_refusal(stream, function);
}

/* --- write -------------------------------------------------------------------------------------------- */

/* The next bytes of the source, no more than high_water, to the transport. */
static int
stream_put_some(struct bay_stream *stream, struct stream_source *source)
{
	size_t size = source->pieces[0].iov_len - source->offset;
	int status;

	if (size > stream->high_water)
		size = stream->high_water;
	status = stream->transport->put(stream, (char *)source->pieces[0].iov_base + source->offset, size);
	source->left -= size;
	source->offset += size;
	if (source->offset == source->pieces[0].iov_len) {
		source->pieces++;
		source->count--;
		source->offset = 0;
	}
	return status;
}

/* All of the source, which fits: without waiting. */
static int
stream_put_all(struct bay_stream *stream, struct stream_source *source)
{
	int status = BAY_OK;

	if (stream->transport->plain && stream_buffer_size(&stream->output) == 0)
		status = stream_send_source(stream, source);
	while (status == BAY_OK && source->left > 0)
		status = stream_put_some(stream, source);
	return status;
}

/* Who has the turn: piece by piece, as the other end takes it. */
static int
stream_put_waiting(struct bay_stream *stream, struct stream_source *source, int64_t deadline)
{
	int status = BAY_OK;

	while (status == BAY_OK && source->left > 0) {
		size_t unsent = stream_buffer_size(&stream->output);

		if (unsent > stream->high_water || (unsent > 0 && unsent + source->left > 2 * stream->high_water)) {
			status = stream_await_room(stream, deadline);
			if (status == BAY_OK)
				status = stream->write_status;
			continue;
		}
		if (stream->transport->plain && unsent == 0)
			status = stream_send_source(stream, source);
		if (status == BAY_OK && source->left > 0)
			status = stream_put_some(stream, source);
	}
	return status;
}

/* Whether it can be taken at once, which leaves no more than twice high_water in output. */
static bool
stream_fits(const struct bay_stream *stream, size_t size)
{
	return !stream->writing && list_empty(&stream->waitable.waiters) &&
		stream_buffer_size(&stream->output) <= stream->high_water && size <= stream->high_water;
}

static int
stream_write_waiting(struct bay_stream *stream, struct stream_source *source, const char *function,
	int64_t deadline)
{
	int status = stream_take_turn(stream, deadline);

	if (status != BAY_OK)
		return status;
	status = stream_write_refusal(stream, function);
	if (status == BAY_OK)
		status = stream_put_waiting(stream, source, deadline);
	if (status != STREAM_GONE)
		stream_hand_on(stream);
	return status;
}

static int
stream_write(struct bay_stream *stream, struct stream_source *source, const char *function, int64_t deadline)
{
	int status = stream_begin_write(stream, function);

	if (status == BAY_OK)
		status = stream_fits(stream, source->left) ? stream_put_all(stream, source)
			: stream_write_waiting(stream, source, function, deadline);
	return status == STREAM_GONE ? BAY_CLOSED : status;
}

int
bay_stream_write(struct bay_stream *stream, const void *data, size_t size, int64_t deadline)
{
	struct iovec piece = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
	struct stream_source source = {.pieces = &piece, .count = 1, .left = size};

	if (!STREAM_BEGIN(stream, "bay_stream_write"))
		return BAY_INVALID;
	return stream_write(stream, &source, "bay_stream_write", deadline);
}

int
bay_stream_writev(struct bay_stream *stream, const struct iovec *pieces, int count, int64_t deadline)
{
	struct stream_source source = {.pieces = pieces, .count = count};
	int i;

	if (!STREAM_BEGIN(stream, "bay_stream_writev"))
		return BAY_INVALID;
	for (i = 0; i < count; i++) {
		if (pieces[i].iov_len > SIZE_MAX - source.left)
			return BAY_INVALID;
		source.left += pieces[i].iov_len;
	}
	return stream_write(stream, &source, "bay_stream_writev", deadline);
}

/* --- drain, end ------------------------------------------------------------------------------------------ */

int
stream_drain(struct bay_stream *stream, int64_t deadline)
{
	struct stream_drainer drainer;
	struct task *self = task_current();

	if (stream->write_status != BAY_OK)
		return stream->write_status;
	if (stream_buffer_size(&stream->output) == 0)
		return BAY_OK;
	if (await_is_over(self))
		return await_over(self);
	waiter_init(&drainer.waiter, AWAIT_CANCELABLE);
	drainer.waiter.waitable = &stream->waitable;
	drainer.until = stream->appended;
	list_push_back(&stream->drainers, &drainer.waiter.link);
	/* The stream, which may be gone after this, is not looked at again. */
	return task_await(&drainer.waiter, deadline);
}

int
bay_stream_drain(struct bay_stream *stream, int64_t deadline)
{
	if (!STREAM_BEGIN(stream, "bay_stream_drain"))
		return BAY_INVALID;
	if (await_is_over(task_current()))
		return await_over(task_current());
	return stream->closing ? BAY_CLOSED : stream_drain(stream, deadline);
}

int
bay_stream_write_eof(struct bay_stream *stream)
{
	if (!waitable_is_here(stream, "bay_stream_write_eof"))
		return BAY_INVALID;
	if (!stream->is_socket) {
		log_error(task_subject(task_current()),
			"bay_stream_write_eof: only sockets end in one direction: close the stream [misuse-argument]");
		return BAY_INVALID;
	}
	if (stream->closing)
		return BAY_CLOSED;
	if (stream->finished)
		return BAY_OK;
	if (stream->write_status != BAY_OK)
		return stream->write_status;
	if (stream->writing)
		return BAY_BUSY;
	stream->finished = true;
	if (stream->transport->end != NULL)
		stream->transport->end(stream);
	stream_flush(stream);
	return stream->write_status;
}

size_t
bay_stream_unsent(const struct bay_stream *stream)
{
	return stream_buffer_size(&stream->output);
}
