/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A directory that belongs to one running bayd: the lock on it is what keeps a second bayd
 * out, and everything that Bay makes in it goes away with the daemon. There are two, one
 * inside the other if the configuration does not say otherwise.
 *
 *	runtime_dir/             locked (flock) as long as the daemon lives
 *		control.sock     the admin socket
 *		NAME.sock        sockets of services, of any name
 *		.made-by-bayd    there if a bayd made the directory: it is removed at the end
 *		images/          image_dir, locked too, with a mark of its own
 *			NAME.GEN.so     private copies of plugins
 *
 * Has one owner. Master only.
 */
#ifndef BAY_MASTER_RUNTIME_DIR_H
#define BAY_MASTER_RUNTIME_DIR_H

#include <stdbool.h>
#include <sys/types.h>

struct buffer;
struct runtime_dir;

struct runtime_dir_options {
	const char *key;  /* of the configuration, for texts: "runtime_dir"; a constant */
	const char *path;
	mode_t mode;      /* if it has to be made */
	bool made;        /* the caller has just made it, empty: it is removed at the end */
	bool no_link;     /* the path must not end in a symbolic link */
};

/*
 * Makes the directory if it is not there (its parent must be) and locks it. In one that a bayd
 * made, what it left when it was killed is removed; in others no file is touched. An existing one must belong to us and be closed to writers other than
 * us. NULL: the reason is appended to error; when another bayd has the lock it names its
 * process, if that can be seen.
 */
struct runtime_dir *runtime_dir_open(const struct runtime_dir_options *options,
	struct buffer *error)
	__attribute__((warn_unused_result));

/* If a bayd made the directory, this one or one that was killed: removes what Bay makes in it,
 * and the directory. Then gives up the lock. NULL is fine. */
void runtime_dir_close(struct runtime_dir *dir);

/* The absolute path; borrowed. */
const char *runtime_dir_path(const struct runtime_dir *dir);

/* A descriptor of the directory; borrowed. */
int runtime_dir_fd(const struct runtime_dir *dir);

#endif
