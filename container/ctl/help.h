/* SPDX-License-Identifier: BSD-2-Clause */
/* The help, printed from the tables of verbs.h. */
#ifndef BAY_CTL_HELP_H
#define BAY_CTL_HELP_H

#include <stddef.h>

struct ctl;
struct print;
struct verb;

/* Of one verb, or, with NULL, of bayctl as a whole; as JSON if that is asked for. */
void help_show(struct ctl *ctl, const struct verb *verb);

/* Prints words from column "at" on, broken at blanks, indented to that column. */
void help_wrap(struct print *print, size_t at, const char *text);

#endif
