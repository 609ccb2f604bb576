/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What other cells publish comes here, as calls to services of the container's own (topic_wire.h), on the
 * loop that looks after the link: it is put into the subscriptions of this cell, in its order, and goes
 * no further. A call ends when all of them have it; where one lets publishers wait, that may be later.
 */
#ifndef BAY_SERVICE_TOPIC_ARRIVAL_H
#define BAY_SERVICE_TOPIC_ARRIVAL_H

#include <stdbool.h>

/* From now on they are found by other cells, as long as the registry lives. Before there are any links.
 * False: there is no room for their names. */
bool topic_arrivals_begin(void)
	__attribute__((warn_unused_result));

#endif
