/* SPDX-License-Identifier: BSD-2-Clause */
/* What the settings of the test plugin good fill. */
#ifndef BAY_TESTS_SUPPORT_PLUGINS_GOOD_H
#define BAY_TESTS_SUPPORT_PLUGINS_GOOD_H

#include <stdbool.h>
#include <stdint.h>

struct good {
	int64_t retries;
	bool loud;
	int64_t delay_ns;
	uint64_t cache;
	const char *text;
	int64_t mode;
};

#endif
