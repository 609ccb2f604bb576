/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread that starts the children of a cell and buries those that nobody waits for. It is
 * one thread, made at first use, and there until the end: children are bound to the life of
 * the thread that started them, and no loop has to stand still while a program is loaded.
 *
 *	task ---> keeper_start(start) ---> thread: vfork, exec ---> loop_post(start->home)
 *	close --> keeper_bury(child) ----> thread: waits until it is dead, reaps it
 */
#ifndef BAY_IO_PROCESS_KEEPER_H
#define BAY_IO_PROCESS_KEEPER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/list.h"
#include "io/process_launch.h"
#include "loop/inbox.h"

struct loop;

/* One that has not been reaped, so that its number is its own. Malloc'd. */
struct process_child {
	struct list link;
	pid_t pid;
	int pidfd;
};

/* A start that is asked for. Made by the caller, and its own again when it comes home or was
 * taken back. */
struct keeper_start {
	struct inbox_item home;       /* .run: on its loop, when it is through */
	struct loop *loop;
	struct process_launch launch; /* .fds are closed when it has begun */
	struct process_child *child;  /* to be filled in; when nobody wants it any more it is
	                               * killed and buried, and this NULL */
	struct list _link;            /* in the queue, or in none: it has begun */
	_Atomic int _state;
};

/* 0: it will begin and come home. Else it never will, and this is the reason, an errno. Any
 * thread; never suspends. */
int keeper_start(struct keeper_start *start);

/* The child is not wanted any more. True: it never begins, and start is the caller's; false:
 * it comes home. Any thread; never suspends. */
bool keeper_forget(struct keeper_start *start);

/* Reaps and frees a child that has ended or was killed, now or when it is dead. Any thread;
 * never suspends. */
void keeper_bury(struct process_child *child);

/* Kills a child and its process group, as long as it is ours: a signal of 0 only looks. False:
 * somebody else has reaped it. Any thread. */
bool process_child_signal_group(const struct process_child *child, int signal);

/* Lets the thread finish what it has to do and ends it. When nobody starts any more. */
void keeper_finish(void);

#endif
