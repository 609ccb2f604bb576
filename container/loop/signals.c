/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "loop/signals.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/alloc.h"

struct signals {
	signals_fn *fn;
	void *arg;
	size_t count;
	struct event *events[];
};

static void
signals_fill(sigset_t *set, const int *numbers, size_t count)
{
	sigemptyset(set);
	for (size_t i = 0; i < count; i++)
		sigaddset(set, numbers[i]);
}

void
signals_block(const int *numbers, size_t count)
{
	sigset_t set;

	signals_fill(&set, numbers, count);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void
signals_on_signal(evutil_socket_t number, short events, void *arg)
{
	struct signals *signals = arg;

	(void)events;
	signals->fn((int)number, signals->arg);
}

struct signals *
signals_watch(struct event_base *base, const int *numbers, size_t count, signals_fn *fn,
	void *arg)
{
	struct signals *signals =
		xcalloc(1, sizeof(*signals) + count * sizeof(*signals->events));
	sigset_t set;

	signals->fn = fn;
	signals->arg = arg;
	signals->count = count;
	for (size_t i = 0; i < count; i++) {
		signals->events[i] = evsignal_new(base, numbers[i], signals_on_signal, signals);
		if (signals->events[i] == NULL || event_add(signals->events[i], NULL) != 0) {
			signals_destroy(signals);
			return NULL;
		}
	}
	/* Only now: one that is pending arrives at once, and finds a handler. */
	signals_fill(&set, numbers, count);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return signals;
}

void
signals_destroy(struct signals *signals)
{
	if (signals == NULL)
		return;
	for (size_t i = 0; i < signals->count; i++) {
		if (signals->events[i] != NULL)
			event_free(signals->events[i]);
	}
	free(signals);
}

void
signals_ignore_sigpipe(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigemptyset(&ignore.sa_mask);
	sigaction(SIGPIPE, &ignore, NULL);
}
