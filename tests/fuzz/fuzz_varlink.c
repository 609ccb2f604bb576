/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as what came over a socket, once whole and once in pieces: the same frames and
 * the same end. What is a call or a reply is written again and must read as the same; what
 * claims to be for one of our interfaces goes through its checks.
 */
#include "config.h"

#include "fuzz/fuzz.h"

#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "protocol/body.h"
#include "protocol/cell_link.h"
#include "protocol/interface.h"
#include "protocol/varlink.h"

static const struct varlink_limits limits = {.frame_bytes = 4096, .tokens = 200, .depth = 8};

/* Bytes that we have written are always acceptable to ourselves. */
static json_t *
read_back(const struct buffer *bytes)
{
	json_t *frame;

	FUZZ_ASSERT(bytes->size > 0 && bytes->data[bytes->size - 1] == '\0');
	FUZZ_ASSERT(memchr(bytes->data, '\0', bytes->size - 1) == NULL);
	FUZZ_ASSERT(varlink_decode(bytes->data, bytes->size - 1, &varlink_limits_client, &frame) ==
		VARLINK_OK);
	return frame;
}

static void
check_call(const struct varlink_call *call)
{
	struct buffer bytes = {0};
	struct varlink_call again;
	const char *why;
	json_t *frame;

	FUZZ_ASSERT(varlink_call_encode(&bytes, call));
	frame = read_back(&bytes);
	FUZZ_ASSERT(varlink_call_decode(frame, &again, &why) == VARLINK_OK);
	FUZZ_ASSERT(strcmp(call->method, again.method) == 0);
	FUZZ_ASSERT(call->more == again.more && call->oneway == again.oneway);
	FUZZ_ASSERT(call->has_id == again.has_id && call->id == again.id);
	json_decref(frame);
	buffer_finish(&bytes);
}

static void
check_reply(const struct varlink_reply *reply)
{
	struct buffer bytes = {0};
	struct varlink_reply again;
	const char *why;
	json_t *frame;

	FUZZ_ASSERT(varlink_reply_encode(&bytes, reply));
	frame = read_back(&bytes);
	FUZZ_ASSERT(varlink_reply_decode(frame, &again, &why) == VARLINK_OK);
	FUZZ_ASSERT((reply->error == NULL) == (again.error == NULL));
	FUZZ_ASSERT(reply->continues == again.continues);
	json_decref(frame);
	buffer_finish(&bytes);
	if (reply->error != NULL) {
		FUZZ_ASSERT(interface_error_status(reply->error, reply->parameters) != BAY_OK);
		FUZZ_ASSERT(interface_exit_text(interface_error_exit(reply->error,
			reply->parameters)) != NULL);
	}
}

static void
check_text(const char *text, size_t size)
{
	FUZZ_ASSERT(memchr(text, '\0', size) != NULL);
	FUZZ_ASSERT(*text != '\0');
}

static void
check_body(const json_t *parameters)
{
	struct buffer body = {0};
	char why[BODY_ERROR_SIZE] = "";

	if (body_from_json(parameters, NULL, &body, why) != BAY_OK)
		check_text(why, sizeof(why));
	buffer_finish(&body);
}

/* As the daemon would treat it. */
static void
check_interface(const struct varlink_call *call)
{
	char text[INTERFACE_TEXT_SIZE] = "";
	const char *name;
	const struct interface_method *method = interface_find(call->method, &name);

	if (method == NULL)
		FUZZ_ASSERT(name != NULL);
	else if (!interface_check(method, call->parameters, &name, text))
		check_text(text, sizeof(text));
	else
		check_body(call->parameters);
}

/* As a cell would: each parser on whatever the parameters are. */
static void
check_link(const json_t *parameters)
{
	char why[CELL_ERROR_SIZE] = "";
	struct cell_setup setup;
	struct cell_start start;
	struct cell_examine examine;
	struct cell_verdict verdict;
	struct cell_task task;
	json_t *again;

	if (!cell_setup_from_json(parameters, &setup, why))
		check_text(why, sizeof(why));
	if (!cell_task_from_json(parameters, &task, why))
		check_text(why, sizeof(why));
	if (cell_start_from_json(parameters, &start, why)) {
		again = cell_start_to_json(&start);
		FUZZ_ASSERT(again != NULL);
		json_decref(again);
		cell_start_finish(&start);
	}
	if (cell_examine_from_json(parameters, &examine, why))
		cell_examine_finish(&examine);
	if (cell_verdict_from_json(parameters, &verdict, why))
		cell_verdict_finish(&verdict);
}

static void
check_frame(const json_t *frame)
{
	struct varlink_call call;
	struct varlink_reply reply;
	const char *why;

	FUZZ_ASSERT(json_is_object(frame));
	check_link(frame);
	check_link(json_object_get(frame, "parameters"));
	if (varlink_call_decode(frame, &call, &why) == VARLINK_OK) {
		check_call(&call);
		check_interface(&call);
	} else {
		FUZZ_ASSERT(why != NULL);
	}
	if (varlink_reply_decode(frame, &reply, &why) == VARLINK_OK)
		check_reply(&reply);
}

/* Takes all frames that are there. Returns how it ended. */
static enum varlink_result
take_all(struct varlink_reader *reader, unsigned *count, bool look)
{
	enum varlink_result result;
	json_t *frame;

	while ((result = varlink_reader_take(reader, &frame)) == VARLINK_OK) {
		if (look)
			check_frame(frame);
		json_decref(frame);
		++*count;
	}
	FUZZ_ASSERT(frame == NULL);
	FUZZ_ASSERT(varlink_reader_taken(reader) <= varlink_reader_fed(reader));
	return result;
}

/* Feeds the bytes in pieces of this size. */
static enum varlink_result
read_in_pieces(const uint8_t *data, size_t size, size_t piece, unsigned *count, bool look)
{
	struct varlink_reader reader;
	enum varlink_result result = VARLINK_MORE;

	varlink_reader_init(&reader, &limits);
	while (size > 0 && result == VARLINK_MORE) {
		size_t part = piece < size ? piece : size;

		result = varlink_reader_feed(&reader, data, part);
		if (result == VARLINK_OK || result == VARLINK_TOO_BIG)
			result = take_all(&reader, count, look);
		data += part;
		size -= part;
	}
	varlink_reader_finish(&reader);
	return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned whole = 0;
	unsigned pieces = 0;
	enum varlink_result result = read_in_pieces(data, size, size, &whole, true);

	FUZZ_ASSERT(read_in_pieces(data, size, 7, &pieces, false) == result);
	FUZZ_ASSERT(whole == pieces);
	return 0;
}
