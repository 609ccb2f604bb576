/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin to be swapped with others of its kind: what differs is said when it is compiled.
 *
 *	SWAPS_VERSION "2"     what it says it is
 *	SWAPS_STATE 1         its count goes over, written in this form; refuses any later one
 *	SWAPS_FAILS           its handler fails
 *	SWAPS_CRASHES         its handler crashes
 *	SWAPS_INIT_FAILS      init fails
 *	SWAPS_INIT_CRASHES    init crashes
 *	SWAPS_RUN             has a main coroutine, which does nothing
 *	SWAPS_NO_HANDLER      has nothing but that
 *	SWAPS_TASK            init starts a task that waits for ever
 *	SWAPS_IMPORTS "NAME"  imports this symbol, for which a plugin may have to stay in memory
 *	SWAPS_CLINGS          holds itself in the process, for a reason that its file does not show
 *
 * Its requests are orders; each reply begins with the version:
 *
 *	version     "2"
 *	count       one more: "2 7"
 *	static      the same in static memory
 *	echo TEXT   "2 TEXT"
 *	sleep NS    awaits first; when it is cancelled, it fails with the reason
 *	until FILE  awaits that the file is there first, as that
 *	stay NS     as sleep, and does not end when it is cancelled
 *	stuck       does not end before "unstick"
 *	clog        from now on giving the state does not end before "unstick"
 *	fail        fails
 *	die         begins a task of the instance, which fails
 *	nap TEXT    as echo, after a moment
 *	note NAME N sends "noted N" to that service
 *	later NAME  sends the order count to that service a little later
 */
#ifdef SWAPS_CLINGS
#define _GNU_SOURCE
#include <dlfcn.h>
#endif

#include <bay/bay.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef SWAPS_VERSION
#define SWAPS_VERSION "1"
#endif

struct state {
	int64_t count;
};

static int64_t calls;
static int stuck;

#ifdef SWAPS_IMPORTS
extern char swaps_imported __asm__(SWAPS_IMPORTS);
const char *const swaps_imports __attribute__((visibility("default"))) = &swaps_imported;
#endif

#ifdef SWAPS_CLINGS
static __attribute__((constructor)) void
cling(void)
{
	Dl_info info;

	if (dladdr((void *)cling, &info) != 0)
		(void)!dlopen(info.dli_fname, RTLD_NOW);
}
#endif

static int
wait_for_ever(void *arg)
{
	(void)arg;
	return bay_sleep(BAY_INHERIT);
}

static int
swaps_init(struct bay_instance *instance)
{
	struct state *state = calloc(1, sizeof *state);

	bay_instance_set_state(instance, state);
#ifdef SWAPS_TASK
	if (bay_scope_go(bay_instance_scope(instance), "waits", wait_for_ever, NULL) != BAY_OK)
		return BAY_NO_MEMORY;
#endif
#ifdef SWAPS_INIT_CRASHES
	abort();
#endif
#ifdef SWAPS_INIT_FAILS
	free(state);
	return bay_instance_fail(instance, BAY_FAILED, "this version does not start");
#endif
	(void)wait_for_ever;
	return state != NULL ? BAY_OK : BAY_NO_MEMORY;
}

static __attribute__((unused)) int
fail_at_once(void *arg)
{
	(void)arg;
	return BAY_FAILED;
}

static void
swaps_fini(struct bay_instance *instance)
{
	free(bay_instance_state(instance));
}

static int
swaps_stay(struct bay_request *request, int64_t span_ns)
{
	int64_t until = bay_now() + span_ns;

	while (span_ns > 0 ? bay_now() < until : stuck) {
		(void)bay_sleep(BAY_MS);
		(void)!bay_yield();
	}
	return bay_reply_text(request, SWAPS_VERSION);
}

static int
swaps_note(struct bay_request *request, const char *order)
{
	char name[32];
	struct bay_message *message;
	int status;

	if (sscanf(order, "%31s", name) != 1)
		return bay_fail(request, BAY_INVALID, "whom?");
	message = bay_message_printf("noted%s", order + strlen(name));
	status = bay_send(bay_service(name), message, BAY_INHERIT);
	bay_message_free(message);
	return status == BAY_OK ? bay_reply_text(request, "") : bay_fail(request, status, "%s", bay_call_error());
}

static int
swaps_later(struct bay_request *request, const char *name)
{
	struct bay_message *order = bay_message("count", 5);
	int status = bay_send_later(bay_service(name), order, bay_after(BAY_SECOND), NULL);

	bay_message_free(order);
	return status == BAY_OK ? bay_reply_text(request, SWAPS_VERSION) : bay_fail(request, status, "later");
}

