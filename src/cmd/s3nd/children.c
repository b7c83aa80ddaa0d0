/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/children.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

const char *child_kind_name(enum child_kind kind)
{
    switch (kind) {
    case CHILD_SERVER:
        return "server";
    case CHILD_KEEPER:
        return "keeper";
    case CHILD_COMPILER:
        return "compiler";
    case CHILD_WORKER:
        return "worker";
    case CHILD_COLLATERAL:
        return "collateral";
    case CHILD_TELEMETRY:
        return "telemetry";
    case CHILD_OUTBOUND:
        return "outbound";
    }
    return "";
}

void child_note(char *note, size_t size, const struct spawn_end *end, bool ran_out_of_memory)
{
    snprintf(note, size, "%s %d%s%s", end->was_killed ? "signal" : "exit code", end->code,
             spawn_end_is_forbidden_call(end) ? " (forbidden system call)" : "",
             ran_out_of_memory ? " (its control group's memory ran out)" : "");
}

bool children_add(struct children *children, const struct child *child)
{
    if (children->count == CHILD_COUNT_MAX)
        return false;
    children->list[children->count++] = *child;
    return true;
}

struct child *children_find(struct children *children, pid_t pid)
{
    for (unsigned i = 0; i < children->count; i++) {
        if (children->list[i].pid == pid)
            return &children->list[i];
    }
    return NULL;
}

void children_remove(struct children *children, struct child *child)
{
    *child = children->list[--children->count];
}

unsigned children_count(const struct children *children, enum child_kind kind)
{
    unsigned count = 0;
    for (unsigned i = 0; i < children->count; i++)
        count += children->list[i].kind == kind;
    return count;
}

void children_kill(struct children *children, enum child_kind kind)
{
    for (unsigned i = 0; i < children->count; i++) {
        if (children->list[i].kind == kind)
            kill(children->list[i].pid, SIGKILL);
    }
}

void children_kill_all(struct children *children)
{
    for (unsigned i = 0; i < children->count; i++)
        kill(children->list[i].pid, SIGKILL);
}

bool children_free_user(const struct children *children, unsigned *user)
{
    bool taken[WORKER_USER_COUNT_MAX] = { false };
    for (unsigned i = 0; i < children->count; i++) {
        if (children->list[i].kind == CHILD_WORKER)
            taken[children->list[i].user] = true;
    }
    for (unsigned i = 0; i < WORKER_USER_COUNT_MAX; i++) {
        if (!taken[i]) {
            *user = i;
            return true;
        }
    }
    return false;
}

uint64_t children_deadline_ns(const struct children *children)
{
    uint64_t deadline_ns = UINT64_MAX;
    for (unsigned i = 0; i < children->count; i++)
        deadline_ns = MIN(deadline_ns, children->list[i].deadline_ns);
    return deadline_ns;
}

void children_kill_late(struct children *children, uint64_t now_ns)
{
    for (unsigned i = 0; i < children->count; i++) {
        if (children->list[i].deadline_ns <= now_ns) {
            kill(children->list[i].pid, SIGKILL);
            children->list[i].deadline_ns = UINT64_MAX;
            children->list[i].is_late = true;
        }
    }
}
