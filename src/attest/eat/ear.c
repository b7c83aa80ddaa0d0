/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/eat/ear.h"

#include "core/cbor.h"

#include <string.h>

/* Values of draft-ietf-rats-ar4si section 2.3.4. */
enum {
    RECOGNIZED =
        2, /* genuine hardware, approved configuration, recognized instance, opaque memory */
    NO_KNOWN_VULNERABILITIES = 3,  /* configuration */
    APPROVED_BOOT = 3,             /* executables */
    KNOWN_VULNERABILITIES = 32,    /* hardware, configuration */
    UNRECOGNIZED_EXECUTABLES = 33, /* executables */
    UNAVAILABLE = 36,              /* configuration: the verifier lacks what it needs */
    CONTRAINDICATED = 96,
    NOT_RECOGNIZED = 97, /* hardware, instance */
    CRYPTO_FAILED = 99,
    UNKNOWN_ELEMENTS = 1
};

enum {
    CLAIM_IAT = 6,
    CLAIM_PROFILE = 265,
    CLAIM_SUBMODS = 266,
    CLAIM_STATUS = 1000,
    CLAIM_VECTOR = 1001,
    CLAIM_POLICY_ID = 1003,
    CLAIM_VERIFIER_ID = 1004,
    VERIFIER_DEVELOPER = 0,
    VERIFIER_BUILD = 1
};

static const char developer[] = "S3N";
static const char build[] = "s3n " S3N_VERSION;

static const char *const claim_names[] = {
    [EAR_INSTANCE_IDENTITY] = "instance-identity",
    [EAR_CONFIGURATION] = "configuration",
    [EAR_EXECUTABLES] = "executables",
    [EAR_FILE_SYSTEM] = "file-system",
    [EAR_HARDWARE] = "hardware",
    [EAR_RUNTIME_OPAQUE] = "runtime-opaque",
    [EAR_STORAGE_OPAQUE] = "storage-opaque",
    [EAR_SOURCED_DATA] = "sourced-data",
};

enum ear_tier ear_tier_of(int8_t value)
{
    if (value >= -1 && value <= 1)
        return EAR_TIER_NONE;
    if (value >= -32 && value <= 31)
        return EAR_TIER_AFFIRMING;
    return value >= -96 && value <= 95 ? EAR_TIER_WARNING : EAR_TIER_CONTRAINDICATED;
}

static bool is_among(enum attest_reason reason, const enum attest_reason *reasons, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (reasons[i] == reason)
            return true;
    }
    return false;
}
#define IS_AMONG(reason, ...)                                                                      \
    is_among(reason, (const enum attest_reason[]){ __VA_ARGS__ },                                  \
             ARRAY_COUNT(((const enum attest_reason[]){ __VA_ARGS__ })))

/* Bytes that are no evidence this verifier knows, or not of a form it supports. */
static bool is_unreadable(enum attest_reason reason)
{
    return IS_AMONG(reason, ATTEST_REASON_FORMAT, ATTEST_REASON_TRAILING_DATA,
                    ATTEST_REASON_UNSUPPORTED_VERSION, ATTEST_REASON_UNSUPPORTED_TEE,
                    ATTEST_REASON_UNSUPPORTED_KEY_TYPE, ATTEST_REASON_UNSUPPORTED_CERT_DATA,
                    ATTEST_REASON_UNSUPPORTED_SIG_ALGO, ATTEST_REASON_UNSUPPORTED_ALG,
                    ATTEST_REASON_NO_PCK_CERT, ATTEST_REASON_NO_VEK_CERT);
}

static bool is_revoked(enum attest_reason reason)
{
    return IS_AMONG(reason, ATTEST_REASON_PCK_CA_REVOKED, ATTEST_REASON_PCK_REVOKED,
                    ATTEST_REASON_CERT_REVOKED, ATTEST_REASON_TCB_REVOKED,
                    ATTEST_REASON_TCB_NOT_SUPPORTED, ATTEST_REASON_QE_TCB_NOT_SUPPORTED);
}

/* Hardware or its enclaves are other ones than those they should be. */
static bool is_unrecognized(enum attest_reason reason)
{
    return IS_AMONG(reason, ATTEST_REASON_ROOT_UNTRUSTED, ATTEST_REASON_SIMULATED,
                    ATTEST_REASON_UNKNOWN_QE_VENDOR, ATTEST_REASON_QE_IDENTITY_MISMATCH,
                    ATTEST_REASON_TDX_MODULE_MISMATCH, ATTEST_REASON_PCK_EXTENSION_MISSING,
                    ATTEST_REASON_PRODUCT_MISMATCH);
}

