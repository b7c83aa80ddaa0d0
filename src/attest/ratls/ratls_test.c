/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/attest.h"
#include "attest/sim.h"
#include "core/cbor.h"
#include "crypto/der.h"
#include "crypto/fixture.h"
#include "crypto/pem.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA "tests/data/attest/ratls/"

enum {
    REAL_S = 1755648000, /* 2025-08-20 */
    NOW_S = 1795000000,
    MADE_STEP = 7, /* bits: real ones have every one of theirs tried */
    CLAIMS_SIZE_MAX = 32768
};

static const char *const real[] = { DATA "gramine-cert.pem", DATA "rats-tls-cert.pem",
                                    DATA "intel-sgxsdk-cert.pem" };

static enum attest_reason judge(struct attest_verdict *verdict, struct bytes evidence,
                                const struct attest_options *options)
{
    struct error error;
    bool is_valid = attest_verify(verdict, evidence, options, &error);
    CHECK(is_valid == verdict->is_valid && is_valid == (verdict->reason == ATTEST_REASON_NONE));
    CHECK(is_valid || error.code == ERROR_UNVERIFIED);
    CHECK(is_valid || verdict->claims.ratls.layout == RATLS_NONE);
    return verdict->reason;
}

static struct bytes der_of(const char *path)
{
    static uint8_t der[RATLS_CERTIFICATE_SIZE_MAX];
    struct error error;
    size_t size = 0;
    struct reader text = reader_of(test_file(path));
    CHECK(pem_read(&text, "CERTIFICATE", der, sizeof(der), &size, &error));
    return bytes_of(der, size);
}

/* The claims as `s3n verify evidence --json` prints them. */
static json_t *claims_of(const struct attest_verdict *verdict)
{
    static char text[CLAIMS_SIZE_MAX];
    struct writer writer = writer_into(text, sizeof(text));
    struct json_writer json = json_writer_into(&writer);
    json_write_object_begin(&json);
    attest_verdict_write(&json, verdict);
    json_write_object_end(&json);
    struct error error;
    json_t *object = NULL;
    CHECK_NOTE(json_parse(&object, writer_view(&writer), &error), "%s", error.text);
    return object;
}

static void agrees_with_all_cases(void)
{
    struct error error;
    AUTO_JSON json_t *manifest = NULL;
    REQUIRE(json_parse(&manifest, test_file(DATA "manifest.json"), &error));
    json_t *cases = json_object_get(manifest, "cases");
    CHECK_NUMBER(json_array_size(cases), 5);
    size_t index;
    json_t *item, *value;
    json_array_foreach(cases, index, item)
    {
        char path[256];
        const char *name = json_string_value(json_object_get(item, "name"));
        snprintf(path, sizeof(path), DATA "%s",
                 json_string_value(json_object_get(item, "certificate")));
        struct attest_verdict verdict;
        struct x509_certificate root;
        struct attest_options options = { .tee = ATTEST_TEE_SGX, .now_s = REAL_S };
        if (json_object_get(item, "root") != NULL) {
            CHECK(judge(&verdict, test_file(path), &options) == ATTEST_REASON_ROOT_UNTRUSTED);
            REQUIRE(x509_parse(&root, test_file(DATA "intel-sandbox-root.der"), &error));
            options.root = &root;
        }
        enum attest_reason reason = judge(&verdict, test_file(path), &options);
        CHECK_NOTE(reason == ATTEST_REASON_NONE, "%s: %s", name, attest_reason_name(reason));
        AUTO_JSON json_t *found = claims_of(&verdict);
        json_t *claims = json_object_get(found, "claims");
        const char *key;
        json_object_foreach(json_object_get(item, "expect"), key, value)
        {
            /* A sentence about another extension: compared below. */
            if (strcmp(key, "result") != 0 && strcmp(key, "legacy_extension") != 0)
                CHECK_NOTE(json_equal(json_object_get(claims, key), value) == 1, "%s: %s", name,
                           key);
        }
        static const char *const other[] = { "0.6.9.42.840.113741.1337.6", NULL,
                                             "1.2.840.113741.1.13.1", NULL, NULL };
        if (other[index] == NULL)
            CHECK(json_is_null(json_object_get(claims, "legacy_extension")));
        else
            CHECK_STRING(json_string_value(json_object_get(claims, "legacy_extension")),
                         other[index]);
        /* The same in DER, and without being told what it is. */
        options.tee = ATTEST_TEE_ANY;
        CHECK(judge(&verdict, der_of(path), &options) == ATTEST_REASON_NONE);
    }
}

