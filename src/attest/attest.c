/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/attest.h"

#include "attest/sim.h"
#include "core/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    PCK_CHAIN_COUNT = 3,
    SGX_FLAG_DEBUG = 1 << 1,
    TD_ATTRIBUTE_DEBUG = 1 << 0
};

/* Everything the checks share; each finds what the ones before it left. */
struct verification {
    struct attest_verdict *verdict;
    const struct attest_options *options;
    struct bytes evidence;
    struct quote quote;
    struct x509_chain chain;
    struct x509_certificate intel;
    const struct x509_certificate *root; /* the one trusted */
    struct pck_info pck;
    bool is_simulated;
    char *detail; /* of the step that runs, sizeof(attest_step.detail) long */
};

static bool refuse(struct verification *verification, enum attest_reason reason,
                   struct error *error, const char *text)
{
    verification->verdict->reason = reason;
    return error_set(error, ERROR_UNVERIFIED, "%s", text);
}

static void PRINTF_LIKE(2, 3) note(struct verification *verification, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(verification->detail, sizeof(((struct attest_step *)0)->detail), format, arguments);
    va_end(arguments);
}

const char *attest_platform_name(enum attest_platform platform)
{
    switch (platform) {
    case ATTEST_PLATFORM_SGX:
        return "sgx";
    case ATTEST_PLATFORM_TDX:
        return "tdx";
    }
    return "none";
}

bool attest_root_is_simulated(const struct x509_certificate *root)
{
    return bytes_starts_with(root->common_name, BYTES_LITERAL(SIM_NAME_PREFIX));
}

static bool check_format(struct verification *verification, struct error *error)
{
    const struct quote *quote = &verification->quote;
    if (!quote_parse(&verification->quote, verification->evidence, &verification->verdict->reason,
                     error))
        return false;
    note(verification, "quote version %u of %s", quote->version,
         quote->tee == QUOTE_TEE_TDX ? "TDX" : "SGX");
    return true;
}

/* Decides which root counts.  The chain's own copy never does, except under trust_simulated. */
static bool choose_root(struct verification *verification, struct error *error)
{
    const struct attest_options *options = verification->options;
    const struct x509_certificate *carried = &verification->chain.certificates[PCK_CHAIN_COUNT - 1];
    struct error unused;
    ASSERT(x509_parse(&verification->intel, attest_intel_root(), &unused));
    verification->root = options->root != NULL ? options->root : &verification->intel;
    bool is_anchored = ecdsa_public_equal(&carried->key, &verification->root->key);
    verification->is_simulated = attest_root_is_simulated(carried);
    if (verification->is_simulated && !options->trust_simulated)
        return refuse(verification, ATTEST_REASON_SIMULATED, error,
                      "evidence is simulated: its root is a development root and proves nothing "
                      "about hardware");
    /* A simulated root that the caller gave is a pin. */
    if (is_anchored || !verification->is_simulated || attest_root_is_simulated(verification->root))
        return true;
    if (!x509_is_self_issued(carried) || !x509_signature_verify(carried, &carried->key, &unused))
        return refuse(verification, ATTEST_REASON_PCK_CHAIN_INVALID, error,
                      "simulated root is not self-signed");
    verification->root = carried;
    return true;
}

static bool has_name(const struct x509_certificate *certificate, const char *prefix,
                     const char *name)
{
    size_t size = strlen(prefix);
    return bytes_equal_string(bytes_part(certificate->common_name, 0, size), prefix) &&
           bytes_equal_string(
               bytes_part(certificate->common_name, size, certificate->common_name.size), name);
}

static bool check_names(struct verification *verification, struct error *error)
{
    const struct x509_certificate *chain = verification->chain.certificates;
    const char *prefix = verification->is_simulated ? SIM_NAME_PREFIX : "Intel SGX ";
    if (!has_name(&chain[0], prefix, "PCK Certificate") ||
        (!has_name(&chain[1], prefix, "PCK Platform CA") &&
         !has_name(&chain[1], prefix, "PCK Processor CA")))
        return refuse(verification, ATTEST_REASON_PCK_CHAIN_INVALID, error,
                      "names in the chain are not those of PCK certificates");
    return true;
}

