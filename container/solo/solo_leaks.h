/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is left where nothing should be: tasks, locks that they hold, messages, descriptors,
 * memory of bay_alloc(). By name, as far as things have names.
 */
#ifndef BAY_SOLO_SOLO_LEAKS_H
#define BAY_SOLO_SOLO_LEAKS_H

#include <stddef.h>

struct solo;
struct solo_leaks;

/* Notes which descriptors there are now, which are not left over. Before a container is made,
 * which opens some for itself. */
struct solo_leaks *solo_leaks_begin(void);
void solo_leaks_end(struct solo_leaks *leaks);

/* Notes what else there is now: the container has just been made. NULL: it is gone. */
void solo_leaks_attach(struct solo_leaks *leaks, struct solo *solo);

/* Looks for what has come since and is still there. The tasks of services that run are theirs.
 * The lines, one for each thing or kind, are borrowed until the next look. Returns how many
 * things. */
size_t solo_leaks_look(struct solo_leaks *leaks, const char **text_r);

/* The same for descriptors; as long as there is a container, not for those that look as its own. */
size_t solo_leaks_look_at_fds(struct solo_leaks *leaks, const char **text_r);

#endif
