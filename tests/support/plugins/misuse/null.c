/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every public function, called as somebody does who did not look at what an earlier one
 * returned: with NULL for all that may be one. A compiler that knows better is kept quiet.
 */
#include <bay/bay.h>

#include "misuse.h"

#pragma GCC diagnostic ignored "-Wnonnull"
#pragma GCC diagnostic ignored "-Wunused-result"
#pragma GCC diagnostic ignored "-Wformat-security"

static void call_bay_address_parse(void) { (void)bay_address_parse(NULL, NULL); }
static void call_bay_address_text(void) { (void)bay_address_text(NULL, NULL, 0); }
static void call_bay_address_family(void) { (void)bay_address_family(NULL); }
static void call_bay_address_port(void) { (void)bay_address_port(NULL); }
static void call_bay_address_set_port(void) { (void)bay_address_set_port(NULL, 0); }
static void call_bay_address_equal(void) { (void)bay_address_equal(NULL, NULL); }
static void call_bay_request_arena(void) { (void)bay_request_arena(NULL); }
static void call_bay_arena_destroy(void) { bay_arena_destroy(NULL); }
static void call_bay_arena_reset(void) { bay_arena_reset(NULL); }
static void call_bay_arena_alloc(void) { (void)bay_arena_alloc(NULL, 0); }
static void call_bay_arena_copy(void) { (void)bay_arena_copy(NULL, NULL, 0); }
static void call_bay_arena_printf(void) { (void)bay_arena_printf(NULL, "x"); }
static void call_bay_arena_bytes(void) { (void)bay_arena_bytes(NULL); }
static void call_bay_barrier_destroy(void) { bay_barrier_destroy(NULL); }
static void call_bay_barrier_wait(void) { (void)bay_barrier_wait(NULL, NULL, BAY_INHERIT); }
static void call_bay_barrier_abort(void) { bay_barrier_abort(NULL); }
static void call_bay_barrier_reset(void) { bay_barrier_reset(NULL); }
static void call_bay_barrier_is_broken(void) { (void)bay_barrier_is_broken(NULL); }
static void call_bay_barrier_waiting(void) { (void)bay_barrier_waiting(NULL); }
static void call_bay_blocking(void) { (void)bay_blocking(NULL, NULL, NULL, NULL, NULL, BAY_INHERIT); }
static void call_bay_service(void) { (void)bay_service(NULL); }
static void call_bay_service_name(void) { (void)bay_service_name(NULL); }
static void call_bay_call(void) { (void)bay_call(NULL, NULL, NULL, BAY_INHERIT); }
static void call_bay_call_start(void) { (void)bay_call_start(NULL, NULL); }
static void call_bay_send(void) { (void)bay_send(NULL, NULL, BAY_INHERIT); }
static void call_bay_send_later(void) { (void)bay_send_later(NULL, NULL, 0, NULL); }
static void call_bay_channel_create_with(void) { (void)bay_channel_create_with(NULL); }
static void call_bay_channel_destroy(void) { bay_channel_destroy(NULL); }
static void call_bay_channel_put(void) { (void)bay_channel_put(NULL, NULL, BAY_INHERIT); }
static void call_bay_channel_put_with(void) { (void)bay_channel_put_with(NULL, NULL, 0, 0, BAY_INHERIT); }
static void call_bay_channel_get(void) { (void)bay_channel_get(NULL, NULL, BAY_INHERIT); }
static void call_bay_channel_try_put(void) { (void)bay_channel_try_put(NULL, NULL); }
static void call_bay_channel_try_put_with(void) { (void)bay_channel_try_put_with(NULL, NULL, 0, 0); }
static void call_bay_channel_try_get(void) { (void)bay_channel_try_get(NULL, NULL); }
static void call_bay_channel_done(void) { (void)bay_channel_done(NULL); }
static void call_bay_channel_join(void) { (void)bay_channel_join(NULL, BAY_INHERIT); }
static void call_bay_channel_close(void) { bay_channel_close(NULL); }
static void call_bay_channel_close_now(void) { (void)bay_channel_close_now(NULL); }
static void call_bay_channel_size(void) { (void)bay_channel_size(NULL); }
static void call_bay_channel_bytes(void) { (void)bay_channel_bytes(NULL); }
static void call_bay_channel_unfinished(void) { (void)bay_channel_unfinished(NULL); }
static void call_bay_channel_empty(void) { (void)bay_channel_empty(NULL); }
static void call_bay_channel_full(void) { (void)bay_channel_full(NULL); }
static void call_bay_channel_closed(void) { (void)bay_channel_closed(NULL); }
static void call_bay_channel_name(void) { (void)bay_channel_name(NULL); }
static void call_bay_as_completed(void) { (void)bay_as_completed(NULL, 0); }
static void call_bay_completions_add(void) { (void)bay_completions_add(NULL, NULL); }
static void call_bay_completions_next(void) { (void)bay_completions_next(NULL, NULL, BAY_INHERIT); }
static void call_bay_completions_size(void) { (void)bay_completions_size(NULL); }
static void call_bay_completions_destroy(void) { bay_completions_destroy(NULL); }
static void call_bay_condition_create(void) { (void)bay_condition_create(NULL, NULL); }
static void call_bay_condition_destroy(void) { bay_condition_destroy(NULL); }
static void call_bay_condition_wait(void) { (void)bay_condition_wait(NULL, BAY_INHERIT); }
static void call_bay_condition_wait_for(void) { (void)bay_condition_wait_for(NULL, NULL, NULL, BAY_INHERIT); }
static void call_bay_condition_notify(void) { (void)bay_condition_notify(NULL, 0); }
static void call_bay_condition_notify_all(void) { (void)bay_condition_notify_all(NULL); }
static void call_bay_datagram_open(void) { (void)bay_datagram_open(NULL, NULL, NULL); }
static void call_bay_datagram_close(void) { bay_datagram_close(NULL); }
static void call_bay_datagram_send(void) { (void)bay_datagram_send(NULL, NULL, 0, NULL, BAY_INHERIT); }
static void call_bay_datagram_receive(void) { (void)bay_datagram_receive(NULL, NULL, 0, NULL, NULL, BAY_INHERIT); }
static void call_bay_datagram_join(void) { (void)bay_datagram_join(NULL, NULL, NULL); }
static void call_bay_datagram_leave(void) { (void)bay_datagram_leave(NULL, NULL, NULL); }
static void call_bay_datagram_address(void) { (void)bay_datagram_address(NULL); }
static void call_bay_datagram_fd(void) { (void)bay_datagram_fd(NULL); }
static void call_bay_shield(void) { (void)bay_shield(NULL, NULL, NULL, BAY_INHERIT); }
static void call_bay_event_destroy(void) { bay_event_destroy(NULL); }
static void call_bay_event_set(void) { bay_event_set(NULL); }
static void call_bay_event_clear(void) { bay_event_clear(NULL); }
static void call_bay_event_is_set(void) { (void)bay_event_is_set(NULL); }
static void call_bay_event_wait(void) { (void)bay_event_wait(NULL, BAY_INHERIT); }
static void call_bay_instance_name(void) { (void)bay_instance_name(NULL); }
static void call_bay_instance_index(void) { (void)bay_instance_index(NULL); }
static void call_bay_instance_settings(void) { (void)bay_instance_settings(NULL); }
static void call_bay_instance_set_state(void) { bay_instance_set_state(NULL, NULL); }
static void call_bay_instance_state(void) { (void)bay_instance_state(NULL); }
static void call_bay_instance_scope(void) { (void)bay_instance_scope(NULL); }
static void call_bay_instance_fail(void) { (void)bay_instance_fail(NULL, 0, "x"); }
static void call_bay_listen(void) { (void)bay_listen(NULL, NULL, NULL, BAY_INHERIT); }
static void call_bay_accept(void) { (void)bay_accept(NULL, NULL, BAY_INHERIT); }
static void call_bay_serve(void) { (void)bay_serve(NULL, NULL, NULL, 0, BAY_INHERIT); }
static void call_bay_listener_address(void) { bay_listener_address(NULL, NULL); }
static void call_bay_listener_close(void) { bay_listener_close(NULL); }
static void call_bay_local_destroy(void) { bay_local_destroy(NULL); }
static void call_bay_local_set(void) { (void)bay_local_set(NULL, NULL); }
static void call_bay_local_get(void) { (void)bay_local_get(NULL); }
static void call_bay_local_name(void) { (void)bay_local_name(NULL); }
static void call_bay_lock_destroy(void) { bay_lock_destroy(NULL); }
static void call_bay_lock_acquire(void) { (void)bay_lock_acquire(NULL, BAY_INHERIT); }
static void call_bay_lock_try_acquire(void) { (void)bay_lock_try_acquire(NULL); }
static void call_bay_lock_release(void) { (void)bay_lock_release(NULL); }
static void call_bay_lock_is_held(void) { (void)bay_lock_is_held(NULL); }
static void call_bay_lock_is_mine(void) { (void)bay_lock_is_mine(NULL); }
static void call_bay_resize(void) { (void)bay_resize(NULL, 0); }
static void call_bay_free(void) { bay_free(NULL); }
static void call_bay_message(void) { (void)bay_message(NULL, 0); }
static void call_bay_message_free(void) { bay_message_free(NULL); }
static void call_bay_message_data(void) { (void)bay_message_data(NULL); }
static void call_bay_message_size(void) { (void)bay_message_size(NULL); }
static void call_bay_message_text(void) { (void)bay_message_text(NULL); }
static void call_bay_message_read_int64(void) { (void)bay_message_read_int64(NULL, NULL); }
static void call_bay_once_destroy(void) { bay_once_destroy(NULL); }
static void call_bay_once_run(void) { (void)bay_once_run(NULL, NULL, NULL, BAY_INHERIT); }
static void call_bay_once_done(void) { (void)bay_once_done(NULL); }
static void call_bay_process_spawn(void) { (void)bay_process_spawn(NULL, NULL, BAY_INHERIT); }
static void call_bay_process_close(void) { bay_process_close(NULL); }
static void call_bay_process_wait(void) { (void)bay_process_wait(NULL, NULL, BAY_INHERIT); }
static void call_bay_process_poll(void) { (void)bay_process_poll(NULL, NULL); }
static void call_bay_process_pid(void) { (void)bay_process_pid(NULL); }
static void call_bay_process_kill(void) { (void)bay_process_kill(NULL, 0); }
static void call_bay_process_terminate(void) { (void)bay_process_terminate(NULL, 0, NULL, BAY_INHERIT); }
static void call_bay_process_fd(void) { (void)bay_process_fd(NULL, 0); }
static void call_bay_process_take_fd(void) { (void)bay_process_take_fd(NULL, 0); }
static void call_bay_process_communicate(void) { (void)bay_process_communicate(NULL, NULL, 0, 0, NULL, BAY_INHERIT); }
static void call_bay_process_captured(void) { (void)bay_process_captured(NULL, 0, NULL); }
static void call_bay_process_run(void) { (void)bay_process_run(NULL, NULL, 0, 0, NULL, BAY_INHERIT); }
static void call_bay_promise_destroy(void) { bay_promise_destroy(NULL); }
static void call_bay_promise_set(void) { (void)bay_promise_set(NULL, NULL); }
static void call_bay_promise_fail(void) { (void)bay_promise_fail(NULL, 0, "x"); }
static void call_bay_promise_cancel(void) { (void)bay_promise_cancel(NULL, NULL); }
static void call_bay_promise_wait(void) { (void)bay_promise_wait(NULL, NULL, BAY_INHERIT); }
static void call_bay_promise_done(void) { (void)bay_promise_done(NULL); }
static void call_bay_promise_status(void) { (void)bay_promise_status(NULL); }
static void call_bay_promise_error(void) { (void)bay_promise_error(NULL); }
static void call_bay_request_message(void) { (void)bay_request_message(NULL); }
static void call_bay_request_data(void) { (void)bay_request_data(NULL); }
static void call_bay_request_size(void) { (void)bay_request_size(NULL); }
static void call_bay_request_text(void) { (void)bay_request_text(NULL); }
static void call_bay_request_int64(void) { (void)bay_request_int64(NULL, NULL); }
static void call_bay_request_instance(void) { (void)bay_request_instance(NULL); }
static void call_bay_settings(void) { (void)bay_settings(NULL); }
static void call_bay_state(void) { (void)bay_state(NULL); }
static void call_bay_request_deadline(void) { (void)bay_request_deadline(NULL); }
static void call_bay_request_wants_reply(void) { (void)bay_request_wants_reply(NULL); }
static void call_bay_reply(void) { (void)bay_reply(NULL, NULL, 0); }
static void call_bay_reply_text(void) { (void)bay_reply_text(NULL, NULL); }
static void call_bay_reply_printf(void) { (void)bay_reply_printf(NULL, "x"); }
static void call_bay_reply_int64(void) { (void)bay_reply_int64(NULL, 0); }
static void call_bay_reply_message(void) { (void)bay_reply_message(NULL, NULL); }
static void call_bay_fail(void) { (void)bay_fail(NULL, 0, "x"); }
static void call_bay_fail_from(void) { (void)bay_fail_from(NULL, NULL, 0); }
static void call_bay_resolve(void) { (void)bay_resolve(NULL, NULL, 0, NULL, 0, NULL, BAY_INHERIT); }
static void call_bay_resolve_name(void) { (void)bay_resolve_name(NULL, NULL, 0, BAY_INHERIT); }
static void call_bay_scope_open_with(void) { (void)bay_scope_open_with(NULL); }
static void call_bay_scope_spawn(void) { (void)bay_scope_spawn(NULL, NULL, NULL, NULL); }
static void call_bay_scope_go(void) { (void)bay_scope_go(NULL, NULL, NULL, NULL); }
static void call_bay_scope_spawn_with(void) { (void)bay_scope_spawn_with(NULL, NULL, NULL, NULL, NULL, BAY_INHERIT); }
static void call_bay_scope_size(void) { (void)bay_scope_size(NULL); }
static void call_bay_scope_cancel(void) { bay_scope_cancel(NULL, NULL); }
static void call_bay_scope_close(void) { (void)bay_scope_close(NULL); }
static void call_bay_scope_wait(void) { (void)bay_scope_wait(NULL); }
static void call_bay_scope_failures(void) { (void)bay_scope_failures(NULL, NULL, 0); }
static void call_bay_semaphore_destroy(void) { bay_semaphore_destroy(NULL); }
static void call_bay_semaphore_acquire(void) { (void)bay_semaphore_acquire(NULL, 0, BAY_INHERIT); }
static void call_bay_semaphore_try_acquire(void) { (void)bay_semaphore_try_acquire(NULL, 0); }
static void call_bay_semaphore_release(void) { (void)bay_semaphore_release(NULL, 0); }
static void call_bay_semaphore_value(void) { (void)bay_semaphore_value(NULL); }
static void call_bay_select(void) { (void)bay_select(NULL, 0, NULL, BAY_INHERIT); }
static void call_bay_signal_close(void) { bay_signal_close(NULL); }
static void call_bay_signal_next(void) { (void)bay_signal_next(NULL, NULL, BAY_INHERIT); }
static void call_bay_connect(void) { (void)bay_connect(NULL, NULL, NULL, BAY_INHERIT); }
static void call_bay_connect_to(void) { (void)bay_connect_to(NULL, NULL, NULL, BAY_INHERIT); }
static void call_bay_stream_open_fd(void) { (void)bay_stream_open_fd(-1, NULL, NULL); }
static void call_bay_pipe(void) { (void)bay_pipe(NULL, NULL); }
static void call_bay_stream_pair(void) { (void)bay_stream_pair(NULL, NULL); }
static void call_bay_stream_close(void) { (void)bay_stream_close(NULL, BAY_INHERIT); }
static void call_bay_stream_abort(void) { bay_stream_abort(NULL); }
static void call_bay_stream_read(void) { (void)bay_stream_read(NULL, NULL, 0, NULL, BAY_INHERIT); }
static void call_bay_stream_read_exactly(void) { (void)bay_stream_read_exactly(NULL, NULL, 0, NULL, BAY_INHERIT); }
static void call_bay_stream_read_line(void) { (void)bay_stream_read_line(NULL, 0, NULL, NULL, BAY_INHERIT); }
static void call_bay_stream_read_until(void) { (void)bay_stream_read_until(NULL, NULL, 0, 0, NULL, NULL, BAY_INHERIT); }
static void call_bay_stream_read_all(void) { (void)bay_stream_read_all(NULL, 0, NULL, NULL, BAY_INHERIT); }
static void call_bay_stream_skip_until(void) { (void)bay_stream_skip_until(NULL, NULL, 0, BAY_INHERIT); }
static void call_bay_stream_at_eof(void) { (void)bay_stream_at_eof(NULL); }
static void call_bay_stream_write(void) { (void)bay_stream_write(NULL, NULL, 0, BAY_INHERIT); }
static void call_bay_stream_writev(void) { (void)bay_stream_writev(NULL, NULL, 0, BAY_INHERIT); }
static void call_bay_stream_sendfile(void) { (void)bay_stream_sendfile(NULL, -1, 0, 0, NULL, BAY_INHERIT); }
static void call_bay_stream_drain(void) { (void)bay_stream_drain(NULL, BAY_INHERIT); }
static void call_bay_stream_write_eof(void) { (void)bay_stream_write_eof(NULL); }
static void call_bay_stream_unread(void) { (void)bay_stream_unread(NULL); }
static void call_bay_stream_unsent(void) { (void)bay_stream_unsent(NULL); }
static void call_bay_stream_peer(void) { (void)bay_stream_peer(NULL, NULL); }
static void call_bay_stream_local(void) { (void)bay_stream_local(NULL, NULL); }
static void call_bay_stream_credentials(void) { (void)bay_stream_credentials(NULL, NULL); }
static void call_bay_stream_fd(void) { (void)bay_stream_fd(NULL); }
static void call_bay_stream_error(void) { (void)bay_stream_error(NULL); }
static void call_bay_stream_configure(void) { (void)bay_stream_configure(NULL, NULL); }
static void call_bay_spawn(void) { (void)bay_spawn(NULL, NULL, NULL); }
static void call_bay_go(void) { (void)bay_go(NULL, NULL, NULL); }
static void call_bay_join(void) { (void)bay_join(NULL, BAY_INHERIT); }
static void call_bay_gather(void) { (void)bay_gather(NULL, 0, BAY_INHERIT); }
static void call_bay_gather_all(void) { (void)bay_gather_all(NULL, 0, BAY_INHERIT); }
static void call_bay_wait(void) { (void)bay_wait(NULL, 0, (enum bay_wait_until)0, BAY_INHERIT); }
static void call_bay_wait_first(void) { (void)bay_wait_first(NULL, 0, NULL, BAY_INHERIT); }
static void call_bay_task_done(void) { (void)bay_task_done(NULL); }
static void call_bay_task_status(void) { (void)bay_task_status(NULL); }
static void call_bay_task_error(void) { (void)bay_task_error(NULL); }
static void call_bay_task_take_reply(void) { (void)bay_task_take_reply(NULL); }
static void call_bay_task_cancel(void) { bay_task_cancel(NULL, NULL); }
static void call_bay_task_free(void) { bay_task_free(NULL); }
static void call_bay_task_id(void) { (void)bay_task_id(NULL); }
static void call_bay_task_name(void) { (void)bay_task_name(NULL); }
static void call_bay_task_rename(void) { (void)bay_task_rename(NULL, NULL); }
static void call_bay_task_list(void) { (void)bay_task_list(NULL, 0); }
static void call_bay_task_cancel_id(void) { (void)bay_task_cancel_id(0, NULL); }
static void call_bay_task_add_callback(void) { (void)bay_task_add_callback(NULL, NULL, NULL); }
static void call_bay_task_remove_callback(void) { (void)bay_task_remove_callback(NULL, NULL, NULL); }
static void call_bay_ticker_destroy(void) { bay_ticker_destroy(NULL); }
static void call_bay_ticker_next(void) { (void)bay_ticker_next(NULL, NULL, BAY_INHERIT); }
static void call_bay_ticker_when(void) { (void)bay_ticker_when(NULL); }
static void call_bay_ticker_reset(void) { (void)bay_ticker_reset(NULL, 0); }
static void call_bay_tls_create(void) { (void)bay_tls_create(NULL, NULL, BAY_INHERIT); }
static void call_bay_tls_reload(void) { (void)bay_tls_reload(NULL, BAY_INHERIT); }
static void call_bay_tls_error(void) { (void)bay_tls_error(NULL); }
static void call_bay_tls_destroy(void) { bay_tls_destroy(NULL); }
static void call_bay_stream_start_tls(void) { (void)bay_stream_start_tls(NULL, NULL, NULL, BAY_INHERIT); }
static void call_bay_stream_tls(void) { (void)bay_stream_tls(NULL, NULL); }
static void call_bay_publish(void) { (void)bay_publish(NULL, NULL, BAY_INHERIT); }
static void call_bay_subscribe(void) { (void)bay_subscribe(NULL, NULL, NULL); }
static void call_bay_subscription_next(void) { (void)bay_subscription_next(NULL, NULL, NULL, BAY_INHERIT); }
static void call_bay_subscription_size(void) { (void)bay_subscription_size(NULL); }
static void call_bay_subscription_dropped(void) { (void)bay_subscription_dropped(NULL); }
static void call_bay_unsubscribe(void) { bay_unsubscribe(NULL); }
static void call_bay_arguments(void) { (void)bay_arguments(NULL); }
static void call_bay_trace_begin(void) { (void)bay_trace_begin(NULL); }
static void call_bay_traceparent(void) { (void)bay_traceparent(NULL, BAY_TRACEPARENT_SIZE); }
static void call_bay_trace_id(void) { (void)bay_trace_id(NULL, BAY_TRACE_ID_SIZE); }
static void call_bay_watch_open(void) { (void)bay_watch_open(NULL, 0, NULL); }
static void call_bay_watch_close(void) { bay_watch_close(NULL); }
static void call_bay_watch_next(void) { (void)bay_watch_next(NULL, NULL, BAY_INHERIT); }

