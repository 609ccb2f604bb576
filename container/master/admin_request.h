/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request of an admin client, from its arrival to its answer. Whoever gets one owes
 * exactly one reply or error, at once or later: it ends the request, and the
 * client's next one is read only then. A client that has gone meanwhile makes no
 * difference, except that nothing is sent.
 *
 * A request with "more" may be sent any number of parts before its end; who does that for
 * long watches the client (admin_request_watch).
 *
 * Master only; never suspends.
 */
#ifndef BAY_MASTER_ADMIN_REQUEST_H
#define BAY_MASTER_ADMIN_REQUEST_H

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "master/admin_peer.h"
#include "protocol/varlink_stream.h"

struct admin_connection;
struct admin_request;

/* Called once, when the client of a request that is still owed an answer has gone. */
typedef void admin_gone_fn(struct admin_request *request, void *arg);

/* Called when the client has read so much that more can be sent. */
typedef void admin_room_fn(struct admin_request *request, void *arg);

/* To be read by the handler; the members with _ are the connection's. */
struct admin_request {
	const char *method;
	const json_t *parameters; /* always an object */
	bool more;                /* the client takes several replies */
	bool oneway;              /* it takes none, and may go at once */
	struct varlink_fds fds;   /* closed with the request; who takes one leaves -1 */
	struct admin_peer peer;
	struct admin_connection *_connection; /* NULL: the client has gone */
	json_t *_frame;                       /* what the borrowed members point into */
	admin_gone_fn *_on_gone;
	admin_room_fn *_on_room;
	void *_arg;
	bool _wants_room; /* a part did not fit */
};

/* Ends the request with a reply. Takes parameters; NULL stands for none. */
void admin_reply(struct admin_request *request, json_t *parameters);

/* The same with a descriptor, which is taken; -1 for none. */
void admin_reply_with_fd(struct admin_request *request, json_t *parameters, int fd);

/*
 * Sends one of several replies and takes parameters. False: nothing was sent, as the client
 * has gone, or more than the limit is waiting to be read by it; then on_room says when to
 * try again. The request is still to be ended.
 */
bool admin_reply_part(struct admin_request *request, json_t *parameters)
	__attribute__((warn_unused_result));

/* Whether a part would be sent: for who does not want to make one in vain. If not, on_room says when to
 * try again. */
bool admin_request_has_room(struct admin_request *request);

/* Ends the request with the error by which a status is told, and a message that says what
 * was being done, why it failed, and what to do if that is not obvious. It may end in a code
 * (base/code.h); without one the status is the code. */
void admin_fail(struct admin_request *request, enum bay_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for what a handler ended with: the error is Failed, whatever the status is. */
void admin_fail_by_handler(struct admin_request *request, enum bay_status status,
	const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with the error Refused: what was asked for is understood and not done. */
void admin_refuse(struct admin_request *request, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Ends the request with any error by its full name; takes parameters. */
void admin_error(struct admin_request *request, const char *error, json_t *parameters);

/* Sets what is called when the client goes, and when there is room for another part;
 * either may be NULL. */
void admin_request_watch(struct admin_request *request, admin_gone_fn *on_gone,
	admin_room_fn *on_room, void *arg);

/* --- for the connection ------------------------------------------------------------ */

/* Takes frame and fds. NULL: it is no call, for the reason in *why_r (borrowed for ever), and
 * both have been released. */
struct admin_request *admin_request_create(struct admin_connection *connection,
	const struct admin_peer *peer, json_t *frame, struct varlink_fds *fds, const char **why_r)
	__attribute__((warn_unused_result));

/* The client has gone. */
void admin_request_abandon(struct admin_request *request);

/* There is room for another part. */
void admin_request_offer_room(struct admin_request *request);

/* The parameters of an error of ours with the code (interface_error_parameters), the caller's; NULL: no memory. */
json_t *admin_error_parameters(enum bay_status status, const char *code, const char *format,
	va_list args)
	__attribute__((format(printf, 3, 0)));

#endif
