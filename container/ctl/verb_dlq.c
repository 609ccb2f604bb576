/* SPDX-License-Identifier: BSD-2-Clause */
/* Dead letters: messages over which cells crashed. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "ctl/ctl.h"
#include "ctl/show.h"
#include "ctl/verbs.h"
#include "protocol/body.h"
#include "protocol/varlink.h"

/* What follows the word. */
struct dlq_wish {
	const char *service;
	json_int_t number; /* 0: all */
};

/* {"service": ..., "number": ...?} */
static json_t *
dlq_parameters(const struct dlq_wish *wish)
{
	json_t *parameters = json_pack("{s:o}", "service", varlink_text(wish->service));

	if (wish->number != 0)
		json_object_set_new(parameters, "number", json_integer(wish->number));
	return parameters;
}

/* Those of the wish; the caller's. NULL: ctl->error says why. */
static json_t *
dlq_get(struct ctl *ctl, const struct dlq_wish *wish)
{
	struct ctl_reply reply;
	json_t *letters;

	if (!ctl_ask(ctl, INTERFACE_DEAD_LETTERS, dlq_parameters(wish), &reply)) {
		ctl_hint_nearest_service(ctl, wish->service);
		return NULL;
	}
	letters = json_incref(json_object_get(reply.reply.parameters, "letters"));
	ctl_reply_finish(&reply);
	return letters;
}

static void
dlq_print_json(struct ctl *ctl, const char *name, json_t *value)
{
	json_t *data = json_pack("{s:o}", name, value);

	ctl_print_json(ctl, NULL, data);
	json_decref(data);
}

static enum interface_exit
dlq_list(struct ctl *ctl, const struct dlq_wish *wish)
{
	json_t *letters = dlq_get(ctl, wish);

	if (letters == NULL)
		return ctl_fail(ctl);
	if (ctl->options.json)
		dlq_print_json(ctl, "letters", json_incref(letters));
	else
		show_dead_letters(&ctl->out, letters, !ctl->options.quiet);
	json_decref(letters);
	return INTERFACE_EXIT_DONE;
}

/* False: it is too large to have been kept, or cannot be read; ctl->error says so. */
static bool
dlq_body(struct ctl *ctl, const json_t *letter, struct buffer *body)
{
	const char *text = json_string_value(json_object_get(letter, "body"));

	if (text != NULL && text_base64_decode(body, text, strlen(text)))
		return true;
	ctl_error_set(&ctl->error, INTERFACE_EXIT_FAILED, "too-big", "the %" PRId64 " bytes of dead letter %" PRId64
		" are not kept", view_int(letter, "size"), view_int(letter, "number"));
	return false;
}

static enum interface_exit
dlq_show(struct ctl *ctl, const struct dlq_wish *wish)
{
	json_t *letters = dlq_get(ctl, wish);
	const json_t *letter = json_array_get(letters, 0);
	struct buffer body = {0};
	bool shown = letters != NULL;

	if (shown && ctl->options.json)
		dlq_print_json(ctl, "letters", json_incref(letters));
	else if (shown && (shown = dlq_body(ctl, letter, &body)))
		fwrite(body.data, 1, body.size, ctl->out.file);
	if (shown && !ctl->options.json && ctl->out.is_tty && (body.size == 0 || body.data[body.size - 1] != '\n'))
		fputc('\n', ctl->out.file);
	buffer_finish(&body);
	json_decref(letters);
	return shown ? INTERFACE_EXIT_DONE : ctl_fail(ctl);
}

/* Those that were dropped, or -1: ctl->error says why not. */
static int64_t
dlq_drop(struct ctl *ctl, const struct dlq_wish *wish)
{
	struct ctl_reply reply;
	int64_t dropped;

	if (!ctl_ask(ctl, INTERFACE_DROP_DEAD_LETTERS, dlq_parameters(wish), &reply)) {
		ctl_hint_nearest_service(ctl, wish->service);
		return -1;
	}
	dropped = view_int(reply.reply.parameters, "dropped");
	ctl_reply_finish(&reply);
	return dropped;
}

