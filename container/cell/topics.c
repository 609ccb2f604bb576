/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/topics.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <bay/status.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "base/topic_pattern.h"
#include "cell/control.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "protocol/cell_link.h"
#include "service/topic_arrival.h"
#include "service/topic_interest.h"
#include "service/topic_way.h"

/* Between two sets at the least: each is for all cells. */
#define TOPICS_PAUSE_NS (50 * INT64_C(1000000))

/* One a process. */
static struct {
	struct control *control;  /* NULL: it ends */
	struct loop *loop;
	struct inbox_item item;   /* something has changed; in the inbox while posted */
	atomic_bool posted;
	bool under_way;           /* the master has not answered the last set */
	bool again;               /* it is another one since */
	int64_t next_ns;          /* no set goes before that, ... */
	struct timer pause;       /* ... but then, if there is another */
	struct inbox_item idle;   /* nothing is on its way any more */
	struct timer patience;
	void (*settled)(void *arg); /* whom to tell that; NULL: nobody */
	void *settled_arg;
} here;

/* --- what this cell wants --------------------------------------------------------------------- */

/* The patterns of a class, until there are too many. */
struct wanted {
	struct cell_word *words;  /* whose texts are ours */
	size_t count;
	size_t room;
	size_t wild;
	size_t bytes;
	bool all;                 /* it cannot be said: everything is */
};

static void
wanted_add(const char *pattern, void *arg)
{
	struct wanted *wanted = arg;
	size_t size = strlen(pattern);
	bool is_wild = topic_pattern_is_wild(pattern);

	wanted->all |= wanted->count == CELL_TOPICS_MAX || wanted->bytes + size > CELL_TOPICS_BYTES ||
		(is_wild && wanted->wild == CELL_TOPICS_WILD_MAX) || !text_is_utf8(pattern, size);
	if (wanted->all)
		return;
	if (wanted->count == wanted->room) {
		wanted->room = wanted->room > 0 ? wanted->room * 2 : 16;
		wanted->words = xrealloc(wanted->words, wanted->room, sizeof *wanted->words);
	}
	wanted->words[wanted->count++].text = xstrdup(pattern);
	wanted->wild += is_wild;
	wanted->bytes += size;
}

static void
wanted_clear(struct wanted *wanted)
{
	size_t i;

	for (i = 0; i < wanted->count; i++)
		free((char *)wanted->words[i].text);
	free(wanted->words);
}

/* Too many patterns, and what is no UTF-8, are said as everything: what comes for nobody here is thrown
 * away here. */
static void
wanted_take(struct wanted *wanted, enum topic_class class)
{
	*wanted = (struct wanted){.count = 0};
	topic_interest_each(class, wanted_add, wanted);
	if (!wanted->all)
		return;
	wanted_clear(wanted);
	*wanted = (struct wanted){.words = xcalloc(1, sizeof *wanted->words), .count = 1};
	wanted->words[0].text = xstrdup(">");
}

static void cell_topics_on_reply(const struct control_reply *reply, void *arg);

static void
cell_topics_send(void)
{
	struct wanted wait, drop;
	struct cell_topics topics;

	wanted_take(&wait, TOPIC_WAIT);
	wanted_take(&drop, TOPIC_DROP);
	topics = (struct cell_topics){wait.words, wait.count, drop.words, drop.count};
	here.under_way = true;
	here.again = false;
	here.next_ns = loop_now(here.loop) + TOPICS_PAUSE_NS;
	control_call(here.control, CELL_TOPICS, cell_topics_to_json(&topics), cell_topics_on_reply, NULL);
	wanted_clear(&wait);
	wanted_clear(&drop);
}

/* Now, or when it may. */
static void
cell_topics_send_in_time(void)
{
	if (here.control == NULL || here.under_way || !here.again || timer_armed(&here.pause))
		return;
	if (loop_now(here.loop) >= here.next_ns)
		cell_topics_send();
	else
		wheel_add(&here.loop->wheel, &here.pause, here.next_ns);
}

static void
cell_topics_on_pause(struct timer *timer)
{
	(void)timer;
	cell_topics_send_in_time();
}

static void
cell_topics_on_reply(const struct control_reply *reply, void *arg)
{
	(void)arg;
	here.under_way = false;
	if (here.control == NULL)
		return;
	if (reply->status != BAY_OK)
		log_error("cell", "bayd does not take what this cell subscribes to: %s [cell-link]", reply->message);
	cell_topics_send_in_time();
}

static void
cell_topics_on_changed(struct inbox_item *item)
{
	(void)item;
	atomic_store(&here.posted, false);
	here.again = true;
	cell_topics_send_in_time();
}

/* Many changes at once are one. Any thread. */
static void
cell_topics_changed(void *arg)
{
	(void)arg;
	if (!atomic_exchange(&here.posted, true))
		loop_post(here.loop, &here.item);
}

/* --- what others want ------------------------------------------------------------------------- */

static void
cell_topics_set_way(const char *cell, enum topic_class class, const struct cell_word *words, size_t count)
{
	const char **patterns = xcalloc(count + 1, sizeof *patterns);
	size_t i, valid = 0;

	for (i = 0; i < count; i++) {
		if (topic_pattern_is_valid(words[i].text))
			patterns[valid++] = words[i].text;
	}
	topic_way_set(cell, class, patterns, valid);
	free(patterns);
}

void
cell_topics_tell(const struct cell_interest *interest)
{
	cell_topics_set_way(interest->cell, TOPIC_WAIT, interest->wait, interest->wait_count);
	cell_topics_set_way(interest->cell, TOPIC_DROP, interest->drop, interest->drop_count);
}

/* --- before the end --------------------------------------------------------------------------- */

static void
cell_topics_settled(void)
{
	void (*settled)(void *arg) = here.settled;

	here.settled = NULL;
	if (settled == NULL)
		return;
	wheel_remove(&here.loop->wheel, &here.patience);
	settled(here.settled_arg);
}

static void
cell_topics_on_idle(struct inbox_item *item)
{
	(void)item;
	cell_topics_settled();
}

static void
cell_topics_on_patience(struct timer *timer)
{
	(void)timer;
	cell_topics_settled();
}

void
cell_topics_settle(int64_t until_ns, void (*done)(void *arg), void *arg)
{
	here.settled = done;
	here.settled_arg = arg;
	here.idle.run = cell_topics_on_idle;
	timer_init(&here.patience, cell_topics_on_patience);
	wheel_add(&here.loop->wheel, &here.patience, until_ns);
	topic_ways_await_idle(here.loop, &here.idle);
}

/* --- life ------------------------------------------------------------------------------------ */

bool
cell_topics_begin(struct control *control, struct loop *loop)
{
	here.control = control;
	here.loop = loop;
	here.item.run = cell_topics_on_changed;
	here.next_ns = 0;
	timer_init(&here.pause, cell_topics_on_pause);
	topic_interest_watch(cell_topics_changed, NULL);
	return topic_arrivals_begin();
}

void
cell_topics_stop(void)
{
	if (here.control == NULL)
		return;
	topic_interest_watch(NULL, NULL);
	wheel_remove(&here.loop->wheel, &here.pause);
	if (here.settled != NULL)
		wheel_remove(&here.loop->wheel, &here.patience);
	here.settled = NULL;
	topic_ways_stop();
}

void
cell_topics_end(void)
{
	if (here.control == NULL)
		return;
	here.control = NULL;
	topic_ways_finish();
}
