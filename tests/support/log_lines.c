/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "support/log_lines.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

static struct {
	pthread_mutex_t lock;
	char text[256 * 1024]; /* lines, each with its newline; what does not fit is lost */
	size_t size;
} lines = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
log_lines_on_record(const struct log_record *record, void *arg)
{
	int size;

	(void)arg;
	pthread_mutex_lock(&lines.lock);
	size = snprintf(lines.text + lines.size, sizeof lines.text - lines.size, "%s: %s\n",
		record->subject != NULL ? record->subject : "", record->text);
	if (size > 0 && (size_t)size < sizeof lines.text - lines.size)
		lines.size += (size_t)size;
	lines.text[lines.size] = '\0';
	pthread_mutex_unlock(&lines.lock);
}

void
log_lines_keep(void)
{
	pthread_mutex_lock(&lines.lock);
	lines.size = 0;
	lines.text[0] = '\0';
	pthread_mutex_unlock(&lines.lock);
	log_set_hook(log_lines_on_record, NULL);
}

int
log_lines_with(const char *part)
{
	const char *line, *end;
	int count = 0;

	pthread_mutex_lock(&lines.lock);
	for (line = lines.text; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		const char *found = strstr(line, part);

		count += found != NULL && found < end;
	}
	pthread_mutex_unlock(&lines.lock);
	return count;
}
