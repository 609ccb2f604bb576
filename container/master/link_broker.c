/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/link_broker.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/log.h"
#include "loop/link_memory.h"
#include "master/backoff.h"
#include "master/cell_process.h"
#include "master/event_log.h"
#include "master/master_cell.h"
#include "master/supervisor.h"
#include "protocol/cell_link.h"

/* Between the processes that two cells have now. */
struct broker_link {
	struct list node;
	struct link_broker *broker;
	struct master_cell *cells[2];
	struct event *timer; /* pending since the first of them, closes, says that the other has closed its end */
	unsigned closes;
	int64_t epoch;
};

/* Two processes whose last link was broken, by whichever of them: they get no other for a while. */
struct broker_rest {
	struct list node;
	struct link_broker *broker;
	struct master_cell *cells[2];
	struct backoff backoff;
	struct event *timer; /* pending while they rest */
};

struct link_broker {
	const struct supervisor *supervisor;
	struct event_base *base;
	struct list links;
	struct list rests;
	int64_t epoch; /* of the last link */
};

/* --- what cells are told --------------------------------------------------------------- */

/* A cell that does not take it has ended, or is of no use and ends. */
static void
broker_on_told(const struct cell_reply *reply, void *arg)
{
	const struct master_cell *cell = arg;

	if (reply->kind == CELL_REPLY_FAILED)
		log_warn(master_cell_subject(cell), "does not take what it is told of another cell: %s [cell-link]",
			reply->message);
}

static void
broker_tell_peer(struct master_cell *cell, const struct master_cell *other, bool ready)
{
	const struct cell_peer peer = {.cell = master_cell_name(other), .ready = ready};
	struct cell_process *process = master_cell_hears(cell);

	if (process != NULL)
		cell_process_call(process, CELL_PEER, cell_peer_to_json(&peer), -1, 0, broker_on_told, cell);
}

/* Both may ask for a link to each other from now on. */
static void
broker_introduce(struct master_cell *a, struct master_cell *b)
{
	if (master_cell_ready(a) == NULL || master_cell_ready(b) == NULL)
		return;
	broker_tell_peer(a, b, true);
	broker_tell_peer(b, a, true);
}

/* Takes the descriptors. */
static void
broker_send_link(struct master_cell *cell, const struct master_cell *other, int64_t epoch, int side,
	int memory, int end)
{
	const struct cell_linked linked = {.cell = master_cell_name(other), .epoch = epoch, .side = side};
	struct varlink_fds fds = {.fd = {memory, end}, .count = 2};

	cell_process_call_with(master_cell_hears(cell), CELL_LINK, cell_linked_to_json(&linked), &fds, 0,
		broker_on_told, cell);
}

/* --- links ----------------------------------------------------------------------------- */

static struct broker_link *
broker_find(const struct link_broker *broker, const struct master_cell *a, const struct master_cell *b)
{
	list_for_each(pos, &broker->links) {
		struct broker_link *link = container_of(pos, struct broker_link, node);

		if ((link->cells[0] == a && link->cells[1] == b) || (link->cells[0] == b && link->cells[1] == a))
			return link;
	}
	return NULL;
}

static void
broker_forget(struct broker_link *link)
{
	list_remove(&link->node);
	if (link->timer != NULL)
		event_free(link->timer);
	free(link);
}

/* --- rests ----------------------------------------------------------------------------- */

/* Before the next link of two cells whose last one was broken: at first, and at most. */
#define BROKER_REST_NS (100 * INT64_C(1000000))
#define BROKER_REST_MAX_NS (5 * INT64_C(1000000000))
/* Without a broken link, until all is forgotten. */
#define BROKER_REST_RESET_NS (60 * INT64_C(1000000000))

static struct broker_rest *
broker_find_rest(const struct link_broker *broker, const struct master_cell *a, const struct master_cell *b)
{
	list_for_each(pos, &broker->rests) {
		struct broker_rest *rest = container_of(pos, struct broker_rest, node);

		if ((rest->cells[0] == a && rest->cells[1] == b) || (rest->cells[0] == b && rest->cells[1] == a))
			return rest;
	}
	return NULL;
}