static void judges_the_quote_like_any_other(void)
{
    struct attest_verdict verdict;
    struct attest_options options = { .tee = ATTEST_TEE_SGX, .now_s = REAL_S };
    struct bytes pem = test_file(real[0]);
    options.now_s = 4102444800; /* 2100 */
    CHECK(judge(&verdict, pem, &options) == ATTEST_REASON_PCK_CHAIN_EXPIRED);
    options.now_s = REAL_S;
    options.report_data = BYTES_LITERAL("another");
    CHECK(judge(&verdict, pem, &options) == ATTEST_REASON_REPORT_DATA_MISMATCH);
    struct attest_options other = { .tee = ATTEST_TEE_NITRO, .now_s = REAL_S };
    CHECK(judge(&verdict, pem, &other) == ATTEST_REASON_TRAILING_DATA);
}

/* --- certificates of our own, about simulated quotes --- */

struct maker {
    struct sim_root *root;
    struct fixture_key *key;
    struct buffer quote;
    struct buffer der;
    uint8_t value[16384];
    uint8_t second[16384];
    struct fixture_certificate content;
};

static void maker_done(struct maker *maker)
{
    sim_root_free(maker->root);
    fixture_key_free(maker->key);
    buffer_done(&maker->quote);
    buffer_done(&maker->der);
}
#define AUTO_MAKER __attribute__((cleanup(maker_done)))

static void maker_init(struct maker *maker, enum public_key_kind kind)
{
    struct error error;
    CHECK(sim_root_new(&maker->root, NOW_S, &error));
    maker->key = fixture_key_new(kind, 2048);
    buffer_init(&maker->quote, QUOTE_SIZE_MAX);
    buffer_init(&maker->der, RATLS_CERTIFICATE_SIZE_MAX);
    maker->content = (struct fixture_certificate){ .issuer = "enclave",
                                                   .subject = "enclave",
                                                   .not_before_s = NOW_S - 10,
                                                   .not_after_s = NOW_S - 5,
                                                   .constraints = FIXTURE_NOT_CA };
}

static void quote_over(struct maker *maker, struct bytes hash)
{
    struct error error;
    uint8_t report_data[REPORT_DATA_SIZE] = { 0 };
    memcpy(report_data, hash.data, hash.size);
    buffer_clear(&maker->quote);
    CHECK(sim_quote(&maker->quote, maker->root, report_data, NULL, &error));
}

static void add_extension(struct maker *maker, struct bytes oid, struct bytes value,
                          bool is_critical)
{
    maker->content.extensions[maker->content.extension_count++] =
        (struct x509_extra_extension){ .oid = oid, .value = value, .is_critical = is_critical };
}

static enum attest_reason judge_made(struct maker *maker, struct attest_verdict *verdict)
{
    struct attest_options options = { .now_s = NOW_S, .trust_simulated = true };
    buffer_clear(&maker->der);
    fixture_certificate(&maker->der, &maker->content, maker->key, maker->key, FIXTURE_ECDSA);
    return judge(verdict, buffer_view(&maker->der), &options);
}

static const struct bytes oid_tagged = { (const uint8_t *)"\x67\x81\x05\x05\x04\x09", 6 };
static const struct bytes oid_intel = { (const uint8_t *)"\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x01",
                                        9 };
static const struct bytes oid_gramine = { (const uint8_t *)"\x2a\x86\x48\x86\xf8\x4d\x8a\x39\x06",
                                          9 };
