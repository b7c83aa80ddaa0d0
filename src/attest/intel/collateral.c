/* SPDX-License-Identifier: Apache-2.0 */
/* PCK extension, TCB info, QE identity and what follows from them: steps 4 to 6, 9, 11 and 12. */
#include "attest/intel/tcb_status.h"
#include "attest/intel/verification.h"
#include "core/hex.h"
#include "core/time.h"
#include "crypto/signature_memo.h"

#include <inttypes.h>

static void note_family(struct verification *verification)
{
    char fmspc[2 * sizeof(verification->pck.fmspc) + 1];
    hex_encode(fmspc, BYTES_OF(verification->pck.fmspc));
    attest_note(verification->run, "platform family %s", fmspc);
}

bool intel_check_extension(void *context, struct error *error)
{
    struct verification *verification = context;
    struct known_piece *piece = verification->chain_piece;
    struct bytes extension;
    bool is_critical;
    if (piece != NULL && piece->has_pck) {
        verification->pck = piece->pck;
        note_family(verification);
        return true;
    }
    if (!x509_extension_find(&verification->chain->certificates[PCK_LEAF], pck_extension_oid,
                             &extension, &is_critical))
        return attest_refuse(verification->run, ATTEST_REASON_PCK_EXTENSION_MISSING, error,
                             "PCK certificate has no SGX extension");
    if (!pck_parse(&verification->pck, extension, error)) {
        verification->run->verdict->reason = ATTEST_REASON_PCK_EXTENSION_MISSING;
        return false;
    }
    if (piece != NULL) {
        piece->pck = verification->pck;
        piece->has_pck = true;
    }
    note_family(verification);
    return true;
}

bool intel_is_early(struct verification *verification, int64_t issued_s)
{
    struct intel_claims *claims = &verification->claims;
    if (claims->collateral_issued_s == 0 || issued_s < claims->collateral_issued_s)
        claims->collateral_issued_s = issued_s;
    return verification->run->options->now_s < issued_s;
}

bool intel_is_late(struct verification *verification, int64_t expires_s)
{
    struct intel_claims *claims = &verification->claims;
    if (claims->collateral_expires_s == 0 || expires_s < claims->collateral_expires_s)
        claims->collateral_expires_s = expires_s;
    return verification->run->options->now_s > expires_s;
}

/* Under the key of the TCB signing certificate. */
static bool is_signed(struct verification *verification, const struct tcb_envelope *envelope)
{
    struct error unused;
    struct signature_value signature = { .kind = SIGNATURE_ECDSA_SHA256,
                                         .p256 = envelope->signature };
    return signature_memo_verify(verification->run->options->memo,
                                 &verification->tcb_chain->certificates[0].key, envelope->body,
                                 &signature, &unused);
}

static bool is_known(const struct verification *verification, const struct known_piece *piece)
{
    return known_piece_is_signed_by(piece, &verification->tcb_chain->certificates[0].key);
}

/* A signature that has just held, unless it was known to. */
static void keep(const struct verification *verification, enum known_kind kind,
                 const struct known_piece *piece, struct bytes source)
{
    if (!is_known(verification, piece))
        intel_known_keep(verification->run->options->known, kind, source, source,
                         &verification->tcb_chain->certificates[0].key);
}

/* A document that does not parse: tampered with, or signed like that? */
static bool refuse_format(struct verification *verification, struct bytes source, const char *name,
                          enum attest_reason format, enum attest_reason signature)
{
    struct tcb_envelope envelope;
    bool is_found = source.size <= TCB_JSON_SIZE_MAX && tcb_envelope_parse(&envelope, source, name);
    verification->run->verdict->reason =
        is_found && !is_signed(verification, &envelope) ? signature : format;
    return false;
}

/* A date for people. */
struct date_text {
    char text[TIME_TEXT_SIZE + 1];
};

static struct date_text date_of(int64_t time_s)
{
    struct date_text date = { "a date out of range" };
    (void)!time_format(date.text, time_s);
    return date;
}

bool intel_check_tcb_info(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    struct bytes source = run->options->collateral.tcb_info;
    if (source.size == 0)
        return attest_leave_out(run, "no TCB info was given");
    const struct known_piece *piece = intel_known_find(run->options->known, KNOWN_TCB_INFO, source);
    const struct tcb_info *info = piece != NULL ? &piece->tcb_info : &verification->own->tcb_info;
    if (piece == NULL && !tcb_info_parse(&verification->own->tcb_info, source, error))
        return refuse_format(verification, source, "tcbInfo", ATTEST_REASON_TCB_INFO_FORMAT,
                             ATTEST_REASON_TCB_INFO_SIG_INVALID);
    if (!is_known(verification, piece) && !is_signed(verification, &info->envelope))
        return attest_refuse(run, ATTEST_REASON_TCB_INFO_SIG_INVALID, error,
                             "TCB info is not signed by the TCB signing certificate");
    keep(verification, KNOWN_TCB_INFO, piece, source);
    bool is_early = intel_is_early(verification, info->issued_s);
    bool is_late = intel_is_late(verification, info->next_update_s);
    if (is_early)
        return attest_refuse(run, ATTEST_REASON_TCB_INFO_NOT_YET_VALID, error,
                             "TCB info was issued later, at %s", date_of(info->issued_s).text);
    if (is_late)
        return attest_refuse(run, ATTEST_REASON_TCB_INFO_EXPIRED, error, "TCB info expired at %s",
                             date_of(info->next_update_s).text);
    verification->tcb_info = info;
    verification->claims.tcb_evaluation_data_number = info->evaluation_data_number;
    attest_note(run, "signed; version %u, evaluation %" PRIu32 ", %zu levels", info->version,
                info->evaluation_data_number, info->level_count);
    return true;
}

