/* SPDX-License-Identifier: BSD-2-Clause */
#include "framing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include <bay/arena.h>
#include <bay/status.h>
#include <bay/stream.h>

enum {
	HEAD_SIZE = 64,      /* of a length, a status and the end of line */
	LENGTH_DIGITS = 18,  /* so that every one is a number of 64 bits */
	STATUSES = 256       /* no status has a higher number */
};

bool
framing_fits_line(const char *data, size_t *size)
{
	if (*size > 0 && data[*size - 1] == '\n')
		(*size)--;
	return *size == 0 || memchr(data, '\n', *size) == NULL;
}

int
framing_write(struct bay_stream *stream, bool line, const void *data, size_t size, int64_t deadline)
{
	char head[HEAD_SIZE] = "", end[] = "\n";
	struct iovec pieces[] = {{head, 0}, {(void *)(uintptr_t)data, size}, {end, line ? 1 : 0}};

	if (!line)
		pieces[0].iov_len = (size_t)snprintf(head, sizeof head, "%zu\n", size);
	return bay_stream_writev(stream, pieces, 3, deadline);
}

/* The status of that name; BAY_OK: there is none. */
static int
status_by_name(const char *name)
{
	for (int status = BAY_OK + 1; status < STATUSES; status++)
		if (strcmp(bay_status_name(status), name) == 0 && strcmp(name, "unknown") != 0)
			return status;
	return BAY_OK;
}

/* Takes a head apart. */
static int
read_head(const char *head, uint64_t *size_r, int *status_r)
{
	size_t digits = strspn(head, "0123456789");

	if (digits == 0 || digits > LENGTH_DIGITS)
		return BAY_INVALID;
	*size_r = 0;
	for (size_t i = 0; i < digits; i++)
		*size_r = *size_r * 10 + (uint64_t)(head[i] - '0');
	*status_r = BAY_OK;
	if (head[digits] == '\0')
		return BAY_OK;
	*status_r = head[digits] == ' ' ? status_by_name(head + digits + 1) : BAY_OK;
	return *status_r != BAY_OK ? BAY_OK : BAY_INVALID;
}

static int
read_length_frame(struct bay_stream *stream, size_t max, struct bay_arena *arena, struct frame *frame,
	int64_t deadline)
{
	uint64_t size = 0;
	size_t length;
	char *line, *body;
	int status = bay_stream_read_line(stream, HEAD_SIZE, &line, &length, deadline);

	frame->size = 0;
	if (status == BAY_TOO_BIG)
		return BAY_INVALID;
	if (status != BAY_OK)
		return status;
	if (strlen(line) != length || read_head(line, &size, &frame->status) != BAY_OK)
		return BAY_INVALID;
	if (size > max)
		return BAY_TOO_BIG;
	body = bay_arena_alloc(arena, size + 1);
	if (body == NULL)
		return BAY_NO_MEMORY;
	frame->data = body;
	return size == 0 ? BAY_OK : bay_stream_read_exactly(stream, body, size, &frame->size, deadline);
}

int
framing_read(struct bay_stream *stream, bool line, size_t max, struct bay_arena *arena, struct frame *frame,
	int64_t deadline)
{
	char *text;
	int status;

	frame->data = "";
	frame->status = BAY_OK;
	if (!line)
		return read_length_frame(stream, max, arena, frame, deadline);
	status = bay_stream_read_line(stream, max, &text, &frame->size, deadline);
	if (status == BAY_OK)
		frame->data = text;
	return status;
}
