/* SPDX-License-Identifier: BSD-2-Clause */
/* Feeds without subscriptions and ways; the test's task is the publisher, and home, unless it says so. */
#include "config.h"

#include "service/feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bay/bay.h>

#include "base/clock.h"
#include "loop/loop.h"
#include "service/message.h"
#include "support/log_lines.h"
#include "support/run_tasks.h"
#include "support/services.h"

/* Like TASK_TEST, with all that messages need, of which nothing may be left. */
#define FEED_TEST(name)                                         \
	static int name##_main(void *arg);                          \
	START_TEST(name)                                            \
	{                                                           \
		services_begin(0);                                      \
		log_lines_keep();                                       \
		told = 0;                                               \
		ck_assert_int_eq(services_run(name##_main, NULL), BAY_OK); \
		services_end();                                         \
	}                                                           \
	END_TEST                                                    \
	static int name##_main(void *arg __attribute__((unused)))

static unsigned told; /* times that home was */

static void
tell(void *arg)
{
	ck_assert_ptr_eq(arg, &told);
	told++;
}

static struct feed *
make(size_t messages, size_t bytes, enum bay_slow slow)
{
	const struct bay_subscription_options options = {.length = sizeof options, .messages = messages,
		.bytes = bytes, .slow = slow};
	struct feed *feed = feed_create("a.>", &options, NULL, tell, &told);

	ck_assert_ptr_nonnull(feed);
	return feed;
}

/* A publisher that stands before feeds, and how often it was let go. */
struct publisher {
	struct publishing publishing;
	unsigned times;
};

static void
on_all_in(struct publishing *publishing)
{
	ck_assert_uint_eq(publishing->missing, 0);
	container_of(publishing, struct publisher, publishing)->times++;
}

static struct publisher
publisher(void)
{
	return (struct publisher){.times = 0};
}

/* Says that it weighs so much, with nothing in it. */
static int
put_for(struct feed *feed, const char *topic, size_t bytes, struct publisher *publisher)
{
	struct bay_message *message = bay_message("", 0);
	struct publication *publication = publication_create(topic, message);
	int status;

	publication->bytes = bytes;
	status = feed_put(feed, publication, &publisher->publishing);
	bay_message_free(message);
	publication_unref(publication);
	return status;
}

/* One that nobody would wait for. */
static void
put(struct feed *feed, const char *topic, size_t bytes)
{
	struct publisher nobody = publisher();

	publishing_init(&nobody.publishing, on_all_in);
	ck_assert_int_eq(put_for(feed, topic, bytes, &nobody), BAY_OK);
	ck_assert_uint_eq(nobody.publishing.missing, 0);
}

/* Stands before it from now on. */
static void
stand(struct feed *feed, const char *topic, size_t bytes, struct publisher *publisher)
{
	publishing_init(&publisher->publishing, on_all_in);
	publisher->times = 0;
	ck_assert_int_eq(put_for(feed, topic, bytes, publisher), BAY_OK);
	ck_assert_uint_eq(publisher->publishing.missing, 1);
}

/* What is on its way to the test's own loop comes there. */
static void
come_home(void)
{
	(void)loop_drain_inbox(&run_tasks_scheduler.loop);
}

/* The topics of all that is in it, in turn: "a.1 a.2". */
static const char *
take_all(struct feed *feed)
{
	static char topics[400];
	struct publication *publication;
	size_t length = 0;

	topics[0] = '\0';
	while ((publication = feed_take(feed)) != NULL) {
		length += (size_t)snprintf(topics + length, sizeof topics - length, "%s%s", length > 0 ? " " : "",
			publication->topic);
		publication_unref(publication);
	}
	ck_assert_uint_eq(feed_size(feed), 0);
	return topics;
}

/* --- publications ------------------------------------------------------------------------------------ */

FEED_TEST(a_publication_has_its_topic_and_its_message_until_the_last_lets_go)
{
	struct bay_message *message = bay_message("text", 4), *wire, *other;
	char topic[] = "a.b", room[100] = "";
	struct publication *publication = publication_create(topic, message);

	topic[0] = 'x';
	ck_assert_str_eq(publication->topic, "a.b");
	ck_assert_uint_eq(publication->bytes, 4);
	bay_message_free(message);
	ck_assert_str_eq(bay_message_text(publication->message), "text");
	wire = publication_wire(publication);
	ck_assert_ptr_nonnull(wire);
	message = publication_wire(publication);
	/* It is made once. */
	ck_assert_ptr_eq(message, wire);
	publication_unref(publication);
	/* It has not been given up with that, for another one to have its place. */
	ck_assert_uint_le(bay_message_size(wire), sizeof room);
	other = bay_message(room, bay_message_size(wire));
	ck_assert_ptr_ne(other, wire);
	bay_message_free(other);
	bay_message_free(wire);
	bay_message_free(message);
	publication_unref(NULL);
	return BAY_OK;
}

/* --- order and room ------------------------------------------------------------------------------------ */

FEED_TEST(what_is_put_in_comes_out_in_its_order_and_home_is_told_of_each)
{
	struct feed *feed = make(3, 100, BAY_SLOW_DROP_NEWEST);

	ck_assert_str_eq(feed_pattern(feed), "a.>");
	ck_assert_ptr_eq(feed_of_link(feed_link(feed)), feed);
	ck_assert(!feed_waits(feed));
	put(feed, "a.1", 1);
	ck_assert_uint_eq(told, 1);
	put(feed, "a.2", 0);
	put(feed, "a.3", 1);
	ck_assert_uint_eq(told, 3);
	ck_assert_uint_eq(feed_size(feed), 3);
	ck_assert_str_eq(take_all(feed), "a.1 a.2 a.3");
	ck_assert_ptr_null(feed_take(feed));
	ck_assert_uint_eq(feed_dropped(feed), 0);
	feed_close(feed);
	return BAY_OK;
}

static void
put_numbers(struct feed *feed, int from, int to)
{
	char topic[16];

	for (int i = from; i < to; i++) {
		snprintf(topic, sizeof topic, "%d", i);
		put(feed, topic, 1);
	}
}

static void
expect_numbers(struct feed *feed, int from, int to)
{
	for (int i = from; i < to; i++) {
		struct publication *publication = feed_take(feed);

		ck_assert_ptr_nonnull(publication);
		ck_assert_int_eq(atoi(publication->topic), i);
		publication_unref(publication);
	}
}

FEED_TEST(it_takes_so_many_and_keeps_their_order_while_it_grows)
{
	static const int limits[] = {1, 2, 16, 17, 33, 100};

	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		struct feed *feed = make((size_t)limits[i], 1000, BAY_SLOW_DROP_NEWEST);
		int half = limits[i] / 2;

		/* The first is not in the first place when it grows. */
		put_numbers(feed, 0, half);
		expect_numbers(feed, 0, half);
		put_numbers(feed, half, half + limits[i]);
		ck_assert_uint_eq(feed_size(feed), (size_t)limits[i]);
		ck_assert_uint_eq(feed_dropped(feed), 0);
		put_numbers(feed, 7000, 7002);
		ck_assert_uint_eq(feed_dropped(feed), 2);
		expect_numbers(feed, half, half + limits[i]);
		ck_assert_ptr_null(feed_take(feed));
		feed_close(feed);
	}
	return BAY_OK;
}

FEED_TEST(it_takes_so_many_bytes_and_no_more)
{
	struct feed *feed = make(10, 10, BAY_SLOW_DROP_NEWEST);

	put(feed, "a.1", 6);
	put(feed, "a.2", 5);
	ck_assert_uint_eq(feed_dropped(feed), 1);
	put(feed, "a.3", 4);
	ck_assert_uint_eq(feed_dropped(feed), 1);
	put(feed, "a.4", 0);
	put(feed, "a.5", 1);
	ck_assert_uint_eq(feed_dropped(feed), 2);
	ck_assert_str_eq(take_all(feed), "a.1 a.3 a.4");
	put(feed, "a.6", 10);
	put(feed, "a.7", 11);
	ck_assert_uint_eq(feed_dropped(feed), 3);
	ck_assert_str_eq(take_all(feed), "a.6");
	put(feed, "a.8", 11);
	ck_assert_uint_eq(feed_dropped(feed), 4);
	feed_close(feed);
	return BAY_OK;
}

FEED_TEST(the_oldest_make_room_as_many_as_are_needed)
{
	struct feed *feed = make(10, 10, BAY_SLOW_DROP_OLDEST);

	for (int i = 0; i < 3; i++)
		put(feed, "a.small", 3);
	put(feed, "a.7", 7);
	ck_assert_uint_eq(feed_dropped(feed), 2);
	ck_assert_uint_eq(feed_size(feed), 2);
	/* Nobody goes for one that does not fit at all. */
	put(feed, "a.11", 11);
	ck_assert_uint_eq(feed_dropped(feed), 3);
	ck_assert_str_eq(take_all(feed), "a.small a.7");
	feed_close(feed);
	return BAY_OK;
}

/* --- publishers that wait ------------------------------------------------------------------------------- */

FEED_TEST(who_finds_no_room_stands_before_it_and_is_let_in_in_turn)
{
	struct feed *feed = make(10, 10, BAY_SLOW_WAIT);
	struct publisher large = publisher(), small = publisher(), last = publisher();

	ck_assert(feed_waits(feed));
	put(feed, "a.1", 6);
	stand(feed, "a.2", 8, &large);
	/* It would fit. */
	stand(feed, "a.3", 1, &small);
	stand(feed, "a.4", 5, &last);
	ck_assert_uint_eq(feed_size(feed), 1);
	publication_unref(feed_take(feed));
	/* As many as fit have their place; they hear of it at home. */
	ck_assert_uint_eq(feed_size(feed), 2);
	ck_assert_uint_eq(large.times + small.times + last.times, 0);
	come_home();
	ck_assert(large.times == 1 && small.times == 1 && last.times == 0);
	ck_assert_uint_eq(large.publishing.missing, 0);
	ck_assert_uint_eq(last.publishing.missing, 1);
	ck_assert_str_eq(take_all(feed), "a.2 a.3 a.4");
	come_home();
	ck_assert_uint_eq(last.times, 1);
	ck_assert_uint_eq(feed_dropped(feed), 0);
	feed_close(feed);
	return BAY_OK;
}

FEED_TEST(who_can_never_be_let_in_does_not_wait)
{
	struct feed *feed = make(10, 10, BAY_SLOW_WAIT);
	struct publisher nobody = publisher();

	publishing_init(&nobody.publishing, on_all_in);
	ck_assert_int_eq(put_for(feed, "a.1", 11, &nobody), BAY_TOO_BIG);
	ck_assert_uint_eq(nobody.publishing.missing, 0);
	ck_assert_uint_eq(feed_dropped(feed), 1);
	/* Nor where others do. */
	put(feed, "a.2", 10);
	ck_assert_int_eq(put_for(feed, "a.3", 11, &nobody), BAY_TOO_BIG);
	ck_assert_uint_eq(nobody.publishing.missing, 0);
	ck_assert_str_eq(take_all(feed), "a.2");
	feed_close(feed);
	return BAY_OK;
}

FEED_TEST(who_stands_before_several_is_in_when_all_have_let_him)
{
	struct feed *feeds[3];
	struct publisher waits = publisher();
	const struct feed *feed = NULL;

	publishing_init(&waits.publishing, on_all_in);
	ck_assert_ptr_null(publishing_feed(&waits.publishing, NULL));
	for (int i = 0; i < 3; i++) {
		feeds[i] = make(1, 10, BAY_SLOW_WAIT);
		put(feeds[i], "a.1", 1);
		ck_assert_int_eq(put_for(feeds[i], "a.2", 1, &waits), BAY_OK);
	}
	ck_assert_uint_eq(waits.publishing.missing, 3);
	for (int i = 0; i < 3; i++) {
		feed = publishing_feed(&waits.publishing, feed);
		ck_assert_ptr_eq(feed, feeds[i]);
	}
	ck_assert_ptr_null(publishing_feed(&waits.publishing, feed));
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(waits.times, 0);
		publication_unref(feed_take(feeds[2 - i]));
		come_home();
		ck_assert_uint_eq(waits.publishing.missing, 2 - (unsigned)i);
	}
	ck_assert_uint_eq(waits.times, 1);
	for (int i = 0; i < 3; i++) {
		ck_assert_str_eq(take_all(feeds[i]), "a.2");
		feed_close(feeds[i]);
	}
	return BAY_OK;
}

