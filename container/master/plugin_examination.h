/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the plugin file that services name to a private copy that passed its examination,
 * and from the complaints of the examiner to lines of the configuration: what master/image
 * copies and master/examiner looks at, joined.
 *
 * Master only, on the thread of the event base; never suspends.
 */
#ifndef BAY_MASTER_PLUGIN_EXAMINATION_H
#define BAY_MASTER_PLUGIN_EXAMINATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config_data.h"
#include "config/config_report.h"
#include "master/image.h"

struct event_base;
struct plugin_examination;
struct program;

/* A setting that a plugin declares. */
struct plugin_setting {
	char *name;
	char *default_value; /* or NULL: it has none */
	char *help;          /* or "" */
	bool live;           /* can be changed while the service runs */
};

/* A copy that passed. Shared by the services that were examined with it, and counted; the
 * file goes with the last of them. Read only. */
struct plugin_image {
	struct image image;
	int64_t generation; /* of its plugin, from 1 */
	char *source;       /* the plugin file it is a copy of */
	char *version;      /* as the plugin says */
	json_t *verbs;      /* of the plugin: Verb objects of the interface, without "service" */
	struct plugin_setting *settings;
	size_t setting_count;
	unsigned _refs;
};

struct plugin_image *plugin_image_ref(struct plugin_image *image);

/* The setting of this name, or NULL: it has none. */
const struct plugin_setting *plugin_image_setting(const struct plugin_image *image,
	const char *name);

/* NULL is fine. */
void plugin_image_unref(struct plugin_image *image);

/* Borrowed for the call. */
struct plugin_result {
	struct plugin_image *image; /* who keeps it takes a reference; NULL: refused */
	const char *reason;         /* of the refusal */
	const struct config_report *complaints; /* about settings; their services may not start */
};

typedef void plugin_result_fn(const struct plugin_result *result, void *arg);

/*
 * Copies go to the directory dirfd (duplicated); program is bay-cell; what is silent for
 * timeout_ns hangs. Of config is kept what bayd keeps until its end: its path, and plugin_dir.
 * NULL: no memory or no descriptor.
 */
struct plugin_examination *plugin_examination_create(struct event_base *base,
	const struct config *config, const struct program *program, int dirfd,
	int64_t timeout_ns)
	__attribute__((warn_unused_result));

/* Examinations under way are given up: nobody is called. Images stay with their owners.
 * NULL is fine. */
void plugin_examination_destroy(struct plugin_examination *examination);

/*
 * Examines the file of a plugin as it is when its turn comes, with the settings of services,
 * which all name this plugin (at least one). Files are copied one after the other and in
 * slices, so a large one does not keep the event loop from other work. done(result, arg)
 * follows, never from inside this call. The services are borrowed until then.
 */
void plugin_examination_begin(struct plugin_examination *examination,
	const struct config_service *const *services, size_t count, plugin_result_fn *done,
	void *arg);

/* The same with a copy that has passed before, for another look at settings. */
void plugin_examination_again(struct plugin_examination *examination,
	struct plugin_image *image, const struct config_service *const *services, size_t count,
	plugin_result_fn *done, void *arg);

#endif
