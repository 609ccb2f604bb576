/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run of bayctl: what every verb needs. A verb asks, prints and returns an exit code.
 *
 *	enum interface_exit
 *	verb_queues(struct ctl *ctl)
 *	{
 *		struct ctl_reply reply;
 *
 *		if (!ctl_ask(ctl, INTERFACE_QUEUES, NULL, &reply))
 *			return ctl_fail(ctl);
 *		...
 *	}
 */
#ifndef BAY_CTL_CTL_H
#define BAY_CTL_CTL_H

#include <stdbool.h>
#include <stdio.h>

#include "ctl/connection.h"
#include "ctl/error.h"
#include "ctl/options.h"
#include "ctl/print.h"

struct ctl {
	struct ctl_options options;
	struct print out; /* answers */
	struct print err; /* errors, progress */
	struct ctl_connection connection;
	struct ctl_error error;
};

/* Runs bayctl with these words, prints to the files and returns the exit code. */
int ctl_main(int argc, char **argv, FILE *out, FILE *err);

/* The socket in use. Borrowed. */
const char *ctl_socket(const struct ctl *ctl);

/* Connects unless that is done. False: ctl->error says why. */
bool ctl_connect(struct ctl *ctl)
	__attribute__((warn_unused_result));

/*
 * Calls a method and waits for its reply. parameters are taken; NULL: none. fd goes along
 * unless it is -1, and is taken. False: ctl->error says why, also when the daemon said no;
 * there is then nothing to be finished.
 */
bool ctl_ask(struct ctl *ctl, enum interface_method_id id, json_t *parameters,
	struct ctl_reply *reply_r)
	__attribute__((warn_unused_result));
bool ctl_ask_with_fd(struct ctl *ctl, enum interface_method_id id, json_t *parameters, int fd,
	int64_t deadline, struct ctl_reply *reply_r)
	__attribute__((warn_unused_result));

/* The same for a method that tells its stages: each is given to fn, before the reply. */
typedef void ctl_stage_fn(struct ctl *ctl, const char *stage, void *arg);
bool ctl_ask_in_stages(struct ctl *ctl, enum interface_method_id id, json_t *parameters,
	ctl_stage_fn *fn, void *arg, struct ctl_reply *reply_r)
	__attribute__((warn_unused_result));

/* Fills error with what an error reply says. */
void ctl_read_error(const struct varlink_reply *reply, struct ctl_error *error);

/* Where the name of a service is wrong, asks for the names and adds the nearest as a hint. */
void ctl_hint_nearest_service(struct ctl *ctl, const char *service);

/* Prints ctl->error, as JSON or for people, and returns its exit code. */
enum interface_exit ctl_fail(struct ctl *ctl);

/* For --json: prints {"schema", "ok", "error"?, "data"?}. data is borrowed and may be NULL. */
void ctl_print_json(struct ctl *ctl, const struct ctl_error *error, json_t *data);

#endif
