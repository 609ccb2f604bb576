/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every socket that services listen on, and whose it is. The master has them, and cells get
 * duplicates: so connections that wait to be accepted survive the cell, a restart of the
 * service and its code.
 *
 *	service asks --> allowed? --> there already, and its own --> duplicate
 *	                         \--> passed by the service manager --^
 *	                         \--> opened now ---------------------^
 *	stopped, given up --> closed; what the service manager passed waits for the next
 *
 * What a service may listen on says the key listen of its section (config_listen.h), by
 * address or by name. Without that key it is what only this machine reaches: loopback
 * addresses, but no ports below 1024, which bayd may be able to open and the service's own
 * user not; names that are no files; and socket files directly in runtime_dir.
 *
 * Has one owner. Master only; never suspends.
 */
#ifndef BAY_MASTER_LISTENER_TABLE_H
#define BAY_MASTER_LISTENER_TABLE_H

#include <stdbool.h>

#include <bay/status.h>

struct activation;
struct buffer;
struct config;
struct config_service;
struct listener_table;

/* runtime_dir is absolute, and copied. */
struct listener_table *listener_table_create(const char *runtime_dir);

/* Closes all, and removes socket files. NULL is fine. */
void listener_table_destroy(struct listener_table *table);

/* Takes the sockets that the service manager has passed; logs those that no service of the
 * configuration may listen on. */
void listener_table_adopt(struct listener_table *table, struct activation *activation,
	const struct config *config);

/*
 * Gives the service a socket for what it asks for, an address or a name; *fd_r is the
 * caller's. backlog 0: the usual; the largest that was asked for counts. Else BAY_INVALID (no
 * address), BAY_NOT_PERMITTED, BAY_BUSY (somebody has it) or BAY_IO, and the reason, with what
 * to do, is appended to error.
 */
enum bay_status listener_table_open(struct listener_table *table,
	const struct config_service *service, const char *asked, int backlog, int *fd_r,
	struct buffer *error)
	__attribute__((warn_unused_result));

/* The service is stopped for good: nobody can connect to what it listened on any more. */
void listener_table_close(struct listener_table *table, const char *service);

/* The service listens by another configuration now: closes what that does not allow any more. */
void listener_table_trim(struct listener_table *table, const struct config_service *service);

struct listener_view {
	const char *name;    /* by which it is known; "": none */
	const char *address; /* where it is bound, with its port */
	bool passed;         /* by the service manager */
};

/* Calls fn for each that the service has, in the order of their opening, until it says false.
 * Returns whether it never did. */
typedef bool listener_table_fn(const struct listener_view *view, void *arg);
bool listener_table_each(const struct listener_table *table, const char *service,
	listener_table_fn *fn, void *arg);

#endif
