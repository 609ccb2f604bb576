/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "protocol/interface_table.h"

#include <stddef.h>

enum {
	NAME_MAX_BYTES = 48, /* of a service */
	TYPE_MAX_BYTES = 127,
	KEY_MAX_BYTES = 63,
	VALUE_MAX_BYTES = 65536,
	PATH_MAX_BYTES = 4095,
	TRACEPARENT_MAX_BYTES = 512, /* a later version may have more */
	LINES_MAX = 10000,
	WORDS_MAX = 64 /* behind a verb of a plugin */
};

/* --- arguments --------------------------------------------------------------- */

#define SERVICE_REQUIRED \
	{.name = "service", .type = INTERFACE_STRING, .required = true, .max = NAME_MAX_BYTES}
#define SERVICE_OPTIONAL {.name = "service", .type = INTERFACE_STRING, .max = NAME_MAX_BYTES}
#define NOW {.name = "now", .type = INTERFACE_BOOL}
#define BODY \
	{.name = "text", .type = INTERFACE_STRING}, \
	{.name = "body", .type = INTERFACE_STRING}, \
	{.name = "body_fd", .type = INTERFACE_INT, .min = 0, .max = 3}, \
	{.name = "content_type", .type = INTERFACE_STRING, .max = TYPE_MAX_BYTES}
#define TRACEPARENT {.name = "traceparent", .type = INTERFACE_STRING, .max = TRACEPARENT_MAX_BYTES}
#define END {.name = NULL}

static const struct interface_argument no_arguments[] = {END};

static const struct interface_argument description_arguments[] = {
	{.name = "interface", .type = INTERFACE_STRING, .required = true}, END};

static const struct interface_argument service_arguments[] = {SERVICE_REQUIRED, END};

static const struct interface_argument service_now_arguments[] = {SERVICE_REQUIRED, NOW, END};

static const struct interface_argument swap_arguments[] = {
	SERVICE_REQUIRED,
	{.name = "wait", .type = INTERFACE_STRING, .max = NAME_MAX_BYTES}, END};

static const struct interface_argument reload_arguments[] = {
	SERVICE_REQUIRED,
	{.name = "wait", .type = INTERFACE_STRING, .max = NAME_MAX_BYTES},
	{.name = "canary", .type = INTERFACE_INT, .min = 1, .max = 99}, END};

static const struct interface_argument drain_arguments[] = {
	SERVICE_REQUIRED,
	{.name = "wait", .type = INTERFACE_STRING, .max = NAME_MAX_BYTES}, END};

static const struct interface_argument load_arguments[] = {
	{.name = "file", .type = INTERFACE_STRING, .required = true, .max = PATH_MAX_BYTES},
	SERVICE_OPTIONAL,
	{.name = "settings", .type = INTERFACE_STRINGS, .max = WORDS_MAX}, END};

static const struct interface_argument unload_arguments[] = {
	{.name = "plugin", .type = INTERFACE_STRING, .required = true, .max = NAME_MAX_BYTES}, END};

static const struct interface_argument any_service_arguments[] = {SERVICE_OPTIONAL, END};

static const struct interface_argument dead_letter_arguments[] = {
	SERVICE_REQUIRED,
	{.name = "number", .type = INTERFACE_INT, .min = 1, .max = INT64_MAX}, END};

static const struct interface_argument crashes_arguments[] = {
	SERVICE_OPTIONAL,
	{.name = "number", .type = INTERFACE_INT, .min = 1, .max = INT64_MAX}, END};

static const struct interface_argument call_arguments[] = {
	SERVICE_REQUIRED, BODY, TRACEPARENT,
	{.name = "timeout_ns", .type = INTERFACE_INT, .min = 1, .max = INT64_MAX}, END};

static const struct interface_argument send_arguments[] = {SERVICE_REQUIRED, BODY, TRACEPARENT, END};

static const struct interface_argument do_arguments[] = {
	SERVICE_REQUIRED,
	{.name = "verb", .type = INTERFACE_STRING, .required = true, .max = NAME_MAX_BYTES},
	{.name = "arguments", .type = INTERFACE_STRINGS, .max = WORDS_MAX},
	{.name = "timeout_ns", .type = INTERFACE_INT, .min = 1, .max = INT64_MAX}, END};

static const struct interface_argument log_arguments[] = {
	{.name = "lines", .type = INTERFACE_INT, .min = 0, .max = LINES_MAX},
	{.name = "follow", .type = INTERFACE_BOOL},
	{.name = "trace", .type = INTERFACE_STRING, .max = TRACEPARENT_MAX_BYTES},
	SERVICE_OPTIONAL, END};