static const struct bytes oid_dstack = {
    (const uint8_t *)"\x2b\x06\x01\x04\x01\x83\xe7\x3d\x01\x01", 10
};
static const struct bytes oid_endorsements = { (const uint8_t *)"\x67\x81\x05\x05\x04\x02", 6 };

/* The tagged form over claims with this hash of the key; `nonce` may be empty. */
struct tagged {
    uint64_t tag;
    uint64_t algorithm;
    struct bytes hash;
    struct bytes nonce;
    struct bytes quoted_claims; /* what the quote is about; empty: the claims */
    bool has_third;
};

static struct bytes write_tagged(struct maker *maker, const struct tagged *tagged)
{
    static uint8_t claims_space[512];
    uint8_t hash_space[128];
    struct writer hash = writer_into(hash_space, sizeof(hash_space));
    cbor_write_array(&hash, 2);
    cbor_write_unsigned(&hash, tagged->algorithm);
    cbor_write_bytes(&hash, tagged->hash);
    struct writer claims = writer_into(claims_space, sizeof(claims_space));
    bool has_hash = tagged->hash.size > 0, has_nonce = tagged->nonce.size > 0;
    cbor_write_map(&claims, (has_hash ? 1U : 0U) + (has_nonce ? 1U : 0U));
    if (has_nonce) {
        cbor_write_text(&claims, BYTES_LITERAL("nonce"));
        cbor_write_bytes(&claims, tagged->nonce);
    }
    if (has_hash) {
        cbor_write_text(&claims, BYTES_LITERAL("pubkey-hash"));
        cbor_write_bytes(&claims, writer_view(&hash));
    }
    struct digest32 digest =
        sha256_of(tagged->quoted_claims.size > 0 ? tagged->quoted_claims : writer_view(&claims));
    quote_over(maker, BYTES_OF(digest.bytes));
    struct writer writer = writer_into(maker->value, sizeof(maker->value));
    cbor_write_tag(&writer, tagged->tag);
    cbor_write_array(&writer, tagged->has_third ? 3 : 2);
    cbor_write_bytes(&writer, buffer_view(&maker->quote));
    cbor_write_bytes(&writer, writer_view(&claims));
    if (tagged->has_third)
        cbor_write_null(&writer);
    return writer_view(&writer);
}

static void takes_every_hash_and_key_of_the_tagged_form(void)
{
    static const enum public_key_kind kinds[] = { PUBLIC_KEY_P256, PUBLIC_KEY_P384 };
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        AUTO_MAKER struct maker maker = { 0 };
        struct attest_verdict verdict;
        maker_init(&maker, kinds[i]);
        struct bytes spki = fixture_key_spki(maker.key);
        struct digest32 sha256 = sha256_of(spki);
        struct digest48 sha384 = sha384_of(spki);
        struct digest64 sha512 = sha512_of(spki);
        const struct tagged forms[] = {
            { .tag = 60000, .algorithm = 1, .hash = BYTES_OF(sha256.bytes) },
            { .tag = 60000, .algorithm = 7, .hash = BYTES_OF(sha384.bytes) },
            { .tag = 60000,
              .algorithm = 8,
              .hash = BYTES_OF(sha512.bytes),
              .nonce = BYTES_LITERAL("fresh") },
        };
        for (size_t j = 0; j < ARRAY_COUNT(forms); j++) {
            maker.content.extension_count = 0;
            add_extension(&maker, oid_tagged, write_tagged(&maker, &forms[j]), j == 1);
            enum attest_reason reason = judge_made(&maker, &verdict);
            CHECK_NOTE(reason == ATTEST_REASON_NONE, "%s", attest_reason_name(reason));
            CHECK_NUMBER(verdict.tee, ATTEST_TEE_TDX);
            CHECK(verdict.claims.is_simulated && verdict.claims.ratls.is_self_signed);
            CHECK(verdict.claims.ratls.is_critical == (j == 1));
            CHECK_NUMBER(verdict.claims.ratls.hash_algorithm, (int64_t)forms[j].algorithm);
            CHECK_BYTES(bytes_of(verdict.claims.ratls.nonce, verdict.claims.ratls.nonce_size),
                        forms[j].nonce);
        }
    }
}

