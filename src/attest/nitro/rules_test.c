/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of a PKI of our own, in which every rule is broken once, alone. */
#include "attest/attest.h"
#include "crypto/der.h"
#include "crypto/fixture.h"
#include "tests/harness.h"

#include <string.h>

enum {
    NOW_S = 1795000000,
    HOUR_S = 3600,
    CHAIN_COUNT = 4, /* root, two authorities, leaf */
    LEAF = CHAIN_COUNT - 1,
    PCR_SIZE = 48,
    DOCUMENT_SIZE_MAX = 40000
};

#define SIGN_USAGE "\x07\x80" /* digitalSignature: unused bits, bits */
#define CA_USAGE   "\x01\x86" /* and keyCertSign, cRLSign */

/* What a document is made of; a test changes one thing. */
struct maker {
    struct fixture_key *keys[CHAIN_COUNT];
    struct fixture_certificate contents[CHAIN_COUNT]; /* root first */
    size_t signers[CHAIN_COUNT];                      /* whose key signs which */
    struct buffer certificates[CHAIN_COUNT];
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
    uint8_t payload[DOCUMENT_SIZE_MAX];
    size_t payload_size;
    uint8_t document[DOCUMENT_SIZE_MAX];
    size_t size;
};

static struct fixture_key *shared_keys[CHAIN_COUNT];

static void maker_init(struct maker *maker)
{
    static const char *const names[] = { "own.root", "own.region", "own.zone", "own.enclave" };
    *maker = (struct maker){
        .module_id = "i-1-enc2",
        .digest = "SHA384",
        .timestamp_ms = (int64_t)NOW_S * 1000,
        .pcr_count = 16,
        .pcr_size = PCR_SIZE,
        .protected_part = BYTES_LITERAL("\xa1\x01\x38\x22"),
        .unprotected = BYTES_LITERAL("\xa0"),
        .bundle_count = CHAIN_COUNT - 1,
    };
    for (size_t i = 0; i < CHAIN_COUNT; i++) {
        if (shared_keys[i] == NULL)
            shared_keys[i] = fixture_key_new(PUBLIC_KEY_P384, 0);
        maker->keys[i] = shared_keys[i];
        maker->signers[i] = i == 0 ? 0 : i - 1;
        maker->contents[i] =
            (struct fixture_certificate){ .issuer = names[i == 0 ? 0 : i - 1],
                                          .subject = names[i],
                                          .not_before_s = NOW_S - HOUR_S,
                                          .not_after_s =
                                              NOW_S + (int64_t)(CHAIN_COUNT - i) * HOUR_S,
                                          .constraints = i == LEAF       ? FIXTURE_NOT_CA
                                                         : i == LEAF - 1 ? FIXTURE_CA_OF_LEAVES
                                                                         : FIXTURE_CA,
                                          .key_usage = i == LEAF ? SIGN_USAGE : CA_USAGE };
        buffer_init(&maker->certificates[i], 4096);
    }
}

static void maker_done(struct maker *maker)
{
    for (size_t i = 0; i < CHAIN_COUNT; i++)
        buffer_done(&maker->certificates[i]);
}
#define AUTO_MAKER __attribute__((cleanup(maker_done)))

/* Whether a member is written, how often. */
static unsigned times(const struct maker *maker, const char *name)
{
    if (maker->drops != NULL && strcmp(maker->drops, name) == 0)
        return 0;
    return maker->adds != NULL && strcmp(maker->adds, name) == 0 ? 2 : 1;
}

static void write_value(const struct maker *maker, struct writer *writer, size_t member)
{
    uint8_t pcr[64];
    switch (member) {
    case 0:
        cbor_write_text(writer, bytes_of_string(maker->module_id));
        break;
    case 1:
        cbor_write_text(writer, bytes_of_string(maker->digest));
        break;
    case 2:
        cbor_write_integer(writer, maker->timestamp_ms);
        break;
    case 3:
        cbor_write_map(writer, maker->pcr_count);
        for (size_t i = 0; i < maker->pcr_count; i++) {
            memset(pcr, (int)i + 1, sizeof(pcr));
            cbor_write_unsigned(writer, maker->pcr_first + i);
            cbor_write_bytes(writer, bytes_of(pcr, maker->pcr_size));
        }
        break;
    case 4:
        cbor_write_bytes(writer, buffer_view(&maker->certificates[LEAF]));
        break;
    case 5:
        cbor_write_array(writer, maker->bundle_count);
        for (size_t i = 0; i < maker->bundle_count; i++)
            cbor_write_bytes(writer, buffer_view(&maker->certificates[i < LEAF ? i : LEAF - 1]));
        break;
    default:
        if (maker->optional[member - 6].data == NULL)
            cbor_write_null(writer);
        else
            cbor_write_bytes(writer, maker->optional[member - 6]);
    }
}

