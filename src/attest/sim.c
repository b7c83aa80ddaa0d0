/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/sim.h"

#include "attest/attest.h"
#include "attest/sim_collateral.h"
#include "crypto/pem.h"
#include "crypto/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    AUTH_DATA_SIZE = 32,
    SIGNED_PART_SIZE = 48 + TD_REPORT_10_SIZE,
    PRIVATE_KEY_SIZE_MAX = 256
};

struct sim_root {
    struct x509_chain chain;                 /* leaf, intermediate, root */
    struct buffer pem;                       /* the same, as quotes carry it */
    struct ecdsa_key *pck_key;               /* of the leaf */
    struct ecdsa_key *attestation_key;       /* of the simulated quoting enclave */
    uint8_t qe_report_part[SGX_REPORT_SIZE]; /* its report, which binds the attestation key */
    struct ecdsa_signature qe_report_signature;
    struct sim_collateral collateral; /* empty under a root of an earlier version */
};

/* What Intel's enclave uses there: any bytes would do, the hash binds them. */
static void fill_auth_data(uint8_t *auth_data)
{
    for (size_t i = 0; i < AUTH_DATA_SIZE; i++)
        auth_data[i] = (uint8_t)i;
}

static void describe_platform(struct pck_info *info)
{
    *info = (struct pck_info){ .pce_svn = 1,
                               .fmspc = { 'S', '3', 'N' },
                               .sgx_type = PCK_SGX_SCALABLE,
                               .has_platform_instance_id = true,
                               .has_configuration = true };
    memset(info->tcb_component_svn, 1, sizeof(info->tcb_component_svn));
    memset(info->cpu_svn, 1, sizeof(info->cpu_svn));
    random_bytes(info->ppid, sizeof(info->ppid));
    random_bytes(info->platform_instance_id, sizeof(info->platform_instance_id));
}

/* The attestation key, and the report of a quoting enclave that vouches for it. */
static bool make_attestation_key(struct sim_root *root, struct error *error)
{
    if (!ecdsa_key_generate(&root->attestation_key, error))
        return false;
    struct sgx_report report = { .attributes = { 0x11, [8] = 0xe7 },
                                 .isv_prod_id = 2,
                                 .isv_svn = 1 };
    struct digest32 enclave = sha256_of(BYTES_LITERAL("s3n-sim/qe"));
    struct digest32 signer = sim_qe_signer();
    memcpy(report.mr_enclave, enclave.bytes, sizeof(report.mr_enclave));
    memcpy(report.mr_signer, signer.bytes, sizeof(report.mr_signer));
    uint8_t bound[64 + AUTH_DATA_SIZE];
    memcpy(bound, ecdsa_key_public(root->attestation_key)->bytes, 64);
    fill_auth_data(bound + 64);
    struct digest32 binding = sha256_of(BYTES_OF(bound));
    memcpy(report.report_data, binding.bytes, sizeof(binding.bytes));
    struct writer writer = writer_into(root->qe_report_part, sizeof(root->qe_report_part));
    sgx_report_write(&writer, &report);
    ASSERT(writer_view(&writer).size == SGX_REPORT_SIZE);
    struct digest32 digest = sha256_of(BYTES_OF(root->qe_report_part));
    return ecdsa_sign(&root->qe_report_signature, root->pck_key, &digest, error);
}

static struct sim_root *root_new(void)
{
    struct sim_root *root = calloc(1, sizeof(*root));
    if (root == NULL)
        return NULL;
    buffer_init(&root->pem, PEM_SIZE_MAX);
    sim_collateral_init(&root->collateral);
    return root;
}

