/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages over which cells have crashed: they are not sent again, but kept as files of
 * state_dir/dead-letters/SERVICE (protocol/report_store.h), for people to see, to send again or
 * to throw away. Master only; never suspends, but uses the disk.
 */
#ifndef BAY_MASTER_DEAD_LETTERS_H
#define BAY_MASTER_DEAD_LETTERS_H

struct admin_request;
struct cell_dead_letter;
struct master;
struct master_service;

/* One for the service, which the cell called sender had sent to it. One that cannot be written is
 * lost, and that is logged. */
void dead_letters_add(struct master_service *service, const char *sender,
	const struct cell_dead_letter *letter, const char *state_dir);

/* The methods DeadLetters and DropDeadLetters. */
void admin_dead_letters(struct admin_request *request, struct master *master);
void admin_drop_dead_letters(struct admin_request *request, struct master *master);

#endif
