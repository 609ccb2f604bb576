/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The value of the key listen: what a service may listen on. Entries stand behind each other
 * with blanks or commas between them.
 *
 *	127.0.0.1:8080       an address
 *	http=127.0.0.1:8080  one that the plugin asks for by a name
 *	http                 a socket of this name that the service manager passes
 *
 * Any thread; never suspends.
 */
#ifndef BAY_CONFIG_CONFIG_LISTEN_H
#define BAY_CONFIG_CONFIG_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config_data.h"
#include "config/listen_address.h"

enum { CONFIG_LISTEN_MAX = 64 }; /* entries of one list */

struct config_listen {
	const char *text; /* as it is written; borrowed from the list, no NUL behind it */
	size_t size;
	char name[CONFIG_NAME_MAX + 1]; /* "": it has none */
	bool has_address;
	struct listen_address address; /* paths as they are written */
};

enum config_listen_result {
	CONFIG_LISTEN_END = 0,
	CONFIG_LISTEN_ENTRY,
	CONFIG_LISTEN_WRONG /* text and size are set; the reason is in *why_r, borrowed for ever */
};

/* Reads the next entry of *list, and moves that behind it. */
enum config_listen_result config_listen_next(const char **list, struct config_listen *entry_r,
	const char **why_r);

/* Whether the whole list is right; else entry_r is the first that is not, and *why_r says why. */
bool config_listen_check(const char *list, struct config_listen *entry_r, const char **why_r)
	__attribute__((warn_unused_result));

#endif
