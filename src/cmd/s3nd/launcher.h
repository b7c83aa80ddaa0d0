/* SPDX-License-Identifier: Apache-2.0 */
/* How each child of the supervisor is started: program, arguments, user, descriptors. */
#ifndef S3ND_LAUNCHER_H
#define S3ND_LAUNCHER_H

#include "base/ipc.h"
#include "cmd/s3nd/config.h"
#include "functions/compiler.h"

#include <sys/types.h>

/* Users of the children, counted from config->uid_base. */
enum node_user {
    NODE_USER_SERVER = 0,
    NODE_USER_KEEPER = 1, /* as s3n-keeper has it */
    NODE_USER_COMPILER = 2,
    NODE_USER_RELAY = 3, /* as s3n-relay has it */
    NODE_USER_COLLATERAL = 4,
    NODE_USER_OUTBOUND = 5, /* as s3n-outbound has it */
    NODE_USER_TELEMETRY = 6,
    NODE_USER_WORKER = 16 /* + the worker's number */
};

struct launcher {
    const struct config *config;
    const char *backend; /* kvm or process: chosen once, so that what receipts name is what runs */
    char restoring[RESTORING_TEXT_SIZE]; /* how the process backend restores memory; empty: kvm */
    int group;          /* entrance of the next child's control group; -1: it has none */
    int event_register; /* of the keepers, where the platform has none: lives as long as we do */
    char server[PATH_MAX], keeper[PATH_MAX], compiler[PATH_MAX], optimiser[PATH_MAX],
        worker[PATH_MAX], outbound[PATH_MAX];
};

MUST_CHECK bool launcher_init(struct launcher *launcher, const struct config *config,
                              struct error *error);
/* Makes the folders of the children, each owned by its user. */
MUST_CHECK bool launcher_make_folders(const struct launcher *launcher, struct error *error);

/* One node a folder: its lock goes with this process, however it ends. */
MUST_CHECK bool launcher_lock_folder(const struct launcher *launcher, int *lock,
                                     struct error *error);

struct server_sockets {
    int supervisor;
    int listen;
    int admin;
    int control; /* -1: none */
};
MUST_CHECK bool launch_server(const struct launcher *launcher, const struct server_sockets *sockets,
                              pid_t *pid, struct error *error);
MUST_CHECK bool launch_keeper(const struct launcher *launcher, int socket, pid_t *pid,
                              struct error *error);
MUST_CHECK bool launch_worker(const struct launcher *launcher, int socket, unsigned user,
                              pid_t *pid, struct error *error);
/* For one application's requests to others. */
MUST_CHECK bool launch_outbound(const struct launcher *launcher, int socket, pid_t *pid,
                                struct error *error);
struct compile_files {
    int module;
    int image;
    int messages;
    struct artefact artefact;
};
MUST_CHECK bool launch_compiler(const struct launcher *launcher, const struct compile_files *files,
                                pid_t *pid, struct error *error);
/* What a compilation's request says, into `files`; `list` is the memory of its functions. */
MUST_CHECK bool compile_request_read(struct compile_files *files, char list[COMPILER_LIST_SIZE_MAX],
                                     const struct ipc_message *message, struct error *error);
/* s3nd in a role that goes to the network once: what it is given, and what comes of it. */
MUST_CHECK bool launch_errand(const struct launcher *launcher, const char *role, const int files[2],
                              pid_t *pid, struct error *error);

#endif
