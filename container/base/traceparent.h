/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header traceparent of the W3C Trace Context recommendation (https://www.w3.org/TR/trace-context/):
 * to which trace a request belongs, and which span of it has sent it.
 *
 *	00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 *	version    trace-id                    parent-id    flags
 *
 * Any thread; never suspends.
 */
#ifndef BAY_BASE_TRACEPARENT_H
#define BAY_BASE_TRACEPARENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With their NUL. */
#define TRACEPARENT_SIZE 56
#define TRACE_ID_SIZE 33
#define SPAN_ID_SIZE 17

/* Of the flags: who has sent it may have recorded its span. The only one that version 00 knows. */
#define TRACE_SAMPLED 0x01

struct trace_id {
	uint64_t high;
	uint64_t low;    /* both 0: there is none */
};

struct traceparent {
	struct trace_id id;
	uint64_t parent; /* the span that it comes from; 0: none is known */
	uint8_t flags;   /* only those that are known */
};

static inline bool
trace_id_is_none(const struct trace_id *id)
{
	return (id->high | id->low) == 0;
}

/* Reads a header: any version but ff, of which what version 00 has. False: it is none, and *header_r
 * is untouched; who gets such a one begins a new trace. */
bool traceparent_parse(const char *text, size_t size, struct traceparent *header_r)
	__attribute__((warn_unused_result));

/* Reads an id in 32 digits, as the header has it. False: it is none, and *id_r is untouched. */
bool trace_id_parse(const char *text, struct trace_id *id_r)
	__attribute__((warn_unused_result));

/* Writes one of version 00. */
void traceparent_print(char text[TRACEPARENT_SIZE], const struct traceparent *header);

/* Writes the ids as the header has them, in 32 and 16 hexadecimal digits. */
void trace_id_print(char text[TRACE_ID_SIZE], const struct trace_id *id);
void span_id_print(char text[SPAN_ID_SIZE], uint64_t span);

#endif
