/* SPDX-License-Identifier: BSD-2-Clause */
/* What hosts(5) says: names and addresses that no name server is asked for. Owning loop only. */
#ifndef BAY_IO_RESOLVER_HOSTS_H
#define BAY_IO_RESOLVER_HOSTS_H

struct resolver_answer;
struct resolver_hosts;
struct resolver_record;

/* Of a file; one that cannot be read is empty, and what makes no sense in it is left out. NULL
 * without memory. */
struct resolver_hosts *resolver_hosts_read(const char *path);

/* NULL is fine. */
void resolver_hosts_destroy(struct resolver_hosts *hosts);

/* What the name, in lower case, stands for; borrowed, or NULL. */
struct resolver_answer *resolver_hosts_find(const struct resolver_hosts *hosts, const char *name);

/* The first name of an address; borrowed, or NULL. */
const char *resolver_hosts_name(const struct resolver_hosts *hosts, const struct resolver_record *record);

#endif
