/* SPDX-License-Identifier: BSD-2-Clause */
/* The queue by itself: requests are put and taken by hand, home is a loop of the test. */
#include "config.h"

#include "service/service_queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/status_page.h"
#include "loop/loop.h"
#include "service/message.h"
#include "service/registry.h"
#include "support/check_main.h"
#include "support/log_lines.h"

#if defined(BAY_ASAN) || defined(BAY_TSAN)
enum { MESSAGES = 2000 };
#else
enum { MESSAGES = 8000 };
#endif

static struct status_page page;
static struct loop home;
static struct bay_service *service;

static int
handle(struct bay_request *request)
{
	(void)request;
	return BAY_OK;
}

static const struct bay_plugin plugin = {.size = sizeof plugin, .name = "test", .handle = handle};

static void
begin(size_t queue, size_t queue_bytes, enum overflow_policy overflow)
{
	int fd = status_page_create(&page, "test", 1, 1);

	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert(loop_init(&home, "home"));
	registry_init(64);
	service = registry_get("s");
	service_set_slot(service, &page, 0);
	service->limits = (struct service_limits){.concurrency = 8, .queue = queue, .queue_bytes = queue_bytes,
		.overflow = overflow};
	service->instance_count = 1;
	service->plugin = &plugin;
	service_set_state(service, SERVICE_READY, NULL);
}

static void
finish(void)
{
	loop_drain_inbox(&home);
	ck_assert(list_empty(&service->queue));
	ck_assert(list_empty(&service->waiting));
	ck_assert_uint_eq(service->queued, 0);
	ck_assert_uint_eq(service->queued_bytes, 0);
	ck_assert_uint_eq(service->waiting_count, 0);
	registry_finish();
	request_clear_cache();
	message_clear_cache();
	loop_finish(&home);
	status_page_close(&page);
}

static struct status_service_view
figures(void)
{
	struct status_service_view view;

	status_page_read_service(&page, 0, &view);
	return view;
}

/* --- requests ------------------------------------------------------------------------- */

/* What came home, in its order: a letter each. */
static char arrivals[256];

static void
arrived(struct bay_request *request)
{
	size_t n = strlen(arrivals);

	arrivals[n] = *(char *)request->arrived_arg;
	arrivals[n + 1] = '\0';
	request->returned = true;
}

/* A request of size bytes that is known by a letter. */
static struct bay_request *
make(const char *letter, size_t size)
{
	struct bay_message *message = message_create(size);
	struct bay_request *request = request_create(service, message, &home);

	memset(message->data, *letter, size);
	request->borrowed = false;
	request->arrived = arrived;
	request->arrived_arg = (void *)letter;
	return request;
}

static struct bay_request *
make_one_way(const char *letter, size_t size)
{
	struct bay_request *request = make(letter, size);

	request->one_way = true;
	return request;
}

/* Puts one that is expected to get in, or to wait. */
static struct bay_request *
put(const char *letter, size_t size)
{
	struct bay_request *request = make(letter, size);

	ck_assert_int_eq(service_queue_put(service, request), BAY_OK);
	return request;
}

/* Puts one that is expected to be refused, and frees it. */
static void
put_in_vain(const char *letter, size_t size, int status, const char *text)
{
	struct bay_request *request = make(letter, size);

	ck_assert_int_eq(service_queue_put(service, request), status);
	ck_assert_ptr_nonnull(request->error);
	ck_assert_msg(strstr(request->error, text) != NULL, "'%s' lacks '%s'", request->error, text);
	request_free(request);
}

/* Takes up to count and says which. They are over then. */
static const char *
take(size_t count)
{
	static char letters[256];
	struct list taken = LIST_INIT(taken);
	struct list *link;
	size_t n = 0;

	(void)service_queue_take(service, count, clock_monotonic_ns(), NULL, &taken);
	while ((link = list_pop_front(&taken)) != NULL) {
		struct bay_request *request = container_of(link, struct bay_request, link);

		ck_assert_int_eq(request->place, PLACE_RUNNING);
		letters[n++] = *(char *)request->arrived_arg;
		request_free(request);
	}
	letters[n] = '\0';
	return letters;
}

