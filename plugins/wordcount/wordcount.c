/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * State that lives from request to request: counts the words of all texts that it is sent,
 * and tells the most frequent ones. A request that begins with '/' is a command, as in a
 * chat; anything else is text to count. What only operators may do is a verb of the plugin.
 *
 *	[service wordcount]
 *	shortest = 5
 *
 *	$ bayctl call wordcount - < raven.txt
 *	$ bayctl call wordcount '/top 3'
 *	$ bayctl do wordcount forget raven
 *
 * The state belongs to one instance, so leave instances at one, the default: with more,
 * each would have counts of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bay/bay.h>

enum {
	WORD_SIZE = 32,        /* with the NUL; longer words are left out */
	TOP_MAX = 100,
	WORDS_PER_TURN = 4096  /* then other tasks of the loop have theirs */
};

struct settings {
	int64_t max_words;
	int64_t shortest;
};

/* Memory is bounded by max_words, whatever we are sent. */
static const struct bay_setting settings[] = {
	BAY_INT64(struct settings, max_words, "max_words", "10000", 1, 1000000,
		"how many different words are remembered at most"),
	BAY_INT64(struct settings, shortest, "shortest", "1", 1, WORD_SIZE - 1,
		"words of fewer bytes are not counted"),
	BAY_END
};

struct word {
	char text[WORD_SIZE];
	uint64_t count;        /* 0: a free slot */
};

/* A hash table with open addressing that is never more than half full. */
struct wordcount {
	struct word *slots;
	size_t slot_count;     /* a power of two */
	size_t different;      /* slots in use */
	uint64_t counted;
	uint64_t left_out;     /* too long, or new when the table was full */
};

/* --- the instance ------------------------------------------------------------------- */

/* Memory from bay_alloc() is zeroed, and is shown under the service in bayctl stats. */
static int
wordcount_init(struct bay_instance *instance)
{
	const struct settings *set = bay_instance_settings(instance);
	struct wordcount *state = bay_alloc(sizeof *state);

	if (state == NULL)
		return bay_instance_fail(instance, BAY_NO_MEMORY, "no memory for the state");
	for (state->slot_count = 2; state->slot_count < 2 * (size_t)set->max_words;)
		state->slot_count *= 2;
	state->slots = bay_alloc(state->slot_count * sizeof state->slots[0]);
	if (state->slots == NULL) {
		bay_free(state);
		return bay_instance_fail(instance, BAY_NO_MEMORY, "no memory for %" PRId64 " words",
			set->max_words);
	}
	bay_instance_set_state(instance, state);
	return BAY_OK;
}

static void
wordcount_fini(struct bay_instance *instance)
{
	struct wordcount *state = bay_instance_state(instance);

	bay_free(state->slots);
	bay_free(state);
}

/* --- counting ----------------------------------------------------------------------- */

/* Letters, digits, all bytes of other alphabets (UTF-8), and an apostrophe inside. */
static bool
is_word_byte(unsigned char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
		(byte >= '0' && byte <= '9') || byte >= 0x80;
}

/* Moves *from to the next word; its length, 0 at the end. */
static size_t
next_word(const char **from, const char *end)
{
	const char *p = *from;

	while (p < end && !is_word_byte((unsigned char)*p))
		p++;
	*from = p;
	while (p < end && (is_word_byte((unsigned char)*p) ||
			(*p == '\'' && p + 1 < end && is_word_byte((unsigned char)p[1]))))
		p++;
	return (size_t)(p - *from);
}

/* Copies in lower case, A to Z only: other alphabets stay as they are. */
static void
fold_case(char *to, const char *from, size_t length)
{
	for (size_t i = 0; i < length; i++)
		to[i] = from[i] >= 'A' && from[i] <= 'Z' ? (char)(from[i] - 'A' + 'a') : from[i];
	to[length] = '\0';
}

