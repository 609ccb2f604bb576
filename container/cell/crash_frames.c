/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frames are walked from the fault outwards, through our code and that of the libraries that
 * were there before any plugin; the first one in anybody else's code is the plugin's, and ends it.
 * The names come from our own table of exported symbols, since asking the dynamic loader for them
 * would wait for a lock that somebody may hold for ever.
 */
#include "config.h"

#include "cell/crash_frames.h"

#include <elf.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unwind.h>

#include "base/status_page.h"

enum {
	CRASH_RANGES_MAX = 128,
	CRASH_FUNCTIONS_MAX = 1024,
	CRASH_PLUGINS_MAX = 256,
	CRASH_FRAMES_MAX = 64
};

struct crash_range {
	uintptr_t start;
	uintptr_t end;
};

struct crash_function {
	uintptr_t start;
	uintptr_t end;
	const char *name;
};

static struct crash_range crash_ranges[CRASH_RANGES_MAX]; /* code that is no plugin's */
static size_t crash_range_count;
/* Code of plugins: a row is free while its end is 0, which is written last and read first. */
static struct crash_plugin {
	uintptr_t start;
	_Atomic uintptr_t end;
	const void *inside;
	uint32_t slot;
} crash_plugins[CRASH_PLUGINS_MAX];
static struct crash_function crash_functions[CRASH_FUNCTIONS_MAX];
static size_t crash_function_count;

/* --- what there is ------------------------------------------------------------------- */

/* The number of symbols, which only the hash table tells. */
static size_t
crash_count_symbols(const uint32_t *hash)
{
	uint32_t buckets = hash[0], first = hash[1], bloom = hash[2], last = 0;
	const uint32_t *bucket = hash + 4 + bloom * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
	const uint32_t *chain = bucket + buckets;

	for (uint32_t i = 0; i < buckets; i++)
		if (bucket[i] > last)
			last = bucket[i];
	if (last < first)
		return first;
	while ((chain[last - first] & 1) == 0)
		last++;
	return (size_t)last + 1;
}

static void
crash_read_symbols(const struct dl_phdr_info *info, const ElfW(Dyn) *dynamic)
{
	const ElfW(Sym) *symbols = NULL;
	const uint32_t *hash = NULL;
	const char *strings = NULL;
	size_t count;

	for (; dynamic->d_tag != DT_NULL; dynamic++) {
		if (dynamic->d_tag == DT_SYMTAB)
			symbols = (const ElfW(Sym) *)dynamic->d_un.d_ptr;
		else if (dynamic->d_tag == DT_STRTAB)
			strings = (const char *)dynamic->d_un.d_ptr;
		else if (dynamic->d_tag == DT_GNU_HASH)
			hash = (const uint32_t *)dynamic->d_un.d_ptr;
	}
	/* Where the loader does not relocate them, nothing is known. */
	if (symbols == NULL || strings == NULL || hash == NULL || (uintptr_t)symbols < info->dlpi_addr)
		return;
	count = crash_count_symbols(hash);
	for (size_t i = 1; i < count && crash_function_count < CRASH_FUNCTIONS_MAX; i++) {
		const char *name = strings + symbols[i].st_name;

		if (symbols[i].st_shndx == SHN_UNDEF || strncmp(name, "bay_", 4) != 0 ||
			strcmp(name, "bay_cell_main") == 0)
			continue;
		crash_functions[crash_function_count++] = (struct crash_function){
			info->dlpi_addr + symbols[i].st_value,
			info->dlpi_addr + symbols[i].st_value + symbols[i].st_size, name};
	}
}

static int
crash_look_at_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	const ElfW(Dyn) *dynamic = NULL;
	bool ours = false;

	(void)size;
	(void)arg;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_DYNAMIC)
			dynamic = (const ElfW(Dyn) *)start;
		if (segment->p_type != PT_LOAD || (segment->p_flags & PF_X) == 0)
			continue;
		if (crash_range_count < CRASH_RANGES_MAX)
			crash_ranges[crash_range_count++] =
				(struct crash_range){start, start + segment->p_memsz};
		ours |= (uintptr_t)crash_frames_find - start < segment->p_memsz;
	}
	if (ours && dynamic != NULL)
		crash_read_symbols(info, dynamic);
	return 0;
}