/* --- bounds ----------------------------------------------------------------------------- */

START_TEST(first_in_first_out)
{
	begin(10, 1000, OVERFLOW_REJECT);
	put("a", 1);
	put("b", 0);
	put("c", 5);
	ck_assert_uint_eq(service->queued, 3);
	ck_assert_uint_eq(service->queued_bytes, 6);
	ck_assert_uint_eq(figures().queue_length, 3);
	ck_assert_uint_eq(figures().queue_bytes, 6);
	ck_assert_uint_ne(figures().queue_oldest_ns, 0);
	ck_assert_str_eq(take(2), "ab");
	put("d", 1);
	ck_assert_str_eq(take(9), "cd");
	ck_assert_str_eq(take(9), "");
	ck_assert_uint_eq(figures().queue_oldest_ns, 0);
	ck_assert_uint_eq(figures().queued, 4);
	finish();
}
END_TEST

START_TEST(it_is_bounded_in_messages)
{
	begin(2, 1000, OVERFLOW_REJECT);
	put("a", 1);
	put("b", 1);
	put_in_vain("c", 1, BAY_FULL, "the queue of service s is full (2 messages, 2 bytes)");
	ck_assert_str_eq(take(1), "a");
	put("d", 1);
	put_in_vain("e", 0, BAY_FULL, "full");
	ck_assert_str_eq(take(9), "bd");
	ck_assert_uint_eq(figures().rejected, 2);
	ck_assert_uint_eq(figures().queued, 3);
	ck_assert_uint_eq(figures().dropped, 0);
	finish();
	begin(1, 1000, OVERFLOW_REJECT);
	put("a", 1);
	put_in_vain("b", 1, BAY_FULL, "the queue of service s is full (1 message, 1 byte)");
	ck_assert_str_eq(take(9), "a");
	finish();
}
END_TEST

START_TEST(it_is_bounded_in_bytes)
{
	begin(100, 10, OVERFLOW_REJECT);
	put("a", 10);
	put_in_vain("b", 1, BAY_FULL, "full");
	put("c", 0);
	ck_assert_str_eq(take(1), "a");
	put("d", 6);
	put_in_vain("e", 5, BAY_FULL, "full");
	put("f", 4);
	ck_assert_uint_eq(service->queued_bytes, 10);
	ck_assert_str_eq(take(9), "cdf");
	finish();
}
END_TEST

START_TEST(what_can_never_fit_is_too_big_whatever_the_policy)
{
	enum overflow_policy policy;

	for (policy = OVERFLOW_REJECT; policy <= OVERFLOW_DROP_NEWEST; policy++) {
		begin(100, 10, policy);
		put("a", 1);
		put_in_vain("b", 11, BAY_TOO_BIG, "a message of 11 bytes can never fit into the queue of service s "
			"(queue_bytes = 10)");
		ck_assert_uint_eq(figures().rejected, 1);
		ck_assert_uint_eq(figures().dropped, 0);
		ck_assert_str_eq(take(9), "a");
		finish();
	}
}
END_TEST

START_TEST(only_a_ready_service_takes_messages)
{
	begin(10, 1000, OVERFLOW_REJECT);
	service_set_state(service, SERVICE_STARTING, NULL);
	put_in_vain("a", 1, BAY_CLOSED, "service s is starting");
	service_set_state(service, SERVICE_STOPPING, NULL);
	put_in_vain("a", 1, BAY_CLOSED, "service s is stopping");
	service_set_state(service, SERVICE_STOPPED, NULL);
	put_in_vain("a", 1, BAY_CLOSED, "service s is stopped");
	service_set_state(service, SERVICE_FAILED, "no more ideas");
	put_in_vain("a", 1, BAY_CLOSED, "service s has failed: no more ideas");
	service_set_state(service, SERVICE_FAILED, NULL);
	put_in_vain("a", 1, BAY_CLOSED, "see the log");
	service_set_state(service, SERVICE_UNKNOWN, NULL);
	put_in_vain("a", 1, BAY_NOT_FOUND, "there is no service 's'");
	ck_assert_uint_eq(figures().rejected, 6);
	finish();
}
END_TEST

