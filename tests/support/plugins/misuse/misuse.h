/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin that does everything wrong: each request names a mistake. tests/system/test_misuse.sh
 * knows what has to be said of it, and that nobody else suffers.
 */
#ifndef BAY_TESTS_MISUSE_H
#define BAY_TESTS_MISUSE_H

struct bay_request;

struct mistake {
	const char *name;
	void (*make)(void);
};

/* With a request at hand; it answers. */
struct wrong {
	const char *name;
	int (*make)(struct bay_request *request);
};

/* Each is ended by a NULL name. */
extern const struct mistake null_mistakes[];
extern const struct wrong wrongs[];

/* Runs fn(arg) on a thread of the plugin's own and waits for its end. */
void misuse_on_thread(void *(*fn)(void *), void *arg);

#endif
