/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin that does what it is told, for the tests of the whole: its requests are orders,
 * its settings say how it begins.
 *
 *	echo TEXT    replies TEXT
 *	text         replies its setting text
 *	fail TEXT    fails with TEXT
 *	end N TEXT   fails with the status N and TEXT
 *	call NAME [ORDER]  calls the service and fails as that call did, or replies "called"
 *	last NAME [ORDER]  calls the service, then dies of a null pointer
 *	return N     returns the number N from its handler
 *	sleep NS     awaits, then replies "slept"
 *	until FILE   awaits that the file is there, then replies "slept"
 *	stay NS      as sleep, but does not end when it is cancelled
 *	stay-until FILE  the same until the file is there
 *	log TEXT     logs TEXT, and once more from a function on another thread; replies "logged"
 *	chat N       logs N lines of 3,000 bytes
 *	print TEXT   prints TEXT as a line, and on standard error "beside it"
 *	abort        prints "last words" and aborts
 *	spin         keeps its loop for ever
 *	toil NAME    the same in a task of this name
 *	crash        dies of a null pointer
 *	crash-there  the same in a function on another thread
 *	exit N       ends the process with exit code N
 *	give-up      makes run return a failure: the service fails by itself
 */
#include <bay/bay.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum actor_init {
	ACTOR_INIT_WELL,
	ACTOR_INIT_FAIL,
	ACTOR_INIT_CRASH,
	ACTOR_INIT_EXIT,
	ACTOR_INIT_SPIN,
	ACTOR_INIT_WAIT,
	ACTOR_INIT_ODD
};

struct actor {
	int64_t init;
	const char *text;
	int64_t level;
};

static const struct bay_setting settings[] = {
	BAY_CHOICE(struct actor, init, "init", "well", "well|fail|crash|exit|spin|wait|odd",
		"what init does"),
	BAY_STRING(struct actor, text, "text", "done", "the reply to text"),
	BAY_INT64(struct actor, level, "level", "1", 1, 9, "a number"),
	BAY_END
};

static void
spin(void)
{
	for (volatile unsigned i = 0;; i++)
		continue;
}

static void
crash(void)
{
	/* The compiler must not see that it is NULL. */
	volatile int *volatile nowhere = NULL;

	*nowhere = 1;
}

static int
toil(void *arg)
{
	(void)arg;
	spin();
	return BAY_OK;
}

/* --- life ------------------------------------------------------------------------- */

static int
actor_init(struct bay_instance *instance)
{
	const struct actor *set = bay_instance_settings(instance);

	switch (set->init) {
	case ACTOR_INIT_FAIL:
		return bay_instance_fail(instance, BAY_FAILED, "init was told to fail");
	case ACTOR_INIT_CRASH:
		crash();
		break;
	case ACTOR_INIT_EXIT:
		exit(0);
	case ACTOR_INIT_SPIN:
		spin();
		break;
	case ACTOR_INIT_WAIT:
		return bay_sleep(BAY_INHERIT);
	case ACTOR_INIT_ODD:
		return -77;
	default:
		break;
	}
	/* How give-up tells run. */
	bay_instance_set_state(instance, bay_channel_create(1));
	return BAY_OK;
}

static int
actor_run(struct bay_instance *instance)
{
	void *order;
	int status = bay_channel_get(bay_instance_state(instance), &order, BAY_INHERIT);

	if (status != BAY_OK)
		return status;
	return bay_instance_fail(instance, BAY_FAILED, "it gave up");
}

static void
actor_fini(struct bay_instance *instance)
{
	bay_channel_destroy(bay_instance_state(instance));
}

/* --- orders ------------------------------------------------------------------------ */

static int
actor_sleep(struct bay_request *request, int64_t span_ns)
{
	int status = bay_sleep(span_ns);

	if (status != BAY_OK)
		return bay_fail(request, status, "woken early: %s", bay_cancel_reason());
	return bay_reply_text(request, "slept");
}

static int
actor_until(struct bay_request *request, const char *file)
{
	int status = BAY_OK;

	while (status == BAY_OK && access(file, F_OK) != 0)
		status = bay_sleep(5 * BAY_MS);
	if (status != BAY_OK)
		return bay_fail(request, status, "woken early: %s", bay_cancel_reason());
	return bay_reply_text(request, "slept");
}

static int
actor_end(struct bay_request *request, const char *how)
{
	char *text;
	int status = (int)strtol(how, &text, 10);

	return bay_fail(request, status, "%s", text + strspn(text, " "));
}

