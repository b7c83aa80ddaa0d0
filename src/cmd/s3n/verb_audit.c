/* SPDX-License-Identifier: Apache-2.0 */
/* s3n audit: the log of changes of an account, as a file that can be checked anywhere.
 *
 * One line each: the entries, oldest first, as the node hashed them; then
 * {"attestation":{...},"endorsement":{...}}, by which the node vouches for the last of them. */
#include "base/clock.h"
#include "base/file.h"
#include "cmd/s3n/cli.h"
#include "cmd/s3n/node_call.h"
#include "cmd/s3n/tables.h"
#include "core/hex.h"
#include "functions/audit_head.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    AUDIT_FILE_SIZE_MAX = 1 << 30,
    TAKE_TRIES_MAX = 3
};

struct export_options {
    const char *since;
};
static const struct option_row export_rows[] = {
    { .name = "since",
      .kind = OPTION_STRING,
      .offset = offsetof(struct export_options, since),
      .value = "TIME",
      .help = "entries of the last 30d, 12h, 15m or 90s only (default: all)" },
};
static const struct option_table export_table = {
    .program = "s3n audit export",
    .usage = "",
    .about =
        "Writes your account's log of changes to stdout: one entry a line, and at the end the\n"
        "node's word for it with its evidence.  `s3n audit verify` checks the file.",
    .rows = export_rows,
    .row_count = ARRAY_COUNT(export_rows),
    CLI_SHARED,
};

struct verify_words {
    const char *policy;
    const char *root;
    bool trust_simulated;
    bool is_part;
};
static const struct option_row verify_rows[] = {
    { .name = "part",
      .offset = offsetof(struct verify_words, is_part),
      .help = "the file may begin later than with the first entry (export --since)" },
    { .name = "policy",
      .kind = OPTION_STRING,
      .offset = offsetof(struct verify_words, policy),
      .value = "FILE",
      .help = "judge the node's evidence by this policy" },
    { .name = "root",
      .kind = OPTION_STRING,
      .offset = offsetof(struct verify_words, root),
      .value = "FILE",
      .help = "trust this root certificate, PEM or DER, alone" },
    { .name = "trust-simulated",
      .offset = offsetof(struct verify_words, trust_simulated),
      .help = "accept platform `sim`, which proves nothing about hardware" },
};
static const struct option_table verify_table = {
    .program = "s3n audit verify",
    .usage = "FILE",
    .about =
        "Checks an exported log without a network: that nothing was cut, edited, moved or left\n"
        "out, and that a node whose evidence holds vouched for its end.  Exit code 6 when not.",
    .rows = verify_rows,
    .row_count = ARRAY_COUNT(verify_rows),
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};
static const struct option_table audit_table = {
    .program = "s3n audit",
    .usage = "export|verify ...",
    .about = "The log of everything that changed in your account.",
    CLI_SHARED,
    .positional_max = UINT32_MAX,
};

static int64_t now_s(void)
{
    return (int64_t)(clock_realtime_ns(&clock_system) / 1000000000u);
}

/* --- export --- */

static bool entry_is_wanted(const char *text, int64_t since_s)
{
    AUTO_JSON json_t *entry = NULL;
    struct error malformed;
    int64_t time_s = INT64_MAX;
    return since_s == 0 || !json_parse(&entry, bytes_of_string(text), &malformed) ||
           !json_get_integer(entry, "time_s", 0, INT64_MAX, &time_s, &malformed) ||
           time_s >= since_s;
}

/* One page behind the entries that are there; *endorsement (released by the caller) is of its
 * moment. */
static bool page_take(struct session *session, struct buffer *lines, uint64_t *next,
                      int64_t *since_s, bool *more, json_t **endorsement, struct error *error)
{
    char path[NODE_PATH_SIZE];
    AUTO_JSON json_t *page = NULL;
    json_t *entries, *vouched;
    snprintf(path, sizeof(path), "/v1/audit?first=%" PRIu64, *next);
    if (!node_session_call(session, HTTP_METHOD_GET, path, NULL, &page, error) ||
        !json_get_array(page, "entries", &entries, error) ||
        !json_get_object(page, "endorsement", &vouched, error))
        return false;
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const char *text = json_string_value(json_array_get(entries, i));
        if (text == NULL || strchr(text, '\n') != NULL)
            return error_set(error, ERROR_UNVERIFIED, "the node's log is malformed");
        (*next)++;
        if (!entry_is_wanted(text, *since_s))
            continue;
        *since_s = 0; /* from here on all, or the chain would break */
        buffer_format(lines, "%s\n", text);
    }
    *more = json_is_true(json_object_get(page, "more"));
    json_decref(*endorsement);
    *endorsement = json_incref(vouched);
    return !lines->failed || error_set(error, ERROR_NO_MEMORY, "no memory for the log");
}

