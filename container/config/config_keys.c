/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "config/config_keys.h"

#include <string.h>

#include "base/clock.h"
#include "base/status_page.h"
#include "base/text.h"
#include "config/config_data.h"

#define SECONDS(n) ((int64_t)(n) * CLOCK_NS_PER_S)
#define HOURS(n) SECONDS((n) * 3600)

/* --- words ------------------------------------------------------------------ */

static const struct config_word log_words[] = {
	{"stderr", CONFIG_LOG_STDERR},
	{"syslog", CONFIG_LOG_SYSLOG},
	{NULL, 0},
};

static const struct config_word log_level_words[] = {
	{"error", LOG_LEVEL_ERROR},
	{"warn", LOG_LEVEL_WARN},
	{"info", LOG_LEVEL_INFO},
	{"debug", LOG_LEVEL_DEBUG},
	{NULL, 0},
};

static const struct config_word log_format_words[] = {
	{"text", LOG_FORMAT_TEXT},
	{"json", LOG_FORMAT_JSON},
	{NULL, 0},
};

static const struct config_word watch_words[] = {
	{"yes", CONFIG_WATCH_YES},
	{"no", CONFIG_WATCH_NO},
	{"poll", CONFIG_WATCH_POLL},
	{NULL, 0},
};

static const struct config_word loops_words[] = {
	{"auto", 0},
	{NULL, 0},
};

static const struct config_word instances_words[] = {
	{"one", 1},
	{"per-loop", 0},
	{NULL, 0},
};

static const struct config_word overflow_words[] = {
	{"wait", CONFIG_OVERFLOW_WAIT},
	{"reject", CONFIG_OVERFLOW_REJECT},
	{"drop-oldest", CONFIG_OVERFLOW_DROP_OLDEST},
	{"drop-newest", CONFIG_OVERFLOW_DROP_NEWEST},
	{NULL, 0},
};

static const struct config_word on_crash_words[] = {
	{"isolate", CONFIG_ON_CRASH_ISOLATE},
	{"stay", CONFIG_ON_CRASH_STAY},
	{NULL, 0},
};

static const struct config_word cgroup_words[] = {
	{"auto", 0},
	{"no", 0},
	{NULL, 0},
};

static const struct config_word container_words[] = {
	{"container", 0},
	{NULL, 0},
};

static const struct config_word none_words[] = {
	{"none", 0},
	{NULL, 0},
};

static const struct config_word no_words[] = {
	{"no", 0},
	{NULL, 0},
};

static const struct config_word restart_words[] = {
	{"on-failure", CONFIG_RESTART_ON_FAILURE},
	{"no", CONFIG_RESTART_NO},
	{"always", CONFIG_RESTART_ALWAYS},
	{"on-hang", CONFIG_RESTART_ON_HANG},
	{NULL, 0},
};

static const struct config_word strategy_words[] = {
	{"one-for-one", CONFIG_ONE_FOR_ONE},
	{"one-for-all", CONFIG_ONE_FOR_ALL},
	{"rest-for-one", CONFIG_REST_FOR_ONE},
	{NULL, 0},
};

/* --- [container] ------------------------------------------------------------- */

#define AT(field) offsetof(struct config_container, field)

