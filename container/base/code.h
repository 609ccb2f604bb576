/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stable codes of what can go wrong: short words that an operator can search for, in a log, in
 * the output of bayctl and in "bayctl explain". They never change their meaning.
 *
 * A text for people carries its code at its very end, "it needs ABI 2.0, ... [plugin-abi]", so it
 * gets wherever the text goes; who hands the text on to a program splits it off.
 *
 * Any thread; never suspends.
 */
#ifndef BAY_BASE_CODE_H
#define BAY_BASE_CODE_H

#include <stdbool.h>
#include <stddef.h>

struct buffer;

struct code {
	const char *slug;    /* "plugin-abi": small letters, digits and dashes */
	const char *meaning; /* one line */
	const char *remedy;  /* what to do, a paragraph */
};

/* code_table.c: sorted by the slug, ended by NULL. */
extern const struct code codes[];

/* NULL: there is no such code. */
const struct code *code_find(const char *slug);

/* The code that this one is most likely a slip of, or NULL. */
const char *code_nearest(const char *slug);

/* The length of a text without the code that it ends in; *code_r is that, or NULL. */
size_t code_split(const char *text, const struct code **code_r);

/* Gives what an error says a code, unless it has one, and returns false, for
 * "return check(error) || code_fail(error, "plugin-abi")". */
bool code_fail(struct buffer *error, const char *slug);

/* The same for a text on the heap, which is taken; the caller's. NULL stays NULL. */
char *code_text(char *text, const char *slug)
	__attribute__((warn_unused_result));

#endif
