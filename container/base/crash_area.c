/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/crash_area.h"

#include <stdio.h>
#include <string.h>

static uint64_t
crash_load(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static void
crash_store(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

const char *
crash_kind_name(enum crash_kind kind)
{
	static const char *const names[] = {
#define CRASH_NAME(constant, name, help) name,
		CRASH_KINDS(CRASH_NAME)
#undef CRASH_NAME
	};

	return (unsigned)kind < CRASH_KIND_COUNT ? names[kind] : names[CRASH_UNKNOWN];
}

const char *
crash_kind_text(enum crash_kind kind)
{
	static const char *const texts[] = {
#define CRASH_TEXT(constant, name, help) help,
		CRASH_KINDS(CRASH_TEXT)
#undef CRASH_TEXT
	};

	return (unsigned)kind < CRASH_KIND_COUNT ? texts[kind] : texts[CRASH_UNKNOWN];
}

/* --- writing --------------------------------------------------------------------------- */

void
crash_put_bytes(_Atomic uint64_t *words, size_t size, const void *data, size_t data_size)
{
	const char *from = data;

	for (size_t i = 0; i < size / 8; i++) {
		size_t left = data_size > i * 8 ? data_size - i * 8 : 0;
		uint64_t word = 0;

		memcpy(&word, left > 0 ? from + i * 8 : from, left < 8 ? left : 8);
		crash_store(&words[i], word);
	}
}

void
crash_put_text(_Atomic uint64_t *words, size_t size, const char *text)
{
	size_t length = 0;

	while (length < size - 1 && text[length] != '\0')
		length++;
	crash_put_bytes(words, size, text, length);
}

void
crash_trace_begin(struct crash_trace *trace)
{
	crash_store(&trace->state, crash_load(&trace->state) | 1);
	atomic_thread_fence(memory_order_release);
	crash_store(&trace->frame_count, 0);
	crash_store(&trace->await_count, 0);
	crash_store(&trace->has_message, 0);
	crash_store(&trace->abort[0], 0);
}

void
crash_trace_end(struct crash_trace *trace)
{
	atomic_store_explicit(&trace->state, crash_load(&trace->state) + 1, memory_order_release);
}

void
crash_area_add_event(struct crash_area *area, int64_t wall_ns, unsigned level, const char *subject,
	const char *text)
{
	uint64_t number = crash_load(&area->event_count) + 1;
	struct crash_event *event = &area->events[(number - 1) % CRASH_EVENTS];
	char line[CRASH_EVENT_SIZE];

	snprintf(line, sizeof(line), "%s%s%s", subject != NULL ? subject : "", subject != NULL ? ": " : "",
		text);
	crash_store(&event->number, 0);
	atomic_thread_fence(memory_order_release);
	crash_store(&event->wall_ns, (uint64_t)wall_ns);
	crash_store(&event->level, level);
	crash_put_text(event->text, sizeof(event->text), line);
	atomic_store_explicit(&event->number, number, memory_order_release);
	crash_store(&area->event_count, number);
}

/* --- reading ---------------------------------------------------------------------------- */

static void
crash_get_bytes(void *to, const _Atomic uint64_t *words, size_t size)
{
	for (size_t i = 0; i < size / 8; i++) {
		uint64_t word = crash_load(&words[i]);

		memcpy((char *)to + i * 8, &word, sizeof(word));
	}
}

static void
crash_get_text(char *to, const _Atomic uint64_t *words, size_t size)
{
	crash_get_bytes(to, words, size);
	to[size - 1] = '\0';
}

static size_t
crash_clamp(uint64_t count, size_t max)
{
	return count < max ? (size_t)count : max;
}

bool
crash_trace_read(const struct crash_trace *trace, struct crash_trace_view *view)
{
	uint64_t state = atomic_load_explicit(&trace->state, memory_order_acquire);
	uint64_t kind;

	memset(view, 0, sizeof(*view));
	if (state == 0 || (state & 1) != 0)
		return false;
	kind = crash_load(&trace->kind);
	view->kind = kind < CRASH_KIND_COUNT ? (enum crash_kind)kind : CRASH_UNKNOWN;
	view->pass = crash_load(&trace->pass);
	view->tid = crash_load(&trace->tid);
	crash_get_text(view->thread, trace->thread, sizeof(view->thread));
	view->frame_count = crash_clamp(crash_load(&trace->frame_count), CRASH_FRAMES);
	for (size_t i = 0; i < view->frame_count; i++)
		view->frames[i] = crash_load(&trace->frames[i]);
	view->await_count = crash_clamp(crash_load(&trace->await_count), CRASH_AWAITS);
	for (size_t i = 0; i < view->await_count; i++) {
		view->awaits[i].where = crash_load(&trace->awaits[i].where);
		crash_get_text(view->awaits[i].function, trace->awaits[i].function, CRASH_AWAIT_SIZE);
	}
	view->has_message = crash_load(&trace->has_message) != 0;
	view->message_size = view->has_message ? crash_load(&trace->message_size) : 0;
	view->message_kept = crash_clamp(view->message_size, CRASH_MESSAGE_SIZE);
	crash_get_bytes(view->message, trace->message, CRASH_MESSAGE_SIZE);
	view->id = (struct trace_id){0, 0};
	if (view->has_message)
		view->id = (struct trace_id){crash_load(&trace->trace_high), crash_load(&trace->trace_low)};
	crash_get_text(view->abort, trace->abort, sizeof(view->abort));
	atomic_thread_fence(memory_order_acquire);
	return crash_load(&trace->state) == state;
}

bool
crash_area_find_object(const struct crash_area *area, uint64_t address, struct crash_object_view *view)
{
	for (size_t i = 0; i < CRASH_OBJECTS; i++) {
		const struct crash_object *object = &area->objects[i];

		view->end = atomic_load_explicit(&object->end, memory_order_acquire);
		view->start = crash_load(&object->start);
		if (address < view->start || address >= view->end)
			continue;
		view->bias = crash_load(&object->bias);
		view->build_id_size = crash_clamp(crash_load(&object->build_id_size), CRASH_BUILD_ID_SIZE);
		crash_get_bytes(view->build_id, object->build_id, CRASH_BUILD_ID_SIZE);
		crash_get_text(view->path, object->path, sizeof(view->path));
		return true;
	}
	return false;
}

size_t
crash_area_read_events(const struct crash_area *area, struct crash_event_view views[CRASH_EVENTS])
{
	uint64_t newest = crash_load(&area->event_count);
	uint64_t number = newest > CRASH_EVENTS ? newest - CRASH_EVENTS + 1 : 1;
	size_t count = 0;

	for (; number <= newest && count < CRASH_EVENTS; number++) {
		const struct crash_event *event = &area->events[(number - 1) % CRASH_EVENTS];
		struct crash_event_view *view = &views[count];

		if (atomic_load_explicit(&event->number, memory_order_acquire) != number)
			continue;
		view->wall_ns = (int64_t)crash_load(&event->wall_ns);
		view->level = (unsigned)crash_load(&event->level);
		crash_get_text(view->text, event->text, sizeof(view->text));
		count++;
	}
	return count;
}
