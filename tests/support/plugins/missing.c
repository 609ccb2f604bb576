/* SPDX-License-Identifier: BSD-2-Clause */
/* A library that the plugin needs_library is linked with and will not find. */
int bay_test_missing(void);

__attribute__((visibility("default"))) int
bay_test_missing(void)
{
	return 1;
}
