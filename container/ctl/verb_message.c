/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs that hand a message to a service: once, or many times to see how that fares. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "ctl/ctl.h"
#include "ctl/load.h"
#include "ctl/message.h"
#include "ctl/verbs.h"
#include "protocol/body.h"

/* The daemon ends a call at its deadline and says so; bayctl waits a little longer for that. */
#define MESSAGE_GRACE_NS INT64_C(1000000000)

/* --- the request ------------------------------------------------------------- */

/* Somebody at a terminal may have meant something else. */
static void
message_warn_of_option(const struct ctl *ctl, const char *text)
{
	if (ctl->err.is_tty && !ctl->options.quiet && option_is_spelled(text))
		fprintf(ctl->err.file, "bayctl: the message is \"%s\"; options stand before SERVICE\n",
			text);
}

/* What the message is: TEXT, standard input, or nothing. */
static bool
message_read(struct ctl *ctl, struct buffer *body)
{
	const char *text = ctl->options.arguments[1];

	if (ctl->options.argument_count < 2)
		return true;
	message_warn_of_option(ctl, text);
	if (strcmp(text, "-") != 0)
		return buffer_append(body, text, strlen(text));
	if (fd_read_all(STDIN_FILENO, BODY_MAX, body))
		return true;
	if (errno == EFBIG)
		ctl_error_set(&ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO,
			"standard input has more than %d bytes", BODY_MAX);
	else
		ctl_error_set(&ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO,
			"reading standard input: %s", strerror(errno));
	return false;
}

bool
message_was_timed(const struct ctl *ctl)
{
	return (ctl->options.seen & OPTION_BIT(OPTION_TIMEOUT)) != 0 &&
		ctl->options.timeout_ns > 0;
}

/* The parameters of the call; the caller's, as *memfd_r is (-1: none). NULL: ctl->error. */
static json_t *
message_parameters(struct ctl *ctl, bool is_call, int *memfd_r)
{
	struct buffer body = {0};
	json_t *parameters = json_pack("{s:o}", "service", varlink_text(ctl->options.arguments[0]));
	enum bay_status status;

	*memfd_r = -1;
	if (!message_read(ctl, &body)) {
		buffer_finish(&body);
		json_decref(parameters);
		return NULL;
	}
	status = body_to_json(body.data, body.size, parameters, memfd_r);
	buffer_finish(&body);
	if (status != BAY_OK) {
		ctl_error_set(&ctl->error, INTERFACE_EXIT_FAILED, bay_status_name(status),
			"preparing the message: %s", bay_status_name(status));
		json_decref(parameters);
		return NULL;
	}
	if (ctl->options.content_type != NULL)
		json_object_set_new(parameters, "content_type", varlink_text(ctl->options.content_type));
	if (ctl->options.traceparent != NULL)
		json_object_set_new(parameters, "traceparent", varlink_text(ctl->options.traceparent));
	if (is_call && message_was_timed(ctl))
		json_object_set_new(parameters, "timeout_ns", json_integer(ctl->options.timeout_ns));
	return parameters;
}

/* --- the reply --------------------------------------------------------------- */

/* The bytes as they are; a terminal gets the newline that its prompt needs. */
static void
message_print_bytes(struct ctl *ctl, const struct buffer *body)
{
	if (body->size == 0)
		return; /* there is no data to point to */
	fwrite(body->data, 1, body->size, ctl->out.file);
	if (ctl->out.is_tty && body->data[body->size - 1] != '\n')
		fputc('\n', ctl->out.file);
}

/* A reply that came as a memfd is in the object as text or base64, like a small one. */
static void
message_print_json(struct ctl *ctl, const struct ctl_reply *reply, const struct buffer *body)
{
	json_t *data = json_deep_copy(reply->reply.parameters);
	struct buffer base64 = {0};

	if (data == NULL)
		data = json_object();
	if (json_object_get(data, "body_fd") != NULL) {
		json_object_del(data, "body_fd");
		if (memchr(body->data, '\0', body->size) == NULL &&
			text_is_utf8(body->data, body->size))
			json_object_set_new(data, "text",
				json_stringn((const char *)body->data, body->size));
		else if (text_base64_encode(&base64, body->data, body->size))
			json_object_set_new(data, "body",
				json_stringn((const char *)base64.data, base64.size));
	}
	ctl_print_json(ctl, NULL, data);
	json_decref(data);
	buffer_finish(&base64);
}

static enum interface_exit
message_show_reply(struct ctl *ctl, const struct ctl_reply *reply)
{
	struct buffer body = {0};
	char why[BODY_ERROR_SIZE];
	enum interface_exit exit = INTERFACE_EXIT_DONE;

	if (body_from_json(reply->reply.parameters, &reply->fds, &body, why) != BAY_OK) {
		ctl_error_set(&ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_BAD_REPLY,
			"the reply cannot be read: %s", why);
		exit = ctl_fail(ctl);
	} else if (ctl->options.json) {
		message_print_json(ctl, reply, &body);
	} else {
		message_print_bytes(ctl, &body);
	}
	buffer_finish(&body);
	return exit;
}

