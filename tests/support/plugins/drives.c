/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Callers that count every reply, for the tests of swaps. The service that is called is one of
 * swaps.c. Requests are orders:
 *
 *	begin N NAME   lets N tasks call the service until halt: mostly "echo SERIAL", now and then
 *	               one that takes a little, and a message one way that comes back
 *	halt           ends them; replies "calls C failed F wrong W sent S lost L twice T max M us",
 *	               or the first failure behind that
 *	noted SERIAL   is what comes back
 */
#include <bay/bay.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENT_MAX = 1 << 22 };

struct driver {
	struct bay_service *target;
	bool halt;
	unsigned live;
	int64_t calls;
	int64_t failed;
	int64_t wrong;
	int64_t serial;
	int64_t sent;
	uint8_t *noted;   /* by number of the message: how often it has come back */
	int64_t slowest_ns;
	char failure[200];
};

static void
note_failure(struct driver *driver, const char *what, const char *text)
{
	if (driver->failure[0] == '\0')
		snprintf(driver->failure, sizeof driver->failure, "; %s: %s", what, text);
}

/* The reply is "VERSION SERIAL". */
static void
call_once(struct driver *driver, const char *order, int64_t serial)
{
	struct bay_message *request = bay_message_printf("%s %" PRId64, order, serial);
	struct bay_message *reply;
	int64_t begin = bay_now();
	int status = bay_call(driver->target, request, &reply, bay_after(30 * BAY_SECOND));
	const char *space;

	driver->calls++;
	if (bay_now() - begin > driver->slowest_ns)
		driver->slowest_ns = bay_now() - begin;
	if (status != BAY_OK) {
		driver->failed++;
		note_failure(driver, bay_status_name(status), bay_call_error());
	} else {
		space = strchr(bay_message_text(reply), ' ');
		if (space == NULL || strtoll(space, NULL, 10) != serial) {
			driver->wrong++;
			note_failure(driver, "wrong", bay_message_text(reply));
		}
	}
	bay_message_free(request);
	bay_message_free(reply);
}

static void
send_once(struct driver *driver)
{
	const char *name = bay_instance_name(bay_instance_current());
	struct bay_message *message;

	if (driver->sent == SENT_MAX)
		return;
	message = bay_message_printf("note %s %" PRId64, name, driver->sent);
	if (bay_send(driver->target, message, bay_after(30 * BAY_SECOND)) == BAY_OK) {
		driver->sent++;
	} else {
		driver->failed++;
		note_failure(driver, "send", bay_call_error());
	}
	bay_message_free(message);
}

static int
drive(void *arg)
{
	struct driver *driver = arg;

	for (int n = 0; !driver->halt; n++) {
		call_once(driver, n % 10 == 3 ? "nap" : "echo", driver->serial++);
		if (n % 16 == 5)
			send_once(driver);
		if (n % 4 == 0)
			(void)!bay_sleep(BAY_MS / 2);
	}
	driver->live--;
	return BAY_OK;
}

static int
begin(struct bay_request *request, const char *how)
{
	struct driver *driver = bay_state(request);
	char *name;
	long count = strtol(how, &name, 10);

	driver->target = bay_service(name + strspn(name, " "));
	driver->halt = false;
	while (count-- > 0) {
		if (bay_scope_go(bay_instance_scope(bay_request_instance(request)), "drives", drive, driver) != BAY_OK)
			return bay_fail(request, BAY_NO_MEMORY, "no task");
		driver->live++;
	}
	return bay_reply_text(request, "begun");
}

/* Those that have not come back are waited for: they may stand in a queue. */
static void
count_sent(const struct driver *driver, int64_t *lost, int64_t *twice)
{
	int64_t until = bay_after(10 * BAY_SECOND);

	do {
		*lost = *twice = 0;
		for (int64_t i = 0; i < driver->sent; i++) {
			*lost += driver->noted[i] == 0;
			*twice += driver->noted[i] > 1;
		}
		(void)!bay_sleep(10 * BAY_MS);
	} while (*lost > 0 && bay_now() < until);
}

static int
halt(struct bay_request *request)
{
	struct driver *driver = bay_state(request);
	int64_t lost, twice;

	driver->halt = true;
	while (driver->live > 0)
		(void)!bay_sleep(BAY_MS);
	count_sent(driver, &lost, &twice);
	return bay_reply_printf(request, "calls %" PRId64 " failed %" PRId64 " wrong %" PRId64 " sent %" PRId64
		" lost %" PRId64 " twice %" PRId64 " max %" PRId64 " us%s", driver->calls, driver->failed,
		driver->wrong, driver->sent, lost, twice, driver->slowest_ns / 1000, driver->failure);
}

static int
drives(struct bay_request *request)
{
	struct driver *driver = bay_state(request);
	const char *order = bay_request_text(request);
	int64_t number;

	if (strncmp(order, "begin ", 6) == 0)
		return begin(request, order + 6);
	if (strcmp(order, "halt") == 0)
		return halt(request);
	if (strncmp(order, "noted ", 6) != 0)
		return bay_fail(request, BAY_INVALID, "no such order: %s", order);
	number = strtoll(order + 6, NULL, 10);
	if (number < 0 || number >= SENT_MAX)
		return bay_fail(request, BAY_INVALID, "no such message");
	driver->noted[number]++;
	return bay_reply_text(request, "");
}

static int
drives_init(struct bay_instance *instance)
{
	struct driver *driver = calloc(1, sizeof *driver);

	if (driver == NULL || (driver->noted = calloc(1, SENT_MAX)) == NULL) {
		free(driver);
		return BAY_NO_MEMORY;
	}
	bay_instance_set_state(instance, driver);
	return BAY_OK;
}

static void
drives_fini(struct bay_instance *instance)
{
	struct driver *driver = bay_instance_state(instance);

	free(driver->noted);
	free(driver);
}

BAY_PLUGIN(drives, "1.0.0",
	.summary = "calls and counts for the tests",
	.init = drives_init,
	.handle = drives,
	.fini = drives_fini);
