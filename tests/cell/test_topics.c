/* SPDX-License-Identifier: BSD-2-Clause */
/* What a cell tells of its subscriptions: the test is the master. What it is told of others is tested by
 * service/ and system/. */
#include "config.h"

#include "cell/topics.h"

#include <stdio.h>
#include <string.h>

#include <bay/status.h>

#include "base/clock.h"
#include "protocol/cell_link.h"
#include "service/topic_interest.h"
#include "support/cell_control.h"
#include "support/services.h"

static void
begin(void)
{
	clock_stand_still(INT64_C(1000) * CLOCK_NS_PER_S, 0);
	services_begin(1);
	cell_control_begin();
	ck_assert(cell_topics_begin(cell_control, &cell_control_loop));
}

static void
end(void)
{
	cell_topics_stop();
	cell_topics_end();
	cell_control_end();
	services_end();
	clock_go_on();
}

/* As often as it takes for what is in the inbox to be sent. */
static void
turn(void)
{
	for (int i = 0; i < 4; i++)
		cell_control_turn();
}

/* The pause between two sets is over, if there is one. */
static void
pass_pause(void)
{
	int64_t next_ns = wheel_next_ns(&cell_control_loop.wheel);

	if (next_ns == INT64_MAX)
		return;
	clock_move_to(next_ns);
	turn();
	wheel_advance(&cell_control_loop.wheel, next_ns);
}

/* The next that the cell says: how many patterns of each class, and the first of the second. */
static int64_t
expect(size_t wait, size_t drop, const char *first)
{
	struct cell_question question;
	const json_t *words;

	while (!cell_control_take(&question)) {
		turn();
		pass_pause();
	}
	ck_assert_str_eq(question.method, CELL_TOPICS);
	ck_assert_uint_eq(json_array_size(json_object_get(question.parameters, "wait")), wait);
	words = json_object_get(question.parameters, "drop");
	ck_assert_uint_eq(json_array_size(words), drop);
	if (first != NULL)
		ck_assert_str_eq(json_string_value(json_object_get(json_array_get(words, 0), "text")), first);
	return question.id;
}

static bool
says_nothing(void)
{
	struct cell_question question;

	turn();
	return !cell_control_take(&question);
}

static void
ok(int64_t id)
{
	cell_control_reply(id, BAY_OK, NULL, -1);
	turn();
}

static void
add(const char *format, int from, int to)
{
	for (int i = from; i < to; i++) {
		char pattern[300];

		snprintf(pattern, sizeof pattern, format, i);
		topic_interest_add(TOPIC_DROP, pattern);
	}
}

static void
take_away(const char *format, int from, int to)
{
	for (int i = from; i < to; i++) {
		char pattern[300];

		snprintf(pattern, sizeof pattern, format, i);
		topic_interest_remove(TOPIC_DROP, pattern);
	}
}

START_TEST(many_changes_are_one_and_the_next_waits_for_the_answer)
{
	int64_t id;

	begin();
	ck_assert(says_nothing());
	topic_interest_add(TOPIC_DROP, "a");
	topic_interest_add(TOPIC_WAIT, "b.*");
	topic_interest_add(TOPIC_DROP, "c");
	id = expect(1, 2, "a");
	topic_interest_remove(TOPIC_DROP, "a");
	topic_interest_remove(TOPIC_WAIT, "b.*");
	ck_assert(says_nothing());
	cell_control_reply(id, BAY_OK, NULL, -1);
	id = expect(0, 1, "c");
	ok(id);
	ck_assert(says_nothing());
	topic_interest_remove(TOPIC_DROP, "c");
	ok(expect(0, 0, NULL));
	end();
}
END_TEST

START_TEST(what_cannot_be_said_is_everything)
{
	char large[256];

	begin();
	add("a.%d", 0, CELL_TOPICS_MAX);
	ok(expect(0, CELL_TOPICS_MAX, "a.0"));
	add("a.%d", CELL_TOPICS_MAX, CELL_TOPICS_MAX + 1);
	ok(expect(0, 1, ">"));
	take_away("a.%d", 0, CELL_TOPICS_MAX + 1);
	add("*.%d", 0, CELL_TOPICS_WILD_MAX);
	ok(expect(0, CELL_TOPICS_WILD_MAX, "*.0"));
	add("*.%d", CELL_TOPICS_WILD_MAX, CELL_TOPICS_WILD_MAX + 1);
	ok(expect(0, 1, ">"));
	take_away("*.%d", 0, CELL_TOPICS_WILD_MAX + 1);
	/* Of 204 bytes each. */
	memset(large, 'x', 200);
	snprintf(large + 200, sizeof large - 200, "%%04d");
	add(large, 0, CELL_TOPICS_BYTES / 204);
	ok(expect(0, CELL_TOPICS_BYTES / 204, NULL));
	add(large, CELL_TOPICS_BYTES / 204, CELL_TOPICS_BYTES / 204 + 1);
	ok(expect(0, 1, ">"));
	take_away(large, 0, CELL_TOPICS_BYTES / 204 + 1);
	/* What JSON cannot say. */
	topic_interest_add(TOPIC_DROP, "a.\xff");
	ok(expect(0, 1, ">"));
	topic_interest_remove(TOPIC_DROP, "a.\xff");
	ok(expect(0, 0, NULL));
	end();
}
END_TEST

START_TEST(a_set_waits_for_a_pause_after_the_one_before)
{
	begin();
	add("a.%d", 0, 1);
	ok(expect(0, 1, "a.0"));
	for (int i = 1; i < 4; i++) {
		int64_t before_ns = clock_monotonic_ns();

		add("a.%d", i, i + 1);
		ck_assert(says_nothing());
		add("a.%d", 10 + i, 11 + i);
		ck_assert(says_nothing());
		ok(expect(0, 1 + 2 * (size_t)i, "a.0"));
		ck_assert_int_gt(clock_monotonic_ns(), before_ns);
	}
	/* After a while the next goes at once. */
	clock_move_to(clock_monotonic_ns() + CLOCK_NS_PER_S);
	turn();
	add("b.%d", 0, 1);
	turn();
	ck_assert_int_eq(wheel_next_ns(&cell_control_loop.wheel), INT64_MAX);
	ok(expect(0, 8, "a.0"));
	end();
}
END_TEST

CHECK_MAIN("cell/topics",
	many_changes_are_one_and_the_next_waits_for_the_answer,
	what_cannot_be_said_is_everything,
	a_set_waits_for_a_pause_after_the_one_before)