static bool check_chain(struct verification *verification, struct error *error)
{
    const struct x509_chain *chain = &verification->chain;
    struct bytes pem = verification->quote.pck_chain;
    if (pem.size == 0)
        pem = verification->options->pck_chain;
    if (pem.size == 0)
        return refuse(verification, ATTEST_REASON_NO_PCK_CERT, error,
                      "quote carries no PCK certificates");
    if (!x509_chain_parse_pem(&verification->chain, pem, error)) {
        verification->verdict->reason = ATTEST_REASON_PCK_CHAIN_INVALID;
        return false;
    }
    if (chain->count != PCK_CHAIN_COUNT)
        return refuse(verification, ATTEST_REASON_PCK_CHAIN_INVALID, error,
                      "chain is not leaf, intermediate and root");
    if (!choose_root(verification, error))
        return false;
    enum x509_fault fault = X509_FAULT_NONE;
    bool holds = x509_chain_verify(chain->certificates, chain->count, verification->root,
                                   verification->options->now_s, &fault, error);
    bool is_signed = holds || fault == X509_FAULT_EXPIRED || fault == X509_FAULT_NOT_YET_VALID;
    struct error name_error;
    if (is_signed && !check_names(verification, &name_error)) {
        *error = name_error;
        return false;
    }
    static const enum attest_reason reasons[] = {
        [X509_FAULT_INVALID] = ATTEST_REASON_PCK_CHAIN_INVALID,
        [X509_FAULT_ROOT_UNTRUSTED] = ATTEST_REASON_ROOT_UNTRUSTED,
        [X509_FAULT_EXPIRED] = ATTEST_REASON_PCK_CHAIN_EXPIRED,
        [X509_FAULT_NOT_YET_VALID] = ATTEST_REASON_PCK_CHAIN_NOT_YET_VALID,
    };
    if (!holds) {
        verification->verdict->reason = reasons[fault];
        return false;
    }
    note(verification, "%s",
         verification->is_simulated ? "SIMULATED: development root, proves nothing about hardware"
                                    : "up to the trusted root");
    return true;
}

static bool check_extension(struct verification *verification, struct error *error)
{
    struct bytes extension;
    bool is_critical;
    if (!x509_extension_find(&verification->chain.certificates[0], pck_extension_oid, &extension,
                             &is_critical))
        return refuse(verification, ATTEST_REASON_PCK_EXTENSION_MISSING, error,
                      "PCK certificate has no SGX extension");
    if (!pck_parse(&verification->pck, extension, error)) {
        verification->verdict->reason = ATTEST_REASON_PCK_EXTENSION_MISSING;
        return false;
    }
    char fmspc[2 * sizeof(verification->pck.fmspc) + 1];
    hex_encode(fmspc, BYTES_OF(verification->pck.fmspc));
    note(verification, "platform family %s", fmspc);
    return true;
}

static bool check_qe_report(struct verification *verification, struct error *error)
{
    const struct quote *quote = &verification->quote;
    struct digest32 digest = sha256_of(quote->qe_report_part);
    if (!ecdsa_verify(&verification->chain.certificates[0].key, &digest,
                      &quote->qe_report_signature, error))
        return refuse(verification, ATTEST_REASON_QE_REPORT_SIG_INVALID, error,
                      "report of the quoting enclave is not signed by the platform");
    note(verification, "quoting enclave version %u, vouched for by the platform",
         quote->qe_report.isv_svn);
    return true;
}

static bool check_binding(struct verification *verification, struct error *error)
{
    const struct quote *quote = &verification->quote;
    AUTO(hash) struct hash *hash = hash_new(HASH_SHA256);
    hash_update(hash, BYTES_OF(quote->attestation_key.bytes));
    hash_update(hash, quote->auth_data);
    struct digest32 digest = hash_finish32(hash);
    uint8_t expected[REPORT_DATA_SIZE] = { 0 };
    memcpy(expected, digest.bytes, sizeof(digest.bytes));
    if (!bytes_equal(BYTES_OF(expected), BYTES_OF(quote->qe_report.report_data)))
        return refuse(verification, ATTEST_REASON_ATT_KEY_BINDING_INVALID, error,
                      "attestation key is not the quoting enclave's");
    note(verification, "attestation key is the quoting enclave's");
    return true;
}