/* Takes over the leaf's key; `pem` is the chain. */
static bool assemble(struct sim_root *root, struct ecdsa_key **pck_key, struct bytes pem,
                     struct error *error)
{
    buffer_append(&root->pem, pem);
    if (root->pem.failed)
        return error_set(error, ERROR_NO_MEMORY, "simulated platform");
    if (!x509_chain_parse_pem(&root->chain, buffer_view(&root->pem), error))
        return false;
    if (root->chain.count != 3 || !attest_root_is_simulated(&root->chain.certificates[2]) ||
        !ecdsa_public_equal(&root->chain.certificates[0].key.p256, ecdsa_key_public(*pck_key)))
        return error_set(error, ERROR_INVALID, "not the chain and key of a simulated platform");
    root->pck_key = TAKE(*pck_key);
    return make_attestation_key(root, error);
}

bool sim_root_new(struct sim_root **made, int64_t now_s, struct error *error)
{
    AUTO_SIM_ISSUER struct sim_issuer top = { 0 };
    AUTO_SIM_ISSUER struct sim_issuer middle = { 0 };
    AUTO_SIM_ISSUER struct sim_issuer leaf = { 0 };
    AUTO(sim_root) struct sim_root *root = root_new();
    if (root == NULL)
        return error_set(error, ERROR_NO_MEMORY, "simulated platform");
    struct x509_request request = sim_request(SIM_NAME_PREFIX "Root CA (development root)", now_s);
    request.is_ca = true;
    request.path_length = 1;
    if (!sim_issuer_make(&top, &request, NULL, error))
        return false;
    request = sim_request(SIM_NAME_PREFIX "PCK Platform CA", now_s);
    request.is_ca = true;
    request.path_length = 0;
    if (!sim_issuer_make(&middle, &request, &top, error))
        return false;
    struct pck_info info;
    describe_platform(&info);
    uint8_t space[1024];
    struct der_writer extension = der_writer_into(space, sizeof(space));
    pck_write(&extension, &info);
    request = sim_request(SIM_NAME_PREFIX "PCK Certificate", now_s);
    request.extensions[0] = (struct x509_extra_extension){ .oid = pck_extension_oid,
                                                           .value = der_writer_view(&extension) };
    request.extension_count = 1;
    if (!sim_issuer_make(&leaf, &request, &middle, error))
        return false;
    AUTO_BUFFER struct buffer pem;
    buffer_init(&pem, PEM_SIZE_MAX);
    pem_append(&pem, "CERTIFICATE", buffer_view(&leaf.der));
    pem_append(&pem, "CERTIFICATE", buffer_view(&middle.der));
    pem_append(&pem, "CERTIFICATE", buffer_view(&top.der));
    if (!assemble(root, &leaf.key, buffer_view(&pem), error) ||
        !sim_collateral_make(&root->collateral, &top, &middle, now_s, error))
        return false;
    *made = TAKE(root);
    return true;
}

void sim_root_free(struct sim_root *root)
{
    if (root == NULL)
        return;
    ecdsa_key_free(root->pck_key);
    ecdsa_key_free(root->attestation_key);
    buffer_done(&root->pem);
    sim_collateral_done(&root->collateral);
    free(root);
}

bool sim_root_export(struct secret_buffer *text, const struct sim_root *root, struct error *error)
{
    AUTO_SECRET_BUFFER struct secret_buffer key = { 0 };
    AUTO_SECRET_BUFFER struct secret_buffer whole = { 0 };
    AUTO_BUFFER struct buffer public;
    buffer_init(&public, 2 * PEM_SIZE_MAX);
    buffer_append(&public, buffer_view(&root->pem));
    if (!sim_collateral_write(&public, &root->collateral, error) ||
        !ecdsa_key_to_pem(&key, root->pck_key, error) ||
        !secret_buffer_init(&whole, key.size + public.size, error))
        return false;
    memcpy(whole.data, key.data, key.size);
    memcpy(whole.data + key.size, public.data, public.size);
    *text = whole;
    whole = (struct secret_buffer){ 0 };
    return true;
}

