/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "cell/crash_trace.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "runtime/scheduler.h"
#include "runtime/task.h"
#include "service/message.h"
#include "service/peer.h"
#include "service/request.h"

/* As glibc has it; it tells debuggers, and us. */
struct crash_abort_message {
	unsigned size;
	char text[];
};

static struct crash_abort_message *const *crash_abort_message;

static void
crash_set(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

static uint64_t
crash_get(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

/* Copies memory that may not be there. False: it is not, or the kernel does not do that for us. */
static bool
crash_peek(const void *from, void *to, size_t size)
{
	struct iovec here = {to, size}, there = {(void *)(uintptr_t)from, size};

	return syscall(SYS_process_vm_readv, (long)getpid(), &here, 1L, &there, 1L, 0L) == (long)size;
}

/* --- where the thread is ------------------------------------------------------------------ */

/* The frames of the handler itself are left out: the walk begins behind that of the signal. */
struct crash_walk {
	struct crash_trace *trace;
	bool interrupted; /* the next frame is that of the fault */
	size_t count;
	size_t skipped;
};

enum { CRASH_OWN_FRAMES = 12 };

static _Unwind_Reason_Code
crash_trace_frame(struct _Unwind_Context *context, void *arg)
{
	struct crash_walk *walk = arg;
	int is_exact = 0;
	uintptr_t pc = _Unwind_GetIPInfo(context, &is_exact);

	if (pc == 0 || walk->count == CRASH_FRAMES)
		return _URC_END_OF_STACK;
	/* The kernel's own frame is where the signal came: what is exact is the one behind it. */
	if (is_exact != 0)
		walk->interrupted = true;
	if (!walk->interrupted)
		return ++walk->skipped < CRASH_OWN_FRAMES ? _URC_NO_REASON : _URC_END_OF_STACK;
	crash_set(&walk->trace->frames[walk->count++], pc - (is_exact == 0));
	crash_set(&walk->trace->frame_count, walk->count);
	return _URC_NO_REASON;
}

static void
crash_trace_add_frame(struct crash_trace *trace, uintptr_t pc)
{
	uint64_t count = crash_get(&trace->frame_count);

	crash_set(&trace->frames[count], pc);
	crash_set(&trace->frame_count, count + 1);
}

/* Where nothing is known of the code, as after a call through a bad pointer: the place itself, and
 * the one that it would have returned to. */
static void
crash_trace_lost(struct crash_trace *trace, const ucontext_t *context)
{
	uintptr_t pc = 0, back = 0;

#if defined(__x86_64__)
	pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
	if (!crash_peek((const void *)(uintptr_t)context->uc_mcontext.gregs[REG_RSP], &back, sizeof(back)))
		back = 0;
#elif defined(__aarch64__)
	pc = context->uc_mcontext.pc;
	back = context->uc_mcontext.regs[30];
#else
	(void)context;
#endif
	crash_trace_add_frame(trace, pc);
	if (back != 0)
		crash_trace_add_frame(trace, back - 1);
}

static void
crash_trace_thread(struct crash_trace *trace)
{
	char name[CRASH_THREAD_SIZE] = "";

	(void)prctl(PR_GET_NAME, name);
	crash_put_text(trace->thread, sizeof(trace->thread), name);
	crash_set(&trace->tid, (uint64_t)syscall(SYS_gettid));
}

/* --- what it works on ----------------------------------------------------------------------- */

static void
crash_trace_message(struct crash_trace *trace, const struct bay_request *at, const struct bay_request *above)
{
	struct bay_message message;
	struct bay_request request;
	char begin[CRASH_MESSAGE_SIZE];
	size_t size;

	if (at == NULL || !crash_peek(at, &request, sizeof(request)))
		return;
	message.size = 0;
	if (request.message != NULL && !crash_peek(request.message, &message, sizeof(message)))
		return;
	size = message.size < sizeof(begin) ? message.size : sizeof(begin);
	if (size > 0 && !crash_peek(request.message->data, begin, size))
		return;
	crash_put_bytes(trace->message, sizeof(trace->message), begin, size);
	crash_set(&trace->message_size, message.size);
	/* A leaf, which has none of its own yet, works for its caller. */
	if (trace_id_is_none(&request.trace.id) && above != NULL && !crash_peek(above, &request, sizeof(request)))
		return;
	crash_set(&trace->trace_high, request.trace.id.high);
	crash_set(&trace->trace_low, request.trace.id.low);
	crash_set(&trace->has_message, 1);
}

/* The last first. */
static void
crash_trace_awaits(struct crash_trace *trace, const struct scheduler *here)
{
	size_t count = 0;

	for (unsigned back = 1; back <= SCHEDULER_AWAITS && count < CRASH_AWAITS; back++) {
		const struct scheduler_await *await =
			&here->awaits[(here->await_count - back) % SCHEDULER_AWAITS];
		char function[CRASH_AWAIT_SIZE];

		if (await->function == NULL || await->task_id != here->current->id)
			continue;
		if (!crash_peek(await->function, function, 1))
			break;
		crash_put_text(trace->awaits[count].function, sizeof(function), await->function);
		crash_set(&trace->awaits[count++].where, (uintptr_t)await->where);
	}
	crash_set(&trace->await_count, count);
}

void
crash_trace_fill(struct crash_trace *trace, enum crash_kind kind, const void *context)
{
	const struct scheduler *here = scheduler_here;
	struct crash_walk walk = {.trace = trace, .interrupted = context == NULL};

	crash_set(&trace->kind, kind);
	crash_set(&trace->pass, here != NULL ? crash_get(&here->status->passes) : 0);
	crash_trace_thread(trace);
	if (here != NULL && here->current != NULL) {
		crash_trace_message(trace, here->leaf != NULL ? here->leaf : here->current->request,
			here->current->request);
		crash_trace_awaits(trace, here);
	}
	(void)_Unwind_Backtrace(crash_trace_frame, &walk);
	if (walk.count == 0 && context != NULL)
		crash_trace_lost(trace, context);
}

/* Also of the one that called a service on this thread, for which it does that. */
void
crash_trace_blame(void)
{
	const struct scheduler *here = scheduler_here;

	if (here == NULL || here->current == NULL)
		return;
	if (here->leaf != NULL)
		peer_blame(here->leaf);
	for (const struct task *task = here->current; task != NULL; task = task->caller)
		if (task->request != NULL)
			peer_blame(task->request);
}

/* --- abort -------------------------------------------------------------------------------------- */

void
crash_trace_prepare(void)
{
	crash_abort_message = dlvsym(RTLD_DEFAULT, "__abort_msg", "GLIBC_PRIVATE");
}

enum crash_kind
crash_trace_abort_kind(struct crash_trace *trace)
{
	static const struct {
		const char *part;
		enum crash_kind kind;
	} kinds[] = {
		{"double free", CRASH_DOUBLE_FREE},
		{"stack smashing", CRASH_STACK_SMASHING},
		{"Assertion", CRASH_ASSERTION},
		/* What malloc says begins with its own name or that of a function of its. */
		{"free(): ", CRASH_HEAP},
		{"malloc", CRASH_HEAP},
		{"realloc(): ", CRASH_HEAP},
		{"munmap_chunk(): ", CRASH_HEAP},
		{"corrupted ", CRASH_HEAP},
	};
	const struct crash_abort_message *at = NULL;
	char text[CRASH_ABORT_SIZE] = "";

	if (crash_abort_message == NULL || !crash_peek(crash_abort_message, &at, sizeof(at)) || at == NULL)
		return CRASH_ABORT;
	/* It lies in a mapping of its own; what is behind the text may be its end. */
	for (size_t i = 0; i < sizeof(text) - 1 && crash_peek(&at->text[i], &text[i], 1); i++)
		if (text[i] == '\0' || text[i] == '\n')
			break;
	text[strcspn(text, "\n")] = '\0';
	crash_put_text(trace->abort, sizeof(trace->abort), text);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strstr(text, kinds[i].part) != NULL)
			return kinds[i].kind;
	return CRASH_ABORT;
}

/* --- what is loaded ------------------------------------------------------------------------------- */

struct crash_look {
	struct crash_area *area;
	bool seen[CRASH_OBJECTS];
};

/* With AddressSanitizer there is poison between the notes of an object. */
__attribute__((no_sanitize("address"))) static void
crash_object_set_build_id(struct crash_object *object, const struct dl_phdr_info *info,
	const ElfW(Phdr) *segment)
{
	const char *at = (const char *)(info->dlpi_addr + segment->p_vaddr);
	size_t left = segment->p_memsz;

	while (left >= sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)(const void *)at;
		size_t name = (note->n_namesz + (size_t)3) & ~(size_t)3;
		size_t size = sizeof(*note) + name + ((note->n_descsz + (size_t)3) & ~(size_t)3);

		if (size > left)
			return;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
			memcmp(at + sizeof(*note), "GNU", 4) == 0) {
			crash_set(&object->build_id_size,
				note->n_descsz < CRASH_BUILD_ID_SIZE ? note->n_descsz : CRASH_BUILD_ID_SIZE);
			crash_put_bytes(object->build_id, CRASH_BUILD_ID_SIZE, at + sizeof(*note) + name,
				note->n_descsz);
			return;
		}
		at += size;
		left -= size;
	}
}

