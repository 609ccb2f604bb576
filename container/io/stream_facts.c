/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be asked of a stream, and set. */
#include "config.h"

#include <string.h>
#include <sys/socket.h>

#include "io/address.h"
#include "io/stream.h"

int
bay_stream_peer(const struct bay_stream *stream, struct bay_address *address_r)
{
	memset(address_r, 0, sizeof *address_r);
	if (stream->peer.length > 0)
		(void)address_from_sockaddr(address_r, &stream->peer.address.any, stream->peer.length);
	else if (stream->is_socket)
		address_peer(address_r, stream->fd);
	return bay_address_family(address_r) != BAY_ADDRESS_NONE ? BAY_OK : BAY_NOT_FOUND;
}

int
bay_stream_local(const struct bay_stream *stream, struct bay_address *address_r)
{
	memset(address_r, 0, sizeof *address_r);
	if (stream->is_socket)
		address_local(address_r, stream->fd);
	return bay_address_family(address_r) != BAY_ADDRESS_NONE ? BAY_OK : BAY_NOT_FOUND;
}

int
bay_stream_credentials(const struct bay_stream *stream, struct bay_stream_credentials *credentials_r)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	memset(credentials_r, 0, sizeof *credentials_r);
	if (!stream->is_socket || stream->is_tcp ||
		getsockopt(stream->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return BAY_NOT_FOUND;
	credentials_r->uid = peer.uid;
	credentials_r->gid = peer.gid;
	credentials_r->pid = peer.pid;
	return BAY_OK;
}

int
bay_stream_fd(const struct bay_stream *stream)
{
	return stream->fd;
}

const char *
bay_stream_error(const struct bay_stream *stream)
{
	return stream->error != NULL ? stream->error : "";
}

int
bay_stream_configure(struct bay_stream *stream, const struct bay_stream_options *options)
{
	struct bay_stream_options full;

	if (!waitable_is_here(stream, "bay_stream_configure") ||
		stream_options_read(options, &full, "bay_stream_configure") != BAY_OK)
		return BAY_INVALID;
	stream_apply(stream, &full);
	return BAY_OK;
}
