/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Live changes of an instance: bounds that the hot path reads, and settings of its plugin.
 *
 *	settings A ── a change ──► settings B     requests that begin now see B
 *	   └ requests that run have A until they end; what bay_instance_settings gave of it may
 *	     be kept anywhere, and stays until the instance ends
 *
 * Owning loop only.
 */
#ifndef BAY_SERVICE_INSTANCE_CHANGE_H
#define BAY_SERVICE_INSTANCE_CHANGE_H

struct bay_instance;
struct settings;

/* Takes over the bounds of its service that can change; and, unless they are NULL, these
 * settings, to which it takes a reference. No request of it may be running at this moment. */
void instance_change(struct bay_instance *instance, struct settings *settings);

/* It ends: drops all that it has kept. */
void instance_forget_changes(struct bay_instance *instance);

#endif
