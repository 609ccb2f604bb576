/* SPDX-License-Identifier: BSD-2-Clause */
/* One table for each struct: reading and writing come from it. */
#include "config.h"

#include "protocol/cell_link.h"

#include <inttypes.h>
#include <stdio.h>

#include "protocol/record.h"

#define CELL_NS_MAX INT64_MAX

static const char *const cell_overflow_words[] = {
	[CELL_OVERFLOW_WAIT] = "wait",
	[CELL_OVERFLOW_REJECT] = "reject",
	[CELL_OVERFLOW_DROP_OLDEST] = "drop-oldest",
	[CELL_OVERFLOW_DROP_NEWEST] = "drop-newest",
};

static const char *const cell_absence_words[] = {
	[CELL_ABSENCE_STOPPED] = "stopped",
	[CELL_ABSENCE_STARTING] = "starting",
	[CELL_ABSENCE_FAILED] = "failed",
	[CELL_ABSENCE_UNKNOWN] = "unknown",
	[CELL_ABSENCE_ELSEWHERE] = "elsewhere",
};

static const char *const cell_there_words[] = {
	[CELL_THERE_STARTING] = "starting",
	[CELL_THERE_READY] = "ready",
	[CELL_THERE_STOPPED] = "stopped",
	[CELL_THERE_FAILED] = "failed",
};

static const char *const cell_gate_words[] = {
	[CELL_GATE_OPEN] = "open",
	[CELL_GATE_PAUSED] = "paused",
	[CELL_GATE_CLOSED] = "closed",
};

static const char *const cell_breaker_words[] = {
	[CELL_BREAKER_CLOSED] = "closed",
	[CELL_BREAKER_OPEN] = "open",
	[CELL_BREAKER_HALF_OPEN] = "half-open",
};

static const char *const cell_stage_words[] = {
	[CELL_STAGE_LOADED] = "loaded",
	[CELL_STAGE_INITIALISED] = "initialised",
	[CELL_STAGE_HELD] = "held",
	[CELL_STAGE_HANDED_OVER] = "handed-over",
};

static const char *const cell_fault_words[] = {
	[CELL_FAULT_DEADLOCK] = "deadlock",
	[CELL_FAULT_FD_LEAK] = "fd-leak",
	[CELL_FAULT_FD_LIMIT] = "fd-limit",
	[CELL_FAULT_THREAD_LEAK] = "thread-leak",
	[CELL_FAULT_MEMORY] = "memory-limit",
	[CELL_FAULT_TASKS] = "tasks-limit",
	[CELL_FAULT_OVERFLOW] = "queue-overflow",
	[CELL_FAULT_SLOW_READER] = "slow-reader",
};

const char *
cell_fault_name(enum cell_fault_kind kind)
{
	return cell_fault_words[kind];
}

const char *
cell_stage_name(enum cell_stage stage)
{
	return cell_stage_words[stage];
}

const char *
cell_overflow_name(enum cell_overflow overflow)
{
	return cell_overflow_words[overflow];
}

/* --- calls ------------------------------------------------------------------- */

static const struct record_field cell_setup_fields[] = {
	RECORD_INT(struct cell_setup, version_major, "version_major", 0, INT32_MAX),
	RECORD_INT(struct cell_setup, version_minor, "version_minor", 0, INT32_MAX),
	RECORD_TEXT(struct cell_setup, cell, "cell"),
	RECORD_INT(struct cell_setup, loops, "loops", 1, 64),
	RECORD_INT(struct cell_setup, max_depth, "max_depth", 1, INT32_MAX),
	RECORD_INT(struct cell_setup, max_lingering, "max_lingering", 0, INT32_MAX),
	RECORD_INT(struct cell_setup, blocking_threads, "blocking_threads", 0, INT32_MAX),
	RECORD_TEXT_OPTIONAL(struct cell_setup, resolv_conf, "resolv_conf"),
	RECORD_TEXT(struct cell_setup, log_level, "log_level"),
};
static const struct record cell_setup_record = RECORD(struct cell_setup, cell_setup_fields);

