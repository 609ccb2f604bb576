/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes to frames: the limits are looked at before anything is decoded. */
#include "config.h"

#include "protocol/varlink.h"

#include <string.h>

const struct varlink_limits varlink_limits_server = {
	.frame_bytes = 256 * 1024,
	.tokens = 10 * 1000,
	.depth = 32,
};

const struct varlink_limits varlink_limits_client = {
	.frame_bytes = 16 * 1024 * 1024,
	.tokens = 1000 * 1000,
	.depth = 32,
};

const struct varlink_limits varlink_limits_cell = {
	.frame_bytes = 4 * 1024 * 1024,
	.tokens = 250 * 1000,
	.depth = 32,
};

const char *
varlink_result_text(enum varlink_result result)
{
	switch (result) {
	case VARLINK_OK:
		return "the frame is fine";
	case VARLINK_MORE:
		return "the frame is not complete";
	case VARLINK_TOO_BIG:
		return "the frame is larger than the limit";
	case VARLINK_TOO_MANY_TOKENS:
		return "the frame has more values than the limit";
	case VARLINK_TOO_DEEP:
		return "the frame is nested deeper than the limit";
	case VARLINK_BAD_JSON:
		return "the frame is no valid JSON, or has a key twice, a number that is too large or a NUL "
			"in a text";
	case VARLINK_NOT_OBJECT:
		return "the frame is no JSON object";
	case VARLINK_BAD_FRAME:
		return "the frame is neither a call nor a reply";
	case VARLINK_NO_MEMORY:
		return "there is no memory for the frame";
	}
	return "the frame is broken";
}

/* --- counting ---------------------------------------------------------------- */

/* The position behind the string whose opening quote is at data[at]. */
static size_t
varlink_skip_string(const uint8_t *data, size_t size, size_t at)
{
	for (at++; at < size; at++) {
		if (data[at] == '\\')
			at++;
		else if (data[at] == '"')
			return at + 1;
	}
	return size;
}

static bool
varlink_is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
varlink_ends_word(uint8_t c)
{
	static const char enders[] = {',', ':', '{', '}', '[', ']', '"'};

	return varlink_is_space(c) || memchr(enders, c, sizeof(enders)) != NULL;
}

static size_t
varlink_skip_word(const uint8_t *data, size_t size, size_t at)
{
	while (at < size && !varlink_ends_word(data[at]))
		at++;
	return at;
}

/* Counts without judging: what is no JSON is found by the decoder, at a bounded cost. */
static enum varlink_result
varlink_count(const uint8_t *data, size_t size, const struct varlink_limits *limits)
{
	size_t tokens = 0;
	size_t depth = 0;
	size_t at = 0;

	while (at < size) {
		uint8_t c = data[at];

		if (varlink_is_space(c) || c == ',' || c == ':') {
			at++;
			continue;
		}
		if (c == '}' || c == ']') {
			depth -= depth > 0;
			at++;
			continue;
		}
		if (++tokens > limits->tokens)
			return VARLINK_TOO_MANY_TOKENS;
		if (c == '"') {
			at = varlink_skip_string(data, size, at);
		} else if (c == '{' || c == '[') {
			if (++depth > limits->depth)
				return VARLINK_TOO_DEEP;
			at++;
		} else {
			at = varlink_skip_word(data, size, at);
		}
	}
	return VARLINK_OK;
}

static bool
varlink_starts_object(const uint8_t *data, size_t size)
{
	size_t at = 0;

	while (at < size && varlink_is_space(data[at]))
		at++;
	return at < size && data[at] == '{';
}

enum varlink_result
varlink_decode(const void *data, size_t size, const struct varlink_limits *limits,
	json_t **frame_r)
{
	enum varlink_result result;
	json_error_t error;

	*frame_r = NULL;
	if (size > limits->frame_bytes)
		return VARLINK_TOO_BIG;
	if (!varlink_starts_object(data, size))
		return VARLINK_NOT_OBJECT;
	result = varlink_count(data, size, limits);
	if (result != VARLINK_OK)
		return result;
	*frame_r = json_loadb(data, size, JSON_REJECT_DUPLICATES, &error);
	if (*frame_r != NULL)
		return VARLINK_OK;
	return json_error_code(&error) == json_error_out_of_memory ?
		VARLINK_NO_MEMORY : VARLINK_BAD_JSON;
}

/* --- the reader -------------------------------------------------------------- */

void
varlink_reader_init(struct varlink_reader *reader, const struct varlink_limits *limits)
{
	*reader = (struct varlink_reader){._limits = *limits};
}

void
varlink_reader_finish(struct varlink_reader *reader)
{
	buffer_finish(&reader->_bytes);
}

/* The end of the next frame, or NULL. No byte is looked at twice. */
static const uint8_t *
varlink_reader_find_end(struct varlink_reader *reader)
{
	const uint8_t *bytes = reader->_bytes.data;
	const uint8_t *end = NULL;

	if (reader->_scanned < reader->_bytes.size)
		end = memchr(bytes + reader->_scanned, '\0',
			reader->_bytes.size - reader->_scanned);
	reader->_scanned = end != NULL ? (size_t)(end - bytes) : reader->_bytes.size;
	return end;
}

/* Moving the rest to the front only when it is the smaller part keeps this linear. */
static void
varlink_reader_compact(struct varlink_reader *reader)
{
	size_t gone = reader->_start;

	if (gone == 0 || gone < reader->_bytes.size - gone)
		return;
	buffer_consume(&reader->_bytes, gone);
	reader->_scanned -= gone;
	reader->_offset += gone;
	reader->_start = 0;
}

/* A frame that is not complete yet: it may be too big already. */
static enum varlink_result
varlink_reader_check_rest(const struct varlink_reader *reader)
{
	return reader->_bytes.size - reader->_start > reader->_limits.frame_bytes ?
		VARLINK_TOO_BIG : VARLINK_OK;
}

enum varlink_result
varlink_reader_feed(struct varlink_reader *reader, const void *data, size_t size)
{
	if (reader->_failed != VARLINK_OK)
		return reader->_failed;
	varlink_reader_compact(reader);
	if (!buffer_append(&reader->_bytes, data, size))
		reader->_failed = VARLINK_NO_MEMORY;
	else if (varlink_reader_find_end(reader) == NULL)
		reader->_failed = varlink_reader_check_rest(reader);
	return reader->_failed;
}

bool
varlink_reader_has_frame(struct varlink_reader *reader)
{
	return reader->_failed != VARLINK_OK || varlink_reader_find_end(reader) != NULL ||
		varlink_reader_check_rest(reader) != VARLINK_OK;
}

enum varlink_result
varlink_reader_take(struct varlink_reader *reader, json_t **frame_r)
{
	const uint8_t *end;
	const uint8_t *frame;

	*frame_r = NULL;
	if (reader->_failed != VARLINK_OK)
		return reader->_failed;
	end = varlink_reader_find_end(reader);
	if (end == NULL) {
		reader->_failed = varlink_reader_check_rest(reader);
		return reader->_failed == VARLINK_OK ? VARLINK_MORE : reader->_failed;
	}
	frame = reader->_bytes.data + reader->_start;
	reader->_failed = varlink_decode(frame, (size_t)(end - frame), &reader->_limits, frame_r);
	reader->_start = ++reader->_scanned;
	return reader->_failed;
}

uint64_t
varlink_reader_fed(const struct varlink_reader *reader)
{
	return reader->_offset + reader->_bytes.size;
}

uint64_t
varlink_reader_taken(const struct varlink_reader *reader)
{
	return reader->_offset + reader->_start;
}
