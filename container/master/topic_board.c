/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/topic_board.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/list.h"
#include "base/log.h"
#include "base/topic_pattern.h"
#include "master/cell_process.h"
#include "master/master_cell.h"
#include "master/supervisor.h"
#include "protocol/cell_link.h"

/* What a cell wants now. */
struct board_wish {
	struct list node;
	struct master_cell *cell;
	json_t *interest;  /* as the others are told */
};

/* What one cell is told of another. */
struct board_word {
	struct list node;
	struct topic_board *board;
	struct master_cell *to;
	struct master_cell *of;
	bool under_way;
	bool again;        /* it wants something else since */
};

struct topic_board {
	const struct supervisor *supervisor;
	struct list wishes;
	struct list words;
};

static struct board_wish *
board_find_wish(const struct topic_board *board, const struct master_cell *cell)
{
	list_for_each(pos, &board->wishes) {
		struct board_wish *wish = container_of(pos, struct board_wish, node);

		if (wish->cell == cell)
			return wish;
	}
	return NULL;
}

static void
board_forget(struct board_wish *wish)
{
	list_remove(&wish->node);
	json_decref(wish->interest);
	free(wish);
}

/* --- what cells are told --------------------------------------------------------------- */

static struct board_word *
board_word(struct topic_board *board, struct master_cell *to, struct master_cell *of)
{
	struct board_word *word;

	list_for_each(pos, &board->words) {
		word = container_of(pos, struct board_word, node);
		if (word->to == to && word->of == of)
			return word;
	}
	word = xcalloc(1, sizeof(*word));
	*word = (struct board_word){.board = board, .to = to, .of = of};
	list_push_back(&board->words, &word->node);
	return word;
}

static void board_on_told(const struct cell_reply *reply, void *arg);

static void
board_say(struct board_word *word)
{
	const struct board_wish *wish = board_find_wish(word->board, word->of);
	const struct cell_interest nothing = {.cell = master_cell_name(word->of)};
	struct cell_process *process = master_cell_hears(word->to);

	word->again = false;
	if (process == NULL)
		return;
	word->under_way = true;
	cell_process_call(process, CELL_INTEREST, wish != NULL ? json_incref(wish->interest) :
		cell_interest_to_json(&nothing), -1, 0, board_on_told, word);
}

/* One that has ended hears of all when it is there again. */
static void
board_on_told(const struct cell_reply *reply, void *arg)
{
	struct board_word *word = arg;

	word->under_way = false;
	if (reply->kind == CELL_REPLY_FAILED)
		log_warn(master_cell_subject(word->to), "does not take what it is told of the topics of another cell: %s "
			"[cell-link]", reply->message);
	if (reply->kind == CELL_REPLY_DIED)
		word->again = false;
	else if (word->again)
		board_say(word);
}

static void
board_tell(struct topic_board *board, struct master_cell *to, struct master_cell *of)
{
	struct board_word *word = board_word(board, to, of);

	if (word->under_way)
		word->again = true;
	else
		board_say(word);
}

static void
board_tell_others(struct topic_board *board, struct master_cell *of)
{
	for (size_t i = 0; i < supervisor_cell_count(board->supervisor); i++) {
		if (supervisor_cell(board->supervisor, i) != of)
			board_tell(board, supervisor_cell(board->supervisor, i), of);
	}
}

/* --- what they want --------------------------------------------------------------------- */

static bool
board_check(const struct cell_word *words, size_t count, struct buffer *error)
{
	size_t bytes = 0, wild = 0;

	for (size_t i = 0; i < count; i++) {
		if (!topic_pattern_is_valid(words[i].text)) {
			buffer_fail(error, "'%.64s' is no pattern of topics", words[i].text);
			return false;
		}
		bytes += strlen(words[i].text);
		wild += topic_pattern_is_wild(words[i].text);
	}
	if (count <= CELL_TOPICS_MAX && bytes <= CELL_TOPICS_BYTES && wild <= CELL_TOPICS_WILD_MAX)
		return true;
	buffer_fail(error, "%zu patterns, %zu of them with wildcards, with %zu bytes, are more than a cell may want",
		count, wild, bytes);
	return false;
}

bool
topic_board_set(struct topic_board *board, struct master_cell *cell, const struct cell_topics *topics,
	struct buffer *error)
{
	struct board_wish *wish = board_find_wish(board, cell);
	const struct cell_interest interest = {master_cell_name(cell), topics->wait, topics->wait_count, topics->drop,
		topics->drop_count};

	if (!board_check(topics->wait, topics->wait_count, error) ||
	    !board_check(topics->drop, topics->drop_count, error))
		return false;
	if (wish != NULL)
		board_forget(wish);
	if (topics->wait_count + topics->drop_count > 0) {
		wish = xcalloc(1, sizeof(*wish));
		wish->cell = cell;
		wish->interest = cell_interest_to_json(&interest);
		list_push_back(&board->wishes, &wish->node);
	}
	board_tell_others(board, cell);
	return true;
}

void
topic_board_cell_ready(struct topic_board *board, struct master_cell *cell)
{
	list_for_each(pos, &board->wishes) {
		struct board_wish *wish = container_of(pos, struct board_wish, node);

		if (wish->cell != cell)
			board_tell(board, cell, wish->cell);
	}
}

void
topic_board_cell_ended(struct topic_board *board, struct master_cell *cell)
{
	struct board_wish *wish = board_find_wish(board, cell);

	if (wish == NULL)
		return;
	board_forget(wish);
	board_tell_others(board, cell);
}

/* --- life ------------------------------------------------------------------------------ */

struct topic_board *
topic_board_create(const struct supervisor *supervisor)
{
	struct topic_board *board = xcalloc(1, sizeof(*board));

	board->supervisor = supervisor;
	list_init(&board->wishes);
	list_init(&board->words);
	return board;
}

void
topic_board_destroy(struct topic_board *board)
{
	if (board == NULL)
		return;
	list_for_each_safe(pos, &board->wishes)
		board_forget(container_of(pos, struct board_wish, node));
	list_for_each_safe(pos, &board->words)
		free(container_of(pos, struct board_word, node));
	free(board);
}
