/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/supervisor.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/ipc.h"
#include "base/log.h"
#include "base/spawn.h"
#include "cmd/s3nd/carried.h"
#include "cmd/s3nd/children.h"
#include "cmd/s3nd/demands.h"
#include "cmd/s3nd/groups.h"
#include "cmd/s3nd/launcher.h"
#include "cmd/s3nd/listeners.h"
#include "cmd/s3nd/notify.h"
#include "cmd/s3nd/requests.h"
#include "cmd/s3nd/spares.h"
#include "cmd/s3nd/supervisor_parts.h"
#include "core/reader.h"
#include "core/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    COMPILE_WALL_S = 60,
    OPTIMISE_WALL_S = 900,
    COLLATERAL_WALL_S = 120,
    TELEMETRY_WALL_S = 60,
    KEYS_WALL_S = 20,
    STOP_LOOKS = 200, /* at children that were killed at the end, 5 ms apart */
    STOP_GRACE_S = 5  /* beyond the time requests get to finish */
};

static uint64_t now_ns(void)
{
    return clock_monotonic_ns(&clock_system);
}

static void pid_append(struct buffer *answer, pid_t pid)
{
    uint8_t number[4];
    struct writer writer = writer_into(number, sizeof(number));
    write_u32_le(&writer, (uint32_t)pid);
    buffer_append(answer, writer_view(&writer));
}

/* --- the server's requests --- */

static bool serve_keeper(void *context, const struct ipc_message *message, struct buffer *answer,
                         int *descriptors, unsigned *descriptor_count, struct error *error)
{
    (void)message, (void)answer;
    struct supervisor *supervisor = context;
    struct spare keeper = { 0 };
    belongings_kill(supervisor, CHILD_KEEPER);
    if (!keeper_start(supervisor, &keeper, error))
        return false;
    descriptors[0] = keeper.socket;
    *descriptor_count = 1;
    return true;
}

static bool serve_outbound(void *context, const struct ipc_message *message, struct buffer *answer,
                           int *descriptors, unsigned *descriptor_count, struct error *error)
{
    (void)message;
    struct supervisor *supervisor = context;
    struct child child = { .kind = CHILD_OUTBOUND };
    if (children_count(&supervisor->children, CHILD_OUTBOUND) >= OUTBOUND_CHILD_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "too many processes for outbound requests");
    *descriptor_count = child_start(supervisor, &child, &descriptors[0], error) ? 1 : 0;
    pid_append(answer, child.pid);
    return *descriptor_count == 1;
}

static bool serve_worker(void *context, const struct ipc_message *message, struct buffer *answer,
                         int *descriptors, unsigned *descriptor_count, struct error *error)
{
    (void)message;
    struct supervisor *supervisor = context;
    struct spare spare;
    if (!spares_take(&supervisor->spares, now_ns(), &spare) &&
        !worker_start(supervisor, &spare.pid, &spare.socket, error))
        return false;
    pid_append(answer, spare.pid);
    descriptors[0] = spare.socket;
    *descriptor_count = 1;
    return true;
}

static bool serve_worker_end(void *context, const struct ipc_message *message,
                             struct buffer *answer, int *descriptors, unsigned *descriptor_count,
                             struct error *error)
{
    (void)answer, (void)descriptors, (void)descriptor_count;
    struct supervisor *supervisor = context;
    struct reader reader = reader_of(message->payload);
    pid_t pid = (pid_t)read_u32_le(&reader);
    if (!read_end(&reader))
        return error_set(error, ERROR_INVALID, "the end of a worker needs its process id");
    if (!spares_have(&supervisor->spares, pid))
        worker_end_soon(supervisor, pid);
    return true;
}

static bool data_file(const struct supervisor *supervisor, char path[PATH_MAX], const char *name,
                      struct error *error)
{
    return snprintf(path, PATH_MAX, "%s/%s", supervisor->config->data_folder, name) < PATH_MAX ||
           error_set(error, ERROR_INVALID, "the data folder's path is too long");
}

static bool serve_claim_code(void *context, const struct ipc_message *message,
                             struct buffer *answer, int *descriptors, unsigned *descriptor_count,
                             struct error *error)
{
    (void)answer, (void)descriptors, (void)descriptor_count;
    char path[PATH_MAX];
    if (!data_file(context, path, "claim-code", error))
        return false;
    if (message->payload.size > 0) {
        if (!file_replace(path, message->payload, 0600, error))
            return false;
        log_line(LOG_LEVEL_INFO, "no owner yet", "code", path, "hint",
                 "`s3n login URL --claim CODE` makes its caller the first one", NULL);
        return true;
    }
    return unlink(path) == 0 || errno == ENOENT || error_system(error, "remove %s", path);
}

