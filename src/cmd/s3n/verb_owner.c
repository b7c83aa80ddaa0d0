/* SPDX-License-Identifier: Apache-2.0 */
/* s3n owner: an account's keys, one after the other. */
#include "base/clock.h"
#include "cmd/s3n/cli.h"
#include "cmd/s3n/node_call.h"
#include "cmd/s3n/tables.h"
#include "core/hex.h"
#include "functions/owners.h"

#include <string.h>

struct rotate_options {
    const char *overlap;
};
static const struct option_row rotate_rows[] = {
    { .name = "overlap",
      .kind = OPTION_STRING,
      .offset = offsetof(struct rotate_options, overlap),
      .value = "TIME",
      .help = "how long the present key is accepted too: 7d, 12h, at most 30d; now ends it at once "
              "(default 1d)" },
};
static const struct option_table rotate_table = {
    .program = "s3n owner rotate",
    .usage = "",
    .about = "Makes a new key, which the present one signs, and goes on with it.  The one before\n"
             "stays in owner.key.old; what it signed stays signed.",
    .rows = rotate_rows,
    .row_count = ARRAY_COUNT(rotate_rows),
    CLI_SHARED,
};
static const struct option_table keys_table = {
    .program = "s3n owner keys",
    .usage = "",
    .about = "Lists the account's keys, the first one first, after following their signatures.",
    CLI_SHARED,
};
static const struct option_table owner_table = {
    .program = "s3n owner",
    .usage = "keys|rotate ...",
    .about = "The keys of your account.",
    CLI_SHARED,
    .positional_max = UINT32_MAX,
};

struct history {
    json_t *tree;
    struct digest32 account;
    struct owner_step keys[OWNER_KEY_COUNT_MAX];
    size_t count;
};

/* The node's word is followed from the account's name on. */
static bool history_read(struct history *history, struct session *session, struct error *error)
{
    json_t *list;
    if (!node_session_call(session, HTTP_METHOD_GET, "/v1/owners/keys", NULL, &history->tree,
                           error) ||
        !json_get_hex(history->tree, "account", history->account.bytes,
                      sizeof(history->account.bytes), error) ||
        !json_get_array(history->tree, "keys", &list, error))
        return false;
    history->count = json_array_size(list);
    if (history->count == 0 || history->count > OWNER_KEY_COUNT_MAX)
        return error_set(error, ERROR_UNVERIFIED, "the node's list of keys is malformed");
    for (size_t i = 0; i < history->count; i++) {
        struct owner_step *step = &history->keys[i];
        struct digest32 first = ecdsa_public_id(&history->keys[0].key);
        if (!owner_step_read(step, json_array_get(list, i), error) ||
            (i > 0 &&
             !owner_step_verify(&history->account, i + 1, &history->keys[i - 1].key, step, error)))
            return error_within(error, "key %zu", i + 1);
        first = ecdsa_public_id(&history->keys[0].key);
        if (!digest32_equal(&first, &history->account))
            return error_set(error, ERROR_UNVERIFIED, "the first key does not name the account");
    }
    return true;
}

static bool keys_run(struct cli *cli, const void *options UNUSED,
                     const struct option_arguments *arguments UNUSED, struct error *error)
{
    AUTO_SESSION struct session session;
    AUTO_BUFFER struct buffer text;
    struct history history = { 0 };
    session_init(&session);
    buffer_init(&text, 1 << 20);
    bool read = session_open(&session, NULL, error) && history_read(&history, &session, error);
    AUTO_JSON json_t *tree = history.tree;
    if (!read) {
        cli_hint(cli, session.hint);
        return false;
    }
    if (cli->json)
        return cli_write_json(tree, error);
    for (size_t i = 0; i < history.count; i++) {
        const json_t *row = json_array_get(json_object_get(tree, "keys"), i);
        struct digest32 id = ecdsa_public_id(&history.keys[i].key);
        struct time_text from = time_text_of(row, "from_s"), until = time_text_of(row, "until_s");
        buffer_format(&text, "%zu  %.12s  from %s  %s%s\n", i + 1, hex_of_digest(&id).text,
                      i == 0 ? "the beginning" : from.text,
                      history.keys[i].until_s == 0 ? "present" : "until ",
                      history.keys[i].until_s == 0 ? "" : until.text);
    }
    return cli_write_lines(buffer_view(&text), error);
}

static bool step_send(struct session *session, struct history *history, int64_t overlap_s,
                      struct ecdsa_key *next, struct error *error)
{
    struct owner_step step = { .from_s =
                                   (int64_t)(clock_realtime_ns(&clock_system) / 1000000000u) };
    AUTO_JSON json_t *answer = NULL;
    if (!owner_step_sign(&step, &history->account, history->count + 1, session->key, next, error))
        return false;
    AUTO_JSON json_t *body =
        json_pack("{s:o, s:I}", "key", owner_step_tree(&step), "overlap_s", (json_int_t)overlap_s);
    return node_session_call(session, HTTP_METHOD_POST, "/v1/owners/keys", body, &answer, error);
}

/* A rotation whose answer was lost is gone on with: the key that was made is there. */
static bool rotate(struct session *session, int64_t overlap_s, struct digest32 *id,
                   struct error *error)
{
    AUTO(ecdsa_key) struct ecdsa_key *next = NULL;
    struct history history = { 0 };
    bool read = session_open(session, NULL, error) && history_read(&history, session, error);
    AUTO_JSON json_t *tree = history.tree;
    if (!read || !owner_key_next(&next, error))
        return false;
    *id = ecdsa_public_id(ecdsa_key_public(next));
    const struct ecdsa_public *present = &history.keys[history.count - 1].key;
    return (ecdsa_public_equal(present, ecdsa_key_public(next)) ||
            step_send(session, &history, overlap_s, next, error)) &&
           owner_key_switch(error);
}

static bool rotate_run(struct cli *cli, const void *options,
                       const struct option_arguments *arguments UNUSED, struct error *error)
{
    const struct rotate_options *wanted = options;
    AUTO_SESSION struct session session;
    struct digest32 id;
    int64_t overlap_s = 86400;
    session_init(&session);
    if (wanted->overlap != NULL && strcmp(wanted->overlap, "now") == 0)
        overlap_s = 0;
    else if (wanted->overlap != NULL && !duration_parse(&overlap_s, wanted->overlap, error))
        return error_within(error, "--overlap");
    if (!rotate(&session, overlap_s, &id, error)) {
        cli_hint(cli, session.hint);
        return false;
    }
    cli_message(cli, "your key is %.12s now; keep a copy of owner.key", hex_of_digest(&id).text);
    return true;
}

static const struct verb verb_keys = {
    .name = "keys", .summary = "list them", .table = &keys_table, .run = keys_run
};
static const struct verb verb_rotate = { .name = "rotate",
                                         .summary = "go on with another key",
                                         .table = &rotate_table,
                                         .options_size = sizeof(struct rotate_options),
                                         .run = rotate_run };
static const struct verb *const subverbs[] = { &verb_keys, &verb_rotate, NULL };
const struct verb verb_owner = { .name = "owner",
                                 .summary = "the keys of your account",
                                 .table = &owner_table,
                                 .subverbs = subverbs };
