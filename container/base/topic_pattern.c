/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/topic_pattern.h"

#include <string.h>

#include <bay/topic.h>

/* The end of a token: its dot, or the end of the text. */
static const char *
token_end(const char *token)
{
	return token + strcspn(token, ".");
}

static bool
token_is(const char *token, char letter)
{
	return token[0] == letter && (token[1] == '\0' || token[1] == '.');
}

/* Without wildcards. */
static bool
token_is_plain(const char *token, const char *end)
{
	const char *pos;

	for (pos = token; pos < end; pos++) {
		if ((unsigned char)*pos <= ' ' || *pos == 0x7f || *pos == '*' || *pos == '>')
			return false;
	}
	return end > token;
}

static bool
topic_check(const char *text, bool wild)
{
	const char *token = text, *end;

	if (strnlen(text, BAY_TOPIC_MAX + 1) > BAY_TOPIC_MAX)
		return false;
	for (;; token = end + 1) {
		end = token_end(token);
		if (wild && token_is(token, '>'))
			return *end == '\0';
		if (!(wild && token_is(token, '*')) && !token_is_plain(token, end))
			return false;
		if (*end == '\0')
			return true;
	}
}

bool
topic_is_valid(const char *topic)
{
	return topic_check(topic, false);
}

bool
topic_pattern_is_valid(const char *pattern)
{
	return topic_check(pattern, true);
}

bool
topic_pattern_is_wild(const char *pattern)
{
	return strpbrk(pattern, "*>") != NULL;
}

bool
topic_pattern_matches(const char *pattern, const char *topic)
{
	for (;;) {
		const char *pattern_end = token_end(pattern), *topic_end = token_end(topic);

		if (token_is(pattern, '>'))
			return true;
		if (!token_is(pattern, '*') && (pattern_end - pattern != topic_end - topic ||
			memcmp(pattern, topic, (size_t)(topic_end - topic)) != 0))
			return false;
		if (*pattern_end == '\0' || *topic_end == '\0')
			return *pattern_end == *topic_end;
		pattern = pattern_end + 1;
		topic = topic_end + 1;
	}
}
