/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/verify.h"

#include "attest/eat/cmw.h"
#include "attest/policy/policy.h"
#include "base/file.h"
#include "core/hex.h"
#include "keys/verify_events.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLOCK_SKEW_MAX_S = 300 /* between a node's clock and the verifier's */
};

const char *verify_step_name(enum verify_step step)
{
    static const char *const names[VERIFY_STEP_COUNT] = {
        [VERIFY_STEP_SIGNATURE] = "receipt signature",
        [VERIFY_STEP_KEYSET] = "keyset",
        [VERIFY_STEP_EVIDENCE] = "evidence",
        [VERIFY_STEP_ROOT] = "root",
        [VERIFY_STEP_CODE] = "code",
        [VERIFY_STEP_INPUT] = "input",
        [VERIFY_STEP_OUTPUT] = "output",
        [VERIFY_STEP_EVENTS] = "event log",
    };
    return names[step];
}

const char *verify_verdict_name(enum verify_verdict verdict)
{
    static const char *const names[] = {
        [VERIFY_NOT_REACHED] = "not checked",
        [VERIFY_PASSED] = "passed",
        [VERIFY_FAILED] = "failed",
        [VERIFY_NOT_COMPARED] = "not compared",
    };
    return names[verdict];
}

PRINTF_LIKE(4, 5)
static void step_set(struct verify_result *result, enum verify_step step,
                     enum verify_verdict verdict, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(result->steps[step].detail, sizeof(result->steps[step].detail), format, arguments);
    va_end(arguments);
    result->steps[step].verdict = verdict;
}

/* Fails the step with what is in `error`, which it turns into the refusal's text. */
static bool step_fail(struct verify_result *result, enum verify_step step, struct error *error)
{
    step_set(result, step, VERIFY_FAILED, "%s", error->text);
    error->code = ERROR_UNVERIFIED;
    return error_within(error, "%s", verify_step_name(step));
}

static bool check_signature(struct verify_result *result, const struct bundle *bundle,
                            struct error *error)
{
    /* The keyset is only believed once evidence has vouched for it. */
    if (!keyset_parse(&result->keyset, buffer_view(&bundle->attestation.keyset), error))
        return step_fail(result, VERIFY_STEP_KEYSET, error);
    if (!receipt_verify(&result->receipt, buffer_view(&bundle->receipt),
                        &result->keyset.receipt_key, error))
        return step_fail(result, VERIFY_STEP_SIGNATURE, error);
    step_set(result, VERIFY_STEP_SIGNATURE, VERIFY_PASSED, "ES256 by the keyset's receipt key");
    return true;
}

static bool is_valid_at(const struct keyset *keyset, int64_t time_s, int64_t skew_s)
{
    return time_s >= keyset->validity.not_before_s - skew_s &&
           time_s <= keyset->validity.not_after_s + skew_s;
}

static bool check_keyset(struct verify_result *result, const struct attestation *attestation,
                         const struct verify_options *options, struct error *error)
{
    struct keyset *keyset = &result->keyset;
    if (!keyset_parse(keyset, buffer_view(&attestation->keyset), error))
        return step_fail(result, VERIFY_STEP_KEYSET, error);
    result->keyset_digest = keyset_digest(buffer_view(&attestation->keyset));
    bool held = true;
    if (strcmp(keyset->platform, attestation->platform) != 0)
        held = error_set(error, ERROR_UNVERIFIED, "it is of another platform than it says");
    else if (options->tls_key != NULL && !ecdsa_public_equal(options->tls_key, &keyset->tls_key))
        held = error_set(error, ERROR_UNVERIFIED, "the connection used another TLS key");
    if (!held)
        return step_fail(result, VERIFY_STEP_KEYSET, error);
    step_set(result, VERIFY_STEP_KEYSET, VERIFY_PASSED, "sha256:%s",
             hex_of_digest(&result->keyset_digest).text);
    return true;
}

