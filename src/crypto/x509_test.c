/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/x509.h"

#include "core/hex.h"
#include "crypto/der.h"
#include "crypto/fixture.h"
#include "tests/harness.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#define ROOT_FILE  "tests/data/certificates/intel_sgx_root_ca.der"
#define CHAIN_FILE "tests/data/certificates/tcb_signing_chain_2025.pem"

enum {
    /* 2025-06-20; the TCB Signing certificate is valid 2025-05-06 to 2032-05-06. */
    NOW_S = 1750377600,
    DAY_S = 86400
};

/* A certificate that we issued, with its key. */
struct issued {
    struct ecdsa_key *key;
    struct buffer der;
    struct x509_certificate certificate;
};

static void issued_done(struct issued *issued)
{
    ecdsa_key_free(issued->key);
    buffer_done(&issued->der);
}
#define AUTO_ISSUED __attribute__((cleanup(issued_done)))

static bool issue(struct issued *issued, const struct x509_request *request,
                  const struct issued *issuer)
{
    struct error error;
    buffer_init(&issued->der, X509_SIZE_MAX);
    bool is_issued = ecdsa_key_generate(&issued->key, &error) &&
                     x509_issue(&issued->der, request, ecdsa_key_public(issued->key),
                                issuer == NULL ? NULL : &issuer->certificate,
                                issuer == NULL ? issued->key : issuer->key, &error) &&
                     x509_parse(&issued->certificate, buffer_view(&issued->der), &error);
    CHECK_NOTE(is_issued, "%s", error.text);
    return is_issued;
}

static struct x509_request request_of(const char *name, bool is_ca)
{
    return (struct x509_request){ .common_name = name,
                                  .organization = "S3N",
                                  .not_before_s = NOW_S - DAY_S,
                                  .not_after_s = NOW_S + DAY_S,
                                  .is_ca = is_ca,
                                  .path_length = -1 };
}

static bool chain_holds(const struct issued *const *issued, size_t count, int64_t now_s,
                        enum x509_fault *fault)
{
    struct error error;
    struct x509_certificate certificates[4];
    for (size_t i = 0; i < count; i++)
        certificates[i] = issued[i]->certificate;
    *fault = X509_FAULT_NONE;
    bool holds =
        x509_chain_verify(certificates, count - 1, &certificates[count - 1], now_s, fault, &error);
    CHECK(holds == (*fault == X509_FAULT_NONE));
    CHECK(holds || error.code == ERROR_UNVERIFIED);
    return holds;
}

static void reads_a_real_root(void)
{
    struct error error;
    struct x509_certificate root;
    REQUIRE(x509_parse(&root, test_file(ROOT_FILE), &error));
    CHECK_BYTES(root.common_name, BYTES_LITERAL("Intel SGX Root CA"));
    CHECK(x509_is_self_issued(&root));
    CHECK(root.is_ca && root.has_basic_constraints);
    CHECK_NUMBER(root.path_length, 1);
    CHECK_NUMBER(root.key_usage, X509_USAGE_CERT_SIGN | X509_USAGE_CRL_SIGN);
    CHECK_NUMBER(root.not_before_s, 1526899510);
    CHECK_NUMBER(root.not_after_s, 2524607999);
    CHECK(!root.has_unknown_critical);
    char serial[41];
    REQUIRE(root.serial.size == 20);
    hex_encode(serial, root.serial);
    CHECK_STRING(serial, "22650cd65a9d3489f383b49552bf501b392706ac");
    CHECK(x509_signature_verify(&root, &root.key, &error));
}

static void verifies_a_real_chain_at_its_time(void)
{
    struct error error;
    enum x509_fault fault = X509_FAULT_NONE;
    struct x509_certificate root;
    struct x509_chain chain;
    REQUIRE(x509_parse(&root, test_file(ROOT_FILE), &error));
    REQUIRE(x509_chain_parse_pem(&chain, test_file(CHAIN_FILE), &error));
    REQUIRE(chain.count == 2);
    const struct x509_certificate *leaf = &chain.certificates[0];
    CHECK(x509_chain_verify(chain.certificates, 2, &root, NOW_S, &fault, &error));
    CHECK(x509_chain_verify(chain.certificates, 1, &root, NOW_S, &fault, &error));
    CHECK(x509_chain_verify(chain.certificates, 2, &root, leaf->not_before_s, &fault, &error));
    CHECK(x509_chain_verify(chain.certificates, 2, &root, leaf->not_after_s, &fault, &error));
    CHECK(!x509_chain_verify(chain.certificates, 2, &root, leaf->not_before_s - 1, &fault, &error));
    CHECK_NUMBER(fault, X509_FAULT_NOT_YET_VALID);
    CHECK(!x509_chain_verify(chain.certificates, 2, &root, leaf->not_after_s + 1, &fault, &error));
    CHECK_NUMBER(fault, X509_FAULT_EXPIRED);
    CHECK(!x509_chain_verify(chain.certificates, 0, &root, NOW_S, &fault, &error));
    /* A leaf is not a root. */
    CHECK(!x509_chain_verify(chain.certificates, 2, leaf, NOW_S, &fault, &error));
    CHECK_NUMBER(fault, X509_FAULT_ROOT_UNTRUSTED);
}

