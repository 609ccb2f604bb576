/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses of sockets, as plain data: copy them, keep them, put them into your structs.
 * In writing they are
 *
 *	127.0.0.1:80         [::1]:80         [fe80::1%eth0]:80
 *	unix:/run/a.sock     unix:@abstract
 *
 * A host's name is no address: only a resolver makes addresses of one. All functions: any
 * thread; none suspends.
 */
#ifndef BAY_ADDRESS_H
#define BAY_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>

BAY_BEGIN_DECLS

enum bay_address_family {
	BAY_ADDRESS_NONE,  /* all zeroes: no address */
	BAY_ADDRESS_IPV4,
	BAY_ADDRESS_IPV6,
	BAY_ADDRESS_UNIX
};

/* Equal addresses have equal bytes, so memcmp() compares them and a hash may take them. */
struct bay_address {
	uint64_t _storage[16];  /* a struct sockaddr, and zeroes */
	uint32_t _length;       /* of it; 0: no address */
	uint32_t _unused;
};

/* Room for any address in writing, its NUL included. */
#define BAY_ADDRESS_TEXT_SIZE 128

/* Reads an address in writing, with its port. BAY_OK; BAY_TOO_BIG when the path of a Unix
 * socket is longer than 107 bytes, which is all that the kernel takes; BAY_INVALID when it
 * is none of the forms above (a host's name is none); *address_r is then as it was.
 * Since 1.0. */
BAY_API int bay_address_parse(const char *text, struct bay_address *address_r) BAY_MUST_CHECK;

/* Writes it, cut to size; what cannot be printed in the name of a Unix socket is a '?'. One
 * that has no name is "unix:", no address is "none". Returns text. Since 1.0. */
BAY_API const char *bay_address_text(const struct bay_address *address, char *text, size_t size);

/* Of what kind it is. Since 1.0. */
BAY_API enum bay_address_family bay_address_family(const struct bay_address *address);

/* The port; 0 where there is none. Since 1.0. */
BAY_API unsigned bay_address_port(const struct bay_address *address);

/* Gives it another port, 0 to 65535. BAY_OK, or BAY_INVALID when it has no ports or there is
 * no such port. Since 1.0. */
BAY_API int bay_address_set_port(struct bay_address *address, unsigned port);

/* Whether both say the same. Since 1.0. */
BAY_API bool bay_address_equal(const struct bay_address *a, const struct bay_address *b);

BAY_END_DECLS

#endif
