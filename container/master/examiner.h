/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Has plugins examined before they are loaded: one bay-cell examine after the other does
 * the looking, so that a plugin that crashes, exits or hangs while it is loaded ends that
 * process and nothing else.
 *
 *	submit, submit, ...  ->  queue  ->  one examiner, one image at a time  ->  callbacks
 *	                               \->  another one, while that is slow    ->
 *
 * The process is thrown away when the queue is empty. When it dies over an image that was
 * not its first, another one looks at that image again: only who ends a fresh examiner is
 * to blame. An image that takes a tenth of its time is slow: it does not keep the others
 * waiting, up to a number of them, and if it was not the first of its process it begins
 * anew in a fresh one.
 *
 * Master only, on the thread of the event base.
 */
#ifndef BAY_MASTER_EXAMINER_H
#define BAY_MASTER_EXAMINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/cell_link.h"

struct event_base;
struct examination;
struct examiner;
struct image;
struct program;

/*
 * The verdict on one image, borrowed for the call. Also what ended the examiner or kept it
 * from starting is a verdict: not ok, with the reason. May submit and cancel others.
 */
typedef void examiner_done_fn(const struct cell_verdict *verdict, void *arg);

/*
 * program is bay-cell, copied. An image that has no verdict after timeout_ns hangs. Starts
 * no process yet. NULL: libevent has no memory.
 */
struct examiner *examiner_create(struct event_base *base, const struct program *program,
	int64_t timeout_ns)
	__attribute__((warn_unused_result));

/* Kills the process; the images that wait get no verdict. NULL is fine. */
void examiner_destroy(struct examiner *examiner);

/*
 * Has an image looked at, with the settings of the services that are to use it; everything
 * is copied. done(verdict, arg) is called once, later, unless it is cancelled. Returns a
 * handle, borrowed until then, for examiner_cancel. NULL: the settings are no UTF-8, or no
 * descriptor is left; done is not called.
 */
struct examination *examiner_submit(struct examiner *examiner, const struct image *image,
	const struct cell_examine_service *services, size_t count, examiner_done_fn *done,
	void *arg)
	__attribute__((warn_unused_result));

/* Nobody wants the verdict any more. */
void examiner_cancel(struct examiner *examiner, struct examination *examination);

/* How many have been submitted and have no verdict yet. */
size_t examiner_pending(const struct examiner *examiner);

#endif
