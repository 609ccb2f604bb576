/* SPDX-License-Identifier: BSD-2-Clause */
/* The way into a stream. */
#include "config.h"

#include "io/stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "runtime/task.h"

enum {
	/* Fewer bytes than this are read ahead into input rather than straight to the reader. */
	STREAM_AHEAD = 2048,
	/* As many are asked for at most: with the beginning of a line before them, they fit into
	 * memory that is kept. */
	STREAM_READ_MAX = STREAM_BUFFER_MAX / 2
};

/* --- from the kernel --------------------------------------------------------------------------- */

static int
stream_receive_failed(struct bay_stream *stream, int error)
{
	if (error == EAGAIN) {
		stream->readable = false;
		return BAY_BUSY;
	}
	/* A terminal whose other end is gone; a socket that was shut by the other end before it was
	 * reset: all has come that ever will. */
	if (error == EIO || error == EPIPE) {
		stream->read_status = BAY_CLOSED;
		return BAY_CLOSED;
	}
	stream->was_reset |= error == ECONNRESET;
	stream_fail_read(stream, BAY_IO, "read: %s", strerror(error));
	return BAY_IO;
}

/* The kernel tells of a reset only once, and a write may have heard of it. */
static int
stream_received_end(struct bay_stream *stream)
{
	if (stream->was_reset)
		return stream_receive_failed(stream, ECONNRESET);
	stream->read_status = BAY_CLOSED;
	return BAY_CLOSED;
}