static void write_payload(struct maker *maker)
{
    static const char *const members[] = { "module_id",  "digest",      "timestamp",
                                           "pcrs",       "certificate", "cabundle",
                                           "public_key", "user_data",   "nonce" };
    size_t member_count = maker->leaves_options_out ? 6 : ARRAY_COUNT(members);
    size_t count = maker->extra_count;
    for (size_t i = 0; i < member_count; i++)
        count += times(maker, members[i]);
    struct writer writer = writer_into(maker->payload, sizeof(maker->payload));
    if (maker->is_indefinite)
        write_u8(&writer, 0xbf);
    else
        cbor_write_map(&writer, count);
    for (size_t i = 0; i < member_count; i++) {
        for (unsigned j = 0; j < times(maker, members[i]); j++) {
            cbor_write_text(&writer, bytes_of_string(members[i]));
            write_value(maker, &writer, i);
        }
    }
    write_bytes(&writer, maker->extra);
    if (maker->is_indefinite)
        write_u8(&writer, 0xff);
    maker->payload_size = writer_view(&writer).size;
    CHECK(maker->payload_size > 0);
}

static void make_certificates(struct maker *maker)
{
    struct error error;
    for (size_t i = 0; i < CHAIN_COUNT; i++) {
        buffer_clear(&maker->certificates[i]);
        fixture_certificate(&maker->certificates[i], &maker->contents[i], maker->keys[i],
                            maker->keys[maker->signers[i]], FIXTURE_ECDSA);
    }
    CHECK(x509_parse(&maker->root, buffer_view(&maker->certificates[0]), &error));
}

/* Signs the payload as it stands. */
static void sign(struct maker *maker)
{
    static uint8_t structure[DOCUMENT_SIZE_MAX];
    struct bytes payload = bytes_of(maker->payload, maker->payload_size);
    struct writer writer = writer_into(structure, sizeof(structure));
    cbor_write_array(&writer, 4);
    cbor_write_text(&writer, BYTES_LITERAL("Signature1"));
    cbor_write_bytes(&writer, maker->protected_part);
    cbor_write_bytes(&writer, (struct bytes){ 0 });
    cbor_write_bytes(&writer, payload);
    struct ecdsa384_signature signature = { 0 };
    if (fixture_key_spki(maker->keys[LEAF]).size == 120)
        signature = fixture_sign384(maker->keys[LEAF], writer_view(&writer));
    writer = writer_into(maker->document, sizeof(maker->document));
    if (maker->is_tagged)
        cbor_write_tag(&writer, 18);
    cbor_write_array(&writer, 4);
    cbor_write_bytes(&writer, maker->protected_part);
    write_bytes(&writer, maker->unprotected);
    cbor_write_bytes(&writer, payload);
    cbor_write_bytes(&writer, BYTES_OF(signature.bytes));
    maker->size = writer_view(&writer).size;
    CHECK(maker->size > 0);
}

static void make(struct maker *maker)
{
    make_certificates(maker);
    write_payload(maker);
    sign(maker);
}

static enum attest_reason judge(const struct maker *maker, struct attest_verdict *verdict)
{
    struct error error;
    struct attest_options options = { .tee = ATTEST_TEE_NITRO,
                                      .now_s = NOW_S,
                                      .root = &maker->root };
    bool is_valid =
        attest_verify(verdict, bytes_of(maker->document, maker->size), &options, &error);
    CHECK(is_valid == (verdict->reason == ATTEST_REASON_NONE));
    return verdict->reason;
}

