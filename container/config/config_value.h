/* SPDX-License-Identifier: BSD-2-Clause */
/* One value of the ini file, by its row of the table: read, printed, compared, copied, freed. */
#ifndef BAY_CONFIG_CONFIG_VALUE_H
#define BAY_CONFIG_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config_keys.h"

struct buffer;

/*
 * Sets the key's field of the section's struct to what text says; a string it had is freed.
 * Paths stay as written. False: text is not such a value; *why_r is a sentence about what
 * would be (the caller frees it) and the field is as before.
 */
bool config_value_parse(const struct config_key *key, const char *text, void *section,
	char **why_r)
	__attribute__((warn_unused_result));

/* Appends the value as text that reads back as the same, unquoted. False: no memory. */
bool config_value_print(const struct config_key *key, const void *section,
	struct buffer *out)
	__attribute__((warn_unused_result));

bool config_value_equal(const struct config_key *key, const void *a, const void *b);

/* Sets the key's field of one struct to that of another; a string it had is freed. */
void config_value_copy(const struct config_key *key, void *to, const void *from);

/* Frees the field's memory, if it has any of its own. */
void config_value_finish(const struct config_key *key, void *section);

/* Whether a service or a plugin may be called this. */
bool config_name_is_valid(const char *name, size_t length);

/* What config_name_is_valid allows, for messages. */
extern const char config_name_rule[];

#endif
