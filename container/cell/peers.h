/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cell's end of what the master says about other cells, and what it is asked for: links to
 * them. What goes over the links is no matter of the control thread.
 */
#ifndef BAY_CELL_PEERS_H
#define BAY_CELL_PEERS_H

struct cell_linked;
struct cell_peer;
struct control;
struct executor;
struct loop;
struct varlink_fds;

/* From now on services of other cells can be called. All of it is borrowed until the end. Control
 * thread, as all of these. */
void cell_peers_begin(struct control *control, struct loop *loop, struct executor *executor);

/* Closes the links: while the loops run, and again when they have ended. */
void cell_peers_stop(void);
void cell_peers_finish(void);

/* A link has come, with its descriptors, which are taken. */
void cell_peers_link(const struct cell_linked *linked, struct varlink_fds *fds);

/* A cell takes links, or has ended. */
void cell_peers_tell(const struct cell_peer *peer);

#endif
