/* SPDX-License-Identifier: BSD-2-Clause */
/* What beginners do: the right functions at the wrong moment. */
#include "misuse.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bay/bay.h>

/* A compiler that sees the mistakes is kept quiet. */
#pragma GCC diagnostic ignored "-Wunused-result"
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#pragma GCC diagnostic ignored "-Wuse-after-free"
#endif

/* Kept from one request to a later one, which is a mistake for most of them. */
static struct bay_request *kept_request;
static struct bay_task *kept_task;
static struct bay_lock *kept_lock;

static int
survive(struct bay_request *request)
{
	return bay_reply_text(request, "survived");
}

/* --- threads and tasks --------------------------------------------------------------- */

static void *
sleep_here(void *arg)
{
	(void)arg;
	bay_sleep(BAY_MS);
	return NULL;
}

static int
sleep_on_thread(struct bay_request *request)
{
	misuse_on_thread(sleep_here, NULL);
	return survive(request);
}

static void *
reply_here(void *request)
{
	bay_reply_text(request, "from afar");
	return NULL;
}

static int
reply_on_thread(struct bay_request *request)
{
	misuse_on_thread(reply_here, request);
	return survive(request);
}

static void *
acquire_here(void *lock)
{
	bay_lock_acquire(lock, BAY_INHERIT);
	return NULL;
}

static int
lock_on_thread(struct bay_request *request)
{
	struct bay_lock *lock = bay_lock_create("mine");

	misuse_on_thread(acquire_here, lock);
	bay_lock_destroy(lock);
	return survive(request);
}

static int
block_and_sleep(void *arg)
{
	(void)arg;
	return bay_sleep(BAY_MS);
}

static int
sleep_in_blocking(struct bay_request *request)
{
	int result;

	bay_blocking("sleeper", block_and_sleep, NULL, NULL, &result, BAY_INHERIT);
	return survive(request);
}

static void
sleep_at_end(struct bay_task *task, int status, void *arg)
{
	(void)task;
	(void)status;
	(void)arg;
	bay_sleep(BAY_MS);
}

static int
end_at_once(void *arg)
{
	(void)arg;
	return BAY_OK;
}

static int
sleep_in_callback(struct bay_request *request)
{
	struct bay_task *task = bay_spawn("short", end_at_once, NULL);

	bay_task_add_callback(task, sleep_at_end, NULL);
	bay_join(task, BAY_INHERIT);
	return survive(request);
}

/* --- answers ------------------------------------------------------------------------- */

static int
reply_twice(struct bay_request *request)
{
	bay_reply_text(request, "first");
	return bay_reply_int64(request, 2);
}

static int
fail_after_reply(struct bay_request *request)
{
	bay_reply_text(request, "first");
	bay_fail(request, BAY_FAILED, "second thoughts");
	return BAY_OK;
}

