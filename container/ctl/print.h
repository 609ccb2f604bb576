/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Printing for people and for programs. What comes from the daemon is a stranger's text: it
 * is escaped before a terminal sees it.
 */
#ifndef BAY_CTL_PRINT_H
#define BAY_CTL_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct ctl_error;

struct print {
	FILE *file;
	bool is_tty;
	bool colour;      /* on a terminal, and NO_COLOR is not set */
	bool utf8;        /* the locale shows it */
	unsigned columns; /* of the terminal; 0: not a terminal */
};

enum print_style {
	PRINT_PLAIN = 0,
	PRINT_GOOD,
	PRINT_BUSY,
	PRINT_BAD,
	PRINT_FAINT
};

/* Finds out what file is. The locale must have been set. */
void print_init(struct print *print, FILE *file);

/* The text, made printable: what the daemon has escaped is not escaped again. NULL prints
 * nothing. */
void print_text(struct print *print, const char *text);

/* The same in a style. */
void print_styled(struct print *print, enum print_style style, const char *text);

/* One object on one line. */
void print_json(struct print *print, const json_t *json);

/* "bayctl: MESSAGE" and, unless quiet, the hint below. */
void print_error(struct print *print, const struct ctl_error *error, bool quiet);

/* The text made printable; the caller's. */
char *print_escape(const char *text);

/* Prints what has been escaped already. */
void print_escaped(struct print *print, enum print_style style, const char *escaped);

/* The number of columns that escaped text takes. */
unsigned print_width(const char *escaped);

/* The number of bytes of escaped text that fit into so many columns, whole characters. */
size_t print_fit(const char *escaped, unsigned columns);

/* How a service, task or cell of this state is shown. */
enum print_style print_state_style(const char *state);

/* --- members of replies: a member that is missing or of another type is "" or 0  */

const char *view_text(const json_t *object, const char *name);
int64_t view_int(const json_t *object, const char *name);

#endif
