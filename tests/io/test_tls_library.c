/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "io/tls_library.h"

#include <stddef.h>
#include <string.h>

#include <bay/tls.h>

#include "io/blocking_pool.h"
#include "support/run_tasks.h"

START_TEST(it_is_loaded_once)
{
	const struct tls_library *library = tls_library_load();

	ck_assert_ptr_nonnull(library);
	ck_assert_ptr_eq(tls_library_load(), library);
	ck_assert_str_eq(tls_library_error(), "");
	ck_assert_ptr_nonnull(library->TLS_client_method());
	ck_assert_str_eq(tls_library_reason(library), "no reason given");
}
END_TEST

START_TEST(one_that_is_not_there_is_said_in_words)
{
	tls_library_set_name("libssl-that-is-not-there.so.3");
	ck_assert_ptr_null(tls_library_load());
	ck_assert_ptr_nonnull(strstr(tls_library_error(), "libssl-that-is-not-there.so.3"));
}
END_TEST

START_TEST(one_that_is_something_else_is_refused)
{
	tls_library_set_name("libm.so.6");
	ck_assert_ptr_null(tls_library_load());
	ck_assert_str_eq(tls_library_error(), "libm.so.6 has no function OPENSSL_init_ssl");
}
END_TEST

/* Nothing to free, nothing left, and whoever asked knows. */
TASK_TEST(without_it_there_is_no_tls)
{
	char error[256] = "";
	struct bay_tls_options options = {.length = sizeof options, .error = error, .error_size = sizeof error};
	struct bay_tls *tls;

	tls_library_set_name("libssl-that-is-not-there.so.3");
	ck_assert_int_eq(bay_tls_create(&options, &tls, bay_after(10 * BAY_SECOND)), BAY_NOT_FOUND);
	ck_assert_ptr_null(tls);
	ck_assert_ptr_nonnull(strstr(error, "TLS wants OpenSSL 3"));
	blocking_pool_finish();
	return BAY_OK;
}

CHECK_MAIN("io/tls_library",
	it_is_loaded_once,
	one_that_is_not_there_is_said_in_words,
	one_that_is_something_else_is_refused,
	without_it_there_is_no_tls)
