/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cell that loads nothing and does what a test wants of it. Each process takes the next
 * line of the file that FAKE_CELL names; its words are orders, everything else goes well:
 *
 *	die              ends with exit code 9 before it has said anything
 *	setup=refuse     refuses Setup        setup=silent    does not answer it
 *	setup=rubbish    answers with rubbish setup=close     closes its socket and stays
 *	start=refuse     refuses each Start, as it always refuses an image with a wrong hash
 *	start=refuse:NAME, start=refuse-second:NAME  refuses each of NAME, the second of NAME
 *	start=refuse-first:NAME  refuses the first of NAME
 *	start=crash      crashes in the init of each
 *	start=hang:NAME  init of NAME keeps the loop: no Start is answered
 *	start=silent     does not answer     start=hold:NAME  answers all but that of NAME
 *	start=late:NAME  answers that of NAME when a Call has come; stop=late:NAME the same
 *	start=give-up    starts, then says that the service failed by itself
 *	start=nonsense   starts, then says what nobody understands or what is long past
 *	listen=ADDRESS   each service asks for it, and its Start is answered as that is
 *	generation=old   asks as of another generation than it is of
 *	ask=nonsense     asks for what nobody understands, and for a service that is not there
 *	stop=refuse      refuses each Stop    stop=silent     does not answer it
 *	stop=refuse-once refuses the first   stop=none        has no such service
 *	stop=ask         asks for 127.0.0.1:0 for service a first, and answers as that is
 *	stop=lingers     answers it, and says that what has stopped lingers
 *	stop=drain       answers each Stop once one comes that has no time to drain
 *	swap=refuse      tells a stage of each Swap, and that it failed
 *	swap=invalid     could not even load it
 *	swap=crash       crashes in the init of what it swaps to
 *	swap=silent      does not answer it  swap=hold        answers it when a Call has come that
 *	                                                      is no crash
 *	swap=lingers     does it, and says that the old one lingers
 *	swap=hold-second the same with the second
 *	swap=late        says that the service has failed before, and refuses
 *	revert=none      has kept nothing    revert=late      as swap=late
 *	revert=silent    does not answer it
 *	change=silent    does not answer it   change=refuse    refuses it
 *	change=crash     crashes in it
 *	gate=busy        says that one request runs until a Call has come
 *	gate=silent      does not answer it   gate=refuse      refuses it
 *	promote=refuse   refuses each Promote abort=refuse    refuses each Abort
 *	abort=fails-first  says before that the canary has failed, so that there is none
 *	abort=silent     does not answer it
 *	call=crash       crashes in the service that is called
 *	call=dies        the same, and takes for ever to end, as one that writes a core does
 *	call=fail        the handler fails   call=refuse      the cell has no such service
 *	call=rubbish     answers rubbish     call=bad-body    answers with two bodies
 *	call=exit        ends with code 9    call=silent      does not answer it
 *	call=leave       closes its socket and ends a little later
 *	call=hold        answers it when a Call to service b has come; one that is cancelled at once
 *	call=spin        loop 0 hangs in it, and the cell answers to nothing
 *	tasks=silent     does not answer Tasks; else a file "tasks.CELL" beside that of the orders has the
 *	                 answer, or several in turn, or a string for none, and one with ".asked" behind
 *	                 its name gets a byte for each time
 *	trace=silent     does not answer Trace
 *	verdict=forged   its nonce is wrong  verdict=stranger about a service not asked for
 *	verdict=lingers  passes and stays    verdict=refuse   refused, as "refused by the fake"
 *
 * A call that goes well is answered with the body that it came with.
 *	shutdown=silent  does not answer it
 *	tell=METHOD, tell=all  prints what each call of it says: "main Guard {...}", its members in their
 *	                 order
 */
#include "config.h"

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/status_page.h"
#include "protocol/body.h"
#include "protocol/cell_link.h"
#include "protocol/interface.h"
#include "protocol/varlink_stream.h"

static char orders[256] = " ";
static struct varlink_stream stream;
static struct status_page page;
static struct varlink_call held[128]; /* their ids only */
static size_t held_count;

/* What the master was asked: the id of the call that waits for its answer, by our own. */
static int64_t asked[64];
static size_t asked_count;

