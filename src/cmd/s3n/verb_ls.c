/* SPDX-License-Identifier: Apache-2.0 */
/* s3n ls, s3n rm: your applications on the node. */
#include "cmd/s3n/cli.h"
#include "cmd/s3n/session.h"
#include "cmd/s3n/tables.h"
#include "functions/manifest.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct option_table ls_table = {
    .program = "s3n ls",
    .usage = "",
    .about = "Lists your applications on the node you are logged in to, with their functions.",
    CLI_SHARED,
};
struct remove {
    bool purge;
};
static const struct option_row rm_rows[] = {
    { .name = "purge",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct remove, purge),
      .help = "for good, without keeping it for the retention time" },
};
static const struct option_table rm_table = {
    .program = "s3n rm",
    .usage = "APPLICATION",
    .about =
        "Deletes an application with all its versions; `s3n restore` brings it back within the\n"
        "node's retention time.",
    .rows = rm_rows,
    .row_count = ARRAY_COUNT(rm_rows),
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};

static void show_application(struct buffer *text, const json_t *application)
{
    time_t deployed = (time_t)json_integer_value(json_object_get(application, "deployed_s"));
    char when[32] = "?";
    struct tm parts;
    if (gmtime_r(&deployed, &parts) != NULL)
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M UTC", &parts);
    if (json_object_get(application, "deleted_s") != NULL) {
        buffer_format(text, "%s  deleted\n", text_member(application, "application"));
        return;
    }
    buffer_format(text, "%s  %s (deployment %lld, %s)\n", text_member(application, "application"),
                  text_member(application, "version"), number_member(application, "version_number"),
                  when);
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(application, "functions"), index, row) buffer_format(
        text, "  %s/%s  code sha256:%.12s…  %lld bytes\n", text_member(application, "application"),
        text_member(row, "name"), text_member(row, "code_digest"), number_member(row, "code_size"));
    json_array_foreach(json_object_get(application, "routes"), index, row)
        buffer_format(text, "  /a/%s%s -> %s\n", text_member(application, "application"),
                      text_member(row, "route"), text_member(row, "function"));
}

static bool ls_run(struct cli *cli, const void *options UNUSED,
                   const struct option_arguments *arguments UNUSED, struct error *error)
{
    AUTO_SESSION struct session session;
    session_init(&session);
    struct session_request request = { .method = HTTP_METHOD_GET,
                                       .target = "/v1/applications",
                                       .is_signed = true };
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    AUTO_JSON json_t *root = NULL;
    if (!session_open(&session, NULL, error) || !session_call(&session, &request, &answer, error) ||
        !json_parse(&root, buffer_view(&answer.body), error)) {
        cli_hint(cli, session.hint);
        return false;
    }
    if (cli->json)
        return cli_write_json(root, error);
    const json_t *list = json_object_get(root, "applications");
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, SESSION_ANSWER_SIZE_MAX);
    size_t index;
    json_t *application;
    json_array_foreach(list, index, application) show_application(&text, application);
    if (json_array_size(list) == 0)
        cli_message(cli, "no applications yet; `s3n deploy` makes one");
    return cli_write_lines(buffer_view(&text), error);
}

const struct verb verb_ls = {
    .name = "ls", .summary = "list your applications on the node", .table = &ls_table, .run = ls_run
};

static bool rm_run(struct cli *cli, const void *options, const struct option_arguments *arguments,
                   struct error *error)
{
    const struct remove *remove = options;
    const char *name = arguments->items[0];
    if (!name_is_valid(name))
        return error_set(error, ERROR_USAGE, "%s is not an application's name",
                         error_quote(bytes_of_string(name)).text);
    char target[128];
    snprintf(target, sizeof(target), "/v1/applications/%s%s", name,
             remove->purge ? "?purge=1" : "");
    AUTO_SESSION struct session session;
    session_init(&session);
    struct session_request request = { .method = HTTP_METHOD_DELETE,
                                       .target = target,
                                       .is_signed = true };
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    if (!session_open(&session, NULL, error) || !session_call(&session, &request, &answer, error)) {
        cli_hint(cli, session.hint);
        return false;
    }
    profile_forget(&session.profile, name);
    if (!profile_write(&session.profile, error))
        return false;
    cli_message(cli, "deleted %s", name);
    if (!cli->json)
        return true;
    AUTO_JSON json_t *root = json_pack("{s:s}", "deleted", name);
    return cli_write_json(root, error);
}

const struct verb verb_rm = { .name = "rm",
                              .summary = "delete an application",
                              .table = &rm_table,
                              .options_size = sizeof(struct remove),
                              .run = rm_run };
