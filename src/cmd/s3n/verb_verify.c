/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n verify FILE`: checks what `s3n invoke --receipt FILE` wrote, down to the root certificate,
 * without a network.  `s3n verify URL`: the same of a node's evidence, asked for now. */
#include "attest/eat/cmw.h"
#include "base/clock.h"
#include "base/file.h"
#include "cmd/s3n/cli.h"
#include "cmd/s3n/session.h"
#include "core/hex.h"
#include "core/time.h"
#include "crypto/hash.h"
#include "keys/verify_report.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_SIZE = 64 << 10,
    COLLATERAL_BUNDLE_SIZE_MAX = 8 << 20,
    REPORT_SIZE_MAX = 64 << 10
};

struct verify {
    const char *input;
    const char *output;
    const char *code;
    const char *root;
    const char *policy;
    const char *at;
    const char *bundle, *save_bundle;
    bool trust_simulated;
    struct collateral_words collateral;
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
    { .name = "bundle",
      .kind = OPTION_STRING,
      .offset = offsetof(struct verify, bundle),
      .value = "FILE",
      .help = "collateral that the receipt's evidence lacks, as `s3n verify evidence "
              "--save-bundle` keeps it" },
    { .name = "save-bundle",
      .kind = OPTION_STRING,
      .offset = offsetof(struct verify, save_bundle),
      .value = "FILE",
      .help = "keep a receipt that holds with all that it was judged by" },
    COLLATERAL_ROWS(struct verify, collateral),
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

/* What the function used of its node. */
static void append_uses(struct buffer *text, const struct receipt *receipt)
{
    for (unsigned i = 0; i < receipt->use_count; i++) {
        const struct receipt_use *use = &receipt->uses[i];
        buffer_format(text, "used      %s %s", use->service, use->name);
        if (use->has_before)
            buffer_format(text, "\n          before sha256:%s", hex_of_digest(&use->before).text);
        if (use->has_after)
            buffer_format(text, "\n          %s sha256:%s", use->has_before ? "after " : "digest",
                          hex_of_digest(&use->after).text);
        buffer_append_string(text, "\n");
    }
}

/* Who released what answered. */
static void release_show(struct buffer *text, const struct receipt *receipt)
{
    if (!receipt->release.is_known)
        return;
    buffer_format(text, "release   version %llu, sha256:%.12s…\n",
                  (unsigned long long)receipt->release.number,
                  hex_of_digest(&receipt->release.version).text);
    for (size_t i = 0; i < receipt->release.signer_count; i++)
        buffer_format(text, "          released by %s\n",
                      hex_of_digest(&receipt->release.signers[i]).text);
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
    append_uses(text, receipt);
    release_show(text, receipt);
    buffer_format(text, "issued    %s by node %s, number %llu\n", when, receipt->node,
                  (unsigned long long)receipt->sequence);
}

/* Evidence as it was judged, and what was looked for. */
struct judged_evidence {
    struct bytes text;
    const struct collateral *gathered;
};

static bool show_text(const struct cli *cli, const struct verify_result *result,
                      const struct judged_evidence *evidence, bool has_receipt, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, REPORT_SIZE_MAX);
    append_steps(&text, result);
    if (!cli->quiet)
        append_evidence_steps(&text, result);
    if (!cli->quiet && result->has_appraisal)
        collateral_text_of_evidence(&text, evidence->text, evidence->gathered, result->judged_at_s);
    if (!cli->quiet && result->has_policy)
        policy_lines_append(&text, &result->policy, "          ");
    if (result->simulated)
        buffer_append_string(&text,
                             "SIMULATED: a development root, proves nothing about hardware\n");
    if (has_receipt && !cli->quiet)
        append_facts(&text, &result->receipt);
    return cli_write_lines(buffer_view(&text), error);
}

static bool show_json(const struct verify_result *result, const struct judged_evidence *evidence,
                      bool held, bool has_receipt, struct error *error)
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
    AUTO_JSON json_t *report = NULL, *collateral = NULL;
    if (!json_parse(&report, writer_view(&target), error))
        return false;
    target = writer_into(room, VERIFY_REPORT_SIZE_MAX);
    json = json_writer_into(&target);
    collateral_lines_of_evidence(&json, evidence->text, evidence->gathered, result->judged_at_s);
    if (target.failed || !json_parse(&collateral, writer_view(&target), error))
        return error_set(error, ERROR_INTERNAL, "report is too long");
    json_object_set(report, "collateral", collateral);
    return cli_write_json(report, error);
}

