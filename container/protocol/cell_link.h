/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the master and its cells agree on, and nothing else: descriptors, environment, and
 * the calls of the private interface io.bayd.Cell (frames as in varlink.h, with ids).
 *
 *	master -> cell      Setup first, then Absent, Start, Gate, Change, Stop, Swap, Retire,
 *	                    Revert, Promote, Abort, Link, Peer, Interest, Call, Do, Cancel, Trace,
 *	                    Tasks, Queues, Loops, LogLevel, Shutdown
 *	master -> examiner  Setup first, then Examine; one reply for each file
 *	cell -> master      Listen, Connect, Topics; and Failed, Stage, Lingers, Health, Breaker, Fault, Standstill,
 *	                    Broken, DeadLetter (notices: no id, no reply)
 *
 * A call that cannot be done is answered with the error Failed{status, message}; a Call
 * whose handler failed with HandlerFailed{status, message}: there the status is the plugin's
 * own word and says nothing about the container.
 *
 * The structs below are both ends' view of a call's parameters. cell_X_to_json gives the
 * caller a new object; text for people is escaped when it is no UTF-8, any other such text
 * gives NULL, as no memory does. cell_X_from_json reads one: false and a reason in error_r
 * (CELL_ERROR_SIZE) when a member is missing, of the wrong type or out of range. Strings are
 * borrowed from the object; arrays are the struct's own, to be released with cell_X_finish.
 * An optional string that is absent is NULL. Members that this side does not know are
 * ignored: the other side may be one release newer.
 *
 * Any thread; never suspends.
 */
#ifndef BAY_PROTOCOL_CELL_LINK_H
#define BAY_PROTOCOL_CELL_LINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- what a child finds when it starts --------------------------------------- */

enum {
	CELL_CONTROL_FD = 3, /* Unix stream socket to the master; end of file: exit */
	CELL_LOG_FD = 4,     /* write end of the pipe for log records; non-blocking */
	CELL_PAGE_FD = 5,    /* memory of the status page; not there in an examiner */
	CELL_CRASH_FD = 6,   /* write end of a pipe: a byte means that the page tells of a crash */
	CELL_FDS_END = 7     /* nothing else is open from here on */
};

#define CELL_ENV_NAME "BAY_CELL"         /* the cell's name, for the log before Setup */
#define CELL_ENV_CHILD "BAY_CHILD"       /* the number of this child among all of this bayd */
#define CELL_ENV_MASTER "BAY_MASTER_PID" /* to be compared with getppid after PDEATHSIG is set */
#define CELL_ENV_SANDBOX "BAY_SANDBOX"   /* there if it is in a sandbox */

/* Equal majors understand each other; Setup carries both. Minors add members. */
enum {
	CELL_VERSION_MAJOR = 1,
	CELL_VERSION_MINOR = 0
};

#define CELL_INTERFACE "io.bayd.Cell"
#define CELL_SETUP CELL_INTERFACE ".Setup"
#define CELL_ABSENT CELL_INTERFACE ".Absent"
#define CELL_START CELL_INTERFACE ".Start"
#define CELL_GATE CELL_INTERFACE ".Gate"
#define CELL_GUARD CELL_INTERFACE ".Guard"
#define CELL_CHANGE CELL_INTERFACE ".Change"
#define CELL_STOP CELL_INTERFACE ".Stop"
#define CELL_SWAP CELL_INTERFACE ".Swap"
#define CELL_RETIRE CELL_INTERFACE ".Retire"
#define CELL_REVERT CELL_INTERFACE ".Revert"
#define CELL_PROMOTE CELL_INTERFACE ".Promote"
#define CELL_ABORT CELL_INTERFACE ".Abort"
#define CELL_LINK CELL_INTERFACE ".Link"
#define CELL_PEER CELL_INTERFACE ".Peer"
#define CELL_INTEREST CELL_INTERFACE ".Interest"
#define CELL_CALL CELL_INTERFACE ".Call"
#define CELL_DO CELL_INTERFACE ".Do"
#define CELL_CANCEL CELL_INTERFACE ".Cancel"
#define CELL_TRACE CELL_INTERFACE ".Trace"
#define CELL_TASKS CELL_INTERFACE ".Tasks"
#define CELL_QUEUES CELL_INTERFACE ".Queues"
#define CELL_LOOPS CELL_INTERFACE ".Loops"
#define CELL_LOG_LEVEL CELL_INTERFACE ".LogLevel"
#define CELL_SHUTDOWN CELL_INTERFACE ".Shutdown"
#define CELL_EXAMINE CELL_INTERFACE ".Examine"
#define CELL_LISTEN CELL_INTERFACE ".Listen"
#define CELL_CONNECT CELL_INTERFACE ".Connect"
#define CELL_TOPICS CELL_INTERFACE ".Topics"
#define CELL_FAILED CELL_INTERFACE ".Failed" /* the notice and the error of that name */
#define CELL_STAGE CELL_INTERFACE ".Stage"     /* a notice */
#define CELL_LINGERS CELL_INTERFACE ".Lingers" /* a notice */
#define CELL_HEALTH CELL_INTERFACE ".Health" /* a notice */
#define CELL_BREAKER CELL_INTERFACE ".Breaker" /* a notice */
#define CELL_FAULT CELL_INTERFACE ".Fault"   /* a notice */
#define CELL_STANDSTILL CELL_INTERFACE ".Standstill" /* a notice */
#define CELL_BROKEN CELL_INTERFACE ".Broken"   /* a notice */
#define CELL_DEAD_LETTER CELL_INTERFACE ".DeadLetter" /* a notice */
#define CELL_HANDLER_FAILED CELL_INTERFACE ".HandlerFailed" /* an error */

