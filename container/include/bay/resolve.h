/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From names of hosts to addresses and back, without blocking: numbers are read, hosts(5) is
 * looked at, then the name servers of resolv.conf(5) are asked, and what they say is kept for
 * as long as they say (at least a second, at most an hour). Both files are read again when they
 * have changed.
 *
 *	struct bay_address addresses[8];
 *	size_t count;
 *
 *	if (bay_resolve("db.example.com", "5432", 0, addresses, 8, &count, BAY_INHERIT) != BAY_OK)
 *		return bay_fail(request, BAY_IO, "%s", bay_resolve_error());
 *
 * Tasks of one loop that want the same name share one question, and what becomes of one of them
 * is nothing to the others.
 *
 * All functions: inside a task.
 */
#ifndef BAY_RESOLVE_H
#define BAY_RESOLVE_H

#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/address.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

/* For the flags of bay_resolve(); without one of the first two, both families. */
#define BAY_RESOLVE_IPV4 1u
#define BAY_RESOLVE_IPV6 2u
#define BAY_RESOLVE_NUMERIC 4u  /* "127.0.0.1", "::1": names are refused */

/* Room for every name of a host, its NUL included. */
#define BAY_RESOLVE_NAME_SIZE 256

/* Finds the addresses of a host, a name or a number, with a port, "5432" or the name of a service
 * ("http") or NULL for 0. The first max of them, *count_r, are written to addresses: the families
 * in turn, each in the order of the answer, IPv6 first if this machine has a way to it and IPv4
 * first if not. A name that ends in a dot is not searched for in other domains.
 *
 * BAY_OK: one at least. BAY_NOT_FOUND: no such name, or none of its addresses is of the family
 * (known for 5 s, then asked again). BAY_IO: the name servers failed, or cannot be reached.
 * BAY_TIMEOUT: none answered before the deadline, or in the time that resolv.conf gives them.
 * BAY_INVALID: that can be no name (a part is empty or has more than 63 bytes, the whole more than
 * 253, or other letters than names have), no such port or service, or max is 0. BAY_FULL: 1024
 * names are being asked for on this loop. BAY_CANCELED, BAY_NO_MEMORY. bay_resolve_error() has the
 * text. May suspend. Since 1.0. */
BAY_API int bay_resolve(const char *host, const char *port, unsigned flags, struct bay_address *addresses,
	size_t max, size_t *count_r, int64_t deadline);

/* Finds the name of the host that has an address: written to name, size bytes with its NUL.
 * Whoever owns the address chooses the name: it proves nothing. Statuses as above; BAY_TOO_BIG
 * when it has no room, BAY_INVALID for what is no IP address. May suspend. Since 1.0. */
BAY_API int bay_resolve_name(const struct bay_address *address, char *name, size_t size, int64_t deadline);

/* Why the running task's last look-up failed ("look up a.example: there is no such name"); "" if
 * it did not. Borrowed until its next look-up, call or transfer. Never suspends. Since 1.0. */
BAY_API const char *bay_resolve_error(void);

BAY_END_DECLS

#endif
