/* SPDX-License-Identifier: Apache-2.0 */
/* s3n secret set|rotate|ls|rm|history: an application's secrets.  Values are sealed here to the
 * keyset that the session verified; nothing gives one back. */
#include "base/file.h"
#include "base/secret.h"
#include "cmd/s3n/cli.h"
#include "cmd/s3n/node_call.h"
#include "cmd/s3n/tables.h"
#include "core/hex.h"
#include "core/time.h"
#include "crypto/base64.h"
#include "functions/limits.h"
#include "keys/secret_envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OVERLAP_DEFAULT_S = 86400,
    TRY_COUNT_MAX = 2 /* the keyset may be renewed between sealing and asking */
};

struct when {
    char text[TIME_TEXT_SIZE + 1];
};

static struct when when_of(const json_t *object, const char *key)
{
    struct when when;
    if (!time_format(when.text, number_member(object, key)))
        snprintf(when.text, sizeof(when.text), "?");
    return when;
}

/* /v1/applications/APP/secrets[/NAME] */
static bool secret_path(char path[NODE_PATH_SIZE], const char *application, const char *name,
                        struct error *error)
{
    char rest[sizeof("/secrets/") + SECRET_NAME_SIZE_MAX] = "/secrets";
    if (name != NULL && !secret_name_is_valid(bytes_of_string(name)))
        return error_set(error, ERROR_INVALID,
                         "%s is not a secret's name: 1 to %d letters, digits and . _ -, the first "
                         "none of . -",
                         error_quote(bytes_of_string(name)).text, SECRET_NAME_SIZE_MAX);
    if (name != NULL)
        snprintf(rest, sizeof(rest), "/secrets/%s", name);
    return node_path(path, application, NULL, rest, error);
}

/* --- set, rotate --- */

struct set_options {
    const char *file;
    uint64_t overlap_s;
};

/* The place of the next version, as the node tells it. */
static bool place_next(struct session *session, const struct option_arguments *arguments,
                       struct secret_place *place, struct error *error)
{
    char path[NODE_PATH_SIZE];
    AUTO_JSON json_t *list = NULL;
    json_t *rows, *row;
    size_t index;
    *place = (struct secret_place){ .version = 1 };
    if (!secret_path(path, arguments->items[0], NULL, error) ||
        !node_session_call(session, HTTP_METHOD_GET, path, NULL, &list, error) ||
        !json_get_hex(list, "owner", place->owner.bytes, sizeof(place->owner.bytes), error) ||
        !json_get_array(list, "secrets", &rows, error))
        return false;
    snprintf(place->application, sizeof(place->application), "%s", arguments->items[0]);
    snprintf(place->name, sizeof(place->name), "%s", arguments->items[1]);
    json_array_foreach(rows, index, row)
    {
        if (strcmp(text_member(row, "name"), place->name) == 0)
            place->version = (uint64_t)number_member(row, "next");
    }
    return true;
}

static bool body_make(json_t **body, const struct session *session,
                      const struct secret_place *place, struct bytes value, int64_t overlap_s,
                      struct error *error)
{
    AUTO_BUFFER struct buffer envelope, text;
    const struct x25519_public *recipient = &session->keyset.encryption_key;
    char key[sizeof(recipient->bytes) * 2 + 1];
    buffer_init(&envelope, SECRET_ENVELOPE_OVERHEAD + SECRET_VALUE_SIZE_MAX);
    buffer_init(&text, base64_text_size(envelope.size_max));
    if (!secret_seal(&envelope, place, recipient, value, error))
        return false;
    base64_append(&text, buffer_view(&envelope));
    hex_encode(key, BYTES_OF(recipient->bytes));
    *body =
        json_pack("{s:o, s:s, s:I}", "envelope", json_stringn((const char *)text.data, text.size),
                  "key", key, "version", (json_int_t)place->version);
    if (*body == NULL ||
        (overlap_s >= 0 && json_object_set_new(*body, "overlap_s", json_integer(overlap_s)) != 0))
        return error_set(error, ERROR_NO_MEMORY, "no memory for a request");
    return true;
}

static bool value_send(struct session *session, const struct option_arguments *arguments,
                       struct bytes value, int64_t overlap_s, json_t **answer, struct error *error)
{
    char path[NODE_PATH_SIZE];
    if (!secret_path(path, arguments->items[0], arguments->items[1], error))
        return false;
    for (unsigned i = 1;; i++) {
        struct secret_place place;
        AUTO_JSON json_t *body = NULL;
        if (!place_next(session, arguments, &place, error) ||
            !body_make(&body, session, &place, value, overlap_s, error))
            return false;
        if (node_session_call(session, HTTP_METHOD_PUT, path, body, answer, error))
            return true;
        if (error->code != ERROR_UNVERIFIED || i == TRY_COUNT_MAX)
            return false;
        if (!session_renew(session, error)) /* sealed to a keyset that is over */
            return false;
    }
}

