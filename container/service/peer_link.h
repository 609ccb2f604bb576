/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A link to another cell with what is under way on it: requests of ours that were sent, and
 * requests of theirs that are served here. Only for the files of peer*.
 */
#ifndef BAY_SERVICE_PEER_LINK_H
#define BAY_SERVICE_PEER_LINK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "loop/inbox.h"
#include "loop/link.h"
#include "loop/link_record.h"
#include "loop/timer.h"
#include "service/registry.h"

struct bay_message;
struct bay_request;
struct bay_service;
struct peer_link;
struct scheduler;

/* What may be on its way to the queue of one service at once: at most so many messages, and no more
 * once they have so many bytes. */
enum {
	PEER_CREDIT_MESSAGES = 256,
	PEER_CREDIT_BYTES = 1 << 20,
	/* What has left the way is told when it is so much, and not before. */
	PEER_OWED_MESSAGES = PEER_CREDIT_MESSAGES / 2,
	PEER_OWED_BYTES = PEER_CREDIT_BYTES / 2
};

/* Requests that were sent and not answered, and bodies that go over in parts at once. */
enum {
	PEER_SENT_MAX = 1 << 18,
	PEER_STREAMS_MAX = 8,
	/* Names of services that nobody else knows. */
	PEER_INVENTED_MAX = 64,
	/* Records of requests that a link keeps for reuse. */
	PEER_UNUSED_MAX = 256
};

/* Another cell. Lives as long as the process. */
struct peer {
	struct list in_peers;
	char name[SERVICE_NAME_SIZE];
	unsigned index;
	struct peer_link *link;      /* NULL: there is none now */
	bool asked;                  /* for one */
	bool left;                   /* the latest one ended in order */
	bool rests;                  /* had one that has ended: whoever knows has to say that there may be another */
	unsigned invented;           /* names that it was the first to say here; home of its links only */
	struct list routes;          /* struct peer_route.in_peer: those that have something to send */
};

/* The way to a service of another cell. Lives as long as the process. */
struct peer_route {
	struct bay_service *service;
	struct peer *peer;           /* NULL: it is in none now */
	bool wait;
	unsigned retry;
	unsigned poison;
	struct list out;             /* struct bay_request.link: not sent, oldest first */
	struct list in_peer;
	struct list in_routes;
	struct list places;          /* struct peer_place: where it is, and was before that */
	bool streaming;              /* the body of one goes over: the next waits for its end */
};

struct peer_place {
	struct list link;
	char text[];                 /* "NAME in cell CELL" */
};

/* A body that goes over in parts: of a request that was sent, or of a reply. */
struct peer_stream {
	struct list link;
	struct link_record record;   /* MORE or MORE_END */
	struct bay_message *message;
	size_t at;
	struct peer_route *route;    /* of a request, or NULL */
};

/* A request of ours, by the number in its id. */
struct peer_sent {
	struct bay_request *request; /* NULL: nobody waits for it */
	struct peer_stream *stream;  /* of its body, or NULL */
	struct bay_message *reply;   /* that is being put together */
	struct link_outcome end;     /* its head, once that has come */
	uint32_t got;                /* bytes of the reply */
	uint32_t serial;             /* the other half of the id */
	uint32_t next_free;          /* index + 1; 0: none */
	bool used;
	bool ending;                 /* end is valid */
	bool no_memory;              /* for the reply */
};

struct peer_cancel {
	struct list link;
	struct link_record record;
};

/* Our side of a service of theirs. */
struct peer_way {
	uint32_t messages;           /* on their way to the queue */
	uint64_t bytes;
	bool named;
};

/* A service that they have named. */
struct peer_named {
	struct bay_service *service;
	uint32_t messages;           /* on their way to the queue, or owed */
	uint64_t bytes;
	uint32_t owed;               /* messages that have left the way, and they have not heard of */
	uint64_t owed_bytes;
	uint16_t number;
	struct list in_credits;
};

/* A request of theirs. Home only, but for its place in ends. */
struct peer_served {
	struct peer_link *link;
	struct peer_named *named;
	struct bay_request *request; /* that serves it, or NULL */
	struct bay_request *ticket;  /* of one that stands before its queue, or NULL */
	struct bay_request *stands;  /* what the ticket stands for */
	struct bay_message *message; /* the body that is being put together, or the reply */
	struct link_request *head;   /* while that is so */
	char *error;
	struct link_outcome end;
	struct timer timer;          /* of the time that its service gives a call */
	struct list in_ends;
	uint64_t id;
	uint32_t size;
	uint32_t got;
	bool owed;                   /* its way has been counted */
	bool ended;
	bool no_memory;
};

struct peer_link {
	struct link link;
	struct peer *peer;
	struct scheduler *home;
	uint64_t epoch;
	struct inbox_item item;      /* begins it, and closes it */
	unsigned holds;              /* home only: requests of theirs that are not over, and itself */
	bool over;                   /* home only: nothing is done with it any more */
	bool ending;                 /* home only: it is heard until this place of the ring, ... */
	uint64_t hears_until;        /* ... and then it is over */
	bool begun;

