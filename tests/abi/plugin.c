/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin that is kept with each released ABI, and compiled against the headers of that time:
 * it has a setting of each kind, all functions of a descriptor, and fills in structs of options,
 * which say how long they were.
 */
#include <string.h>

#include <bay/bay.h>

struct set {
	int64_t number;
	bool choice;
	int64_t span_ns;
	uint64_t bytes;
	const char *text;
	int64_t word;
};

static const struct bay_setting settings[] = {
	BAY_INT64(struct set, number, "number", "7", 0, 100, "a number"),
	BAY_BOOL(struct set, choice, "choice", "yes", "a choice"),
	BAY_DURATION(struct set, span_ns, "span", "1ms", "a span"),
	BAY_SIZE(struct set, bytes, "bytes", "2k", 0, 1 << 20, "a size"),
	BAY_STRING(struct set, text, "text", "words", "a text"),
	BAY_CHOICE(struct set, word, "word", "b", "a|b|c", "a word"),
	BAY_END
};

struct state {
	int runs;
	int answered;
};

static int
init(struct bay_instance *instance)
{
	struct state *state = bay_alloc(sizeof *state);

	if (state == NULL)
		return bay_instance_fail(instance, BAY_NO_MEMORY, "no memory");
	bay_instance_set_state(instance, state);
	return BAY_OK;
}

static int
run(struct bay_instance *instance)
{
	struct state *state = bay_instance_state(instance);

	state->runs++;
	return BAY_OK;
}

static void
stop(struct bay_instance *instance)
{
	struct state *state = bay_instance_state(instance);

	bay_log_info("it has answered %d", state->answered);
}

static void
fini(struct bay_instance *instance)
{
	bay_free(bay_instance_state(instance));
}

static int
put_one(void *channel)
{
	static char item[] = "item";

	return bay_channel_put(channel, item, BAY_INHERIT);
}

/* A task puts an item that another gets. */
static int
use_scope_and_channel(void)
{
	struct bay_channel_options channel_options = {.length = sizeof channel_options, .capacity = 1};
	struct bay_scope_options scope_options = {.length = sizeof scope_options, .limit = 1};
	struct bay_channel *channel = bay_channel_create_with(&channel_options);
	struct bay_scope *scope = bay_scope_open_with(&scope_options);
	void *item = NULL;
	int status = BAY_INVALID;

	if (channel != NULL && scope != NULL)
		status = bay_scope_go(scope, "puts", put_one, channel);
	if (status == BAY_OK)
		status = bay_channel_get(channel, &item, bay_after(30 * BAY_SECOND));
	if (scope != NULL)
		bay_scope_close(scope);
	bay_channel_destroy(channel);
	return status == BAY_OK && strcmp(item, "item") != 0 ? BAY_FAILED : status;
}

static int
use_process(void)
{
	const char *argv[] = {"cat", NULL};
	struct bay_process_options options = {.length = sizeof options, .argv = argv, .input = BAY_STDIO_PIPE,
		.output = BAY_STDIO_PIPE};
	struct bay_process *process;
	struct bay_process_exit end;
	int status = bay_process_run(&options, "abc", 3, 0, &process, BAY_INHERIT);

	if (status != BAY_OK)
		return status;
	status = bay_process_poll(process, &end);
	if (status == BAY_OK && (end.code != 0 || strcmp(bay_process_captured(process, BAY_STDOUT, NULL), "abc") != 0))
		status = BAY_FAILED;
	bay_process_close(process);
	return status;
}

static int
use_stream_and_select(void)
{
	struct bay_stream_options options = {.length = sizeof options, .high_water = 1000};
	struct bay_stream *a, *b;
	struct bay_case cases[2];
	size_t which = 9;
	int status = bay_stream_pair(&a, &b);

	if (status != BAY_OK)
		return status;
	status = bay_stream_configure(a, &options);
	if (status == BAY_OK)
		status = bay_stream_write(a, "x", 1, BAY_INHERIT);
	cases[0] = bay_case_of(BAY_CASE_NONE);
	cases[1] = bay_case_read(b);
	if (status == BAY_OK)
		status = bay_select(cases, 2, &which, bay_after(30 * BAY_SECOND));
	bay_stream_abort(a);
	bay_stream_abort(b);
	return status == BAY_OK && (which != 1 || cases[1].status != BAY_OK) ? BAY_FAILED : status;
}

static int
handle(struct bay_request *request)
{
	const struct set *set = bay_settings(request);
	struct state *state = bay_state(request);
	struct bay_task_info infos[4];
	int status = bay_sleep(set->span_ns);

	if (status == BAY_OK)
		status = use_scope_and_channel();
	if (status == BAY_OK)
		status = use_process();
	if (status == BAY_OK)
		status = use_stream_and_select();
	if (status != BAY_OK)
		return bay_fail(request, status, "%s", bay_status_name(status));
	if (bay_task_list(infos, 4) < 1 || infos[0].name[0] == '\0')
		return bay_fail(request, BAY_FAILED, "it knows no task");
	state->answered++;
	return bay_reply_printf(request, "%" PRId64 " %d %" PRIu64 " %s %" PRId64 " ran %d", set->number, set->choice,
		set->bytes, set->text, set->word, state->runs);
}

BAY_PLUGIN(kept, "1.0.0",
	.summary = "is kept with each released ABI",
	.settings = settings,
	.init = init,
	.handle = handle,
	.run = run,
	.stop = stop,
	.fini = fini);
