/* SPDX-License-Identifier: Apache-2.0 */
#include "collateral/piece.h"

#include "attest/amd/vek.h"
#include "attest/intel/qe_identity.h"
#include "attest/intel/tcb_info.h"
#include "core/hex.h"
#include "crypto/crl.h"
#include "crypto/pem.h"

#include <stdlib.h>
#include <string.h>

/* Too large for a stack. */
struct work {
    struct tcb_info tcb_info;
    struct qe_identity qe_identity;
    struct x509_chain chain;
};

void collateral_piece_init(struct collateral_piece *piece)
{
    *piece = (struct collateral_piece){ 0 };
    buffer_init(&piece->body, COLLATERAL_BODY_SIZE_MAX);
    buffer_init(&piece->chain, COLLATERAL_CHAIN_SIZE_MAX);
}

void collateral_piece_done(struct collateral_piece *piece)
{
    buffer_done(&piece->body);
    buffer_done(&piece->chain);
}

const char *collateral_chain_field(enum collateral_part part)
{
    switch (part) {
    case COLLATERAL_PCK_CHAIN:
        return "sgx-pck-certificate-issuer-chain";
    case COLLATERAL_TCB_INFO:
        return "tcb-info-issuer-chain";
    case COLLATERAL_QE_IDENTITY:
        return "sgx-enclave-identity-issuer-chain";
    case COLLATERAL_PCK_CRL:
        return "sgx-pck-crl-issuer-chain";
    case COLLATERAL_ROOT_CRL:
    case COLLATERAL_VEK:
    case COLLATERAL_INTERMEDIATE:
    case COLLATERAL_CRL:
    case COLLATERAL_PART_COUNT:
        break;
    }
    return NULL;
}

