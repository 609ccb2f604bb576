/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a plugin file says about itself, read as bytes: nothing of it is mapped or run, so
 * it may be cut, broken or hostile. What is refused here would not load, or would end the
 * process that loads it. Any thread; reading waits for the disk.
 */
#ifndef BAY_SERVICE_PLUGIN_FILE_H
#define BAY_SERVICE_PLUGIN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/plugin.h>

#include "base/hash.h"

struct buffer;

/* No plugin file is larger, and none names more symbols than are listed here. */
enum {
	PLUGIN_FILE_MAX = 256 * 1024 * 1024,
	PLUGIN_FILE_NAMES_MAX = 10000,
	PLUGIN_FILE_GLIBC_SIZE = 24
};

struct plugin_names {
	char **items;
	size_t count;
};

/* Plain data; owned by whoever read it. */
struct plugin_facts {
	struct bay_plugin_note note;
	uint64_t size; /* of the file, bytes */
	char sha256[HASH_TEXT_SIZE];
	char machine[32];                   /* "x86-64" */
	char glibc[PLUGIN_FILE_GLIBC_SIZE]; /* the least version it runs with; "": any */
	char *soname;                       /* or NULL */
	char *search_path;                  /* where it looks for its libraries, or NULL */
	struct plugin_names libraries;      /* that it needs, in order */
	struct plugin_names undefined;      /* symbols that others must have */
	struct plugin_names warnings;       /* clauses for people */
	size_t unique_symbols;              /* STB_GNU_UNIQUE: one for all generations */
	char *lingers;                      /* why it can never be unloaded, or NULL */
};

/* Reads and judges the file. False: refused, the reason is appended to error. */
bool plugin_file_read(int fd, struct plugin_facts **facts_r, struct buffer *error)
	__attribute__((warn_unused_result));

/* The same for bytes; borrowed for the call. */
bool plugin_file_parse(const void *data, size_t size, struct plugin_facts **facts_r,
	struct buffer *error)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void plugin_facts_destroy(struct plugin_facts *facts);

#endif
