/* SPDX-License-Identifier: Apache-2.0 */
/* `s3n verify evidence FILE`: judges evidence and collateral that lie in files, without a node and,
 * unless it is told to fetch, without a network. */
#include "attest/appraisal.h"
#include "attest/eat/cmw.h"
#include "base/clock.h"
#include "base/file.h"
#include "cmd/s3n/cli.h"
#include "cmd/s3n/collateral_source.h"
#include "core/hex.h"
#include "core/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INPUT_SIZE_MAX = 8 << 20, /* a revocation list is the largest */
    BUNDLE_FILE_SIZE_MAX = 64 << 20
};

struct evidence_options {
    const char *tee;
    const char *root;
    const char *tcb_info, *qe_identity, *tcb_chain, *pck_chain, *pck_crl, *root_crl;
    const char *vek, *intermediate, *crl;
    const char *at;
    const char *policy;
    const char *report_data;
    const char *bundle, *save_bundle;
    bool trust_simulated;
    struct collateral_words collateral;
};

#define FILE_OPTION(option, field, text)                                                           \
    {                                                                                              \
        .name = option, .kind = OPTION_STRING, .offset = offsetof(struct evidence_options, field), \
        .value = "FILE", .help = text                                                              \
    }
#define TEXT_OPTION(option, field, form, text)                                                     \
    {                                                                                              \
        .name = option, .kind = OPTION_STRING, .offset = offsetof(struct evidence_options, field), \
        .value = form, .help = text                                                                \
    }

static const struct option_row rows[] = {
    TEXT_OPTION("tee", tee, "tdx|sgx|snp|nitro",
                "what kind of evidence it is (by its first bytes)"),
    FILE_OPTION("root", root, "trust anchor, DER or PEM (the vendor's, built in)"),
    FILE_OPTION("tcb-info", tcb_info, "Intel: TCB info with its signature, JSON"),
    FILE_OPTION("qe-identity", qe_identity, "Intel: identity of the quoting enclave, JSON"),
    FILE_OPTION("tcb-chain", tcb_chain, "Intel: certificates that sign both, PEM"),
    FILE_OPTION("pck-chain", pck_chain, "Intel: PCK certificates of a quote that carries none"),
    FILE_OPTION("pck-crl", pck_crl, "Intel: revocation list of the PCK CA, DER or PEM"),
    FILE_OPTION("root-crl", root_crl, "Intel: revocation list of the root, DER or PEM"),
    FILE_OPTION("vek", vek, "AMD: VCEK or VLEK certificate, DER or PEM"),
    FILE_OPTION("intermediate", intermediate, "AMD: ASK or ASVK certificate, DER or PEM"),
    FILE_OPTION("crl", crl, "AMD: revocation list, DER or PEM"),
    TEXT_OPTION("at", at, "RFC3339", "judge at this time (now)"),
    TEXT_OPTION("policy", policy, "FILE|none",
                "judge by this policy; none: validity only (production evidence, up to date)"),
    TEXT_OPTION("report-data", report_data, "HEX", "what the evidence must be about (any)"),
    FILE_OPTION("bundle", bundle,
                "collateral of an earlier --save-bundle, where no option gives it"),
    FILE_OPTION("save-bundle", save_bundle,
                "keep valid evidence and what it was judged by in one file"),
    { .name = "trust-simulated",
      .offset = offsetof(struct evidence_options, trust_simulated),
      .help = "accept a development root, which proves nothing about hardware" },
    COLLATERAL_ROWS(struct evidence_options, collateral),
};

static const struct option_table evidence_table = {
    .program = "s3n verify evidence",
    .usage = "FILE",
    .about =
        "Judges a TDX or SGX quote, an SEV-SNP report, a Nitro document, or a certificate with "
        "a quote in it:\n"
        "signatures, chains, revocation, dates, identities, TCB levels; then a policy.  Works "
        "offline;\n"
        "with --fetch, collateral that is not given comes from a cache and the makers' services.\n"
        "Exit code 0: valid and accepted; 6: invalid or rejected; 2: usage.",
    .rows = rows,
    .row_count = ARRAY_COUNT(rows),
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};

enum {
    FILE_COUNT_MAX = 20,
    PATH_SIZE = 4096 + 16
};

/* The files that a judgement borrows, and the judgement. */
struct judgement {
    struct buffer files[FILE_COUNT_MAX];
    size_t file_count;
    uint8_t report_data[REPORT_DATA_SIZE];
    char root_name[PATH_SIZE], bundle_name[PATH_SIZE];
    struct appraisal_request request;
    struct appraisal *appraisal;
    struct collateral_source source;
    struct collateral gathered;
};

static void judgement_free(struct judgement *judgement)
{
    for (size_t i = 0; judgement != NULL && i < judgement->file_count; i++)
        buffer_done(&judgement->files[i]);
    if (judgement != NULL) {
        appraisal_free(judgement->appraisal);
        collateral_done(&judgement->gathered);
        collateral_source_done(&judgement->source);
    }
    free(judgement);
}
DEFINE_AUTO(judgement, judgement_free)