bool collateral_chain_decode(struct buffer *pem, struct bytes value, struct error *error)
{
    buffer_clear(pem);
    for (size_t i = 0; i < value.size; i++) {
        uint8_t byte = value.data[i];
        if (byte == '%') {
            int high = i + 2 < value.size ? hex_digit_value(value.data[i + 1]) : -1;
            int low = i + 2 < value.size ? hex_digit_value(value.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return error_set(error, ERROR_INVALID, "issuer chain is no percent-encoded text");
            byte = (uint8_t)(high * 16 + low);
            i += 2;
        }
        buffer_append(pem, bytes_of(&byte, 1));
    }
    return !pem->failed || error_set(error, ERROR_LIMIT, "issuer chain has more than %d bytes",
                                     COLLATERAL_CHAIN_SIZE_MAX);
}

static bool keep(struct buffer *target, struct bytes bytes, struct error *error)
{
    buffer_clear(target);
    buffer_append(target, bytes);
    return !target->failed ||
           error_set(error, ERROR_LIMIT, "more than %zu bytes", target->size_max);
}

/* A signing certificate and its root. */
static bool keep_chain(struct collateral_piece *piece, struct work *work, struct bytes chain,
                       struct error *error)
{
    if (chain.size == 0)
        return error_set(error, ERROR_INVALID, "the answer came without its issuer chain");
    if (!x509_chain_parse_pem(&work->chain, chain, error))
        return error_within(error, "issuer chain");
    if (work->chain.count < 2)
        return error_set(error, ERROR_INVALID, "issuer chain has no root");
    return keep(&piece->chain, chain, error);
}

static bool read_tcb_info(struct collateral_piece *piece, struct work *work,
                          const struct collateral_wish *wish, struct bytes body, struct bytes chain,
                          struct error *error)
{
    const struct tcb_info *info = &work->tcb_info;
    if (!tcb_info_parse(&work->tcb_info, body, error))
        return false;
    if (info->is_tdx != wish->is_tdx)
        return error_set(error, ERROR_INVALID, "TCB info of another kind of evidence");
    if (memcmp(info->fmspc, wish->fmspc, sizeof(wish->fmspc)) != 0)
        return error_set(error, ERROR_INVALID, "TCB info of another platform family");
    piece->issued_s = info->issued_s;
    piece->next_update_s = info->next_update_s;
    return keep_chain(piece, work, chain, error) && keep(&piece->body, body, error);
}

static bool read_qe_identity(struct collateral_piece *piece, struct work *work,
                             const struct collateral_wish *wish, struct bytes body,
                             struct bytes chain, struct error *error)
{
    if (!qe_identity_parse(&work->qe_identity, body, error))
        return false;
    if (work->qe_identity.kind != (wish->is_tdx ? QE_KIND_TDX : QE_KIND_SGX))
        return error_set(error, ERROR_INVALID, "identity of another quoting enclave");
    piece->issued_s = work->qe_identity.issued_s;
    piece->next_update_s = work->qe_identity.next_update_s;
    return keep_chain(piece, work, chain, error) && keep(&piece->body, body, error);
}

/* DER, PEM, or the DER's digits, as caching services answer. */
static bool read_crl(struct collateral_piece *piece, struct bytes body, struct error *error)
{
    struct crl crl;
    struct bytes der = body;
    AUTO_BUFFER struct buffer space;
    buffer_init(&space, COLLATERAL_BODY_SIZE_MAX);
    size_t size = body.size;
    while (size > 0 && (body.data[size - 1] == '\n' || body.data[size - 1] == '\r'))
        size--;
    uint8_t *room = buffer_reserve(&space, size / 2 + 1);
    if (room == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a revocation list");
    if (size >= 2 && size % 2 == 0 && hex_decode(room, size / 2, bytes_part(body, 0, size)))
        der = bytes_of(room, size / 2);
    else if (bytes_starts_with(body, BYTES_LITERAL("-----BEGIN")) &&
             !pem_unwrap(&der, &space, "X509 CRL", body, error))
        return false;
    if (!crl_parse(&crl, der, error))
        return false;
    piece->issued_s = crl.this_update_s;
    piece->next_update_s = crl.next_update_s;
    return keep(&piece->body, der, error);
}

/* The leaf in the body and its issuers in the header, or all in the body as it is kept. */
static bool read_pck_chain(struct collateral_piece *piece, struct work *work, struct bytes body,
                           struct bytes chain, struct error *error)
{
    AUTO_BUFFER struct buffer pem;
    struct bytes extension;
    bool is_critical;
    buffer_init(&pem, COLLATERAL_BODY_SIZE_MAX);
    buffer_append(&pem, body);
    if (body.size > 0 && body.data[body.size - 1] != '\n')
        buffer_append_string(&pem, "\n");
    buffer_append(&pem, chain);
    if (!x509_chain_parse_pem(&work->chain, buffer_view(&pem), error))
        return error_within(error, "PCK chain");
    const struct x509_certificate *leaf = &work->chain.certificates[0];
    if (work->chain.count < 3)
        return error_set(error, ERROR_INVALID, "the answer came without its issuer chain");
    if (!x509_extension_find(leaf, pck_extension_oid, &extension, &is_critical))
        return error_set(error, ERROR_INVALID, "no PCK certificate");
    piece->issued_s = leaf->not_before_s;
    piece->next_update_s = leaf->not_after_s;
    return keep(&piece->body, buffer_view(&pem), error);
}

static bool tcb_equal(const struct snp_tcb *a, const struct snp_tcb *b)
{
    return a->fmc == b->fmc && a->boot_loader == b->boot_loader && a->tee == b->tee &&
           a->snp == b->snp && a->microcode == b->microcode;
}

static bool read_vek(struct collateral_piece *piece, struct work *work,
                     const struct collateral_wish *wish, struct bytes body, struct error *error)
{
    struct vek_info info;
    const struct x509_certificate *certificate = &work->chain.certificates[0];
    if (!x509_chain_parse(&work->chain, body, error) || !vek_read(&info, certificate, error))
        return false;
    if (!bytes_equal(info.hwid, bytes_of(wish->hwid, wish->hwid_size)))
        return error_set(error, ERROR_INVALID, "certificate of another chip");
    if (!info.has_tcb || !tcb_equal(&info.tcb, &wish->tcb))
        return error_set(error, ERROR_INVALID, "certificate of another TCB");
    piece->issued_s = certificate->not_before_s;
    piece->next_update_s = certificate->not_after_s;
    return keep(&piece->body, certificate->der, error);
}

/* The service sends the intermediate with the root behind it. */
static bool read_intermediate(struct collateral_piece *piece, struct work *work, struct bytes body,
                              struct error *error)
{
    if (!x509_chain_parse(&work->chain, body, error))
        return false;
    for (size_t i = 0; i < work->chain.count; i++) {
        const struct x509_certificate *certificate = &work->chain.certificates[i];
        if (x509_is_self_issued(certificate))
            continue;
        piece->issued_s = certificate->not_before_s;
        piece->next_update_s = certificate->not_after_s;
        return keep(&piece->body, certificate->der, error);
    }
    return error_set(error, ERROR_INVALID, "no intermediate certificate");
}

static bool read_part(struct collateral_piece *piece, struct work *work,
                      const struct collateral_wish *wish, struct bytes body, struct bytes chain,
                      struct error *error)
{
    switch (wish->part) {
    case COLLATERAL_PCK_CHAIN:
        return read_pck_chain(piece, work, body, chain, error);
    case COLLATERAL_TCB_INFO:
        return read_tcb_info(piece, work, wish, body, chain, error);
    case COLLATERAL_QE_IDENTITY:
        return read_qe_identity(piece, work, wish, body, chain, error);
    case COLLATERAL_PCK_CRL:
    case COLLATERAL_ROOT_CRL:
    case COLLATERAL_CRL:
        return read_crl(piece, body, error);
    case COLLATERAL_VEK:
        return read_vek(piece, work, wish, body, error);
    case COLLATERAL_INTERMEDIATE:
        return read_intermediate(piece, work, body, error);
    case COLLATERAL_PART_COUNT:
        break;
    }
    UNREACHABLE("part of collateral");
}

bool collateral_piece_read(struct collateral_piece *piece, const struct collateral_wish *wish,
                           struct bytes body, struct bytes chain, struct error *error)
{
    struct work *work = calloc(1, sizeof(*work));
    if (work == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to look at collateral");
    bool done = read_part(piece, work, wish, body, chain, error);
    free(work);
    if (!done && error->code == ERROR_UNSUPPORTED)
        error->code = ERROR_INVALID;
    return done;
}

bool collateral_dates_of(enum collateral_part part, struct bytes body, int64_t *issued_s,
                         int64_t *next_update_s)
{
    struct work *work = calloc(1, sizeof(*work));
    AUTO_COLLATERAL_PIECE struct collateral_piece piece;
    struct error unused;
    bool done = false;
    collateral_piece_init(&piece);
    if (work == NULL || body.size == 0) {
        free(work);
        return false;
    }
    if (part == COLLATERAL_TCB_INFO && tcb_info_parse(&work->tcb_info, body, &unused)) {
        piece.issued_s = work->tcb_info.issued_s;
        piece.next_update_s = work->tcb_info.next_update_s;
        done = true;
    } else if (part == COLLATERAL_QE_IDENTITY &&
               qe_identity_parse(&work->qe_identity, body, &unused)) {
        piece.issued_s = work->qe_identity.issued_s;
        piece.next_update_s = work->qe_identity.next_update_s;
        done = true;
    } else if (part == COLLATERAL_PCK_CRL || part == COLLATERAL_ROOT_CRL ||
               part == COLLATERAL_CRL) {
        done = read_crl(&piece, body, &unused);
    } else if (part != COLLATERAL_TCB_INFO && part != COLLATERAL_QE_IDENTITY &&
               x509_chain_parse(&work->chain, body, &unused)) {
        piece.issued_s = work->chain.certificates[0].not_before_s;
        piece.next_update_s = work->chain.certificates[0].not_after_s;
        done = true;
    }
    free(work);
    if (done) {
        *issued_s = piece.issued_s;
        *next_update_s = piece.next_update_s;
    }
    return done;
}