static void refuses_every_change_of_a_real_certificate(void)
{
    struct error error;
    enum x509_fault fault;
    struct x509_certificate root;
    struct x509_chain chain;
    REQUIRE(x509_parse(&root, test_file(ROOT_FILE), &error));
    REQUIRE(x509_chain_parse_pem(&chain, test_file(CHAIN_FILE), &error));
    struct bytes original = chain.certificates[0].der;
    uint8_t copy[X509_SIZE_MAX];
    memcpy(copy, original.data, original.size);
    struct x509_certificate changed;
    for (size_t i = 0; i < original.size; i++) {
        static const uint8_t flips[] = { 0x01, 0x80, 0xff };
        for (size_t j = 0; j < ARRAY_COUNT(flips); j++) {
            copy[i] ^= flips[j];
            CHECK_NOTE(!x509_parse(&changed, bytes_of(copy, original.size), &error) ||
                           !x509_chain_verify(&changed, 1, &root, NOW_S, &fault, &error),
                       "byte %zu ^ %02x", i, flips[j]);
            copy[i] ^= flips[j];
        }
        CHECK(!x509_parse(&changed, bytes_of(copy, i), &error));
    }
    CHECK(!x509_parse(&changed, bytes_of(copy, original.size + 1), &error));
}

static void refuses_every_change_of_a_pem_text(void)
{
    struct error error;
    enum x509_fault fault;
    struct x509_certificate root;
    struct x509_chain chain;
    REQUIRE(x509_parse(&root, test_file(ROOT_FILE), &error));
    struct bytes pem = test_file(CHAIN_FILE);
    uint8_t copy[4096];
    REQUIRE(pem.size < sizeof(copy));
    memcpy(copy, pem.data, pem.size);
    for (size_t i = 0; i < pem.size; i++) {
        static const uint8_t flips[] = { 0x01, 0x07, 0x0a, 0x20 };
        for (size_t j = 0; j < ARRAY_COUNT(flips); j++) {
            copy[i] ^= flips[j];
            CHECK_NOTE(!x509_chain_parse_pem(&chain, bytes_of(copy, pem.size), &error) ||
                           !x509_chain_verify(chain.certificates, chain.count, &root, NOW_S, &fault,
                                              &error),
                       "byte %zu ^ %02x", i, flips[j]);
            copy[i] ^= flips[j];
        }
    }
    /* A final NUL is as real chains have it. */
    copy[pem.size] = 0;
    bool ends_with_line = copy[pem.size - 1] == '\n';
    CHECK(x509_chain_parse_pem(&chain, bytes_of(copy, pem.size + 1), &error) == ends_with_line);
}

