/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that bayctl carries with it, so that it finds them wherever it lies: what it prints
 * for shells, and what projects begin with. The table is made by ctl/embed.
 */
#ifndef BAY_CTL_EMBEDDED_H
#define BAY_CTL_EMBEDDED_H

struct embedded {
	const char *name; /* as it lies in the source tree: "ctl/completion/bayctl" */
	const char *text;
};

extern const struct embedded embedded_files[]; /* ended by a NULL name */

/* The text of the file of this name; NULL: there is none. Borrowed for ever. */
const char *embedded_text(const char *name);

#endif