/* What vouches for the end: by the keyset of the evidence that is asked for now. */
static bool end_write(struct session *session, struct buffer *lines, json_t *vouched, bool *is_same,
                      struct error *error)
{
    AUTO_ATTESTATION struct attestation attestation;
    AUTO_BUFFER struct buffer text, line;
    AUTO_JSON json_t *evidence = NULL;
    struct audit_endorsement endorsement;
    attestation_init(&attestation);
    buffer_init(&text, ATTESTATION_SIZE_MAX);
    buffer_init(&line, 2 * ATTESTATION_SIZE_MAX);
    if (!audit_endorsement_read(&endorsement, vouched, error) ||
        !session_attestation(session, &attestation, error) ||
        !attestation_write(&text, &attestation, error) ||
        !json_parse(&evidence, buffer_view(&text), error))
        return false;
    *is_same = digest32_equal(&endorsement.keyset, &session->keyset_digest);
    AUTO_JSON json_t *end =
        json_pack("{s:O, s:O}", "attestation", evidence, "endorsement", vouched);
    if (!json_canonical(&line, end, error))
        return false;
    buffer_append(lines, buffer_view(&line));
    buffer_append_string(lines, "\n");
    return !lines->failed || error_set(error, ERROR_NO_MEMORY, "no memory for the log");
}

static bool take(struct session *session, int64_t since_s, struct buffer *lines, bool *is_same,
                 struct error *error)
{
    AUTO_JSON json_t *vouched = NULL;
    uint64_t next = 1;
    bool more = true;
    buffer_clear(lines);
    while (more) {
        if (!page_take(session, lines, &next, &since_s, &more, &vouched, error))
            return false;
    }
    return end_write(session, lines, vouched, is_same, error);
}

static bool export_run(struct cli *cli, const void *options,
                       const struct option_arguments *arguments UNUSED, struct error *error)
{
    const struct export_options *wanted = options;
    AUTO_SESSION struct session session;
    AUTO_BUFFER struct buffer lines;
    int64_t age_s = 0;
    session_init(&session);
    buffer_init(&lines, AUDIT_FILE_SIZE_MAX);
    if (wanted->since != NULL && !duration_parse(&age_s, wanted->since, error))
        return error_within(error, "--since");
    bool is_same = false, taken = session_open(&session, NULL, error);
    /* a keyset may be renewed between the two questions */
    for (int i = 0; taken && !is_same && i < TAKE_TRIES_MAX; i++)
        taken = take(&session, age_s == 0 ? 0 : now_s() - age_s, &lines, &is_same, error);
    if (!taken) {
        cli_hint(cli, session.hint);
        return false;
    }
    return is_same ? cli_write(buffer_view(&lines), error)
                   : error_set(error, ERROR_UNAVAILABLE, "the node renews its keyset; try again");
}

/* --- verify --- */

struct checked {
    struct audit_head head;
    uint64_t first;
    char owner[65]; /* of the first entry; all others say the same */
};

static bool entry_take(struct checked *checked, struct bytes line, bool is_part,
                       struct error *error)
{
    AUTO_JSON json_t *entry = NULL;
    struct error ignored;
    const char *owner = "";
    int64_t number = 1;
    bool is_first = checked->first == 0;
    if (json_parse(&entry, line, &ignored) && json_get_string(entry, "owner", &owner, &ignored) &&
        is_first && is_part && json_get_integer(entry, "number", 1, INT64_MAX, &number, &ignored) &&
        json_get_hex(entry, "previous", checked->head.digest.bytes,
                     sizeof(checked->head.digest.bytes), &ignored))
        checked->head.number = (uint64_t)number - 1;
    if (!audit_check(&checked->head, line, error))
        return false;
    if (is_first) {
        checked->first = checked->head.number;
        snprintf(checked->owner, sizeof(checked->owner), "%s", owner);
    }
    return strcmp(owner, checked->owner) == 0 ||
           error_set(error, ERROR_UNVERIFIED, "entry %" PRIu64 " is of another account",
                     checked->head.number);
}

static bool end_read(struct audit_endorsement *endorsement, struct attestation *attestation,
                     struct bytes line, struct error *error)
{
    static const char *const keys[] = { "attestation", "endorsement", NULL };
    AUTO_JSON json_t *end = NULL;
    AUTO_BUFFER struct buffer text;
    json_t *evidence, *vouched;
    buffer_init(&text, ATTESTATION_SIZE_MAX);
    return json_parse(&end, line, error) && json_check_keys(end, keys, "end", error) &&
           json_get_object(end, "attestation", &evidence, error) &&
           json_get_object(end, "endorsement", &vouched, error) &&
           audit_endorsement_read(endorsement, vouched, error) &&
           json_canonical(&text, evidence, error) &&
           attestation_parse(attestation, buffer_view(&text), error);
}