static void issues_chains_that_hold(void)
{
    AUTO_ISSUED struct issued root = { 0 };
    AUTO_ISSUED struct issued middle = { 0 };
    AUTO_ISSUED struct issued leaf = { 0 };
    struct x509_request request = request_of("root", true);
    request.path_length = 1;
    REQUIRE(issue(&root, &request, NULL));
    request = request_of("middle", true);
    request.path_length = 0;
    REQUIRE(issue(&middle, &request, &root));
    static const char *const names[] = { "localhost", "127.0.0.1", "::1", NULL };
    request = request_of("leaf", false);
    request.names = names;
    request.is_tls_server = true;
    request.extensions[0] = (struct x509_extra_extension){ .oid = BYTES_LITERAL("\x2a\x03\x04"),
                                                           .value = BYTES_LITERAL("\x02\x01\x07") };
    request.extension_count = 1;
    REQUIRE(issue(&leaf, &request, &middle));
    CHECK_BYTES(leaf.certificate.common_name, BYTES_LITERAL("leaf"));
    CHECK_NUMBER(leaf.certificate.key_usage, X509_USAGE_DIGITAL_SIGNATURE);
    CHECK(!leaf.certificate.is_ca);
    CHECK_NUMBER(leaf.certificate.not_before_s, NOW_S - DAY_S);
    CHECK_NUMBER(leaf.certificate.not_after_s, NOW_S + DAY_S);
    struct bytes value;
    bool is_critical = true;
    CHECK(x509_extension_find(&leaf.certificate, BYTES_LITERAL("\x2a\x03\x04"), &value,
                              &is_critical));
    CHECK(!is_critical);
    CHECK_BYTES(value, BYTES_LITERAL("\x02\x01\x07"));
    CHECK(!x509_extension_find(&leaf.certificate, BYTES_LITERAL("\x2a\x03\x05"), &value,
                               &is_critical));
    enum x509_fault fault;
    const struct issued *chain[] = { &leaf, &middle, &root };
    CHECK(chain_holds(chain, 3, NOW_S, &fault));
    CHECK(!chain_holds(chain, 3, NOW_S + DAY_S + 1, &fault));
    CHECK_NUMBER(fault, X509_FAULT_EXPIRED);
    const struct issued *gap[] = { &leaf, &root };
    CHECK(!chain_holds(gap, 2, NOW_S, &fault));
    CHECK_NUMBER(fault, X509_FAULT_ROOT_UNTRUSTED);
    const struct issued *swapped[] = { &middle, &leaf, &root };
    CHECK(!chain_holds(swapped, 3, NOW_S, &fault));
    const struct issued *wrong_root[] = { &leaf, &middle };
    CHECK(chain_holds(wrong_root, 2, NOW_S, &fault));
}

/* OpenSSL, as a stranger, reads the same and agrees with the signature. */
static void openssl_reads_what_we_issue(void)
{
    AUTO_ISSUED struct issued root = { 0 };
    static const char *const names[] = { "localhost", NULL };
    struct x509_request request = request_of("root", true);
    request.names = names;
    /* Beyond 2050: GeneralizedTime. */
    request.not_after_s = INT64_C(4102444800);
    REQUIRE(issue(&root, &request, NULL));
    const unsigned char *at = root.der.data;
    X509 *read = d2i_X509(NULL, &at, (long)root.der.size);
    REQUIRE(read != NULL);
    CHECK(at == root.der.data + root.der.size);
    CHECK_NUMBER(X509_verify(read, X509_get0_pubkey(read)), 1);
    CHECK_NUMBER(X509_check_ca(read), 1);
    CHECK_NUMBER(X509_check_host(read, "localhost", 0, 0, NULL), 1);
    struct tm date = { 0 };
    CHECK_NUMBER(ASN1_TIME_to_tm(X509_get0_notAfter(read), &date), 1);
    CHECK_NUMBER(date.tm_year, 200);
    CHECK_NUMBER(root.certificate.not_after_s, INT64_C(4102444800));
    X509_free(read);
}

static void refuses_broken_paths(void)
{
    enum x509_fault fault;
    AUTO_ISSUED struct issued root = { 0 };
    AUTO_ISSUED struct issued middle = { 0 };
    AUTO_ISSUED struct issued lower = { 0 };
    AUTO_ISSUED struct issued leaf = { 0 };
    AUTO_ISSUED struct issued other = { 0 };
    struct x509_request request = request_of("root", true);
    request.path_length = 1;
    REQUIRE(issue(&root, &request, NULL));
    REQUIRE(issue(&other, &request, NULL));
    request = request_of("middle", true);
    REQUIRE(issue(&middle, &request, &root));
    request = request_of("lower", true);
    REQUIRE(issue(&lower, &request, &middle));
    request = request_of("leaf", false);
    REQUIRE(issue(&leaf, &request, &lower));
    const struct issued *too_long[] = { &leaf, &lower, &middle, &root };
    CHECK(!chain_holds(too_long, 4, NOW_S, &fault));
    CHECK_NUMBER(fault, X509_FAULT_INVALID);
    /* The same name, another key. */
    const struct issued *wrong_key[] = { &middle, &other };
    CHECK(!chain_holds(wrong_key, 2, NOW_S, &fault));
    CHECK_NUMBER(fault, X509_FAULT_INVALID);
    const struct issued *carried[] = { &middle, &root, &other };
    CHECK(!chain_holds(carried, 3, NOW_S, &fault));
    CHECK_NUMBER(fault, X509_FAULT_ROOT_UNTRUSTED);
    /* A leaf that acts as an authority. */
    AUTO_ISSUED struct issued below_leaf = { 0 };
    request = request_of("below leaf", false);
    REQUIRE(issue(&below_leaf, &request, &leaf));
    const struct issued *leaf_signs[] = { &below_leaf, &leaf };
    CHECK(!chain_holds(leaf_signs, 2, NOW_S, &fault));
    CHECK_NUMBER(fault, X509_FAULT_INVALID);
    /* An extension that must be understood and is not. */
    AUTO_ISSUED struct issued critical = { 0 };
    request = request_of("critical", false);
    request.extensions[0] = (struct x509_extra_extension){ .oid = BYTES_LITERAL("\x2a\x03\x04"),
                                                           .value = BYTES_LITERAL("\x02\x01\x07"),
                                                           .is_critical = true };
    request.extension_count = 1;
    REQUIRE(issue(&critical, &request, &root));
    const struct issued *not_understood[] = { &critical, &root };
    CHECK(!chain_holds(not_understood, 2, NOW_S, &fault));
    CHECK_NUMBER(fault, X509_FAULT_INVALID);
}

