/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys of [container]. */
#include "config.h"

#include <stddef.h>

#include "base/log.h"
#include "base/status_page.h"
#include "config/config_data.h"
#include "config/config_keys.h"
#include "config/config_keys_rows.h"

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

static const struct config_word cgroup_words[] = {
	{"auto", 0},
	{"no", 0},
	{NULL, 0},
};

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

CONFIG_ROWS_CHECK(container_rows);

const struct config_keys config_container_keys = CONFIG_ROWS_TABLE(container_rows);
