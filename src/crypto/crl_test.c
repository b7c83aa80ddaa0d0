/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/crl.h"

#include "crypto/fixture.h"
#include "tests/harness.h"

#include <string.h>

#define FOLDER "tests/data/"

enum {
    NOW_S = 1750377600, /* 2025-06-20 */
    DAY_S = 86400
};

static void reads_real_lists(void)
{
    static const struct {
        const char *list;
        const char *issuer; /* NULL: only read */
        size_t entry_count;
        int64_t this_update_s;
        int64_t next_update_s;
    } real[] = {
        { FOLDER "certificates/root_ca_crl_20250320.der",
          FOLDER "certificates/intel_sgx_root_ca.der", 0, 1742469717, 1775215317 },
        { FOLDER "certificates/pck_platform_crl_90c06f_20260218.der", NULL, 57, 1771411275,
          1774003275 },
        { FOLDER "attest/snp/crl/genoa_crl.der", FOLDER "attest/snp/certs/genoa_ark.der", 1,
          1729658184, 1762131600 },
        { FOLDER "attest/snp/crl/milan_crl.der", FOLDER "attest/snp/certs/milan_ark.der", 0,
          1746535146, 1778544000 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(real); i++) {
        struct error error;
        struct crl crl;
        if (!crl_parse(&crl, test_file(real[i].list), &error)) {
            CHECK_NOTE(false, "%s: %s", real[i].list, error.text);
            continue;
        }
        CHECK_NUMBER(crl.entry_count, real[i].entry_count);
        CHECK_NUMBER(crl.this_update_s, real[i].this_update_s);
        CHECK_NUMBER(crl.next_update_s, real[i].next_update_s);
        if (real[i].issuer == NULL)
            continue;
        struct x509_certificate issuer;
        enum crl_fault fault;
        REQUIRE(x509_parse(&issuer, test_file(real[i].issuer), &error));
        CHECK(crl_verify(&crl, &issuer, crl.this_update_s, &fault, &error));
        CHECK(crl_verify(&crl, &issuer, crl.next_update_s, &fault, &error));
        CHECK(!crl_verify(&crl, &issuer, crl.this_update_s - 1, &fault, &error));
        CHECK_NUMBER(fault, CRL_FAULT_NOT_YET_VALID);
        CHECK(!crl_verify(&crl, &issuer, crl.next_update_s + 1, &fault, &error));
        CHECK_NUMBER(fault, CRL_FAULT_EXPIRED);
    }
}

static void finds_serials(void)
{
    struct error error;
    struct crl crl;
    REQUIRE(crl_parse(&crl, test_file(FOLDER "attest/snp/crl/genoa_crl.der"), &error));
    CHECK(crl_is_revoked(&crl, BYTES_LITERAL("\x02\x00\x01")));
    CHECK(!crl_is_revoked(&crl, BYTES_LITERAL("\x02\x00\x02")));
    CHECK(!crl_is_revoked(&crl, BYTES_LITERAL("\x02\x00")));
    CHECK(!crl_is_revoked(&crl, (struct bytes){ 0 }));
    CHECK_BYTES(crl.number, BYTES_LITERAL("\x04"));
    REQUIRE(crl_parse(&crl, test_file(FOLDER "certificates/pck_platform_crl_90c06f_20260218.der"),
                      &error));
    static const uint8_t second[] = { 0xEF, 0xAE, 0x6E, 0x97, 0x15, 0xFC, 0xA1, 0x3B, 0x87, 0xE3,
                                      0x33, 0xE8, 0x26, 0x1E, 0xD6, 0xD9, 0x90, 0xA9, 0x26, 0xAD };
    CHECK(crl_is_revoked(&crl, BYTES_OF(second)));
    CHECK(!crl_is_revoked(&crl, bytes_of(second, 19)));
}

static void refuses_the_wrong_issuer(void)
{
    struct error error;
    struct crl crl;
    struct x509_certificate issuer;
    enum crl_fault fault;
    REQUIRE(crl_parse(&crl, test_file(FOLDER "attest/snp/crl/genoa_crl.der"), &error));
    REQUIRE(x509_parse(&issuer, test_file(FOLDER "attest/snp/certs/milan_ark.der"), &error));
    CHECK(!crl_verify(&crl, &issuer, crl.this_update_s, &fault, &error));
    CHECK_NUMBER(fault, CRL_FAULT_ISSUER);
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
}

static void refuses_every_change_of_a_real_list(void)
{
    struct error error;
    struct x509_certificate issuer;
    REQUIRE(x509_parse(&issuer, test_file(FOLDER "certificates/intel_sgx_root_ca.der"), &error));
    struct bytes original = test_file(FOLDER "certificates/root_ca_crl_20250320.der");
    uint8_t copy[512];
    REQUIRE(original.size < sizeof(copy));
    memcpy(copy, original.data, original.size);
    struct crl crl;
    enum crl_fault fault;
    for (size_t i = 0; i < original.size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            copy[i] ^= (uint8_t)(1 << bit);
            CHECK_NOTE(!crl_parse(&crl, bytes_of(copy, original.size), &error) ||
                           !crl_verify(&crl, &issuer, NOW_S, &fault, &error),
                       "byte %zu bit %u", i, bit);
            copy[i] ^= (uint8_t)(1 << bit);
        }
        CHECK(!crl_parse(&crl, bytes_of(copy, i), &error));
    }
    CHECK(!crl_parse(&crl, bytes_of(copy, original.size + 1), &error));
}

