/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/resolver_hosts.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <bay/status.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/map.h"
#include "io/resolver_answer.h"

/* Lists of unwanted hosts have some MiB. */
#define RESOLVER_HOSTS_MAX ((size_t)64 << 20)

#define RESOLVER_BLANKS " \t\r\v\f"

struct resolver_hosts {
	struct map *answers;           /* struct resolver_answer by name */
	struct map *names;             /* malloc'd by address in writing */
};

static const char *
resolver_record_text(const struct resolver_record *record, char text[INET6_ADDRSTRLEN])
{
	const void *address = record->family == AF_INET ? (const void *)&record->ipv4 : &record->ipv6;

	return inet_ntop(record->family, address, text, INET6_ADDRSTRLEN);
}

static bool
resolver_hosts_parse_address(const char *word, struct resolver_record *record)
{
	memset(record, 0, sizeof *record);
	record->family = strchr(word, ':') != NULL ? AF_INET6 : AF_INET;
	return inet_pton(record->family, word, record->family == AF_INET ? (void *)&record->ipv4 : &record->ipv6) == 1;
}

/* One name of an address. */
static bool
resolver_hosts_add(struct resolver_hosts *hosts, char *name, const struct resolver_record *record)
{
	struct resolver_answer *answer;
	char *c;

	for (c = name; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	answer = map_get(hosts->answers, name);
	if (answer == NULL) {
		answer = resolver_answer_create(BAY_OK, NULL);
		if (answer == NULL)
			return false;
		(void)map_put(hosts->answers, name, answer);
	}
	return resolver_answer_add(answer, record);
}

/* "127.0.0.1 localhost loopback  # remark". False: no memory. */
static bool
resolver_hosts_add_line(struct resolver_hosts *hosts, char *line)
{
	char text[INET6_ADDRSTRLEN];
	struct resolver_record record;
	char *word, *rest = NULL;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, RESOLVER_BLANKS, &rest);
	if (word == NULL || !resolver_hosts_parse_address(word, &record))
		return true;
	while ((word = strtok_r(NULL, RESOLVER_BLANKS, &rest)) != NULL) {
		if (!resolver_hosts_add(hosts, word, &record))
			return false;
		(void)resolver_record_text(&record, text);
		if (map_get(hosts->names, text) == NULL)
			(void)map_put(hosts->names, text, xstrdup(word));
	}
	return true;
}

static bool
resolver_hosts_add_all(struct resolver_hosts *hosts, char *text)
{
	char *line, *rest = NULL;

	if (text == NULL)
		return false;
	for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		if (!resolver_hosts_add_line(hosts, line))
			return false;
	}
	return true;
}

struct resolver_hosts *
resolver_hosts_read(const char *path)
{
	struct resolver_hosts *hosts = calloc(1, sizeof *hosts);
	struct buffer text = {0};

	if (hosts == NULL)
		return NULL;
	hosts->answers = map_create();
	hosts->names = map_create();
	if (!fd_read_file(AT_FDCWD, path, 0, RESOLVER_HOSTS_MAX, &text))
		log_debug_errno("resolver", "read %s", path);
	else if (!resolver_hosts_add_all(hosts, buffer_text(&text)))
		log_warn("resolver", "there is no memory for all of %s", path);
	buffer_finish(&text);
	return hosts;
}

void
resolver_hosts_destroy(struct resolver_hosts *hosts)
{
	struct map_entry *entry;

	if (hosts == NULL)
		return;
	map_for_each(entry, hosts->answers)
		resolver_answer_unref(entry->value);
	map_for_each(entry, hosts->names)
		free(entry->value);
	map_destroy(hosts->answers);
	map_destroy(hosts->names);
	free(hosts);
}

struct resolver_answer *
resolver_hosts_find(const struct resolver_hosts *hosts, const char *name)
{
	struct resolver_answer *answer = map_get(hosts->answers, name);

	if (answer != NULL)
		resolver_answer_settle(answer);
	return answer;
}

const char *
resolver_hosts_name(const struct resolver_hosts *hosts, const struct resolver_record *record)
{
	char text[INET6_ADDRSTRLEN];

	return map_get(hosts->names, resolver_record_text(record, text));
}