/* A call is refused only when all of the service's handlers wait for it. */
START_TEST(a_circle_is_one_when_nobody_else_could_serve_it)
{
	struct bay_request *request;
	unsigned i;

	begin(10, 1000, OVERFLOW_REJECT);
	service->limits.concurrency = 2;
	service->instance_count = 2;
	request = make("a", 1);
	for (i = 0; i < 4; i++)
		request->chain[request->depth++] = service->id;
	ck_assert_int_eq(service_queue_put(service, request), BAY_LOOP);
	ck_assert_str_eq(request->error, "the call could only be served after its own caller: "
		"s -> s -> s -> s -> s (concurrency = 2)");
	request_free(request);
	request = make("b", 1);
	for (i = 0; i < 3; i++)
		request->chain[request->depth++] = service->id;
	ck_assert_int_eq(service_queue_put(service, request), BAY_OK);
	ck_assert_str_eq(take(9), "b");
	finish();
}
END_TEST

/* --- what is dropped ---------------------------------------------------------------------- */

START_TEST(the_newest_is_dropped)
{
	begin(2, 1000, OVERFLOW_DROP_NEWEST);
	put("a", 1);
	put("b", 1);
	put_in_vain("c", 1, BAY_FULL, "the newest is dropped");
	ck_assert_uint_eq(figures().dropped, 1);
	ck_assert_uint_eq(figures().rejected, 0);
	ck_assert_str_eq(take(9), "ab");
	finish();
}
END_TEST

START_TEST(the_oldest_are_dropped_until_there_is_room)
{
	struct bay_request *old[4];
	int i;

	begin(4, 10, OVERFLOW_DROP_OLDEST);
	arrivals[0] = '\0';
	old[0] = put("a", 1);
	old[1] = put("b", 2);
	old[2] = put("c", 3);
	old[3] = put("d", 1);
	/* By number, then by bytes. */
	put("e", 1);
	loop_drain_inbox(&home);
	ck_assert_str_eq(arrivals, "a");
	put("f", 7);
	loop_drain_inbox(&home);
	ck_assert_str_eq(arrivals, "abc");
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(old[i]->status, BAY_FULL);
		ck_assert_ptr_nonnull(strstr(old[i]->error, "dropped from the full queue of service s"));
		request_free(old[i]);
	}
	ck_assert_uint_eq(figures().dropped, 3);
	ck_assert_uint_eq(figures().queued, 6);
	ck_assert_uint_eq(service->queued_bytes, 9);
	ck_assert_str_eq(take(9), "def");
	finish();
}
END_TEST

START_TEST(one_that_goes_one_way_is_dropped_without_a_trace)
{
	struct bay_request *request;

	begin(1, 10, OVERFLOW_DROP_OLDEST);
	request = make_one_way("a", 1);
	request->home = NULL;
	ck_assert_int_eq(service_queue_put(service, request), BAY_OK);
	put("b", 1);
	ck_assert_str_eq(take(9), "b");
	ck_assert_uint_eq(figures().dropped, 1);
	finish();
}
END_TEST

/* --- waiting ---------------------------------------------------------------------------------- */

START_TEST(those_that_wait_come_in_in_their_order)
{
	begin(2, 1000, OVERFLOW_WAIT);
	put("a", 1);
	put("b", 1);
	put("c", 1);
	put("d", 1);
	put("e", 1);
	ck_assert_uint_eq(service->queued, 2);
	ck_assert_uint_eq(service->waiting_count, 3);
	ck_assert_uint_eq(figures().waiting_senders, 3);
	ck_assert_str_eq(take(1), "a");
	ck_assert_uint_eq(service->waiting_count, 2);
	ck_assert_str_eq(take(2), "bc");
	ck_assert_uint_eq(service->queued, 2);
	ck_assert_uint_eq(service->waiting_count, 0);
	ck_assert_str_eq(take(9), "de");
	ck_assert_uint_eq(figures().rejected + figures().dropped, 0);
	finish();
}
END_TEST

