/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tables of keys are written with, one file a section: config_keys_container.c,
 * config_keys_service.c, config_keys_cell.c, config_keys_group.c. */
#ifndef BAY_CONFIG_CONFIG_KEYS_ROWS_H
#define BAY_CONFIG_CONFIG_KEYS_ROWS_H

#include <stdint.h>

#include "base/clock.h"
#include "config/config_data.h"

#define SECONDS(n) ((int64_t)(n) * CLOCK_NS_PER_S)
#define HOURS(n) SECONDS((n) * 3600)

#define CONFIG_ROWS_COUNT(rows) (sizeof(rows) / sizeof(*(rows)))
#define CONFIG_ROWS_CHECK(rows) \
	_Static_assert(CONFIG_ROWS_COUNT(rows) <= CONFIG_SECTION_KEYS_MAX, "origins are too few")
#define CONFIG_ROWS_TABLE(rows) {rows, CONFIG_ROWS_COUNT(rows)}

#endif
