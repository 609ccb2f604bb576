/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/complete.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/code.h"
#include "ctl/verbs.h"

/* Who types does not want to wait. */
#define COMPLETE_PATIENCE_NS (100 * CLOCK_NS_PER_MS)

struct complete {
	struct ctl *ctl;
	const struct verb *verb;  /* NULL: none was typed yet, or one that there is not */
	bool has_verb;
	const char **arguments;   /* those of the verb */
	size_t argument_count;
	int option;               /* the word is its value; OPTION_COUNT: it is not */
	bool only_arguments;      /* "--" was there */
	const char *prefix;       /* "--name=" of the word: candidates begin with it, too */
	size_t prefix_size;
	const char *typed;        /* what is behind that */
};

/* --- candidates ----------------------------------------------------------------- */

static void
complete_offer(struct complete *complete, const char *text, size_t size, const char *about)
{
	FILE *out = complete->ctl->out.file;

	if (strlen(complete->typed) > size ||
		memcmp(text, complete->typed, strlen(complete->typed)) != 0)
		return;
	fprintf(out, "%.*s%.*s\t%s\n", (int)complete->prefix_size, complete->prefix, (int)size, text,
		about);
}

static void
complete_files(struct complete *complete, const char *ending)
{
	fprintf(complete->ctl->out.file, ":files%s%s\n", *ending != '\0' ? " " : "", ending);
}

static void
complete_codes(struct complete *complete, const char *ending)
{
	(void)ending;
	for (const struct code *code = codes; code->slug != NULL; code++)
		complete_offer(complete, code->slug, strlen(code->slug), code->meaning);
}

static void
complete_verbs(struct complete *complete, const char *ending)
{
	(void)ending;
	for (const struct verb *verb = verbs; verb->name != NULL; verb++)
		complete_offer(complete, verb->name, strlen(verb->name), verb->summary);
}

static void
complete_options(struct complete *complete)
{
	uint64_t bits = OPTIONS_OF_ALL_VERBS |
		(complete->verb != NULL ? complete->verb->options : 0);

	for (int i = 0; i < OPTION_COUNT; i++) {
		char word[64];
		int size = snprintf(word, sizeof(word), "--%s", option_rows[i].name);

		if ((bits & OPTION_BIT(i)) != 0)
			complete_offer(complete, word, (size_t)size, option_rows[i].help);
	}
}

/* Nothing that a shell could take for more than a word. */
static bool
complete_is_word(const char *name)
{
	return *name != '\0' && name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")] == '\0';
}

static bool
complete_is_named(const struct complete *complete, const char *name)
{
	for (size_t i = 0; i < complete->argument_count; i++)
		if (strcmp(complete->arguments[i], name) == 0)
			return true;
	return false;
}

/* Asks the daemon within the moment that it has. */
static bool
complete_ask(struct complete *complete, enum interface_method_id id, json_t *parameters,
	struct ctl_reply *reply_r)
{
	struct ctl *ctl = complete->ctl;
	int64_t deadline = connection_deadline(COMPLETE_PATIENCE_NS);

	if (!connection_open(&ctl->connection, ctl_socket(ctl), deadline, &ctl->error)) {
		json_decref(parameters);
		return false;
	}
	return ctl_ask_with_fd(ctl, id, parameters, -1, deadline, reply_r);
}

static void
complete_services(struct complete *complete, const char *ending)
{
	struct ctl_reply reply;
	const json_t *services;
	const json_t *service;
	size_t i;

	(void)ending;
	if (!complete_ask(complete, INTERFACE_LIST, NULL, &reply))
		return;
	services = json_object_get(reply.reply.parameters, "services");
	json_array_foreach(services, i, service) {
		const char *name = view_text(service, "name");
		const char *state = view_text(service, "state");

		if (complete_is_word(name) && !complete_is_named(complete, name))
			complete_offer(complete, name, strlen(name), complete_is_word(state) ? state : "");
	}
	ctl_reply_finish(&reply);
}

/* Those that run as services which no section names; each once. */
static void
complete_plugins(struct complete *complete, const char *ending)
{
	struct ctl_reply reply;
	const json_t *services;
	const json_t *service;
	json_t *seen;
	size_t i;

	(void)ending;
	if (complete->argument_count > 0 || !complete_ask(complete, INTERFACE_LIST, NULL, &reply))
		return;
	services = json_object_get(reply.reply.parameters, "services");
	seen = json_object();
	json_array_foreach(services, i, service) {
		const char *name = view_text(service, "plugin");

		if (strcmp(view_text(service, "origin"), "config") == 0 || !complete_is_word(name) ||
			json_object_get(seen, name) != NULL)
			continue;
		json_object_set_new(seen, name, json_true());
		complete_offer(complete, name, strlen(name), "");
	}
	json_decref(seen);
	ctl_reply_finish(&reply);
}

