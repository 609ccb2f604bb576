/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The codes, sorted. A new one is written into the text of its error ("... [slug]") or given by
 * code_fail(); docs/bay-codes.7 has the same words, and a test compares.
 */
#include "config.h"

#include "base/code.h"

const struct code codes[] = {
	{"bad-method", "The daemon does not know the method.",
		"Compare the versions with bayctl version: the daemon is older or newer than the client. "
		"A client of your own spells it wrong: varlinkctl introspect shows what there is."},
	{"bad-parameter", "A parameter of a request is missing, unknown, or of the wrong type or size.",
		"The message names it. Of bayctl itself this is a version that does not fit the daemon; "
		"otherwise it is the client's mistake."},
	{"bad-reply", "The daemon answered what bayctl cannot read.",
		"Compare the versions with bayctl version, and look whether the socket is that of a bayd."},
	{"bad-request", "What came over the admin socket is no request, or too large for one.",
		"It is the client's mistake: requests are JSON objects ended by a NUL byte, of 256 KiB at "
		"most. Larger messages go as a memfd."},
	{"breaker-open", "Calls to a service are refused for a time, since many of them failed.",
		"Look at the service: bayctl status SERVICE, bayctl log SERVICE. Calls are let through again by "
		"themselves, some to try and then all; bayctl reset SERVICE has that at once. The keys that begin "
		"with breaker say how many failures are too many."},
	{"busy", "It is in use by somebody else, or already under way.",
		"Wait for the other one, or see with bayctl status and bayctl tasks what it is doing."},
	{"canary-runs", "Something is asked of a service of which a canary runs.",
		"New code has a share of its messages, and both are to stay what they are until that is "
		"decided. bayctl status shows how both fare; bayctl promote lets the new code take over, bayctl "
		"abort ends it."},
	{"canceled", "The work was cancelled before it was done.",
		"The message says by whom and why: a deadline, a stop of the service, a sibling that "
		"failed. Look for the cause there."},
	{"cell-crash", "The process that runs the services was ended by a signal.",
		"The line names the service, the task and the address as far as they are known. Fix the "
		"plugin; with core dumps allowed (ulimit -c), a debugger shows the line. Bay starts the "
		"cell again, and its services by their restart key."},
	{"cell-exit", "The process that runs the services ended by itself.",
		"A plugin must not call exit. The lines before in the log show who wrote last; bayctl "
		"inspect warns of plugins that import exit."},
	{"cell-hang", "The cell was killed, because a service in it would not end.",
		"Look with bayctl tasks at what the service waits for or computes before you stop it the "
		"next time; its handlers have to return when they are cancelled."},
	{"cell-limit", "A cell has more memory or threads than its section lets it have.",
		"The line says how much, and which service has most of it as far as Bay knows. The cell was "
		"replaced for it. Look for a leak, or raise memory_max or tasks_max of the cell."},
	{"cell-link", "The master and a cell do not understand each other.",
		"Either bayd and bay-cell are of different releases (install both from one), or a plugin "
		"has written into descriptors that are not its own."},
	{"cell-restart", "The cell is started again after its end.",
		"Nothing for now. When it comes again and again, look for cell-crash or cell-exit above."},
	{"cell-start", "The process that runs services could not be started.",
		"The message has the reason of the system: most often a limit on processes or "
		"descriptors, no memory, or an incomplete installation."},
	{"closed", "The service does not take messages now.",
		"bayctl status SERVICE says in what state it is and why; bayctl start starts it."},
	{"config-cell", "A service is to be in two cells, or in the own cell of another.",
		"Remove isolate or cell of the service that is named, or give the cell another name."},
	{"config-empty", "A file is not taken for the configuration that is meant.",
		"It is empty, or has lost its [container]: an editor or a copy may be at work on it. Write "
		"[container] into it, if it is meant to be so."},
	{"config-file", "A configuration file cannot be read.",
		"Look at its path, its mode and its size (1 MiB at most); it has to be a regular file."},
	{"config-group", "A service is to be in a group that has no section.",
		"Write [group NAME] with the strategy of the group, or give the service the name of one that "
		"there is."},
	{"config-history", "There is no earlier configuration of this number, or no more.",
		"bayctl reload --history lists the last ten that were in force since bayd was started."},
	{"config-include", "A file that is included cannot be, or not from here.",
		"Each file is included once, files may include others 8 deep, and there are 1024 at most."},
	{"config-key", "A key is unknown, or stands in the wrong section.",
		"Correct its name; the message shows the nearest one that is known. bay.ini(5) lists the "
		"keys of Bay, and bayctl doc FILE those of a plugin."},
	{"config-limit", "There is more in the configuration than Bay takes.",
		"The message says how many there may be and by which key that can be raised, if it can."},
	{"config-live", "A key cannot be changed in what runs.",
		"Write it into the file: bayctl reload makes a new generation of the service, and keys of "
		"[container] that are not live wait for the next start of bayd. bayctl show says which are "
		"live."},
	{"config-order", "Services cannot be started in the order that is asked for.",
		"The keys requires, wants and after may only name other services that have a section, and "
		"may not lead back to where they began: the message shows the way round."},
	{"config-sandbox", "A cell cannot have the sandbox that is asked for.",
		"The message says what is missing in this bayd or in the kernel, or which directory cannot be "
		"writable. Without a sandbox, a cell is kept from others by a user of its own."},
	{"config-section", "A section header is wrong or unknown.",
		"There are [container], [service NAME] and [cell NAME]; names are made of letters, digits, '_', '-' "
		"and '.'."},
	{"config-setting", "A setting of a plugin is missing, unknown or not allowed.",
		"bayctl doc FILE shows which settings the plugin takes, with their types and ranges."},
	{"config-syntax", "A line is no section, no KEY = VALUE and no comment.",
		"The message says what is wrong with it. Values that hold ';', quotes or blanks at an end "
		"stand in double quotes."},
	{"config-twice", "A section or a key is there twice.",
		"Remove one of the two; the message says where the first one stands."},
	{"config-undone", "A new configuration was given up and all is as before.",
		"One of its services did not come up, for the reason in the message. Mend that and reload "
		"again; bayctl log SERVICE has more."},
	{"config-user", "A user or group that is named does not exist.",
		"Create it, or name another one; getent passwd and getent group show which there are."},
	{"config-value", "The value of a key is not allowed.",
		"The message says what is. Times are written like 250ms, 5s or 2m, sizes like 64k or 1M."},
	{"examiner", "Plugins cannot be examined.",
		"The process that does it could not be started or asked, for the reason in the message: "
		"most often a limit on processes or descriptors. Nothing is wrong with the plugin."},
	{"failed", "It was tried and did not work.",
		"The message says why."},
	{"full", "A queue or another bound is full.",
		"The service is slower than its callers. bayctl queues shows how full it is; raise queue "
		"or queue_bytes, choose another overflow, or give it more instances or concurrency."},
	{"handler-failed", "The service's own handler said that it failed.",
		"The message is the plugin's. Container and call were fine."},
	{"invalid", "What was asked for makes no sense, or a plugin misuses a function.",
		"The message names the mistake."},
	{"io", "A system call failed.",
		"The message has the reason that the system gave."},
	{"log-file", "The log file cannot be opened.",
		"Lines go on to the old file, or to standard error. Look at the directory and its mode, then "
		"send USR1 again."},
	{"loop", "Services call each other in a circle.",
		"The message shows the circle. Break it, or raise max_depth in [container] if the calls "
		"are nested so deep on purpose."},
	{"loop-held", "A task keeps its loop from all others.",
		"The handler computes or blocks without waiting. Let it call bay_yield() between pieces "
		"of work, and bay_blocking() for what blocks. bayctl tasks shows for how long."},
	{"message-lost", "A message that nobody waits for failed.",
		"It was sent one way, so its sender was not told. The line says what the handler said."},
	{"misuse-argument", "A plugin calls a function with what it does not take.",
		"The line names the function, the service and the mistake; the function has done nothing "
		"and said so by BAY_INVALID or NULL."},
	{"misuse-container", "A plugin broke a rule that the container cannot go on without.",
		"The report names the function and the mistake; the cell was ended by it on purpose. Fix "
		"the plugin."},
	{"misuse-freed", "A plugin uses what has been freed, or frees it twice.",
		"Each handle has one owner, and only that frees it, once. What a function says is "
		"borrowed is never freed. The line names the function and the service."},
	{"misuse-leaf", "A plugin that is declared BAY_LEAF called a function that may suspend.",
		"Take BAY_LEAF out of its descriptor, or do without the call."},
	{"misuse-message", "A plugin frees a message that is only lent to it.",
		"The message of a request, and what a function says is borrowed, belong to the container. "
		"Copy it with bay_message() to keep it."},
	{"misuse-no-reply", "A handler returned BAY_OK without having replied.",
		"Every way out of a handler ends in one of bay_reply...() or in bay_fail()."},
	{"misuse-null", "A plugin passes NULL where that is not allowed.",
		"The line names the function. Most often an earlier call failed and its result was not "
		"looked at: bay_message(), bay_service() and others return NULL for a failure."},
	{"misuse-owner", "A plugin uses on one loop what belongs to another one.",
		"Channels, locks, tasks and the like stay on the loop that made them; with instances = N "
		"each instance makes its own. Between loops go messages: bay_call(), bay_send() and "
		"topics."},
	{"misuse-reply", "A handler answered its request twice.",
		"The first answer stays. Return right after a bay_reply...() or bay_fail()."},
	{"misuse-task", "A plugin called a function outside of a task that needs one.",
		"Handlers, init, run, stop, fini and what bay_task_start() starts are tasks; "
		"constructors, signal handlers and callbacks of other libraries are not."},
	{"misuse-thread", "A plugin called a function on a thread of its own.",
		"Only loops know tasks. Use bay_blocking() for work on another thread, and hand its "
		"result back by its return."},
	{"no-memory", "There is no memory for it.",
		"The size was chosen by a message, a configuration or a plugin. Look at the size, then at the "
		"memory of the machine."},
	{"not-found", "There is nothing of this name.",
		"bayctl list shows the services; the message shows the nearest name."},
	{"not-permitted", "The user may not do this.",
		"The message says which role is wanted. Root and the user of bayd have all of them, others "
		"by viewers, operators, admins and control_group in [container]; bayd(8) has who may what."},
	{"partly", "Of several names some worked, others did not.",
		"The lines above say which; --json has a result for each."},
	{"peer-died", "The process that worked on it died.",
		"It may have been done or not. Look for cell-crash in bayctl log."},
	{"plugin-abi", "The plugin was built for another version of Bay's interface.",
		"Compile it with the headers of this container; bayctl version shows the version that is "
		"offered, bayctl inspect the one that the plugin wants."},
	{"plugin-changed", "The copy of a plugin is not what was examined.",
		"Somebody writes in image_dir, which is bayd's alone, or the disk is failing. Restart the "
		"service, and look at who may write there."},
	{"plugin-copy", "The private copy of a plugin cannot be made.",
		"Look at the space and the mode of image_dir, and at the limit on descriptors."},
	{"plugin-crash", "The plugin crashed when it was loaded or unloaded.",
		"Look at its constructors, destructors and static initialisers: they run before Bay is "
		"there for them. Work belongs into init and fini."},
	{"plugin-descriptor", "The plugin's descriptor contradicts itself.",
		"Write it with BAY_PLUGIN(...), once, with .handle or .run; flags are those of the "
		"headers of this container."},
	{"plugin-elf", "The file is no shared object that this machine can load, or it is broken.",
		"Build it for this machine with -shared -fPIC and copy it again; rename it into place "
		"when it is complete."},
	{"plugin-file", "The plugin file is not there, not a regular file, or cannot be read.",
		"plugin = NAME means NAME.so in plugin_dir. Put the file there; no links, no "
		"directories."},
	{"plugin-glibc", "The plugin needs a newer C library than this machine has.",
		"Build it on this machine, or on an older one."},
	{"plugin-hang", "The plugin hung when it was loaded or unloaded.",
		"Look at its constructors and destructors: they may not wait for anything. Work belongs "
		"into init, which start_timeout bounds."},
	{"plugin-import", "The plugin is built with something that a container cannot run.",
		"The message names it: most often a sanitizer. Build the plugin without, or the container "
		"with it."},
	{"plugin-library", "A library that the plugin needs is not found, or does not load.",
		"Install it where ldconfig looks, put it where the message says, or link it in."},
	{"plugin-link", "The plugin is linked in a way that a container does not take.",
		"The message names the flag: an executable stack, text relocations, a program instead of "
		"a shared object."},
	{"plugin-load", "The dynamic loader refuses the plugin.",
		"The message is the loader's. ldd on the file often shows more."},
	{"plugin-noexec", "Plugins may not be run from where their copies are.",
		"Set image_dir in [container] to a directory on a file system that is not mounted "
		"noexec."},
	{"plugin-note", "The file is no Bay plugin, or hides that it is one.",
		"A plugin has one BAY_PLUGIN(...), whose note and symbol no linker script or strip may "
		"remove."},
	{"plugin-place", "Somebody else could replace the plugin's code.",
		"The file and the directories above it have to belong to root or the user of bayd and be "
		"writable by nobody else: chown and chmod as the message says."},
	{"plugin-settings", "The table of settings of the plugin makes no sense.",
		"It is for the author of the plugin to correct; use the macros of <bay/setting.h>."},
	{"plugin-symbol", "The plugin needs a function that nobody has.",
		"Link it with the library that has it. One that begins with bay_ is of another version of "
		"Bay: compile with the headers of this container."},
	{"plugin-verbs", "The table of verbs of the plugin makes no sense.",
		"It is for the author of the plugin to correct; use the macros of <bay/verb.h>."},
	{"plugin-writes", "The plugin writes into descriptors of the container.",
		"Look at its constructors and destructors: what they print, and what they close."},
	{"retry-budget", "A request was not sent again to a service whose cell has died.",
		"So many were sent again of late that they would be a load of their own. Look for cell-crash in "
		"bayctl log; retry_budget and retry_budget_min say how many may be."},
	{"service-deadlock", "Tasks of services wait for each other, for ever.",
		"The message shows the circle, as bayctl tasks does. A deadline ends it; the plugins have "
		"to call, or to lock, in one order, or concurrency has to be raised."},
	{"service-drained", "The service takes no new requests, since an operator drains it.",
		"bayctl resume SERVICE lets them in again."},
	{"service-fd-leak", "A service opens descriptors and does not close them.",
		"They are opened by system calls of its own, since what bay_* functions open is closed "
		"with it. Look for open, socket, pipe and dup without a close; restart the service's cell "
		"to be rid of them, and set fds_max."},
	{"service-group", "A service does not run, since one of its group has failed.",
		"bayctl status of the one that is named says why. When that is started, by itself or by hand, "
		"those of its group are started with it."},
	{"service-health", "A service says that it is not well, or does not say how it is.",
		"The reason is the plugin's, or that its function health took longer than health_timeout. "
		"bayctl status SERVICE shows it for as long as it is so; nothing else follows from it."},
	{"service-init", "The init function of a service failed.",
		"The message is the plugin's own reason. Most often a setting or a file that it needs."},
	{"service-init-timeout", "The init function of a service did not end in time.",
		"See with bayctl tasks what it waits for, or raise start_timeout."},
	{"service-isolated", "A service crashed the cell that it shares again and again.",
		"It runs in a cell of its own for now. Mend the plugin, then bayctl reset takes it back; "
		"bayctl events SERVICE shows the crashes."},
	{"service-limit", "A service has as much as it may have, and is refused more.",
		"The message names the limit. If what it does needs it, raise that in its section; if it "
		"grows without an end, it leaks."},
	{"service-overflow", "Messages to a service are refused or dropped, since more come than it handles.",
		"bayctl queues shows them. Slow the senders down (overflow = wait), or raise instances, "
		"concurrency or queue."},
	{"service-paused", "The service begins no requests, since an operator has paused it.",
		"bayctl resume SERVICE has it go on with what is queued."},
	{"service-requires", "A service is not started, since one that it requires is not ready.",
		"Mend that one, for the reason in the message: when it is ready, this one is started by "
		"itself. bayctl deps SERVICE shows who requires whom."},
	{"service-slow-reader", "A service reads its subscriptions so slowly that messages are lost.",
		"bayctl queues shows how many wait and were lost. Let its handler take them sooner, or "
		"give the subscription more room or another policy."},
	{"service-start", "A service could not be started.",
		"The message says what was missing: memory, stacks, or a cell that answers."},
	{"service-start-limit", "A service failed too often and is not started again.",
		"The reason of the last failure is in front. Mend it, then bayctl start it; start_limit "
		"says how often is too often."},
	{"service-stuck", "Something of a service does not end.",
		"bayctl tasks SERVICE shows where it stands. bayctl stop --now ends it with its cell, and "
		"with all services in that."},
	{"service-task", "A task that lives as long as its service failed.",
		"The message is the plugin's. The service is started again by its key restart."},
	{"service-thread-leak", "Threads that a service has begun go on after its end.",
		"They run code that stays in the process for that. Let fini, or what ends before it, stop "
		"and join them."},
	{"start-activation", "The sockets that the service manager passes do not fit.",
		"Look at the socket unit: names, ListenStream= and Accept=no. Nobody else may set "
		"LISTEN_FDS."},
	{"start-busy", "Another bayd runs here already.",
		"Stop that one, or give this one a runtime_dir of its own."},
	{"start-dir", "The runtime directory or image_dir cannot be used.",
		"The message says what is wrong: owner, mode, a link, or the directory above."},
	{"start-failed", "The daemon cannot start.",
		"The message says what is missing."},
	{"start-socket", "The control socket cannot be made.",
		"Look at the directory that control names, its owner and mode, and whether somebody "
		"listens there."},
	{"state-dir", "Nothing can be written to the state_dir.",
		"The message has the path and the reason of the system. Make the directory bayd's own, or name "
		"another one; what is kept there is missing meanwhile, and all else goes on."},
	{"swap-failed", "The new code of a service failed, and the former code serves.",
		"The message says how: in init, in import_state, by a crash, or by requests that failed "
		"in the probation. Fix the plugin and bayctl reload again."},
	{"swap-lingers", "Something of code that was replaced does not end.",
		"bayctl status names it, and bayctl tasks shows what it waits for. Handlers have to "
		"return when they are cancelled."},
	{"swap-refused", "The code of a service cannot be swapped, or rolled back, as it is now.",
		"bayctl status shows the state of the service, and whether there is a former generation. "
		"A service that is stopped has to be started."},
	{"timeout", "The deadline passed first.",
		"It may still be under way. Give it more time with --timeout, or the key timeout of the "
		"service, or look with bayctl tasks at what takes so long."},
	{"too-big", "It is larger than the bound of its kind and would never fit.",
		"Send less, or raise the bound: queue_bytes for messages to a service."},
	{"unreachable", "No daemon answers at the socket.",
		"Is it running? bayctl looks at -s, then $BAY_SOCKET, then ./run/control.sock, then the "
		"system's; bayctl help says where."},
	{"usage", "The command line is wrong.",
		"bayctl help VERB shows how it goes."},
	{"verb-arguments", "The arguments of a plugin's verb are wrong.",
		"The message names the argument; bayctl do SERVICE shows what the verb takes."},
	{"verb-unknown", "The service has no verb of this name.",
		"bayctl do SERVICE lists those that it has."},
	{"wants-more", "The method answers in several parts, and was not asked so.",
		"A client of your own has to set \"more\" in its call."},
	{.slug = NULL},
};