static bool serve_certificate(void *context, const struct ipc_message *message,
                              struct buffer *answer, int *descriptors, unsigned *descriptor_count,
                              struct error *error)
{
    (void)answer, (void)descriptors, (void)descriptor_count;
    char path[PATH_MAX];
    /* Every server writes its own, and the one that starts waits for it. */
    return data_file(context, path, "tls.crt", error) &&
           file_replace_unsynced(path, message->payload, 0644, error);
}

static bool serve_ready(void *context, const struct ipc_message *message, struct buffer *answer,
                        int *descriptors, unsigned *descriptor_count, struct error *error)
{
    (void)message, (void)answer, (void)descriptors, (void)descriptor_count;
    struct supervisor *supervisor = context;
    supervisor->restart_delay_ms = 0;
    if (supervisor->was_ready) {
        server_upgraded(supervisor);
        return true;
    }
    struct listener_address listen, admin;
    if (!listener_address_of(&listen, supervisor->listen, error) ||
        !listener_address_of(&admin, supervisor->admin, error))
        return false;
    supervisor->was_ready = true;
    printf("ready url=https://%s admin=http://%s\n", listen.text, admin.text);
    fflush(stdout);
    notify_send("READY=1");
    return true;
}

static bool serve_standby(void *context, const struct ipc_message *message, struct buffer *answer,
                          int *descriptors, unsigned *descriptor_count, struct error *error)
{
    /* There is no other server: a successor's request does not come here. */
    (void)context, (void)message, (void)answer, (void)descriptors, (void)descriptor_count;
    (void)error;
    return true;
}

static const struct ipc_request requests[] = {
    { SUPERVISOR_STANDBY, "standby", 0, 0, serve_standby },
    { SUPERVISOR_KEEPER, "keeper", 0, 0, serve_keeper },
    { SUPERVISOR_WORKER, "worker", 0, 0, serve_worker },
    { SUPERVISOR_WORKER_END, "worker end", 4, 0, serve_worker_end },
    { SUPERVISOR_OUTBOUND, "outbound", 0, 0, serve_outbound },
    { SUPERVISOR_CLAIM_CODE, "claim-code", 256, 0, serve_claim_code },
    { SUPERVISOR_CERTIFICATE, "certificate", SUPERVISOR_PAYLOAD_MAX, 0, serve_certificate },
    { SUPERVISOR_READY, "ready", 0, 0, serve_ready },
};

/* Compilations and collateral are answered when they end, so they are not in the table above. */
static bool compile_start(struct supervisor *supervisor, const struct ipc_message *message,
                          struct error *error)
{
    struct child child = { .kind = CHILD_COMPILER,
                           .request = message->id,
                           .deadline_ns = now_ns() + COMPILE_WALL_S * second_ns };
    struct compile_files files;
    char list[COMPILER_LIST_SIZE_MAX];
    if (!compile_request_read(&files, list, message, error))
        return false;
    if ((files.artefact.flags & COMPILE_OPTIMISED) != 0)
        child.deadline_ns = now_ns() + OPTIMISE_WALL_S * second_ns;
    bool started = child_begin(supervisor, &child, error) &&
                   launch_compiler(&supervisor->launcher, &files, &child.pid, error) &&
                   child_add(supervisor, &child, error);
    child_began(supervisor, &child, started);
    return started;
}

/* A process that asks or tells somebody on the network, once. */
static bool errand_start(struct supervisor *supervisor, const struct ipc_message *message,
                         struct error *error)
{
    bool is_telemetry = message->type == SUPERVISOR_TELEMETRY;
    bool is_keys = message->type == SUPERVISOR_KEYS;
    uint64_t wall_s = is_telemetry ? TELEMETRY_WALL_S : is_keys ? KEYS_WALL_S : COLLATERAL_WALL_S;
    struct child child = { .kind = is_telemetry ? CHILD_TELEMETRY : CHILD_COLLATERAL,
                           .request = message->id,
                           .deadline_ns = now_ns() + wall_s * second_ns };
    bool started = child_begin(supervisor, &child, error) &&
                   launch_errand(&supervisor->launcher,
                                 is_telemetry ? "telemetry"
                                 : is_keys    ? "keys"
                                              : "collateral",
                                 message->descriptors, &child.pid, error) &&
                   child_add(supervisor, &child, error);
    child_began(supervisor, &child, started);
    return started;
}

