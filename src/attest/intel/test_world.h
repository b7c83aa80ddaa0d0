/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: a platform, its makers and their collateral, all good until a test spoils a part. */
#ifndef ATTEST_INTEL_TEST_WORLD_H
#define ATTEST_INTEL_TEST_WORLD_H

#include "attest/attest.h"
#include "crypto/fixture.h"

enum {
    WORLD_NOW_S = 1780000000,
    WORLD_DAY_S = 86400
};

/* A JSON document: the body and whose key signs it. */
struct world_document {
    const char *name;
    char body[16384];
    const struct fixture_key *signer;
    const char *suffix; /* behind the document */
    const char *extra;  /* members beside body and signature, with a comma behind */
    struct buffer text;
};

struct test_world {
    struct fixture_key *root_key;
    struct fixture_key *ca_key;
    struct fixture_key *leaf_key;
    struct fixture_key *tcb_key;
    struct fixture_key *attestation_key;
    struct fixture_key *stranger_key;
    struct fixture_certificate root;
    struct fixture_certificate ca;
    struct fixture_certificate leaf;
    struct fixture_certificate tcb;
    const struct fixture_key *ca_issuer_key;
    const struct fixture_key *leaf_issuer_key;
    const struct fixture_key *tcb_issuer_key;
    struct pck_info pck;
    uint8_t pck_extension[1024];
    size_t pck_extension_size;
    struct fixture_crl root_crl;
    struct fixture_crl pck_crl;
    const struct fixture_key *root_crl_key;
    const struct fixture_key *pck_crl_key;
    struct bytes serials[2];
    struct world_document tcb_info;
    struct world_document qe_identity;
    struct td_report td;
    struct sgx_report qe;
    struct bytes auth_data;
    struct attest_options options;
    /* Made by world_build. */
    struct x509_certificate anchor;
    struct buffer ders[4];
    struct buffer lists[2];
    struct buffer pck_pem;
    struct buffer tcb_pem;
    struct buffer quote;
};

void world_init(struct test_world *world);
void world_done(struct test_world *world);
#define AUTO_WORLD __attribute__((cleanup(world_done)))
/* Signs and writes everything, and points the options at it. */
void world_build(struct test_world *world);
/* Signs the quote alone anew, over what world->td says now. */
void world_build_quote(struct test_world *world);
/* Replaces the first occurrence in a body. */
void world_replace(struct world_document *document, const char *what, const char *with);

#endif
