/* SPDX-License-Identifier: Apache-2.0 */
/* s3n token: API tokens, for machines that deploy or call without a key of their own. */
#include "cmd/s3n/cli.h"
#include "cmd/s3n/node_call.h"
#include "cmd/s3n/tables.h"

#include <stdio.h>
#include <string.h>

enum {
    SCOPE_SIZE_MAX = 32
};

struct token_options {
    const char *name;
    const char *application;
    const char *expires;
    struct option_list scopes;
};
static const struct option_row create_rows[] = {
    { .name = "scope",
      .kind = OPTION_LIST,
      .offset = offsetof(struct token_options, scopes),
      .value = "SCOPES",
      .help = "what it may do, by commas: read, deploy, rollout, delete, state-read, "
              "state-write, secrets, logs, metrics, audit, invoke" },
    { .name = "application",
      .kind = OPTION_STRING,
      .offset = offsetof(struct token_options, application),
      .value = "NAME",
      .help = "for this one only (default: all of the account's)" },
    { .name = "expires",
      .kind = OPTION_STRING,
      .offset = offsetof(struct token_options, expires),
      .value = "TIME",
      .help = "after 30d, 12h, 15m or 90s (default 90d, at most 366d)" },
    { .name = "name",
      .kind = OPTION_STRING,
      .offset = offsetof(struct token_options, name),
      .value = "TEXT",
      .help = "what it is for, for `s3n token ls`" },
};
static const struct option_table create_table = {
    .program = "s3n token create",
    .usage = "--scope SCOPES",
    .about =
        "Makes an API token and writes it to stdout: this once, the node keeps its hash only.\n"
        "`s3n` takes it from S3N_API_KEY; others send `Authorization: Bearer TOKEN`.",
    .rows = create_rows,
    .row_count = ARRAY_COUNT(create_rows),
    CLI_SHARED,
};
static const struct option_table list_table = {
    .program = "s3n token ls",
    .usage = "",
    .about = "Lists the account's API tokens: id, scopes, application, expiry, last use, name.",
    CLI_SHARED,
};
static const struct option_table revoke_table = {
    .program = "s3n token revoke",
    .usage = "ID",
    .about = "Takes a token's rights away, at once.",
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};
static const struct option_table token_table = {
    .program = "s3n token",
    .usage = "create|ls|revoke ...",
    .about = "API tokens: for machines that deploy or call without a key of their own.",
    CLI_SHARED,
    .positional_max = UINT32_MAX,
};

static bool scopes_add(json_t *list, const char *text, struct error *error)
{
    while (*text != '\0') {
        size_t size = strcspn(text, ",");
        if (size == 0 || size > SCOPE_SIZE_MAX)
            return error_set(error, ERROR_USAGE, "--scope: names, with a comma between them");
        json_array_append_new(list, json_stringn(text, size));
        text += size + (text[size] == ',');
    }
    return true;
}

static bool create_run(struct cli *cli, const void *options,
                       const struct option_arguments *arguments UNUSED, struct error *error)
{
    const struct token_options *wanted = options;
    AUTO_JSON json_t *scopes = json_array();
    AUTO_JSON json_t *answer = NULL;
    int64_t life_s = 0;
    for (size_t i = 0; i < wanted->scopes.count; i++) {
        if (!scopes_add(scopes, wanted->scopes.items[i], error))
            return false;
    }
    if (json_array_size(scopes) == 0)
        return error_set(error, ERROR_USAGE, "--scope says what the token may do");
    if (wanted->expires != NULL && !duration_parse(&life_s, wanted->expires, error))
        return error_within(error, "--expires");
    AUTO_JSON json_t *body = json_pack("{s:O, s:s*, s:s*}", "scopes", scopes, "application",
                                       wanted->application, "name", wanted->name);
    if (body == NULL)
        return error_set(error, ERROR_USAGE, "--name and --application are text");
    if (wanted->expires != NULL)
        json_object_set_new(body, "expires_in_s", json_integer(life_s));
    if (!node_call(cli, HTTP_METHOD_POST, "/v1/tokens", body, &answer, error))
        return false;
    if (cli->json)
        return cli_write_json(answer, error);
    struct time_text expires = time_text_of(answer, "expires_s");
    cli_message(cli, "token %s, until %s; this is the only time it is shown",
                text_member(answer, "id"), expires.text);
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 4096);
    buffer_format(&text, "%s\n", text_member(answer, "token"));
    bool written = cli_write(buffer_view(&text), error);
    secret_wipe(text.data, text.size);
    return written;
}

static bool list_run(struct cli *cli, const void *options UNUSED,
                     const struct option_arguments *arguments UNUSED, struct error *error)
{
    AUTO_JSON json_t *answer = NULL;
    AUTO_BUFFER struct buffer text;
    size_t index, place;
    json_t *row, *scope;
    buffer_init(&text, 4 << 20);
    if (!node_call(cli, HTTP_METHOD_GET, "/v1/tokens", NULL, &answer, error))
        return false;
    if (cli->json)
        return cli_write_json(answer, error);
    json_array_foreach(json_object_get(answer, "tokens"), index, row)
    {
        buffer_format(&text, "%s  ", text_member(row, "id"));
        json_array_foreach(json_object_get(row, "scopes"), place, scope)
            buffer_format(&text, "%s%s", place == 0 ? "" : ",", json_string_value(scope));
        const char *application = text_member(row, "application");
        struct time_text expires = time_text_of(row, "expires_s");
        struct time_text used = time_text_of(row, "last_used_s");
        buffer_format(&text, "  %s  until %s  used %s  %s\n",
                      application[0] == '\0' ? "(all)" : application, expires.text, used.text,
                      text_member(row, "name"));
    }
    if (text.size == 0)
        cli_message(cli, "no tokens yet; `s3n token create` makes one");
    return cli_write_lines(buffer_view(&text), error);
}

static bool revoke_run(struct cli *cli, const void *options UNUSED,
                       const struct option_arguments *arguments, struct error *error)
{
    char path[NODE_PATH_SIZE];
    const char *id = arguments->items[0];
    AUTO_JSON json_t *answer = NULL;
    if (strlen(id) != 16 || strspn(id, "0123456789abcdef") != 16)
        return error_set(error, ERROR_USAGE, "%s is not a token's id (s3n token ls lists them)",
                         error_quote(bytes_of(id, strlen(id) < 16 ? strlen(id) : 16)).text);
    snprintf(path, sizeof(path), "/v1/tokens/%s", id);
    if (!node_call(cli, HTTP_METHOD_DELETE, path, NULL, &answer, error))
        return false;
    cli_message(cli, "revoked %s", id);
    return true;
}

static const struct verb verb_create = { .name = "create",
                                         .summary = "make one",
                                         .table = &create_table,
                                         .options_size = sizeof(struct token_options),
                                         .run = create_run };
static const struct verb verb_list = {
    .name = "ls", .summary = "list them", .table = &list_table, .run = list_run
};
static const struct verb verb_revoke = {
    .name = "revoke", .summary = "end one", .table = &revoke_table, .run = revoke_run
};
static const struct verb *const subverbs[] = { &verb_create, &verb_list, &verb_revoke, NULL };
const struct verb verb_token = { .name = "token",
                                 .summary = "API tokens for machines",
                                 .table = &token_table,
                                 .subverbs = subverbs };
