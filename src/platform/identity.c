/* SPDX-License-Identifier: Apache-2.0 */
/* Who a machine is, by what its processor signs: read without being verified, since whoever relies
 * on it verifies the evidence anyway. */
#include "platform/platform.h"

#include "core/hex.h"

#include <stdlib.h>
#include <string.h>

static bool about_check(struct bytes found, const struct digest64 *report_data, struct error *error)
{
    return bytes_equal(found, BYTES_OF(report_data->bytes)) ||
           error_set(error, ERROR_INVALID, "the platform's evidence is about something else");
}

static bool identify_intel(struct bytes evidence, const struct digest64 *report_data,
                           struct hash *hash, struct error *error)
{
    struct work {
        struct quote quote;
        struct x509_chain chain;
        struct pck_info pck;
    } *work = calloc(1, sizeof(*work));
    enum attest_reason reason;
    struct bytes extension;
    bool is_critical;
    if (work == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to look at evidence");
    bool done =
        quote_parse(&work->quote, evidence, &reason, error) &&
        about_check(work->quote.tee == QUOTE_TEE_TDX ? BYTES_OF(work->quote.td.report_data)
                                                     : BYTES_OF(work->quote.sgx.report_data),
                    report_data, error) &&
        x509_chain_parse_pem(&work->chain, work->quote.pck_chain, error);
    if (done && !x509_extension_find(&work->chain.certificates[0], pck_extension_oid, &extension,
                                     &is_critical))
        done = error_set(error, ERROR_INVALID, "quote's certificate names no platform");
    if (done && pck_parse(&work->pck, extension, error))
        hash_update(hash, BYTES_OF(work->pck.ppid));
    else
        done = false;
    free(work);
    return done;
}

static bool identify_snp(struct bytes evidence, const struct digest64 *report_data,
                         struct hash *hash, struct error *error)
{
    struct snp_report report;
    if (!snp_report_read(&report, evidence))
        return error_set(error, ERROR_INVALID, "report is cut");
    if (!about_check(BYTES_OF(report.report_data), report_data, error))
        return false;
    /* A masked chip has zeros: then the guest's own id has to do. */
    hash_update(hash, BYTES_OF(report.chip_id));
    hash_update(hash, BYTES_OF(report.report_id));
    return true;
}

static bool identify_nitro(struct bytes evidence, const struct digest64 *report_data,
                           struct hash *hash, struct error *error)
{
    struct nitro_document *document = calloc(1, sizeof(*document));
    enum attest_reason reason;
    if (document == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to look at evidence");
    bool done = nitro_document_parse(document, evidence, &reason, error) &&
                about_check(document->claims.user_data, report_data, error);
    if (done)
        hash_update(hash, bytes_of_string(document->claims.module_id));
    free(document);
    return done;
}

bool platform_identify(struct platform *platform, enum attest_tee tee, struct bytes evidence,
                       const struct digest64 *report_data, struct error *error)
{
    AUTO(hash) struct hash *hash = hash_new(HASH_SHA256);
    bool done = tee == ATTEST_TEE_SNP     ? identify_snp(evidence, report_data, hash, error)
                : tee == ATTEST_TEE_NITRO ? identify_nitro(evidence, report_data, hash, error)
                                          : identify_intel(evidence, report_data, hash, error);
    if (!done)
        return false;
    struct digest32 identity = hash_finish32(hash);
    hex_encode(platform->node, bytes_of(identity.bytes, PLATFORM_NODE_SIZE / 2));
    return true;
}
