#!/usr/bin/env node
// SPDX-License-Identifier: BSD-2-Clause
'use strict';
// Peer benchmark: Node promises, timers and worker threads.
//
// usage: node_bench.js SCENARIO N
//
// call        an async service loop that awaits an in-process queue
// call_emit   the same through EventEmitter (the service answers inside emit)
// await_direct  await of an async function, no service
// call_cross  a worker thread and MessagePort
// yield       setImmediate (a loop turn); yield_micro: await null
const fs = require('fs');
const { EventEmitter } = require('events');
const { Worker, isMainThread, parentPort } = require('worker_threads');

const CALLERS = 1000, BATCH = 10000, QUEUE_CAP = 1024, SLEEP_MS = 3000;

if (!isMainThread) {
  parentPort.on('message', (n) => parentPort.postMessage(n * n));
  return;
}

function vm(field) {
  const m = new RegExp('^' + field + ':\\s+(\\d+)', 'm')
    .exec(fs.readFileSync('/proc/self/status', 'utf8'));
  return m ? Number(m[1]) : 0;
}

// A bounded FIFO with promises on both ends.
class Queue {
  constructor(cap) {
    this.ring = new Array(cap); this.cap = cap; this.head = 0; this.len = 0;
    this.getters = []; this.putters = [];
  }
  put(x) {                       // a promise only when full
    if (this.getters.length) { this.getters.shift()(x); return undefined; }
    if (this.len < this.cap) { this.push(x); return undefined; }
    return new Promise((res) => this.putters.push([x, res]));
  }
  get() {
    if (this.len === 0) return new Promise((res) => this.getters.push(res));
    const x = this.ring[this.head];
    this.head = (this.head + 1) % this.cap; this.len--;
    if (this.putters.length) { const [y, res] = this.putters.shift(); this.push(y); res(); }
    return x;
  }
  push(x) { this.ring[(this.head + this.len++) % this.cap] = x; }
}

async function service(inbox) {
  for (;;) { const r = await inbox.get(); r.res(r.n * r.n); }
}
const ask = (inbox, n) => new Promise((res) => { inbox.put({ n, res }); });
const square = async (n) => n * n;

const timed = async (fn) => {
  const t0 = process.hrtime.bigint();
  await fn();
  return Number(process.hrtime.bigint() - t0);
};

async function queueRun(n, pairs) {
  const q = new Queue(QUEUE_CAP), k = n / pairs | 0, all = [];
  const producer = async () => { for (let i = 0; i < k; i++) await q.put(i); };
  const consumer = async () => { for (let i = 0; i < k; i++) await q.get(); };
  return timed(() => {
    for (let p = 0; p < pairs; p++) all.push(producer(), consumer());
    return Promise.all(all);
  });
}

const scenarios = {
  async call(n) {
    const inbox = new Queue(QUEUE_CAP);
    service(inbox);
    return timed(async () => { for (let i = 0; i < n; i++) await ask(inbox, i); });
  },
  async call_emit(n) {
    const bus = new EventEmitter();
    bus.on('request', (x, res) => res(x * x));
    return timed(async () => {
      for (let i = 0; i < n; i++) await new Promise((res) => bus.emit('request', i, res));
    });
  },
  async await_direct(n) {
    return timed(async () => { for (let i = 0; i < n; i++) await square(i); });
  },
  async call_cross(n) {
    const w = new Worker(__filename);
    await new Promise((res) => w.once('online', res));
    let done;
    w.on('message', (r) => done(r));
    const one = (i) => new Promise((res) => { done = res; w.postMessage(i); });
    await one(0);
    const t = await timed(async () => { for (let i = 0; i < n; i++) await one(i); });
    await w.terminate();
    return t;
  },
  async pipeline(n) {
    const inbox = new Queue(QUEUE_CAP), k = n / CALLERS | 0;
    service(inbox);
    const caller = async () => { for (let i = 0; i < k; i++) await ask(inbox, i); };
    return timed(() => Promise.all(Array.from({ length: CALLERS }, caller)));
  },
  async spawn(n) {               // a job of its own on the microtask queue
    return timed(async () => {
      for (let i = 0; i < n; i++) await Promise.resolve(i).then(square);
    });
  },
  async spawn_gather(n) {
    return timed(async () => {
      for (let r = 0; r < n / BATCH; r++)
        await Promise.all(Array.from({ length: BATCH }, (_, i) => Promise.resolve(i).then(square)));
    });
  },
  async sleepers(n) {
    const t = await timed(() => Promise.all(Array.from({ length: n },
      async () => { await new Promise((res) => setTimeout(res, SLEEP_MS)); })));
    return t - SLEEP_MS * 1e6;
  },
  queue: (n) => queueRun(n, 1),
  queue_mpmc: (n) => queueRun(n, 4),
  async yield(n) {
    const spin = async (k) => { for (let i = 0; i < k; i++) await new Promise(setImmediate); };
    return timed(() => Promise.all([spin(n / 2), spin(n / 2)]));
  },
  async yield_micro(n) {
    const spin = async (k) => { for (let i = 0; i < k; i++) await null; };
    return timed(() => Promise.all([spin(n / 2), spin(n / 2)]));
  },
};

const [name, count] = process.argv.slice(2);
if (!scenarios[name] || !count) {
  console.error('usage: node_bench.js SCENARIO N\n' + Object.keys(scenarios).join(' '));
  process.exit(2);
}
const n = Number(count), base = vm('VmRSS');
scenarios[name](n).then((ns) => {
  const out = { peer: 'node', scenario: name, n, seconds: ns / 1e9,
    per_op_ns: Math.round(ns / n * 10) / 10, rss_kb: vm('VmHWM') };
  if (name === 'sleepers') out.rss_per_task_bytes = Math.round((out.rss_kb - base) * 1024 / n);
  console.log(JSON.stringify(out));
  process.exit(0);
});