static const struct config_key container_rows[] = {
	{
		.name = "plugin_dir",
		.type = CONFIG_TYPE_PATH,
		.offset = AT(plugin_dir),
		.fallback = "plugins",
		.help = "the directory of the plugins' .so files",
	},
	{
		.name = "runtime_dir",
		.type = CONFIG_TYPE_PATH,
		.offset = AT(runtime_dir),
		.fallback = "run",
		.help = "the directory of what exists while bayd runs",
	},
	{
		.name = "image_dir",
		.type = CONFIG_TYPE_RUNTIME_PATH,
		.offset = AT(image_dir),
		.fallback = "images",
		.help = "the directory of the private copies of plugins that cells load",
	},
	{
		.name = "state_dir",
		.type = CONFIG_TYPE_PATH,
		.offset = AT(state_dir),
		.fallback = "state",
		.help = "the directory of what is kept when bayd ends: reports of crashes",
	},
	{
		.name = "control",
		.type = CONFIG_TYPE_RUNTIME_PATH,
		.offset = AT(control),
		.fallback = "control.sock",
		.help = "the socket that bayctl talks to",
	},
	{
		.name = "control_mode",
		.type = CONFIG_TYPE_MODE,
		.offset = AT(control_mode),
		.fallback = "0600",
		.min = 0,
		.max = 0777,
		.help = "who may connect to the control socket",
	},
	{
		.name = "control_group",
		.type = CONFIG_TYPE_STRING,
		.offset = AT(control_group),
		.fallback = "",
		.help = "the group that owns the control socket; empty for bayd's own",
	},
	{
		.name = "viewers",
		.type = CONFIG_TYPE_STRING,
		.offset = AT(viewers),
		.fallback = "",
		.reloadable = true,
		.help = "users and @groups who may look at everything; * is everybody who can connect",
	},
	{
		.name = "operators",
		.type = CONFIG_TYPE_STRING,
		.offset = AT(operators),
		.fallback = "",
		.reloadable = true,
		.help = "users and @groups who may call services and steer them, as control_group may",
	},
	{
		.name = "admins",
		.type = CONFIG_TYPE_STRING,
		.offset = AT(admins),
		.fallback = "",
		.reloadable = true,
		.help = "users and @groups who may do everything, as root and bayd's own user may",
	},
	{
		.name = "user",
		.type = CONFIG_TYPE_STRING,
		.offset = AT(user),
		.fallback = "",
		.help = "the user that cells run as when bayd is started by root; empty for bayd's own",
	},
	{
		.name = "group",
		.type = CONFIG_TYPE_STRING,
		.offset = AT(group),
		.fallback = "",
		.help = "the group that cells run as when bayd is started by root; empty for user's own",
	},
	{
		.name = "log",
		.type = CONFIG_TYPE_LOG,
		.offset = AT(log),
		.fallback = "stderr",
		.words = log_words,
		.reloadable = true,
		.help = "where the lines of the log go",
	},
	{
		.name = "log_level",
		.type = CONFIG_TYPE_CHOICE,
		.offset = AT(log_level),
		.fallback = "info",
		.words = log_level_words,
		.reloadable = true,
		.help = "the least important lines that are still written",
	},
	{
		.name = "log_format",
		.type = CONFIG_TYPE_CHOICE,
		.offset = AT(log_format),
		.fallback = "text",
		.words = log_format_words,
		.reloadable = true,
		.help = "lines for people, or one JSON object a line",
	},
	{
		.name = "include",
		.type = CONFIG_TYPE_PATTERNS,
		.offset = AT(include),
		.fallback = "",
		.reloadable = true,
		.help = "more files to read, as file names or shell patterns, one a line",
	},
	{
		.name = "loops",
		.type = CONFIG_TYPE_INT,
		.offset = AT(loops),
		.fallback = "auto",
		.min = 1,
		.max = STATUS_PAGE_LOOPS_MAX,
		.words = loops_words,
		.help = "the number of event loops, each a thread; auto is one per processor",
	},
	{
		.name = "max_depth",
		.type = CONFIG_TYPE_INT,
		.offset = AT(max_depth),
		.fallback = "64",
		.min = 1,
		.max = 64,
		.help = "how many calls from service to service one request may go through",
	},
	{
		.name = "max_lingering",
		.type = CONFIG_TYPE_INT,
		.offset = AT(max_lingering),
		.fallback = "32",
		.min = 1,
		.max = 1000,
		.help = "when more replaced generations stay in a cell, the cell is replaced",
	},
	{
		.name = "blocking_threads",
		.type = CONFIG_TYPE_INT,
		.offset = AT(blocking_threads),
		.fallback = "16",
		.min = 1,
		.max = 1024,
		.help = "how many helper threads run functions of services that block",
	},
	{
		.name = "resolv_conf",
		.type = CONFIG_TYPE_PATH,
		.offset = AT(resolv_conf),
		.fallback = "/etc/resolv.conf",
		.help = "the file that names the name servers which services ask",
	},
	{
		.name = "cgroup",
		.type = CONFIG_TYPE_LOG,
		.offset = AT(cgroup),
		.fallback = "auto",
		.words = cgroup_words,
		.help = "the control group in which cells get groups of their own",
	},
	{
		.name = "drain_timeout",
		.type = CONFIG_TYPE_DURATION,
		.offset = AT(drain_timeout_ns),
		.fallback = "10s",
		.min = 0,
		.max = HOURS(1),
		.reloadable = true,
		.help = "how long running requests may take to end when bayd stops",
	},
	{
		.name = "crash_reports",
		.type = CONFIG_TYPE_INT,
		.offset = AT(crash_reports),
		.fallback = "64",
		.min = 0,
		.max = 10000,
		.reloadable = true,
		.help = "how many reports of crashes are kept, the oldest go; 0 for none",
	},
	{
		.name = "max_services",
		.type = CONFIG_TYPE_INT,
		.offset = AT(max_services),
		.fallback = "1024",
		.min = 1,
		.max = STATUS_PAGE_SERVICES_MAX, /* a cell can count no more */
		.help = "more service sections than this are refused",
	},
	{
		.name = "watch",
		.type = CONFIG_TYPE_CHOICE,
		.offset = AT(watch),
		.fallback = "yes",
		.words = watch_words,
		.help = "whether changed plugin files are taken while bayd runs; poll looks twice a second",
	},
	{
		.name = "autoload",
		.type = CONFIG_TYPE_BOOL,
		.offset = AT(autoload),
		.fallback = "no",
		.help = "whether a plugin file that no section names becomes a service of its name",
	},
};

