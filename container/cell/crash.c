/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/crash.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/status_page.h"
#include "cell/crash_frames.h"
#include "fiber/stack.h"
#include "runtime/await.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"

#define CRASH_STACK_BYTES (64 * 1024)

/* Below that nothing is ever mapped: the member of what NULL points to. */
#define CRASH_NULL_BYTES 65536

static struct status_page crash_page_copy;
static struct status_page *crash_page; /* that; NULL: none yet */
static struct sigaction crash_former[NSIG];
static __thread void *crash_stack;
static __thread bool crash_loads;     /* the thread runs what the page says is being loaded */

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};

/* What to say about a fault at address while task ran. Only what a handler may call. */
static const char *
crash_text(int number, uintptr_t address, const struct task *task)
{
	if (number == SIGABRT)
		return "abort() was called";
	if (task != NULL && (number == SIGSEGV || number == SIGBUS) &&
		stack_guard_holds(&task->stack, task->class->bytes, address))
		return "stack overflow: the task used up its stack (raise 'stack' of the service)";
	switch (number) {
	case SIGSEGV:
		return address < CRASH_NULL_BYTES ? "access through a null pointer" : "access to memory that is not there";
	case SIGBUS:
		return "access behind the end of a mapped file, or misaligned";
	case SIGILL:
		return "an instruction that does not exist, or a trap";
	case SIGFPE:
		return "an arithmetic fault, such as a division by zero";
	default:
		return "killed by a signal";
	}
}

/* In whose code the calling thread is, for a record that is about to be written. */
static void
crash_name_culprit(const struct scheduler *here)
{
	if (!crash_loads)
		status_page_set_loading(crash_page, STATUS_NO_SLOT);
	if (here != NULL && here->current != NULL) {
		uint32_t slot = atomic_load_explicit(&here->status->slot, memory_order_relaxed);
		struct status_name name = status_name_make(here->current->name);

		status_loop_set_task(here->status, slot, &name);
	}
}

/* exit() by a service's code: several may be at work, so it has to be said who it was. No
 * atexit(): with that, TSan's own end waits for ever. */
static __attribute__((destructor)) void
crash_on_exit(void)
{
	const struct scheduler *here = scheduler_here;

	if (crash_page == NULL)
		return;
	crash_name_culprit(here);
	if (crash_loads || (here != NULL && here->current != NULL))
		status_page_write_crash(crash_page, 0, 0, here != NULL ? here->index : UINT32_MAX,
			"exit() was called");
}

/* Appends as much as there is room for. */
static void
crash_append(char *text, size_t size, const char *more)
{
	size_t length = strlen(text);

	while (length + 1 < size && *more != '\0')
		text[length++] = *more++;
	text[length] = '\0';
}

/* A plugin had called a function of ours: says which, and what the mistake most likely is. After
 * the record has been written: the stack may be such that to walk it is a fault, too. */
static void
crash_explain(int number, uintptr_t address, const char *reason, const struct scheduler *here)
{
	struct status_name name = status_name_make("a thread of its own");
	bool foreign = here == NULL && await_elsewhere == NULL;
	char text[STATUS_TEXT_SIZE] = "";
	struct crash_place place;

	crash_frames_find(&place);
	if (foreign && !crash_loads && place.slot != STATUS_NO_SLOT)
		status_page_blame(crash_page, place.slot, &name);
	if (place.function == NULL || (number != SIGSEGV && number != SIGBUS && number != SIGABRT))
		return;
	crash_append(text, sizeof text, reason);
	crash_append(text, sizeof text, ", in ");
	crash_append(text, sizeof text, place.function);
	if (foreign)
		crash_append(text, sizeof text, "(), on a thread that is no loop [misuse-thread]");
	else if (number == SIGSEGV && address < CRASH_NULL_BYTES)
		crash_append(text, sizeof text, "(): was it given NULL? [misuse-null]");
	else
		crash_append(text, sizeof text, "(): was it given what is freed already? [misuse-freed]");
	status_page_explain_crash(crash_page, text);
}

/* Returns: what was there before us is back by then, so the fault happens again, and ends us or is
 * reported by a sanitizer, which ends us. A signal that was sent does not come again by itself;
 * it has no address either, and if another process sent it, nobody here is to blame. */
static void
crash_handle(int number, siginfo_t *info, void *context)
{
	bool sent = info->si_code <= 0;
	const struct scheduler *here = sent && info->si_pid != getpid() ? NULL : scheduler_here;
	const struct task *task = here != NULL ? here->current : NULL;
	uintptr_t address = sent ? 0 : (uintptr_t)info->si_addr;

	(void)context;
	sigaction(number, &crash_former[number], NULL);
	if (sent && info->si_pid != getpid())
		status_page_set_loading(crash_page, STATUS_NO_SLOT);
	crash_name_culprit(here);
	status_page_write_crash(crash_page, number, address, here != NULL ? here->index : UINT32_MAX,
		sent && number != SIGABRT ? "the signal was sent, by raise() or kill()" :
		crash_text(number, address, task));
	if (here == NULL && await_elsewhere != NULL && !(sent && info->si_pid != getpid())) {
		struct status_name name = status_name_make(await_elsewhere->name);

		status_page_blame(crash_page, await_elsewhere->slot, &name);
	}
	if (!sent || (number == SIGABRT && info->si_pid == getpid()))
		crash_explain(number, address, crash_text(number, address, task), here);
	if (sent)
		raise(number);
}

static struct sigaction
crash_action(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_sigaction = crash_handle;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	sigemptyset(&action.sa_mask);
	return action;
}

int
crash_handle_again(void)
{
	struct sigaction action = crash_action(), now;
	int first = 0;
	size_t i;

	for (i = 0; crash_page != NULL && i < sizeof crash_signals / sizeof crash_signals[0]; i++) {
		int number = crash_signals[i];

		if (sigaction(number, NULL, &now) != 0 ||
			((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == crash_handle))
			continue;
		sigaction(number, &action, NULL);
		first = first == 0 ? number : first;
	}
	return first;
}

void
crash_set_loading(uint32_t slot)
{
	crash_loads = slot != STATUS_NO_SLOT;
	if (crash_page != NULL)
		status_page_set_loading(crash_page, slot);
}

void
crash_install(const struct status_page *page)
{
	struct sigaction action = crash_action();
	size_t i;

	crash_page_copy = *page;
	crash_page = &crash_page_copy;
	crash_frames_prepare();
	for (i = 0; i < sizeof crash_signals / sizeof crash_signals[0]; i++)
		sigaction(crash_signals[i], &action, &crash_former[crash_signals[i]]);
}

void
crash_use_thread(void)
{
	stack_t stack = {.ss_size = CRASH_STACK_BYTES};

	crash_stack = malloc(CRASH_STACK_BYTES);
	stack.ss_sp = crash_stack;
	if (crash_stack != NULL)
		sigaltstack(&stack, NULL);
}

void
crash_leave_thread(void)
{
	stack_t none = {.ss_flags = SS_DISABLE};

	sigaltstack(&none, NULL);
	free(crash_stack);
	crash_stack = NULL;
}
