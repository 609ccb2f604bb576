/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A service as the master sees it: what the configuration says, what the operator wants,
 * what state it is in and why, and what it has counted in cells that are gone.
 *
 * Plain data of the supervisor, which alone changes it; others read. Master only.
 */
#ifndef BAY_MASTER_MASTER_SERVICE_H
#define BAY_MASTER_MASTER_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/list.h"
#include "base/status_page.h"
#include "config/config_data.h"
#include "master/backoff.h"
#include "master/event_log.h"
#include "master/probation.h"
#include "master/service_faults.h"
#include "master/service_gate.h"
#include "master/service_guard.h"
#include "master/service_health.h"

struct cell_lingers;
struct event;
struct master_cell;
struct plugin_image;
struct service_target;
struct supervisor;

enum service_state {
	SERVICE_STOPPED = 0,
	SERVICE_STARTING,
	SERVICE_READY,
	SERVICE_STOPPING,
	SERVICE_FAILED
};

/* "stopped", "starting", ... as the admin interface spells them. */
const char *service_state_name(enum service_state state);

/* What is under way for a service; one at a time. */
enum service_step {
	SERVICE_STEP_NONE = 0,
	SERVICE_STEP_EXAMINE, /* its plugin file is copied and examined */
	SERVICE_STEP_START,   /* the cell was told to start it */
	SERVICE_STEP_SWAP,    /* the cell was told to put other code in its place */
	SERVICE_STEP_STOP     /* the cell was told to stop it */
};

/* Everything a service has counted, over all its cells. */
struct service_totals {
	struct status_service_view counts; /* the gauges of gone cells are left out */
	struct status_histograms histograms;
};

/* What is under way in service_swap.c. */
struct service_swap {
	struct plugin_image *image; /* that is being swapped to; NULL: none is */
	bool started;               /* its code has run in the cell */
	int64_t share;              /* percent that it is to get as a canary; 0: all */
	bool promotes;              /* it was the canary */
	struct list asked;          /* struct swap_ask: wait for the next one */
	struct list served;         /* the same: for the present one */
	char *failure;              /* it failed with its cell, or NULL */
};

/* The same of service_canary.c. */
struct service_canary {
	struct plugin_image *image; /* NULL: there is none */
	int64_t share;              /* percent */
	int64_t since_wall_ns;
	int64_t since_ns;                    /* the same on the monotonic clock */
	struct probation_counts base;        /* what canaries in this cell had done before it */
	struct probation_counts base_of_all; /* what all code of the service had */
};

/* The same of service_probation.c. */
struct service_probation {
	int64_t until_ns;               /* on the monotonic clock; 0: there is none */
	int64_t since_ns;               /* when it began */
	struct probation_counts before; /* of the generation that was replaced */
	struct probation_counts base;   /* of the service when its present code came to serve */
	struct list patient;            /* struct swap_ask: wait for its end */
	struct event *timer;            /* looks at it */
};

/* So many crashes within the time of start_limit move a service out of the cell that it shares. */
enum { SERVICE_CRASHES_MAX = 3 };

/* What the cells that it is not in have been told of it. */
struct service_told {
	const struct master_cell *cell;
	bool wait;
	int64_t retry;
	int64_t poison;
	bool gone;
	int there; /* enum cell_there */
	int64_t generation;
};

/* Something of an earlier generation that is still in a cell. */
struct service_lingering {
	const struct master_cell *cell;
	int64_t id;         /* in the cell */
	int64_t generation;
	char *reason;
};