static void refuses_what_the_tagged_form_does_not_bind(void)
{
    AUTO_MAKER struct maker maker = { 0 };
    struct attest_verdict verdict;
    maker_init(&maker, PUBLIC_KEY_P256);
    struct bytes spki = fixture_key_spki(maker.key);
    struct digest32 right = sha256_of(spki);
    struct digest32 wrong = sha256_of(bytes_part(spki, 1, spki.size));
    struct digest48 sha384 = sha384_of(spki);
    uint8_t large[RATLS_NONCE_SIZE_MAX + 1] = { 0 };
    const struct {
        struct tagged form;
        enum attest_reason reason;
    } cases[] = {
        { { .tag = 60000, .algorithm = 1, .hash = BYTES_OF(right.bytes) }, ATTEST_REASON_NONE },
        { { .tag = 60000, .algorithm = 1, .hash = BYTES_OF(wrong.bytes) },
          ATTEST_REASON_CERT_BINDING_INVALID },
        { { .tag = 60000, .algorithm = 1, .hash = bytes_of(right.bytes, 31) },
          ATTEST_REASON_CERT_BINDING_INVALID },
        { { .tag = 60000, .algorithm = 7, .hash = BYTES_OF(right.bytes) },
          ATTEST_REASON_CERT_BINDING_INVALID },
        { { .tag = 60000, .algorithm = 2, .hash = BYTES_OF(right.bytes) },
          ATTEST_REASON_CERT_BINDING_INVALID },
        { { .tag = 60000, .algorithm = 1, .hash = BYTES_OF(sha384.bytes) },
          ATTEST_REASON_CERT_BINDING_INVALID },
        { { .tag = 60000, .algorithm = 1 }, ATTEST_REASON_CERT_BINDING_INVALID },
        { { .tag = 60000,
            .algorithm = 1,
            .hash = BYTES_OF(right.bytes),
            .quoted_claims = BYTES_LITERAL("others") },
          ATTEST_REASON_CERT_BINDING_INVALID },
        { { .tag = 60000, .algorithm = 1, .hash = BYTES_OF(right.bytes), .nonce = BYTES_OF(large) },
          ATTEST_REASON_CERT_BINDING_INVALID },
        { { .tag = 60001, .algorithm = 1, .hash = BYTES_OF(right.bytes) },
          ATTEST_REASON_UNSUPPORTED_TEE },
        { { .tag = 60002, .algorithm = 1, .hash = BYTES_OF(right.bytes) },
          ATTEST_REASON_UNSUPPORTED_TEE },
        { { .tag = 60000, .algorithm = 1, .hash = BYTES_OF(right.bytes), .has_third = true },
          ATTEST_REASON_FORMAT },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        maker.content.extension_count = 0;
        add_extension(&maker, oid_tagged, write_tagged(&maker, &cases[i].form), false);
        enum attest_reason reason = judge_made(&maker, &verdict);
        CHECK_NOTE(reason == cases[i].reason, "%zu: %s", i, attest_reason_name(reason));
    }
    /* A quote about another certificate's key, under whose claims this key is named. */
    AUTO_MAKER struct maker thief = { 0 };
    maker_init(&thief, PUBLIC_KEY_P256);
    thief.content.extension_count = 0;
    add_extension(&thief, oid_tagged, write_tagged(&maker, &cases[0].form), false);
    CHECK(judge_made(&thief, &verdict) == ATTEST_REASON_CERT_BINDING_INVALID);
}

/* The quote behind the header of reports, with this size in it. */
static void add_report(struct maker *maker, struct bytes oid, uint64_t size)
{
    struct writer writer = writer_into(maker->second, sizeof(maker->second));
    write_bytes(&writer, bytes_of("\1\0\0\0\2\0\0", 8));
    write_u64_le(&writer, size);
    write_bytes(&writer, buffer_view(&maker->quote));
    maker->content.extension_count = 0;
    add_extension(maker, oid, writer_view(&writer), false);
}

