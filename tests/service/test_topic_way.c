/* SPDX-License-Identifier: BSD-2-Clause */
/* What is published in cell a for cell b, whose end of the link is in the test's hand. */
#include "config.h"

#include "service/topic_way.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bay/bay.h>

#include "service/feed.h"
#include "service/peer.h"
#include "service/peer_link.h"
#include "service/request.h"
#include "service/topic_wire.h"
#include "support/log_lines.h"
#include "support/services.h"
#include "support/two_cells.h"

static struct link hand;
/* The body of the latest request. */
static char body[4 << 20];
static size_t body_size;

static int
nothing(void *arg)
{
	(void)arg;
	return BAY_OK;
}

static void
say(const struct link_record *record)
{
	ck_assert_ptr_nonnull(link_record_write(&hand.out, record, 0));
	if (link_writer_publish(&hand.out))
		link_wake(&hand);
}

static struct link_record
hear(void)
{
	struct link_record record;
	struct link_view view;
	const char *why;

	while (link_reader_look(&hand.in, &view) == LINK_NOTHING)
		;
	ck_assert_ptr_null(hand.in.broken);
	ck_assert_msg(link_record_read(&view, &record, &why), "%s", why);
	if (record.kind == LINK_REQUEST)
		body_size = 0;
	if (record.kind == LINK_REQUEST || record.kind == LINK_MORE) {
		link_view_copy(&view, record.part_at, body + body_size, record.part_size);
		body_size += record.part_size;
	}
	link_reader_pass(&hand.in);
	if (link_reader_release(&hand.in))
		link_wake(&hand);
	return record;
}

/* The next request, whole. */
static struct link_record
hear_request(void)
{
	struct link_record record = hear();

	while (record.kind != LINK_REQUEST)
		record = hear();
	while (body_size < record.request.size)
		ck_assert_int_eq(hear().kind, LINK_MORE);
	return record;
}

/* What is in it; its topic and text follow. */
static struct topic_wire
wire_of(const struct link_record *request, char *text, size_t size)
{
	struct bay_message *message = bay_message(body, request->request.size);
	struct topic_wire wire;

	ck_assert_ptr_null(topic_wire_read(message, &wire));
	snprintf(text, size, "%s", bay_message_text(message));
	bay_message_free(message);
	return wire;
}

static void
expect(const char *topic, const char *text)
{
	struct link_record request = hear_request();
	char got[64];
	struct topic_wire wire = wire_of(&request, got, sizeof got);

	ck_assert_int_eq(wire.kind, TOPIC_WIRE_MESSAGE);
	ck_assert_str_eq(wire.topic, topic);
	ck_assert_str_eq(got, text);
}

/* It has been taken, and its room is free. */
static void
answer(const struct link_record *request)
{
	say(&(struct link_record){.kind = LINK_END, .end = {.id = request->request.id, .is_null = true}});
	say(&(struct link_record){.kind = LINK_CREDIT, .credit = {.service = request->request.service, .messages = 1,
		.bytes = request->request.size}});
}

static void
want(enum topic_class class, const char *one, const char *two)
{
	const char *patterns[] = {one, two};

	topic_way_set("b", class, patterns, (one != NULL) + (two != NULL));
	/* It is in force. */
	ck_assert_int_eq(services_run(nothing, NULL), BAY_OK);
}

static void
begin(void)
{
	two_cells_begin(1);
	two_cells_by_hand(1, &hand);
}

static void
end(void)
{
	/* A link that ends is heard to its end before that, however long that takes. */
	while (!link_writer_is_read(&hand.out))
		usleep(1000);
	topic_ways_stop();
	two_cells_check_nothing_left();
	two_cells_end();
	topic_ways_finish();
	link_close(&hand);
}

/* "TOPIC TEXT" */
static int
publish(void *arg)
{
	char topic[64];
	const char *text = strchr(arg, ' ') + 1;
	struct bay_message *message = bay_message_printf("%s", text);
	int status;

	snprintf(topic, sizeof topic, "%.*s", (int)(text - 1 - (const char *)arg), (const char *)arg);
	status = bay_publish(topic, message, BAY_INHERIT);
	bay_message_free(message);
	return status;
}