struct master_service {
	struct supervisor *supervisor;
	struct master_cell *cell;            /* that it is in, or will start in */
	struct service_told told;
	struct service_guard_told guard_told;
	struct event_log *events;            /* takes what happens to it; or NULL */
	const struct config_service *config; /* borrowed from source */
	struct config *source;               /* a reference to the configuration */
	struct config *examined;             /* the same, of an examination that is under way, or NULL */
	bool gone;                           /* the configuration has it no more */
	uint32_t slot;                       /* its index in the status page, for life */
	enum service_state state;
	enum service_step step;
	bool wanted;      /* the operator, or the ini, wants it to run */
	bool restarting;  /* READY, and a new image of it is being examined */
	bool stop_now;    /* STOPPING without waiting for requests */
	bool changing;    /* READY, and the cell has been told of a live change */
	bool file_gone;   /* its plugin file was removed; what runs is a copy */
	bool apart;       /* in a cell of its own, since it crashed the one that it shared */
	bool moving;      /* it ends in one cell to start in another */
	bool moved;       /* and starts in the other, which holds nothing for it before it is ready */
	bool again;       /* it has served: the next start is a restart */
	bool waits;       /* STARTING, until those that it follows are ready */
	bool blocked;     /* FAILED, since one that it requires is not ready */
	bool grouped;     /* blocked, since one of its group has failed */
	bool given_up;    /* FAILED, since it has failed too often */
	bool group_due;   /* it has failed, and those of its group have still to hear of it */
	size_t rank;      /* its place in the order of all, for its group */
	bool hopes;       /* the same, and those that it requires are tried again by themselves */
	bool stalled;     /* its cell is being killed, since it kept a loop for stall_kill: a crash of its */
	bool leaving;     /* to be stopped and started again once those that follow it have stopped */
	struct event_by by; /* who asked for what is under way; bayd itself when nothing is */
	char *reason;     /* of FAILED and of a stop that hangs; NULL: none */
	int64_t since_ns; /* of the state */
	int64_t since_wall_ns;
	int64_t step_ns;     /* when the step began; of the last start and examination how long they took */
	int64_t examine_took_ns;
	int64_t start_took_ns;
	int64_t wait_ns;      /* since when it has waited for others before its last start, and how long */
	int64_t wait_took_ns;
	const struct master_service *delayed_by; /* for whom it waited last then; NULL: nobody */
	int64_t served_ns;    /* when its last start had it ready; 0: none did */
	uint64_t restarts; /* starts that nobody asked for */
	struct plugin_image *image;      /* what runs or will run; NULL: never examined well */
	struct plugin_image *next_image; /* for its next start, or NULL: the same */
	struct service_target *undo; /* what is taken back if the next start fails, or NULL */
	struct plugin_image *former;     /* what ran before image, or NULL */
	int64_t generation_wall_ns;      /* since when image has served; 0: it has not */
	struct service_swap swap;
	struct service_canary canary;
	struct service_probation probation;
	struct service_lingering *lingering; /* in the cells that there are */
	size_t lingering_count;
	int64_t crashes[SERVICE_CRASHES_MAX - 1]; /* when the last ones were, the oldest first; or 0 */
	int64_t *failures;          /* start_limit.count times of failures, a ring */
	size_t failure_next;
	struct backoff backoff;
	int64_t next_try_ns; /* when timer starts it again; 0: it does not */
	struct event *timer; /* a restart, or the end of the patience with a stop */
	struct service_health health;
	struct service_faults faults;
	struct service_gate gate; /* whether its requests are begun */
	struct list waiters; /* who waits until it is settled: struct service_waiter */
	struct service_totals past;
	uint64_t lost; /* requests that past has as failed, because the last cell ended with them */
	bool excused;  /* which was not its fault: its probation does not count them */
};

/* It is to be as this section of source says, from its next step on: keeps a reference. */
void master_service_configure(struct master_service *service, struct config *source,
	const struct config_service *config);

/* Adds an event about it, of its present generation, asked for by service->by.
 * The format as of event_log_add. */
void master_service_note(const struct master_service *service, enum event_kind kind,
	const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same of another generation, which took that long; why is not NULL. */
void master_service_note_image(const struct master_service *service, enum event_kind kind,
	const struct plugin_image *image, int64_t took_ns, const char *why);

/* An image of it has passed its examination. */
void master_service_note_loaded(const struct master_service *service, const struct plugin_image *image);

/* Somebody asks for what the next calls of service_control bring about: notes who, as an event
 * with the wish ("to stop it"), too. */
void master_service_ask(struct master_service *service, const struct event_by *by,
	const char *wish);

/* The only way to change the state: notes the time, logs the move, and keeps or drops the
 * reason. With a format it has one. That it serves or has stopped is an event; why it failed
 * is for the caller to note. */
void master_service_set_state(struct master_service *service, enum service_state state,
	const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Notes a failure at now_ns. True: with it there were start_limit of them in its time. */
bool master_service_fails_too_often(struct master_service *service, int64_t now_ns);

/* When it failed last, on the monotonic clock; 0: it has not, or that is forgotten. */
int64_t master_service_last_failure(const struct master_service *service);

/* Forgets failures: for when the operator starts it himself. */
void master_service_forgive(struct master_service *service);

/* Adds what the page of a cell that has ended holds to the past. Requests that had not ended
 * have failed. */
void master_service_fold(struct master_service *service, const struct status_page *page);

/* After that, for each call of the master that is answered with the end of that cell: it has
 * failed, and if it is not among those of the page, the cell had not seen it. */
void master_service_count_lost_call(struct master_service *service);

/* Notes that something of a generation lingers in a cell, or, without a reason, does no more. */
void master_service_note_lingering(struct master_service *service,
	const struct master_cell *cell, const struct cell_lingers *lingers);

/* The cell has ended; NULL: all have. */
void master_service_forget_lingering(struct master_service *service,
	const struct master_cell *cell);

/* The last cell did not end by its fault: what was lost with it, and what count_lost_call is told of
 * after that, does not count when its code is judged. */
void master_service_excuse_lost(struct master_service *service);

/* The requests of the present code and all before, without those that code failed which had been
 * replaced already. page NULL: there is no cell. */
struct probation_counts master_service_ended(const struct master_service *service,
	const struct status_page *page);

/* All that was counted, now: the past and the page (NULL: there is no cell). The caller's
 * struct is large. */
void master_service_totals(const struct master_service *service,
	const struct status_page *page, struct service_totals *totals_r);

/* Adds what another cell (NULL: none) has counted of it. */
void master_service_add_page(const struct master_service *service,
	const struct status_page *page, struct service_totals *totals);

#endif