static int
actor_call(struct bay_request *request, const char *text)
{
	size_t length = strcspn(text, " ");
	struct bay_message *order = text[length] != '\0' ? bay_message_printf("%s", text + length + 1) : NULL;
	char name[64];
	int status;

	snprintf(name, sizeof name, "%.*s", (int)length, text);
	status = bay_call(bay_service(name), order, NULL, BAY_INHERIT);
	bay_message_free(order);
	if (status != BAY_OK)
		return bay_fail(request, BAY_FAILED, "%s: %s", bay_status_name(status), bay_call_error());
	return bay_reply_text(request, "called");
}

static int
actor_last(struct bay_request *request, const char *text)
{
	(void)!actor_call(request, text);
	crash();
	return BAY_OK;
}

/* Ignores that it is cancelled, without keeping the loop. */
static int
actor_stay(struct bay_request *request, int64_t span_ns)
{
	int64_t until = bay_now() + span_ns;

	while (bay_now() < until)
		(void)!bay_yield();
	return bay_reply_text(request, "stayed");
}

static int
actor_stay_until(struct bay_request *request, const char *file)
{
	while (access(file, F_OK) != 0)
		(void)!bay_yield();
	return bay_reply_text(request, "stayed");
}

static int
log_there(void *text)
{
	bay_log_info("there: %s", (const char *)text);
	return BAY_OK;
}

static int
actor_log(struct bay_request *request, const char *text)
{
	char *copy = strdup(text);

	bay_log_info("here: %s", text);
	if (bay_blocking("log", log_there, copy, free, NULL, BAY_INHERIT) == BAY_OK)
		free(copy);
	return bay_reply_text(request, "logged");
}

static int
crash_there(void *arg)
{
	(void)arg;
	crash();
	return BAY_OK;
}

static int
actor_chat(struct bay_request *request, int lines)
{
	while (lines-- > 0)
		bay_log_info("%03000d", lines);
	return bay_reply_text(request, "said");
}

static int
actor_print(struct bay_request *request, const char *text)
{
	printf("%s\n", text);
	fprintf(stderr, "beside it\n");
	return bay_reply_text(request, "printed");
}

static int
actor_give_up(struct bay_request *request)
{
	struct bay_instance *instance = bay_request_instance(request);

	if (bay_channel_try_put(bay_instance_state(instance), instance) != BAY_OK)
		return bay_fail(request, BAY_BUSY, "it gives up already");
	return bay_reply_text(request, "giving up");
}

static int
actor(struct bay_request *request)
{
	const struct actor *set = bay_settings(request);
	const char *order = bay_request_text(request);
	const char *rest = strchr(order, ' ');

	rest = rest != NULL ? rest + 1 : "";
	if (strncmp(order, "echo ", 5) == 0)
		return bay_reply_text(request, rest);
	if (strcmp(order, "text") == 0)
		return bay_reply_text(request, set->text);
	if (strncmp(order, "fail ", 5) == 0)
		return bay_fail(request, BAY_FAILED, "%s", rest);
	if (strncmp(order, "end ", 4) == 0)
		return actor_end(request, rest);
	if (strncmp(order, "call ", 5) == 0)
		return actor_call(request, rest);
	if (strncmp(order, "last ", 5) == 0)
		return actor_last(request, rest);
	if (strncmp(order, "return ", 7) == 0)
		return atoi(rest);
	if (strncmp(order, "sleep ", 6) == 0)
		return actor_sleep(request, strtoll(rest, NULL, 10));
	if (strncmp(order, "until ", 6) == 0)
		return actor_until(request, rest);
	if (strncmp(order, "stay ", 5) == 0)
		return actor_stay(request, strtoll(rest, NULL, 10));
	if (strncmp(order, "stay-until ", 11) == 0)
		return actor_stay_until(request, rest);
	if (strncmp(order, "log ", 4) == 0)
		return actor_log(request, rest);
	if (strncmp(order, "chat ", 5) == 0)
		return actor_chat(request, atoi(rest));
	if (strncmp(order, "print ", 6) == 0)
		return actor_print(request, rest);
	if (strcmp(order, "abort") == 0) {
		fputs("last words", stderr);
		abort();
	}
	if (strncmp(order, "spin", 4) == 0)
		spin();
	if (strncmp(order, "toil ", 5) == 0)
		return bay_join(bay_spawn(rest, toil, NULL), BAY_INHERIT);
	if (strcmp(order, "crash") == 0)
		crash();
	if (strcmp(order, "crash-there") == 0)
		return bay_blocking("crash", crash_there, NULL, NULL, NULL, BAY_INHERIT);
	if (strncmp(order, "exit ", 5) == 0)
		exit(atoi(rest));
	if (strcmp(order, "give-up") == 0)
		return actor_give_up(request);
	return bay_fail(request, BAY_INVALID, "no such order: %s", order);
}

BAY_PLUGIN(actor, "1.0.0",
	.summary = "does what it is told",
	.settings = settings,
	.init = actor_init,
	.handle = actor,
	.run = actor_run,
	.fini = actor_fini);
