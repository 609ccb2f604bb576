/* SPDX-License-Identifier: BSD-2-Clause */
#include "words.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <bay/memory.h>
#include <bay/status.h>

/* Puts a word, which it takes, at the end. */
static int
words_push(struct words *words, char *word)
{
	const char **list = word != NULL ? bay_resize(words->list, (words->count + 2) * sizeof *list) : NULL;

	if (list == NULL) {
		bay_free(word);
		return BAY_NO_MEMORY;
	}
	words->list = list;
	words->list[words->count++] = word;
	return BAY_OK;
}

static bool
is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* Copies the word at *from without its quotes and goes behind it; NULL: a quote is not closed. */
static const char *
words_copy_one(char *to, const char *from)
{
	char quote = '\0';

	for (; *from != '\0' && (quote != '\0' || !is_blank(*from)); from++) {
		if (quote == '\0' && (*from == '\'' || *from == '"')) {
			quote = *from;
		} else if (*from == quote) {
			quote = '\0';
		} else {
			if (*from == '\\' && quote != '\'' && from[1] != '\0' &&
				(quote == '\0' || from[1] == '"' || from[1] == '\\'))
				from++;
			*to++ = *from;
		}
	}
	*to = '\0';
	return quote == '\0' ? from : NULL;
}

int
words_init(struct words *words, const char *text, const char **why_r)
{
	*words = (struct words){.count = 0};
	*why_r = "no memory";
	words->list = bay_alloc(sizeof *words->list);
	if (words->list == NULL)
		return BAY_NO_MEMORY;
	for (;;) {
		char *word;

		while (is_blank(*text))
			text++;
		if (*text == '\0')
			return BAY_OK;
		word = bay_alloc(strlen(text) + 1);
		if (word == NULL)
			return BAY_NO_MEMORY;
		text = words_copy_one(word, text);
		if (text == NULL) {
			bay_free(word);
			*why_r = "a quote is not closed";
			return BAY_INVALID;
		}
		if (words_push(words, word) != BAY_OK)
			return BAY_NO_MEMORY;
	}
}

int
words_add(struct words *words, const char *head, const char *tail)
{
	size_t head_length = strlen(head), tail_size = strlen(tail) + 1;
	char *word = bay_alloc(head_length + tail_size);

	if (word != NULL) {
		memcpy(word, head, head_length);
		memcpy(word + head_length, tail, tail_size);
	}
	return words_push(words, word);
}

void
words_finish(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		bay_free((void *)(uintptr_t)words->list[i]);
	bay_free(words->list);
	*words = (struct words){.count = 0};
}
