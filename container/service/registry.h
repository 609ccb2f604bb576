/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All services of this process by name. A record is made when a name is first asked
 * for and stays until the end.
 */
#ifndef BAY_SERVICE_REGISTRY_H
#define BAY_SERVICE_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "service/service.h"

/* Names that a process may ask for; more are refused. */
#define REGISTRY_MAX 4096

struct status_page;

/* Before any other thread. max_depth: see the ini. */
void registry_init(unsigned max_depth);
void registry_finish(void);

/* The record called name, made if need be; NULL: a bad name or too many. Any thread. */
struct bay_service *registry_get(const char *name);

/* The record called name, or NULL. Any thread. */
struct bay_service *registry_find(const char *name);

/* One of the container's own, which is no name that anybody else can give; NULL: too many. Any thread. */
struct bay_service *registry_add_own(const char *name, const struct service_own *own);

/* The record of one like that in another cell: it is not found by its name, which each of them has. NULL:
 * too many. Any thread. */
struct bay_service *registry_add_way(const char *name);

/* By number; id below registry_count(). Any thread. */
struct bay_service *registry_at(uint16_t id);
unsigned registry_count(void);

/* The max_depth given to registry_init, at most REQUEST_DEPTH_MAX. */
extern unsigned registry_max_depth __attribute__((visibility("hidden")));

/* Whether it may stand in an ini or a call. */
bool service_name_is_valid(const char *name);

#endif
