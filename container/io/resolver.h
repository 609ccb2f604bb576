/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of <bay/resolve.h>, for the container itself. Each loop has a resolver of its own,
 * made when somebody first looks a name up, with its own cache and name servers.
 */
#ifndef BAY_IO_RESOLVER_H
#define BAY_IO_RESOLVER_H

#include <stddef.h>
#include <stdint.h>

#include <bay/resolve.h>

/* bay_resolve() for both families, when the await has begun already. Inside a task; suspends. */
int resolver_lookup(const char *host, const char *port, struct bay_address *addresses, size_t max,
	size_t *count_r, int64_t deadline);

/* Where to look from the next resolver on; NULL: as it was. Before there are loops. */
void resolver_set_files(const char *resolv_conf, const char *hosts);

/* For tests: the port of all name servers, 0: the usual; and lets the time of the cache run ahead. */
void resolver_set_port(uint16_t port);
void resolver_shift_time(int64_t span_ns);

#endif
