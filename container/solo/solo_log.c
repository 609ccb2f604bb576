/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "solo/solo_log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "runtime/belonging.h"

/* A ring, once it is full. Memory that is not there costs the line. */
static struct {
	pthread_mutex_t lock;
	char *lines[SOLO_LOG_MAX];
	size_t first;
	size_t count;
	size_t left_open;
} solo_log = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
solo_log_keep(char *line)
{
	size_t at = (solo_log.first + solo_log.count) % SOLO_LOG_MAX;

	if (solo_log.count == SOLO_LOG_MAX) {
		free(solo_log.lines[at]);
		solo_log.first = (solo_log.first + 1) % SOLO_LOG_MAX;
	} else {
		solo_log.count++;
	}
	solo_log.lines[at] = line;
}

static void
solo_log_on_record(const struct log_record *record, void *arg)
{
	const char *subject = record->subject != NULL ? record->subject : "";
	char *line;

	(void)arg;
	if (asprintf(&line, "%s %s%s%s", log_level_name(record->level), subject, *subject != '\0' ? ": " : "",
			record->text) < 0)
		return;
	pthread_mutex_lock(&solo_log.lock);
	solo_log_keep(line);
	if (strncmp(record->text, BELONGING_LEFT, strlen(BELONGING_LEFT)) == 0)
		solo_log.left_open++;
	pthread_mutex_unlock(&solo_log.lock);
}

bool
solo_log_begin(const char *level, bool shown)
{
	enum log_level wanted;

	if (!log_level_parse(level, &wanted))
		return false;
	log_set_level(wanted);
	/* Without a null device it is shown. */
	if (shown || !log_to_file("/dev/null"))
		log_to_stderr();
	log_set_hook(solo_log_on_record, NULL);
	return true;
}

void
solo_log_end(void)
{
	log_set_hook(NULL, NULL);
	log_to_stderr();
	log_set_level(LOG_LEVEL_INFO);
	solo_log_clear();
}

size_t
solo_log_count(void)
{
	size_t count;

	pthread_mutex_lock(&solo_log.lock);
	count = solo_log.count;
	pthread_mutex_unlock(&solo_log.lock);
	return count;
}

const char *
solo_log_line(size_t index)
{
	const char *line = NULL;

	pthread_mutex_lock(&solo_log.lock);
	if (index < solo_log.count)
		line = solo_log.lines[(solo_log.first + index) % SOLO_LOG_MAX];
	pthread_mutex_unlock(&solo_log.lock);
	return line;
}

size_t
solo_log_left_open(void)
{
	size_t count;

	pthread_mutex_lock(&solo_log.lock);
	count = solo_log.left_open;
	pthread_mutex_unlock(&solo_log.lock);
	return count;
}

void
solo_log_clear(void)
{
	pthread_mutex_lock(&solo_log.lock);
	while (solo_log.count > 0) {
		free(solo_log.lines[solo_log.first]);
		solo_log.first = (solo_log.first + 1) % SOLO_LOG_MAX;
		solo_log.count--;
	}
	solo_log.left_open = 0;
	pthread_mutex_unlock(&solo_log.lock);
}
