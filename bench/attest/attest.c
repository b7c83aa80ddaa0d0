/* SPDX-License-Identifier: Apache-2.0 */
/* What the full verification of a real TDX quote with its collateral costs, everything parsed each
 * time: certificates, lists, TCB info, QE identity.  Times are of this process's processor.
 *
 *   bench-attest FOLDER case         the quote as other verifiers' programs read it (tests/oracles)
 *   bench-attest FOLDER full COUNT   microseconds of one verification
 *   bench-attest FOLDER warm COUNT   the same with collateral and issuers that are known
 *   bench-attest FOLDER rows         rows of bench/run: share of the signatures, warm verification
 *
 * FOLDER is tests/data/attest. */
#include "attest/attest.h"
#include "attest/intel/tcb_level.h"
#include "base/file.h"
#include "core/hex.h"
#include "crypto/ecdsa.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    ROUNDS = 21,
    CALLS = 20,           /* in a round */
    NOW_S = 1750377600,   /* 2025-06-20: all of it is in time */
    QUOTE_SIGNATURES = 4, /* of quote, quoting enclave, PCK leaf and PCK CA */
    FRESH_SIGNATURES = 2, /* the first two: no cache can know them */
    FILE_SIZE_MAX = 65536
};

enum piece {
    QUOTE,
    TCB_INFO,
    QE_IDENTITY,
    TCB_CHAIN,
    PCK_CRL,
    ROOT_CRL,
    PIECE_COUNT
};

static const struct {
    const char *name; /* as tests/oracles call it */
    const char *file;
} pieces[PIECE_COUNT] = {
    [QUOTE] = { "quote", "tdx_v4_phala_b0c06f.bin" },
    [TCB_INFO] = { "tcb_info", "intel/tcb_info_b0c06f_20250619.json" },
    [QE_IDENTITY] = { "qe_identity", "intel/td_qe_identity_b0c06f_20250619.json" },
    [TCB_CHAIN] = { "tcb_chain", "intel/tcb_signing_chain_2025.pem" },
    [PCK_CRL] = { "pck_crl", "intel/pck_platform_crl_b0c06f_20250619.der" },
    [ROOT_CRL] = { "root_crl", "intel/root_ca_crl_20250320.der" },
};

struct scene {
    struct buffer files[PIECE_COUNT];
    struct attest_options options;
    struct intel_known *known;
    /* What the signatures are of, parsed once. */
    struct quote quote;
    struct x509_chain pck;
    struct x509_chain tcb;
    struct x509_certificate root;
    struct crl crls[2];
    struct tcb_envelope envelopes[2];
    EVP_PKEY_CTX *bare;
    uint8_t digest[32];
    uint8_t signature[80];
    size_t signature_size;
};

static struct bytes part(const struct scene *scene, enum piece piece)
{
    return buffer_view(&scene->files[piece]);
}

static bool read_files(struct scene *scene, const char *folder, struct error *error)
{
    for (size_t i = 0; i < PIECE_COUNT; i++) {
        char path[1024];
        snprintf(path, sizeof(path), "%s/%s", folder, pieces[i].file);
        buffer_init(&scene->files[i], FILE_SIZE_MAX);
        if (!file_read(&scene->files[i], path, error))
            return false;
    }
    scene->options =
        (struct attest_options){ .tee = ATTEST_TEE_TDX,
                                 .now_s = NOW_S,
                                 .collateral = { .tcb_info = part(scene, TCB_INFO),
                                                 .qe_identity = part(scene, QE_IDENTITY),
                                                 .tcb_chain = part(scene, TCB_CHAIN),
                                                 .pck_crl = part(scene, PCK_CRL),
                                                 .root_crl = part(scene, ROOT_CRL) } };
    return true;
}

static void prepare(struct scene *scene)
{
    struct error error;
    enum attest_reason reason;
    bool is_ready =
        quote_parse(&scene->quote, part(scene, QUOTE), &reason, &error) &&
        x509_chain_parse_pem(&scene->pck, scene->quote.pck_chain, &error) &&
        x509_chain_parse_pem(&scene->tcb, part(scene, TCB_CHAIN), &error) &&
        x509_parse(&scene->root, attest_intel_root(), &error) &&
        crl_parse(&scene->crls[0], part(scene, ROOT_CRL), &error) &&
        crl_parse(&scene->crls[1], part(scene, PCK_CRL), &error) &&
        tcb_envelope_parse(&scene->envelopes[0], part(scene, TCB_INFO), "tcbInfo") &&
        tcb_envelope_parse(&scene->envelopes[1], part(scene, QE_IDENTITY), "enclaveIdentity");
    ASSERT(is_ready);
    scene->known = intel_known_new();
    scene->bare = EVP_PKEY_CTX_new(EVP_EC_gen("P-256"), NULL);
    scene->signature_size = sizeof(scene->signature);
    is_ready = EVP_PKEY_sign_init(scene->bare) == 1 &&
               EVP_PKEY_sign(scene->bare, scene->signature, &scene->signature_size, scene->digest,
                             sizeof(scene->digest)) == 1 &&
               EVP_PKEY_verify_init(scene->bare) == 1;
    ASSERT(is_ready);
}

