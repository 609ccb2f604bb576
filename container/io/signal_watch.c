/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of <bay/signal.h>. */
#include "config.h"

#include "io/signal_watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "io/signal_hub.h"
#include "runtime/belonging.h"
#include "runtime/waitable.h"

struct bay_signal {
	struct waitable waitable;      /* first; named like the signal */
	struct belonging belonging;
	struct signal_port port;
	struct bay_signal_info come;   /* and nobody has taken it; count 0: nothing */
};

static void
signal_give(struct bay_signal_info *info_r, const struct bay_signal_info *info)
{
	if (info_r != NULL)
		*info_r = *info;
}

bool
signal_take(struct bay_signal *signal, struct bay_signal_info *info_r)
{
	if (signal->come.count == 0)
		return false;
	signal_give(info_r, &signal->come);
	signal->come.count = 0;
	return true;
}

void
signal_await(struct signal_waiter *waiter, struct bay_signal *signal)
{
	waiter->waiter.waitable = &signal->waitable;
	list_push_back(&signal->waitable.waiters, &waiter->waiter.link);
}

/* Something has come to the loop. */
static void
signal_on_home(struct inbox_item *item)
{
	struct bay_signal *signal = container_of(item, struct bay_signal, port.home);
	struct bay_signal_info info;
	struct waiter *first;
	bool some = signal_port_take(&signal->port, &info);

	if (signal->waitable.closed) {
		waitable_leave(&signal->waitable);
		return;
	}
	if (!some)
		return;
	first = waitable_first(&signal->waitable);
	if (first != NULL) {
		signal_give(container_of(first, struct signal_waiter, waiter)->info_r, &info);
		waiter_wake(first, BAY_OK);
	} else {
		info.count += signal->come.count;
		signal->come = info;
	}
}

static void
signal_release(struct bay_signal *signal)
{
	belonging_remove(&signal->belonging);
	/* On its way home it is still needed. */
	if (signal_hub_leave(&signal->port))
		waitable_enter(&signal->waitable);
	waitable_close(&signal->waitable);
}

static void
signal_on_end(struct belonging *belonging)
{
	signal_release(container_of(belonging, struct bay_signal, belonging));
}

static void
signal_name(int number, char *text, size_t size)
{
	const char *name = sigabbrev_np(number);

	if (name != NULL)
		snprintf(text, size, "SIG%s", name);
	else
		snprintf(text, size, "%d", number);
}

int
bay_signal_open(int signo, struct bay_signal **signal_r)
{
	struct bay_signal *signal;
	const char *why;
	char name[16];
	int error;

	*signal_r = NULL;
	if (!AWAIT_BEGIN("bay_signal_open"))
		return BAY_INVALID;
	signal_name(signo, name, sizeof name);
	if (!signal_hub_allows(signo, &why)) {
		log_error(task_subject(task_current()), "bay_signal_open: signal %s: %s [misuse-argument]", name, why);
		return sigabbrev_np(signo) != NULL ? BAY_NOT_PERMITTED : BAY_INVALID;
	}
	signal = waitable_create(sizeof *signal, "signal", name);
	if (signal == NULL)
		return BAY_NO_MEMORY;
	signal->port.loop = &signal->waitable.scheduler->loop;
	signal->port.number = signo;
	signal->port.home.run = signal_on_home;
	error = signal_hub_join(&signal->port);
	if (error != 0) {
		waitable_close(&signal->waitable);
		return error == EMFILE || error == ENFILE ? BAY_FULL : BAY_NO_MEMORY;
	}
	belonging_add(&signal->belonging, "signal", signal_on_end);
	*signal_r = signal;
	return BAY_OK;
}

void
bay_signal_close(struct bay_signal *signal)
{
	if (signal != NULL && waitable_is_here(signal, "bay_signal_close"))
		signal_release(signal);
}

int
bay_signal_next(struct bay_signal *signal, struct bay_signal_info *info_r, int64_t deadline)
{
	struct task *self;
	struct signal_waiter waiter;

	if (!WAITABLE_BEGIN(signal, "bay_signal_next"))
		return BAY_INVALID;
	self = task_current();
	if (await_is_over(self))
		return await_over(self);
	if (signal_take(signal, info_r))
		return await_refused(self, BAY_OK);
	waiter_init(&waiter.waiter, AWAIT_CANCELABLE);
	waiter.info_r = info_r;
	signal_await(&waiter, signal);
	return task_await(&waiter.waiter, deadline);
}