static bool check_keyset_of_receipt(struct verify_result *result, struct error *error)
{
    const struct receipt *receipt = &result->receipt;
    bool held = true;
    if (!digest32_equal(&receipt->keyset, &result->keyset_digest))
        held = error_set(error, ERROR_UNVERIFIED, "the receipt names another keyset");
    else if (strcmp(receipt->node, result->keyset.node) != 0 ||
             strcmp(receipt->platform, result->keyset.platform) != 0)
        held = error_set(error, ERROR_UNVERIFIED, "the receipt names another node or platform");
    else if (!is_valid_at(&result->keyset, receipt->issued_at_s, 0))
        held = error_set(error, ERROR_UNVERIFIED,
                         "the receipt was issued outside the keyset's validity");
    else if (receipt->issued_at_s > result->judged_at_s + CLOCK_SKEW_MAX_S)
        held = error_set(error, ERROR_UNVERIFIED, "the receipt is from the future");
    return held || step_fail(result, VERIFY_STEP_KEYSET, error);
}

/* Simulated evidence, which was allowed by then, may travel without collateral: what its TCB is
 * nobody says. */
static bool judge_by_default(struct verify_result *result, const struct attest_verdict *verdict,
                             struct error *error)
{
    struct policy *policy = malloc(sizeof(*policy));
    if (policy == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to verify");
    policy_default(policy);
    if (verdict->claims.is_simulated) {
        policy->allow_simulated = true;
        policy->statuses |= 1u << INTEL_TCB_UNKNOWN;
    }
    bool is_accepted =
        policy_evaluate(&result->policy, policy, verdict, result->judged_at_s, error);
    free(policy);
    return is_accepted;
}

static bool judge_policy(struct verify_result *result, const struct attest_verdict *verdict,
                         const struct verify_options *options, struct error *error)
{
    result->has_policy = !options->is_policy_left_out;
    if (options->is_policy_left_out)
        return true;
    return options->policy == NULL ? judge_by_default(result, verdict, error)
                                   : policy_evaluate(&result->policy, options->policy, verdict,
                                                     result->judged_at_s, error);
}

static bool judge_evidence(struct verify_result *result, const struct attest_verdict *verdict,
                           const struct verify_options *options, struct error *error)
{
    const char *platform = verdict->claims.is_simulated ? "sim" : attest_tee_name(verdict->tee);
    result->simulated = verdict->claims.is_simulated;
    if (!judge_policy(result, verdict, options, error))
        return step_fail(result, VERIFY_STEP_EVIDENCE, error);
    if (strcmp(result->keyset.platform, platform) != 0) {
        error_set(error, ERROR_UNVERIFIED, "it is of another platform than the keyset says");
        return step_fail(result, VERIFY_STEP_EVIDENCE, error);
    }
    result->has_register = verdict->tee == ATTEST_TEE_TDX;
    if (result->has_register)
        memcpy(result->event_register.bytes, verdict->claims.intel.td.rtmr[3],
               sizeof(result->event_register.bytes));
    step_set(result, VERIFY_STEP_EVIDENCE, VERIFY_PASSED, "%s evidence over this keyset",
             attest_tee_name(verdict->tee));
    step_set(result, VERIFY_STEP_ROOT, VERIFY_PASSED, "%s sha256:%s",
             verdict->claims.is_simulated ? "SIMULATED: development root" : "root key",
             hex_of_digest(&verdict->claims.root_key_id).text);
    return true;
}

/* Evidence that comes with its collateral; what is no wrapper after all is left to the verifier. */
static void unwrap(struct bytes *evidence, struct attest_collateral *collateral, uint8_t *space)
{
    struct cmw cmw;
    struct error refusal;
    if (cmw_is_wrapper(*evidence) && cmw_read(&cmw, *evidence, space, evidence->size, &refusal))
        (void)!cmw_to_evidence(&cmw, evidence, collateral, &refusal);
}

static bool check_evidence(struct verify_result *result, const struct attestation *attestation,
                           const struct verify_options *options,
                           const struct x509_certificate *root, struct error *error)
{
    struct digest64 report_data = report_data_of(&result->keyset_digest, &attestation->nonce);
    bool is_simulated_allowed = options->policy != NULL && options->policy->allow_simulated;
    struct attest_options judged = { .now_s = result->judged_at_s,
                                     .root = root,
                                     .trust_simulated =
                                         options->trust_simulated || is_simulated_allowed,
                                     .report_data = BYTES_OF(report_data.bytes),
                                     .known = options->known };
    struct attest_verdict *verdict = calloc(1, sizeof(*verdict));
    if (verdict == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to verify");
    AUTO_FREE uint8_t *space = malloc(attestation->evidence.size + 1);
    struct bytes evidence = buffer_view(&attestation->evidence);
    if (space != NULL)
        unwrap(&evidence, &judged.collateral, space);
    bool held = attest_verify(verdict, evidence, &judged, error);
    memcpy(result->evidence_steps, verdict->steps, sizeof(result->evidence_steps));
    result->evidence_step_count = verdict->step_count;
    if (held) {
        held = judge_evidence(result, verdict, options, error);
    } else if (attest_reason_subject(verdict->reason) == ATTEST_SUBJECT_CHAIN) {
        result->simulated = verdict->reason == ATTEST_REASON_SIMULATED;
        if (result->simulated)
            error_set(error, ERROR_UNVERIFIED,
                      "SIMULATED: a development root proves nothing about hardware");
        step_fail(result, VERIFY_STEP_ROOT, error);
    } else {
        step_fail(result, VERIFY_STEP_EVIDENCE, error);
    }
    const char *policy_id = options->policy_id == NULL ? "default" : options->policy_id;
    ear_of(&result->appraisal, verdict, result->has_policy ? &result->policy : NULL,
           result->has_policy ? policy_id : NULL, result->judged_at_s);
    if (!held)
        result->appraisal.status = EAR_TIER_CONTRAINDICATED;
    result->has_appraisal = true;
    free(verdict);
    return held;
}

/* With the root of the options, which must be one certificate, or the built-in one. */
static bool check_evidence_and_root(struct verify_result *result,
                                    const struct attestation *attestation,
                                    const struct verify_options *options, struct error *error)
{
    if (options->root.size == 0)
        return check_evidence(result, attestation, options, NULL, error);
    struct x509_chain *chain = calloc(1, sizeof(*chain));
    if (chain == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to verify");
    bool held = x509_chain_parse(chain, options->root, error);
    if (held && chain->count != 1)
        held = error_set(error, ERROR_INVALID, "exactly one root certificate is wanted");
    held = held ? check_evidence(result, attestation, options, &chain->certificates[0], error)
                : error_within(error, "root");
    free(chain);
    return held;
}

static void describe_events(struct verify_result *result, const struct events_judgement *judged)
{
    char load[64] = "";
    char later[64] = "";
    if (judged->receipt != NULL)
        snprintf(load, sizeof(load), "; loaded at entry %llu",
                 (unsigned long long)judged->loaded_at);
    if (judged->verdict.count > judged->verdict.covered)
        snprintf(later, sizeof(later), "; %llu later ones, which it does not cover",
                 (unsigned long long)(judged->verdict.count - judged->verdict.covered));
    step_set(result, VERIFY_STEP_EVENTS, VERIFY_PASSED, "%llu entries lead to %s%s%s",
             (unsigned long long)judged->verdict.covered,
             judged->has_register ? "RTMR3" : "the keyset's head", load, later);
}

/* `receipt` NULL: of an attestation. */
static bool check_events(struct verify_result *result, const struct attestation *attestation,
                         const struct receipt *receipt, struct error *error)
{
    const struct keyset_events *stated = &result->keyset.events;
    struct events_judgement judged = {
        .log = buffer_view(&attestation->events),
        .keyset = &result->keyset,
        .has_register = result->has_register && strcmp(stated->event_register, "rtmr3") == 0,
        .value = result->event_register,
        .receipt = receipt,
    };
    bool is_left_out = receipt == NULL && judged.log.size == 0;
    if (stated->count == 0 || is_left_out) {
        step_set(result, VERIFY_STEP_EVENTS, VERIFY_NOT_COMPARED, "%s",
                 is_left_out ? "not asked for" : "the keyset tells of none");
        return true;
    }
    bool held = events_judge(&judged, error);
    result->events = judged.verdict;
    if (!held)
        return step_fail(result, VERIFY_STEP_EVENTS, error);
    describe_events(result, &judged);
    return true;
}

static bool check_code(struct verify_result *result, const struct digest32 *expected,
                       struct error *error)
{
    /* That the version is made of its code and manifest was checked with the receipt's form. */
    if (expected != NULL && !digest32_equal(expected, &result->receipt.code)) {
        step_set(result, VERIFY_STEP_CODE, VERIFY_FAILED, "it ran sha256:%s",
                 hex_of_digest(&result->receipt.code).text);
        return error_set(error, ERROR_UNVERIFIED, "code digest differs");
    }
    step_set(result, VERIFY_STEP_CODE, VERIFY_PASSED, "sha256:%s%s",
             hex_of_digest(&result->receipt.code).text,
             expected == NULL ? " as the receipt names it" : "");
    return true;
}

static bool compare(struct verify_result *result, enum verify_step step,
                    const struct digest32 *expected, const struct digest32 *actual,
                    struct error *error)
{
    struct hex32 digits = hex_of_digest(actual);
    if (expected == NULL) {
        step_set(result, step, VERIFY_NOT_COMPARED, "sha256:%s", digits.text);
        return true;
    }
    if (!digest32_equal(expected, actual)) {
        step_set(result, step, VERIFY_FAILED, "the receipt has sha256:%s", digits.text);
        return error_set(error, ERROR_UNVERIFIED, "%s digest differs", verify_step_name(step));
    }
    step_set(result, step, VERIFY_PASSED, "sha256:%s", digits.text);
    return true;
}

static bool check_nonce(struct verify_result *result, const struct nonce32 *nonce,
                        struct error *error)
{
    const struct receipt *receipt = &result->receipt;
    if (nonce == NULL ||
        (receipt->has_nonce && bytes_equal(BYTES_OF(nonce->bytes), BYTES_OF(receipt->nonce.bytes))))
        return true;
    step_set(result, VERIFY_STEP_INPUT, VERIFY_FAILED, "the caller's nonce is another");
    return error_set(error, ERROR_UNVERIFIED, "input nonce differs");
}

bool verify_bundle(struct verify_result *result, const struct bundle *bundle,
                   const struct verify_options *options, struct error *error)
{
    *result = (struct verify_result){ .judged_at_s = options->now_s };
    if (!check_signature(result, bundle, error))
        return false;
    if (options->is_at_receipt)
        result->judged_at_s = result->receipt.issued_at_s;
    return check_keyset(result, &bundle->attestation, options, error) &&
           check_keyset_of_receipt(result, error) &&
           check_evidence_and_root(result, &bundle->attestation, options, error) &&
           check_code(result, options->code, error) && check_nonce(result, options->nonce, error) &&
           compare(result, VERIFY_STEP_INPUT, options->input, &result->receipt.request, error) &&
           compare(result, VERIFY_STEP_OUTPUT, options->output, &result->receipt.response, error) &&
           check_events(result, &bundle->attestation, &result->receipt, error);
}

bool verify_attestation(struct verify_result *result, const struct attestation *attestation,
                        const struct nonce32 *nonce, const struct verify_options *options,
                        struct error *error)
{
    *result = (struct verify_result){ .judged_at_s = options->now_s };
    if (!check_keyset(result, attestation, options, error))
        return false;
    bool held = true;
    if (!bytes_equal(BYTES_OF(nonce->bytes), BYTES_OF(attestation->nonce.bytes)))
        held = error_set(error, ERROR_UNVERIFIED, "the answer is for another nonce");
    else if (!is_valid_at(&result->keyset, options->now_s, CLOCK_SKEW_MAX_S))
        held = error_set(error, ERROR_UNVERIFIED, "it is not valid at this time");
    if (!held)
        return step_fail(result, VERIFY_STEP_KEYSET, error);
    return check_evidence_and_root(result, attestation, options, error) &&
           check_events(result, attestation, NULL, error);
}