struct scene {
    struct fixture_key *key;
    struct buffer certificate;
    struct x509_certificate issuer;
    struct buffer list;
};

static void scene_done(struct scene *scene)
{
    fixture_key_free(scene->key);
    buffer_done(&scene->certificate);
    buffer_done(&scene->list);
}
#define AUTO_SCENE __attribute__((cleanup(scene_done)))

static void scene_init(struct scene *scene, const char *key_usage)
{
    struct error error;
    scene->key = fixture_key_new(PUBLIC_KEY_P384, 0);
    buffer_init(&scene->certificate, X509_SIZE_MAX);
    buffer_init(&scene->list, CRL_SIZE_MAX + 1);
    fixture_certificate(&scene->certificate,
                        &(struct fixture_certificate){ .issuer = "lists",
                                                       .subject = "lists",
                                                       .not_before_s = NOW_S - DAY_S,
                                                       .not_after_s = NOW_S + DAY_S,
                                                       .constraints = FIXTURE_CA,
                                                       .key_usage = key_usage },
                        scene->key, scene->key, FIXTURE_ECDSA);
    CHECK(x509_parse(&scene->issuer, buffer_view(&scene->certificate), &error));
}

static struct fixture_crl list_of(void)
{
    static const struct bytes serials[] = { { (const uint8_t *)"\x07", 1 },
                                            { (const uint8_t *)"\x00\x80", 2 } };
    return (struct fixture_crl){ .issuer = "lists",
                                 .this_update_s = NOW_S - DAY_S,
                                 .next_update_s = NOW_S + DAY_S,
                                 .serials = serials,
                                 .serial_count = ARRAY_COUNT(serials) };
}

static bool is_read(struct scene *scene, const struct fixture_crl *list, struct crl *crl)
{
    struct error error;
    buffer_clear(&scene->list);
    fixture_crl(&scene->list, list, scene->key, FIXTURE_ECDSA);
    return crl_parse(crl, buffer_view(&scene->list), &error);
}

static void judges_made_lists(void)
{
    AUTO_SCENE struct scene scene;
    scene_init(&scene, "\x01\x06");
    struct error error;
    struct crl crl;
    enum crl_fault fault;
    struct fixture_crl list = list_of();
    REQUIRE(is_read(&scene, &list, &crl));
    CHECK(crl_verify(&crl, &scene.issuer, NOW_S, &fault, &error));
    CHECK(crl_is_revoked(&crl, BYTES_LITERAL("\x07")));
    CHECK(crl_is_revoked(&crl, BYTES_LITERAL("\x80")));
    CHECK(!crl_is_revoked(&crl, BYTES_LITERAL("\x05")));
    AUTO_SCENE struct scene other;
    scene_init(&other, "\x01\x06");
    CHECK(!crl_verify(&crl, &other.issuer, NOW_S, &fault, &error));
    CHECK_NUMBER(fault, CRL_FAULT_SIGNATURE);
    /* An authority that may sign certificates only. */
    AUTO_SCENE struct scene mute;
    scene_init(&mute, "\x02\x04");
    REQUIRE(is_read(&mute, &list, &crl));
    CHECK(!crl_verify(&crl, &mute.issuer, NOW_S, &fault, &error));
    CHECK_NUMBER(fault, CRL_FAULT_ISSUER);
}

#define EXTENSION(oid_, value_, critical)                                                          \
    (struct x509_extra_extension)                                                                  \
    {                                                                                              \
        .oid = BYTES_LITERAL(oid_), .value = BYTES_LITERAL(value_), .is_critical = (critical)      \
    }