/* What stands behind the '=' of an order; NULL: it was not given. */
static const char *
ordered_value(const char *name)
{
	static char value[128];
	char word[64];
	const char *at;

	snprintf(word, sizeof(word), " %s=", name);
	at = strstr(orders, word);
	if (at == NULL)
		return NULL;
	at += strlen(word);
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, " "), at);
	return value;
}

static bool
is_ordered(const char *order)
{
	char word[128];

	snprintf(word, sizeof(word), " %.100s ", order);
	return strstr(orders, word) != NULL;
}

/* An examiner may not write to files: its orders come by a named pipe. */
static void
take_orders_of_pipe(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	size_t length = 1;

	while (length < sizeof(orders) - 2 && read(fd, orders + length, 1) == 1 && orders[length] != '\n')
		length++;
	orders[length] = '\0';
	if (length > 1)
		strcat(orders, " ");
	close(fd);
}

/* Takes the first line out of the file, one process at a time. */
static void
take_orders(const char *path)
{
	char rest[4096] = "";
	struct stat status;
	FILE *file;
	size_t size;

	if (path != NULL && stat(path, &status) == 0 && S_ISFIFO(status.st_mode)) {
		take_orders_of_pipe(path);
		return;
	}
	file = path != NULL ? fopen(path, "r+e") : NULL;
	if (file == NULL)
		return;
	if (flock(fileno(file), LOCK_EX) != 0)
		_exit(6);
	if (fgets(orders + 1, sizeof(orders) - 2, file) != NULL) {
		orders[strcspn(orders, "\n")] = '\0';
		strcat(orders, " ");
		size = fread(rest, 1, sizeof(rest), file);
		rewind(file);
		if (ftruncate(fileno(file), 0) == 0)
			fwrite(rest, 1, size, file);
	}
	fclose(file);
}

static void
say(const struct varlink_reply *reply)
{
	if (!varlink_stream_send_reply(&stream, reply, NULL, 0) ||
	    varlink_stream_flush(&stream) != VARLINK_STREAM_OK)
		_exit(8);
}

static void
answer(const struct varlink_call *call)
{
	say(&(struct varlink_reply){.has_id = true, .id = call->id});
}

static void
fail(const struct varlink_call *call, const char *error, enum bay_status status,
	const char *message)
{
	json_t *parameters = interface_error_parameters(status, NULL, message);

	say(&(struct varlink_reply){.has_id = true, .id = call->id, .error = error,
		.parameters = parameters});
	json_decref(parameters);
}

static void
refuse(const struct varlink_call *call, const char *message)
{
	fail(call, CELL_FAILED, BAY_FAILED, message);
}

/* Tells the master something that it has not asked for; takes parameters. */
static void
notify(const char *method, json_t *parameters)
{
	struct varlink_call notice = {.method = method, .parameters = parameters};

	if (!varlink_stream_send_call(&stream, &notice, NULL, 0) ||
	    varlink_stream_flush(&stream) != VARLINK_STREAM_OK)
		_exit(8);
	json_decref(parameters);
}

static void
tell_failed(const char *service, int64_t generation)
{
	struct cell_failed failed = {.service = service, .generation = generation,
		.message = "it gave up"};

	notify(CELL_FAILED, cell_failed_to_json(&failed));
}

/* Says in the page that the code of this slot runs on loop 0. */
static void
run_slot(uint32_t slot, enum status_phase phase)
{
	struct status_name name = status_name_make("task");

	status_loop_set_task(status_page_loop(&page, 0), slot, &name);
	status_loop_set_phase(status_page_loop(&page, 0), phase);
}

static void
stay(void)
{
	for (;;)
		pause();
}

/* --- asking the master ------------------------------------------------------------------ */

/* The call with this id is answered when the master has answered; takes parameters. */
static void
ask(int64_t id, const char *method, json_t *parameters)
{
	struct varlink_call call = {.method = method, .parameters = parameters, .has_id = true,
		.id = (int64_t)asked_count};

	asked[asked_count++] = id;
	if (asked_count > sizeof(asked) / sizeof(*asked) ||
	    !varlink_stream_send_call(&stream, &call, NULL, 0) ||
	    varlink_stream_flush(&stream) != VARLINK_STREAM_OK)
		_exit(8);
	json_decref(parameters);
}

static void
ask_to_listen(int64_t id, const char *service, int64_t generation, const char *address)
{
	const struct cell_listen listen = {.service = service, .address = address,
		.generation = is_ordered("generation=old") ? generation + 1 : generation};

	ask(id, CELL_LISTEN, cell_listen_to_json(&listen));
}

