#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Peer benchmark: asyncio (or uvloop with --uvloop).

usage: asyncio_bench.py [--uvloop] SCENARIO N

Prints one JSON line; "seconds" covers the scenario only, not start-up.
"""
import asyncio
import json
import sys
import time

CALLERS = 1000        # pipeline
BATCH = 10_000        # spawn_gather
QUEUE_CAP = 1024
SLEEP_S = 3.0


def vm(field):
    with open("/proc/self/status") as f:
        for line in f:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    return 0


# ---- request/reply: a service task owning an inbox queue -------------------

async def service(inbox):
    while True:
        n, reply = await inbox.get()
        reply.set_result(n * n)


async def ask(loop, inbox, n):
    reply = loop.create_future()
    inbox.put_nowait((n, reply))
    return await reply


async def square(n):
    return n * n


async def call(n):
    loop = asyncio.get_running_loop()
    inbox = asyncio.Queue()
    svc = asyncio.create_task(service(inbox))
    t0 = time.perf_counter()
    for i in range(n):
        await ask(loop, inbox, i)
    dt = time.perf_counter() - t0
    svc.cancel()
    return dt


async def await_direct(n):
    t0 = time.perf_counter()
    for i in range(n):
        await square(i)
    return time.perf_counter() - t0


async def pipeline(n):
    loop = asyncio.get_running_loop()
    inbox = asyncio.Queue()
    svc = asyncio.create_task(service(inbox))

    async def caller(k):
        for i in range(k):
            await ask(loop, inbox, i)

    t0 = time.perf_counter()
    await asyncio.gather(*(caller(n // CALLERS) for _ in range(CALLERS)))
    dt = time.perf_counter() - t0
    svc.cancel()
    return dt


# ---- tasks ----------------------------------------------------------------

async def spawn(n):
    t0 = time.perf_counter()
    for i in range(n):
        await asyncio.create_task(square(i))
    return time.perf_counter() - t0


async def spawn_gather(n):
    t0 = time.perf_counter()
    for _ in range(n // BATCH):
        await asyncio.gather(*(asyncio.create_task(square(i)) for i in range(BATCH)))
    return time.perf_counter() - t0


async def sleepers(n):
    t0 = time.perf_counter()
    tasks = [asyncio.create_task(asyncio.sleep(SLEEP_S)) for _ in range(n)]
    for t in tasks:
        await t
    return time.perf_counter() - t0 - SLEEP_S


async def yield_(n):
    async def spin(k):
        for _ in range(k):
            await asyncio.sleep(0)

    t0 = time.perf_counter()
    await asyncio.gather(spin(n // 2), spin(n // 2))
    return time.perf_counter() - t0


# ---- bounded queue --------------------------------------------------------

async def queue_run(n, pairs):
    q = asyncio.Queue(QUEUE_CAP)

    async def producer(k):
        for i in range(k):
            await q.put(i)

    async def consumer(k):
        for _ in range(k):
            await q.get()

    t0 = time.perf_counter()
    await asyncio.gather(*(producer(n // pairs) for _ in range(pairs)),
                         *(consumer(n // pairs) for _ in range(pairs)))
    return time.perf_counter() - t0


async def queue(n):
    return await queue_run(n, 1)


async def queue_mpmc(n):
    return await queue_run(n, 4)


# ---- locks ----------------------------------------------------------------

async def lock(n):
    free = asyncio.Lock()
    t0 = time.perf_counter()
    for _ in range(n):
        await free.acquire()
        free.release()
    return time.perf_counter() - t0


SCENARIOS = {
    "call": call, "await_direct": await_direct, "pipeline": pipeline,
    "spawn": spawn, "spawn_gather": spawn_gather, "sleepers": sleepers,
    "queue": queue, "queue_mpmc": queue_mpmc, "lock": lock, "yield": yield_,
}


def main():
    args = sys.argv[1:]
    peer = "asyncio"
    if "--uvloop" in args:
        args.remove("--uvloop")
        import uvloop
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
        peer = "uvloop"
    if len(args) != 2 or args[0] not in SCENARIOS:
        sys.exit("usage: asyncio_bench.py [--uvloop] SCENARIO N\n" + " ".join(SCENARIOS))
    name, n = args[0], int(args[1])
    base = vm("VmRSS")
    dt = asyncio.run(SCENARIOS[name](n))
    peak = vm("VmHWM")
    out = {"peer": peer, "scenario": name, "n": n, "seconds": round(dt, 6),
           "per_op_ns": round(dt / n * 1e9, 1), "rss_kb": peak}
    if name == "sleepers":
        out["rss_per_task_bytes"] = round((peak - base) * 1024 / n)
    print(json.dumps(out))


main()
