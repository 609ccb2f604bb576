/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What it means for a plugin to use certain functions of others: some keep its code in the
 * process for ever, some do to the whole cell what the plugin meant for itself.
 */
#ifndef BAY_SERVICE_PLUGIN_IMPORT_H
#define BAY_SERVICE_PLUGIN_IMPORT_H

/* The meaning of those by which threads are begun. */
#define PLUGIN_STARTS_THREADS "it starts threads"

enum plugin_import_effect {
	PLUGIN_IMPORT_WARNS = 0, /* works, but the author should think again */
	PLUGIN_IMPORT_LINGERS,   /* its code may never be unloaded */
	PLUGIN_IMPORT_REFUSES    /* it would end the process */
};

struct plugin_import {
	const char *symbol; /* with a '*' at its end, the beginning of many */
	enum plugin_import_effect effect;
	const char *meaning; /* a clause with "it" as its subject */
};

/* The row for a symbol, or NULL: it means nothing. Borrowed for ever. Any thread. */
const struct plugin_import *plugin_import_find(const char *symbol);

#endif