/* A descriptor is kept until we end, as a cell does. */
static void
take_answer(const json_t *frame, struct varlink_fds *fds)
{
	struct varlink_reply reply;
	struct varlink_call call = {.has_id = true};
	const char *why;

	if (varlink_reply_decode(frame, &reply, &why) != VARLINK_OK || !reply.has_id ||
	    (size_t)reply.id >= asked_count)
		_exit(4);
	call.id = asked[reply.id];
	if (reply.error != NULL) {
		if (strcmp(reply.error, CELL_FAILED) != 0 || fds->count != 0)
			_exit(4);
		refuse(&call, json_string_value(json_object_get(reply.parameters, "message")));
		return;
	}
	if (fds->count != 1)
		_exit(4);
	fds->fd[0] = -1;
	answer(&call);
}

/* --- calls --------------------------------------------------------------------------- */

static void
do_setup(const struct varlink_call *call)
{
	if (is_ordered("setup=refuse"))
		refuse(call, "not this time");
	else if (is_ordered("setup=rubbish"))
		(void)!write(CELL_CONTROL_FD, "rubbish", 8);
	else if (is_ordered("setup=close"))
		close(CELL_CONTROL_FD), stay();
	else if (!is_ordered("setup=silent"))
		answer(call);
}

static void
say_nonsense(const struct cell_start *start)
{
	notify("io.bayd.Cell.Nonsense", json_object());
	notify(CELL_FAILED, json_pack("{s:i}", "service", 7));
	tell_failed("nobody", start->generation);
	tell_failed(start->service, start->generation + 1);
}

/* As a cell does it before it loads an image; those that tests invent are not there. */
static bool
is_what_was_examined(const struct cell_start *start)
{
	int fd = open(start->image, O_RDONLY | O_CLOEXEC);
	char sha256[HASH_TEXT_SIZE];
	bool same;

	if (fd < 0)
		return true;
	same = hash_fd(fd, sha256) && start->sha256 != NULL && strcmp(sha256, start->sha256) == 0;
	close(fd);
	return same;
}

/* The starts of one service are counted only where they are asked for. */
static bool
is_refused(const struct cell_start *start)
{
	static unsigned starts;
	char each[80], first[80], second[80];

	snprintf(each, sizeof(each), "start=refuse:%s", start->service);
	snprintf(first, sizeof(first), "start=refuse-first:%s", start->service);
	snprintf(second, sizeof(second), "start=refuse-second:%s", start->service);
	return is_ordered("start=refuse") || is_ordered(each) ||
		(is_ordered(first) && ++starts == 1) || (is_ordered(second) && ++starts == 2);
}

/* Those that wait for a Call: their ids only. */
static struct varlink_call late[16];
static size_t late_count;

/* Whether this step of the service is to wait, and does now. */
static bool
is_late(const struct varlink_call *call, const char *step, const char *service)
{
	char order[80];

	snprintf(order, sizeof(order), "%s=late:%s", step, service);
	if (!is_ordered(order) || late_count == sizeof(late) / sizeof(*late))
		return false;
	late[late_count++] = (struct varlink_call){.has_id = true, .id = call->id};
	return true;
}

static void
answer_late(void)
{
	while (late_count > 0)
		answer(&late[--late_count]);
}

static void
answer_start(const struct varlink_call *call, const struct cell_start *start)
{
	char hang[80], hold[80];

	snprintf(hang, sizeof(hang), "start=hang:%s", start->service);
	snprintf(hold, sizeof(hold), "start=hold:%s", start->service);
	if (!is_what_was_examined(start)) {
		refuse(call, "its image is not the one that was examined");
	} else if (is_refused(start)) {
		refuse(call, "no such luck");
	} else if (is_ordered("start=crash")) {
		run_slot((uint32_t)start->slot, STATUS_PHASE_INIT);
		raise(SIGSEGV);
	} else if (is_ordered(hang)) {
		run_slot((uint32_t)start->slot, STATUS_PHASE_INIT);
		stay();
	} else if (is_ordered("ask=nonsense")) {
		if (strcmp(start->service, "a") == 0)
			ask(call->id, "io.bayd.Cell.Dance", json_object());
		else
			ask_to_listen(call->id, "nobody", 1, "127.0.0.1:0");
	} else if (ordered_value("listen") != NULL) {
		ask_to_listen(call->id, start->service, start->generation, ordered_value("listen"));
	} else if (!is_ordered("start=silent") && !is_ordered(hold) &&
		!is_late(call, "start", start->service)) {
		answer(call);
	}
}

