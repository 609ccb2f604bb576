/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys of the ini file, one row each. Defaults, checks, messages and the tests of the
 * sample ini and of bay.ini(5) read the rows.
 */
#ifndef BAY_CONFIG_CONFIG_KEYS_H
#define BAY_CONFIG_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a value is, with the type of its field. */
enum config_type {
	CONFIG_TYPE_STRING,       /* char *: any text, also none */
	CONFIG_TYPE_NAME,         /* char *: as a service or plugin may be called */
	CONFIG_TYPE_PATH,         /* char *: relative to the directory of its file */
	CONFIG_TYPE_RUNTIME_PATH, /* char *: relative to runtime_dir */
	CONFIG_TYPE_LOG,          /* char *: one of the words, or a path */
	CONFIG_TYPE_LISTEN,       /* char *: a list of addresses, as in config_listen.h */
	CONFIG_TYPE_NAMES,        /* char *: a list of names of services, as in config_names.h */
	CONFIG_TYPE_PATTERNS,     /* char *: file patterns, one a line */
	CONFIG_TYPE_BOOL,         /* bool */
	CONFIG_TYPE_INT,          /* int64_t: a number, or one of the words */
	CONFIG_TYPE_SIZE,         /* uint64_t bytes, or one of the words */
	CONFIG_TYPE_PAGES,        /* uint64_t bytes: a multiple of the page size */
	CONFIG_TYPE_DURATION,     /* int64_t ns */
	CONFIG_TYPE_SPAN,         /* struct config_span: two durations, or the first of them */
	CONFIG_TYPE_RATE,         /* struct config_rate: min and max are of its count */
	CONFIG_TYPE_PERCENT,      /* int64_t: a number and %, or one of the words */
	CONFIG_TYPE_MODE,         /* uint32_t: octal */
	CONFIG_TYPE_CHOICE        /* an enum: one of the words */
};

struct config_word {
	const char *word; /* NULL ends a list */
	int value;
};

struct config_key {
	const char *name;
	enum config_type type;
	size_t offset;        /* of the field in its section's struct */
	const char *fallback; /* the default as one would write it; NULL: the section's name */
	int64_t min;          /* in the unit of the field; max 0: no range */
	int64_t max;
	const struct config_word *words;
	bool reloadable; /* else a change waits for bayd's next start */
	bool live; /* of a service: given to what runs; else a change makes a new generation */
	const char *help;
};

/* A table and the number of its rows. */
struct config_keys {
	const struct config_key *rows;
	size_t count;
};

extern const struct config_keys config_container_keys;
extern const struct config_keys config_service_keys;
extern const struct config_keys config_cell_keys;
extern const struct config_keys config_group_keys;

/* Returns the row of that name, or NULL. */
const struct config_key *config_keys_find(const struct config_keys *keys, const char *name);

/* Returns the known name nearest to this one, or NULL. */
const char *config_keys_nearest(const struct config_keys *keys, const char *name);

#endif