static bool check_quote_signature(struct verification *verification, struct error *error)
{
    const struct quote *quote = &verification->quote;
    struct digest32 digest = sha256_of(quote->signed_part);
    if (!ecdsa_verify(&quote->attestation_key, &digest, &quote->signature, error))
        return refuse(verification, ATTEST_REASON_QUOTE_SIG_INVALID, error,
                      "quote is not signed by the attestation key");
    note(verification, "signed by the attestation key");
    return true;
}

static const uint8_t *report_data_of(const struct quote *quote)
{
    return quote->tee == QUOTE_TEE_TDX ? quote->td.report_data : quote->sgx.report_data;
}

static bool check_report_data(struct verification *verification, struct error *error)
{
    const uint8_t *expected = verification->options->report_data;
    if (expected == NULL) {
        note(verification, "not asked for");
        return true;
    }
    if (memcmp(expected, report_data_of(&verification->quote), REPORT_DATA_SIZE) != 0)
        return refuse(verification, ATTEST_REASON_REPORT_DATA_MISMATCH, error,
                      "evidence is about something else: its report data differs");
    note(verification, "as expected");
    return true;
}

static bool is_debug(const struct quote *quote)
{
    return quote->tee == QUOTE_TEE_TDX ? (quote->td.td_attributes[0] & TD_ATTRIBUTE_DEBUG) != 0
                                       : (quote->sgx.attributes[0] & SGX_FLAG_DEBUG) != 0;
}

static bool check_debug(struct verification *verification, struct error *error)
{
    const struct quote *quote = &verification->quote;
    /* Any of the first eight attributes takes a domain out of production, not only DEBUG. */
    bool is_tuned = quote->tee == QUOTE_TEE_TDX && quote->td.td_attributes[0] != 0;
    if ((is_debug(quote) || is_tuned) && !verification->options->allow_debug)
        return refuse(verification, ATTEST_REASON_DEBUG, error,
                      "debug attribute is set: its host can look inside");
    note(verification, is_debug(quote) || is_tuned ? "set, and allowed by the caller" : "not set");
    return true;
}

static const struct check {
    const char *name;
    bool (*run)(struct verification *verification, struct error *error);
} checks[] = {
    { "format", check_format },
    { "certificate chain", check_chain },
    { "platform", check_extension },
    { "QE report signature", check_qe_report },
    { "attestation key binding", check_binding },
    { "quote signature", check_quote_signature },
    { "report data", check_report_data },
    { "debug attribute", check_debug },
};

static void fill_claims(struct attest_claims *claims, const struct verification *verification)
{
    const struct quote *quote = &verification->quote;
    claims->platform = quote->tee == QUOTE_TEE_TDX ? ATTEST_PLATFORM_TDX : ATTEST_PLATFORM_SGX;
    claims->is_simulated = verification->is_simulated;
    claims->is_debug = is_debug(quote);
    claims->quote_version = quote->version;
    claims->sgx = quote->sgx;
    claims->td = quote->td;
    memcpy(claims->report_data, report_data_of(quote), sizeof(claims->report_data));
    claims->pck = verification->pck;
    memcpy(claims->qe_mr_signer, quote->qe_report.mr_signer, sizeof(claims->qe_mr_signer));
    claims->qe_isv_svn = quote->qe_report.isv_svn;
    claims->root_key_id = ecdsa_public_id(&verification->root->key);
    claims->not_after_s = verification->root->not_after_s;
    for (size_t i = 0; i < verification->chain.count; i++)
        claims->not_after_s =
            MIN(claims->not_after_s, verification->chain.certificates[i].not_after_s);
}

bool attest_verify(struct attest_verdict *verdict, struct bytes evidence,
                   const struct attest_options *options, struct error *error)
{
    *verdict = (struct attest_verdict){ 0 };
    struct verification verification = { .verdict = verdict,
                                         .options = options,
                                         .evidence = evidence };
    for (size_t i = 0; i < ARRAY_COUNT(checks); i++) {
        struct attest_step *step = &verdict->steps[verdict->step_count++];
        step->name = checks[i].name;
        verification.detail = step->detail;
        struct error failure = { 0 };
        step->is_good = checks[i].run(&verification, &failure);
        if (!step->is_good) {
            snprintf(step->detail, sizeof(step->detail), "%s", failure.text);
            return error_set(error, ERROR_UNVERIFIED, "%s: %s", step->name, failure.text);
        }
    }
    fill_claims(&verdict->claims, &verification);
    verdict->is_valid = true;
    return true;
}
