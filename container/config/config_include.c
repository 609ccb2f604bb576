/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_include.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "config/config_report.h"

/* --- patterns ---------------------------------------------------------------- */

/* Takes text. */
static void
config_patterns_push(struct config_patterns *patterns, char *text, unsigned line)
{
	patterns->list = xrealloc(patterns->list, patterns->count + 1, sizeof(*patterns->list));
	patterns->list[patterns->count++] = (struct config_pattern){text, line};
}

void
config_patterns_add(struct config_patterns *patterns, const char *value, unsigned line)
{
	while (*value != '\0') {
		size_t length = strcspn(value, "\n");

		if (length > 0)
			config_patterns_push(patterns, xstrndup(value, length), line);
		value += length + (value[length] == '\n');
	}
}

void
config_patterns_finish(struct config_patterns *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		free(patterns->list[i].text);
	free(patterns->list);
	*patterns = (struct config_patterns){0};
}

char *
config_dir_of(const char *file)
{
	const char *slash = strrchr(file, '/');

	return xstrndup(file, slash != NULL ? (size_t)(slash - file) + 1 : 0);
}

/* A pattern behind a directory whose own name may hold what looks like a pattern. */
static char *
config_pattern_join(const char *dir, const char *text)
{
	char *joined = xcalloc(2 * strlen(dir) + strlen(text) + 1, 1);
	char *to = joined;

	for (; *dir != '\0'; dir++) {
		if (strchr("*?[\\", *dir) != NULL)
			*to++ = '\\';
		*to++ = *dir;
	}
	strcpy(to, text);
	return joined;
}

/* An absent directory matches nothing, as an empty one does. */
static void
config_pattern_glob(const char *pattern, unsigned line, const char *dir,
	const char *file, struct config_patterns *names, struct config_report *report)
{
	char *joined = config_pattern_join(dir, pattern);
	glob_t found = {0};
	int result = glob(joined, GLOB_ERR, NULL, &found);
	int reason = errno;

	if (result == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			config_patterns_push(names, xstrdup(found.gl_pathv[i]), line);
	} else if (result != GLOB_NOMATCH && !(result == GLOB_ABORTED && reason == ENOENT)) {
		char *quoted = config_report_quote(pattern);

		config_report_add(report, file, line, "cannot look for %s: %s [config-include]", quoted,
			result == GLOB_NOSPACE ? "no memory" : strerror(reason));
		free(quoted);
	}
	globfree(&found);
	free(joined);
}

void
config_pattern_match(const char *pattern, unsigned line, const char *file,
	struct config_patterns *names, struct config_report *report)
{
	char *dir = config_dir_of(*pattern == '/' ? "" : file);

	if (strpbrk(pattern, "*?[") == NULL)
		config_patterns_push(names, xasprintf("%s%s", dir, pattern), line);
	else
		config_pattern_glob(pattern, line, dir, file, names, report);
	free(dir);
}

/* --- the chain ----------------------------------------------------------------- */

static bool
config_chain_say(const struct config_chain *link, const struct config_chain *from,
	struct buffer *out)
{
	if (link != from && !config_chain_say(link->includer, from, out))
		return false;
	return buffer_printf(out, "%s%s", link != from ? " -> " : "", link->file);
}

static char *
config_chain_cycle(const struct config_chain *link, const struct config_chain *from)
{
	struct buffer out = {0};

	if (buffer_append_text(&out, "a file that includes itself: ") &&
			config_chain_say(link, from, &out) && buffer_text(&out) != NULL)
		return (char *)out.data;
	buffer_finish(&out);
	return xstrdup("a file that includes itself");
}

char *
config_chain_fault(const struct config_chain *link)
{
	for (const struct config_chain *above = link->includer; above != NULL;
			above = above->includer)
		if (above->device == link->device && above->inode == link->inode)
			return config_chain_cycle(link, above);
	if (link->depth > CONFIG_INCLUDE_DEPTH)
		return xasprintf("includes are nested more than %d deep", CONFIG_INCLUDE_DEPTH);
	return NULL;
}
