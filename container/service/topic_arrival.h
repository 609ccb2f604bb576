/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What other cells publish comes here, as calls to services of the container's own (topic_wire.h), on the
 * loop that looks after the link: it is put into the subscriptions of this cell, in its order, and goes
 * no further. A call ends when all of them have it; where one lets publishers wait, that may be later.
 */
#ifndef BAY_SERVICE_TOPIC_ARRIVAL_H
#define BAY_SERVICE_TOPIC_ARRIVAL_H

#include <stdbool.h>
#include <stdint.h>

struct bay_request;
struct feed;

/* From now on they are found by other cells, as long as the registry lives. Before there are any links.
 * False: there is no room for their names. */
bool topic_arrivals_begin(void)
	__attribute__((warn_unused_result));

/* One of another cell that waits for room in a subscription, and for that in all others that are told with it. */
struct topic_arrival_wait {
	const struct bay_request *request;
	const struct feed *feed;
	uint32_t serial; /* no other of these has it at about that time; never 0 */
};

typedef void topic_arrival_wait_fn(const struct topic_arrival_wait *wait, void *arg);

/* All that came to the running loop and wait. */
void topic_arrivals_waits(topic_arrival_wait_fn *fn, void *arg);

#endif
