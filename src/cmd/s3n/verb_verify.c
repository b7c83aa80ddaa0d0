/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n verify FILE`: checks what `s3n invoke --receipt FILE` wrote, down to the root certificate,
 * without a network. */
#include "base/clock.h"
#include "base/file.h"
#include "cmd/s3n/cli.h"
#include "core/hex.h"
#include "crypto/hash.h"
#include "keys/verify.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_SIZE = 64 << 10,
    ROOT_SIZE_MAX = 16 << 10,
    REPORT_SIZE_MAX = 64 << 10,
    EAR_SIZE_MAX = 2048
};

struct verify {
    const char *input;
    const char *output;
    const char *code;
    const char *root;
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
    { .name = "trust-simulated",
      .offset = offsetof(struct verify, trust_simulated),
      .help = "accept a development root, which proves nothing about hardware" },
};

static const struct option_table verify_table = {
    .program = "s3n verify",
    .usage = "FILE",
    .about =
        "Checks a receipt that `s3n invoke --receipt FILE` kept: signature, keyset, evidence,\n"
        "root, code, input and output.  Works offline.  Exit code 6 when it does not hold.\n"
        "`s3n verify evidence FILE` checks evidence alone (s3n help verify evidence).",
    .rows = rows,
    .row_count = ARRAY_COUNT(rows),
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};

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

static bool show_text(const struct cli *cli, const struct verify_result *result, bool held,
                      struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, REPORT_SIZE_MAX);
    append_steps(&text, result);
    if (!cli->quiet)
        append_evidence_steps(&text, result);
    if (result->simulated)
        buffer_append_string(&text,
                             "SIMULATED: a development root, proves nothing about hardware\n");
    if (held && !cli->quiet)
        append_facts(&text, &result->receipt);
    return cli_write(buffer_view(&text), error);
}

static json_t *json_steps(const struct verify_result *result)
{
    json_t *steps = json_array();
    for (int step = 0; steps != NULL && step < VERIFY_STEP_COUNT; step++)
        json_array_append_new(steps, json_pack("{s:s, s:s, s:s}", "name",
                                               verify_step_name((enum verify_step)step), "verdict",
                                               verify_verdict_name(result->steps[step].verdict),
                                               "detail", result->steps[step].detail));
    return steps;
}

static json_t *json_evidence_steps(const struct verify_result *result)
{
    json_t *steps = json_array();
    for (size_t i = 0; steps != NULL && i < result->evidence_step_count; i++) {
        const struct attest_step *step = &result->evidence_steps[i];
        json_array_append_new(steps,
                              json_pack("{s:s, s:o, s:s}", "name", step->name, "ok",
                                        step->state == ATTEST_STEP_LEFT_OUT
                                            ? json_null()
                                            : json_boolean(step->state == ATTEST_STEP_PASSED),
                                        "detail", step->detail));
    }
    return steps;
}

/* The evidence's appraisal for RATS tools: EAR, as docs/attestation.md has it. */
static bool set_appraisal(json_t *report, const struct ear *appraisal, struct error *error)
{
    char text[EAR_SIZE_MAX];
    json_t *parsed = NULL;
    struct writer writer = writer_into(text, sizeof(text));
    struct json_writer json = json_writer_into(&writer);
    json_write_object_begin(&json);
    ear_write_json(&json, appraisal);
    json_write_object_end(&json);
    if (!json_parse(&parsed, writer_view(&writer), error))
        return false;
    return json_object_set_new(report, "ear", parsed) == 0 ||
           error_set(error, ERROR_NO_MEMORY, "no memory for the report");
}

static bool show_json(const struct verify_result *result, bool held, struct error *error)
{
    AUTO_JSON json_t *report =
        json_pack("{s:b, s:b, s:o, s:o}", "verified", held, "simulated", result->simulated, "steps",
                  json_steps(result), "evidence_steps", json_evidence_steps(result));
    if (report == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the report");
    if (result->has_appraisal && !set_appraisal(report, &result->appraisal, error))
        return false;
    if (held) {
        json_t *claims = NULL;
        AUTO_BUFFER struct buffer text;
        buffer_init(&text, RECEIPT_CLAIMS_SIZE_MAX);
        if (!receipt_claims(&text, &result->receipt, error) ||
            !json_parse(&claims, buffer_view(&text), error))
            return false;
        if (json_object_set_new(report, "receipt", claims) != 0)
            return error_set(error, ERROR_NO_MEMORY, "no memory for the report");
    }
    return cli_write_json(report, error);
}

static bool verify_and_show(struct cli *cli, const struct bundle *bundle,
                            const struct verify_options *options, struct error *error)
{
    struct verify_result result;
    struct error refusal = { 0 };
    bool held = verify_bundle(&result, bundle, options, &refusal);
    if (!held && refusal.code != ERROR_UNVERIFIED) {
        *error = refusal;
        return false;
    }
    if (!(cli->json ? show_json(&result, held, error) : show_text(cli, &result, held, error)))
        return false;
    if (held)
        return true;
    if (result.simulated && !options->trust_simulated)
        cli_hint(cli, "--trust-simulated accepts evidence of platform sim");
    *error = refusal;
    return false;
}

static bool verify_run(struct cli *cli, const void *options,
                       const struct option_arguments *arguments, struct error *error)
{
    const struct verify *verify = options;
    struct digest32 code, input, output;
    struct verify_options judged = {
        .trust_simulated = verify->trust_simulated,
        .now_s = (int64_t)(clock_realtime_ns(&clock_system) / 1000000000u),
    };
    AUTO_BUNDLE struct bundle bundle;
    AUTO_BUFFER struct buffer root;
    bundle_init(&bundle);
    buffer_init(&root, ROOT_SIZE_MAX);
    if (!file_digest(&code, &judged.code, verify->code, error) ||
        !file_digest(&input, &judged.input, verify->input, error) ||
        !file_digest(&output, &judged.output, verify->output, error) ||
        (verify->root != NULL && !file_read(&root, verify->root, error)) ||
        !bundle_read(cli, &bundle, arguments->items[0], error))
        return false;
    judged.root = buffer_view(&root);
    return verify_and_show(cli, &bundle, &judged, error);
}

static const struct verb *const subverbs[] = { &verb_verify_evidence, NULL };

const struct verb verb_verify = { .name = "verify",
                                  .subverbs = subverbs,
                                  .summary =
                                      "check a receipt offline, down to the root certificate",
                                  .table = &verify_table,
                                  .options_size = sizeof(struct verify),
                                  .run = verify_run };
