/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "support/fake_dns.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/check_main.h"

enum { MAX_ASKED = 8192, MAX_HELD = 64, PACKET = 4096, CNAME = 5, HEADER = 12, UDP_MAX = 512 };

struct packet {
	unsigned char bytes[PACKET];
	size_t size;
	size_t question;         /* where the question ends */
	char label[64];
	char name[256];
	int type;
	struct sockaddr_in from;
};

struct asked {
	char label[64];
	int type;
};

struct fake_dns {
	struct sockaddr_in address;
	int octet;
	int udp, tcp, stop;
	pthread_t thread;
	pthread_mutex_t lock;
	bool released;
	unsigned asked_count, held_count, port_count;
	struct asked asked[MAX_ASKED];
	uint16_t ports[MAX_ASKED];
	struct packet held[MAX_HELD];
};

/* --- packets ------------------------------------------------------------------------------- */

static void
put(struct packet *packet, const void *data, size_t size)
{
	ck_assert_uint_le(packet->size + size, sizeof packet->bytes);
	memcpy(packet->bytes + packet->size, data, size);
	packet->size += size;
}

static void
put16(struct packet *packet, unsigned value)
{
	unsigned char bytes[] = {(unsigned char)(value >> 8), (unsigned char)value};

	put(packet, bytes, 2);
}

static void
set16(struct packet *packet, size_t at, unsigned value)
{
	packet->bytes[at] = (unsigned char)(value >> 8);
	packet->bytes[at + 1] = (unsigned char)value;
}

static unsigned
get16(const struct packet *packet, size_t at)
{
	return packet->bytes[at] * 256u + packet->bytes[at + 1];
}

/* "host.test" as labels. */
static void
put_name(struct packet *packet, const char *name)
{
	while (*name != '\0') {
		unsigned char size = (unsigned char)strcspn(name, ".");

		put(packet, &size, 1);
		put(packet, name, size);
		name += size + (name[size] == '.');
	}
	put(packet, "", 1);
}

/* A record of the name in the question. */
static void
put_record(struct packet *packet, int type, unsigned ttl, const void *data, size_t size)
{
	set16(packet, 6, get16(packet, 6) + 1);
	put16(packet, 0xc00c);
	put16(packet, (unsigned)type);
	put16(packet, 1);
	put16(packet, ttl >> 16);
	put16(packet, ttl & 0xffff);
	put16(packet, (unsigned)size);
	put(packet, data, size);
}

static void
put_ipv4(struct packet *packet, unsigned ttl, int octet, int last)
{
	unsigned char address[] = {10, (unsigned char)octet, 1, (unsigned char)last};

	put_record(packet, FAKE_DNS_A, ttl, address, 4);
}

static void
put_ipv6(struct packet *packet, const char *text)
{
	struct in6_addr address;

	ck_assert_int_eq(inet_pton(AF_INET6, text, &address), 1);
	put_record(packet, FAKE_DNS_AAAA, 60, &address, sizeof address);
}

static void
put_alias(struct packet *packet, const char *of)
{
	struct packet name = {.size = 0};

	put_name(&name, of);
	put_record(packet, CNAME, 5, name.bytes, name.size);
}

/* Reads the question; what follows it (EDNS) is cut off. */
static bool
parse(struct packet *packet)
{
	size_t at = HEADER, length = 0;

	packet->label[0] = '\0';
	while (at < packet->size && packet->bytes[at] != 0) {
		size_t size = packet->bytes[at];

		if (size > 63 || at + 1 + size >= packet->size || length + size + 2 > sizeof packet->name)
			return false;
		memcpy(packet->name + length, packet->bytes + at + 1, size);
		packet->name[length + size] = '.';
		if (length == 0)
			snprintf(packet->label, sizeof packet->label, "%.*s", (int)size, packet->name);
		length += size + 1;
		at += size + 1;
	}
	packet->name[length > 0 ? length - 1 : 0] = '\0';
	if (at + 5 > packet->size)
		return false;
	packet->type = (int)get16(packet, at + 1);
	packet->question = packet->size = at + 5;
	return true;
}

/* --- answers ---------------------------------------------------------------------------------- */

static bool
is(const struct packet *packet, const char *label)
{
	return strcasecmp(packet->label, label) == 0;
}

static void
begin_answer(struct packet *packet, unsigned rcode)
{
	packet->bytes[2] |= 0x80;
	packet->bytes[3] = (unsigned char)(0x80 | rcode);
	set16(packet, 6, 0);
	set16(packet, 8, 0);
	set16(packet, 10, 0);
}

static unsigned
rcode_of(const struct packet *packet, int octet)
{
	static const char *const known[] = {"v4", "v6", "both", "many", "alias", "circle", "empty", "half",
		"held", "wrongid", "wrongname", "garbage", "short", "1", "2", "3"};
	size_t length = strlen(packet->name);

	if (is(packet, "servfail") && octet == 2)
		return 0;
	if (is(packet, "servfail") || (is(packet, "halffail") && packet->type == FAKE_DNS_A) ||
		(is(packet, "half") && packet->type == FAKE_DNS_AAAA))
		return 2;
	if (is(packet, "refused"))
		return 5;
	if (is(packet, "halffail"))
		return 0;
	if (is(packet, "only"))
		return length > 7 && strcasecmp(packet->name + length - 7, ".b.test") == 0 ? 0 : 3;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (is(packet, known[i]))
			return 0;
	}
	return 3;
}