START_TEST(a_small_one_does_not_overtake_a_large_one_that_waits)
{
	begin(10, 10, OVERFLOW_WAIT);
	put("a", 4);
	put("b", 8);
	put("c", 1);
	ck_assert_uint_eq(service->queued, 1);
	ck_assert_uint_eq(service->waiting_count, 2);
	ck_assert_str_eq(take(9), "a");
	ck_assert_str_eq(take(9), "bc");
	finish();
}
END_TEST

static struct bay_request *
make_ticket(const char *letter)
{
	struct bay_request *ticket = request_create(service, NULL, &home);

	ticket->arrived = arrived;
	ticket->arrived_arg = (void *)letter;
	return ticket;
}

START_TEST(one_way_waits_by_a_ticket)
{
	struct bay_request *request, *ticket;

	begin(1, 1000, OVERFLOW_WAIT);
	arrivals[0] = '\0';
	put("a", 1);
	request = make_one_way("b", 1);
	ck_assert_int_eq(service_queue_put(service, request), BAY_BUSY);
	ck_assert_uint_eq(service->waiting_count, 0);
	ticket = make_ticket("B");
	request->ticket = ticket;
	ck_assert_int_eq(service_queue_put(service, request), BAY_OK);
	loop_drain_inbox(&home);
	ck_assert_str_eq(arrivals, "");
	ck_assert_str_eq(take(1), "a");
	loop_drain_inbox(&home);
	ck_assert_str_eq(arrivals, "B");
	ck_assert_int_eq(ticket->status, BAY_OK);
	ck_assert(!service_queue_withdraw(service, ticket));
	request_free(ticket);
	ck_assert_str_eq(take(9), "b");
	finish();
}
END_TEST

START_TEST(a_ticket_that_finds_room_comes_home_at_once)
{
	struct bay_request *request, *ticket;

	begin(1, 1000, OVERFLOW_WAIT);
	arrivals[0] = '\0';
	request = make_one_way("a", 1);
	ticket = make_ticket("A");
	request->ticket = ticket;
	ck_assert_int_eq(service_queue_put(service, request), BAY_OK);
	loop_drain_inbox(&home);
	ck_assert_str_eq(arrivals, "A");
	request_free(ticket);
	ck_assert_str_eq(take(9), "a");
	finish();
}
END_TEST

START_TEST(a_ticket_comes_home_when_the_policy_has_become_another_one)
{
	static const enum overflow_policy policies[] = {OVERFLOW_DROP_NEWEST, OVERFLOW_DROP_OLDEST};

	for (int i = 0; i < 2; i++) {
		struct bay_request *request, *ticket;

		begin(1, 1000, OVERFLOW_WAIT);
		arrivals[0] = '\0';
		request = make_one_way("a", 1);
		request->home = NULL;
		ck_assert_int_eq(service_queue_put(service, request), BAY_OK);
		request = make_one_way("b", 1);
		request->home = NULL;
		ck_assert_int_eq(service_queue_put(service, request), BAY_BUSY);
		service->limits.overflow = policies[i];
		ticket = make_ticket("B");
		request->ticket = ticket;
		ck_assert_int_eq(service_queue_put(service, request), BAY_OK);
		loop_drain_inbox(&home);
		ck_assert_str_eq(arrivals, "B");
		ck_assert_int_eq(ticket->status, BAY_OK);
		ck_assert(!service_queue_withdraw(service, ticket));
		request_free(ticket);
		ck_assert_uint_eq(figures().dropped, 1);
		ck_assert_str_eq(take(9), i == 0 ? "a" : "b");
		finish();
	}
}
END_TEST

START_TEST(a_ticket_may_be_withdrawn_with_its_message)
{
	struct bay_request *request, *ticket;

	begin(10, 10, OVERFLOW_WAIT);
	put("a", 4);
	request = make_one_way("b", 8);
	ticket = make_ticket("B");
	request->ticket = ticket;
	ck_assert_int_eq(service_queue_put(service, request), BAY_OK);
	put("c", 1);
	ck_assert_uint_eq(service->waiting_count, 2);
	ck_assert(service_queue_withdraw(service, ticket));
	ck_assert(!service_queue_withdraw(service, ticket));
	request_free(ticket);
	request_free(request);
	/* The one behind it has room. */
	ck_assert_uint_eq(service->waiting_count, 0);
	ck_assert_uint_eq(service->queued, 2);
	ck_assert_uint_eq(figures().waiting_senders, 0);
	ck_assert_str_eq(take(9), "ac");
	finish();
}
END_TEST

