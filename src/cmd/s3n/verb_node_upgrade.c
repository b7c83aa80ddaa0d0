/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n node upgrade`: the running node takes the programs that lie on the disk now. */
#include "cmd/s3n/node_client.h"
#include "cmd/s3n/node_folder.h"
#include "cmd/s3n/tables.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum {
    LOOK_MS = 50,
    LOST_LOOKS_MAX = 200 /* in the moment between two servers nobody answers */
};

static const struct option_table upgrade_table = {
    .program = "s3n node upgrade",
    .usage = "",
    .about =
        "Has the running node replaced by the programs and the configuration that are on the disk\n"
        "now, on the same sockets: no connection is refused, no request lost.  SIGHUP to s3nd "
        "does\n"
        "the same.  Exit code 7 when the new programs don't start: the node then goes on as it "
        "was.",
    .rows = node_rows,
    .row_count = NODE_ROW_COUNT,
    CLI_SHARED,
};

static bool status_get(struct cli *cli, const struct config *config, json_t **answer,
                       pid_t *supervisor, struct error *error)
{
    AUTO_NODE_CLIENT struct node_client client = { 0 };
    if (!node_client_connect(&client, config, error) ||
        !node_client_ask(&client, cli, CONTROL_STATUS, -1, answer, error))
        return false;
    *supervisor = client.supervisor;
    return true;
}

/* Until another server answers, or the supervisor counts one more that could not. */
static bool wait_for(struct cli *cli, const struct config *config, const json_t *before,
                     json_t **after, struct error *error)
{
    pid_t supervisor;
    for (unsigned lost = 0; lost < LOST_LOOKS_MAX;) {
        AUTO_JSON json_t *answer = NULL;
        (void)poll(NULL, 0, LOOK_MS);
        if (!status_get(cli, config, &answer, &supervisor, error)) {
            lost++;
            continue;
        }
        lost = 0;
        if (number_member(answer, "server") != number_member(before, "server")) {
            *after = json_incref(answer);
            return true;
        }
        if (number_member(answer, "upgrades_failed") != number_member(before, "upgrades_failed"))
            return error_set(error, ERROR_UNAVAILABLE,
                             "the new programs do not start; the node goes on as it was (its log "
                             "has the reason)");
    }
    return error_within(error, "after the upgrade");
}

static bool upgrade_run(struct cli *cli, const void *options,
                        const struct option_arguments *arguments UNUSED, struct error *error)
{
    static struct config config;
    AUTO_JSON json_t *before = NULL, *after = NULL;
    pid_t supervisor = 0;
    if (!node_folder_find(&config, options, error) ||
        !status_get(cli, &config, &before, &supervisor, error))
        return false;
    if (supervisor <= 1 || kill(supervisor, SIGHUP) != 0)
        return error_system(error, "tell process %d", (int)supervisor);
    if (!wait_for(cli, &config, before, &after, error))
        return false;
    if (cli->json)
        return cli_write_json(after, error);
    cli_message(cli, "upgraded: version %s, process %d", text_member(after, "version"),
                (int)supervisor);
    return true;
}

const struct verb verb_node_upgrade = { .name = "upgrade",
                                        .summary = "take new programs without losing a request",
                                        .table = &upgrade_table,
                                        .options_size = sizeof(struct node_options),
                                        .run = upgrade_run };
