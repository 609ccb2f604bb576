/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of a plugin's admin verbs: whether it makes sense, and from the words of an
 * operator to the struct that a verb wants.
 *
 *	table + "forget", {"raven", "all=yes"}   ->   | struct forget | "raven" NUL |
 *
 * Any thread; never suspends.
 */
#ifndef BAY_SERVICE_VERB_TABLE_H
#define BAY_SERVICE_VERB_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include <bay/verb.h>

struct buffer;
struct settings;

enum {
	VERB_TABLE_ROWS_MAX = 64,
	VERB_NAME_MAX = 31,
	VERB_HELP_MAX = 1024,
	VERB_ARGUMENTS_MAX = 16
};

/* Whether the table makes sense. False: the reason is appended to error. NULL is fine. */
bool verb_table_check(const struct bay_verb *table, struct buffer *error)
	__attribute__((warn_unused_result));

/* The rows without the one that ends it; 0 for NULL. */
size_t verb_table_rows(const struct bay_verb *table);

/* NULL: there is none of this name. */
const struct bay_verb *verb_table_find(const struct bay_verb *table, const char *name);

/* "viewer", "operator", "admin"; of a checked role. */
const char *verb_role_name(uint32_t role);

/*
 * Fills the struct of a verb from the words behind its name; *arguments_r is the caller's, to be
 * freed with settings_unref (NULL: it takes none). False: what is wrong with which argument is
 * appended to error.
 */
bool verb_read_arguments(const struct bay_verb *verb, const char *const *words, size_t count,
	struct settings **arguments_r, struct buffer *error)
	__attribute__((warn_unused_result));

#endif