static void refuses_lists_that_say_less_than_they_seem(void)
{
    AUTO_SCENE struct scene scene;
    scene_init(&scene, "\x01\x06");
    struct crl crl;
    static const struct {
        const char *what;
        struct x509_extra_extension extension;
        bool is_read;
    } extensions[] = {
        { "number",
          { { (const uint8_t *)"\x55\x1d\x14", 3 }, { (const uint8_t *)"\x02\x01\x05", 3 }, false },
          true },
        { "critical number",
          { { (const uint8_t *)"\x55\x1d\x14", 3 }, { (const uint8_t *)"\x02\x01\x05", 3 }, true },
          true },
        { "number of another type",
          { { (const uint8_t *)"\x55\x1d\x14", 3 }, { (const uint8_t *)"\x04\x01\x05", 3 }, false },
          false },
        { "unknown",
          { { (const uint8_t *)"\x2a\x03\x04", 3 }, { (const uint8_t *)"\x05\x00", 2 }, false },
          true },
        { "unknown critical",
          { { (const uint8_t *)"\x2a\x03\x04", 3 }, { (const uint8_t *)"\x05\x00", 2 }, true },
          false },
        { "distribution point: only some certificates",
          { { (const uint8_t *)"\x55\x1d\x1c", 3 },
            { (const uint8_t *)"\x30\x03\x84\x01\xff", 5 },
            true },
          false },
        { "the same, not critical",
          { { (const uint8_t *)"\x55\x1d\x1c", 3 },
            { (const uint8_t *)"\x30\x03\x84\x01\xff", 5 },
            false },
          false },
        { "delta",
          { { (const uint8_t *)"\x55\x1d\x1b", 3 }, { (const uint8_t *)"\x02\x01\x01", 3 }, false },
          false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(extensions); i++) {
        struct fixture_crl list = list_of();
        list.extensions[list.extension_count++] = extensions[i].extension;
        CHECK_NOTE(is_read(&scene, &list, &crl) == extensions[i].is_read, "%s", extensions[i].what);
    }
    struct fixture_crl twice = list_of();
    twice.extensions[0] = twice.extensions[1] = EXTENSION("\x2a\x03\x04", "\x05\x00", false);
    twice.extension_count = 2;
    CHECK(!is_read(&scene, &twice, &crl));
    struct fixture_crl indirect = list_of();
    indirect.entry_extension = EXTENSION("\x55\x1d\x1d", "\x30\x00", true);
    CHECK(!is_read(&scene, &indirect, &crl));
    indirect.entry_extension.is_critical = false;
    CHECK(!is_read(&scene, &indirect, &crl));
    indirect.entry_extension = EXTENSION("\x2a\x03\x04", "\x05\x00", true);
    CHECK(!is_read(&scene, &indirect, &crl));
    indirect.entry_extension = EXTENSION("\x55\x1d\x15", "\x0a\x01\x07", false);
    CHECK(!is_read(&scene, &indirect, &crl));
    indirect.entry_extension = EXTENSION("\x55\x1d\x15", "\x0a\x01\x06", true);
    CHECK(is_read(&scene, &indirect, &crl));
}

static void refuses_malformed_lists(void)
{
    AUTO_SCENE struct scene scene;
    scene_init(&scene, "\x01\x06");
    struct error error;
    struct crl crl;
    struct fixture_crl list = list_of();
    list.is_v1 = true;
    CHECK(!is_read(&scene, &list, &crl));
    list = list_of();
    list.next_update_s = 0;
    CHECK(!is_read(&scene, &list, &crl));
    static const struct bytes negative[] = { { (const uint8_t *)"\x80", 1 } };
    list = list_of();
    list.serials = negative;
    list.serial_count = 1;
    CHECK(!is_read(&scene, &list, &crl));
    static const struct bytes huge[] = { { (const uint8_t *)"123456789012345678901", 21 } };
    list.serials = huge;
    CHECK(!is_read(&scene, &list, &crl));
    static const struct bytes longest[] = { { (const uint8_t *)"12345678901234567890", 20 } };
    list.serials = longest;
    CHECK(is_read(&scene, &list, &crl));
    static uint8_t large[CRL_SIZE_MAX + 1];
    CHECK(!crl_parse(&crl, BYTES_OF(large), &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
}

static const struct test tests[] = {
    TEST(reads_real_lists),         TEST(finds_serials),
    TEST(refuses_the_wrong_issuer), TEST(refuses_every_change_of_a_real_list),
    TEST(judges_made_lists),        TEST(refuses_lists_that_say_less_than_they_seem),
    TEST(refuses_malformed_lists),
};
TEST_MAIN(tests)
