/* SPDX-License-Identifier: BSD-2-Clause */
/* The making of the page and the parts of it; reading is in status_page_read.c. */
#include "config.h"

#include "base/status_page.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

enum {
	STATUS_PAGE_BYTES = 4096,
	STATUS_CRASH_AT = 4096,
	STATUS_LOOPS_AT = STATUS_CRASH_AT +
		(sizeof(struct crash_area) + STATUS_PAGE_BYTES - 1) / STATUS_PAGE_BYTES * STATUS_PAGE_BYTES
};

_Static_assert(sizeof(struct status_head) <= STATUS_CRASH_AT, "the head has one page");
_Static_assert((int)CRASH_LOOPS == (int)STATUS_PAGE_LOOPS_MAX, "each loop may be stuck");
_Static_assert(offsetof(struct status_loop, names) <= 128, "what changes is in two cache lines");
_Static_assert(sizeof(struct hop_ring) % 64 == 0, "rings share no cache line");
_Static_assert(sizeof(struct hop_table) % 64 == 0, "nor does what is behind the table of hops");
_Static_assert(sizeof(struct status_gauges) == 64, "one cache line a queue");
_Static_assert(sizeof(struct status_guard) == 64, "one cache line a service");
_Static_assert(sizeof(struct status_counters) % 64 == 0, "counters share no cache line");

static size_t
status_page_hops_at(uint32_t loops)
{
	return STATUS_LOOPS_AT + loops * sizeof(struct status_loop);
}

static size_t
status_page_hop_table_at(uint32_t loops)
{
	return status_page_hops_at(loops) + (loops + (size_t)1) * sizeof(struct hop_ring);
}

static size_t
status_page_gauges_at(uint32_t loops)
{
	return status_page_hop_table_at(loops) + sizeof(struct hop_table);
}

static size_t
status_page_guards_at(uint32_t services, uint32_t loops)
{
	return status_page_gauges_at(loops) + services * sizeof(struct status_gauges);
}

static size_t
status_page_counters_at(uint32_t services, uint32_t loops)
{
	return status_page_guards_at(services, loops) + services * sizeof(struct status_guard);
}

static size_t
status_page_column_bytes(uint32_t loops)
{
	return (2 * loops + (size_t)1) * sizeof(struct status_counters);
}

size_t
status_page_size(uint32_t services, uint32_t loops)
{
	size_t size;

	if (services == 0 || services > STATUS_PAGE_SERVICES_MAX)
		return 0;
	if (loops == 0 || loops > STATUS_PAGE_LOOPS_MAX)
		return 0;
	size = status_page_counters_at(services, loops) +
		services * status_page_column_bytes(loops);
	return (size + STATUS_PAGE_BYTES - 1) / STATUS_PAGE_BYTES * STATUS_PAGE_BYTES;
}

static bool
status_page_map(struct status_page *page, int fd, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return false;
	madvise(at, size, MADV_DONTDUMP);
	page->head = at;
	page->size = size;
	return true;
}

int
status_page_create(struct status_page *page, const char *name, uint32_t services,
	uint32_t loops)
{
	size_t size = status_page_size(services, loops);
	int fd;

	*page = (struct status_page){0};
	if (size == 0) {
		errno = EINVAL;
		return -1;
	}
	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)size) != 0 ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0 ||
		!status_page_map(page, fd, size)) {
		fd_close(&fd);
		return -1;
	}
	page->services = services;
	page->loops = loops;
	page->head->services = services;
	page->head->loops = loops;
	page->head->size = size;
	page->head->magic = STATUS_PAGE_MAGIC;
	for (uint32_t i = 0; i < loops; i++)
		atomic_init(&status_page_loop(page, i)->slot, STATUS_NO_SLOT);
	status_page_set_loading(page, STATUS_NO_SLOT);
	return fd;
}

/* The counts are copied before they are checked: the page is shared. */
static bool
status_page_accept(struct status_page *page)
{
	volatile struct status_head *head = page->head;
	uint32_t services = head->services;
	uint32_t loops = head->loops;

	if (head->magic != STATUS_PAGE_MAGIC || page->size != status_page_size(services, loops))
		return false;
	page->services = services;
	page->loops = loops;
	return true;
}