static void takes_open_enclaves_layout(void)
{
    const struct bytes oids[] = { BYTES_LITERAL("\x2b\x06\x01\x04\x01\x82\x37\x69\x01"),
                                  BYTES_LITERAL("\x2a\x86\x48\x86\xf7\x14\x0a\x01\x01") };
    AUTO_MAKER struct maker maker = { 0 };
    AUTO_BUFFER struct buffer pem;
    struct attest_verdict verdict;
    maker_init(&maker, PUBLIC_KEY_P256);
    buffer_init(&pem, 1024);
    struct bytes der = fixture_key_spki(maker.key);
    pem_append(&pem, "PUBLIC KEY", der);
    buffer_append(&pem, bytes_of("", 1));
    struct bytes text = buffer_view(&pem), cut = bytes_part(text, 0, text.size - 1);
    const struct {
        struct bytes hashed;
        size_t more; /* in the header than there is */
        enum attest_reason reason;
    } cases[] = { { text, 0, ATTEST_REASON_NONE },
                  { der, 0, ATTEST_REASON_NONE },
                  { cut, 0, ATTEST_REASON_CERT_BINDING_INVALID },
                  { text, 1, ATTEST_REASON_FORMAT } };
    for (size_t i = 0; i < ARRAY_COUNT(oids) * ARRAY_COUNT(cases); i++) {
        size_t of = i % ARRAY_COUNT(cases);
        struct digest32 digest = sha256_of(cases[of].hashed);
        quote_over(&maker, BYTES_OF(digest.bytes));
        add_report(&maker, oids[i / ARRAY_COUNT(cases)], maker.quote.size + cases[of].more);
        CHECK_NOTE(judge_made(&maker, &verdict) == cases[of].reason, "case %zu", i);
    }
    maker.content.extensions[0].value = buffer_view(&maker.quote); /* no report */
    CHECK(judge_made(&maker, &verdict) == ATTEST_REASON_FORMAT);
}

static void takes_the_older_layouts(void)
{
    AUTO_MAKER struct maker maker = { 0 };
    struct attest_verdict verdict;
    maker_init(&maker, PUBLIC_KEY_P384);
    struct bytes spki = fixture_key_spki(maker.key);
    struct digest32 sha256 = sha256_of(spki);
    const struct bytes oids[] = { oid_intel, oid_gramine };
    for (size_t i = 0; i < ARRAY_COUNT(oids); i++) {
        maker.content.extension_count = 0;
        quote_over(&maker, BYTES_OF(sha256.bytes));
        add_extension(&maker, oids[i], buffer_view(&maker.quote), false);
        CHECK(judge_made(&maker, &verdict) == ATTEST_REASON_NONE);
        CHECK_NUMBER(verdict.claims.ratls.layout, i == 0 ? RATLS_INTEL : RATLS_GRAMINE);
        sha256.bytes[31] ^= 1;
        quote_over(&maker, BYTES_OF(sha256.bytes));
        sha256.bytes[31] ^= 1;
        maker.content.extension_count = 0;
        add_extension(&maker, oids[i], buffer_view(&maker.quote), false);
        CHECK(judge_made(&maker, &verdict) == ATTEST_REASON_CERT_BINDING_INVALID);
    }
    /* dstack: wrapped once more, SHA-512 with a tag. */
    uint8_t tagged[256] = "ratls-cert:";
    memcpy(tagged + 11, spki.data, spki.size);
    struct digest64 sha512 = sha512_of(bytes_of(tagged, 11 + spki.size));
    for (size_t i = 0; i < 2; i++) {
        quote_over(&maker, i == 0 ? BYTES_OF(sha512.bytes) : BYTES_OF(sha256.bytes));
        struct der_writer writer = der_writer_into(maker.value, sizeof(maker.value));
        der_write(&writer, DER_OCTET_STRING, buffer_view(&maker.quote));
        maker.content.extension_count = 0;
        add_extension(&maker, oid_dstack, der_writer_view(&writer), false);
        CHECK(judge_made(&maker, &verdict) ==
              (i == 0 ? ATTEST_REASON_NONE : ATTEST_REASON_CERT_BINDING_INVALID));
    }
    maker.content.extension_count = 0;
    add_extension(&maker, oid_dstack, buffer_view(&maker.quote), false); /* not wrapped */
    CHECK(judge_made(&maker, &verdict) == ATTEST_REASON_FORMAT);
}