static const struct record_field cell_absent_fields[] = {
	RECORD_TEXT(struct cell_absent, service, "service"),
	RECORD_WORD(struct cell_absent, state, "state", cell_absence_words),
	RECORD_PROSE_OPTIONAL(struct cell_absent, reason, "reason"),
	RECORD_TEXT_OPTIONAL(struct cell_absent, cell, "cell"),
	RECORD_BOOL(struct cell_absent, wait, "wait"),
	RECORD_INT(struct cell_absent, retry, "retry", 0, INT32_MAX),
	RECORD_INT(struct cell_absent, poison, "poison", 0, INT32_MAX),
	RECORD_WORD(struct cell_absent, there, "there", cell_there_words),
	RECORD_INT(struct cell_absent, generation, "generation", 0, INT64_MAX),
};
static const struct record cell_absent_record = RECORD(struct cell_absent, cell_absent_fields);

static const struct record_field cell_setting_fields[] = {
	RECORD_TEXT(struct cell_setting, key, "key"),
	RECORD_TEXT(struct cell_setting, value, "value"),
};
static const struct record cell_setting_record =
	RECORD(struct cell_setting, cell_setting_fields);

static const struct record_field cell_start_fields[] = {
	RECORD_TEXT(struct cell_start, service, "service"),
	RECORD_TEXT(struct cell_start, plugin, "plugin"),
	RECORD_TEXT(struct cell_start, image, "image"),
	RECORD_TEXT(struct cell_start, sha256, "sha256"),
	RECORD_TEXT_OPTIONAL(struct cell_start, origin, "origin"),
	RECORD_INT(struct cell_start, generation, "generation", 1, INT64_MAX),
	RECORD_INT(struct cell_start, slot, "slot", 0, 1023),
	RECORD_INT(struct cell_start, instances, "instances", 0, INT32_MAX),
	RECORD_INT(struct cell_start, concurrency, "concurrency", 1, INT32_MAX),
	RECORD_INT(struct cell_start, queue, "queue", 0, INT32_MAX),
	RECORD_INT(struct cell_start, queue_bytes, "queue_bytes", 0, INT64_MAX),
	RECORD_INT_OPTIONAL(struct cell_start, weight, "weight", 0, 1000),
	RECORD_INT_OPTIONAL(struct cell_start, max_inflight, "max_inflight", 0, INT64_MAX),
	RECORD_INT_OPTIONAL(struct cell_start, tasks_max, "tasks_max", 0, INT64_MAX),
	RECORD_INT_OPTIONAL(struct cell_start, memory_max, "memory_max", 0, INT64_MAX),
	RECORD_INT_OPTIONAL(struct cell_start, rate_count, "rate_count", 0, INT64_MAX),
	RECORD_INT_OPTIONAL(struct cell_start, rate_period_ns, "rate_period_ns", 0, INT64_MAX),
	RECORD_WORD(struct cell_start, overflow, "overflow", cell_overflow_words),
	RECORD_INT(struct cell_start, timeout_ns, "timeout_ns", 0, CELL_NS_MAX),
	RECORD_INT(struct cell_start, stack_bytes, "stack_bytes", 1, INT64_MAX),
	RECORD_INT(struct cell_start, blocking_threads, "blocking_threads", 0, INT32_MAX),
	RECORD_INT(struct cell_start, start_timeout_ns, "start_timeout_ns", 0, CELL_NS_MAX),
	RECORD_INT(struct cell_start, drain_timeout_ns, "drain_timeout_ns", 0, CELL_NS_MAX),
	RECORD_INT(struct cell_start, health_interval_ns, "health_interval_ns", 0, CELL_NS_MAX),
	RECORD_INT(struct cell_start, health_timeout_ns, "health_timeout_ns", 0, CELL_NS_MAX),
	RECORD_BOOL(struct cell_start, keep, "keep"),
	RECORD_INT(struct cell_start, canary, "canary", 0, 99),
	RECORD_LIST(struct cell_start, settings, setting_count, "settings", &cell_setting_record),
};
static const struct record cell_start_record = RECORD(struct cell_start, cell_start_fields);