/* Leaves `content` empty without a path. */
static bool input_read(struct judgement *judgement, struct bytes *content, const char *path,
                       struct error *error)
{
    if (path == NULL)
        return true;
    struct buffer *file = &judgement->files[judgement->file_count++];
    buffer_init(file, INPUT_SIZE_MAX);
    if (!file_read(file, path, error))
        return false;
    *content = buffer_view(file);
    return true;
}

static bool piece_read(struct judgement *judgement, struct bytes *piece, const char *path,
                       struct error *error)
{
    if (!input_read(judgement, piece, path, error))
        return false;
    if (path != NULL)
        *piece = appraisal_given(*piece);
    return true;
}

static bool collateral_read(struct judgement *judgement, const struct evidence_options *options,
                            struct error *error)
{
    struct attest_collateral *collateral = &judgement->request.collateral;
    return piece_read(judgement, &collateral->tcb_info, options->tcb_info, error) &&
           piece_read(judgement, &collateral->qe_identity, options->qe_identity, error) &&
           piece_read(judgement, &collateral->tcb_chain, options->tcb_chain, error) &&
           piece_read(judgement, &collateral->pck_chain, options->pck_chain, error) &&
           piece_read(judgement, &collateral->pck_crl, options->pck_crl, error) &&
           piece_read(judgement, &collateral->root_crl, options->root_crl, error) &&
           piece_read(judgement, &collateral->vek, options->vek, error) &&
           piece_read(judgement, &collateral->intermediate, options->intermediate, error) &&
           piece_read(judgement, &collateral->crl, options->crl, error);
}

/* `name` is what errors call it. */
static bool named_read(struct judgement *judgement, struct appraisal_file *file, const char *path,
                       const char *name, struct error *error)
{
    if (path == NULL)
        return true;
    file->name = name;
    return input_read(judgement, &file->text, path, error);
}

static bool words_read(struct judgement *judgement, const struct evidence_options *options,
                       struct error *error)
{
    struct appraisal_request *request = &judgement->request;
    if (options->tee != NULL && !attest_tee_find(&request->tee, options->tee))
        return error_set(error, ERROR_USAGE, "--tee must be tdx, sgx, snp or nitro");
    request->now_s = (int64_t)(clock_realtime_ns(&clock_system) / 1000000000u);
    if (options->at != NULL && !time_parse(&request->now_s, bytes_of_string(options->at)))
        return error_set(error, ERROR_USAGE,
                         "--at must be a time as RFC 3339 writes it: 2026-11-21T12:00:00Z");
    request->trust_simulated = options->trust_simulated;
    if (options->report_data == NULL)
        return true;
    size_t size = strlen(options->report_data) / 2;
    if (size == 0 || size > sizeof(judgement->report_data) ||
        !hex_decode(judgement->report_data, size, bytes_of_string(options->report_data)))
        return error_set(error, ERROR_USAGE, "--report-data must be up to %d hexadecimal digits",
                         2 * REPORT_DATA_SIZE);
    request->report_data = bytes_of(judgement->report_data, size);
    return true;
}

static bool request_read(struct judgement *judgement, const struct evidence_options *options,
                         const char *path, struct error *error)
{
    struct appraisal_request *request = &judgement->request;
    request->has_policy = options->policy == NULL || strcmp(options->policy, "none") != 0;
    snprintf(judgement->root_name, sizeof(judgement->root_name), "--root %s",
             options->root == NULL ? "" : options->root);
    snprintf(judgement->bundle_name, sizeof(judgement->bundle_name), "--bundle %s",
             options->bundle == NULL ? "" : options->bundle);
    return words_read(judgement, options, error) &&
           named_read(judgement, &request->policy, request->has_policy ? options->policy : NULL,
                      options->policy, error) &&
           named_read(judgement, &request->root, options->root, judgement->root_name, error) &&
           collateral_read(judgement, options, error) &&
           input_read(judgement, &request->evidence, path, error) &&
           named_read(judgement, &request->bundle, options->bundle, judgement->bundle_name, error);
}

static bool show_json(const struct judgement *judgement, struct error *error)
{
    const struct appraisal *appraisal = judgement->appraisal;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, APPRAISAL_REPORT_SIZE_MAX);
    uint8_t *room = buffer_reserve(&text, APPRAISAL_REPORT_SIZE_MAX - 1);
    if (room == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the report");
    struct writer target = writer_into(room, APPRAISAL_REPORT_SIZE_MAX - 1);
    struct json_writer json = json_writer_into(&target);
    json_write_object_begin(&json);
    appraisal_write_members(&json, appraisal);
    json_write_name(&json, "collateral");
    collateral_lines_write(&json, &appraisal->options.collateral, &judgement->gathered,
                           appraisal->options.now_s);
    json_write_object_end(&json);
    write_u8(&target, '\n');
    if (target.failed)
        return error_set(error, ERROR_INTERNAL, "report is too long");
    return cli_write(writer_view(&target), error);
}

