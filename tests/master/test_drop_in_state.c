/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sequences of what a directory looks like, and what is to be done at each of them. A file is
 * written NAME:VERSION; with w behind it, somebody is writing to it, with c its mode has changed.
 */
#include "config.h"

#include "master/drop_in_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

#define MS(n) ((n) * INT64_C(1000000))

enum { SETTLE = DROP_IN_SETTLE_NS / 1000000, GONE = DROP_IN_GONE_NS / 1000000,
	HELD = DROP_IN_HELD_NS / 1000000, STEPS = 8 };

static char verdicts[512];

static void
note(enum drop_in_verdict verdict, const char *name, void *arg)
{
	static const char *const words[] = {[DROP_IN_CHANGED] = "changed", [DROP_IN_AGAIN] = "again",
		[DROP_IN_GONE] = "gone", [DROP_IN_HELD] = "held"};

	(void)arg;
	if (verdicts[0] != '\0')
		strcat(verdicts, ", ");
	strcat(verdicts, words[verdict]);
	strcat(verdicts, " ");
	strcat(verdicts, name);
}

/* Reads "a.so:1 b.so:2w". */
static size_t
read_looks(char *text, struct drop_in_look *looks)
{
	size_t count = 0;

	for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
		char *colon = strchr(word, ':');
		char *rest;

		*colon = '\0';
		looks[count] = (struct drop_in_look){.name = word};
		looks[count].stat.st_size = strtol(colon + 1, &rest, 10);
		looks[count].writing = strchr(rest, 'w') != NULL;
		looks[count].stat.st_ctim.tv_nsec = strchr(rest, 'c') != NULL;
		count++;
	}
	return count;
}

static const char *
step(struct drop_in_state *state, int ms, const char *files, int *next_ms_r)
{
	struct drop_in_look looks[8];
	char text[256];
	int64_t next_ns;

	snprintf(text, sizeof(text), "%s", files);
	verdicts[0] = '\0';
	next_ns = drop_in_state_step(state, looks, read_looks(text, looks), MS(ms), note, NULL);
	*next_ms_r = next_ns == INT64_MAX ? -1 : (int)(next_ns / MS(1));
	return verdicts;
}

static const struct sequence {
	const char *is;
	const char *known; /* before the first look */
	struct {
		int ms;
		const char *files;    /* NULL: the end */
		const char *verdicts;
		int next_ms;          /* -1: only when something changes */
	} steps[STEPS];
} sequences[] = {
	{"what is known is let be", "a.so:1",
		{{1000, "a.so:1", "", -1}, {9000, "a.so:1", "", -1}}},
	{"a new file is taken once, when it has settled", "",
		{{1000, "a.so:1", "", 1000 + SETTLE}, {1000 + SETTLE - 1, "a.so:1", "", 1000 + SETTLE},
		{1000 + SETTLE, "a.so:1", "changed a.so", -1}, {9000, "a.so:1", "", -1}}},
	{"a file that grows is waited for", "",
		{{1000, "a.so:1", "", 1000 + SETTLE}, {1100, "a.so:2", "", 1100 + SETTLE},
		{1200, "a.so:3", "", 1200 + SETTLE}, {1200 + SETTLE, "a.so:3", "changed a.so", -1}}},
	{"a file that is being written is waited for, however long it looks the same", "",
		{{1000, "a.so:1w", "", 1000 + SETTLE}, {2000, "a.so:1w", "", 2000 + SETTLE},
		{5000, "a.so:1w", "", 5000 + SETTLE}, {5010, "a.so:1", "", 5000 + SETTLE},
		{5000 + SETTLE, "a.so:1", "changed a.so", -1}}},
	{"one that is held open is told once", "",
		{{1000, "a.so:1w", "", 1000 + SETTLE},
		{1000 + HELD, "a.so:1w", "held a.so", 1000 + HELD + SETTLE},
		{2000 + HELD, "a.so:2w", "", 2000 + HELD + SETTLE},
		{3000 + HELD, "a.so:2", "changed a.so", -1},
		{4000 + HELD, "a.so:2w", "", 4000 + HELD + SETTLE},
		{4000 + 2 * HELD, "a.so:2w", "held a.so", 4000 + 2 * HELD + SETTLE}}},
	{"a known file that is opened for writing and left as it was is let be", "a.so:1",
		{{1000, "a.so:1w", "", 1000 + SETTLE}, {2000, "a.so:1", "", -1}}},
	{"a replaced file is one change", "a.so:1",
		{{1000, "a.so:2", "", 1000 + SETTLE}, {1000 + SETTLE, "a.so:2", "changed a.so", -1},
		{5000, "a.so:2", "", -1}}},
	{"a file that is removed and put there again at once is one change", "a.so:1",
		{{1000, "", "", 1000 + GONE}, {1100, "a.so:2", "", 1100 + SETTLE},
		{1100 + SETTLE, "a.so:2", "changed a.so", -1}, {9000, "a.so:2", "", -1}}},
	{"a changed mode is a change", "a.so:1",
		{{1000, "a.so:1c", "", 1000 + SETTLE}, {1000 + SETTLE, "a.so:1c", "changed a.so", -1}}},
	{"a file that is removed is gone after a while, once", "a.so:1",
		{{1000, "", "", 1000 + GONE}, {1000 + GONE - 1, "", "", 1000 + GONE},
		{1000 + GONE, "", "gone a.so", -1}, {9000, "", "", -1}}},
	{"a file that comes back is a change, even as it was", "a.so:1",
		{{1000, "", "", 1000 + GONE}, {1000 + GONE, "", "gone a.so", -1},
		{5000, "a.so:1", "", 5000 + SETTLE}, {5000 + SETTLE, "a.so:1", "changed a.so", -1}}},
	{"a file that never settled leaves without a word", "",
		{{1000, "a.so:1", "", 1000 + SETTLE}, {1010, "", "", 1010 + GONE},
		{1010 + GONE, "", "", -1}}},
	{"each file has its own time", "a.so:1",
		{{1000, "a.so:1 b.so:1", "", 1000 + SETTLE}, {1100, "a.so:2 b.so:1", "", 1000 + SETTLE},
		{1000 + SETTLE, "a.so:2 b.so:1", "changed b.so", 1100 + SETTLE},
		{1100 + SETTLE, "a.so:2 b.so:1", "changed a.so", -1}}},
	{"several at once are told in their order", "",
		{{1000, "b.so:1 a.so:1", "", 1000 + SETTLE},
		{2000, "b.so:1 a.so:1", "changed b.so, changed a.so", -1}}},
	{"a rename is one that goes and one that comes", "a.so:1",
		{{1000, "b.so:1", "", 1000 + SETTLE}, {1000 + SETTLE, "b.so:1", "changed b.so", 1000 + GONE},
		{1000 + GONE, "b.so:1", "gone a.so", -1}}},
};