static const struct interface_argument events_arguments[] = {
	{.name = "since", .type = INTERFACE_INT, .min = 0, .max = INT64_MAX},
	{.name = "lines", .type = INTERFACE_INT, .min = 0, .max = LINES_MAX},
	{.name = "follow", .type = INTERFACE_BOOL},
	SERVICE_OPTIONAL, END};

static const struct interface_argument trace_arguments[] = {
	SERVICE_REQUIRED,
	{.name = "for_ns", .type = INTERFACE_INT, .min = 1, .max = INT64_MAX},
	{.name = "limit", .type = INTERFACE_INT, .min = 1, .max = INT64_MAX}, TRACEPARENT, END};

static const struct interface_argument reload_config_arguments[] = {
	{.name = "dry_run", .type = INTERFACE_BOOL}, END};

static const struct interface_argument show_config_arguments[] = {
	SERVICE_REQUIRED, {.name = "key", .type = INTERFACE_STRING, .max = KEY_MAX_BYTES}, END};

static const struct interface_argument set_config_arguments[] = {
	{.name = "key", .type = INTERFACE_STRING, .required = true,
		.max = NAME_MAX_BYTES + 1 + KEY_MAX_BYTES},
	{.name = "value", .type = INTERFACE_STRING, .required = true, .max = VALUE_MAX_BYTES},
	{.name = "save", .type = INTERFACE_BOOL}, END};

static const struct interface_argument rollback_config_arguments[] = {
	{.name = "number", .type = INTERFACE_INT, .required = true, .min = 1, .max = INT64_MAX}, END};

static const struct interface_argument shutdown_arguments[] = {NOW, END};

/* --- methods ----------------------------------------------------------------- */