/* What runs of a and of b. */
static int64_t generations[2];

static int64_t *
generation_of(const char *service)
{
	return &generations[strcmp(service, "b") == 0];
}

static void
do_start(const struct varlink_call *call)
{
	struct cell_start start;
	char error[CELL_ERROR_SIZE];

	if (!cell_start_from_json(call->parameters, &start, error))
		_exit(7);
	*generation_of(start.service) = start.generation;
	answer_start(call, &start);
	if (is_ordered("start=give-up"))
		tell_failed(start.service, start.generation);
	if (is_ordered("start=nonsense"))
		say_nonsense(&start);
	cell_start_finish(&start);
}

static void
refuse_late(const struct varlink_call *call, const char *service)
{
	tell_failed(service, *generation_of(service));
	fail(call, CELL_FAILED, BAY_BUSY, "it is not running");
}

static struct varlink_call held_swap; /* its id only; has_id: there is one */

static void
tell_lingers(const char *service, int64_t generation)
{
	static int64_t id;
	struct cell_lingers lingers = {.service = service, .id = ++id, .generation = generation,
		.reason = "it was told to"};

	notify(CELL_LINGERS, cell_lingers_to_json(&lingers));
}

static void
answer_swap(const struct varlink_call *call, const struct cell_start *start)
{
	static unsigned swaps;
	struct cell_stage_reached reached = {.service = start->service,
		.generation = start->generation, .stage = CELL_STAGE_LOADED};

	if (is_ordered("swap=invalid")) {
		fail(call, CELL_FAILED, BAY_INVALID, "not to be loaded");
		return;
	}
	if (is_ordered("swap=late")) {
		refuse_late(call, start->service);
		return;
	}
	*generation_of(start->service) = start->generation;
	notify(CELL_STAGE, cell_stage_reached_to_json(&reached));
	if (is_ordered("swap=refuse")) {
		fail(call, CELL_FAILED, BAY_INVALID, "no such luck");
	} else if (is_ordered("swap=crash")) {
		run_slot((uint32_t)start->slot, STATUS_PHASE_INIT);
		raise(SIGSEGV);
	} else if (is_ordered("swap=hold") || (is_ordered("swap=hold-second") && ++swaps == 2)) {
		held_swap = (struct varlink_call){.has_id = true, .id = call->id};
	} else if (!is_ordered("swap=silent")) {
		answer(call);
		if (is_ordered("swap=lingers"))
			tell_lingers(start->service, start->generation);
	}
}

static void
do_swap(const struct varlink_call *call)
{
	struct cell_start start;
	char error[CELL_ERROR_SIZE];

	if (!cell_start_from_json(call->parameters, &start, error))
		_exit(7);
	answer_swap(call, &start);
	cell_start_finish(&start);
}

static void
do_change(const struct varlink_call *call)
{
	if (is_ordered("change=crash"))
		raise(SIGSEGV);
	else if (is_ordered("change=refuse"))
		refuse(call, "not with this code");
	else if (!is_ordered("change=silent"))
		answer(call);
}

static void
do_revert(const struct varlink_call *call)
{
	struct cell_stop stop;
	char error[CELL_ERROR_SIZE];

	if (!cell_stop_from_json(call->parameters, &stop, error))
		_exit(7);
	if (is_ordered("revert=late"))
		refuse_late(call, stop.service);
	else if (is_ordered("revert=none"))
		fail(call, CELL_FAILED, BAY_NOT_FOUND, "nothing is kept");
	else if (!is_ordered("revert=silent"))
		answer(call);
}

static bool called; /* a Call has come */

static void
do_gate(const struct varlink_call *call)
{
	struct cell_gate_seen seen = {.idle = true};
	struct cell_gate gate;
	char error[CELL_ERROR_SIZE];
	json_t *parameters;

	if (!cell_gate_from_json(call->parameters, &gate, error))
		_exit(7);
	if (is_ordered("gate=refuse")) {
		refuse(call, "it is not in the mood");
	} else if (!is_ordered("gate=silent")) {
		if (is_ordered("gate=busy") && !called)
			seen = (struct cell_gate_seen){.running = 1};
		parameters = cell_gate_seen_to_json(&seen);
		say(&(struct varlink_reply){.has_id = true, .id = call->id, .parameters = parameters});
		json_decref(parameters);
	}
}

