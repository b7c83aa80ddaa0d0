/* SPDX-License-Identifier: Apache-2.0 */
/* How the supervisor's children start, each in its control group, and how they are ended. */
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "cmd/s3nd/requests.h"
#include "cmd/s3nd/supervisor_parts.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

void child_log(enum log_level level, const char *event, const struct child *child, const char *note)
{
    char pid[24];
    snprintf(pid, sizeof(pid), "%d", (int)child->pid);
    log_line(level, event, "child", child_kind_name(child->kind), "pid", pid, "note", note, NULL);
}

bool child_begin(struct supervisor *supervisor, struct child *child, struct error *error)
{
    return groups_begin(&supervisor->groups, child->kind, &child->group,
                        &supervisor->launcher.group, error);
}

bool child_add(struct supervisor *supervisor, const struct child *child, struct error *error)
{
    if (children_add(&supervisor->children, child)) {
        child_log(LOG_LEVEL_DEBUG, "started", child, "");
        return true;
    }
    kill(child->pid, SIGKILL);
    return error_set(error, ERROR_LIMIT, "more than %d children", CHILD_COUNT_MAX);
}

void child_began(struct supervisor *supervisor, const struct child *child, bool started)
{
    file_close(&supervisor->launcher.group);
    if (!started)
        (void)groups_end(&supervisor->groups, child->group);
}

static bool socket_pair(int pair[2], struct error *error)
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 ||
           error_system(error, "socket pair");
}

bool child_start(struct supervisor *supervisor, struct child *child, int *socket,
                 struct error *error)
{
    const struct launcher *launcher = &supervisor->launcher;
    int pair[2] = { -1, -1 };
    child->deadline_ns = UINT64_MAX;
    if (!socket_pair(pair, error))
        return false;
    bool started = child_begin(supervisor, child, error);
    if (started && child->kind == CHILD_KEEPER)
        started = launch_keeper(launcher, pair[1], &child->pid, error);
    else if (started && child->kind == CHILD_OUTBOUND)
        started = launch_outbound(launcher, pair[1], &child->pid, error);
    else if (started)
        started = launch_worker(launcher, pair[1], child->user, &child->pid, error);
    started = started && child_add(supervisor, child, error);
    child_began(supervisor, child, started);
    file_close(&pair[1]);
    if (started)
        *socket = pair[0];
    else
        file_close(&pair[0]);
    return started;
}

/* --- the server --- */

bool server_launch(struct supervisor *supervisor, struct ipc **ipc, pid_t *pid, struct error *error)
{
    int pair[2] = { -1, -1 };
    struct child child = { .kind = CHILD_SERVER, .deadline_ns = UINT64_MAX };
    if (!socket_pair(pair, error))
        return false;
    struct server_sockets sockets = { pair[1], supervisor->listen, supervisor->admin,
                                      supervisor->control };
    bool started = child_begin(supervisor, &child, error) &&
                   launch_server(&supervisor->launcher, &sockets, &child.pid, error) &&
                   child_add(supervisor, &child, error);
    child_began(supervisor, &child, started);
    started = started && ipc_new(ipc, pair[0], SUPERVISOR_PAYLOAD_MAX, error);
    file_close(&pair[1]);
    if (!started)
        file_close(&pair[0]);
    *pid = child.pid;
    return started;
}

bool keeper_start(struct supervisor *supervisor, struct spare *keeper, struct error *error)
{
    struct child child = { .kind = CHILD_KEEPER };
    if (!child_start(supervisor, &child, &keeper->socket, error))
        return false;
    keeper->pid = child.pid;
    return true;
}

/* --- workers --- */

bool worker_start(struct supervisor *supervisor, pid_t *pid, int *socket, struct error *error)
{
    struct child child = { .kind = CHILD_WORKER };
    if (!children_free_user(&supervisor->children, &child.user))
        return error_set(error, ERROR_LIMIT, "more than %d workers", WORKER_USER_COUNT_MAX);
    if (!child_start(supervisor, &child, socket, error))
        return false;
    *pid = child.pid;
    return true;
}

void worker_end_soon(struct supervisor *supervisor, pid_t pid)
{
    struct child *child = children_find(&supervisor->children, pid);
    if (child != NULL && (child->kind == CHILD_WORKER || child->kind == CHILD_OUTBOUND))
        child->deadline_ns = MIN(child->deadline_ns, clock_monotonic_ns(&clock_system) + second_ns);
}

void spares_follow(struct supervisor *supervisor)
{
    struct error error;
    struct spare spare;
    if (supervisor->stopping)
        return;
    if (spares_surplus(&supervisor->spares, clock_monotonic_ns(&clock_system), &spare)) {
        file_close(&spare.socket);
        worker_end_soon(supervisor, spare.pid);
    }
    if (!spares_want_more(&supervisor->spares, clock_monotonic_ns(&clock_system)))
        return;
    if (worker_start(supervisor, &spare.pid, &spare.socket, &error)) {
        spares_add(&supervisor->spares, spare);
    } else {
        spares_failed(&supervisor->spares, 0, clock_monotonic_ns(&clock_system));
        log_error("spare worker", &error);
    }
}

/* --- ends --- */

/* Two keepers must not have the event log at once: one that is killed is waited for. */
static void keeper_end(pid_t pid)
{
    siginfo_t end;
    kill(pid, SIGKILL);
    (void)waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT);
}

void belongings_kill(struct supervisor *supervisor, enum child_kind kind)
{
    for (unsigned i = 0; i < supervisor->children.count; i++) {
        const struct child *child = &supervisor->children.list[i];
        if (child->kind != kind || child->pid == supervisor->keeper_ahead.pid ||
            (kind == CHILD_WORKER && spares_have(&supervisor->spares, child->pid)))
            continue;
        if (kind == CHILD_KEEPER)
            keeper_end(child->pid);
        else
            kill(child->pid, SIGKILL);
    }
}
