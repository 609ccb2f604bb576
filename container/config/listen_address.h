/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An address to listen on, as people write it and as the kernel takes it:
 *
 *	127.0.0.1:8080      IPv4; 0.0.0.0 is every address of the machine
 *	[::1]:8080          IPv6; [::] is every IPv6 address, [fe80::1%eth0] one of a link
 *	unix:web.sock       a socket file, relative to runtime_dir
 *	unix:/run/web.sock
 *	unix:@web           a name that is no file: whoever is on this machine may connect
 *
 * Port 0 is any port that is free. Names of hosts are no addresses: what they stand for may
 * change. Plain data; any thread; never suspends.
 */
#ifndef BAY_CONFIG_LISTEN_ADDRESS_H
#define BAY_CONFIG_LISTEN_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The longest path that others can connect to. */
enum { LISTEN_PATH_MAX = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1 };

struct listen_address {
	union {
		struct sockaddr any; /* sa_family says which */
		struct sockaddr_in ipv4;
		struct sockaddr_in6 ipv6;
		struct sockaddr_un local; /* a path, with a NUL behind it, or a NUL and a name */
	} socket;
	socklen_t length;
};

/* False: it is no address; *why_r is a sentence about it (borrowed for ever). */
bool listen_address_parse(struct listen_address *address_r, const char *text, size_t size,
	const char **why_r)
	__attribute__((warn_unused_result));

/* What a socket is bound to; false: to no address of these kinds. */
bool listen_address_of_socket(struct listen_address *address_r, int fd)
	__attribute__((warn_unused_result));

/* Puts dir in front of a path that is relative. False: it is too long then. */
bool listen_address_resolve(struct listen_address *address, const char *dir)
	__attribute__((warn_unused_result));

/* As people write it; the caller's. */
char *listen_address_print(const struct listen_address *address)
	__attribute__((warn_unused_result));

bool listen_address_equal(const struct listen_address *a, const struct listen_address *b);

/* Of a socket file; else NULL. Borrowed from the address. */
const char *listen_address_path(const struct listen_address *address);

/* Of TCP; else 0. */
uint16_t listen_address_port(const struct listen_address *address);

/* Whether it stands for any port that is free. */
bool listen_address_is_any_port(const struct listen_address *address);

/* Whether all of this machine can connect, and nobody else: 127.0.0.0/8, ::1, and names that are
 * no files. */
bool listen_address_is_loopback(const struct listen_address *address);

#endif
