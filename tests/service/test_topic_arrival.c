/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes to cell a of a publisher in cell b, which the test plays. */
#include "config.h"

#include "service/topic_arrival.h"

#include <stdio.h>
#include <string.h>

#include <bay/bay.h>

#include "service/feed.h"
#include "service/message.h"
#include "service/peer.h"
#include "service/peer_link.h"
#include "service/topic_way.h"
#include "service/topic_wire.h"
#include "support/services.h"
#include "support/two_cells.h"

static struct link hand;
static struct bay_subscription *drops, *waits;
static uint64_t id;

static int
nothing(void *arg)
{
	(void)arg;
	return BAY_OK;
}

static void
say(const struct link_record *record, const void *bytes, size_t size)
{
	void *room = link_record_write(&hand.out, record, (uint32_t)size);

	ck_assert_ptr_nonnull(room);
	if (size > 0)
		memcpy(room, bytes, size);
	if (link_writer_publish(&hand.out))
		link_wake(&hand);
}

/* How the next request ends. */
static struct link_outcome
hear_end(void)
{
	struct link_record record = {.kind = LINK_NAME};
	struct link_view view;
	const char *why;

	while (record.kind != LINK_END) {
		while (link_reader_look(&hand.in, &view) == LINK_NOTHING)
			;
		ck_assert_msg(link_record_read(&view, &record, &why), "%s", why);
		link_reader_pass(&hand.in);
	}
	return record.end;
}

static bool
hears_nothing(void)
{
	struct link_view view;

	/* It has had its time to say something. */
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(services_run(nothing, NULL), BAY_OK);
	return link_reader_look(&hand.in, &view) == LINK_NOTHING;
}

static void
request(uint16_t service, const void *bytes, size_t size, bool one_way)
{
	say(&(struct link_record){.kind = LINK_REQUEST, .request = {.id = ++id, .service = service, .one_way = one_way,
		.deadline = INT64_MAX, .size = (uint32_t)size}}, bytes, size);
}

/* Takes wire. Returns the id. */
static uint64_t
bring(enum topic_class class, struct bay_message *wire)
{
	request((uint16_t)class, bay_message_data(wire), bay_message_size(wire), false);
	bay_message_free(wire);
	return id;
}

static uint64_t
bring_text(enum topic_class class, const char *topic, const char *text)
{
	struct bay_message *message = bay_message_printf("%s", text), *wire = topic_wire_message(topic, message);

	bay_message_free(message);
	return bring(class, wire);
}

static int
subscribe(void *arg)
{
	struct bay_subscription_options options = {.length = sizeof options, .messages = 2};

	(void)arg;
	ck_assert_int_eq(bay_subscribe("a.*", &options, &drops), BAY_OK);
	options.slow = BAY_SLOW_WAIT;
	return bay_subscribe("a.*", &options, &waits);
}

static int
unsubscribe(void *arg)
{
	(void)arg;
	bay_unsubscribe(drops);
	bay_unsubscribe(waits);
	return BAY_OK;
}

static void
name(enum topic_class class)
{
	struct link_record record = {.kind = LINK_NAME, .name = {.number = (uint16_t)class}};

	snprintf(record.name.name, sizeof record.name.name, "%s", topic_wire_services[class]);
	say(&record, NULL, 0);
}

static void
begin(void)
{
	two_cells_begin(1);
	ck_assert(topic_arrivals_begin());
	two_cells_by_hand(1, &hand);
	name(TOPIC_DROP);
	name(TOPIC_WAIT);
	id = 0;
	ck_assert_int_eq(services_run(subscribe, NULL), BAY_OK);
}

static void
end(void)
{
	ck_assert_int_eq(services_run(unsubscribe, NULL), BAY_OK);
	two_cells_check_nothing_left();
	two_cells_end();
	link_close(&hand);
}

/* The next of a subscription: "TOPIC TEXT" */
static int
next_is(struct bay_subscription *subscription, const char *expected)
{
	struct bay_message *message;
	const char *topic;
	char got[128];

	ck_assert_int_eq(bay_subscription_next(subscription, &message, &topic, BAY_INHERIT), BAY_OK);
	snprintf(got, sizeof got, "%s %s", topic, bay_message_text(message));
	ck_assert_str_eq(got, expected);
	bay_message_free(message);
	return BAY_OK;
}

static int next_dropping_is(void *arg) { return next_is(drops, arg); }
static int next_waiting_is(void *arg) { return next_is(waits, arg); }

static int
nothing_waits(void *arg)
{
	(void)arg;
	ck_assert_uint_eq(bay_subscription_size(drops), 0);
	ck_assert_uint_eq(bay_subscription_size(waits), 0);
	return BAY_OK;
}

static int
lost(void *arg)
{
	uint64_t *lost_r = arg;

	lost_r[TOPIC_DROP] = bay_subscription_dropped(drops);
	lost_r[TOPIC_WAIT] = bay_subscription_dropped(waits);
	return BAY_OK;
}

