/* SPDX-License-Identifier: Apache-2.0 */
/* s3n kv get|set|ls|rm: single entries of an application's sealed state.  Export and import are in
 * verb_kv_export.c. */
#include "base/file.h"
#include "cmd/s3n/kv.h"
#include "cmd/s3n/tables.h"
#include "functions/manifest.h"
#include "state/state.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- what all have --- */

void kv_escape(struct buffer *text, struct bytes value)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~";
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] != '\0' && strchr(plain, value.data[i]) != NULL)
            buffer_append(text, bytes_of(&value.data[i], 1));
        else
            buffer_format(text, "%%%02X", value.data[i]);
    }
}

bool kv_target(struct buffer *target, const char *application, struct error *error)
{
    if (!name_is_valid(application))
        return error_set(error, ERROR_USAGE, "%s is not an application's name",
                         error_quote(bytes_of_string(application)).text);
    buffer_init(target, KV_TARGET_SIZE_MAX);
    buffer_format(target, "/v1/applications/%s/kv", application);
    return true;
}

bool kv_call(struct cli *cli, struct session *session, struct session_request *request,
             struct buffer *target, struct http_client_answer *answer, struct error *error)
{
    buffer_append(target, bytes_of("", 1));
    if (target->failed)
        return error_set(error, ERROR_LIMIT, "too long a key");
    request->target = (const char *)target->data;
    request->is_signed = true;
    if (session_call(session, request, answer, error))
        return true;
    cli_hint(cli, session->hint);
    return false;
}

/* /v1/applications/APP/kv/NAMESPACE */
static bool namespace_target(struct buffer *target, const struct option_arguments *arguments,
                             struct error *error)
{
    if (!kv_is_namespace(bytes_of_string(arguments->items[1])))
        return error_set(error, ERROR_INVALID, "not a namespace: \"%s\"",
                         error_quote(bytes_of_string(arguments->items[1])).text);
    if (!kv_target(target, arguments->items[0], error))
        return false;
    buffer_format(target, "/%s", arguments->items[1]);
    return true;
}

/* The same with /entry?key=KEY behind. */
static bool entry_target(struct buffer *target, const struct option_arguments *arguments,
                         struct error *error)
{
    if (!namespace_target(target, arguments, error))
        return false;
    buffer_append_string(target, "/entry?key=");
    kv_escape(target, bytes_of_string(arguments->items[2]));
    return true;
}

/* A request about one entry, in a session of its own. */
static bool entry_call(struct cli *cli, struct session_request *request, struct buffer *target,
                       struct http_client_answer *answer, struct error *error)
{
    AUTO_SESSION struct session session;
    session_init(&session);
    if (session_open(&session, NULL, error))
        return kv_call(cli, &session, request, target, answer, error);
    cli_hint(cli, session.hint);
    return false;
}

/* --- get --- */

static const struct option_table get_table = {
    .program = "s3n kv get",
    .usage = "APPLICATION NAMESPACE KEY",
    .about = "Writes a value of your application's state to stdout, byte for byte.",
    CLI_SHARED,
    .positional_min = 3,
    .positional_max = 3,
};

static bool get_run(struct cli *cli, const void *options UNUSED,
                    const struct option_arguments *arguments, struct error *error)
{
    AUTO_BUFFER struct buffer target;
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    struct session_request request = { .method = HTTP_METHOD_GET };
    buffer_init(&target, 1);
    return entry_target(&target, arguments, error) &&
           entry_call(cli, &request, &target, &answer, error) &&
           cli_write(buffer_view(&answer.body), error);
}

static const struct verb verb_get = {
    .name = "get", .summary = "write a value to stdout", .table = &get_table, .run = get_run
};

/* --- set --- */

struct set_options {
    const char *file;
    uint64_t ttl_s;
};
static const struct option_row set_rows[] = {
    { .name = "file",
      .letter = 'f',
      .kind = OPTION_STRING,
      .offset = offsetof(struct set_options, file),
      .value = "FILE",
      .help = "the value is this file's content (standard input)" },
    { .name = "ttl",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct set_options, ttl_s),
      .value = "SECONDS",
      .help = "it expires after so long (never)",
      .min = 1,
      .max = (uint64_t)(KV_TTL_MS_MAX / 1000) },
};
static const struct option_table set_table = {
    .program = "s3n kv set",
    .usage = "APPLICATION NAMESPACE KEY",
    .about = "Sets a value of your application's state, from standard input or a file.",
    .rows = set_rows,
    .row_count = ARRAY_COUNT(set_rows),
    CLI_SHARED,
    .positional_min = 3,
    .positional_max = 3,
};

static bool revision_show(struct cli *cli, const struct http_client_answer *answer,
                          struct error *error)
{
    AUTO_JSON json_t *root = NULL;
    if (!json_parse(&root, buffer_view(&answer->body), error))
        return false;
    if (cli->json)
        return cli_write_json(root, error);
    cli_message(cli, "revision %lld, digest %s", number_member(root, "revision"),
                text_member(root, "digest"));
    return true;
}

