/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process that loads the plugins of bay-cell solo and does with them what is wanted: calls,
 * reads requests from standard input, or lets them run.
 */
#ifndef BAY_SOLO_SOLO_WORK_H
#define BAY_SOLO_SOLO_WORK_H

#include <stdatomic.h>

struct solo_print;
struct solo_words;
struct status_page;

/* In memory that the parent sees: without the last word, the process did not end by itself. */
struct solo_outcome {
	atomic_bool done;
	atomic_int code; /* an exit code of bayctl */
};

/* Does it all. The caller has blocked SIGINT and SIGTERM. Returns an exit code. */
int solo_work(const struct solo_words *words, const struct solo_print *print, struct status_page *page,
	struct solo_outcome *outcome);

#endif
