/* SPDX-License-Identifier: BSD-2-Clause */
/* What cell a has at cell b, which is another process, and what b says that it has of a. */
#include "config.h"

#include "service/peer_waits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <bay/bay.h>

#include "runtime/task.h"
#include "service/peer.h"
#include "service/registry.h"
#include "support/services.h"
#include "support/two_cells.h"

enum { EPOCH = 7 };

/* --- gathering -------------------------------------------------------------------------------------- */

struct heard {
	char text[400]; /* "SERVICE CELL EPOCH ID", several with a comma; without the id where that is wanted */
	unsigned count;
	unsigned most;  /* it is enough then */
	const struct bay_service *only; /* or NULL: of any */
	uint64_t ids[2];                /* of the last two */
	const struct bay_request *request;
};

static bool
on_wait(const struct peer_wait *wait, void *arg)
{
	struct heard *heard = arg;
	size_t length = strlen(heard->text);

	ck_assert_ptr_nonnull(wait->request);
	if (heard->only != NULL && wait->service != heard->only)
		return true;
	snprintf(heard->text + length, sizeof heard->text - length, "%s%s %s %" PRIu64 " %" PRIx64, length > 0 ? ", " : "",
		bay_service_name((struct bay_service *)wait->service), wait->cell, wait->epoch, wait->id);
	ck_assert(heard->count == 0 || wait->request != heard->request);
	heard->ids[heard->count % 2] = wait->id;
	heard->request = wait->request;
	return ++heard->count < heard->most;
}

static struct heard
sent(const struct bay_service *only)
{
	struct heard heard = {.most = 100, .only = only};

	peer_waits_sent(on_wait, &heard);
	return heard;
}

/* --- cell b ----------------------------------------------------------------------------------------------- */

static int
hang_handle(struct bay_request *request)
{
	(void)request;
	return bay_sleep(1000 * BAY_SECOND);
}

/* What it has of other cells: of this loop, and of none. */
static int
served_handle(struct bay_request *request)
{
	struct heard heard = {.most = bay_request_size(request) > 0 ? 1 : 100}, nothing = {.most = 100};

	peer_waits_served(task_current()->scheduler, on_wait, &heard);
	peer_waits_served(NULL, on_wait, &nothing);
	if (nothing.count > 0)
		return bay_fail(request, BAY_FAILED, "of no loop: %s", nothing.text);
	return bay_reply_text(request, heard.text);
}

static void
serve(void)
{
	static const struct bay_plugin hangs = {.size = sizeof hangs, .abi_major = BAY_ABI_MAJOR, .name = "test",
		.version = "1", .handle = hang_handle};
	static const struct bay_plugin serves = {.size = sizeof serves, .abi_major = BAY_ABI_MAJOR, .name = "test",
		.version = "1", .handle = served_handle};

	services_start(&(struct service_options){.name = "hang", .plugin = &hangs});
	services_start(&(struct service_options){.name = "narrow", .plugin = &hangs, .concurrency = 1, .queue = 1,
		.overflow = OVERFLOW_WAIT});
	services_start(&(struct service_options){.name = "served", .plugin = &serves});
}

/* --- cell a ------------------------------------------------------------------------------------------------ */

static struct bay_service *hang, *narrow, *served;

