/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "fiber/stack_guard.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#if !defined(MADV_GUARD_INSTALL)
#define MADV_GUARD_INSTALL 102
#endif

enum {
	/* The kernel's default, for when it cannot be read. */
	MAX_MAP_COUNT = 65530,
	/* A guard splits a mapping: itself and what is above it. */
	MAPPINGS_PER_GUARD = 2
};

static pthread_once_t guard_once = PTHREAD_ONCE_INIT;
static enum stack_guard_kind guard_kind;
static size_t guard_max_mappings;

/* Guards in existence, of either kind. */
static atomic_size_t guard_count;

static size_t
stack_guard_read_max_map_count(void)
{
	FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
	size_t count = MAX_MAP_COUNT;

	if (file == NULL)
		return count;
	if (fscanf(file, "%zu", &count) != 1)
		count = MAX_MAP_COUNT;
	fclose(file);
	return count;
}

/* On a mapping of its own: what the answer is does not depend on anything done before. An
 * emulator says yes to advice that it does not know, so the guard must show itself: the
 * kernel cannot write into it. */
static bool
stack_guard_mark_works(void)
{
	size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool works;

	if (page == MAP_FAILED)
		return false;
	works = madvise(page, bytes, MADV_GUARD_INSTALL) == 0 && getrandom(page, 1, GRND_NONBLOCK) != 1;
	munmap(page, bytes);
	return works;
}

/* An eighth of the mappings stays for libraries, malloc and large buffers. */
static void
stack_guard_probe(void)
{
	size_t count = stack_guard_read_max_map_count();

	guard_max_mappings = count - count / 8;
	guard_kind = stack_guard_mark_works() ? STACK_GUARD_MARK : STACK_GUARD_MAPPING;
}

enum stack_guard_kind
stack_guard_kind(void)
{
	pthread_once(&guard_once, stack_guard_probe);
	return guard_kind;
}

void
stack_guard_force_mappings(size_t max_mappings)
{
	pthread_once(&guard_once, stack_guard_probe);
	guard_kind = STACK_GUARD_MAPPING;
	if (max_mappings > 0)
		guard_max_mappings = max_mappings;
}

static bool
stack_guard_mark(void *low, size_t bytes)
{
	int tries = 100;

	/* The kernel gives up when others keep faulting pages in; nobody does that here. */
	while (tries-- > 0) {
		if (madvise(low, bytes, MADV_GUARD_INSTALL) == 0)
			return true;
		if (errno != EINTR && errno != EAGAIN)
			break;
	}
	return false;
}

static bool
stack_guard_map(void *low, size_t bytes, size_t number, const char **reason_r)
{
	if (number * MAPPINGS_PER_GUARD > guard_max_mappings) {
		*reason_r = "the guards of more stacks would use up the process's mappings; "
			    "raise vm.max_map_count or run Linux 6.13 or later";
		return false;
	}
	if (mprotect(low, bytes, PROT_NONE) != 0) {
		*reason_r = errno == ENOMEM ?
			"no memory or no mapping left for a stack's guard; vm.max_map_count may help" :
			"a stack's guard cannot be protected";
		return false;
	}
	return true;
}

bool
stack_guard_install(void *low, size_t bytes, const char **reason_r)
{
	enum stack_guard_kind kind = stack_guard_kind();
	size_t number = atomic_fetch_add_explicit(&guard_count, 1, memory_order_relaxed) + 1;

	/* Locked memory (mlockall) knows no marks, so each guard may fall back by itself. */
	if (kind == STACK_GUARD_MARK && stack_guard_mark(low, bytes))
		return true;
	if (stack_guard_map(low, bytes, number, reason_r))
		return true;
	atomic_fetch_sub_explicit(&guard_count, 1, memory_order_relaxed);
	return false;
}

void
stack_guard_forget(size_t count)
{
	atomic_fetch_sub_explicit(&guard_count, count, memory_order_relaxed);
}
