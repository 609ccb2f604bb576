/* SPDX-License-Identifier: BSD-2-Clause */
/* How the admin interface says that something did not work. */
#include "config.h"

#include "protocol/interface.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/code.h"
#include "base/status.h"
#include "protocol/interface_table.h"
#include "protocol/varlink.h"

static const struct interface_error *
interface_find_error(const char *name)
{
	for (const struct interface_error *e = interface_errors; e->name != NULL; e++)
		if (strcmp(e->name, name) == 0)
			return e;
	return NULL;
}

const char *
interface_error_name(enum bay_status status)
{
	for (const struct interface_error *e = interface_errors; e->name != NULL; e++)
		if (status != BAY_OK && e->status == status)
			return e->name;
	return INTERFACE_FAILED;
}

enum bay_status
interface_error_status(const char *error, const json_t *parameters)
{
	const char *name = json_string_value(json_object_get(parameters, "status"));
	const struct interface_error *row = interface_find_error(error);
	enum bay_status status;

	if (name != NULL && status_parse(name, &status) && status != BAY_OK)
		return status;
	if (row != NULL && row->status != BAY_OK)
		return row->status;
	if (strcmp(error, INTERFACE_INVALID_PARAMETER) == 0)
		return BAY_INVALID;
	return BAY_FAILED;
}

/* Message and code of an error, in the object. False: no memory. */
static bool
interface_set_message(json_t *parameters, const char *message, const char *slug)
{
	const struct code *said;
	char *words = xstrndup(message, code_split(message, &said));
	bool done = json_object_set_new(parameters, "message", varlink_text(words)) == 0 &&
		json_object_set_new(parameters, "code",
			json_string(said != NULL ? said->slug : slug)) == 0;

	free(words);
	return done;
}

json_t *
interface_error_parameters(enum bay_status status, const char *code, const char *message)
{
	json_t *parameters = json_object();
	const char *name = bay_status_name(status);

	if (!interface_set_message(parameters, message, code != NULL ? code : name) ||
		json_object_set_new(parameters, "status", json_string(name)) != 0) {
		json_decref(parameters);
		return NULL;
	}
	return parameters;
}

json_t *
interface_standard_error_parameters(const char *field, const char *value, const char *code,
	const char *message)
{
	json_t *parameters = json_object();

	if (json_object_set_new(parameters, field, varlink_text(value)) != 0 ||
		!interface_set_message(parameters, message, code)) {
		json_decref(parameters);
		return NULL;
	}
	return parameters;
}

/* --- exit codes -------------------------------------------------------------- */

static const char *const interface_exit_texts[] = {
	[INTERFACE_EXIT_DONE] = "Done; or the answer is yes.",
	[INTERFACE_EXIT_FAILED] = "The operation failed.",
	[INTERFACE_EXIT_USAGE] = "The command line is wrong.",
	[INTERFACE_EXIT_NO] = "The answer is no.",
	[INTERFACE_EXIT_NOT_FOUND] = "There is no service of that name.",
	[INTERFACE_EXIT_INVALID] = "A configuration or a plugin is invalid; nothing has changed.",
	[INTERFACE_EXIT_NOT_PERMITTED] = "Not permitted.",
	[INTERFACE_EXIT_UNREACHABLE] = "No daemon answers at the socket.",
	[INTERFACE_EXIT_TIMEOUT] = "Timed out; the operation may go on.",
	[INTERFACE_EXIT_PARTLY] = "Done in part: of several names some worked.",
	[INTERFACE_EXIT_ROLLED_BACK] = "Rolled back: the new version failed, the old one runs.",
};

const char *
interface_exit_text(int code)
{
	if (code < 0 || code > INTERFACE_EXIT_ROLLED_BACK)
		return NULL;
	return interface_exit_texts[code];
}

enum interface_exit
interface_error_exit(const char *error, const json_t *parameters)
{
	const struct interface_error *row = interface_find_error(error);

	if (strcmp(error, INTERFACE_INVALID_PARAMETER) == 0)
		return INTERFACE_EXIT_USAGE;
	if (strcmp(error, INTERFACE_SERVICE_NAME ".PermissionDenied") == 0)
		return INTERFACE_EXIT_NOT_PERMITTED;
	if (strcmp(error, INTERFACE_REFUSED) == 0 &&
		interface_error_status(error, parameters) == BAY_INVALID)
		return INTERFACE_EXIT_INVALID;
	return row != NULL ? row->exit : INTERFACE_EXIT_FAILED;
}
