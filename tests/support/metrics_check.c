/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "support/metrics_check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each label takes at least as much of its line. */
enum { LINE_MAX_BYTES = 1024, LABELS_MAX_BYTES = 2 * LINE_MAX_BYTES, LINES_MAX = 20000 };

struct check {
	bool typed;
	unsigned line;
	char family[128];
	char type[32];
	int stage;              /* 1: help, 2: type, 3: unit, 4: samples */
	char series[LABELS_MAX_BYTES]; /* of the histogram that has begun, without le */
	double le;
	double seen;            /* in the bucket before */
	bool infinite;          /* its last bucket has come */
	bool ended;
};

static char complaint[2 * LINE_MAX_BYTES];
static char *earlier[LINES_MAX]; /* families and series that have been */
static size_t earlier_count;

static bool
wrong(const struct check *check, const char *what, const char *line)
{
	snprintf(complaint, sizeof complaint, "line %u: %s: %.512s", check->line, what, line);
	return false;
}

/* Remembers it. False: it was there before. */
static bool
is_new(const char *kind, const char *text)
{
	char whole[3 * LINE_MAX_BYTES + 16];

	snprintf(whole, sizeof whole, "%s %s", kind, text);
	for (size_t i = 0; i < earlier_count; i++)
		if (strcmp(earlier[i], whole) == 0)
			return false;
	if (earlier_count < LINES_MAX)
		earlier[earlier_count++] = strdup(whole);
	return true;
}

static size_t
name_length(const char *text)
{
	size_t n = 0;

	if (isdigit((unsigned char)text[0]))
		return 0;
	while (isalnum((unsigned char)text[n]) || text[n] == '_')
		n++;
	return n;
}

static bool
ends_with(const char *text, const char *end)
{
	size_t a = strlen(text), b = strlen(end);

	return a >= b && strcmp(text + a - b, end) == 0;
}

static bool
check_comment(struct check *check, const char *line)
{
	static const char *const kinds[] = {"# HELP ", "# TYPE ", "# UNIT "};
	static const char *const types[] = {"counter", "gauge", "histogram"};
	const char *rest;
	size_t length;
	int kind = 0;
	bool known = false;

	while (kind < 3 && strncmp(line, kinds[kind], 7) != 0)
		kind++;
	if (kind == 3)
		return wrong(check, "a comment of no kind", line);
	length = name_length(line + 7);
	rest = line + 7 + length;
	if (length == 0 || length >= sizeof check->family || *rest != ' ' || rest[1] == '\0')
		return wrong(check, "name and text are wanted", line);
	rest++;
	if (kind == 0) {
		snprintf(check->family, sizeof check->family, "%.*s", (int)length, line + 7);
		check->type[0] = '\0';
		check->stage = 0;
		check->series[0] = '\0';
		if (!is_new("family", check->family))
			return wrong(check, "a family comes again", line);
	}
	if (strlen(check->family) != length || memcmp(check->family, line + 7, length) != 0)
		return wrong(check, "of another family", line);
	if (check->stage > kind)
		return wrong(check, "help, type, unit and samples come in this order", line);
	check->stage = kind + 1;
	if (kind == 1) {
		for (size_t i = 0; i < 3; i++)
			known |= strcmp(rest, types[i]) == 0;
		if (!known)
			return wrong(check, "no type", line);
		snprintf(check->type, sizeof check->type, "%s", rest);
		if (strcmp(rest, "counter") == 0 && (!check->typed || !ends_with(check->family, "_total")))
			return wrong(check, "a counter by a wrong name", line);
		if (strcmp(rest, "counter") != 0 && ends_with(check->family, "_total"))
			return wrong(check, "only counters are totals", line);
	}
	if (kind == 2 && !ends_with(check->family, rest))
		return wrong(check, "the name does not end with the unit", line);
	return true;
}

