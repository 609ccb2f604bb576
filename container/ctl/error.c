/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/code.h"
#include "protocol/varlink.h"

void
ctl_error_set(struct ctl_error *error, enum interface_exit exit, const char *code,
	const char *format, ...)
{
	const struct code *said;
	va_list args;

	error->exit = exit;
	snprintf(error->code, sizeof(error->code), "%s", code);
	error->hint[0] = '\0';
	error->status[0] = '\0';
	error->name[0] = '\0';
	va_start(args, format);
	vsnprintf(error->message, sizeof(error->message), format, args);
	va_end(args);
	error->message[code_split(error->message, &said)] = '\0';
	if (said != NULL)
		snprintf(error->code, sizeof(error->code), "%s", said->slug);
}

void
ctl_error_hint(struct ctl_error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->hint, sizeof(error->hint), format, args);
	va_end(args);
}

json_t *
ctl_error_to_json(const struct ctl_error *error)
{
	json_t *json = json_object();

	json_object_set_new(json, "code", varlink_text(error->code));
	if (error->name[0] != '\0')
		json_object_set_new(json, "error", varlink_text(error->name));
	if (error->status[0] != '\0')
		json_object_set_new(json, "status", varlink_text(error->status));
	json_object_set_new(json, "message", varlink_text(error->message));
	if (error->hint[0] != '\0')
		json_object_set_new(json, "hint", varlink_text(error->hint));
	return json;
}