static void
expect_lost(uint64_t of_drop, uint64_t of_wait)
{
	uint64_t got[TOPIC_CLASSES];

	ck_assert_int_eq(services_run(lost, got), BAY_OK);
	ck_assert_uint_eq(got[TOPIC_DROP], of_drop);
	ck_assert_uint_eq(got[TOPIC_WAIT], of_wait);
}

START_TEST(what_comes_is_put_into_subscriptions_of_its_class)
{
	begin();
	ck_assert_uint_eq(bring_text(TOPIC_DROP, "a.b", "one"), hear_end().id);
	ck_assert_int_eq(services_run(next_dropping_is, (char[]){"a.b one"}), BAY_OK);
	ck_assert_int_eq(services_run(nothing_waits, NULL), BAY_OK);
	ck_assert_uint_eq(bring_text(TOPIC_WAIT, "a.c", "two"), hear_end().id);
	ck_assert_int_eq(services_run(next_waiting_is, (char[]){"a.c two"}), BAY_OK);
	ck_assert_int_eq(services_run(nothing_waits, NULL), BAY_OK);
	/* Nobody wants it any more, and an empty one. */
	ck_assert_uint_eq(bring_text(TOPIC_WAIT, "b.c", "three"), hear_end().id);
	ck_assert_uint_eq(bring(TOPIC_WAIT, topic_wire_message("a.d", NULL)), hear_end().id);
	ck_assert_int_eq(services_run(next_waiting_is, (char[]){"a.d "}), BAY_OK);
	ck_assert_int_eq(services_run(nothing_waits, NULL), BAY_OK);
	end();
}
END_TEST

START_TEST(what_comes_goes_no_further)
{
	const char *all = ">";

	begin();
	topic_way_set("b", TOPIC_DROP, &all, 1);
	ck_assert_int_eq(services_run(nothing, NULL), BAY_OK);
	ck_assert_uint_eq(bring_text(TOPIC_DROP, "a.b", "one"), hear_end().id);
	ck_assert(hears_nothing());
	topic_ways_stop();
	ck_assert_int_eq(services_run(nothing, NULL), BAY_OK);
	ck_assert_int_eq(services_run(next_dropping_is, (char[]){"a.b one"}), BAY_OK);
	end();
	topic_ways_finish();
}
END_TEST

START_TEST(one_that_there_is_no_room_for_ends_when_there_is)
{
	uint64_t third;

	begin();
	bring_text(TOPIC_WAIT, "a.b", "1");
	bring_text(TOPIC_WAIT, "a.b", "2");
	third = bring_text(TOPIC_WAIT, "a.b", "3");
	ck_assert_uint_eq(hear_end().id, third - 2);
	ck_assert_uint_eq(hear_end().id, third - 1);
	ck_assert(hears_nothing());
	/* Nobody else waits for that. */
	ck_assert_uint_eq(bring_text(TOPIC_DROP, "a.b", "4"), hear_end().id);
	ck_assert_int_eq(services_run(next_waiting_is, (char[]){"a.b 1"}), BAY_OK);
	ck_assert_uint_eq(hear_end().id, third);
	ck_assert_int_eq(services_run(next_waiting_is, (char[]){"a.b 2"}), BAY_OK);
	ck_assert_int_eq(services_run(next_waiting_is, (char[]){"a.b 3"}), BAY_OK);
	expect_lost(0, 0);
	end();
}
END_TEST

/* What is told to wait, and the numbers of it. */
static struct {
	unsigned count;
	uint32_t serials[4];
	const char *patterns[4];
	const struct bay_request *requests[4];
} told;

static void
on_wait(const struct topic_arrival_wait *wait, void *arg)
{
	(void)arg;
	ck_assert_uint_lt(told.count, 4);
	ck_assert_uint_ne(wait->serial, 0);
	told.patterns[told.count] = feed_pattern(wait->feed);
	told.requests[told.count] = wait->request;
	told.serials[told.count++] = wait->serial;
}

static int
look(void *arg)
{
	(void)arg;
	told.count = 0;
	topic_arrivals_waits(on_wait, NULL);
	return BAY_OK;
}

static unsigned
waiting(void)
{
	ck_assert_int_eq(services_run(look, NULL), BAY_OK);
	return told.count;
}

static struct bay_subscription *more;

static int
subscribe_more(void *arg)
{
	const struct bay_subscription_options options = {.length = sizeof options, .messages = 2, .slow = BAY_SLOW_WAIT};

	(void)arg;
	return bay_subscribe("a.b", &options, &more);
}

static int
unsubscribe_and_read_one(void *arg)
{
	(void)arg;
	bay_unsubscribe(more);
	return next_is(waits, "a.b 1");
}