const struct interface_method interface_methods[INTERFACE_METHODS] = {
	[INTERFACE_GET_INFO] = {
		.id = INTERFACE_GET_INFO,
		.interface = INTERFACE_SERVICE_NAME,
		.name = "GetInfo",
		.role = INTERFACE_ROLE_NONE,
		.arguments = no_arguments,
	},
	[INTERFACE_GET_DESCRIPTION] = {
		.id = INTERFACE_GET_DESCRIPTION,
		.interface = INTERFACE_SERVICE_NAME,
		.name = "GetInterfaceDescription",
		.role = INTERFACE_ROLE_NONE,
		.arguments = description_arguments,
	},
	[INTERFACE_PING] = {
		.id = INTERFACE_PING,
		.interface = INTERFACE_NAME,
		.name = "Ping",
		.role = INTERFACE_ROLE_VIEWER,
		.arguments = no_arguments,
		.reply = "pid: int, uptime_ns: int",
		.help = "Answers at once.",
	},
	[INTERFACE_INFO] = {
		.id = INTERFACE_INFO,
		.interface = INTERFACE_NAME,
		.name = "Info",
		.role = INTERFACE_ROLE_VIEWER,
		.arguments = no_arguments,
		.reply = "version: string, abi: string, pid: int, "
			"state: (starting, ready, draining), config: string, runtime_dir: string, "
			"started_wall_ns: int, uptime_ns: int, loops: int, cells: []Cell, "
			"services: int, libevent: string, method: string, limits: string, silent_loops: []SilentLoop",
		.help = "What this container is. \"method\" is the one that libevent waits by; \"limits\" says by what "
			"those of cells are kept.",
	},
	[INTERFACE_LIST] = {
		.id = INTERFACE_LIST,
		.interface = INTERFACE_NAME,
		.name = "List",
		.role = INTERFACE_ROLE_VIEWER,
		.arguments = no_arguments,
		.reply = "services: []Service",
		.help = "All services.",
	},
	[INTERFACE_STATUS] = {
		.id = INTERFACE_STATUS,
		.interface = INTERFACE_NAME,
		.name = "Status",
		.role = INTERFACE_ROLE_VIEWER,
		.arguments = service_arguments,
		.reply = "service: Service, log: []string, silent_loops: []SilentLoop",
		.help = "One service, with the last lines of its log and the loops that it keeps.",
	},
	[INTERFACE_CALL] = {
		.id = INTERFACE_CALL,
		.interface = INTERFACE_NAME,
		.name = "Call",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = call_arguments,
		.reply = "text: ?string, body: ?string, body_fd: ?int, duration_ns: int, traceparent: string",
		.help = "Calls a service and waits for its reply. The request is text, or base64 in "
			"body, or the index in body_fd of a sealed memfd sent along; so is the reply. "
			"traceparent is as in the W3C Trace Context recommendation: of the caller, or else "
			"a new trace is begun; and in the reply that of the request. "
			"A client that closes its connection before cancels the call, unless it is oneway.",
	},
	[INTERFACE_SEND] = {
		.id = INTERFACE_SEND,
		.interface = INTERFACE_NAME,
		.name = "Send",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = send_arguments,
		.reply = "",
		.help = "Puts a message into a service's queue and does not wait for its handling.",
	},
	[INTERFACE_VERBS] = {
		.id = INTERFACE_VERBS,
		.interface = INTERFACE_NAME,
		.name = "Verbs",
		.role = INTERFACE_ROLE_VIEWER,
		.arguments = any_service_arguments,
		.reply = "verbs: []Verb",
		.help = "What the plugins of the services, or of one, can be told to do. Asks no cell.",
	},
	[INTERFACE_DO] = {
		.id = INTERFACE_DO,
		.interface = INTERFACE_NAME,
		.name = "Do",
		.role = INTERFACE_ROLE_NONE,
		.arguments = do_arguments,
		.reply = "text: ?string, body: ?string, body_fd: ?int, duration_ns: int",
		.help = "Has a service do a verb of its plugin, for whoever has the role that the verb "
			"wants. Arguments are given in the order of Verbs, or as NAME=VALUE; wrong ones "
			"are refused before anything runs.",
	},
	[INTERFACE_START] = {
		.id = INTERFACE_START,
		.interface = INTERFACE_NAME,
		.name = "Start",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = service_arguments,
		.reply = "state: string, also: []string",
		.help = "Starts a service; replies once it is ready or has failed to be. also are those that "
			"are started with it, since it requires or wants them.",
	},
	[INTERFACE_STOP] = {
		.id = INTERFACE_STOP,
		.interface = INTERFACE_NAME,
		.name = "Stop",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = service_now_arguments,
		.reply = "state: string, also: []string",
		.help = "Stops a service; replies once nothing of it runs. It stays stopped. With "
			"now its tasks are cancelled instead of awaited. also are those that require it and "
			"are stopped before.",
	},
	[INTERFACE_RESTART] = {
		.id = INTERFACE_RESTART,
		.interface = INTERFACE_NAME,
		.name = "Restart",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = service_arguments,
		.reply = "state: string, also: []string",
		.help = "Stops a service and starts it with the plugin file as it is now. also are those "
			"that require it and are restarted with it; or, when it did not run, as of Start.",
	},
	[INTERFACE_RESET] = {
		.id = INTERFACE_RESET,
		.interface = INTERFACE_NAME,
		.name = "Reset",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = service_arguments,
		.reply = "state: string, cell: string",
		.help = "Forgets the failures of a service. One that was moved to a cell of its own, since it "
			"crashed the one that it shared, goes back to that. The breakers of all cells before it are closed.",
	},
	[INTERFACE_RELOAD] = {
		.id = INTERFACE_RELOAD,
		.interface = INTERFACE_NAME,
		.name = "Reload",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = reload_arguments,
		.reply = "stage: ?string, outcome: ?string, state: ?string, generation: ?int, "
			"version: ?string",
		.help = "Puts the plugin file as it is now in the place of a service's code, while it "
			"serves. wait is none, flip (the default: replies once the new code serves) or "
			"probation. The outcome is swapped, same (the file is what runs), started (it did not "
			"run) or asked. With more, each stage comes as a reply before. With canary the new code gets "
			"that percentage of the messages only, until Promote or Abort: the outcome is canary.",
	},
	[INTERFACE_ROLLBACK] = {
		.id = INTERFACE_ROLLBACK,
		.interface = INTERFACE_NAME,
		.name = "Rollback",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = swap_arguments,
		.reply = "stage: ?string, outcome: ?string, state: ?string, generation: ?int, "
			"version: ?string",
		.help = "Puts the code that ran before in the place of a service's code; as Reload.",
	},
	[INTERFACE_PROMOTE] = {
		.id = INTERFACE_PROMOTE,
		.interface = INTERFACE_NAME,
		.name = "Promote",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = swap_arguments,
		.reply = "stage: ?string, outcome: ?string, state: ?string, generation: ?int, "
			"version: ?string",
		.help = "Puts the canary of a service in the place of the code beside it; as Reload.",
	},
	[INTERFACE_ABORT] = {
		.id = INTERFACE_ABORT,
		.interface = INTERFACE_NAME,
		.name = "Abort",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = service_arguments,
		.reply = "outcome: string, state: string, generation: int, version: string",
		.help = "Ends the canary of a service: it gets no more messages, and what it has drains. "
			"The outcome is aborted.",
	},
	[INTERFACE_PAUSE] = {
		.id = INTERFACE_PAUSE,
		.interface = INTERFACE_NAME,
		.name = "Pause",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = service_arguments,
		.reply = "state: string",
		.help = "From the reply on no request of a service is begun and no connection accepted. "
			"What comes waits in its queue, and what runs ends. It stays so, whatever becomes of "
			"cell, code and configuration, until Resume, Drain or Stop.",
	},
	[INTERFACE_RESUME] = {
		.id = INTERFACE_RESUME,
		.interface = INTERFACE_NAME,
		.name = "Resume",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = service_arguments,
		.reply = "state: string",
		.help = "Ends a pause or a drain: what is queued is begun in its order, and new requests "
			"are taken.",
	},
	[INTERFACE_DRAIN] = {
		.id = INTERFACE_DRAIN,
		.interface = INTERFACE_NAME,
		.name = "Drain",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = drain_arguments,
		.reply = "stage: ?string, running: ?int, queued: ?int, connections: ?int, state: ?string",
		.help = "Has a service refuse new requests and end what it has: replies once it is "
			"drained, or with wait none at once. The service stays loaded, until Resume or Stop. With "
			"more, what is left comes as replies before.",
	},
	[INTERFACE_LOAD] = {
		.id = INTERFACE_LOAD,
		.interface = INTERFACE_NAME,
		.name = "Load",
		.role = INTERFACE_ROLE_ADMIN,
		.arguments = load_arguments,
		.reply = "service: string, state: string, plugin: string, version: string, generation: int, "
			"path: string",
		.help = "Runs a plugin file as a service that the configuration does not name; replies once "
			"it is ready. file is absolute and is examined as any; service is the name, that of the "
			"file by default; settings are KEY=VALUE, of Bay or of the plugin. If it does not start, "
			"nothing is left of it. It is forgotten with bayd.",
	},
	[INTERFACE_UNLOAD] = {
		.id = INTERFACE_UNLOAD,
		.interface = INTERFACE_NAME,
		.name = "Unload",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = unload_arguments,
		.reply = "services: []Unloaded",
		.help = "Ends and removes the services that run a plugin and that the configuration does not "
			"name, within their drain_timeout. Busy: only services of the configuration run it, "
			"which the message names.",
	},
	[INTERFACE_TASKS] = {
		.id = INTERFACE_TASKS,
		.interface = INTERFACE_NAME,
		.name = "Tasks",
		.role = INTERFACE_ROLE_VIEWER,
		.arguments = any_service_arguments,
		.reply = "tasks: []Task, silent_loops: []SilentLoop, total: ?int",
		.help = "The tasks, all or those of one service. A loop that does not answer is "
			"named with what it runs. total is there when there are more tasks than are told.",
	},
	[INTERFACE_QUEUES] = {
		.id = INTERFACE_QUEUES,
		.interface = INTERFACE_NAME,
		.name = "Queues",
		.role = INTERFACE_ROLE_VIEWER,
		.arguments = no_arguments,
		.reply = "queues: []Queue",
		.help = "The queue of each service.",
	},
	[INTERFACE_STATS] = {
		.id = INTERFACE_STATS,
		.interface = INTERFACE_NAME,
		.name = "Stats",
		.role = INTERFACE_ROLE_VIEWER,
		.arguments = any_service_arguments,
		.reply = "services: []ServiceStats, loops: []LoopStats",
		.help = "Counters and latencies, of all services or of one; also while loops hang.",
	},
	[INTERFACE_CRASHES] = {
		.id = INTERFACE_CRASHES,
		.interface = INTERFACE_NAME,
		.name = "Crashes",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = crashes_arguments,
		.reply = "crashes: []Crash",
		.help = "Reports of cells that crashed, hung or were killed, the newest first; of a service, "
			"or the one with the number, which alone comes with frames, awaits and events.",
	},
	[INTERFACE_DEAD_LETTERS] = {
		.id = INTERFACE_DEAD_LETTERS,
		.interface = INTERFACE_NAME,
		.name = "DeadLetters",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = dead_letter_arguments,
		.reply = "letters: []DeadLetter",
		.help = "Messages for a service over which cells crashed, and which are not sent again, the "
			"newest first; or the one with the number, which alone comes with its body.",
	},
	[INTERFACE_DROP_DEAD_LETTERS] = {
		.id = INTERFACE_DROP_DEAD_LETTERS,
		.interface = INTERFACE_NAME,
		.name = "DropDeadLetters",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = dead_letter_arguments,
		.reply = "dropped: int",
		.help = "Throws the dead letter of a service with the number away, or all.",
	},
	[INTERFACE_LOG] = {
		.id = INTERFACE_LOG,
		.interface = INTERFACE_NAME,
		.name = "Log",
		.role = INTERFACE_ROLE_VIEWER,
		.streams = true,
		.arguments = log_arguments,
		.reply = "line: ?string, time: ?string, process: ?string, level: ?string, "
			"subject: ?string, trace: ?string, text: ?string",
		.help = "The last lines of the log, oldest first, one a reply, with their parts. Wants more. "
			"trace is the trace-id of the request that a line was written for, as in the W3C Trace Context "
			"recommendation, if anybody else can know it; of those asked for are only lines of this one. "
			"The last reply has no line; with follow there is none, new lines go on until the "
			"connection is closed.",
	},
	[INTERFACE_EVENTS] = {
		.id = INTERFACE_EVENTS,
		.interface = INTERFACE_NAME,
		.name = "Events",
		.role = INTERFACE_ROLE_VIEWER,
		.streams = true,
		.arguments = events_arguments,
		.reply = "event: ?Event, lost: ?Gap",
		.help = "What has happened, oldest first, one a reply: the events behind the number "
			"since, or without it as many of the last as lines says. Where some are kept no "
			"more, lost says how many. Wants more. The last reply is empty; with follow there "
			"is none, new events go on until the connection is closed.",
	},
	[INTERFACE_TRACE] = {
		.id = INTERFACE_TRACE,
		.interface = INTERFACE_NAME,
		.name = "Trace",
		.role = INTERFACE_ROLE_OPERATOR,
		.streams = true,
		.arguments = trace_arguments,
		.reply = "begun: ?string, slow: ?bool, request: ?TracedRequest, lost: ?int, ended: ?TraceEnd",
		.help = "The requests that pass a service from now on, each with all that was called and "
			"sent for it, in any cell; one a reply, when it has ended. Wants more. Behind the reply "
			"with begun all of them are told, but with slow not yet those of loops that hang; lost "
			"says how many hops were not read in time. Ends for_ns after begun, or after limit "
			"requests, or with the connection. traceparent: only those that belong to its trace.",
	},
	[INTERFACE_RELOAD_CONFIG] = {
		.id = INTERFACE_RELOAD_CONFIG,
		.interface = INTERFACE_NAME,
		.name = "ReloadConfig",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = reload_config_arguments,
		.reply = "number: int, changed: bool, changes: []Change",
		.help = "Reads the configuration again and changes what is different, all of it or "
			"nothing. Replies with the number of the configuration that is in force then. With "
			"dry_run it only says what it would do.",
	},
	[INTERFACE_DIFF_CONFIG] = {
		.id = INTERFACE_DIFF_CONFIG,
		.interface = INTERFACE_NAME,
		.name = "DiffConfig",
		.role = INTERFACE_ROLE_VIEWER,
		.arguments = no_arguments,
		.reply = "number: int, changes: []Change",
		.help = "What is different in the file of the configuration from the one that is in "
			"force. No plugin is asked.",
	},
	[INTERFACE_SHOW_CONFIG] = {
		.id = INTERFACE_SHOW_CONFIG,
		.interface = INTERFACE_NAME,
		.name = "ShowConfig",
		.role = INTERFACE_ROLE_VIEWER,
		.arguments = show_config_arguments,
		.reply = "service: string, keys: []Key",
		.help = "The values that are in force for a service, or for \"container\", and where "
			"they come from.",
	},
	[INTERFACE_SET_CONFIG] = {
		.id = INTERFACE_SET_CONFIG,
		.interface = INTERFACE_NAME,
		.name = "SetConfig",
		.role = INTERFACE_ROLE_OPERATOR,
		.arguments = set_config_arguments,
		.reply = "number: int, changed: bool, changes: []Change",
		.help = "Changes a live key while the service runs: \"square.timeout\", or "
			"\"container.log_level\". With save, for admins, in the file too.",
	},
	[INTERFACE_CONFIG_HISTORY] = {
		.id = INTERFACE_CONFIG_HISTORY,
		.interface = INTERFACE_NAME,
		.name = "ConfigHistory",
		.role = INTERFACE_ROLE_VIEWER,
		.arguments = no_arguments,
		.reply = "configurations: []Configuration",
		.help = "The last configurations that were in force, the newest last: that one is.",
	},
	[INTERFACE_ROLLBACK_CONFIG] = {
		.id = INTERFACE_ROLLBACK_CONFIG,
		.interface = INTERFACE_NAME,
		.name = "RollbackConfig",
		.role = INTERFACE_ROLE_ADMIN,
		.arguments = rollback_config_arguments,
		.reply = "number: int, changed: bool, changes: []Change",
		.help = "Brings an earlier configuration into force again, under a new number. The file "
			"stays as it is.",
	},
	[INTERFACE_SHUTDOWN] = {
		.id = INTERFACE_SHUTDOWN,
		.interface = INTERFACE_NAME,
		.name = "Shutdown",
		.role = INTERFACE_ROLE_ADMIN,
		.arguments = shutdown_arguments,
		.reply = "",
		.help = "Stops the container. With now its tasks are cancelled instead of awaited.",
	},
};