static const char *mark_of(const struct attest_step *step)
{
    static const char *const marks[] = {
        [ATTEST_STEP_FAILED] = "✗", [ATTEST_STEP_PASSED] = "✓", [ATTEST_STEP_LEFT_OUT] = "-"
    };
    return marks[step->state];
}

static bool show_text(const struct judgement *judgement, struct error *error)
{
    const struct appraisal *appraisal = judgement->appraisal;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, APPRAISAL_REPORT_SIZE_MAX);
    const struct attest_verdict *verdict = &appraisal->verdict;
    for (size_t i = 0; i < verdict->step_count; i++)
        buffer_format(&text, "%s %-28s %s\n", mark_of(&verdict->steps[i]), verdict->steps[i].name,
                      verdict->steps[i].detail);
    collateral_lines_append(&text, &appraisal->options.collateral, &judgement->gathered,
                            appraisal->options.now_s);
    if (verdict->is_valid)
        buffer_format(&text, "valid %s evidence%s\n", attest_tee_name(verdict->tee),
                      verdict->claims.is_simulated
                          ? ", SIMULATED: a development root, proves nothing about hardware"
                          : "");
    else
        buffer_format(&text, "invalid: %s\n", attest_reason_name(verdict->reason));
    const struct policy_report *report = &appraisal->report;
    for (size_t i = 0; i < report->rule_count; i++)
        buffer_format(&text, "%s policy %-21s %s (wanted: %s)\n",
                      report->rules[i].is_met ? "✓" : "✗", report->rules[i].name,
                      report->rules[i].value, report->rules[i].wanted);
    if (verdict->is_valid && appraisal->has_policy)
        buffer_append_string(&text, report->is_accepted ? "accepted\n" : "rejected\n");
    return cli_write_lines(buffer_view(&text), error);
}

static bool bundle_save(const struct appraisal *appraisal, const char *path, struct error *error)
{
    if (path == NULL || !appraisal->verdict.is_valid)
        return true;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, BUNDLE_FILE_SIZE_MAX);
    struct cmw cmw;
    cmw_of_evidence(&cmw, appraisal->verdict.tee, appraisal->evidence,
                    &appraisal->options.collateral);
    /* Once to measure, once to write. */
    struct writer target = writer_into(NULL, 0);
    struct json_writer json = json_writer_into(&target);
    cmw_write_json(&json, &cmw);
    uint8_t *room = buffer_reserve(&text, target.size + 1);
    if (room == NULL)
        return error_set(error, ERROR_LIMIT, "a bundle has at most %d bytes", BUNDLE_FILE_SIZE_MAX);
    target = writer_into(room, target.size + 1);
    json = json_writer_into(&target);
    cmw_write_json(&json, &cmw);
    write_u8(&target, '\n');
    return file_replace(path, writer_view(&target), 0644, error);
}

/* What neither options nor bundle nor wrapper gave, where that was asked for.  What can't be had is
 * said; the verdict shows what it lacks. */
static bool collateral_look(struct cli *cli, struct judgement *judgement,
                            const struct evidence_options *options, struct error *error)
{
    struct appraisal *appraisal = judgement->appraisal;
    struct attest_collateral *used = &appraisal->options.collateral;
    struct error missing;
    if (!collateral_source_open(&judgement->source, &options->collateral, error))
        return false;
    /* What the services have today is about today. */
    if (!judgement->source.is_used && !(judgement->source.is_always && options->at == NULL))
        return true;
    judgement->source.options.judged_at_s = appraisal->options.now_s;
    if (!collateral_gather(&judgement->gathered, appraisal->evidence, used,
                           &judgement->source.options, &missing))
        cli_message(cli, "collateral: %s", missing.text);
    collateral_apply(&judgement->gathered, used);
    return true;
}

static bool evidence_run(struct cli *cli, const void *given,
                         const struct option_arguments *arguments, struct error *error)
{
    const struct evidence_options *options = given;
    AUTO(judgement) struct judgement *judgement = calloc(1, sizeof(*judgement));
    if (judgement == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to verify");
    judgement->appraisal = appraisal_new();
    struct appraisal *appraisal = judgement->appraisal;
    if (appraisal == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to verify");
    if (!request_read(judgement, options, arguments->items[0], error) ||
        !appraisal_open(appraisal, &judgement->request, error) ||
        !collateral_look(cli, judgement, options, error))
        return false;
    appraisal_judge(appraisal);
    if (!(cli->json ? show_json(judgement, error) : show_text(judgement, error)) ||
        !bundle_save(appraisal, options->save_bundle, error))
        return false;
    if (appraisal->verdict.reason == ATTEST_REASON_SIMULATED)
        cli_hint(cli, "--trust-simulated accepts evidence of platform sim");
    if (!appraisal->is_accepted)
        *error = appraisal->refusal;
    return appraisal->is_accepted;
}

const struct verb verb_verify_evidence = { .name = "evidence",
                                           .summary = "judge evidence and collateral in files",
                                           .table = &evidence_table,
                                           .options_size = sizeof(struct evidence_options),
                                           .run = evidence_run };