static int
forget_to_reply(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

static int
keep_request(struct bay_request *request)
{
	kept_request = request;
	bay_sleep(BAY_MS);
	return survive(request);
}

static int
reply_late(struct bay_request *request)
{
	if (kept_request == request)
		return bay_fail(request, BAY_BUSY, "it is the same piece of memory");
	bay_reply_text(kept_request, "late");
	bay_fail(kept_request, BAY_FAILED, "late");
	return survive(request);
}

/* --- messages and memory -------------------------------------------------------------- */

static int
free_lent_message(struct bay_request *request)
{
	bay_message_free((struct bay_message *)(uintptr_t)bay_request_message(request));
	return survive(request);
}

static int
free_message_twice(struct bay_request *request)
{
	struct bay_message *message = bay_message("x", 1);

	bay_message_free(message);
	bay_message_free(message);
	return survive(request);
}

static int
free_large_message_twice(struct bay_request *request)
{
	struct bay_message *message = bay_message(NULL, 0);
	char *bytes = calloc(1, 1000);

	bay_message_free(message);
	message = bay_message(bytes, 1000);
	free(bytes);
	bay_message_free(message);
	bay_message_free(message);
	return survive(request);
}

static int
free_memory_twice(struct bay_request *request)
{
	void *memory = bay_alloc(100);

	bay_free(memory);
	bay_free(memory);
	return survive(request);
}

static int
free_foreign_memory(struct bay_request *request)
{
	bay_free((char *)calloc(1, 100) + 50);
	return survive(request);
}

/* --- handles that are gone ------------------------------------------------------------- */

static int
use_destroyed_channel(struct bay_request *request)
{
	struct bay_channel *channel = bay_channel_create(1);

	bay_channel_destroy(channel);
	bay_channel_put(channel, NULL, BAY_INHERIT);
	return survive(request);
}

static int
use_destroyed_lock(struct bay_request *request)
{
	struct bay_lock *lock = bay_lock_create("gone");

	bay_lock_destroy(lock);
	bay_lock_acquire(lock, BAY_INHERIT);
	return survive(request);
}

static int
use_closed_stream(struct bay_request *request)
{
	struct bay_stream *a, *b;

	if (bay_stream_pair(&a, &b) != BAY_OK)
		return bay_fail(request, BAY_IO, "no pair");
	bay_stream_abort(a);
	bay_stream_write(a, "x", 1, BAY_INHERIT);
	bay_stream_abort(b);
	return survive(request);
}

static int
use_closed_scope(struct bay_request *request)
{
	struct bay_scope *scope = bay_scope_open(BAY_INHERIT);

	bay_scope_close(scope);
	bay_scope_go(scope, "late", end_at_once, NULL);
	return survive(request);
}

static int
free_task_twice(struct bay_request *request)
{
	struct bay_task *task = bay_spawn("short", end_at_once, NULL);

	bay_sleep(BAY_MS);
	bay_task_free(task);
	bay_task_free(task);
	return survive(request);
}

static int
keep_task(struct bay_request *request)
{
	kept_task = bay_spawn("kept", end_at_once, NULL);
	return survive(request);
}

static int
join_kept_task(struct bay_request *request)
{
	bay_join(kept_task, bay_after(100 * BAY_MS));
	return survive(request);
}

/* --- owners ----------------------------------------------------------------------------- */

static int
release_what_is_not_mine(struct bay_request *request)
{
	struct bay_lock *lock = bay_lock_create("free");

	bay_lock_release(lock);
	bay_lock_destroy(lock);
	return survive(request);
}

static int
lock_twice(struct bay_request *request)
{
	struct bay_lock *lock = bay_lock_create("own");

	bay_lock_acquire(lock, BAY_INHERIT);
	bay_lock_acquire(lock, BAY_INHERIT);
	bay_lock_release(lock);
	bay_lock_destroy(lock);
	return survive(request);
}

static int
join_myself(struct bay_request *request)
{
	bay_join(bay_task_current(), BAY_INHERIT);
	return survive(request);
}

static int
free_myself(struct bay_request *request)
{
	bay_task_free(bay_task_current());
	return survive(request);
}

static int
keep_lock(struct bay_request *request)
{
	if (kept_lock == NULL)
		kept_lock = bay_lock_create("kept");
	return survive(request);
}

/* Of a service with an instance on each loop, another one made it, sooner or later. */
static int
use_kept_lock(struct bay_request *request)
{
	if (bay_lock_acquire(kept_lock, BAY_INHERIT) == BAY_OK)
		bay_lock_release(kept_lock);
	return survive(request);
}

/* --- the loop ----------------------------------------------------------------------------- */

static int
hold_the_loop(struct bay_request *request)
{
	int64_t end = bay_now() + 1500 * BAY_MS;
	struct timespec now;

	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((int64_t)now.tv_sec * BAY_SECOND + now.tv_nsec < end);
	return survive(request);
}

const struct wrong wrongs[] = {
	{"sleep-on-thread", sleep_on_thread},
	{"reply-on-thread", reply_on_thread},
	{"lock-on-thread", lock_on_thread},
	{"sleep-in-blocking", sleep_in_blocking},
	{"sleep-in-callback", sleep_in_callback},
	{"reply-twice", reply_twice},
	{"fail-after-reply", fail_after_reply},
	{"forget-to-reply", forget_to_reply},
	{"keep-request", keep_request},
	{"reply-late", reply_late},
	{"free-lent-message", free_lent_message},
	{"free-message-twice", free_message_twice},
	{"free-large-message-twice", free_large_message_twice},
	{"free-memory-twice", free_memory_twice},
	{"free-foreign-memory", free_foreign_memory},
	{"use-destroyed-channel", use_destroyed_channel},
	{"use-destroyed-lock", use_destroyed_lock},
	{"use-closed-stream", use_closed_stream},
	{"use-closed-scope", use_closed_scope},
	{"free-task-twice", free_task_twice},
	{"keep-task", keep_task},
	{"join-kept-task", join_kept_task},
	{"release-what-is-not-mine", release_what_is_not_mine},
	{"lock-twice", lock_twice},
	{"join-myself", join_myself},
	{"free-myself", free_myself},
	{"keep-lock", keep_lock},
	{"use-kept-lock", use_kept_lock},
	{"hold-the-loop", hold_the_loop},
	{NULL, NULL}
};
