/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams: UDP and Unix sockets whose messages arrive whole or not at all.
 *
 *	struct bay_datagram *socket;
 *	struct bay_address from;
 *	char data[1500];
 *	size_t got;
 *
 *	status = bay_datagram_open(&address, NULL, &socket);
 *	while (status == BAY_OK) {
 *		status = bay_datagram_receive(socket, data, sizeof data, &from, &got, BAY_INHERIT);
 *		if (status == BAY_OK)
 *			status = bay_datagram_send(socket, data, got, &from, BAY_INHERIT);
 *	}
 *	bay_datagram_close(socket);
 *
 * Any number of tasks may receive and send on one socket; each kind is served in the order of
 * coming. A socket that its service has not closed is closed when the instance ends, or the
 * loop.
 *
 * All functions: on the loop that made the socket; those with a deadline inside a task.
 */
#ifndef BAY_DATAGRAM_H
#define BAY_DATAGRAM_H

#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/address.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_datagram;

/* For the flags of struct bay_datagram_options; any combination. */
#define BAY_DATAGRAM_BROADCAST 1u  /* may send to broadcast addresses */
#define BAY_DATAGRAM_REUSE 2u      /* others may have the address too, if they say so: each gets
                                    * what is sent to a group (SO_REUSEADDR) */
#define BAY_DATAGRAM_SPREAD 4u     /* the kernel spreads what comes over all sockets with this
                                    * flag and address (SO_REUSEPORT) */
#define BAY_DATAGRAM_IPV6_ONLY 8u  /* [::] does not take IPv4 as well */
#define BAY_DATAGRAM_NO_LOOP 16u   /* what is sent to a group does not come back to this machine */

/* What a socket is made of. Set to zero what you do not need. */
struct bay_datagram_options {
	size_t length;           /* sizeof(struct bay_datagram_options) */
	const struct bay_address *peer; /* talks to this one only, and hears when nobody is there;
	                          * or NULL */
	unsigned flags;
	unsigned hops;           /* of what is sent to a group, 1 to 255; 0: 1, the local network */
	size_t receive_bytes;    /* of the kernel's buffers, as far as it allows; 0: the usual */
	size_t send_bytes;
	const char *interface;   /* that groups are sent to through, "eth0"; NULL: the kernel's choice */
};

/* A socket at the local address. NULL: of the peer's family, or else IPv4, at an address that
 * the kernel chooses. The file of a Unix socket that nobody has open any more is replaced, and
 * removed by bay_datagram_close(). options may be NULL; both are borrowed for the call.
 * *socket_r is the caller's. BAY_OK; BAY_BUSY: somebody else has the address; BAY_FULL: no
 * descriptor is free; BAY_NOT_PERMITTED; BAY_INVALID: makes no sense; BAY_NO_MEMORY; BAY_IO.
 * On failure *socket_r is NULL and bay_datagram_error() has the text. Never suspends.
 * Since 1.0. */
BAY_API int bay_datagram_open(const struct bay_address *local, const struct bay_datagram_options *options,
	struct bay_datagram **socket_r) BAY_MUST_CHECK;

/* Closes and frees; NULL is allowed. Tasks that wait in it end with BAY_CLOSED. Never suspends.
 * Since 1.0. */
BAY_API void bay_datagram_close(struct bay_datagram *socket);

/* Sends one datagram (size 0 is one) to an address, or to the peer (NULL), waiting while the
 * kernel's buffer, or that of a Unix receiver, is full. That it was sent does not say that it
 * arrives. BAY_OK, BAY_TIMEOUT, BAY_CANCELED, or BAY_CLOSED when the socket was closed
 * meanwhile; BAY_TOO_BIG: more than its kind can carry; BAY_NOT_PERMITTED: a broadcast without
 * the flag, or a firewall; BAY_INVALID: no address, or one of another family; BAY_IO: no
 * route, nobody there (that may be about an earlier one), with the text in
 * bay_datagram_error(); the socket goes on. May suspend. Since 1.0. */
BAY_API int bay_datagram_send(struct bay_datagram *socket, const void *data, size_t size,
	const struct bay_address *to, int64_t deadline);

/* Receives one datagram, waiting until there is one; a deadline that has passed, as 0, only
 * looks. from_r may be NULL; a Unix sender without an address is no address. BAY_OK and *got_r
 * bytes; BAY_TOO_BIG: it has *got_r bytes, of which the buffer holds the first size, and the
 * rest is gone; BAY_IO: the peer says that nobody is there, with the text in
 * bay_datagram_error(); the socket goes on. BAY_TIMEOUT and BAY_CANCELED: nothing was taken;
 * BAY_CLOSED when the socket was closed meanwhile. May suspend. Since 1.0. */
BAY_API int bay_datagram_receive(struct bay_datagram *socket, void *buffer, size_t size,
	struct bay_address *from_r, size_t *got_r, int64_t deadline);

/* Hears from now on what is sent to the group, an address whose port does not matter, on an
 * interface ("eth0"; NULL: the kernel's choice); and no longer. BAY_OK; BAY_INVALID: no group,
 * another family, no such interface; BAY_BUSY: has joined already; BAY_NOT_FOUND: had not
 * joined; BAY_IO. Never suspend. Since 1.0. */
BAY_API int bay_datagram_join(struct bay_datagram *socket, const struct bay_address *group, const char *interface);
BAY_API int bay_datagram_leave(struct bay_datagram *socket, const struct bay_address *group,
	const char *interface);

/* The address that it has, with the port that the kernel chose. Never suspends. Since 1.0. */
BAY_API struct bay_address bay_datagram_address(const struct bay_datagram *socket);

/* A descriptor for bay_case_fd() and bay_wait_fd(): that it is readable says that a datagram is
 * there, unless another task takes it first. Borrowed until the socket is closed, which ends
 * waits for it with BAY_CLOSED; not to be read from, written to or closed. -1 when none is
 * free. Never suspends. Since 1.0. */
BAY_API int bay_datagram_fd(struct bay_datagram *socket);

/* Why the running task's last function of these failed; "" if it did not. Borrowed until its
 * next one of these, call or look-up. Never suspends. Since 1.0. */
BAY_API const char *bay_datagram_error(void);

BAY_END_DECLS

#endif
