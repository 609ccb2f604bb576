/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "ctl/verbs.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define SECONDS(n) ((n) * INT64_C(1000000000))

const struct option_row option_rows[OPTION_COUNT] = {
	[OPTION_SOCKET] = {"socket", 's', "SOCKET",
		"where the daemon listens; else $BAY_SOCKET, else ./run/control.sock if it is there, "
		"else " RUNSTATEDIR "/bay/control.sock"},
	[OPTION_JSON] = {"json", 0, NULL, "print one JSON object, or one a line where many come"},
	[OPTION_TIMEOUT] = {"timeout", 0, "D",
		"give up after this time, such as 500ms, 5s or 2m; 0 waits for ever"},
	[OPTION_QUIET] = {"quiet", 'q', NULL,
		"print nothing but the answer and errors: no headings, no progress"},
	[OPTION_HELP] = {"help", 'h', NULL, "print help, of the verb if there is one"},
	[OPTION_VERSION] = {"version", 'V', NULL, "print the version of bayctl"},
	[OPTION_TREE] = {"tree", 0, NULL, "show which task started which"},
	[OPTION_NOW] = {"now", 0, NULL, "cancel what is running instead of letting it finish"},
	[OPTION_NO_WAIT] = {"no-wait", 0, NULL, "ask for it and do not wait for the outcome"},
	[OPTION_PROBATION] = {"probation", 0, NULL, "wait until the new code has passed its probation"},
	[OPTION_CANARY] = {"canary", 0, "SHARE",
		"give the new code this share of the messages only, such as 10%, until promote or abort"},
	[OPTION_FOLLOW] = {"follow", 'f', NULL, "go on with new ones as they come"},
	[OPTION_LINES] = {"lines", 'n', "N", "begin with the last N, 20 unless given"},
	[OPTION_SINCE] = {"since", 0, "N", "begin behind the event with this number"},
	[OPTION_CONTENT_TYPE] = {"content-type", 0, "TYPE", "say of what kind the message is"},
	[OPTION_TRACEPARENT] = {"traceparent", 0, "HEADER", "the trace that it belongs to, as in W3C Trace Context"},
	[OPTION_TRACE] = {"trace", 0, "ID", "only lines of this trace, by its trace-id of W3C Trace Context"},
	[OPTION_FOR] = {"for", 0, "D", "end after this time; else when it is interrupted"},
	[OPTION_LIMIT] = {"limit", 0, "N", "end after N requests"},
	[OPTION_REPEAT] = {"repeat", 0, "N", "do it N times and print rate and latencies"},
	[OPTION_CONCURRENCY] = {"concurrency", 0, "M",
		"with --repeat: M at a time, each on a connection of its own, 60 at most"},
	[OPTION_SET] = {"set", 0, "KEY=VALUE", "a setting, of the plugin or of its service; any number of these"},
	[OPTION_WITH] = {"with", 0, "[NAME=]FILE",
		"run this plugin beside it, for it to call as NAME; any number of these"},
	[OPTION_CALL] = {"call", 0, "TEXT", "call it with this message and print the reply"},
	[OPTION_REPL] = {"repl", 0, NULL, "call it with each line of standard input"},
	[OPTION_VIRTUAL_TIME] = {"virtual-time", 0, NULL,
		"when all wait, move the clock to the next timer instead of waiting"},
	[OPTION_KIND] = {"kind", 0, "call|run|stream",
		"what it does: answer calls, which is usual; something by itself; serve connections"},
	[OPTION_DRY_RUN] = {"dry-run", 0, NULL, "say what would be done, and do nothing"},
	[OPTION_HISTORY] = {"history", 0, NULL, "list the configurations that were in force"},
	[OPTION_SAVE] = {"save", 0, NULL, "write it into the file of the configuration too"},
	[OPTION_CONFIG] = {"config", 0, "N", "the number of a configuration that was in force"},
	[OPTION_OPENMETRICS] = {"openmetrics", 0, NULL,
		"print OpenMetrics, in a form that Prometheus' older text format takes as well"},
	[OPTION_PROMETHEUS] = {"prometheus", 0, NULL, "print Prometheus' older text format, with all types"},
	[OPTION_SORT] = {"sort", 0, "cpu|calls|failed|tasks|queue|latency|memory|name",
		"what to sort by, the greatest first; cpu unless given"},
	[OPTION_ONCE] = {"once", 0, NULL, "print it once and end"},
	[OPTION_INTERVAL] = {"interval", 0, "D", "the time from one look to the next, 1s unless given"},
	[OPTION_AS] = {"as", 0, "NAME", "the name of the service; else it is that of the file"},
	[OPTION_OFFLINE] = {"offline", 0, NULL,
		"read what bayd keeps in its state_dir instead of asking it: $BAY_STATE, else ./state if it is "
		"there, else " LOCALSTATEDIR "/lib/bay"},
};

