/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n node`: what the operator of a node does on its machine. */
#include "base/spawn.h"
#include "cmd/s3n/cli.h"
#include "cmd/s3n/node_folder.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* --- run --- */

struct run_options {
    struct node_options node;
    const char *listen, *admin, *backend;
};

static const struct option_row run_rows[] = {
    NODE_OPTION_ROWS(struct run_options, node),
    { "listen", 0, OPTION_STRING, offsetof(struct run_options, listen), "ADDR:PORT",
      "HTTPS for everyone (127.0.0.1:8443; port 0: a free one)", 0, 0 },
    { "admin", 0, OPTION_STRING, offsetof(struct run_options, admin), "ADDR:PORT",
      "health and metrics, loopback only (127.0.0.1:0)", 0, 0 },
    { "backend", 0, OPTION_STRING, offsetof(struct run_options, backend), "NAME",
      "where functions run: kvm, process, or auto", 0, 0 },
};

static const struct option_table run_table = {
    .program = "s3n node run",
    .usage = "",
    .about =
        "Runs a node in this process's place, until SIGTERM or SIGINT; prints `ready url=...`\n"
        "when it serves.  Under systemd use the service s3nd instead.",
    .rows = run_rows,
    .row_count = ARRAY_COUNT(run_rows),
    CLI_SHARED,
};

static bool run_run(struct cli *cli UNUSED, const void *given,
                    const struct option_arguments *arguments UNUSED, struct error *error)
{
    const struct run_options *options = given;
    char program[PATH_MAX], settings[PATH_MAX];
    const struct {
        const char *name, *value;
    } passed[] = { { "--config", settings },       { "--data-dir", options->node.data_folder },
                   { "--tee", options->node.tee }, { "--listen", options->listen },
                   { "--admin", options->admin },  { "--backend", options->backend } };
    const char *all[2 * ARRAY_COUNT(passed) + 2] = { "s3nd" };
    size_t count = 1;
    node_settings_find(settings, &options->node);
    for (size_t i = 0; i < ARRAY_COUNT(passed); i++) {
        if (passed[i].value == NULL || passed[i].value[0] == '\0')
            continue;
        all[count++] = passed[i].name;
        all[count++] = passed[i].value;
    }
    all[count] = NULL;
    if (!spawn_sibling_path(program, sizeof(program), "s3nd", error))
        return false;
    execv(program, (char *const *)(uintptr_t)all);
    return error_system(error, "run %s", program);
}

const struct verb verb_node_run = { .name = "run",
                                    .summary = "run a node here",
                                    .table = &run_table,
                                    .options_size = sizeof(struct run_options),
                                    .run = run_run };

/* --- node --- */

static const struct option_table node_table = {
    .program = "s3n node",
    .usage = "init|run|status|check|accept|backup|restore|upgrade ...",
    .about = "What a node's operator does on its machine.  `s3n help node init` explains each.",
    CLI_SHARED,
    .positional_max = UINT32_MAX,
};

static const struct verb *const subverbs[] = {
    &verb_node_init,    &verb_node_run,     &verb_node_status,
    &verb_node_check,   &verb_node_accept,  &verb_node_backup,
    &verb_node_restore, &verb_node_upgrade, NULL
};

const struct verb verb_node = { .name = "node",
                                .summary = "set up, run, check and save a node on this machine",
                                .table = &node_table,
                                .subverbs = subverbs };