bool
status_page_open(struct status_page *page, int fd)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	*page = (struct status_page){0};
	if (fstat(fd, &st) != 0)
		return false;
	/* A page that could shrink would be a SIGBUS later. */
	if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) {
		errno = EINVAL;
		return false;
	}
	if (!status_page_map(page, fd, (size_t)st.st_size))
		return false;
	if (!status_page_accept(page)) {
		status_page_close(page);
		errno = EINVAL;
		return false;
	}
	return true;
}

void
status_page_close(struct status_page *page)
{
	if (page->head != NULL)
		munmap(page->head, page->size);
	*page = (struct status_page){0};
}

struct crash_area *
status_page_crash_area(const struct status_page *page)
{
	uint8_t *at = (uint8_t *)page->head + STATUS_CRASH_AT;

	return (struct crash_area *)(void *)at;
}

struct status_loop *
status_page_loop(const struct status_page *page, uint32_t loop)
{
	uint8_t *at = (uint8_t *)page->head + STATUS_LOOPS_AT;

	return (struct status_loop *)(void *)at + loop;
}

struct hop_ring *
status_page_hops(const struct status_page *page, uint32_t loop)
{
	uint8_t *at = (uint8_t *)page->head + status_page_hops_at(page->loops);

	return (struct hop_ring *)(void *)at + loop;
}

struct hop_table *
status_page_hop_table(const struct status_page *page)
{
	return (struct hop_table *)(void *)((uint8_t *)page->head + status_page_hop_table_at(page->loops));
}

struct status_gauges *
status_page_gauges(const struct status_page *page, uint32_t slot)
{
	uint8_t *at = (uint8_t *)page->head + status_page_gauges_at(page->loops);

	return (struct status_gauges *)(void *)at + slot;
}

struct status_guard *
status_page_guard(const struct status_page *page, uint32_t slot)
{
	uint8_t *at = (uint8_t *)page->head + status_page_guards_at(page->services, page->loops);

	return (struct status_guard *)(void *)at + slot;
}

struct status_counters *
status_page_counters(const struct status_page *page, uint32_t slot, uint32_t loop)
{
	uint8_t *at = (uint8_t *)page->head +
		status_page_counters_at(page->services, page->loops);

	at += slot * status_page_column_bytes(page->loops);
	return (struct status_counters *)(void *)at + loop;
}

/* Whole pages inside are given back, the torn ends are zeroed. */
static void
status_page_zero(uint8_t *from, size_t size)
{
	uint8_t *end = from + size;
	uint8_t *first = (uint8_t *)(((uintptr_t)from + STATUS_PAGE_BYTES - 1) &
		~(uintptr_t)(STATUS_PAGE_BYTES - 1));
	uint8_t *last = (uint8_t *)((uintptr_t)end & ~(uintptr_t)(STATUS_PAGE_BYTES - 1));

	if (first >= last || madvise(first, (size_t)(last - first), MADV_REMOVE) != 0) {
		memset(from, 0, size);
		return;
	}
	memset(from, 0, (size_t)(first - from));
	memset(last, 0, (size_t)(end - last));
}

void
status_page_clear_slot(struct status_page *page, uint32_t slot)
{
	memset((void *)status_page_gauges(page, slot), 0, sizeof(struct status_gauges));
	memset((void *)status_page_guard(page, slot), 0, sizeof(struct status_guard));
	status_page_zero((uint8_t *)status_page_counters(page, slot, 0),
		status_page_column_bytes(page->loops));
}

struct status_name
status_name_make(const char *name)
{
	struct status_name packed = {{0}};

	if (name != NULL)
		memcpy(packed.word, name, strnlen(name, STATUS_NAME_SIZE - 1));
	return packed;
}

/* Places where a name may stand: looking for one takes the same time however many there are. */
enum { STATUS_NAME_PROBES = 8 };

static bool
status_loop_has_name(_Atomic uint64_t *words, const struct status_name *name)
{
	for (unsigned i = 0; i < STATUS_NAME_SIZE / 8; i++)
		if (atomic_load_explicit(&words[i], memory_order_relaxed) != name->word[i])
			return false;
	return true;
}