static void
do_promote(const struct varlink_call *call)
{
	struct cell_promote promote;
	char error[CELL_ERROR_SIZE];

	if (!cell_promote_from_json(call->parameters, &promote, error))
		_exit(7);
	if (is_ordered("promote=refuse"))
		fail(call, CELL_FAILED, BAY_FAILED, "no such luck");
	else
		answer(call);
}

static void
do_abort(const struct varlink_call *call)
{
	struct cell_stop stop;
	char error[CELL_ERROR_SIZE];

	if (!cell_stop_from_json(call->parameters, &stop, error))
		_exit(7);
	if (is_ordered("abort=fails-first"))
		notify(CELL_FAILED, cell_failed_to_json(&(struct cell_failed){.service = stop.service,
			.generation = *generation_of(stop.service), .message = "it gave up"}));
	if (is_ordered("abort=fails-first"))
		fail(call, CELL_FAILED, BAY_NOT_FOUND, "there is no canary of it");
	else if (is_ordered("abort=refuse"))
		fail(call, CELL_FAILED, BAY_BUSY, "it is not ready, or about to stop");
	else if (!is_ordered("abort=silent"))
		answer(call);
}

static void
drain(const struct varlink_call *call)
{
	static struct varlink_call waiting[8];
	static size_t count;
	struct cell_stop stop;
	char error[CELL_ERROR_SIZE];

	if (!cell_stop_from_json(call->parameters, &stop, error) || count == 8)
		_exit(7);
	waiting[count++] = *call;
	while (stop.drain_timeout_ns == 0 && count > 0)
		answer(&waiting[--count]);
}

static void
do_stop(const struct varlink_call *call)
{
	static int refused;
	struct cell_stop stop;
	char error[CELL_ERROR_SIZE];

	if (!cell_stop_from_json(call->parameters, &stop, error))
		_exit(7);
	if (is_late(call, "stop", stop.service))
		return;
	if (is_ordered("stop=ask"))
		ask_to_listen(call->id, "a", 1, "127.0.0.1:0");
	else if (is_ordered("stop=drain"))
		drain(call);
	else if (is_ordered("stop=refuse") || (is_ordered("stop=refuse-once") && refused++ == 0))
		refuse(call, "3 tasks go on");
	else if (is_ordered("stop=none"))
		fail(call, CELL_FAILED, BAY_NOT_FOUND, "it is not running");
	else if (!is_ordered("stop=silent"))
		answer(call);
	if (is_ordered("stop=lingers"))
		tell_lingers(stop.service, *generation_of(stop.service));
}

/* The slot that a test named, or that of the service: a is 0, b is 1. */
static uint32_t
called_slot(const struct varlink_call *call)
{
	const char *service = json_string_value(json_object_get(call->parameters, "service"));
	const json_t *slot = json_object_get(call->parameters, "slot");

	return json_is_integer(slot) ? (uint32_t)json_integer_value(slot) :
		service != NULL && strcmp(service, "b") == 0;
}

/* Answers with what it was sent. */
static void
echo(const struct varlink_call *call, struct varlink_fds *fds)
{
	json_t *parameters = json_object();
	struct varlink_reply reply = {.has_id = true, .id = call->id, .parameters = parameters};
	char error[BODY_ERROR_SIZE];
	int fd;

	if (body_forward(call->parameters, fds, parameters, &fd, error) != BAY_OK)
		_exit(7);
	if (!varlink_stream_send_reply(&stream, &reply, &fd, fd >= 0) ||
	    varlink_stream_flush(&stream) != VARLINK_STREAM_OK)
		_exit(8);
	json_decref(parameters);
}

static void
hold(const struct varlink_call *call)
{
	held[held_count++].id = call->id;
	if (held_count == sizeof(held) / sizeof(*held) || called_slot(call) == 1) {
		while (held_count > 0)
			answer(&held[--held_count]);
	}
}

/* One that is held has its answer then; the place of it is taken by the last. */
static void
do_cancel(const struct varlink_call *call)
{
	struct cell_cancel cancel;
	char error[CELL_ERROR_SIZE];

	if (!cell_cancel_from_json(call->parameters, &cancel, error))
		_exit(7);
	for (size_t i = 0; i < held_count; i++) {
		struct varlink_call given_up = {.has_id = true, .id = cancel.call};

		if (held[i].id != cancel.call)
			continue;
		held[i] = held[--held_count];
		fail(&given_up, CELL_FAILED, BAY_CANCELED, CELL_CALLER_GONE);
		break;
	}
	answer(call);
}

