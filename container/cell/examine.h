/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "bay-cell examine": the process in which a plugin runs for the first time. The master asks
 * over the control socket, one image after the other, and throws the process away.
 *
 * An image comes as the one descriptor beside its call, since this process may read neither
 * the directory it lies in nor, perhaps, have one at all (memfd). It is loaded by that.
 */
#ifndef BAY_CELL_EXAMINE_H
#define BAY_CELL_EXAMINE_H

/* Answers until the master closes the socket. Returns the exit code of the process: 0, or 1
 * when the socket is not there or carries nonsense. */
int examine_run(void);

#endif
