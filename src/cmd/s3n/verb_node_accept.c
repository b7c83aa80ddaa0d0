/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n node accept`: the keeper remembers the stores as they are. */
#include "cmd/s3n/cli.h"
#include "cmd/s3n/node_folder.h"
#include "operations/accept.h"

#include <time.h>

static const struct option_table accept_table = {
    .program = "s3n node accept",
    .usage = "",
    .about =
        "Takes a node's stores as they are, where its keeper remembers others: after an older S3N\n"
        "wrote them, or an older copy was put in place on purpose; or where what it remembers was\n"
        "damaged.  Proves everything but their age first; the event log and every owner's audit\n"
        "log tell of it.  The node must be stopped.",
    .rows = node_rows,
    .row_count = NODE_ROW_COUNT,
    CLI_SHARED,
};

static bool accept_run(struct cli *cli, const void *options,
                       const struct option_arguments *arguments UNUSED, struct error *error)
{
    AUTO_NODE_FOLDER struct node_folder folder = NODE_FOLDER_NONE;
    char store[PATH_MAX], states[PATH_MAX], anchor[PATH_MAX];
    struct check_listener listener = node_listener(cli);
    struct check check = { .listener = &listener };
    bool accepted = false;
    if (!node_folder_lock_used(&folder, options, error) || !node_folder_keeper(&folder, error) ||
        !node_folder_path(store, &folder.config, "store/store.db", error) ||
        !node_folder_path(states, &folder.config, "store/state.db", error) ||
        !node_folder_path(anchor, &folder.config, "keeper/anchor", error) ||
        !node_folder_way_back(&folder, error))
        return false;
    struct accept accept = { store, states, anchor, folder.keeper, (int64_t)time(NULL) };
    bool done = accept_stores(&accept, &check, &accepted, error);
    cli_step_done(cli);
    if (!done)
        return false;
    if (cli->json) {
        AUTO_JSON json_t *answer = json_pack("{s:b}", "accepted", accepted);
        return cli_write_json(answer, error);
    }
    cli_message(cli, accepted ? "accepted: the keeper remembers the stores as they are"
                              : "nothing to accept: the keeper remembers these stores");
    return true;
}

const struct verb verb_node_accept = { .name = "accept",
                                       .summary = "have the keeper take the stores as they are",
                                       .table = &accept_table,
                                       .options_size = sizeof(struct node_options),
                                       .run = accept_run };
