/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tasks: coroutines with a stack of their own, all on the loop of the task that
 * started them, for life. Nothing runs at the same time on one loop; others run
 * only while a task awaits.
 *
 * A task belongs to a scope: by default to the task that spawned it. When a task
 * returns, what it spawned and did not collect is cancelled and waited for, so
 * nothing is lost and nothing outlives its owner. Its local variables are gone by
 * then: a task that was given a pointer to one must have been joined, or its scope
 * closed, before. If it has not begun, it never does (BAY_CANCELED); one that was
 * given other memory does begin, cancelled, so that it can free that.
 *
 * A started call (bay_call_start) is a task handle too and goes wherever one
 * goes here.
 *
 * Cancellation is a state, not an event: from then on every await of the task
 * ends with BAY_CANCELED, until it returns.
 *
 * All functions: inside a task.
 */
#ifndef BAY_TASK_H
#define BAY_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bay/abi.h>
#include <bay/message.h>
#include <bay/status.h>
#include <bay/time.h>

BAY_BEGIN_DECLS

struct bay_scope;
struct bay_task;

/* What a task runs. Its result is what bay_join() returns. */
typedef int bay_task_fn(void *arg);

/* Starts fn(arg) as a task named name (copied, up to 23 bytes; NULL: "task") of
 * the running task. The handle is owned by the caller until it is given to
 * bay_join() or bay_task_free(). NULL when there is no memory. Does not suspend: the
 * new task runs when this one awaits, and only then gets a stack; when there is none
 * for it, it ends with BAY_NO_MEMORY. Since 1.0. */
BAY_API struct bay_task *bay_spawn(const char *name, bay_task_fn *fn, void *arg) BAY_MUST_CHECK;

/* The same without a handle: nobody collects it. When it fails, that is logged
 * and the scope that owns it is cancelled. BAY_OK; BAY_NO_MEMORY (no stack for it
 * is a failure of the task); BAY_INVALID when fn is NULL, in a leaf handler and outside a task. Never suspends. Since 1.0. */
BAY_API int bay_go(const char *name, bay_task_fn *fn, void *arg);

/* Waits until the task has ended, gives its result and frees the handle. After
 * BAY_TIMEOUT and BAY_CANCELED the handle stays the caller's: either the wait
 * ended so or the task did, which bay_task_done() tells; what the caller does not
 * free then is freed at its own end. One that has ended gives its result even after
 * the deadline, but to a cancelled task BAY_CANCELED and stays. BAY_BUSY when
 * somebody else waits for it already, BAY_INVALID when it is the running task: then
 * nothing has changed. NULL counts as BAY_NO_MEMORY. Suspends. Since 1.0. */
BAY_API int bay_join(struct bay_task *task, int64_t deadline);

/* Waits for all. BAY_OK when all ended with BAY_OK; else the status of the first
 * that failed, after the others were cancelled and have ended; BAY_TIMEOUT or
 * BAY_CANCELED likewise; those that the deadline cancelled have ended with
 * BAY_TIMEOUT. A NULL in the list counts as BAY_NO_MEMORY. BAY_BUSY when somebody
 * else waits for one of them already or one stands twice in the list, BAY_INVALID
 * when one is the running task: then none was waited for or cancelled. The handles
 * stay the caller's (for bay_task_take_reply, bay_fail_from). Suspends.
 * Since 1.0. */
BAY_API int bay_gather(struct bay_task *const *tasks, size_t count, int64_t deadline);

/* Waits for all, whatever becomes of them: a failure cancels nobody. BAY_OK when all
 * have ended, well or not, each with its own bay_task_status(). BAY_TIMEOUT and
 * BAY_CANCELED are about the wait: those that had not ended by then have been
 * cancelled and have ended, those that the deadline cancelled with BAY_TIMEOUT.
 * BAY_BUSY and BAY_INVALID as for bay_gather(). The handles stay the caller's; a NULL
 * in the list has ended. Suspends. Since 1.0. */
BAY_API int bay_gather_all(struct bay_task *const *tasks, size_t count, int64_t deadline);

/* What bay_wait() waits for. */
enum bay_wait_until {
	BAY_UNTIL_ALL,    /* all have ended */
	BAY_UNTIL_ANY,    /* one has */
	BAY_UNTIL_ERROR   /* one has ended with another status than BAY_OK, or all have ended */
};

/* Waits for some of them and changes nothing: neither the end of the wait nor the
 * deadline, a failure or a cancellation cancels any of them, and no result counts as
 * collected. BAY_OK when what was waited for has happened (bay_task_done() says who has
 * ended), also if it had before; of an empty list nothing is waited for. BAY_TIMEOUT,
 * BAY_CANCELED; BAY_BUSY and BAY_INVALID as for bay_gather(), the latter also for an until
 * that there is not. A NULL in the list has ended with BAY_NO_MEMORY. Suspends. Since 1.0. */
BAY_API int bay_wait(struct bay_task *const *tasks, size_t count, enum bay_wait_until until,
	int64_t deadline);

/* Waits for the first that ends, well or not, and says which; the others go on. BAY_OK and
 * *index_r, also when one had ended before (a NULL has); BAY_TIMEOUT, BAY_CANCELED; BAY_BUSY
 * and BAY_INVALID as for bay_gather(), the latter also for an empty list. Suspends. Since
 * 1.0. */