static void judges_the_certificate_around(void)
{
    AUTO_MAKER struct maker maker = { 0 };
    struct attest_verdict verdict;
    maker_init(&maker, PUBLIC_KEY_P256);
    CHECK(judge_made(&maker, &verdict) == ATTEST_REASON_FORMAT); /* no evidence */
    struct digest32 sha256 = sha256_of(fixture_key_spki(maker.key));
    quote_over(&maker, BYTES_OF(sha256.bytes));
    /* The OID of PCK certificates with what these put there. */
    add_extension(&maker, oid_intel, BYTES_LITERAL("\x30\x03\x01\x01\xff"), false);
    CHECK(judge_made(&maker, &verdict) == ATTEST_REASON_FORMAT);
    add_extension(&maker, oid_gramine, buffer_view(&maker.quote), true);
    CHECK(judge_made(&maker, &verdict) == ATTEST_REASON_NONE);
    /* An extension twice, and an unknown critical one. */
    add_extension(&maker, oid_gramine, buffer_view(&maker.quote), true);
    CHECK(judge_made(&maker, &verdict) == ATTEST_REASON_FORMAT);
    maker.content.extensions[2] = (struct x509_extra_extension){
        .oid = BYTES_LITERAL("\x55\x1d\x24"), .value = BYTES_LITERAL("\x30"), .is_critical = true
    };
    CHECK(judge_made(&maker, &verdict) == ATTEST_REASON_FORMAT);
    maker.content.extensions[2].is_critical = false;
    CHECK(judge_made(&maker, &verdict) == ATTEST_REASON_NONE);
    maker.content.serial = BYTES_LITERAL("\xff"); /* negative */
    CHECK(judge_made(&maker, &verdict) == ATTEST_REASON_FORMAT);
    maker.content.serial = (struct bytes){ 0 };
    /* Issued by another: the quote still binds the key. */
    maker.content.issuer = "somebody";
    CHECK(judge_made(&maker, &verdict) == ATTEST_REASON_NONE);
    CHECK(!verdict.claims.ratls.is_self_signed);
    CHECK_NUMBER(verdict.steps[1].state, ATTEST_STEP_LEFT_OUT);
    maker.content.issuer = "enclave";
    /* Self-issued, signed by another key. */
    AUTO(fixture_key) struct fixture_key *other = fixture_key_new(PUBLIC_KEY_P256, 0);
    struct attest_options options = { .now_s = NOW_S, .trust_simulated = true };
    buffer_clear(&maker.der);
    fixture_certificate(&maker.der, &maker.content, maker.key, other, FIXTURE_ECDSA);
    CHECK(judge(&verdict, buffer_view(&maker.der), &options) == ATTEST_REASON_CERT_BINDING_INVALID);
    AUTO(fixture_key) struct fixture_key *rsa = fixture_key_new(PUBLIC_KEY_RSA, 2048);
    buffer_clear(&maker.der);
    fixture_certificate(&maker.der, &maker.content, rsa, rsa, FIXTURE_PKCS1); /* with SHA-384 */
    CHECK(judge(&verdict, buffer_view(&maker.der), &options) == ATTEST_REASON_UNSUPPORTED_ALG);
    buffer_clear(&maker.der);
    fixture_certificate(&maker.der, &maker.content, maker.key, rsa, FIXTURE_PKCS1);
    CHECK(judge(&verdict, buffer_view(&maker.der), &options) == ATTEST_REASON_UNSUPPORTED_ALG);
    /* Graphene's, of RSA with SHA-256: its names are signed, and nothing else looks at them. */
    struct attest_options real_options = { .now_s = REAL_S };
    struct bytes der = der_of(DATA "graphene-cert.pem");
    uint8_t *changed = memmem(der.data, der.size, "RATLS", 5);
    REQUIRE(changed != NULL);
    CHECK(judge(&verdict, der, &real_options) == ATTEST_REASON_ROOT_UNTRUSTED);
    changed[0] = 'r';
    CHECK(judge(&verdict, der, &real_options) == ATTEST_REASON_CERT_BINDING_INVALID);
}

