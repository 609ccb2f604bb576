/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lies between the addresses of plugins and those of the kernel. Any thread; none of it
 * suspends.
 */
#ifndef BAY_IO_ADDRESS_H
#define BAY_IO_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include <bay/address.h>

/* The longest name that a host has in DNS, and its NUL. */
#define ADDRESS_HOST_SIZE 256

/* For bind(2), connect(2) and sendto(2): borrowed from the address. */
const struct sockaddr *address_sockaddr(const struct bay_address *address, socklen_t *length_r);

/* Of what the kernel or a resolver gave. False: of a family that addresses do not have, or
 * broken; *address_r is then no address. */
bool address_from_sockaddr(struct bay_address *address_r, const struct sockaddr *from, socklen_t length);

/* Of this end of a socket or of the other; no address when the socket has none. */
void address_local(struct bay_address *address_r, int fd);
void address_peer(struct bay_address *address_r, int fd);

/* Takes "host:port" and "[host]:port" apart; port is borrowed from text, and is a number or
 * the name of a service. BAY_OK, BAY_INVALID, BAY_TOO_BIG when the host is longer than hosts
 * are. */
int address_split(const char *text, char host_r[ADDRESS_HOST_SIZE], const char **port_r);

#endif
