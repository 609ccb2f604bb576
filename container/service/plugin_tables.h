/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of a plugin, read from its file as bytes: what its descriptor says, its settings and
 * its verbs. Nothing of it is loaded or run, so the file may be hostile. Any thread; never
 * suspends.
 */
#ifndef BAY_SERVICE_PLUGIN_TABLES_H
#define BAY_SERVICE_PLUGIN_TABLES_H

#include <stdbool.h>
#include <stddef.h>

#include <bay/plugin.h>
#include <bay/setting.h>
#include <bay/verb.h>

struct buffer;

/* Owned by whoever read it. */
struct plugin_tables {
	const char *summary; /* or NULL */
	bool leaf;
	bool handles;
	bool runs;
	struct bay_setting *settings; /* checked; ended by BAY_END */
	struct bay_verb *verbs;       /* checked; ended by BAY_VERBS_END; no handler may be called */
	char **_texts;
	size_t _text_count;
};

/* Reads the bytes of a file that plugin_file_parse accepts. False: a table of it makes no sense,
 * or lies where it cannot be read before the plugin is loaded; the reason is appended to error. */
bool plugin_tables_read(const void *data, size_t size, struct plugin_tables **tables_r,
	struct buffer *error)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void plugin_tables_destroy(struct plugin_tables *tables);

#endif
