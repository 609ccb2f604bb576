/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/topic_wire.h"

#include <string.h>

#include <bay/bay.h>

#include "service/message.h"
#include "support/check_main.h"

static void
comes_back(size_t size, const char *topic)
{
	struct bay_message *message = message_create(size), *wire;
	struct topic_wire read;

	memset(message->data, 'm', size);
	wire = topic_wire_message(topic, message);
	ck_assert_ptr_null(topic_wire_read(wire, &read));
	ck_assert_int_eq(read.kind, TOPIC_WIRE_MESSAGE);
	ck_assert_str_eq(read.topic, topic);
	ck_assert_uint_eq(bay_message_size(wire), size);
	ck_assert_mem_eq(bay_message_data(wire), message->data, size + 1);
	bay_message_free(message);
	bay_message_free(wire);
}

START_TEST(a_message_of_any_size_comes_back)
{
	char longest[BAY_TOPIC_MAX + 1] = "";

	memset(longest, 't', BAY_TOPIC_MAX);
	for (size_t size = 0; size < 300; size++)
		comes_back(size, size % 2 == 0 ? "a.b" : longest);
	comes_back(1 << 20, longest);
}
END_TEST

START_TEST(none_comes_back_as_none_and_a_number_as_it_was)
{
	struct bay_message *wire = topic_wire_message("a", NULL);
	struct topic_wire read;

	ck_assert_ptr_null(topic_wire_read(wire, &read));
	ck_assert_int_eq(read.kind, TOPIC_WIRE_NULL);
	bay_message_free(wire);
	wire = topic_wire_lost("a", UINT64_MAX);
	ck_assert_ptr_null(topic_wire_read(wire, &read));
	ck_assert_int_eq(read.kind, TOPIC_WIRE_LOST);
	ck_assert_uint_eq(read.lost, UINT64_MAX);
	bay_message_free(wire);
}
END_TEST

/* Each byte of a good one, changed to each value, is read or refused. */
START_TEST(whatever_is_there_is_read_or_refused)
{
	for (size_t at = 0; at < 8; at++) {
		for (int value = 0; value < 256; value++) {
			struct bay_message *message = bay_message("123", 3), *wire = topic_wire_message("a.b", message);
			struct topic_wire read;

			wire->data[at] = (char)value;
			if (topic_wire_read(wire, &read) == NULL)
				ck_assert_uint_le(bay_message_size(wire) + strlen(read.topic), 6);
			bay_message_free(message);
			bay_message_free(wire);
		}
	}
}
END_TEST

CHECK_MAIN("service/topic_wire",
	a_message_of_any_size_comes_back,
	none_comes_back_as_none_and_a_number_as_it_was,
	whatever_is_there_is_read_or_refused)
