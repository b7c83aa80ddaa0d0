/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: Nitro documents of a PKI of our own, all good until a test changes a part. */
#ifndef ATTEST_NITRO_TEST_DOCUMENTS_H
#define ATTEST_NITRO_TEST_DOCUMENTS_H

#include "attest/attest.h"
#include "crypto/fixture.h"

enum {
    NITRO_MAKER_NOW_S = 1795000000,
    NITRO_MAKER_HOUR_S = 3600,
    NITRO_MAKER_CHAIN_COUNT = 4, /* root, two authorities, leaf */
    NITRO_MAKER_LEAF = NITRO_MAKER_CHAIN_COUNT - 1,
    NITRO_MAKER_PCR_SIZE = 48,
    NITRO_MAKER_DOCUMENT_SIZE_MAX = 40000
};

#define NITRO_MAKER_SIGN_USAGE "\x07\x80" /* digitalSignature: unused bits, bits */
#define NITRO_MAKER_CA_USAGE   "\x01\x86" /* and keyCertSign, cRLSign */

/* What a document is made of; a test changes one thing. */
struct nitro_maker {
    struct fixture_key *keys[NITRO_MAKER_CHAIN_COUNT];
    struct fixture_certificate contents[NITRO_MAKER_CHAIN_COUNT]; /* root first */
    size_t signers[NITRO_MAKER_CHAIN_COUNT];                      /* whose key signs which */
    struct buffer certificates[NITRO_MAKER_CHAIN_COUNT];
    const char *module_id;
    const char *digest;
    int64_t timestamp_ms;
    size_t pcr_count;
    size_t pcr_size;
    uint64_t pcr_first;
    struct bytes optional[3]; /* public key, user data, nonce; without data: null */
    bool leaves_options_out;
    const char *drops;  /* a member to leave out */
    const char *adds;   /* a member to write twice */
    struct bytes extra; /* encoded key and value, at the end of the payload */
    size_t extra_count;
    bool is_indefinite;
    struct bytes protected_part;
    struct bytes unprotected;
    bool is_tagged;
    size_t bundle_count; /* certificates of the bundle that are written */
    struct x509_certificate root;
    uint8_t payload[NITRO_MAKER_DOCUMENT_SIZE_MAX];
    size_t payload_size;
    uint8_t document[NITRO_MAKER_DOCUMENT_SIZE_MAX];
    size_t size;
};

void nitro_maker_init(struct nitro_maker *maker);
void nitro_maker_done(struct nitro_maker *maker);
#define AUTO_MAKER __attribute__((cleanup(nitro_maker_done)))
/* The three steps of nitro_maker_make; the last signs the payload as it stands. */
void nitro_maker_make_certificates(struct nitro_maker *maker);
void nitro_maker_write_payload(struct nitro_maker *maker);
void nitro_maker_sign(struct nitro_maker *maker);
void nitro_maker_make(struct nitro_maker *maker);
/* The keys are made once and shared by all makers. */
void nitro_maker_free_keys(void);

#endif