BAY_API int bay_wait_first(struct bay_task *const *tasks, size_t count, size_t *index_r, int64_t deadline);

/* Whether it has ended; its result then (BAY_BUSY before) and the text of its
 * failure ("" if none; borrowed until the handle is freed). Never suspend.
 * Since 1.0. */
BAY_API bool bay_task_done(const struct bay_task *task);
BAY_API int bay_task_status(const struct bay_task *task);
BAY_API const char *bay_task_error(const struct bay_task *task);

/* The reply of a started call that ended with BAY_OK, handed over to the caller,
 * once; NULL otherwise. Never suspends. Since 1.0. */
BAY_API struct bay_message *bay_task_take_reply(struct bay_task *task) BAY_MUST_CHECK;

/* Asks the task to end, with a reason that it and the log can read (copied, cut
 * at 63 bytes). Nothing happens to one that has ended. Never suspends. Since
 * 1.0. */
BAY_API void bay_task_cancel(struct bay_task *task, const char *reason);

/* Gives the handle up; one that has not ended is cancelled and goes on ending
 * without anybody waiting. NULL is allowed. Never suspends. Since 1.0. */
BAY_API void bay_task_free(struct bay_task *task);

/* Lets the other ready tasks of the loop run once: BAY_OK, BAY_CANCELED or
 * BAY_TIMEOUT (the inherited deadline); they run in any case. Suspends. Since 1.0. */
BAY_API int bay_yield(void);

/* Why the running task is cancelled, or NULL while it is not, and outside a task. A leaf handler
 * may be run by the task of its caller and then asks about that. Borrowed until the task ends.
 * Never suspends. Since 1.0. */
BAY_API const char *bay_cancel_reason(void);

/* The running task; NULL outside a task and in a leaf handler. Borrowed until it ends,
 * for the functions below, bay_task_cancel() and callbacks; joining or freeing it is its
 * owner's. Never suspends. Since 1.0. */
BAY_API struct bay_task *bay_task_current(void);

/* A number that no other task of this loop ever has, from 1; 0 for a started call and
 * NULL. Never suspends. Since 1.0. */
BAY_API uint64_t bay_task_id(const struct bay_task *task);

/* The task's name; "" for a started call and NULL. Borrowed until the task is renamed or
 * its handle is freed. Never suspends. Since 1.0. */
BAY_API const char *bay_task_name(const struct bay_task *task);

/* Gives it another name (copied, up to 23 bytes). BAY_OK; BAY_INVALID for a started call,
 * a task that has ended, NULL. Never suspends. Since 1.0. */
BAY_API int bay_task_rename(struct bay_task *task, const char *name);

enum bay_task_state {
	BAY_TASK_READY,    /* its turn will come */
	BAY_TASK_RUNNING,  /* it asks, or waits for a direct call to come back */
	BAY_TASK_WAITING   /* waits */
};

/* What there is to say about a task at one moment; numbers and texts only, so that it stays
 * what it is when the task is gone. */
struct bay_task_info {
	uint64_t id;
	uint64_t parent;          /* id of the task that owns it; 0: none, as a handler */
	int64_t started_ns;       /* of the monotonic clock */
	enum bay_task_state state;
	bool canceled;
	char name[24];
	char waiting_on[96];      /* what it waits for, in words; "" while it does not */
	unsigned unused[8];
};

/* Fills infos with the tasks of the running service on this loop, the running one among
 * them, size at most, and returns how many there are. 0 outside a task and in a leaf
 * handler. Never suspends. Since 1.0. */
BAY_API size_t bay_task_list(struct bay_task_info *infos, size_t size);

/* bay_task_cancel() for one of those, known by its id: BAY_OK, BAY_NOT_FOUND when it has
 * ended, BAY_INVALID outside a task. Never suspends. Since 1.0. */
BAY_API int bay_task_cancel_id(uint64_t id, const char *reason);

/* Called when a task ends, after all that it spawned and before anybody who waits for it
 * goes on. The task is borrowed for the call. This code has no task of its own: it may set
 * events and promises, cancel, log and free, but every function that may suspend or starts
 * a task gives BAY_INVALID or NULL here. */
typedef void bay_task_end_fn(struct bay_task *task, int status, void *arg);

/* Lets fn be called when the task ends, in the order of adding; at once when it has ended
 * already. It is called also when nobody holds the handle any more. BAY_OK, BAY_NO_MEMORY,
 * BAY_INVALID for a started call. Never suspends. Since 1.0. */
BAY_API int bay_task_add_callback(struct bay_task *task, bay_task_end_fn *fn, void *arg);

/* Takes such callbacks back; returns how many there were. Never suspends. Since 1.0. */
BAY_API size_t bay_task_remove_callback(struct bay_task *task, bay_task_end_fn *fn, void *arg);

/* The deadline that the running task inherited; in a leaf handler that of its call. BAY_INHERIT:
 * none, as outside a task. Never suspends. Since 1.0. */
BAY_API int64_t bay_deadline(void);

BAY_END_DECLS

#endif