static void
answer(struct packet *packet, int octet)
{
	struct packet name = {.size = 0};
	unsigned rcode = rcode_of(packet, octet);

	begin_answer(packet, rcode);
	if (rcode != 0 || is(packet, "empty") || is(packet, "halffail"))
		return;
	if (packet->type == FAKE_DNS_PTR) {
		put_name(&name, is(packet, "2") ? "127.0.0.1" : "Host.test");
		put_record(packet, FAKE_DNS_PTR, 60, name.bytes, name.size);
	} else if (is(packet, "circle")) {
		put_alias(packet, packet->name);
	} else if (packet->type == FAKE_DNS_AAAA) {
		if (is(packet, "both"))
			put_ipv6(packet, "::1");
		if (is(packet, "both"))
			put_ipv6(packet, "2001:db8::2");
		if (is(packet, "v6"))
			put_ipv6(packet, "2001:db8::1");
	} else if (is(packet, "alias")) {
		put_alias(packet, "real.test");
		/* Of real.test, which lies in the record before. */
		set16(packet, 6, 2);
		put16(packet, 0xc000 | (unsigned)(packet->question + 12));
		put(packet, "\0\1\0\1\0\0\0\74\0\4\12\1\1\1", 14);
	} else if (!is(packet, "v6")) {
		int count = is(packet, "many") ? 40 : is(packet, "both") ? 2 : 1;

		for (int i = 1; i <= count; i++)
			put_ipv4(packet, is(packet, "short") ? 0 : 60, octet, i);
	}
}

static void
send_udp(struct fake_dns *dns, const struct packet *packet)
{
	(void)sendto(dns->udp, packet->bytes, packet->size, 0, (const struct sockaddr *)&packet->from,
		sizeof packet->from);
}

/* What a stranger would send. */
static void
send_lies(struct fake_dns *dns, const struct packet *question)
{
	struct packet lie = *question;

	if (is(question, "wrongid")) {
		begin_answer(&lie, 0);
		put_record(&lie, FAKE_DNS_A, 60, "\6\6\6\6", 4);
		lie.bytes[0] ^= 0x55;
		send_udp(dns, &lie);
	} else if (is(question, "wrongname")) {
		begin_answer(&lie, 0);
		put_record(&lie, FAKE_DNS_A, 60, "\6\6\6\6", 4);
		lie.bytes[HEADER + 1] = 'x';
		send_udp(dns, &lie);
	} else if (is(question, "garbage") || is(question, "junk")) {
		lie.size = 2;
		send_udp(dns, &lie);
		lie.size = HEADER + 3;
		begin_answer(&lie, 0);
		set16(&lie, 4, 0xffff);
		set16(&lie, 6, 0xffff);
		lie.bytes[0] ^= 0xff;
		send_udp(dns, &lie);
		memset(lie.bytes + 2, 0xff, 300);
		lie.size = 300;
		send_udp(dns, &lie);
		lie.size = 0;
		send_udp(dns, &lie);
	}
}

static void
note(struct fake_dns *dns, const struct packet *packet)
{
	unsigned i;

	ck_assert_uint_lt(dns->asked_count, MAX_ASKED);
	snprintf(dns->asked[dns->asked_count].label, sizeof dns->asked[0].label, "%s", packet->label);
	dns->asked[dns->asked_count++].type = packet->type;
	for (i = 0; i < dns->port_count; i++) {
		if (dns->ports[i] == packet->from.sin_port)
			return;
	}
	dns->ports[dns->port_count++] = packet->from.sin_port;
}

static void
serve_udp(struct fake_dns *dns)
{
	struct packet packet;
	socklen_t length = sizeof packet.from;
	ssize_t got = recvfrom(dns->udp, packet.bytes, sizeof packet.bytes, 0, (struct sockaddr *)&packet.from, &length);

	packet.size = got > 0 ? (size_t)got : 0;
	if (got < HEADER || !parse(&packet))
		return;
	pthread_mutex_lock(&dns->lock);
	note(dns, &packet);
	send_lies(dns, &packet);
	if (is(&packet, "silent") || is(&packet, "junk")) {
		pthread_mutex_unlock(&dns->lock);
		return;
	}
	answer(&packet, dns->octet);
	if (packet.size > UDP_MAX) {
		packet.size = packet.question;
		begin_answer(&packet, 0);
		packet.bytes[2] |= 2;
	}
	if (!dns->released && (is(&packet, "held") || is(&packet, "3"))) {
		ck_assert_uint_lt(dns->held_count, MAX_HELD);
		dns->held[dns->held_count++] = packet;
	} else {
		send_udp(dns, &packet);
	}
	pthread_mutex_unlock(&dns->lock);
}