uint32_t
status_loop_phase(struct status_loop *loop, enum status_phase phase,
	const struct status_name *name)
{
	static const struct status_name none;
	uint64_t hash = 0;
	unsigned i, at;

	for (i = 0; i < STATUS_NAME_SIZE / 8; i++)
		hash = (hash ^ name->word[i]) * UINT64_C(0x9E3779B97F4A7C15);
	for (i = 0; i < STATUS_NAME_PROBES; i++) {
		at = (unsigned)((hash >> 32) + i) % STATUS_NAMES;
		if (status_loop_has_name(loop->names[at], name))
			return (uint32_t)phase | (at + 1) << STATUS_PHASE_BITS;
		if (status_loop_has_name(loop->names[at], &none)) {
			for (i = 0; i < STATUS_NAME_SIZE / 8; i++)
				status_set(&loop->names[at][i], name->word[i]);
			return (uint32_t)phase | (at + 1) << STATUS_PHASE_BITS;
		}
	}
	return (uint32_t)phase;
}

static void
status_page_write_crash_task(struct status_crash *crash, const struct status_loop *loop)
{
	atomic_store_explicit(&crash->slot,
		atomic_load_explicit(&loop->slot, memory_order_relaxed), memory_order_relaxed);
	for (unsigned i = 0; i < STATUS_NAME_SIZE / 8; i++)
		status_set(&crash->task[i],
			atomic_load_explicit(&loop->task[i], memory_order_relaxed));
}

static void
status_page_write_crash_text(struct status_crash *crash, const char *text)
{
	for (unsigned i = 0; i < STATUS_TEXT_SIZE / 8 && *text != '\0'; i++) {
		char bytes[8] = {0};
		uint64_t word;

		for (unsigned k = 0; k < sizeof(bytes) && *text != '\0'; k++)
			bytes[k] = *text++;
		memcpy(&word, bytes, sizeof(word));
		status_set(&crash->text[i], word);
	}
}

void
status_page_set_loading(struct status_page *page, uint32_t slot)
{
	atomic_store_explicit(&page->head->loading, slot, memory_order_relaxed);
}

uint32_t
status_page_loading(const struct status_page *page)
{
	uint32_t slot = atomic_load_explicit(&page->head->loading, memory_order_relaxed);

	return slot < page->services ? slot : STATUS_NO_SLOT;
}

/* Runs in a signal handler: nothing but stores. */
void
status_page_write_crash(struct status_page *page, int signal, uintptr_t address,
	uint32_t loop, const char *text)
{
	struct status_crash *crash;
	uint32_t none = STATUS_CRASH_NONE;

	if (page->head == NULL)
		return;
	crash = &page->head->crash;
	if (!atomic_compare_exchange_strong(&crash->state, &none, STATUS_CRASH_WRITING))
		return;
	atomic_store_explicit(&crash->signal, (uint32_t)signal, memory_order_relaxed);
	status_set(&crash->address, address);
	atomic_store_explicit(&crash->loop, loop, memory_order_relaxed);
	atomic_store_explicit(&crash->slot, STATUS_NO_SLOT, memory_order_relaxed);
	if (loop < page->loops)
		status_page_write_crash_task(crash, status_page_loop(page, loop));
	if (text != NULL)
		status_page_write_crash_text(crash, text);
	atomic_store_explicit(&crash->state, STATUS_CRASH_VALID, memory_order_release);
}

void
status_page_explain_crash(struct status_page *page, const char *text)
{
	if (page->head == NULL)
		return;
	for (unsigned i = 0; i < STATUS_TEXT_SIZE / 8; i++)
		status_set(&page->head->crash.text[i], 0);
	status_page_write_crash_text(&page->head->crash, text);
}

void
status_page_blame(struct status_page *page, uint32_t slot, const struct status_name *name)
{
	if (page->head == NULL)
		return;
	atomic_store_explicit(&page->head->crash.slot, slot, memory_order_relaxed);
	for (unsigned i = 0; i < STATUS_NAME_SIZE / 8; i++)
		status_set(&page->head->crash.task[i], name->word[i]);
}