static const struct record_field cell_trace_fields[] = {
	RECORD_TEXT(struct cell_trace, service, "service"),
	RECORD_BOOL(struct cell_trace, on, "on"),
};
static const struct record cell_trace_record = RECORD(struct cell_trace, cell_trace_fields);

static const struct record_field cell_gate_fields[] = {
	RECORD_TEXT(struct cell_gate, service, "service"),
	RECORD_WORD(struct cell_gate, state, "state", cell_gate_words),
	RECORD_PROSE_OPTIONAL(struct cell_gate, by, "by"),
};
static const struct record cell_gate_record = RECORD(struct cell_gate, cell_gate_fields);

static const struct record_field cell_gate_seen_fields[] = {
	RECORD_BOOL(struct cell_gate_seen, idle, "idle"),
	RECORD_INT(struct cell_gate_seen, running, "running", 0, INT64_MAX),
	RECORD_INT(struct cell_gate_seen, queued, "queued", 0, INT64_MAX),
	RECORD_INT(struct cell_gate_seen, connections, "connections", 0, INT64_MAX),
};
static const struct record cell_gate_seen_record = RECORD(struct cell_gate_seen, cell_gate_seen_fields);

static const struct record_field cell_guard_fields[] = {
	RECORD_TEXT(struct cell_guard, service, "service"),
	RECORD_INT(struct cell_guard, slot, "slot", 0, 1023),
	RECORD_INT(struct cell_guard, breaker, "breaker", 0, 100),
	RECORD_INT(struct cell_guard, breaker_calls, "breaker_calls", 1, INT32_MAX),
	RECORD_INT(struct cell_guard, breaker_window_ns, "breaker_window_ns", 1, CELL_NS_MAX),
	RECORD_INT(struct cell_guard, breaker_delay_ns, "breaker_delay_ns", 1, CELL_NS_MAX),
	RECORD_INT(struct cell_guard, breaker_trials, "breaker_trials", 1, INT32_MAX),
	RECORD_INT(struct cell_guard, retry_budget, "retry_budget", 0, INT32_MAX),
	RECORD_INT(struct cell_guard, retry_budget_min, "retry_budget_min", 0, INT32_MAX),
	RECORD_BOOL(struct cell_guard, reset, "reset"),
};
static const struct record cell_guard_record = RECORD(struct cell_guard, cell_guard_fields);

static const struct record_field cell_change_fields[] = {
	RECORD_TEXT(struct cell_change, service, "service"),
	RECORD_INT(struct cell_change, concurrency, "concurrency", 1, INT32_MAX),
	RECORD_INT(struct cell_change, queue, "queue", 0, INT32_MAX),
	RECORD_INT(struct cell_change, queue_bytes, "queue_bytes", 0, INT64_MAX),
	RECORD_INT_OPTIONAL(struct cell_change, weight, "weight", 0, 1000),
	RECORD_INT_OPTIONAL(struct cell_change, max_inflight, "max_inflight", 0, INT64_MAX),
	RECORD_INT_OPTIONAL(struct cell_change, tasks_max, "tasks_max", 0, INT64_MAX),
	RECORD_INT_OPTIONAL(struct cell_change, memory_max, "memory_max", 0, INT64_MAX),
	RECORD_INT_OPTIONAL(struct cell_change, rate_count, "rate_count", 0, INT64_MAX),
	RECORD_INT_OPTIONAL(struct cell_change, rate_period_ns, "rate_period_ns", 0, INT64_MAX),
	RECORD_WORD(struct cell_change, overflow, "overflow", cell_overflow_words),
	RECORD_INT(struct cell_change, timeout_ns, "timeout_ns", 0, CELL_NS_MAX),
	RECORD_INT(struct cell_change, blocking_threads, "blocking_threads", 0, INT32_MAX),
	RECORD_BOOL(struct cell_change, has_settings, "has_settings"),
	RECORD_LIST(struct cell_change, settings, setting_count, "settings", &cell_setting_record),
};
static const struct record cell_change_record = RECORD(struct cell_change, cell_change_fields);

