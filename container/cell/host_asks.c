/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/host_asks.h"

#include <stdlib.h>

#include "base/alloc.h"

struct host_ask {
	struct list link;
	host_done_fn *done;
	int64_t id;
};

void
host_asks_init(struct host_asks *asks)
{
	list_init(&asks->_asks);
}

void
host_asks_finish(struct host_asks *asks)
{
	struct list *link;

	while ((link = list_pop_front(&asks->_asks)) != NULL)
		free(container_of(link, struct host_ask, link));
}

void
host_asks_add(struct host_asks *asks, host_done_fn *done, int64_t id)
{
	struct host_ask *ask;

	if (done == NULL)
		return;
	ask = xcalloc(1, sizeof *ask);
	ask->done = done;
	ask->id = id;
	list_push_back(&asks->_asks, &ask->link);
}

void
host_asks_answer(struct host_asks *asks, int status, const char *message, void *arg)
{
	struct list answered;
	struct list *link;

	list_init(&answered);
	list_splice_back(&answered, &asks->_asks);
	while ((link = list_pop_front(&answered)) != NULL) {
		struct host_ask *ask = container_of(link, struct host_ask, link);

		ask->done(status, message, ask->id, arg);
		free(ask);
	}
}

bool
host_asks_any(const struct host_asks *asks)
{
	return !list_empty(&asks->_asks);
}
