/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n node status`: whether a node runs on this machine's folder, and how it does. */
#include "cmd/s3n/node_client.h"
#include "cmd/s3n/node_folder.h"
#include "cmd/s3n/tables.h"

#include <string.h>

static const struct option_table status_table = {
    .program = "s3n node status",
    .usage = "",
    .about =
        "Asks the node that runs on the data folder: what it is, where it listens, whether it\n"
        "is well.  Exit code 0 when it is, 7 when it is not or when none runs.",
    .rows = node_rows,
    .row_count = NODE_ROW_COUNT,
    CLI_SHARED,
};

static bool show(const struct node_client *client, const json_t *answer, struct error *error)
{
    const json_t *problems = json_object_get(answer, "problems");
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 2 * CONTROL_PAYLOAD_MAX);
    buffer_format(&text, "node       %s on %s%s\n", text_member(answer, "node"),
                  text_member(answer, "platform"),
                  strcmp(text_member(answer, "platform"), "sim") == 0 ? " (SIMULATED)" : "");
    buffer_format(&text, "version    %s, process %d\n", text_member(answer, "version"),
                  (int)client->supervisor);
    buffer_format(&text, "listens    https://%s\n", text_member(answer, "listen"));
    buffer_format(&text, "serves     %lld applications, for %lld s\n",
                  number_member(answer, "applications"), number_member(answer, "uptime_s"));
    buffer_format(&text, "free disk  %lld MiB\n", number_member(answer, "free_bytes") >> 20);
    buffer_format(&text, "health     %s\n", json_array_size(problems) == 0 ? "good" : "NOT GOOD");
    for (size_t i = 0; i < json_array_size(problems); i++)
        buffer_format(&text, "           %s\n", json_string_value(json_array_get(problems, i)));
    return cli_write_lines(buffer_view(&text), error);
}

static bool status_run(struct cli *cli, const void *options,
                       const struct option_arguments *arguments UNUSED, struct error *error)
{
    static struct config config;
    AUTO_NODE_CLIENT struct node_client client = { 0 };
    AUTO_JSON json_t *answer = NULL;
    if (!node_folder_find(&config, options, error) ||
        !node_client_connect(&client, &config, error) ||
        !node_client_ask(&client, cli, CONTROL_STATUS, -1, &answer, error))
        return false;
    json_object_set_new(answer, "process", json_integer(client.supervisor));
    if (json_array_size(json_object_get(answer, "problems")) > 0)
        cli->exit_code = error_exit_code(ERROR_UNAVAILABLE);
    if (cli->json)
        return cli_write_json(answer, error);
    return show(&client, answer, error);
}

const struct verb verb_node_status = { .name = "status",
                                       .summary = "how the node on this machine does",
                                       .table = &status_table,
                                       .options_size = sizeof(struct node_options),
                                       .run = status_run };
