/* SPDX-License-Identifier: Apache-2.0 */
/* s3n rollout, rollback, restore: which version answers. */
#include "cmd/s3n/cli.h"
#include "cmd/s3n/node_call.h"
#include "cmd/s3n/tables.h"

#include <stdio.h>
#include <stdlib.h>

struct rollout {
    uint64_t weight;
};

static const struct option_row rollout_rows[] = {
    { .name = "weight",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct rollout, weight),
      .value = "PERCENT",
      .help = "of the requests (100: all; less: beside the version that is served; 0: none)",
      .min = 0,
      .max = 100 },
};
static const struct option_table rollout_table = {
    .program = "s3n rollout",
    .usage = "APPLICATION VERSION",
    .about =
        "Has a version answer the requests, all of them or some percent (a canary).  Requests\n"
        "under way finish where they are; none fails.",
    .rows = rollout_rows,
    .row_count = ARRAY_COUNT(rollout_rows),
    CLI_SHARED,
    .positional_min = 2,
    .positional_max = 2,
};
static const struct option_table rollback_table = {
    .program = "s3n rollback",
    .usage = "APPLICATION [VERSION]",
    .about = "Ends a canary; without one has the version before answer again, or VERSION.",
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 2,
};
static const struct option_table restore_table = {
    .program = "s3n restore",
    .usage = "APPLICATION",
    .about = "Brings a deleted application back, within the node's retention time.",
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};

/* node_path has checked that it is one, of at most 15 digits. */
static uint64_t number_of(const char *text)
{
    char *end;
    return strtoull(text, &end, 10);
}

static bool show(struct cli *cli, const char *application, const json_t *root, struct error *error)
{
    size_t index;
    json_t *row;
    if (cli->json)
        return cli_write_json(root, error);
    json_array_foreach(json_object_get(root, "serving"), index, row)
        cli_message(cli, "%s version %lld answers %lld %% of the requests", application,
                    number_member(row, "version_number"), number_member(row, "weight"));
    return true;
}

static bool rollout_run(struct cli *cli, const void *options,
                        const struct option_arguments *arguments, struct error *error)
{
    const struct rollout *rollout = options;
    char path[NODE_PATH_SIZE];
    AUTO_JSON json_t *root = NULL;
    if (!node_path(path, arguments->items[0], arguments->items[1], "", error) ||
        !node_path(path, arguments->items[0], NULL, "/rollout", error))
        return false;
    AUTO_JSON json_t *body =
        json_pack("{s:I, s:I}", "version_number", (json_int_t)number_of(arguments->items[1]),
                  "weight", (json_int_t)rollout->weight);
    return node_call(cli, HTTP_METHOD_POST, path, body, &root, error) &&
           show(cli, arguments->items[0], root, error);
}

static bool rollback_run(struct cli *cli, const void *options UNUSED,
                         const struct option_arguments *arguments, struct error *error)
{
    char path[NODE_PATH_SIZE];
    AUTO_JSON json_t *root = NULL;
    AUTO_JSON json_t *body = json_object();
    const char *number = arguments->count > 1 ? arguments->items[1] : NULL;
    if (!node_path(path, arguments->items[0], number, "", error) ||
        !node_path(path, arguments->items[0], NULL, "/rollback", error))
        return false;
    if (number != NULL)
        json_object_set_new(body, "version_number", json_integer((json_int_t)number_of(number)));
    return node_call(cli, HTTP_METHOD_POST, path, body, &root, error) &&
           show(cli, arguments->items[0], root, error);
}

static bool restore_run(struct cli *cli, const void *options UNUSED,
                        const struct option_arguments *arguments, struct error *error)
{
    char path[NODE_PATH_SIZE];
    AUTO_JSON json_t *root = NULL;
    return node_path(path, arguments->items[0], NULL, "/restore", error) &&
           node_call(cli, HTTP_METHOD_POST, path, NULL, &root, error) &&
           show(cli, arguments->items[0], root, error);
}

static const struct rollout rollout_defaults = { .weight = 100 };
const struct verb verb_rollout = { .name = "rollout",
                                   .summary = "have a version answer all or some requests",
                                   .table = &rollout_table,
                                   .defaults = &rollout_defaults,
                                   .options_size = sizeof(struct rollout),
                                   .run = rollout_run };
const struct verb verb_rollback = { .name = "rollback",
                                    .summary = "have the version before answer again",
                                    .table = &rollback_table,
                                    .run = rollback_run };
const struct verb verb_restore = { .name = "restore",
                                   .summary = "bring a deleted application back",
                                   .table = &restore_table,
                                   .run = restore_run };
