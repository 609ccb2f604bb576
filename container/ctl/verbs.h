/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verbs of bayctl and the options that go with them: one table each, from which the
 * command line is checked and the help is printed.
 */
#ifndef BAY_CTL_VERBS_H
#define BAY_CTL_VERBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/interface.h"

struct ctl;

enum option_id {
	OPTION_SOCKET = 0,
	OPTION_JSON,
	OPTION_TIMEOUT,
	OPTION_QUIET,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_TREE, /* from here on: of some verbs only */
	OPTION_NOW,
	OPTION_NO_WAIT,
	OPTION_PROBATION,
	OPTION_CANARY,
	OPTION_FOLLOW,
	OPTION_LINES,
	OPTION_SINCE,
	OPTION_CONTENT_TYPE,
	OPTION_TRACEPARENT,
	OPTION_TRACE,
	OPTION_FOR,
	OPTION_LIMIT,
	OPTION_REPEAT,
	OPTION_CONCURRENCY,
	OPTION_SET,
	OPTION_WITH,
	OPTION_CALL,
	OPTION_REPL,
	OPTION_VIRTUAL_TIME,
	OPTION_KIND,
	OPTION_DRY_RUN,
	OPTION_HISTORY,
	OPTION_SAVE,
	OPTION_CONFIG,
	OPTION_AS,
	OPTION_OPENMETRICS,
	OPTION_PROMETHEUS,
	OPTION_SORT,
	OPTION_ONCE,
	OPTION_INTERVAL,
	OPTION_OFFLINE,
	OPTION_COUNT
};

#define OPTION_BIT(id) (UINT64_C(1) << (id))
#define OPTIONS_OF_ALL_VERBS (OPTION_BIT(OPTION_TREE) - 1)

struct option_row {
	const char *name; /* "socket" */
	char letter;      /* 's', or 0 */
	const char *value; /* "SOCKET", or NULL: takes none; names as complete.h has them */
	const char *help;
};

extern const struct option_row option_rows[OPTION_COUNT];

typedef enum interface_exit verb_fn(struct ctl *ctl);

struct verb {
	const char *name;
	const char *alias;     /* or NULL */
	const char *arguments; /* "SERVICE [TEXT | -]", or ""; names as complete.h has them */
	size_t min_arguments;
	size_t max_arguments; /* SIZE_MAX: any number */
	uint64_t options;     /* bits: those of this verb */
	int64_t timeout_ns;   /* unless --timeout says otherwise */
	verb_fn *run;
	const char *summary; /* one line */
	const char *help;    /* paragraphs, or NULL */
};

extern const struct verb verbs[]; /* ended by a NULL name */

/* Whether the argument behind the service is a message, which may begin with a dash. */
bool verb_takes_text(const struct verb *verb);

/* Whether a word is spelled like an option: "--json", "-q". */
bool option_is_spelled(const char *word);

/* By name or alias; NULL: there is none. */
const struct verb *verb_find(const char *name);

/* The name that this one is most likely a slip of, or NULL. */
const char *verb_nearest(const char *name);

/* What the verbs do, each in a file of its kind. The exit code is also bayctl's. */
verb_fn verb_ping, verb_version, verb_info, verb_list, verb_status, verb_tasks, verb_queues,
	verb_stats, verb_blame, verb_deps, verb_is_ready, verb_is_active,
	verb_is_failed;                     /* verb_query.c */
verb_fn verb_top;                       /* verb_top.c */
verb_fn verb_call, verb_send;           /* verb_message.c */
verb_fn verb_do;                        /* verb_do.c */
verb_fn verb_start, verb_stop, verb_restart, verb_pause, verb_resume, verb_drain, verb_reset,
	verb_reload, verb_rollback, verb_promote, verb_abort,
	verb_shutdown;                      /* verb_control.c */
verb_fn verb_reload_config, verb_rollback_config, verb_diff, verb_show, verb_set, verb_enable,
	verb_disable;                       /* verb_config.c */
verb_fn verb_load, verb_unload;         /* verb_plugin.c */
verb_fn verb_crash;                     /* verb_crash.c */
verb_fn verb_dlq;                       /* verb_dlq.c */
verb_fn verb_log, verb_events;          /* verb_log.c */
verb_fn verb_trace;                     /* verb_trace.c */
verb_fn verb_check, verb_doc, verb_inspect, verb_run; /* verb_program.c */
verb_fn verb_new;                       /* verb_new.c */
verb_fn verb_dev;                       /* verb_dev.c */
verb_fn verb_completion;                /* verb_completion.c */
verb_fn verb_explain;                   /* verb_explain.c */
verb_fn verb_help;                      /* help.c */

#endif
