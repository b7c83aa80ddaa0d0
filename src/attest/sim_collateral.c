/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/sim_collateral.h"

#include "attest/sim.h"
#include "core/hex.h"
#include "core/time.h"
#include "crypto/crl.h"
#include "crypto/hash.h"
#include "crypto/pem.h"

#include <string.h>

#define TCB_INFO_LABEL    "S3N SIMULATED TCB INFO"
#define QE_IDENTITY_LABEL "S3N SIMULATED QE IDENTITY"
#define CRL_LABEL         "X509 CRL"
#define CERTIFICATE_LABEL "CERTIFICATE"

#define COMPONENTS_OF_ONE                                                                          \
    "[{\"svn\":1},{\"svn\":1},{\"svn\":1},{\"svn\":1},{\"svn\":1},{\"svn\":1},{\"svn\":1},"        \
    "{\"svn\":1},{\"svn\":1},{\"svn\":1},{\"svn\":1},{\"svn\":1},{\"svn\":1},{\"svn\":1},"         \
    "{\"svn\":1},{\"svn\":1}]"
#define COMPONENTS_OF_ZERO                                                                         \
    "[{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},"        \
    "{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},{\"svn\":0},"         \
    "{\"svn\":0},{\"svn\":0}]"
#define ZEROS_48                                                                                   \
    "0000000000000000000000000000000000000000000000000000000000000000"                             \
    "00000000000000000000000000000000"
#define MODULE                                                                                     \
    "\"mrsigner\":\"" ZEROS_48                                                                     \
    "\",\"attributes\":\"0000000000000000\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\""

void sim_issuer_done(struct sim_issuer *issuer)
{
    ecdsa_key_free(issuer->key);
    buffer_done(&issuer->der);
}

bool sim_issuer_make(struct sim_issuer *made, const struct x509_request *request,
                     const struct sim_issuer *by, struct error *error)
{
    buffer_init(&made->der, X509_SIZE_MAX);
    return ecdsa_key_generate(&made->key, error) &&
           x509_issue(&made->der, request, ecdsa_key_public(made->key),
                      by == NULL ? NULL : &by->certificate, by == NULL ? made->key : by->key,
                      error) &&
           x509_parse(&made->certificate, buffer_view(&made->der), error);
}

struct x509_request sim_request(const char *name, int64_t now_s)
{
    return (struct x509_request){ .common_name = name,
                                  .organization = "Development root, proves nothing",
                                  .not_before_s = MAX(now_s - SIM_DAY_S, 0),
                                  .not_after_s = now_s + SIM_VALIDITY_S,
                                  .path_length = -1 };
}

struct digest32 sim_qe_signer(void)
{
    return sha256_of(BYTES_LITERAL("s3n-sim/qe-signer"));
}

void sim_collateral_init(struct sim_collateral *collateral)
{
    buffer_init(&collateral->tcb_info, SIM_COLLATERAL_SIZE_MAX);
    buffer_init(&collateral->qe_identity, SIM_COLLATERAL_SIZE_MAX);
    buffer_init(&collateral->tcb_chain, SIM_COLLATERAL_SIZE_MAX);
    buffer_init(&collateral->root_crl, SIM_COLLATERAL_SIZE_MAX);
    buffer_init(&collateral->pck_crl, SIM_COLLATERAL_SIZE_MAX);
}

void sim_collateral_done(struct sim_collateral *collateral)
{
    buffer_done(&collateral->tcb_info);
    buffer_done(&collateral->qe_identity);
    buffer_done(&collateral->tcb_chain);
    buffer_done(&collateral->root_crl);
    buffer_done(&collateral->pck_crl);
}

bool sim_collateral_is_empty(const struct sim_collateral *collateral)
{
    return collateral->tcb_info.size == 0;
}

/* Dates of a document, as JSON has them. */
struct dates {
    char issued[TIME_TEXT_SIZE + 1];
    char expires[TIME_TEXT_SIZE + 1];
};

