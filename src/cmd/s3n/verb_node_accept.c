/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n node accept`: the keeper remembers the stores as they are. */
#include "cmd/s3n/cli.h"
#include "cmd/s3n/node_folder.h"
#include "operations/accept.h"

#include <time.h>

struct accept_options {
    struct node_options node;
};

static const struct option_row accept_rows[] = { NODE_OPTION_ROWS(struct accept_options, node) };

static const struct option_table accept_table = {
    .program = "s3n node accept",
    .usage = "",
    .about =
        "Takes a node's stores as they are, where its keeper remembers others: after an older S3N\n"
        "wrote them, or an older copy was put in place on purpose; or where what it remembers was\n"
        "damaged.  Proves everything but their age first; the event log and every owner's audit\n"
        "log tell of it.  The node must be stopped.",
    .rows = accept_rows,
    .row_count = ARRAY_COUNT(accept_rows),
    CLI_SHARED,
};

static void progress(void *context, const char *part, uint64_t done, uint64_t all UNUSED)
{
    cli_step(context, "%s: %llu", part, (unsigned long long)done);
}

static void problem(void *context, const char *part, const struct error *found)
{
    cli_message(context, "%s: %s", part, found->text);
}

static bool accept_run(struct cli *cli, const void *given,
                       const struct option_arguments *arguments UNUSED, struct error *error)
{
    const struct accept_options *options = given;
    AUTO_NODE_FOLDER struct node_folder folder = NODE_FOLDER_NONE;
    char store[PATH_MAX], states[PATH_MAX], anchor[PATH_MAX];
    struct check_listener listener = { cli, progress, problem };
    struct check check = { .listener = &listener };
    bool accepted = false;
    if (!node_folder_lock_used(&folder, &options->node, error) ||
        !node_folder_keeper(&folder, error) ||
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
        return answer == NULL ? error_set(error, ERROR_NO_MEMORY, "no memory for the answer")
                              : cli_write_json(answer, error);
    }
    cli_message(cli, accepted ? "accepted: the keeper remembers the stores as they are"
                              : "nothing to accept: the keeper remembers these stores");
    return true;
}

const struct verb verb_node_accept = { .name = "accept",
                                       .summary = "have the keeper take the stores as they are",
                                       .table = &accept_table,
                                       .options_size = sizeof(struct accept_options),
                                       .run = accept_run };