/* What was done with how many. */
static enum interface_exit
dlq_tell(struct ctl *ctl, const char *name, int64_t count, const char *service)
{
	if (ctl->options.json) {
		dlq_print_json(ctl, name, json_integer(count));
	} else if (!ctl->options.quiet) {
		fprintf(ctl->out.file, "%" PRId64 " dead %s of ", count, text_number((uint64_t)count, "letter", "letters"));
		print_text(&ctl->out, service);
		fprintf(ctl->out.file, " %s\n", name);
	}
	return INTERFACE_EXIT_DONE;
}

static enum interface_exit
dlq_purge(struct ctl *ctl, const struct dlq_wish *wish)
{
	int64_t dropped = dlq_drop(ctl, wish);

	return dropped < 0 ? ctl_fail(ctl) : dlq_tell(ctl, "purged", dropped, wish->service);
}

/* Puts it into the queue of its service, and forgets it then. */
static bool
dlq_replay_one(struct ctl *ctl, const struct dlq_wish *wish)
{
	json_t *letters = dlq_get(ctl, wish);
	json_t *parameters = json_pack("{s:o}", "service", varlink_text(wish->service));
	struct buffer body = {0};
	struct ctl_reply reply;
	bool sent = false;
	int memfd = -1;

	if (letters != NULL && dlq_body(ctl, json_array_get(letters, 0), &body)) {
		if (body_to_json(body.data, body.size, parameters, &memfd) != BAY_OK)
			ctl_error_set(&ctl->error, INTERFACE_EXIT_FAILED, CTL_CODE_IO, "the message cannot be passed on");
		else if ((sent = ctl_ask_with_fd(ctl, INTERFACE_SEND, json_incref(parameters), memfd,
			connection_deadline(ctl->options.timeout_ns), &reply)))
			ctl_reply_finish(&reply);
	}
	buffer_finish(&body);
	json_decref(parameters);
	json_decref(letters);
	return sent && dlq_drop(ctl, wish) >= 0;
}

static enum interface_exit
dlq_replay(struct ctl *ctl, const struct dlq_wish *wish)
{
	json_t *letters = dlq_get(ctl, wish);
	size_t count = json_array_size(letters);
	bool replayed = letters != NULL;

	for (size_t i = count; i-- > 0 && replayed;) {
		struct dlq_wish one = {wish->service, view_int(json_array_get(letters, i), "number")};

		replayed = dlq_replay_one(ctl, &one);
	}
	json_decref(letters);
	return replayed ? dlq_tell(ctl, "replayed", (int64_t)count, wish->service) : ctl_fail(ctl);
}

static enum interface_exit
dlq_misused(struct ctl *ctl, const char *what)
{
	ctl_error_set(&ctl->error, INTERFACE_EXIT_USAGE, CTL_CODE_USAGE, "dlq: %s", what);
	ctl_error_hint(&ctl->error, "bayctl help dlq says what there is");
	return ctl_fail(ctl);
}

enum interface_exit
verb_dlq(struct ctl *ctl)
{
	static const struct {
		const char *word;
		enum interface_exit (*run)(struct ctl *ctl, const struct dlq_wish *wish);
		bool one; /* has to be named */
	} words[] = {
		{"ls", dlq_list, false},
		{"show", dlq_show, true},
		{"replay", dlq_replay, false},
		{"purge", dlq_purge, false},
	};
	const char *number = ctl->options.arguments[2];
	struct dlq_wish wish = {.service = ctl->options.arguments[1]};

	if (number != NULL && (number[strspn(number, "0123456789")] != '\0' || (wish.number = strtoll(number, NULL, 10)) <= 0))
		return dlq_misused(ctl, "the number of a dead letter is wanted");
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(words[i].word, ctl->options.arguments[0]) != 0)
			continue;
		if (words[i].one && number == NULL)
			return dlq_misused(ctl, "show wants the number of a dead letter");
		return words[i].run(ctl, &wish);
	}
	return dlq_misused(ctl, "ls, show, replay or purge is wanted");
}
