/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log records on a pipe from a cell to the master. Both run on one machine, so numbers are
 * in its byte order; a record is at most PIPE_BUF long, so that one write is never torn or
 * mixed with another thread's.
 *
 *	struct header | process NUL | subject NUL | text NUL
 *
 * An absent subject has length 0.
 */
#include "config.h"

#include <limits.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

_Static_assert(LOG_RECORD_MAX <= PIPE_BUF, "a record must be written in one piece");

enum {
	LOG_RECORD_MAGIC = 0x6c42, /* "Bl" */
	LOG_RECORD_PROCESS_MAX = 127,
	LOG_RECORD_SUBJECT_MAX = 255
};

struct log_record_header {
	uint16_t magic;
	uint16_t text_length;
	uint8_t level;
	uint8_t process_length;
	uint8_t subject_length;
	uint8_t zero;
	int64_t wall_ns;
	struct trace_id trace;
};

/* The length of text when cut to max bytes at the start of a character. */
static size_t
log_record_cut(const char *text, size_t max)
{
	size_t length = strnlen(text, max + 1);

	if (length <= max)
		return length;
	/* Step back over the bytes of a character that would be broken, if it is one. */
	for (size_t back = 1; back <= 3 && back <= max; back++)
		if (text_utf8_length(text + max - back, strnlen(text + max - back, 4)) > back)
			return max - back;
	return max;
}

static uint8_t *
log_record_put(uint8_t *to, const char *text, size_t length)
{
	memcpy(to, text, length);
	to[length] = '\0';
	return to + length + 1;
}

size_t
log_record_encode(const struct log_record *record, uint8_t out[LOG_RECORD_MAX])
{
	const char *subject = record->subject != NULL ? record->subject : "";
	struct log_record_header header = {
		.magic = LOG_RECORD_MAGIC,
		.level = (uint8_t)record->level,
		.process_length = (uint8_t)log_record_cut(record->process, LOG_RECORD_PROCESS_MAX),
		.subject_length = (uint8_t)log_record_cut(subject, LOG_RECORD_SUBJECT_MAX),
		.wall_ns = record->wall_ns,
		.trace = record->trace,
	};
	size_t room = LOG_RECORD_MAX - sizeof(header) - header.process_length -
		header.subject_length - 3;
	uint8_t *to = out + sizeof(header);

	header.text_length = (uint16_t)log_record_cut(record->text, room);
	memcpy(out, &header, sizeof(header));
	to = log_record_put(to, record->process, header.process_length);
	to = log_record_put(to, subject, header.subject_length);
	to = log_record_put(to, record->text, header.text_length);
	return (size_t)(to - out);
}

/* Takes a string of exactly this length and moves behind its NUL. */
static bool
log_record_take(const uint8_t **from, size_t length, const char **text_r)
{
	const char *text = (const char *)*from;

	if (strnlen(text, length + 1) != length)
		return false;
	*text_r = text;
	*from += length + 1;
	return true;
}

enum log_record_result
log_record_decode(const uint8_t *data, size_t size, struct log_record *record_r,
	size_t *used_r)
{
	struct log_record_header header;
	struct log_record record;
	const uint8_t *from = data + sizeof(header);
	size_t length;

	if (size < sizeof(header))
		return LOG_RECORD_MORE;
	memcpy(&header, data, sizeof(header));
	length = sizeof(header) + header.process_length + header.subject_length +
		header.text_length + 3;
	if (header.magic != LOG_RECORD_MAGIC || header.zero != 0 ||
			header.level > LOG_LEVEL_DEBUG || length > LOG_RECORD_MAX)
		return LOG_RECORD_INVALID;
	if (size < length)
		return LOG_RECORD_MORE;
	record.wall_ns = header.wall_ns;
	record.trace = header.trace;
	record.level = (enum log_level)header.level;
	if (!log_record_take(&from, header.process_length, &record.process) ||
			!log_record_take(&from, header.subject_length, &record.subject) ||
			!log_record_take(&from, header.text_length, &record.text))
		return LOG_RECORD_INVALID;
	if (header.subject_length == 0)
		record.subject = NULL;
	*record_r = record;
	*used_r = length;
	return LOG_RECORD_OK;
}