static void
follow(const struct sequence *sequence)
{
	struct drop_in_state *state = drop_in_state_create();
	struct drop_in_look looks[8];
	char known[64];
	size_t count;

	snprintf(known, sizeof(known), "%s", sequence->known);
	count = read_looks(known, looks);
	for (size_t i = 0; i < count; i++)
		drop_in_state_know(state, &looks[i]);
	for (size_t i = 0; i < STEPS && sequence->steps[i].files != NULL; i++) {
		int ms = sequence->steps[i].ms;
		int next_ms;
		const char *got = step(state, ms, sequence->steps[i].files, &next_ms);

		ck_assert_msg(strcmp(got, sequence->steps[i].verdicts) == 0, "%s: at %d: \"%s\"",
			sequence->is, ms, got);
		ck_assert_msg(next_ms == sequence->steps[i].next_ms, "%s: at %d: next at %d",
			sequence->is, ms, next_ms);
	}
	drop_in_state_destroy(state);
}

START_TEST(files_are_taken_when_they_are_whole_and_once)
{
	for (size_t i = 0; i < sizeof(sequences) / sizeof(*sequences); i++)
		follow(&sequences[i]);
}
END_TEST

START_TEST(what_could_not_be_dealt_with_is_tried_once_more_later)
{
	struct drop_in_state *state = drop_in_state_create();
	int next_ms;

	step(state, 1000, "a.so:1", &next_ms);
	ck_assert_str_eq(step(state, 2000, "a.so:1", &next_ms), "changed a.so");
	drop_in_state_retry(state, "a.so", MS(7000));
	drop_in_state_retry(state, "unknown.so", MS(7000));
	ck_assert_str_eq(step(state, 3000, "a.so:1", &next_ms), "");
	ck_assert_int_eq(next_ms, 7000);
	ck_assert_str_eq(step(state, 7000, "a.so:1", &next_ms), "again a.so");
	ck_assert_int_eq(next_ms, -1);
	ck_assert_str_eq(step(state, 9000, "a.so:1", &next_ms), "");
	/* A change does not wait that long. */
	drop_in_state_retry(state, "a.so", MS(99000));
	step(state, 10000, "a.so:2", &next_ms);
	ck_assert_str_eq(step(state, 11000, "a.so:2", &next_ms), "changed a.so");
	ck_assert_str_eq(step(state, 99999, "a.so:2", &next_ms), "");
	drop_in_state_destroy(state);
}
END_TEST

START_TEST(only_shared_objects_that_are_not_hidden_are_candidates)
{
	static const char *const taken[] = {"a.so", "lib.x.so", "a-b_1.so"};
	static const char *const left[] = {".so", ".a.so", ".a.so.Xq3Z9k", "a.so~", "a.so.tmp", "a.so.1",
		"a", "", "so", "a.o", "aso", "a.SO", "a.so.part"};

	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		ck_assert_msg(drop_in_is_candidate(taken[i]), "%s", taken[i]);
	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++)
		ck_assert_msg(!drop_in_is_candidate(left[i]), "%s", left[i]);
}
END_TEST

CHECK_MAIN("master/drop_in_state",
	files_are_taken_when_they_are_whole_and_once,
	what_could_not_be_dealt_with_is_tried_once_more_later,
	only_shared_objects_that_are_not_hidden_are_candidates)
