/* SPDX-License-Identifier: Apache-2.0 */
/* The server's life under the supervisor: started, replaced when it dies, and replaced by a
 * successor on the same listening sockets when the operator has put another program in place. */
#include "cmd/s3nd/supervisor_parts.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/spawn.h"
#include "cmd/s3nd/carried.h"
#include "cmd/s3nd/notify.h"
#include "cmd/s3nd/requests.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum {
    STANDBY_S = 20,      /* that a successor may take until it stands by */
    HANDOVER_GRACE_S = 5 /* beyond what requests may take */
};

static uint64_t supervisor_now_ns(void)
{
    return clock_monotonic_ns(&clock_system);
}

bool server_start(struct supervisor *supervisor, struct error *error)
{
    return server_launch(supervisor, &supervisor->server, &supervisor->server_pid, error);
}

/* --- what is started ahead --- */

/* Keeper and workers of the successor start while it does, from the programs that lie on the disk
 * now: as many workers as are in use, since each application will ask for one at once. */
static void ahead_start(struct supervisor *supervisor)
{
    struct error error;
    struct spares *spares = &supervisor->spares;
    spares_drop(spares);
    spares->count_min =
        MIN(MAX(children_count(&supervisor->children, CHILD_WORKER), spares->count_min),
            spares->count_max);
    if (!keeper_start(supervisor, &supervisor->keeper_ahead, &error))
        log_error("upgrade", &error);
}

static void ahead_drop(struct supervisor *supervisor)
{
    struct spare keeper = supervisor->keeper_ahead;
    supervisor->spares.count_min = supervisor->config->spare_count_min;
    supervisor->keeper_ahead = (struct spare){ 0 };
    if (keeper.pid == 0)
        return;
    file_close(&keeper.socket);
    kill(keeper.pid, SIGKILL);
}

/* --- successors --- */

static void failure_tell(struct supervisor *supervisor)
{
    struct error ignored;
    if (supervisor->server != NULL)
        (void)!ipc_send(supervisor->server, SUPERVISOR_NO_HANDOVER, 0, (struct bytes){ 0 }, NULL, 0,
                        &ignored);
    notify_send("READY=1");
}

static void next_drop(struct supervisor *supervisor, const char *why)
{
    if (supervisor->next.ipc == NULL)
        return;
    ipc_free(TAKE(supervisor->next.ipc));
    kill(supervisor->next.pid, SIGKILL);
    ahead_drop(supervisor);
    log_line(LOG_LEVEL_ERROR, "upgrade failed", "reason", why, NULL);
    failure_tell(supervisor);
}

void server_upgrade_drop(struct supervisor *supervisor)
{
    next_drop(supervisor, "the node stops");
}

void server_upgrade(struct supervisor *supervisor)
{
    char text[64];
    struct error error;
    if (supervisor->stopping || !supervisor->was_ready || supervisor->next.ipc != NULL ||
        supervisor->server == NULL) {
        log_line(LOG_LEVEL_WARN, "no upgrade now", NULL);
        return;
    }
    if (supervisor->has_upgraded) {
        supervisor->upgrades_again = true;
        return;
    }
    uint64_t now_ns = supervisor_now_ns();
    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
             (unsigned long long)(now_ns / 1000));
    notify_send(text);
    supervisor->next = (struct successor){ .deadline_ns = now_ns + STANDBY_S * second_ns };
    if (!server_launch(supervisor, &supervisor->next.ipc, &supervisor->next.pid, &error)) {
        log_error("upgrade", &error);
        failure_tell(supervisor);
        return;
    }
    ahead_start(supervisor);
    log_line(LOG_LEVEL_INFO, "upgrading", NULL);
}

void server_next_read(struct supervisor *supervisor)
{
    struct successor *next = &supervisor->next;
    struct ipc_message message;
    struct error error;
    if (!ipc_receive(next->ipc, &message, REQUEST_TIMEOUT_MS, &error)) {
        next_drop(supervisor, "the new server ended");
        return;
    }
    bool is_ready = message.type == SUPERVISOR_STANDBY;
    next->standby_id = message.id;
    ipc_message_done(&message);
    if (!is_ready) {
        next_drop(supervisor, "the new server asked for what is not in the table");
        return;
    }
    next->is_standing_by = true;
    next->deadline_ns = supervisor_now_ns() +
                        2 * supervisor->config->drain_ms * (second_ns / 1000) +
                        HANDOVER_GRACE_S * second_ns;
    /* A server that is gone as far as its socket says will be found dead: then the successor
     * begins. */
    if (supervisor->server != NULL &&
        !ipc_send(supervisor->server, SUPERVISOR_HANDOVER, 0, (struct bytes){ 0 }, NULL, 0, &error))
        kill(supervisor->server_pid, SIGKILL);
}

/* The successor has keeper and store from now on. */
static void next_begin(struct supervisor *supervisor)
{
    struct successor next = supervisor->next;
    struct spare keeper = supervisor->keeper_ahead;
    struct error error;
    supervisor->next = (struct successor){ 0 };
    supervisor->keeper_ahead = (struct spare){ 0 };
    supervisor->server = next.ipc;
    supervisor->server_pid = next.pid;
    supervisor->has_upgraded = true;
    if (next.is_standing_by &&
        !ipc_send(next.ipc, IPC_ANSWER_OK, next.standby_id, (struct bytes){ 0 }, &keeper.socket,
                  keeper.pid != 0 ? 1 : 0, &error))
        log_error("upgrade", &error);
    if (keeper.pid != 0)
        file_close(&keeper.socket);
}