FEED_TEST(who_gives_up_has_lost_it_and_lets_the_next_in)
{
	struct feed *feed = make(10, 10, BAY_SLOW_WAIT);
	struct publisher large = publisher(), small = publisher();

	put(feed, "a.1", 6);
	stand(feed, "a.2", 8, &large);
	stand(feed, "a.3", 4, &small);
	ck_assert(publishing_give_up(&large.publishing, false));
	ck_assert_uint_eq(large.publishing.missing, 0);
	ck_assert_ptr_null(publishing_feed(&large.publishing, NULL));
	ck_assert_uint_eq(feed_dropped(feed), 1);
	ck_assert_int_eq(log_lines_with("too slow"), 0);
	come_home();
	ck_assert(large.times == 0 && small.times == 1);
	/* Who waited as long as he could says so. */
	stand(feed, "a.4", 1, &large);
	ck_assert(publishing_give_up(&large.publishing, true));
	ck_assert_int_eq(log_lines_with("its subscription to a.> is too slow (10 messages, 10 bytes at most): "
		"2 lost until now, when one of topic a.4 came"), 1);
	ck_assert_str_eq(take_all(feed), "a.1 a.3");
	/* Nothing is left to give up. */
	ck_assert(!publishing_give_up(&large.publishing, true));
	feed_close(feed);
	return BAY_OK;
}

