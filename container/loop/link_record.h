/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What two cells say to each other over a link, as records of its rings.
 *
 *	caller's cell                           callee's cell
 *	   NAME      a number for a service
 *	   REQUEST   its head, and the body or a part --->
 *	   MORE      the next part of the body        --->
 *	   CANCEL    the caller does not wait         --->
 *	   <--- CREDIT    so much has left the way to the queue of a service
 *	   <--- END       how it ended, and the reply or a part of it
 *	   <--- MORE_END  the next part of the reply
 *
 * Each REQUEST is answered with one END, also when it is cancelled or goes one way; then END says
 * what the queue made of it. Ids are the caller's. Numbers are those of the services in the
 * registry of who sends them, and are named before they are used.
 *
 * Reading copies the head of a record and checks it; what the other side writes there afterwards
 * changes nothing. Both sides have the same program, so there is one layout.
 */
#ifndef BAY_LOOP_LINK_RECORD_H
#define BAY_LOOP_LINK_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/traceparent.h"

struct link_view;
struct link_writer;

/* The largest body. */
#define LINK_BODY_MAX ((uint32_t)64 << 20)
/* What one record holds of a body: more of them are needed for more. */
#define LINK_PART_MAX ((uint32_t)16 * 1024)
/* The longest text of a failure or a reason that is passed on. */
#define LINK_TEXT_MAX 4096
#define LINK_NAME_MAX 48
#define LINK_CHAIN_MAX 64

enum link_kind {
	LINK_NAME = 1,
	LINK_REQUEST,
	LINK_MORE,
	LINK_CANCEL,
	LINK_END,
	LINK_MORE_END,
	LINK_CREDIT
};

struct link_name {
	uint16_t number;
	char name[LINK_NAME_MAX + 1];
};

struct link_request {
	uint64_t id;
	int64_t deadline;         /* of the monotonic clock, which they share; INT64_MAX: none */
	struct traceparent trace;
	uint32_t size;            /* of the whole body */
	uint16_t service;
	uint8_t depth;            /* at most LINK_CHAIN_MAX */
	uint8_t waiting_from;     /* at most depth */
	uint8_t one_way;
	uint8_t is_null;          /* there is no message at all */
	uint8_t recorded;         /* from which of the chain on what it passes is, + 1; 0: it is not */
	uint16_t chain[LINK_CHAIN_MAX]; /* in the record: depth of them */
};

/* MORE and MORE_END. */
struct link_more {
	uint64_t id;
};

struct link_cancel {
	uint64_t id;
	char reason[64];
};

struct link_outcome {
	uint64_t id;
	int32_t status;           /* BAY_OK: the body is the reply; else the text of the failure */
	uint32_t size;            /* of the whole body */
	uint8_t by_handler;
	uint8_t is_null;          /* there is no reply at all, as of what goes one way; or no text */
};

struct link_credit {
	uint16_t service;
	uint32_t messages;
	uint64_t bytes;
};

struct link_record {
	enum link_kind kind;
	union {
		struct link_name name;
		struct link_request request;
		struct link_more more;
		struct link_cancel cancel;
		struct link_outcome end;
		struct link_credit credit;
	};
	uint32_t part_at;         /* where in the record the part of a body begins, and its size */
	uint32_t part_size;
};

/* Takes a record from a ring. False: it is none, and why. */
bool link_record_read(const struct link_view *view, struct link_record *record_r, const char **why_r)
	__attribute__((warn_unused_result));

/* Writes one, without publishing it, with room for a part of part_size bytes, that is returned for
 * the caller to fill before anything else is written; NULL: there is no room in the ring. With a
 * part of no bytes it is only not NULL. */
void *link_record_write(struct link_writer *writer, const struct link_record *record, uint32_t part_size)
	__attribute__((warn_unused_result));

#endif
