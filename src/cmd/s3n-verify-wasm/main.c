/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier as a WebAssembly module: what `s3n verify` and `s3n verify evidence` judge, on bytes
 * that the caller puts into memory.  It imports nothing: no clock, no files, no network, no
 * randomness.  One instance judges once; whoever calls (sdk/verify-js) makes a new one each time.
 *
 * Call s3n_alloc for room, s3n_give for every input by the name of the command's option, then
 * s3n_verify_evidence, s3n_verify_receipt or s3n_verify_attestation, and read what s3n_report and
 * s3n_error point at. */
#include "attest/appraisal.h"
#include "attest/policy/policy_file.h"
#include "attest/trust_anchor.h"
#include "core/hex.h"
#include "core/json_writer.h"
#include "core/time.h"
#include "keys/verify_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(name)))

enum answer {
    ANSWER_ACCEPTED,
    ANSWER_REFUSED, /* with a report, but for what can't be read */
    ANSWER_ERROR    /* nothing was judged */
};

enum {
    NAME_SIZE_MAX = 32,
    INPUT_COUNT_MAX = 32,
    ERROR_SIZE_MAX = 4096,
    REPORT_ROOM = APPRAISAL_REPORT_SIZE_MAX
};

struct input {
    char name[NAME_SIZE_MAX];
    struct bytes content;
};

static struct input inputs[INPUT_COUNT_MAX];
static size_t input_count;
static uint8_t report[REPORT_ROOM];
static size_t report_size;
static uint8_t error_text[ERROR_SIZE_MAX];
static size_t error_size;

/* NULL without memory. */
EXPORT("s3n_alloc") void *s3n_alloc(size_t size)
{
    return malloc(size == 0 ? 1 : size);
}

/* The bytes stay the caller's.  0: no room for another input, or the name is too long. */
EXPORT("s3n_give")
int s3n_give(const char *name, size_t name_size, const void *data, size_t size)
{
    if (input_count == INPUT_COUNT_MAX || name_size >= NAME_SIZE_MAX)
        return 0;
    struct input *input = &inputs[input_count++];
    memcpy(input->name, name, name_size);
    input->name[name_size] = '\0';
    input->content = bytes_of(data, size);
    return 1;
}

EXPORT("s3n_report") const uint8_t *s3n_report(void)
{
    return report;
}

EXPORT("s3n_report_size") size_t s3n_report_size(void)
{
    return report_size;
}

EXPORT("s3n_error") const uint8_t *s3n_error(void)
{
    return error_text;
}

EXPORT("s3n_error_size") size_t s3n_error_size(void)
{
    return error_size;
}

static const struct input *find(const char *name)
{
    for (size_t i = 0; i < input_count; i++) {
        if (strcmp(inputs[i].name, name) == 0)
            return &inputs[i];
    }
    return NULL;
}

static bool has(const char *name)
{
    return find(name) != NULL;
}

/* Empty when it was not given. */
static struct bytes content_of(const char *name)
{
    const struct input *input = find(name);
    return input == NULL ? (struct bytes){ 0 } : input->content;
}

static struct appraisal_file file_of(const char *name)
{
    return (struct appraisal_file){ content_of(name), has(name) ? name : NULL };
}

static int answer_error(const struct error *error, int answer)
{
    struct writer target = writer_into(error_text, sizeof(error_text));
    struct json_writer json = json_writer_into(&target);
    json_write_object_begin(&json);
    json_write_name(&json, "code");
    json_write_string(&json, error_name(error->code));
    json_write_name(&json, "message");
    json_write_string(&json, error->text);
    json_write_object_end(&json);
    error_size = target.failed ? 0 : target.size;
    return answer;
}

static int answer(const struct writer *target, bool held, const struct error *refusal)
{
    if (target->failed) {
        struct error error;
        error_set(&error, ERROR_INTERNAL, "report is too long");
        return answer_error(&error, ANSWER_ERROR);
    }
    report_size = target->size;
    return held ? ANSWER_ACCEPTED : answer_error(refusal, ANSWER_REFUSED);
}

/* The module has no clock: `now` says what time it is where `at` says nothing or "receipt". */
static bool read_time(int64_t *now_s, const char *name, struct error *error)
{
    return time_parse(now_s, content_of(name)) ||
           error_set(error, ERROR_USAGE,
                     "%s must be a time as RFC 3339 writes it: 2026-11-21T12:00:00Z", name);
}