/* --- taking back ---------------------------------------------------------------------------- */

START_TEST(a_request_may_be_taken_back_while_it_waits)
{
	struct bay_request *queued, *waiting, *taken;
	struct list list = LIST_INIT(list);

	begin(1, 1000, OVERFLOW_WAIT);
	queued = put("a", 3);
	waiting = put("b", 1);
	taken = put("c", 1);
	ck_assert(service_queue_remove(waiting));
	ck_assert(!service_queue_remove(waiting));
	ck_assert_int_eq(waiting->place, PLACE_HOME);
	/* Room for the next. */
	ck_assert(service_queue_remove(queued));
	ck_assert_uint_eq(service->queued, 1);
	ck_assert_uint_eq(service->queued_bytes, 1);
	(void)service_queue_take(service, 1, clock_monotonic_ns(), NULL, &list);
	ck_assert_uint_eq(service->queued, 0);
	ck_assert(!service_queue_remove(taken));
	list_remove(&taken->link);
	request_free(taken);
	request_free(queued);
	request_free(waiting);
	finish();
}
END_TEST

/* --- the end ------------------------------------------------------------------------------------ */

START_TEST(a_flush_answers_everybody)
{
	struct bay_request *requests[4], *ticket, *alone;
	int i;

	begin(2, 1000, OVERFLOW_WAIT);
	arrivals[0] = '\0';
	requests[0] = put("a", 1);
	alone = make_one_way("-", 1);
	alone->home = NULL;
	ck_assert_int_eq(service_queue_put(service, alone), BAY_OK);
	requests[1] = put("b", 1);
	requests[2] = make_one_way("-", 1);
	requests[2]->home = NULL;
	ticket = make_ticket("C");
	requests[2]->ticket = ticket;
	ck_assert_int_eq(service_queue_put(service, requests[2]), BAY_OK);
	requests[3] = put("d", 1);
	service_set_state(service, SERVICE_STOPPING, NULL);
	log_lines_keep();
	service_queue_flush(service, "it has stopped");
	loop_drain_inbox(&home);
	ck_assert_str_eq(arrivals, "abCd");
	for (i = 0; i < 4; i++) {
		if (i == 2)
			continue;
		ck_assert_int_eq(requests[i]->status, BAY_CLOSED);
		ck_assert_str_eq(requests[i]->error, "service s: it has stopped");
		request_free(requests[i]);
	}
	ck_assert_int_eq(ticket->status, BAY_CLOSED);
	request_free(ticket);
	ck_assert_uint_eq(figures().queue_length + figures().waiting_senders + figures().queue_bytes, 0);
	ck_assert_int_eq(log_lines_with("service s: 1 message that nobody waits for is lost"), 1);
	service_queue_flush(service, "again");
	finish();
}
END_TEST

/* --- many threads --------------------------------------------------------------------------------- */

enum { PRODUCERS = 4, CONSUMERS = 3 };

struct crowd {
	atomic_uint served, dropped, refused, closed, withdrawn;
	atomic_bool stop;
	atomic_uint left;              /* producers still at work */
	size_t most, most_bytes;       /* seen under the lock */
};

static struct crowd crowd;

struct producer {
	struct loop loop;
	unsigned pending;
	unsigned seed;
};

static void
producer_arrived(struct bay_request *request)
{
	struct producer *producer = request->arrived_arg;

	switch (request->status) {
	case BAY_OK:
		atomic_fetch_add(&crowd.served, 1);
		break;
	case BAY_CLOSED:
		atomic_fetch_add(&crowd.closed, 1);
		break;
	default:
		ck_assert_int_eq(request->status, BAY_FULL);
		atomic_fetch_add(&crowd.dropped, 1);
		break;
	}
	producer->pending--;
	request_free(request);
}

