/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/swap_wish.h"

#include <stdlib.h>

#include "base/alloc.h"

struct swap_ask {
	struct list link;
	struct swap_wish wish;
};

const char *
swap_outcome_name(enum swap_outcome outcome)
{
	static const char *const names[] = {
		[SWAP_SWAPPED] = "swapped",
		[SWAP_SAME] = "same",
		[SWAP_STARTED] = "started",
		[SWAP_CANARY] = "canary",
		[SWAP_ABORTED] = "aborted",
		[SWAP_REFUSED] = "",
		[SWAP_BUSY] = "",
		[SWAP_FAILED] = "",
		[SWAP_ROLLED_BACK] = "",
	};

	return names[outcome];
}

void
swap_wishes_add(struct list *list, const struct swap_wish *wish)
{
	struct swap_ask *ask = xcalloc(1, sizeof(*ask));

	ask->wish = *wish;
	list_push_back(list, &ask->link);
}

const struct swap_wish *
swap_wishes_first(const struct list *list)
{
	return &container_of(list_first(list), struct swap_ask, link)->wish;
}

void
swap_wishes_move_alike(struct list *to, struct list *from)
{
	int64_t share = swap_wishes_first(from)->share;

	while (!list_empty(from) && swap_wishes_first(from)->share == share)
		list_push_back(to, list_pop_front(from));
}

void
swap_wishes_tell_stage(struct list *list, struct master_service *service, const char *stage)
{
	list_for_each(pos, list) {
		const struct swap_wish *wish = &container_of(pos, struct swap_ask, link)->wish;

		if (wish->stage != NULL)
			wish->stage(service, stage, wish->arg);
	}
}

void
swap_wishes_move_patient(struct list *to, struct list *from)
{
	list_for_each_safe(pos, from) {
		struct swap_ask *ask = container_of(pos, struct swap_ask, link);

		if (!ask->wish.through_probation)
			continue;
		list_remove(&ask->link);
		list_push_back(to, &ask->link);
	}
}

static void
swap_ask_answer(struct swap_ask *ask, struct master_service *service, enum swap_outcome outcome,
	const char *message)
{
	struct swap_wish wish = ask->wish;

	list_remove(&ask->link);
	free(ask);
	if (wish.done != NULL)
		wish.done(service, outcome, message != NULL ? message : "", wish.arg);
}

void
swap_wishes_answer(struct list *list, struct master_service *service, enum swap_outcome outcome,
	const char *message)
{
	struct list answered;
	struct list *link;

	list_init(&answered);
	list_splice_back(&answered, list);
	while ((link = list_first(&answered)) != NULL)
		swap_ask_answer(container_of(link, struct swap_ask, link), service, outcome, message);
}
