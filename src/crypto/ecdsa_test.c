/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ecdsa.h"

#include "core/hex.h"
#include "crypto/hash.h"
#include "tests/harness.h"

#include <string.h>

/* RFC 6979 appendix A.2.5. */
static const char scalar_text[] =
    "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
static const char public_text[] =
    "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
    "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";
static const char sample_text[] =
    "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
    "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8";
static const char test_text[] = "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
                                "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083";
static const char order_text[] = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";

static void unhex(void *target, size_t size, const char *text)
{
    CHECK(hex_decode(target, size, bytes_of_string(text)));
}

static struct ecdsa_public known_public(void)
{
    struct ecdsa_public public;
    unhex(public.bytes, sizeof(public.bytes), public_text);
    return public;
}

static bool verifies(const char *signature_text, const char *message)
{
    struct error error;
    struct ecdsa_public public = known_public();
    struct ecdsa_signature signature;
    unhex(signature.bytes, sizeof(signature.bytes), signature_text);
    struct digest32 digest = sha256_of(bytes_of_string(message));
    bool is_verified = ecdsa_verify(&public, &digest, &signature, &error);
    CHECK(is_verified || error.code == ERROR_UNVERIFIED);
    return is_verified;
}

static void verifies_the_standard_values(void)
{
    CHECK(verifies(sample_text, "sample"));
    CHECK(verifies(test_text, "test"));
    CHECK(!verifies(sample_text, "test"));
    CHECK(!verifies(test_text, "sample"));
}

static void imports_and_exports(void)
{
    struct error error;
    AUTO_SECRET32 struct secret32 scalar;
    unhex(scalar.bytes, sizeof(scalar.bytes), scalar_text);
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    REQUIRE(ecdsa_key_import(&key, &scalar, &error));
    struct ecdsa_public public = known_public();
    CHECK(ecdsa_public_equal(ecdsa_key_public(key), &public));
    AUTO_SECRET32 struct secret32 again;
    ecdsa_key_export(&again, key);
    CHECK(secret_equal(&scalar, &again, sizeof(scalar)));
}