static const struct record_field cell_stop_fields[] = {
	RECORD_TEXT(struct cell_stop, service, "service"),
	RECORD_INT(struct cell_stop, drain_timeout_ns, "drain_timeout_ns", 0, CELL_NS_MAX),
	RECORD_BOOL(struct cell_stop, hold, "hold"),
};
static const struct record cell_stop_record = RECORD(struct cell_stop, cell_stop_fields);

static const struct record_field cell_promote_fields[] = {
	RECORD_TEXT(struct cell_promote, service, "service"),
	RECORD_BOOL(struct cell_promote, keep, "keep"),
};
static const struct record cell_promote_record = RECORD(struct cell_promote, cell_promote_fields);

static const struct record_field cell_linked_fields[] = {
	RECORD_TEXT(struct cell_linked, cell, "cell"),
	RECORD_INT(struct cell_linked, epoch, "epoch", 1, INT64_MAX),
	RECORD_INT(struct cell_linked, side, "side", 0, 1),
};
static const struct record cell_linked_record = RECORD(struct cell_linked, cell_linked_fields);

static const struct record_field cell_peer_fields[] = {
	RECORD_TEXT(struct cell_peer, cell, "cell"),
	RECORD_BOOL(struct cell_peer, ready, "ready"),
};
static const struct record cell_peer_record = RECORD(struct cell_peer, cell_peer_fields);

static const struct record_field cell_word_fields[] = {
	RECORD_TEXT(struct cell_word, text, "text"),
};
static const struct record cell_word_record = RECORD(struct cell_word, cell_word_fields);

static const struct record_field cell_interest_fields[] = {
	RECORD_TEXT(struct cell_interest, cell, "cell"),
	RECORD_LIST(struct cell_interest, wait, wait_count, "wait", &cell_word_record),
	RECORD_LIST(struct cell_interest, drop, drop_count, "drop", &cell_word_record),
};
static const struct record cell_interest_record = RECORD(struct cell_interest, cell_interest_fields);

static const struct record_field cell_call_fields[] = {
	RECORD_TEXT(struct cell_call, service, "service"),
	RECORD_TEXT_OPTIONAL(struct cell_call, content_type, "content_type"),
	RECORD_INT(struct cell_call, timeout_ns, "timeout_ns", 0, CELL_NS_MAX),
	RECORD_BOOL(struct cell_call, one_way, "one_way"),
	RECORD_TEXT_OPTIONAL(struct cell_call, traceparent, "traceparent"),
};
static const struct record cell_call_record = RECORD(struct cell_call, cell_call_fields);

static const struct record_field cell_do_fields[] = {
	RECORD_TEXT(struct cell_do, service, "service"),
	RECORD_TEXT(struct cell_do, verb, "verb"),
	RECORD_LIST(struct cell_do, words, word_count, "words", &cell_word_record),
	RECORD_INT(struct cell_do, timeout_ns, "timeout_ns", 0, CELL_NS_MAX),
};
static const struct record cell_do_record = RECORD(struct cell_do, cell_do_fields);

static const struct record_field cell_cancel_fields[] = {
	RECORD_INT(struct cell_cancel, call, "call", 0, INT64_MAX),
};
static const struct record cell_cancel_record = RECORD(struct cell_cancel, cell_cancel_fields);

static const struct record_field cell_tasks_fields[] = {
	RECORD_TEXT_OPTIONAL(struct cell_tasks, service, "service"),
	RECORD_BOOL(struct cell_tasks, waits_only, "waits_only"),
};
static const struct record cell_tasks_record = RECORD(struct cell_tasks, cell_tasks_fields);

static const struct record_field cell_log_level_fields[] = {
	RECORD_TEXT(struct cell_log_level, level, "level"),
};
static const struct record cell_log_level_record =
	RECORD(struct cell_log_level, cell_log_level_fields);