static bool read_hex(uint8_t *target, size_t *size, size_t size_max, const char *name,
                     struct error *error)
{
    struct bytes text = content_of(name);
    *size = text.size / 2;
    if (!has(name) || (*size > 0 && *size <= size_max && hex_decode(target, *size, text)))
        return true;
    return error_set(error, ERROR_USAGE, "%s must be up to %zu hexadecimal digits", name,
                     2 * size_max);
}

static struct bytes collateral_of(const char *name)
{
    return has(name) ? appraisal_given(content_of(name)) : (struct bytes){ 0 };
}

static bool read_request(struct appraisal_request *request, uint8_t *report_data,
                         struct error *error)
{
    size_t size = 0;
    char tee[NAME_SIZE_MAX] = "";
    struct bytes tee_name = content_of("tee");
    if (tee_name.size > 0 && tee_name.size < sizeof(tee))
        memcpy(tee, tee_name.data, tee_name.size);
    if (has("tee") && !attest_tee_find(&request->tee, tee))
        return error_set(error, ERROR_USAGE, "tee must be tdx, sgx, snp or nitro");
    if (!read_time(&request->now_s, has("at") ? "at" : "now", error) ||
        !read_hex(report_data, &size, REPORT_DATA_SIZE, "report-data", error))
        return false;
    request->report_data = bytes_of(report_data, size);
    request->evidence = content_of("evidence");
    request->trust_simulated = has("trust-simulated");
    request->has_policy = !has("no-policy");
    request->policy = file_of("policy");
    request->root = file_of("root");
    request->bundle = file_of("bundle");
    request->collateral = (struct attest_collateral){
        .tcb_info = collateral_of("tcb-info"),
        .qe_identity = collateral_of("qe-identity"),
        .tcb_chain = collateral_of("tcb-chain"),
        .pck_chain = collateral_of("pck-chain"),
        .pck_crl = collateral_of("pck-crl"),
        .root_crl = collateral_of("root-crl"),
        .vek = collateral_of("vek"),
        .intermediate = collateral_of("intermediate"),
        .crl = collateral_of("crl"),
    };
    return true;
}

EXPORT("s3n_verify_evidence") int s3n_verify_evidence(void)
{
    struct error error;
    uint8_t report_data[REPORT_DATA_SIZE];
    struct appraisal_request request = { 0 };
    AUTO(appraisal) struct appraisal *appraisal = appraisal_new();
    if (appraisal == NULL)
        error_set(&error, ERROR_NO_MEMORY, "no memory to verify");
    if (appraisal == NULL || !read_request(&request, report_data, &error) ||
        !appraise(appraisal, &request, &error))
        return answer_error(&error, ANSWER_ERROR);
    struct writer target = writer_into(report, sizeof(report));
    struct json_writer json = json_writer_into(&target);
    appraisal_write(&json, appraisal);
    return answer(&target, appraisal->is_accepted, &appraisal->refusal);
}

/* What was expected: a file's content, or its digest. */
static bool read_expected(struct digest32 *digest, const struct digest32 **expected,
                          const char *name, const char *digest_name, struct error *error)
{
    size_t size = 0;
    if (!read_hex(digest->bytes, &size, sizeof(digest->bytes), digest_name, error))
        return false;
    if (has(digest_name) && size != sizeof(digest->bytes))
        return error_set(error, ERROR_USAGE, "%s must be 64 hexadecimal digits", digest_name);
    if (has(name))
        *digest = sha256_of(content_of(name));
    if (has(name) || has(digest_name))
        *expected = digest;
    return true;
}

static bool read_root(struct verify_options *options, struct error *error)
{
    static struct x509_chain chain;
    if (!has("root"))
        return true;
    if (!trust_anchor_read(&chain, content_of("root"), error))
        return error_within(error, "root file");
    options->root = chain.certificates[0].der;
    return true;
}

/* `policy` and `id` must outlive the options. */
static bool read_policy(struct verify_options *options, struct policy *policy, char *id,
                        size_t id_size, struct error *error)
{
    options->trust_simulated = has("trust-simulated");
    options->is_policy_left_out = has("no-policy");
    if (options->is_policy_left_out || !has("policy"))
        return true;
    struct bytes text = content_of("policy");
    if (text.size == 0)
        return error_set(error, ERROR_INVALID, "policy: the file is empty");
    if (!policy_parse(policy, "policy", text, error))
        return false;
    policy->allow_simulated = policy->allow_simulated || options->trust_simulated;
    struct digest32 digest = sha256_of(text);
    snprintf(id, id_size, "sha-256:%s", hex_of_digest(&digest).text);
    options->policy = policy;
    options->policy_id = id;
    return true;
}

