/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The code of a hosted service as the control thread handles it: its plugin and the settings
 * that the plugin has checked. Loading runs constructors, which may take any time, so both
 * ways are done by the loader thread and answered on the control thread.
 *
 * Control thread only; nothing blocks.
 */
#ifndef BAY_CELL_HOST_CODE_H
#define BAY_CELL_HOST_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/inbox.h"

struct bay_plugin;
struct cell_start;
struct host_code;
struct loader;
struct loop;
struct plugin;
struct setting_value;
struct settings;
struct settings_report;

/* The answer, called on the control thread. */
typedef void host_code_done_fn(struct host_code *code);

/* Embedded by who owns it. */
struct host_code {
	struct plugin *plugin;      /* NULL: there is none */
	struct settings *settings;
	char *error;                /* why it was not loaded, or NULL; the owner may take it */
	char *lingers;              /* after unload: why it is still in the process, or NULL */
	struct loop *_control;
	struct loader *_loader;
	struct inbox_item _item;    /* to the loader and back */
	host_code_done_fn *_done;
	char *_name;                /* of the image, which the master gave only once; control thread */
	char *_image;               /* the path that it is loaded by */
	const struct bay_plugin *_adopted; /* instead of an image, or NULL */
	int _fd;                    /* what that leads to, or -1 */
	char *_sha256;              /* or NULL */
	char *_origin;              /* or NULL */
	struct setting_value *_values;
	size_t _value_count;
	const char *_subject;
	uint32_t _slot;             /* of its service in the status page */
	bool _apart;
};

/* Copies what start says of it, and takes image: a descriptor to load it by, or -1. subject is
 * for the log; it, control and loader are borrowed. */
void host_code_init(struct host_code *code, const struct cell_start *start, int image, const char *subject,
	struct loop *control, struct loader *loader);

/* Takes code that is in the program instead, before it is loaded; borrowed while it is. */
void host_code_adopt(struct host_code *code, const struct bay_plugin *descriptor);

/* Nothing may be under way. What is loaded must have been unloaded. */
void host_code_finish(struct host_code *code);

/* Which image it is: who has the same has the same code, and its data. */
const char *host_code_image(const struct host_code *code);

/* The first complaint about settings of a plugin, as a text. Malloc'd. */
char *host_code_complaint(const struct settings_report *report);

/* Loads it and checks the settings; error says how that went. apart: from a copy in memory, since
 * the same image is there already and its data are not to be shared. */
void host_code_load(struct host_code *code, bool apart, host_code_done_fn *done);

/* Unloads what there is of it. Nothing of it may run. */
void host_code_unload(struct host_code *code, host_code_done_fn *done);

#endif
