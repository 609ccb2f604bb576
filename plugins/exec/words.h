/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A text taken apart into words, as a shell does it and with nothing else that a shell does:
 *
 *	blanks separate              tr a-z A-Z
 *	'all of this is one word'
 *	"the same, where \" and \\ are a quote and a backslash"
 *	a backslash\ and its successor, outside quotes
 */
#ifndef EXEC_WORDS_H
#define EXEC_WORDS_H

#include <stddef.h>

struct words {
	const char **list;    /* NULL at the end */
	size_t count;
};

/* BAY_OK; BAY_INVALID: *why_r says what is wrong, borrowed for ever; BAY_NO_MEMORY likewise.
 * Whatever the status, words_finish() frees. */
int words_init(struct words *words, const char *text, const char **why_r);

/* Adds one of two parts at the end, which the list then owns. BAY_OK or BAY_NO_MEMORY. */
int words_add(struct words *words, const char *head, const char *tail);

void words_finish(struct words *words);

#endif