/* What follows the name may be the value: it is not repeated. */
static bool arguments_check(const struct option_arguments *arguments, struct error *error)
{
    return arguments->count == 2 ||
           error_set(error, ERROR_USAGE,
                     "a secret's value is no argument, which others can see: give it on standard "
                     "input or with --file");
}

/* `overlap_s` below 0: none is wanted. */
static bool value_set(struct cli *cli, const char *file, int64_t overlap_s,
                      const struct option_arguments *arguments, struct error *error)
{
    AUTO_SESSION struct session session;
    AUTO_BUFFER struct buffer value;
    AUTO_JSON json_t *answer = NULL;
    char path[NODE_PATH_SIZE];
    session_init(&session);
    buffer_init(&value, SECRET_VALUE_SIZE_MAX);
    if (!arguments_check(arguments, error) ||
        !secret_path(path, arguments->items[0], arguments->items[1], error))
        return false;
    secret_leave_no_core();
    (void)buffer_reserve(&value, SECRET_VALUE_SIZE_MAX); /* so that no copy stays behind */
    bool done = file == NULL ? file_read_descriptor(&value, STDIN_FILENO, error)
                             : file_read(&value, file, error);
    if (done && value.size == 0)
        done = error_set(error, ERROR_INVALID, "a secret is not empty");
    done = done && session_open(&session, NULL, error) &&
           value_send(&session, arguments, buffer_view(&value), overlap_s, &answer, error);
    secret_wipe(value.data, value.capacity);
    if (!done) {
        cli_hint(cli, session.hint);
        return false;
    }
    if (cli->json)
        return cli_write_json(answer, error);
    cli_message(cli, "%s is version %lld now", text_member(answer, "name"),
                number_member(answer, "version"));
    return true;
}

static const struct option_row set_rows[] = {
    { .name = "file",
      .letter = 'f',
      .kind = OPTION_STRING,
      .offset = offsetof(struct set_options, file),
      .value = "FILE",
      .help = "the value is this file's content (standard input)" },
};
static const struct option_table set_table = {
    .program = "s3n secret set",
    .usage = "APPLICATION NAME",
    .about =
        "Sets a secret of your application, from standard input or a file, byte for byte (also a\n"
        "line's end).  The version before is destroyed.",
    .rows = set_rows,
    .row_count = ARRAY_COUNT(set_rows),
    CLI_SHARED,
    .positional_min = 2,
    .positional_max = 8 /* see arguments_check */,
};

static bool set_run(struct cli *cli, const void *options, const struct option_arguments *arguments,
                    struct error *error)
{
    const struct set_options *set = options;
    return value_set(cli, set->file, -1, arguments, error);
}

static const struct verb verb_secret_set = { .name = "set",
                                             .summary = "set a secret from stdin or a file",
                                             .table = &set_table,
                                             .options_size = sizeof(struct set_options),
                                             .run = set_run };

static const struct option_row rotate_rows[] = {
    { .name = "file",
      .letter = 'f',
      .kind = OPTION_STRING,
      .offset = offsetof(struct set_options, file),
      .value = "FILE",
      .help = "the value is this file's content (standard input)" },
    { .name = "overlap",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct set_options, overlap_s),
      .value = "SECONDS",
      .help = "how long the version before stays readable (86400, a day)",
      .min = 0,
      .max = (uint64_t)SECRET_OVERLAP_S_MAX },
};
static const struct option_table rotate_table = {
    .program = "s3n secret rotate",
    .usage = "APPLICATION NAME",
    .about =
        "Sets a new version of a secret; the one before stays readable by its number for a while\n"
        "and is then destroyed.",
    .rows = rotate_rows,
    .row_count = ARRAY_COUNT(rotate_rows),
    CLI_SHARED,
    .positional_min = 2,
    .positional_max = 8 /* see arguments_check */,
};
static const struct set_options rotate_defaults = { .overlap_s = OVERLAP_DEFAULT_S };

static bool rotate_run(struct cli *cli, const void *options,
                       const struct option_arguments *arguments, struct error *error)
{
    const struct set_options *rotate = options;
    return value_set(cli, rotate->file, (int64_t)rotate->overlap_s, arguments, error);
}

static const struct verb verb_secret_rotate = { .name = "rotate",
                                                .summary =
                                                    "set a new version, the old one for a while",
                                                .table = &rotate_table,
                                                .defaults = &rotate_defaults,
                                                .options_size = sizeof(struct set_options),
                                                .run = rotate_run };

/* --- ls --- */

static const struct option_table ls_table = {
    .program = "s3n secret ls",
    .usage = "APPLICATION",
    .about = "Lists the secrets of your application: names, versions, sizes, when they were set.",
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};

