/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that starts, feeds or ends a process happens in one place, examiner_work,
 * which libevent calls after whatever happened: so no callback ever finds the process gone
 * that called it.
 */
#include "config.h"

#include "master/examiner.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/log.h"
#include "base/program.h"
#include "base/remedy.h"
#include "master/examiner_process.h"
#include "master/image.h"
#include "master/verdict_check.h"

enum {
	EXAMINER_NONCE_SIZE = 33, /* 32 hexadecimal digits and a NUL */
	EXAMINER_SETUP_ID = 0,    /* images have ids from 1 */
	EXAMINER_LANES = 8,
	/* Of the time that an image has, after how much it counts as slow. */
	EXAMINER_SLOW_SHARE = 10
};

struct examination {
	struct list link;
	int64_t id;
	char nonce[EXAMINER_NONCE_SIZE];
	json_t *request;
	int image_fd;
	bool again; /* wants a fresh process */
	examiner_done_fn *done;
	void *arg;
};

/* One process, which looks at one image at a time. */
struct examiner_lane {
	struct examiner *examiner;
	struct examination *current; /* the process is at it, or NULL */
	struct examiner_process *process;
	unsigned examined; /* verdicts that this process gave */
	bool spent;        /* the process is to be thrown away */
	bool slow;         /* others need not wait for the current one */
	struct event *timeout_event; /* added while there is a current one */
};

struct examiner {
	struct event_base *base;
	struct program program;
	int64_t timeout_ns;
	struct list waiting;
	size_t waiting_count;
	int64_t last_id;
	struct event *work_event;
	struct examiner_lane lanes[EXAMINER_LANES];
};

/* Has examiner_work called once the caller has returned to the event loop. */
static void
examiner_work_later(struct examiner *examiner)
{
	event_active(examiner->work_event, EV_TIMEOUT, 0);
}

static void
examination_destroy(struct examination *examination)
{
	json_decref(examination->request);
	fd_close(&examination->image_fd);
	free(examination);
}

/* --- verdicts ------------------------------------------------------------------------- */

/* The current one has its verdict. */
static void
examiner_finish(struct examiner_lane *lane, const struct cell_verdict *verdict)
{
	struct examination *examination = lane->current;

	lane->current = NULL;
	lane->examined++;
	event_del(lane->timeout_event);
	examiner_work_later(lane->examiner);
	if (examination->done != NULL)
		examination->done(verdict, examination->arg);
	examination_destroy(examination);
}

static void __attribute__((format(printf, 2, 3)))
examiner_refuse(struct examiner_lane *lane, const char *format, ...)
{
	struct cell_verdict verdict = {.nonce = lane->current->nonce};
	struct buffer reason = {0};
	va_list args;

	va_start(args, format);
	verdict.reason = buffer_vprintf(&reason, format, args) ? buffer_text(&reason) : NULL;
	va_end(args);
	if (verdict.reason == NULL)
		verdict.reason = "no memory";
	examiner_finish(lane, &verdict);
	buffer_finish(&reason);
}

/* The process is of no use any more. Is it the fault of the current one, or of something
 * that an earlier one has left in it? A fresh process will tell. */
static bool
examiner_is_to_blame(struct examiner_lane *lane)
{
	struct examiner *examiner = lane->examiner;
	struct examination *examination = lane->current;

	lane->spent = true;
	examiner_work_later(examiner);
	if (examination == NULL)
		return false;
	if (lane->examined == 0)
		return true;
	lane->current = NULL;
	event_del(lane->timeout_event);
	examination->again = true;
	list_push_front(&examiner->waiting, &examination->link);
	examiner->waiting_count++;
	return false;
}

/* --- what the process does ---------------------------------------------------------------- */

static void
examiner_on_end(const char *how, void *arg)
{
	struct examiner_lane *lane = arg;

	if (examiner_is_to_blame(lane))
		examiner_refuse(lane, "it %s while it was loaded or unloaded: look at its "
			"constructors and destructors [plugin-crash]", how);
}