/* The evidence is judged as of the endorsement: a keyset lasts an hour. */
static bool end_check(const struct checked *checked, struct bytes line, const struct trust *trust,
                      struct audit_endorsement *endorsement, struct error *error)
{
    AUTO_ATTESTATION struct attestation attestation;
    struct verify_result result = { 0 };
    attestation_init(&attestation);
    if (!end_read(endorsement, &attestation, line, error))
        return error_set(error, ERROR_UNVERIFIED, "the file's end is missing or malformed: %s",
                         error_quote(bytes_of_string(error->text)).text);
    struct verify_options options = { .now_s = endorsement->time_s };
    trust_apply(trust, &options);
    if (endorsement->time_s > now_s() + 600)
        return error_set(error, ERROR_UNVERIFIED, "the end is vouched for in the future");
    if (!verify_attestation(&result, &attestation, &attestation.nonce, &options, error))
        return error_within(error, "the node that vouches");
    if (!digest32_equal(&endorsement->keyset, &result.keyset_digest))
        return error_set(error, ERROR_UNVERIFIED, "the end is vouched for by another keyset");
    if (!audit_head_verify(endorsement, &result.keyset.receipt_key, error))
        return false;
    if (endorsement->head.number != checked->head.number)
        return error_set(error, ERROR_UNVERIFIED,
                         "entry %" PRIu64 " is not there: the node vouches for %" PRIu64
                         " entries, the file ends with %" PRIu64,
                         checked->head.number + 1, endorsement->head.number, checked->head.number);
    if (!digest32_equal(&endorsement->head.digest, &checked->head.digest))
        return error_set(error, ERROR_UNVERIFIED, "entry %" PRIu64 " is not what the node has",
                         checked->head.number);
    return checked->first == 0 ||
           strcmp(hex_of_digest(&endorsement->account).text, checked->owner) == 0 ||
           error_set(error, ERROR_UNVERIFIED, "the end is of another account's log");
}

static bool check(struct checked *checked, struct bytes text, const struct verify_words *words,
                  const struct trust *trust, struct audit_endorsement *endorsement,
                  struct error *error)
{
    struct bytes line = bytes_part(text, 0, bytes_find(text, '\n'));
    struct bytes rest = bytes_part(text, line.size + 1, text.size);
    while (rest.size > 0) {
        if (!entry_take(checked, line, words->is_part, error))
            return false;
        line = bytes_part(rest, 0, bytes_find(rest, '\n'));
        rest = bytes_part(rest, line.size + 1, rest.size);
    }
    return end_check(checked, line, trust, endorsement, error);
}

static bool verify_run(struct cli *cli, const void *options,
                       const struct option_arguments *arguments, struct error *error)
{
    const struct verify_words *words = options;
    AUTO_TRUST struct trust trust;
    AUTO_BUFFER struct buffer text;
    struct checked checked = { 0 };
    struct audit_endorsement endorsement;
    trust_init(&trust);
    buffer_init(&text, AUDIT_FILE_SIZE_MAX);
    trust.trust_simulated = words->trust_simulated;
    if (!trust_read_policy(&trust, words->policy, true, error) ||
        !trust_read_root(&trust, words->root, error) ||
        !file_read(&text, arguments->items[0], error) ||
        !check(&checked, buffer_view(&text), words, &trust, &endorsement, error))
        return false;
    uint64_t count = checked.first == 0 ? 0 : checked.head.number - checked.first + 1;
    AUTO_JSON json_t *root = json_pack(
        "{s:I, s:I, s:I, s:s, s:s, s:I}", "entries", (json_int_t)count, "first",
        (json_int_t)checked.first, "last", (json_int_t)checked.head.number, "digest",
        hex_of_digest(&checked.head.digest).text, "account",
        hex_of_digest(&endorsement.account).text, "vouched_s", (json_int_t)endorsement.time_s);
    if (cli->json)
        return cli_write_json(root, error);
    struct time_text when = time_text_of(root, "vouched_s");
    cli_message(cli,
                "%" PRIu64 " entries of %.12s, %" PRIu64 " to %" PRIu64
                ": whole, and the end vouched for at %s",
                count, text_member(root, "account"), checked.first, checked.head.number, when.text);
    if (checked.first > 1)
        cli_message(cli, "what came before entry %" PRIu64 " is not in this file", checked.first);
    return true;
}

static const struct verb verb_export = { .name = "export",
                                         .summary = "write the log",
                                         .table = &export_table,
                                         .options_size = sizeof(struct export_options),
                                         .run = export_run };
static const struct verb verb_verify_log = { .name = "verify",
                                             .summary = "check a log that was written",
                                             .table = &verify_table,
                                             .options_size = sizeof(struct verify_words),
                                             .run = verify_run };
static const struct verb *const subverbs[] = { &verb_export, &verb_verify_log, NULL };
const struct verb verb_audit = { .name = "audit",
                                 .summary = "the log of what changed in your account",
                                 .table = &audit_table,
                                 .subverbs = subverbs };