#undef AT

/* --- [service NAME] ---------------------------------------------------------- */

#define AT(field) offsetof(struct config_service, field)

static const struct config_key service_rows[] = {
	{
		.name = "plugin",
		.type = CONFIG_TYPE_NAME,
		.offset = AT(plugin),
		.fallback = NULL,
		.reloadable = true,
		.help = "the plugin that answers, without .so; by default called as the service",
	},
	{
		.name = "enabled",
		.type = CONFIG_TYPE_BOOL,
		.offset = AT(enabled),
		.fallback = "yes",
		.reloadable = true,
		.live = true,
		.help = "whether the service is started with the container",
	},
	{
		.name = "requires",
		.type = CONFIG_TYPE_NAMES,
		.offset = AT(requires),
		.fallback = "",
		.reloadable = true,
		.live = true,
		.help = "services without which this one is not started; they are started with it",
	},
	{
		.name = "wants",
		.type = CONFIG_TYPE_NAMES,
		.offset = AT(wants),
		.fallback = "",
		.reloadable = true,
		.live = true,
		.help = "services that are started with this one, before it, if they can be",
	},
	{
		.name = "after",
		.type = CONFIG_TYPE_NAMES,
		.offset = AT(after),
		.fallback = "",
		.reloadable = true,
		.live = true,
		.help = "services that, if they are started too, are started before this one",
	},
	{
		.name = "group",
		.type = CONFIG_TYPE_STRING,
		.offset = AT(group),
		.fallback = "",
		.reloadable = true,
		.live = true,
		.help = "the group whose services are started again together when one fails; empty for none",
	},
	{
		.name = "cell",
		.type = CONFIG_TYPE_NAME,
		.offset = AT(cell),
		.fallback = CONFIG_CELL_MAIN,
		.reloadable = true,
		.help = "the cell, a process, that the service shares with others that name it",
	},
	{
		.name = "isolate",
		.type = CONFIG_TYPE_BOOL,
		.offset = AT(isolate),
		.fallback = "no",
		.reloadable = true,
		.help = "whether the service has a cell of its own, which is called as it is",
	},
	{
		.name = "on_crash",
		.type = CONFIG_TYPE_CHOICE,
		.offset = AT(on_crash),
		.fallback = "isolate",
		.words = on_crash_words,
		.reloadable = true,
		.live = true,
		.help = "whether a service that crashes its cell again and again is moved out of it",
	},
	{
		.name = "instances",
		.type = CONFIG_TYPE_INT,
		.offset = AT(instances),
		.fallback = "one",
		.min = 1,
		.max = 64,
		.words = instances_words,
		.reloadable = true,
		.help = "how many loops have a state of the service of their own",
	},
	{
		.name = "concurrency",
		.type = CONFIG_TYPE_INT,
		.offset = AT(concurrency),
		.fallback = "256",
		.min = 1,
		.max = 1000000,
		.reloadable = true,
		.live = true,
		.help = "how many requests each instance works on at a time; others wait in the queue",
	},
	{
		.name = "queue",
		.type = CONFIG_TYPE_INT,
		.offset = AT(queue),
		.fallback = "1024",
		.min = 1,
		.max = 1000000,
		.reloadable = true,
		.live = true,
		.help = "how many messages the queue holds",
	},
	{
		.name = "queue_bytes",
		.type = CONFIG_TYPE_SIZE,
		.offset = AT(queue_bytes),
		.fallback = "16M",
		.min = 4096,
		.max = INT64_C(64) << 30,
		.reloadable = true,
		.live = true,
		.help = "how many bytes the messages in the queue hold together",
	},
	{
		.name = "weight",
		.type = CONFIG_TYPE_INT,
		.offset = AT(weight),
		.fallback = "100",
		.min = 1,
		.max = 1000,
		.reloadable = true,
		.live = true,
		.help = "its share of a loop when there is more to do than time, against the weights of others",
	},
	{
		.name = "max_inflight",
		.type = CONFIG_TYPE_INT,
		.offset = AT(max_inflight),
		.fallback = "0",
		.min = 0,
		.max = 1000000,
		.reloadable = true,
		.live = true,
		.help = "how many messages may be in the queue and in handlers together; 0 is no limit",
	},
	{
		.name = "rate",
		.type = CONFIG_TYPE_RATE,
		.offset = AT(rate),
		.fallback = "0/1s",
		.min = 0,
		.max = 1000000000,
		.reloadable = true,
		.live = true,
		.help = "how many messages may begin within such a time; 0 is no limit",
	},
	{
		.name = "tasks_max",
		.type = CONFIG_TYPE_INT,
		.offset = AT(tasks_max),
		.fallback = "0",
		.min = 0,
		.max = 10000000,
		.reloadable = true,
		.live = true,
		.help = "how many tasks may be alive, handlers among them; 0 is no limit",
	},
	{
		.name = "memory_max",
		.type = CONFIG_TYPE_SIZE,
		.offset = AT(memory_max),
		.fallback = "0",
		.min = 0,
		.max = INT64_C(1) << 40,
		.reloadable = true,
		.live = true,
		.help = "how many bytes it may allocate and have in its queue together; 0 is no limit",
	},
	{
		.name = "overflow",
		.type = CONFIG_TYPE_CHOICE,
		.offset = AT(overflow),
		.fallback = "reject",
		.words = overflow_words,
		.reloadable = true,
		.live = true,
		.help = "what happens to a message for a full queue",
	},
	{
		.name = "retry",
		.type = CONFIG_TYPE_INT,
		.offset = AT(retry),
		.fallback = "0",
		.min = 0,
		.max = 100,
		.reloadable = true,
		.live = true,
		.help = "how often a request from another cell is sent again when the cell that has it dies",
	},
	{
		.name = "retry_budget",
		.type = CONFIG_TYPE_PERCENT,
		.offset = AT(retry_budget),
		.fallback = "no",
		.min = 1,
		.max = 1000,
		.words = no_words,
		.reloadable = true,
		.live = true,
		.help = "how many of the requests of the last 10 s may be sent again, in each cell; no for all",
	},
	{
		.name = "retry_budget_min",
		.type = CONFIG_TYPE_INT,
		.offset = AT(retry_budget_min),
		.fallback = "10",
		.min = 0,
		.max = 1000000,
		.reloadable = true,
		.live = true,
		.help = "how many requests a second may be sent again whatever the budget says",
	},
	{
		.name = "breaker",
		.type = CONFIG_TYPE_PERCENT,
		.offset = AT(breaker),
		.fallback = "no",
		.min = 1,
		.max = 100,
		.words = no_words,
		.reloadable = true,
		.live = true,
		.help = "calls are refused for a time when so many of them fail; no for never",
	},
	{
		.name = "breaker_calls",
		.type = CONFIG_TYPE_INT,
		.offset = AT(breaker_calls),
		.fallback = "20",
		.min = 1,
		.max = 1000000,
		.reloadable = true,
		.live = true,
		.help = "how many calls there must have been in the window before the breaker opens",
	},
	{
		.name = "breaker_window",
		.type = CONFIG_TYPE_DURATION,
		.offset = AT(breaker_window_ns),
		.fallback = "10s",
		.min = 100 * CLOCK_NS_PER_MS,
		.max = HOURS(1),
		.reloadable = true,
		.live = true,
		.help = "over how long a time the breaker counts calls",
	},
	{
		.name = "breaker_delay",
		.type = CONFIG_TYPE_DURATION,
		.offset = AT(breaker_delay_ns),
		.fallback = "5s",
		.min = CLOCK_NS_PER_MS,
		.max = HOURS(1),
		.reloadable = true,
		.live = true,
		.help = "how long the breaker is open before calls are let through to try",
	},
	{
		.name = "breaker_trials",
		.type = CONFIG_TYPE_INT,
		.offset = AT(breaker_trials),
		.fallback = "3",
		.min = 1,
		.max = 1000,
		.reloadable = true,
		.live = true,
		.help = "how many calls are let through to try, when the breaker is half-open",
	},
	{
		.name = "poison",
		.type = CONFIG_TYPE_INT,
		.offset = AT(poison),
		.fallback = "2",
		.min = 0,
		.max = 100,
		.reloadable = true,
		.live = true,
		.help = "a request over which so many cells crashed becomes a dead letter; 0 for never",
	},
	{
		.name = "dead_letters",
		.type = CONFIG_TYPE_INT,
		.offset = AT(dead_letters),
		.fallback = "100",
		.min = 0,
		.max = 100000,
		.reloadable = true,
		.live = true,
		.help = "how many dead letters of the service are kept, the oldest go; 0 for none",
	},
	{
		.name = "dead_letter_bytes",
		.type = CONFIG_TYPE_SIZE,
		.offset = AT(dead_letter_bytes),
		.fallback = "16M",
		.min = 4096,
		.max = INT64_C(64) << 30,
		.reloadable = true,
		.live = true,
		.help = "how many bytes the files of the service's dead letters have together",
	},
	{
		.name = "timeout",
		.type = CONFIG_TYPE_DURATION,
		.offset = AT(timeout_ns),
		.fallback = "30s",
		.min = 0,
		.max = HOURS(24 * 365),
		.reloadable = true,
		.live = true,
		.help = "the longest time that a request may take; 0 is no end",
	},
	{
		.name = "stack",
		.type = CONFIG_TYPE_PAGES,
		.offset = AT(stack_bytes),
		.fallback = "256k",
		.min = 32 << 10,
		.max = 64 << 20,
		.reloadable = true,
		.help = "the address space of a task's stack; only what is touched takes memory",
	},
	{
		.name = "blocking_threads",
		.type = CONFIG_TYPE_INT,
		.offset = AT(blocking_threads),
		.fallback = "8",
		.min = 1,
		.max = 1024,
		.reloadable = true,
		.live = true,
		.help = "how many helper threads the service's functions that block occupy at a time",
	},
	{
		.name = "start_timeout",
		.type = CONFIG_TYPE_DURATION,
		.offset = AT(start_timeout_ns),
		.fallback = "5s",
		.min = CLOCK_NS_PER_MS,
		.max = HOURS(1),
		.reloadable = true,
		.live = true,
		.help = "how long the plugin's init may take",
	},
	{
		.name = "drain_timeout",
		.type = CONFIG_TYPE_DURATION,
		.offset = AT(drain_timeout_ns),
		.fallback = "5s",
		.min = 0,
		.max = HOURS(1),
		.reloadable = true,
		.live = true,
		.help = "how long running requests may take to end when the service stops",
	},
	{
		.name = "probation",
		.type = CONFIG_TYPE_DURATION,
		.offset = AT(probation_ns),
		.fallback = "10s",
		.min = 0,
		.max = HOURS(1),
		.reloadable = true,
		.help = "how long new code may be rolled back by its failures after a swap; 0 for never",
	},
	{
		.name = "health_interval",
		.type = CONFIG_TYPE_DURATION,
		.offset = AT(health_interval_ns),
		.fallback = "10s",
		.min = 0,
		.max = HOURS(24),
		.reloadable = true,
		.help = "how long after one answer the plugin is asked again how it is; 0 for never",
	},
	{
		.name = "health_timeout",
		.type = CONFIG_TYPE_DURATION,
		.offset = AT(health_timeout_ns),
		.fallback = "2s",
		.min = CLOCK_NS_PER_MS,
		.max = HOURS(1),
		.reloadable = true,
		.help = "how long the plugin may take to say how it is",
	},
	{
		.name = "health_queue",
		.type = CONFIG_TYPE_DURATION,
		.offset = AT(health_queue_ns),
		.fallback = "10s",
		.min = 0,
		.max = HOURS(24),
		.reloadable = true,
		.live = true,
		.help = "a service is degraded while a message waits longer in its queue; 0 for never",
	},
	{
		.name = "stall_warn",
		.type = CONFIG_TYPE_DURATION,
		.offset = AT(stall_warn_ns),
		.fallback = "500ms",
		.min = 0,
		.max = HOURS(1),
		.reloadable = true,
		.live = true,
		.help = "when a task has kept its loop for so long it is told to the log; 0 for never",
	},
	{
		.name = "stall_kill",
		.type = CONFIG_TYPE_DURATION,
		.offset = AT(stall_kill_ns),
		.fallback = "30s",
		.min = 0,
		.max = HOURS(24),
		.reloadable = true,
		.live = true,
		.help = "when a task has kept its loop for so long its cell is replaced; 0 for never",
	},
	{
		.name = "crash_content",
		.type = CONFIG_TYPE_BOOL,
		.offset = AT(crash_content),
		.fallback = "yes",
		.reloadable = true,
		.live = true,
		.help = "whether a report of a crash shows the begin of the message that was handled",
	},
	{
		.name = "restart",
		.type = CONFIG_TYPE_CHOICE,
		.offset = AT(restart),
		.fallback = "on-failure",
		.words = restart_words,
		.reloadable = true,
		.live = true,
		.help = "after which ends that nobody asked for a service is started again",
	},
	{
		.name = "restart_delay",
		.type = CONFIG_TYPE_SPAN,
		.offset = AT(restart_delay),
		.fallback = "200ms..1m",
		.min = 0,
		.max = HOURS(1),
		.reloadable = true,
		.live = true,
		.help = "how long to wait before the first restart, and at most: each one in a row doubles it",
	},
	{
		.name = "start_limit",
		.type = CONFIG_TYPE_RATE,
		.offset = AT(start_limit),
		.fallback = "5/1m",
		.min = 1,
		.max = 1000,
		.reloadable = true,
		.live = true,
		.help = "after so many failures within such a time the service is given up",
	},
	{
		.name = "listen",
		.type = CONFIG_TYPE_LISTEN,
		.offset = AT(listen),
		.fallback = "",
		.reloadable = true,
		.help = "the addresses that the service may listen on; empty for those of this machine only",
	},
	{
		.name = "listen_mode",
		.type = CONFIG_TYPE_MODE,
		.offset = AT(listen_mode),
		.fallback = "0600",
		.min = 0,
		.max = 0777,
		.reloadable = true,
		.help = "who may connect to the socket files that the service listens on",
	},
};