/* A test whose body is a task of cell a, with a link to cell b, or without. */
#define WITH_CELLS(name, linked)                                    \
	static int name##_main(void *arg);                              \
	START_TEST(name)                                                \
	{                                                               \
		struct other_cell other = other_cell_start(EPOCH, serve);   \
                                                                    \
		two_cells_begin(1);                                         \
		if (linked)                                                 \
			other_cell_link(&other);                                \
		hang = two_cells_elsewhere("hang", 0);                      \
		narrow = two_cells_elsewhere("narrow", 0);                  \
		served = two_cells_elsewhere("served", 0);                  \
		ck_assert_int_eq(services_run(name##_main, NULL), BAY_OK);  \
		two_cells_check_nothing_left();                             \
		two_cells_end();                                            \
		other_cell_stop(&other);                                    \
	}                                                               \
	END_TEST                                                        \
	static int name##_main(void *arg __attribute__((unused)))

/* What cell b says that it has, when it has heard all that was sent before; or the first of that. */
static const char *
served_text(bool one)
{
	static char text[400];
	struct bay_message *message = bay_message("1", one), *reply;

	ck_assert_int_eq(bay_call(served, message, &reply, BAY_INHERIT), BAY_OK);
	snprintf(text, sizeof text, "%s", bay_message_text(reply));
	bay_message_free(message);
	bay_message_free(reply);
	return text;
}

static void
give_up(struct bay_task *call)
{
	bay_task_cancel(call, "enough");
	ck_assert_int_eq(bay_join(call, BAY_INHERIT), BAY_CANCELED);
}

WITH_CELLS(a_request_that_was_sent_has_the_same_number_in_both_cells, true)
{
	struct bay_task *first = bay_call_start(hang, NULL), *second = bay_call_start(hang, NULL);
	struct heard heard;
	char there[120];
	const char *told;

	told = served_text(false);
	heard = sent(hang);
	ck_assert_uint_eq(heard.count, 2);
	/* Ours name the other cell, and theirs name us. */
	for (int i = 0; i < 2; i++) {
		snprintf(there, sizeof there, "hang a %d %" PRIx64, EPOCH, heard.ids[i]);
		ck_assert_msg(strstr(told, there) != NULL, "%s is not in: %s", there, told);
		snprintf(there, sizeof there, "hang b %d %" PRIx64, EPOCH, heard.ids[i]);
		ck_assert_msg(strstr(heard.text, there) != NULL, "%s is not in: %s", there, heard.text);
	}
	/* And the one that asked. */
	ck_assert_msg(strstr(told, "served a 7 ") != NULL, "%s", told);
	give_up(first);
	give_up(second);
	return BAY_OK;
}

WITH_CELLS(one_that_is_over_waits_for_nobody, true)
{
	struct bay_task *call = bay_call_start(hang, NULL);

	(void)served_text(false);
	ck_assert_uint_eq(sent(NULL).count, 1);
	give_up(call);
	/* It is over there, too, when this has its answer. */
	while (strstr(served_text(false), "hang") != NULL)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_uint_eq(sent(NULL).count, 0);
	return BAY_OK;
}

WITH_CELLS(whoever_has_heard_enough_is_told_no_more, true)
{
	struct bay_task *calls[] = {bay_call_start(hang, NULL), bay_call_start(hang, NULL)};
	struct heard heard = {.most = 1};
	const char *told = served_text(true);

	ck_assert_ptr_null(strchr(told, ','));
	ck_assert_str_ne(told, "");
	peer_waits_sent(on_wait, &heard);
	ck_assert_uint_eq(heard.count, 1);
	for (int i = 0; i < 2; i++)
		give_up(calls[i]);
	return BAY_OK;
}

static int
send_narrow(void *arg)
{
	(void)arg;
	return bay_send(narrow, NULL, BAY_INHERIT);
}

WITH_CELLS(one_way_before_a_full_queue_is_told_with_what_stands_for_it, true)
{
	struct bay_task *call = bay_call_start(narrow, NULL), *queued, *sender;
	struct heard heard = {.only = narrow};
	unsigned there = 0;
	const char *told;

	(void)served_text(false);
	queued = bay_call_start(narrow, NULL);
	(void)served_text(false);
	sender = bay_spawn("sender", send_narrow, NULL);
	/* Those two, and that one twice. */
	while (sent(narrow).count < 4)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_uint_eq(sent(narrow).count, 4);
	/* All three are there, in whatever place. */
	for (told = served_text(false); (told = strstr(told, "narrow a 7 ")) != NULL; told++)
		there++;
	ck_assert_uint_eq(there, 3);
	/* Between the two may be the end. */
	for (heard.most = 1; heard.most <= 4; heard.most++) {
		heard.count = 0;
		heard.text[0] = '\0';
		peer_waits_sent(on_wait, &heard);
		ck_assert_uint_eq(heard.count, heard.most);
	}
	give_up(sender);
	give_up(queued);
	give_up(call);
	return BAY_OK;
}

WITH_CELLS(one_that_could_not_be_sent_yet_has_no_number, false)
{
	struct bay_task *calls[] = {bay_call_start(hang, NULL), bay_call_start(hang, NULL)};
	struct heard heard = {.most = 1};

	while (sent(NULL).count < 2)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	ck_assert_str_eq(sent(NULL).text, "hang b 0 0, hang b 0 0");
	peer_waits_sent(on_wait, &heard);
	ck_assert_uint_eq(heard.count, 1);
	for (int i = 0; i < 2; i++)
		give_up(calls[i]);
	ck_assert_uint_eq(sent(NULL).count, 0);
	return BAY_OK;
}

WITH_CELLS(what_waits_until_there_is_a_service_waits_for_no_cell, false)
{
	struct bay_task *call = bay_call_start(hang, NULL);

	while (sent(NULL).count < 1)
		ck_assert_int_eq(bay_yield(), BAY_OK);
	peer_route_set(hang, "b", true, 0);
	ck_assert_uint_eq(sent(NULL).count, 0);
	peer_route_set(hang, "b", false, 0);
	ck_assert_uint_eq(sent(NULL).count, 1);
	give_up(call);
	return BAY_OK;
}

CHECK_MAIN("service/peer_waits",
	a_request_that_was_sent_has_the_same_number_in_both_cells,
	one_that_is_over_waits_for_nobody,
	whoever_has_heard_enough_is_told_no_more,
	one_way_before_a_full_queue_is_told_with_what_stands_for_it,
	one_that_could_not_be_sent_yet_has_no_number,
	what_waits_until_there_is_a_service_waits_for_no_cell)
