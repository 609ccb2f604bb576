/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes from cell to cell for topics: the body of a call to the service of this name, of the class
 * that it is for.
 *
 *	bytes of the message | topic | length of the topic (1) | kind (1)
 *
 * The message comes first, so that what has come over is the message once its end is cut off.
 */
#ifndef BAY_SERVICE_TOPIC_WIRE_H
#define BAY_SERVICE_TOPIC_WIRE_H

#include <stdint.h>

#include <bay/topic.h>

#include "service/topic_interest.h"

struct bay_message;

/* No ini and no plugin can have such a name. */
extern const char *const topic_wire_services[TOPIC_CLASSES];

enum topic_wire_kind {
	TOPIC_WIRE_MESSAGE,
	TOPIC_WIRE_NULL, /* there is no message */
	TOPIC_WIRE_LOST  /* so many of the topic did not get over: eight bytes */
};

/* What is in one. */
struct topic_wire {
	enum topic_wire_kind kind;
	uint64_t lost;
	char topic[BAY_TOPIC_MAX + 1];
};

/* The caller's, or NULL without memory. Any thread, as all of these. */
struct bay_message *topic_wire_message(const char *topic, const struct bay_message *message);
struct bay_message *topic_wire_lost(const char *topic, uint64_t lost);

/* Reads one that nobody else has, and makes it the message, where there is one. NULL, or what is wrong
 * with it. */
const char *topic_wire_read(struct bay_message *wire, struct topic_wire *wire_r)
	__attribute__((warn_unused_result));

#endif
