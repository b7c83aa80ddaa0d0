/* SPDX-License-Identifier: Apache-2.0 */
/* `slipstream --worker`: opens what it needs, jails itself, serves until its server is gone. */
#include "cmd/slipstream/slipstream.h"

#include "base/log.h"
#include "base/options.h"
#include "slipstream/engine.h"
#include "slipstream/restoring.h"
#include "slipstream/serve.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct worker_arguments {
    uint64_t control;
    uint64_t uid;
    uint64_t shells;
    const char *backend;
    const char *restoring;
};

static const struct option_row worker_rows[] = {
    { "control-fd", 0, OPTION_NUMBER, offsetof(struct worker_arguments, control), "N",
      "descriptor of the control socket (default 3)", 3, 1 << 20 },
    { "backend", 0, OPTION_STRING, offsetof(struct worker_arguments, backend), "NAME",
      "kvm, process, or auto (the default): kvm, but process inside a confidential VM", 0, 0 },
    { "restoring", 0, OPTION_STRING, offsetof(struct worker_arguments, restoring), "CHOICE",
      "how the process backend restores memory: auto, track, copy or discard, and costs", 0, 0 },
    { "shells", 0, OPTION_NUMBER, offsetof(struct worker_arguments, shells), "N",
      "micro-VMs made before anything is asked: 0 or 1 (the default)", 0, 1 },
    { "uid", 0, OPTION_NUMBER, offsetof(struct worker_arguments, uid), "N",
      "user to become when started by root (default 63016)", 1, UINT32_MAX - 1 },
};

static const struct option_table worker_table = {
    .program = "slipstream --worker",
    .usage = "",
    .about = "Runs the functions of one application for s3nd.",
    .rows = worker_rows,
    .row_count = ARRAY_COUNT(worker_rows),
};

static bool worker_jail(struct engine *engine, uid_t uid, struct error *error)
{
    bool is_process = strcmp(engine_backend(engine), "process") == 0;
    engine_set_seal(engine, jail_narrow);
    return jail_narrow_prepare(is_process ? &profile_cell : &profile_cell_kvm, error) &&
           jail_enter(is_process ? &profile_worker_process : &profile_worker, uid, (gid_t)uid,
                      error);
}

/* A first micro-VM, for what is measured once per process, and to learn now that none can be made.
 */
static bool engine_prime(struct engine *engine, struct error *error)
{
    AUTO(shell) struct shell *shell = NULL;
    return strcmp(engine_backend(engine), "process") == 0 ||
           shell_open(&shell, engine, NULL, 0, error);
}

static bool engine_tune(struct engine *engine, const char *text, struct error *error)
{
    struct restoring restoring;
    return text == NULL || (restoring_parse(&restoring, text, error) &&
                            engine_restore_by(engine, &restoring, error));
}

/* A worker may wait long for its application: what building the jail's filter took goes back. */
static bool heap_trim(void)
{
    (void)malloc_trim(0);
    return true;
}

int slipstream_worker(char **argv)
{
    struct worker_arguments options = { .control = 3, .uid = JAIL_UID_DEFAULT, .shells = 1 };
    struct option_arguments arguments = { 0 };
    struct engine *engine = NULL;
    struct error error;
    uid_t uid;
    if (!options_parse(&worker_table, argv, &options, NULL, &arguments, &error)) {
        fprintf(stderr, "slipstream: %s\n", error.text);
        return error_exit_code(error.code);
    }
    uid = (uid_t)options.uid;
    if (!engine_open(&engine, options.backend, &error) ||
        !engine_tune(engine, options.restoring, &error) || !engine_prime(engine, &error) ||
        !worker_jail(engine, uid, &error) || !heap_trim() ||
        !worker_serve(engine, (int)options.control, options.shells != 0, &error)) {
        log_error("worker failed", &error);
        return error_exit_code(error.code);
    }
    _exit(0);
}
