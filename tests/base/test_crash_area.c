/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/crash_area.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

static struct crash_area *
new_area(void)
{
	struct crash_area *area = calloc(1, sizeof *area);

	ck_assert_ptr_nonnull(area);
	return area;
}

START_TEST(a_trace_is_read_as_it_was_written)
{
	struct crash_area *area = new_area();
	struct crash_trace *trace = &area->crash;
	struct crash_trace_view view;

	ck_assert(!crash_trace_read(trace, &view));
	crash_trace_begin(trace);
	trace->kind = CRASH_DOUBLE_FREE;
	trace->tid = 42;
	trace->frames[0] = 0x1000;
	trace->frame_count = 1;
	trace->awaits[0].where = 0x2000;
	crash_put_text(trace->awaits[0].function, CRASH_AWAIT_SIZE, "bay_sleep");
	trace->await_count = 1;
	trace->has_message = 1;
	trace->message_size = 3;
	trace->trace_high = 5;
	trace->trace_low = 6;
	crash_put_bytes(trace->message, CRASH_MESSAGE_SIZE, "a\0b", 3);
	crash_put_text(trace->abort, CRASH_ABORT_SIZE, "free(): invalid pointer");
	ck_assert(!crash_trace_read(trace, &view));
	crash_trace_end(trace);
	ck_assert(crash_trace_read(trace, &view));
	ck_assert_int_eq(view.kind, CRASH_DOUBLE_FREE);
	ck_assert_uint_eq(view.tid, 42);
	ck_assert_uint_eq(view.frame_count, 1);
	ck_assert_uint_eq(view.frames[0], 0x1000);
	ck_assert_uint_eq(view.await_count, 1);
	ck_assert_str_eq(view.awaits[0].function, "bay_sleep");
	ck_assert_uint_eq(view.message_kept, 3);
	ck_assert_mem_eq(view.message, "a\0b", 3);
	ck_assert(view.id.high == 5 && view.id.low == 6);
	ck_assert_str_eq(view.abort, "free(): invalid pointer");
	/* Another one begins empty. */
	crash_trace_begin(trace);
	crash_trace_end(trace);
	ck_assert(crash_trace_read(trace, &view));
	ck_assert_uint_eq(view.frame_count + view.await_count + view.message_kept, 0);
	free(area);
}
END_TEST

START_TEST(what_a_mad_writer_has_put_there_is_clamped)
{
	struct crash_area *area = new_area();
	struct crash_event_view *events = calloc(CRASH_EVENTS, sizeof *events);
	struct crash_object_view object;
	struct crash_trace_view view;

	memset(area, 0xfe, sizeof *area);
	ck_assert(crash_trace_read(&area->crash, &view));
	ck_assert_int_eq(view.kind, CRASH_UNKNOWN);
	ck_assert_uint_eq(view.frame_count, CRASH_FRAMES);
	ck_assert_uint_eq(view.await_count, CRASH_AWAITS);
	ck_assert_uint_eq(view.message_kept, CRASH_MESSAGE_SIZE);
	ck_assert_uint_lt(strlen(view.thread), CRASH_THREAD_SIZE);
	ck_assert_uint_lt(strlen(view.awaits[CRASH_AWAITS - 1].function), CRASH_AWAIT_SIZE);
	ck_assert(!crash_area_find_object(area, 1, &object));
	ck_assert_uint_le(crash_area_read_events(area, events), CRASH_EVENTS);
	free(events);
	free(area);
}
END_TEST

START_TEST(the_last_events_are_kept_in_their_order)
{
	struct crash_area *area = new_area();
	struct crash_event_view *events = calloc(CRASH_EVENTS, sizeof *events);
	char text[32];

	ck_assert_uint_eq(crash_area_read_events(area, events), 0);
	crash_area_add_event(area, 1, 2, "service a", "text");
	ck_assert_uint_eq(crash_area_read_events(area, events), 1);
	ck_assert_str_eq(events[0].text, "service a: text");
	for (int i = 0; i < CRASH_EVENTS + 10; i++) {
		snprintf(text, sizeof text, "%d", i);
		crash_area_add_event(area, i, 3, NULL, text);
	}
	ck_assert_uint_eq(crash_area_read_events(area, events), CRASH_EVENTS);
	ck_assert_str_eq(events[0].text, "10");
	ck_assert_int_eq(events[CRASH_EVENTS - 1].wall_ns, CRASH_EVENTS + 9);
	free(events);
	free(area);
}
END_TEST

START_TEST(an_object_is_found_by_an_address_in_it_until_it_is_gone)
{
	struct crash_area *area = new_area();
	struct crash_object *object = &area->objects[5];
	struct crash_object_view view;

	object->start = 0x1000;
	object->bias = 0x800;
	object->build_id_size = 1000;
	crash_put_text(object->path, CRASH_PATH_SIZE, "/tmp/a.so");
	ck_assert(!crash_area_find_object(area, 0x1000, &view));
	object->end = 0x2000;
	ck_assert(crash_area_find_object(area, 0x1fff, &view));
	ck_assert_str_eq(view.path, "/tmp/a.so");
	ck_assert_uint_eq(view.bias, 0x800);
	ck_assert_uint_eq(view.build_id_size, CRASH_BUILD_ID_SIZE);
	ck_assert(!crash_area_find_object(area, 0x2000, &view));
	free(area);
}
END_TEST

CHECK_MAIN("base/crash_area",
	a_trace_is_read_as_it_was_written,
	what_a_mad_writer_has_put_there_is_clamped,
	the_last_events_are_kept_in_their_order,
	an_object_is_found_by_an_address_in_it_until_it_is_gone)
