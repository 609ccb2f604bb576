/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin that calls, and is called, for the tests of calls between cells: its requests are
 * orders.
 *
 *	echo TEXT            replies TEXT
 *	fail TEXT            fails with "not-permitted" and TEXT
 *	break TEXT           fails with "failed" and TEXT
 *	hang                 until it is cancelled; then the next "canceled" says why
 *	hang-until FILE      until there is such a file; replies "free"
 *	when FILE NAME ORDER the same, then calls
 *	canceled             replies why the last hang was, "" if none was
 *	count                replies how many messages "note" there were
 *	note                 counts; replies only if somebody waits
 *	crash                dies of a null pointer
 *	crash-once FILE      the same if the file does not exist, which it then does; else replies "twice"
 *	scribble             writes garbage over all links of its cell, and says how many there are
 *	call NAME ORDER      passes the order on, and replies what comes
 *	send NAME ORDER      the same one way; replies "sent"
 *	within MS NAME ORDER the same as call, with so much time
 *	gather NAME NAME     calls both with "echo NAME" at once, replies both
 *	cancel NAME          starts "hang", and cancels it when it is at work
 *	large BYTES NAME     calls with a large body, which must come back
 */
#define _GNU_SOURCE

#include "support/plugins/own_links.h"

#include <bay/bay.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of one loop: the services have one instance each. */
static char why[64];
static int64_t notes;
static int64_t hanging;

static int
do_echo(struct bay_request *request, const char *text)
{
	return bay_reply_text(request, text);
}

static int
do_fail(struct bay_request *request, const char *text)
{
	return bay_fail(request, BAY_NOT_PERMITTED, "%s", text);
}

static int
do_break(struct bay_request *request, const char *text)
{
	return bay_fail(request, BAY_FAILED, "%s", text);
}

static int
do_hang(struct bay_request *request, const char *text)
{
	int status;

	(void)request;
	(void)text;
	hanging++;
	status = bay_sleep(1000 * BAY_SECOND);
	hanging--;
	snprintf(why, sizeof why, "%s", bay_cancel_reason() != NULL ? bay_cancel_reason() : "deadline");
	return status;
}

static int
do_hang_until(struct bay_request *request, const char *file)
{
	int status = BAY_OK;

	while (status == BAY_OK && access(file, F_OK) != 0)
		status = bay_sleep(BAY_MS);
	return status == BAY_OK ? bay_reply_text(request, "free") : status;
}

static int
do_hanging(struct bay_request *request, const char *text)
{
	(void)text;
	return bay_reply_int64(request, hanging);
}

static int
do_canceled(struct bay_request *request, const char *text)
{
	(void)text;
	return bay_reply_text(request, why);
}

static int
do_note(struct bay_request *request, const char *text)
{
	(void)text;
	notes++;
	return bay_request_wants_reply(request) ? bay_reply_text(request, "noted") : BAY_OK;
}

static int
do_count(struct bay_request *request, const char *text)
{
	(void)text;
	return bay_reply_int64(request, notes);
}

static int
do_crash(struct bay_request *request, const char *text)
{
	/* The compiler must not see that it is NULL. */
	volatile int *volatile nowhere = NULL;

	(void)request;
	(void)text;
	*nowhere = 1;
	return BAY_OK;
}

static int
do_crash_once(struct bay_request *request, const char *file)
{
	int fd = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0)
		return bay_reply_text(request, "twice");
	close(fd);
	return do_crash(request, file);
}

static int
do_scribble(struct bay_request *request, const char *text)
{
	(void)text;
	return bay_reply_int64(request, own_links_fill(-1));
}

/* --- calls ------------------------------------------------------------------------------- */

/* The first word, and what follows it. Returns word, whose size is 64. */
static const char *
first_word(const char *text, char *word, const char **rest_r)
{
	size_t size = strcspn(text, " ");

	snprintf(word, 64, "%.*s", (int)size, text);
	*rest_r = text[size] == ' ' ? text + size + 1 : text + size;
	return word;
}

static int
pass_on(struct bay_request *request, const char *text, int64_t deadline)
{
	char name[64];
	struct bay_service *service = bay_service(first_word(text, name, &text));
	struct bay_message *order = bay_message(text, strlen(text)), *reply;
	int status = bay_call(service, order, &reply, deadline);

	bay_message_free(order);
	if (status != BAY_OK)
		return bay_fail(request, status, "%s", bay_call_error());
	return bay_reply_message(request, &reply);
}

static int
do_call(struct bay_request *request, const char *text)
{
	return pass_on(request, text, BAY_INHERIT);
}

static int
do_when(struct bay_request *request, const char *text)
{
	char file[256];
	const char *end = strchr(text, ' ');
	int status = BAY_OK;

	snprintf(file, sizeof file, "%.*s", end != NULL ? (int)(end - text) : 0, text);
	while (status == BAY_OK && access(file, F_OK) != 0)
		status = bay_sleep(BAY_MS);
	return status == BAY_OK && end != NULL ? do_call(request, end + 1) : status;
}

