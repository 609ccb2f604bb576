/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the ini files say: plain data, made by config_load and read only from then on. Every
 * value is there, from a file, by default or set by hand; each knows where it comes from.
 * Shared by all who point into it, and counted.
 */
#ifndef BAY_CONFIG_CONFIG_DATA_H
#define BAY_CONFIG_CONFIG_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

/* The cell of services that name none. */
#define CONFIG_CELL_MAIN "main"

/* The longest name of a service, plugin or cell. */
enum { CONFIG_NAME_MAX = 48 };

/* No section has more keys than this. */
enum { CONFIG_SECTION_KEYS_MAX = 64 };

/* Where something stands. By default: file is NULL. */
struct config_origin {
	const char *file; /* as the user wrote it; or "set by user 0"; borrowed from the config */
	unsigned line;    /* from 1; 0: the file as a whole, or no file: it was set by hand */
};

enum config_log_sink {
	CONFIG_LOG_STDERR = 0,
	CONFIG_LOG_SYSLOG,
	CONFIG_LOG_FILE
};

enum config_watch {
	CONFIG_WATCH_YES = 0,
	CONFIG_WATCH_NO,
	CONFIG_WATCH_POLL
};

enum config_overflow {
	CONFIG_OVERFLOW_REJECT = 0,
	CONFIG_OVERFLOW_WAIT,
	CONFIG_OVERFLOW_DROP_OLDEST,
	CONFIG_OVERFLOW_DROP_NEWEST
};

/* What becomes of a service of a shared cell that crashes again and again. */
enum config_on_crash {
	CONFIG_ON_CRASH_ISOLATE = 0,
	CONFIG_ON_CRASH_STAY
};

enum config_restart {
	CONFIG_RESTART_ON_FAILURE = 0,
	CONFIG_RESTART_NO,
	CONFIG_RESTART_ALWAYS,
	CONFIG_RESTART_ON_HANG
};

/* Who is started again with a service of the group that failed. */
enum config_strategy {
	CONFIG_ONE_FOR_ONE = 0,
	CONFIG_ONE_FOR_ALL,
	CONFIG_REST_FOR_ONE /* those that come after it */
};

/* From first_ns to last_ns, which is no less. */
struct config_span {
	int64_t first_ns;
	int64_t last_ns;
};

/* At most count events in each period. */
struct config_rate {
	int64_t count;
	int64_t period_ns;
};

/* The [container] section. Directories and paths are absolute, names may be empty: unset. */
struct config_container {
	char *plugin_dir;
	enum config_watch watch; /* of plugin_dir */
	bool autoload;
	char *runtime_dir;
	char *image_dir;
	char *state_dir;
	char *control; /* the admin socket */
	uint32_t control_mode;
	char *control_group; /* or "" */
	char *viewers;       /* lists for admin_roles; or "" */
	char *operators;
	char *admins;
	char *user;          /* or "" */
	char *group;         /* or "" */
	char *log;           /* "stderr", "syslog" or a path */
	enum log_level log_level;
	enum log_format log_format;
	char *include; /* patterns, one a line; already followed */
	int64_t loops; /* 0: one per processor */
	int64_t max_depth;
	int64_t max_lingering;
	int64_t blocking_threads;
	char *resolv_conf;
	char *cgroup; /* "auto", "no", or a directory */
	int64_t drain_timeout_ns;
	int64_t crash_reports;
	int64_t max_services;
	struct config_origin origins[CONFIG_SECTION_KEYS_MAX]; /* by row of the table */
	struct config_origin origin; /* of the section; file is NULL when there is none */
};

/* One [cell NAME] section. */
struct config_cell {
	char *name;
	int64_t loops; /* 0: as [container] */
	char *user;    /* or "": as [container] */
	char *group;   /* likewise */
	int64_t fds_max; /* 0: as many as the system lets it have */
	uint64_t memory_max; /* bytes; 0: no limit */
	int64_t tasks_max; /* threads; 0: no limit */
	int64_t cpu_weight; /* 1..10000, beside the 100 of others */
	bool sandbox;
	char *writable; /* directories below which a sandboxed one may write, blanks between; or "" */
	struct config_origin origins[CONFIG_SECTION_KEYS_MAX]; /* by row of the table */
	struct config_origin origin; /* of the section */
};

/* One [group NAME] section. */
struct config_group {
	char *name;
	enum config_strategy strategy;
	struct config_origin origins[CONFIG_SECTION_KEYS_MAX]; /* by row of the table */
	struct config_origin origin; /* of the section */
};

/* A key that Bay does not know: the plugin may. */
struct config_setting {
	char *name;
	char *value;
	struct config_origin origin;
};