/* {"NAME": BODY, "signature": ...} */
static bool sign_body(struct buffer *target, const char *name, const struct buffer *body,
                      const struct ecdsa_key *key, struct error *error)
{
    struct ecdsa_signature signature;
    char hex[2 * sizeof(signature.bytes) + 1];
    if (body->failed)
        return error_set(error, ERROR_NO_MEMORY, "simulated collateral");
    struct digest32 digest = sha256_of(buffer_view(body));
    if (!ecdsa_sign(&signature, key, &digest, error))
        return false;
    hex_encode(hex, BYTES_OF(signature.bytes));
    buffer_format(target, "{\"%s\":", name);
    buffer_append(target, buffer_view(body));
    buffer_format(target, ",\"signature\":\"%s\"}", hex);
    return !target->failed || error_set(error, ERROR_NO_MEMORY, "simulated collateral");
}

static bool make_tcb_info(struct buffer *target, const struct dates *dates,
                          const struct ecdsa_key *key, struct error *error)
{
    AUTO_BUFFER struct buffer body;
    buffer_init(&body, SIM_COLLATERAL_SIZE_MAX);
    buffer_format(&body,
                  "{\"id\":\"TDX\",\"version\":3,\"issueDate\":\"%s\",\"nextUpdate\":\"%s\","
                  "\"fmspc\":\"53334E000000\",\"pceId\":\"0000\",\"tcbType\":0,"
                  "\"tcbEvaluationDataNumber\":1,\"tdxModule\":{" MODULE "},",
                  dates->issued, dates->expires);
    buffer_format(&body,
                  "\"tdxModuleIdentities\":[{\"id\":\"TDX_01\"," MODULE ",\"tcbLevels\":"
                  "[{\"tcb\":{\"isvsvn\":1},\"tcbDate\":\"%s\",\"tcbStatus\":\"UpToDate\"}]}],",
                  dates->issued);
    buffer_format(&body,
                  "\"tcbLevels\":[{\"tcb\":{\"sgxtcbcomponents\":" COMPONENTS_OF_ONE
                  ",\"pcesvn\":1,\"tdxtcbcomponents\":" COMPONENTS_OF_ZERO
                  "},\"tcbDate\":\"%s\",\"tcbStatus\":\"UpToDate\"}]}",
                  dates->issued);
    return sign_body(target, "tcbInfo", &body, key, error);
}

static bool make_qe_identity(struct buffer *target, const struct dates *dates,
                             const struct ecdsa_key *key, struct error *error)
{
    AUTO_BUFFER struct buffer body;
    struct digest32 signer = sim_qe_signer();
    struct hex32 signer_hex = hex_of_digest(&signer);
    buffer_init(&body, SIM_COLLATERAL_SIZE_MAX);
    buffer_format(&body,
                  "{\"id\":\"TD_QE\",\"version\":2,\"issueDate\":\"%s\",\"nextUpdate\":\"%s\","
                  "\"tcbEvaluationDataNumber\":1,\"miscselect\":\"00000000\","
                  "\"miscselectMask\":\"FFFFFFFF\","
                  "\"attributes\":\"11000000000000000000000000000000\","
                  "\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\",",
                  dates->issued, dates->expires);
    buffer_format(&body,
                  "\"mrsigner\":\"%s\",\"isvprodid\":2,\"tcbLevels\":[{\"tcb\":{\"isvsvn\":1},"
                  "\"tcbDate\":\"%s\",\"tcbStatus\":\"UpToDate\"}]}",
                  signer_hex.text, dates->issued);
    return sign_body(target, "enclaveIdentity", &body, key, error);
}