/* --- types ------------------------------------------------------------------- */

const struct interface_type_text interface_types[] = {
	{"A process that runs services.",
		"Cell (name: string, pid: int, state: string, restarts: int, loops: int, rss_bytes: int)"},
	{"A service. reason says why it is not ready; next_try_ns is how long it still waits for "
		"its next start. enabled: it is to run with the daemon. origin: who says that it is there, a "
		"section, its plugin file or an operator. file_gone: its plugin file was "
		"removed; what runs is a copy. "
		"examine_took_ns and start_took_ns are of the last examination and start, 0 before those. "
		"generation is that of its code, 0 before there is any, and generation_wall_ns since when "
		"that has served; isolated: it was moved to a cell of its own for its crashes; "
		"probation_ns is how much is left of its probation. waits_for are those that "
		"it waits for now, or that keep it failed; before its last start it waited for "
		"wait_took_ns, at last for delayed_by, and was ready served_after_ns after bayd's start. "
		"health: degraded, if messages wait for long, calls to it are refused or it failed not long ago; unhealthy, if its "
		"plugin says so or a loop is stuck in it; down, if it does not serve. breakers are those that "
		"are not closed.",
		"Service (name: string, state: (starting, ready, paused, draining, drained, "
		"stopping, stopped, failed), cell: string, isolated: bool, "
		"plugin: string, version: string, path: string, image: string, sha256: string, "
		"instances: string, concurrency: int, overflow: string, in_flight: int, queued: int, "
		"queued_bytes: int, queue: int, queue_bytes: int, served: int, failed: int, "
		"dropped: int, rejected: int, timeouts: int, breaker_refused: int, retries: int, "
		"retries_refused: int, restarts: int, since_wall_ns: int, "
		"uptime_ns: int, breakers: []Breaker, health: (healthy, degraded, unhealthy, down), health_reason: ?string, group: ?Group, "
		"generation: int, generation_wall_ns: int, former: ?Generation, "
		"probation_ns: ?int, canary: ?Canary, lingering: []Lingering, reason: ?string, next_try_ns: ?int, "
		"file: string, line: int, settings: [string]string, listeners: []Listener, "
		"enabled: bool, origin: (config, autoload, load), file_gone: bool, gate: ?(paused, drained), gate_by: ?string, "
		"examine_took_ns: int, start_took_ns: int, "
		"requires: []string, wants: []string, after: []string, waits_for: []string, "
		"wait_took_ns: int, delayed_by: ?string, served_after_ns: ?int)"},
	{"A cell that refuses calls to the service, since failed of calls had failed (open), or lets some through "
		"to try (half-open). next_try_ns is how long it is to the next try, 0: the next call is one.",
		"Breaker (cell: string, state: string, calls: int, failed: int, next_try_ns: int)"},
	{"Services that are started again together when one of them fails, in their order.",
		"Group (name: string, strategy: string, services: []string)"},
	{"The code that a service had before, to which Rollback returns.",
		"Generation (generation: int, version: string, sha256: string)"},
	{"New code of a service that gets share percent of its messages, beside the code that has the "
		"others; what both have done since then.",
		"Canary (generation: int, version: string, sha256: string, share: int, since_wall_ns: int, "
		"served: int, failed: int, others_served: int, others_failed: int)"},
	{"Code of a service that was replaced or stopped and is still in the cell, and why.",
		"Lingering (generation: int, reason: string)"},
	{"A service that was unloaded, and what of its code cannot go.",
		"Unloaded (name: string, lingering: []Lingering)"},
	{"Where a service listens. The name is that of the configuration, or \"\"; passed is a socket "
		"of the service manager.",
		"Listener (name: string, address: string, passed: bool)"},
	{"A value that a plugin takes: an argument of a verb. One without a default must be given.",
		"Argument (name: string, type: (integer, bool, duration, size, string, choice), "
		"default: ?string, range: ?string, help: ?string)"},
	{"What a plugin can be told to do, and the role that this wants.",
		"Verb (service: string, name: string, role: (viewer, operator, admin), help: string, "
		"arguments: []Argument)"},
	{"A task. parent is 0 for one that its service started; canceled is the reason; deadlock "
		"the circle of tasks and queues that wait for each other, from this one back to it; of a long one begin and end.",
		"Task (id: int, cell: string, service: string, name: string, loop: int, state: string, "
		"waiting_on: ?string, where: ?string, age_ns: int, parent: int, canceled: ?string, "
		"deadlock: ?string, stack_used: int)"},
	{"A loop that does not answer, the task that keeps it, and for how long it has.",
		"SilentLoop (cell: string, loop: int, service: ?string, task: ?string, held_ns: int)"},
	{"A queue. oldest_ns is the age of the message that waits longest; topic_waiting are the "
		"messages in the service's subscriptions, topic_lost those that they were too slow for.",
		"Queue (service: string, queued: int, bytes: int, limit: int, limit_bytes: int, "
		"oldest_ns: int, overflow: string, waiting_senders: int, dropped: int, rejected: int, "
		"topic_waiting: int, topic_lost: int)"},
	{"Figures about how long something took; samples is how many they are made from. buckets says how "
		"many of them took less than 2^10 ns, less than 2^11 ns, and so on.",
		"Durations (buckets: []int, sum_ns: int, p50_ns: int, p90_ns: int, p99_ns: int, max_ns: int, "
		"samples: int)"},
	{"Counters since the service's first start, and from in_flight to tasks and memory_bytes what is "
		"now. Of the latency (from the handler's begin), the wait in the queue and the total of both, those "
		"that came by the queue are all there, of the others a sample. stack_used_bytes is the most "
		"that a sample of its handlers needed of stack_bytes.",
		"ServiceStats (service: string, state: string, cell: string, calls: int, direct: int, queued: int, "
		"served: int, failed: int, timeouts: int, canceled: int, dropped: int, rejected: int, "
		"breaker_refused: int, breaker_opened: int, retries: int, retries_refused: int, restarts: int, "
		"in_flight: int, queue: int, queue_bytes: int, tasks: int, cpu_ns: int, memory_bytes: int, "
		"stack_used_bytes: int, stack_bytes: int, latency: Durations, wait: Durations, total: Durations)"},
	{"A difference. sign is \"+\", \"-\", \"~\" or \"!\" as bayctl shows it; effect is what it asks "
		"for: a live change, a start, a stop, a new generation of the service, the replacement of a "
		"cell, a restart of bayd. cell is there for [cell NAME], group for [group NAME]; none of these and no "
		"service for [container], key not for a section as a whole.",
		"Change (sign: string, effect: (live, start, stop, generation, cell, restart), "
		"service: ?string, cell: ?string, group: ?string, key: ?string, old: ?string, new: ?string, file: string, line: int)"},
	{"A value that is in force. origin is where it comes from: file and line, or by whom it was "
		"set; live says whether it can be set while the service runs.",
		"Key (key: string, value: string, origin: (file, default, set), file: ?string, "
		"line: ?int, by: ?string, live: bool, help: string)"},
	{"A configuration that came into force at some time, and why.",
		"Configuration (number: int, since_wall_ns: int, why: string, services: int)"},
	{"A loop: a thread that runs tasks. lag is how long timers and descriptors had to wait until it looked "
		"at them, at most.",
		"LoopStats (cell: string, loop: int, passes: int, switches: int, tasks: int, stacks: int, wakes: int, "
		"polls: int, cpu_ns: int, lag: Durations)"},
	{"A place in code. in_object is the address as the object's file has it, offset how far behind "
		"the begin of the function. await is the function of Bay that was called there.",
		"Frame (address: string, object: ?string, path: ?string, build_id: ?string, in_object: ?string, "
		"function: ?string, offset: ?int, await: ?string)"},
	{"A line that the cell had to say.", "CrashEvent (time_wall_ns: int, level: string, text: string)"},
	{"How a cell ended, what it did then, and whose code it was. kind is one of the words in "
		"bayctl(1). message is the begin of the message that was handled, escaped, unless the service "
		"keeps it secret. frames are those of the thread that crashed or hung, the innermost first; "
		"awaits what its task had waited in, the last first; events the last lines of the cell.",
		"Crash (number: int, time_wall_ns: int, kind: string, cell: string, pid: int, text: string, "
		"service: ?string, plugin: ?string, version: ?string, generation: ?int, sha256: ?string, "
		"task: ?string, signal: ?string, fault_address: ?string, message: ?string, message_size: ?int, "
		"trace: ?string, thread: ?string, tid: ?int, frames: ?[]Frame, awaits: ?[]Frame, "
		"events: ?[]CrashEvent)"},
	{"A message for a service that is put away, since so many cells crashed over it. sender is the cell "
		"that it came from; body is base64, and not kept of very large ones.",
		"DeadLetter (number: int, time_wall_ns: int, service: string, sender: string, crashes: int, "
		"size: int, body: ?string)"},
	{"Something that happened. number counts up from 1 at the daemon's start; kind is one of "
		"the words in bayctl(1); uid and pid are those of a user who asked.",
		"Event (number: int, time_wall_ns: int, kind: string, service: ?string, "
		"plugin: ?string, generation: ?int, by: (supervisor, watch, signal, user), uid: ?int, "
		"pid: ?int, why: ?string, took_ns: ?int)"},
	{"A request that has passed a service, as hops: itself, and behind each hop what was called for it, "
		"at the level below. trace is the trace-id of the W3C Trace Context recommendation. caller is "
		"the service that sent it; continues: it is not a request for the service that is traced, but one "
		"that was sent for such and has ended later. left_out are hops that there are more.",
		"TracedRequest (trace: string, time_wall_ns: int, continues: bool, hops: []Hop, caller: ?string, "
		"left_out: ?int)"},
	{"A service that a request has passed. way: called at once on its caller's loop, by its queue, or "
		"that from another cell. start_ns is how long after the first hop it came, wait_ns how long it was in the "
		"queue, run_ns how long the handler took, total_ns both. span and parent are its span-id and that of "
		"what it comes from; crashed: its handler ran when its cell crashed, or was killed since that hung.",
		"Hop (level: int, service: string, cell: string, way: (direct, queued, cell), one_way: bool, "
		"start_ns: int, wait_ns: int, run_ns: int, total_ns: int, status: string, span: string, "
		"parent: ?string, crashed: ?bool)"},
	{"What was told in all: requests, and hops that were lost.",
		"TraceEnd (requests: int, lost: int)"},
	{"Events that cannot be told: they are kept no more; or, with restarted, the number asked "
		"for is not there yet, and count is 0: the daemon has been started again since, and "
		"its events follow from the first one on.",
		"Gap (count: int, next: int, restarted: bool)"},
	{NULL, NULL}
};

