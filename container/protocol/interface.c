/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "protocol/interface.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "protocol/interface_table.h"

static const char *const interface_role_names[] = {
	[INTERFACE_ROLE_NONE] = "none",
	[INTERFACE_ROLE_VIEWER] = "viewer",
	[INTERFACE_ROLE_OPERATOR] = "operator",
	[INTERFACE_ROLE_ADMIN] = "admin",
};

static const char *const interface_type_names[] = {
	[INTERFACE_BOOL] = "bool",
	[INTERFACE_INT] = "int",
	[INTERFACE_STRING] = "string",
	[INTERFACE_STRINGS] = "[]string",
};

const char *
interface_role_name(enum interface_role role)
{
	return interface_role_names[role];
}

enum interface_role
interface_role_parse(const char *name)
{
	for (int i = INTERFACE_ROLE_NONE; i < INTERFACE_ROLE_ADMIN; i++)
		if (strcmp(interface_role_names[i], name) == 0)
			return (enum interface_role)i;
	return INTERFACE_ROLE_ADMIN;
}

/* --- methods ----------------------------------------------------------------- */

const struct interface_method *
interface_method(enum interface_method_id id)
{
	return &interface_methods[id];
}

static bool
interface_method_is(const struct interface_method *method, const char *interface,
	size_t interface_size, const char *name)
{
	return strlen(method->interface) == interface_size &&
		memcmp(method->interface, interface, interface_size) == 0 &&
		strcmp(method->name, name) == 0;
}

static bool
interface_is_known(const char *interface, size_t size)
{
	return (size == strlen(INTERFACE_NAME) && memcmp(interface, INTERFACE_NAME, size) == 0) ||
		(size == strlen(INTERFACE_SERVICE_NAME) &&
		memcmp(interface, INTERFACE_SERVICE_NAME, size) == 0);
}

const struct interface_method *
interface_find(const char *full_name, const char **error_r)
{
	const char *dot = strrchr(full_name, '.');
	size_t size = dot != NULL ? (size_t)(dot - full_name) : 0;

	*error_r = NULL;
	if (!interface_is_known(full_name, size)) {
		*error_r = INTERFACE_INTERFACE_NOT_FOUND;
		return NULL;
	}
	for (int i = 0; i < INTERFACE_METHODS; i++)
		if (interface_method_is(&interface_methods[i], full_name, size, dot + 1))
			return &interface_methods[i];
	*error_r = INTERFACE_METHOD_NOT_FOUND;
	return NULL;
}

/* --- arguments --------------------------------------------------------------- */