static void refuses_scalars_out_of_range(void)
{
    struct error error;
    struct secret32 scalar = { { 0 } };
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    CHECK(!ecdsa_key_import(&key, &scalar, &error));
    unhex(scalar.bytes, sizeof(scalar.bytes), order_text);
    CHECK(!ecdsa_key_import(&key, &scalar, &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
    CHECK(key == NULL);
    scalar.bytes[31]--;
    CHECK(ecdsa_key_import(&key, &scalar, &error));
}

static void signs_what_it_verifies(void)
{
    struct error error;
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    REQUIRE(ecdsa_key_generate(&key, &error));
    struct digest32 digest = sha256_of(BYTES_LITERAL("message"));
    struct ecdsa_signature signature;
    for (unsigned i = 0; i < 50; i++) {
        REQUIRE(ecdsa_sign(&signature, key, &digest, &error));
        REQUIRE(ecdsa_verify(ecdsa_key_public(key), &digest, &signature, &error));
    }
    struct ecdsa_public other = known_public();
    CHECK(!ecdsa_verify(&other, &digest, &signature, &error));
    for (size_t i = 0; i < sizeof(signature.bytes) * 8; i += 7) {
        signature.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        CHECK(!ecdsa_verify(ecdsa_key_public(key), &digest, &signature, &error));
        signature.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
}

/* n - s is as good as s: both are legal. */
static void accepts_both_halves_of_s(void)
{
    struct error error;
    struct ecdsa_public public = known_public();
    struct digest32 digest = sha256_of(BYTES_LITERAL("sample"));
    struct ecdsa_signature signature;
    uint8_t order[32];
    unhex(signature.bytes, sizeof(signature.bytes), sample_text);
    unhex(order, sizeof(order), order_text);
    unsigned borrow = 0;
    for (size_t i = 32; i-- > 0;) {
        unsigned difference = 256U + order[i] - signature.bytes[32 + i] - borrow;
        signature.bytes[32 + i] = (uint8_t)difference;
        borrow = difference < 256;
    }
    CHECK(ecdsa_verify(&public, &digest, &signature, &error));
}

static void refuses_r_and_s_out_of_range(void)
{
    struct error error;
    struct ecdsa_public public = known_public();
    struct digest32 digest = sha256_of(BYTES_LITERAL("sample"));
    for (unsigned half = 0; half < 2; half++) {
        struct ecdsa_signature signature;
        unhex(signature.bytes, sizeof(signature.bytes), sample_text);
        memset(signature.bytes + 32 * half, 0, 32);
        CHECK(!ecdsa_verify(&public, &digest, &signature, &error));
        unhex(signature.bytes + 32 * half, 32, order_text);
        CHECK(!ecdsa_verify(&public, &digest, &signature, &error));
        memset(signature.bytes + 32 * half, 0xff, 32);
        CHECK(!ecdsa_verify(&public, &digest, &signature, &error));
        CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    }
    struct ecdsa_signature zero = { { 0 } };
    CHECK(!ecdsa_verify(&public, &digest, &zero, &error));
    /* r = 1, s = 1 is in range and wrong. */
    zero.bytes[31] = zero.bytes[63] = 1;
    CHECK(!ecdsa_verify(&public, &digest, &zero, &error));
}

static void refuses_points_off_the_curve(void)
{
    struct error error;
    struct digest32 digest = sha256_of(BYTES_LITERAL("sample"));
    struct ecdsa_signature signature;
    unhex(signature.bytes, sizeof(signature.bytes), sample_text);
    struct ecdsa_public wrong = known_public();
    wrong.bytes[63] ^= 1;
    CHECK(!ecdsa_public_check(&wrong, &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
    CHECK(!ecdsa_verify(&wrong, &digest, &signature, &error));
    memset(wrong.bytes, 0, sizeof(wrong.bytes));
    CHECK(!ecdsa_public_check(&wrong, &error));
    memset(wrong.bytes, 0xff, sizeof(wrong.bytes));
    CHECK(!ecdsa_public_check(&wrong, &error));
    /* The generator of secp256k1: a point, but of another curve. */
    unhex(wrong.bytes, sizeof(wrong.bytes),
          "79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798"
          "483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8");
    CHECK(!ecdsa_public_check(&wrong, &error));
    CHECK(!ecdsa_verify(&wrong, &digest, &signature, &error));
    struct ecdsa_public right = known_public();
    CHECK(ecdsa_public_check(&right, &error));
}

static void travels_as_spki_and_pem(void)
{
    struct error error;
    struct ecdsa_public public = known_public();
    struct ecdsa_spki spki = ecdsa_public_to_spki(&public);
    struct ecdsa_public back = { { 0 } };
    CHECK(ecdsa_public_from_spki(&back, BYTES_OF(spki.bytes), &error));
    CHECK(ecdsa_public_equal(&public, &back));
    for (size_t i = 0; i < sizeof(spki.bytes); i++) {
        spki.bytes[i] ^= 1;
        CHECK(!ecdsa_public_from_spki(&back, BYTES_OF(spki.bytes), &error));
        spki.bytes[i] ^= 1;
        CHECK(!ecdsa_public_from_spki(&back, bytes_of(spki.bytes, i), &error));
    }
    AUTO_BUFFER struct buffer pem;
    buffer_init(&pem, 4096);
    ecdsa_public_to_pem(&pem, &public);
    /* openssl pkey -pubin -text on this text shows the key of the RFC. */
    CHECK_BYTES(buffer_view(&pem),
                BYTES_LITERAL("-----BEGIN PUBLIC KEY-----\n"
                              "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7\n"
                              "Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n"
                              "-----END PUBLIC KEY-----\n"));
    back = (struct ecdsa_public){ { 0 } };
    CHECK(ecdsa_public_from_pem(&back, buffer_view(&pem), &error));
    CHECK(ecdsa_public_equal(&public, &back));
    buffer_append(&pem, BYTES_LITERAL("\nx"));
    CHECK(!ecdsa_public_from_pem(&back, buffer_view(&pem), &error));
}

static void private_keys_travel_as_pem(void)
{
    struct error error;
    AUTO_SECRET32 struct secret32 scalar;
    unhex(scalar.bytes, sizeof(scalar.bytes), scalar_text);
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    REQUIRE(ecdsa_key_import(&key, &scalar, &error));
    AUTO_SECRET_BUFFER struct secret_buffer pem = { 0 };
    REQUIRE(ecdsa_key_to_pem(&pem, key, &error));
    struct bytes text = bytes_of(pem.data, pem.size);
    /* What `openssl genpkey` would have written for this key. */
    CHECK_BYTES(text,
                BYTES_LITERAL("-----BEGIN PRIVATE KEY-----\n"
                              "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX\n"
                              "Z7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth\n"
                              "+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ\n"
                              "-----END PRIVATE KEY-----\n"));
    AUTO(ecdsa_key) struct ecdsa_key *back = NULL;
    REQUIRE(ecdsa_key_from_pem(&back, text, &error));
    CHECK(ecdsa_public_equal(ecdsa_key_public(back), ecdsa_key_public(key)));
    for (size_t size = 0; size + 1 < pem.size; size++) {
        AUTO(ecdsa_key) struct ecdsa_key *wrong = NULL;
        CHECK(!ecdsa_key_from_pem(&wrong, bytes_part(text, 0, size), &error));
    }
}

static void travels_as_jwk(void)
{
    struct error error;
    struct ecdsa_public public = known_public();
    AUTO_JSON json_t *jwk = ecdsa_public_to_jwk(&public);
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 1024);
    REQUIRE(json_canonical(&text, jwk, &error));
    CHECK_BYTES(buffer_view(&text),
                BYTES_LITERAL("{\"crv\":\"P-256\",\"kty\":\"EC\","
                              "\"x\":\"YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y\","
                              "\"y\":\"eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk\"}"));
    struct ecdsa_public back = { { 0 } };
    CHECK(ecdsa_public_from_jwk(&back, jwk, &error));
    CHECK(ecdsa_public_equal(&public, &back));
    json_object_set_new(jwk, "alg", json_string("ES256"));
    json_object_set_new(jwk, "use", json_string("sig"));
    json_object_set_new(jwk, "kid", json_string("any"));
    CHECK(ecdsa_public_from_jwk(&back, jwk, &error));
    json_object_set_new(jwk, "d", json_string("AA"));
    CHECK(!ecdsa_public_from_jwk(&back, jwk, &error));
    json_object_del(jwk, "d");
    json_object_set_new(jwk, "alg", json_string("none"));
    CHECK(!ecdsa_public_from_jwk(&back, jwk, &error));
    json_object_del(jwk, "alg");
    json_object_set_new(jwk, "x", json_string("YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y="));
    CHECK(!ecdsa_public_from_jwk(&back, jwk, &error));
    json_object_set_new(jwk, "x", json_string("YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z"));
    CHECK(!ecdsa_public_from_jwk(&back, jwk, &error));
    json_object_set_new(jwk, "x", json_integer(7));
    CHECK(!ecdsa_public_from_jwk(&back, jwk, &error));
    json_object_del(jwk, "x");
    CHECK(!ecdsa_public_from_jwk(&back, jwk, &error));
}

static const struct test tests[] = {
    TEST(verifies_the_standard_values), TEST(imports_and_exports),
    TEST(refuses_scalars_out_of_range), TEST(signs_what_it_verifies),
    TEST(accepts_both_halves_of_s),     TEST(refuses_r_and_s_out_of_range),
    TEST(refuses_points_off_the_curve), TEST(travels_as_spki_and_pem),
    TEST(private_keys_travel_as_pem),   TEST(travels_as_jwk),
};
TEST_MAIN(tests)
