/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listeners: where connections come in.
 *
 *	status = bay_listen("0.0.0.0:8080", NULL, &listener, BAY_INHERIT);
 *	if (status == BAY_OK)
 *		status = bay_serve(listener, talk, state, 1000, BAY_INHERIT);
 *
 * When the process or the machine has no more descriptors, a listener pauses, says so in the
 * log, and tries again from time to time: who connects waits meanwhile.
 *
 * In a cell the sockets are the master's, which hands out duplicates: who has connected and not
 * been accepted is served after a restart, or by the next cell. The service may listen on what
 * the key listen of its section names, by the address or by the name that it has there
 * (bay.ini(5)); without that key on what only this machine reaches.
 *
 * All functions: on the loop that made the listener; those with a deadline inside a task. A
 * listener belongs to the service whose task made it, and ends with that if it was forgotten.
 */
#ifndef BAY_LISTENER_H
#define BAY_LISTENER_H

#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/address.h>
#include <bay/status.h>
#include <bay/stream.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_listener;

/* What a listener is made with. Set to zero what is to be as usual. */
struct bay_listener_options {
	size_t length;         /* sizeof(struct bay_listener_options) */
	int backlog;           /* connections that may wait to be accepted; 0: 1024. The kernel has
	                        * a bound of its own (net.core.somaxconn) */
	const struct bay_stream_options *streams; /* for those accepted, copied; or NULL */
	struct bay_tls *tls;   /* bay_serve() begins TLS on each connection, before its function is
	                        * called; or NULL. Borrowed until the listener is closed and bay_serve()
	                        * has ended. After bay_accept(), call bay_stream_start_tls() */
	char *error;           /* where to write why it cannot listen, or NULL */
	size_t error_size;     /* room there */
};

/* Listens at an address in writing: "127.0.0.1:80", "[::]:80", "unix:/run/a.sock",
 * "unix:@abstract"; with port 0 at one that the kernel chooses; or at one that the configuration
 * gives a name to: "http". BAY_OK and a listener, owned by
 * the caller; BAY_IO when the address is not to be had; BAY_BUSY when somebody listens there;
 * BAY_NOT_PERMITTED; BAY_TOO_BIG when the path of a Unix socket is too long; BAY_INVALID for
 * what is no address or makes no sense; BAY_NO_MEMORY; BAY_TIMEOUT; BAY_CANCELED. options:
 * borrowed for the call, or NULL. Inside a task; may suspend. Since 1.0. */
BAY_API int bay_listen(const char *address, const struct bay_listener_options *options,
	struct bay_listener **listener_r, int64_t deadline);

/* Waits for the next connection: BAY_OK and a stream, owned by the caller. Tasks that wait are
 * served in the order of their coming. While an operator has paused or drained the service, none
 * comes: who connects waits in the backlog. BAY_CLOSED when the listener is closed, or when the
 * service's code has been replaced while it runs: the new code listens there; BAY_IO when it
 * broke; BAY_NO_MEMORY; BAY_TIMEOUT; BAY_CANCELED. May suspend. Since 1.0. */
BAY_API int bay_accept(struct bay_listener *listener, struct bay_stream **stream_r, int64_t deadline);

/* What serves a connection; its end is the connection's. Inside a task of its own. */
typedef int bay_serve_fn(struct bay_stream *stream, void *arg);

/* Accepts connections and calls fn(stream, arg) for each, in a task of its own, for at most
 * max_connections (not 0) at a time; further ones wait to be accepted. The stream is bay_serve's:
 * when fn returns, it is closed, after what was written has gone (10 seconds at most), or aborted
 * when fn did not return BAY_OK. What fn returns concerns nobody else. BAY_CLOSED when the
 * listener is closed: the connections go on to their end first; BAY_TIMEOUT and BAY_CANCELED:
 * they are cancelled, and have ended; BAY_IO; BAY_INVALID. Inside a task; suspends. Since 1.0. */
BAY_API int bay_serve(struct bay_listener *listener, bay_serve_fn *fn, void *arg,
	unsigned max_connections, int64_t deadline);

/* Where it listens: with the port that the kernel chose. Never suspends. Since 1.0. */
BAY_API void bay_listener_address(const struct bay_listener *listener, struct bay_address *address_r);

/* Accepts no more: who waits to accept goes on with BAY_CLOSED; streams stay. The address stays
 * the service's: who connects waits until a task of it listens there again, or it is stopped.
 * NULL is allowed. Never suspends. Since 1.0. */
BAY_API void bay_listener_close(struct bay_listener *listener);

BAY_END_DECLS

#endif