static void
examiner_on_nonsense(const char *why, void *arg)
{
	struct examiner_lane *lane = arg;

	if (examiner_is_to_blame(lane))
		examiner_refuse(lane, "it wrote to a descriptor of the container while it was "
			"loaded or unloaded (%s): look at its constructors and destructors [plugin-writes]", why);
}

static void
examiner_set_timeout(struct examiner_lane *lane, int64_t delay_ns)
{
	struct timeval delay = {.tv_sec = delay_ns / CLOCK_NS_PER_S,
		.tv_usec = delay_ns % CLOCK_NS_PER_S / CLOCK_NS_PER_US};

	event_add(lane->timeout_event, &delay);
}

static int64_t
examiner_slow_ns(const struct examiner *examiner)
{
	return examiner->timeout_ns / EXAMINER_SLOW_SHARE;
}

/* It gets the rest of its time, and the others go on in another process. */
static void
examiner_on_slow(struct examiner_lane *lane)
{
	struct examiner *examiner = lane->examiner;
	const json_t *services = json_object_get(lane->current->request, "services");
	const char *name = json_string_value(json_object_get(json_array_get(services, 0), "name"));
	char span[CLOCK_TEXT_SIZE], limit[CLOCK_TEXT_SIZE];

	lane->slow = true;
	examiner_set_timeout(lane, examiner->timeout_ns - examiner_slow_ns(examiner));
	examiner_work_later(examiner);
	if (name != NULL)
		log_info(NULL, "the plugin of service %s takes long to be loaded or unloaded: %s so far, "
			"and after %s it is refused", name,
			clock_format_duration(span, sizeof(span), examiner_slow_ns(examiner)),
			clock_format_duration(limit, sizeof(limit), examiner->timeout_ns));
}

static void
examiner_on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct examiner_lane *lane = arg;
	char span[CLOCK_TEXT_SIZE];

	(void)fd;
	(void)what;
	/* In a process that has been used, all its time might be waited for in vain. */
	if (!lane->slow && lane->examined == 0)
		examiner_on_slow(lane);
	else if (examiner_is_to_blame(lane))
		examiner_refuse(lane, "it hung while it was loaded or unloaded (nothing "
			"happened for %s): look at its constructors and destructors [plugin-hang]",
			clock_format_duration(span, sizeof(span), lane->examiner->timeout_ns));
}

static const char *
examiner_error_text(const struct varlink_reply *reply)
{
	const char *text = json_string_value(json_object_get(reply->parameters, "message"));

	return text != NULL ? text : reply->error;
}

static void
examiner_accept(struct examiner_lane *lane, const struct cell_verdict *verdict)
{
	const char *reserved = verdict_reserved_setting(verdict);

	if (verdict->ok && reserved != NULL)
		examiner_refuse(lane, "its setting '%s' has the name of a key of [service] "
			"that Bay reads itself: give it another one [plugin-settings]", reserved);
	else
		examiner_finish(lane, verdict);
}

/* Only this answer, with this nonce, shows that every check was reached. */
static void
examiner_on_verdict(struct examiner_lane *lane, const struct varlink_reply *reply)
{
	char error[CELL_ERROR_SIZE];
	struct cell_verdict verdict;

	if (reply->error != NULL) {
		examiner_refuse(lane, "the examiner cannot look at it: %s [examiner]",
			examiner_error_text(reply));
		return;
	}
	if (!cell_verdict_from_json(reply->parameters, &verdict, error)) {
		examiner_on_nonsense(error, lane);
		return;
	}
	if (strcmp(verdict.nonce, lane->current->nonce) != 0 ||
	    !verdict_fits_request(&verdict, lane->current->request))
		examiner_on_nonsense("an answer to no question", lane);
	else
		examiner_accept(lane, &verdict);
	/* What it has left in the process is no company for the next one. */
	if (verdict.ok && !verdict.unloadable)
		lane->spent = true;
	cell_verdict_finish(&verdict);
}