static void reads_endorsements(void)
{
    struct error error;
    uint8_t space[256];
    for (size_t count = 7; count <= 10; count++) {
        struct ratls_endorsements found;
        struct writer writer = writer_into(space, sizeof(space));
        cbor_write_tag(&writer, 60000);
        cbor_write_array(&writer, count);
        cbor_write_unsigned(&writer, 1);
        for (size_t i = 1; i < count; i++) {
            char text[2] = { (char)('a' + i), 0 };
            cbor_write_bytes(&writer, bytes_of_string(text));
        }
        bool is_read = ratls_read_endorsements(&found, writer_view(&writer), &error);
        CHECK(is_read == (count == 8 || count == 9));
        if (!is_read)
            continue;
        CHECK_BYTES(found.tcb_info, BYTES_LITERAL("b"));
        CHECK_BYTES(found.tcb_chain, BYTES_LITERAL("c"));
        CHECK_BYTES(found.pck_crl, BYTES_LITERAL("d"));
        CHECK_BYTES(found.root_crl, BYTES_LITERAL("e"));
        CHECK_BYTES(found.qe_identity, BYTES_LITERAL("g"));
        space[2] ^= 1;
        CHECK(!ratls_read_endorsements(&found, writer_view(&writer), &error));
    }
}

/* What a certificate endorses itself with is judged like what the caller gives, not trusted. */
static void judges_endorsements_too(void)
{
    AUTO_MAKER struct maker maker = { 0 };
    struct attest_verdict verdict;
    maker_init(&maker, PUBLIC_KEY_P256);
    struct digest32 sha256 = sha256_of(fixture_key_spki(maker.key));
    const struct tagged form = { .tag = 60000, .algorithm = 1, .hash = BYTES_OF(sha256.bytes) };
    add_extension(&maker, oid_tagged, write_tagged(&maker, &form), false);
    struct writer writer = writer_into(maker.second, sizeof(maker.second));
    cbor_write_tag(&writer, 60000);
    cbor_write_array(&writer, 8);
    cbor_write_unsigned(&writer, 1);
    for (size_t i = 1; i < 8; i++)
        cbor_write_bytes(&writer, BYTES_LITERAL("nonsense"));
    add_extension(&maker, oid_endorsements, writer_view(&writer), false);
    CHECK(judge_made(&maker, &verdict) != ATTEST_REASON_NONE);
    maker.content.extensions[1].value = BYTES_LITERAL("\xf6"); /* of another maker: not ours */
    CHECK(judge_made(&maker, &verdict) == ATTEST_REASON_NONE);
}

static bool has_left_out(const struct attest_verdict *verdict)
{
    for (size_t i = 0; i < verdict->step_count; i++) {
        if (verdict->steps[i].state == ATTEST_STEP_LEFT_OUT)
            return true;
    }
    return false;
}

