/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of <bay/memory.h>. A head of 16 bytes before each piece remembers its size
 * and the service that asked for it.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bay/memory.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/status_page.h"
#include "runtime/await.h"
#include "runtime/scheduler.h"
#include "service/bounds.h"
#include "service/instance.h"
#include "service/registry.h"
#include "service/service.h"

#define MEMORY_MAGIC 0x42617946u /* "BayF" */
#define MEMORY_FREED 0x64656164u

struct memory_head {
	size_t size;
	uint32_t magic;
	uint16_t service;   /* registry id */
	uint16_t counted;   /* 0: nobody's */
} __attribute__((aligned(16)));

/* So many more, or, below zero, less. */
static void
memory_count(const struct memory_head *head, uint64_t bytes)
{
	const struct scheduler *here = scheduler_here;
	const struct bay_service *service;

	if (!head->counted)
		return;
	service = registry_at(head->service);
	if (service->counters == NULL)
		return;
	if (here != NULL) {
		status_add(&service->counters[here->index].memory_bytes, bytes);
		status_add(&service->counters[here->index].memory_freed, bytes > INT64_MAX);
	} else {
		status_add_shared(&service->counters[service->columns].memory_bytes, bytes);
		status_add_shared(&service->counters[service->columns].memory_freed, bytes > INT64_MAX);
	}
}

/* Whose code asks, or NULL. */
static const struct bay_service *
memory_service(void)
{
	const struct bay_instance *instance = bay_instance_current();

	if (instance != NULL)
		return instance->service;
	return await_elsewhere != NULL ? await_elsewhere->service : NULL;
}

void *
bay_alloc(size_t size)
{
	const struct bay_service *service = memory_service();
	struct memory_head *head;

	if (size > SIZE_MAX - sizeof *head || !bounds_let_allocate(service, size))
		return NULL;
	head = alloc_try_zeroed(1, sizeof *head + size);
	if (head == NULL)
		return NULL;
	head->size = size;
	head->magic = MEMORY_MAGIC;
	if (service != NULL) {
		head->service = service->id;
		head->counted = 1;
	}
	memory_count(head, size);
	return head + 1;
}

/* The head of a piece that is alive; ends the process on anything else, since the heap
 * cannot be trusted any more. */
static struct memory_head *
memory_head_of(void *memory, const char *function)
{
	const struct bay_service *service = memory_service();
	struct memory_head *head = (struct memory_head *)memory - 1;

	if (head->magic == MEMORY_MAGIC)
		return head;
	log_error(service != NULL ? service->subject : NULL,
		"%s: %p was not given by bay_alloc(), or was %s [misuse-freed]", function, memory, head->magic == MEMORY_FREED ? "freed already" : "overwritten");
	abort();
}

void *
bay_resize(void *memory, size_t size)
{
	struct memory_head *head, *moved;
	size_t before;

	if (memory == NULL)
		return bay_alloc(size);
	head = memory_head_of(memory, "bay_resize");
	before = head->size;
	if (size > SIZE_MAX - sizeof *head ||
		(size > before && head->counted && !bounds_let_allocate(registry_at(head->service), size - before)))
		return NULL;
	moved = alloc_try_again(head, sizeof *head + size);
	if (moved == NULL)
		return NULL;
	if (size > before)
		memset((char *)(moved + 1) + before, 0, size - before);
	moved->size = size;
	memory_count(moved, (uint64_t)size - (uint64_t)before);
	return moved + 1;
}

void
bay_free(void *memory)
{
	struct memory_head *head;

	if (memory == NULL)
		return;
	head = memory_head_of(memory, "bay_free");
	memory_count(head, -(uint64_t)head->size);
	/* A compiler drops what is stored just before it is freed, unless it must not. */
	*(volatile uint32_t *)&head->magic = MEMORY_FREED;
	free(head);
}
