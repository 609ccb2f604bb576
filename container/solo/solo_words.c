/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "solo/solo_words.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "service/registry.h"

enum words_option {
	WORDS_SET = 1,
	WORDS_WITH,
	WORDS_CALL,
	WORDS_REPL,
	WORDS_VIRTUAL_TIME,
	WORDS_TIMEOUT,
	WORDS_JSON,
	WORDS_QUIET
};

static const struct option words_options[] = {
	{"set", required_argument, NULL, WORDS_SET},
	{"with", required_argument, NULL, WORDS_WITH},
	{"call", required_argument, NULL, WORDS_CALL},
	{"repl", no_argument, NULL, WORDS_REPL},
	{"virtual-time", no_argument, NULL, WORDS_VIRTUAL_TIME},
	{"timeout", required_argument, NULL, WORDS_TIMEOUT},
	{"json", no_argument, NULL, WORDS_JSON},
	{"quiet", no_argument, NULL, WORDS_QUIET},
	{NULL, 0, NULL, 0},
};

/* --- services -------------------------------------------------------------------- */

/* A service is called like its file: "./dir/sleeper.so" is sleeper. */
static char *
words_name_of(const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *name = slash != NULL ? slash + 1 : file;
	size_t size = strlen(name);

	if (size > 3 && strcmp(name + size - 3, ".so") == 0)
		size -= 3;
	return xstrndup(name, size);
}

static const struct solo_wanted *
words_find(const struct solo_words *words, const char *name, size_t size)
{
	size_t i;

	for (i = 0; i < words->count; i++)
		if (strncmp(words->services[i].name, name, size) == 0 && words->services[i].name[size] == '\0')
			return &words->services[i];
	return NULL;
}

/* Takes name. */
static char *
words_add(struct solo_words *words, char *name, const char *file)
{
	char *error = NULL;

	if (words->count == SOLO_SERVICES)
		error = xasprintf("there are more than %d services", SOLO_SERVICES);
	else if (!service_name_is_valid(name))
		error = xasprintf("\"%s\" is no name for a service: give it one with --with NAME=%s, or call the file "
			"otherwise", name, file);
	else if (words_find(words, name, strlen(name)) != NULL)
		error = xasprintf("there are two services called %s: give one another name with --with NAME=FILE",
			name);
	if (error != NULL) {
		free(name);
		return error;
	}
	words->services[words->count++] = (struct solo_wanted){.name = name, .file = file};
	return NULL;
}

/* "FILE" or "NAME=FILE". */
static char *
words_add_other(struct solo_words *words, const char *value)
{
	const char *equals = strchr(value, '=');
	const char *slash = strchr(value, '/');

	if (equals == NULL || (slash != NULL && slash < equals))
		return words_add(words, words_name_of(value), value);
	return words_add(words, xstrndup(value, (size_t)(equals - value)), equals + 1);
}

/* --- settings -------------------------------------------------------------------- */

static void
words_set(struct solo_wanted *service, const char *setting)
{
	service->settings = xrealloc(service->settings, service->setting_count + 2, sizeof *service->settings);
	service->settings[service->setting_count++] = setting;
	service->settings[service->setting_count] = NULL;
}

/* "key=value" for the last service, "NAME.key=value" for the one called so. */
static char *
words_add_setting(struct solo_words *words, const char *value)
{
	size_t key = strcspn(value, "=");
	const char *dot = memrchr(value, '.', key);
	size_t name = dot != NULL ? (size_t)(dot - value) : 0;
	const struct solo_wanted *other = dot != NULL ? words_find(words, value, name) : NULL;

	if (key == 0 || value[key] == '\0')
		return xasprintf("--set wants KEY=VALUE, not \"%s\"", value);
	if (dot != NULL && other == NULL)
		return xasprintf("--set %s: there is no service %.*s here", value, (int)name, value);
	if (other == NULL)
		words_set(&words->services[words->count - 1], value);
	else
		words_set(&words->services[other - words->services], dot + 1);
	return NULL;
}

/* --- as a whole ------------------------------------------------------------------- */

static char *
words_take(struct solo_words *words, int option, const char *value)
{
	switch (option) {
	case WORDS_SET:
		return NULL; /* when all services are known */
	case WORDS_WITH:
		return words_add_other(words, value);
	case WORDS_CALL:
		words->text = value;
		return NULL;
	case WORDS_REPL:
		words->repl = true;
		return NULL;
	case WORDS_VIRTUAL_TIME:
		words->virtual_time = true;
		return NULL;
	case WORDS_TIMEOUT:
		if (text_parse_duration_ns(value, &words->timeout_ns) && words->timeout_ns >= 0)
			return NULL;
		return xasprintf("--timeout wants a time such as 500ms, 5s or 2m, not \"%s\"", value);
	case WORDS_JSON:
		words->json = true;
		return NULL;
	case WORDS_QUIET:
		words->quiet = true;
		return NULL;
	default:
		return xstrdup("usage: bay-cell solo [--set KEY=VALUE]... [--with [NAME=]FILE]... [--call TEXT | "
			"--repl] [--virtual-time] [--timeout D] [--json] [--quiet] FILE");
	}
}

/* Goes through all options. NULL: all of them are right. */
static char *
words_read(struct solo_words *words, int argc, char **argv, bool settings)
{
	char *error = NULL;
	int option;

	optind = 0;
	opterr = 0;
	while (error == NULL && (option = getopt_long(argc, argv, "", words_options, NULL)) != -1) {
		if (!settings)
			error = words_take(words, option, optarg);
		else if (option == WORDS_SET)
			error = words_add_setting(words, optarg);
	}
	return error;
}

bool
solo_words_parse(struct solo_words *words, int argc, char **argv, char **error_r)
{
	*words = (struct solo_words){.count = 0};
	*error_r = words_read(words, argc, argv, false);
	if (*error_r == NULL && optind != argc - 1)
		*error_r = words_take(words, '?', NULL);
	if (*error_r == NULL)
		*error_r = words_add(words, words_name_of(argv[optind]), argv[optind]);
	if (*error_r == NULL)
		*error_r = words_read(words, argc, argv, true);
	return *error_r == NULL;
}

void
solo_words_finish(struct solo_words *words)
{
	size_t i;

	for (i = 0; i < words->count; i++) {
		free(words->services[i].name);
		free(words->services[i].settings);
	}
}
