/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS over streams: a certificate and whom to trust, made once and used for many streams.
 *
 *	struct bay_tls_options options = {.length = sizeof options};    trust as the system does
 *	struct bay_stream_options secure = {.length = sizeof secure};
 *
 *	status = bay_tls_create(&options, &tls, BAY_INHERIT);
 *	secure.tls = tls;
 *	status = bay_connect("192.0.2.7:443", &secure, &stream, bay_after(5 * BAY_SECOND));
 *
 * From then on the stream is read and written as any other. TLS is 1.2 or 1.3. A client takes
 * nobody whose certificate is not of a trusted authority, in its time, and for the name that was
 * asked for. A connection that ends without saying so (close_notify) is BAY_IO, as somebody may
 * have cut it.
 *
 * The library (OpenSSL 3, libssl.so.3) is loaded when TLS is first used. A handshake computes
 * for about a millisecond, in which the loop does nothing else, and wants 16 KiB of stack.
 *
 * All functions: on the loop that made the object; those with a deadline inside a task.
 */
#ifndef BAY_TLS_H
#define BAY_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/status.h>
#include <bay/stream.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_tls;

/* What it is made of. Files are PEM. Set to zero what you do not need. */
struct bay_tls_options {
	size_t length;             /* sizeof(struct bay_tls_options) */
	bool server;               /* or client */
	bool verify_client;        /* server: only clients with a certificate of an authority in ca */
	bool trust_anybody;        /* client: whoever answers will do; keeps out nobody who can
	                            * get between */
	const char *certificate;   /* file: ours, then those that lead to its authority; a server
	                            * needs one */
	const char *key;           /* file; NULL: in that of the certificate */
	const char *ca;            /* file of the authorities that are trusted; NULL: as the system
	                            * does */
	const char *alpn;          /* protocols that we speak, best first: "h2,http/1.1"; or NULL */
	char *error;               /* where to write why it could not be made, or NULL */
	size_t error_size;         /* room there */
};

/* Reads the files and makes one, owned by the caller; it belongs to the service whose task made
 * it. The files are read on a helper thread. BAY_OK; BAY_NOT_FOUND when the library is not to be
 * had; BAY_INVALID when a file is missing or of no use, or the options make no sense;
 * BAY_NO_MEMORY; BAY_TIMEOUT; BAY_CANCELED. options: borrowed for the call. Inside a task; may
 * suspend. Since 1.0. */
BAY_API int bay_tls_create(const struct bay_tls_options *options, struct bay_tls **tls_r, int64_t deadline);

/* Reads the files again: streams from now on use what they say, those that there are keep what
 * they have. After anything else than BAY_OK (as of bay_tls_create()) nothing has changed, and
 * bay_tls_error() says why. Inside a task; may suspend. Since 1.0. */
BAY_API int bay_tls_reload(struct bay_tls *tls, int64_t deadline);

/* Words for why it could not be reloaded, or "". Borrowed until the next time. Never suspends.
 * Since 1.0. */
BAY_API const char *bay_tls_error(const struct bay_tls *tls);

/* Frees it; streams go on. NULL is allowed. Never suspends. Since 1.0. */
BAY_API void bay_tls_destroy(struct bay_tls *tls);

/* Begins TLS on a connection, and waits until both ends agree. server_name: whom a client wants to
 * talk to, a host's name or an IP address in writing; a server gives NULL. BAY_OK;
 * BAY_NOT_PERMITTED when the other end's certificate is not to be trusted; BAY_IO when it speaks
 * no TLS that we do, refuses us, or went away; BAY_INVALID when bytes came before it began, a
 * client names nobody, or the stream has TLS already; BAY_BUSY while another task reads or
 * writes; BAY_NO_MEMORY; BAY_TIMEOUT; BAY_CANCELED. After anything but BAY_OK, BAY_INVALID and
 * BAY_BUSY the stream is of no more use, and bay_stream_error() says why. Inside a task; may
 * suspend. Since 1.0. */
BAY_API int bay_stream_start_tls(struct bay_stream *stream, struct bay_tls *tls, const char *server_name,
	int64_t deadline);

/* What both ends agreed on. Texts are cut to fit. */
struct bay_stream_tls {
	char version[16];   /* "TLSv1.3" */
	char cipher[48];
	char alpn[32];      /* "" : none */
	char peer[256];     /* subject of the other end's certificate; "": it showed none */
};

/* BAY_OK, or BAY_NOT_FOUND: the stream has no TLS. Never suspends. Since 1.0. */
BAY_API int bay_stream_tls(const struct bay_stream *stream, struct bay_stream_tls *facts_r);

BAY_END_DECLS

#endif
