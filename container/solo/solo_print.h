/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What bay-cell solo prints: replies to standard output and errors to standard error, or both
 * as JSON objects to standard output, as bayctl does.
 */
#ifndef BAY_SOLO_SOLO_PRINT_H
#define BAY_SOLO_SOLO_PRINT_H

#include <stdbool.h>
#include <stddef.h>

struct solo_print {
	bool json;
	bool terminal; /* standard output is one */
	bool lines;    /* each reply is a line of its own, whatever it ends with */
};

void solo_print_init(struct solo_print *print, bool json, bool lines);

void solo_print_reply(const struct solo_print *print, const void *data, size_t size);

/* code is an exit code of bayctl, status one of Bay or BAY_OK. */
void solo_print_error(const struct solo_print *print, int code, int status, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
