/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bayctl dev: one plugin's source, and a private container that runs it as it is now. The parts
 * are the watch on the source, the child processes that do the work (compiler, bayd, and bayctl
 * itself for what the container is asked), and the directory that holds all of it:
 *
 *	bay.ini  dev.ini     the container; the same with the plugin that is to be checked
 *	plugins/  next/      NAME.so that runs; the one that was just compiled
 *	last/                NAME.so that ran before, until the new one does
 *	run/                 the runtime directory
 *
 * One thread; signals are blocked and read from a descriptor, so that whatever is waited for,
 * an interrupt ends it and nothing stays behind.
 */
#ifndef BAY_CTL_DEV_H
#define BAY_CTL_DEV_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "ctl/ctl.h"

struct dev {
	struct ctl *ctl;
	char *source;    /* as it was typed: "src/hello.c" */
	char *directory; /* that it lies in: "src" */
	char *name;      /* of the plugin and its service: "hello" */
	char *place;     /* the directory that holds all of it, absolute */
	char *socket;    /* of the container */
	int signals;     /* what is read instead of being interrupted */
	int watch;       /* inotify, of directory */
	pid_t bayd;      /* 0: it does not run */
	bool serves;     /* a version of the plugin runs */
	bool ends;       /* interrupted, or something went wrong that cannot be mended: ctl->error */
	bool prompted;   /* what is printed next begins a line first */
	bool changed;    /* a source file has, since that was last looked at */
};

/* --- dev_watch.c ------------------------------------------------------------------ */

/* Watches the source's directory. False: ctl->error. */
bool dev_watch_open(struct dev *dev)
	__attribute__((warn_unused_result));

/* Takes what has happened there: sets changed, or ends with ctl->error when the directory is
 * gone. */
void dev_watch_take(struct dev *dev);

/* Waits until an editor is done with what it began. */
void dev_watch_settle(struct dev *dev);

/* --- dev_child.c ------------------------------------------------------------------ */

/* Blocks the signals that concern us and opens signals. */
bool dev_signals_open(struct dev *dev)
	__attribute__((warn_unused_result));

/* Takes the signals that have come: sets ends for those that are to end it, reaps bayd. */
void dev_signals_take(struct dev *dev);

/* How a child differs from us. */
enum dev_child {
	DEV_CHILD_PLAIN = 0,
	DEV_CHILD_SILENT = 1,  /* its standard output goes nowhere */
	DEV_CHILD_IN_PLACE = 2 /* it works in place */
};

/* Starts a program in a process group of its own, which ^C at the terminal does not reach; it ends
 * when we do. words[0] names it, path is what is run; standard input is empty; how: enum
 * dev_child. Its process, or -1, which ends us with ctl->error. */
pid_t dev_child_start(struct dev *dev, const char *path, const char *const *words, unsigned how);

/* Waits for its end. An interrupt ends it and what it has started, and, if it may be cut short,
 * so does a change of the source. Its exit code; 128 and more: by a signal. */
int dev_child_wait(struct dev *dev, pid_t pid, bool may_be_cut);

/* Both. */
int dev_child_run(struct dev *dev, const char *path, const char *const *words, unsigned how);

/* bayctl itself, which asks the container: words end with NULL, at most a handful. */
int dev_child_ask(struct dev *dev, const char *const *words, bool may_be_cut);

/* --- dev_container.c ---------------------------------------------------------------- */

/* Makes the directory and what is in it, from --set. False: ctl->error. */
bool dev_container_make(struct dev *dev)
	__attribute__((warn_unused_result));

/* Lets a bayd examine next/NAME.so, with its settings; it says itself what is wrong. */
bool dev_container_accepts(struct dev *dev)
	__attribute__((warn_unused_result));

/* Lets next/NAME.so serve: starts bayd, or swaps it. When it does not become ready, the one
 * before serves again. */
bool dev_container_swap(struct dev *dev)
	__attribute__((warn_unused_result));

/* Ends bayd and removes the directory. Of any state. */
void dev_container_remove(struct dev *dev);

#endif