static void
examiner_on_reply(const struct varlink_reply *reply, void *arg)
{
	struct examiner_lane *lane = arg;

	if (reply->has_id && reply->id == EXAMINER_SETUP_ID) {
		if (reply->error != NULL && examiner_is_to_blame(lane))
			examiner_refuse(lane, "the examiner %s does not work: %s",
				lane->examiner->program.path, examiner_error_text(reply));
	} else if (lane->current != NULL && reply->has_id &&
	    reply->id == lane->current->id) {
		examiner_on_verdict(lane, reply);
	} else {
		examiner_on_nonsense("an answer to no question", lane);
	}
}

static const struct examiner_process_events examiner_events = {
	.on_reply = examiner_on_reply,
	.on_nonsense = examiner_on_nonsense,
	.on_end = examiner_on_end,
};

/* --- the work ------------------------------------------------------------------------------- */

static bool
examiner_call_setup(struct examiner_lane *lane)
{
	struct cell_setup setup = {
		.version_major = CELL_VERSION_MAJOR,
		.version_minor = CELL_VERSION_MINOR,
		.cell = "examiner",
		.loops = 1,
		.max_depth = 1,
		.max_lingering = 1,
		.log_level = "info",
	};
	json_t *parameters = cell_setup_to_json(&setup);
	bool sent = parameters != NULL && examiner_process_call(lane->process, CELL_SETUP,
		EXAMINER_SETUP_ID, parameters, -1);

	json_decref(parameters);
	return sent;
}

static bool
examiner_ensure_process(struct examiner_lane *lane, struct buffer *error)
{
	if (lane->process != NULL)
		return true;
	lane->examined = 0;
	lane->process = examiner_process_start(lane->examiner->base, &lane->examiner->program,
		&examiner_events, lane, error);
	if (lane->process == NULL)
		return false;
	return examiner_call_setup(lane) || buffer_fail(error, "no memory");
}

/* The descriptor is duplicated, since a second process may have to look at it. */
static bool
examiner_send_image(struct examiner_lane *lane, const struct examination *examination,
	struct buffer *error)
{
	int fd = fcntl(examination->image_fd, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return buffer_fail(error, "no descriptor is left: %s%s", strerror(errno), remedy_of(errno));
	return examiner_process_call(lane->process, CELL_EXAMINE, examination->id,
		examination->request, fd) || buffer_fail(error, "no memory");
}

static void
examiner_end_process(struct examiner_lane *lane)
{
	examiner_process_destroy(lane->process);
	lane->process = NULL;
	lane->spent = false;
}

static void
examiner_start_next(struct examiner_lane *lane)
{
	struct examiner *examiner = lane->examiner;
	struct examination *next = container_of(list_pop_front(&examiner->waiting),
		struct examination, link);
	struct buffer error = {0};
	const char *reason;

	examiner->waiting_count--;
	if (next->again && lane->process != NULL)
		examiner_end_process(lane);
	lane->current = next;
	lane->slow = false;
	examiner_set_timeout(lane, examiner_slow_ns(examiner));
	if (!examiner_ensure_process(lane, &error) ||
	    !examiner_send_image(lane, next, &error)) {
		reason = buffer_text(&error);
		lane->spent = true;
		examiner_refuse(lane, "it cannot be examined: %s [examiner]",
			reason != NULL ? reason : "no memory");
	}
	buffer_finish(&error);
}

/* Who has nothing to do and shall have something: one at a time is at work, not counting
 * those that are slow. A process that is there is taken first. NULL: nobody. */
static struct examiner_lane *
examiner_free_lane(struct examiner *examiner)
{
	struct examiner_lane *free_lane = NULL;

	for (size_t i = 0; i < EXAMINER_LANES; i++) {
		struct examiner_lane *lane = &examiner->lanes[i];

		if (lane->current != NULL && !lane->slow)
			return NULL;
		if (lane->current == NULL && (free_lane == NULL || free_lane->process == NULL))
			free_lane = lane;
	}
	return free_lane;
}

static void
examiner_work(evutil_socket_t fd, short what, void *arg)
{
	struct examiner *examiner = arg;
	struct examiner_lane *lane;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < EXAMINER_LANES; i++) {
		lane = &examiner->lanes[i];
		if (lane->current == NULL && (lane->spent || list_empty(&examiner->waiting)))
			examiner_end_process(lane);
	}
	if (!list_empty(&examiner->waiting) && (lane = examiner_free_lane(examiner)) != NULL)
		examiner_start_next(lane);
}

