/* SPDX-License-Identifier: BSD-2-Clause */
/* With fake cells, which take whatever they get. What they do with it is tested by service/ and
 * system/. */
#include "config.h"

#include "master/topic_board.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "master/cell_process.h"
#include "protocol/cell_link.h"
#include "support/check_main.h"
#include "support/fake_master.h"

static void
open_two_cells(struct fake_master *master)
{
	fake_master_open_pair(master, "", "", "cell = risky", NULL);
	fake_master_start(master);
}

static bool
is_idle(const struct fake_master *master, size_t cell)
{
	return cell_process_is_idle(master_cell_process(supervisor_cell(master->supervisor, cell)));
}

/* Cell main says that it wants them; text is what is wrong with that. */
static void
set(const struct fake_master *master, struct cell_word *words, size_t count, const char *text)
{
	const struct cell_topics topics = {.drop = words, .drop_count = count};
	struct buffer error = {0};
	bool ok = topic_board_set(supervisor_topics(master->supervisor), supervisor_cell(master->supervisor, 0),
		&topics, &error);

	ck_assert(ok == (text == NULL));
	if (text != NULL)
		ck_assert_msg(strstr(buffer_text(&error), text) != NULL, "%s", buffer_text(&error));
	buffer_finish(&error);
}

START_TEST(what_a_cell_wants_is_told_to_the_others)
{
	struct cell_word words[] = {{"a.b"}, {"c.>"}};
	struct fake_master master;

	open_two_cells(&master);
	UNTIL(&master, is_idle(&master, 0) && is_idle(&master, 1));
	set(&master, words, 2, NULL);
	ck_assert(is_idle(&master, 0));
	ck_assert(!is_idle(&master, 1));
	/* One is under way; this comes after it. */
	set(&master, words, 1, NULL);
	UNTIL(&master, is_idle(&master, 1));
	set(&master, NULL, 0, NULL);
	ck_assert(!is_idle(&master, 1));
	UNTIL(&master, is_idle(&master, 1));
	fake_master_close(&master);
}
END_TEST

START_TEST(a_cell_that_comes_hears_of_all_and_one_that_ends_wants_nothing)
{
	struct cell_word words[] = {{"a.b"}};
	struct fake_master master;
	struct topic_board *board;

	open_two_cells(&master);
	board = supervisor_topics(master.supervisor);
	set(&master, words, 1, NULL);
	UNTIL(&master, is_idle(&master, 0) && is_idle(&master, 1));
	topic_board_cell_ready(board, supervisor_cell(master.supervisor, 1));
	ck_assert(!is_idle(&master, 1));
	UNTIL(&master, is_idle(&master, 1));
	topic_board_cell_ended(board, supervisor_cell(master.supervisor, 0));
	ck_assert(!is_idle(&master, 1));
	UNTIL(&master, is_idle(&master, 1));
	/* There is nothing to tell. */
	topic_board_cell_ended(board, supervisor_cell(master.supervisor, 0));
	topic_board_cell_ready(board, supervisor_cell(master.supervisor, 1));
	ck_assert(is_idle(&master, 1));
	fake_master_close(&master);
}
END_TEST

START_TEST(what_cannot_be_wanted_is_refused)
{
	static struct cell_word words[CELL_TOPICS_MAX + 1];
	static char longest[256];
	struct cell_word wrong[] = {{"a.b"}, {"a..b"}};
	struct fake_master master;

	open_two_cells(&master);
	UNTIL(&master, is_idle(&master, 0) && is_idle(&master, 1));
	set(&master, wrong, 2, "'a..b' is no pattern of topics");
	for (size_t i = 0; i <= CELL_TOPICS_MAX; i++)
		words[i].text = "a";
	set(&master, words, CELL_TOPICS_MAX + 1, "4097 patterns, 0 of them with wildcards, with 4097 bytes");
	for (size_t i = 0; i <= CELL_TOPICS_WILD_MAX; i++)
		words[i].text = "*";
	set(&master, words, CELL_TOPICS_WILD_MAX + 1, "129 patterns, 129 of them with wildcards");
	memset(longest, 'x', sizeof(longest) - 1);
	for (size_t i = 0; i < 1000; i++)
		words[i].text = longest;
	set(&master, words, 1000, "with 255000 bytes, are more than a cell may want");
	ck_assert(is_idle(&master, 1));
	/* As many as may be. */
	for (size_t i = 0; i < CELL_TOPICS_MAX; i++)
		words[i].text = i < CELL_TOPICS_WILD_MAX ? ">" : "a.b";
	set(&master, words, CELL_TOPICS_MAX, NULL);
	UNTIL(&master, is_idle(&master, 1));
	fake_master_close(&master);
}
END_TEST

CHECK_MAIN("master/topic_board",
	what_a_cell_wants_is_told_to_the_others,
	a_cell_that_comes_hears_of_all_and_one_that_ends_wants_nothing,
	what_cannot_be_wanted_is_refused)
