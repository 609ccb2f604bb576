/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may come next on a command line, for the completion of shells. They call
 *
 *	bayctl __complete WORD...
 *
 * with the words behind the program's name, the last of which is being typed and may be
 * empty. Printed is one candidate a line, a tab, and what it is. A line ":files" asks the
 * shell for files, ":files so" for those that end so. All comes from the tables of verbs.h: an
 * argument or value is known by its name there, and "bash|zsh" are words. Only names of
 * services and what they can be told to do are asked from the daemon, which has a moment to
 * answer; without it nothing is said.
 */
#ifndef BAY_CTL_COMPLETE_H
#define BAY_CTL_COMPLETE_H

#include "ctl/ctl.h"

#define COMPLETE_WORD "__complete"

/* words: those behind __complete, ended by NULL. Nothing that is wrong with them is an error. */
enum interface_exit complete_words(struct ctl *ctl, char *const *words);

#endif