static void
do_call(const struct varlink_call *call, struct varlink_fds *fds)
{
	json_t *bodies = json_pack("{s:s, s:s}", "text", "a", "body", "YQ==");

	called = true;
	if (is_ordered("call=crash")) {
		run_slot(called_slot(call), STATUS_PHASE_RUN);
		raise(SIGSEGV);
	}
	if (held_swap.has_id)
		answer(&held_swap);
	held_swap.has_id = false;
	answer_late();
	if (is_ordered("call=dies")) {
		run_slot(called_slot(call), STATUS_PHASE_RUN);
		status_page_write_crash(&page, SIGSEGV, 0, 0, "as it was told to");
		if (write(CELL_CRASH_FD, "", 1) == 1)
			stay();
	}
	if (is_ordered("call=spin")) {
		run_slot(called_slot(call), STATUS_PHASE_RUN);
		stay();
	} else if (is_ordered("call=exit")) {
		_exit(9);
	} else if (is_ordered("call=leave")) {
		close(CELL_CONTROL_FD);
		usleep(10 * 1000);
		_exit(9);
	} else if (is_ordered("call=rubbish")) {
		(void)!write(CELL_CONTROL_FD, "rubbish", 8);
	} else if (is_ordered("call=fail")) {
		fail(call, CELL_HANDLER_FAILED, BAY_NOT_FOUND, "no such page");
	} else if (is_ordered("call=refuse")) {
		fail(call, CELL_FAILED, BAY_NOT_FOUND, "it is gone");
	} else if (is_ordered("call=bad-body")) {
		say(&(struct varlink_reply){.has_id = true, .id = call->id, .parameters = bodies});
	} else if (is_ordered("call=hold")) {
		hold(call);
	} else if (!is_ordered("call=silent")) {
		echo(call, fds);
	}
	json_decref(bodies);
}

/* What a test wants it to say now, or in turn. */
static json_t *
ordered_tasks(void)
{
	const char *orders_path = getenv("FAKE_CELL"), *name = getenv(CELL_ENV_NAME);
	const char *slash = orders_path != NULL ? strrchr(orders_path, '/') : NULL;
	char path[512];
	json_t *tasks;
	FILE *file;

	if (slash == NULL || name == NULL)
		return NULL;
	snprintf(path, sizeof(path), "%.*s/tasks.%s", (int)(slash - orders_path), orders_path, name);
	if (access(path, F_OK) != 0)
		return NULL;
	tasks = json_load_file(path, JSON_DECODE_ANY, NULL);
	strcat(path, ".asked");
	file = fopen(path, "ae");
	if (tasks == NULL || file == NULL || fputc('.', file) == EOF || fclose(file) != 0)
		_exit(9);
	return tasks;
}

static void
do_tasks(const struct varlink_call *call)
{
	static size_t turns;
	json_t *tasks = ordered_tasks(), *parameters = tasks;

	if (tasks == NULL)
		parameters = tasks = json_pack("{s:[], s:[], s:i}", "tasks", "silent_loops", "total", 0);
	if (json_is_array(tasks))
		parameters = json_array_get(tasks, turns++ % json_array_size(tasks));
	if (!is_ordered("tasks=silent") && json_is_object(parameters))
		say(&(struct varlink_reply){.has_id = true, .id = call->id,
			.parameters = parameters});
	json_decref(tasks);
}

/* As an examiner, which passes whatever it is given. */
static void
do_examine(const struct varlink_call *call)
{
	struct cell_complaint stranger = {.service = "nobody", .index = -1, .key = "key",
		.message = "what is that"};
	struct cell_verdict verdict = {.ok = true, .plugin = "fake", .version = "1", .abi = "1.0",
		.summary = "", .unloadable = !is_ordered("verdict=lingers"),
		.complaints = &stranger, .complaint_count = is_ordered("verdict=stranger")};
	struct cell_examine examine;
	char error[CELL_ERROR_SIZE];
	json_t *parameters;

	if (!cell_examine_from_json(call->parameters, &examine, error))
		_exit(7);
	verdict.nonce = is_ordered("verdict=forged") ? "00000000000000000000000000000000" :
		examine.nonce;
	if (is_ordered("verdict=refuse")) {
		verdict.ok = false;
		verdict.reason = "refused by the fake";
	}
	parameters = cell_verdict_to_json(&verdict);
	say(&(struct varlink_reply){.has_id = true, .id = call->id, .parameters = parameters});
	json_decref(parameters);
	cell_examine_finish(&examine);
}