static void *
producer_main(void *arg)
{
	struct producer *producer = arg;
	int i;

	ck_assert(loop_init(&producer->loop, "producer"));
	for (i = 0; i < MESSAGES / PRODUCERS; i++) {
		struct bay_message *message = message_create((size_t)(rand_r(&producer->seed) % 40));
		struct bay_request *request = request_create(service, message, &producer->loop);

		memset(message->data, 'x', message->size);
		request->borrowed = false;
		request->arrived = producer_arrived;
		request->arrived_arg = producer;
		producer->pending++;
		if (service_queue_put(service, request) != BAY_OK) {
			ck_assert_int_eq(request->status, BAY_FULL);
			atomic_fetch_add(&crowd.refused, 1);
			producer->pending--;
			request_free(request);
			request = NULL;
		}
		/* At times it is taken back, if it has not been taken. */
		if (request != NULL && rand_r(&producer->seed) % 4 == 0 && service_queue_remove(request)) {
			atomic_fetch_add(&crowd.withdrawn, 1);
			producer->pending--;
			request_free(request);
		}
		loop_drain_inbox(&producer->loop);
		while (producer->pending > 30)
			loop_drain_inbox(&producer->loop);
	}
	atomic_fetch_sub(&crowd.left, 1);
	while (producer->pending > 0) {
		loop_wait(&producer->loop, INT64_MAX);
		loop_drain_inbox(&producer->loop);
	}
	request_clear_cache();
	message_clear_cache();
	return NULL;
}

static void *
consumer_main(void *arg)
{
	struct list taken = LIST_INIT(taken), *link;

	(void)arg;
	while (!atomic_load(&crowd.stop)) {
		(void)service_queue_take(service, 5, clock_monotonic_ns(), NULL, &taken);
		while ((link = list_pop_front(&taken)) != NULL) {
			struct bay_request *request = container_of(link, struct bay_request, link);

			request->status = BAY_OK;
			request_go_home(request);
		}
		sched_yield();
	}
	request_clear_cache();
	message_clear_cache();
	return NULL;
}

/* Looks at the bounds as often as it can. */
static void *
inspector_main(void *arg)
{
	(void)arg;
	while (!atomic_load(&crowd.stop)) {
		size_t bytes = 0, count = 0;

		pthread_mutex_lock(&service->lock);
		list_for_each(pos, &service->queue) {
			bytes += bay_message_size(container_of(pos, struct bay_request, link)->message);
			count++;
		}
		ck_assert_uint_eq(count, service->queued);
		ck_assert_uint_eq(bytes, service->queued_bytes);
		if (count > crowd.most)
			crowd.most = count;
		if (bytes > crowd.most_bytes)
			crowd.most_bytes = bytes;
		pthread_mutex_unlock(&service->lock);
		sched_yield();
	}
	return NULL;
}

static void
let_crowd_in(enum overflow_policy overflow)
{
	enum { QUEUE = 20, BYTES = 300 };
	pthread_t producers[PRODUCERS], consumers[CONSUMERS], inspector;
	struct producer made[PRODUCERS] = {{.pending = 0}};
	int i;

	begin(QUEUE, BYTES, overflow);
	memset(&crowd, 0, sizeof crowd);
	crowd.left = PRODUCERS;
	ck_assert_int_eq(pthread_create(&inspector, NULL, inspector_main, NULL), 0);
	for (i = 0; i < CONSUMERS; i++)
		ck_assert_int_eq(pthread_create(&consumers[i], NULL, consumer_main, NULL), 0);
	for (i = 0; i < PRODUCERS; i++) {
		made[i].seed = (unsigned)i + 1;
		ck_assert_int_eq(pthread_create(&producers[i], NULL, producer_main, &made[i]), 0);
	}
	/* At the end everything that is still there is flushed. */
	while (atomic_load(&crowd.left) > 0)
		sched_yield();
	service_queue_flush(service, "it has stopped");
	for (i = 0; i < PRODUCERS; i++)
		pthread_join(producers[i], NULL);
	atomic_store(&crowd.stop, true);
	for (i = 0; i < CONSUMERS; i++)
		pthread_join(consumers[i], NULL);
	pthread_join(inspector, NULL);
	/* Who posted last may have touched them until now. */
	for (i = 0; i < PRODUCERS; i++)
		loop_finish(&made[i].loop);

	ck_assert_uint_le(crowd.most, QUEUE);
	ck_assert_uint_le(crowd.most_bytes, BYTES);
	ck_assert_uint_eq(crowd.served + crowd.dropped + crowd.refused + crowd.closed + crowd.withdrawn,
		MESSAGES / PRODUCERS * PRODUCERS);
	ck_assert_uint_eq(figures().dropped, overflow == OVERFLOW_DROP_OLDEST ? crowd.dropped :
		overflow == OVERFLOW_DROP_NEWEST ? crowd.refused : 0);
	ck_assert_uint_eq(figures().rejected, overflow == OVERFLOW_REJECT ? crowd.refused : 0);
	if (overflow == OVERFLOW_WAIT)
		ck_assert_uint_eq(crowd.refused, 0);
	finish();
}