static bool set_run(struct cli *cli, const void *options, const struct option_arguments *arguments,
                    struct error *error)
{
    const struct set_options *set = options;
    AUTO_BUFFER struct buffer target, value;
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    buffer_init(&target, 1);
    buffer_init(&value, KV_VALUE_SIZE_MAX);
    bool read = set->file == NULL ? file_read_descriptor(&value, STDIN_FILENO, error)
                                  : file_read(&value, set->file, error);
    if (!read || !entry_target(&target, arguments, error))
        return false;
    if (set->ttl_s != 0)
        buffer_format(&target, "&ttl_ms=%llu", (unsigned long long)set->ttl_s * 1000);
    struct session_request request = { .method = HTTP_METHOD_PUT,
                                       .content_type = "application/octet-stream",
                                       .body = buffer_view(&value) };
    return entry_call(cli, &request, &target, &answer, error) && revision_show(cli, &answer, error);
}

static const struct verb verb_set = { .name = "set",
                                      .summary = "set a value from stdin or a file",
                                      .table = &set_table,
                                      .options_size = sizeof(struct set_options),
                                      .run = set_run };

/* --- rm --- */

static const struct option_table rm_table = {
    .program = "s3n kv rm",
    .usage = "APPLICATION NAMESPACE KEY",
    .about = "Removes a key of your application's state.",
    CLI_SHARED,
    .positional_min = 3,
    .positional_max = 3,
};

static bool rm_run(struct cli *cli, const void *options UNUSED,
                   const struct option_arguments *arguments, struct error *error)
{
    AUTO_BUFFER struct buffer target;
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    struct session_request request = { .method = HTTP_METHOD_DELETE };
    buffer_init(&target, 1);
    return entry_target(&target, arguments, error) &&
           entry_call(cli, &request, &target, &answer, error) && revision_show(cli, &answer, error);
}

static const struct verb verb_kv_rm = {
    .name = "rm", .summary = "remove a key", .table = &rm_table, .run = rm_run
};

/* --- ls --- */

struct ls_options {
    const char *prefix;
};
static const struct option_row ls_rows[] = {
    { .name = "prefix",
      .kind = OPTION_STRING,
      .offset = offsetof(struct ls_options, prefix),
      .value = "TEXT",
      .help = "only keys that begin so (all)" },
};
static const struct option_table ls_table = {
    .program = "s3n kv ls",
    .usage = "APPLICATION NAMESPACE",
    .about = "Lists the keys of a namespace of your application's state, with sizes.",
    .rows = ls_rows,
    .row_count = ARRAY_COUNT(ls_rows),
    CLI_SHARED,
    .positional_min = 2,
    .positional_max = 2,
};

static bool ls_page(struct cli *cli, const json_t *page, json_t *all, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, SESSION_ANSWER_SIZE_MAX);
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(page, "entries"), index, row)
    {
        if (cli->json)
            json_array_append(all, row);
        else
            buffer_format(&text, "%s  %lld\n", text_member(row, "key"), number_member(row, "size"));
    }
    return cli->json || cli_write_lines(buffer_view(&text), error);
}

static bool ls_target(struct buffer *target, const struct option_arguments *arguments,
                      const char *prefix, const char *after, struct error *error)
{
    if (!namespace_target(target, arguments, error))
        return false;
    buffer_format(target, "?limit=%d&prefix=", KV_LIST_MAX);
    kv_escape(target, bytes_of_string(prefix == NULL ? "" : prefix));
    buffer_append_string(target, "&after=");
    kv_escape(target, bytes_of_string(after));
    return true;
}

static bool ls_run(struct cli *cli, const void *options, const struct option_arguments *arguments,
                   struct error *error)
{
    const struct ls_options *ls = options;
    AUTO_SESSION struct session session;
    AUTO_JSON json_t *all = json_array();
    char after[KV_KEY_SIZE_MAX + 1] = "";
    session_init(&session);
    if (!session_open(&session, NULL, error)) {
        cli_hint(cli, session.hint);
        return false;
    }
    for (bool more = true; more;) {
        AUTO_BUFFER struct buffer target;
        AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
        AUTO_JSON json_t *page = NULL;
        struct session_request request = { .method = HTTP_METHOD_GET };
        buffer_init(&target, 1);
        if (!ls_target(&target, arguments, ls->prefix, after, error) ||
            !kv_call(cli, &session, &request, &target, &answer, error) ||
            !json_parse(&page, buffer_view(&answer.body), error) || !ls_page(cli, page, all, error))
            return false;
        json_t *entries = json_object_get(page, "entries");
        const json_t *last = json_array_get(entries, json_array_size(entries) - 1);
        more = json_is_true(json_object_get(page, "more")) && last != NULL;
        if (last != NULL)
            snprintf(after, sizeof(after), "%s", text_member(last, "key"));
    }
    return !cli->json || cli_write_json(all, error);
}

static const struct verb verb_kv_ls = { .name = "ls",
                                        .summary = "list keys",
                                        .table = &ls_table,
                                        .options_size = sizeof(struct ls_options),
                                        .run = ls_run };

/* --- kv --- */

static const struct option_table kv_table = {
    .program = "s3n kv",
    .usage = "get|set|ls|rm|export|import APPLICATION ...",
    .about =
        "Your application's sealed state on the node; `s3n help kv get` and so on explain each.",
    CLI_SHARED,
    .positional_max = 8,
};

static const struct verb *const subverbs[] = { &verb_get,   &verb_set,       &verb_kv_ls,
                                               &verb_kv_rm, &verb_kv_export, &verb_kv_import,
                                               NULL };
const struct verb verb_kv = { .name = "kv",
                              .summary = "read and change an application's sealed state",
                              .table = &kv_table,
                              .subverbs = subverbs };
