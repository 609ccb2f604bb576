/* SPDX-License-Identifier: BSD-2-Clause */
/* Tasks and calls of a test, and its log. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "kit/kit.h"

int
bay_test_run(bay_task_fn *fn, void *arg)
{
	struct solo *solo = kit_solo("bay_test_run");
	int status;

	if (bay_task_current() != NULL)
		kit_die("bay_test_run", "it was called inside a task: bay_spawn() starts another one there");
	status = kit.table->run(solo, "test", fn, arg);
	return kit_tell(status, kit.table->error());
}

/* --- calls ---------------------------------------------------------------------- */

struct kit_call {
	const char *service;
	const void *data;
	size_t size;
	int64_t timeout_ns;
};

static int
kit_call_main(void *arg)
{
	const struct kit_call *call = arg;
	struct bay_message *message = bay_message(call->data, call->size);
	int64_t deadline = call->timeout_ns == BAY_INHERIT ? BAY_INHERIT : bay_after(call->timeout_ns);
	int status;

	if (message == NULL)
		return BAY_NO_MEMORY;
	status = bay_call(bay_service(call->service), message, &kit.reply, deadline);
	bay_message_free(message);
	return status;
}

int
bay_test_call_with(const char *service, const void *data, size_t size, int64_t timeout_ns)
{
	struct kit_call call = {service, data, size, timeout_ns};

	bay_message_free(kit.reply);
	kit.reply = NULL;
	return bay_test_run(kit_call_main, &call);
}

int
bay_test_call(const char *service, const char *text)
{
	return bay_test_call_with(service, text, strlen(text), BAY_INHERIT);
}

const char *
bay_test_reply(void)
{
	return bay_message_text(kit.reply);
}

size_t
bay_test_reply_size(void)
{
	return bay_message_size(kit.reply);
}

/* --- time ----------------------------------------------------------------------- */

static int
kit_advance_main(void *arg)
{
	return bay_sleep(*(const int64_t *)arg);
}

void
bay_test_advance(int64_t span_ns)
{
	(void)bay_test_run(kit_advance_main, &span_ns);
}

/* --- the log -------------------------------------------------------------------- */

size_t
bay_test_log_count(void)
{
	(void)kit_solo("bay_test_log_count");
	return kit.table->log_count();
}

const char *
bay_test_log_line(size_t index)
{
	(void)kit_solo("bay_test_log_line");
	return kit.table->log_line(index);
}

const char *
bay_test_log_last(void)
{
	size_t count = bay_test_log_count();

	return count > 0 ? kit.table->log_line(count - 1) : "";
}

size_t
bay_test_log_has(const char *text)
{
	size_t i, count = bay_test_log_count(), found = 0;

	for (i = 0; i < count; i++)
		found += strstr(kit.table->log_line(i), text) != NULL;
	return found;
}

void
bay_test_log_clear(void)
{
	(void)kit_solo("bay_test_log_clear");
	kit.table->log_clear();
}
