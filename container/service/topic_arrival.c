/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/topic_arrival.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "service/feed.h"
#include "service/message.h"
#include "service/registry.h"
#include "service/request.h"
#include "service/topic.h"
#include "service/topic_wire.h"

/* One that waits for room. */
struct topic_arrival {
	struct publishing publishing;
	struct bay_request *request;
	struct list in_standing;   /* of its loop; in none: it has not had to wait yet */
	uint32_t serial;
};

/* Those of this loop that wait. */
static __thread struct list standing;
/* So many have. */
static __thread uint32_t stood;

static void
topic_arrival_on_all_in(struct publishing *publishing)
{
	struct topic_arrival *arrival = container_of(publishing, struct topic_arrival, publishing);
	struct bay_request *request = arrival->request;

	list_remove(&arrival->in_standing);
	free(arrival);
	request_go_home(request);
}

static void
topic_arrival_stand(struct topic_arrival *arrival)
{
	if (standing.next == NULL)
		list_init(&standing);
	list_push_back(&standing, &arrival->in_standing);
	arrival->serial = stood++ % UINT32_MAX + 1;
}

/* Whoever loses one has counted it. */
static void
topic_arrival_take(enum topic_class class, const struct topic_wire *wire, struct bay_request *request)
{
	struct topic_arrival *arrival = xcalloc(1, sizeof *arrival);

	arrival->request = request;
	list_init(&arrival->in_standing);
	publishing_init(&arrival->publishing, topic_arrival_on_all_in);
	if (wire->kind == TOPIC_WIRE_LOST)
		topic_lose_here(class, wire->topic, wire->lost);
	else
		(void)topic_put_here(class, wire->topic, wire->kind == TOPIC_WIRE_NULL ? NULL : request->message,
			&arrival->publishing);
	/* The message is that of whoever has got it. */
	request->arguments = arrival;
	if (arrival->publishing.missing == 0)
		topic_arrival_on_all_in(&arrival->publishing);
	else
		topic_arrival_stand(arrival);
}

static const char *
topic_arrival_receive(enum topic_class class, struct bay_request *request)
{
	struct topic_wire wire;
	const char *why;

	if (request->one_way)
		return "a publication waits for no answer";
	why = topic_wire_read(request->message, &wire);
	if (why == NULL)
		topic_arrival_take(class, &wire, request);
	return why;
}

static const char *
topic_arrival_receive_drop(struct bay_request *request)
{
	return topic_arrival_receive(TOPIC_DROP, request);
}

static const char *
topic_arrival_receive_wait(struct bay_request *request)
{
	return topic_arrival_receive(TOPIC_WAIT, request);
}

/* Its sender does not wait any more. */
static void
topic_arrival_forget(struct bay_request *request)
{
	struct topic_arrival *arrival = (struct topic_arrival *)request->arguments;

	publishing_give_up(&arrival->publishing, false);
	list_remove(&arrival->in_standing);
	free(arrival);
}

void
topic_arrivals_waits(topic_arrival_wait_fn *fn, void *arg)
{
	if (standing.next == NULL)
		return;
	list_for_each(pos, &standing) {
		const struct topic_arrival *arrival = container_of(pos, struct topic_arrival, in_standing);
		struct topic_arrival_wait wait = {.request = arrival->request, .serial = arrival->serial};

		while ((wait.feed = publishing_feed(&arrival->publishing, wait.feed)) != NULL)
			fn(&wait, arg);
	}
}

bool
topic_arrivals_begin(void)
{
	static const struct service_own own[TOPIC_CLASSES] = {
		[TOPIC_DROP] = {.receive = topic_arrival_receive_drop, .forget = topic_arrival_forget},
		[TOPIC_WAIT] = {.receive = topic_arrival_receive_wait, .forget = topic_arrival_forget},
	};
	int class;

	for (class = 0; class < TOPIC_CLASSES; class++) {
		if (registry_add_own(topic_wire_services[class], &own[class]) == NULL)
			return false;
	}
	return true;
}
