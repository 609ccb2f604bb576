/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The certificates of <bay/tls.h>. Reading their files may take long, and that of the system's
 * authorities does: a helper thread does it. Whoever does not wait for that to its end leaves it
 * to itself; it is freed when it has come home, for which the loop waits in its own end.
 */
#include "config.h"

#include "io/tls.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/log.h"
#include "io/blocking_pool.h"
#include "io/tls_context.h"
#include "loop/loop.h"
#include "runtime/belonging.h"
#include "runtime/task.h"
#include "runtime/waitable.h"

enum { TLS_ERROR_SIZE = 256 };

struct bay_tls {
	struct waitable waitable;     /* first */
	struct belonging belonging;
	struct tls_recipe recipe;
	struct tls_context *context;  /* what new streams use */
	char *error;                  /* why the latest reload failed, malloc'd, or NULL */
};

/* Files that are being read. */
struct tls_reading {
	struct blocking_job job;
	struct belonging belonging;   /* to the scheduler, until it is home */
	struct waiter *waiter;        /* NULL: nobody wants it any more */
	bool is_late;                 /* the loop waits for it in its end, and frees it */
	bool is_home;
	struct tls_recipe recipe;
	struct tls_context *context;  /* what came of it, or NULL */
	int status;
	char error[TLS_ERROR_SIZE];
};

static struct blocking_lane tls_lane;
static pthread_once_t tls_lane_once = PTHREAD_ONCE_INIT;

static void
tls_lane_init(void)
{
	blocking_lane_init(&tls_lane);
}

/* --- reading the files -------------------------------------------------------------------------- */

static void
tls_reading_free(struct tls_reading *reading)
{
	belonging_remove(&reading->belonging);
	tls_context_unref(reading->context);
	tls_recipe_finish(&reading->recipe);
	free(reading);
}

/* On the helper thread. */
static void
tls_reading_on_thread(struct blocking_job *job)
{
	struct tls_reading *reading = container_of(job, struct tls_reading, job);

	reading->status = tls_context_create(&reading->recipe, &reading->context, reading->error,
		sizeof reading->error);
}

static void
tls_reading_on_home(struct inbox_item *item)
{
	struct tls_reading *reading = container_of(item, struct tls_reading, job.home);

	reading->is_home = true;
	if (reading->waiter != NULL) {
		belonging_remove(&reading->belonging);
		waiter_wake(reading->waiter, BAY_OK);
	} else if (!reading->is_late) {
		tls_reading_free(reading);
	}
}

/* The loop ends: what is on its way to it must arrive before. No task is left that could wait. */
static void
tls_reading_on_end(struct belonging *belonging)
{
	struct tls_reading *reading = container_of(belonging, struct tls_reading, belonging);
	const struct timespec moment = {.tv_nsec = 1000000};
	struct loop *loop = reading->job.loop;

	reading->is_late = true;
	while (!reading->is_home) {
		if (!loop_drain_inbox(loop))
			nanosleep(&moment, NULL);
	}
	tls_reading_free(reading);
}

static bool
tls_copy(char **copy_r, const char *text)
{
	*copy_r = text != NULL ? alloc_try_copy(text) : NULL;
	return text == NULL || *copy_r != NULL;
}

/* False: no memory; what has been copied is the caller's to free. */
static bool
tls_recipe_copy(struct tls_recipe *copy, const struct tls_recipe *recipe)
{
	copy->server = recipe->server;
	copy->verify_client = recipe->verify_client;
	copy->trust_anybody = recipe->trust_anybody;
	return tls_copy(&copy->certificate, recipe->certificate) && tls_copy(&copy->key, recipe->key) &&
		tls_copy(&copy->ca, recipe->ca) && tls_copy(&copy->alpn, recipe->alpn);
}

static struct tls_reading *
tls_reading_create(const struct tls_recipe *recipe)
{
	struct tls_reading *reading = alloc_try_zeroed(1, sizeof *reading);

	if (reading == NULL)
		return NULL;
	if (!tls_recipe_copy(&reading->recipe, recipe)) {
		tls_recipe_finish(&reading->recipe);
		free(reading);
		return NULL;
	}
	reading->job.home.run = tls_reading_on_home;
	reading->job.loop = &scheduler_here->loop;
	reading->job.run = tls_reading_on_thread;
	reading->job.elsewhere.slot = STATUS_NO_SLOT;
	snprintf(reading->job.elsewhere.name, sizeof reading->job.elsewhere.name, "TLS files");
	belonging_add_to_scheduler(&reading->belonging, "reading", tls_reading_on_end);
	return reading;
}

