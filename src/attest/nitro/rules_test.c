/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of a PKI of our own, in which every rule is broken once, alone. */
#include "attest/nitro/test_documents.h"
#include "crypto/der.h"
#include "tests/harness.h"

#include <string.h>

static enum attest_reason judge(const struct nitro_maker *maker, struct attest_verdict *verdict)
{
    struct error error;
    struct attest_options options = { .tee = ATTEST_TEE_NITRO,
                                      .now_s = NITRO_MAKER_NOW_S,
                                      .root = &maker->root };
    bool is_valid =
        attest_verify(verdict, bytes_of(maker->document, maker->size), &options, &error);
    CHECK(is_valid == (verdict->reason == ATTEST_REASON_NONE));
    return verdict->reason;
}

static enum attest_reason reason_of(struct nitro_maker *maker)
{
    struct attest_verdict verdict;
    nitro_maker_make(maker);
    return judge(maker, &verdict);
}

#define CHECK_REASON(maker, expected)                                                              \
    do {                                                                                           \
        enum attest_reason found_ = reason_of(maker);                                              \
        CHECK_NOTE(found_ == ATTEST_REASON_##expected, "%s", attest_reason_name(found_));          \
    } while (0)

/* Makes a sound document, lets `change` break it, and checks the reason. */
#define CHECK_CHANGED(change, expected)                                                            \
    do {                                                                                           \
        AUTO_MAKER struct nitro_maker maker;                                                       \
        nitro_maker_init(&maker);                                                                  \
        change;                                                                                    \
        CHECK_REASON(&maker, expected);                                                            \
    } while (0)

static void accepts_what_the_rules_allow(void)
{
    static uint8_t data[NITRO_DATA_SIZE_MAX] = { 1 };
    CHECK_CHANGED((void)0, NONE);
    CHECK_CHANGED(maker.is_tagged = true, NONE);
    CHECK_CHANGED(maker.is_indefinite = true, NONE);
    CHECK_CHANGED(maker.leaves_options_out = true, NONE);
    CHECK_CHANGED(maker.pcr_count = 17, NONE);
    CHECK_CHANGED(maker.pcr_count = 32, NONE);
    CHECK_CHANGED((maker.pcr_count = 1, maker.pcr_first = 31), NONE);
    CHECK_CHANGED(maker.pcr_size = 32, NONE);
    CHECK_CHANGED(maker.pcr_size = 64, NONE);
    CHECK_CHANGED(maker.timestamp_ms = 1, NONE);
    for (size_t i = 0; i < 3; i++)
        CHECK_CHANGED(maker.optional[i] = BYTES_OF(data), NONE);
    for (size_t i = 0; i < 3; i++)
        CHECK_CHANGED(maker.optional[i] = bytes_of(data, 1), NONE);
    CHECK_CHANGED(maker.optional[1] = bytes_of(data, 0), NONE);
    CHECK_CHANGED(maker.optional[2] = bytes_of(data, 0), NONE);
    CHECK_CHANGED((maker.extra = BYTES_LITERAL("\x61x\xf6"), maker.extra_count = 1), NONE);
    CHECK_CHANGED((maker.contents[2].constraints = FIXTURE_CA), NONE);
}

static void tells_what_the_document_says(void)
{
    AUTO_MAKER struct nitro_maker maker;
    nitro_maker_init(&maker);
    maker.optional[0] = BYTES_LITERAL("key");
    maker.optional[2] = BYTES_LITERAL("nonce");
    nitro_maker_make(&maker);
    struct attest_verdict verdict;
    REQUIRE(judge(&maker, &verdict) == ATTEST_REASON_NONE);
    const struct nitro_claims *claims = &verdict.claims.nitro;
    CHECK_STRING(claims->module_id, "i-1-enc2");
    CHECK_BYTES(claims->public_key, BYTES_LITERAL("key"));
    CHECK_BYTES(claims->nonce, BYTES_LITERAL("nonce"));
    CHECK(claims->user_data.size == 0 && !verdict.claims.is_debug);
    CHECK_NUMBER(verdict.claims.not_after_s, NITRO_MAKER_NOW_S + NITRO_MAKER_HOUR_S);
    CHECK_NUMBER(claims->pcrs[15][47], 16);
    struct digest32 id = public_key_id(&maker.root.key);
    CHECK_BYTES(BYTES_OF(verdict.claims.root_key_id.bytes), BYTES_OF(id.bytes));
}

static void refuses_other_payloads(void)
{
    static uint8_t large[NITRO_DATA_SIZE_MAX + 1];
    static const char *const required[] = { "module_id", "digest",      "timestamp",
                                            "pcrs",      "certificate", "cabundle" };
    for (size_t i = 0; i < ARRAY_COUNT(required); i++)
        CHECK_CHANGED(maker.drops = required[i], FORMAT);
    for (size_t i = 0; i < ARRAY_COUNT(required); i++)
        CHECK_CHANGED(maker.adds = required[i], FORMAT);
    CHECK_CHANGED((maker.adds = "nonce", maker.is_indefinite = true), FORMAT);
    CHECK_CHANGED(maker.module_id = "", FORMAT);
    CHECK_CHANGED(maker.module_id = "\xff", FORMAT);
    char long_id[NITRO_MODULE_ID_SIZE_MAX + 2] = { 0 };
    memset(long_id, 'i', NITRO_MODULE_ID_SIZE_MAX);
    CHECK_CHANGED(maker.module_id = long_id, NONE);
    long_id[NITRO_MODULE_ID_SIZE_MAX] = 'i';
    CHECK_CHANGED(maker.module_id = long_id, FORMAT);
    CHECK_CHANGED(maker.digest = "SHA512", FORMAT);
    CHECK_CHANGED(maker.digest = "SHA384 ", FORMAT);
    CHECK_CHANGED(maker.digest = "sha384", FORMAT);
    CHECK_CHANGED(maker.timestamp_ms = 0, FORMAT);
    CHECK_CHANGED(maker.timestamp_ms = -1, FORMAT);
    CHECK_CHANGED(maker.pcr_count = 0, FORMAT);
    CHECK_CHANGED(maker.pcr_count = 33, FORMAT);
    CHECK_CHANGED((maker.pcr_count = 1, maker.pcr_first = 32), FORMAT);
    CHECK_CHANGED((maker.pcr_count = 1, maker.pcr_first = UINT64_MAX), FORMAT);
    CHECK_CHANGED(maker.pcr_size = 0, FORMAT);
    CHECK_CHANGED(maker.pcr_size = 20, FORMAT);
    CHECK_CHANGED(maker.pcr_size = 47, FORMAT);
    for (size_t i = 0; i < 3; i++)
        CHECK_CHANGED(maker.optional[i] = BYTES_OF(large), FORMAT);
    CHECK_CHANGED(maker.optional[0] = bytes_of(large, 0), FORMAT);
    CHECK_CHANGED(maker.bundle_count = 0, FORMAT);
    CHECK_CHANGED(maker.bundle_count = NITRO_BUNDLE_COUNT_MAX + 1, FORMAT);
    CHECK_CHANGED((maker.extra = BYTES_LITERAL("\x01\xf6"), maker.extra_count = 1), FORMAT);
    CHECK_CHANGED((maker.extra = BYTES_LITERAL("\x41x\xf6"), maker.extra_count = 1), FORMAT);
    CHECK_CHANGED(maker.extra = BYTES_LITERAL("\xf6"), FORMAT); /* behind the map */
    /* A length that is longer than needed; a string in parts. */
    CHECK_CHANGED((maker.extra = BYTES_LITERAL("\x78\x01x\xf6"), maker.extra_count = 1), FORMAT);
    CHECK_CHANGED((maker.extra = BYTES_LITERAL("\x61x\x5f\x41y\xff"), maker.extra_count = 1),
                  FORMAT);
    CHECK_CHANGED((maker.extra = BYTES_LITERAL("\x61x\x18\x01"), maker.extra_count = 1), FORMAT);
}

static void refuses_a_certificate_that_is_too_large(void)
{
    static uint8_t filler[NITRO_CERTIFICATE_SIZE_MAX];
    CHECK_CHANGED((maker.contents[NITRO_MAKER_LEAF].extensions[0] =
                       (struct x509_extra_extension){ .oid = BYTES_LITERAL("\x2a\x03"),
                                                      .value = BYTES_OF(filler) },
                   maker.contents[NITRO_MAKER_LEAF].extension_count = 1),
                  FORMAT);
    CHECK_CHANGED((maker.contents[1].extensions[0] =
                       (struct x509_extra_extension){ .oid = BYTES_LITERAL("\x2a\x03"),
                                                      .value = BYTES_OF(filler) },
                   maker.contents[1].extension_count = 1),
                  FORMAT);
}

static void refuses_other_messages(void)
{
    CHECK_CHANGED(maker.protected_part = BYTES_LITERAL("\xa1\x01\x26"), UNSUPPORTED_ALG);
    CHECK_CHANGED(maker.protected_part = BYTES_LITERAL("\xa1\x01\x38\x23"), UNSUPPORTED_ALG);
    CHECK_CHANGED(maker.protected_part = BYTES_LITERAL("\xa0"), UNSUPPORTED_ALG);
    CHECK_CHANGED(maker.protected_part = BYTES_LITERAL(""), UNSUPPORTED_ALG);
    CHECK_CHANGED((maker.protected_part = BYTES_LITERAL("\xa0"),
                   maker.unprotected = BYTES_LITERAL("\xa1\x01\x38\x22")),
                  UNSUPPORTED_ALG);
    CHECK_CHANGED(maker.protected_part = BYTES_LITERAL("\xa2\x01\x38\x22\x04\x41k"), FORMAT);
    CHECK_CHANGED(maker.protected_part = BYTES_LITERAL("\xa2\x01\x38\x22\x02\x81\x18\x63"), FORMAT);
    CHECK_CHANGED(maker.protected_part = BYTES_LITERAL("\xa1\x01\x39\x00\x22"), FORMAT);
    CHECK_CHANGED(maker.protected_part = BYTES_LITERAL("\xbf\x01\x38\x22\xff"), FORMAT);
    CHECK_CHANGED(maker.unprotected = BYTES_LITERAL("\xa1\x04\x41k"), FORMAT);
    CHECK_CHANGED(maker.unprotected = BYTES_LITERAL("\xa1\x01\x38\x22"), FORMAT);
    CHECK_CHANGED(maker.unprotected = BYTES_LITERAL("\xf6"), FORMAT);
    AUTO_MAKER struct nitro_maker maker;
    struct attest_verdict verdict;
    nitro_maker_init(&maker);
    nitro_maker_make(&maker);
    maker.document[maker.size++] = 0;
    CHECK(judge(&maker, &verdict) == ATTEST_REASON_TRAILING_DATA);
    /* The same document in longer words. */
    struct writer writer = writer_into(maker.document, sizeof(maker.document));
    write_u8(&writer, 0x98);
    write_u8(&writer, 4);
    cbor_write_bytes(&writer, maker.protected_part);
    CHECK(judge(&maker, &verdict) == ATTEST_REASON_FORMAT);
}

/* Basic constraints of its own in place of the fixture's. */
static void constrain(struct nitro_maker *maker, size_t index, struct bytes value)
{
    maker->contents[index].constraints = FIXTURE_NO_CONSTRAINTS;
    maker->contents[index].extensions[0] = (struct x509_extra_extension){
        .oid = BYTES_LITERAL("\x55\x1d\x13"), .value = value, .is_critical = true
    };
    maker->contents[index].extension_count = 1;
}

static void follows_path_rules(void)
{
    /* CA flag */
    for (size_t i = 1; i < NITRO_MAKER_LEAF; i++) {
        CHECK_CHANGED(maker.contents[i].constraints = FIXTURE_NOT_CA, CHAIN_INVALID);
        CHECK_CHANGED(maker.contents[i].constraints = FIXTURE_NO_CONSTRAINTS, CHAIN_INVALID);
        CHECK_CHANGED(maker.contents[i].key_usage = NITRO_MAKER_SIGN_USAGE, CHAIN_INVALID);
        CHECK_CHANGED(maker.contents[i].key_usage = NULL, CHAIN_INVALID);
    }
    CHECK_CHANGED(maker.contents[0].constraints = FIXTURE_NOT_CA, CHAIN_INVALID);
    CHECK_CHANGED(maker.contents[0].key_usage = NITRO_MAKER_SIGN_USAGE, CHAIN_INVALID);
    CHECK_CHANGED(maker.contents[NITRO_MAKER_LEAF].constraints = FIXTURE_CA, CHAIN_INVALID);
    CHECK_CHANGED(maker.contents[NITRO_MAKER_LEAF].constraints = FIXTURE_NO_CONSTRAINTS,
                  CHAIN_INVALID);
    CHECK_CHANGED(maker.contents[NITRO_MAKER_LEAF].key_usage = NULL, CHAIN_INVALID);
    CHECK_CHANGED(maker.contents[NITRO_MAKER_LEAF].key_usage = "\x05\x20", CHAIN_INVALID);
    /* path length: "CA, 0" above another authority; "CA, 1" there is enough */
    CHECK_CHANGED(maker.contents[1].constraints = FIXTURE_CA_OF_LEAVES, CHAIN_INVALID);
    CHECK_CHANGED(constrain(&maker, 1, BYTES_LITERAL("\x30\x06\x01\x01\xff\x02\x01\x01")), NONE);
    CHECK_CHANGED(constrain(&maker, 0, BYTES_LITERAL("\x30\x06\x01\x01\xff\x02\x01\x01")),
                  CHAIN_INVALID);
    CHECK_CHANGED(constrain(&maker, 0, BYTES_LITERAL("\x30\x06\x01\x01\xff\x02\x01\x02")), NONE);
    CHECK_CHANGED(constrain(&maker, 1, BYTES_LITERAL("\x30\x06\x01\x01\xff\x02\x01\xff")),
                  CHAIN_INVALID);
    /* names */
    for (size_t i = 1; i < NITRO_MAKER_CHAIN_COUNT; i++)
        CHECK_CHANGED(maker.contents[i].issuer = "somebody", CHAIN_INVALID);
    CHECK_CHANGED(maker.contents[2].subject = "somebody", CHAIN_INVALID);
    /* keys */
    for (size_t i = 1; i < NITRO_MAKER_CHAIN_COUNT; i++)
        CHECK_CHANGED(maker.signers[i] = i, CHAIN_INVALID);
    CHECK_CHANGED(maker.signers[NITRO_MAKER_LEAF] = 0, CHAIN_INVALID);
    /* serials, extensions */
    CHECK_CHANGED(maker.contents[2].serial = BYTES_LITERAL("\xff"), CHAIN_INVALID);
    CHECK_CHANGED(maker.contents[2].serial =
                      BYTES_LITERAL("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"),
                  CHAIN_INVALID);
}

static void add_extension(struct fixture_certificate *content, const char *oid, bool is_critical)
{
    content->extensions[content->extension_count++] = (struct x509_extra_extension){
        .oid = bytes_of_string(oid), .value = BYTES_LITERAL("\x30"), .is_critical = is_critical
    };
}

static void judges_extensions(void)
{
    for (size_t i = 1; i < NITRO_MAKER_CHAIN_COUNT; i++) {
        CHECK_CHANGED(add_extension(&maker.contents[i], "\x55\x1d\x24", false), NONE);
        CHECK_CHANGED(add_extension(&maker.contents[i], "\x55\x1d\x24", true), CHAIN_INVALID);
        CHECK_CHANGED((add_extension(&maker.contents[i], "\x55\x1d\x24", false),
                       add_extension(&maker.contents[i], "\x55\x1d\x24", false)),
                      CHAIN_INVALID);
    }
}

static void judges_other_keys(void)
{
    for (size_t i = 1; i < NITRO_MAKER_CHAIN_COUNT; i++) {
        AUTO(fixture_key) struct fixture_key *other = fixture_key_new(PUBLIC_KEY_P256, 0);
        CHECK_CHANGED(maker.keys[i] = other, CHAIN_INVALID);
    }
}

static void judges_dates_behind_signatures(void)
{
    for (size_t i = 0; i < NITRO_MAKER_CHAIN_COUNT; i++) {
        CHECK_CHANGED(maker.contents[i].not_after_s = NITRO_MAKER_NOW_S - 1, CERT_EXPIRED);
        CHECK_CHANGED(maker.contents[i].not_after_s = NITRO_MAKER_NOW_S, NONE);
        CHECK_CHANGED(maker.contents[i].not_before_s = NITRO_MAKER_NOW_S + 1, CERT_NOT_YET_VALID);
        CHECK_CHANGED(maker.contents[i].not_before_s = NITRO_MAKER_NOW_S, NONE);
    }
    /* A date that nobody signed is no date. */
    CHECK_CHANGED((maker.contents[NITRO_MAKER_LEAF].not_after_s = NITRO_MAKER_NOW_S - 1,
                   maker.signers[NITRO_MAKER_LEAF] = 0),
                  CHAIN_INVALID);
    CHECK_CHANGED(maker.contents[NITRO_MAKER_LEAF].not_after_s = 253402300799,
                  NONE); /* 9999-12-31 */
}

static void trusts_its_root_alone(void)
{
    struct attest_verdict verdict;
    AUTO_MAKER struct nitro_maker maker, other;
    nitro_maker_init(&maker);
    nitro_maker_init(&other);
    nitro_maker_make(&maker);
    other.contents[0].not_after_s++;
    nitro_maker_make(&other);
    maker.root = other.root;
    CHECK(judge(&maker, &verdict) == ATTEST_REASON_ROOT_UNTRUSTED);
    struct error error;
    struct attest_options options = { .now_s = NITRO_MAKER_NOW_S };
    CHECK(!attest_verify(&verdict, bytes_of(maker.document, maker.size), &options, &error));
    CHECK(verdict.reason == ATTEST_REASON_ROOT_UNTRUSTED);
    /* The bundle in another order; without its end. */
    nitro_maker_done(&maker);
    nitro_maker_init(&maker);
    maker.bundle_count = 2;
    CHECK_REASON(&maker, CHAIN_INVALID);
    maker.bundle_count = 4; /* the last authority twice */
    CHECK_REASON(&maker, CHAIN_INVALID);
}

static void takes_a_development_root_only_when_told(void)
{
    struct error error;
    struct attest_verdict verdict;
    AUTO_MAKER struct nitro_maker maker;
    nitro_maker_init(&maker);
    maker.contents[0].issuer = maker.contents[0].subject = "S3N Simulated Root CA";
    maker.contents[1].issuer = maker.contents[0].subject;
    CHECK_REASON(&maker, SIMULATED);
    struct attest_options options = { .now_s = NITRO_MAKER_NOW_S,
                                      .root = &maker.root,
                                      .trust_simulated = true };
    CHECK(attest_verify(&verdict, bytes_of(maker.document, maker.size), &options, &error));
    CHECK(verdict.claims.is_simulated);
}

static void needs_the_signature_of_the_leaf(void)
{
    struct attest_verdict verdict;
    AUTO_MAKER struct nitro_maker maker;
    nitro_maker_init(&maker);
    nitro_maker_make(&maker);
    /* Signed by an authority of the chain instead. */
    struct fixture_key *leaf = maker.keys[NITRO_MAKER_LEAF];
    maker.keys[NITRO_MAKER_LEAF] = maker.keys[NITRO_MAKER_LEAF - 1];
    nitro_maker_sign(&maker);
    CHECK(judge(&maker, &verdict) == ATTEST_REASON_SIGNATURE_INVALID);
    maker.keys[NITRO_MAKER_LEAF] = leaf;
    nitro_maker_sign(&maker);
    CHECK(judge(&maker, &verdict) == ATTEST_REASON_NONE);
    /* r, then s, of zero; and of the order of the group and above. */
    uint8_t *signature = maker.document + maker.size - 96;
    uint8_t kept[96];
    memcpy(kept, signature, sizeof(kept));
    static const uint8_t values[] = { 0x00, 0xff };
    for (size_t i = 0; i < 4; i++) {
        memset(signature + i / 2 * 48, values[i % 2], 48);
        CHECK(judge(&maker, &verdict) == ATTEST_REASON_SIGNATURE_INVALID);
        memcpy(signature, kept, sizeof(kept));
    }
    /* Its length is the format's. */
    maker.document[maker.size - 97]--;
    maker.size--;
    CHECK(judge(&maker, &verdict) == ATTEST_REASON_FORMAT);
}

static void knows_debug_by_zero_pcrs(void)
{
    struct nitro_claims claims = { .pcr_sizes = { NITRO_MAKER_PCR_SIZE, NITRO_MAKER_PCR_SIZE,
                                                  NITRO_MAKER_PCR_SIZE, NITRO_MAKER_PCR_SIZE },
                                   .pcrs = { { 0 }, { 0 }, { 0 }, { 1 } } };
    CHECK(nitro_is_debug(&claims));
    for (size_t i = 0; i < 3; i++) {
        claims.pcrs[i][47] = 1;
        CHECK(!nitro_is_debug(&claims));
        claims.pcrs[i][47] = 0;
        claims.pcr_sizes[i] = 0;
        CHECK(nitro_is_debug(&claims)); /* nothing was measured */
        claims.pcr_sizes[i] = NITRO_MAKER_PCR_SIZE;
    }
}

static void frees_keys(void)
{
    nitro_maker_free_keys();
}

static const struct test tests[] = {
    TEST(accepts_what_the_rules_allow),
    TEST(tells_what_the_document_says),
    TEST(refuses_other_payloads),
    TEST(refuses_a_certificate_that_is_too_large),
    TEST(refuses_other_messages),
    TEST(follows_path_rules),
    TEST(judges_extensions),
    TEST(judges_other_keys),
    TEST(judges_dates_behind_signatures),
    TEST(trusts_its_root_alone),
    TEST(takes_a_development_root_only_when_told),
    TEST(needs_the_signature_of_the_leaf),
    TEST(knows_debug_by_zero_pcrs),
    TEST(frees_keys),
};
TEST_MAIN(tests)
