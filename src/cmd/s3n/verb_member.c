/* SPDX-License-Identifier: Apache-2.0 */
/* s3n member: who else may work on an account. */
#include "cmd/s3n/cli.h"
#include "cmd/s3n/node_call.h"
#include "cmd/s3n/tables.h"
#include "core/hex.h"
#include "crypto/base64.h"
#include "crypto/ecdsa.h"

#include <stdio.h>
#include <string.h>

struct member_options {
    const char *role;
    const char *application;
    const char *name;
    bool logs;
};
static const struct option_row add_rows[] = {
    { .name = "role",
      .kind = OPTION_STRING,
      .offset = offsetof(struct member_options, role),
      .value = "ROLE",
      .help = "reader, deployer or owner" },
    { .name = "application",
      .kind = OPTION_STRING,
      .offset = offsetof(struct member_options, application),
      .value = "NAME",
      .help = "for this one only (default: all of the account's)" },
    { .name = "name",
      .kind = OPTION_STRING,
      .offset = offsetof(struct member_options, name),
      .value = "TEXT",
      .help = "who it is, for `s3n member ls`" },
    { .name = "logs",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct member_options, logs),
      .help = "a reader may read logs too: what is logged from now on is sealed to their key" },
};
static const struct option_table add_table = {
    .program = "s3n member add",
    .usage = "KEY --role ROLE",
    .about = "Lets another key work on your account, or changes what it may.  KEY is what `s3n\n"
             "login` shows them: \"for the node's `owners`: KEY\".",
    .rows = add_rows,
    .row_count = ARRAY_COUNT(add_rows),
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};
static const struct option_table list_table = {
    .program = "s3n member ls",
    .usage = "",
    .about = "Lists the members of the account: key, role, application, since when, name.",
    CLI_SHARED,
};
static const struct option_table remove_table = {
    .program = "s3n member rm",
    .usage = "ID",
    .about = "Takes a member's rights away, and those of the tokens that they made, at once.  ID\n"
             "is what `s3n member ls` shows, or the first digits of it.",
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};
static const struct option_table member_table = {
    .program = "s3n member",
    .usage = "add|ls|rm ...",
    .about = "Who else may work on your account, with which role.",
    CLI_SHARED,
    .positional_max = UINT32_MAX,
};

static bool key_read(struct ecdsa_public *key, const char *text, struct error *error)
{
    uint8_t spki[ECDSA_SPKI_SIZE];
    size_t size = 0;
    struct error wrong;
    return (base64_decode(spki, sizeof(spki), &size, bytes_of_string(text)) &&
            ecdsa_public_from_spki(key, bytes_of(spki, size), &wrong)) ||
           error_set(error, ERROR_USAGE,
                     "KEY is a P-256 public key in base64, as `s3n login` shows it");
}

static bool add_run(struct cli *cli, const void *options, const struct option_arguments *arguments,
                    struct error *error)
{
    const struct member_options *wanted = options;
    struct ecdsa_public key;
    char path[NODE_PATH_SIZE];
    AUTO_JSON json_t *answer = NULL;
    if (wanted->role == NULL)
        return error_set(error, ERROR_USAGE, "--role says what they may: reader, deployer, owner");
    if (!key_read(&key, arguments->items[0], error))
        return false;
    struct digest32 id = ecdsa_public_id(&key);
    AUTO_JSON json_t *body =
        json_pack("{s:s, s:o, s:b, s:s*, s:s*}", "role", wanted->role, "public_key",
                  ecdsa_public_to_jwk(&key), "logs", (int)wanted->logs, "application",
                  wanted->application, "name", wanted->name);
    if (body == NULL)
        return error_set(error, ERROR_USAGE, "--role, --name and --application are text");
    snprintf(path, sizeof(path), "/v1/members/%s", hex_of_digest(&id).text);
    if (!node_call(cli, HTTP_METHOD_PUT, path, body, &answer, error))
        return false;
    if (cli->json)
        return cli_write_json(answer, error);
    cli_message(cli, "%.12s is %s now", text_member(answer, "key"), text_member(answer, "role"));
    return true;
}

