/* SPDX-License-Identifier: BSD-2-Clause */
/* What a plugin takes, settings and verbs, as its file says: nothing of it is loaded or run. */
#ifndef BAY_CELL_DOC_H
#define BAY_CELL_DOC_H

/* "bay-cell doc FILE": prints one JSON object, {"file", "ok", "plugin" or "reason"}. Returns the
 * exit code, which is one of bayctl's. */
int doc_run(int argc, char **argv);

#endif
