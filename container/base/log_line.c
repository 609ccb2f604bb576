/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/log_line.h"

#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/text.h"

/* --- text ------------------------------------------------------------------- */

static bool
log_line_escape(struct buffer *out, const char *text)
{
	return text_escape(out, text, strlen(text));
}

/* "subject: text" */
static bool
log_line_subject_and_text(struct buffer *out, const struct log_record *record)
{
	if (record->subject != NULL && (!log_line_escape(out, record->subject) ||
			!buffer_append_text(out, ": ")))
		return false;
	return log_line_escape(out, record->text);
}

bool
log_line_append_short(struct buffer *out, const struct log_record *record)
{
	return log_line_escape(out, record->process) &&
		buffer_append_text(out, record->subject != NULL ? " " : ": ") &&
		log_line_subject_and_text(out, record);
}

static bool
log_line_append_text(struct buffer *out, const struct log_record *record)
{
	char when[CLOCK_TEXT_SIZE];

	clock_format_wall(when, sizeof(when), record->wall_ns);
	return buffer_printf(out, "%s ", when) && log_line_escape(out, record->process) &&
		buffer_printf(out, " %s ", log_level_name(record->level)) &&
		log_line_subject_and_text(out, record) && buffer_append_text(out, "\n");
}

/* --- JSON ------------------------------------------------------------------- */

/* Whole characters stay, controls are escaped, a broken byte becomes U+FFFD. */
static bool
log_line_json_string(struct buffer *out, const char *text)
{
	size_t size = strlen(text);
	bool done = buffer_append_text(out, "\"");

	while (done && size > 0) {
		size_t length = text_utf8_length(text, size);
		unsigned char byte = (unsigned char)*text;

		if (length == 0)
			done = buffer_append_text(out, "\\ufffd");
		else if (byte < 0x20 || byte == 0x7f)
			done = buffer_printf(out, "\\u%04x", byte);
		else if (byte == '"' || byte == '\\')
			done = buffer_printf(out, "\\%c", byte);
		else
			done = buffer_append(out, text, length);
		text += length > 0 ? length : 1;
		size -= length > 0 ? length : 1;
	}
	return done && buffer_append_text(out, "\"");
}

static bool
log_line_json_member(struct buffer *out, const char *name, const char *value)
{
	return buffer_printf(out, ",\"%s\":", name) && log_line_json_string(out, value);
}

/* As the header traceparent has it. */
static bool
log_line_json_trace(struct buffer *out, const struct trace_id *trace)
{
	char id[TRACE_ID_SIZE];

	if (trace_id_is_none(trace))
		return true;
	trace_id_print(id, trace);
	return log_line_json_member(out, "trace", id);
}

static bool
log_line_append_json(struct buffer *out, const struct log_record *record)
{
	char when[CLOCK_TEXT_SIZE];

	clock_format_wall(when, sizeof(when), record->wall_ns);
	return buffer_printf(out, "{\"time\":\"%s\"", when) &&
		log_line_json_member(out, "process", record->process) &&
		log_line_json_member(out, "level", log_level_name(record->level)) &&
		(record->subject == NULL || log_line_json_member(out, "subject", record->subject)) &&
		log_line_json_trace(out, &record->trace) &&
		log_line_json_member(out, "text", record->text) && buffer_append_text(out, "}\n");
}

bool
log_line_append(struct buffer *out, const struct log_record *record, enum log_format format)
{
	if (format == LOG_FORMAT_JSON)
		return log_line_append_json(out, record);
	return log_line_append_text(out, record);
}
