/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"

enum { CONFIG_QUOTE_MAX = 72 };

void
config_report_finish(struct config_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		free(report->complaints[i].text);
	for (size_t i = 0; i < report->_file_count; i++)
		free(report->_files[i]);
	free(report->complaints);
	free(report->_files);
	*report = (struct config_report){0};
}

/* Returns the rank of a file in the order of reading; a new one is the last. */
static size_t
config_report_rank(struct config_report *report, const char *file)
{
	for (size_t i = 0; i < report->_file_count; i++)
		if (strcmp(report->_files[i], file) == 0)
			return i;
	report->_files = xrealloc(report->_files, report->_file_count + 1, sizeof(char *));
	report->_files[report->_file_count] = xstrdup(file);
	return report->_file_count++;
}

void
config_report_file(struct config_report *report, const char *file)
{
	(void)config_report_rank(report, file);
}

static bool
config_complaint_is_later(const struct config_complaint *a, const struct config_complaint *b)
{
	if (a->_file_rank != b->_file_rank)
		return a->_file_rank > b->_file_rank;
	return a->line > b->line;
}

/* Puts it behind the last complaint that is not about a later place. */
static void
config_report_insert(struct config_report *report, const struct config_complaint *complaint)
{
	size_t at = report->count;

	if (report->count == CONFIG_REPORT_MAX) {
		struct config_complaint *last = &report->complaints[report->count - 1];

		report->hidden++;
		if (!config_complaint_is_later(last, complaint)) {
			free(complaint->text);
			return;
		}
		free(last->text);
		report->count--;
		at--;
	} else {
		report->complaints = xrealloc(report->complaints, report->count + 1,
			sizeof(struct config_complaint));
	}
	while (at > 0 && config_complaint_is_later(&report->complaints[at - 1], complaint)) {
		report->complaints[at] = report->complaints[at - 1];
		at--;
	}
	report->complaints[at] = *complaint;
	report->count++;
}

void
config_report_add(struct config_report *report, const char *file, unsigned line,
	const char *format, ...)
{
	struct config_complaint complaint = {.line = line};
	struct buffer text = {0};
	va_list args;

	complaint._file_rank = config_report_rank(report, file);
	complaint.file = report->_files[complaint._file_rank];
	va_start(args, format);
	complaint.text = buffer_vprintf(&text, format, args) ? buffer_text(&text) : NULL;
	va_end(args);
	if (complaint.text == NULL) {
		buffer_finish(&text);
		complaint.text = xstrdup("something is wrong here, and no memory to say what");
	}
	config_report_insert(report, &complaint);
}

char *
config_report_quote(const char *text)
{
	size_t size = strlen(text);
	bool cut = size > CONFIG_QUOTE_MAX;
	struct buffer out = {0};
	char *quoted = NULL;

	if (cut)
		for (size = CONFIG_QUOTE_MAX; size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80;)
			size--;
	if (buffer_append_text(&out, "'") && text_escape(&out, text, size) &&
			buffer_append_text(&out, cut ? "...'" : "'"))
		quoted = buffer_text(&out);
	if (quoted == NULL) {
		buffer_finish(&out);
		quoted = xstrdup("it");
	}
	return quoted;
}

bool
config_report_print(const struct config_report *report, struct buffer *out)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct config_complaint *complaint = &report->complaints[i];
		bool done = complaint->line > 0 ?
			buffer_printf(out, "%s:%u: %s\n", complaint->file, complaint->line,
				complaint->text) :
			buffer_printf(out, "%s: %s\n", complaint->file, complaint->text);

		if (!done)
			return false;
	}
	return report->hidden == 0 ||
		buffer_printf(out, "and %zu more complaints\n", report->hidden);
}