static void versions_show(struct buffer *text, const json_t *secret)
{
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(secret, "versions"), index, row)
    {
        buffer_format(text, "%-24s %4lld  %6lld bytes  set %s", text_member(secret, "name"),
                      number_member(row, "number"), number_member(row, "size"),
                      when_of(row, "set_s").text);
        if (number_member(row, "ends_s") != 0)
            buffer_format(text, "  until %s", when_of(row, "ends_s").text);
        buffer_append_string(text, "\n");
    }
}

static bool ls_run(struct cli *cli, const void *options UNUSED,
                   const struct option_arguments *arguments, struct error *error)
{
    char path[NODE_PATH_SIZE];
    AUTO_JSON json_t *list = NULL;
    AUTO_BUFFER struct buffer text;
    size_t index;
    json_t *row;
    buffer_init(&text, 16 << 20);
    if (!secret_path(path, arguments->items[0], NULL, error) ||
        !node_call(cli, HTTP_METHOD_GET, path, NULL, &list, error))
        return false;
    if (cli->json)
        return cli_write_json(list, error);
    json_array_foreach(json_object_get(list, "secrets"), index, row) versions_show(&text, row);
    if (text.size == 0)
        cli_message(cli, "no secrets yet; `s3n secret set %s NAME` sets one", arguments->items[0]);
    return cli_write_lines(buffer_view(&text), error);
}

static const struct verb verb_secret_ls = {
    .name = "ls", .summary = "list secrets", .table = &ls_table, .run = ls_run
};

/* --- history --- */

static const struct option_table history_table = {
    .program = "s3n secret history",
    .usage = "APPLICATION NAME",
    .about =
        "Shows who changed a secret and when, and which functions' versions got it, how often.",
    CLI_SHARED,
    .positional_min = 2,
    .positional_max = 2,
};

static bool history_run(struct cli *cli, const void *options UNUSED,
                        const struct option_arguments *arguments, struct error *error)
{
    char path[NODE_PATH_SIZE];
    AUTO_JSON json_t *list = NULL;
    AUTO_BUFFER struct buffer text;
    size_t index;
    json_t *row;
    buffer_init(&text, 16 << 20);
    if (!secret_path(path, arguments->items[0], arguments->items[1], error) ||
        !node_call(cli, HTTP_METHOD_GET, path, NULL, &list, error))
        return false;
    if (cli->json)
        return cli_write_json(list, error);
    const json_t *secret = json_array_get(json_object_get(list, "secrets"), 0);
    json_array_foreach(json_object_get(secret, "history"), index, row) buffer_format(
        &text, "%s  %-7s version %lld  by %s\n", when_of(row, "time_s").text,
        text_member(row, "action"), number_member(row, "version"), text_member(row, "actor"));
    json_array_foreach(json_object_get(secret, "releases"), index, row) buffer_format(
        &text,
        "%s  given   version %lld  to function %s of %s, manifest sha256:%.12s…, "
        "%lld times until %s\n",
        when_of(row, "first_s").text, number_member(row, "secret_version"),
        text_member(row, "function"), text_member(row, "version"), text_member(row, "manifest"),
        number_member(row, "count"), when_of(row, "last_s").text);
    return cli_write_lines(buffer_view(&text), error);
}

static const struct verb verb_secret_history = { .name = "history",
                                                 .summary = "show changes and releases",
                                                 .table = &history_table,
                                                 .run = history_run };

/* --- rm --- */

static const struct option_table rm_table = {
    .program = "s3n secret rm",
    .usage = "APPLICATION NAME",
    .about = "Destroys all versions of a secret.",
    CLI_SHARED,
    .positional_min = 2,
    .positional_max = 2,
};

static bool rm_run(struct cli *cli, const void *options UNUSED,
                   const struct option_arguments *arguments, struct error *error)
{
    char path[NODE_PATH_SIZE];
    AUTO_JSON json_t *answer = NULL;
    return secret_path(path, arguments->items[0], arguments->items[1], error) &&
           node_call(cli, HTTP_METHOD_DELETE, path, NULL, &answer, error);
}

static const struct verb verb_secret_rm = {
    .name = "rm", .summary = "destroy a secret", .table = &rm_table, .run = rm_run
};

/* --- secret --- */

static const struct option_table secret_table = {
    .program = "s3n secret",
    .usage = "set|rotate|ls|rm|history APPLICATION ...",
    .about =
        "Your application's secrets: sealed here, opened by the node's keeper for your functions\n"
        "only; `s3n help secret set` and so on explain each.",
    CLI_SHARED,
    .positional_max = 8,
};

static const struct verb *const subverbs[] = { &verb_secret_set,     &verb_secret_rotate,
                                               &verb_secret_ls,      &verb_secret_rm,
                                               &verb_secret_history, NULL };
const struct verb verb_secret = { .name = "secret",
                                  .summary = "set and rotate an application's secrets",
                                  .table = &secret_table,
                                  .subverbs = subverbs };
