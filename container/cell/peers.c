/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/peers.h"

#include <stdio.h>
#include <stdlib.h>

#include <bay/status.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/text.h"
#include "cell/control.h"
#include "cell/executor.h"
#include "loop/loop.h"
#include "protocol/cell_link.h"
#include "protocol/varlink_stream.h"
#include "runtime/scheduler.h"
#include "service/message.h"
#include "service/peer.h"
#include "service/service.h"

/* Something that a link says, on its way to the control thread. */
struct cell_peers_word {
	struct inbox_item item;
	char cell[SERVICE_NAME_SIZE];
	uint64_t epoch;       /* of a broken link */
	const char *why;      /* a literal */
};

/* One a process. */
static struct {
	struct control *control;  /* NULL: it ends */
	struct loop *loop;
	struct scheduler **schedulers;
} here;

static struct cell_peers_word *
cell_peers_word(const char *cell, inbox_fn *run)
{
	struct cell_peers_word *word = xcalloc(1, sizeof *word);

	snprintf(word->cell, sizeof word->cell, "%s", cell);
	word->item.run = run;
	return word;
}

/* --- links are wanted ---------------------------------------------------------------------- */

static void
cell_peers_on_reply(const struct control_reply *reply, void *arg)
{
	struct cell_peers_word *word = arg;
	int status = reply->status == BAY_BUSY ? BAY_OK : reply->status;

	if (here.control != NULL)
		peer_answered(word->cell, status, reply->message);
	free(word);
}

static void
cell_peers_on_wanted(struct inbox_item *item)
{
	struct cell_peers_word *word = container_of(item, struct cell_peers_word, item);
	struct cell_connect connect = {.cell = word->cell};

	if (here.control == NULL)
		free(word);
	else
		control_call(here.control, CELL_CONNECT, cell_connect_to_json(&connect), cell_peers_on_reply, word);
}

static void
cell_peers_connect(const char *cell, void *arg)
{
	(void)arg;
	loop_post(here.loop, &cell_peers_word(cell, cell_peers_on_wanted)->item);
}

/* --- links are broken ------------------------------------------------------------------------ */

/* The master says when there may be another. */
static void
cell_peers_on_broken(struct inbox_item *item)
{
	struct cell_peers_word *word = container_of(item, struct cell_peers_word, item);
	struct cell_broken broken = {.cell = word->cell, .epoch = (int64_t)word->epoch, .reason = word->why};

	if (here.control != NULL)
		control_notify(here.control, CELL_BROKEN, cell_broken_to_json(&broken));
	free(word);
}

static void
cell_peers_broken(const char *cell, uint64_t epoch, const char *why, void *arg)
{
	struct cell_peers_word *word = cell_peers_word(cell, cell_peers_on_broken);

	(void)arg;
	word->epoch = epoch;
	word->why = why;
	loop_post(here.loop, &word->item);
}

/* --- dead letters ---------------------------------------------------------------------------- */

struct cell_peers_letter {
	struct inbox_item item;
	char service[SERVICE_NAME_SIZE];
	unsigned crashes;
	struct bay_message *message; /* NULL: it is empty */
};

static void
cell_peers_on_letter(struct inbox_item *item)
{
	struct cell_peers_letter *letter = container_of(item, struct cell_peers_letter, item);
	size_t size = bay_message_size(letter->message);
	struct buffer body = {0};
	struct cell_dead_letter told = {.service = letter->service, .crashes = letter->crashes,
		.size = (int64_t)size};

	if (size <= CELL_DEAD_LETTER_MAX && text_base64_encode(&body, bay_message_data(letter->message), size))
		told.body = size > 0 ? buffer_text(&body) : "";
	if (here.control != NULL)
		control_notify(here.control, CELL_DEAD_LETTER, cell_dead_letter_to_json(&told));
	buffer_finish(&body);
	message_unref(letter->message);
	free(letter);
}

static void
cell_peers_dead_letter(const char *service, const struct bay_message *message, unsigned crashes, void *arg)
{
	struct cell_peers_letter *letter = xcalloc(1, sizeof *letter);

	(void)arg;
	snprintf(letter->service, sizeof letter->service, "%s", service);
	letter->crashes = crashes;
	letter->message = message_ref(message);
	letter->item.run = cell_peers_on_letter;
	loop_post(here.loop, &letter->item);
}

/* --- what the master says -------------------------------------------------------------------- */

void
cell_peers_link(const struct cell_linked *linked, struct varlink_fds *fds)
{
	const char *why = "it has come without its descriptors";

	if (fds->count == 2 && fds->fd[0] >= 0 && fds->fd[1] >= 0) {
		int memory_fd = fds->fd[0], socket_fd = fds->fd[1];

		fds->fd[0] = fds->fd[1] = -1;
		if (peer_attach(linked->cell, (uint64_t)linked->epoch, (unsigned)linked->side, memory_fd, socket_fd, &why))
			return;
	}
	log_error("cell", "the link to cell %s is of no use: %s", linked->cell, why);
	cell_peers_broken(linked->cell, (uint64_t)linked->epoch, why, NULL);
}

void
cell_peers_tell(const struct cell_peer *peer)
{
	if (peer->ready)
		peer_ready(peer->cell);
	else
		peer_ended(peer->cell);
}

/* --- life ------------------------------------------------------------------------------------ */

void
cell_peers_begin(struct control *control, struct loop *loop, struct executor *executor)
{
	static const struct peer_source source = {.connect = cell_peers_connect, .broken = cell_peers_broken,
		.dead_letter = cell_peers_dead_letter};
	unsigned i, count = executor_count(executor);

	here.control = control;
	here.loop = loop;
	here.schedulers = xcalloc(count, sizeof *here.schedulers);
	for (i = 0; i < count; i++)
		here.schedulers[i] = executor_scheduler(executor, i);
	peers_begin(here.schedulers, count, &source);
}

void
cell_peers_stop(void)
{
	if (here.control == NULL)
		return;
	peers_stop();
}

void
cell_peers_finish(void)
{
	if (here.control == NULL)
		return;
	here.control = NULL;
	peers_finish();
	free(here.schedulers);
	here.schedulers = NULL;
}
