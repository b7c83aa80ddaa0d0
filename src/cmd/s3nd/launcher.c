/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/launcher.h"
#include "base/file.h"
#include "base/log.h"
#include "base/spawn.h"
#include "cmd/s3nd/requests.h"
#include "core/hex.h"
#include "core/reader.h"
#include "slipstream/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Measured once, for all workers. */
static void choose_restoring(struct launcher *launcher)
{
    struct restoring_costs costs;
    struct error error;
    enum restoring_way way;
    if (strcmp(launcher->backend, "process") != 0 ||
        !restoring_way_of_name(&way, launcher->config->restoring))
        return;
    /* Without a measurement the usual holds. */
    if (!restoring_measure(&costs, &error))
        log_error("reset of memory", &error);
    const struct restoring chosen = restoring_choose(way, &costs);
    restoring_print(launcher->restoring, &chosen);
}

bool launcher_init(struct launcher *launcher, const struct config *config, struct error *error)
{
    *launcher = (struct launcher){ .config = config,
                                   .backend = engine_choose(config->backend),
                                   .group = -1 };
    launcher->event_register = memfd_create("event-register", MFD_CLOEXEC);
    if (launcher->event_register < 0)
        return error_system(error, "make a register for events");
    choose_restoring(launcher);
    struct error absent; /* a build without LLVM has no optimiser, and its server asks for none */
    if (!spawn_sibling_path(launcher->optimiser, sizeof(launcher->optimiser), "s3n-optimise",
                            &absent))
        launcher->optimiser[0] = '\0';
    return spawn_sibling_path(launcher->server, sizeof(launcher->server), "s3nd", error) &&
           spawn_sibling_path(launcher->keeper, sizeof(launcher->keeper), "s3n-keeper", error) &&
           spawn_sibling_path(launcher->compiler, sizeof(launcher->compiler), "s3n-compile",
                              error) &&
           spawn_sibling_path(launcher->outbound, sizeof(launcher->outbound), "s3n-outbound",
                              error) &&
           spawn_sibling_path(launcher->worker, sizeof(launcher->worker), "slipstream", error);
}

static bool folder_make(const struct launcher *launcher, const char *name, enum node_user user,
                        struct error *error)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/%s", launcher->config->data_folder, name) >=
        (int)sizeof(path))
        return error_set(error, ERROR_INVALID, "the data folder's path is too long");
    if (!file_make_folder(path, 0700, error))
        return false;
    uid_t uid = launcher->config->uid_base + user;
    if (geteuid() == 0 && chown(path, uid, uid) != 0)
        return error_system(error, "give %s to user %u", path, (unsigned)uid);
    return true;
}

bool launcher_make_folders(const struct launcher *launcher, struct error *error)
{
    /* Others may pass through it to their own folders, and read tls.crt. */
    const char *folder = launcher->config->data_folder;
    if (!file_make_folder(folder, 0755, error))
        return false;
    return folder_make(launcher, "store", NODE_USER_SERVER, error) &&
           folder_make(launcher, "collateral", NODE_USER_COLLATERAL, error);
}

bool launcher_lock_folder(const struct launcher *launcher, int *lock, struct error *error)
{
    char path[PATH_MAX];
    const char *folder = launcher->config->data_folder;
    if (snprintf(path, sizeof(path), "%s/lock", folder) >= (int)sizeof(path))
        return error_set(error, ERROR_INVALID, "the data folder's path is too long");
    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*lock < 0)
        return error_system(error, "open %s", path);
    if (flock(*lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno != EWOULDBLOCK)
        return error_system(error, "lock %s", path);
    return error_set(error, ERROR_BUSY, "another process runs a node on %s", folder);
}

enum {
    ENVIRONMENT_COUNT_MAX = 48
};

/* S3N_LOG, where it is set. */
static const char *log_variable(void)
{
    static char level[64];
    const char *value = getenv("S3N_LOG");
    if (value == NULL || snprintf(level, sizeof(level), "S3N_LOG=%s", value) >= (int)sizeof(level))
        return NULL;
    return level;
}

/* What children may know of our environment. */
static const char *const *child_environment(void)
{
    static const char *environment[2];
    environment[0] = log_variable();
    return environment;
}

/* And those that have to do with telemetry; what holds credentials is the exporter's alone. */
static const char *const *telemetry_environment(bool with_headers)
{
    static const char *environment[ENVIRONMENT_COUNT_MAX + 2];
    size_t count = config_telemetry_pass(environment, ENVIRONMENT_COUNT_MAX, with_headers);
    environment[count] = log_variable();
    environment[count + 1] = NULL;
    return environment;
}

