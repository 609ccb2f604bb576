/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "service/topic_wire.h"

#include <string.h>

#include "base/topic_pattern.h"
#include "service/message.h"

const char *const topic_wire_services[TOPIC_CLASSES] = {
	[TOPIC_DROP] = "@topics",
	[TOPIC_WAIT] = "@topics-wait",
};

/* The length of the topic, and the kind. */
enum { WIRE_END = 2 };

static struct bay_message *
topic_wire_create(enum topic_wire_kind kind, const char *topic, const void *bytes, size_t size)
{
	size_t length = strlen(topic);
	struct bay_message *wire = message_create(size + length + WIRE_END);

	if (wire == NULL)
		return NULL;
	if (size > 0)
		memcpy(wire->data, bytes, size);
	memcpy(wire->data + size, topic, length);
	wire->data[size + length] = (char)length;
	wire->data[size + length + 1] = (char)kind;
	return wire;
}

struct bay_message *
topic_wire_message(const char *topic, const struct bay_message *message)
{
	return topic_wire_create(message != NULL ? TOPIC_WIRE_MESSAGE : TOPIC_WIRE_NULL, topic,
		bay_message_data(message), bay_message_size(message));
}

struct bay_message *
topic_wire_lost(const char *topic, uint64_t lost)
{
	return topic_wire_create(TOPIC_WIRE_LOST, topic, &lost, sizeof lost);
}

const char *
topic_wire_read(struct bay_message *wire, struct topic_wire *wire_r)
{
	size_t length, size = bay_message_size(wire);

	if (size < WIRE_END)
		return "a publication has no topic";
	length = (unsigned char)wire->data[size - WIRE_END];
	wire_r->kind = (enum topic_wire_kind)(unsigned char)wire->data[size - 1];
	size -= WIRE_END;
	if (length > size)
		return "a publication has no topic";
	size -= length;
	memcpy(wire_r->topic, wire->data + size, length);
	wire_r->topic[length] = '\0';
	if (strlen(wire_r->topic) != length || !topic_is_valid(wire_r->topic))
		return "what is published has no topic that can be";
	if (wire_r->kind > TOPIC_WIRE_LOST || (wire_r->kind == TOPIC_WIRE_NULL && size > 0) ||
		(wire_r->kind == TOPIC_WIRE_LOST && size != sizeof wire_r->lost))
		return "a publication is of no kind that can be";
	wire_r->lost = 0;
	if (wire_r->kind == TOPIC_WIRE_LOST)
		memcpy(&wire_r->lost, wire->data, sizeof wire_r->lost);
	wire->size = size;
	wire->data[size] = '\0';
	return NULL;
}