static const struct record_field cell_shutdown_fields[] = {
	RECORD_INT(struct cell_shutdown, drain_timeout_ns, "drain_timeout_ns", 0, CELL_NS_MAX),
	RECORD_BOOL(struct cell_shutdown, replaced, "replaced"),
};
static const struct record cell_shutdown_record =
	RECORD(struct cell_shutdown, cell_shutdown_fields);

/* --- members of replies, and what a cell says and asks ----------------------- */

static const struct record_field cell_task_fields[] = {
	RECORD_INT(struct cell_task, id, "id", 0, INT64_MAX),
	RECORD_TEXT(struct cell_task, service, "service"),
	RECORD_PROSE(struct cell_task, name, "name"),
	RECORD_INT(struct cell_task, loop, "loop", 0, 63),
	RECORD_TEXT(struct cell_task, state, "state"),
	RECORD_PROSE_OPTIONAL(struct cell_task, waiting_on, "waiting_on"),
	RECORD_PROSE_OPTIONAL(struct cell_task, where, "where"),
	RECORD_INT(struct cell_task, age_ns, "age_ns", 0, INT64_MAX),
	RECORD_INT(struct cell_task, parent, "parent", 0, INT64_MAX),
	RECORD_PROSE_OPTIONAL(struct cell_task, canceled, "canceled"),
	RECORD_PROSE_OPTIONAL(struct cell_task, deadlock, "deadlock"),
	RECORD_INT(struct cell_task, stack_used, "stack_used", 0, INT64_MAX),
};
static const struct record cell_task_record = RECORD(struct cell_task, cell_task_fields);

static const struct record_field cell_queue_fields[] = {
	RECORD_TEXT(struct cell_queue, service, "service"),
	RECORD_INT(struct cell_queue, queued, "queued", 0, INT64_MAX),
	RECORD_INT(struct cell_queue, bytes, "bytes", 0, INT64_MAX),
	RECORD_INT(struct cell_queue, limit, "limit", 0, INT64_MAX),
	RECORD_INT(struct cell_queue, limit_bytes, "limit_bytes", 0, INT64_MAX),
	RECORD_INT(struct cell_queue, oldest_ns, "oldest_ns", 0, INT64_MAX),
	RECORD_TEXT(struct cell_queue, overflow, "overflow"),
	RECORD_INT(struct cell_queue, waiting_senders, "waiting_senders", 0, INT64_MAX),
	RECORD_INT(struct cell_queue, dropped, "dropped", 0, INT64_MAX),
	RECORD_INT(struct cell_queue, rejected, "rejected", 0, INT64_MAX),
	RECORD_INT(struct cell_queue, topic_waiting, "topic_waiting", 0, INT64_MAX),
	RECORD_INT(struct cell_queue, topic_lost, "topic_lost", 0, INT64_MAX),
};
static const struct record cell_queue_record = RECORD(struct cell_queue, cell_queue_fields);

static const struct record_field cell_loop_fields[] = {
	RECORD_INT(struct cell_loop, loop, "loop", 0, 63),
	RECORD_INT(struct cell_loop, passes, "passes", 0, INT64_MAX),
	RECORD_INT(struct cell_loop, switches, "switches", 0, INT64_MAX),
	RECORD_INT(struct cell_loop, tasks, "tasks", 0, INT64_MAX),
	RECORD_INT(struct cell_loop, stacks, "stacks", 0, INT64_MAX),
	RECORD_INT(struct cell_loop, wakes, "wakes", 0, INT64_MAX),
	RECORD_INT(struct cell_loop, polls, "polls", 0, INT64_MAX),
};
static const struct record cell_loop_record = RECORD(struct cell_loop, cell_loop_fields);

static const struct record_field cell_failed_fields[] = {
	RECORD_TEXT(struct cell_failed, service, "service"),
	RECORD_INT(struct cell_failed, generation, "generation", 1, INT64_MAX),
	RECORD_PROSE(struct cell_failed, message, "message"),
};
static const struct record cell_failed_record = RECORD(struct cell_failed, cell_failed_fields);