const struct verb verbs[] = {
	{"ping", NULL, "", 0, 0, 0, SECONDS(10), verb_ping,
		"ask whether the daemon answers, and how fast", NULL},
	{"version", NULL, "", 0, 0, 0, SECONDS(10), verb_version,
		"print the versions of bayctl and of the daemon",
		"A daemon that cannot be reached is no error here."},
	{"info", NULL, "", 0, 0, 0, SECONDS(10), verb_info,
		"show what this container is and the processes it runs", NULL},
	{"list", "ls", "", 0, 0, 0, SECONDS(10), verb_list,
		"list the services with their state and counts", NULL},
	{"status", NULL, "[SERVICE]", 0, 1, 0, SECONDS(10), verb_status,
		"show all about one service, or a summary of the container",
		"With a service: its state and why, plugin, queue, counts, settings and the last "
		"lines of its log. Exits with 0 whenever the question was answered, whatever the "
		"state is."},
	{"call", NULL, "SERVICE [TEXT | -]", 1, 2,
		OPTION_BIT(OPTION_CONTENT_TYPE) | OPTION_BIT(OPTION_TRACEPARENT) | OPTION_BIT(OPTION_REPEAT) |
		OPTION_BIT(OPTION_CONCURRENCY), SECONDS(120), verb_call,
		"call a service and print its reply",
		"The message is TEXT, or with - what standard input holds, of any bytes; without "
		"either it is empty. The word behind SERVICE is TEXT even if it begins with a dash, such "
		"as -3: options stand before SERVICE or behind TEXT. The reply is printed as it is; on a terminal a newline is added "
		"if it has none. --timeout is also the deadline of the call.\n"
		"With --repeat the replies are not printed but counted: how many, how many failed, the "
		"rate and the latencies. Exits with 1 if one failed."},
	{"send", NULL, "SERVICE [TEXT | -]", 1, 2,
		OPTION_BIT(OPTION_CONTENT_TYPE) | OPTION_BIT(OPTION_TRACEPARENT) | OPTION_BIT(OPTION_REPEAT) |
		OPTION_BIT(OPTION_CONCURRENCY), SECONDS(120), verb_send,
		"put a message into a service's queue and do not wait for a reply",
		"The message is given as for call. Done means that the queue has it, not that it was "
		"handled."},
	{"is-ready", NULL, "[SERVICE...]", 0, SIZE_MAX, 0, SECONDS(10), verb_is_ready,
		"say with the exit code whether services answer: 0 for yes, 3 for no",
		"Of all that are named, or of all that are to run with the daemon. Prints the state of each; "
		"with --quiet nothing."},
	{"is-active", NULL, "[SERVICE...]", 0, SIZE_MAX, 0, SECONDS(10), verb_is_active,
		"say with the exit code whether services run, also paused or stopping",
		"As is-ready."},
	{"is-failed", NULL, "[SERVICE...]", 0, SIZE_MAX, 0, SECONDS(10), verb_is_failed,
		"say with the exit code whether any of the services has failed",
		"As is-ready, but yes if it is so of one."},
	{"do", NULL, "[SERVICE [VERB [ARGUMENT...]]]", 0, SIZE_MAX, 0, SECONDS(120), verb_do,
		"have a service do a verb of its plugin, or list its verbs",
		"Without VERB the verbs of the service are listed with their arguments, without SERVICE "
		"those of all. Arguments are given in the order of the list, or as NAME=VALUE; one that "
		"begins with a dash so, or behind --. A wrong one is refused before anything runs. "
		"What the verb replies is printed. --timeout is also its deadline."},
	{"start", NULL, "SERVICE...", 1, SIZE_MAX, 0, SECONDS(120), verb_start,
		"start services and wait until they are ready",
		"When one does not start, the reason and the last lines of its log are printed. What it "
		"requires or wants is started before it."},
	{"stop", NULL, "SERVICE...", 1, SIZE_MAX, OPTION_BIT(OPTION_NOW), SECONDS(120), verb_stop,
		"stop services and wait until nothing of them runs",
		"They stay stopped until they are started or the daemon is. What is running may "
		"finish within the service's drain_timeout, unless --now is given. Those that require it are "
		"stopped before it."},
	{"restart", NULL, "SERVICE...", 1, SIZE_MAX, 0, SECONDS(120), verb_restart,
		"stop and start services with the plugin files as they are now",
		"Those that require it are restarted with it. reload SERVICE changes the code without that."},
	{"pause", NULL, "SERVICE...", 1, SIZE_MAX, 0, SECONDS(120), verb_pause,
		"have services begin no more requests, while their queues go on taking them",
		"What is running ends. What comes waits in the queue, within its bounds and by its policy for "
		"a full one; callers wait until their deadlines. Connections wait before they are accepted. "
		"It stays so through restarts of the service or its cell, new code and new configurations, "
		"until resume, drain, stop, or the end of the daemon."},
	{"resume", NULL, "SERVICE...", 1, SIZE_MAX, 0, SECONDS(120), verb_resume,
		"end a pause or a drain: what is queued is served, in its order", NULL},
	{"drain", NULL, "SERVICE...", 1, SIZE_MAX, OPTION_BIT(OPTION_NO_WAIT), SECONDS(120), verb_drain,
		"have services refuse new requests, and wait until they have ended what they have",
		"What is queued and running is finished, also what of it has to call the service itself; "
		"connections that are open may end, no others are accepted. Then the service is drained: still "
		"there, until resume or stop. What is left is told meanwhile. If the time is over the exit "
		"code is 8, and the drain goes on; so it does with --no-wait."},
	{"reset", NULL, "SERVICE...", 1, SIZE_MAX, 0, SECONDS(120), verb_reset,
		"forget that services failed or crashed",
		"One that was moved to a cell of its own, since it crashed the one that it shared again and "
		"again (on_crash), goes back to that. Breakers before it are closed. Nothing is started."},
	{"reload", NULL, "[SERVICE...]", 0, SIZE_MAX, OPTION_BIT(OPTION_NO_WAIT) |
		OPTION_BIT(OPTION_PROBATION) | OPTION_BIT(OPTION_CANARY) | OPTION_BIT(OPTION_DRY_RUN) |
		OPTION_BIT(OPTION_HISTORY),
		SECONDS(120), verb_reload,
		"read the configuration again, or take the plugin files as they are now",
		"Without SERVICE it is the configuration. Everything is read and checked first, the plugins "
		"check their settings, and then all of it is done or, if a service does not come up, nothing: "
		"that ends with 10, a wrong file with 5. Services of which nothing is different are not "
		"touched. Prints a line for each difference: + a new service, - one that is gone, ~ a key, "
		"! a key that waits for the daemon's next start. What has been set by hand and is not in the "
		"file is different too. With --history it lists the last configurations, for rollback.\n"
		"With SERVICE the plugin files take the place of the code that serves. "
		"No message is lost: the new code is examined, loaded and initialised beside the old one, "
		"perhaps takes over its state, and gets what comes from then on; the old one finishes what "
		"it has. A file that is what runs already is left alone. If the new code fails, the old one "
		"serves on: exits with 5 if it was refused before anything was started, with 10 otherwise.\n"
		"Waits until the new code serves. For the probation of the service after that, it is rolled "
		"back by itself if it crashes or fails more often than the old one; --probation waits for "
		"the end of that, too.\n"
		"With --canary the new code is a canary: it gets that share of the messages, in a fixed turn, and the old "
		"code the others, until promote or abort. Status shows how both fare. Meanwhile the service "
		"is neither reloaded nor changed."},
	{"rollback", NULL, "[SERVICE...]", 0, SIZE_MAX, OPTION_BIT(OPTION_NO_WAIT) |
		OPTION_BIT(OPTION_CONFIG), SECONDS(120), verb_rollback,
		"return to the code that services ran before, or to a configuration",
		"As reload, but with the former generation, whose private copy is kept. A second rollback "
		"returns from there.\n"
		"With --config N and no SERVICE, the configuration with that number is in force again, under "
		"a new one; reload --history lists the last ten. The file stays as it is, and the next reload "
		"takes that."},
	{"promote", NULL, "SERVICE...", 1, SIZE_MAX, OPTION_BIT(OPTION_NO_WAIT) |
		OPTION_BIT(OPTION_PROBATION), SECONDS(120), verb_promote,
		"let the canaries of services take the place of the code beside them",
		"The state goes over now, where the plugin hands it over, and the probation begins, as after "
		"reload. If that fails, the canary ends and the old code serves on: exits with 10."},
	{"abort", NULL, "SERVICE...", 1, SIZE_MAX, 0, SECONDS(120), verb_abort,
		"end the canaries of services",
		"They get no more messages, finish what they have, and the old code goes on alone."},
	{"load", NULL, "FILE.so", 1, 1, OPTION_BIT(OPTION_AS) | OPTION_BIT(OPTION_SET), SECONDS(120), verb_load,
		"run a plugin file from anywhere as a service, without the configuration",
		"The file is examined as any, and nobody but root and the daemon's user may be able to write "
		"it or its directories. What runs is a copy: reload SERVICE takes the file as it is then. "
		"If the service does not become ready, nothing is left of it. It ends with unload or with the "
		"daemon; a section of its name takes it over at the next reload. For root and the daemon's own user."},
	{"unload", NULL, "PLUGIN", 1, 1, 0, SECONDS(120), verb_unload,
		"end and remove the services of a plugin that was loaded by hand or by autoload",
		"They are drained first. If services of the configuration run the plugin, those are named, and "
		"nothing is done."},
	{"diff", NULL, "", 0, 0, 0, SECONDS(10), verb_diff,
		"show what is different in the file from what is in force",
		"As reload --dry-run, but no plugin is asked whether it would do."},
	{"show", NULL, "SERVICE [KEY]", 1, 2, 0, SECONDS(10), verb_show,
		"show the values that are in force and where they come from",
		"From a line of a file, by default, or set by somebody. LIVE says whether set can "
		"change it. The keys of [container] are those of \"container\"."},
	{"set", NULL, "SERVICE.KEY VALUE", 2, 2, OPTION_BIT(OPTION_SAVE), SECONDS(120), verb_set,
		"change a live key of a service, or container.KEY, while it runs",
		"The value is checked as in the file. It is in force until the next reload, unless "
		"--save writes it into the file, at its place there and with all else as it was."},
	{"enable", NULL, "SERVICE", 1, 1, 0, SECONDS(120), verb_enable,
		"start a service, also with the daemon",
		"The same as set SERVICE.enabled yes --save."},
	{"disable", NULL, "SERVICE", 1, 1, 0, SECONDS(120), verb_disable,
		"stop a service, also after a reload or a restart of the daemon",
		"The same as set SERVICE.enabled no --save."},
	{"tasks", NULL, "[SERVICE]", 0, 1, OPTION_BIT(OPTION_TREE), SECONDS(10), verb_tasks,
		"list the tasks, what each waits for and where",
		"A loop that does not answer is named with the task that keeps it."},
	{"queues", NULL, "", 0, 0, 0, SECONDS(10), verb_queues,
		"list the queues: how full, how old, what was dropped", NULL},
	{"stats", NULL, "[SERVICE]", 0, 1, OPTION_BIT(OPTION_OPENMETRICS) | OPTION_BIT(OPTION_PROMETHEUS),
		SECONDS(10), verb_stats,
		"show counters, what services and loops use, and latencies",
		"Answers also while every loop hangs."},
	{"top", NULL, "", 0, 0, OPTION_BIT(OPTION_SORT) | OPTION_BIT(OPTION_ONCE) | OPTION_BIT(OPTION_INTERVAL),
		SECONDS(10), verb_top,
		"watch what the services use, on the whole terminal",
		"Keys: c r f t w l m n sort by time of a processor, calls, failures, tasks, queue, latency, memory "
		"or name; a blank looks again at once; q ends. Figures are those of the time between two looks. "
		"Where the output is no terminal, one table is printed; with --json an object a line until it is "
		"interrupted, or one with --once."},
	{"crash", NULL, "[SERVICE | NUMBER]", 0, 1, OPTION_BIT(OPTION_OFFLINE), SECONDS(10), verb_crash,
		"show the reports of crashes, of stalls, and of cells that were killed",
		"Without an argument all are listed, the newest first; with SERVICE its last one is shown in "
		"full, with NUMBER that one: what happened in which task and thread, the message that was "
		"handled, the frames of the stack, and the last lines of the cell. Reports are kept when the "
		"daemon ends, and --offline reads them without it."},
	{"dlq", NULL, "ls|show|replay|purge SERVICE [NUMBER]", 2, 3, 0, SECONDS(10), verb_dlq,
		"list dead letters of a service, show one, send them again, or throw them away",
		"A dead letter is a message over which cells crashed as often as the service's poison says. "
		"ls lists those that are kept, the newest first. show prints the one with NUMBER as it is. "
		"replay sends it to the service, or without NUMBER all of them, the oldest first, and "
		"forgets each that the service's queue has taken. purge forgets it, or all."},
	{"check", NULL, "[FILE.ini]", 0, 1, 0, 0, verb_check,
		"check a configuration and its plugins; needs no daemon",
		"Runs bayd -t. Without a file the configuration that bayd would use is checked."},
	{"doc", NULL, "FILE.so", 1, 1, 0, 0, verb_doc,
		"print the settings and verbs of a plugin file, without running it; needs no daemon",
		"Reads the tables in the file by bay-cell doc. inspect says what else the file is."},
	{"inspect", NULL, "FILE.so", 1, 1, 0, 0, verb_inspect,
		"say what a plugin file is, without running it; needs no daemon",
		"Runs bay-cell inspect."},
	{"new", NULL, "NAME", 1, 1, OPTION_BIT(OPTION_KIND), 0, verb_new,
		"begin a plugin: a directory with source, tests and makefiles",
		"Writes the directory NAME, which must not be there yet: a plugin that works, its tests, "
		"which pass (make check), what an ini says of it, a container to try it in, makefiles with "
		"and without autotools, and a README that tells the rest."},
	{"dev", NULL, "FILE.c [-- FLAG...]", 1, SIZE_MAX,
		OPTION_BIT(OPTION_SET) | OPTION_BIT(OPTION_CALL), SECONDS(10), verb_dev,
		"compile a plugin whenever its source changes, and run it",
		"Watches the directory of FILE.c. What has changed is compiled, by the Makefile there if it "
		"can make FILE.so, else by $CC with FLAGs; examined; and put into a private container, "
		"whose log is shown. If any of that fails, the one before goes on serving. With --call the "
		"service is called each time; each line of standard input is a call, too. ^C ends all of it "
		"and leaves nothing."},
	{"run", NULL, "FILE.so", 1, 1,
		OPTION_BIT(OPTION_SET) | OPTION_BIT(OPTION_WITH) | OPTION_BIT(OPTION_CALL) |
		OPTION_BIT(OPTION_REPL) | OPTION_BIT(OPTION_VIRTUAL_TIME), 0, verb_run,
		"run a plugin by itself, without daemon and configuration",
		"Prints replies to standard output and the log to standard error. With --call the plugin "
		"is called once; with --repl once for each line of standard input, and on a terminal it "
		"shows a prompt; without either its run function runs until it ends or ^C is pressed. The "
		"service is named after the file. --set NAME.KEY=VALUE is for the service NAME of --with. "
		"--timeout is the deadline of each call; without it there is none.\n"
		"The exit codes are those of call; 5 when the plugin or a setting is refused, 1 when it "
		"crashed. Runs bay-cell solo."},
	{"explain", NULL, "[CODE]", 0, 1, 0, 0, verb_explain,
		"say what the code of an error means and what to do; needs no daemon",
		"The code is the word in brackets at the end of an error or of a line of the log. Without "
		"CODE all are listed."},
	{"log", "logs", "[SERVICE]", 0, 1, OPTION_BIT(OPTION_LINES) | OPTION_BIT(OPTION_FOLLOW) |
		OPTION_BIT(OPTION_TRACE), SECONDS(10), verb_log, "print the last lines of the log",
		"Lines that were written for a request whose trace came with it, or that is traced, belong to that "
		"trace: --json shows it, and --trace prints only those of one."},
	{"blame", NULL, "[SERVICE]", 0, 1, 0, SECONDS(10), verb_blame,
		"show how long each service took to start, the longest first, and for whom it waited",
		"Of the last start: the time for its plugin to be copied and examined, in which it also waits "
		"for its turn; the time until it served; and how long it had waited for those that it requires, "
		"wants or is after, with the one that was ready last. With SERVICE the chain of those is "
		"shown, with the time after the daemon's start at which each was ready."},
	{"deps", NULL, "[SERVICE]", 0, 1, 0, SECONDS(10), verb_deps,
		"show which services require, want or are after others",
		"As a tree, with the state of each. With SERVICE also those that name it. What has been shown "
		"with all below it is not shown again, which is marked with \"...\"."},
	{"events", NULL, "[SERVICE]", 0, 1, OPTION_BIT(OPTION_LINES) | OPTION_BIT(OPTION_FOLLOW) |
		OPTION_BIT(OPTION_SINCE), SECONDS(10), verb_events,
		"print what has happened, who asked for it and why",
		"Events are numbered from 1 at the daemon's start: with --since who was interrupted "
		"goes on where he was. When some are kept no more, a line says how many."},
	{"trace", NULL, "SERVICE", 1, 1, OPTION_BIT(OPTION_FOR) | OPTION_BIT(OPTION_LIMIT) |
		OPTION_BIT(OPTION_TRACEPARENT), SECONDS(10), verb_trace,
		"print the way of the requests that pass a service, with their times",
		"Each request, when it has ended, with all that was called and sent for it, in other cells too: how it "
		"came there (direct, queued, from another cell), how long it waited and ran, and how it ended. Only these "
		"requests are recorded, and only while this runs. With --traceparent only those of that trace."},
	{"shutdown", NULL, "", 0, 0, OPTION_BIT(OPTION_NOW), SECONDS(120), verb_shutdown,
		"stop the daemon and wait until it is gone",
		"What is running may finish within the drain timeouts, unless --now is given."},
	{"completion", NULL, "bash|zsh|fish", 1, 1, 0, 0, verb_completion,
		"print a script with which a shell completes the words of bayctl",
		"It comes installed where shells look for it. To have it in this shell only: "
		"eval \"$(bayctl completion bash)\", or bayctl completion fish | source. It asks "
		"the daemon for the names of services."},
	{"help", NULL, "[VERB]", 0, 1, 0, 0, verb_help, "print help", NULL},
	{.name = NULL},
};

const struct verb *
verb_find(const char *name)
{
	for (const struct verb *verb = verbs; verb->name != NULL; verb++)
		if (strcmp(verb->name, name) == 0 ||
			(verb->alias != NULL && strcmp(verb->alias, name) == 0))
			return verb;
	return NULL;
}

bool
option_is_spelled(const char *word)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		if (strncmp(word, "--", 2) == 0 && strcmp(word + 2, option_rows[i].name) == 0)
			return true;
		if (word[0] == '-' && word[1] != '\0' && word[1] == option_rows[i].letter && word[2] == '\0')
			return true;
	}
	return false;
}

bool
verb_takes_text(const struct verb *verb)
{
	return (verb->options & OPTION_BIT(OPTION_CONTENT_TYPE)) != 0;
}

const char *
verb_nearest(const char *name)
{
	const char *names[2 * sizeof(verbs) / sizeof(*verbs)];
	size_t count = 0;

	for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
		names[count++] = verb->name;
		if (verb->alias != NULL)
			names[count++] = verb->alias;
	}
	return text_nearest(name, names, count);
}
