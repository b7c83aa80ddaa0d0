/* SPDX-License-Identifier: Apache-2.0 */
/* Chains and revocation lists: steps 2 and 3, and the chain of step 5. */
#include "attest/intel/verification.h"
#include "attest/sim.h"
#include "crypto/pem.h"
#include "crypto/signature_memo.h"

#include <string.h>

/* The built-in one. */
static const struct x509_certificate *intel_root(struct verification *verification)
{
    struct intel_known *known = verification->run->options->known;
    struct bytes source = attest_intel_root();
    const struct known_piece *piece = intel_known_find(known, KNOWN_ROOT, source);
    if (piece != NULL)
        return &piece->root;
    struct error unused;
    ASSERT(x509_parse(&verification->intel, source, &unused));
    intel_known_keep(known, KNOWN_ROOT, source, source, NULL);
    return &verification->intel;
}

/* Decides which root counts.  The chain's own copy never does, except under trust_simulated. */
static bool choose_root(struct verification *verification, struct error *error)
{
    const struct attest_options *options = verification->run->options;
    const struct x509_certificate *carried = &verification->chain->certificates[PCK_ROOT];
    struct error unused;
    verification->root = options->root != NULL ? options->root : intel_root(verification);
    bool is_anchored = public_key_equal(&carried->key, &verification->root->key);
    verification->is_simulated = attest_root_is_simulated(carried);
    if (verification->is_simulated && !options->trust_simulated)
        return attest_refuse(verification->run, ATTEST_REASON_SIMULATED, error,
                             "evidence is simulated: its root is a development root and proves "
                             "nothing about hardware");
    /* A simulated root that the caller gave is a pin. */
    if (is_anchored || !verification->is_simulated || attest_root_is_simulated(verification->root))
        return true;
    if (!x509_is_self_issued(carried) || !x509_signature_verify(carried, &carried->key, &unused))
        return attest_refuse(verification->run, ATTEST_REASON_PCK_CHAIN_INVALID, error,
                             "simulated root is not self-signed");
    verification->root = carried;
    return true;
}

static bool has_name(const struct verification *verification,
                     const struct x509_certificate *certificate, const char *name)
{
    const char *prefix = verification->is_simulated ? SIM_NAME_PREFIX : "Intel SGX ";
    size_t size = strlen(prefix);
    return bytes_equal_string(bytes_part(certificate->common_name, 0, size), prefix) &&
           bytes_equal_string(
               bytes_part(certificate->common_name, size, certificate->common_name.size), name);
}

/* A certificate whose key signs data, not certificates. */
static bool is_signer(const struct x509_certificate *certificate)
{
    return !certificate->is_ca && certificate->key.kind == PUBLIC_KEY_P256 &&
           (!certificate->has_key_usage ||
            (certificate->key_usage & X509_USAGE_DIGITAL_SIGNATURE) != 0);
}

static bool check_names(struct verification *verification, struct error *error)
{
    const struct x509_certificate *chain = verification->chain->certificates;
    if (!has_name(verification, &chain[PCK_LEAF], "PCK Certificate") ||
        (!has_name(verification, &chain[PCK_CA], "PCK Platform CA") &&
         !has_name(verification, &chain[PCK_CA], "PCK Processor CA")))
        return attest_refuse(verification->run, ATTEST_REASON_PCK_CHAIN_INVALID, error,
                             "names in the chain are not those of PCK certificates");
    if (!is_signer(&chain[PCK_LEAF]))
        return attest_refuse(verification->run, ATTEST_REASON_PCK_CHAIN_INVALID, error,
                             "PCK certificate is not one that signs data with P-256");
    return true;
}

/* The reasons of one chain, by x509_fault. */
struct chain_reasons {
    enum attest_reason invalid;
    enum attest_reason untrusted;
    enum attest_reason expired;
    enum attest_reason not_yet_valid;
};

static enum attest_reason reason_of_fault(const struct chain_reasons *reasons,
                                          enum x509_fault fault)
{
    switch (fault) {
    case X509_FAULT_NONE:
    case X509_FAULT_INVALID:
        return reasons->invalid;
    case X509_FAULT_ROOT_UNTRUSTED:
        return reasons->untrusted;
    case X509_FAULT_EXPIRED:
        return reasons->expired;
    case X509_FAULT_NOT_YET_VALID:
        return reasons->not_yet_valid;
    }
    return reasons->invalid;
}