/* Reads {name="value",...}; le is kept apart. Returns what follows, NULL when it is wrong. */
static const char *
check_labels(const char *at, char *labels, char *le)
{
	char value[LINE_MAX_BYTES];

	size_t used = 0;

	labels[0] = le[0] = '\0';
	if (*at != '{')
		return at;
	do {
		size_t length = name_length(++at), n = 0;
		const char *name = at;

		at += length;
		if (length == 0 || at[0] != '=' || at[1] != '"')
			return NULL;
		for (at += 2; *at != '"'; at++) {
			if (*at == '\0' || n + 2 >= sizeof value)
				return NULL;
			if (*at == '\\') {
				value[n++] = *at++;
				if (*at != '\\' && *at != '"' && *at != 'n')
					return NULL;
			}
			value[n++] = *at;
		}
		value[n] = '\0';
		at++;
		if (length == 2 && strncmp(name, "le", 2) == 0)
			snprintf(le, 64, "%.60s", value);
		else
			used += (size_t)snprintf(labels + used, LABELS_MAX_BYTES - used, "%.*s=%s;", (int)length, name,
				value);
	} while (*at == ',');
	return *at == '}' ? at + 1 : NULL;
}

static bool
check_bucket(struct check *check, const char *labels, const char *le, double value, const char *line)
{
	bool infinite = strcmp(le, "+Inf") == 0;
	double bound = infinite ? 1e300 : strtod(le, NULL);

	if (strcmp(check->series, labels) != 0) {
		snprintf(check->series, sizeof check->series, "%s", labels);
		check->seen = check->le = -1;
		check->infinite = false;
	}
	if (le[0] == '\0' || check->infinite || bound <= check->le)
		return wrong(check, "bounds go up to +Inf", line);
	if (value < check->seen)
		return wrong(check, "buckets add up", line);
	check->le = bound;
	check->seen = value;
	check->infinite = infinite;
	return true;
}

static bool
check_sample(struct check *check, const char *line)
{
	size_t length = name_length(line), family = strlen(check->family);
	char name[128], labels[LABELS_MAX_BYTES], le[64], series[3 * LINE_MAX_BYTES];
	bool histogram = strcmp(check->type, "histogram") == 0;
	const char *at, *suffix;
	double value;
	char *end;

	if (check->stage == 0 || (check->typed && check->type[0] == '\0'))
		return wrong(check, "without help and type", line);
	check->stage = 4;
	if (length < family || length >= sizeof name || memcmp(line, check->family, family) != 0)
		return wrong(check, "of another family", line);
	snprintf(name, sizeof name, "%.*s", (int)length, line);
	suffix = name + family;
	at = check_labels(line + length, labels, le);
	if (at == NULL || *at != ' ')
		return wrong(check, "the labels", line);
	value = strtod(at + 1, &end);
	if (end == at + 1 || *end != '\0' || value < 0)
		return wrong(check, "the number", line);
	snprintf(series, sizeof series, "%s{%s}%s", name, labels, le);
	if (!is_new("series", series))
		return wrong(check, "it was there before", line);
	if (!histogram)
		return *suffix == '\0' && le[0] == '\0' ? true : wrong(check, "no sample of its type", line);
	if (strcmp(suffix, "_bucket") == 0)
		return check_bucket(check, labels, le, value, line);
	if (!check->infinite || strcmp(check->series, labels) != 0)
		return wrong(check, "before all its buckets", line);
	if (strcmp(suffix, "_count") == 0)
		return value == check->seen ? true : wrong(check, "not what +Inf says", line);
	return strcmp(suffix, "_sum") == 0 ? true : wrong(check, "no sample of its type", line);
}

static bool
check_line(struct check *check, const char *line)
{
	if (check->ended)
		return wrong(check, "behind the end", line);
	if (strcmp(line, "# EOF") == 0 && !check->typed)
		return check->ended = true;
	return line[0] == '#' ? check_comment(check, line) : check_sample(check, line);
}

const char *
metrics_check(const char *text, bool typed)
{
	struct check check = {.typed = typed};
	char line[LINE_MAX_BYTES];
	bool good = true;

	while (good && *text != '\0') {
		size_t length = strcspn(text, "\n");

		check.line++;
		snprintf(line, sizeof line, "%.*s", (int)length, text);
		good = text[length] == '\n' && length < sizeof line ? check_line(&check, line) :
			wrong(&check, "no end of a line", line);
		text += length + (text[length] == '\n');
	}
	if (good && !typed && !check.ended)
		good = wrong(&check, "no end", "");
	while (earlier_count > 0)
		free(earlier[--earlier_count]);
	return good ? NULL : complaint;
}
