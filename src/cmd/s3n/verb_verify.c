/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n verify FILE`: checks what `s3n invoke --receipt FILE` wrote, down to the root certificate,
 * without a network.  `s3n verify URL`: the same of a node's evidence, asked for now. */
#include "base/clock.h"
#include "base/file.h"
#include "cmd/s3n/cli.h"
#include "cmd/s3n/session.h"
#include "core/hex.h"
#include "core/time.h"
#include "crypto/hash.h"
#include "keys/verify_report.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_SIZE = 64 << 10,
    REPORT_SIZE_MAX = 64 << 10
};

struct verify {
    const char *input;
    const char *output;
    const char *code;
    const char *root;
    const char *policy;
    const char *at;
    bool trust_simulated;
};

static const struct option_row rows[] = {
    { .name = "input",
      .kind = OPTION_STRING,
      .offset = offsetof(struct verify, input),
      .value = "FILE",
      .help = "the input must have been this file's content (not compared)" },
    { .name = "output",
      .kind = OPTION_STRING,
      .offset = offsetof(struct verify, output),
      .value = "FILE",
      .help = "the output must have been this file's content (not compared)" },
    { .name = "code",
      .kind = OPTION_STRING,
      .offset = offsetof(struct verify, code),
      .value = "FILE.wasm",
      .help = "the code must have been this module (any that the receipt names)" },
    { .name = "root",
      .kind = OPTION_STRING,
      .offset = offsetof(struct verify, root),
      .value = "FILE",
      .help = "trust this root certificate, PEM or DER, alone (the processor maker's)" },
    { .name = "policy",
      .kind = OPTION_STRING,
      .offset = offsetof(struct verify, policy),
      .value = "FILE|none",
      .help = "judge the evidence by this policy; none: validity only (production evidence, up to "
              "date)" },
    { .name = "at",
      .kind = OPTION_STRING,
      .offset = offsetof(struct verify, at),
      .value = "RFC3339|receipt",
      .help = "judge at this time, or at the time that the receipt states (now)" },
    { .name = "trust-simulated",
      .offset = offsetof(struct verify, trust_simulated),
      .help = "accept a development root, which proves nothing about hardware" },
};

static const struct option_table verify_table = {
    .program = "s3n verify",
    .usage = "FILE|URL",
    .about =
        "Checks a receipt that `s3n invoke --receipt FILE` kept: signature, keyset, evidence,\n"
        "root, code, input and output.  Works offline.  Exit code 6 when it does not hold.\n"
        "With https://HOST:PORT it asks the node there for evidence and checks that.\n"
        "`s3n verify evidence FILE` checks evidence alone (s3n help verify evidence).",
    .rows = rows,
    .row_count = ARRAY_COUNT(rows),
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};

static bool is_url(const char *text)
{
    return strncmp(text, "https://", 8) == 0;
}

/* The digest of a file of any size; `found` stays NULL without a path. */
static bool file_digest(struct digest32 *digest, const struct digest32 **found, const char *path,
                        struct error *error)
{
    if (path == NULL)
        return true;
    AUTO_CLOSE int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return error_system(error, "open %s", path);
    AUTO(hash) struct hash *hash = hash_new(HASH_SHA256);
    static uint8_t block[READ_SIZE];
    for (ssize_t size = 1; size != 0;) {
        size = read(file, block, sizeof(block));
        if (size < 0)
            return error_system(error, "read %s", path);
        hash_update(hash, bytes_of(block, (size_t)size));
    }
    *digest = hash_finish32(hash);
    *found = digest;
    return true;
}

static bool bundle_read(struct cli *cli, struct bundle *bundle, const char *path,
                        struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, BUNDLE_SIZE_MAX);
    if (!file_read(&text, path, error))
        return false;
    if (bundle_parse(bundle, buffer_view(&text), error))
        return true;
    cli_hint(cli, "`s3n invoke ... --receipt FILE` writes what can be verified");
    if (error->code == ERROR_INVALID)
        error->code = ERROR_UNVERIFIED; /* a damaged bundle proves nothing */
    return error_within(error, "%s", path);
}

static void append_steps(struct buffer *text, const struct verify_result *result)
{
    static const char *const marks[] = { [VERIFY_NOT_REACHED] = NULL,
                                         [VERIFY_PASSED] = "✓",
                                         [VERIFY_FAILED] = "✗",
                                         [VERIFY_NOT_COMPARED] = "-" };
    buffer_append_string(text, "verify  ");
    for (int step = 0; step < VERIFY_STEP_COUNT; step++) {
        const char *mark = marks[result->steps[step].verdict];
        if (mark != NULL)
            buffer_format(text, "  %s %s", verify_step_name((enum verify_step)step), mark);
    }
    buffer_append_string(text, "\n");
}

/* What step evidence is made of, in the order of docs/attestation.md. */
static void append_evidence_steps(struct buffer *text, const struct verify_result *result)
{
    static const char *const marks[] = {
        [ATTEST_STEP_FAILED] = "✗", [ATTEST_STEP_PASSED] = "✓", [ATTEST_STEP_LEFT_OUT] = "-"
    };
    for (size_t i = 0; i < result->evidence_step_count; i++)
        buffer_format(text, "          %s %-25s %s\n", marks[result->evidence_steps[i].state],
                      result->evidence_steps[i].name, result->evidence_steps[i].detail);
}

static void append_facts(struct buffer *text, const struct receipt *receipt)
{
    char when[32] = "?";
    time_t issued_at_s = (time_t)receipt->issued_at_s;
    struct tm parts;
    if (gmtime_r(&issued_at_s, &parts) != NULL)
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &parts);
    buffer_format(text, "function  %s/%s %s\n", receipt->application, receipt->function,
                  receipt->application_version);
    buffer_format(text, "code      sha256:%s\n", hex_of_digest(&receipt->code).text);
    buffer_format(text, "outcome   %s", receipt_status_name(receipt->outcome.status));
    if (receipt->outcome.status == RECEIPT_STATUS_TRAP)
        buffer_format(text, ": %s", receipt->outcome.trap);
    if (receipt->outcome.status == RECEIPT_STATUS_EXIT)
        buffer_format(text, " with code %lld", (long long)receipt->outcome.exit_code);
    buffer_format(text, " after %llu us, backend %s\n",
                  (unsigned long long)receipt->usage.duration_us,
                  receipt_backend_name(receipt->backend));
    buffer_format(text, "issued    %s by node %s, number %llu\n", when, receipt->node,
                  (unsigned long long)receipt->sequence);
}

static bool show_text(const struct cli *cli, const struct verify_result *result, bool has_receipt,
                      struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, REPORT_SIZE_MAX);
    append_steps(&text, result);
    if (!cli->quiet)
        append_evidence_steps(&text, result);
    if (!cli->quiet && result->has_policy)
        policy_lines_append(&text, &result->policy, "          ");
    if (result->simulated)
        buffer_append_string(&text,
                             "SIMULATED: a development root, proves nothing about hardware\n");
    if (has_receipt && !cli->quiet)
        append_facts(&text, &result->receipt);
    return cli_write(buffer_view(&text), error);
}

static bool show_json(const struct verify_result *result, bool held, bool has_receipt,
                      struct error *error)
{
    AUTO_BUFFER struct buffer text;
    AUTO_BUFFER struct buffer claims;
    buffer_init(&text, VERIFY_REPORT_SIZE_MAX);
    buffer_init(&claims, RECEIPT_CLAIMS_SIZE_MAX);
    if (has_receipt && !receipt_claims(&claims, &result->receipt, error))
        return false;
    uint8_t *room = buffer_reserve(&text, VERIFY_REPORT_SIZE_MAX);
    if (room == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the report");
    struct writer target = writer_into(room, VERIFY_REPORT_SIZE_MAX);
    struct json_writer json = json_writer_into(&target);
    verify_report_write(&json, result, held, has_receipt ? &claims : NULL);
    if (target.failed)
        return error_set(error, ERROR_INTERNAL, "report is too long");
    AUTO_JSON json_t *report = NULL;
    return json_parse(&report, writer_view(&target), error) && cli_write_json(report, error);
}

/* `refusal` is why it does not hold; its code 0: it does. */
static bool show(struct cli *cli, const struct verify_result *result, const struct error *refusal,
                 bool has_receipt, struct error *error)
{
    bool held = refusal->code == ERROR_NONE;
    if (!held && refusal->code != ERROR_UNVERIFIED) {
        *error = *refusal;
        return false;
    }
    if (!(cli->json ? show_json(result, held, held && has_receipt, error)
                    : show_text(cli, result, held && has_receipt, error)))
        return false;
    if (!held)
        *error = *refusal;
    return held;
}

/* Why evidence was refused that a person may want to accept. */
static void advise(struct cli *cli, const struct verify_result *result,
                   const struct verify_options *options, const struct error *refusal)
{
    if (result->simulated && !options->trust_simulated)
        cli_hint(cli, "--trust-simulated accepts evidence of platform sim");
    else if (!options->is_at_receipt && strstr(refusal->text, "expired") != NULL)
        cli_hint(cli, "--at receipt judges at the time that the receipt states");
}

static bool verify_receipt(struct cli *cli, const struct verify *verify, const char *path,
                           struct verify_options *judged, struct error *error)
{
    struct digest32 code, input, output;
    AUTO_BUNDLE struct bundle bundle;
    bundle_init(&bundle);
    if (!file_digest(&code, &judged->code, verify->code, error) ||
        !file_digest(&input, &judged->input, verify->input, error) ||
        !file_digest(&output, &judged->output, verify->output, error) ||
        !bundle_read(cli, &bundle, path, error))
        return false;
    struct verify_result result;
    struct error refusal = { 0 };
    if (!verify_bundle(&result, &bundle, judged, &refusal))
        advise(cli, &result, judged, &refusal);
    return show(cli, &result, &refusal, true, error);
}

/* Fresh evidence, bound to the session that it came over. */
static bool verify_node(struct cli *cli, const struct verify *verify, const char *url,
                        struct trust *trust, struct error *error)
{
    if (verify->code != NULL || verify->input != NULL || verify->output != NULL ||
        verify->at != NULL)
        return error_set(error, ERROR_USAGE,
                         "--code, --input, --output and --at are about receipts");
    AUTO_SESSION struct session session;
    session_init(&session);
    trust_done(&session.trust);
    session.trust = *trust; /* taken over */
    trust_init(trust);
    struct error refusal = { 0 };
    struct verify_options judged = { .trust_simulated = session.trust.trust_simulated };
    if (!session_look(&session, url, &refusal))
        advise(cli, &session.seen, &judged, &refusal);
    return show(cli, &session.seen, &refusal, false, error);
}

static bool time_choose(struct verify_options *judged, const char *at, struct error *error)
{
    judged->now_s = (int64_t)(clock_realtime_ns(&clock_system) / 1000000000u);
    judged->is_at_receipt = at != NULL && strcmp(at, "receipt") == 0;
    return at == NULL || judged->is_at_receipt || time_parse(&judged->now_s, bytes_of_string(at)) ||
           error_set(error, ERROR_USAGE,
                     "--at must be `receipt`, or a time as RFC 3339 writes it: "
                     "2026-11-21T12:00:00Z");
}

static bool verify_run(struct cli *cli, const void *options,
                       const struct option_arguments *arguments, struct error *error)
{
    const struct verify *verify = options;
    struct verify_options judged = { 0 };
    AUTO_TRUST struct trust trust;
    trust_init(&trust);
    trust.trust_simulated = verify->trust_simulated;
    if (!time_choose(&judged, verify->at, error) ||
        !trust_read_policy(&trust, verify->policy, true, error) ||
        !trust_read_root(&trust, verify->root, error))
        return false;
    if (is_url(arguments->items[0]))
        return verify_node(cli, verify, arguments->items[0], &trust, error);
    trust_apply(&trust, &judged);
    return verify_receipt(cli, verify, arguments->items[0], &judged, error);
}

static const struct verb *const subverbs[] = { &verb_verify_evidence, NULL };

const struct verb verb_verify = { .name = "verify",
                                  .subverbs = subverbs,
                                  .summary =
                                      "check a receipt offline, down to the root certificate",
                                  .table = &verify_table,
                                  .options_size = sizeof(struct verify),
                                  .run = verify_run };