/* The certificate that the root signs, when it is known to; only a chain that ends at the root
 * itself can profit. */
static void recall(struct verification *verification, struct x509_chain *chain, size_t index)
{
    if (public_key_equal(&chain->certificates[index + 1].key, &verification->root->key))
        signature_memo_recall_certificate(verification->run->options->memo,
                                          &chain->certificates[index], &verification->root->key);
}

static void keep(struct verification *verification, const struct x509_chain *chain, size_t index)
{
    signature_memo_keep_certificate(verification->run->options->memo, &chain->certificates[index],
                                    &verification->root->key);
}

/* Signatures before names before dates: a name or date that is reported is a signed one. */
static bool verify_chain(struct verification *verification, struct x509_chain *chain,
                         const struct chain_reasons *reasons,
                         bool (*check)(struct verification *verification, struct error *error),
                         struct error *error)
{
    enum x509_fault fault = X509_FAULT_NONE;
    bool holds = x509_chain_verify(chain->certificates, chain->count, verification->root,
                                   verification->run->options->now_s, &fault, error);
    bool is_signed = holds || fault == X509_FAULT_EXPIRED || fault == X509_FAULT_NOT_YET_VALID;
    struct error name_error;
    if (is_signed && !check(verification, &name_error)) {
        *error = name_error;
        return false;
    }
    if (!holds)
        verification->run->verdict->reason = reason_of_fault(reasons, fault);
    return holds;
}

bool intel_check_chain(void *context, struct error *error)
{
    struct verification *verification = context;
    const struct attest_options *options = verification->run->options;
    static const struct chain_reasons reasons = { ATTEST_REASON_PCK_CHAIN_INVALID,
                                                  ATTEST_REASON_ROOT_UNTRUSTED,
                                                  ATTEST_REASON_PCK_CHAIN_EXPIRED,
                                                  ATTEST_REASON_PCK_CHAIN_NOT_YET_VALID };
    struct bytes pem = verification->quote.pck_chain;
    if (pem.size == 0)
        pem = options->collateral.pck_chain;
    if (pem.size == 0)
        return attest_refuse(verification->run, ATTEST_REASON_NO_PCK_CERT, error,
                             "quote carries no PCK certificates");
    struct known_piece *piece = intel_known_find(options->known, KNOWN_PCK_CHAIN, pem);
    struct x509_chain *chain = piece != NULL ? &piece->chain : &verification->own->chain;
    if (piece == NULL && !x509_chain_parse_pem(chain, pem, error)) {
        verification->run->verdict->reason = ATTEST_REASON_PCK_CHAIN_INVALID;
        return false;
    }
    verification->chain = chain;
    verification->chain_piece = piece;
    if (chain->count != PCK_CHAIN_COUNT)
        return attest_refuse(verification->run, ATTEST_REASON_PCK_CHAIN_INVALID, error,
                             "chain is not leaf, intermediate and root");
    if (!choose_root(verification, error))
        return false;
    struct x509_certificate *leaf = &chain->certificates[PCK_LEAF];
    const struct public_key *ca_key = &chain->certificates[PCK_CA].key;
    if (piece == NULL) {
        recall(verification, chain, PCK_CA);
        signature_memo_recall_certificate(options->memo, leaf, ca_key);
    }
    if (!verify_chain(verification, chain, &reasons, check_names, error))
        return false;
    if (piece == NULL) {
        keep(verification, chain, PCK_CA);
        signature_memo_keep_certificate(options->memo, leaf, ca_key);
        intel_known_keep(options->known, KNOWN_PCK_CHAIN, pem, pem, NULL);
    }
    attest_note(verification->run, "%s",
                verification->is_simulated
                    ? "SIMULATED: development root, proves nothing about hardware"
                    : "up to the trusted root");
    return true;
}

/* A list in DER, or in PEM, which is decoded into `space`. */
static bool read_crl(struct crl *crl, struct bytes source, uint8_t *space, struct error *error)
{
    if (!bytes_starts_with(source, BYTES_LITERAL("-----BEGIN")))
        return crl_parse(crl, source, error);
    size_t size;
    struct reader text = reader_of(source);
    if (!pem_read(&text, "X509 CRL", space, INTEL_CRL_SIZE_MAX, &size, error))
        return false;
    if (!pem_is_end(&text))
        return error_set(error, ERROR_INVALID, "text goes on behind the revocation list");
    return crl_parse(crl, bytes_of(space, size), error);
}