START_TEST(the_bounds_hold_against_many_threads_that_are_rejected)
{
	let_crowd_in(OVERFLOW_REJECT);
}
END_TEST

START_TEST(the_bounds_hold_against_many_threads_that_wait)
{
	let_crowd_in(OVERFLOW_WAIT);
}
END_TEST

START_TEST(the_bounds_hold_against_many_threads_that_drop_the_oldest)
{
	let_crowd_in(OVERFLOW_DROP_OLDEST);
}
END_TEST

START_TEST(the_bounds_hold_against_many_threads_that_drop_the_newest)
{
	let_crowd_in(OVERFLOW_DROP_NEWEST);
}
END_TEST

/* Senders that give up race with the flush that answers them. */
struct giver_up {
	pthread_t thread;
	struct loop loop;
	bool home;
};

static atomic_bool race_is_on;

static void
giver_up_arrived(struct bay_request *ticket)
{
	((struct giver_up *)ticket->arrived_arg)->home = true;
}

static void *
giver_up_main(void *arg)
{
	struct giver_up *giver = arg;
	struct bay_request *request, *ticket;

	ck_assert(loop_init(&giver->loop, "gives up"));
	request = request_create(service, NULL, NULL);
	request->one_way = true;
	request->borrowed = false;
	ticket = request_create(service, NULL, &giver->loop);
	ticket->arrived = giver_up_arrived;
	ticket->arrived_arg = giver;
	request->ticket = ticket;
	ck_assert_int_eq(service_queue_put(service, request), BAY_OK);
	while (!atomic_load(&race_is_on))
		sched_yield();
	if (service_queue_withdraw(service, ticket)) {
		request_free(request);
	} else {
		while (!giver->home) {
			loop_wait(&giver->loop, INT64_MAX);
			loop_drain_inbox(&giver->loop);
		}
		ck_assert_int_eq(ticket->status, BAY_CLOSED);
	}
	request_free(ticket);
	request_clear_cache();
	return NULL;
}

START_TEST(giving_up_and_flushing_at_the_same_time)
{
	struct giver_up givers[4];
	struct bay_request *first;
	int round, i;

	begin(1, 100, OVERFLOW_WAIT);
	for (round = 0; round < 200; round++) {
		first = put("a", 1);
		atomic_store(&race_is_on, false);
		for (i = 0; i < 4; i++) {
			givers[i].home = false;
			ck_assert_int_eq(pthread_create(&givers[i].thread, NULL, giver_up_main, &givers[i]), 0);
		}
		while (figures().waiting_senders < 4)
			sched_yield();
		atomic_store(&race_is_on, true);
		arrivals[0] = '\0';
		service_queue_flush(service, "it has stopped");
		for (i = 0; i < 4; i++)
			pthread_join(givers[i].thread, NULL);
		for (i = 0; i < 4; i++)
			loop_finish(&givers[i].loop);
		ck_assert_uint_eq(service->waiting_count, 0);
		loop_drain_inbox(&home);
		ck_assert_str_eq(arrivals, "a");
		request_free(first);
	}
	finish();
}
END_TEST

