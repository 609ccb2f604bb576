/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The admin interface io.bayd.Container: what may be asked, by whom, with which arguments,
 * and how it is answered when it does not work. One table; the server's checks, the text
 * that a client can ask for and bayctl's exit codes are read from it.
 *
 * All functions: any thread; never suspend.
 */
#ifndef BAY_PROTOCOL_INTERFACE_H
#define BAY_PROTOCOL_INTERFACE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/status.h>

struct buffer;

#define INTERFACE_NAME "io.bayd.Container"
#define INTERFACE_SERVICE_NAME "org.varlink.service"

/* Errors of org.varlink.service; the others are made by interface_error_name. */
#define INTERFACE_INVALID_PARAMETER INTERFACE_SERVICE_NAME ".InvalidParameter"
#define INTERFACE_METHOD_NOT_FOUND INTERFACE_SERVICE_NAME ".MethodNotFound"
#define INTERFACE_INTERFACE_NOT_FOUND INTERFACE_SERVICE_NAME ".InterfaceNotFound"
#define INTERFACE_EXPECTED_MORE INTERFACE_SERVICE_NAME ".ExpectedMore"
#define INTERFACE_REFUSED INTERFACE_NAME ".Refused"
/* The new generation of a service failed, or a new configuration, and the former one runs. */
#define INTERFACE_ROLLED_BACK INTERFACE_NAME ".RolledBack"
/* What a handler ends with is told by this one, whatever its status is. */
#define INTERFACE_FAILED INTERFACE_NAME ".Failed"

/* For a table of handlers: handlers[INTERFACE_METHODS]. */
enum interface_method_id {
	INTERFACE_GET_INFO = 0, /* org.varlink.service */
	INTERFACE_GET_DESCRIPTION,
	INTERFACE_PING,
	INTERFACE_INFO,
	INTERFACE_LIST,
	INTERFACE_STATUS,
	INTERFACE_CALL,
	INTERFACE_SEND,
	INTERFACE_VERBS,
	INTERFACE_DO,
	INTERFACE_START,
	INTERFACE_STOP,
	INTERFACE_RESTART,
	INTERFACE_RESET,
	INTERFACE_RELOAD,
	INTERFACE_ROLLBACK,
	INTERFACE_PROMOTE,
	INTERFACE_ABORT,
	INTERFACE_PAUSE,
	INTERFACE_RESUME,
	INTERFACE_DRAIN,
	INTERFACE_LOAD,
	INTERFACE_UNLOAD,
	INTERFACE_TASKS,
	INTERFACE_QUEUES,
	INTERFACE_STATS,
	INTERFACE_CRASHES,
	INTERFACE_DEAD_LETTERS,
	INTERFACE_DROP_DEAD_LETTERS,
	INTERFACE_LOG,
	INTERFACE_EVENTS,
	INTERFACE_TRACE,
	INTERFACE_RELOAD_CONFIG,
	INTERFACE_DIFF_CONFIG,
	INTERFACE_SHOW_CONFIG,
	INTERFACE_SET_CONFIG,
	INTERFACE_CONFIG_HISTORY,
	INTERFACE_ROLLBACK_CONFIG,
	INTERFACE_SHUTDOWN,
	INTERFACE_METHODS
};

/* Who may: each role may what the ones before it may. */
enum interface_role {
	INTERFACE_ROLE_NONE = 0, /* anybody who can connect */
	INTERFACE_ROLE_VIEWER,   /* looks, and changes nothing */
	INTERFACE_ROLE_OPERATOR, /* members of control_group, too */
	INTERFACE_ROLE_ADMIN     /* root and bayd's own user, too */
};

/* "none", "viewer", "operator", "admin". */
const char *interface_role_name(enum interface_role role);

/* The role of a name; a word that is none is the highest. */
enum interface_role interface_role_parse(const char *name);

enum interface_type {
	INTERFACE_BOOL,
	INTERFACE_INT,
	INTERFACE_STRING,
	INTERFACE_STRINGS
};

struct interface_argument {
	const char *name; /* NULL ends the list */
	enum interface_type type;
	bool required;
	int64_t min; /* of an int */
	int64_t max; /* of an int; of a string its length in bytes, 0: any; of strings
	              * their number */
};