/* The program itself has no name there. */
static void
crash_object_set_path(struct crash_object *object, const char *name)
{
	char path[CRASH_PATH_SIZE] = "";

	if (*name == '\0' && readlink("/proc/self/exe", path, sizeof(path) - 1) > 0)
		name = path;
	crash_put_text(object->path, sizeof(object->path), name);
}

static void
crash_object_fill(struct crash_object *object, const struct dl_phdr_info *info, uint64_t start,
	uint64_t end)
{
	crash_set(&object->start, start);
	crash_set(&object->bias, info->dlpi_addr);
	crash_set(&object->build_id_size, 0);
	for (size_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_NOTE && crash_get(&object->build_id_size) == 0)
			crash_object_set_build_id(object, info, &info->dlpi_phdr[i]);
	crash_object_set_path(object, info->dlpi_name);
	atomic_store_explicit(&object->end, end, memory_order_release);
}

static int
crash_look_at(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct crash_look *look = arg;
	uint64_t start = UINT64_MAX, end = 0;
	size_t i, row = CRASH_OBJECTS;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uint64_t at = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type != PT_LOAD)
			continue;
		start = at < start ? at : start;
		end = at + segment->p_memsz > end ? at + segment->p_memsz : end;
	}
	for (i = 0; i < CRASH_OBJECTS; i++) {
		const struct crash_object *object = &look->area->objects[i];

		if (crash_get(&object->end) == end && crash_get(&object->start) == start) {
			look->seen[i] = true;
			return 0;
		}
		if (crash_get(&object->end) == 0 && row == CRASH_OBJECTS)
			row = i;
	}
	if (row == CRASH_OBJECTS || end == 0)
		return 0;
	crash_object_fill(&look->area->objects[row], info, start, end);
	look->seen[row] = true;
	return 0;
}

/* What has gone makes room first: something else may be where it was. */
void
crash_trace_see_objects(struct crash_area *area)
{
	struct crash_look look = {.area = area};

	dl_iterate_phdr(crash_look_at, &look);
	for (size_t i = 0; i < CRASH_OBJECTS; i++)
		if (!look.seen[i])
			atomic_store_explicit(&area->objects[i].end, 0, memory_order_release);
}
