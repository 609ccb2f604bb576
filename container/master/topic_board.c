/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/topic_board.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/map.h"
#include "base/topic_pattern.h"
#include "master/cell_process.h"
#include "master/master_cell.h"
#include "master/supervisor.h"
#include "protocol/cell_link.h"

/* What is known of a cell. */
struct board_cell {
	struct master_cell *cell;
	json_t *interest;  /* as the others are told, or NULL: it wants nothing */
	struct map *words; /* struct board_word by the name of the other: what it is told */
};

/* What one cell is told of another. */
struct board_word {
	struct board_cell *to;
	struct board_cell *of;
	bool under_way;
	bool again;        /* it wants something else since */
};

struct topic_board {
	const struct supervisor *supervisor;
	struct map *cells; /* struct board_cell by name */
};

static struct board_cell *
board_cell(struct topic_board *board, struct master_cell *cell)
{
	struct board_cell *known = map_get(board->cells, master_cell_name(cell));

	if (known != NULL)
		return known;
	known = xcalloc(1, sizeof(*known));
	known->cell = cell;
	known->words = map_create();
	map_put(board->cells, master_cell_name(cell), known);
	return known;
}

/* --- what cells are told --------------------------------------------------------------- */

static struct board_word *
board_word(struct board_cell *to, struct board_cell *of)
{
	struct board_word *word = map_get(to->words, master_cell_name(of->cell));

	if (word != NULL)
		return word;
	word = xcalloc(1, sizeof(*word));
	*word = (struct board_word){.to = to, .of = of};
	map_put(to->words, master_cell_name(of->cell), word);
	return word;
}

static void board_on_told(const struct cell_reply *reply, void *arg);

static void
board_say(struct board_word *word)
{
	const struct cell_interest nothing = {.cell = master_cell_name(word->of->cell)};
	struct cell_process *process = master_cell_hears(word->to->cell);

	word->again = false;
	if (process == NULL)
		return;
	word->under_way = true;
	cell_process_call(process, CELL_INTEREST, word->of->interest != NULL ? json_incref(word->of->interest) :
		cell_interest_to_json(&nothing), -1, 0, board_on_told, word);
}

/* One that has ended hears of all when it is there again. */
static void
board_on_told(const struct cell_reply *reply, void *arg)
{
	struct board_word *word = arg;

	word->under_way = false;
	if (reply->kind == CELL_REPLY_FAILED)
		log_warn(master_cell_subject(word->to->cell), "does not take what it is told of the topics of another cell: %s "
			"[cell-link]", reply->message);
	if (reply->kind == CELL_REPLY_DIED)
		word->again = false;
	else if (word->again)
		board_say(word);
}

static void
board_tell(struct board_cell *to, struct board_cell *of)
{
	struct board_word *word = board_word(to, of);

	if (word->under_way)
		word->again = true;
	else
		board_say(word);
}

static void
board_tell_others(struct topic_board *board, struct board_cell *of)
{
	for (size_t i = 0; i < supervisor_cell_count(board->supervisor); i++) {
		struct master_cell *cell = supervisor_cell(board->supervisor, i);

		if (cell != of->cell)
			board_tell(board_cell(board, cell), of);
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
	struct board_cell *of = board_cell(board, cell);
	const struct cell_interest interest = {master_cell_name(cell), topics->wait, topics->wait_count, topics->drop,
		topics->drop_count};

	if (!board_check(topics->wait, topics->wait_count, error) ||
	    !board_check(topics->drop, topics->drop_count, error))
		return false;
	json_decref(of->interest);
	of->interest = topics->wait_count + topics->drop_count > 0 ? cell_interest_to_json(&interest) : NULL;
	board_tell_others(board, of);
	return true;
}

void
topic_board_cell_ready(struct topic_board *board, struct master_cell *cell)
{
	struct board_cell *to = board_cell(board, cell);
	const struct map_entry *entry;

	map_for_each(entry, board->cells) {
		struct board_cell *of = entry->value;

		if (of != to && of->interest != NULL)
			board_tell(to, of);
	}
}

void
topic_board_cell_ended(struct topic_board *board, struct master_cell *cell)
{
	struct board_cell *of = board_cell(board, cell);

	if (of->interest == NULL)
		return;
	json_decref(of->interest);
	of->interest = NULL;
	board_tell_others(board, of);
}

/* --- life ------------------------------------------------------------------------------ */

struct topic_board *
topic_board_create(const struct supervisor *supervisor)
{
	struct topic_board *board = xcalloc(1, sizeof(*board));

	board->supervisor = supervisor;
	board->cells = map_create();
	return board;
}

static void
board_cell_destroy(struct board_cell *known)
{
	const struct map_entry *entry;

	map_for_each(entry, known->words)
		free(entry->value);
	map_destroy(known->words);
	json_decref(known->interest);
	free(known);
}

void
topic_board_destroy(struct topic_board *board)
{
	const struct map_entry *entry;

	if (board == NULL)
		return;
	map_for_each(entry, board->cells)
		board_cell_destroy(entry->value);
	map_destroy(board->cells);
	free(board);
}