static bool request_answer(struct supervisor *supervisor, const struct ipc_request *request,
                           const struct ipc_message *message, struct error *error)
{
    AUTO_BUFFER struct buffer answer;
    buffer_init(&answer, 4096);
    int descriptors[IPC_DESCRIPTORS_MAX];
    unsigned count = 0;
    struct error failure;
    if (!request->serve(supervisor, message, &answer, descriptors, &count, &failure)) {
        log_error(request->name, &failure);
        return ipc_send_error(supervisor->server, message->id, &failure, error);
    }
    bool sent = ipc_send(supervisor->server, IPC_ANSWER_OK, message->id, buffer_view(&answer),
                         descriptors, count, error);
    for (unsigned i = 0; i < count; i++)
        file_close(&descriptors[i]);
    return sent;
}

bool supervisor_request_serve(struct supervisor *supervisor, const struct ipc_message *message,
                              struct error *error)
{
    struct error failure;
    if (message->type == SUPERVISOR_COMPILE && message->descriptor_count == 3 &&
        message->payload.size >= SUPERVISOR_COMPILE_SIZE)
        return compile_start(supervisor, message, &failure) ||
               ipc_send_error(supervisor->server, message->id, &failure, error);
    if ((message->type == SUPERVISOR_COLLATERAL || message->type == SUPERVISOR_TELEMETRY ||
         message->type == SUPERVISOR_KEYS) &&
        message->descriptor_count == 2)
        return errand_start(supervisor, message, &failure) ||
               ipc_send_error(supervisor->server, message->id, &failure, error);
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        if (requests[i].type == message->type && message->descriptor_count == 0 &&
            message->payload.size <= requests[i].payload_max)
            return request_answer(supervisor, &requests[i], message, error);
    }
    return error_set(error, ERROR_INVALID, "the server asked for what is not in the table");
}

/* --- children's ends --- */

static void compile_answer(struct supervisor *supervisor, const struct child *child,
                           const struct spawn_end *end)
{
    uint8_t number[4];
    struct writer writer = writer_into(number, sizeof(number));
    write_u32_le(&writer, child->is_late    ? (uint32_t)SUPERVISOR_TIMED_OUT
                          : end->was_killed ? (uint32_t)(SUPERVISOR_SIGNALLED + end->code)
                                            : (uint32_t)end->code);
    struct error error;
    if (supervisor->server != NULL && !ipc_send(supervisor->server, IPC_ANSWER_OK, child->request,
                                                writer_view(&writer), NULL, 0, &error))
        log_error("answer a job", &error);
}

static void child_ended(struct supervisor *supervisor, struct child *child, int status)
{
    struct spawn_end end = spawn_end_of_status(status);
    struct child gone = *child;
    children_remove(&supervisor->children, child);
    char note[96];
    bool ran_out = groups_end(&supervisor->groups, gone.group);
    child_note(note, sizeof(note), &end, ran_out);
    bool expected = !ran_out && (supervisor->stopping || gone.kind == CHILD_COMPILER ||
                                 (!end.was_killed && end.code == 0));
    child_log(expected ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, "ended", &gone, note);
    switch (gone.kind) {
    case CHILD_SERVER:
        server_gone(supervisor, gone.pid, &end);
        break;
    case CHILD_COMPILER:
    case CHILD_COLLATERAL:
    case CHILD_TELEMETRY:
        compile_answer(supervisor, &gone, &end);
        break;
    case CHILD_WORKER:
        if (spares_have(&supervisor->spares, gone.pid))
            spares_failed(&supervisor->spares, gone.pid, now_ns());
        break;
    case CHILD_KEEPER:
        if (gone.pid == supervisor->keeper_ahead.pid) {
            file_close(&supervisor->keeper_ahead.socket);
            supervisor->keeper_ahead = (struct spare){ 0 };
        }
        break;
    case CHILD_OUTBOUND:
        break;
    }
}

static void children_reap(struct supervisor *supervisor)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct child *child = children_find(&supervisor->children, pid);
        if (child != NULL)
            child_ended(supervisor, child, status);
    }
}

/* --- signals and the loop --- */

static void stop(struct supervisor *supervisor)
{
    if (supervisor->stopping) {
        /* Asked twice: at once. */
        children_kill(&supervisor->children, CHILD_SERVER);
        return;
    }
    supervisor->stopping = true;
    server_upgrade_drop(supervisor);
    notify_send("STOPPING=1");
    log_line(LOG_LEVEL_INFO, "stopping", NULL);
    supervisor->stop_deadline_ns =
        now_ns() + supervisor->config->drain_ms * (second_ns / 1000) + STOP_GRACE_S * second_ns;
    struct error error;
    if (supervisor->server == NULL ||
        !ipc_send(supervisor->server, SUPERVISOR_STOP, 0, (struct bytes){ 0 }, NULL, 0, &error))
        children_kill(&supervisor->children, CHILD_SERVER);
}

