/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/admin_request.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "master/admin_connection.h"
#include "protocol/interface.h"

/* --- life ------------------------------------------------------------------------ */

static void
admin_request_destroy(struct admin_request *request)
{
	varlink_fds_close(&request->fds);
	json_decref(request->_frame);
	free(request);
}

static const json_t *
admin_no_parameters(json_t *frame)
{
	json_t *empty = json_object();

	/* Kept by the frame, so that it lives as long. */
	if (empty == NULL || json_object_set_new(frame, "parameters", empty) != 0)
		return NULL;
	return empty;
}

struct admin_request *
admin_request_create(struct admin_connection *connection, const struct admin_peer *peer,
	json_t *frame, struct varlink_fds *fds, const char **why_r)
{
	struct admin_request *request = xcalloc(1, sizeof(*request));
	struct varlink_call call = {0};

	request->_frame = frame;
	request->fds = *fds;
	*why_r = "no memory";
	if (varlink_call_decode(frame, &call, why_r) == VARLINK_OK)
		request->parameters = call.parameters != NULL ? call.parameters :
			admin_no_parameters(frame);
	if (request->parameters == NULL) {
		admin_request_destroy(request);
		return NULL;
	}
	request->method = call.method;
	request->more = call.more;
	request->oneway = call.oneway;
	request->peer = *peer;
	request->_connection = connection;
	return request;
}

void
admin_request_watch(struct admin_request *request, admin_gone_fn *on_gone,
	admin_room_fn *on_room, void *arg)
{
	request->_on_gone = on_gone;
	request->_on_room = on_room;
	request->_arg = arg;
}

void
admin_request_abandon(struct admin_request *request)
{
	admin_gone_fn *on_gone = request->_on_gone;

	request->_connection = NULL;
	request->_on_gone = NULL;
	if (on_gone != NULL)
		on_gone(request, request->_arg);
}

void
admin_request_offer_room(struct admin_request *request)
{
	if (!request->_wants_room)
		return;
	request->_wants_room = false;
	if (request->_on_room != NULL)
		request->_on_room(request, request->_arg);
}

/* --- replies --------------------------------------------------------------------- */

static void
admin_request_end(struct admin_request *request, const struct varlink_reply *reply, int fd)
{
	struct admin_connection *connection = request->_connection;

	if (connection == NULL || request->oneway)
		fd_close(&fd);
	else
		admin_connection_send(connection, reply, fd);
	if (connection != NULL)
		admin_connection_forget_request(connection);
	admin_request_destroy(request);
}

void
admin_reply_with_fd(struct admin_request *request, json_t *parameters, int fd)
{
	struct varlink_reply reply = {.parameters = parameters};

	admin_request_end(request, &reply, fd);
	json_decref(parameters);
}

void
admin_reply(struct admin_request *request, json_t *parameters)
{
	admin_reply_with_fd(request, parameters, -1);
}

bool
admin_request_has_room(struct admin_request *request)
{
	if (request->_connection == NULL)
		return false;
	if (!admin_connection_has_room(request->_connection))
		request->_wants_room = true;
	return !request->_wants_room;
}

bool
admin_reply_part(struct admin_request *request, json_t *parameters)
{
	struct admin_connection *connection = request->_connection;
	struct varlink_reply reply = {.parameters = parameters, .continues = true};
	bool sent = false;

	if (connection != NULL && !admin_connection_has_room(connection))
		request->_wants_room = true;
	else if (connection != NULL)
		sent = request->oneway || admin_connection_send(connection, &reply, -1);
	json_decref(parameters);
	return sent;
}

/* --- errors ---------------------------------------------------------------------- */

json_t *
admin_error_parameters(enum bay_status status, const char *code, const char *format, va_list args)
{
	struct buffer text = {0};
	json_t *parameters;

	/* Without memory the error goes without its message: its name still tells. */
	if (!buffer_vprintf(&text, format, args))
		buffer_clear(&text);
	parameters = interface_error_parameters(status, code, text.size > 0 ? buffer_text(&text) : "");
	buffer_finish(&text);
	return parameters;
}

void
admin_error(struct admin_request *request, const char *error, json_t *parameters)
{
	struct varlink_reply reply = {.error = error, .parameters = parameters};

	admin_request_end(request, &reply, -1);
	json_decref(parameters);
}

void
admin_fail(struct admin_request *request, enum bay_status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	admin_error(request, interface_error_name(status),
		admin_error_parameters(status, NULL, format, args));
	va_end(args);
}

void
admin_fail_by_handler(struct admin_request *request, enum bay_status status,
	const char *format, ...)
{
	va_list args;

	va_start(args, format);
	admin_error(request, INTERFACE_FAILED,
		admin_error_parameters(status, "handler-failed", format, args));
	va_end(args);
}

void
admin_refuse(struct admin_request *request, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	admin_error(request, INTERFACE_REFUSED, admin_error_parameters(BAY_INVALID, NULL, format, args));
	va_end(args);
}
