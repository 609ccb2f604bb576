/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/crash.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/status_page.h"
#include "cell/crash_frames.h"
#include "cell/crash_trace.h"
#include "fiber/stack.h"
#include "runtime/await.h"
#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "service/hop.h"

#define CRASH_STACK_BYTES (64 * 1024)

/* Below that nothing is ever mapped: the member of what NULL points to. */
#define CRASH_NULL_BYTES 65536

static struct status_page crash_page_copy;
static struct status_page *crash_page; /* that; NULL: none yet */
static struct sigaction crash_former[NSIG];
static int crash_tells = -1;

/* NULL: there is no page. */
static struct crash_area *
crash_area(void)
{
	return crash_page != NULL && crash_page->head != NULL ? status_page_crash_area(crash_page) : NULL;
}
static __thread void *crash_stack;
static __thread bool crash_loads;     /* the thread runs what the page says is being loaded */

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};

/* What a fault at address is, while task ran; sent: it is none, somebody sent the signal. Only what a handler may call. */
static enum crash_kind
crash_kind_of(int number, uintptr_t address, bool sent, const struct task *task)
{
	if (sent)
		return CRASH_SIGNAL;
	if (task != NULL && (number == SIGSEGV || number == SIGBUS) &&
		stack_guard_holds(&task->stack, task->class->bytes, address))
		return CRASH_STACK_OVERFLOW;
	switch (number) {
	case SIGABRT:
		return CRASH_ABORT;
	case SIGSEGV:
		return address < CRASH_NULL_BYTES ? CRASH_NULL_POINTER : CRASH_WILD_POINTER;
	case SIGBUS:
		return CRASH_BUS_ERROR;
	case SIGILL:
		return CRASH_ILLEGAL;
	case SIGFPE:
		return CRASH_ARITHMETIC;
	default:
		return CRASH_SIGNAL;
	}
}

