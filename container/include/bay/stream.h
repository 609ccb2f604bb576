/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams of bytes: connections by TCP and Unix sockets, pipes, terminals. A task that reads
 * what has not come yet, or writes faster than the other end takes, waits; others go on.
 *
 *	status = bay_connect("127.0.0.1:6379", NULL, &stream, bay_after(BAY_SECOND));
 *	if (status != BAY_OK)
 *		return status;
 *	status = bay_stream_write(stream, "PING\r\n", 6, BAY_INHERIT);
 *	if (status == BAY_OK)
 *		status = bay_stream_read_line(stream, 1024, &line, NULL, bay_after(BAY_SECOND));
 *	...
 *	bay_stream_close(stream, bay_after(BAY_SECOND));
 *
 * One task at a time may read a stream; several may write it, beside that: what one call writes
 * stays together, and they have their turns in the order of their coming.
 *
 * Reading gives BAY_CLOSED at the end, after all that came before it. A connection that was
 * reset or broke is BAY_IO, and bay_stream_error() has the words.
 *
 * All functions: on the loop that made the stream; those with a deadline inside a task. A
 * stream belongs to the service whose task made it, and ends with that if it was forgotten.
 */
#ifndef BAY_STREAM_H
#define BAY_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <bay/abi.h>
#include <bay/address.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_stream;
struct bay_tls;

/* What a stream is made with. Set to zero what is to be as usual. */
struct bay_stream_options {
	size_t length;         /* sizeof(struct bay_stream_options) */
	size_t high_water;     /* bytes not taken by the kernel, above which a write waits, */
	size_t low_water;      /* until there are no more than these; 0: 64 KiB and 16 KiB */
	bool delay;            /* TCP may hold small writes back for more (Nagle) */
	int64_t keepalive_ns;  /* TCP: quiet for so long, the other end is asked whether it is
	                        * still there; 0: never */
	struct bay_tls *tls;   /* bay_connect: begin TLS, see <bay/tls.h>; or NULL */
	const char *server_name; /* and expect a certificate for this; NULL: what stands before the
	                        * port of the address */
	const struct bay_address *local; /* bay_connect: this end, or NULL: the kernel chooses */
	char *error;           /* where to write why it could not be made, or NULL */
	size_t error_size;     /* room there */
};

/* --- made ----------------------------------------------------------------------------------- */

/* Connects to an address in writing, "127.0.0.1:80", "[::1]:80", "unix:/run/a.sock", or to a host
 * by its name, "db.example.com:5432", whose addresses are tried in turn as bay_resolve() gives
 * them. BAY_OK and a stream, owned by the caller; BAY_IO when nobody could be reached there, or the
 * name servers failed; BAY_NOT_FOUND when there is no such host; BAY_NOT_PERMITTED, also when its
 * certificate is not to be trusted; BAY_TOO_BIG when the path of a Unix socket is too long; BAY_INVALID for what
 * is no address or makes no sense; BAY_NO_MEMORY; BAY_TIMEOUT; BAY_CANCELED. options: borrowed for
 * the call, or NULL. Inside a task; may suspend. Since 1.0. */
BAY_API int bay_connect(const char *address, const struct bay_stream_options *options,
	struct bay_stream **stream_r, int64_t deadline);

/* The same to an address that is known. Inside a task; may suspend. Since 1.0. */
BAY_API int bay_connect_to(const struct bay_address *address, const struct bay_stream_options *options,
	struct bay_stream **stream_r, int64_t deadline);

/* Makes a stream of an open descriptor: a stream socket, pipe, terminal. Makes it
 * non-blocking, for all who have it. BAY_OK: the descriptor is the stream's, which closes it;
 * BAY_CLOSED when it is not open; BAY_INVALID for a file or directory, which cannot be waited
 * for, or options without sense; BAY_IO; BAY_NO_MEMORY: it is the caller's as before. Inside a
 * task; never suspends. Since 1.0. */
BAY_API int bay_stream_open_fd(int fd, const struct bay_stream_options *options,
	struct bay_stream **stream_r);

/* A pipe: what is written to the one is read from the other. BAY_OK, BAY_IO, BAY_NO_MEMORY.
 * Inside a task; never suspends. Since 1.0. */