FEED_TEST(who_gives_up_when_he_has_been_let_in_has_lost_nothing_and_hears_nothing)
{
	struct feed *feed = make(1, 10, BAY_SLOW_WAIT);
	struct publisher waits = publisher();

	put(feed, "a.1", 1);
	stand(feed, "a.2", 1, &waits);
	publication_unref(feed_take(feed));
	ck_assert(!publishing_give_up(&waits.publishing, true));
	ck_assert_ptr_null(publishing_feed(&waits.publishing, NULL));
	come_home();
	ck_assert_uint_eq(waits.times, 0);
	ck_assert_uint_eq(feed_dropped(feed), 0);
	ck_assert_str_eq(take_all(feed), "a.2");
	feed_close(feed);
	return BAY_OK;
}

FEED_TEST(the_end_of_a_feed_lets_all_go_and_takes_nothing_more)
{
	struct feed *feed = make(1, 10, BAY_SLOW_WAIT);
	struct publisher waits = publisher(), nobody = publisher();

	put(feed, "a.1", 1);
	stand(feed, "a.2", 1, &waits);
	told = 0;
	feed_close(feed);
	/* Who stands before it keeps it until he is home. */
	publishing_init(&nobody.publishing, on_all_in);
	ck_assert_int_eq(put_for(feed, "a.3", 1, &nobody), BAY_OK);
	ck_assert_uint_eq(nobody.publishing.missing, 0);
	ck_assert_uint_eq(feed_size(feed), 0);
	come_home();
	ck_assert_uint_eq(waits.times, 1);
	ck_assert_uint_eq(told, 0);
	return BAY_OK;
}

