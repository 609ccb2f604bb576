/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cell's end of what cells say of topics: tells the master which patterns the subscriptions here
 * have, and makes the ways to other cells whose subscriptions want something. What is published is no
 * matter of the control thread.
 */
#ifndef BAY_CELL_TOPICS_H
#define BAY_CELL_TOPICS_H

#include <stdbool.h>
#include <stdint.h>

struct cell_interest;
struct control;
struct loop;

/* After cell_peers_begin(). All of it is borrowed until the end. False: there is no room for names.
 * Control thread, as all of these. */
bool cell_topics_begin(struct control *control, struct loop *loop)
	__attribute__((warn_unused_result));

/* Calls done once when what was published here has got to other cells, or at this time. Before
 * cell_topics_stop(). */
void cell_topics_settle(int64_t until_ns, void (*done)(void *arg), void *arg);

/* Ends the ways: before cell_peers_stop(), and before cell_peers_finish(). */
void cell_topics_stop(void);
void cell_topics_end(void);

/* What another cell wants. */
void cell_topics_tell(const struct cell_interest *interest);

#endif
