/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "master/admin_peer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "master/admin_roles.h"

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

/* SO_PEERCRED tells the primary group only; the others are asked for apart (Linux 4.13). All of
 * them; the caller frees. */
static gid_t *
admin_peer_groups(int fd, gid_t primary, size_t *count_r)
{
	socklen_t size = 0;
	gid_t *groups;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
		size = 0;
	groups = xcalloc(1, sizeof(*groups) + size);
	groups[0] = primary;
	*count_r = 1;
	if (size > 0 && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups + 1, &size) == 0)
		*count_r += size / sizeof(*groups);
	return groups;
}

static bool
admin_peer_is_member(const gid_t *groups, size_t count, gid_t group)
{
	for (size_t i = 0; i < count; i++)
		if (groups[i] == group)
			return true;
	return false;
}

static enum interface_role
admin_peer_role(int fd, const struct admin_policy *policy, const struct admin_peer *peer)
{
	enum interface_role role;
	gid_t *groups;
	size_t count;

	if (peer->uid == 0 || peer->uid == policy->admin_uid)
		return INTERFACE_ROLE_ADMIN;
	groups = admin_peer_groups(fd, peer->gid, &count);
	role = admin_roles_of(policy->roles, peer->uid, groups, count);
	if (role < INTERFACE_ROLE_OPERATOR && policy->operator_group != (gid_t)-1 &&
	    admin_peer_is_member(groups, count, policy->operator_group))
		role = INTERFACE_ROLE_OPERATOR;
	free(groups);
	return role;
}

bool
admin_peer_read(int fd, const struct admin_policy *policy, struct admin_peer *peer_r)
{
	struct ucred ucred;
	socklen_t size = sizeof(ucred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &size) != 0)
		return false;
	*peer_r = (struct admin_peer){.pid = ucred.pid, .uid = ucred.uid, .gid = ucred.gid};
	peer_r->role = admin_peer_role(fd, policy, peer_r);
	return true;
}