static void refuses_duplicated_extensions(void)
{
    struct error error;
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    REQUIRE(ecdsa_key_generate(&key, &error));
    AUTO_BUFFER struct buffer der;
    buffer_init(&der, X509_SIZE_MAX);
    struct x509_request request = request_of("twice", false);
    for (size_t i = 0; i < 2; i++)
        request.extensions[i] =
            (struct x509_extra_extension){ .oid = BYTES_LITERAL("\x2a\x03\x04"),
                                           .value = BYTES_LITERAL("\x02\x01\x07") };
    request.extension_count = 2;
    REQUIRE(x509_issue(&der, &request, ecdsa_key_public(key), NULL, key, &error));
    struct x509_certificate certificate;
    CHECK(!x509_parse(&certificate, buffer_view(&der), &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
}

/* A self-signed authority, said field by field. */
static bool is_read(const struct fixture_key *key, const struct fixture_certificate *content,
                    struct x509_certificate *certificate, struct buffer *der)
{
    struct error error;
    buffer_clear(der);
    fixture_certificate(der, content, key, key, FIXTURE_ECDSA);
    return x509_parse(certificate, buffer_view(der), &error);
}

static void reads_odd_numbers_one_way_only(void)
{
    static const struct {
        const char *what;
        struct bytes serial;
        bool is_read;
    } serials[] = {
        { "zero", { (const uint8_t *)"\x00", 1 }, true },
        { "negative", { (const uint8_t *)"\x80", 1 }, false },
        { "negative, long", { (const uint8_t *)"\xff\x00\x00\x01", 4 }, false },
        { "padded", { (const uint8_t *)"\x00\x05", 2 }, false },
        { "with its sign", { (const uint8_t *)"\x00\x85", 2 }, true },
        { "20 bytes", { (const uint8_t *)"12345678901234567890", 20 }, true },
        { "20 bytes and the sign",
          { (const uint8_t *)"\x00\x99"
                             "2345678901234567890",
            21 },
          true },
        { "21 bytes", { (const uint8_t *)"123456789012345678901", 21 }, false },
    };
    AUTO(fixture_key) struct fixture_key *key = fixture_key_new(PUBLIC_KEY_P256, 0);
    AUTO_BUFFER struct buffer der;
    buffer_init(&der, X509_SIZE_MAX);
    struct x509_certificate certificate;
    for (size_t i = 0; i < ARRAY_COUNT(serials); i++) {
        struct fixture_certificate content = { .issuer = "self",
                                               .subject = "self",
                                               .serial = serials[i].serial,
                                               .not_before_s = NOW_S,
                                               .not_after_s = NOW_S + DAY_S };
        CHECK_NOTE(is_read(key, &content, &certificate, &der) == serials[i].is_read, "%s",
                   serials[i].what);
    }
    /* Key usage: no more unused bits than the last byte has, and those are zero. */
    static const struct {
        const char *usage;
        bool is_read;
    } usages[] = {
        { "\x01\x06", true },  { "\x02\x04", true },  { "\x01\x04", true },  { "\x00\x06", true },
        { "\x02\x06", false }, { "\x07\x00", false }, { "\x08\x80", false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(usages); i++) {
        struct fixture_certificate content = { .issuer = "self",
                                               .subject = "self",
                                               .not_before_s = NOW_S,
                                               .not_after_s = NOW_S + DAY_S,
                                               .key_usage = usages[i].usage };
        CHECK_NOTE(is_read(key, &content, &certificate, &der) == usages[i].is_read, "usage %zu", i);
    }
}

static void reads_dates_far_out(void)
{
    AUTO(fixture_key) struct fixture_key *key = fixture_key_new(PUBLIC_KEY_P256, 0);
    AUTO_BUFFER struct buffer der;
    buffer_init(&der, X509_SIZE_MAX);
    struct error error;
    enum x509_fault fault;
    struct x509_certificate certificate;
    struct fixture_certificate content = { .issuer = "self",
                                           .subject = "self",
                                           .not_after_s = INT64_C(253402300799),
                                           .constraints = FIXTURE_CA };
    REQUIRE(is_read(key, &content, &certificate, &der));
    CHECK_NUMBER(certificate.not_before_s, 0);
    CHECK_NUMBER(certificate.not_after_s, INT64_C(253402300799));
    CHECK(x509_chain_verify(&certificate, 1, &certificate, 0, &fault, &error));
    CHECK(!x509_chain_verify(&certificate, 1, &certificate, -1, &fault, &error));
    CHECK_NUMBER(fault, X509_FAULT_NOT_YET_VALID);
    CHECK(!x509_chain_verify(&certificate, 1, &certificate, INT64_MIN, &fault, &error));
    CHECK(!x509_chain_verify(&certificate, 1, &certificate, INT64_MAX, &fault, &error));
    CHECK_NUMBER(fault, X509_FAULT_EXPIRED);
    /* An end before the beginning is valid at no time. */
    content.not_before_s = NOW_S;
    content.not_after_s = NOW_S - 1;
    if (is_read(key, &content, &certificate, &der))
        for (int64_t at_s = NOW_S - 2; at_s <= NOW_S + 1; at_s++)
            CHECK(!x509_chain_verify(&certificate, 1, &certificate, at_s, &fault, &error));
}

static void keeps_to_its_limits(void)
{
    struct error error;
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    REQUIRE(ecdsa_key_generate(&key, &error));
    AUTO_BUFFER struct buffer der;
    buffer_init(&der, X509_SIZE_MAX);
    static uint8_t huge[X509_SIZE_MAX + 1];
    struct x509_request request = request_of("huge", false);
    request.extensions[0] = (struct x509_extra_extension){ .oid = BYTES_LITERAL("\x2a\x03\x04"),
                                                           .value = BYTES_OF(huge) };
    request.extension_count = 1;
    CHECK(!x509_issue(&der, &request, ecdsa_key_public(key), NULL, key, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    request =
        request_of("01234567890123456789012345678901234567890123456789012345678901234", false);
    CHECK(!x509_issue(&der, &request, ecdsa_key_public(key), NULL, key, &error));
    request = request_of("backwards", false);
    request.not_after_s = request.not_before_s - 1;
    CHECK(!x509_issue(&der, &request, ecdsa_key_public(key), NULL, key, &error));
    struct x509_certificate certificate;
    CHECK(!x509_parse(&certificate, BYTES_OF(huge), &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    /* More certificates than a chain may have. */
    struct x509_chain chain;
    AUTO_BUFFER struct buffer many;
    buffer_init(&many, PEM_SIZE_MAX + 1);
    struct bytes pem = test_file(CHAIN_FILE);
    for (size_t i = 0; i < 4; i++) {
        buffer_append(&many, pem);
        if (pem.data[pem.size - 1] != '\n')
            buffer_append_string(&many, "\n");
    }
    CHECK(!x509_chain_parse_pem(&chain, buffer_view(&many), &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
}

static const struct test tests[] = {
    TEST(reads_a_real_root),
    TEST(verifies_a_real_chain_at_its_time),
    TEST(refuses_every_change_of_a_real_certificate),
    TEST(refuses_every_change_of_a_pem_text),
    TEST(issues_chains_that_hold),
    TEST(openssl_reads_what_we_issue),
    TEST(refuses_broken_paths),
    TEST(refuses_duplicated_extensions),
    TEST(reads_odd_numbers_one_way_only),
    TEST(reads_dates_far_out),
    TEST(keeps_to_its_limits),
};
TEST_MAIN(tests)