static bool
broker_rests(const struct link_broker *broker, const struct master_cell *a, const struct master_cell *b)
{
	const struct broker_rest *rest = broker_find_rest(broker, a, b);

	return rest != NULL && evtimer_pending(rest->timer, NULL);
}

static void
broker_on_rested(evutil_socket_t fd, short what, void *arg)
{
	const struct broker_rest *rest = arg;

	(void)fd;
	(void)what;
	broker_introduce(rest->cells[0], rest->cells[1]);
}

static struct broker_rest *
broker_add_rest(struct link_broker *broker, struct master_cell *a, struct master_cell *b)
{
	struct broker_rest *rest = xcalloc(1, sizeof(*rest));

	*rest = (struct broker_rest){.broker = broker, .cells = {a, b}, .backoff = {.first_ns = BROKER_REST_NS,
		.max_ns = BROKER_REST_MAX_NS, .reset_ns = BROKER_REST_RESET_NS}};
	rest->timer = evtimer_new(broker->base, broker_on_rested, rest);
	list_push_back(&broker->rests, &rest->node);
	return rest;
}

static void
broker_end_rest(struct broker_rest *rest)
{
	list_remove(&rest->node);
	if (rest->timer != NULL)
		event_free(rest->timer);
	free(rest);
}

/* Whoever writes garbage once may do it again: not as often as it can. */
static void
broker_rest(struct link_broker *broker, struct master_cell *a, struct master_cell *b)
{
	struct broker_rest *rest = broker_find_rest(broker, a, b);
	struct timeval span;
	int64_t span_ns;

	if (rest == NULL)
		rest = broker_add_rest(broker, a, b);
	span_ns = backoff_next(&rest->backoff, clock_monotonic_ns(), backoff_random());
	span = (struct timeval){.tv_sec = span_ns / CLOCK_NS_PER_S, .tv_usec = span_ns % CLOCK_NS_PER_S / 1000};
	if (rest->timer != NULL && evtimer_add(rest->timer, &span) == 0)
		return;
	broker_end_rest(rest);
	broker_introduce(a, b);
}

static enum bay_status
broker_make(struct link_broker *broker, struct master_cell *cell, struct master_cell *other,
	struct buffer *error)
{
	struct broker_link *link;
	int ends[2] = {-1, -1};
	int memory = link_memory_create((uint64_t)broker->epoch + 1);
	int second = memory >= 0 ? fcntl(memory, F_DUPFD_CLOEXEC, 3) : -1;

	if (second < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
		buffer_fail(error, "make the link: %s", strerror(errno));
		fd_close(&memory);
		fd_close(&second);
		return BAY_IO;
	}
	link = xcalloc(1, sizeof(*link));
	*link = (struct broker_link){.broker = broker, .cells = {cell, other}, .epoch = ++broker->epoch};
	list_push_back(&broker->links, &link->node);
	broker_send_link(cell, other, link->epoch, 0, memory, ends[0]);
	broker_send_link(other, cell, link->epoch, 1, second, ends[1]);
	log_debug(master_cell_subject(cell), "link %" PRId64 " to cell %s", link->epoch,
		master_cell_name(other));
	return BAY_OK;
}

enum bay_status
link_broker_connect(struct link_broker *broker, struct master_cell *cell, const char *to,
	struct buffer *error)
{
	struct master_cell *other = supervisor_find_cell(broker->supervisor, to);
	struct master_cell_view view;

	if (other == NULL || !master_cell_is_there(other)) {
		buffer_fail(error, "there is no cell %s", to);
		return BAY_NOT_FOUND;
	}
	if (other == cell) {
		buffer_fail(error, "a cell has no link to itself");
		return BAY_INVALID;
	}
	if (master_cell_hears(cell) == NULL || master_cell_ready(other) == NULL) {
		master_cell_view(other, &view);
		buffer_fail(error, "cell %s is %s, and takes no link from cell %s", to, view.state,
			master_cell_name(cell));
		return BAY_CLOSED;
	}
	if (broker_find(broker, cell, other) != NULL) {
		buffer_fail(error, "there is a link to cell %s already", to);
		return BAY_BUSY;
	}
	if (broker_rests(broker, cell, other)) {
		buffer_fail(error, "the last link to cell %s was broken: there is another in a moment", to);
		return BAY_BUSY;
	}
	return broker_make(broker, cell, other, error);
}