static const char *const *errand_environment(const char *role)
{
    return strcmp(role, "telemetry") == 0 ? telemetry_environment(true) : child_environment();
}

struct user_text {
    char text[16];
};

static struct user_text user_text_of(const struct launcher *launcher, unsigned user)
{
    struct user_text made;
    snprintf(made.text, sizeof(made.text), "%u", launcher->config->uid_base + user);
    return made;
}

bool launch_server(const struct launcher *launcher, const struct server_sockets *sockets,
                   pid_t *pid, struct error *error)
{
    const struct config *config = launcher->config;
    const char *arguments[] = { "s3nd",
                                "--role",
                                "server",
                                "--data-dir",
                                config->data_folder,
                                "--tee",
                                config->tee,
                                "--backend",
                                launcher->backend,
                                NULL,
                                NULL,
                                NULL,
                                NULL,
                                NULL };
    size_t count = 9;
    if (config->file[0] != '\0') {
        arguments[count++] = "--config";
        arguments[count++] = config->file;
    }
    if (launcher->restoring[0] != '\0') {
        arguments[count++] = "--restoring";
        arguments[count++] = launcher->restoring;
    }
    struct spawn_options options = {
        .path = launcher->server,
        .arguments = arguments,
        .environment = telemetry_environment(false),
        .descriptors = { { sockets->supervisor, SERVER_SUPERVISOR_FD },
                         { sockets->listen, SERVER_LISTEN_FD },
                         { sockets->admin, SERVER_ADMIN_FD },
                         { sockets->control, SERVER_CONTROL_FD } },
        .descriptor_count = sockets->control < 0 ? 3 : 4,
        .has_group = launcher->group >= 0,
        .group = launcher->group,
        .own_group = true,
    };
    return spawn(pid, &options, error);
}

/* A child that speaks to us over one socket, its descriptor 3. */
static bool launch_on_socket(const struct launcher *launcher, const char *path,
                             const char *const *arguments, int socket, pid_t *pid,
                             struct error *error)
{
    struct spawn_options options = { .path = path,
                                     .arguments = arguments,
                                     .environment = child_environment(),
                                     .descriptors = { { socket, 3 } },
                                     .descriptor_count = 1,
                                     .has_group = launcher->group >= 0,
                                     .group = launcher->group,
                                     .own_group = true };
    return spawn(pid, &options, error);
}

bool launch_keeper(const struct launcher *launcher, int socket, pid_t *pid, struct error *error)
{
    const struct config *config = launcher->config;
    const struct config_root *root = &config->root;
    struct user_text base = user_text_of(launcher, 0);
    char timeout[16];
    snprintf(timeout, sizeof(timeout), "%u", root->timeout_ms);
    const char *arguments[22] = { "s3n-keeper", "--data-dir",    config->data_folder,
                                  "--tee",      config->tee,     "--uid-base",
                                  base.text,    "--register-fd", "4" };
    const char *const more[] = { "--kbs-resource", root->resource,     "--kbs-url",
                                 root->url,        "--kbs-ca",         root->roots,
                                 "--kbs-protocol", root->protocol,     "--kbs-key",
                                 root->key,        "--kbs-timeout-ms", timeout };
    for (size_t i = 0; root->is_brokered && i < ARRAY_COUNT(more); i++)
        arguments[9 + i] = more[i];
    struct spawn_options options = { .path = launcher->keeper,
                                     .arguments = arguments,
                                     .environment = child_environment(),
                                     .descriptors = { { socket, 3 },
                                                      { launcher->event_register, 4 } },
                                     .descriptor_count = 2,
                                     .has_group = launcher->group >= 0,
                                     .group = launcher->group,
                                     .own_group = true };
    return spawn(pid, &options, error);
}

bool launch_worker(const struct launcher *launcher, int socket, unsigned user, pid_t *pid,
                   struct error *error)
{
    struct user_text uid = user_text_of(launcher, NODE_USER_WORKER + user);
    const char *arguments[] = { "slipstream", "--worker",  "--control-fd",
                                "3",          "--backend", launcher->backend,
                                "--uid",      uid.text,    NULL,
                                NULL,         NULL };
    if (launcher->restoring[0] != '\0') {
        arguments[8] = "--restoring";
        arguments[9] = launcher->restoring;
    }
    return launch_on_socket(launcher, launcher->worker, arguments, socket, pid, error);
}