	/* under the lock */
	const char *why;             /* it has to end, or NULL */
	bool full;                   /* the ring has no room for what there is */
	bool watched;                /* the timer of watch is armed */
	uint64_t watched_until;      /* all that was written before it was armed */
	atomic_bool work;            /* home has something to write, or an end to make; read without */
	struct peer_sent *sent;
	uint32_t sent_size;
	uint32_t first_free;         /* index + 1; 0: none */
	struct list away;            /* struct bay_request.link: sent, oldest first */
	struct list cancels;         /* struct peer_cancel.link */
	struct list failed;          /* struct bay_request.link: there was no memory to send them; home
	                              * ends them */
	struct list streams;         /* struct peer_stream.link: take turns */
	unsigned stream_count;
	struct peer_way ways[REGISTRY_MAX]; /* by our numbers */

	/* home only; what goes out of it under the lock, as all does */
	struct timer watch;
	struct list credits;         /* struct peer_named.in_credits */
	struct list ends;            /* struct peer_served.in_ends */
	unsigned soon;               /* times that a flush was put off since the last one */
	struct list unused;          /* struct peer_served.in_ends: to be used again */
	unsigned unused_count;
	struct peer_named *names[REGISTRY_MAX]; /* by their numbers */
	struct peer_served **served; /* by the numbers in their ids */
	uint32_t served_size;
	unsigned assembling;         /* bodies of requests that come in parts */
	unsigned assembling_replies;
};

/* Under it lies all of the above that does not say otherwise, and struct bay_request of what is
 * away. */
extern pthread_mutex_t peers_lock;
extern struct peer_source peers_source;

/* peer.c, under the lock. */

/* All of struct peer.in_peers, and of struct peer_route.in_routes. */
void peers_lists(const struct list **peers_r, const struct list **routes_r);

/* Asks for a link if one is needed. */
void peer_want(struct peer *peer);

/* Each peer with something to be sent is sent it, or asked for. Under the lock. */
void peers_go(void);

/* Ends what waits in a route; it goes to a list of the caller's, for peer_sent_settle(). */
void peer_route_refuse(struct peer_route *route, const char *why, struct list *over);

/* peer_link.c: opening and closing, and what goes out. */

struct peer_link *peer_link_create(struct peer *peer, struct scheduler *home, uint64_t epoch);

/* Posts its begin to home, and its end. Under the lock. */
void peer_link_begin(struct peer_link *link);
void peer_link_end(struct peer_link *link, const char *why);

/* Writes what there is room for, and wakes the other side. Under the lock; any thread. */
void peer_link_flush(struct peer_link *link);

/* The same, together with what others of the loop have to say in a moment, if they are about to.
 * Home, without the lock. */
void peer_link_flush_soon(struct peer_link *link);

/* Whether it is better done soon, by home. Any thread. */
bool peer_link_may_put_off(struct peer_link *link);

/* Nobody waits for a request any more that was sent. Under the lock. */
void peer_link_forget(struct peer_link *link, struct bay_request *request, const char *reason);

/* One hold less. Home. */
void peer_link_unhold(struct peer_link *link);

/* peer_sent.c: what comes back. */

/* A number for a request, which is sent with it. BAY_FULL: there is none now; BAY_NO_MEMORY. Under
 * the lock. */
int peer_sent_add(struct peer_link *link, struct bay_request *request, uint64_t *id_r);
void peer_sent_drop(struct peer_link *link, uint32_t slot);

/* Records of what was sent; NULL, or why the link breaks. What is over then goes to a list of the
 * caller's, for peer_sent_settle() without the lock. Under the lock. */
const char *peer_sent_on_end(struct peer_link *link, const struct link_view *view, const struct link_record *record,
	struct list *over);
const char *peer_sent_on_more(struct peer_link *link, const struct link_view *view, const struct link_record *record,
	struct list *over);

/* A request is not away any more: it is over, with the outcome that it has. Under the lock. */
void peer_sent_detach(struct bay_request *request, struct list *over);

/* Sends home what is over. */
void peer_sent_settle(struct list *over);

/* All that was sent on a link that has ended: goes back to its route, or is over. Under the lock. */
void peer_sent_all_back(struct peer_link *link, struct list *over);

/* Frees a stream. Under the lock. */
void peer_stream_end(struct peer_link *link, struct peer_stream *stream);

/* peer_served.c: requests of theirs. Home, without the lock; NULL, or why the link breaks. */

const char *peer_served_on_request(struct peer_link *link, const struct link_view *view,
	const struct link_record *record);
const char *peer_served_on_more(struct peer_link *link, const struct link_view *view, const struct link_record *record);
void peer_served_on_cancel(struct peer_link *link, const struct link_record *record);

/* Its END has been written. Home, under the lock. */
void peer_served_written(struct peer_served *served);

/* The link has ended: nobody wants them. Home. */
void peer_served_end_all(struct peer_link *link);

#endif