/* Its children, descriptors and process id stay. */
static void program_replace(struct supervisor *supervisor)
{
    static struct carried carried;
    char program[PATH_MAX];
    struct error error;
    supervisor->has_upgraded = false;
    /* Signals are held back, and stay so for the new program. */
    if (supervisor->upgrades_again)
        raise(SIGHUP);
    supervisor->upgrades_again = false;
    carried = (struct carried){ .listen = supervisor->listen,
                                .admin = supervisor->admin,
                                .control = supervisor->control,
                                .lock = supervisor->lock,
                                .event_register = supervisor->launcher.event_register,
                                .server = ipc_descriptor(supervisor->server),
                                .server_pid = supervisor->server_pid,
                                .children = supervisor->children,
                                .groups = supervisor->groups,
                                .spares = supervisor->spares };
    if (!spawn_sibling_path(program, sizeof(program), "s3nd", &error) ||
        !carried_exec(&carried, program, supervisor->arguments, &error))
        log_error("upgrade: the supervisor stays the one before", &error);
    ahead_drop(supervisor);
    notify_send("READY=1");
}

void server_upgraded(struct supervisor *supervisor)
{
    /* Not before its request was answered. */
    supervisor->replaces_program = supervisor->has_upgraded;
}

void server_upgrade_follow(struct supervisor *supervisor)
{
    if (supervisor->next.ipc != NULL && supervisor_now_ns() >= supervisor->next.deadline_ns) {
        if (supervisor->next.is_standing_by)
            kill(supervisor->server_pid, SIGKILL);
        else
            next_drop(supervisor, "the new server does not stand by");
        supervisor->next.deadline_ns = UINT64_MAX;
    }
    if (supervisor->replaces_program && !supervisor->stopping && supervisor->server != NULL) {
        supervisor->replaces_program = false;
        program_replace(supervisor);
    }
}

bool server_take_over(struct supervisor *supervisor, const struct carried *carried,
                      struct error *error)
{
    close(supervisor->launcher.event_register);
    supervisor->launcher.event_register = carried->event_register;
    supervisor->listen = carried->listen;
    supervisor->admin = carried->admin;
    supervisor->control = carried->control;
    supervisor->lock = carried->lock;
    supervisor->server_pid = carried->server_pid;
    supervisor->children = carried->children;
    supervisor->groups = carried->groups;
    for (unsigned i = 0; i < carried->spares.count; i++)
        spares_add(&supervisor->spares, carried->spares.list[i]);
    supervisor->was_ready = true;
    if (!ipc_new(&supervisor->server, carried->server, SUPERVISOR_PAYLOAD_MAX, error))
        return false;
    log_line(LOG_LEVEL_INFO, "upgraded", "version", S3N_VERSION, NULL);
    notify_send("READY=1");
    return true;
}

/* --- ends --- */

/* Without its server nothing else is of use: keeper, workers and compilers belong to it. */
static void belongings_end(struct supervisor *supervisor)
{
    if (supervisor->next.ipc == NULL)
        spares_drop(&supervisor->spares);
    belongings_kill(supervisor, CHILD_KEEPER);
    belongings_kill(supervisor, CHILD_COMPILER);
    belongings_kill(supervisor, CHILD_WORKER);
    belongings_kill(supervisor, CHILD_OUTBOUND);
}

void server_gone(struct supervisor *supervisor, pid_t pid, const struct spawn_end *end)
{
    if (pid != supervisor->server_pid) {
        if (pid == supervisor->next.pid)
            next_drop(supervisor, "the new server ended");
        return;
    }
    ipc_free(TAKE(supervisor->server));
    belongings_end(supervisor);
    if (supervisor->next.ipc != NULL && !supervisor->stopping) {
        next_begin(supervisor);
        return;
    }
    bool clean = !end->was_killed && end->code == 0;
    if (supervisor->stopping || !supervisor->was_ready) {
        supervisor->exit_code = clean             ? 0
                                : end->was_killed ? error_exit_code(ERROR_CRASHED)
                                                  : end->code;
        supervisor->stopping = true;
        return;
    }
    supervisor->restart_at_ns =
        supervisor_now_ns() + supervisor->restart_delay_ms * (second_ns / 1000);
    supervisor->restart_delay_ms =
        MIN(MAX(supervisor->restart_delay_ms * 2, 50u), (unsigned)RESTART_DELAY_MS_MAX);
}

void server_restart_if_due(struct supervisor *supervisor)
{
    struct error error;
    if (supervisor->server != NULL || supervisor->stopping ||
        children_count(&supervisor->children, CHILD_SERVER) > 0 ||
        supervisor_now_ns() < supervisor->restart_at_ns)
        return;
    if (!server_start(supervisor, &error)) {
        log_error("start server", &error);
        supervisor->restart_at_ns = supervisor_now_ns() + second_ns;
    }
}

void server_read(struct supervisor *supervisor)
{
    struct ipc_message message;
    struct error error;
    bool received = ipc_receive(supervisor->server, &message, REQUEST_TIMEOUT_MS, &error);
    bool served = received && supervisor_request_serve(supervisor, &message, &error);
    if (received)
        ipc_message_done(&message);
    if (!served) {
        if (error.code != ERROR_UNAVAILABLE)
            log_error("server", &error);
        ipc_free(TAKE(supervisor->server));
        if (!supervisor->stopping)
            kill(supervisor->server_pid, SIGKILL);
    }
}