/* --- ways to other cells -------------------------------------------------------------------------------- */

/* Home is a loop of its own, which the test looks after. */
static struct feed *
make_way(struct loop *home, enum bay_slow slow)
{
	struct feed *feed;

	ck_assert(loop_init(home, "home"));
	feed = feed_create_for_cell("other", slow, home, tell, &told);
	ck_assert_ptr_nonnull(feed);
	return feed;
}

static void
close_way(struct feed *feed, struct loop *home)
{
	feed_close(feed);
	(void)loop_drain_inbox(home);
	loop_finish(home);
}

FEED_TEST(the_home_of_a_way_is_told_in_its_next_pass_once_for_all)
{
	struct loop home;
	struct feed *feed = make_way(&home, BAY_SLOW_DROP_NEWEST);

	put(feed, "a.1", 1);
	put(feed, "a.2", 1);
	ck_assert_uint_eq(told, 0);
	ck_assert(loop_drain_inbox(&home));
	ck_assert_uint_eq(told, 1);
	ck_assert(!loop_drain_inbox(&home));
	put(feed, "a.3", 1);
	ck_assert(loop_drain_inbox(&home));
	ck_assert_uint_eq(told, 2);
	ck_assert_str_eq(take_all(feed), "a.1 a.2 a.3");
	/* On its way home it is there though it has ended, and tells nobody. */
	put(feed, "a.4", 1);
	close_way(feed, &home);
	ck_assert_uint_eq(told, 2);
	return BAY_OK;
}

FEED_TEST(the_home_of_a_way_is_told_so_also_where_it_is_the_publishers)
{
	struct feed *feed = feed_create_for_cell("other", BAY_SLOW_WAIT, &run_tasks_scheduler.loop, tell, &told);

	put(feed, "a.1", 1);
	ck_assert_uint_eq(told, 0);
	come_home();
	ck_assert_uint_eq(told, 1);
	ck_assert_str_eq(take_all(feed), "a.1");
	feed_close(feed);
	return BAY_OK;
}

