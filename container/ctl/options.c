/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "ctl/verbs.h"

enum { OPTIONS_LINES = 20 };

#define OPTIONS_INTERVAL_NS INT64_C(1000000000)
#define OPTIONS_INTERVAL_MIN_NS INT64_C(100000000)

/* What is left to be read. */
struct options_words {
	char **at;
	char **end;
};

static bool
options_fail(struct ctl_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool
options_fail(struct ctl_error *error, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	ctl_error_set(error, INTERFACE_EXIT_USAGE, CTL_CODE_USAGE, "%s", text);
	return false;
}

/* --- values ------------------------------------------------------------------ */

static bool
options_number(enum option_id id, const char *value, int64_t min, int64_t max, int64_t *number_r,
	struct ctl_error *error)
{
	if (text_parse_int64(value, number_r) && *number_r >= min && *number_r <= max)
		return true;
	return options_fail(error, "--%s wants a number from %lld to %lld, not \"%s\"",
		option_rows[id].name, (long long)min, (long long)max, value);
}

/* "10%", or "10". */
static bool
options_percent(enum option_id id, const char *value, int64_t *percent_r, struct ctl_error *error)
{
	size_t length = strlen(value);
	char number[8];

	if (length > 0 && value[length - 1] == '%')
		length--;
	snprintf(number, sizeof(number), "%.*s", (int)length, value);
	if (length < sizeof(number) && text_parse_int64(number, percent_r) && *percent_r >= 1 && *percent_r <= 99)
		return true;
	return options_fail(error, "--%s wants a share from 1%% to 99%%, not \"%s\"", option_rows[id].name, value);
}

static bool
options_timeout(const char *value, int64_t *ns_r, struct ctl_error *error)
{
	if (text_parse_duration_ns(value, ns_r) && *ns_r >= 0)
		return true;
	return options_fail(error, "--timeout wants a time such as 500ms, 5s or 2m, not \"%s\"",
		value);
}

static bool
options_interval(const char *value, int64_t *ns_r, struct ctl_error *error)
{
	if (text_parse_duration_ns(value, ns_r) && *ns_r >= OPTIONS_INTERVAL_MIN_NS)
		return true;
	return options_fail(error, "--interval wants a time from 100ms on, such as 1s, not \"%s\"", value);
}

static bool
options_for(const char *value, int64_t *ns_r, struct ctl_error *error)
{
	if (text_parse_duration_ns(value, ns_r) && *ns_r > 0)
		return true;
	return options_fail(error, "--for wants a time, such as 10s, not \"%s\"", value);
}

/* Of options that may come many times. There is room for all words. */
static bool
options_keep(struct ctl_options *options, const char *option, const char *value)
{
	options->repeated[options->repeated_count++] = option;
	options->repeated[options->repeated_count++] = value;
	return true;
}

/* Those that say nothing but that they are there. */
static bool *
options_flag(struct ctl_options *options, enum option_id id)
{
	bool *const flags[OPTION_COUNT] = {
		[OPTION_JSON] = &options->json,
		[OPTION_QUIET] = &options->quiet,
		[OPTION_HELP] = &options->help,
		[OPTION_VERSION] = &options->version,
		[OPTION_TREE] = &options->tree,
		[OPTION_NOW] = &options->now,
		[OPTION_NO_WAIT] = &options->no_wait,
		[OPTION_PROBATION] = &options->probation,
		[OPTION_FOLLOW] = &options->follow,
		[OPTION_REPL] = &options->repl,
		[OPTION_VIRTUAL_TIME] = &options->virtual_time,
		[OPTION_DRY_RUN] = &options->dry_run,
		[OPTION_HISTORY] = &options->history,
		[OPTION_OFFLINE] = &options->offline,
		[OPTION_SAVE] = &options->save,
		[OPTION_OPENMETRICS] = &options->openmetrics,
		[OPTION_PROMETHEUS] = &options->prometheus,
		[OPTION_ONCE] = &options->once,
	};

	return flags[id];
}

static bool
options_set(struct ctl_options *options, enum option_id id, const char *value,
	struct ctl_error *error)
{
	bool *flag = options_flag(options, id);

	options->seen |= OPTION_BIT(id);
	if (flag != NULL)
		return *flag = true;
	switch (id) {
	case OPTION_SOCKET:
		options->socket = value;
		return *value != '\0' || options_fail(error, "--socket wants a path");
	case OPTION_TIMEOUT:
		return options_timeout(value, &options->timeout_ns, error);
	case OPTION_CANARY:
		return options_percent(id, value, &options->canary, error);
	case OPTION_LINES:
		return options_number(id, value, 0, OPTIONS_LINES_MAX, &options->lines, error);
	case OPTION_SINCE:
		return options_number(id, value, 0, INT64_MAX, &options->since, error);
	case OPTION_CONTENT_TYPE:
		options->content_type = value;
		return true;
	case OPTION_FOR:
		return options_for(value, &options->for_ns, error);
	case OPTION_LIMIT:
		return options_number(id, value, 1, INT64_MAX, &options->limit, error);
	case OPTION_TRACEPARENT:
		options->traceparent = value;
		return true;
	case OPTION_TRACE:
		options->trace = value;
		return true;
	case OPTION_REPEAT:
		return options_number(id, value, 1, OPTIONS_REPEAT_MAX, &options->repeat, error);
	case OPTION_CONCURRENCY:
		return options_number(id, value, 1, OPTIONS_CONCURRENCY_MAX,
			&options->concurrency, error);
	case OPTION_SET:
		return options_keep(options, "--set", value);
	case OPTION_WITH:
		return options_keep(options, "--with", value);
	case OPTION_CALL:
		options->call = value;
		return true;
	case OPTION_KIND:
		options->kind = value;
		return true;
	case OPTION_CONFIG:
		return options_number(id, value, 1, INT64_MAX, &options->config, error);
	case OPTION_AS:
		options->as = value;
		return *value != '\0' || options_fail(error, "--as wants a name");
	case OPTION_SORT:
		options->sort = value;
		return true;
	case OPTION_INTERVAL:
		return options_interval(value, &options->interval_ns, error);
	default:
		break;
	}
	return false;
}

/* --- words ------------------------------------------------------------------- */

/* The value of an option: what stands behind it in the same word, or else the next word. */
static bool
options_value(struct options_words *words, enum option_id id, const char *here,
	const char **value_r, struct ctl_error *error)
{
	if (here == NULL && words->at == words->end)
		return options_fail(error, "--%s wants a value: --%s %s", option_rows[id].name,
			option_rows[id].name, option_rows[id].value);
	*value_r = here != NULL ? here : *words->at++;
	return true;
}

static bool
options_unknown_long(const char *name, size_t size, struct ctl_error *error)
{
	const char *names[OPTION_COUNT];
	char cut[64];
	const char *nearest;

	for (int i = 0; i < OPTION_COUNT; i++)
		names[i] = option_rows[i].name;
	snprintf(cut, sizeof(cut), "%.*s", (int)size, name);
	nearest = text_nearest(cut, names, OPTION_COUNT);
	options_fail(error, "there is no option --%s", cut);
	if (nearest != NULL)
		ctl_error_hint(error, "did you mean --%s?", nearest);
	else
		ctl_error_hint(error, "put -- before a text that begins with a dash");
	return false;
}

static bool
options_long(struct ctl_options *options, struct options_words *words, const char *word,
	struct ctl_error *error)
{
	const char *equals = strchr(word, '=');
	size_t size = equals != NULL ? (size_t)(equals - word) : strlen(word);
	const char *value = NULL;

	for (int i = 0; i < OPTION_COUNT; i++) {
		enum option_id id = (enum option_id)i;

		if (strlen(option_rows[i].name) != size || memcmp(option_rows[i].name, word, size) != 0)
			continue;
		if (option_rows[i].value == NULL && equals != NULL)
			return options_fail(error, "--%s takes no value", option_rows[i].name);
		if (option_rows[i].value != NULL &&
			!options_value(words, id, equals != NULL ? equals + 1 : NULL, &value, error))
			return false;
		return options_set(options, id, value, error);
	}
	return options_unknown_long(word, size, error);
}

/* One word of letters: "-f", "-qf", "-n5", "-qn5". */
static bool
options_letters(struct ctl_options *options, struct options_words *words, const char *word,
	struct ctl_error *error)
{
	for (; *word != '\0'; word++) {
		int i = 0;
		const char *value = NULL;

		while (i < OPTION_COUNT && option_rows[i].letter != *word)
			i++;
		if (i == OPTION_COUNT) {
			options_fail(error, "there is no option -%c", *word);
			ctl_error_hint(error, "put -- before a text that begins with a dash");
			return false;
		}
		if (option_rows[i].value == NULL) {
			if (!options_set(options, (enum option_id)i, NULL, error))
				return false;
			continue;
		}
		return options_value(words, (enum option_id)i, word[1] != '\0' ? word + 1 : NULL,
			&value, error) && options_set(options, (enum option_id)i, value, error);
	}
	return true;
}

/* Whether what comes next is the message of call or send: it is text whatever it looks like. */
static bool
options_text_follows(const struct ctl_options *options)
{
	const struct verb *verb = options->argument_count == 2 ?
		verb_find(options->arguments[0]) : NULL;

	return verb != NULL && verb_takes_text(verb);
}

static bool
options_words(struct ctl_options *options, struct options_words *words,
	struct ctl_error *error)
{
	bool only_arguments = false;

	while (words->at < words->end) {
		char *word = *words->at++;

		if (only_arguments || word[0] != '-' || word[1] == '\0')
			options->arguments[options->argument_count++] = word;
		else if (strcmp(word, "--") == 0)
			only_arguments = true;
		else if (options_text_follows(options))
			options->arguments[options->argument_count++] = word;
		else if (word[1] == '-' ? !options_long(options, words, word + 2, error) :
			!options_letters(options, words, word + 1, error))
			return false;
	}
	return true;
}

/* --- as a whole -------------------------------------------------------------- */

static bool
options_verb(struct ctl_options *options, struct ctl_error *error)
{
	const char *name = options->arguments[0];
	const char *nearest;

	if (name == NULL) {
		options_fail(error, "a verb is missing");
		ctl_error_hint(error, "bayctl help lists them");
		return options->help || options->version;
	}
	options->verb = verb_find(name);
	if (options->verb == NULL) {
		nearest = verb_nearest(name);
		options_fail(error, "there is no verb \"%s\"", name);
		if (nearest != NULL)
			ctl_error_hint(error, "did you mean \"%s\"?", nearest);
		else
			ctl_error_hint(error, "bayctl help lists them");
		return false;
	}
	options->argument_count--;
	memmove(options->arguments, options->arguments + 1,
		(options->argument_count + 1) * sizeof(*options->arguments));
	return true;
}

/* Of one verb, but not at the same time. */
static const enum option_id options_apart[][2] = {
	{OPTION_CALL, OPTION_REPL},
	{OPTION_DRY_RUN, OPTION_HISTORY},
	{OPTION_NO_WAIT, OPTION_PROBATION},
	{OPTION_CANARY, OPTION_PROBATION},
	{OPTION_OPENMETRICS, OPTION_PROMETHEUS},
	{OPTION_JSON, OPTION_OPENMETRICS},
	{OPTION_JSON, OPTION_PROMETHEUS},
};

static bool
options_fit_verb(const struct ctl_options *options, struct ctl_error *error)
{
	const struct verb *verb = options->verb;
	uint64_t wrong = options->seen & ~(OPTIONS_OF_ALL_VERBS | verb->options);

	for (int i = 0; i < OPTION_COUNT; i++)
		if ((wrong & OPTION_BIT(i)) != 0)
			return options_fail(error, "--%s does not go with %s", option_rows[i].name,
				verb->name);
	for (size_t i = 0; i < sizeof(options_apart) / sizeof(*options_apart); i++)
		if ((~options->seen & (OPTION_BIT(options_apart[i][0]) | OPTION_BIT(options_apart[i][1]))) == 0)
			return options_fail(error, "--%s does not go with --%s",
				option_rows[options_apart[i][0]].name, option_rows[options_apart[i][1]].name);
	if (options->concurrency > 0 && options->repeat == 0)
		return options_fail(error, "--concurrency wants --repeat");
	if (options->argument_count >= verb->min_arguments &&
		options->argument_count <= verb->max_arguments)
		return true;
	options_fail(error, "%s: too %s arguments", verb->name,
		options->argument_count < verb->min_arguments ? "few" : "many");
	if (verb_takes_text(verb) && options->argument_count > 1 && options->arguments[1][0] == '-')
		ctl_error_hint(error, "the word behind SERVICE is the message, here \"%s\": options "
			"stand before SERVICE or behind the message", options->arguments[1]);
	else
		ctl_error_hint(error, "usage: bayctl %s%s%s", verb->name,
			*verb->arguments != '\0' ? " " : "", verb->arguments);
	return false;
}

/* Known before all else, so that every complaint comes in the form that is wanted. */
static bool
options_want_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

bool
options_parse(struct ctl_options *options, int argc, char **argv, struct ctl_error *error)
{
	struct options_words words = {.at = argv + (argc > 0), .end = argv + argc};

	*options = (struct ctl_options){
		.arguments = xcalloc((size_t)argc + 1, sizeof(*options->arguments)),
		.repeated = xcalloc(2 * (size_t)argc + 1, sizeof(*options->repeated)),
		.timeout_ns = -1,
		.lines = OPTIONS_LINES,
		.since = -1,
		.interval_ns = OPTIONS_INTERVAL_NS,
		.json = options_want_json(argc, argv),
	};
	if (!options_words(options, &words, error) || !options_verb(options, error))
		return false;
	/* It may have been the message. */
	options->json = (options->seen & OPTION_BIT(OPTION_JSON)) != 0;
	if (options->help || options->version)
		return true;
	if (!options_fit_verb(options, error))
		return false;
	options->timeout_given = options->timeout_ns >= 0;
	if (!options->timeout_given)
		options->timeout_ns = options->verb->timeout_ns;
	if (options->concurrency == 0)
		options->concurrency = 1;
	return true;
}

void
options_finish(struct ctl_options *options)
{
	free(options->arguments);
	free(options->repeated);
	*options = (struct ctl_options){0};
}
