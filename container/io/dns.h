/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions to name servers, asked by c-ares on a loop: its sockets are events of the loop's
 * base, its time-outs a timer of the loop's wheel. No cache, no hosts file, no tasks.
 *
 *	"a.b" --> "a.b.", "a.b.example.", ...   as resolv.conf has it
 *	           A and AAAA each --> answer
 *
 * Owning loop only.
 */
#ifndef BAY_IO_DNS_H
#define BAY_IO_DNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "io/resolver_answer.h"

struct dns;
struct dns_question;
struct loop;

/* The answer is the callee's; NULL: no memory. The question may be freed. */
typedef void dns_answered_fn(struct dns_question *question, struct resolver_answer *answer);

struct dns_query {
	struct dns_question *_question;
	int _type;
};

/* Part of the caller's struct (container_of), until it is answered. */
struct dns_question {
	char name[RESOLVER_NAME_SIZE];   /* with a dot at its end it is never searched for */
	bool reverse;                    /* name is of the kind "1.0.0.127.IN-ADDR.ARPA." */
	dns_answered_fn *answered;
	struct dns *_dns;
	struct list _link;               /* in dns->again, or in none */
	struct dns_query _queries[2];
	unsigned _waiting;               /* queries that have not come back */
	int _next;                       /* the name to be tried next */
	int _failure;                    /* of this name, as c-ares has it */
	int _worst;                      /* of the names before */
	struct resolver_answer *_answer; /* what has come so far */
};

/* The name servers and search list of a resolv.conf, which are looked at now; port 0: the usual.
 * NULL: no memory, or the file cannot be read. */
struct dns *dns_create(struct loop *loop, const char *resolv_conf, uint16_t port);

/* What has been asked is answered with BAY_CLOSED. NULL is fine. */
void dns_destroy(struct dns *dns);

/* The file has changed: what has been asked is asked again. */
void dns_reload(struct dns *dns);

/* Asks; name, reverse and answered are set. It may be answered before this returns. */
void dns_ask(struct dns *dns, struct dns_question *question);

#endif
