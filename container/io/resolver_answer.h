/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a name stands for, or why nobody can say. Does not change once it has been shared; those
 * who hold it are counted. Owning loop only.
 */
#ifndef BAY_IO_RESOLVER_ANSWER_H
#define BAY_IO_RESOLVER_ANSWER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names are not longer: 253 bytes and a dot; with their NUL. */
enum { RESOLVER_NAME_SIZE = 256 };

struct resolver_record {
	int family;                    /* AF_INET, AF_INET6 */
	union {
		struct in_addr ipv4;
		struct in6_addr ipv6;
	};
};

struct resolver_answer {
	unsigned refs;
	int status;                    /* BAY_OK: there are records, or a name */
	const char *error;             /* why not, for people: lives for ever; or NULL */
	int64_t ttl_ns;                /* how long that is true, as the name server says */
	bool settled;
	bool ipv6_first;               /* there is a way to its first IPv6 address */
	char *name;                    /* of an address, malloc'd, or NULL */
	size_t count;
	size_t capacity;
	struct resolver_record *records; /* malloc'd */
};

/* One without records, held by the caller; NULL without memory. */
struct resolver_answer *resolver_answer_create(int status, const char *error);

/* False: no memory. Before it is shared. */
bool resolver_answer_add(struct resolver_answer *answer, const struct resolver_record *record)
	__attribute__((warn_unused_result));

/* Finds out in which order the families go, once all records are there. */
void resolver_answer_settle(struct resolver_answer *answer);

/* The records of the families, AF_INET, AF_INET6 or AF_UNSPEC, the families in turn: as many as
 * there is room for. Returns how many. */
size_t resolver_answer_pick(const struct resolver_answer *answer, int family,
	const struct resolver_record **records_r, size_t max);

static inline struct resolver_answer *
resolver_answer_ref(struct resolver_answer *answer)
{
	answer->refs++;
	return answer;
}

/* NULL is fine. */
void resolver_answer_unref(struct resolver_answer *answer);

#endif