FEED_TEST(a_way_takes_one_of_any_size_that_can_go_over)
{
	struct loop home;
	struct feed *feed = make_way(&home, BAY_SLOW_WAIT);
	struct publisher waits = publisher();

	put(feed, "a.1", FEED_WAY_LARGEST);
	stand(feed, "a.2", 1, &waits);
	publication_unref(feed_take(feed));
	come_home();
	ck_assert_uint_eq(waits.times, 1);
	ck_assert_int_eq(put_for(feed, "a.3", FEED_WAY_LARGEST + 1, &waits), BAY_TOO_BIG);
	ck_assert_int_eq(log_lines_with("one of topic a.3 that is published here is too large for the way to cell other"),
		1);
	ck_assert_str_eq(take_all(feed), "a.2");
	put(feed, "a.4", FEED_WAY_BYTES);
	stand(feed, "a.5", 1, &waits);
	ck_assert_str_eq(take_all(feed), "a.4 a.5");
	come_home();
	close_way(feed, &home);
	return BAY_OK;
}

/* A topic of which some were lost, which have not been told of. */
static void
expect_lost(struct feed *feed, const char *topic, uint64_t count)
{
	char name[BAY_TOPIC_MAX + 1] = "";
	uint64_t lost = 0;

	ck_assert(feed_take_lost(feed, name, &lost));
	ck_assert_str_eq(name, topic);
	ck_assert_uint_eq(lost, count);
}

static void
expect_no_more_lost(struct feed *feed)
{
	char name[BAY_TOPIC_MAX + 1];
	uint64_t lost;

	ck_assert(!feed_take_lost(feed, name, &lost));
}

FEED_TEST(what_a_way_has_lost_is_told_by_topic_the_first_first)
{
	struct loop home;
	struct feed *feed = make_way(&home, BAY_SLOW_DROP_NEWEST);

	expect_no_more_lost(feed);
	put_numbers(feed, 0, FEED_WAY_MESSAGES);
	ck_assert_uint_eq(feed_dropped(feed), 0);
	put(feed, "z", 1);
	put(feed, "a", 1);
	put(feed, "z", 1);
	ck_assert_uint_eq(feed_dropped(feed), 3);
	expect_lost(feed, "z", 2);
	put(feed, "z", 1);
	expect_lost(feed, "a", 1);
	expect_lost(feed, "z", 1);
	expect_no_more_lost(feed);
	ck_assert_uint_eq(feed_dropped(feed), 4);
	close_way(feed, &home);
	return BAY_OK;
}

FEED_TEST(of_a_way_that_has_lost_some_home_is_told_also_when_nothing_is_in_it)
{
	struct loop home;
	struct feed *feed = make_way(&home, BAY_SLOW_DROP_OLDEST);

	put(feed, "a", FEED_WAY_LARGEST + 1);
	ck_assert_uint_eq(feed_size(feed), 0);
	ck_assert(loop_drain_inbox(&home));
	ck_assert_uint_eq(told, 1);
	expect_lost(feed, "a", 1);
	close_way(feed, &home);
	return BAY_OK;
}

FEED_TEST(a_way_remembers_so_many_topics_and_counts_the_others)
{
	struct loop home;
	struct feed *feed = make_way(&home, BAY_SLOW_DROP_NEWEST);
	char topic[16];

	put_numbers(feed, 0, FEED_WAY_MESSAGES);
	for (int i = 0; i < FEED_UNTOLD_MAX + 3; i++) {
		snprintf(topic, sizeof topic, "t.%d", i);
		put(feed, topic, 1);
	}
	/* One that it has is counted there all the same. */
	put(feed, "t.0", 1);
	put(feed, topic, 1);
	ck_assert_uint_eq(feed_dropped(feed), FEED_UNTOLD_MAX + 5);
	expect_lost(feed, "t.0", 2);
	for (int i = 1; i < FEED_UNTOLD_MAX; i++) {
		snprintf(topic, sizeof topic, "t.%d", i);
		expect_lost(feed, topic, 1);
	}
	expect_no_more_lost(feed);
	close_way(feed, &home);
	return BAY_OK;
}