BAY_API int bay_pipe(struct bay_stream **read_r, struct bay_stream **write_r);

/* Two streams connected to each other. BAY_OK, BAY_IO, BAY_NO_MEMORY. Inside a task; never
 * suspends. Since 1.0. */
BAY_API int bay_stream_pair(struct bay_stream **a_r, struct bay_stream **b_r);

/* --- ended ---------------------------------------------------------------------------------- */

/* Waits until the kernel has taken all that was written, at most until deadline, then closes.
 * The stream is gone in any case; whoever else waits in it goes on with BAY_CLOSED. BAY_OK;
 * BAY_TIMEOUT, BAY_CANCELED, or the failure of a write before: something was not sent, and
 * the connection was reset (TCP), so that nobody takes a part for the whole. BAY_CLOSED when
 * another task is closing it; NULL is allowed. Inside a task; may suspend. Since 1.0. */
BAY_API int bay_stream_close(struct bay_stream *stream, int64_t deadline);

/* Closes at once: what was not sent yet never is, and the connection is reset (TCP). NULL is
 * allowed. Never suspends. Since 1.0. */
BAY_API void bay_stream_abort(struct bay_stream *stream);

/* --- reading -------------------------------------------------------------------------------- */

/*
 * Where data is "lent", it lies in the stream until the next read, and may be changed there.
 * Behind it stands a NUL. What a read that is cut short (BAY_TIMEOUT, BAY_CANCELED) was waiting
 * for stays in the stream for the next. BAY_BUSY: another task is reading.
 */

/* Reads what there is, at least one byte and at most size, waiting while there is none.
 * BAY_OK and how much; BAY_CLOSED at the end; BAY_IO; BAY_BUSY; BAY_NO_MEMORY; BAY_TIMEOUT;
 * BAY_CANCELED. May suspend. Since 1.0. */
BAY_API int bay_stream_read(struct bay_stream *stream, void *data, size_t size, size_t *size_r,
	int64_t deadline);

/* Reads size bytes, no fewer. Whatever the status, *size_r (or NULL) says how many of them have
 * come and stand in data: with BAY_CLOSED, that is where the stream ended; after a read that
 * was cut short, go on behind them. BAY_OK, and as above. May suspend. Since 1.0. */
BAY_API int bay_stream_read_exactly(struct bay_stream *stream, void *data, size_t size, size_t *size_r,
	int64_t deadline);

/* Reads a line: lends it without its end, "\n" or "\r\n". BAY_OK; BAY_CLOSED at the end of the
 * stream: then *size_r is 0, or what stood there without an end is lent all the same;
 * BAY_TOO_BIG when it is longer than max: nothing has been read, so this comes again until
 * somebody reads in another way (bay_stream_skip_until() drops the line); and as above. size_r
 * may be NULL. May suspend. Since 1.0. */
BAY_API int bay_stream_read_line(struct bay_stream *stream, size_t max, char **line_r, size_t *size_r,
	int64_t deadline);

/* The same up to any separator (one byte at least), which is read too and not lent.
 * May suspend. Since 1.0. */
BAY_API int bay_stream_read_until(struct bay_stream *stream, const void *separator,
	size_t separator_size, size_t max, char **data_r, size_t *size_r, int64_t deadline);

/* Reads until the end of the stream and lends all of it. BAY_OK; BAY_TOO_BIG when it is more
 * than max: nothing has been read; and as above, but never BAY_CLOSED for the end. May suspend.
 * Since 1.0. */
BAY_API int bay_stream_read_all(struct bay_stream *stream, size_t max, char **data_r, size_t *size_r,
	int64_t deadline);

/* Drops all up to and including the next separator, however long that is. BAY_OK; BAY_CLOSED
 * when the stream ended first; and as above: then what was dropped is dropped. May suspend.
 * Since 1.0. */
BAY_API int bay_stream_skip_until(struct bay_stream *stream, const void *separator,
	size_t separator_size, int64_t deadline);

/* Whether nothing more can be read: the end, or a failure, has been met, and all before it
 * has been read. Never suspends. Since 1.0. */