const struct mistake null_mistakes[] = {
	{"address_parse", call_bay_address_parse},
	{"address_text", call_bay_address_text},
	{"address_family", call_bay_address_family},
	{"address_port", call_bay_address_port},
	{"address_set_port", call_bay_address_set_port},
	{"address_equal", call_bay_address_equal},
	{"request_arena", call_bay_request_arena},
	{"arena_destroy", call_bay_arena_destroy},
	{"arena_reset", call_bay_arena_reset},
	{"arena_alloc", call_bay_arena_alloc},
	{"arena_copy", call_bay_arena_copy},
	{"arena_printf", call_bay_arena_printf},
	{"arena_bytes", call_bay_arena_bytes},
	{"barrier_destroy", call_bay_barrier_destroy},
	{"barrier_wait", call_bay_barrier_wait},
	{"barrier_abort", call_bay_barrier_abort},
	{"barrier_reset", call_bay_barrier_reset},
	{"barrier_is_broken", call_bay_barrier_is_broken},
	{"barrier_waiting", call_bay_barrier_waiting},
	{"blocking", call_bay_blocking},
	{"service", call_bay_service},
	{"service_name", call_bay_service_name},
	{"call", call_bay_call},
	{"call_start", call_bay_call_start},
	{"send", call_bay_send},
	{"send_later", call_bay_send_later},
	{"channel_create_with", call_bay_channel_create_with},
	{"channel_destroy", call_bay_channel_destroy},
	{"channel_put", call_bay_channel_put},
	{"channel_put_with", call_bay_channel_put_with},
	{"channel_get", call_bay_channel_get},
	{"channel_try_put", call_bay_channel_try_put},
	{"channel_try_put_with", call_bay_channel_try_put_with},
	{"channel_try_get", call_bay_channel_try_get},
	{"channel_done", call_bay_channel_done},
	{"channel_join", call_bay_channel_join},
	{"channel_close", call_bay_channel_close},
	{"channel_close_now", call_bay_channel_close_now},
	{"channel_size", call_bay_channel_size},
	{"channel_bytes", call_bay_channel_bytes},
	{"channel_unfinished", call_bay_channel_unfinished},
	{"channel_empty", call_bay_channel_empty},
	{"channel_full", call_bay_channel_full},
	{"channel_closed", call_bay_channel_closed},
	{"channel_name", call_bay_channel_name},
	{"as_completed", call_bay_as_completed},
	{"completions_add", call_bay_completions_add},
	{"completions_next", call_bay_completions_next},
	{"completions_size", call_bay_completions_size},
	{"completions_destroy", call_bay_completions_destroy},
	{"condition_create", call_bay_condition_create},
	{"condition_destroy", call_bay_condition_destroy},
	{"condition_wait", call_bay_condition_wait},
	{"condition_wait_for", call_bay_condition_wait_for},
	{"condition_notify", call_bay_condition_notify},
	{"condition_notify_all", call_bay_condition_notify_all},
	{"datagram_open", call_bay_datagram_open},
	{"datagram_close", call_bay_datagram_close},
	{"datagram_send", call_bay_datagram_send},
	{"datagram_receive", call_bay_datagram_receive},
	{"datagram_join", call_bay_datagram_join},
	{"datagram_leave", call_bay_datagram_leave},
	{"datagram_address", call_bay_datagram_address},
	{"datagram_fd", call_bay_datagram_fd},
	{"shield", call_bay_shield},
	{"event_destroy", call_bay_event_destroy},
	{"event_set", call_bay_event_set},
	{"event_clear", call_bay_event_clear},
	{"event_is_set", call_bay_event_is_set},
	{"event_wait", call_bay_event_wait},
	{"instance_name", call_bay_instance_name},
	{"instance_index", call_bay_instance_index},
	{"instance_settings", call_bay_instance_settings},
	{"instance_set_state", call_bay_instance_set_state},
	{"instance_state", call_bay_instance_state},
	{"instance_scope", call_bay_instance_scope},
	{"instance_fail", call_bay_instance_fail},
	{"listen", call_bay_listen},
	{"accept", call_bay_accept},
	{"serve", call_bay_serve},
	{"listener_address", call_bay_listener_address},
	{"listener_close", call_bay_listener_close},
	{"local_destroy", call_bay_local_destroy},
	{"local_set", call_bay_local_set},
	{"local_get", call_bay_local_get},
	{"local_name", call_bay_local_name},
	{"lock_destroy", call_bay_lock_destroy},
	{"lock_acquire", call_bay_lock_acquire},
	{"lock_try_acquire", call_bay_lock_try_acquire},
	{"lock_release", call_bay_lock_release},
	{"lock_is_held", call_bay_lock_is_held},
	{"lock_is_mine", call_bay_lock_is_mine},
	{"resize", call_bay_resize},
	{"free", call_bay_free},
	{"message", call_bay_message},
	{"message_free", call_bay_message_free},
	{"message_data", call_bay_message_data},
	{"message_size", call_bay_message_size},
	{"message_text", call_bay_message_text},
	{"message_read_int64", call_bay_message_read_int64},
	{"once_destroy", call_bay_once_destroy},
	{"once_run", call_bay_once_run},
	{"once_done", call_bay_once_done},
	{"process_spawn", call_bay_process_spawn},
	{"process_close", call_bay_process_close},
	{"process_wait", call_bay_process_wait},
	{"process_poll", call_bay_process_poll},
	{"process_pid", call_bay_process_pid},
	{"process_kill", call_bay_process_kill},
	{"process_terminate", call_bay_process_terminate},
	{"process_fd", call_bay_process_fd},
	{"process_take_fd", call_bay_process_take_fd},
	{"process_communicate", call_bay_process_communicate},
	{"process_captured", call_bay_process_captured},
	{"process_run", call_bay_process_run},
	{"promise_destroy", call_bay_promise_destroy},
	{"promise_set", call_bay_promise_set},
	{"promise_fail", call_bay_promise_fail},
	{"promise_cancel", call_bay_promise_cancel},
	{"promise_wait", call_bay_promise_wait},
	{"promise_done", call_bay_promise_done},
	{"promise_status", call_bay_promise_status},
	{"promise_error", call_bay_promise_error},
	{"request_message", call_bay_request_message},
	{"request_data", call_bay_request_data},
	{"request_size", call_bay_request_size},
	{"request_text", call_bay_request_text},
	{"request_int64", call_bay_request_int64},
	{"request_instance", call_bay_request_instance},
	{"settings", call_bay_settings},
	{"state", call_bay_state},
	{"request_deadline", call_bay_request_deadline},
	{"request_wants_reply", call_bay_request_wants_reply},
	{"reply", call_bay_reply},
	{"reply_text", call_bay_reply_text},
	{"reply_printf", call_bay_reply_printf},
	{"reply_int64", call_bay_reply_int64},
	{"reply_message", call_bay_reply_message},
	{"fail", call_bay_fail},
	{"fail_from", call_bay_fail_from},
	{"resolve", call_bay_resolve},
	{"resolve_name", call_bay_resolve_name},
	{"scope_open_with", call_bay_scope_open_with},
	{"scope_spawn", call_bay_scope_spawn},
	{"scope_go", call_bay_scope_go},
	{"scope_spawn_with", call_bay_scope_spawn_with},
	{"scope_size", call_bay_scope_size},
	{"scope_cancel", call_bay_scope_cancel},
	{"scope_close", call_bay_scope_close},
	{"scope_wait", call_bay_scope_wait},
	{"scope_failures", call_bay_scope_failures},
	{"semaphore_destroy", call_bay_semaphore_destroy},
	{"semaphore_acquire", call_bay_semaphore_acquire},
	{"semaphore_try_acquire", call_bay_semaphore_try_acquire},
	{"semaphore_release", call_bay_semaphore_release},
	{"semaphore_value", call_bay_semaphore_value},
	{"select", call_bay_select},
	{"signal_close", call_bay_signal_close},
	{"signal_next", call_bay_signal_next},
	{"connect", call_bay_connect},
	{"connect_to", call_bay_connect_to},
	{"stream_open_fd", call_bay_stream_open_fd},
	{"pipe", call_bay_pipe},
	{"stream_pair", call_bay_stream_pair},
	{"stream_close", call_bay_stream_close},
	{"stream_abort", call_bay_stream_abort},
	{"stream_read", call_bay_stream_read},
	{"stream_read_exactly", call_bay_stream_read_exactly},
	{"stream_read_line", call_bay_stream_read_line},
	{"stream_read_until", call_bay_stream_read_until},
	{"stream_read_all", call_bay_stream_read_all},
	{"stream_skip_until", call_bay_stream_skip_until},
	{"stream_at_eof", call_bay_stream_at_eof},
	{"stream_write", call_bay_stream_write},
	{"stream_writev", call_bay_stream_writev},
	{"stream_sendfile", call_bay_stream_sendfile},
	{"stream_drain", call_bay_stream_drain},
	{"stream_write_eof", call_bay_stream_write_eof},
	{"stream_unread", call_bay_stream_unread},
	{"stream_unsent", call_bay_stream_unsent},
	{"stream_peer", call_bay_stream_peer},
	{"stream_local", call_bay_stream_local},
	{"stream_credentials", call_bay_stream_credentials},
	{"stream_fd", call_bay_stream_fd},
	{"stream_error", call_bay_stream_error},
	{"stream_configure", call_bay_stream_configure},
	{"spawn", call_bay_spawn},
	{"go", call_bay_go},
	{"join", call_bay_join},
	{"gather", call_bay_gather},
	{"gather_all", call_bay_gather_all},
	{"wait", call_bay_wait},
	{"wait_first", call_bay_wait_first},
	{"task_done", call_bay_task_done},
	{"task_status", call_bay_task_status},
	{"task_error", call_bay_task_error},
	{"task_take_reply", call_bay_task_take_reply},
	{"task_cancel", call_bay_task_cancel},
	{"task_free", call_bay_task_free},
	{"task_id", call_bay_task_id},
	{"task_name", call_bay_task_name},
	{"task_rename", call_bay_task_rename},
	{"task_list", call_bay_task_list},
	{"task_cancel_id", call_bay_task_cancel_id},
	{"task_add_callback", call_bay_task_add_callback},
	{"task_remove_callback", call_bay_task_remove_callback},
	{"ticker_destroy", call_bay_ticker_destroy},
	{"ticker_next", call_bay_ticker_next},
	{"ticker_when", call_bay_ticker_when},
	{"ticker_reset", call_bay_ticker_reset},
	{"tls_create", call_bay_tls_create},
	{"tls_reload", call_bay_tls_reload},
	{"tls_error", call_bay_tls_error},
	{"tls_destroy", call_bay_tls_destroy},
	{"stream_start_tls", call_bay_stream_start_tls},
	{"stream_tls", call_bay_stream_tls},
	{"publish", call_bay_publish},
	{"subscribe", call_bay_subscribe},
	{"subscription_next", call_bay_subscription_next},
	{"subscription_size", call_bay_subscription_size},
	{"subscription_dropped", call_bay_subscription_dropped},
	{"unsubscribe", call_bay_unsubscribe},
	{"arguments", call_bay_arguments},
	{"trace_begin", call_bay_trace_begin},
	{"traceparent", call_bay_traceparent},
	{"trace_id", call_bay_trace_id},
	{"watch_open", call_bay_watch_open},
	{"watch_close", call_bay_watch_close},
	{"watch_next", call_bay_watch_next},
	{NULL, NULL},
};