/* --- for others ------------------------------------------------------------------------------- */

static bool
examiner_lane_init(struct examiner_lane *lane, struct examiner *examiner)
{
	lane->examiner = examiner;
	lane->timeout_event = event_new(examiner->base, -1, 0, examiner_on_timeout, lane);
	return lane->timeout_event != NULL;
}

static void
examiner_lane_finish(struct examiner_lane *lane)
{
	examiner_process_destroy(lane->process);
	if (lane->current != NULL)
		examination_destroy(lane->current);
	if (lane->timeout_event != NULL)
		event_free(lane->timeout_event);
}

struct examiner *
examiner_create(struct event_base *base, const struct program *program, int64_t timeout_ns)
{
	struct examiner *examiner = xcalloc(1, sizeof(*examiner));
	bool made;

	examiner->base = base;
	examiner->program = *program;
	examiner->timeout_ns = timeout_ns;
	list_init(&examiner->waiting);
	examiner->work_event = event_new(base, -1, 0, examiner_work, examiner);
	made = examiner->work_event != NULL;
	for (size_t i = 0; i < EXAMINER_LANES; i++)
		made = examiner_lane_init(&examiner->lanes[i], examiner) && made;
	if (!made) {
		examiner_destroy(examiner);
		return NULL;
	}
	return examiner;
}

void
examiner_destroy(struct examiner *examiner)
{
	if (examiner == NULL)
		return;
	for (size_t i = 0; i < EXAMINER_LANES; i++)
		examiner_lane_finish(&examiner->lanes[i]);
	list_for_each_safe(link, &examiner->waiting)
		examination_destroy(container_of(link, struct examination, link));
	if (examiner->work_event != NULL)
		event_free(examiner->work_event);
	free(examiner);
}

static void
examination_make_nonce(struct examination *examination)
{
	uint8_t bytes[EXAMINER_NONCE_SIZE / 2];

	/* Never short and never interrupted for so few, once the system has started. */
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		memset(bytes, 0, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(examination->nonce + 2 * i, 3, "%02x", bytes[i]);
}

struct examination *
examiner_submit(struct examiner *examiner, const struct image *image,
	const struct cell_examine_service *services, size_t count, examiner_done_fn *done, void *arg)
{
	struct examination *examination = xcalloc(1, sizeof(*examination));
	/* The codec only reads what it is given. */
	struct cell_examine request = {
		.nonce = examination->nonce,
		.image = image->path,
		.origin = image->origin,
		.services = (struct cell_examine_service *)(uintptr_t)services,
		.service_count = count,
	};

	examination_make_nonce(examination);
	examination->id = ++examiner->last_id;
	examination->done = done;
	examination->arg = arg;
	examination->image_fd = fcntl(image->fd, F_DUPFD_CLOEXEC, 3);
	examination->request = cell_examine_to_json(&request);
	if (examination->image_fd < 0 || examination->request == NULL) {
		examination_destroy(examination);
		return NULL;
	}
	list_push_back(&examiner->waiting, &examination->link);
	examiner->waiting_count++;
	examiner_work_later(examiner);
	return examination;
}

/* A current one goes on without anybody to hear its verdict. */
void
examiner_cancel(struct examiner *examiner, struct examination *examination)
{
	for (size_t i = 0; i < EXAMINER_LANES; i++) {
		if (examination == examiner->lanes[i].current) {
			examination->done = NULL;
			return;
		}
	}
	list_remove(&examination->link);
	examiner->waiting_count--;
	examination_destroy(examination);
}

size_t
examiner_pending(const struct examiner *examiner)
{
	size_t pending = examiner->waiting_count;

	for (size_t i = 0; i < EXAMINER_LANES; i++)
		pending += examiner->lanes[i].current != NULL;
	return pending;
}