struct interface_method {
	enum interface_method_id id;
	const char *interface;
	const char *name; /* without the interface: "List" */
	enum interface_role role;
	bool streams; /* answers a call with "more" by many replies */
	const struct interface_argument *arguments;
	const char *reply; /* the fields of the reply in varlink's notation */
	const char *help;  /* one sentence */
};

/* The row of a method; id < INTERFACE_METHODS. */
const struct interface_method *interface_method(enum interface_method_id id);

/*
 * Finds the row of a full name, "io.bayd.Container.List". NULL: there is none, and *error_r
 * is MethodNotFound or InterfaceNotFound by its full name.
 */
const struct interface_method *interface_find(const char *full_name, const char **error_r);

/*
 * Checks the arguments of a call: all known, the required ones there, of the right type
 * and within bounds. parameters may be NULL: none. False: *field_r is the name of the wrong
 * one (borrowed from parameters or for ever) and text (INTERFACE_TEXT_SIZE) says what is
 * wrong. Null counts as absent.
 */
enum { INTERFACE_TEXT_SIZE = 192 };
bool interface_check(const struct interface_method *method, const json_t *parameters,
	const char **field_r, char *text)
	__attribute__((warn_unused_result));

/*
 * Whether a reply has the field that the method's row names first, unless that is an optional one.
 * It has been there from the first version on: without it, whoever answered is no bayd.
 */
bool interface_is_reply(const struct interface_method *method, const json_t *parameters);

/* --- replies to org.varlink.service ------------------------------------------ */

/* The parameters of GetInfo's reply; the caller's. */
json_t *interface_info_reply(const char *version)
	__attribute__((warn_unused_result));

/* The parameters of GetInterfaceDescription's reply; the caller's. NULL: no such interface. */
json_t *interface_description_reply(const char *interface)
	__attribute__((warn_unused_result));

/* Appends the text of io.bayd.Container in varlink's notation. False: no memory. */
bool interface_describe(struct buffer *out)
	__attribute__((warn_unused_result));

/* --- errors ------------------------------------------------------------------ */

/*
 * The error by which a status of the container itself is told to a client:
 * "io.bayd.Container.NotFound"; Failed for statuses that have no error of their own. Not for
 * the status of a handler, which may say "not-found" of anything: that is INTERFACE_FAILED.
 * Borrowed for ever.
 */
const char *interface_error_name(enum bay_status status);

/*
 * The status behind an error reply: what its "status" parameter says, else what its name
 * says, else BAY_FAILED. parameters may be NULL.
 */
enum bay_status interface_error_status(const char *error, const json_t *parameters);

/*
 * The parameters that every error of ours holds: {"message", "status", "code"}. The code is the
 * one that message ends in, which it is then without; else this one (base/code.h), or with NULL
 * the name of the status. message is escaped when it is no UTF-8. The caller's.
 */
json_t *interface_error_parameters(enum bay_status status, const char *code, const char *message)
	__attribute__((warn_unused_result));

/* The parameters of the errors of org.varlink.service, with message and code beside the standard
 * field ("parameter", "method" or "interface"). The caller's. */
json_t *interface_standard_error_parameters(const char *field, const char *value,
	const char *code, const char *message)
	__attribute__((warn_unused_result));

/* --- bayctl's exit codes ----------------------------------------------------- */

enum interface_exit {
	INTERFACE_EXIT_DONE = 0,
	INTERFACE_EXIT_FAILED = 1,
	INTERFACE_EXIT_USAGE = 2,
	INTERFACE_EXIT_NO = 3,            /* the answer is no */
	INTERFACE_EXIT_NOT_FOUND = 4,     /* no such name */
	INTERFACE_EXIT_INVALID = 5,       /* a configuration or plugin is invalid; nothing changed */
	INTERFACE_EXIT_NOT_PERMITTED = 6,
	INTERFACE_EXIT_UNREACHABLE = 7,   /* no daemon answers at the socket */
	INTERFACE_EXIT_TIMEOUT = 8,       /* the operation may go on */
	INTERFACE_EXIT_PARTLY = 9,        /* several names; some worked */
	INTERFACE_EXIT_ROLLED_BACK = 10   /* the new version failed, the old one runs */
};

/* One sentence for the manual and --help; NULL past the last. */
const char *interface_exit_text(int code);

/*
 * The exit code for an error reply by its full name and its parameters, which may be NULL:
 * Refused with the status "invalid" is about a configuration or a plugin.
 */
enum interface_exit interface_error_exit(const char *error, const json_t *parameters);

#endif
