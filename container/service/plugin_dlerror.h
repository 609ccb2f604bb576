/* SPDX-License-Identifier: BSD-2-Clause */
/* What the dynamic loader complains of, in words that say what to do. Any thread. */
#ifndef BAY_SERVICE_PLUGIN_DLERROR_H
#define BAY_SERVICE_PLUGIN_DLERROR_H

#include <stdbool.h>

struct buffer;
struct plugin_libraries;

/* Appends why loading image failed, from the text of dlerror() (NULL: it has none), and
 * returns false. */
bool plugin_dlerror_explain(const char *text, const char *image,
	const struct plugin_libraries *libraries, struct buffer *error);

/* Appends that nobody has this symbol, and returns false. */
bool plugin_dlerror_symbol(const char *symbol, struct buffer *error);

#endif