/* `refusal` is why it does not hold; its code 0: it does. */
static bool show(struct cli *cli, const struct verify_result *result,
                 const struct judged_evidence *evidence, const struct error *refusal,
                 bool has_receipt, struct error *error)
{
    bool held = refusal->code == ERROR_NONE;
    if (!held && refusal->code != ERROR_UNVERIFIED) {
        *error = *refusal;
        return false;
    }
    if (!(cli->json ? show_json(result, evidence, held, held && has_receipt, error)
                    : show_text(cli, result, evidence, held && has_receipt, error)))
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

/* Collateral that was kept apart. */
static bool bundle_add(struct buffer *evidence, const char *path, struct error *error)
{
    struct attest_collateral kept = { 0 };
    struct bytes unused;
    struct cmw cmw;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, COLLATERAL_BUNDLE_SIZE_MAX);
    if (path == NULL)
        return true;
    if (!file_read(&text, path, error))
        return false;
    AUTO_FREE uint8_t *space = malloc(text.size + 1);
    if (space == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a bundle");
    return (cmw_read(&cmw, buffer_view(&text), space, text.size, error) &&
            cmw_to_evidence(&cmw, &unused, &kept, error) &&
            collateral_add(evidence, &kept, error)) ||
           error_within(error, "--bundle %s", path);
}

/* What evidence and --bundle lack, where that was asked for; what can't be had is said. */
static bool collateral_look(struct cli *cli, const struct verify *verify, struct bundle *bundle,
                            struct collateral *gathered, struct error *error)
{
    struct error missing;
    AUTO_COLLATERAL_SOURCE struct collateral_source source;
    if (!collateral_source_open(&source, &verify->collateral, error) ||
        !bundle_add(&bundle->attestation.evidence, verify->bundle, error))
        return false;
    bool is_now = verify->at == NULL;
    if ((source.is_used || (source.is_always && is_now)) &&
        !collateral_complete(gathered, &bundle->attestation.evidence, &source.options, &missing))
        cli_message(cli, "collateral: %s", missing.text);
    return true;
}

static bool bundle_save(const struct bundle *bundle, const char *path, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, BUNDLE_SIZE_MAX);
    return path == NULL || (bundle_write(&text, bundle, error) &&
                            file_replace(path, buffer_view(&text), 0644, error));
}

static bool verify_receipt(struct cli *cli, const struct verify *verify, const char *path,
                           struct verify_options *judged, struct error *error)
{
    struct digest32 code, input, output;
    AUTO_COLLATERAL struct collateral gathered;
    AUTO_BUNDLE struct bundle bundle;
    bundle_init(&bundle);
    collateral_init(&gathered);
    if (!file_digest(&code, &judged->code, verify->code, error) ||
        !file_digest(&input, &judged->input, verify->input, error) ||
        !file_digest(&output, &judged->output, verify->output, error) ||
        !bundle_read(cli, &bundle, path, error) ||
        !collateral_look(cli, verify, &bundle, &gathered, error))
        return false;
    struct verify_result result;
    struct error refusal = { 0 };
    bool held = verify_bundle(&result, &bundle, judged, &refusal);
    if (!held)
        advise(cli, &result, judged, &refusal);
    struct judged_evidence evidence = { buffer_view(&bundle.attestation.evidence), &gathered };
    return show(cli, &result, &evidence, &refusal, true, error) &&
           bundle_save(&bundle, verify->save_bundle, error);
}

/* Fresh evidence, bound to the session that it came over. */
static bool verify_node(struct cli *cli, const struct verify *verify, const char *url,
                        struct trust *trust, struct error *error)
{
    if (verify->code != NULL || verify->input != NULL || verify->output != NULL ||
        verify->at != NULL || verify->bundle != NULL || verify->save_bundle != NULL)
        return error_set(error, ERROR_USAGE,
                         "--code, --input, --output, --at, --bundle and "
                         "--save-bundle are about receipts");
    AUTO_SESSION struct session session;
    session_init(&session);
    trust_done(&session.trust);
    session.trust = *trust; /* taken over */
    trust_init(trust);
    if (!collateral_source_open(&session.source, &verify->collateral, error))
        return false;
    struct error refusal = { 0 };
    struct verify_options judged = { .trust_simulated = session.trust.trust_simulated };
    if (!session_look(&session, url, &refusal))
        advise(cli, &session.seen, &judged, &refusal);
    if (session.unfetched.code != ERROR_NONE)
        cli_message(cli, "collateral: %s", session.unfetched.text);
    struct judged_evidence evidence = { buffer_view(&session.evidence), &session.gathered };
    return show(cli, &session.seen, &evidence, &refusal, false, error);
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
    if (strncmp(arguments->items[0], "http://", 7) == 0)
        return error_set(error, ERROR_USAGE, "a node is asked over https://");
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