enum interface_exit
message_once(struct ctl *ctl, enum interface_method_id method, json_t *parameters, int memfd)
{
	int64_t timeout_ns = ctl->options.timeout_ns;
	struct ctl_reply reply;
	enum interface_exit exit = INTERFACE_EXIT_DONE;

	if (message_was_timed(ctl) && timeout_ns < INT64_MAX - MESSAGE_GRACE_NS)
		timeout_ns += MESSAGE_GRACE_NS;
	if (!ctl_ask_with_fd(ctl, method, parameters, memfd, connection_deadline(timeout_ns),
		&reply)) {
		if (method != INTERFACE_DO)
			ctl_hint_nearest_service(ctl, ctl->options.arguments[0]);
		return ctl_fail(ctl);
	}
	if (method != INTERFACE_SEND)
		exit = message_show_reply(ctl, &reply);
	else if (ctl->options.json)
		ctl_print_json(ctl, NULL, NULL);
	ctl_reply_finish(&reply);
	return exit;
}

/* --- many times -------------------------------------------------------------- */

static void
message_print_result(struct ctl *ctl, const struct load_result *result,
	const struct histogram_counts *latency)
{
	static const double percents[] = {50, 90, 99, 100};
	char text[4][CLOCK_TEXT_SIZE];
	char took[CLOCK_TEXT_SIZE];
	FILE *file = ctl->out.file;

	for (int i = 0; i < 4; i++)
		clock_format_duration(text[i], sizeof(text[i]),
			(int64_t)histogram_percentile(latency, percents[i]));
	clock_format_duration(took, sizeof(took), result->took_ns);
	fprintf(file, "calls    %lld\nfailed   %lld\ntook     %s\nrate     %.0f/s\n",
		(long long)result->calls, (long long)result->failed, took,
		(double)result->calls * 1e9 / (double)(result->took_ns + 1));
	fprintf(file, "latency  p50 %s, p90 %s, p99 %s, max %s\n", text[0], text[1], text[2],
		text[3]);
}

static void
message_print_result_json(struct ctl *ctl, const struct load_result *result,
	const struct histogram_counts *latency)
{
	json_t *data = json_pack("{s:I, s:I, s:I, s:f, s:{s:I, s:I, s:I, s:I, s:I}}",
		"calls", (json_int_t)result->calls, "failed", (json_int_t)result->failed,
		"duration_ns", (json_int_t)result->took_ns,
		"rate", (double)result->calls * 1e9 / (double)(result->took_ns + 1),
		"latency", "p50_ns", (json_int_t)histogram_percentile(latency, 50),
		"p90_ns", (json_int_t)histogram_percentile(latency, 90),
		"p99_ns", (json_int_t)histogram_percentile(latency, 99),
		"max_ns", (json_int_t)histogram_percentile(latency, 100),
		"samples", (json_int_t)latency->total);

	ctl_print_json(ctl, &ctl->error, data);
	json_decref(data);
}

/* Whatever the first failure was, the code is 1: the others may have been different. */
static void
message_judge(struct ctl *ctl, const struct load_result *result)
{
	if (result->failed == 0)
		return;
	ctl->error = result->first;
	ctl->error.exit = INTERFACE_EXIT_FAILED;
	snprintf(ctl->error.message, sizeof(ctl->error.message),
		"%lld of %lld failed; the first: %.1900s", (long long)result->failed,
		(long long)result->calls, result->first.message);
}

static enum interface_exit
message_many(struct ctl *ctl, const struct varlink_call *call, int memfd)
{
	struct load_result result;
	struct histogram_counts latency = {0};

	if (!load_run(ctl, call, memfd, &result))
		return ctl_fail(ctl);
	histogram_add(&latency, &result.latency);
	message_judge(ctl, &result);
	if (ctl->options.json)
		message_print_result_json(ctl, &result, &latency);
	else
		message_print_result(ctl, &result, &latency);
	if (result.failed > 0 && !ctl->options.json)
		print_error(&ctl->err, &ctl->error, ctl->options.quiet);
	if (result.interrupted) {
		fflush(ctl->out.file);
		raise(SIGINT);
	}
	return ctl->error.exit;
}

static enum interface_exit
message_send(struct ctl *ctl, enum interface_method_id method)
{
	struct varlink_call call = {.method = method == INTERFACE_CALL ?
		INTERFACE_NAME ".Call" : INTERFACE_NAME ".Send"};
	enum interface_exit exit;
	int memfd;
	json_t *parameters = message_parameters(ctl, method == INTERFACE_CALL, &memfd);

	if (parameters == NULL)
		return ctl_fail(ctl);
	if (ctl->options.repeat == 0)
		return message_once(ctl, method, parameters, memfd);
	call.parameters = parameters;
	exit = message_many(ctl, &call, memfd);
	json_decref(parameters);
	fd_close(&memfd);
	return exit;
}

enum interface_exit
verb_call(struct ctl *ctl)
{
	return message_send(ctl, INTERFACE_CALL);
}

enum interface_exit
verb_send(struct ctl *ctl)
{
	return message_send(ctl, INTERFACE_SEND);
}
