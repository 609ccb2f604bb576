/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/drop_in_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"

/* What is known of a file, also for a while after it is gone. */
struct drop_in_file {
	struct stat seen;     /* as of the last look that found it */
	int64_t since_ns;     /* it looks like that since; or it is gone since */
	int64_t written_ns;   /* it is being written since; 0: it is not */
	struct stat dealt;    /* with it as it was then; see has_dealt */
	bool has_dealt;
	bool told_held;
	bool gone;
	bool was_there;       /* at the present step */
	int64_t retry_ns;     /* 0: it is not tried once more */
};

struct drop_in_state {
	struct map *files; /* name -> struct drop_in_file */
};

/* What a step works with. */
struct drop_in_step {
	int64_t now_ns;
	int64_t next_ns; /* when to look again */
	drop_in_decide_fn *decide;
	void *arg;
};

bool
drop_in_is_candidate(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > strlen(".so") &&
		strcmp(name + length - strlen(".so"), ".so") == 0;
}

struct drop_in_state *
drop_in_state_create(void)
{
	struct drop_in_state *state = xcalloc(1, sizeof(*state));

	state->files = map_create();
	return state;
}

void
drop_in_state_destroy(struct drop_in_state *state)
{
	struct map_entry *entry;

	if (state == NULL)
		return;
	map_for_each(entry, state->files)
		free(entry->value);
	map_destroy(state->files);
	free(state);
}

/* --- what is known ---------------------------------------------------------------- */

/* Owner and mode count too: a file that was refused for them may have been mended. */
static bool
drop_in_looks_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
		a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
		a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
		a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static struct drop_in_file *
drop_in_state_file(struct drop_in_state *state, const struct drop_in_look *look, int64_t now_ns)
{
	struct drop_in_file *file = map_get(state->files, look->name);

	if (file == NULL) {
		file = xcalloc(1, sizeof(*file));
		file->seen = look->stat;
		file->since_ns = now_ns;
		map_put(state->files, look->name, file);
	}
	return file;
}

void
drop_in_state_know(struct drop_in_state *state, const struct drop_in_look *look)
{
	struct drop_in_file *file = drop_in_state_file(state, look, 0);

	file->seen = look->stat;
	file->dealt = look->stat;
	file->has_dealt = true;
}

bool
drop_in_state_is_new(const struct drop_in_state *state, const struct drop_in_look *look)
{
	const struct drop_in_file *file = map_get(state->files, look->name);

	return file == NULL || !file->has_dealt || !drop_in_looks_same(&file->dealt, &look->stat);
}

void
drop_in_state_retry(struct drop_in_state *state, const char *name, int64_t later_ns)
{
	struct drop_in_file *file = map_get(state->files, name);

	if (file != NULL)
		file->retry_ns = later_ns;
}

/* --- a step ----------------------------------------------------------------------- */

static void
drop_in_look_again(struct drop_in_step *step, int64_t when_ns)
{
	if (when_ns < step->next_ns)
		step->next_ns = when_ns;
}

/* Notes how it looks, and since when. */
static void
drop_in_file_see(struct drop_in_file *file, const struct drop_in_look *look, int64_t now_ns)
{
	file->was_there = true;
	if (file->gone || look->writing || !drop_in_looks_same(&file->seen, &look->stat)) {
		file->seen = look->stat;
		file->since_ns = now_ns;
		file->gone = false;
	}
	if (!look->writing) {
		file->written_ns = 0;
		file->told_held = false;
	} else if (file->written_ns == 0) {
		file->written_ns = now_ns;
	}
}

static bool
drop_in_file_is_dealt_with(const struct drop_in_file *file)
{
	return file->retry_ns == 0 && file->has_dealt && drop_in_looks_same(&file->seen, &file->dealt);
}

static void
drop_in_step_writing(struct drop_in_step *step, struct drop_in_file *file, const char *name)
{
	drop_in_look_again(step, step->now_ns + DROP_IN_SETTLE_NS);
	if (file->told_held || step->now_ns - file->written_ns < DROP_IN_HELD_NS)
		return;
	file->told_held = true;
	step->decide(DROP_IN_HELD, name, step->arg);
}

static void
drop_in_step_present(struct drop_in_step *step, struct drop_in_file *file,
	const struct drop_in_look *look)
{
	enum drop_in_verdict verdict = DROP_IN_CHANGED;
	int64_t ready_ns;

	drop_in_file_see(file, look, step->now_ns);
	if (look->writing) {
		drop_in_step_writing(step, file, look->name);
		return;
	}
	if (drop_in_file_is_dealt_with(file))
		return;
	ready_ns = file->since_ns + DROP_IN_SETTLE_NS;
	if (file->has_dealt && drop_in_looks_same(&file->seen, &file->dealt)) {
		verdict = DROP_IN_AGAIN;
		if (file->retry_ns > ready_ns)
			ready_ns = file->retry_ns;
	}
	if (step->now_ns < ready_ns) {
		drop_in_look_again(step, ready_ns);
		return;
	}
	file->dealt = file->seen;
	file->has_dealt = true;
	file->retry_ns = 0;
	step->decide(verdict, look->name, step->arg);
}

/* True: it can be forgotten. */
static bool
drop_in_step_absent(struct drop_in_step *step, struct drop_in_file *file, const char *name)
{
	if (!file->gone) {
		file->gone = true;
		file->since_ns = step->now_ns;
	}
	if (step->now_ns - file->since_ns < DROP_IN_GONE_NS) {
		drop_in_look_again(step, file->since_ns + DROP_IN_GONE_NS);
		return false;
	}
	if (file->has_dealt)
		step->decide(DROP_IN_GONE, name, step->arg);
	return true;
}

int64_t
drop_in_state_step(struct drop_in_state *state, const struct drop_in_look *looks, size_t count,
	int64_t now_ns, drop_in_decide_fn *decide, void *arg)
{
	struct drop_in_step step = {.now_ns = now_ns, .next_ns = INT64_MAX, .decide = decide,
		.arg = arg};
	struct map_entry *entry, *next;

	map_for_each(entry, state->files)
		((struct drop_in_file *)entry->value)->was_there = false;
	for (size_t i = 0; i < count; i++)
		drop_in_step_present(&step, drop_in_state_file(state, &looks[i], now_ns), &looks[i]);
	for (entry = map_first(state->files); entry != NULL; entry = next) {
		struct drop_in_file *file = entry->value;

		next = map_next(entry);
		if (!file->was_there && drop_in_step_absent(&step, file, entry->key)) {
			map_remove(state->files, entry->key);
			free(file);
		}
	}
	return step.next_ns;
}