START_TEST(what_fits_any_of_the_patterns_goes_over_once)
{
	struct link_record name;

	begin();
	want(TOPIC_DROP, "a.*", "a.b");
	ck_assert_int_eq(services_run(publish, (char[]){"b.a one"}), BAY_OK);
	ck_assert_int_eq(services_run(publish, (char[]){"a.b two"}), BAY_OK);
	ck_assert_int_eq(services_run(publish, (char[]){"a.c three"}), BAY_OK);
	name = hear();
	ck_assert_int_eq(name.kind, LINK_NAME);
	ck_assert_str_eq(name.name.name, topic_wire_services[TOPIC_DROP]);
	expect("a.b", "two");
	expect("a.c", "three");
	/* Another set is instead of that. */
	want(TOPIC_DROP, "b.a", NULL);
	ck_assert_int_eq(services_run(publish, (char[]){"a.b four"}), BAY_OK);
	ck_assert_int_eq(services_run(publish, (char[]){"b.a five"}), BAY_OK);
	expect("b.a", "five");
	end();
}
END_TEST

START_TEST(each_class_has_its_own_way)
{
	struct link_record first, second;

	begin();
	want(TOPIC_DROP, "a", NULL);
	want(TOPIC_WAIT, ">", NULL);
	ck_assert_int_eq(services_run(publish, (char[]){"a one"}), BAY_OK);
	first = hear_request();
	second = hear_request();
	ck_assert_uint_ne(first.request.service, second.request.service);
	ck_assert_int_eq(services_run(publish, (char[]){"b two"}), BAY_OK);
	expect("b", "two");
	end();
}
END_TEST

/* More than can be under way and wait. */
enum { MANY = PEER_CREDIT_MESSAGES + FEED_WAY_MESSAGES + 10 };

static int
publish_many(void *arg)
{
	int i, status = BAY_OK;

	(void)arg;
	for (i = 0; i < MANY && status == BAY_OK; i++) {
		struct bay_message *message = bay_message_printf("%d", i);

		status = bay_publish("many", message, BAY_INHERIT);
		bay_message_free(message);
		/* What waits goes as far as it can. */
		bay_yield();
	}
	return status;
}

START_TEST(what_there_is_no_room_for_is_dropped_and_told_of)
{
	struct link_record request;
	struct topic_wire wire;
	uint64_t lost = 0;
	char text[64];
	int i, last = -1, got = 0;

	begin();
	want(TOPIC_DROP, "many", NULL);
	log_lines_keep();
	ck_assert_int_eq(services_run(publish_many, NULL), BAY_OK);
	ck_assert_int_eq(log_lines_with("cell: cell b is too slow for what is published here"), 1);
	for (i = 0; got + (int)lost < MANY; i++) {
		request = hear_request();
		wire = wire_of(&request, text, sizeof text);
		answer(&request);
		ck_assert_str_eq(wire.topic, "many");
		if (wire.kind == TOPIC_WIRE_LOST) {
			lost += wire.lost;
			continue;
		}
		/* The newest have stayed, in their order. */
		ck_assert_int_gt(atoi(text), last);
		last = atoi(text);
		got++;
	}
	ck_assert_int_eq(last, MANY - 1);
	ck_assert_uint_ge(lost, 10);
	end();
}
END_TEST

/* Of many topics, and many more than there is room for. */
enum {
	TOPICS = 200,
	OF_EACH = 10,
	OF_ALL = TOPICS * OF_EACH
};

static int
publish_many_topics(void *arg)
{
	char topic[32];
	int i, status = BAY_OK;

	(void)arg;
	for (i = 0; i < OF_ALL && status == BAY_OK; i++) {
		struct bay_message *message = bay_message_printf("%d", i);

		snprintf(topic, sizeof topic, "many.%d", i % TOPICS);
		status = bay_publish(topic, message, BAY_INHERIT);
		bay_message_free(message);
		bay_yield();
	}
	return status;
}

/* The next; whether it tells of what was lost. Counts it for its topic. */
static bool
hear_of_many(struct link_record *request_r, int *last_r, uint64_t *of_topic)
{
	struct topic_wire wire;
	char text[64];
	int topic;

	*request_r = hear_request();
	wire = wire_of(request_r, text, sizeof text);
	ck_assert_int_eq(sscanf(wire.topic, "many.%d", &topic), 1);
	ck_assert_int_lt(topic, TOPICS);
	if (wire.kind == TOPIC_WIRE_LOST) {
		of_topic[topic] += wire.lost;
		return true;
	}
	of_topic[topic]++;
	*last_r = atoi(text);
	return false;
}

