/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/dead_letters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config_data.h"
#include "master/admin_commands.h"
#include "master/event_log.h"
#include "master/master.h"
#include "master/master_service.h"
#include "protocol/cell_link.h"
#include "protocol/report_store.h"
#include "protocol/varlink.h"

/* The caller's. */
static char *
dead_letters_directory(const char *state_dir, const char *service)
{
	return xasprintf("%s/dead-letters/%s", state_dir, service);
}

void
dead_letters_add(struct master_service *service, const char *sender,
	const struct cell_dead_letter *letter, const char *state_dir)
{
	const struct config_service *config = service->config;
	const struct report_store_limits limits = {.count = (size_t)config->dead_letters,
		.bytes = config->dead_letter_bytes};
	char *directory = dead_letters_directory(state_dir, config->name);
	char subject[CONFIG_NAME_MAX + 16];
	struct buffer error = {0};
	uint64_t number = 0;
	json_t *kept = json_pack("{s:s, s:I, s:s, s:I, s:I}", "service", config->name,
		"time_wall_ns", (json_int_t)clock_wall_ns(), "sender", sender,
		"crashes", (json_int_t)letter->crashes, "size", (json_int_t)letter->size);

	if (letter->body != NULL)
		json_object_set_new(kept, "body", varlink_text(letter->body));
	snprintf(subject, sizeof(subject), "service %s", config->name);
	/* It is two directories above those of the letters. */
	(void)mkdir(state_dir, 0700);
	if (!report_store_add(directory, &limits, kept, &number, &error))
		log_error(subject, "a dead letter is lost: %s [state-dir]", buffer_text(&error));
	else if (number > 0)
		master_service_note(service, EVENT_DEAD_LETTER, "%" PRIu64 ": a message of %" PRId64
			" bytes from cell %s, over which %" PRId64 " cells crashed", number, letter->size, sender,
			letter->crashes);
	buffer_finish(&error);
	json_decref(kept);
	free(directory);
}

/* --- the commands ----------------------------------------------------------------------------- */

/* A body is told when one letter is asked for. */
static const char *const dead_letter_details[] = {"body", NULL};

static uint64_t
dead_letters_number(const struct admin_request *request)
{
	return (uint64_t)json_integer_value(json_object_get(request->parameters, "number"));
}

static void
dead_letters_fail_number(struct admin_request *request, const struct master_service *service)
{
	admin_fail(request, BAY_NOT_FOUND, "service %s has no dead letter %" PRIu64 "; bayctl dlq ls %s lists them",
		service->config->name, dead_letters_number(request), service->config->name);
}

void
admin_dead_letters(struct admin_request *request, struct master *master)
{
	const struct master_service *service = admin_find_service(request, master);
	char *directory;
	json_t *letters;
	uint64_t number;

	/* The request is gone then. */
	if (service == NULL)
		return;
	number = dead_letters_number(request);
	directory = dead_letters_directory(master->config->container.state_dir, service->config->name);
	letters = report_store_select(directory, NULL, number, dead_letter_details);
	free(directory);
	if (number == 0 || json_array_size(letters) > 0) {
		admin_answer(request, json_pack("{s:o}", "letters", letters));
		return;
	}
	json_decref(letters);
	dead_letters_fail_number(request, service);
}

/* The one with the number, or all; returns how many there were. */
static int64_t
dead_letters_drop(const char *directory, uint64_t number)
{
	int64_t dropped = 0;
	uint64_t *numbers;
	size_t count;

	if (!report_store_list(directory, &numbers, &count))
		return 0;
	for (size_t i = 0; i < count; i++)
		if (number == 0 || numbers[i] == number)
			dropped += report_store_remove(directory, numbers[i]);
	free(numbers);
	return dropped;
}

void
admin_drop_dead_letters(struct admin_request *request, struct master *master)
{
	struct master_service *service = admin_find_service(request, master);
	struct event_by by;
	int64_t dropped;
	char *directory;
	uint64_t number;

	if (service == NULL)
		return;
	number = dead_letters_number(request);
	by = admin_by(request);
	directory = dead_letters_directory(master->config->container.state_dir, service->config->name);
	dropped = dead_letters_drop(directory, number);
	free(directory);
	if (number != 0 && dropped == 0) {
		dead_letters_fail_number(request, service);
		return;
	}
	if (dropped > 0)
		master_service_ask(service, &by, "to drop dead letters");
	admin_answer(request, json_pack("{s:I}", "dropped", (json_int_t)dropped));
}