bool intel_check_qe_identity(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    struct bytes source = run->options->collateral.qe_identity;
    if (source.size == 0)
        return attest_leave_out(run, "no QE identity was given");
    const struct known_piece *piece =
        intel_known_find(run->options->known, KNOWN_QE_IDENTITY, source);
    const struct qe_identity *identity =
        piece != NULL ? &piece->qe_identity : &verification->own->qe_identity;
    if (piece == NULL && !qe_identity_parse(&verification->own->qe_identity, source, error))
        return refuse_format(verification, source, "enclaveIdentity",
                             ATTEST_REASON_QE_IDENTITY_FORMAT,
                             ATTEST_REASON_QE_IDENTITY_SIG_INVALID);
    if (!is_known(verification, piece) && !is_signed(verification, &identity->envelope))
        return attest_refuse(run, ATTEST_REASON_QE_IDENTITY_SIG_INVALID, error,
                             "QE identity is not signed by the TCB signing certificate");
    keep(verification, KNOWN_QE_IDENTITY, piece, source);
    bool is_early = intel_is_early(verification, identity->issued_s);
    bool is_late = intel_is_late(verification, identity->next_update_s);
    if (is_early)
        return attest_refuse(run, ATTEST_REASON_QE_IDENTITY_NOT_YET_VALID, error,
                             "QE identity was issued later, at %s",
                             date_of(identity->issued_s).text);
    if (is_late)
        return attest_refuse(run, ATTEST_REASON_QE_IDENTITY_EXPIRED, error,
                             "QE identity expired at %s", date_of(identity->next_update_s).text);
    verification->qe_identity = identity;
    verification->claims.qe_evaluation_data_number = identity->evaluation_data_number;
    attest_note(run, "signed; evaluation %" PRIu32 ", %zu levels", identity->evaluation_data_number,
                identity->levels.count);
    return true;
}

bool intel_check_tcb_fits(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    const struct tcb_info *info = verification->tcb_info;
    if (verification->tcb_info == NULL)
        return attest_leave_out(run, "no TCB info was given");
    if (info->is_tdx != (verification->quote.tee == QUOTE_TEE_TDX))
        return attest_refuse(run, ATTEST_REASON_TCB_INFO_TEE_MISMATCH, error, "TCB info is %s's",
                             info->is_tdx ? "TDX" : "SGX");
    if (!bytes_equal(BYTES_OF(info->fmspc), BYTES_OF(verification->pck.fmspc)) ||
        !bytes_equal(BYTES_OF(info->pce_id), BYTES_OF(verification->pck.pce_id)))
        return attest_refuse(run, ATTEST_REASON_FMSPC_MISMATCH, error,
                             "TCB info is another platform family's");
    attest_note(run, "of this TEE and platform family");
    return true;
}

bool intel_check_qe(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    const struct sgx_report *report = &verification->quote.qe_report;
    const struct qe_identity *identity = verification->qe_identity;
    enum qe_kind kind = verification->quote.tee == QUOTE_TEE_TDX ? QE_KIND_TDX : QE_KIND_SGX;
    if (verification->qe_identity == NULL)
        return attest_leave_out(run, "no QE identity was given");
    if (identity->kind != kind)
        return attest_refuse(run, ATTEST_REASON_QE_IDENTITY_MISMATCH, error,
                             "QE identity is another enclave's");
    if (!qe_identity_match(identity, report, error)) {
        run->verdict->reason = ATTEST_REASON_QE_IDENTITY_MISMATCH;
        return false;
    }
    const struct isv_level *level = isv_levels_find(&identity->levels, report->isv_svn);
    if (level == NULL)
        return attest_refuse(run, ATTEST_REASON_QE_TCB_NOT_SUPPORTED, error,
                             "version %u of the quoting enclave is below all levels",
                             report->isv_svn);
    verification->claims.qe_status = level->state.status;
    verification->claims.qe_tcb_date_s = level->state.date_s;
    attest_note(run, "Intel's, version %u: %s", report->isv_svn,
                intel_tcb_status_name(level->state.status));
    return true;
}

