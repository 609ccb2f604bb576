/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/setting_row.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"

enum { SETTING_CHOICES_MAX = 64 };

static const struct setting_type {
	const char *name;
	size_t size;
	const char *example;
} setting_types[] = {
	[BAY_SETTING_INT64] = {"integer", sizeof(int64_t), "a whole number"},
	[BAY_SETTING_BOOL] = {"bool", sizeof(bool), "yes or no"},
	[BAY_SETTING_DURATION] = {"duration", sizeof(int64_t), "a duration such as 250ms, 5s or 2m"},
	[BAY_SETTING_SIZE] = {"size", sizeof(uint64_t), "a size such as 4096, 64k or 1M"},
	[BAY_SETTING_STRING] = {"string", sizeof(const char *), "a text"},
	[BAY_SETTING_CHOICE] = {"choice", sizeof(int64_t), "one of a few words"},
};

static const struct setting_type *
setting_type(uint32_t type)
{
	if (type >= sizeof(setting_types) / sizeof(*setting_types) ||
	    setting_types[type].name == NULL)
		return NULL;
	return &setting_types[type];
}

const char *
setting_type_name(uint32_t type)
{
	const struct setting_type *known = setting_type(type);

	return known != NULL ? known->name : NULL;
}

size_t
setting_type_size(uint32_t type)
{
	const struct setting_type *known = setting_type(type);

	return known != NULL ? known->size : 0;
}

/* --- bounds ---------------------------------------------------------------------- */

static void
setting_row_bound(const struct bay_setting *row, int64_t bound, char *buf, size_t size)
{
	if (row->type == BAY_SETTING_SIZE)
		text_format_size(buf, size, (uint64_t)bound);
	else
		snprintf(buf, size, "%" PRId64, bound);
}

const char *
setting_row_range(const struct bay_setting *row, char *buf, size_t size)
{
	int64_t lowest = row->type == BAY_SETTING_SIZE ? 0 : INT64_MIN;
	char low[32] = "", high[32] = "";

	buf[0] = '\0';
	if (row->type == BAY_SETTING_CHOICE)
		return row->choices;
	if (row->type != BAY_SETTING_INT64 && row->type != BAY_SETTING_SIZE)
		return buf;
	if (row->minimum > lowest)
		setting_row_bound(row, row->minimum, low, sizeof(low));
	if (row->maximum < INT64_MAX)
		setting_row_bound(row, row->maximum, high, sizeof(high));
	if (low[0] != '\0' || high[0] != '\0')
		snprintf(buf, size, "%s..%s", low, high);
	return buf;
}

static bool
setting_row_is_within(const struct bay_setting *row, const char *text, int64_t number,
	struct buffer *error)
{
	char range[72];

	if (number >= row->minimum && number <= row->maximum)
		return true;
	return buffer_fail(error, "%.100s is not within %s", text,
		setting_row_range(row, range, sizeof(range)));
}

/* --- choices ---------------------------------------------------------------------- */

bool
setting_next_choice(const char **choices, const char **word_r, size_t *length_r)
{
	if (*choices == NULL)
		return false;
	*word_r = *choices;
	*length_r = strcspn(*choices, "|");
	*choices = (*choices)[*length_r] == '|' ? *choices + *length_r + 1 : NULL;
	return true;
}

static bool
setting_row_fail_choice(const struct bay_setting *row, const char *text, struct buffer *error)
{
	const char *words[SETTING_CHOICES_MAX] = {NULL};
	char *copies[SETTING_CHOICES_MAX];
	const char *rest = row->choices, *nearest;
	size_t count = 0, length;

	while (count < SETTING_CHOICES_MAX && setting_next_choice(&rest, &words[count], &length)) {
		copies[count] = xstrndup(words[count], length);
		words[count] = copies[count];
		count++;
	}
	nearest = text_nearest(text, words, count);
	(void)buffer_fail(error, "'%.100s' is not one of %s", text, row->choices);
	if (nearest != NULL)
		(void)buffer_fail(error, "; did you mean '%s'?", nearest);
	while (count > 0)
		free(copies[--count]);
	return false;
}

static bool
setting_row_read_choice(const struct bay_setting *row, const char *text, int64_t *number_r,
	struct buffer *error)
{
	const char *rest = row->choices, *word;
	int64_t index = 0;
	size_t length;

	for (; setting_next_choice(&rest, &word, &length); index++)
		if (strlen(text) == length && memcmp(text, word, length) == 0) {
			*number_r = index;
			return true;
		}
	return setting_row_fail_choice(row, text, error);
}

/* --- reading ---------------------------------------------------------------------- */

static bool
setting_row_not(const struct bay_setting *row, const char *text, struct buffer *error)
{
	return buffer_fail(error, "'%.100s' is not %s", text, setting_types[row->type].example);
}

bool
setting_row_read(const struct bay_setting *row, const char *text, union setting_field *field_r,
	struct buffer *error)
{
	switch (row->type) {
	case BAY_SETTING_INT64:
		if (!text_parse_int64(text, &field_r->number))
			return setting_row_not(row, text, error);
		return setting_row_is_within(row, text, field_r->number, error);
	case BAY_SETTING_BOOL:
		return text_parse_bool(text, &field_r->yes) || setting_row_not(row, text, error);
	case BAY_SETTING_DURATION:
		return text_parse_duration_ns(text, &field_r->number) ||
			setting_row_not(row, text, error);
	case BAY_SETTING_SIZE:
		if (!text_parse_size(text, &field_r->bytes) || field_r->bytes > INT64_MAX)
			return setting_row_not(row, text, error);
		return setting_row_is_within(row, text, (int64_t)field_r->bytes, error);
	case BAY_SETTING_STRING:
		field_r->text = text;
		return true;
	case BAY_SETTING_CHOICE:
		return setting_row_read_choice(row, text, &field_r->number, error);
	default:
		return buffer_fail(error, "its type %u is unknown", row->type);
	}
}