static const struct record_field cell_stage_reached_fields[] = {
	RECORD_TEXT(struct cell_stage_reached, service, "service"),
	RECORD_INT(struct cell_stage_reached, generation, "generation", 1, INT64_MAX),
	RECORD_WORD(struct cell_stage_reached, stage, "stage", cell_stage_words),
};
static const struct record cell_stage_reached_record =
	RECORD(struct cell_stage_reached, cell_stage_reached_fields);

static const struct record_field cell_lingers_fields[] = {
	RECORD_TEXT(struct cell_lingers, service, "service"),
	RECORD_INT(struct cell_lingers, id, "id", 0, INT64_MAX),
	RECORD_INT(struct cell_lingers, generation, "generation", 1, INT64_MAX),
	RECORD_PROSE_OPTIONAL(struct cell_lingers, reason, "reason"),
};
static const struct record cell_lingers_record = RECORD(struct cell_lingers, cell_lingers_fields);

static const struct record_field cell_health_fields[] = {
	RECORD_TEXT(struct cell_health, service, "service"),
	RECORD_INT(struct cell_health, generation, "generation", 1, INT64_MAX),
	RECORD_PROSE_OPTIONAL(struct cell_health, reason, "reason"),
};
static const struct record cell_health_record = RECORD(struct cell_health, cell_health_fields);

static const struct record_field cell_breaker_fields[] = {
	RECORD_TEXT(struct cell_breaker, service, "service"),
	RECORD_WORD(struct cell_breaker, state, "state", cell_breaker_words),
	RECORD_PROSE(struct cell_breaker, why, "why"),
};
static const struct record cell_breaker_record = RECORD(struct cell_breaker, cell_breaker_fields);
static const struct record_field cell_fault_fields[] = {
	RECORD_TEXT(struct cell_fault, service, "service"),
	RECORD_WORD(struct cell_fault, kind, "kind", cell_fault_words),
	RECORD_PROSE_OPTIONAL(struct cell_fault, text, "text"),
};
static const struct record cell_fault_record = RECORD(struct cell_fault, cell_fault_fields);

static const struct record_field cell_standstill_fields[] = {
	RECORD_BOOL(struct cell_standstill, stands, "stands"),
};
static const struct record cell_standstill_record = RECORD(struct cell_standstill, cell_standstill_fields);

static const struct record_field cell_listen_fields[] = {
	RECORD_TEXT(struct cell_listen, service, "service"),
	RECORD_INT(struct cell_listen, generation, "generation", 1, INT64_MAX),
	RECORD_TEXT(struct cell_listen, address, "address"),
	RECORD_INT(struct cell_listen, backlog, "backlog", 0, INT32_MAX),
};
static const struct record cell_listen_record = RECORD(struct cell_listen, cell_listen_fields);

static const struct record_field cell_connect_fields[] = {
	RECORD_TEXT(struct cell_connect, cell, "cell"),
};
static const struct record cell_connect_record = RECORD(struct cell_connect, cell_connect_fields);

static const struct record_field cell_topics_fields[] = {
	RECORD_LIST(struct cell_topics, wait, wait_count, "wait", &cell_word_record),
	RECORD_LIST(struct cell_topics, drop, drop_count, "drop", &cell_word_record),
};
static const struct record cell_topics_record = RECORD(struct cell_topics, cell_topics_fields);

static const struct record_field cell_broken_fields[] = {
	RECORD_TEXT(struct cell_broken, cell, "cell"),
	RECORD_INT(struct cell_broken, epoch, "epoch", 1, INT64_MAX),
	RECORD_PROSE_OPTIONAL(struct cell_broken, reason, "reason"),
};
static const struct record cell_broken_record = RECORD(struct cell_broken, cell_broken_fields);

static const struct record_field cell_dead_letter_fields[] = {
	RECORD_TEXT(struct cell_dead_letter, service, "service"),
	RECORD_INT(struct cell_dead_letter, crashes, "crashes", 1, INT32_MAX),
	RECORD_INT(struct cell_dead_letter, size, "size", 0, INT64_MAX),
	RECORD_TEXT_OPTIONAL(struct cell_dead_letter, body, "body"),
};
static const struct record cell_dead_letter_record =
	RECORD(struct cell_dead_letter, cell_dead_letter_fields);

