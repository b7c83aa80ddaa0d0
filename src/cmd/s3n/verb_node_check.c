/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n node check`: proves a node's data, while the node runs or not. */
#include "cmd/s3n/node_client.h"
#include "cmd/s3n/node_folder.h"
#include "cmd/s3n/tables.h"
#include "operations/check.h"

#include <unistd.h>

enum {
    PROBLEMS_KEPT_MAX = 10000
};

struct check_options {
    struct node_options node;
    bool compact;
};

static const struct option_row check_rows[] = {
    NODE_OPTION_ROWS(struct check_options, node),
    { "compact", 0, OPTION_FLAG, offsetof(struct check_options, compact), NULL,
      "what is free in a stopped node's files goes back to the disk, when all is good", 0, 0 },
};

static const struct option_table check_table = {
    .program = "s3n node check",
    .usage = "",
    .about =
        "Reads all of a node's data and proves it: each record against its seal and revision,\n"
        "each blob against its digest, each version against its owner's signature, each state\n"
        "against its head and the head that the keeper remembers, each audit log as a chain.\n"
        "A node that runs proves copies of one moment, and goes on.  Exit code 0 when all is "
        "good,\n"
        "6 when something is not.",
    .rows = check_rows,
    .row_count = ARRAY_COUNT(check_rows),
    CLI_SHARED,
};

struct report {
    struct cli *cli;
    json_t *problems;
};

static void show_progress(void *context, const char *part, uint64_t done, uint64_t all)
{
    struct report *report = context;
    node_progress_show(report->cli, part, done, all);
}

static void keep_problem(void *context, const char *part, const struct error *problem)
{
    struct report *report = context;
    if (json_array_size(report->problems) < PROBLEMS_KEPT_MAX)
        json_array_append_new(report->problems, check_problem_tree(part, problem));
}

/* The answer says how much that was. */
static bool compact(struct cli *cli, const char *const paths[], size_t count, json_t *answer,
                    struct error *error)
{
    uint64_t freed, all = 0;
    for (size_t i = 0; i < count; i++) {
        if (access(paths[i], F_OK) != 0)
            continue;
        cli_step(cli, "compacting %s", paths[i]);
        if (!store_compact(paths[i], &freed, error))
            return error_within(error, "%s", paths[i]);
        all += freed;
    }
    cli_step_done(cli);
    json_object_set_new(answer, "freed_bytes", json_integer((json_int_t)all));
    return true;
}

/* No node runs there. */
static bool check_offline(struct cli *cli, const struct check_options *options, json_t **answer,
                          struct error *error)
{
    AUTO_NODE_FOLDER struct node_folder folder = NODE_FOLDER_NONE;
    AUTO_JSON json_t *problems = json_array();
    char store[PATH_MAX], states[PATH_MAX], logs[PATH_MAX];
    struct report report = { cli, problems };
    struct check_listener listener = { &report, show_progress, keep_problem };
    struct check check = { .listener = &listener };
    if (!node_folder_lock_used(&folder, &options->node, error) ||
        !node_folder_keeper(&folder, error) ||
        !node_folder_path(store, &folder.config, "store/store.db", error) ||
        !node_folder_path(states, &folder.config, "store/state.db", error) ||
        !node_folder_path(logs, &folder.config, "store/logs.db", error) ||
        !node_folder_way_back(&folder, error))
        return false;
    struct store_anchor anchor = keeper_anchor(folder.keeper, ANCHOR_NODE);
    struct store_anchor states_anchor = keeper_anchor(folder.keeper, ANCHOR_STATES);
    struct sealer sealer = keeper_sealer(folder.keeper);
    struct check_files files = { store, states, logs, &anchor, &states_anchor };
    check_files(&check, &files, &sealer);
    cli_step_done(cli);
    *answer = check_tree(&check.counts, problems);
    if (*answer == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the answer");
    const char *const paths[] = { store, states, logs };
    return !options->compact || check.counts.problems != 0 ||
           compact(cli, paths, ARRAY_COUNT(paths), *answer, error);
}

/* A node that runs proves itself; one that doesn't is proved here. */
static bool check_either(struct cli *cli, const struct check_options *options, json_t **answer,
                         struct error *error)
{
    static struct config config;
    AUTO_NODE_CLIENT struct node_client client = { 0 };
    if (!node_folder_find(&config, &options->node, error))
        return false;
    if (node_client_connect(&client, &config, error) && options->compact)
        return error_set(error, ERROR_BUSY, "a node runs on %s: --compact wants it stopped",
                         config.data_folder);
    if (client.ipc != NULL)
        return node_client_ask(&client, cli, CONTROL_CHECK, -1, answer, error);
    return error->code == ERROR_UNAVAILABLE && check_offline(cli, options, answer, error);
}

static void show_problems(struct cli *cli, const json_t *problems)
{
    for (size_t i = 0; i < json_array_size(problems); i++) {
        const json_t *problem = json_array_get(problems, i);
        cli_message(cli, "%s: %s", text_member(problem, "part"), text_member(problem, "message"));
    }
}

static bool check_run(struct cli *cli, const void *given,
                      const struct option_arguments *arguments UNUSED, struct error *error)
{
    const struct check_options *options = given;
    AUTO_JSON json_t *answer = NULL;
    if (!check_either(cli, options, &answer, error) ||
        (cli->json && !cli_write_json(answer, error)))
        return false;
    if (!cli->json)
        show_problems(cli, json_object_get(answer, "problems"));
    long long problems = number_member(answer, "problem_count");
    if (problems != 0 || !json_is_true(json_object_get(answer, "good")))
        return error_set(error, ERROR_UNVERIFIED, "%lld %s in what this node has stored", problems,
                         problems == 1 ? "problem" : "problems");
    if (cli->json)
        return true;
    cli_message(cli,
                "good: %lld records, %lld blobs, %lld versions of %lld applications, %lld states, "
                "%lld audit entries",
                number_member(answer, "records"), number_member(answer, "blobs"),
                number_member(answer, "versions"), number_member(answer, "applications"),
                number_member(answer, "states"), number_member(answer, "audit_entries"));
    if (options->compact)
        cli_message(cli, "given back to the disk: %lld bytes",
                    number_member(answer, "freed_bytes"));
    return true;
}

const struct verb verb_node_check = { .name = "check",
                                      .summary = "prove all that a node has stored",
                                      .table = &check_table,
                                      .options_size = sizeof(struct check_options),
                                      .run = check_run };