enum {
	CELL_ERROR_SIZE = 192,
	/* No reply to Tasks holds more; "total" says how many there are. Keeps the reply
	 * within the frame. */
	CELL_TASKS_MAX = 5000
};

/* --- master -> cell ---------------------------------------------------------- */

/* Setup -> {}. The first call; a cell that cannot obey refuses and exits. */
struct cell_setup {
	int64_t version_major;
	int64_t version_minor;
	const char *cell; /* its name: "main" */
	int64_t loops;    /* 1..64 */
	int64_t max_depth;
	int64_t max_lingering;
	int64_t blocking_threads; /* 0: the usual */
	const char *resolv_conf; /* a path; NULL: the usual */
	const char *log_level; /* as log_level_parse reads it */
};

enum cell_absence {
	CELL_ABSENCE_STOPPED = 0,
	CELL_ABSENCE_STARTING,
	CELL_ABSENCE_FAILED,
	CELL_ABSENCE_UNKNOWN, /* the configuration has it no more */
	CELL_ABSENCE_ELSEWHERE /* another cell runs it, or shall */
};

/* How one in another cell is, for those who monitor it. */
enum cell_there {
	CELL_THERE_STARTING = 0,
	CELL_THERE_READY,
	CELL_THERE_STOPPED,
	CELL_THERE_FAILED
};

/* Absent -> {}. What to tell those who call a service that this cell does not run. Says nothing
 * about one that it does run. */
struct cell_absent {
	const char *service;
	enum cell_absence state;
	const char *reason; /* of a failure, also elsewhere, or NULL */
	const char *cell;   /* elsewhere: its name */
	bool wait;          /* elsewhere: it is about to serve there, and what is for it waits here until the
	                     * next word; else that cell is asked, whatever it answers */
	int64_t retry;      /* elsewhere: how often it may get a request again after its cell has died */
	int64_t poison;     /* elsewhere: so many crashes over a request make it a dead letter; 0: none do */
	enum cell_there there;
	int64_t generation; /* elsewhere: of its code; 0: it has none */
};

struct cell_setting {
	const char *key;
	const char *value;
};

enum cell_overflow {
	CELL_OVERFLOW_WAIT = 0,
	CELL_OVERFLOW_REJECT,
	CELL_OVERFLOW_DROP_OLDEST,
	CELL_OVERFLOW_DROP_NEWEST
};

/* "wait", "reject", "drop-oldest", "drop-newest". */
const char *cell_overflow_name(enum cell_overflow overflow);

/* Start -> {} once it serves. Comes with a descriptor of the image when the cell may not be
 * able to open the path, and then loads it by that. */