static void judge_invalid(struct ear *ear, enum attest_reason reason)
{
    int8_t *vector = ear->vector;
    ear->status = EAR_TIER_CONTRAINDICATED;
    if (is_unreadable(reason)) {
        vector[EAR_HARDWARE] = UNKNOWN_ELEMENTS;
    } else if (is_revoked(reason)) {
        vector[EAR_HARDWARE] = CONTRAINDICATED;
        vector[EAR_INSTANCE_IDENTITY] = CONTRAINDICATED;
    } else if (is_unrecognized(reason)) {
        vector[EAR_HARDWARE] = NOT_RECOGNIZED;
    } else if (reason == ATTEST_REASON_REPORT_DATA_MISMATCH) {
        vector[EAR_INSTANCE_IDENTITY] = NOT_RECOGNIZED;
    } else if (attest_reason_subject(reason) == ATTEST_SUBJECT_COLLATERAL) {
        vector[EAR_CONFIGURATION] = UNAVAILABLE;
    } else {
        vector[EAR_INSTANCE_IDENTITY] = CRYPTO_FAILED;
        vector[EAR_CONFIGURATION] = CRYPTO_FAILED;
        vector[EAR_EXECUTABLES] = CRYPTO_FAILED;
        vector[EAR_HARDWARE] = CRYPTO_FAILED;
        vector[EAR_RUNTIME_OPAQUE] = CRYPTO_FAILED;
    }
}

static bool has_left_out(const struct attest_verdict *verdict)
{
    for (size_t i = 0; i < verdict->step_count; i++) {
        if (verdict->steps[i].state == ATTEST_STEP_LEFT_OUT)
            return true;
    }
    return false;
}

static bool is_intel(const struct attest_verdict *verdict)
{
    return verdict->tee == ATTEST_TEE_TDX || verdict->tee == ATTEST_TEE_SGX;
}

static int8_t judge_hardware(const struct attest_verdict *verdict)
{
    if (verdict->claims.is_simulated)
        return NOT_RECOGNIZED;
    if (!is_intel(verdict))
        return RECOGNIZED;
    switch (verdict->claims.intel.tcb_status) {
    case INTEL_TCB_UNKNOWN: /* genuine; how up to date is not known: see the configuration */
    case INTEL_TCB_UP_TO_DATE:
    case INTEL_TCB_SW_HARDENING:
    case INTEL_TCB_CONFIGURATION:
    case INTEL_TCB_CONFIGURATION_SW_HARDENING:
        return RECOGNIZED;
    case INTEL_TCB_OUT_OF_DATE:
    case INTEL_TCB_OUT_OF_DATE_CONFIGURATION:
    case INTEL_TCB_TD_RELAUNCH:
    case INTEL_TCB_TD_RELAUNCH_CONFIGURATION:
        return KNOWN_VULNERABILITIES;
    case INTEL_TCB_REVOKED:
        return CONTRAINDICATED;
    }
    UNREACHABLE("TCB status");
}

static bool needs_configuration(enum intel_tcb_status status)
{
    return status == INTEL_TCB_CONFIGURATION || status == INTEL_TCB_CONFIGURATION_SW_HARDENING ||
           status == INTEL_TCB_OUT_OF_DATE_CONFIGURATION ||
           status == INTEL_TCB_TD_RELAUNCH_CONFIGURATION;
}

static int8_t judge_configuration(const struct attest_verdict *verdict, bool is_accepted)
{
    enum intel_tcb_status status = verdict->claims.intel.tcb_status;
    if (verdict->claims.is_debug)
        return is_accepted ? KNOWN_VULNERABILITIES : CONTRAINDICATED;
    if (is_intel(verdict) && needs_configuration(status))
        return KNOWN_VULNERABILITIES;
    if (has_left_out(verdict))
        return UNAVAILABLE;
    if (is_accepted)
        return RECOGNIZED;
    return is_intel(verdict) && status == INTEL_TCB_UP_TO_DATE ? NO_KNOWN_VULNERABILITIES : 0;
}

/* Memory that is encrypted against its host.  Nitro isolates enclaves, and its evidence says
 * nothing about encryption: no claim. */
static int8_t judge_opaque(const struct attest_verdict *verdict)
{
    if (verdict->claims.is_debug || verdict->claims.is_simulated)
        return CONTRAINDICATED;
    return verdict->tee == ATTEST_TEE_NITRO ? 0 : RECOGNIZED;
}

static void judge_policy(struct ear *ear, const struct policy_report *report)
{
    for (size_t i = 0; i < report->rule_count; i++) {
        const struct policy_rule *rule = &report->rules[i];
        if (strcmp(rule->name, "measurement") == 0 && !rule->is_met)
            ear->vector[EAR_EXECUTABLES] = UNRECOGNIZED_EXECUTABLES;
        if (strcmp(rule->name, "platform") == 0 && !rule->is_met)
            ear->vector[EAR_INSTANCE_IDENTITY] = NOT_RECOGNIZED;
    }
    if (report->measurement != NULL)
        ear->vector[EAR_EXECUTABLES] = APPROVED_BOOT;
    if (report->pin != NULL)
        ear->vector[EAR_INSTANCE_IDENTITY] = RECOGNIZED;
}

