/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "solo/solo_print.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bay/status.h>

#include "base/buffer.h"
#include "base/text.h"
#include "protocol/interface.h"
#include "protocol/varlink.h"

enum { PRINT_SCHEMA = 1 };

void
solo_print_init(struct solo_print *print, bool json, bool lines)
{
	print->json = json;
	print->terminal = isatty(STDOUT_FILENO) == 1;
	print->lines = lines;
}

/* JSON leaves U+0080 to U+009F as they are, which steer a terminal: there all is ASCII. Takes
 * json. */
static void
print_object(const struct solo_print *print, json_t *json)
{
	json_dumpf(json, stdout, JSON_COMPACT | (print->terminal ? JSON_ENSURE_ASCII : 0));
	json_decref(json);
	fputc('\n', stdout);
	fflush(stdout);
}

static void
print_reply_as_json(const struct solo_print *print, const void *data, size_t size)
{
	json_t *body = json_object();
	struct buffer base64 = {0};

	if (memchr(data, '\0', size) == NULL && text_is_utf8(data, size))
		json_object_set_new(body, "text", json_stringn(data, size));
	else if (text_base64_encode(&base64, data, size))
		json_object_set_new(body, "body", json_stringn((const char *)base64.data, base64.size));
	buffer_finish(&base64);
	print_object(print, json_pack("{s:i, s:b, s:o}", "schema", PRINT_SCHEMA, "ok", 1, "data", body));
}

void
solo_print_reply(const struct solo_print *print, const void *data, size_t size)
{
	bool ends = size > 0 && ((const char *)data)[size - 1] == '\n';

	if (print->json) {
		print_reply_as_json(print, data, size);
		return;
	}
	fwrite(data, 1, size, stdout);
	if (!ends && (print->lines || (print->terminal && size > 0)))
		fputc('\n', stdout);
	fflush(stdout);
}

/* As bayctl calls them. */
static const char *
print_code(int code)
{
	static const char *const codes[] = {
		[INTERFACE_EXIT_FAILED] = "failed",
		[INTERFACE_EXIT_USAGE] = "usage",
		[INTERFACE_EXIT_NOT_FOUND] = "not-found",
		[INTERFACE_EXIT_INVALID] = "invalid",
		[INTERFACE_EXIT_NOT_PERMITTED] = "not-permitted",
		[INTERFACE_EXIT_TIMEOUT] = "timeout",
	};
	const char *name = code > 0 && (size_t)code < sizeof codes / sizeof codes[0] ? codes[code] : NULL;

	return name != NULL ? name : "failed";
}

static void
print_error_as_json(const struct solo_print *print, int code, int status, const char *message)
{
	json_t *error = json_pack("{s:s, s:o}", "code", print_code(code), "message", varlink_text(message));

	if (status != BAY_OK)
		json_object_set_new(error, "status", json_string(bay_status_name(status)));
	print_object(print, json_pack("{s:i, s:b, s:o}", "schema", PRINT_SCHEMA, "ok", 0, "error", error));
}

void
solo_print_error(const struct solo_print *print, int code, int status, const char *format, ...)
{
	struct buffer shown = {0};
	char *message;
	va_list args;

	va_start(args, format);
	if (vasprintf(&message, format, args) < 0)
		message = NULL;
	va_end(args);
	fflush(stdout);
	if (print->json)
		print_error_as_json(print, code, status, message != NULL ? message : "no memory");
	else if (message != NULL && text_make_printable(&shown, message, strlen(message)))
		fprintf(stderr, "bayctl: %.*s\n", (int)shown.size, (const char *)shown.data);
	else
		fprintf(stderr, "bayctl: no memory\n");
	buffer_finish(&shown);
	free(message);
}
