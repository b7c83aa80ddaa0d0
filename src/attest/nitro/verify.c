/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of Nitro attestation documents, in the order of docs/attestation.md. */
#include "attest/check.h"
#include "crypto/signature_memo.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    CHAIN_COUNT_MAX = NITRO_BUNDLE_COUNT_MAX + 1
};

/* Everything the checks share; each finds what the ones before it left. */
struct verification {
    struct attest_run *run;
    struct nitro_document document;
    struct x509_certificate aws;
    const struct x509_certificate *root;                   /* the one trusted */
    struct x509_certificate certificates[CHAIN_COUNT_MAX]; /* leaf first */
    size_t count;
    enum x509_fault fault; /* of the dates, when all else holds */
    struct error date;     /* which of them */
};

static bool check_format(void *context, struct error *error)
{
    struct verification *verification = context;
    const struct nitro_claims *claims = &verification->document.claims;
    if (!nitro_document_parse(&verification->document, verification->run->evidence,
                              &verification->run->verdict->reason, error))
        return false;
    attest_note(verification->run, "document of %s",
                error_quote(bytes_of_string(claims->module_id)).text);
    return true;
}

static bool check_root(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    struct error unused;
    ASSERT(x509_parse(&verification->aws, attest_nitro_root(), &unused));
    verification->root = run->options->root != NULL ? run->options->root : &verification->aws;
    /* A development root is one more anchor, which only somebody who wants it accepts. */
    if (attest_root_is_simulated(verification->root) && !run->options->trust_simulated)
        return attest_refuse(run, ATTEST_REASON_SIMULATED, error,
                             "the trust anchor is a development root and proves nothing about "
                             "hardware");
    if (!bytes_equal(verification->document.bundle[0], verification->root->der))
        return attest_refuse(run, ATTEST_REASON_ROOT_UNTRUSTED, error,
                             "the bundle does not begin with the trusted root");
    attest_note(run, "%s", error_quote(verification->root->common_name).text);
    return true;
}

/* What a certificate of this chain must be, beyond what links ask for. */
static const char *fault_of(const struct x509_certificate *certificate, bool is_leaf)
{
    if (certificate->key.kind != PUBLIC_KEY_P384 ||
        certificate->signature.kind != SIGNATURE_ECDSA_SHA384)
        return "certificate is not of a P-384 key signed with ECDSA and SHA-384";
    if (!certificate->has_basic_constraints || certificate->is_ca == is_leaf)
        return is_leaf ? "the document's certificate is an authority's or does not say"
                       : "issuer is not a certificate authority";
    unsigned needed = is_leaf ? X509_USAGE_DIGITAL_SIGNATURE : X509_USAGE_CERT_SIGN;
    if (!certificate->has_key_usage || (certificate->key_usage & needed) == 0)
        return is_leaf ? "the document's certificate may not sign documents"
                       : "issuer may not sign certificates";
    return NULL;
}

static bool check_chain(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    const struct nitro_document *document = &verification->document;
    verification->count = document->bundle_count + 1;
    for (size_t i = 0; i < verification->count; i++) {
        struct x509_certificate *certificate = &verification->certificates[i];
        struct bytes der =
            i == 0 ? document->certificate : document->bundle[verification->count - 1 - i];
        if (!x509_parse(certificate, der, error)) {
            run->verdict->reason = ATTEST_REASON_CHAIN_INVALID;
            return error_within(error, "certificate %zu", i + 1);
        }
        const char *fault = fault_of(certificate, i == 0);
        if (fault != NULL)
            return attest_refuse(run, ATTEST_REASON_CHAIN_INVALID, error, "%s", fault);
    }
    verification->fault = X509_FAULT_NONE;
    struct x509_certificate *certificates = verification->certificates;
    for (size_t i = 0; i + 1 < verification->count; i++)
        signature_memo_recall_certificate(run->options->memo, &certificates[i],
                                          &certificates[i + 1].key);
    if (!x509_chain_verify(verification->certificates, verification->count, verification->root,
                           run->options->now_s, &verification->fault, &verification->date) &&
        verification->fault != X509_FAULT_EXPIRED &&
        verification->fault != X509_FAULT_NOT_YET_VALID)
        return attest_refuse(run, ATTEST_REASON_CHAIN_INVALID, error, "%s",
                             verification->date.text);
    for (size_t i = 0; i + 1 < verification->count; i++)
        signature_memo_keep_certificate(run->options->memo, &certificates[i],
                                        &certificates[i + 1].key);
    attest_note(run, "%zu certificates, from the trusted root to the document's",
                verification->count);
    return true;
}