START_TEST(what_tells_of_lost_ones_of_many_topics_takes_the_room_of_one_message)
{
	uint64_t of_topic[TOPICS] = {0}, all = 0;
	struct link_record request, telling = {.kind = LINK_NAME};
	int i, last = -1;

	begin();
	want(TOPIC_DROP, "many.*", NULL);
	ck_assert_int_eq(services_run(publish_many_topics, NULL), BAY_OK);
	/* As long as the first is not answered, all that there is room for goes on. */
	while (last < OF_ALL - 1) {
		if (!hear_of_many(&request, &last, of_topic)) {
			answer(&request);
			continue;
		}
		ck_assert_int_eq(telling.kind, LINK_NAME);
		telling = request;
	}
	ck_assert_int_eq(telling.kind, LINK_REQUEST);
	answer(&telling);
	/* Then the others are told of, though nobody publishes any more. */
	for (i = 0; i < TOPICS; i++)
		all += of_topic[i];
	while (all < OF_ALL) {
		all = 0;
		ck_assert(hear_of_many(&request, &last, of_topic));
		answer(&request);
		for (i = 0; i < TOPICS; i++)
			all += of_topic[i];
	}
	for (i = 0; i < TOPICS; i++)
		ck_assert_uint_eq(of_topic[i], OF_EACH);
	end();
}
END_TEST

static int
publish_until(void *arg)
{
	(void)arg;
	return bay_publish("many", NULL, bay_after(BAY_MS));
}

START_TEST(who_waits_for_room_does_so_until_the_deadline_or_nobody_wants_it)
{
	struct services_job *job;

	begin();
	want(TOPIC_WAIT, "many", NULL);
	job = services_go(0, publish_many, NULL);
	while (services_run(publish_until, NULL) == BAY_OK)
		;
	ck_assert_int_eq(services_run(publish_until, NULL), BAY_TIMEOUT);
	want(TOPIC_WAIT, NULL, NULL);
	ck_assert_int_eq(services_join(job), BAY_OK);
	end();
}
END_TEST

START_TEST(nothing_that_waited_is_lost_where_it_waits)
{
	struct services_job *job;
	struct link_record request;
	char text[64];
	int i;

	begin();
	want(TOPIC_WAIT, "many", NULL);
	job = services_go(0, publish_many, NULL);
	for (i = 0; i < MANY; i++) {
		request = hear_request();
		(void)wire_of(&request, text, sizeof text);
		ck_assert_int_eq(atoi(text), i);
		answer(&request);
	}
	ck_assert_int_eq(services_join(job), BAY_OK);
	end();
}
END_TEST

static int
publish_large(void *arg)
{
	static char bytes[3 << 20];
	struct bay_message *message;
	int status;

	(void)arg;
	memset(bytes, 'x', sizeof bytes);
	message = bay_message(bytes, sizeof bytes);
	status = bay_publish("large", message, BAY_INHERIT);
	bay_message_free(message);
	return status;
}

START_TEST(one_that_is_larger_than_the_room_goes_alone)
{
	struct link_record request;
	char text[64];

	begin();
	want(TOPIC_DROP, "large", NULL);
	ck_assert_int_eq(services_run(publish_large, NULL), BAY_OK);
	ck_assert_int_eq(services_run(publish_large, NULL), BAY_OK);
	request = hear_request();
	ck_assert_int_eq(wire_of(&request, text, sizeof text).kind, TOPIC_WIRE_MESSAGE);
	ck_assert_uint_gt(request.request.size, 3 << 20);
	answer(&request);
	request = hear_request();
	ck_assert_uint_gt(request.request.size, 3 << 20);
	end();
}
END_TEST

static int
publish_too_large(void *arg)
{
	char *bytes = calloc(1, LINK_BODY_MAX);
	struct bay_message *message;
	int status;

	(void)arg;
	ck_assert_ptr_nonnull(bytes);
	message = bay_message(bytes, LINK_BODY_MAX);
	free(bytes);
	status = bay_publish("large", message, BAY_INHERIT);
	bay_message_free(message);
	return status;
}

