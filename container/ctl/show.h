/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the daemon replied, for people. The objects are those of io.bayd.Container, and
 * nothing about them is trusted: what is missing is shown as nothing, text is escaped.
 */
#ifndef BAY_CTL_SHOW_H
#define BAY_CTL_SHOW_H

#include <jansson.h>
#include <stdbool.h>

#include "ctl/print.h"

/* --- show_service.c ---------------------------------------------------------- */

/* Whether the "cell" of any of these objects is another than main: then it is worth a column. */
bool show_has_cells(const json_t *rows);

/* A table of Service objects. */
void show_services(struct print *print, const json_t *services, bool heading);

/* One Service object and an array of log lines. */
void show_service(struct print *print, const json_t *service, const json_t *log);

/* The lines, indented; nothing when there are none. */
void show_log(struct print *print, const char *title, const json_t *log);

/* --- show_order.c ------------------------------------------------------------ */

/* How long each start took, the longest first. */
void show_blame(struct print *print, const json_t *services, bool heading);

/* When the service was ready, for whom it waited last, for whom that one did, and so on. */
void show_blame_chain(struct print *print, const json_t *services, const char *name);

/* Whom services name in the keys of order, as a tree of each that nobody names; or of this one,
 * with those that name it. */
void show_deps(struct print *print, const json_t *services, const char *name);

/* The same as data: of all, or of the one and those that name it. The caller's. */
json_t *show_deps_json(const json_t *services, const char *name);

/* --- show_container.c -------------------------------------------------------- */

/* The reply to Info. */
void show_info(struct print *print, const json_t *info);

/* Its essence and how many services are in which state. */
void show_summary(struct print *print, const json_t *info, const json_t *services);

/* --- show_crash.c ------------------------------------------------------------ */

/* A table of Crash objects; and one of them in full. */
void show_crashes(struct print *print, const json_t *crashes, bool heading);
void show_crash(struct print *print, const json_t *crash);

/* A table of DeadLetter objects. */
void show_dead_letters(struct print *print, const json_t *letters, bool heading);

/* --- show_tasks.c ------------------------------------------------------------ */

/* The reply to Tasks, as a table or as who started whom. */
void show_tasks(struct print *print, const json_t *reply, bool heading);
void show_task_tree(struct print *print, const json_t *reply);

/* A line for each SilentLoop object. */
void show_silent_loops(struct print *print, const json_t *loops);

/* --- show_figures.c ---------------------------------------------------------- */

/* The replies to Queues and Stats. */
void show_queues(struct print *print, const json_t *reply, bool heading);
void show_stats(struct print *print, const json_t *reply, bool heading);

/* The stats of the one service in the reply. */
void show_service_stats(struct print *print, const json_t *reply);

/* --- show_plugin.c ----------------------------------------------------------- */

/* An array of Verb objects with their arguments; named: each with its service. */
void show_verbs(struct print *print, const json_t *list, bool named);

/* What bay-cell doc says of a plugin. */
void show_plugin(struct print *print, const json_t *plugin);

/* --- show_config.c ----------------------------------------------------------- */

/* A line for each Change object. */
void show_changes(struct print *print, const json_t *changes);

/* Tables of Key and of Configuration objects. */
void show_keys(struct print *print, const json_t *keys, bool heading);
void show_configurations(struct print *print, const json_t *configurations, bool heading);

/* --- show_facts.c: lines of a name and what it is ---------------------------- */

/* "      plugin: square", the escaped text; nothing for "". */
void show_fact(struct print *print, const char *name, const char *text);

/* The same from a format; what it holds from outside must be trusted. */
void show_fact_printf(struct print *print, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