static bool is_module(const struct tdx_module *module, const struct td_report *td)
{
    for (size_t i = 0; i < sizeof(module->attributes); i++) {
        if ((td->seam_attributes[i] & module->attributes_mask[i]) != module->attributes[i])
            return false;
    }
    return bytes_equal(BYTES_OF(module->mr_signer), BYTES_OF(td->mr_signer_seam));
}

bool intel_check_module(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    struct intel_claims *claims = &verification->claims;
    const struct td_report *td = &verification->quote.td;
    const struct tcb_info *info = verification->tcb_info;
    uint8_t major = td->tee_tcb_svn[1];
    if (verification->quote.tee != QUOTE_TEE_TDX) {
        attest_note(run, "none: SGX");
        return true;
    }
    if (verification->tcb_info == NULL)
        return attest_leave_out(run, "no TCB info was given");
    const struct tdx_module *module =
        major == 0 ? &info->module : tcb_info_find_module(info, major);
    if (module == NULL)
        return attest_refuse(run, ATTEST_REASON_TDX_MODULE_MISMATCH, error,
                             "TCB info knows no TDX module of version %u", major);
    if (!is_module(module, td))
        return attest_refuse(run, ATTEST_REASON_TDX_MODULE_MISMATCH, error,
                             "signer or attributes of the TDX module are not Intel's");
    claims->tdx_module_status = INTEL_TCB_UP_TO_DATE;
    if (major > 0) {
        const struct isv_level *level = isv_levels_find(&module->levels, td->tee_tcb_svn[0]);
        if (level == NULL)
            return attest_refuse(run, ATTEST_REASON_TCB_NOT_SUPPORTED, error,
                                 "version %u.%u of the TDX module is below all levels", major,
                                 td->tee_tcb_svn[0]);
        claims->tdx_module_status = level->state.status;
        tcb_advisories_collect(claims, level->state.advisories);
    }
    attest_note(run, "Intel's, version %u.%u: %s", major, td->tee_tcb_svn[0],
                intel_tcb_status_name(claims->tdx_module_status));
    return true;
}

/* Status of platform and TDX module, the relaunch rule, then the quoting enclave's. */
static enum intel_tcb_status converge(const struct verification *verification,
                                      const struct tcb_versions *versions)
{
    const struct intel_claims *claims = &verification->claims;
    const struct td_report *td = &verification->quote.td;
    enum intel_tcb_status status = claims->tcb_level_status;
    if (verification->quote.tee == QUOTE_TEE_TDX) {
        status = intel_tcb_converge(status, claims->tdx_module_status);
        if (td->is_15) {
            struct tcb_versions sgx = { versions->sgx_svn, versions->pce_svn, NULL };
            const struct tcb_level *level = tcb_info_find_level(verification->tcb_info, &sgx);
            struct tcb_relaunch relaunch = {
                .info = verification->tcb_info,
                .tee_tcb_svn_2 = td->tee_tcb_svn_2,
                .sgx_status = level == NULL ? INTEL_TCB_UNKNOWN : level->state.status,
                .module_status = claims->tdx_module_status,
                .qe_status = claims->qe_status,
            };
            status = intel_tcb_relaunch(status, &relaunch);
        }
    }
    return intel_tcb_converge(status, claims->qe_status);
}

bool intel_check_level(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    struct intel_claims *claims = &verification->claims;
    bool is_tdx = verification->quote.tee == QUOTE_TEE_TDX;
    if (verification->tcb_info == NULL) {
        if (claims->qe_status == INTEL_TCB_REVOKED)
            return attest_refuse(run, ATTEST_REASON_TCB_REVOKED, error,
                                 "quoting enclave was revoked");
        return attest_leave_out(run, "no TCB info was given");
    }
    struct tcb_versions versions = { verification->pck.tcb_component_svn, verification->pck.pce_svn,
                                     is_tdx ? verification->quote.td.tee_tcb_svn : NULL };
    const struct tcb_level *level = tcb_info_find_level(verification->tcb_info, &versions);
    if (level == NULL)
        return attest_refuse(run, ATTEST_REASON_TCB_NOT_SUPPORTED, error,
                             "platform is below all levels of the TCB info");
    claims->tcb_level_status = level->state.status;
    claims->tcb_date_s = level->state.date_s;
    tcb_advisories_collect(claims, level->state.advisories);
    enum intel_tcb_status status = converge(verification, &versions);
    if (status == INTEL_TCB_REVOKED)
        return attest_refuse(run, ATTEST_REASON_TCB_REVOKED, error,
                             "platform, TDX module or quoting enclave was revoked");
    /* What was not looked at could have been revoked. */
    bool is_complete = verification->qe_identity != NULL && verification->has_root_crl &&
                       verification->has_pck_crl;
    claims->tcb_status = is_complete ? status : INTEL_TCB_UNKNOWN;
    attest_note(run, "platform %s, together %s%s", intel_tcb_status_name(claims->tcb_level_status),
                intel_tcb_status_name(status), is_complete ? "" : ", but collateral is missing");
    return true;
}