/* Collateral that stands in the certificate itself completes the verdict. */
static void uses_endorsements_that_hold(void)
{
    AUTO_MAKER struct maker maker = { 0 };
    struct attest_verdict verdict;
    struct attest_collateral collateral = { 0 };
    maker_init(&maker, PUBLIC_KEY_P256);
    REQUIRE(sim_collateral(maker.root, &collateral));
    struct digest32 sha256 = sha256_of(fixture_key_spki(maker.key));
    const struct tagged form = { .tag = 60000, .algorithm = 1, .hash = BYTES_OF(sha256.bytes) };
    add_extension(&maker, oid_tagged, write_tagged(&maker, &form), false);
    CHECK(judge_made(&maker, &verdict) == ATTEST_REASON_NONE);
    CHECK(has_left_out(&verdict));
    CHECK_NUMBER(verdict.claims.intel.tcb_status, INTEL_TCB_UNKNOWN);
    const struct bytes items[] = { collateral.tcb_info,  collateral.tcb_chain,
                                   collateral.pck_crl,   collateral.root_crl,
                                   collateral.tcb_chain, collateral.qe_identity,
                                   collateral.tcb_chain };
    struct writer writer = writer_into(maker.second, sizeof(maker.second));
    cbor_write_tag(&writer, 60000);
    cbor_write_array(&writer, 1 + ARRAY_COUNT(items));
    cbor_write_unsigned(&writer, 1);
    for (size_t i = 0; i < ARRAY_COUNT(items); i++)
        cbor_write_bytes(&writer, items[i]);
    REQUIRE(!writer.failed);
    add_extension(&maker, oid_endorsements, writer_view(&writer), false);
    CHECK(judge_made(&maker, &verdict) == ATTEST_REASON_NONE);
    CHECK(!has_left_out(&verdict));
    CHECK_NUMBER(verdict.claims.intel.tcb_status, INTEL_TCB_UP_TO_DATE);
}

/* Identifiers of a key, as self-signed certificates have them: with them no changed name makes a
 * certificate one that another issued. */
#define KEY_NAME "0123456789abcdef0123"
static const struct bytes oid_subject_key = { (const uint8_t *)"\x55\x1d\x0e", 3 };
static const struct bytes oid_authority_key = { (const uint8_t *)"\x55\x1d\x23", 3 };
static const struct bytes subject_key = { (const uint8_t *)"\x04\x14" KEY_NAME, 22 };
static const struct bytes authority_key = { (const uint8_t *)"\x30\x16\x80\x14" KEY_NAME, 24 };

/* Two real ones are of quotes that nobody may take: here are two that hold, in both layouts. */
static void accepts_no_cut_and_no_changed_bit_of_made_ones(void)
{
    for (int i = 0; i < 2; i++) {
        AUTO_MAKER struct maker maker = { 0 };
        struct attest_verdict verdict;
        struct signature_memo memo = { 0 };
        struct attest_options options = { .now_s = NOW_S, .trust_simulated = true, .memo = &memo };
        maker_init(&maker, PUBLIC_KEY_P256);
        struct digest32 sha256 = sha256_of(fixture_key_spki(maker.key));
        struct tagged form = { .tag = 60000, .algorithm = 1, .hash = BYTES_OF(sha256.bytes) };
        add_extension(&maker, oid_subject_key, subject_key, false);
        add_extension(&maker, oid_authority_key, authority_key, false);
        if (i == 0) {
            add_extension(&maker, oid_tagged, write_tagged(&maker, &form), false);
        } else {
            quote_over(&maker, BYTES_OF(sha256.bytes));
            add_extension(&maker, oid_intel, buffer_view(&maker.quote), false);
        }
        REQUIRE(judge_made(&maker, &verdict) == ATTEST_REASON_NONE);
        for (size_t size = 0; size < maker.der.size; size++)
            CHECK(judge(&verdict, bytes_of(maker.der.data, size), &options) != ATTEST_REASON_NONE);
        for (size_t bit = 0; bit < 8 * maker.der.size; bit += MADE_STEP * test_bit_step()) {
            maker.der.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CHECK_NOTE(judge(&verdict, buffer_view(&maker.der), &options) != ATTEST_REASON_NONE,
                       "layout %d: bit %zu", i, bit);
            maker.der.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static const struct test tests[] = {
    TEST(agrees_with_all_cases),
    TEST(judges_the_quote_like_any_other),
    TEST(takes_every_hash_and_key_of_the_tagged_form),
    TEST(refuses_what_the_tagged_form_does_not_bind),
    TEST(takes_open_enclaves_layout),
    TEST(takes_the_older_layouts),
    TEST(accepts_no_cut_and_no_changed_bit_of_made_ones),
    TEST(judges_the_certificate_around),
    TEST(reads_endorsements),
    TEST(judges_endorsements_too),
    TEST(uses_endorsements_that_hold),
};
TEST_MAIN(tests)
