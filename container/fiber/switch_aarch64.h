/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch for aarch64: a called function, because the calling convention says which
 * registers survive whatever extensions (SVE and its like) the compiler makes use of.
 */
#ifndef BAY_FIBER_SWITCH_AARCH64_H
#define BAY_FIBER_SWITCH_AARCH64_H

struct fiber_context {
	void *sp; /* points to the saved registers, see switch_aarch64.S */
};

/* Saves the running context in from and goes on with to. */
void fiber_context_switch(struct fiber_context *from, struct fiber_context *to);

#endif
