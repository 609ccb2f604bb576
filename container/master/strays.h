/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What children of the master have started and left behind: a plugin may fork, and what it
 * forks may leave the process group. Such processes become children of the master, which ends
 * them when the child that they came from has ended.
 *
 * Whose they are stands in their environment (CELL_ENV_CHILD). Those who have thrown it away
 * end with the last child. Master only.
 */
#ifndef BAY_MASTER_STRAYS_H
#define BAY_MASTER_STRAYS_H

/* From now on what is left behind becomes a child of this process. */
void strays_adopt(void);

/* Kills those whose child has ended, and reaps the dead ones. When a child has ended, and with
 * each SIGCHLD: what is killed may have left something behind itself. */
void strays_sweep(void);

/* Kills them all and waits for their end, two seconds at most. */
void strays_end(void);

#endif