/* --- the gate ------------------------------------------------------------------------ */

START_TEST(a_paused_one_takes_what_comes_and_gives_nothing_and_all_in_order_when_it_is_open)
{
	begin(3, 1000, OVERFLOW_REJECT);
	put("a", 1);
	service_queue_set_gate(service, SERVICE_GATE_PAUSED, "user 7");
	put("b", 1);
	ck_assert_str_eq(take(8), "");
	put("c", 1);
	put_in_vain("d", 1, BAY_FULL, "the queue of service s is full");
	ck_assert(!service_queue_is_empty(service));
	service_queue_set_gate(service, SERVICE_GATE_OPEN, NULL);
	ck_assert_str_eq(take(8), "abc");
	ck_assert(service_queue_is_empty(service));
	finish();
}
END_TEST

START_TEST(one_that_is_drained_refuses_what_comes_and_gives_what_it_has)
{
	struct bay_request *request;

	begin(1, 1000, OVERFLOW_WAIT);
	put("a", 1);
	put("b", 1);
	service_queue_set_gate(service, SERVICE_GATE_CLOSED, "user 7");
	put_in_vain("c", 1, BAY_CLOSED, "service s takes no new requests: it was drained by user 7 [service-drained]");
	request = make_one_way("d", 1);
	ck_assert_int_eq(service_queue_put(service, request), BAY_CLOSED);
	request_free(request);
	ck_assert_uint_eq(figures().rejected, 2);
	ck_assert_str_eq(take(1), "a");
	ck_assert_str_eq(take(1), "b");
	ck_assert(service_queue_is_empty(service));
	service_set_state(service, SERVICE_STOPPED, NULL);
	put_in_vain("e", 1, BAY_CLOSED, "service s is stopped");
	finish();
}
END_TEST

START_TEST(what_a_request_that_runs_waits_for_is_let_in_by_a_drain)
{
	struct bay_request *outer, *inner, *sent;

	begin(10, 1000, OVERFLOW_REJECT);
	outer = make("a", 1);
	service_queue_set_gate(service, SERVICE_GATE_CLOSED, "user 7");
	inner = make("b", 1);
	request_set_parent(inner, outer);
	ck_assert_int_eq(service_queue_put(service, inner), BAY_OK);
	sent = make_one_way("c", 1);
	request_set_parent(sent, outer);
	ck_assert_int_eq(service_queue_put(service, sent), BAY_CLOSED);
	ck_assert_str_eq(take(8), "b");
	request_free(sent);
	request_free(outer);
	finish();
}
END_TEST

CHECK_MAIN("service/service_queue",
	first_in_first_out,
	it_is_bounded_in_messages,
	it_is_bounded_in_bytes,
	what_can_never_fit_is_too_big_whatever_the_policy,
	only_a_ready_service_takes_messages,
	a_circle_is_one_when_nobody_else_could_serve_it,
	the_newest_is_dropped,
	the_oldest_are_dropped_until_there_is_room,
	one_that_goes_one_way_is_dropped_without_a_trace,
	those_that_wait_come_in_in_their_order,
	a_small_one_does_not_overtake_a_large_one_that_waits,
	one_way_waits_by_a_ticket,
	a_ticket_that_finds_room_comes_home_at_once,
	a_ticket_comes_home_when_the_policy_has_become_another_one,
	a_ticket_may_be_withdrawn_with_its_message,
	a_request_may_be_taken_back_while_it_waits,
	a_flush_answers_everybody,
	the_bounds_hold_against_many_threads_that_are_rejected,
	the_bounds_hold_against_many_threads_that_wait,
	the_bounds_hold_against_many_threads_that_drop_the_oldest,
	the_bounds_hold_against_many_threads_that_drop_the_newest,
	giving_up_and_flushing_at_the_same_time,
	a_paused_one_takes_what_comes_and_gives_nothing_and_all_in_order_when_it_is_open,
	one_that_is_drained_refuses_what_comes_and_gives_what_it_has,
	what_a_request_that_runs_waits_for_is_let_in_by_a_drain)