/* The reasons of one list. */
struct crl_reasons {
    enum attest_reason format;
    enum attest_reason wrong_issuer;
    enum attest_reason signature;
    enum attest_reason expired;
    enum attest_reason not_yet_valid;
};

/* A list as it was given: where to, memory for what it has in PEM, whose it should be. */
struct crl_task {
    struct crl *crl;
    uint8_t *space;
    const struct x509_certificate *issuer;
    const struct crl_reasons *reasons;
};

static bool verify_crl(struct verification *verification, struct bytes source,
                       const struct crl_task *task, struct error *error)
{
    const struct x509_certificate *issuer = task->issuer;
    const struct crl_reasons *reasons = task->reasons;
    struct crl *crl = task->crl;
    struct signature_memo *memo = verification->run->options->memo;
    struct intel_known *known = verification->run->options->known;
    enum crl_fault fault = CRL_FAULT_NONE;
    const struct known_piece *piece = intel_known_find(known, KNOWN_CRL, source);
    if (piece != NULL) {
        *crl = piece->crl;
    } else if (!read_crl(crl, source, task->space, error)) {
        verification->run->verdict->reason = reasons->format;
        return false;
    }
    bool is_known = known_piece_is_signed_by(piece, &issuer->key);
    if (is_known)
        crl->is_signature_known = true;
    else
        signature_memo_recall_crl(memo, crl, &issuer->key);
    bool holds = crl_verify(crl, issuer, verification->run->options->now_s, &fault, error);
    const enum attest_reason by_fault[] = {
        [CRL_FAULT_NONE] = ATTEST_REASON_NONE,
        [CRL_FAULT_ISSUER] = reasons->wrong_issuer,
        [CRL_FAULT_SIGNATURE] = reasons->signature,
        [CRL_FAULT_EXPIRED] = reasons->expired,
        [CRL_FAULT_NOT_YET_VALID] = reasons->not_yet_valid,
    };
    if (!holds) {
        verification->run->verdict->reason = by_fault[fault];
        return false;
    }
    if (!is_known) {
        signature_memo_keep_crl(memo, crl, &issuer->key);
        intel_known_keep(known, KNOWN_CRL, source, crl->der, &issuer->key);
    }
    (void)intel_is_early(verification, crl->this_update_s);
    (void)intel_is_late(verification, crl->next_update_s);
    attest_note(verification->run, "%zu revoked, not this one", crl->entry_count);
    return true;
}

bool intel_check_root_crl(void *context, struct error *error)
{
    struct verification *verification = context;
    struct bytes source = verification->run->options->collateral.root_crl;
    struct crl *crl = &verification->root_crl;
    static const struct crl_reasons reasons = { ATTEST_REASON_PCK_CA_CRL_FORMAT,
                                                ATTEST_REASON_PCK_CA_CRL_WRONG_ISSUER,
                                                ATTEST_REASON_PCK_CA_CRL_SIG_INVALID,
                                                ATTEST_REASON_PCK_CA_CRL_EXPIRED,
                                                ATTEST_REASON_PCK_CA_CRL_NOT_YET_VALID };
    if (source.size == 0)
        return attest_leave_out(verification->run, "no revocation list of the root was given");
    struct crl_task task = { crl, verification->own->root_crl, verification->root, &reasons };
    if (!verify_crl(verification, source, &task, error))
        return false;
    if (crl_is_revoked(crl, verification->chain->certificates[PCK_CA].serial))
        return attest_refuse(verification->run, ATTEST_REASON_PCK_CA_REVOKED, error,
                             "certificate of the PCK CA was revoked");
    verification->has_root_crl = true;
    return true;
}