bool launch_outbound(const struct launcher *launcher, int socket, pid_t *pid, struct error *error)
{
    const struct config_outbound *outbound = &launcher->config->outbound;
    struct user_text base = user_text_of(launcher, 0);
    const char *arguments[10] = { "s3n-outbound", "--uid-base", base.text };
    const char *const more[][2] = { { "--allow-private", outbound->allowed },
                                    { "--name-servers", outbound->servers },
                                    { "--roots", outbound->roots } };
    size_t count = 3;
    for (size_t i = 0; i < ARRAY_COUNT(more); i++) {
        if (more[i][1][0] == '\0')
            continue;
        arguments[count++] = more[i][0];
        arguments[count++] = more[i][1];
    }
    return launch_on_socket(launcher, launcher->outbound, arguments, socket, pid, error);
}

enum {
    OPTIMISER_NICE = 15
};

bool launch_compiler(const struct launcher *launcher, const struct compile_files *files, pid_t *pid,
                     struct error *error)
{
    struct user_text uid = user_text_of(launcher, NODE_USER_COMPILER);
    struct hex32 code = hex_of_digest(&files->artefact.code);
    static const struct {
        uint32_t flag;
        const char *option;
    } options_of[] = { { COMPILE_DETERMINISTIC, "--deterministic" },
                       { COMPILE_FUEL, "--fuel" },
                       { COMPILE_NATIVE, "--native" } };
    bool is_optimised = (files->artefact.flags & COMPILE_OPTIMISED) != 0;
    const char *arguments[12 + ARRAY_COUNT(options_of)] = {
        is_optimised ? "s3n-optimise" : "s3n-compile",
        "--uid",
        uid.text,
        "--module-digest",
        code.text,
    };
    size_t count = 5;
    for (size_t i = 0; i < ARRAY_COUNT(options_of); i++) {
        if ((files->artefact.flags & options_of[i].flag) != 0)
            arguments[count++] = options_of[i].option;
    }
    if (!is_optimised)
        arguments[count++] = "--report";
    if (is_optimised) {
        static const char *const more[] = { "--tier", "optimised", "--cpu-seconds", "600" };
        for (size_t i = 0; i < ARRAY_COUNT(more); i++)
            arguments[count++] = more[i];
    }
    if (files->artefact.functions != NULL) {
        arguments[count++] = "--functions";
        arguments[count++] = files->artefact.functions;
    }
    struct spawn_options options = {
        .path = is_optimised ? launcher->optimiser : launcher->compiler,
        .arguments = arguments,
        .environment = child_environment(),
        .descriptors = { { files->module, 0 }, { files->image, 1 }, { files->messages, 2 } },
        .descriptor_count = 3,
        .has_group = launcher->group >= 0,
        .group = launcher->group,
        .own_group = true,
    };
    if (!spawn(pid, &options, error))
        return false;
    /* It has all the time in the world; that it can't be told so is no reason to refuse. */
    if (is_optimised)
        (void)!setpriority(PRIO_PROCESS, (id_t)*pid, OPTIMISER_NICE);
    return true;
}

bool compile_request_read(struct compile_files *files, char list[COMPILER_LIST_SIZE_MAX],
                          const struct ipc_message *message, struct error *error)
{
    *files = (struct compile_files){ .module = message->descriptors[0],
                                     .image = message->descriptors[1],
                                     .messages = message->descriptors[2] };
    struct reader reader = reader_of(message->payload);
    read_into(&reader, files->artefact.code.bytes, sizeof(files->artefact.code.bytes));
    files->artefact.flags = read_u32_le(&reader);
    bool is_optimised = (files->artefact.flags & COMPILE_OPTIMISED) != 0;
    struct bytes functions = bytes_part(message->payload, SUPERVISOR_COMPILE_SIZE, SIZE_MAX);
    if (reader.failed || (files->artefact.flags & ~(uint32_t)COMPILE_FLAGS) != 0 ||
        functions.size >= COMPILER_LIST_SIZE_MAX || (functions.size > 0 && !is_optimised))
        return error_set(error, ERROR_INVALID, "no such way to compile");
    if (functions.size > 0) {
        memcpy(list, functions.data, functions.size);
        list[functions.size] = '\0';
        files->artefact.functions = list;
    }
    return true;
}

bool launch_errand(const struct launcher *launcher, const char *role, const int files[2],
                   pid_t *pid, struct error *error)
{
    const struct config *config = launcher->config;
    const char *arguments[] = { "s3nd", "--role", role, "--data-dir", config->data_folder,
                                NULL,   NULL,     NULL };
    if (config->file[0] != '\0') {
        arguments[5] = "--config";
        arguments[6] = config->file;
    }
    struct spawn_options options = {
        .path = launcher->server,
        .arguments = arguments,
        .environment = errand_environment(role),
        .descriptors = { { files[0], 0 }, { files[1], 1 } },
        .descriptor_count = 2,
        .has_group = launcher->group >= 0,
        .group = launcher->group,
        .own_group = true,
    };
    return spawn(pid, &options, error);
}