/* Nobody need publish anything after it. */
START_TEST(one_that_is_too_large_for_the_way_is_told_of_as_that)
{
	struct link_record request;
	struct topic_wire wire;
	char text[64];
	int class;

	for (class = 0; class < TOPIC_CLASSES; class++) {
		begin();
		want((enum topic_class)class, "large", NULL);
		log_lines_keep();
		ck_assert_int_eq(services_run(publish_too_large, NULL), class == TOPIC_WAIT ? BAY_TOO_BIG : BAY_OK);
		ck_assert_int_eq(log_lines_with("one of topic large that is published here is too large for the way to "
			"cell b (67108864 bytes, "), 1);
		ck_assert_int_eq(log_lines_with("too slow"), 0);
		request = hear_request();
		wire = wire_of(&request, text, sizeof text);
		ck_assert_int_eq(wire.kind, TOPIC_WIRE_LOST);
		ck_assert_uint_eq(wire.lost, 1);
		answer(&request);
		end();
	}
}
END_TEST

START_TEST(what_was_sent_to_a_cell_that_ends_is_lost_and_the_next_goes_to_the_next)
{
	begin();
	want(TOPIC_DROP, "a", NULL);
	ck_assert_int_eq(services_run(publish, (char[]){"a one"}), BAY_OK);
	expect("a", "one");
	log_lines_keep();
	link_close(&hand);
	while (atomic_load(&two_cells.closed) == 0)
		;
	ck_assert_int_eq(services_run(nothing, NULL), BAY_OK);
	ck_assert_int_eq(log_lines_with("what was published here did not get to cell b: peer-died: cell b has ended"), 1);
	ck_assert_int_eq(log_lines_with("@topics"), 0);
	ck_assert_int_eq(services_run(publish, (char[]){"a two"}), BAY_OK);
	two_cells_by_hand(2, &hand);
	expect("a", "two");
	end();
}
END_TEST

/* All that is said of what did not get there. */
static int
complaints(void)
{
	return log_lines_with("did not get to cell b");
}

static void
await_closed(int links)
{
	while (atomic_load(&two_cells.closed) < links)
		;
	ck_assert_int_eq(services_run(nothing, NULL), BAY_OK);
}

START_TEST(a_crash_is_said_once_for_all_that_was_sent)
{
	begin();
	want(TOPIC_DROP, "a", NULL);
	want(TOPIC_WAIT, "a", NULL);
	log_lines_keep();
	ck_assert_int_eq(services_run(publish, (char[]){"a one"}), BAY_OK);
	ck_assert_int_eq(services_run(publish, (char[]){"a two"}), BAY_OK);
	for (int i = 0; i < 4; i++)
		(void)hear_request();
	link_close(&hand);
	await_closed(1);
	ck_assert_int_eq(complaints(), 1);
	two_cells_by_hand(2, &hand);
	end();
}
END_TEST

START_TEST(nothing_is_said_when_the_other_cell_ends_in_order)
{
	begin();
	want(TOPIC_DROP, "a", NULL);
	log_lines_keep();
	ck_assert_int_eq(services_run(publish, (char[]){"a one"}), BAY_OK);
	expect("a", "one");
	link_leave(&hand);
	link_close(&hand);
	await_closed(1);
	ck_assert_int_eq(complaints(), 0);
	/* The next one may crash. */
	two_cells_by_hand(2, &hand);
	ck_assert_int_eq(services_run(publish, (char[]){"a two"}), BAY_OK);
	expect("a", "two");
	link_close(&hand);
	await_closed(2);
	ck_assert_int_eq(complaints(), 1);
	two_cells_by_hand(3, &hand);
	end();
}
END_TEST

START_TEST(nothing_is_said_when_nobody_there_wants_it_any_more)
{
	begin();
	want(TOPIC_DROP, "a", NULL);
	log_lines_keep();
	link_close(&hand);
	await_closed(1);
	/* It waits for another link. */
	ck_assert_int_eq(services_run(publish, (char[]){"a one"}), BAY_OK);
	ck_assert_int_eq(services_run(nothing, NULL), BAY_OK);
	want(TOPIC_DROP, NULL, NULL);
	ck_assert_int_eq(services_run(nothing, NULL), BAY_OK);
	ck_assert_int_eq(complaints(), 0);
	two_cells_by_hand(2, &hand);
	end();
}
END_TEST

