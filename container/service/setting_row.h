/* SPDX-License-Identifier: BSD-2-Clause */
/* One row of a table of settings: what it allows, and reading a text as it wants it. Any
 * thread; never suspends. */
#ifndef BAY_SERVICE_SETTING_ROW_H
#define BAY_SERVICE_SETTING_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/setting.h>

struct buffer;

/* What a text was read as: the member that the row's type says. */
union setting_field {
	int64_t number; /* INT64, DURATION, CHOICE */
	uint64_t bytes; /* SIZE */
	bool yes;       /* BOOL */
	const char *text; /* STRING, borrowed from the text that was read */
};

/* The word for a type ("duration"), or NULL: there is no such type. */
const char *setting_type_name(uint32_t type);

/* The bytes that a field of this type has; 0: no such type. */
size_t setting_type_size(uint32_t type);

/* Reads text. False: it is not what the row wants; the reason is appended to error. */
bool setting_row_read(const struct bay_setting *row, const char *text,
	union setting_field *field_r, struct buffer *error)
	__attribute__((warn_unused_result));

/* What values are allowed, for people: "1..10", "1..", "..10", the choices "a|b|c"; "": any.
 * Returns buf or the choices; 72 bytes are enough. */
const char *setting_row_range(const struct bay_setting *row, char *buf, size_t size);

/* Takes the next word out of the choices "a|b|c". False: there is none left. */
bool setting_next_choice(const char **choices, const char **word_r, size_t *length_r);

#endif