bool sim_collateral_make(struct sim_collateral *collateral, const struct sim_issuer *root,
                         const struct sim_issuer *intermediate, int64_t now_s, struct error *error)
{
    AUTO_SIM_ISSUER struct sim_issuer signer = { 0 };
    struct x509_request request = sim_request(SIM_NAME_PREFIX "TCB Signing", now_s);
    struct crl_request list = { .this_update_s = request.not_before_s,
                                .next_update_s = request.not_after_s,
                                .number = 1 };
    struct dates dates;
    if (!time_format(dates.issued, request.not_before_s) ||
        !time_format(dates.expires, request.not_after_s))
        return error_set(error, ERROR_INVALID, "time of a simulated platform is out of range");
    if (!sim_issuer_make(&signer, &request, root, error) ||
        !make_tcb_info(&collateral->tcb_info, &dates, signer.key, error) ||
        !make_qe_identity(&collateral->qe_identity, &dates, signer.key, error) ||
        !crl_issue(&collateral->root_crl, &list, &root->certificate, root->key, error) ||
        !crl_issue(&collateral->pck_crl, &list, &intermediate->certificate, intermediate->key,
                   error))
        return false;
    pem_append(&collateral->tcb_chain, CERTIFICATE_LABEL, buffer_view(&signer.der));
    pem_append(&collateral->tcb_chain, CERTIFICATE_LABEL, buffer_view(&root->der));
    return !collateral->tcb_chain.failed ||
           error_set(error, ERROR_NO_MEMORY, "simulated collateral");
}

bool sim_collateral_write(struct buffer *text, const struct sim_collateral *collateral,
                          struct error *error)
{
    if (sim_collateral_is_empty(collateral))
        return true;
    pem_append(text, TCB_INFO_LABEL, buffer_view(&collateral->tcb_info));
    pem_append(text, QE_IDENTITY_LABEL, buffer_view(&collateral->qe_identity));
    pem_append(text, CRL_LABEL, buffer_view(&collateral->root_crl));
    pem_append(text, CRL_LABEL, buffer_view(&collateral->pck_crl));
    buffer_append(text, buffer_view(&collateral->tcb_chain));
    return !text->failed || error_set(error, ERROR_NO_MEMORY, "simulated collateral");
}

static bool read_block(struct buffer *target, struct reader *text, const char *label,
                       struct error *error)
{
    uint8_t space[SIM_COLLATERAL_SIZE_MAX];
    size_t size;
    if (!pem_read(text, label, space, sizeof(space), &size, error))
        return false;
    buffer_append(target, bytes_of(space, size));
    return !target->failed || error_set(error, ERROR_NO_MEMORY, "simulated collateral");
}

bool sim_collateral_read(struct sim_collateral *collateral, struct bytes text, struct error *error)
{
    struct reader reader = reader_of(text);
    if (text.size == 0)
        return true;
    if (!read_block(&collateral->tcb_info, &reader, TCB_INFO_LABEL, error) ||
        !read_block(&collateral->qe_identity, &reader, QE_IDENTITY_LABEL, error) ||
        !read_block(&collateral->root_crl, &reader, CRL_LABEL, error) ||
        !read_block(&collateral->pck_crl, &reader, CRL_LABEL, error))
        return false;
    struct x509_chain chain;
    struct bytes pem = bytes_of(reader.at, reader_left(&reader));
    if (!x509_chain_parse_pem(&chain, pem, error))
        return false;
    if (chain.count != 2)
        return error_set(error, ERROR_INVALID, "TCB signing chain has not two certificates");
    buffer_append(&collateral->tcb_chain, pem);
    return !collateral->tcb_chain.failed ||
           error_set(error, ERROR_NO_MEMORY, "simulated collateral");
}

size_t sim_collateral_find(struct bytes text)
{
    const struct bytes start = BYTES_LITERAL("-----BEGIN " TCB_INFO_LABEL);
    size_t at = 0;
    while (at < text.size && !bytes_starts_with(bytes_part(text, at, text.size), start))
        at += bytes_find(bytes_part(text, at, text.size), '\n') + 1;
    return MIN(at, text.size);
}
