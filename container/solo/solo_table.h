/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libbay.so gives libbay-test: the functions of this folder, since only bay_* is exported
 * and a second copy of them would have statics of its own. The two libraries are built and
 * installed together.
 */
#ifndef BAY_SOLO_SOLO_TABLE_H
#define BAY_SOLO_SOLO_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>

#include "solo/solo.h"
#include "solo/solo_leaks.h"
#include "solo/solo_log.h"

struct solo_table {
	uint32_t size;
	struct solo *(*create)(const struct solo_options *options);
	bool (*destroy)(struct solo *solo);
	const char *(*error)(void);
	int (*start)(struct solo *solo, const struct solo_service *service);
	int (*stop)(struct solo *solo, const char *name, int64_t drain_ns);
	int (*stop_all)(struct solo *solo, int64_t drain_ns);
	int (*run)(struct solo *solo, const char *name, bay_task_fn *fn, void *arg);
	void (*cut_at)(struct solo *solo, unsigned nth, bool after_the_others);
	bool (*was_cut)(const struct solo *solo);
	const char *(*failure)(const struct solo *solo, const char *name);
	void (*settle)(struct solo *solo);
	void (*fail_allocation)(struct solo *solo, uint64_t nth);
	bool (*allocation_has_failed)(void);

	bool (*log_begin)(const char *level, bool shown);
	void (*log_end)(void);
	size_t (*log_count)(void);
	const char *(*log_line)(size_t index);
	void (*log_clear)(void);

	struct solo_leaks *(*leaks_begin)(void);
	void (*leaks_end)(struct solo_leaks *leaks);
	void (*leaks_attach)(struct solo_leaks *leaks, struct solo *solo);
	size_t (*leaks_look)(struct solo_leaks *leaks, const char **text_r);
	size_t (*leaks_look_at_fds)(struct solo_leaks *leaks, const char **text_r);
};

BAY_API const struct solo_table *bay_solo_table(void);

#endif