void
crash_frames_prepare(void)
{
	struct crash_place place;

	crash_range_count = 0;
	crash_function_count = 0;
	dl_iterate_phdr(crash_look_at_object, NULL);
	crash_frames_find(&place);
}

/* --- plugins -------------------------------------------------------------------------- */

struct crash_added {
	const void *inside;
	uint32_t slot;
};

static struct crash_plugin *
crash_free_row(void)
{
	for (size_t i = 0; i < CRASH_PLUGINS_MAX; i++)
		if (atomic_load_explicit(&crash_plugins[i].end, memory_order_relaxed) == 0)
			return &crash_plugins[i];
	return NULL;
}

static int
crash_add_if_inside(struct dl_phdr_info *info, size_t size, void *arg)
{
	const struct crash_added *added = arg;
	const ElfW(Phdr) *code = NULL;
	struct crash_plugin *row = crash_free_row();
	bool holds = false;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type != PT_LOAD)
			continue;
		holds |= (uintptr_t)added->inside - start < segment->p_memsz;
		if ((segment->p_flags & PF_X) != 0)
			code = segment;
	}
	if (!holds || code == NULL || row == NULL)
		return 0;
	row->start = info->dlpi_addr + code->p_vaddr;
	row->inside = added->inside;
	row->slot = added->slot;
	atomic_store_explicit(&row->end, row->start + code->p_memsz, memory_order_release);
	return 1;
}

void
crash_frames_add(const void *inside, uint32_t slot)
{
	struct crash_added added = {inside, slot};

	dl_iterate_phdr(crash_add_if_inside, &added);
}

static void
crash_free(struct crash_plugin *row)
{
	atomic_store_explicit(&row->end, 0, memory_order_release);
}

void
crash_frames_remove(const void *inside, uint32_t slot, bool gone)
{
	struct crash_plugin *own = NULL;
	size_t count = 0;

	for (size_t i = 0; i < CRASH_PLUGINS_MAX; i++) {
		struct crash_plugin *row = &crash_plugins[i];

		if (row->end == 0 || row->inside != inside)
			continue;
		count++;
		if (gone)
			crash_free(row);
		else if (row->slot == slot)
			own = row;
	}
	if (own != NULL && count > 1)
		crash_free(own);
}

/* --- where it happened ---------------------------------------------------------------- */

struct crash_walk {
	struct crash_place place;
	bool by_plugin;
	unsigned frames;
};

static bool
crash_is_known(uintptr_t pc)
{
	for (size_t i = 0; i < crash_range_count; i++)
		if (pc >= crash_ranges[i].start && pc < crash_ranges[i].end)
			return true;
	return false;
}

static const char *
crash_name_of(uintptr_t pc)
{
	for (size_t i = 0; i < crash_function_count; i++)
		if (pc >= crash_functions[i].start && pc < crash_functions[i].end)
			return crash_functions[i].name;
	return NULL;
}

static uint32_t
crash_slot_of(uintptr_t pc)
{
	for (size_t i = 0; i < CRASH_PLUGINS_MAX; i++)
		if (pc < atomic_load_explicit(&crash_plugins[i].end, memory_order_acquire) &&
			pc >= crash_plugins[i].start)
			return crash_plugins[i].slot;
	return STATUS_NO_SLOT;
}

static _Unwind_Reason_Code
crash_on_frame(struct _Unwind_Context *context, void *arg)
{
	struct crash_walk *walk = arg;
	int is_exact = 0;
	uintptr_t pc = _Unwind_GetIPInfo(context, &is_exact);
	const char *name;

	if (++walk->frames > CRASH_FRAMES_MAX || pc == 0)
		return _URC_END_OF_STACK;
	/* A return address stands behind the call. */
	pc -= is_exact == 0;
	if (!crash_is_known(pc)) {
		walk->by_plugin = true;
		walk->place.slot = crash_slot_of(pc);
		return _URC_END_OF_STACK;
	}
	name = crash_name_of(pc);
	if (name != NULL)
		walk->place.function = name;
	return _URC_NO_REASON;
}

/* The outermost of ours before the plugin's own frame; without such a frame our own code had
 * called it, and its name would say nothing. */
void
crash_frames_find(struct crash_place *place)
{
	struct crash_walk walk = {.place = {NULL, STATUS_NO_SLOT}};

	(void)_Unwind_Backtrace(crash_on_frame, &walk);
	if (!walk.by_plugin)
		walk.place.function = NULL;
	*place = walk.place;
}