/* One [service NAME] section. */
struct config_service {
	char *name;
	char *plugin; /* without .so */
	char *plugin_file; /* absolute; of one that was loaded by hand; NULL: it is in plugin_dir */
	bool enabled;
	char *requires; /* lists as config_names_next reads them; or "" */
	char *wants;
	char *after;
	char *group;  /* of a section; or "" */
	char *cell;   /* the name of the cell that it shares */
	bool isolate; /* it has a cell of its own instead */
	enum config_on_crash on_crash;
	int64_t instances; /* 0: one per loop */
	int64_t concurrency;
	int64_t queue; /* messages */
	uint64_t queue_bytes;
	int64_t weight;
	int64_t max_inflight;  /* these: 0: no limit */
	int64_t tasks_max;
	uint64_t memory_max;
	struct config_rate rate; /* count 0: no limit */
	enum config_overflow overflow;
	int64_t retry; /* of requests from other cells */
	int64_t retry_budget; /* percent; 0: none */
	int64_t retry_budget_min; /* a second */
	int64_t breaker; /* percent; 0: none */
	int64_t breaker_calls;
	int64_t breaker_window_ns;
	int64_t breaker_delay_ns;
	int64_t breaker_trials;
	int64_t poison; /* 0: none is */
	int64_t dead_letters;
	uint64_t dead_letter_bytes;
	int64_t timeout_ns; /* 0: none */
	uint64_t stack_bytes;
	int64_t blocking_threads;
	int64_t start_timeout_ns;
	int64_t drain_timeout_ns;
	int64_t probation_ns; /* 0: none */
	int64_t health_interval_ns; /* 0: never */
	int64_t health_timeout_ns;
	int64_t health_queue_ns; /* 0: however old */
	int64_t stall_warn_ns; /* 0: never */
	int64_t stall_kill_ns; /* likewise */
	bool crash_content;
	enum config_restart restart;
	struct config_span restart_delay;
	struct config_rate start_limit;
	char *listen; /* as config_listen_next reads it; or "" */
	uint32_t listen_mode;
	struct config_setting *settings; /* in the order of the file */
	size_t setting_count;
	struct config_origin origins[CONFIG_SECTION_KEYS_MAX]; /* by row of the table */
	struct config_origin origin; /* of the section */
};

struct config {
	char *path; /* of the main file, absolute */
	struct config_container container;
	struct config_service *services; /* in the order of the files */
	size_t service_count;
	struct config_cell *cells; /* likewise; a cell needs no section */
	size_t cell_count;
	struct config_group *groups; /* likewise */
	size_t group_count;
	char **files; /* every file read, the main one first */
	size_t file_count;
	char **_kept; /* other texts that origins point to */
	size_t _kept_count;
	bool dropped_in; /* it is of a plugin file that no section names, and has that service only */
	unsigned _refs;
};

/* Every configuration is made with one reference. The last one frees the whole of it; NULL is
 * fine there. */
struct config *config_ref(struct config *config);
void config_unref(struct config *config);

/* config_unref, for who knows that he has the only one. */
void config_destroy(struct config *config);

/* Returns the service of that name, or NULL. Borrowed. */
const struct config_service *config_find_service(const struct config *config,
	const char *name);

/* Returns the section of the cell of that name, or NULL: there is none. Borrowed. */
const struct config_cell *config_find_cell(const struct config *config, const char *name);

/* The section that counts for the process of that cell, or NULL: its own; of one that a service was
 * moved to, out of the cell that it shared, that of the cell that it shared. Borrowed. */
const struct config_cell *config_cell_section(const struct config *config, const char *name);

/* Returns the section of the group of that name, or NULL: there is none. Borrowed. */
const struct config_group *config_find_group(const struct config *config, const char *name);

/* The name of the cell that the service is to be in. Borrowed. */
const char *config_service_cell(const struct config_service *service);

/* How many loops the cell of that name has; 0: one per processor. */
int64_t config_cell_loops(const struct config *config, const char *name);

/* Where the lines of the log go. */
enum config_log_sink config_log_sink(const struct config *config);

/* Where a key's value comes from; the key must be in the section's table. Borrowed. */
const struct config_origin *config_container_origin(const struct config *config,
	const char *key);
const struct config_origin *config_service_origin(const struct config_service *service,
	const char *key);
const struct config_origin *config_cell_origin(const struct config_cell *cell, const char *key);

/*
 * Whether two service sections ask for the same: every value and every setting, in
 * whatever order, wherever they stand.
 */
bool config_service_equal(const struct config_service *a, const struct config_service *b);

/*
 * Returns what to say about a setting that the service's plugin does not declare, with the
 * nearest of the keys of Bay and the settings of the plugin; the caller frees.
 */
char *config_unknown_setting_text(const struct config_service *service, size_t setting,
	const char *const *plugin_settings, size_t count)
	__attribute__((warn_unused_result));

#endif
