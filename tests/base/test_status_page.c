/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "base/status_page.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check_main.h"

enum { SERVICES = 3, LOOPS = 2 };

static int
create(struct status_page *page)
{
	int fd = status_page_create(page, "bay-test", SERVICES, LOOPS);

	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(counts_out_of_range_have_no_size)
{
	struct status_page page;

	ck_assert_uint_eq(status_page_size(0, 1), 0);
	ck_assert_uint_eq(status_page_size(1, 0), 0);
	ck_assert_uint_eq(status_page_size(STATUS_PAGE_SERVICES_MAX + 1, 1), 0);
	ck_assert_uint_eq(status_page_size(1, STATUS_PAGE_LOOPS_MAX + 1), 0);
	ck_assert_int_eq(status_page_create(&page, "bay-test", 0, 1), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(page.head);
}
END_TEST

START_TEST(what_one_side_writes_the_other_reads)
{
	struct status_page master;
	struct status_page cell;
	struct status_service_view view;
	int fd = create(&master);

	ck_assert(status_page_open(&cell, fd));
	ck_assert_uint_eq(cell.services, SERVICES);
	ck_assert_uint_eq(cell.loops, LOOPS);
	ck_assert_ptr_ne(cell.head, master.head);
	status_add(&status_page_counters(&cell, 1, 0)->served, 5);
	status_add(&status_page_counters(&cell, 1, 1)->served, 2);
	status_add_shared(&status_page_counters(&cell, 1, LOOPS)->rejected, 9);
	status_add(&status_page_counters(&cell, 1, 0)->direct, 2);
	status_add(&status_page_counters(&cell, 1, 1)->queued, 3);
	status_set(&status_page_gauges(&cell, 1)->queued, 4);
	status_page_read_service(&master, 1, &view);
	ck_assert_uint_eq(view.served, 7);
	ck_assert_uint_eq(view.rejected, 9);
	ck_assert_uint_eq(view.calls, 2 + 3 + 9);
	ck_assert_uint_eq(view.queue_length, 4);
	status_page_read_service(&master, 0, &view);
	ck_assert_uint_eq(view.served, 0);
	status_page_read_service(&master, 2, &view);
	ck_assert_uint_eq(view.served, 0);
	status_page_close(&cell);
	status_page_close(&master);
	status_page_close(&master);
	close(fd);
}
END_TEST

START_TEST(the_account_of_a_service_is_that_of_all_loops)
{
	static struct status_histograms histograms;
	static struct histogram_counts lag;
	struct status_service_view view;
	struct status_page page;
	int fd = create(&page);

	status_add(&status_page_counters(&page, 1, 0)->cpu_ns, 5);
	status_add_shared(&status_page_counters(&page, 1, LOOPS)->cpu_ns, 7);
	/* One has ended elsewhere than it began. */
	status_add(&status_page_counters(&page, 1, 0)->tasks, 3);
	status_add(&status_page_counters(&page, 1, 1)->tasks, (uint64_t)-1);
	status_add(&status_page_counters(&page, 1, 1)->in_flight, 2);
	status_raise(&status_page_counters(&page, 1, 0)->stack_used, 4096);
	status_raise(&status_page_counters(&page, 1, 1)->stack_used, 8192);
	status_raise(&status_page_counters(&page, 1, 1)->stack_used, 100);
	histogram_record(&status_page_counters(&page, 1, 0)->total, 9);
	histogram_record(&status_page_loop(&page, 1)->lag, 77);
	status_page_read_service(&page, 1, &view);
	ck_assert_uint_eq(view.cpu_ns, 12);
	ck_assert_uint_eq(view.tasks, 4);
	ck_assert_uint_eq(view.stack_used, 8192);
	status_page_add_histograms(&page, 1, &histograms);
	ck_assert_uint_eq(histograms.total.total, 1);
	ck_assert_uint_eq(histograms.latency.total, 0);
	status_page_add_lag(&page, 0, &lag);
	ck_assert_uint_eq(lag.total, 0);
	status_page_add_lag(&page, 1, &lag);
	ck_assert_uint_eq(lag.max, 77);
	status_page_close(&page);
	close(fd);
}
END_TEST

START_TEST(the_parts_do_not_overlap_and_end_inside)
{
	struct status_page page;
	uint8_t *last = NULL;
	uint8_t *start;
	int fd = create(&page);

	start = (uint8_t *)page.head;
	last = start + sizeof(*page.head);
	for (uint32_t i = 0; i < LOOPS; i++) {
		uint8_t *at = (uint8_t *)status_page_loop(&page, i);

		ck_assert(at >= last);
		ck_assert_uint_eq((uintptr_t)at % 64, 0);
		last = at + sizeof(struct status_loop);
	}
	for (uint32_t i = 0; i < SERVICES; i++) {
		uint8_t *at = (uint8_t *)status_page_gauges(&page, i);

		ck_assert(at >= last);
		last = at + sizeof(struct status_gauges);
	}
	for (uint32_t i = 0; i < SERVICES; i++) {
		uint8_t *at = (uint8_t *)status_page_guard(&page, i);

		ck_assert(at >= last);
		ck_assert_uint_eq((uintptr_t)at % 64, 0);
		last = at + sizeof(struct status_guard);
	}
	for (uint32_t i = 0; i < SERVICES * (LOOPS + 1); i++) {
		uint8_t *at = (uint8_t *)status_page_counters(&page, i / (LOOPS + 1),
			i % (LOOPS + 1));

		ck_assert(at >= last);
		ck_assert_uint_eq((uintptr_t)at % 64, 0);
		last = at + sizeof(struct status_counters);
	}
	ck_assert(last <= start + page.size);
	close(fd);
}
END_TEST

START_TEST(the_largest_page_takes_no_memory_until_it_is_touched)
{
	struct status_page page;
	struct stat st;
	int fd = status_page_create(&page, "bay-test", STATUS_PAGE_SERVICES_MAX,
		STATUS_PAGE_LOOPS_MAX);

	ck_assert_int_ge(fd, 0);
	status_add(&status_page_counters(&page, 1023, 64)->served, 1);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq((size_t)st.st_size, page.size);
	ck_assert_int_le(st.st_blocks * 512, 512 * 1024);
	status_page_close(&page);
	close(fd);
}
END_TEST

START_TEST(the_memory_cannot_be_resized_by_the_other_side)
{
	struct status_page page;
	int fd = create(&page);

	ck_assert_int_eq(ftruncate(fd, 4096), -1);
	ck_assert_int_eq(ftruncate(fd, (off_t)page.size * 2), -1);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	close(fd);
}
END_TEST

START_TEST(what_is_not_such_a_page_is_not_opened)
{
	struct status_page page;
	struct status_page own;
	int unsealed = memfd_create("bay-test", MFD_ALLOW_SEALING);
	int empty = memfd_create("bay-test", MFD_ALLOW_SEALING);
	int zero = open("/dev/zero", O_RDWR);
	int fd = create(&own);

	ck_assert_int_eq(ftruncate(unsealed, (off_t)own.size), 0);
	ck_assert_int_eq(pwrite(unsealed, own.head, 4096, 0), 4096);
	ck_assert(!status_page_open(&page, unsealed));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(fcntl(empty, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	ck_assert(!status_page_open(&page, empty));
	ck_assert(!status_page_open(&page, zero));
	ck_assert(!status_page_open(&page, -1));

	own.head->services++;
	ck_assert(!status_page_open(&page, fd));
	own.head->services--;
	own.head->magic++;
	ck_assert(!status_page_open(&page, fd));
	ck_assert_ptr_null(page.head);
	own.head->magic--;
	ck_assert(status_page_open(&page, fd));
}
END_TEST

START_TEST(the_running_task_is_seen_by_name)
{
	struct status_page page;
	struct status_loop_view view;
	struct status_name name = status_name_make("handle");
	struct status_name cut = status_name_make("a name of more than 23 bytes");
	int fd = create(&page);

	status_page_read_loop(&page, 0, &view);
	ck_assert_uint_eq(view.slot, STATUS_NO_SLOT);
	ck_assert_int_eq(view.phase, STATUS_PHASE_IDLE);
	status_loop_set_phase(status_page_loop(&page, 0), STATUS_PHASE_INIT);
	status_loop_set_task(status_page_loop(&page, 0), 2, &name);
	status_page_read_loop(&page, 0, &view);
	ck_assert_uint_eq(view.slot, 2);
	ck_assert_int_eq(view.phase, STATUS_PHASE_INIT);
	ck_assert_str_eq(view.task, "handle");
	status_loop_set_task(status_page_loop(&page, 0), 2, &cut);
	status_page_read_loop(&page, 0, &view);
	ck_assert_str_eq(view.task, "a name of more than 23 ");
	status_loop_set_task(status_page_loop(&page, 0), STATUS_NO_SLOT, NULL);
	status_page_read_loop(&page, 0, &view);
	ck_assert_uint_eq(view.slot, STATUS_NO_SLOT);
	ck_assert_str_eq(view.task, "");
	close(fd);
}
END_TEST

START_TEST(names_have_numbers_that_stay)
{
	struct status_name handle = status_name_make("handle"), run = status_name_make("run");
	struct status_loop_view view;
	struct status_loop *loop;
	struct status_page page;
	int fd = create(&page);
	uint32_t word;

	loop = status_page_loop(&page, 0);
	word = status_loop_phase(loop, STATUS_PHASE_RUN, &handle);
	ck_assert_uint_ne(status_loop_phase(loop, STATUS_PHASE_RUN, &run), word);
	ck_assert_uint_eq(status_loop_phase(loop, STATUS_PHASE_RUN, &handle), word);
	ck_assert_int_eq(status_phase_of(status_loop_phase(loop, STATUS_PHASE_INIT, &handle)), STATUS_PHASE_INIT);
	atomic_store(&loop->phase, word);
	status_page_read_loop(&page, 0, &view);
	ck_assert_int_eq(view.phase, STATUS_PHASE_RUN);
	ck_assert_str_eq(view.task, "handle");
	/* A name that is given by itself is in place of the number. */
	status_loop_set_task(loop, 1, &run);
	status_page_read_loop(&page, 0, &view);
	ck_assert_int_eq(view.phase, STATUS_PHASE_RUN);
	ck_assert_str_eq(view.task, "run");
	close(fd);
}
END_TEST

START_TEST(a_task_is_nameless_when_there_are_too_many_names)
{
	struct status_loop_view view;
	struct status_loop *loop;
	struct status_page page;
	unsigned numbered = 0;
	int fd = create(&page);

	loop = status_page_loop(&page, 0);
	for (int i = 0; i < 1000; i++) {
		struct status_name name;
		char text[24];
		uint32_t word;

		snprintf(text, sizeof(text), "worker %d", i);
		name = status_name_make(text);
		word = status_loop_phase(loop, STATUS_PHASE_RUN, &name);
		atomic_store(&loop->phase, word);
		status_page_read_loop(&page, 0, &view);
		ck_assert_int_eq(view.phase, STATUS_PHASE_RUN);
		ck_assert_str_eq(view.task, word >> STATUS_PHASE_BITS != 0 ? text : "");
		numbered += word >> STATUS_PHASE_BITS != 0;
	}
	ck_assert_uint_le(numbered, STATUS_NAMES);
	ck_assert_uint_gt(numbered, STATUS_NAMES / 2);
	close(fd);
}
END_TEST

START_TEST(a_loop_is_silent_when_a_pass_takes_long)
{
	struct status_loop_view view;
	struct status_loop *loop;
	struct status_page page;
	int fd = create(&page);
	int64_t held_ns;

	loop = status_page_loop(&page, 0);
	status_set(&loop->pass_ns, 1);
	ck_assert(!status_page_loop_is_silent(&page, 0, &view, &held_ns));
	ck_assert_int_eq(held_ns, 0);
	status_loop_set_phase(loop, STATUS_PHASE_RUN);
	ck_assert(status_page_loop_is_silent(&page, 0, &view, &held_ns));
	ck_assert_int_ge(held_ns, STATUS_SILENT_NS);
	/* It is not later than now, unless the writer has gone mad. */
	status_set(&loop->pass_ns, UINT64_MAX);
	ck_assert(!status_page_loop_is_silent(&page, 0, &view, &held_ns));
	close(fd);
}
END_TEST

START_TEST(a_slot_just_out_of_range_is_none)
{
	struct status_page page;
	struct status_loop_view view;
	struct status_crash_view crash;
	int fd = create(&page);

	status_page_loop(&page, 0)->slot = SERVICES - 1;
	status_page_read_loop(&page, 0, &view);
	ck_assert_uint_eq(view.slot, SERVICES - 1);
	status_page_loop(&page, 0)->slot = SERVICES;
	status_page_read_loop(&page, 0, &view);
	ck_assert_uint_eq(view.slot, STATUS_NO_SLOT);
	status_page_write_crash(&page, SIGSEGV, 0, 0, NULL);
	page.head->crash.loop = LOOPS;
	ck_assert(status_page_read_crash(&page, &crash));
	ck_assert_uint_eq(crash.slot, STATUS_NO_SLOT);
	ck_assert_uint_eq(crash.loop, UINT32_MAX);
	close(fd);
}
END_TEST

START_TEST(a_page_full_of_ones_reads_as_something_harmless)
{
	struct status_page page;
	struct status_loop_view loop;
	struct status_service_view service;
	static struct status_histograms histograms;
	int fd = create(&page);

	memset((void *)status_page_loop(&page, 0), 0xff,
		page.size - (size_t)((uint8_t *)status_page_loop(&page, 0) - (uint8_t *)page.head));
	status_page_read_loop(&page, 1, &loop);
	ck_assert_uint_eq(loop.slot, STATUS_NO_SLOT);
	ck_assert_int_le(loop.phase, STATUS_PHASE_INIT);
	ck_assert_uint_eq(strnlen(loop.task, sizeof(loop.task)), sizeof(loop.task) - 1);
	status_page_read_service(&page, 1, &service);
	ck_assert_uint_eq(service.served, UINT64_MAX);
	ck_assert_uint_eq(service.in_flight, 0);
	ck_assert_uint_eq(service.memory_bytes, 0);
	status_page_add_histograms(&page, 1, &histograms);
	ck_assert_uint_eq(histograms.latency.total, UINT64_MAX);
	close(fd);
}
END_TEST

START_TEST(memory_freed_on_another_loop_is_subtracted)
{
	struct status_page page;
	struct status_service_view view;
	int fd = create(&page);

	status_add(&status_page_counters(&page, 0, 0)->memory_bytes, 1000);
	status_add(&status_page_counters(&page, 0, 1)->memory_bytes, (uint64_t)-400);
	status_page_read_service(&page, 0, &view);
	ck_assert_uint_eq(view.memory_bytes, 600);
	close(fd);
}
END_TEST

START_TEST(a_breaker_is_read_as_it_is_and_never_worse_than_it_can_be)
{
	struct status_page page;
	struct status_breaker_view view;
	struct status_guard *guard;
	int fd = create(&page);

	guard = status_page_guard(&page, 1);
	status_set(&guard->state, STATUS_BREAKER_OPEN);
	status_set(&guard->calls, 120);
	status_set(&guard->failed, 73);
	status_set(&guard->next_ns, 5);
	status_page_read_breaker(&page, 1, &view);
	ck_assert_int_eq(view.state, STATUS_BREAKER_OPEN);
	ck_assert_uint_eq(view.calls, 120);
	ck_assert_uint_eq(view.failed, 73);
	ck_assert_uint_eq(view.next_ns, 5);
	status_page_read_breaker(&page, 0, &view);
	ck_assert_int_eq(view.state, STATUS_BREAKER_CLOSED);
	memset((void *)guard, 0xff, sizeof(*guard));
	status_set(&guard->calls, 3);
	status_page_read_breaker(&page, 1, &view);
	ck_assert_int_eq(view.state, STATUS_BREAKER_CLOSED);
	ck_assert_uint_eq(view.failed, 3);
	status_set(&guard->calls, UINT64_MAX);
	status_page_read_breaker(&page, 1, &view);
	ck_assert_uint_eq(view.failed, INT64_MAX / 100);
	ck_assert_uint_eq(view.calls, INT64_MAX / 100);
	close(fd);
}
END_TEST

START_TEST(a_cleared_slot_is_empty_and_its_neighbours_are_not)
{
	struct status_page page;
	struct status_service_view view;
	static struct status_histograms histograms;
	int fd = create(&page);

	for (uint32_t slot = 0; slot < SERVICES; slot++) {
		for (uint32_t loop = 0; loop <= LOOPS; loop++)
			memset((void *)status_page_counters(&page, slot, loop), 1,
				sizeof(struct status_counters));
		status_set(&status_page_gauges(&page, slot)->queued, 7);
		status_set(&status_page_guard(&page, slot)->refused, 9);
	}
	status_page_clear_slot(&page, 1);
	for (uint32_t loop = 0; loop <= LOOPS; loop++) {
		const uint8_t *bytes = (const uint8_t *)status_page_counters(&page, 1, loop);

		for (size_t i = 0; i < sizeof(struct status_counters); i++)
			ck_assert_uint_eq(bytes[i], 0);
	}
	status_page_read_service(&page, 1, &view);
	ck_assert_uint_eq(view.queue_length, 0);
	ck_assert_uint_eq(view.breaker_refused, 0);
	for (uint32_t slot = 0; slot < SERVICES; slot += 2) {
		for (uint32_t loop = 0; loop <= LOOPS; loop++) {
			const uint8_t *bytes = (const uint8_t *)status_page_counters(&page, slot, loop);

			for (size_t i = 0; i < sizeof(struct status_counters); i++)
				ck_assert_uint_eq(bytes[i], 1);
		}
		status_page_read_service(&page, slot, &view);
		ck_assert_uint_eq(view.queue_length, 7);
		ck_assert_uint_eq(view.breaker_refused, 9);
	}
	status_page_add_histograms(&page, 1, &histograms);
	ck_assert_uint_eq(histograms.latency.total, 0);
	close(fd);
}
END_TEST

START_TEST(a_crash_is_written_once_with_the_running_task)
{
	struct status_page page;
	struct status_crash_view view;
	struct status_name name = status_name_make("worker");
	int fd = create(&page);

	ck_assert(!status_page_read_crash(&page, &view));
	status_loop_set_task(status_page_loop(&page, 1), 2, &name);
	status_page_write_crash(&page, SIGSEGV, 0x1234, 1, "stack overflow");
	status_page_write_crash(&page, SIGABRT, 0x9999, 0, "second");
	ck_assert(status_page_read_crash(&page, &view));
	ck_assert_int_eq(view.signal, SIGSEGV);
	ck_assert_uint_eq(view.address, 0x1234);
	ck_assert_uint_eq(view.loop, 1);
	ck_assert_uint_eq(view.slot, 2);
	ck_assert_str_eq(view.task, "worker");
	ck_assert_str_eq(view.text, "stack overflow");
	close(fd);
}
END_TEST

START_TEST(a_crash_elsewhere_has_no_task_and_a_long_text_is_cut)
{
	struct status_page page;
	struct status_crash_view view;
	char text[1000];
	int fd = create(&page);

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	status_page_write_crash(&page, SIGSEGV, 0, UINT32_MAX, text);
	ck_assert(status_page_read_crash(&page, &view));
	ck_assert_uint_eq(view.loop, UINT32_MAX);
	ck_assert_uint_eq(view.slot, STATUS_NO_SLOT);
	ck_assert_str_eq(view.task, "");
	ck_assert_uint_eq(strlen(view.text), STATUS_TEXT_SIZE - 1);
	close(fd);
}
END_TEST

START_TEST(a_forged_crash_record_is_clamped)
{
	struct status_page page;
	struct status_crash_view view;
	int fd = create(&page);

	memset((void *)&page.head->crash, 0xff, sizeof(page.head->crash));
	ck_assert(!status_page_read_crash(&page, &view));
	page.head->crash.state = STATUS_CRASH_VALID;
	ck_assert(status_page_read_crash(&page, &view));
	ck_assert_int_eq(view.signal, 0);
	ck_assert_uint_eq(view.loop, UINT32_MAX);
	ck_assert_uint_eq(view.slot, STATUS_NO_SLOT);
	ck_assert_uint_eq(strnlen(view.task, sizeof(view.task)), sizeof(view.task) - 1);
	ck_assert_uint_eq(strnlen(view.text, sizeof(view.text)), sizeof(view.text) - 1);
	page.head->crash.state = STATUS_CRASH_WRITING;
	ck_assert(!status_page_read_crash(&page, &view));
	close(fd);
}
END_TEST

CHECK_MAIN("base/status_page",
	counts_out_of_range_have_no_size,
	what_one_side_writes_the_other_reads,
	the_account_of_a_service_is_that_of_all_loops,
	the_parts_do_not_overlap_and_end_inside,
	the_largest_page_takes_no_memory_until_it_is_touched,
	the_memory_cannot_be_resized_by_the_other_side,
	what_is_not_such_a_page_is_not_opened,
	the_running_task_is_seen_by_name,
	names_have_numbers_that_stay,
	a_task_is_nameless_when_there_are_too_many_names,
	a_loop_is_silent_when_a_pass_takes_long,
	a_slot_just_out_of_range_is_none,
	a_page_full_of_ones_reads_as_something_harmless,
	memory_freed_on_another_loop_is_subtracted,
	a_breaker_is_read_as_it_is_and_never_worse_than_it_can_be,
	a_cleared_slot_is_empty_and_its_neighbours_are_not,
	a_crash_is_written_once_with_the_running_task,
	a_crash_elsewhere_has_no_task_and_a_long_text_is_cut,
	a_forged_crash_record_is_clamped)