static void verify(struct scene *scene)
{
    static struct attest_verdict verdict;
    struct error error;
    bool is_valid = attest_verify(&verdict, part(scene, QUOTE), &scene->options, &error);
    ASSERT(is_valid && verdict.claims.intel.tcb_status == INTEL_TCB_UP_TO_DATE);
}

static void verify_warm(struct scene *scene)
{
    scene->options.known = scene->known;
    verify(scene);
    scene->options.known = NULL;
}

/* All nine of a full verification. */
static void signatures(struct scene *scene)
{
    struct error error;
    const struct x509_certificate *pck = scene->pck.certificates;
    const struct public_key *root = &scene->root.key;
    const struct public_key *tcb = &scene->tcb.certificates[0].key;
    struct digest32 quote = sha256_of(scene->quote.signed_part);
    struct digest32 report = sha256_of(scene->quote.qe_report_part);
    bool holds =
        x509_signature_verify(&pck[0], &pck[1].key, &error) &&
        x509_signature_verify(&pck[1], root, &error) &&
        x509_signature_verify(&scene->tcb.certificates[0], root, &error) &&
        public_key_verify(root, scene->crls[0].signed_part, &scene->crls[0].signature, &error) &&
        public_key_verify(&pck[1].key, scene->crls[1].signed_part, &scene->crls[1].signature,
                          &error) &&
        ecdsa_verify(&pck[0].key.p256, &report, &scene->quote.qe_report_signature, &error) &&
        ecdsa_verify(&scene->quote.attestation_key, &quote, &scene->quote.signature, &error);
    for (size_t i = 0; i < ARRAY_COUNT(scene->envelopes); i++) {
        struct signature_value value = { .kind = SIGNATURE_ECDSA_SHA256,
                                         .p256 = scene->envelopes[i].signature };
        holds = holds && public_key_verify(tcb, scene->envelopes[i].body, &value, &error);
    }
    ASSERT(holds);
}

static void bare_checks(struct scene *scene, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int result = EVP_PKEY_verify(scene->bare, scene->signature, scene->signature_size,
                                     scene->digest, sizeof(scene->digest));
        ASSERT(result == 1);
    }
}

static void bare_of_quote(struct scene *scene)
{
    bare_checks(scene, QUOTE_SIGNATURES);
}

static void bare_of_fresh(struct scene *scene)
{
    bare_checks(scene, FRESH_SIGNATURES);
}

static double time_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double round_us(void (*act)(struct scene *scene), struct scene *scene, unsigned calls)
{
    double start = time_us();
    for (unsigned i = 0; i < calls; i++)
        act(scene);
    return (time_us() - start) / (double)calls;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Ours and yardstick take turns; medians. */
static void measure(const char *name, void (*ours)(struct scene *),
                    void (*yardstick)(struct scene *), const char *goal, struct scene *scene)
{
    double mine[ROUNDS];
    double theirs[ROUNDS];
    for (unsigned i = 0; i < ROUNDS; i++) {
        mine[i] = round_us(ours, scene, CALLS);
        theirs[i] = round_us(yardstick, scene, CALLS);
    }
    qsort(mine, ROUNDS, sizeof(mine[0]), compare);
    qsort(theirs, ROUNDS, sizeof(theirs[0]), compare);
    printf("{\"name\": \"%s\", \"ours\": %.2f, \"yardstick\": %.2f, \"unit\": \"us\", "
           "\"runs\": %d, \"goal\": %s}\n",
           name, mine[ROUNDS / 2], theirs[ROUNDS / 2], ROUNDS * CALLS, goal);
}

static void print_hex(const char *name, struct bytes bytes)
{
    static char text[2 * FILE_SIZE_MAX + 1];
    hex_encode(text, bytes);
    printf(", \"%s\": \"%s\"", name, text);
}

static void print_case(const struct scene *scene)
{
    printf("{\"index\": 0, \"at\": %d", NOW_S);
    for (size_t i = 0; i < PIECE_COUNT; i++)
        print_hex(pieces[i].name, part(scene, (enum piece)i));
    print_hex("root", attest_intel_root());
    printf("}\n");
}

int main(int argc, char **argv)
{
    static struct scene scene;
    struct error error;
    if (argc < 3 || !read_files(&scene, argv[1], &error)) {
        fprintf(stderr, "usage: bench-attest FOLDER case|full COUNT|warm COUNT|rows\n");
        return 2;
    }
    prepare(&scene);
    if (strcmp(argv[2], "case") == 0) {
        print_case(&scene);
    } else if (strcmp(argv[2], "full") == 0 && argc == 4) {
        printf("%.2f\n", round_us(verify, &scene, (unsigned)strtoul(argv[3], NULL, 10)));
    } else if (strcmp(argv[2], "warm") == 0 && argc == 4) {
        printf("%.2f\n", round_us(verify_warm, &scene, (unsigned)strtoul(argv[3], NULL, 10)));
    } else {
        measure("the signatures in a full TDX verification / all of it", signatures, verify, "null",
                &scene);
        measure("TDX quote of a known platform / the two bare P-256 checks that are left",
                verify_warm, bare_of_fresh, "1.3", &scene);
        measure("TDX quote of a known platform / its four bare P-256 checks", verify_warm,
                bare_of_quote, "null", &scene);
    }
    return 0;
}