static bool check_dates(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    if (verification->fault == X509_FAULT_EXPIRED)
        return attest_refuse(run, ATTEST_REASON_CERT_EXPIRED, error,
                             "%s: the document's own lives three hours", verification->date.text);
    if (verification->fault == X509_FAULT_NOT_YET_VALID)
        return attest_refuse(run, ATTEST_REASON_CERT_NOT_YET_VALID, error, "%s",
                             verification->date.text);
    attest_note(run, "all certificates are valid at the given time");
    return true;
}

static bool check_signature(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    struct error unused;
    if (!cose_sign1_verify(&verification->document.message, &verification->certificates[0].key,
                           (struct bytes){ 0 }, &unused))
        return attest_refuse(run, ATTEST_REASON_SIGNATURE_INVALID, error,
                             "document is not signed by its certificate's key");
    attest_note(run, "signed by the document's certificate");
    return true;
}

/* The user data, never the nonce: a nonce is what a challenger chose, so it can't be the enclave's
 * own statement about itself. */
static bool check_report_data(void *context, struct error *error)
{
    struct verification *verification = context;
    return attest_check_report_data(verification->run, verification->document.claims.user_data,
                                    error);
}

static const struct attest_check checks[] = {
    { "document", check_format },
    { "trusted root", check_root },
    { "certificate chain", check_chain },
    { "certificate dates", check_dates },
    { "document signature", check_signature },
    { "report data", check_report_data },
};

static void fill_claims(struct attest_claims *claims, const struct verification *verification)
{
    const struct nitro_claims *found = &verification->document.claims;
    claims->nitro = *found;
    claims->is_debug = nitro_is_debug(found);
    claims->is_simulated = attest_root_is_simulated(verification->root);
    if (found->user_data.size == sizeof(claims->report_data))
        memcpy(claims->report_data, found->user_data.data, sizeof(claims->report_data));
    claims->root_key_id = public_key_id(&verification->root->key);
    claims->not_after_s = verification->certificates[0].not_after_s;
    for (size_t i = 1; i < verification->count; i++)
        claims->not_after_s = MIN(claims->not_after_s, verification->certificates[i].not_after_s);
}

bool nitro_verify(struct attest_run *run, struct error *error)
{
    struct verification verification = { .run = run };
    if (!attest_run_checks(run, checks, ARRAY_COUNT(checks), &verification, error))
        return false;
    fill_claims(&run->verdict->claims, &verification);
    return true;
}

static void write_optional(struct json_writer *json, const char *name, struct bytes value)
{
    json_write_name(json, name);
    if (value.size == 0)
        json_write_null(json);
    else
        json_write_hex(json, value);
}

void nitro_claims_write(struct json_writer *json, const struct attest_verdict *verdict)
{
    const struct nitro_claims *claims = &verdict->claims.nitro;
    json_write_name(json, "module_id");
    json_write_string(json, claims->module_id);
    json_write_name(json, "digest");
    json_write_string(json, "SHA384");
    json_write_name(json, "timestamp");
    json_write_unsigned(json, claims->timestamp_ms);
    for (unsigned i = 0; i < NITRO_PCR_COUNT; i++) {
        if (claims->pcr_sizes[i] == 0)
            continue;
        char name[8];
        snprintf(name, sizeof(name), "pcr%u", i);
        json_write_name(json, name);
        json_write_hex(json, bytes_of(claims->pcrs[i], claims->pcr_sizes[i]));
    }
    json_write_name(json, "debug");
    json_write_bool(json, verdict->claims.is_debug);
    write_optional(json, "public_key", claims->public_key);
    write_optional(json, "user_data", claims->user_data);
    write_optional(json, "nonce", claims->nonce);
}