#undef AT

/* --- [cell NAME] ------------------------------------------------------------- */

#define AT(field) offsetof(struct config_cell, field)

static const struct config_key cell_rows[] = {
	{
		.name = "loops",
		.type = CONFIG_TYPE_INT,
		.offset = AT(loops),
		.fallback = "container",
		.min = 1,
		.max = STATUS_PAGE_LOOPS_MAX,
		.words = container_words,
		.reloadable = true,
		.help = "the number of event loops of the cell; container is that of [container]",
	},
	{
		.name = "user",
		.type = CONFIG_TYPE_STRING,
		.offset = AT(user),
		.fallback = "",
		.reloadable = true,
		.help = "the user that the cell runs as when bayd is started by root; empty for that of [container]",
	},
	{
		.name = "group",
		.type = CONFIG_TYPE_STRING,
		.offset = AT(group),
		.fallback = "",
		.reloadable = true,
		.help = "the group that the cell runs as when bayd is started by root; empty for user's own",
	},
	{
		.name = "fds_max",
		.type = CONFIG_TYPE_INT,
		.offset = AT(fds_max),
		.fallback = "none",
		.min = 64,
		.max = 1048576,
		.words = none_words,
		.reloadable = true,
		.help = "how many descriptors the cell may have; none for as many as the system lets it have",
	},
	{
		.name = "memory_max",
		.type = CONFIG_TYPE_SIZE,
		.offset = AT(memory_max),
		.fallback = "none",
		.min = 1 << 20,
		.max = INT64_C(1) << 50,
		.words = none_words,
		.reloadable = true,
		.help = "how much memory the cell may have before it is replaced",
	},
	{
		.name = "tasks_max",
		.type = CONFIG_TYPE_INT,
		.offset = AT(tasks_max),
		.fallback = "none",
		.min = 8,
		.max = 1000000,
		.words = none_words,
		.reloadable = true,
		.help = "how many threads the cell may have before it is replaced",
	},
	{
		.name = "cpu_weight",
		.type = CONFIG_TYPE_INT,
		.offset = AT(cpu_weight),
		.fallback = "100",
		.min = 1,
		.max = 10000,
		.reloadable = true,
		.help = "the cell's part of the processors when they are short, beside the 100 of others",
	},
	{
		.name = "sandbox",
		.type = CONFIG_TYPE_BOOL,
		.offset = AT(sandbox),
		.fallback = "no",
		.reloadable = true,
		.help = "whether the cell is kept from everything that is not its own",
	},
	{
		.name = "writable",
		.type = CONFIG_TYPE_STRING,
		.offset = AT(writable),
		.fallback = "",
		.reloadable = true,
		.help = "the directories below which a sandboxed cell may write, with blanks between them",
	},
};