bool sim_root_import(struct sim_root **made, struct bytes text, struct error *error)
{
    AUTO_SECRET_BUFFER struct secret_buffer skipped = { 0 };
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    AUTO(sim_root) struct sim_root *root = root_new();
    size_t size;
    struct reader reader = reader_of(text);
    if (root == NULL)
        return error_set(error, ERROR_NO_MEMORY, "simulated platform");
    if (!secret_buffer_init(&skipped, PRIVATE_KEY_SIZE_MAX, error) ||
        !pem_read(&reader, "PRIVATE KEY", skipped.data, skipped.size, &size, error))
        return error_within(error, "simulated platform");
    size_t key_size = reader_offset(&reader);
    struct bytes public = bytes_part(text, key_size, text.size);
    size_t chain_size = sim_collateral_find(public);
    if (!ecdsa_key_from_pem(&key, bytes_part(text, 0, key_size), error) ||
        !assemble(root, &key, bytes_part(public, 0, chain_size), error) ||
        !sim_collateral_read(&root->collateral, bytes_part(public, chain_size, public.size), error))
        return error_within(error, "simulated platform");
    *made = TAKE(root);
    return true;
}

bool sim_collateral(const struct sim_root *root, struct attest_collateral *collateral)
{
    *collateral = (struct attest_collateral){
        .tcb_info = buffer_view(&root->collateral.tcb_info),
        .qe_identity = buffer_view(&root->collateral.qe_identity),
        .tcb_chain = buffer_view(&root->collateral.tcb_chain),
        .pck_crl = buffer_view(&root->collateral.pck_crl),
        .root_crl = buffer_view(&root->collateral.root_crl),
    };
    return !sim_collateral_is_empty(&root->collateral);
}

struct bytes sim_root_certificate(const struct sim_root *root)
{
    return root->chain.certificates[root->chain.count - 1].der;
}

static void measure(uint8_t *target, const char *what, const char *version)
{
    char text[64];
    snprintf(text, sizeof(text), "s3n-sim/%s%s%s", what, version[0] == '\0' ? "" : "/", version);
    struct digest48 digest = sha384_of(bytes_of_string(text));
    memcpy(target, digest.bytes, sizeof(digest.bytes));
}

void sim_measurements(struct td_report *report)
{
    /* SEPT_VE_DISABLE, and the usual XFAM of a Linux guest. */
    *report = (struct td_report){ .tee_tcb_svn = { 1, 1 },
                                  .td_attributes = { [3] = 0x10 },
                                  .xfam = { 0xe7, 0x02, 0x06 } };
    measure(report->mr_seam, "mrseam", "");
    measure(report->mr_td, "mrtd", S3N_VERSION);
    measure(report->rtmr[0], "rtmr0", S3N_VERSION);
    measure(report->rtmr[1], "rtmr1", S3N_VERSION);
    measure(report->rtmr[2], "rtmr2", S3N_VERSION);
}

bool sim_quote(struct buffer *made, const struct sim_root *root, const uint8_t *report_data,
               const struct td_report *report, struct error *error)
{
    uint8_t auth_data[AUTH_DATA_SIZE];
    fill_auth_data(auth_data);
    struct quote quote = { .attestation_key = *ecdsa_key_public(root->attestation_key),
                           .qe_report_part = BYTES_OF(root->qe_report_part),
                           .qe_report_signature = root->qe_report_signature,
                           .auth_data = BYTES_OF(auth_data),
                           .pck_chain = buffer_view(&root->pem) };
    if (report == NULL)
        sim_measurements(&quote.td);
    else
        quote.td = *report;
    quote.td.is_15 = false;
    memcpy(quote.td.report_data, report_data, REPORT_DATA_SIZE);
    uint8_t space[QUOTE_SIZE_MAX];
    struct writer writer = writer_into(space, sizeof(space));
    quote_write_signed_part(&writer, &quote);
    ASSERT(writer_view(&writer).size == SIGNED_PART_SIZE);
    struct digest32 digest = sha256_of(writer_view(&writer));
    if (!ecdsa_sign(&quote.signature, root->attestation_key, &digest, error))
        return error_within(error, "simulated quote");
    quote_write_signature_data(&writer, &quote);
    ASSERT(!writer.failed);
    buffer_append(made, writer_view(&writer));
    return !made->failed || error_set(error, ERROR_LIMIT, "simulated quote does not fit");
}