static enum attest_reason reason_of(struct maker *maker)
{
    struct attest_verdict verdict;
    make(maker);
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
        AUTO_MAKER struct maker maker;                                                             \
        maker_init(&maker);                                                                        \
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
    AUTO_MAKER struct maker maker;
    maker_init(&maker);
    maker.optional[0] = BYTES_LITERAL("key");
    maker.optional[2] = BYTES_LITERAL("nonce");
    make(&maker);
    struct attest_verdict verdict;
    REQUIRE(judge(&maker, &verdict) == ATTEST_REASON_NONE);
    const struct nitro_claims *claims = &verdict.claims.nitro;
    CHECK_STRING(claims->module_id, "i-1-enc2");
    CHECK_BYTES(claims->public_key, BYTES_LITERAL("key"));
    CHECK_BYTES(claims->nonce, BYTES_LITERAL("nonce"));
    CHECK(claims->user_data.size == 0 && !verdict.claims.is_debug);
    CHECK_NUMBER(verdict.claims.not_after_s, NOW_S + HOUR_S);
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
    CHECK_CHANGED((maker.contents[LEAF].extensions[0] =
                       (struct x509_extra_extension){ .oid = BYTES_LITERAL("\x2a\x03"),
                                                      .value = BYTES_OF(filler) },
                   maker.contents[LEAF].extension_count = 1),
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
    AUTO_MAKER struct maker maker;
    struct attest_verdict verdict;
    maker_init(&maker);
    make(&maker);
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
static void constrain(struct maker *maker, size_t index, struct bytes value)
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
    for (size_t i = 1; i < LEAF; i++) {
        CHECK_CHANGED(maker.contents[i].constraints = FIXTURE_NOT_CA, CHAIN_INVALID);
        CHECK_CHANGED(maker.contents[i].constraints = FIXTURE_NO_CONSTRAINTS, CHAIN_INVALID);
        CHECK_CHANGED(maker.contents[i].key_usage = SIGN_USAGE, CHAIN_INVALID);
        CHECK_CHANGED(maker.contents[i].key_usage = NULL, CHAIN_INVALID);
    }
    CHECK_CHANGED(maker.contents[0].constraints = FIXTURE_NOT_CA, CHAIN_INVALID);
    CHECK_CHANGED(maker.contents[0].key_usage = SIGN_USAGE, CHAIN_INVALID);
    CHECK_CHANGED(maker.contents[LEAF].constraints = FIXTURE_CA, CHAIN_INVALID);
    CHECK_CHANGED(maker.contents[LEAF].constraints = FIXTURE_NO_CONSTRAINTS, CHAIN_INVALID);
    CHECK_CHANGED(maker.contents[LEAF].key_usage = NULL, CHAIN_INVALID);
    CHECK_CHANGED(maker.contents[LEAF].key_usage = "\x05\x20", CHAIN_INVALID);
    /* path length: "CA, 0" above another authority; "CA, 1" there is enough */
    CHECK_CHANGED(maker.contents[1].constraints = FIXTURE_CA_OF_LEAVES, CHAIN_INVALID);
    CHECK_CHANGED(constrain(&maker, 1, BYTES_LITERAL("\x30\x06\x01\x01\xff\x02\x01\x01")), NONE);
    CHECK_CHANGED(constrain(&maker, 0, BYTES_LITERAL("\x30\x06\x01\x01\xff\x02\x01\x01")),
                  CHAIN_INVALID);
    CHECK_CHANGED(constrain(&maker, 0, BYTES_LITERAL("\x30\x06\x01\x01\xff\x02\x01\x02")), NONE);
    CHECK_CHANGED(constrain(&maker, 1, BYTES_LITERAL("\x30\x06\x01\x01\xff\x02\x01\xff")),
                  CHAIN_INVALID);
    /* names */
    for (size_t i = 1; i < CHAIN_COUNT; i++)
        CHECK_CHANGED(maker.contents[i].issuer = "somebody", CHAIN_INVALID);
    CHECK_CHANGED(maker.contents[2].subject = "somebody", CHAIN_INVALID);
    /* keys */
    for (size_t i = 1; i < CHAIN_COUNT; i++)
        CHECK_CHANGED(maker.signers[i] = i, CHAIN_INVALID);
    CHECK_CHANGED(maker.signers[LEAF] = 0, CHAIN_INVALID);
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
    for (size_t i = 1; i < CHAIN_COUNT; i++) {
        CHECK_CHANGED(add_extension(&maker.contents[i], "\x55\x1d\x24", false), NONE);
        CHECK_CHANGED(add_extension(&maker.contents[i], "\x55\x1d\x24", true), CHAIN_INVALID);
        CHECK_CHANGED((add_extension(&maker.contents[i], "\x55\x1d\x24", false),
                       add_extension(&maker.contents[i], "\x55\x1d\x24", false)),
                      CHAIN_INVALID);
    }
}

static void judges_other_keys(void)
{
    for (size_t i = 1; i < CHAIN_COUNT; i++) {
        AUTO(fixture_key) struct fixture_key *other = fixture_key_new(PUBLIC_KEY_P256, 0);
        CHECK_CHANGED(maker.keys[i] = other, CHAIN_INVALID);
    }
}

static void judges_dates_behind_signatures(void)
{
    for (size_t i = 0; i < CHAIN_COUNT; i++) {
        CHECK_CHANGED(maker.contents[i].not_after_s = NOW_S - 1, CERT_EXPIRED);
        CHECK_CHANGED(maker.contents[i].not_after_s = NOW_S, NONE);
        CHECK_CHANGED(maker.contents[i].not_before_s = NOW_S + 1, CERT_NOT_YET_VALID);
        CHECK_CHANGED(maker.contents[i].not_before_s = NOW_S, NONE);
    }
    /* A date that nobody signed is no date. */
    CHECK_CHANGED((maker.contents[LEAF].not_after_s = NOW_S - 1, maker.signers[LEAF] = 0),
                  CHAIN_INVALID);
    CHECK_CHANGED(maker.contents[LEAF].not_after_s = 253402300799, NONE); /* 9999-12-31 */
}

static void trusts_its_root_alone(void)
{
    struct attest_verdict verdict;
    AUTO_MAKER struct maker maker, other;
    maker_init(&maker);
    maker_init(&other);
    make(&maker);
    other.contents[0].not_after_s++;
    make(&other);
    maker.root = other.root;
    CHECK(judge(&maker, &verdict) == ATTEST_REASON_ROOT_UNTRUSTED);
    struct error error;
    struct attest_options options = { .now_s = NOW_S };
    CHECK(!attest_verify(&verdict, bytes_of(maker.document, maker.size), &options, &error));
    CHECK(verdict.reason == ATTEST_REASON_ROOT_UNTRUSTED);
    /* The bundle in another order; without its end. */
    maker_done(&maker);
    maker_init(&maker);
    maker.bundle_count = 2;
    CHECK_REASON(&maker, CHAIN_INVALID);
    maker.bundle_count = 4; /* the last authority twice */
    CHECK_REASON(&maker, CHAIN_INVALID);
}

static void takes_a_development_root_only_when_told(void)
{
    struct error error;
    struct attest_verdict verdict;
    AUTO_MAKER struct maker maker;
    maker_init(&maker);
    maker.contents[0].issuer = maker.contents[0].subject = "S3N Simulated Root CA";
    maker.contents[1].issuer = maker.contents[0].subject;
    CHECK_REASON(&maker, SIMULATED);
    struct attest_options options = { .now_s = NOW_S,
                                      .root = &maker.root,
                                      .trust_simulated = true };
    CHECK(attest_verify(&verdict, bytes_of(maker.document, maker.size), &options, &error));
    CHECK(verdict.claims.is_simulated);
}

static void needs_the_signature_of_the_leaf(void)
{
    struct attest_verdict verdict;
    AUTO_MAKER struct maker maker;
    maker_init(&maker);
    make(&maker);
    /* Signed by an authority of the chain instead. */
    struct fixture_key *leaf = maker.keys[LEAF];
    maker.keys[LEAF] = maker.keys[LEAF - 1];
    sign(&maker);
    CHECK(judge(&maker, &verdict) == ATTEST_REASON_SIGNATURE_INVALID);
    maker.keys[LEAF] = leaf;
    sign(&maker);
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
    struct nitro_claims claims = { .pcr_sizes = { PCR_SIZE, PCR_SIZE, PCR_SIZE, PCR_SIZE },
                                   .pcrs = { { 0 }, { 0 }, { 0 }, { 1 } } };
    CHECK(nitro_is_debug(&claims));
    for (size_t i = 0; i < 3; i++) {
        claims.pcrs[i][47] = 1;
        CHECK(!nitro_is_debug(&claims));
        claims.pcrs[i][47] = 0;
        claims.pcr_sizes[i] = 0;
        CHECK(nitro_is_debug(&claims)); /* nothing was measured */
        claims.pcr_sizes[i] = PCR_SIZE;
    }
}

static void frees_keys(void)
{
    for (size_t i = 0; i < CHAIN_COUNT; i++)
        fixture_key_free(TAKE(shared_keys[i]));
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
