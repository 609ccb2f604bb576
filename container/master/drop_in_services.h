/* SPDX-License-Identifier: BSD-2-Clause */
/* The services of a plugin whose file comes or goes, and what is told of them. Part of drop_in.
 * Master only; never suspends. */
#ifndef BAY_MASTER_DROP_IN_SERVICES_H
#define BAY_MASTER_DROP_IN_SERVICES_H

#include <stddef.h>

#include "master/event_log.h"

struct master;
struct master_service;

/* Who asks for what is done because of a file. */
extern const struct event_by drop_in_by;

/* The next service at or behind *index that runs this plugin, or NULL. */
struct master_service *drop_in_next_service(const struct master *master, const char *plugin,
	size_t *index);

/* Adds an event about a plugin, or about a service of it (or NULL). */
void drop_in_note(const struct master *master, enum event_kind kind, const char *plugin,
	const char *service, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

#endif
