/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/loader.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/threads.h"

struct loader {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct inbox_item *first;  /* under lock */
	struct inbox_item **last;  /* under lock */
	bool stopping;             /* under lock */
	bool is_here;              /* there is no thread */
};

/* The next item, or NULL: the end. */
static struct inbox_item *
loader_next(struct loader *loader)
{
	struct inbox_item *item;

	pthread_mutex_lock(&loader->lock);
	while (loader->first == NULL && !loader->stopping)
		pthread_cond_wait(&loader->changed, &loader->lock);
	item = loader->first;
	if (item != NULL) {
		loader->first = item->next;
		if (loader->first == NULL)
			loader->last = &loader->first;
	}
	pthread_mutex_unlock(&loader->lock);
	return item;
}

static void *
loader_main(void *arg)
{
	struct inbox_item *item;

	threads_begin("loader");
	while ((item = loader_next(arg)) != NULL)
		item->run(item);
	threads_end();
	return NULL;
}

struct loader *
loader_create(void)
{
	struct loader *loader = xcalloc(1, sizeof *loader);

	loader->last = &loader->first;
	pthread_mutex_init(&loader->lock, NULL);
	pthread_cond_init(&loader->changed, NULL);
	if (pthread_create(&loader->thread, NULL, loader_main, loader) == 0)
		return loader;
	log_error("cell", "start the loader thread: no more threads");
	free(loader);
	return NULL;
}

struct loader *
loader_create_here(void)
{
	struct loader *loader = xcalloc(1, sizeof *loader);

	loader->is_here = true;
	return loader;
}

void
loader_destroy(struct loader *loader)
{
	if (loader == NULL || loader->is_here) {
		free(loader);
		return;
	}
	pthread_mutex_lock(&loader->lock);
	loader->stopping = true;
	pthread_cond_signal(&loader->changed);
	pthread_mutex_unlock(&loader->lock);
	pthread_join(loader->thread, NULL);
	pthread_cond_destroy(&loader->changed);
	pthread_mutex_destroy(&loader->lock);
	free(loader);
}

void
loader_post(struct loader *loader, struct inbox_item *item)
{
	if (loader->is_here) {
		item->run(item);
		return;
	}
	item->next = NULL;
	pthread_mutex_lock(&loader->lock);
	*loader->last = item;
	loader->last = &item->next;
	pthread_cond_signal(&loader->changed);
	pthread_mutex_unlock(&loader->lock);
}