/* What to say about it. */
static const char *
crash_text(int number, enum crash_kind kind)
{
	switch (kind) {
	case CRASH_STACK_OVERFLOW:
		return "stack overflow: the task used up its stack (raise 'stack' of the service)";
	case CRASH_NULL_POINTER:
		return "access through a null pointer";
	case CRASH_WILD_POINTER:
		return "access to memory that is not there";
	case CRASH_BUS_ERROR:
		return "access behind the end of a mapped file, or misaligned";
	case CRASH_ILLEGAL:
		return "an instruction that does not exist, or a trap";
	case CRASH_ARITHMETIC:
		return "an arithmetic fault, such as a division by zero";
	case CRASH_ABORT:
		return "abort() was called";
	default:
		return number == SIGSYS ? "killed by a signal" : "the signal was sent, by raise() or kill()";
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

/* Once: the first crash is the one that matters. */
static void
crash_write_trace(enum crash_kind kind, const void *context)
{
	struct crash_area *area = crash_area();
	struct crash_trace *trace;

	if (area == NULL || atomic_load_explicit(&area->crash.state, memory_order_relaxed) != 0)
		return;
	trace = &area->crash;
	crash_trace_begin(trace);
	if (kind == CRASH_ABORT)
		kind = crash_trace_abort_kind(trace);
	crash_trace_fill(trace, kind, context);
	crash_trace_end(trace);
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
	if (!crash_loads && (here == NULL || here->current == NULL))
		return;
	status_page_write_crash(crash_page, 0, 0, here != NULL ? here->index : UINT32_MAX,
		"exit() was called");
	if (here != NULL)
		hop_note_crash(here);
	crash_write_trace(CRASH_EXIT, NULL);
	crash_trace_blame();
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

/* What the C library said before it called abort() says more than that it did. */
static void
crash_explain_abort(void)
{
	static struct crash_trace_view view; /* the stack of a handler is small */
	char text[STATUS_TEXT_SIZE] = "";

	if (crash_area() == NULL || !crash_trace_read(&crash_area()->crash, &view) || view.abort[0] == '\0')
		return;
	crash_append(text, sizeof text, "abort() was called: ");
	crash_append(text, sizeof text, view.abort);
	status_page_explain_crash(crash_page, text);
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

/* What takes a walk over the stack, and memory that may be broken: after the essence is written. */
static void
crash_look_around(int number, uintptr_t address, enum crash_kind kind, const void *context)
{
	crash_write_trace(kind, context);
	if (kind == CRASH_ABORT)
		crash_explain_abort();
	crash_explain(number, address, crash_text(number, kind), scheduler_here);
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
	enum crash_kind kind;

	sigaction(number, &crash_former[number], NULL);
	if (sent && info->si_pid != getpid())
		status_page_set_loading(crash_page, STATUS_NO_SLOT);
	crash_name_culprit(here);
	kind = crash_kind_of(number, address, sent && !(number == SIGABRT && info->si_pid == getpid()), task);
	status_page_write_crash(crash_page, number, address, here != NULL ? here->index : UINT32_MAX,
		crash_text(number, kind));
	if (here != NULL)
		hop_note_crash(here);
	if (here == NULL && await_elsewhere != NULL && !(sent && info->si_pid != getpid())) {
		struct status_name name = status_name_make(await_elsewhere->name);

		hop_note_crash_elsewhere(await_elsewhere);
		status_page_blame(crash_page, await_elsewhere->slot, &name);
	}
	if (kind == CRASH_SIGNAL)
		crash_write_trace(kind, context);
	else
		crash_look_around(number, address, kind, context);
	/* What comes from outside is nobody's fault. */
	if (!sent || info->si_pid == getpid())
		crash_trace_blame();
	if (crash_tells >= 0 && write(crash_tells, "", 1) < 0)
		errno = 0;
	if (sent)
		raise(number);
}

/* Where the loop of this thread is, when somebody asks. It goes on. */
static void
crash_on_stall(int number, siginfo_t *info, void *context)
{
	const struct scheduler *here = scheduler_here;
	int error = errno;

	(void)number;
	(void)info;
	if (here != NULL && here->index < CRASH_LOOPS && crash_area() != NULL) {
		struct crash_trace *trace = &crash_area()->stalls[here->index];

		crash_trace_begin(trace);
		crash_trace_fill(trace, CRASH_STALLED, context);
		crash_trace_end(trace);
		hop_note_stall(here);
		/* In case that it never comes round; else it will end, and nobody looks at that. */
		crash_trace_blame();
	}
	errno = error;
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

/* The same for the question where a loop is. */
static struct sigaction
crash_stall_action(void)
{
	struct sigaction action = crash_action();

	action.sa_sigaction = crash_on_stall;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
	sigfillset(&action.sa_mask);
	return action;
}

int
crash_handle_again(void)
{
	struct sigaction action = crash_action(), stall = crash_stall_action(), now;
	int first = 0;
	size_t i;

	if (crash_page != NULL)
		sigaction(CRASH_STALL_SIGNAL, &stall, NULL);

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
crash_see_objects(void)
{
	if (crash_area() != NULL)
		crash_trace_see_objects(crash_area());
}

/* What was said is what has happened, for who looks at the crash. */
static void
crash_on_log(const struct log_record *record, void *arg)
{
	(void)arg;
	crash_area_add_event(crash_area(), record->wall_ns, record->level,
		record->subject, record->text);
}

void
crash_tell(int fd)
{
	crash_tells = fd;
}

void
crash_use_loop(uint32_t loop)
{
	if (crash_area() != NULL && loop < CRASH_LOOPS)
		atomic_store_explicit(&crash_area()->tids[loop], (uint64_t)gettid(),
			memory_order_relaxed);
}

void
crash_install(const struct status_page *page)
{
	struct sigaction action = crash_action(), stall = crash_stall_action();
	size_t i;

	crash_page_copy = *page;
	crash_page = &crash_page_copy;
	crash_frames_prepare();
	crash_trace_prepare();
	crash_see_objects();
	sigaction(CRASH_STALL_SIGNAL, &stall, NULL);
	if (crash_area() != NULL)
		log_set_hook(crash_on_log, NULL);
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
