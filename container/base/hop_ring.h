/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hops: requests that have passed a service while somebody traces, in a ring in the status page. One
 * thread writes at a time; the oldest are overwritten, and who reads is told how many it missed. It
 * reads them as a stranger's memory.
 *
 *	+----------+----------+-------+-----
 *	| 1025 hop | 1026 hop | 3 hop | ...      written = 1026, a record of each place by its number
 *	+----------+----------+-------+-----
 */
#ifndef BAY_BASE_HOP_RING_H
#define BAY_BASE_HOP_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/traceparent.h"

enum {
	HOP_RING_SIZE = 1024,
	HOP_NAME_SIZE = 56 /* of a service with its NUL */
};

enum hop_flag {
	HOP_QUEUED = 1 << 0,   /* came by the queue, or would have */
	HOP_CAME_OVER = 1 << 1, /* from another cell */
	HOP_ONE_WAY = 1 << 2,
	HOP_AGAIN = 1 << 3,    /* its service stands above it in what is traced */
	HOP_CRASHED = 1 << 4   /* its handler ran when its cell crashed; no cell says so itself */
};

/* Times are of CLOCK_MONOTONIC, which all processes share. */
struct hop {
	struct trace_id id;
	uint64_t span;
	uint64_t parent;         /* 0: none is known */
	int64_t came_ns;         /* to the queue, or to the handler */
	int64_t begun_ns;        /* its handler; 0: that never did */
	int64_t ended_ns;
	int32_t status;          /* enum bay_status */
	uint32_t slot;           /* of the service in the status page */
	uint64_t flags;          /* enum hop_flag */
	char caller[HOP_NAME_SIZE]; /* the service that has sent it, or "" */
};

enum { HOP_WORDS = sizeof(struct hop) / 8 };

struct hop_record {
	_Atomic uint64_t number; /* from 1; 0: it is being written, or empty */
	_Atomic uint64_t words[HOP_WORDS];
};

struct hop_ring {
	_Atomic uint64_t written;
	struct hop_record records[HOP_RING_SIZE];
} __attribute__((aligned(64)));

/* By one thread at a time. */
void hop_ring_add(struct hop_ring *ring, const struct hop *hop);

/* How many were written: where who begins now begins. */
uint64_t hop_ring_end(const struct hop_ring *ring);

/* Reads the one behind the first *next_r, and moves that on; those that were overwritten before are
 * added to *lost_r. False: there is none. */
bool hop_ring_read(const struct hop_ring *ring, uint64_t *next_r, struct hop *hop_r, uint64_t *lost_r)
	__attribute__((warn_unused_result));

#endif