bool intel_check_pck_crl(void *context, struct error *error)
{
    struct verification *verification = context;
    struct bytes source = verification->run->options->collateral.pck_crl;
    struct crl *crl = &verification->pck_crl;
    static const struct crl_reasons reasons = { ATTEST_REASON_PCK_CRL_FORMAT,
                                                ATTEST_REASON_PCK_CRL_WRONG_ISSUER,
                                                ATTEST_REASON_PCK_CRL_SIG_INVALID,
                                                ATTEST_REASON_PCK_CRL_EXPIRED,
                                                ATTEST_REASON_PCK_CRL_NOT_YET_VALID };
    if (source.size == 0)
        return attest_leave_out(verification->run, "no revocation list of the PCK CA was given");
    const struct x509_certificate *chain = verification->chain->certificates;
    struct crl_task task = { crl, verification->own->pck_crl, &chain[PCK_CA], &reasons };
    if (!verify_crl(verification, source, &task, error))
        return false;
    if (crl_is_revoked(crl, chain[PCK_LEAF].serial))
        return attest_refuse(verification->run, ATTEST_REASON_PCK_REVOKED, error,
                             "certificate of the platform was revoked");
    verification->has_pck_crl = true;
    return true;
}

/* Finds or parses it, once. */
static bool read_tcb_chain(struct verification *verification, struct bytes source,
                           struct error *error)
{
    if (verification->tcb_chain != NULL)
        return true;
    struct known_piece *piece =
        intel_known_find(verification->run->options->known, KNOWN_TCB_CHAIN, source);
    struct x509_chain *own = &verification->own->tcb_chain;
    if (piece == NULL && !x509_chain_parse(own, source, error))
        return false;
    verification->tcb_chain = piece != NULL ? &piece->chain : own;
    return true;
}

/* Step 3 looks at the serial alone; whether the chain holds is step 5's. */
bool intel_check_tcb_revocation(void *context, struct error *error)
{
    struct verification *verification = context;
    struct bytes source = verification->run->options->collateral.tcb_chain;
    struct error unused;
    if (source.size == 0 || !verification->has_root_crl)
        return attest_leave_out(verification->run, "%s",
                                source.size == 0 ? "no TCB signing certificate was given"
                                                 : "no revocation list of the root was given");
    bool is_read = read_tcb_chain(verification, source, &unused);
    if (is_read &&
        crl_is_revoked(&verification->root_crl, verification->tcb_chain->certificates[0].serial))
        return attest_refuse(verification->run, ATTEST_REASON_TCB_SIGNING_REVOKED, error,
                             "TCB signing certificate was revoked");
    attest_note(verification->run, "not revoked");
    return true;
}

static bool check_tcb_names(struct verification *verification, struct error *error)
{
    const struct x509_certificate *leaf = &verification->tcb_chain->certificates[0];
    if (!has_name(verification, leaf, "TCB Signing") || !is_signer(leaf))
        return attest_refuse(verification->run, ATTEST_REASON_TCB_CHAIN_INVALID, error,
                             "chain of the TCB info is not a TCB signing certificate's");
    return true;
}

bool intel_check_tcb_chain(void *context, struct error *error)
{
    struct verification *verification = context;
    const struct attest_options *options = verification->run->options;
    static const struct chain_reasons reasons = { ATTEST_REASON_TCB_CHAIN_INVALID,
                                                  ATTEST_REASON_TCB_CHAIN_INVALID,
                                                  ATTEST_REASON_TCB_CHAIN_EXPIRED,
                                                  ATTEST_REASON_TCB_CHAIN_NOT_YET_VALID };
    if (options->collateral.tcb_chain.size == 0) {
        if (options->collateral.tcb_info.size == 0 && options->collateral.qe_identity.size == 0)
            return attest_leave_out(verification->run, "no TCB signing certificate was given");
        return attest_refuse(verification->run, ATTEST_REASON_TCB_CHAIN_INVALID, error,
                             "TCB info or QE identity came without the chain that signs it");
    }
    struct bytes source = options->collateral.tcb_chain;
    if (!read_tcb_chain(verification, source, error)) {
        verification->run->verdict->reason = ATTEST_REASON_TCB_CHAIN_INVALID;
        return false;
    }
    struct x509_chain *chain = verification->tcb_chain;
    bool is_known = chain != &verification->own->tcb_chain;
    if (chain->count != 2)
        return attest_refuse(verification->run, ATTEST_REASON_TCB_CHAIN_INVALID, error,
                             "chain is not TCB signing certificate and root");
    if (!is_known)
        recall(verification, chain, 0);
    if (!verify_chain(verification, chain, &reasons, check_tcb_names, error))
        return false;
    if (!is_known) {
        keep(verification, chain, 0);
        intel_known_keep(options->known, KNOWN_TCB_CHAIN, source, source, NULL);
    }
    attest_note(verification->run, "up to the trusted root");
    return true;
}