static int
do_within(struct bay_request *request, const char *text)
{
	char ms[64];
	int64_t span = strtoll(first_word(text, ms, &text), NULL, 10) * BAY_MS;

	return pass_on(request, text, bay_after(span));
}

static int
do_send(struct bay_request *request, const char *text)
{
	char name[64];
	struct bay_service *service = bay_service(first_word(text, name, &text));
	struct bay_message *order = bay_message(text, strlen(text));
	int status = bay_send(service, order, BAY_INHERIT);

	bay_message_free(order);
	if (status != BAY_OK)
		return bay_fail(request, status, "%s", bay_call_error());
	return bay_reply_text(request, "sent");
}

static int
do_gather(struct bay_request *request, const char *text)
{
	char names[2][64];
	struct bay_message *orders[2], *replies[2];
	struct bay_task *calls[2];
	int status;

	for (int i = 0; i < 2; i++) {
		first_word(text, names[i], &text);
		orders[i] = bay_message_printf("echo %s", names[i]);
		calls[i] = bay_call_start(bay_service(names[i]), orders[i]);
		bay_message_free(orders[i]);
	}
	status = bay_gather(calls, 2, BAY_INHERIT);
	if (status != BAY_OK)
		return bay_fail_from(request, calls, 2);
	for (int i = 0; i < 2; i++)
		replies[i] = bay_task_take_reply(calls[i]);
	status = bay_reply_printf(request, "%s %s", bay_message_text(replies[0]), bay_message_text(replies[1]));
	bay_message_free(replies[0]);
	bay_message_free(replies[1]);
	return status;
}

/* Whether the service has a hang at work. */
static bool
hangs(struct bay_service *service)
{
	struct bay_message *order = bay_message("hanging", 7), *reply;
	int64_t number = 0;

	if (bay_call(service, order, &reply, BAY_INHERIT) == BAY_OK)
		(void)bay_message_read_int64(reply, &number);
	bay_message_free(order);
	bay_message_free(reply);
	return number > 0;
}

static int
do_cancel(struct bay_request *request, const char *text)
{
	struct bay_service *service = bay_service(text);
	struct bay_message *order = bay_message("hang", 4);
	struct bay_task *call = bay_call_start(service, order);
	int status;

	bay_message_free(order);
	while (!hangs(service)) {
		if (bay_sleep(BAY_MS) != BAY_OK)
			break;
	}
	bay_task_cancel(call, "changed my mind");
	status = bay_join(call, BAY_INHERIT);
	return bay_reply_text(request, bay_status_name(status));
}

static int
do_large(struct bay_request *request, const char *text)
{
	char size_text[64];
	size_t size = strtoull(first_word(text, size_text, &text), NULL, 10);
	char *bytes = malloc(size);
	struct bay_message *order, *reply;
	int status;
	bool same;

	for (size_t i = 0; bytes != NULL && i < size; i++)
		bytes[i] = (char)(i * 31 + i / 4096);
	order = bytes != NULL ? bay_message(bytes, size) : NULL;
	free(bytes);
	if (order == NULL)
		return bay_fail(request, BAY_NO_MEMORY, "no memory");
	status = bay_call(bay_service(text), order, &reply, BAY_INHERIT);
	same = status == BAY_OK && bay_message_size(reply) == size &&
		memcmp(bay_message_data(reply), bay_message_data(order), size) == 0;
	bay_message_free(order);
	bay_message_free(reply);
	if (status != BAY_OK)
		return bay_fail(request, status, "%s", bay_call_error());
	return bay_reply_text(request, same ? "the same" : "something else");
}

/* --- the handler -------------------------------------------------------------------------- */

static const struct order {
	const char *word;
	int (*run)(struct bay_request *request, const char *text);
} orders[] = {
	{"echo", do_echo}, {"fail", do_fail}, {"break", do_break}, {"hang", do_hang}, {"hang-until", do_hang_until}, {"hanging", do_hanging}, {"canceled", do_canceled},
	{"note", do_note}, {"count", do_count}, {"crash", do_crash}, {"crash-once", do_crash_once},
	{"scribble", do_scribble}, {"call", do_call}, {"when", do_when}, {"send", do_send}, {"within", do_within},
	{"gather", do_gather}, {"cancel", do_cancel}, {"large", do_large},
};

static int
links(struct bay_request *request)
{
	const char *text = bay_request_text(request);
	char word[64];

	/* What is large is given back. */
	if (bay_request_size(request) > 4096)
		return bay_reply(request, bay_request_data(request), bay_request_size(request));
	first_word(text, word, &text);
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		if (strcmp(word, orders[i].word) == 0)
			return orders[i].run(request, text);
	}
	return bay_fail(request, BAY_INVALID, "there is no order %s", word);
}

BAY_PLUGIN(links, "1.0.0",
	.summary = "calls and is called, as told",
	.handle = links);
