/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The numbers by which a plugin and a container recognise each other.
 *
 * A plugin loads when its major equals the container's and the minor that it
 * needs is not above the container's.
 *
 *   major  raised when anything that exists changes meaning, order or owner
 *   minor  raised when something is added at the end
 *
 * tests/abi has the facts of each version that compiled plugins rely on, and sees that they hold.
 *
 * History
 *   1.0    first release
 */
#ifndef BAY_ABI_H
#define BAY_ABI_H

#define BAY_ABI_MAJOR 1
#define BAY_ABI_MINOR 0

/* The least minor that this plugin needs; define it before including to run
 * on containers older than these headers. */
#ifndef BAY_ABI_MINOR_NEEDED
#define BAY_ABI_MINOR_NEEDED BAY_ABI_MINOR
#endif

/* True when these headers are at least version major.minor. */
#define BAY_ABI_AT_LEAST(major, minor) \
	(BAY_ABI_MAJOR > (major) || (BAY_ABI_MAJOR == (major) && BAY_ABI_MINOR >= (minor)))

#ifdef __cplusplus
#define BAY_BEGIN_DECLS extern "C" {
#define BAY_END_DECLS }
#else
#define BAY_BEGIN_DECLS
#define BAY_END_DECLS
#endif

#define BAY_API __attribute__((visibility("default")))
#define BAY_MUST_CHECK __attribute__((warn_unused_result))
#define BAY_PRINTF(format_at, first_at) __attribute__((format(printf, format_at, first_at)))

#endif