/* --- examiner ---------------------------------------------------------------- */

static const struct record_field cell_examine_service_fields[] = {
	RECORD_TEXT(struct cell_examine_service, name, "name"),
	RECORD_LIST(struct cell_examine_service, settings, setting_count, "settings",
		&cell_setting_record),
};
static const struct record cell_examine_service_record =
	RECORD(struct cell_examine_service, cell_examine_service_fields);

static const struct record_field cell_examine_fields[] = {
	RECORD_TEXT(struct cell_examine, nonce, "nonce"),
	RECORD_TEXT(struct cell_examine, image, "image"),
	RECORD_TEXT_OPTIONAL(struct cell_examine, origin, "origin"),
	RECORD_LIST(struct cell_examine, services, service_count, "services",
		&cell_examine_service_record),
};
static const struct record cell_examine_record =
	RECORD(struct cell_examine, cell_examine_fields);

static const struct record_field cell_plugin_setting_fields[] = {
	RECORD_TEXT(struct cell_plugin_setting, name, "name"),
	RECORD_TEXT(struct cell_plugin_setting, type, "type"),
	RECORD_PROSE_OPTIONAL(struct cell_plugin_setting, default_value, "default"),
	RECORD_PROSE_OPTIONAL(struct cell_plugin_setting, help, "help"),
	RECORD_PROSE_OPTIONAL(struct cell_plugin_setting, range, "range"),
	RECORD_BOOL(struct cell_plugin_setting, live, "live"),
};
static const struct record cell_plugin_setting_record =
	RECORD(struct cell_plugin_setting, cell_plugin_setting_fields);

static const struct record_field cell_plugin_verb_fields[] = {
	RECORD_TEXT(struct cell_plugin_verb, name, "name"),
	RECORD_TEXT(struct cell_plugin_verb, role, "role"),
	RECORD_PROSE(struct cell_plugin_verb, help, "help"),
	RECORD_LIST(struct cell_plugin_verb, arguments, argument_count, "arguments",
		&cell_plugin_setting_record),
};
static const struct record cell_plugin_verb_record =
	RECORD(struct cell_plugin_verb, cell_plugin_verb_fields);

static const struct record_field cell_complaint_fields[] = {
	RECORD_TEXT(struct cell_complaint, service, "service"),
	RECORD_INT(struct cell_complaint, index, "index", -1, INT32_MAX),
	RECORD_PROSE_OPTIONAL(struct cell_complaint, key, "key"),
	RECORD_PROSE(struct cell_complaint, message, "message"),
};
static const struct record cell_complaint_record =
	RECORD(struct cell_complaint, cell_complaint_fields);

static const struct record_field cell_verdict_fields[] = {
	RECORD_TEXT(struct cell_verdict, nonce, "nonce"),
	RECORD_BOOL(struct cell_verdict, ok, "ok"),
	RECORD_PROSE_OPTIONAL(struct cell_verdict, reason, "reason"),
	RECORD_TEXT_OPTIONAL(struct cell_verdict, plugin, "plugin"),
	RECORD_TEXT_OPTIONAL(struct cell_verdict, version, "version"),
	RECORD_PROSE_OPTIONAL(struct cell_verdict, summary, "summary"),
	RECORD_TEXT_OPTIONAL(struct cell_verdict, abi, "abi"),
	RECORD_BOOL(struct cell_verdict, leaf, "leaf"),
	RECORD_BOOL(struct cell_verdict, unloadable, "unloadable"),
	RECORD_PROSE_OPTIONAL(struct cell_verdict, lingers, "lingers"),
	RECORD_PROSE_OPTIONAL(struct cell_verdict, warnings, "warnings"),
	RECORD_LIST(struct cell_verdict, settings, setting_count, "settings",
		&cell_plugin_setting_record),
	RECORD_LIST(struct cell_verdict, verbs, verb_count, "verbs", &cell_plugin_verb_record),
	RECORD_LIST(struct cell_verdict, complaints, complaint_count, "complaints",
		&cell_complaint_record),
};
static const struct record cell_verdict_record =
	RECORD(struct cell_verdict, cell_verdict_fields);