START_TEST(nothing_is_said_when_this_cell_ends)
{
	begin();
	want(TOPIC_DROP, "a", NULL);
	log_lines_keep();
	ck_assert_int_eq(services_run(publish, (char[]){"a one"}), BAY_OK);
	expect("a", "one");
	end();
	ck_assert_int_eq(complaints(), 0);
}
END_TEST

/* --- who waits for whom ------------------------------------------------------------------- */

/* What was told of the way at the last look. */
static struct {
	bool stands;      /* somebody does before it */
	unsigned count;   /* of what it waits for */
	uint32_t serial;
} told;

static void
on_wait(const struct topic_way_wait *wait, void *arg)
{
	(void)arg;
	ck_assert_str_eq(wait->cell, "b");
	ck_assert_str_eq(feed_pattern(wait->feed), "b");
	ck_assert_str_eq(wait->request->service->name, topic_wire_services[TOPIC_WAIT]);
	ck_assert(told.count == 0 || wait->serial == told.serial);
	ck_assert_uint_ne(wait->serial, 0);
	told.count++;
	told.serial = wait->serial;
}

static int
look_on_home(void *arg)
{
	(void)arg;
	told.count = 0;
	told.serial = 0;
	told.stands = topic_ways_waits(scheduler_here, on_wait, NULL);
	return BAY_OK;
}

static void
look(void)
{
	ck_assert_int_eq(services_run(look_on_home, NULL), BAY_OK);
}

/* Looks until so much is told. */
static void
await_told(unsigned count)
{
	do {
		look();
	} while (!told.stands || told.count != count);
}

static size_t large;

/* Until nobody wants them. */
static int
publish_on(void *arg)
{
	static const char bytes[300 << 10];
	struct bay_message *message = bay_message(bytes, large);
	int i, status = BAY_OK;

	(void)arg;
	for (i = 0; i < 2 * MANY && status == BAY_OK; i++)
		status = bay_publish("many", message, BAY_INHERIT);
	bay_message_free(message);
	return status;
}

static struct services_job *
begin_to_publish(size_t size)
{
	large = size;
	want(TOPIC_WAIT, "many", NULL);
	return services_go(0, publish_on, NULL);
}

static void
end_publishing(struct services_job *job)
{
	want(TOPIC_WAIT, NULL, NULL);
	ck_assert_int_eq(services_join(job), BAY_OK);
	look();
	ck_assert(!told.stands);
	end();
}

static void
end_one(uint64_t of_id)
{
	say(&(struct link_record){.kind = LINK_END, .end = {.id = of_id, .is_null = true}});
}

START_TEST(who_stands_before_a_way_waits_for_all_that_it_may_have_under_way)
{
	struct services_job *job;
	uint64_t first;
	uint32_t serial;
	int i;

	begin();
	job = begin_to_publish(1);
	first = hear_request().request.id;
	for (i = 1; i < PEER_CREDIT_MESSAGES; i++)
		(void)hear_request();
	await_told(PEER_CREDIT_MESSAGES);
	serial = told.serial;
	look();
	ck_assert_uint_eq(told.count, PEER_CREDIT_MESSAGES);
	ck_assert_uint_eq(told.serial, serial);
	/* One moves. */
	end_one(first);
	await_told(PEER_CREDIT_MESSAGES - 1);
	ck_assert_uint_ne(told.serial, serial);
	end_publishing(job);
}
END_TEST

/* Of how many of what size it may have that many under way; that many may end before there is credit that the
 * other cell may be about to tell of. */
static const struct {
	size_t size;
	unsigned count;
	unsigned ends;
} loads[] = {
	{1, PEER_CREDIT_MESSAGES, PEER_OWED_MESSAGES - 1},
	{300 << 10, 4, 1},
};

