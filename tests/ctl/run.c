/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/run.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "support/check_main.h"

enum { WORDS_MAX = 40 };

void
run_finish(struct run *run)
{
	free(run->out);
	free(run->err);
	json_decref(run->json);
	*run = (struct run){.socket = run->socket};
}

static void
run_va(struct run *run, const char *extra, va_list args)
{
	const char *words[WORDS_MAX] = {"bayctl"};
	int count = 1;
	const char *word;
	FILE *out;
	FILE *err;

	run_finish(run);
	if (run->socket != NULL) {
		words[count++] = "-s";
		words[count++] = run->socket;
	}
	if (extra != NULL)
		words[count++] = extra;
	while ((word = va_arg(args, const char *)) != NULL) {
		ck_assert_int_lt(count, WORDS_MAX);
		words[count++] = word;
	}
	out = open_memstream(&run->out, &run->out_size);
	err = open_memstream(&run->err, &run->err_size);
	run->exit = ctl_main(count, (char **)(uintptr_t)words, out, err);
	fclose(out);
	fclose(err);
}

void
run_words(struct run *run, ...)
{
	va_list args;

	va_start(args, run);
	run_va(run, NULL, args);
	va_end(args);
}

void
run_json(struct run *run, ...)
{
	va_list args;
	const json_t *ok;

	va_start(args, run);
	run_va(run, "--json", args);
	va_end(args);
	run->json = json_loadb(run->out, run->out_size, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(run->json != NULL, "no JSON: %s", run->out);
	ck_assert_uint_eq(strcspn(run->out, "\n"), run->out_size - 1);
	ck_assert_int_eq(json_integer_value(json_object_get(run->json, "schema")), 1);
	ok = json_object_get(run->json, "ok");
	ck_assert(json_is_boolean(ok));
	ck_assert_int_eq(json_is_true(ok), run->exit == 0);
	ck_assert_int_eq(json_is_object(json_object_get(run->json, "error")), run->exit != 0);
	ck_assert_str_eq(run->err, "");
}