struct cell_start {
	const char *service;
	const char *plugin; /* its name, for texts */
	const char *image;  /* path of the private copy */
	const char *sha256; /* of the image */
	const char *origin; /* the directory that it was copied from; NULL: nobody knows */
	int64_t generation; /* 1.. */
	int64_t slot;       /* in the status page, 0..1023 */
	int64_t instances;  /* 0: one per loop; else that many */
	int64_t concurrency;
	int64_t queue;       /* messages */
	int64_t queue_bytes;
	int64_t weight; /* 0: the usual */
	int64_t max_inflight; /* these: 0: no limit */
	int64_t tasks_max;
	int64_t memory_max;
	int64_t rate_count; /* messages in rate_period_ns */
	int64_t rate_period_ns;
	enum cell_overflow overflow;
	int64_t timeout_ns; /* the longest time of a call; 0: no end */
	int64_t stack_bytes;
	int64_t blocking_threads; /* 0: the usual */
	int64_t start_timeout_ns;
	int64_t drain_timeout_ns;
	int64_t health_interval_ns; /* between two questions to the plugin how it is; 0: none */
	int64_t health_timeout_ns;
	bool keep; /* Swap: the old generation is kept, if that is possible, until Retire or Revert */
	int64_t canary; /* Swap: the percentage that the new one is to have of what comes, until Promote
	                 * or Abort; 0: all, so that it replaces the old one */
	struct cell_setting *settings;
	size_t setting_count;
};

enum cell_gate_state {
	CELL_GATE_OPEN = 0,
	CELL_GATE_PAUSED, /* what comes is queued, and nothing is begun */
	CELL_GATE_CLOSED  /* what comes is refused; what is queued is served */
};

/* Gate -> cell_gate_seen once all loops have seen it. Of any service, one that is still to be
 * started too; it stays until the cell ends. May be said again, to hear what is left. */
struct cell_gate {
	const char *service;
	enum cell_gate_state state;
	const char *by; /* whose wish it is, or NULL */
};

struct cell_gate_seen {
	bool idle;           /* nothing is queued or runs, and no connection is open */
	int64_t running;     /* requests */
	int64_t queued;      /* in the queue and before it */
	int64_t connections; /* that it has accepted */
};

/* Guard -> {} once all loops know it. What is before the calls that the cell makes of a service, which
 * may be in another one; it stays until it is said otherwise. */
struct cell_guard {
	const char *service;
	int64_t slot;       /* in the status page, where the cell says how it is */
	int64_t breaker;    /* percent; 0: none */
	int64_t breaker_calls;
	int64_t breaker_window_ns;
	int64_t breaker_delay_ns;
	int64_t breaker_trials;
	int64_t retry_budget; /* percent; 0: none */
	int64_t retry_budget_min; /* a second */
	bool reset;         /* the breaker closes */
};

/* Change -> {} once all its instances have it. Only what is live: the service runs on. */
struct cell_change {
	const char *service;
	int64_t concurrency; /* these as in cell_start */
	int64_t queue;
	int64_t queue_bytes;
	int64_t weight;
	int64_t max_inflight;
	int64_t tasks_max;
	int64_t memory_max;
	int64_t rate_count;
	int64_t rate_period_ns;
	enum cell_overflow overflow;
	int64_t timeout_ns;
	int64_t blocking_threads;
	bool has_settings; /* others than before */
	struct cell_setting *settings;
	size_t setting_count;
};
/*
 * Swap (cell_start) -> {} once the new generation serves in the place of the old one. Failed: the
 * old one serves, and nothing of the new one is left, or it lingers; BAY_INVALID: it could not
 * even be loaded.
 *
 * Retire (cell_stop) -> {} at once: the generation that was kept is to end.
 * Revert (cell_stop) -> {} once the generation that was kept serves again; the other is to end.
 * Failed with BAY_NOT_FOUND: none is kept.
 *
 * Abort (cell_stop) -> {} once the canary gets nothing more; it is to end. One that fails by itself
 * is given up in the same way, and Failed tells of it.
 */

/* Promote -> {} once the canary serves in the place of the old generation. Failed: that serves, and
 * the canary has ended, or lingers; BAY_NOT_FOUND: there is no canary. */
struct cell_promote {
	const char *service;
	bool keep; /* as in cell_start */
};

/* Stop -> {} once nothing of it runs. */
struct cell_stop {
	const char *service;
	int64_t drain_timeout_ns; /* 0: now */
	bool hold; /* it is started again at once: what comes waits in its queue, until that or
	            * until Absent says otherwise */
};

/* Link -> {}. With two descriptors: the memory of a link (loop/link_memory.h) to another cell and
 * this cell's end of its socket (loop/link.h). Replaces an earlier one with that cell. */
struct cell_linked {
	const char *cell;
	int64_t epoch; /* 1..; higher than that of any before */
	int64_t side;  /* 0 or 1 */
};

/* Peer -> {}. Another cell takes links from now on, or has ended, and with it the link. */
struct cell_peer {
	const char *cell;
	bool ready;
};

struct cell_word {
	const char *text;
};

