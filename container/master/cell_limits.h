/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much memory and how many threads the process of a cell has, looked at again and again, and
 * told when it is more than it may be. The kernel's limits of address space would count stacks that nobody
 * touches, that of processes counts those of the whole user, and control groups end in a kill without a
 * word. So where there are any (cgroup.h), they only slow down what outruns our looks, and tell of that at once.
 *
 * Has one owner. Master only; never suspends.
 */
#ifndef BAY_MASTER_CELL_LIMITS_H
#define BAY_MASTER_CELL_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cell_limits;
struct cgroup_group;
struct event_base;

/*
 * There is more than the limit: what, for people ("it has 70M of memory (memory_max = 64M)", borrowed
 * for the call), of memory or else of threads. far: by more than a quarter. Told once of a process,
 * and once more when it is far; and of the next process not for a while unless that is far.
 */
typedef void cell_limits_fn(const char *what, bool memory, bool far, void *arg);

struct cell_limits *cell_limits_create(struct event_base *base, cell_limits_fn *over, void *arg);

/* NULL is fine. */
void cell_limits_destroy(struct cell_limits *limits);

/* The limits, from now on; 0: none. Bytes; threads. */
void cell_limits_set(struct cell_limits *limits, uint64_t memory_max, uint32_t tasks_max);

/* There is a process to look at, or none any more. */
/* With its control group, borrowed until the end, or NULL: what that has counts. */
void cell_limits_begin(struct cell_limits *limits, pid_t pid, struct cgroup_group *group);
void cell_limits_end(struct cell_limits *limits);

/* Whether the kernel has ended it for its limit, before anybody here could: then what, for people. Before
 * cell_limits_end. */
bool cell_limits_was_ended(const struct cell_limits *limits, char *what, size_t size);

/* What a process has, as the kernel says. False: it cannot be told. */
bool cell_limits_read(pid_t pid, uint64_t *memory_r, uint32_t *threads_r)
	__attribute__((warn_unused_result));

#endif