static void
serve_tcp(struct fake_dns *dns)
{
	int fd = accept(dns->tcp, NULL, NULL);
	unsigned char size[2];

	while (fd >= 0 && recv(fd, size, 2, MSG_WAITALL) == 2) {
		struct packet packet = {.size = size[0] * 256u + size[1]};

		if (packet.size > PACKET || recv(fd, packet.bytes, packet.size, MSG_WAITALL) != (ssize_t)packet.size ||
			!parse(&packet))
			break;
		answer(&packet, dns->octet);
		size[0] = (unsigned char)(packet.size >> 8);
		size[1] = (unsigned char)packet.size;
		if (send(fd, size, 2, MSG_NOSIGNAL) != 2 ||
			send(fd, packet.bytes, packet.size, MSG_NOSIGNAL) != (ssize_t)packet.size)
			break;
	}
	close(fd);
}

static void *
serve(void *arg)
{
	struct fake_dns *dns = arg;
	struct pollfd polled[] = {{.fd = dns->udp, .events = POLLIN}, {.fd = dns->tcp, .events = POLLIN},
		{.fd = dns->stop, .events = POLLIN}};

	for (;;) {
		ck_assert_int_gt(poll(polled, 3, -1), 0);
		if (polled[2].revents != 0)
			return NULL;
		if (polled[0].revents != 0)
			serve_udp(dns);
		if (polled[1].revents != 0)
			serve_tcp(dns);
	}
}

/* --- for the test --------------------------------------------------------------------------------- */

/* One port for both kinds; false: the one that the kernel chose for the first is taken. */
static bool
open_sockets(struct fake_dns *dns)
{
	const struct timeval limit = {.tv_sec = 10};
	socklen_t length = sizeof dns->address;
	int one = 1;

	dns->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	dns->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(setsockopt(dns->tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), 0);
	ck_assert_int_eq(setsockopt(dns->tcp, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
	ck_assert_int_eq(bind(dns->udp, (const struct sockaddr *)&dns->address, sizeof dns->address), 0);
	ck_assert_int_eq(getsockname(dns->udp, (struct sockaddr *)&dns->address, &length), 0);
	if (bind(dns->tcp, (const struct sockaddr *)&dns->address, sizeof dns->address) == 0 &&
		listen(dns->tcp, 8) == 0)
		return true;
	close(dns->udp);
	close(dns->tcp);
	return false;
}

struct fake_dns *
fake_dns_start(const char *address, uint16_t port, int octet)
{
	struct fake_dns *dns = calloc(1, sizeof *dns);
	int i;

	ck_assert_ptr_nonnull(dns);
	dns->octet = octet;
	pthread_mutex_init(&dns->lock, NULL);
	dns->address.sin_family = AF_INET;
	dns->address.sin_port = htons(port);
	ck_assert_int_eq(inet_pton(AF_INET, address, &dns->address.sin_addr), 1);
	for (i = 0; !open_sockets(dns); i++) {
		ck_assert(port == 0 && i < 100);
		dns->address.sin_port = 0;
	}
	dns->stop = eventfd(0, EFD_CLOEXEC);
	ck_assert_int_eq(pthread_create(&dns->thread, NULL, serve, dns), 0);
	return dns;
}

uint16_t
fake_dns_port(const struct fake_dns *dns)
{
	return ntohs(dns->address.sin_port);
}

unsigned
fake_dns_asked(struct fake_dns *dns, const char *label, int type)
{
	unsigned i, count = 0;

	pthread_mutex_lock(&dns->lock);
	for (i = 0; i < dns->asked_count; i++)
		count += strcasecmp(dns->asked[i].label, label) == 0 && dns->asked[i].type == type;
	pthread_mutex_unlock(&dns->lock);
	return count;
}

void
fake_dns_await(struct fake_dns *dns, const char *label, int type, unsigned times)
{
	const struct timespec moment = {.tv_nsec = 1000 * 1000};

	for (int i = 0; i < 30000 && fake_dns_asked(dns, label, type) < times; i++)
		nanosleep(&moment, NULL);
	ck_assert_uint_ge(fake_dns_asked(dns, label, type), times);
}

unsigned
fake_dns_ports(struct fake_dns *dns)
{
	unsigned count;

	pthread_mutex_lock(&dns->lock);
	count = dns->port_count;
	pthread_mutex_unlock(&dns->lock);
	return count;
}

void
fake_dns_release(struct fake_dns *dns)
{
	unsigned i;

	pthread_mutex_lock(&dns->lock);
	dns->released = true;
	for (i = 0; i < dns->held_count; i++)
		send_udp(dns, &dns->held[i]);
	dns->held_count = 0;
	pthread_mutex_unlock(&dns->lock);
}

void
fake_dns_stop(struct fake_dns *dns)
{
	uint64_t one = 1;

	ck_assert_int_eq(write(dns->stop, &one, sizeof one), (int)sizeof one);
	pthread_join(dns->thread, NULL);
	close(dns->udp);
	close(dns->tcp);
	close(dns->stop);
	pthread_mutex_destroy(&dns->lock);
	free(dns);
}