/* Interest -> {}. What the subscriptions of another cell want; nothing, also when it has ended. Each is
 * instead of the one before. */
struct cell_interest {
	const char *cell;
	struct cell_word *wait; /* patterns, as in cell_topics */
	size_t wait_count;
	struct cell_word *drop;
	size_t drop_count;
};

/* Call -> body (body.h) and the traceparent of the request, or Failed{status, message}. One way: {} once the queue has it. */
struct cell_call {
	const char *service;
	const char *content_type; /* or NULL */
	int64_t timeout_ns;       /* at most the service's own; 0: that. One way: for the queue
	                           * to have room */
	bool one_way;
	const char *traceparent;  /* as base/traceparent.h; NULL, and whatever is none: a new trace */
	/* beside these the body's member: body_forward, body_to_json */
};

/* Do -> body (body.h), as Call: what a verb of the plugin says. Arguments that the verb does not
 * take are refused with "invalid" before anything of it runs. */
struct cell_do {
	const char *service;
	const char *verb;
	struct cell_word *words; /* its arguments */
	size_t word_count;
	int64_t timeout_ns; /* 0: the service's own */
};

/* Cancel -> {}. Whoever wanted that Call or Do to be made has gone: it is cancelled and ends as any
 * other, with an answer of its own. One that has been answered is none any more, which is no error. */
struct cell_cancel {
	int64_t call; /* its id in the frames */
};

/* Why it was, for its handler and those who look at its tasks. */
#define CELL_CALLER_GONE "the caller is gone"

/* Trace -> {} once all loops have seen it. From now on hops of what comes to the service, which may be
 * still to start, and of what is called for that, are in the rings of the status page; or no more. */
struct cell_trace {
	const char *service;
	bool on;
};

/*
 * Tasks{service?, waits_only?} -> {tasks: [cell_task...], silent_loops: [], total, took_ns, partial, waits?}
 *
 * took_ns is the time that the busiest of the loops needed for that. partial: waits may be missing, since a
 * loop did not answer, or since there are too many.
 *
 * waits tells of the waits here that only other cells could end, or that those may wait for. Nodes are
 * numbers that mean something in this cell only, until it ends (base/wait_graph.h):
 *
 *	edges     [[from, to, serial, any], ...]
 *	names     [[node, "task 9 handle (b)"], ...]
 *	services  [[node, "service"], ...]             whose task, queue or subscription that is
 *	sent      [[node, "cell", epoch, id], ...]     a request that the other cell has
 *	unsent    [[node, "service"], ...]             one that waits for room in that queue there
 *	served    [[node, epoch, id], ...]             a request of another cell
 *	queues    [[node, "service"], ...]
 *
 * Queues{} -> {queues: [cell_queue...]}
 * Loops{} -> {loops: [cell_loop...]}
 */
struct cell_tasks {
	const char *service; /* or NULL: of all */
	bool waits_only;     /* no tasks */
};

/* LogLevel -> {} */
struct cell_log_level {
	const char *level; /* as log_level_parse reads it */
};

/* Shutdown -> {}, then the cell exits with 0. */
struct cell_shutdown {
	int64_t drain_timeout_ns; /* 0: now */
	bool replaced;            /* by another cell: as what was replaced by other code */
};

/* --- members of the replies, as the admin interface shows them --------------- */

struct cell_task {
	int64_t id;
	const char *service;
	const char *name;
	int64_t loop;
	const char *state;      /* "running", "ready", "waiting" */
	const char *waiting_on; /* or NULL */
	const char *where;      /* "file.c:12", or NULL */
	int64_t age_ns;
	int64_t parent;       /* id, or 0 */
	const char *canceled; /* the reason, or NULL: it is not */
	const char *deadlock; /* the circle in which it waits, or NULL */
	int64_t stack_used;   /* bytes */
};

struct cell_queue {
	const char *service;
	int64_t queued;
	int64_t bytes;
	int64_t limit;
	int64_t limit_bytes;
	int64_t oldest_ns; /* its age; 0: empty */
	const char *overflow;
	int64_t waiting_senders;
	int64_t dropped;
	int64_t rejected;
	int64_t topic_waiting;
	int64_t topic_lost;
};

struct cell_loop {
	int64_t loop;
	int64_t passes;
	int64_t switches;
	int64_t tasks;
	int64_t stacks;
	int64_t wakes;
	int64_t polls;
};

/* --- cell -> master ---------------------------------------------------------- */

/* A service failed by itself while it ran, or a canary of it did. */
struct cell_failed {
	const char *service;
	int64_t generation;
	const char *message;
};