BAY_API bool bay_stream_at_eof(const struct bay_stream *stream);

/* --- writing -------------------------------------------------------------------------------- */

/* Writes. While more than high_water bytes wait for the kernel, it waits until there are no
 * more than low_water; then what the kernel does not take at once is copied, and goes out
 * whether anybody waits or not. BAY_OK: it will be sent, unless the connection breaks.
 * BAY_TIMEOUT and BAY_CANCELED: of data that is no longer than high_water nothing is ever
 * sent; of longer data a part may have been. BAY_IO: the connection is broken, now or since an
 * earlier write; BAY_CLOSED: the stream was closed meanwhile; BAY_INVALID after
 * bay_stream_write_eof(); BAY_NO_MEMORY. May suspend. Since 1.0. */
BAY_API int bay_stream_write(struct bay_stream *stream, const void *data, size_t size, int64_t deadline);

/* The same of several pieces that stay together. May suspend. Since 1.0. */
BAY_API int bay_stream_writev(struct bay_stream *stream, const struct iovec *pieces, int count,
	int64_t deadline);

/* Sends size bytes of a file from offset on, or up to its end (SIZE_MAX), after all that was
 * written before. *sent_r (or NULL) says how many have been sent, whatever the status. BAY_OK;
 * BAY_CLOSED when the file is shorter, or as bay_stream_write(); BAY_INVALID for what is no
 * file. The descriptor is borrowed and its position stays. What is not in memory is read from
 * the disk, on which the loop waits. May suspend. Since 1.0. */
BAY_API int bay_stream_sendfile(struct bay_stream *stream, int fd, int64_t offset, size_t size,
	size_t *sent_r, int64_t deadline);

/* Waits until the kernel has taken all that has been written so far. BAY_OK; BAY_IO when the
 * connection broke first; BAY_CLOSED; BAY_TIMEOUT; BAY_CANCELED. May suspend. Since 1.0. */
BAY_API int bay_stream_drain(struct bay_stream *stream, int64_t deadline);

/* Says to the other end that no more comes, behind all that was written; reading goes on.
 * BAY_OK, twice as well; BAY_BUSY while another task is in the middle of a write; BAY_INVALID
 * for a pipe or terminal: close those. Never suspends. Since 1.0. */
BAY_API int bay_stream_write_eof(struct bay_stream *stream);

/* Bytes that have come and not been read, of those that the stream has taken from the kernel;
 * bytes written that the kernel has not taken. Never suspend. Since 1.0. */
BAY_API size_t bay_stream_unread(const struct bay_stream *stream);
BAY_API size_t bay_stream_unsent(const struct bay_stream *stream);

/* --- facts ---------------------------------------------------------------------------------- */

/* The address of the other end and of this one. BAY_OK, or BAY_NOT_FOUND: it has none. Never
 * suspend. Since 1.0. */
BAY_API int bay_stream_peer(const struct bay_stream *stream, struct bay_address *address_r);
BAY_API int bay_stream_local(const struct bay_stream *stream, struct bay_address *address_r);

/* Who is at the other end of a Unix socket, as of when it connected. */
struct bay_stream_credentials {
	uint32_t uid;
	uint32_t gid;
	int32_t pid;   /* 0: of no process that can be seen from here */
};

/* BAY_OK, or BAY_NOT_FOUND: it is no Unix socket. Never suspends. Since 1.0. */
BAY_API int bay_stream_credentials(const struct bay_stream *stream,
	struct bay_stream_credentials *credentials_r);

/* Its descriptor: borrowed. Read, write and close it by the stream only. Never suspends.
 * Since 1.0. */
BAY_API int bay_stream_fd(const struct bay_stream *stream);

/* Words for what failed last ("write: Connection reset by peer"), or "". Borrowed until the
 * next failure. Never suspends. Since 1.0. */
BAY_API const char *bay_stream_error(const struct bay_stream *stream);

/* Sets water marks, delay and keepalive anew. BAY_OK, or BAY_INVALID. Never suspends.
 * Since 1.0. */
BAY_API int bay_stream_configure(struct bay_stream *stream, const struct bay_stream_options *options);

BAY_END_DECLS

#endif
