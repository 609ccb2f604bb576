# SPDX-License-Identifier: BSD-2-Clause
"""What the table of figures shows: Bay's scenarios, their aims, and what compares to them.

A peer stands beside a scenario only where it measures the same thing for whoever writes the
program: a request to a service of the same process that is answered, a task that is started
and waited for, an item through a bounded queue.
"""

K, M = 1000, 1_000_000


class Scenario:
    """A row. The program prints it when asked for `asked` (itself, if that is empty)."""

    def __init__(self, name, program, aim=None, asked="", **peers):
        self.name = name
        self.program = program
        self.aim = aim          # (number, unit as printed); a rate has none
        self.asked = asked or name
        self.peers = peers      # peer: (its scenario, how often)


# Which figure of a peer's answer stands beside a row of this ending.
FIGURES = {"_resident": ("rss_per_task_bytes", 1 / 1024)}

SCENARIOS = [
    # Within one loop.
    Scenario("call_leaf", "bench_calls", (15, "ns"), node=("call_emit", 2 * M)),
    Scenario("call", "bench_calls", (40, "ns"), asyncio=("call", 100 * K), go=("call", 2 * M),
             erlang=("call", M), node=("call", M)),
    Scenario("call_leaf_breaker", "bench_calls"),
    Scenario("call_breaker", "bench_calls"),
    Scenario("call_parks", "bench_calls"),
    Scenario("call_queued", "bench_calls"),
    Scenario("pipeline", "bench_calls", asyncio=("pipeline", 100 * K), go=("pipeline", 2 * M),
             erlang=("pipeline", M), node=("pipeline", M)),
    Scenario("yield", "bench_tasks", (25, "ns"), asyncio=("yield", 400 * K), go=("yield", 5 * M),
             erlang=("yield", 5 * M), node=("yield_micro", 5 * M)),
    Scenario("yield_1000", "bench_tasks"),
    Scenario("spawn", "bench_tasks", (150, "ns"), asyncio=("spawn", 100 * K), go=("spawn", M),
             erlang=("spawn", 800 * K), node=("spawn", 2 * M)),
    Scenario("spawn_gather", "bench_tasks", (120, "ns"), asyncio=("spawn_gather", 100 * K),
             go=("spawn_gather", M), erlang=("spawn_gather", 800 * K), node=("spawn_gather", M)),
    Scenario("queue", "bench_queue", (60, "ns"), asyncio=("queue", 500 * K), go=("queue", 5 * M),
             erlang=("queue", 2 * M), node=("queue", 4 * M)),
    Scenario("queue_mpmc", "bench_queue", asyncio=("queue_mpmc", 500 * K),
             go=("queue_mpmc", 5 * M), erlang=("queue_mpmc", 500 * K),
             node=("queue_mpmc", 4 * M)),
    Scenario("queue_rendezvous", "bench_queue"),
    Scenario("topic", "bench_queue"),
    Scenario("topic_8_readers", "bench_queue"),
    Scenario("lock_uncontended", "bench_meetings", (20, "ns"), asyncio=("lock", 500 * K)),
    Scenario("lock_handed_on", "bench_meetings"),
    Scenario("semaphore_uncontended", "bench_meetings"),
    Scenario("send", "bench_queue"),
    # Streams: from the other end. The bare loop is an epoll loop written by hand, in the same run.
    Scenario("echo", "bench_streams"),
    Scenario("echo_bare_loop", "bench_streams", None, "echo"),
    Scenario("echo_of_bare", "bench_streams", (0.9, "x"), "echo"),
    Scenario("readline", "bench_streams", (1000, "ns/kB")),
    Scenario("stream_idle", "bench_streams"),
    # Programs: cat gives back what it is sent.
    Scenario("exec_once", "bench_exec"),
    Scenario("exec_once_4", "bench_exec"),
    Scenario("exec_line", "bench_exec"),
    Scenario("exec_line_4", "bench_exec"),
    Scenario("exec_length", "bench_exec"),
    # Between two loops.
    Scenario("call_cross", "bench_calls", go=("call_cross", 20 * K), erlang=("call_cross", 100 * K),
             node=("call_cross", 15 * K)),
    Scenario("pipeline_cross", "bench_calls"),
    Scenario("send_two_loops", "bench_queue"),
    # Between two cells, each with one loop. Of 64 bytes there and back, 500 ns are two million a second.
    Scenario("call_isolated", "bench_links", (1500, "ns")),
    Scenario("pipeline_isolated", "bench_links", (500, "ns")),
    Scenario("send_isolated", "bench_links"),
    Scenario("call_isolated_64_bytes", "bench_links"),
    Scenario("call_isolated_64k", "bench_links"),
    Scenario("call_isolated_64m", "bench_links"),
    Scenario("publish_isolated", "bench_links"),
    # A service in a cell of its own: from a crash to the next request that it serves, and its memory.
    Scenario("crash_to_served", "bench_cells", (50, "ms"), "crash"),
    Scenario("crash_to_served_p99", "bench_cells", None, "crash"),
    Scenario("cell_rss", "bench_cells", (4, "MiB"), "cell"),
    Scenario("cell_pss", "bench_cells", None, "cell"),
    # A service beside one that 40 callers flood, which share a loop: 200 us of computing for each request.
    Scenario("flood_p99_alone", "bench_flood", None, "flood"),
    Scenario("flood_p99_beside", "bench_flood", None, "flood"),
    Scenario("flood_p99_turns", "bench_flood", None, "flood"),
    Scenario("flood_p99_wait", "bench_flood", (200, "us"), "flood"),
    Scenario("flood_p99_ratio", "bench_flood", (2, "x"), "flood"),
    Scenario("flood_weight_p99_ratio", "bench_flood", (2, "x"), "weight"),
    Scenario("flood_two_loops_p99_ratio", "bench_flood", (2, "x"), "two_loops"),
    Scenario("flood_other_cell_p99_ratio", "bench_flood", (2, "x"), "other_cell"),
    # Tasks that all wait at once.
    Scenario("sleepers_100k", "bench_tasks", asyncio=("sleepers", 100 * K),
             go=("sleepers", 100 * K), erlang=("sleepers", 100 * K), node=("sleepers", 100 * K)),
    Scenario("sleepers_100k_resident", "bench_tasks", (4.6, "KiB"), "sleepers_100k",
             asyncio=("sleepers", 100 * K), go=("sleepers", 100 * K),
             erlang=("sleepers", 100 * K), node=("sleepers", 100 * K)),
    Scenario("sleepers_100k_page_tables", "bench_tasks", None, "sleepers_100k"),
    Scenario("sleepers_100k_last_late", "bench_tasks", None, "sleepers_100k"),
    Scenario("sleepers_100k_early", "bench_tasks", (0, "tasks"), "sleepers_100k"),
    Scenario("sleepers_1m", "bench_tasks"),
    Scenario("sleepers_1m_resident", "bench_tasks", None, "sleepers_1m"),
    Scenario("sleepers_1m_page_tables", "bench_tasks", None, "sleepers_1m"),
    Scenario("sleepers_1m_last_late", "bench_tasks", None, "sleepers_1m"),
    Scenario("sleepers_1m_early", "bench_tasks", (0, "tasks"), "sleepers_1m"),
    # The daemon with the samples.
    Scenario("daemon_start", "bench_daemon", (100, "ms"), "daemon"),
    Scenario("daemon_idle_pss", "bench_daemon", (12, "MiB"), "daemon"),
    Scenario("daemon_idle_rss", "bench_daemon", None, "daemon"),
    Scenario("ctl_call_1_rate", "bench_daemon", None, "ctl_call"),
    Scenario("ctl_call_1_p50", "bench_daemon", None, "ctl_call"),
    Scenario("ctl_call_1_p99", "bench_daemon", None, "ctl_call"),
    Scenario("ctl_call_16_rate", "bench_daemon", None, "ctl_call"),
    Scenario("ctl_call_16_p50", "bench_daemon", None, "ctl_call"),
    Scenario("ctl_call_16_p99", "bench_daemon", None, "ctl_call"),
    # A thousand swaps under 64 callers: p99 with them and without, and how many times that is.
    Scenario("swap", "bench_swaps"),
    Scenario("swap_call_p50", "bench_swaps", None, "swap"),
    Scenario("swap_call_p99", "bench_swaps", None, "swap"),
    Scenario("swap_call_p99_quiet", "bench_swaps", None, "swap"),
    Scenario("swap_call_p99_ratio", "bench_swaps", (3, "x"), "swap"),
    # The parts below.
    Scenario("fiber_switch", "bench_fiber", (6.4, "ns")),
    Scenario("fiber_switch_ring_4", "bench_fiber"),
    Scenario("fiber_switch_ring_100", "bench_fiber"),
    Scenario("fiber_switch_ring_1000", "bench_fiber"),
    Scenario("fiber_start_and_end", "bench_fiber"),
    Scenario("stack_take_and_give", "bench_fiber"),
    Scenario("stack_fresh", "bench_fiber", None, "stack_fresh"),
    Scenario("stack_cool", "bench_fiber", None, "stack_fresh"),
    Scenario("timer_add_and_remove", "bench_loop"),
    Scenario("timer_add_and_fire", "bench_loop", (9, "ns")),
    Scenario("timer_add_and_fire_100k", "bench_loop"),
    Scenario("timer_add_and_fire_1m", "bench_loop"),
    Scenario("inbox_look", "bench_loop"),
    Scenario("inbox_post_and_run", "bench_loop"),
    Scenario("loop_poll", "bench_loop"),
    Scenario("udp_there_and_back", "bench_datagrams"),
    Scenario("udp_there_and_back_epoll", "bench_datagrams"),
    Scenario("udp_there_and_back_64", "bench_datagrams"),
    Scenario("udp_there_and_back_64_epoll", "bench_datagrams"),
    Scenario("resolve_known", "bench_datagrams"),
    Scenario("loop_post_spinning", "bench_loop"),
    Scenario("loop_post_held_10us", "bench_loop"),
    Scenario("loop_post_held_40us", "bench_loop"),
    Scenario("loop_post_held_200us", "bench_loop"),
    Scenario("loop_post_asleep", "bench_loop"),
    Scenario("loop_post_asleep_held_200us", "bench_loop"),
]
