/* SPDX-License-Identifier: BSD-2-Clause */
/* A library that has a function which the plugin uses_library has too, as C++ libraries do. */
int bay_test_inline(void);
int bay_test_whose(void);

__attribute__((visibility("default"))) int
bay_test_inline(void)
{
	return 1;
}

__attribute__((visibility("default"))) int
bay_test_whose(void)
{
	return bay_test_inline();
}
