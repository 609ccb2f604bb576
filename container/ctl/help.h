/* SPDX-License-Identifier: BSD-2-Clause */
/* The help, printed from the tables of verbs.h. */
#ifndef BAY_CTL_HELP_H
#define BAY_CTL_HELP_H

struct print;
struct verb;

/* Of one verb, or, with NULL, of bayctl as a whole. */
void help_print(struct print *print, const struct verb *verb);

#endif