/* --- what a service can be told to do -------------------------------------------- */

/* The rows of the verbs of the service that is named. False: none. */
static bool
complete_ask_verbs(struct complete *complete, struct ctl_reply *reply_r)
{
	return complete_ask(complete, INTERFACE_VERBS,
		json_pack("{s:o}", "service", varlink_text(complete->arguments[0])), reply_r);
}

/* "fast|safe"; the range of other types says what no word is. */
static void
complete_words_of_type(struct complete *complete, const json_t *row)
{
	const char *type = view_text(row, "type");
	const char *words = strcmp(type, "choice") == 0 ? view_text(row, "range") :
		strcmp(type, "bool") == 0 ? "no|yes" : "";

	while (*words != '\0') {
		size_t size = strcspn(words, "|");
		char word[64];

		snprintf(word, sizeof(word), "%.*s", (int)size, words);
		if (complete_is_word(word))
			complete_offer(complete, word, strlen(word), "");
		words += size + (words[size] == '|');
	}
}

/* What the plugin says about it may be anything. */
static void
complete_offer_verb(struct complete *complete, const json_t *row, const char *name)
{
	char *about = print_escape(view_text(row, "help"));

	complete_offer(complete, name, strlen(name), about);
	free(about);
}

/* The verbs of the service, or the words that the next argument of one can be. */
static void
complete_do(struct complete *complete, bool is_verb)
{
	struct ctl_reply reply;
	const json_t *row;
	size_t i;

	if (!complete_ask_verbs(complete, &reply))
		return;
	json_array_foreach(json_object_get(reply.reply.parameters, "verbs"), i, row) {
		const char *name = view_text(row, "name");

		if (!is_verb && strcmp(name, complete->arguments[1]) == 0)
			complete_words_of_type(complete, json_array_get(json_object_get(row, "arguments"),
				complete->argument_count - 2));
		else if (is_verb && complete_is_word(name))
			complete_offer_verb(complete, row, name);
	}
	ctl_reply_finish(&reply);
}

/* Behind a service it is one of the plugin's, else one of ours. */
static void
complete_any_verb(struct complete *complete, const char *ending)
{
	if (complete->argument_count > 0)
		complete_do(complete, true);
	else
		complete_verbs(complete, ending);
}

static void
complete_arguments(struct complete *complete, const char *ending)
{
	(void)ending;
	if (complete->argument_count > 1)
		complete_do(complete, false);
}

/* --- by the names of arguments and values --------------------------------------- */

/* A name may have an ending, as in FILE.ini. Others, such as TEXT, stand for what nobody
 * else can know. */
static const struct complete_kind {
	const char *name;
	void (*run)(struct complete *complete, const char *ending);
} complete_kinds[] = {
	{"ARGUMENT", complete_arguments},
	{"CODE", complete_codes},
	{"FILE", complete_files},
	{"PLUGIN", complete_plugins},
	{"SERVICE", complete_services},
	{"SOCKET", complete_files},
	{"VERB", complete_any_verb},
};

/* One alternative: "SERVICE", "FILE.so", or a word such as "bash". */
static void
complete_alternative(struct complete *complete, const char *name, size_t size)
{
	char ending[16] = "";
	size_t stem = 0;

	while (stem < size && name[stem] >= 'A' && name[stem] <= 'Z')
		stem++;
	if (stem == 0 && size > 1) {
		complete_offer(complete, name, size, "");
		return;
	}
	if (stem < size && name[stem] == '.')
		snprintf(ending, sizeof(ending), "%.*s", (int)(size - stem - 1), name + stem + 1);
	for (size_t i = 0; i < sizeof(complete_kinds) / sizeof(*complete_kinds); i++)
		if (strlen(complete_kinds[i].name) == stem &&
			memcmp(complete_kinds[i].name, name, stem) == 0)
			complete_kinds[i].run(complete, ending);
}

/* Alternatives with '|' between them, up to the size. */
static void
complete_alternatives(struct complete *complete, const char *text, size_t size)
{
	while (size > 0) {
		size_t blank = strspn(text, " |[]");
		size_t length;

		if (blank >= size)
			return;
		text += blank;
		size -= blank;
		length = strcspn(text, " |[]");
		if (length > size)
			length = size;
		complete_alternative(complete, text,
			length > 3 && memcmp(text + length - 3, "...", 3) == 0 ? length - 3 : length);
		text += length;
		size -= length;
	}
}

/* How much of a usage line such as "SERVICE [TEXT | -]" tells of its first argument. */
static size_t
complete_first_argument(const char *text)
{
	size_t size = strcspn(text, " ");

	while (strncmp(text + size, " | ", 3) == 0)
		size += 3 + strcspn(text + size + 3, " ");
	return size;
}

