/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n node check`: proves a node's data while no node runs on it. */
#include "cmd/s3n/cli.h"
#include "cmd/s3n/node_folder.h"
#include "operations/check.h"

#include <stdio.h>
#include <unistd.h>

enum {
    PROBLEMS_KEPT_MAX = 10000
};

struct check_options {
    struct node_options node;
};

static const struct option_row check_rows[] = { NODE_OPTION_ROWS(struct check_options, node) };

static const struct option_table check_table = {
    .program = "s3n node check",
    .usage = "",
    .about =
        "Reads all of a node's data and proves it: each record against its seal and revision,\n"
        "each blob against its digest, each version against its owner's signature, each state\n"
        "against its head and the head that the keeper remembers, each audit log as a chain.\n"
        "Stop the node first.  Exit code 0 when all is good, 6 when something is not.",
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
    if (all == 0)
        cli_step(report->cli, "%s: %llu", part, (unsigned long long)done);
    else
        cli_step(report->cli, "%s: %llu of %llu", part, (unsigned long long)done,
                 (unsigned long long)all);
}

static void show_problem(void *context, const char *part, const struct error *problem)
{
    struct report *report = context;
    if (!report->cli->json)
        cli_message(report->cli, "%s: %s", part, problem->text);
    if (json_array_size(report->problems) < PROBLEMS_KEPT_MAX)
        json_array_append_new(report->problems,
                              json_pack("{s:s, s:s, s:s}", "part", part, "code",
                                        error_name(problem->code), "message", problem->text));
}

/* Everything that can be opened. */
static void folder_check(struct check *check, struct node_folder *folder, struct report *report)
{
    AUTO(store) struct store *store = NULL;
    struct error error;
    char path[PATH_MAX], states[PATH_MAX], logs[PATH_MAX];
    struct store_anchor anchor = keeper_anchor(folder->keeper);
    struct sealer sealer = keeper_sealer(folder->keeper);
    bool done = node_folder_path(path, &folder->config, "store/store.db", &error) &&
                node_folder_path(states, &folder->config, "store/state.db", &error) &&
                node_folder_path(logs, &folder->config, "store/logs.db", &error);
    if (!done || !store_open_sqlite(&store, path, &sealer, &error)) {
        check->counts.problems++;
        show_problem(report, "store", &error);
        return;
    }
    check_store(check, store, "store");
    check_contents(check, store);
    if (access(states, F_OK) == 0)
        check_states(check, store, &(struct check_states){ states, &anchor });
    if (access(logs, F_OK) == 0)
        check_logs(check, store, logs);
}

static json_t *answer_tree(const struct check_counts *counts, json_t *problems)
{
    return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "good",
                     counts->problems == 0, "records", (json_int_t)counts->records, "blobs",
                     (json_int_t)counts->blobs, "bytes", (json_int_t)counts->bytes, "applications",
                     (json_int_t)counts->applications, "versions", (json_int_t)counts->versions,
                     "states", (json_int_t)counts->states, "audit_entries",
                     (json_int_t)counts->entries, "log_segments", (json_int_t)counts->segments,
                     "problems", problems);
}

static bool check_run(struct cli *cli, const void *given,
                      const struct option_arguments *arguments UNUSED, struct error *error)
{
    const struct check_options *options = given;
    AUTO_NODE_FOLDER struct node_folder folder = NODE_FOLDER_NONE;
    AUTO_JSON json_t *problems = json_array();
    struct report report = { cli, problems };
    struct check_listener listener = { &report, show_progress, show_problem };
    struct check check = { .listener = &listener };
    if (!node_folder_lock_used(&folder, &options->node, error) ||
        !node_folder_keeper(&folder, error))
        return false;
    folder_check(&check, &folder, &report);
    cli_step_done(cli);
    AUTO_JSON json_t *answer = answer_tree(&check.counts, problems);
    if (answer == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the answer");
    if (cli->json && !cli_write_json(answer, error))
        return false;
    if (check.counts.problems > 0)
        return error_set(error, ERROR_UNVERIFIED, "%llu %s in what this node has stored",
                         (unsigned long long)check.counts.problems,
                         check.counts.problems == 1 ? "problem" : "problems");
    cli_message(cli,
                "good: %llu records, %llu blobs, %llu versions of %llu applications, "
                "%llu states, %llu audit entries",
                (unsigned long long)check.counts.records, (unsigned long long)check.counts.blobs,
                (unsigned long long)check.counts.versions,
                (unsigned long long)check.counts.applications,
                (unsigned long long)check.counts.states, (unsigned long long)check.counts.entries);
    return true;
}

const struct verb verb_node_check = { .name = "check",
                                      .summary = "prove all that a node has stored",
                                      .table = &check_table,
                                      .options_size = sizeof(struct check_options),
                                      .run = check_run };
