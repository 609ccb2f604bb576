/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/code.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"

enum { CODE_SLUG_MAX = 31, CODES_MAX = 256 };

const struct code *
code_find(const char *slug)
{
	for (const struct code *code = codes; code->slug != NULL; code++)
		if (strcmp(code->slug, slug) == 0)
			return code;
	return NULL;
}

const char *
code_nearest(const char *slug)
{
	const char *slugs[CODES_MAX];
	size_t count = 0;

	while (codes[count].slug != NULL && count < CODES_MAX) {
		slugs[count] = codes[count].slug;
		count++;
	}
	return text_nearest(slug, slugs, count);
}

size_t
code_split(const char *text, const struct code **code_r)
{
	const char *open = strrchr(text, '[');
	size_t length = strlen(text);
	char slug[CODE_SLUG_MAX + 1];
	size_t size;

	*code_r = NULL;
	if (open == NULL || open == text || open[-1] != ' ' || text[length - 1] != ']')
		return length;
	size = (size_t)(text + length - open) - 2;
	if (size == 0 || size > CODE_SLUG_MAX)
		return length;
	memcpy(slug, open + 1, size);
	slug[size] = '\0';
	*code_r = code_find(slug);
	return *code_r != NULL ? (size_t)(open - text) - 1 : length;
}

bool
code_fail(struct buffer *error, const char *slug)
{
	const struct code *code;
	const char *text = buffer_text(error);

	if (text == NULL || *text == '\0')
		return false;
	(void)code_split(text, &code);
	return code != NULL ? false : buffer_fail(error, " [%s]", slug);
}

char *
code_text(char *text, const char *slug)
{
	const struct code *code;
	char *longer;

	if (text == NULL)
		return NULL;
	(void)code_split(text, &code);
	if (code != NULL)
		return text;
	longer = xasprintf("%s [%s]", text, slug);
	free(text);
	return longer;
}
