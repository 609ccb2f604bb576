/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is different between two configurations, and what each difference asks for. A pure
 * function: nobody is asked and nothing is done.
 *
 *	+ service b                     in [service b], new
 *	- service a                     no longer there
 *	~ b.timeout 2s -> 3s            live
 *	~ b.stack 64k -> 128k           a new generation of the service
 *	~ cell.x.loops 2 -> 4           the process of the cell is replaced
 *	! container.loops 2 -> 4        a restart of bayd
 *
 * Any thread; never suspends.
 */
#ifndef BAY_CONFIG_CONFIG_DIFF_H
#define BAY_CONFIG_CONFIG_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config_data.h"

enum config_effect {
	CONFIG_EFFECT_LIVE = 0,   /* given to what runs */
	CONFIG_EFFECT_START,      /* the service is new */
	CONFIG_EFFECT_STOP,       /* the service is gone */
	CONFIG_EFFECT_GENERATION, /* the service gets a new generation */
	CONFIG_EFFECT_CELL,       /* the cell is replaced */
	CONFIG_EFFECT_RESTART     /* waits for bayd's next start */
};

/* The sign of a line: '+', '-', '~' or '!'. */
char config_effect_sign(enum config_effect effect);

/* "live", "start", "stop", "generation", "cell", "restart". */
const char *config_effect_name(enum config_effect effect);

/* Names are borrowed from the configurations. */
struct config_change {
	enum config_effect effect;
	const char *service;                /* NULL: [container], a cell or a group */
	const char *cell;                   /* [cell NAME]; or NULL */
	const char *group;                  /* [group NAME]; or NULL */
	const char *key;                    /* NULL: the section as a whole */
	char *old_value;                    /* as it would be written; NULL: it was not set */
	char *new_value;                    /* NULL: it is not set any more */
	struct config_origin origin; /* in the new one, or of what is gone in the old one */
};

/* In the order of the new configuration; what is gone comes last. A zeroed struct is empty. */
struct config_diff {
	struct config_change *changes;
	size_t count;
};

/* Whether a setting of the plugin of this service (of the old configuration) is live. */
typedef bool config_live_fn(const struct config_service *service, const char *setting,
	void *arg);

/* Compares; both stay as long as the diff. live NULL: no setting is. */
void config_diff_make(struct config_diff *diff, const struct config *old_config,
	const struct config *new_config, config_live_fn *live, void *arg);
void config_diff_finish(struct config_diff *diff);

/* The gravest that is asked for one service. False: nothing about it is different. */
bool config_diff_service(const struct config_diff *diff, const char *service,
	enum config_effect *effect_r);

#endif