/* How far a Swap has come. */
enum cell_stage {
	CELL_STAGE_LOADED = 0,  /* its code is in the cell and has taken its settings */
	CELL_STAGE_INITIALISED, /* init is through */
	CELL_STAGE_HELD,        /* the old generation has nothing in flight, so its state can go over */
	CELL_STAGE_HANDED_OVER  /* import_state is through */
};

/* For people: "loaded". */
const char *cell_stage_name(enum cell_stage stage);

struct cell_stage_reached {
	const char *service;
	int64_t generation;
	enum cell_stage stage;
};

/* Something of a generation that was replaced or stopped stays; or, without a reason, it has
 * gone after all. */
struct cell_lingers {
	const char *service;
	int64_t id; /* of this one in this cell: a generation may come twice */
	int64_t generation;
	const char *reason; /* or NULL */
};

/* What serves of a service is not well, or is well again. */
struct cell_health {
	const char *service;
	int64_t generation;
	const char *reason; /* or NULL: it is well */
};

enum cell_breaker_state {
	CELL_BREAKER_CLOSED = 0,
	CELL_BREAKER_OPEN,
	CELL_BREAKER_HALF_OPEN
};

/* The breaker before the calls that this cell makes of a service, here or elsewhere, is in another
 * state. */
struct cell_breaker {
	const char *service;
	enum cell_breaker_state state;
	const char *why;
};

/* What is wrong with a service while it goes on serving. */
enum cell_fault_kind {
	CELL_FAULT_DEADLOCK = 0, /* tasks of it wait for each other, or for those of others that do */
	CELL_FAULT_FD_LEAK,      /* descriptors are opened and not closed */
	CELL_FAULT_FD_LIMIT,     /* nearly all that its cell may have are open; of no service */
	CELL_FAULT_THREAD_LEAK,  /* threads that it has begun run on after its end */
	CELL_FAULT_MEMORY,       /* it is refused memory, since it has as much as it may */
	CELL_FAULT_TASKS,        /* the same of tasks */
	CELL_FAULT_OVERFLOW,     /* messages to it are refused or dropped */
	CELL_FAULT_SLOW_READER,  /* its subscriptions lose messages */
	CELL_FAULT_KINDS
};

/* For people and programs: "deadlock". */
const char *cell_fault_name(enum cell_fault_kind kind);

struct cell_fault {
	const char *service;
	enum cell_fault_kind kind;
	const char *text; /* or NULL: it is over */
};

/* Whether tasks of the cell wait for others, and have waited for the same for a second or so: others may
 * wait for them. */
struct cell_standstill {
	bool stands;
};

/* Listen -> {} with one descriptor, a listening socket that the master has too. */
struct cell_listen {
	const char *service;
	int64_t generation;
	const char *address; /* or the name that the configuration gives it */
	int64_t backlog;     /* connections that wait to be accepted; 0: the usual */
};

/* Connect -> {} once Link has been sent to both cells. Failed: BAY_NOT_FOUND, there is no such cell;
 * BAY_CLOSED, it does not run now, and why; BAY_BUSY, there is a link already. */
struct cell_connect {
	const char *cell;
};

/* Topics -> {}. The patterns of the topics that the subscriptions of this cell want, each once: of those
 * that let a publisher wait, and of the others. Instead of those that were told before. */
struct cell_topics {
	struct cell_word *wait;
	size_t wait_count;
	struct cell_word *drop;
	size_t drop_count;
};

/* Of one class, at most: patterns, those with wildcards among them, which whoever publishes has to
 * compare, and the bytes of their texts. Where there is more, ">" is said, which is all. Both classes
 * together fit into a frame. */
enum {
	CELL_TOPICS_MAX = 4096,
	CELL_TOPICS_WILD_MAX = 128,
	CELL_TOPICS_BYTES = 128 * 1024
};

/* This cell's end of a link is closed: since what came over it cannot be, or since the other end was. */
struct cell_broken {
	const char *cell;
	int64_t epoch;
	const char *reason; /* NULL: the other end was, as it is when that cell ends */
};

/* A message of this cell for a service of another one, over which cells have crashed: it is kept for
 * people to see, and not sent again. */
struct cell_dead_letter {
	const char *service;
	int64_t crashes;
	int64_t size;
	const char *body; /* base64; NULL: it is too large */
};

/* No larger ones are kept, with their bodies. */
#define CELL_DEAD_LETTER_MAX ((size_t)128 * 1024)