static void signals_read(struct supervisor *supervisor)
{
    struct signalfd_siginfo signal;
    while (read(supervisor->signals, &signal, sizeof(signal)) == (ssize_t)sizeof(signal)) {
        if (signal.ssi_signo == SIGHUP)
            server_upgrade(supervisor);
        else if (signal.ssi_signo != SIGCHLD)
            stop(supervisor);
    }
    children_reap(supervisor);
}

static int wait_ms(struct supervisor *supervisor)
{
    uint64_t until_ns = children_deadline_ns(&supervisor->children);
    if (supervisor->stopping)
        until_ns = MIN(until_ns, supervisor->stop_deadline_ns);
    else if (supervisor->server == NULL)
        until_ns = MIN(until_ns, supervisor->restart_at_ns);
    else
        until_ns = MIN(until_ns, spares_due_ns(&supervisor->spares, now_ns()));
    if (supervisor->next.ipc != NULL)
        until_ns = MIN(until_ns, supervisor->next.deadline_ns);
    if (!groups_sweep(&supervisor->groups))
        until_ns = MIN(until_ns, now_ns() + second_ns / 5);
    uint64_t now = now_ns();
    if (until_ns <= now)
        return 0;
    return until_ns == UINT64_MAX ? -1 : (int)MIN((until_ns - now) / 1000000 + 1, 60000u);
}

static void turn(struct supervisor *supervisor)
{
    struct pollfd polled[] = {
        { .fd = supervisor->signals, .events = POLLIN },
        { .fd = supervisor->server == NULL ? -1 : ipc_descriptor(supervisor->server),
          .events = POLLIN },
        { .fd = supervisor->next.ipc == NULL || supervisor->next.is_standing_by
                    ? -1
                    : ipc_descriptor(supervisor->next.ipc),
          .events = POLLIN },
    };
    if (poll(polled, ARRAY_COUNT(polled), wait_ms(supervisor)) < 0 && errno != EINTR)
        log_line(LOG_LEVEL_ERROR, "poll", "error", strerror(errno), NULL);
    if (polled[1].revents != 0)
        server_read(supervisor);
    if (polled[2].revents != 0)
        server_next_read(supervisor);
    if (polled[0].revents != 0)
        signals_read(supervisor);
    server_upgrade_follow(supervisor);
    children_kill_late(&supervisor->children, now_ns());
    if (supervisor->stopping && now_ns() >= supervisor->stop_deadline_ns)
        children_kill(&supervisor->children, CHILD_SERVER);
    server_restart_if_due(supervisor);
    if (supervisor->server != NULL)
        spares_follow(supervisor);
}

static bool signals_open(struct supervisor *supervisor, struct error *error)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return error_system(error, "block signals");
    supervisor->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return supervisor->signals >= 0 || error_system(error, "signal descriptor");
}

static bool start(struct supervisor *supervisor, const struct config *config, struct error *error)
{
    static struct carried carried;
    bool is_carried;
    supervisor->config = config;
    supervisor->spares.count_min = config->spare_count_min;
    supervisor->spares.count_max = config->spare_count_max;
    if (!carried_take(&carried, config, &is_carried, error))
        return false;
    if (is_carried)
        return launcher_init(&supervisor->launcher, config, error) &&
               server_take_over(supervisor, &carried, error) && signals_open(supervisor, error);
    bool done = demands_check_processor(config, error) &&
                launcher_init(&supervisor->launcher, config, error) &&
                listener_check_loopback(config->admin, error) &&
                launcher_make_folders(&supervisor->launcher, error) &&
                launcher_lock_folder(&supervisor->launcher, &supervisor->lock, error) &&
                listener_open(&supervisor->listen, config->listen, error) &&
                listener_open(&supervisor->admin, config->admin, error);
    if (!done)
        return false;
    listener_open_control(&supervisor->control, config->data_folder);
    return signals_open(supervisor, error) && groups_open(&supervisor->groups, config, error) &&
           server_start(supervisor, error);
}

int supervisor_run(const struct config *config, char *const *arguments)
{
    static struct supervisor supervisor = {
        .signals = -1, .listen = -1, .admin = -1, .control = -1, .lock = -1
    };
    struct error error;
    supervisor.arguments = arguments;
    if (!start(&supervisor, config, &error)) {
        log_error("start", &error);
        return error_exit_code(error.code);
    }
    while (!supervisor.stopping || children_count(&supervisor.children, CHILD_SERVER) > 0)
        turn(&supervisor);
    children_kill_all(&supervisor.children);
    for (unsigned i = 0; i < STOP_LOOKS && supervisor.children.count > 0; i++) {
        children_reap(&supervisor);
        (void)poll(NULL, 0, 5);
    }
    groups_close(&supervisor.groups);
    listener_close_control(&supervisor.control, config->data_folder);
    log_line(LOG_LEVEL_INFO, "stopped", NULL);
    return supervisor.exit_code;
}
