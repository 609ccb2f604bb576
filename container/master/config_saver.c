/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/config_saver.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "config/config_edit.h"

struct config_saver {
	/* of the thread, while there is one */
	char *path;
	struct config_place place;
	char *key;
	char *value;
	bool saved;
	unsigned line;
	struct buffer error;

	/* of the master */
	bool threaded;
	pthread_t thread;
	int ended; /* an eventfd, which the thread writes as the last thing; -1: there is no thread */
	struct event *event;
	config_saver_fn *done;
	void *arg;
};

static void
config_saver_save(struct config_saver *saver)
{
	saver->saved = config_edit_file(saver->path, &saver->place, saver->key, saver->value, &saver->line,
		&saver->error);
}

static void *
config_saver_main(void *arg)
{
	struct config_saver *saver = arg;

	config_saver_save(saver);
	(void)!eventfd_write(saver->ended, 1);
	return NULL;
}

void
config_saver_destroy(struct config_saver *saver)
{
	if (saver == NULL)
		return;
	if (saver->threaded)
		pthread_join(saver->thread, NULL);
	event_free(saver->event);
	fd_close(&saver->ended);
	buffer_finish(&saver->error);
	free(saver->path);
	free(saver->key);
	free(saver->value);
	free(saver);
}

static void
config_saver_on_ended(evutil_socket_t fd, short what, void *arg)
{
	struct config_saver *saver = arg;
	config_saver_fn *done = saver->done;
	void *done_arg = saver->arg;
	struct buffer error;
	unsigned line;
	bool saved;

	(void)fd;
	(void)what;
	if (saver->threaded)
		pthread_join(saver->thread, NULL);
	saver->threaded = false;
	saved = saver->saved;
	line = saver->line;
	error = saver->error;
	saver->error = (struct buffer){0};
	config_saver_destroy(saver);
	done(line, saved ? NULL : buffer_text(&error) != NULL ? buffer_text(&error) : "no memory", done_arg);
	buffer_finish(&error);
}

struct config_saver *
config_saver_begin(struct event_base *base, const char *path, const struct config_place *place,
	const char *key, const char *value, config_saver_fn *done, void *arg)
{
	struct config_saver *saver = xcalloc(1, sizeof(*saver));

	saver->path = xstrdup(path);
	saver->place = *place;
	saver->key = xstrdup(key);
	saver->value = xstrdup(value);
	saver->done = done;
	saver->arg = arg;
	saver->ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	saver->event = event_new(base, saver->ended, saver->ended >= 0 ? EV_READ : 0,
		config_saver_on_ended, saver);
	if (saver->event == NULL)
		abort();
	saver->threaded = saver->ended >= 0 && event_add(saver->event, NULL) == 0 &&
		pthread_create(&saver->thread, NULL, config_saver_main, saver) == 0;
	if (saver->threaded)
		return saver;
	/* Where there is no room for a thread it is waited for. */
	config_saver_save(saver);
	event_active(saver->event, EV_READ, 0);
	return saver;
}
