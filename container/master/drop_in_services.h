/* SPDX-License-Identifier: BSD-2-Clause */
/* Services of plugin files, which come and go with them or by hand, and what is told of them. Part
 * of drop_in and hand_loads. Master only; never suspends. */
#ifndef BAY_MASTER_DROP_IN_SERVICES_H
#define BAY_MASTER_DROP_IN_SERVICES_H

#include <stdbool.h>
#include <stddef.h>

#include "master/event_log.h"
#include "master/service_waiters.h"

struct config;
struct config_report;
struct master;
struct master_service;
struct plugin_image;

/* Who asks for what is done because of a file. */
extern const struct event_by drop_in_by;

/* The next service at or behind *index that runs this plugin of plugin_dir, or NULL. */
struct master_service *drop_in_next_service(const struct master *master, const char *plugin,
	size_t *index);

/* Adds an event about a plugin, or about a service of it (or NULL). */
void drop_in_note(const struct master *master, enum event_kind kind, const char *plugin,
	const char *service, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Why there can be no other service of this name, malloc'd; NULL: there can. */
char *drop_in_name_refusal(const struct master *master, const char *name);

/*
 * What is said of a service that has no section, all of it by default: path is the file of its
 * plugin, or of the container's configuration. NULL: report says why.
 */
struct config *drop_in_make_config(const char *path, const char *name, const char *plugin,
	struct config_report *report);

/* Such a service is there from now on, and is started with this image: done follows. how is for the
 * event. False: there have been too many names, and nothing follows. */
bool drop_in_add_service(const struct master *master, struct config *config, struct plugin_image *image,
	const struct event_by *by, const char *how, service_done_fn *done, void *arg)
	__attribute__((warn_unused_result));

/* For people, of that. */
#define DROP_IN_TOO_MANY "there have been too many services with different names since bayd was started: " \
	"restart it"

#endif
