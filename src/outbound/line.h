/* SPDX-License-Identifier: Apache-2.0 */
/* The server's end of one application's process for outbound requests: a queue, what is under way,
 * and what becomes of it when the process dies, hangs or lies.
 *
 * Never blocks: requests travel in files, and a socket that takes no more counts as a process that
 * hangs.  The process is asked for when there is something to ask and ended when there was nothing
 * for a while.  Whoever owns the line watches its socket and calls line_tick now and then.  One
 * thread. */
#ifndef OUTBOUND_LINE_H
#define OUTBOUND_LINE_H

#include "base/clock.h"
#include "outbound/message.h"

enum {
    LINE_QUEUE_COUNT_MAX = 64,  /* requests that wait behind those under way */
    LINE_IDLE_MS = 60000,       /* then the process is ended */
    LINE_HANG_MS = 3000,        /* beyond a request's own limit */
    LINE_DEATHS_MAX = 4,        /* in a row: then what waits fails too */
    LINE_RESTART_MS_MIN = 100,  /* between a process that died and the next, */
    LINE_RESTART_MS_MAX = 10000 /* doubled each time that none answered between */
};

struct line;
struct line_ticket;

struct line_options {
    unsigned concurrency; /* requests under way, at most JOURNEY_COUNT_MAX */
    const struct clock *clock;
    void *context;
    /* Have a process started: line_attach or line_failed, once, now or later. */
    void (*start)(void *context, struct line *line);
    /* The socket is about to be closed; `is_hanging`: the process has to be killed. */
    void (*detached)(void *context, struct line *line, bool is_hanging);
};

MUST_CHECK bool line_new(struct line **line, const struct line_options *options,
                         struct error *error);
/* What is under way is forgotten without an answer. */
void line_free(struct line *line);
DEFINE_AUTO(line, line_free)

/* `answer` is borrowed for the call; NULL: `error` says why.  `is_ours`: no server was at fault
 * (CRASHED: the process died, UNAVAILABLE: there is none). */
typedef void line_done(void *context, const struct outbound_answer *answer,
                       const struct error *error, bool is_ours);
/* `request` is copied.  `done` once, never from within, unless cancelled.  BUSY: the queue is full.
 */
MUST_CHECK bool line_fetch(struct line_ticket **ticket, struct line *line,
                           const struct outbound_request *request, line_done *done, void *context,
                           struct error *error);
void line_cancel(struct line_ticket *ticket);

/* The process is there: its socket, taken over. */
void line_attach(struct line *line, int socket);
void line_failed(struct line *line, const struct error *error);
/* -1: there is none. */
int line_socket(const struct line *line);
/* Something can be read from it. */
void line_read(struct line *line);
/* Looks at the clock: what hangs, what is to be started, what is idle. */
void line_tick(struct line *line);
/* Nothing is under way and there is no process. */
bool line_is_idle(const struct line *line);
/* Nothing is under way: it may be freed, and the process ends. */
bool line_can_rest(const struct line *line);
/* CLOCK_MONOTONIC of its last work. */
uint64_t line_idle_ns(const struct line *line);

#endif