/* By its standard output, which the master logs. */
static void
tell_of(const struct varlink_call *call)
{
	const char *name = strrchr(call->method, '.') + 1, *told = ordered_value("tell");
	char *parameters;

	if (told == NULL || (strcmp(name, told) != 0 && strcmp(told, "all") != 0))
		return;
	parameters = json_dumps(call->parameters, JSON_COMPACT | JSON_SORT_KEYS);
	printf("%s %s %s\n", getenv(CELL_ENV_NAME), name, parameters);
	fflush(stdout);
	free(parameters);
}

static void
do_call_of_any_kind(const struct varlink_call *call, struct varlink_fds *fds)
{
	tell_of(call);
	if (strcmp(call->method, CELL_SETUP) == 0) {
		do_setup(call);
	} else if (strcmp(call->method, CELL_CHANGE) == 0) {
		do_change(call);
	} else if (strcmp(call->method, CELL_ABSENT) == 0 || strcmp(call->method, CELL_LOG_LEVEL) == 0 ||
		strcmp(call->method, CELL_PEER) == 0 || strcmp(call->method, CELL_INTEREST) == 0 ||
		strcmp(call->method, CELL_LINK) == 0 || strcmp(call->method, CELL_GUARD) == 0) {
		answer(call);
	} else if (strcmp(call->method, CELL_TRACE) == 0) {
		if (!is_ordered("trace=silent"))
			answer(call);
	} else if (strcmp(call->method, CELL_CANCEL) == 0) {
		do_cancel(call);
	} else if (strcmp(call->method, CELL_START) == 0) {
		do_start(call);
	} else if (strcmp(call->method, CELL_GATE) == 0) {
		do_gate(call);
	} else if (strcmp(call->method, CELL_STOP) == 0) {
		do_stop(call);
	} else if (strcmp(call->method, CELL_SWAP) == 0) {
		do_swap(call);
	} else if (strcmp(call->method, CELL_REVERT) == 0) {
		do_revert(call);
	} else if (strcmp(call->method, CELL_RETIRE) == 0) {
		answer(call);
	} else if (strcmp(call->method, CELL_PROMOTE) == 0) {
		do_promote(call);
	} else if (strcmp(call->method, CELL_ABORT) == 0) {
		do_abort(call);
	} else if (strcmp(call->method, CELL_CALL) == 0) {
		do_call(call, fds);
	} else if (strcmp(call->method, CELL_TASKS) == 0) {
		do_tasks(call);
	} else if (strcmp(call->method, CELL_EXAMINE) == 0) {
		do_examine(call);
	} else if (!is_ordered("shutdown=silent")) {
		answer(call);
		_exit(0);
	}
}

int
main(int argc, char **argv)
{
	struct pollfd readable = {.fd = CELL_CONTROL_FD, .events = POLLIN};

	take_orders(getenv("FAKE_CELL"));
	if (is_ordered("die"))
		_exit(9);
	/* An examiner has no page. */
	if (!status_page_open(&page, CELL_PAGE_FD) &&
	    (argc < 2 || strcmp(argv[1], "examine") != 0))
		_exit(6);
	for (uint32_t loop = 0; loop < page.loops; loop++)
		status_loop_set_task(status_page_loop(&page, loop), STATUS_NO_SLOT, NULL);
	varlink_stream_init(&stream, CELL_CONTROL_FD, &varlink_limits_cell);
	while (poll(&readable, 1, -1) == 1) {
		struct varlink_fds fds;
		struct varlink_call call;
		const char *why;
		json_t *frame;

		if (varlink_stream_receive(&stream) != VARLINK_STREAM_OK)
			_exit(5);
		while (varlink_stream_take(&stream, &frame, &fds) == VARLINK_OK) {
			if (!varlink_is_call(frame))
				take_answer(frame, &fds);
			else if (varlink_call_decode(frame, &call, &why) == VARLINK_OK)
				do_call_of_any_kind(&call, &fds);
			else
				_exit(4);
			varlink_fds_close(&fds);
			json_decref(frame);
		}
	}
	return 3;
}
