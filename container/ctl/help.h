/* SPDX-License-Identifier: BSD-2-Clause */
/* The help, printed from the tables of verbs.h. */
#ifndef BAY_CTL_HELP_H
#define BAY_CTL_HELP_H

struct ctl;
struct verb;

/* Of one verb, or, with NULL, of bayctl as a whole; as JSON if that is asked for. */
void help_show(struct ctl *ctl, const struct verb *verb);

#endif