#undef AT

/* --- [group NAME] ------------------------------------------------------------ */

#define AT(field) offsetof(struct config_group, field)

static const struct config_key group_rows[] = {
	{
		.name = "strategy",
		.type = CONFIG_TYPE_CHOICE,
		.offset = AT(strategy),
		.fallback = "one-for-one",
		.words = strategy_words,
		.reloadable = true,
		.help = "who is started again with a service of the group that failed",
	},
};

#undef AT

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

_Static_assert(COUNT(container_rows) <= CONFIG_SECTION_KEYS_MAX, "origins are too few");
_Static_assert(COUNT(service_rows) <= CONFIG_SECTION_KEYS_MAX, "origins are too few");
_Static_assert(COUNT(group_rows) <= CONFIG_SECTION_KEYS_MAX, "origins are too few");
_Static_assert(COUNT(cell_rows) <= CONFIG_SECTION_KEYS_MAX, "origins are too few");

const struct config_keys config_container_keys = {container_rows, COUNT(container_rows)};
const struct config_keys config_service_keys = {service_rows, COUNT(service_rows)};
const struct config_keys config_cell_keys = {cell_rows, COUNT(cell_rows)};
const struct config_keys config_group_keys = {group_rows, COUNT(group_rows)};

/* --- looking up -------------------------------------------------------------- */

const struct config_key *
config_keys_find(const struct config_keys *keys, const char *name)
{
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(keys->rows[i].name, name) == 0)
			return &keys->rows[i];
	return NULL;
}

const char *
config_keys_nearest(const struct config_keys *keys, const char *name)
{
	const char *names[CONFIG_SECTION_KEYS_MAX];

	for (size_t i = 0; i < keys->count; i++)
		names[i] = keys->rows[i].name;
	return text_nearest(name, names, keys->count);
}