/* --- the functions ----------------------------------------------------------- */

#define CELL_LINK_CODEC(name) \
	json_t *cell_##name##_to_json(const struct cell_##name *from) \
	{ \
		return record_to_json(&cell_##name##_record, from); \
	} \
	bool cell_##name##_from_json(const json_t *json, struct cell_##name *to_r, char *error_r) \
	{ \
		return record_from_json(&cell_##name##_record, json, to_r, error_r, CELL_ERROR_SIZE); \
	} \
	_Static_assert(sizeof(struct cell_##name) > 0, "takes the semicolon")

CELL_LINK_CODEC(absent);
CELL_LINK_CODEC(start);
CELL_LINK_CODEC(gate);
CELL_LINK_CODEC(gate_seen);
CELL_LINK_CODEC(guard);
CELL_LINK_CODEC(change);
CELL_LINK_CODEC(stop);
CELL_LINK_CODEC(promote);
CELL_LINK_CODEC(linked);
CELL_LINK_CODEC(dead_letter);
CELL_LINK_CODEC(peer);
CELL_LINK_CODEC(interest);
CELL_LINK_CODEC(call);
CELL_LINK_CODEC(do);
CELL_LINK_CODEC(cancel);
CELL_LINK_CODEC(trace);
CELL_LINK_CODEC(tasks);
CELL_LINK_CODEC(log_level);
CELL_LINK_CODEC(shutdown);
CELL_LINK_CODEC(task);
CELL_LINK_CODEC(queue);
CELL_LINK_CODEC(loop);
CELL_LINK_CODEC(failed);
CELL_LINK_CODEC(listen);
CELL_LINK_CODEC(stage_reached);
CELL_LINK_CODEC(lingers);
CELL_LINK_CODEC(health);
CELL_LINK_CODEC(breaker);
CELL_LINK_CODEC(fault);
CELL_LINK_CODEC(standstill);
CELL_LINK_CODEC(connect);
CELL_LINK_CODEC(topics);
CELL_LINK_CODEC(broken);
CELL_LINK_CODEC(examine);
CELL_LINK_CODEC(plugin_setting);
CELL_LINK_CODEC(plugin_verb);
CELL_LINK_CODEC(verdict);

json_t *
cell_setup_to_json(const struct cell_setup *from)
{
	return record_to_json(&cell_setup_record, from);
}

/* The version is looked at first: in another major the rest may look quite different. */
bool
cell_setup_from_json(const json_t *json, struct cell_setup *to_r, char *error_r)
{
	const json_t *major = json_object_get(json, "version_major");

	if (json_is_integer(major) && json_integer_value(major) != CELL_VERSION_MAJOR) {
		snprintf(error_r, CELL_ERROR_SIZE,
			"the master speaks version %" PRId64 " of %s, this cell version %d; "
			"install bayd and bay-cell of the same release",
			(int64_t)json_integer_value(major), CELL_INTERFACE, CELL_VERSION_MAJOR);
		return false;
	}
	return record_from_json(&cell_setup_record, json, to_r, error_r, CELL_ERROR_SIZE);
}

void
cell_start_finish(struct cell_start *start)
{
	record_finish(&cell_start_record, start);
}

void
cell_change_finish(struct cell_change *change)
{
	record_finish(&cell_change_record, change);
}

void
cell_do_finish(struct cell_do *asked)
{
	record_finish(&cell_do_record, asked);
}

void
cell_interest_finish(struct cell_interest *interest)
{
	record_finish(&cell_interest_record, interest);
}

void
cell_topics_finish(struct cell_topics *topics)
{
	record_finish(&cell_topics_record, topics);
}

void
cell_examine_finish(struct cell_examine *examine)
{
	record_finish(&cell_examine_record, examine);
}

void
cell_verdict_finish(struct cell_verdict *verdict)
{
	record_finish(&cell_verdict_record, verdict);
}
