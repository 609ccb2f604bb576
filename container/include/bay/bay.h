/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything a plugin needs, in one line. Every header stands alone too. */
#ifndef BAY_BAY_H
#define BAY_BAY_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/address.h>
#include <bay/arena.h>
#include <bay/barrier.h>
#include <bay/blocking.h>
#include <bay/call.h>
#include <bay/channel.h>
#include <bay/completions.h>
#include <bay/condition.h>
#include <bay/datagram.h>
#include <bay/deadline.h>
#include <bay/event.h>
#include <bay/fd.h>
#include <bay/instance.h>
#include <bay/listener.h>
#include <bay/local.h>
#include <bay/lock.h>
#include <bay/log.h>
#include <bay/memory.h>
#include <bay/message.h>
#include <bay/once.h>
#include <bay/monitor.h>
#include <bay/plugin.h>
#include <bay/process.h>
#include <bay/promise.h>
#include <bay/request.h>
#include <bay/resolve.h>
#include <bay/scope.h>
#include <bay/semaphore.h>
#include <bay/select.h>
#include <bay/setting.h>
#include <bay/signal.h>
#include <bay/status.h>
#include <bay/stream.h>
#include <bay/task.h>
#include <bay/ticker.h>
#include <bay/time.h>
#include <bay/tls.h>
#include <bay/topic.h>
#include <bay/trace.h>
#include <bay/verb.h>
#include <bay/watch.h>

#endif