static bool read_options(struct verify_options *options, struct digest32 *digests,
                         struct error *error)
{
    options->is_at_receipt = bytes_equal_string(content_of("at"), "receipt");
    bool is_now = options->is_at_receipt || !has("at");
    return read_time(&options->now_s, is_now ? "now" : "at", error) &&
           read_expected(&digests[0], &options->code, "code", "code-digest", error) &&
           read_expected(&digests[1], &options->input, "input", "input-digest", error) &&
           read_expected(&digests[2], &options->output, "output", "output-digest", error);
}

/* What can't be read proves nothing; other failures (memory, limits) judge nothing. */
static int answer_unread(struct error *error)
{
    bool is_damaged = error->code == ERROR_INVALID || error->code == ERROR_UNSUPPORTED;
    error->code = is_damaged ? ERROR_UNVERIFIED : error->code;
    return answer_error(error, is_damaged ? ANSWER_REFUSED : ANSWER_ERROR);
}

/* `claims` is for a receipt that held, else NULL; `refusal` for what did not hold. */
static int answer_result(const struct verify_result *result, bool held, const struct buffer *claims,
                         const struct error *refusal)
{
    if (!held && refusal->code != ERROR_UNVERIFIED)
        return answer_error(refusal, ANSWER_ERROR);
    struct writer target = writer_into(report, sizeof(report));
    struct json_writer json = json_writer_into(&target);
    verify_report_write(&json, result, held, claims);
    return answer(&target, held, refusal);
}

EXPORT("s3n_verify_receipt") int s3n_verify_receipt(void)
{
    static struct verify_result result;
    struct digest32 digests[3];
    struct error error = { 0 };
    struct verify_options options = { 0 };
    static struct policy policy;
    char policy_id[sizeof("sha-256:") + 64];
    AUTO_BUNDLE struct bundle bundle;
    bundle_init(&bundle);
    if (!read_policy(&options, &policy, policy_id, sizeof(policy_id), &error) ||
        !read_root(&options, &error) || !read_options(&options, digests, &error))
        return answer_error(&error, ANSWER_ERROR);
    if (!bundle_parse(&bundle, content_of("receipt"), &error))
        return answer_unread(&error);
    bool held = verify_bundle(&result, &bundle, &options, &error);
    struct error writing;
    AUTO_BUFFER struct buffer claims;
    buffer_init(&claims, RECEIPT_CLAIMS_SIZE_MAX);
    if (held && !receipt_claims(&claims, &result.receipt, &writing))
        return answer_error(&writing, ANSWER_ERROR);
    return answer_result(&result, held, held ? &claims : NULL, &error);
}

static bool read_nonce(struct nonce32 *nonce, struct error *error)
{
    size_t size = 0;
    return read_hex(nonce->bytes, &size, sizeof(nonce->bytes), "nonce", error) &&
           (size == sizeof(nonce->bytes) ||
            error_set(error, ERROR_USAGE,
                      "nonce must be the 64 hexadecimal digits that were sent"));
}

/* A node's answer to a question for evidence, with the log that its keyset tells of. */
EXPORT("s3n_verify_attestation") int s3n_verify_attestation(void)
{
    static struct verify_result result;
    struct error error = { 0 };
    struct verify_options options = { 0 };
    static struct policy policy;
    char policy_id[sizeof("sha-256:") + 64];
    struct nonce32 nonce;
    AUTO_ATTESTATION struct attestation attestation;
    attestation_init(&attestation);
    if (!read_policy(&options, &policy, policy_id, sizeof(policy_id), &error) ||
        !read_root(&options, &error) || !read_nonce(&nonce, &error) ||
        !read_time(&options.now_s, has("at") ? "at" : "now", &error))
        return answer_error(&error, ANSWER_ERROR);
    if (!attestation_parse(&attestation, content_of("attestation"), &error))
        return answer_unread(&error);
    buffer_append(&attestation.events, content_of("events"));
    if (attestation.events.failed) {
        error_set(&error, ERROR_LIMIT, "the event log is too long");
        return answer_error(&error, ANSWER_ERROR);
    }
    bool held = verify_attestation(&result, &attestation, &nonce, &options, &error);
    return answer_result(&result, held, NULL, &error);
}
