/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libbay-test: <bay/test.h> on top of the table that libbay.so offers (solo/solo_table.h).
 * Nothing of ours is linked into it, so that a process has every static once.
 */
#ifndef BAY_KIT_KIT_H
#define BAY_KIT_KIT_H

#include <stdint.h>

#include <bay/test.h>

#include "solo/solo_table.h"

struct kit {
	const struct solo_table *table;
	struct solo *solo;          /* NULL: no test has begun */
	struct solo_leaks *leaks;
	uint64_t seed;
	struct bay_message *reply;  /* the last one, or NULL */
	char error[1024];
};

extern struct kit kit;

/* The container of the test; ends the process if none has begun. */
struct solo *kit_solo(const char *function);

/* Sets bay_test_error(); NULL: nothing is wrong. Returns status. */
int kit_tell(int status, const char *error);

/* Says on standard error what the test does wrong, and ends the process. */
_Noreturn void kit_die(const char *function, const char *what);

#endif