START_TEST(what_waits_for_room_is_told_with_all_that_have_none)
{
	uint32_t serial;

	begin();
	ck_assert_uint_eq(waiting(), 0);
	ck_assert_int_eq(services_run(subscribe_more, NULL), BAY_OK);
	bring_text(TOPIC_WAIT, "a.b", "1");
	bring_text(TOPIC_WAIT, "a.b", "2");
	(void)hear_end();
	(void)hear_end();
	ck_assert_uint_eq(waiting(), 0);
	bring_text(TOPIC_WAIT, "a.b", "3");
	bring_text(TOPIC_WAIT, "a.b", "4");
	while (waiting() < 4)
		;
	ck_assert_ptr_eq(told.requests[0], told.requests[1]);
	ck_assert_ptr_eq(told.requests[2], told.requests[3]);
	ck_assert_ptr_ne(told.requests[0], told.requests[2]);
	ck_assert_str_eq(told.patterns[0], "a.b");
	ck_assert_str_eq(told.patterns[1], "a.*");
	ck_assert_uint_eq(told.serials[0], told.serials[1]);
	ck_assert_uint_ne(told.serials[0], told.serials[2]);
	serial = told.serials[2];
	ck_assert_uint_eq(waiting(), 4);
	ck_assert_uint_eq(told.serials[2], serial);
	/* The third has got in, and the fourth stands before one only. */
	ck_assert_int_eq(services_run(unsubscribe_and_read_one, NULL), BAY_OK);
	while (waiting() > 1)
		;
	ck_assert_uint_eq(told.count, 1);
	ck_assert_uint_eq(told.serials[0], serial);
	/* Nobody waits any more. */
	say(&(struct link_record){.kind = LINK_CANCEL, .cancel = {.id = id, .reason = "enough"}}, NULL, 0);
	while (waiting() > 0)
		;
	end();
}
END_TEST

START_TEST(one_that_is_cancelled_while_it_waits_is_lost_and_leaves_nothing)
{
	struct link_outcome outcome;

	begin();
	bring_text(TOPIC_WAIT, "a.b", "1");
	bring_text(TOPIC_WAIT, "a.b", "2");
	(void)hear_end();
	(void)hear_end();
	bring_text(TOPIC_WAIT, "a.b", "3");
	say(&(struct link_record){.kind = LINK_CANCEL, .cancel = {.id = id, .reason = "enough"}}, NULL, 0);
	outcome = hear_end();
	ck_assert_uint_eq(outcome.id, id);
	ck_assert_int_eq(outcome.status, BAY_CANCELED);
	expect_lost(0, 1);
	end();
}
END_TEST

START_TEST(what_waits_when_its_cell_ends_is_lost_and_leaves_nothing)
{
	begin();
	for (int i = 0; i < 10; i++)
		bring_text(TOPIC_WAIT, "a.b", "1");
	(void)hear_end();
	(void)hear_end();
	ck_assert(hears_nothing());
	link_close(&hand);
	while (atomic_load(&two_cells.closed) == 0)
		;
	ck_assert_int_eq(services_run(nothing, NULL), BAY_OK);
	expect_lost(0, 8);
	end();
}
END_TEST

START_TEST(what_was_lost_on_its_way_is_counted_by_those_that_it_was_for)
{
	begin();
	ck_assert_uint_eq(bring(TOPIC_DROP, topic_wire_lost("a.b", 7)), hear_end().id);
	ck_assert_uint_eq(bring(TOPIC_DROP, topic_wire_lost("b.b", 5)), hear_end().id);
	expect_lost(7, 0);
	end();
}
END_TEST

/* What a cell says that is no publication ends the link. */
static const struct {
	const char *bytes;
	size_t size;
	bool one_way;
	const char *why;
} garbage[] = {
	{"", 0, false, "a publication has no topic"},
	{"x", 1, false, "a publication has no topic"},
	{"a\2\0", 3, false, "a publication has no topic"},
	{"xa..b\4\0", 7, false, "what is published has no topic that can be"},
	{"xa.*\3\0", 6, false, "what is published has no topic that can be"},
	{"x\0\0", 3, false, "what is published has no topic that can be"},
	{"xa\0b\3\0", 6, false, "what is published has no topic that can be"},
	{"xa\1\3", 4, false, "a publication is of no kind that can be"},
	{"xa\1\1", 4, false, "a publication is of no kind that can be"},
	{"1234567a\1\2", 10, false, "a publication is of no kind that can be"},
	{"xa\1\0", 4, true, "a publication waits for no answer"},
};

START_TEST(garbage_ends_the_link)
{
	for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
		begin();
		request(TOPIC_DROP, garbage[i].bytes, garbage[i].size, garbage[i].one_way);
		ck_assert_str_eq(two_cells_await_broken(1), garbage[i].why);
		ck_assert_int_eq(services_run(nothing_waits, NULL), BAY_OK);
		end();
		atomic_store(&two_cells.broken, 0);
	}
}
END_TEST

CHECK_MAIN("service/topic_arrival",
	what_comes_is_put_into_subscriptions_of_its_class,
	what_comes_goes_no_further,
	one_that_there_is_no_room_for_ends_when_there_is,
	what_waits_for_room_is_told_with_all_that_have_none,
	one_that_is_cancelled_while_it_waits_is_lost_and_leaves_nothing,
	what_waits_when_its_cell_ends_is_lost_and_leaves_nothing,
	what_was_lost_on_its_way_is_counted_by_those_that_it_was_for,
	garbage_ends_the_link)
