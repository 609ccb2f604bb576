/* SPDX-License-Identifier: BSD-2-Clause */
/* What names of hosts may look like. Any thread; never suspends. */
#ifndef BAY_IO_RESOLVER_NAME_H
#define BAY_IO_RESOLVER_NAME_H

#include "io/resolver_answer.h"

/* Copies a name in lower case. NULL, or what is wrong with it: it lives for ever. */
const char *resolver_name_read(const char *host, char name_r[RESOLVER_NAME_SIZE]);

/* The name under which DNS knows the name of an address: "1.0.0.127.IN-ADDR.ARPA.". In upper case,
 * so that it is never taken for a name whose address somebody wants. */
void resolver_name_of_address(const struct resolver_record *record, char name_r[RESOLVER_NAME_SIZE]);

/* "localhost" and what lies below it: always this machine, nobody is asked. */
bool resolver_name_is_local(const char *name);

#endif