static __attribute__((unused)) int
swaps(struct bay_request *request)
{
	struct state *state = bay_state(request);
	const char *order = bay_request_text(request);

#ifdef SWAPS_FAILS
	return bay_fail(request, BAY_FAILED, "this version fails");
#endif
#ifdef SWAPS_CRASHES
	abort();
#endif
	if (strcmp(order, "version") == 0 || *order == '\0')
		return bay_reply_text(request, SWAPS_VERSION);
	if (strcmp(order, "count") == 0)
		return bay_reply_printf(request, SWAPS_VERSION " %" PRId64, ++state->count);
	if (strcmp(order, "static") == 0)
		return bay_reply_printf(request, SWAPS_VERSION " %" PRId64, ++calls);
	if (strncmp(order, "echo ", 5) == 0)
		return bay_reply_printf(request, SWAPS_VERSION " %s", order + 5);
	if (strncmp(order, "sleep ", 6) == 0) {
		if (bay_sleep(strtoll(order + 6, NULL, 10)) != BAY_OK)
			return bay_fail(request, BAY_CANCELED, "woken: %s", bay_cancel_reason());
		return bay_reply_text(request, SWAPS_VERSION);
	}
	if (strncmp(order, "until ", 6) == 0) {
		while (access(order + 6, F_OK) != 0)
			if (bay_sleep(5 * BAY_MS) != BAY_OK)
				return bay_fail(request, BAY_CANCELED, "woken: %s", bay_cancel_reason());
		return bay_reply_text(request, SWAPS_VERSION);
	}
	if (strncmp(order, "stay ", 5) == 0)
		return swaps_stay(request, strtoll(order + 5, NULL, 10));
	if (strcmp(order, "stuck") == 0) {
		stuck = 1;
		return swaps_stay(request, 0);
	}
	if (strcmp(order, "unstick") == 0) {
		stuck = 0;
		return bay_reply_text(request, SWAPS_VERSION);
	}
	if (strcmp(order, "clog") == 0) {
		stuck = 1;
		return bay_reply_text(request, SWAPS_VERSION);
	}
	if (strcmp(order, "die") == 0) {
		(void)bay_scope_go(bay_instance_scope(bay_request_instance(request)), "dies", fail_at_once, NULL);
		return bay_reply_text(request, SWAPS_VERSION);
	}
	if (strncmp(order, "nap ", 4) == 0) {
		if (bay_sleep(2 * BAY_MS) != BAY_OK)
			return bay_fail(request, BAY_CANCELED, "woken: %s", bay_cancel_reason());
		return bay_reply_printf(request, SWAPS_VERSION " %s", order + 4);
	}
	if (strncmp(order, "note ", 5) == 0)
		return swaps_note(request, order + 5);
	if (strncmp(order, "later ", 6) == 0)
		return swaps_later(request, order + 6);
	return bay_fail(request, BAY_FAILED, "told to fail");
}

#ifdef SWAPS_STATE
static int
swaps_export(struct bay_instance *instance, struct bay_message **state_r)
{
	const struct state *state = bay_instance_state(instance);

	while (stuck) {
		(void)bay_sleep(BAY_MS);
		(void)!bay_yield();
	}
	*state_r = bay_message_int64(state->count);
	return *state_r != NULL ? BAY_OK : BAY_NO_MEMORY;
}

static int
swaps_import(struct bay_instance *instance, uint32_t state_version, const struct bay_message *message)
{
	struct state *state = bay_instance_state(instance);

	if (state_version > SWAPS_STATE)
		return bay_instance_fail(instance, BAY_INVALID, "its state is of form %u, and this version knows %u",
			state_version, SWAPS_STATE);
	return bay_message_read_int64(message, &state->count);
}
#endif

static __attribute__((unused)) int
swaps_run(struct bay_instance *instance)
{
	(void)instance;
	return wait_for_ever(NULL);
}

BAY_PLUGIN(swaps, SWAPS_VERSION,
	.summary = "is swapped by the tests",
	.init = swaps_init,
#ifndef SWAPS_NO_HANDLER
	.handle = swaps,
#endif
#if defined(SWAPS_RUN) || defined(SWAPS_NO_HANDLER)
	.run = swaps_run,
#endif
	.fini = swaps_fini,
#ifdef SWAPS_STATE
	.state_version = SWAPS_STATE,
	.export_state = swaps_export,
	.import_state = swaps_import,
#endif
);