/* --- cells come and go ----------------------------------------------------------------- */

void
link_broker_cell_ready(struct link_broker *broker, struct master_cell *cell)
{
	for (size_t i = 0; i < supervisor_cell_count(broker->supervisor); i++) {
		struct master_cell *other = supervisor_cell(broker->supervisor, i);

		if (other != cell && !broker_rests(broker, cell, other))
			broker_introduce(cell, other);
	}
}

void
link_broker_cell_ended(struct link_broker *broker, struct master_cell *cell)
{
	list_for_each_safe(pos, &broker->links) {
		struct broker_link *link = container_of(pos, struct broker_link, node);

		if (link->cells[0] == cell || link->cells[1] == cell)
			broker_forget(link);
	}
	/* The next process has done nothing yet. */
	list_for_each_safe(pos, &broker->rests) {
		struct broker_rest *rest = container_of(pos, struct broker_rest, node);

		if (rest->cells[0] == cell || rest->cells[1] == cell)
			broker_end_rest(rest);
	}
	for (size_t i = 0; i < supervisor_cell_count(broker->supervisor); i++) {
		if (supervisor_cell(broker->supervisor, i) != cell)
			broker_tell_peer(supervisor_cell(broker->supervisor, i), cell, false);
	}
}

/* One cell has closed its end for a reason, which lies with the other. That is told as of any end; both
 * hear when there may be another link. */
static void
broker_break(struct broker_link *link, struct master_cell *cell, struct master_cell *other, const char *reason)
{
	struct link_broker *broker = link->broker;

	event_log_add(supervisor_events(broker->supervisor), EVENT_LINK_BROKEN, &(struct event_facts){0},
		"of cell %s to cell %s: %s", master_cell_name(cell), master_cell_name(other), reason);
	broker_forget(link);
	broker_tell_peer(other, cell, false);
	broker_rest(broker, cell, other);
}

/* Its process would have ended by now. */
static void
broker_on_closed(evutil_socket_t fd, short what, void *arg)
{
	struct broker_link *link = arg;
	struct master_cell *cell = link->cells[link->closes], *other = link->cells[1 - link->closes];

	(void)fd;
	(void)what;
	if (master_cell_ready(cell) == NULL || master_cell_ready(other) == NULL)
		broker_forget(link);
	else
		broker_break(link, cell, other, "its end was closed, and it goes on");
}

/* The other end was closed: mostly since the process has ended, as we shall hear. */
static void
broker_closed(struct broker_link *link, const struct master_cell *cell)
{
	static const struct timeval span = {.tv_sec = 1};

	if (link->timer != NULL)
		return;
	link->closes = link->cells[0] == cell ? 0 : 1;
	link->timer = evtimer_new(link->broker->base, broker_on_closed, link);
	if (link->timer != NULL)
		(void)evtimer_add(link->timer, &span);
}

void
link_broker_broken(struct link_broker *broker, struct master_cell *cell, const char *to, int64_t epoch,
	const char *reason)
{
	struct master_cell *other = supervisor_find_cell(broker->supervisor, to);
	struct broker_link *link = other != NULL ? broker_find(broker, cell, other) : NULL;

	if (link == NULL || link->epoch != epoch)
		return;
	if (reason == NULL)
		broker_closed(link, cell);
	else
		broker_break(link, cell, other, reason);
}

/* --- life ------------------------------------------------------------------------------ */

struct link_broker *
link_broker_create(const struct supervisor *supervisor, struct event_base *base)
{
	struct link_broker *broker = xcalloc(1, sizeof(*broker));

	broker->supervisor = supervisor;
	broker->base = base;
	list_init(&broker->links);
	list_init(&broker->rests);
	return broker;
}

void
link_broker_destroy(struct link_broker *broker)
{
	if (broker == NULL)
		return;
	list_for_each_safe(pos, &broker->links)
		broker_forget(container_of(pos, struct broker_link, node));
	list_for_each_safe(pos, &broker->rests)
		broker_end_rest(container_of(pos, struct broker_rest, node));
	free(broker);
}
