/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of the configuration while bayd runs: by reloading its file, by setting a key, by going
 * back to an earlier one. All go the same way:
 *
 *	parse ─► compare ─► validate with the plugins ─► commit, or undo everything ─► in force
 *
 * One at a time. Who asks for a reload while one is under way is answered with the result of a
 * run that began after that, together with all others who wait for one.
 *
 * A configuration that is in force has a number; it is counted, and kept by the services that it
 * describes, so that it can be replaced at any moment.
 *
 * Has one owner. Master only; never suspends.
 */
#ifndef BAY_MASTER_RELOAD_H
#define BAY_MASTER_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include <bay/status.h>

#include "config/config_data.h"
#include "config/config_diff.h"
#include "config/config_report.h"
#include "master/config_history.h"
#include "master/event_log.h"

struct listener_table;
struct plugin_examination;
struct reload;
struct supervisor;

struct reload_options {
	struct supervisor *supervisor;
	struct plugin_examination *examination;
	struct listener_table *listeners;
	struct config *config; /* that bayd starts with; a reference is taken */
	struct event_log *events; /* or NULL */
};

/* What its owner hears; none may destroy it. */
struct reload_watcher {
	/* One that may change something begins, and has ended. */
	void (*begun)(void *arg);
	void (*ended)(void *arg);
	/* The files are about to be read, to be in force; or to be written by us, and have been. */
	void (*reading)(void *arg);
	void (*writing)(void *arg);
	void (*written)(void *arg);
	/* This is what the files say now, as far as they can be read; it may yet be refused. Borrowed for
	 * the call. */
	void (*read)(struct config *config, void *arg);
	/* This one is in force from now on; borrowed until the next one is. */
	void (*in_force)(struct config *config, void *arg);
	void *arg;
};

enum reload_kind {
	RELOAD_FILE,    /* to what the file says */
	RELOAD_SET,     /* one key */
	RELOAD_ROLLBACK /* to an earlier one */
};

/* What is asked for. Strings are copied. */
struct reload_wish {
	enum reload_kind kind;
	bool dry_run;        /* FILE: says what it would do, and does nothing */
	const char *service; /* SET: NULL is [container] */
	const char *key;
	const char *value;
	bool save;      /* SET: in the file too */
	int64_t number; /* ROLLBACK */
	struct event_by by; /* the same, for events */
	const char *who; /* "user 0, process 12", "SIGHUP": for the log and the history */
};

/* Borrowed for the call. */
struct reload_result {
	/* BAY_OK. BAY_INVALID: file or value are wrong; BAY_NOT_FOUND: no such number or service;
	 * BAY_FAILED: a service did not come up, and all is as before; BAY_IO: in force, and not
	 * saved; BAY_CLOSED: bayd stops. */
	enum bay_status status;
	const char *message; /* one line or, of complaints, several */
	int64_t number;      /* of the configuration that is in force now */
	bool changed;        /* by this */
	const struct config_diff *diff; /* what was done, or would be; or NULL */
};

typedef void reload_done_fn(const struct reload_result *result, void *arg);

/* Nothing is done before reload_open. */
struct reload *reload_create(const struct reload_options *options,
	const struct reload_watcher *watcher);

/* Everything that runs runs by now: what has been asked for begins. */
void reload_open(struct reload *reload);

/* bayd stops: who waits is told so, and so is who asks from now on. */
void reload_close(struct reload *reload);

/* After the supervisor and the examination. NULL is fine. */
void reload_destroy(struct reload *reload);

/* done(result, arg) follows, perhaps before this returns; NULL: nobody wants to know. */
void reload_ask(struct reload *reload, const struct reload_wish *wish, reload_done_fn *done,
	void *arg);

/* --- queries --------------------------------------------------------------------------- */

/* Borrowed; the newest is in force. */
const struct config_history *reload_history(const struct reload *reload);

/* What is different in the file now; nobody but the parser looks at it. The caller finishes diff
 * and report, and unrefs *file_r after that. False: the file is wrong, report has the complaints,
 * and *file_r is NULL. */
bool reload_compare(const struct reload *reload, struct config **file_r, struct config_diff *diff,
	struct config_report *report)
	__attribute__((warn_unused_result));

/* Whether a key of a service is live; of what its plugin declares, by its code that runs now. */
bool reload_is_live(const struct reload *reload, const struct config_service *service,
	const char *key);

#endif
