/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services whose plugin file is gone. One that a file had become is drained, and removed when it
 * has ended; of others it is noted, as what runs is a copy. Part of drop_in.
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_DROP_IN_LEAVING_H
#define BAY_MASTER_DROP_IN_LEAVING_H

struct drop_in_leaving;
struct master;

/* NULL: no memory. */
struct drop_in_leaving *drop_in_leaving_create(struct master *master)
	__attribute__((warn_unused_result));

/* Nothing more is begun. */
void drop_in_leaving_stop(struct drop_in_leaving *leaving);

/* After the services. NULL is fine. */
void drop_in_leaving_destroy(struct drop_in_leaving *leaving);

/* The file of this plugin is gone. */
void drop_in_leaving_lost_file(struct drop_in_leaving *leaving, const char *plugin);

/* Removes now what has come to its end, which is otherwise done in a moment. */
void drop_in_leaving_sweep(struct drop_in_leaving *leaving);

#endif
