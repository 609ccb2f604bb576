/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of names of services, as the keys of order hold them: with commas, blanks or line ends
 * between them. Any thread; never suspends.
 */
#ifndef BAY_CONFIG_CONFIG_NAMES_H
#define BAY_CONFIG_CONFIG_NAMES_H

#include <stdbool.h>

#include "config/config_data.h"

/* Moves *list behind the next name and copies that. False: there are no more, or what comes next
 * is no name. */
bool config_names_next(const char **list, char name_r[CONFIG_NAME_MAX + 1]);

/* Whether the list has this name. */
bool config_names_have(const char *list, const char *name);

/* Returns the list as "a, b", each name once; the caller frees. NULL: something of it is no name;
 * that is in *wrong_r then, which the caller frees. */
char *config_names_tidy(const char *text, char **wrong_r)
	__attribute__((warn_unused_result));

#endif
