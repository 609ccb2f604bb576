/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration that is another one with something changed: a key set by hand, or what
 * can only change with bayd's next start kept as it is. One that others point into is never
 * changed itself.
 *
 * Never suspends.
 */
#ifndef BAY_CONFIG_CONFIG_COPY_H
#define BAY_CONFIG_CONFIG_COPY_H

#include <stdbool.h>

#include "config/config_data.h"

/* Everything of it, with a reference of the caller's and no other. */
struct config *config_copy(const struct config *config)
	__attribute__((warn_unused_result));

/*
 * Sets a key, of a service or with NULL of [container], to what text says; of a service it may
 * be a setting of its plugin, which nobody checks here. who is the origin, "set by user 0".
 * False: *why_r says what is wrong (the caller frees it) and nothing has changed.
 */
bool config_copy_set(struct config *config, const char *service, const char *key,
	const char *text, const char *who, char **why_r)
	__attribute__((warn_unused_result));

/* Gives the keys of [container] that wait for bayd's next start the values of those that are
 * in force, with their origins. */
void config_copy_keep(struct config *config, const struct config *in_force);

/* Takes over where each value stands, if it is the same in the other one. */
void config_copy_origins(struct config *config, const struct config *from);

#endif