static bool list_run(struct cli *cli, const void *options UNUSED,
                     const struct option_arguments *arguments UNUSED, struct error *error)
{
    AUTO_JSON json_t *answer = NULL;
    AUTO_BUFFER struct buffer text;
    size_t index;
    json_t *row;
    buffer_init(&text, 4 << 20);
    if (!node_call(cli, HTTP_METHOD_GET, "/v1/members", NULL, &answer, error))
        return false;
    if (cli->json)
        return cli_write_json(answer, error);
    buffer_format(&text, "%.12s  owner     (all)  the account's own key\n",
                  text_member(answer, "account"));
    json_array_foreach(json_object_get(answer, "members"), index, row)
    {
        const char *application = text_member(row, "application");
        struct time_text added = time_text_of(row, "added_s");
        const char *role = text_member(row, "role");
        bool has_logs = strcmp(role, "reader") == 0 && json_is_true(json_object_get(row, "logs"));
        buffer_format(&text, "%.12s  %-8s  %s  since %s  %s%s\n", text_member(row, "key"), role,
                      application[0] == '\0' ? "(all)" : application, added.text,
                      has_logs ? "reads logs  " : "", text_member(row, "name"));
    }
    return cli_write_lines(buffer_view(&text), error);
}

/* The one member whose id begins so. */
static bool id_find(struct session *session, const char *start, char id[65], struct error *error)
{
    AUTO_JSON json_t *answer = NULL;
    size_t index, count = 0;
    json_t *row;
    if (strlen(start) < 6 || strspn(start, "0123456789abcdef") != strlen(start))
        return error_set(error, ERROR_USAGE, "an id has hexadecimal digits, at least 6 of them");
    if (!node_session_call(session, HTTP_METHOD_GET, "/v1/members", NULL, &answer, error))
        return false;
    json_array_foreach(json_object_get(answer, "members"), index, row)
    {
        const char *key = text_member(row, "key");
        if (strncmp(key, start, strlen(start)) != 0)
            continue;
        snprintf(id, 65, "%s", key);
        count++;
    }
    if (count > 1)
        return error_set(error, ERROR_USAGE, "%zu members' ids begin so", count);
    return count == 1 || error_set(error, ERROR_NOT_FOUND, "no member's id begins so");
}

static bool remove_run(struct cli *cli, const void *options UNUSED,
                       const struct option_arguments *arguments, struct error *error)
{
    AUTO_SESSION struct session session;
    AUTO_JSON json_t *answer = NULL;
    char path[NODE_PATH_SIZE], id[65] = "";
    session_init(&session);
    bool removed =
        session_open(&session, NULL, error) && id_find(&session, arguments->items[0], id, error);
    snprintf(path, sizeof(path), "/v1/members/%s", id);
    if (!removed || !node_session_call(&session, HTTP_METHOD_DELETE, path, NULL, &answer, error)) {
        cli_hint(cli, session.hint);
        return false;
    }
    cli_message(cli, "removed %.12s", id);
    return true;
}

static const struct verb verb_add = { .name = "add",
                                      .summary = "add a member, or change what they may",
                                      .table = &add_table,
                                      .options_size = sizeof(struct member_options),
                                      .run = add_run };
static const struct verb verb_list = {
    .name = "ls", .summary = "list them", .table = &list_table, .run = list_run
};
static const struct verb verb_remove = {
    .name = "rm", .summary = "remove one", .table = &remove_table, .run = remove_run
};
static const struct verb *const subverbs[] = { &verb_add, &verb_list, &verb_remove, NULL };
const struct verb verb_member = { .name = "member",
                                  .summary = "who else may work on your account",
                                  .table = &member_table,
                                  .subverbs = subverbs };