START_TEST(who_stands_before_a_way_that_may_get_credit_waits_for_nothing_yet)
{
	for (size_t load = 0; load < sizeof loads / sizeof *loads; load++) {
		uint64_t ids[PEER_CREDIT_MESSAGES];
		struct link_record request = {.kind = LINK_NAME};
		struct services_job *job;
		unsigned i;

		begin();
		job = begin_to_publish(loads[load].size);
		for (i = 0; i < loads[load].count; i++) {
			request = hear_request();
			ids[i] = request.request.id;
		}
		await_told(loads[load].count);
		for (i = 0; i < loads[load].ends; i++)
			end_one(ids[i]);
		await_told(loads[load].count - loads[load].ends);
		/* From now on the credit may be on its way. */
		end_one(ids[i]);
		await_told(0);
		say(&(struct link_record){.kind = LINK_CREDIT, .credit = {.service = request.request.service,
			.messages = i + 1, .bytes = (i + 1) * (uint64_t)request.request.size}});
		for (i = 0; i < loads[load].ends + 1; i++)
			(void)hear_request();
		await_told(loads[load].count);
		end_publishing(job);
	}
}
END_TEST

START_TEST(who_stands_before_a_way_without_a_link_waits_for_nothing_yet)
{
	struct services_job *job;

	two_cells_begin(1);
	job = begin_to_publish(1);
	await_told(0);
	two_cells_by_hand(1, &hand);
	await_told(PEER_CREDIT_MESSAGES);
	end_publishing(job);
}
END_TEST

static int
publish_one(void *arg)
{
	(void)arg;
	return bay_publish("many", NULL, BAY_INHERIT);
}

static atomic_bool looking;

/* As long as the loop of the way does nothing else, what stands before it has not been looked at. */
static int
look_when_somebody_stands(void *arg)
{
	atomic_store(&looking, true);
	do {
		look_on_home(arg);
	} while (!told.stands);
	return BAY_OK;
}

START_TEST(who_stands_before_a_way_that_is_about_to_take_more_waits_for_nothing_yet)
{
	struct services_job *looker, *publisher;

	two_cells_begin(2);
	two_cells_by_hand(1, &hand);
	want(TOPIC_WAIT, "many", NULL);
	ck_assert_int_eq(services_run(publish_one, NULL), BAY_OK);
	(void)hear_request();
	looker = services_go(0, look_when_somebody_stands, NULL);
	while (!atomic_load(&looking))
		sched_yield();
	large = 1;
	publisher = services_go(1, publish_on, NULL);
	ck_assert_int_eq(services_join(looker), BAY_OK);
	ck_assert_uint_eq(told.count, 0);
	end_publishing(publisher);
}
END_TEST

static int
publish_all_that_may_be_under_way(void *arg)
{
	int i, status = BAY_OK;

	(void)arg;
	for (i = 0; i <= PEER_CREDIT_MESSAGES && status == BAY_OK; i++)
		status = bay_publish("many", NULL, BAY_INHERIT);
	return status;
}

START_TEST(a_way_before_which_nobody_stands_is_not_told)
{
	begin();
	want(TOPIC_WAIT, "many", NULL);
	ck_assert_int_eq(services_run(publish_all_that_may_be_under_way, NULL), BAY_OK);
	for (int i = 0; i < PEER_CREDIT_MESSAGES; i++)
		(void)hear_request();
	look();
	ck_assert(!told.stands);
	ck_assert_uint_eq(told.count, 0);
	end();
}
END_TEST

CHECK_MAIN("service/topic_way",
	what_fits_any_of_the_patterns_goes_over_once,
	each_class_has_its_own_way,
	what_there_is_no_room_for_is_dropped_and_told_of,
	what_tells_of_lost_ones_of_many_topics_takes_the_room_of_one_message,
	who_waits_for_room_does_so_until_the_deadline_or_nobody_wants_it,
	nothing_that_waited_is_lost_where_it_waits,
	one_that_is_larger_than_the_room_goes_alone,
	one_that_is_too_large_for_the_way_is_told_of_as_that,
	what_was_sent_to_a_cell_that_ends_is_lost_and_the_next_goes_to_the_next,
	a_crash_is_said_once_for_all_that_was_sent,
	nothing_is_said_when_the_other_cell_ends_in_order,
	nothing_is_said_when_nobody_there_wants_it_any_more,
	nothing_is_said_when_this_cell_ends,
	who_stands_before_a_way_waits_for_all_that_it_may_have_under_way,
	who_stands_before_a_way_that_may_get_credit_waits_for_nothing_yet,
	who_stands_before_a_way_that_is_about_to_take_more_waits_for_nothing_yet,
	who_stands_before_a_way_without_a_link_waits_for_nothing_yet,
	a_way_before_which_nobody_stands_is_not_told)
