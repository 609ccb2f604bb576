/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A name server on a thread of its own, whose first label of a name says how it answers:
 *
 *	v4            10.1.1.1 for 60 s, and no IPv6
 *	v6            2001:db8::1 only
 *	both          10.1.1.1 10.1.1.2 ::1 2001:db8::2
 *	many          40 addresses of IPv4: cut off in a datagram, whole over TCP
 *	alias         CNAME for 5 s of a name that is 10.1.1.1 for 60 s
 *	circle        CNAME of itself
 *	empty         the name is there and has no addresses
 *	nx            NXDOMAIN
 *	servfail      SERVFAIL, as v4 if the octet is 2; halffail: for IPv4 only; half: for IPv6 only, IPv4 as v4
 *	refused       REFUSED
 *	silent        never
 *	held          as v4, when released
 *	wrongid       as v4, after 6.6.6.6 under another id
 *	wrongname     as v4, after 6.6.6.6 for another name
 *	garbage       as v4, after bytes that are no answer
 *	junk          only such bytes
 *	1.x in-addr   "host.test", 2.x: "127.0.0.1", 3.x: "host.test" when released
 *	only          as v4 below "b.test", elsewhere NXDOMAIN
 *
 * Other names are NXDOMAIN. The second octet of its addresses is as at the start.
 */
#ifndef BAY_TESTS_SUPPORT_FAKE_DNS_H
#define BAY_TESTS_SUPPORT_FAKE_DNS_H

#include <stdint.h>

struct fake_dns;

/* On this address of the loopback; port 0: any. */
struct fake_dns *fake_dns_start(const char *address, uint16_t port, int octet);

uint16_t fake_dns_port(const struct fake_dns *dns);

/* How often names of this first label were asked for, over UDP and for one type. */
enum { FAKE_DNS_A = 1, FAKE_DNS_PTR = 12, FAKE_DNS_AAAA = 28 };
unsigned fake_dns_asked(struct fake_dns *dns, const char *label, int type);

/* Waits until names of the label have been asked for so often. */
void fake_dns_await(struct fake_dns *dns, const char *label, int type, unsigned times);

/* From which ports questions came: how many different ones. */
unsigned fake_dns_ports(struct fake_dns *dns);

/* Answers what is held, and from now on at once. */
void fake_dns_release(struct fake_dns *dns);

void fake_dns_stop(struct fake_dns *dns);

#endif
