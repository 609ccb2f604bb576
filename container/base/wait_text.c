/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/wait_text.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"

enum {
	TEXT_HEAD = 8, /* names at the begin that are shown, */
	TEXT_TAIL = 4  /* and at the end, the first again among them */
};

/* Takes both. */
static char *
wait_text_join(char *text, char *name)
{
	char *longer;

	if (name == NULL)
		return text;
	if (text == NULL)
		return name;
	longer = xasprintf("%s -> %s", text, name);
	free(text);
	free(name);
	return longer;
}

/* From one of its nodes on; *cut_r: it is not all of it. */
static char *
wait_text_from(const uint64_t *circle, size_t length, size_t first, wait_name_fn *name, const void *arg, bool *cut_r)
{
	char *text = NULL, *tail[TEXT_TAIL + 1], *one;
	size_t begin = 0, end = length + 1, names = 0;

	while (begin < end && names < TEXT_HEAD) {
		one = name(circle[(first + begin++) % length], arg);
		names += one != NULL;
		text = wait_text_join(text, one);
	}
	/* From the end, until one more would not be shown. */
	for (names = 0; begin < end && names <= TEXT_TAIL;) {
		one = name(circle[(first + --end) % length], arg);
		if (one != NULL)
			tail[names++] = one;
	}
	*cut_r = names > TEXT_TAIL;
	if (*cut_r) {
		free(tail[--names]);
		text = wait_text_join(text, xstrdup("..."));
	}
	while (names > 0)
		text = wait_text_join(text, tail[--names]);
	return text != NULL ? text : xstrdup("");
}

char *
wait_text_of_circle(const uint64_t *circle, size_t length, wait_name_fn *name, const void *arg)
{
	size_t i, least = 0;
	bool cut;
	char *text = wait_text_from(circle, length, 0, name, arg, &cut);

	if (!cut)
		return text;
	free(text);
	for (i = 1; i < length; i++)
		least = circle[i] < circle[least] ? i : least;
	return wait_text_from(circle, length, least, name, arg, &cut);
}
