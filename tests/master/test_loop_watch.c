/* SPDX-License-Identifier: BSD-2-Clause */
/* With a fake cell, whose loop 0 hangs when it is called; tests/system/test_misuse.sh has a real one. */
#include "config.h"

#include "master/loop_watch.h"

#include <event2/event.h>
#include <string.h>

#include "config/config_load.h"
#include "master/master.h"
#include "protocol/cell_link.h"
#include "support/check_main.h"
#include "support/fake_master.h"
#include "support/log_lines.h"

START_TEST(a_task_that_keeps_a_loop_is_told_with_its_service)
{
	static const char text[] = "[container]\n[service b]\n[service a]\n";
	struct config_report report = {0};
	struct fake_master fake;
	struct master master = {0};
	struct loop_watch *watch;
	struct config *sorted;

	fake_master_open(&fake, "call=spin\n", "");
	fake_master_start(&fake);
	/* Its place is another one than its slot. */
	ck_assert(config_load_memory("bay.ini", text, strlen(text), &sorted, &report));
	config_report_finish(&report);
	supervisor_set_config(fake.supervisor, sorted);
	ck_assert_ptr_eq(supervisor_service(fake.supervisor, 0), service_of(&fake, "b"));
	cell_process_call(master_cell_process(supervisor_cell(fake.supervisor, 0)), CELL_CALL, json_pack("{s:s}", "service", "b"), -1, 0,
		fake_master_on_reply, &fake);
	log_lines_keep();
	master.supervisor = fake.supervisor;
	watch = loop_watch_create(fake.base, &master);
	ck_assert_ptr_nonnull(watch);
	UNTIL(&fake, log_lines_with("task task keeps loop 0 from all other tasks") == 1);
	ck_assert_int_eq(log_lines_with("service b: task task keeps loop 0"), 1);
	loop_watch_destroy(watch);
	fake_master_close(&fake);
	config_unref(sorted);
}
END_TEST

CHECK_MAIN("master/loop_watch",
	a_task_that_keeps_a_loop_is_told_with_its_service)