/* --- errors ------------------------------------------------------------------ */

const struct interface_error interface_errors[] = {
	{INTERFACE_NAME ".NotFound", BAY_NOT_FOUND, INTERFACE_EXIT_NOT_FOUND,
		"There is no service of this name."},
	{INTERFACE_NAME ".NotPermitted", BAY_NOT_PERMITTED, INTERFACE_EXIT_NOT_PERMITTED,
		"Not for this user."},
	{INTERFACE_REFUSED, BAY_OK, INTERFACE_EXIT_FAILED,
		"Not done, for the reason in message. With the status \"invalid\" a configuration or "
		"a plugin is at fault."},
	{INTERFACE_FAILED, BAY_FAILED, INTERFACE_EXIT_FAILED,
		"Tried, and it failed; status says how. It is the error of every call whose handler "
		"failed: the others come from the container itself."},
	{INTERFACE_ROLLED_BACK, BAY_OK, INTERFACE_EXIT_ROLLED_BACK,
		"The new code of a service failed, for the reason in message, and the former code runs."},
	{INTERFACE_NAME ".Timeout", BAY_TIMEOUT, INTERFACE_EXIT_TIMEOUT,
		"The deadline passed first."},
	{INTERFACE_NAME ".Closed", BAY_CLOSED, INTERFACE_EXIT_FAILED,
		"The service does not take messages now."},
	{INTERFACE_NAME ".Full", BAY_FULL, INTERFACE_EXIT_FAILED, "The queue is full."},
	{INTERFACE_NAME ".TooBig", BAY_TOO_BIG, INTERFACE_EXIT_FAILED,
		"Larger than the bound of its kind."},
	{INTERFACE_NAME ".Loop", BAY_LOOP, INTERFACE_EXIT_FAILED,
		"Services call each other in a circle."},
	{INTERFACE_NAME ".PeerDied", BAY_PEER_DIED, INTERFACE_EXIT_FAILED,
		"The process that worked on it died."},
	{NULL, BAY_OK, INTERFACE_EXIT_FAILED, NULL}
};

/* --- the standard interface -------------------------------------------------- */

const char interface_service_text[] =
	"# What every Varlink service can be asked. With an error, message says in words what\n"
	"# is wrong, and code which kind of mistake it is (bayctl explain).\n"
	"interface org.varlink.service\n"
	"\n"
	"method GetInfo() -> (\n"
	"  vendor: string,\n"
	"  product: string,\n"
	"  version: string,\n"
	"  url: string,\n"
	"  interfaces: []string\n"
	")\n"
	"\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n"
	"\n"
	"error InterfaceNotFound (interface: string, message: ?string, code: ?string)\n"
	"\n"
	"error MethodNotFound (method: string, message: ?string, code: ?string)\n"
	"\n"
	"error MethodNotImplemented (method: string)\n"
	"\n"
	"error InvalidParameter (parameter: string, message: ?string, code: ?string)\n"
	"\n"
	"error PermissionDenied ()\n"
	"\n"
	"error ExpectedMore (method: ?string, message: ?string, code: ?string)\n";
