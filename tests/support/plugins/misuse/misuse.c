/* SPDX-License-Identifier: BSD-2-Clause */
#include "misuse.h"

#include <pthread.h>
#include <string.h>

#include <bay/bay.h>

void
misuse_on_thread(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, arg) == 0)
		pthread_join(thread, NULL);
}

static void *
make_mistake(void *mistake)
{
	((const struct mistake *)mistake)->make();
	return NULL;
}

static const struct mistake *
find_mistake(const char *name)
{
	for (const struct mistake *mistake = null_mistakes; mistake->name != NULL; mistake++)
		if (strcmp(mistake->name, name) == 0)
			return mistake;
	return NULL;
}

/* "null FUNCTION", "thread FUNCTION", or one of the others by its name. */
static int
misuse(struct bay_request *request)
{
	const char *text = bay_request_text(request);
	const struct mistake *mistake = NULL;

	for (const struct wrong *wrong = wrongs; wrong->name != NULL; wrong++)
		if (strcmp(wrong->name, text) == 0)
			return wrong->make(request);
	if (strncmp(text, "null ", 5) == 0 && (mistake = find_mistake(text + 5)) != NULL)
		mistake->make();
	else if (strncmp(text, "thread ", 7) == 0 && (mistake = find_mistake(text + 7)) != NULL)
		misuse_on_thread(make_mistake, (void *)(uintptr_t)mistake);
	if (mistake == NULL)
		return bay_fail(request, BAY_NOT_FOUND, "there is no mistake '%s'", text);
	return bay_reply_text(request, "survived");
}

BAY_PLUGIN(misuse, "1.0.0", .summary = "does everything wrong", .handle = misuse);