FEED_TEST(a_subscription_has_lost_nothing_that_anybody_is_to_be_told_of)
{
	struct feed *feed = make(1, 10, BAY_SLOW_DROP_NEWEST);

	put(feed, "a.1", 1);
	put(feed, "a.2", 1);
	ck_assert_uint_eq(feed_dropped(feed), 1);
	expect_no_more_lost(feed);
	feed_close(feed);
	return BAY_OK;
}

/* --- what the log says ------------------------------------------------------------------------------------- */

FEED_TEST(that_it_is_too_slow_is_said_every_ten_seconds_at_most)
{
	struct feed *feed = make(1, 10, BAY_SLOW_DROP_NEWEST);

	clock_stand_still(1000 * BAY_SECOND, 0);
	put(feed, "a.1", 1);
	/* There would be room for it, if it were alone. */
	put(feed, "a.2", 10);
	ck_assert_int_eq(log_lines_with("its subscription to a.> is too slow (1 messages, 10 bytes at most): "
		"1 lost until now, when one of topic a.2 came"), 1);
	put(feed, "a.3", 1);
	clock_move_to(1010 * BAY_SECOND - 1);
	put(feed, "a.4", 1);
	ck_assert_int_eq(log_lines_with("too slow"), 1);
	clock_move_to(1010 * BAY_SECOND);
	put(feed, "a.5", 11);
	ck_assert_int_eq(log_lines_with("too slow"), 1);
	ck_assert_int_eq(log_lines_with("one of topic a.5 is too large for its subscription to a.> (11 bytes, and 10 at "
		"most can wait): 4 lost until now"), 1);
	clock_go_on();
	ck_assert_str_eq(take_all(feed), "a.1");
	feed_close(feed);
	return BAY_OK;
}

FEED_TEST(a_way_that_is_too_slow_is_named_by_its_cell)
{
	struct loop home;
	struct feed *feed = make_way(&home, BAY_SLOW_DROP_NEWEST);

	put_numbers(feed, 0, FEED_WAY_MESSAGES + 1);
	ck_assert_int_eq(log_lines_with("cell: cell other is too slow for what is published here (1024 messages, "
		"1048576 bytes at most wait for it): 1 lost until now, when one of topic 1024 came"), 1);
	close_way(feed, &home);
	return BAY_OK;
}

FEED_TEST(what_was_lost_on_its_way_here_is_counted_and_said)
{
	struct feed *feed = make(1, 10, BAY_SLOW_DROP_NEWEST);

	feed_note_lost(feed, "a.1", 3);
	feed_note_lost(feed, "a.2", 4);
	ck_assert_uint_eq(feed_dropped(feed), 7);
	ck_assert_int_eq(log_lines_with("its subscription to a.> has lost 3 of topic a.1 on their way from another cell, "
		"whose log says why: 3 lost until now"), 1);
	ck_assert_int_eq(log_lines_with("a.2"), 0);
	feed_close(feed);
	return BAY_OK;
}

CHECK_MAIN("service/feed",
	a_publication_has_its_topic_and_its_message_until_the_last_lets_go,
	what_is_put_in_comes_out_in_its_order_and_home_is_told_of_each,
	it_takes_so_many_and_keeps_their_order_while_it_grows,
	it_takes_so_many_bytes_and_no_more,
	the_oldest_make_room_as_many_as_are_needed,
	who_finds_no_room_stands_before_it_and_is_let_in_in_turn,
	who_can_never_be_let_in_does_not_wait,
	who_stands_before_several_is_in_when_all_have_let_him,
	who_gives_up_has_lost_it_and_lets_the_next_in,
	who_gives_up_when_he_has_been_let_in_has_lost_nothing_and_hears_nothing,
	the_end_of_a_feed_lets_all_go_and_takes_nothing_more,
	the_home_of_a_way_is_told_in_its_next_pass_once_for_all,
	the_home_of_a_way_is_told_so_also_where_it_is_the_publishers,
	a_way_takes_one_of_any_size_that_can_go_over,
	what_a_way_has_lost_is_told_by_topic_the_first_first,
	of_a_way_that_has_lost_some_home_is_told_also_when_nothing_is_in_it,
	a_way_remembers_so_many_topics_and_counts_the_others,
	a_subscription_has_lost_nothing_that_anybody_is_to_be_told_of,
	that_it_is_too_slow_is_said_every_ten_seconds_at_most,
	a_way_that_is_too_slow_is_named_by_its_cell,
	what_was_lost_on_its_way_here_is_counted_and_said)
