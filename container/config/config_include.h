/* SPDX-License-Identifier: BSD-2-Clause */
/* Which files a file includes: patterns, what they match, and who is reading whom. */
#ifndef BAY_CONFIG_CONFIG_INCLUDE_H
#define BAY_CONFIG_CONFIG_INCLUDE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct config_report;

/* Files that include files that include ... */
enum { CONFIG_INCLUDE_DEPTH = 8 };

/* A name or shell pattern, and the line that asks for it. */
struct config_pattern {
	char *text;
	unsigned line;
};

/* A zeroed struct is an empty list. */
struct config_patterns {
	struct config_pattern *list;
	size_t count;
};

/* Adds the patterns of an include key, one a line. */
void config_patterns_add(struct config_patterns *patterns, const char *value, unsigned line);

void config_patterns_finish(struct config_patterns *patterns);

/*
 * Adds to names the files that a pattern in a line of this file means, sorted, relative to the file's
 * directory and named as the file is. A plain name is taken as it is; a pattern that matches
 * nothing adds nothing.
 */
void config_pattern_match(const char *pattern, unsigned line, const char *file,
	struct config_patterns *names, struct config_report *report);

/* A file that is being read, the one that includes it, and so on. */
struct config_chain {
	const char *file;
	const struct config_chain *includer; /* NULL: the main file */
	unsigned depth;                      /* 0: the main file */
	dev_t device;
	ino_t inode;
};

/*
 * Returns why the file of link may not be read below the rest of its chain (it includes
 * itself, or the chain is too long), or NULL when it may; the caller frees.
 */
char *config_chain_fault(const struct config_chain *link)
	__attribute__((warn_unused_result));

/* Returns the directory part of a file name with its slash, or ""; the caller frees. */
char *config_dir_of(const char *file)
	__attribute__((warn_unused_result));

#endif
