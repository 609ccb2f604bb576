/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The examination of one plugin: it is loaded, checked, asked what it thinks of the settings
 * of its services, and unloaded. Whatever its constructors and destructors do happens to
 * this process, which is why only an examiner calls this.
 */
#ifndef BAY_CELL_VERDICT_H
#define BAY_CELL_VERDICT_H

#include <jansson.h>
#include <stdbool.h>

struct cell_examine;

/*
 * Examines the image at path. Returns the members of a cell_verdict, the caller's; NULL: no
 * memory. *stays_r: code of it is still in the process, so what path names must stay.
 */
json_t *verdict_make(const struct cell_examine *request, const char *path, bool *stays_r)
	__attribute__((warn_unused_result));

#endif