/* The slot of the word, or the free one where it would go. */
static struct word *
find_slot(const struct wordcount *state, const char *text)
{
	uint32_t hash = 2166136261u;   /* FNV-1a */
	size_t i;

	for (const char *p = text; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	for (i = hash; state->slots[i & (state->slot_count - 1)].count != 0; i++)
		if (strcmp(state->slots[i & (state->slot_count - 1)].text, text) == 0)
			break;
	return &state->slots[i & (state->slot_count - 1)];
}

static void
count_word(struct wordcount *state, const struct settings *set, const char *from, size_t length)
{
	char text[WORD_SIZE];
	struct word *slot;

	if (length < (size_t)set->shortest)
		return;
	if (length >= WORD_SIZE) {
		state->left_out++;
		return;
	}
	fold_case(text, from, length);
	slot = find_slot(state, text);
	if (slot->count == 0) {
		if (state->different == (size_t)set->max_words) {
			state->left_out++;
			return;
		}
		memcpy(slot->text, text, length + 1);
		state->different++;
	}
	slot->count++;
	state->counted++;
}

/*
 * Nothing else runs on the loop until we await, so a long text would hold up every other
 * task of it: bay_yield() gives them a turn now and then. The state is always whole there,
 * because other texts may be counted meanwhile.
 */
static int
wordcount_add(struct bay_request *request, struct wordcount *state)
{
	const struct settings *set = bay_settings(request);
	const char *from = bay_request_text(request);
	const char *end = from + bay_request_size(request);
	size_t length;
	unsigned words = 0;
	int status;

	while ((length = next_word(&from, end)) > 0) {
		count_word(state, set, from, length);
		from += length;
		status = ++words % WORDS_PER_TURN == 0 ? bay_yield() : BAY_OK;
		if (status != BAY_OK)
			return bay_fail(request, status, "only the first %u words were counted", words);
	}
	return bay_reply_printf(request, "%" PRIu64 " words, %zu different, %" PRIu64 " left out\n",
		state->counted, state->different, state->left_out);
}

/* --- telling ------------------------------------------------------------------------ */

/* Whether a comes before b: by count, then by the alphabet. */
static bool
is_before(const struct word *a, const struct word *b)
{
	return a->count != b->count ? a->count > b->count : strcmp(a->text, b->text) < 0;
}

/* Fills top, best first, and says how many there are: sorts each word into its place. */
static size_t
select_top(const struct wordcount *state, const struct word **top, size_t wanted)
{
	size_t count = 0, at;

	for (size_t i = 0; i < state->slot_count; i++) {
		const struct word *word = &state->slots[i];

		if (word->count == 0 || (count == wanted && !is_before(word, top[count - 1])))
			continue;
		for (at = count < wanted ? count++ : count - 1; at > 0 && is_before(word, top[at - 1]); at--)
			top[at] = top[at - 1];
		top[at] = word;
	}
	return count;
}

static int
wordcount_top(struct bay_request *request, const struct wordcount *state, size_t wanted)
{
	const struct word *top[TOP_MAX];
	char text[TOP_MAX * (WORD_SIZE + 24)];
	size_t count = select_top(state, top, wanted), length = 0;

	for (size_t i = 0; i < count; i++)
		length += (size_t)snprintf(text + length, sizeof text - length, "%6" PRIu64 "  %s\n",
			top[i]->count, top[i]->text);
	return bay_reply(request, text, length);
}

/* --- the request -------------------------------------------------------------------- */

static bool
is_blank(const char *text)
{
	return text[strspn(text, " \n")] == '\0';
}

/* Reads what follows "/top": nothing, or a number. */
static bool
read_wanted(const char *text, size_t *wanted_r)
{
	char *end;
	long wanted = strtol(text, &end, 10);

	if (end == text)
		wanted = 10;
	*wanted_r = (size_t)wanted;
	return is_blank(end) && wanted >= 1 && wanted <= TOP_MAX;
}

static int
wordcount(struct bay_request *request)
{
	struct wordcount *state = bay_state(request);
	const char *text = bay_request_text(request);
	size_t wanted;

	if (text[0] != '/')
		return wordcount_add(request, state);
	if (strncmp(text, "/top", 4) == 0 && read_wanted(text + 4, &wanted))
		return wordcount_top(request, state, wanted);
	return bay_fail(request, BAY_INVALID,
		"wordcount knows /top N (1 to %d), or text to count", TOP_MAX);
}

/* --- the verbs ---------------------------------------------------------------------- */

struct forget {
	const char *word;
};

static const struct bay_setting forget_arguments[] = {
	BAY_STRING(struct forget, word, "word", "", "the only word to forget"),
	BAY_END
};

static void
forget_all(struct wordcount *state)
{
	memset(state->slots, 0, state->slot_count * sizeof state->slots[0]);
	state->different = 0;
	state->counted = state->left_out = 0;
}

/* In a table with open addressing a hole would hide the words behind it: all find new places. */
static void
forget_word(struct wordcount *state, struct word *slot)
{
	size_t i = (size_t)(slot - state->slots);

	state->counted -= slot->count;
	state->different--;
	slot->count = 0;
	while (state->slots[i = (i + 1) & (state->slot_count - 1)].count != 0) {
		struct word moved = state->slots[i];

		state->slots[i].count = 0;
		*find_slot(state, moved.text) = moved;
	}
}

/* The arguments have been checked, and fill our struct as the settings do theirs. */
static int
wordcount_forget(struct bay_request *request)
{
	const struct forget *with = bay_arguments(request);
	struct wordcount *state = bay_state(request);
	size_t before = state->different;
	struct word *slot;

	if (*with->word == '\0') {
		forget_all(state);
		return bay_reply_printf(request, "all forgotten, %zu different words\n", before);
	}
	slot = strlen(with->word) < WORD_SIZE ? find_slot(state, with->word) : NULL;
	if (slot == NULL || slot->count == 0)
		return bay_fail(request, BAY_NOT_FOUND, "'%s' has not been counted", with->word);
	forget_word(state, slot);
	return bay_reply_printf(request, "'%s' forgotten\n", with->word);
}

static const struct bay_verb verbs[] = {
	BAY_VERB("forget", BAY_ROLE_OPERATOR, forget_arguments, wordcount_forget,
		"forgets a word, or all of them"),
	BAY_VERBS_END
};

BAY_PLUGIN(wordcount, "1.0.0",
	.summary = "counts the words of all texts that it is sent",
	.settings = settings,
	.init = wordcount_init,
	.handle = wordcount,
	.fini = wordcount_fini,
	.verbs = verbs);