/* --- examiner ---------------------------------------------------------------- */

struct cell_examine_service {
	const char *name;
	struct cell_setting *settings;
	size_t setting_count;
};

/* Examine -> cell_verdict. Its one descriptor is the image, by which it is loaded: the
 * examiner need not be allowed to open the path. */
struct cell_examine {
	const char *nonce;
	const char *image; /* path of the private copy; to load, without a descriptor */
	const char *origin; /* the directory that it was copied from; NULL: nobody knows */
	struct cell_examine_service *services; /* those that use it, to check their settings */
	size_t service_count;
};

struct cell_plugin_setting {
	const char *name;
	const char *type; /* "duration", "string", ... */
	const char *default_value; /* or NULL: it has none */
	const char *help;
	const char *range; /* for people, or NULL */
	bool live;         /* can be changed while the service runs */
};

/* Arguments are described as settings are. */
struct cell_plugin_verb {
	const char *name;
	const char *role; /* as interface_role_name spells them */
	const char *help;
	struct cell_plugin_setting *arguments;
	size_t argument_count;
};

struct cell_complaint {
	const char *service;
	int64_t index; /* of the setting in the request; -1: of none */
	const char *key;
	const char *message;
};

struct cell_verdict {
	const char *nonce;  /* that of the request: the proof that all checks were reached */
	bool ok;            /* the plugin; complaints are about services */
	const char *reason; /* why not */
	const char *plugin; /* the rest as far as it is known: name */
	const char *version;
	const char *summary;
	const char *abi; /* "1.0" */
	bool leaf;
	bool unloadable;
	const char *lingers; /* why it cannot be unloaded, or NULL */
	const char *warnings; /* what its author should think again about, or NULL */
	struct cell_plugin_setting *settings;
	size_t setting_count;
	struct cell_plugin_verb *verbs;
	size_t verb_count;
	struct cell_complaint *complaints;
	size_t complaint_count;
};

/* --- to and from JSON -------------------------------------------------------- */

#define CELL_LINK_CODEC(name) \
	json_t *cell_##name##_to_json(const struct cell_##name *from) \
		__attribute__((warn_unused_result)); \
	bool cell_##name##_from_json(const json_t *json, struct cell_##name *to_r, char *error_r) \
		__attribute__((warn_unused_result))

CELL_LINK_CODEC(setup); /* refuses another major */
CELL_LINK_CODEC(absent);
CELL_LINK_CODEC(start);
CELL_LINK_CODEC(gate);
CELL_LINK_CODEC(gate_seen);
CELL_LINK_CODEC(guard);
CELL_LINK_CODEC(change);
CELL_LINK_CODEC(stop);
CELL_LINK_CODEC(promote);
CELL_LINK_CODEC(linked);
CELL_LINK_CODEC(peer);
CELL_LINK_CODEC(interest);
CELL_LINK_CODEC(call);
CELL_LINK_CODEC(do);
CELL_LINK_CODEC(cancel);
CELL_LINK_CODEC(trace);
CELL_LINK_CODEC(tasks);
CELL_LINK_CODEC(log_level);
CELL_LINK_CODEC(shutdown);
CELL_LINK_CODEC(task);
CELL_LINK_CODEC(queue);
CELL_LINK_CODEC(loop);
CELL_LINK_CODEC(failed);
CELL_LINK_CODEC(listen);
CELL_LINK_CODEC(stage_reached);
CELL_LINK_CODEC(lingers);
CELL_LINK_CODEC(health);
CELL_LINK_CODEC(breaker);
CELL_LINK_CODEC(fault);
CELL_LINK_CODEC(standstill);
CELL_LINK_CODEC(connect);
CELL_LINK_CODEC(topics);
CELL_LINK_CODEC(broken);
CELL_LINK_CODEC(dead_letter);
CELL_LINK_CODEC(examine);
CELL_LINK_CODEC(plugin_setting);
CELL_LINK_CODEC(plugin_verb);
CELL_LINK_CODEC(verdict);

#undef CELL_LINK_CODEC

/* Free the arrays that from_json made; not for a struct that the caller filled. */
void cell_start_finish(struct cell_start *start);
void cell_change_finish(struct cell_change *change);
void cell_do_finish(struct cell_do *asked);
void cell_interest_finish(struct cell_interest *interest);
void cell_topics_finish(struct cell_topics *topics);
void cell_examine_finish(struct cell_examine *examine);
void cell_verdict_finish(struct cell_verdict *verdict);

#endif