static const struct interface_argument *
interface_find_argument(const struct interface_method *method, const char *name)
{
	for (const struct interface_argument *a = method->arguments; a->name != NULL; a++)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

static bool
interface_check_int(const struct interface_argument *argument, const json_t *value, char *text)
{
	json_int_t n = json_integer_value(value);

	if (!json_is_integer(value)) {
		snprintf(text, INTERFACE_TEXT_SIZE, "%s: an integer is wanted", argument->name);
		return false;
	}
	if (n >= argument->min && n <= argument->max)
		return true;
	if (argument->max == INT64_MAX)
		snprintf(text, INTERFACE_TEXT_SIZE, "%s: %" PRId64 " is less than %" PRId64,
			argument->name, (int64_t)n, argument->min);
	else
		snprintf(text, INTERFACE_TEXT_SIZE, "%s: %" PRId64 " is not within %" PRId64
			"..%" PRId64, argument->name, (int64_t)n, argument->min, argument->max);
	return false;
}

static bool
interface_check_string(const struct interface_argument *argument, const json_t *value,
	char *text)
{
	if (!json_is_string(value)) {
		snprintf(text, INTERFACE_TEXT_SIZE, "%s: a string is wanted", argument->name);
		return false;
	}
	if (argument->max > 0 && json_string_length(value) > (size_t)argument->max) {
		snprintf(text, INTERFACE_TEXT_SIZE, "%s: %zu bytes are more than %" PRId64,
			argument->name, json_string_length(value), argument->max);
		return false;
	}
	return true;
}

static bool
interface_check_strings(const struct interface_argument *argument, const json_t *value, char *text)
{
	const json_t *element;
	size_t i;

	json_array_foreach(value, i, element) {
		if (!json_is_string(element))
			break;
	}
	if (!json_is_array(value) || i < json_array_size(value)) {
		snprintf(text, INTERFACE_TEXT_SIZE, "%s: an array of strings is wanted", argument->name);
		return false;
	}
	if (json_array_size(value) > (size_t)argument->max) {
		snprintf(text, INTERFACE_TEXT_SIZE, "%s: %zu strings are more than %" PRId64,
			argument->name, json_array_size(value), argument->max);
		return false;
	}
	return true;
}

static bool
interface_check_value(const struct interface_argument *argument, const json_t *value,
	char *text)
{
	switch (argument->type) {
	case INTERFACE_INT:
		return interface_check_int(argument, value, text);
	case INTERFACE_STRING:
		return interface_check_string(argument, value, text);
	case INTERFACE_STRINGS:
		return interface_check_strings(argument, value, text);
	case INTERFACE_BOOL:
		if (json_is_boolean(value))
			return true;
		snprintf(text, INTERFACE_TEXT_SIZE, "%s: a boolean is wanted", argument->name);
		return false;
	}
	return false;
}

bool
interface_check(const struct interface_method *method, const json_t *parameters,
	const char **field_r, char *text)
{
	const char *name;
	json_t *value;

	*field_r = NULL;
	json_object_foreach((json_t *)(uintptr_t)parameters, name, value) {
		const struct interface_argument *argument = interface_find_argument(method, name);

		*field_r = name;
		if (argument == NULL) {
			snprintf(text, INTERFACE_TEXT_SIZE, "%.64s: %s has no such parameter", name,
				method->name);
			return false;
		}
		if (!json_is_null(value) && !interface_check_value(argument, value, text))
			return false;
	}
	for (const struct interface_argument *a = method->arguments; a->name != NULL; a++) {
		value = json_object_get(parameters, a->name);
		*field_r = a->name;
		if (a->required && (value == NULL || json_is_null(value))) {
			snprintf(text, INTERFACE_TEXT_SIZE, "%s: %s wants it", a->name, method->name);
			return false;
		}
	}
	return true;
}

bool
interface_is_reply(const struct interface_method *method, const json_t *parameters)
{
	size_t size = strcspn(method->reply, ":");
	char name[64];

	if (method->reply[size] == '\0' || method->reply[size + strspn(method->reply + size, ": ")] == '?')
		return true;
	snprintf(name, sizeof(name), "%.*s", (int)size, method->reply);
	return json_object_get(parameters, name) != NULL;
}

/* --- description ------------------------------------------------------------- */

static bool
interface_describe_arguments(struct buffer *out, const struct interface_method *method)
{
	for (const struct interface_argument *a = method->arguments; a->name != NULL; a++) {
		if (!buffer_printf(out, "%s%s: %s%s", a == method->arguments ? "" : ", ", a->name,
			a->required ? "" : "?", interface_type_names[a->type]))
			return false;
	}
	return true;
}

static bool
interface_describe_method(struct buffer *out, const struct interface_method *method)
{
	return buffer_printf(out, "\n# %s\n# Role: %s.\nmethod %s(", method->help,
		interface_role_name(method->role), method->name) &&
		interface_describe_arguments(out, method) &&
		buffer_printf(out, ") -> (%s)\n", method->reply);
}

bool
interface_describe(struct buffer *out)
{
	if (!buffer_append_text(out, "# The services of a Bay container: what runs, how it fares, "
		"and control over it.\n# Times are in nanoseconds.\ninterface " INTERFACE_NAME "\n"))
		return false;
	for (const struct interface_type_text *t = interface_types; t->text != NULL; t++)
		if (!buffer_printf(out, "\n# %s\ntype %s\n", t->help, t->text))
			return false;
	for (int i = 0; i < INTERFACE_METHODS; i++)
		if (strcmp(interface_methods[i].interface, INTERFACE_NAME) == 0 &&
			!interface_describe_method(out, &interface_methods[i]))
			return false;
	for (const struct interface_error *e = interface_errors; e->name != NULL; e++)
		if (!buffer_printf(out, "\n# %s\nerror %s (message: string, status: string, code: string)\n",
			e->help, e->name + sizeof(INTERFACE_NAME)))
			return false;
	return true;
}

json_t *
interface_info_reply(const char *version)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor", "Bay", "product", "bayd",
		"version", version, "url", "", "interfaces", INTERFACE_SERVICE_NAME, INTERFACE_NAME);
}

json_t *
interface_description_reply(const char *interface)
{
	struct buffer text = {0};
	json_t *reply = NULL;

	if (strcmp(interface, INTERFACE_SERVICE_NAME) == 0)
		return json_pack("{s:s}", "description", interface_service_text);
	if (strcmp(interface, INTERFACE_NAME) != 0)
		return NULL;
	if (interface_describe(&text))
		reply = json_pack("{s:s#}", "description", text.data, text.size);
	buffer_finish(&text);
	return reply;
}