/* Reads the files that a recipe names. BAY_OK and a context, or a status and words. */
static int
tls_read_files(const struct tls_recipe *recipe, struct tls_context **context_r, char *error, size_t error_size,
	int64_t deadline)
{
	struct tls_reading *reading = tls_reading_create(recipe);
	struct waiter waiter;
	int status;

	if (reading == NULL)
		return BAY_NO_MEMORY;
	pthread_once(&tls_lane_once, tls_lane_init);
	waiter_init(&waiter, AWAIT_CANCELABLE);
	waiter.on = "files";
	reading->waiter = &waiter;
	status = blocking_submit(&tls_lane, &reading->job);
	if (status != BAY_OK) {
		tls_reading_free(reading);
		return status;
	}
	status = task_await(&waiter, deadline);
	reading->waiter = NULL;
	if (status != BAY_OK) {
		if (blocking_withdraw(&reading->job))
			tls_reading_free(reading);
		return status;
	}
	status = reading->status;
	*context_r = reading->context;
	reading->context = NULL;
	snprintf(error, error_size, "%s", reading->error);
	tls_reading_free(reading);
	return status;
}

/* --- <bay/tls.h> -------------------------------------------------------------------------------------- */

static void
tls_end(struct bay_tls *tls)
{
	belonging_remove(&tls->belonging);
	tls_context_unref(tls->context);
	tls_recipe_finish(&tls->recipe);
	free(tls->error);
	waitable_close(&tls->waitable);
}

static void
tls_on_forgotten(struct belonging *belonging)
{
	tls_end(container_of(belonging, struct bay_tls, belonging));
}

/* What is wrong with the options, or NULL. */
static const char *
tls_options_fault(const struct bay_tls_options *options)
{
	if (options == NULL || options->length != sizeof *options)
		return "length is not that of this container's options";
	if (options->server && options->trust_anybody)
		return "trust_anybody is for clients";
	if (!options->server && options->verify_client)
		return "verify_client is for servers";
	return NULL;
}

/* Of a context, which it takes when it succeeds. */
static struct bay_tls *
tls_make(const struct tls_recipe *recipe, struct tls_context *context)
{
	struct bay_tls *tls = waitable_create(sizeof *tls, "tls", NULL);

	if (tls == NULL)
		return NULL;
	belonging_add(&tls->belonging, "tls", tls_on_forgotten);
	if (!tls_recipe_copy(&tls->recipe, recipe)) {
		tls_end(tls);
		return NULL;
	}
	tls->context = context;
	return tls;
}

int
bay_tls_create(const struct bay_tls_options *options, struct bay_tls **tls_r, int64_t deadline)
{
	char error[TLS_ERROR_SIZE] = "";
	struct tls_context *context;
	struct tls_recipe recipe;
	const char *fault;
	int status;

	*tls_r = NULL;
	if (!AWAIT_BEGIN("bay_tls_create"))
		return BAY_INVALID;
	fault = tls_options_fault(options);
	if (fault != NULL) {
		log_error(task_subject(task_current()), "bay_tls_create: %s [misuse-argument]", fault);
		return BAY_INVALID;
	}
	if (await_is_over(task_current()))
		return await_over(task_current());
	/* Borrowed: nothing is written through these. */
	recipe = (struct tls_recipe){.server = options->server, .verify_client = options->verify_client,
		.trust_anybody = options->trust_anybody,
		.certificate = (char *)(uintptr_t)options->certificate, .key = (char *)(uintptr_t)options->key,
		.ca = (char *)(uintptr_t)options->ca, .alpn = (char *)(uintptr_t)options->alpn};
	status = tls_read_files(&recipe, &context, error, sizeof error, deadline);
	if (options->error != NULL && options->error_size > 0)
		snprintf(options->error, options->error_size, "%s", error);
	if (status != BAY_OK)
		return status;
	*tls_r = tls_make(&recipe, context);
	if (*tls_r != NULL)
		return BAY_OK;
	tls_context_unref(context);
	return BAY_NO_MEMORY;
}

int
bay_tls_reload(struct bay_tls *tls, int64_t deadline)
{
	char error[TLS_ERROR_SIZE] = "";
	struct tls_context *context;
	int status;

	if (!WAITABLE_BEGIN(tls, "bay_tls_reload"))
		return BAY_INVALID;
	if (await_is_over(task_current()))
		return await_over(task_current());
	waitable_enter(&tls->waitable);
	status = tls_read_files(&tls->recipe, &context, error, sizeof error, deadline);
	if (tls->waitable.closed) {
		if (status == BAY_OK)
			tls_context_unref(context);
		status = BAY_CLOSED;
	} else {
		free(tls->error);
		tls->error = status == BAY_OK ? NULL : alloc_try_copy(error);
		if (status == BAY_OK) {
			tls_context_unref(tls->context);
			tls->context = context;
		}
	}
	waitable_leave(&tls->waitable);
	return status;
}

const char *
bay_tls_error(const struct bay_tls *tls)
{
	return tls->error != NULL ? tls->error : "";
}

void
bay_tls_destroy(struct bay_tls *tls)
{
	if (tls != NULL && waitable_is_here(tls, "bay_tls_destroy"))
		tls_end(tls);
}

struct tls_context *
tls_present(const struct bay_tls *tls)
{
	return tls->context;
}

int
bay_stream_start_tls(struct bay_stream *stream, struct bay_tls *tls, const char *server_name, int64_t deadline)
{
	if (!WAITABLE_BEGIN(stream, "bay_stream_start_tls") || !waitable_is_here(tls, "bay_stream_start_tls"))
		return BAY_INVALID;
	return tls_start(stream, tls, server_name, deadline);
}