int
stream_receive(struct bay_stream *stream, void *data, size_t size, size_t *size_r)
{
	ssize_t n;

	if (stream->read_status != BAY_OK)
		return stream->read_status;
	if (!stream->readable)
		return BAY_BUSY;
	do {
		n = stream->is_socket ? fd_recv(stream->fd, data, size) : read(stream->fd, data, size);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return stream_receive_failed(stream, errno);
	if (n == 0)
		return stream_received_end(stream);
	/* Whatever comes from now on is told. */
	if ((size_t)n < size && stream->tells_short)
		stream->readable = false;
	*size_r = (size_t)n;
	stream->waitable.scheduler->slice -= (int)((size_t)n >> STREAM_BYTES_PER_CALL_SHIFT);
	return BAY_OK;
}

/* --- input ------------------------------------------------------------------------------------- */

/* Asks for more where all was given that was asked for, and for less where little was. */
static void
stream_adapt(struct bay_stream *stream, size_t asked, size_t given)
{
	if (given == asked && stream->read_size < STREAM_READ_MAX)
		stream->read_size *= 2;
	else if (given < stream->read_size / 4 && stream->read_size > STREAM_BUFFER_MIN)
		stream->read_size /= 2;
}

/* Reads more into input, as get of a transport. */
static int
stream_fill(struct bay_stream *stream)
{
	struct stream_buffer *input = &stream->input;
	size_t asked, given;
	int status;

	if (stream->read_status != BAY_OK)
		return stream->read_status;
	/* One byte more, for the NUL. */
	if (input->capacity - input->end < stream->read_size / 2 + 1 &&
		!stream_buffer_reserve(input, stream->read_size))
		return BAY_NO_MEMORY;
	asked = input->capacity - input->end - 1;
	status = stream->transport->get(stream, input->data + input->end, asked, &given);
	if (status != BAY_OK)
		return status;
	input->end += given;
	stream_adapt(stream, asked, given);
	return BAY_OK;
}

int
stream_look(struct bay_stream *stream)
{
	if (stream->closing)
		return BAY_CLOSED;
	if (stream_buffer_size(&stream->input) > 0)
		return BAY_OK;
	return stream_fill(stream);
}

/* --- waiting ----------------------------------------------------------------------------------- */

void
stream_wake_readers(struct bay_stream *stream, int status)
{
	struct list *first;

	while ((first = list_first(&stream->readers)) != NULL)
		waiter_wake(container_of(first, struct waiter, link), status);
}

static inline int
stream_told(int status)
{
	return status == STREAM_GONE ? BAY_CLOSED : status;
}

int
stream_await_input(struct bay_stream *stream, int64_t deadline)
{
	struct waiter waiter;
	int status;

	stream_buffer_release(&stream->input);
	waiter_init(&waiter, AWAIT_CANCELABLE);
	waiter.waitable = &stream->waitable;
	list_push_back(&stream->readers, &waiter.link);
	stream->reading = true;
	waitable_enter(&stream->waitable);
	status = task_await(&waiter, deadline);
	stream->reading = false;
	if (stream->closing)
		status = STREAM_GONE;
	waitable_leave(&stream->waitable);
	return status;
}

/* Lets others run. False: one of them closed the stream. */
static bool
stream_pause(struct bay_stream *stream)
{
	bool closing;

	waitable_enter(&stream->waitable);
	task_pause();
	closing = stream->closing;
	waitable_leave(&stream->waitable);
	return !closing;
}

/* Whether a read may begin: BAY_OK or why not. */
static int
stream_begin_read(struct bay_stream *stream)
{
	struct task *self = task_current();

	/* Whoever always finds something would otherwise never let anybody else run. */
	if (--self->scheduler->slice <= 0 && !stream_pause(stream))
		return STREAM_GONE;
	if (await_is_over(self))
		return await_over(self);
	if (stream->closing)
		return STREAM_GONE;
	if (stream->reading || !list_empty(&stream->readers))
		return BAY_BUSY;
	return BAY_OK;
}

/* Fills input, waiting as long as there is nothing. */
static int
stream_fill_waiting(struct bay_stream *stream, int64_t deadline)
{
	int status;

	while ((status = stream_fill(stream)) == BAY_BUSY) {
		status = stream_await_input(stream, deadline);
		if (status != BAY_OK)
			return status;
	}
	return status;
}

/* --- read, read exactly --------------------------------------------------------------------------- */

static size_t
stream_take(struct bay_stream *stream, void *data, size_t size)
{
	size_t inside = stream_buffer_size(&stream->input);

	if (inside < size)
		size = inside;
	if (size > 0)
		memcpy(data, stream_buffer_bytes(&stream->input), size);
	stream_buffer_consume(&stream->input, size);
	return size;
}

/* At least one byte, without waiting: from input; or from the kernel, straight to the reader when
 * that asks for much. As get of a transport. */
static int
stream_take_some(struct bay_stream *stream, void *data, size_t size, size_t *size_r)
{
	int status;

	if (stream_buffer_size(&stream->input) == 0) {
		if (size >= STREAM_AHEAD)
			return stream->transport->get(stream, data, size, size_r);
		status = stream_fill(stream);
		if (status != BAY_OK)
			return status;
	}
	*size_r = stream_take(stream, data, size);
	return BAY_OK;
}

static int
stream_take_some_waiting(struct bay_stream *stream, void *data, size_t size, size_t *size_r, int64_t deadline)
{
	int status;

	while ((status = stream_take_some(stream, data, size, size_r)) == BAY_BUSY) {
		status = stream_await_input(stream, deadline);
		if (status != BAY_OK)
			return status;
	}
	return status;
}

int
bay_stream_read(struct bay_stream *stream, void *data, size_t size, size_t *size_r, int64_t deadline)
{
	int status;

	*size_r = 0;
	if (!STREAM_BEGIN(stream, "bay_stream_read"))
		return BAY_INVALID;
	if (size == 0)
		return BAY_INVALID;
	status = stream_begin_read(stream);
	if (status == BAY_OK)
		status = stream_take_some_waiting(stream, data, size, size_r, deadline);
	return stream_told(status);
}

int
bay_stream_read_exactly(struct bay_stream *stream, void *data, size_t size, size_t *size_r, int64_t deadline)
{
	size_t done = 0, some = 0;
	int status;

	if (size_r != NULL)
		*size_r = 0;
	if (!STREAM_BEGIN(stream, "bay_stream_read_exactly"))
		return BAY_INVALID;
	status = stream_begin_read(stream);
	while (status == BAY_OK && done < size) {
		status = stream_take_some_waiting(stream, (char *)data + done, size - done, &some, deadline);
		if (status == BAY_OK)
			done += some;
	}
	if (size_r != NULL)
		*size_r = done;
	return stream_told(status);
}

/* --- read until ------------------------------------------------------------------------------------- */

/* What is looked for, and how far that has been done. */
struct stream_search {
	const char *separator;
	size_t separator_size;
	bool line;           /* "\r" before it belongs to it */
	size_t scanned;      /* bytes of input in which it does not begin */
};

/* The separator in input, or NULL: then no byte is looked at again that need not be. */
static char *
stream_search(const struct bay_stream *stream, struct stream_search *search)
{
	size_t size = stream_buffer_size(&stream->input);
	char *bytes = stream_buffer_bytes(&stream->input), *found;

	if (size < search->scanned + search->separator_size)
		return NULL;
	if (search->separator_size == 1)
		found = memchr(bytes + search->scanned, search->separator[0], size - search->scanned);
	else
		found = memmem(bytes + search->scanned, size - search->scanned, search->separator,
			search->separator_size);
	if (found == NULL)
		search->scanned = size - (search->separator_size - 1);
	return found;
}

/* Lends the first size bytes of input, and drops them with skip more behind them. */
static void
stream_lend(struct bay_stream *stream, size_t size, size_t skip, char **data_r, size_t *size_r)
{
	char *data = stream_buffer_bytes(&stream->input);

	data[size] = '\0';
	*data_r = data;
	if (size_r != NULL)
		*size_r = size;
	stream_buffer_consume(&stream->input, size + skip);
}

/* Lends what stands before the separator that was found; BAY_TOO_BIG when that is too much. */
static int
stream_lend_found(struct bay_stream *stream, const struct stream_search *search, const char *found,
	size_t max, char **data_r, size_t *size_r)
{
	size_t size = (size_t)(found - stream_buffer_bytes(&stream->input));
	size_t skip = search->separator_size;

	if (search->line && size > 0 && found[-1] == '\r') {
		size--;
		skip++;
	}
	if (size > max)
		return BAY_TOO_BIG;
	stream_lend(stream, size, skip, data_r, size_r);
	return BAY_OK;
}

/* The stream has ended, or failed: lends what stands there. */
static int
stream_lend_rest(struct bay_stream *stream, int status, size_t max, char **data_r, size_t *size_r)
{
	size_t size = stream_buffer_size(&stream->input);

	if (status != BAY_CLOSED || size == 0)
		return status;
	if (size > max)
		return BAY_TOO_BIG;
	/* There may be no room for the NUL any more. */
	if (!stream_buffer_reserve(&stream->input, 1))
		return BAY_NO_MEMORY;
	stream_lend(stream, size, 0, data_r, size_r);
	return status;
}

static char stream_nothing[1];

/* Whether so much stands there without the separator that it cannot come in time. */
static bool
stream_is_too_long(const struct bay_stream *stream, const struct stream_search *search, size_t max)
{
	size_t size = stream_buffer_size(&stream->input);
	size_t most = max + search->separator_size - 1 + search->line;

	return size > most && most >= max;
}

static int
stream_read_until(struct bay_stream *stream, struct stream_search *search, size_t max, char **data_r,
	size_t *size_r, int64_t deadline)
{
	int status;

	*data_r = stream_nothing;
	if (size_r != NULL)
		*size_r = 0;
	status = stream_begin_read(stream);
	while (status == BAY_OK) {
		const char *found = stream_search(stream, search);

		if (found != NULL)
			return stream_lend_found(stream, search, found, max, data_r, size_r);
		if (stream_is_too_long(stream, search, max))
			return BAY_TOO_BIG;
		status = stream_fill_waiting(stream, deadline);
		if (status == BAY_CLOSED)
			return stream_lend_rest(stream, status, max, data_r, size_r);
	}
	return stream_told(status);
}

int
bay_stream_read_line(struct bay_stream *stream, size_t max, char **line_r, size_t *size_r, int64_t deadline)
{
	struct stream_search search = {.separator = "\n", .separator_size = 1, .line = true};

	if (!STREAM_BEGIN(stream, "bay_stream_read_line"))
		return BAY_INVALID;
	return stream_read_until(stream, &search, max, line_r, size_r, deadline);
}

static bool
stream_separator_is_there(size_t separator_size, const char *function)
{
	if (separator_size > 0)
		return true;
	log_error(task_subject(task_current()), "%s: a separator of no bytes is everywhere [misuse-argument]", function);
	return false;
}

int
bay_stream_read_until(struct bay_stream *stream, const void *separator, size_t separator_size, size_t max,
	char **data_r, size_t *size_r, int64_t deadline)
{
	struct stream_search search = {.separator = separator, .separator_size = separator_size};

	if (!STREAM_BEGIN(stream, "bay_stream_read_until") ||
		!stream_separator_is_there(separator_size, "bay_stream_read_until"))
		return BAY_INVALID;
	return stream_read_until(stream, &search, max, data_r, size_r, deadline);
}

int
bay_stream_skip_until(struct bay_stream *stream, const void *separator, size_t separator_size,
	int64_t deadline)
{
	struct stream_search search = {.separator = separator, .separator_size = separator_size};
	int status;

	if (!STREAM_BEGIN(stream, "bay_stream_skip_until") ||
		!stream_separator_is_there(separator_size, "bay_stream_skip_until"))
		return BAY_INVALID;
	status = stream_begin_read(stream);
	while (status == BAY_OK) {
		const char *found = stream_search(stream, &search);

		if (found != NULL) {
			stream_buffer_consume(&stream->input,
				(size_t)(found - stream_buffer_bytes(&stream->input)) + separator_size);
			return BAY_OK;
		}
		stream_buffer_consume(&stream->input, search.scanned);
		search.scanned = 0;
		status = stream_fill_waiting(stream, deadline);
	}
	return stream_told(status);
}

/* --- the rest ---------------------------------------------------------------------------------------- */

int
bay_stream_read_all(struct bay_stream *stream, size_t max, char **data_r, size_t *size_r, int64_t deadline)
{
	int status;

	*data_r = stream_nothing;
	if (size_r != NULL)
		*size_r = 0;
	if (!STREAM_BEGIN(stream, "bay_stream_read_all"))
		return BAY_INVALID;
	status = stream_begin_read(stream);
	while (status == BAY_OK) {
		if (stream_buffer_size(&stream->input) > max)
			return BAY_TOO_BIG;
		status = stream_fill_waiting(stream, deadline);
	}
	if (status != BAY_CLOSED)
		return stream_told(status);
	status = stream_lend_rest(stream, status, max, data_r, size_r);
	return status == BAY_CLOSED ? BAY_OK : status;
}

bool
bay_stream_at_eof(const struct bay_stream *stream)
{
	return stream->read_status != BAY_OK && stream_buffer_size(&stream->input) == 0;
}

size_t
bay_stream_unread(const struct bay_stream *stream)
{
	return stream_buffer_size(&stream->input);
}
