/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Saves a key in a file of the configuration on a thread of its own: the file has to be on the disk
 * before it takes its name, which a busy disk makes last for seconds, and the master waits for nobody.
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_CONFIG_SAVER_H
#define BAY_MASTER_CONFIG_SAVER_H

#include <stdbool.h>

struct config_place;
struct config_saver;
struct event_base;

/* why: NULL, and the key is in this line of the file now; or the reason why nothing has changed.
 * Borrowed for the call. The saver is gone when this is called. */
typedef void config_saver_fn(unsigned line, const char *why, void *arg);

/* Begins, as config_edit_file does it; strings are copied. done(line, why, arg) is called from the
 * event loop. */
struct config_saver *config_saver_begin(struct event_base *base, const char *path,
	const struct config_place *place, const char *key, const char *value, config_saver_fn *done,
	void *arg)
	__attribute__((warn_unused_result));

/* Waits until it has saved, or could not; nobody is told. NULL is fine. */
void config_saver_destroy(struct config_saver *saver);

#endif
