/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run of bayctl inside the test, and what came of it.
 *
 *	struct run run = {.socket = server.path};
 *
 *	run_words(&run, "call", "square", "5", NULL);
 *	ck_assert_int_eq(run.exit, 0);
 *	ck_assert_str_eq(run.out, "25");
 *	run_finish(&run);
 */
#ifndef BAY_TESTS_CTL_RUN_H
#define BAY_TESTS_CTL_RUN_H

#include <jansson.h>
#include <stddef.h>

struct run {
	const char *socket; /* or NULL: none is named */
	int exit;
	char *out;
	size_t out_size;
	char *err;
	size_t err_size;
	json_t *json; /* what run_json found in out */
};

/* Runs bayctl with the words up to NULL; may be called again. */
void run_words(struct run *run, ...)
	__attribute__((sentinel));

/* The same with --json: out must be one JSON object of the known shape. */
void run_json(struct run *run, ...)
	__attribute__((sentinel));

void run_finish(struct run *run);

#endif
