/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of bay-cell solo, which bayctl has checked and written. */
#ifndef BAY_SOLO_SOLO_WORDS_H
#define BAY_SOLO_SOLO_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "solo/solo.h"

/* A service that is run: the last one is the one that is called, the others are for it. */
struct solo_wanted {
	char *name;
	const char *file;
	const char **settings;  /* "key=value", ended by NULL */
	size_t setting_count;
};

struct solo_words {
	struct solo_wanted services[SOLO_SERVICES];
	size_t count;
	const char *text;       /* of --call, or NULL */
	bool repl;
	bool virtual_time;
	bool json;
	bool quiet;
	int64_t timeout_ns;     /* of each call; 0: none */
};

/* False: *error_r says what is wrong, malloc'd. Strings are borrowed from argv, whose first word
 * is the mode. Finish in either case. */
bool solo_words_parse(struct solo_words *words, int argc, char **argv, char **error_r)
	__attribute__((warn_unused_result));

void solo_words_finish(struct solo_words *words);

#endif
