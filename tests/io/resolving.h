/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of look-ups, with a name server, a resolv.conf and a hosts file of their own.
 *
 *	RESOLVE_TEST(a_name_has_an_address)
 *	{
 *		expect("v4.test", BAY_OK, "10.1.1.1:0");
 *		return BAY_OK;
 *	}
 */
#ifndef BAY_TESTS_IO_RESOLVING_H
#define BAY_TESTS_IO_RESOLVING_H

#include <stdio.h>
#include <string.h>

#include <bay/resolve.h>

#include "io/resolver.h"
#include "runtime/task.h"
#include "support/fake_dns.h"
#include "support/run_tasks.h"
#include "support/temp_dir.h"

#define SOON (25 * BAY_SECOND)

static struct fake_dns *dns;
static struct temp_dir dir;

/* Who counts the questions wants no second one because the first took long. */
static inline void
resolving_begin(void)
{
	temp_dir_init(&dir);
	temp_dir_write(&dir, "resolv.conf", "nameserver 127.0.0.1\noptions timeout:30\n");
	temp_dir_write(&dir, "hosts", "");
	dns = fake_dns_start("127.0.0.1", 0, 1);
	resolver_set_files(temp_dir_path(&dir, "resolv.conf"), temp_dir_path(&dir, "hosts"));
	resolver_set_port(fake_dns_port(dns));
	run_tasks_begin();
}

/* What is still on its way ends here, timers and all. */
static inline void
resolving_end(void)
{
	ck_assert_uint_eq(run_tasks_scheduler.task_count, 0);
	scheduler_finish(&run_tasks_scheduler);
	fake_dns_stop(dns);
	temp_dir_finish(&dir);
}

static inline void
resolving_run(bay_task_fn *fn)
{
	resolving_begin();
	ck_assert_int_eq(run_tasks(fn, NULL), BAY_OK);
	resolving_end();
}

#define RESOLVE_TEST(name)                                      \
	static int name##_main(void *arg);                          \
	START_TEST(name)                                            \
	{                                                           \
		resolving_run(name##_main);                             \
	}                                                           \
	END_TEST                                                    \
	static int name##_main(void *arg __attribute__((unused)))

/* Addresses with a space between, as they come; "" after a failure. */
static inline int
resolve(const char *host, const char *port, unsigned flags, int64_t deadline, char *text, size_t size)
{
	struct bay_address addresses[64];
	char one[BAY_ADDRESS_TEXT_SIZE];
	size_t i, count, length = 0;
	int status = bay_resolve(host, port, flags, addresses, 64, &count, deadline);

	text[0] = '\0';
	ck_assert((count > 0) == (status == BAY_OK));
	for (i = 0; i < count; i++)
		length += (size_t)snprintf(text + length, size - length, "%s%s", i > 0 ? " " : "",
			bay_address_text(&addresses[i], one, sizeof one));
	return status;
}

static inline void
expect_with(const char *host, const char *port, unsigned flags, int status, const char *wanted)
{
	char text[4096];
	int got = resolve(host, port, flags, bay_after(SOON), text, sizeof text);

	ck_assert_msg(got == status, "%s: %s, not %s: %s", host, bay_status_name(got), bay_status_name(status),
		bay_resolve_error());
	if (status == BAY_OK) {
		ck_assert_str_eq(text, wanted);
		ck_assert_str_eq(bay_resolve_error(), "");
	} else {
		ck_assert_msg(strstr(bay_resolve_error(), wanted) != NULL, "'%s' is not in '%s'", wanted,
			bay_resolve_error());
	}
}

/* wanted: the addresses, or a part of the text. */
static inline void
expect(const char *host, int status, const char *wanted)
{
	expect_with(host, NULL, 0, status, wanted);
}

static inline void
expect_name(const char *address, int status, const char *wanted)
{
	char name[BAY_RESOLVE_NAME_SIZE];
	struct bay_address of;

	ck_assert_int_eq(bay_address_parse(address, &of), BAY_OK);
	ck_assert_int_eq(bay_resolve_name(&of, name, sizeof name, bay_after(SOON)), status);
	if (status == BAY_OK)
		ck_assert_str_eq(name, wanted);
	else
		ck_assert_msg(strstr(bay_resolve_error(), wanted) != NULL, "'%s' is not in '%s'", wanted,
			bay_resolve_error());
}

#endif
