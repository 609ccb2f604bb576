/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The note that BAY_PLUGIN writes into a plugin: who it is and which ABI it needs, to be
 * read while it is still only bytes. Pure functions. Any thread; never suspends.
 */
#ifndef BAY_SERVICE_PLUGIN_NOTE_H
#define BAY_SERVICE_PLUGIN_NOTE_H

#include <stdbool.h>

#include <bay/plugin.h>

struct buffer;
struct elf_file;

/*
 * Finds the one Bay note and checks it: its ABI is one that this container has, its names
 * end and hold no surprises, its descriptor is large enough. False: the reason is appended
 * to error.
 */
bool plugin_note_read(const struct elf_file *elf, struct bay_plugin_note *note_r,
	struct buffer *error)
	__attribute__((warn_unused_result));

#endif