void ear_of(struct ear *ear, const struct attest_verdict *verdict,
            const struct policy_report *report, const char *policy_id, int64_t now_s)
{
    *ear = (struct ear){ .label = verdict->tee == ATTEST_TEE_ANY ? "unknown"
                                                                 : attest_tee_name(verdict->tee),
                         .policy_id = report == NULL ? NULL : policy_id,
                         .issued_s = now_s };
    if (!verdict->is_valid) {
        judge_invalid(ear, verdict->reason);
        return;
    }
    bool is_accepted = report != NULL && report->is_accepted;
    ear->vector[EAR_HARDWARE] = judge_hardware(verdict);
    ear->vector[EAR_CONFIGURATION] = judge_configuration(verdict, is_accepted);
    ear->vector[EAR_RUNTIME_OPAQUE] = judge_opaque(verdict);
    if (report != NULL)
        judge_policy(ear, report);
    for (size_t i = 0; i < EAR_CLAIM_COUNT; i++)
        ear->status = MAX(ear->status, ear_tier_of(ear->vector[i]));
    if (report != NULL && !report->is_accepted)
        ear->status = EAR_TIER_CONTRAINDICATED;
}

static const char *tier_name(enum ear_tier tier)
{
    switch (tier) {
    case EAR_TIER_NONE:
        return "none";
    case EAR_TIER_AFFIRMING:
        return "affirming";
    case EAR_TIER_WARNING:
        return "warning";
    case EAR_TIER_CONTRAINDICATED:
        return "contraindicated";
    }
    UNREACHABLE("tier");
}

void ear_write_json(struct json_writer *json, const struct ear *ear)
{
    json_write_name(json, "eat_profile");
    json_write_string(json, EAR_PROFILE);
    json_write_name(json, "iat");
    json_write_integer(json, ear->issued_s);
    json_write_name(json, "ear.verifier-id");
    json_write_object_begin(json);
    json_write_name(json, "developer");
    json_write_string(json, developer);
    json_write_name(json, "build");
    json_write_string(json, build);
    json_write_object_end(json);
    json_write_name(json, "submods");
    json_write_object_begin(json);
    json_write_name(json, ear->label);
    json_write_object_begin(json);
    json_write_name(json, "ear.status");
    json_write_string(json, tier_name(ear->status));
    json_write_name(json, "ear.trustworthiness-vector");
    json_write_object_begin(json);
    for (size_t i = 0; i < EAR_CLAIM_COUNT; i++) {
        json_write_name(json, claim_names[i]);
        json_write_integer(json, ear->vector[i]);
    }
    json_write_object_end(json);
    if (ear->policy_id != NULL) {
        json_write_name(json, "ear.appraisal-policy-id");
        json_write_string(json, ear->policy_id);
    }
    json_write_object_end(json);
    json_write_object_end(json);
}

void ear_write_cbor(struct writer *writer, const struct ear *ear)
{
    cbor_write_map(writer, 4);
    cbor_write_unsigned(writer, CLAIM_IAT);
    cbor_write_integer(writer, ear->issued_s);
    cbor_write_unsigned(writer, CLAIM_PROFILE);
    cbor_write_text(writer, BYTES_LITERAL(EAR_PROFILE));
    cbor_write_unsigned(writer, CLAIM_SUBMODS);
    cbor_write_map(writer, 1);
    cbor_write_text(writer, bytes_of_string(ear->label));
    cbor_write_map(writer, ear->policy_id == NULL ? 2 : 3);
    cbor_write_unsigned(writer, CLAIM_STATUS);
    cbor_write_unsigned(writer, ear->status);
    cbor_write_unsigned(writer, CLAIM_VECTOR);
    cbor_write_map(writer, EAR_CLAIM_COUNT);
    for (size_t i = 0; i < EAR_CLAIM_COUNT; i++) {
        cbor_write_unsigned(writer, i);
        cbor_write_integer(writer, ear->vector[i]);
    }
    if (ear->policy_id != NULL) {
        cbor_write_unsigned(writer, CLAIM_POLICY_ID);
        cbor_write_text(writer, bytes_of_string(ear->policy_id));
    }
    cbor_write_unsigned(writer, CLAIM_VERIFIER_ID);
    cbor_write_map(writer, 2);
    cbor_write_unsigned(writer, VERIFIER_DEVELOPER);
    cbor_write_text(writer, bytes_of_string(developer));
    cbor_write_unsigned(writer, VERIFIER_BUILD);
    cbor_write_text(writer, bytes_of_string(build));
}
