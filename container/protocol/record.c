/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "protocol/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/varlink.h"

/* An enum member is read and written as an unsigned int, which gcc and clang make of it. */
_Static_assert(sizeof(enum record_type) == sizeof(unsigned), "enums are as large as unsigned");

static void *
record_member(const void *of, size_t offset)
{
	return (char *)(uintptr_t)of + offset;
}

/* --- writing ----------------------------------------------------------------- */

static json_t *
record_list_to_json(const struct record_field *field, const void *from)
{
	const char *elements = *(const char *const *)record_member(from, field->offset);
	size_t count = *(const size_t *)record_member(from, field->count_offset);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		json_t *element = record_to_json(field->element,
			elements + i * field->element->size);

		if (json_array_append_new(list, element) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *
record_prose_to_json(const char *text)
{
	return text != NULL ? varlink_text(text) : NULL;
}

static json_t *
record_member_to_json(const struct record_field *field, const void *from)
{
	const void *member = record_member(from, field->offset);

	switch (field->type) {
	case RECORD_TYPE_INT:
		return json_integer(*(const int64_t *)member);
	case RECORD_TYPE_TEXT:
		return json_string(*(const char *const *)member);
	case RECORD_TYPE_PROSE:
		return record_prose_to_json(*(const char *const *)member);
	case RECORD_TYPE_BOOL:
		return json_boolean(*(const bool *)member);
	case RECORD_TYPE_WORD:
		return json_string(field->words[*(const unsigned *)member]);
	case RECORD_TYPE_LIST:
		return record_list_to_json(field, from);
	}
	return NULL;
}

static bool
record_is_absent(const struct record_field *field, const void *from)
{
	return field->optional &&
		(field->type == RECORD_TYPE_TEXT || field->type == RECORD_TYPE_PROSE) &&
		*(const char *const *)record_member(from, field->offset) == NULL;
}

json_t *
record_to_json(const struct record *record, const void *from)
{
	json_t *json = json_object();

	for (size_t i = 0; i < record->count; i++) {
		const struct record_field *field = &record->fields[i];

		if (record_is_absent(field, from))
			continue;
		if (json_object_set_new(json, field->name, record_member_to_json(field, from)) != 0) {
			json_decref(json);
			return NULL;
		}
	}
	return json;
}

/* --- reading ----------------------------------------------------------------- */

static bool
record_read_int(const struct record_field *field, const json_t *value, void *member,
	char *error_r, size_t size)
{
	json_int_t n = json_integer_value(value);

	if (!json_is_integer(value)) {
		snprintf(error_r, size, "%s: an integer is wanted", field->name);
		return false;
	}
	if (n < field->min || n > field->max) {
		snprintf(error_r, size, "%s: %" PRId64 " is not within %" PRId64 "..%" PRId64,
			field->name, (int64_t)n, field->min, field->max);
		return false;
	}
	*(int64_t *)member = n;
	return true;
}

static bool
record_read_text(const struct record_field *field, const json_t *value, void *member,
	char *error_r, size_t size)
{
	if (!json_is_string(value)) {
		snprintf(error_r, size, "%s: a string is wanted", field->name);
		return false;
	}
	*(const char **)member = json_string_value(value);
	return true;
}

static bool
record_read_bool(const struct record_field *field, const json_t *value, void *member,
	char *error_r, size_t size)
{
	if (!json_is_boolean(value)) {
		snprintf(error_r, size, "%s: a boolean is wanted", field->name);
		return false;
	}
	*(bool *)member = json_is_true(value);
	return true;
}

static bool
record_read_word(const struct record_field *field, const json_t *value, void *member,
	char *error_r, size_t size)
{
	const char *word = json_string_value(value);

	for (unsigned i = 0; word != NULL && i < (unsigned)field->max; i++) {
		if (strcmp(word, field->words[i]) == 0) {
			*(unsigned *)member = i;
			return true;
		}
	}
	snprintf(error_r, size, "%s: one of %s, ... is wanted", field->name, field->words[0]);
	return false;
}

/* Reads element i; a complaint about it starts with where it is: "settings[2].value: ...". */
static bool
record_read_element(const struct record_field *field, const json_t *list, size_t i,
	char *elements, char *error_r, size_t size)
{
	char inner[160];

	if (record_from_json(field->element, json_array_get(list, i),
		elements + i * field->element->size, inner, sizeof(inner)))
		return true;
	snprintf(error_r, size, "%s[%zu].%s", field->name, i, inner);
	return false;
}

static bool
record_read_list(const struct record_field *field, const json_t *value, void *to,
	char *error_r, size_t size)
{
	size_t *count = record_member(to, field->count_offset);
	size_t wanted = json_array_size(value);
	char *elements;

	if (!json_is_array(value)) {
		snprintf(error_r, size, "%s: an array is wanted", field->name);
		return false;
	}
	if (wanted == 0)
		return true;
	elements = calloc(wanted, field->element->size);
	if (elements == NULL) {
		snprintf(error_r, size, "%s: no memory for %zu elements", field->name, wanted);
		return false;
	}
	/* From here on record_finish finds what is to be freed. */
	*(void **)record_member(to, field->offset) = elements;
	for (; *count < wanted; ++*count)
		if (!record_read_element(field, value, *count, elements, error_r, size))
			return false;
	return true;
}

static bool
record_read_member(const struct record_field *field, const json_t *value, void *to,
	char *error_r, size_t size)
{
	void *member = record_member(to, field->offset);

	switch (field->type) {
	case RECORD_TYPE_INT:
		return record_read_int(field, value, member, error_r, size);
	case RECORD_TYPE_TEXT:
	case RECORD_TYPE_PROSE:
		return record_read_text(field, value, member, error_r, size);
	case RECORD_TYPE_BOOL:
		return record_read_bool(field, value, member, error_r, size);
	case RECORD_TYPE_WORD:
		return record_read_word(field, value, member, error_r, size);
	case RECORD_TYPE_LIST:
		return record_read_list(field, value, to, error_r, size);
	}
	return false;
}

static bool
record_read(const struct record *record, const json_t *json, void *to, char *error_r,
	size_t size)
{
	for (size_t i = 0; i < record->count; i++) {
		const struct record_field *field = &record->fields[i];
		const json_t *value = json_object_get(json, field->name);

		if (value == NULL || json_is_null(value)) {
			if (field->optional)
				continue;
			snprintf(error_r, size, "%s: missing", field->name);
			return false;
		}
		if (!record_read_member(field, value, to, error_r, size))
			return false;
	}
	return true;
}

bool
record_from_json(const struct record *record, const json_t *json, void *to, char *error_r,
	size_t size)
{
	memset(to, 0, record->size);
	if (record_read(record, json, to, error_r, size))
		return true;
	record_finish(record, to);
	return false;
}

static void
record_finish_list(const struct record_field *field, void *of)
{
	char *elements = *(char **)record_member(of, field->offset);
	size_t count = *(size_t *)record_member(of, field->count_offset);

	for (size_t i = 0; i < count; i++)
		record_finish(field->element, elements + i * field->element->size);
	free(elements);
}

void
record_finish(const struct record *record, void *of)
{
	for (size_t i = 0; i < record->count; i++)
		if (record->fields[i].type == RECORD_TYPE_LIST)
			record_finish_list(&record->fields[i], of);
	memset(of, 0, record->size);
}
