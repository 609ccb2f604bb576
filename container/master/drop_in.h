/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes what is put into plugin_dir while bayd runs: the directory is watched (dir_watch.h),
 * what has changed is found by comparing (drop_in_state.h), and then
 *
 *	a changed file    is examined; services that run its plugin get the new code, those that
 *	                  failed for want of it are started
 *	a new file        that no service names becomes one, with autoload = yes
 *	a removed file    ends the service that it had become; of others it is noted
 *
 * Files are worked on a few at a time, so that a burst of them starves nobody. What is refused is
 * an event, and is not tried again until the file changes. Master only; never suspends.
 */
#ifndef BAY_MASTER_DROP_IN_H
#define BAY_MASTER_DROP_IN_H

#include <stddef.h>

struct drop_in;
struct event_base;
struct master;
struct master_service;

/* Notes what is in the directory now, before the services' plugins are examined for the first
 * time. What of master it uses is borrowed. */
struct drop_in *drop_in_create(struct master *master)
	__attribute__((warn_unused_result));

/* Begins to watch, once the services have started. */
void drop_in_start(struct drop_in *drop_in);

/* Takes nothing more: bayd is stopping. NULL is fine. */
void drop_in_stop(struct drop_in *drop_in);

/* After the services and the examination, which may still call it. NULL is fine. */
void drop_in_destroy(struct drop_in *drop_in);

#endif