static void
complete_argument(struct complete *complete)
{
	const char *text = complete->verb->arguments;
	size_t size = complete_first_argument(text);

	if (complete->argument_count >= complete->verb->max_arguments)
		return;
	for (size_t i = 0; i < complete->argument_count && text[size] != '\0'; i++) {
		text += size + strspn(text + size, " ");
		size = complete_first_argument(text);
	}
	complete_alternatives(complete, text, size);
}

/* --- the words before ----------------------------------------------------------- */

/* The option that a word names; OPTION_COUNT: none. */
static int
complete_find_option(const char *name, size_t size)
{
	int i = 0;

	while (i < OPTION_COUNT && (strlen(option_rows[i].name) != size ||
		memcmp(option_rows[i].name, name, size) != 0))
		i++;
	return i;
}

static int
complete_find_letter(char letter)
{
	int i = 0;

	while (i < OPTION_COUNT && option_rows[i].letter != letter)
		i++;
	return i;
}

static void
complete_set_option(struct complete *complete, int option, const char *value)
{
	if (option == OPTION_SOCKET)
		complete->ctl->options.socket = value;
}

/* An option whose value is not in its word waits for the next one. */
static void
complete_read_option(struct complete *complete, const char *word)
{
	const char *equals = strchr(word, '=');
	int option;

	if (word[1] == '-') {
		option = complete_find_option(word + 2,
			equals != NULL ? (size_t)(equals - word) - 2 : strlen(word + 2));
		if (equals != NULL)
			complete_set_option(complete, option, equals + 1);
		else if (option < OPTION_COUNT && option_rows[option].value != NULL)
			complete->option = option;
		return;
	}
	for (const char *letter = word + 1; *letter != '\0'; letter++) {
		option = complete_find_letter(*letter);
		if (option == OPTION_COUNT || option_rows[option].value == NULL)
			continue;
		if (letter[1] != '\0')
			complete_set_option(complete, option, letter + 1);
		else
			complete->option = option;
		return;
	}
}

/* Whether the next word is the message of call or send, whatever it looks like. */
static bool
complete_text_follows(const struct complete *complete)
{
	return complete->verb != NULL && verb_takes_text(complete->verb) &&
		complete->argument_count == 1;
}

static void
complete_read_word(struct complete *complete, const char *word)
{
	if (complete->option < OPTION_COUNT) {
		complete_set_option(complete, complete->option, word);
		complete->option = OPTION_COUNT;
	} else if (!complete->only_arguments && strcmp(word, "--") == 0) {
		complete->only_arguments = true;
	} else if (!complete->only_arguments && word[0] == '-' && word[1] != '\0' &&
		!complete_text_follows(complete)) {
		complete_read_option(complete, word);
	} else if (!complete->has_verb) {
		complete->verb = verb_find(word);
		complete->has_verb = true;
	} else {
		complete->arguments[complete->argument_count++] = word;
	}
}

/* --- the word that is typed ------------------------------------------------------ */

/* "--name=VALUE": what is behind the sign is typed. */
static bool
complete_split_word(struct complete *complete)
{
	const char *equals = strchr(complete->typed, '=');

	if (strncmp(complete->typed, "--", 2) != 0 || equals == NULL)
		return false;
	complete->prefix = complete->typed;
	complete->prefix_size = (size_t)(equals + 1 - complete->prefix);
	complete->option = complete_find_option(complete->typed + 2, complete->prefix_size - 3);
	complete->typed = equals + 1;
	return true;
}

static void
complete_typed_word(struct complete *complete)
{
	bool dashed = complete->typed[0] == '-' && !complete->only_arguments &&
		complete->option == OPTION_COUNT && !complete_text_follows(complete);
	const char *value;

	if (dashed && !complete_split_word(complete))
		complete_options(complete);
	else if (complete->option < OPTION_COUNT) {
		value = option_rows[complete->option].value;
		if (value != NULL)
			complete_alternatives(complete, value, strlen(value));
	} else if (dashed)
		return;
	else if (complete->verb != NULL)
		complete_argument(complete);
	else if (!complete->has_verb)
		complete_verbs(complete, "");
}

enum interface_exit
complete_words(struct ctl *ctl, char *const *words)
{
	struct complete complete = {.ctl = ctl, .option = OPTION_COUNT, .prefix = "", .typed = ""};
	size_t count = 0;

	while (words[count] != NULL)
		count++;
	complete.arguments = calloc(count + 1, sizeof(*complete.arguments));
	if (complete.arguments == NULL)
		return INTERFACE_EXIT_FAILED;
	for (size_t i = 0; i + 1 < count; i++)
		complete_read_word(&complete, words[i]);
	if (count > 0)
		complete.typed = words[count - 1];
	complete_typed_word(&complete);
	free(complete.arguments);
	return INTERFACE_EXIT_DONE;
}
