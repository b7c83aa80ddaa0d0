/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/receipt.h"

#include "base/json.h"
#include "core/hex.h"
#include "crypto/base64.h"
#include "keys/keys_test_support.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

/* Their claims hold every member. */
static bool is_same(const struct receipt *a, const struct receipt *b)
{
    struct error error = { 0 };
    AUTO_BUFFER struct buffer first, second;
    buffer_init(&first, RECEIPT_CLAIMS_SIZE_MAX);
    buffer_init(&second, RECEIPT_CLAIMS_SIZE_MAX);
    return receipt_claims(&first, a, &error) && receipt_claims(&second, b, &error) &&
           bytes_equal(buffer_view(&first), buffer_view(&second)) && a->sequence == b->sequence &&
           digest32_equal(&a->response, &b->response);
}

static bool round_trips(const struct receipt *receipt)
{
    struct error error = { 0 };
    AUTO(ecdsa_key) struct ecdsa_key *key = test_key(1);
    AUTO(ecdsa_key) struct ecdsa_key *other = test_key(2);
    AUTO_BUFFER struct buffer text, claims, canonical;
    buffer_init(&text, RECEIPT_SIZE_MAX);
    buffer_init(&claims, RECEIPT_CLAIMS_SIZE_MAX);
    buffer_init(&canonical, RECEIPT_CLAIMS_SIZE_MAX);
    struct receipt back, parsed;
    AUTO_JSON json_t *json = NULL;
    bool good = receipt_issue(&text, receipt, key, &error) &&
                receipt_verify(&back, buffer_view(&text), ecdsa_key_public(key), &error) &&
                receipt_parse(&parsed, buffer_view(&text), &error) &&
                receipt_claims(&claims, receipt, &error) &&
                json_parse(&json, buffer_view(&claims), &error) &&
                json_canonical(&canonical, json, &error);
    CHECK_NOTE(good, "%s", error.text);
    if (!good)
        return false;
    CHECK_BYTES(buffer_view(&claims), buffer_view(&canonical));
    CHECK(!receipt_verify(&back, buffer_view(&text), ecdsa_key_public(other), &error) &&
          error.code == ERROR_UNVERIFIED);
    return is_same(&back, receipt) && is_same(&parsed, receipt);
}

static void every_outcome_comes_back(void)
{
    struct receipt receipt = test_receipt();
    CHECK(round_trips(&receipt));
    receipt.has_nonce = false;
    memset(&receipt.nonce, 0, sizeof(receipt.nonce));
    receipt.trigger.kind = RECEIPT_TRIGGER_HTTP;
    memcpy(receipt.trigger.route, "/a/sealed-auction/settle", 24);
    CHECK(round_trips(&receipt));
    receipt.outcome.status = RECEIPT_STATUS_EXIT;
    receipt.outcome.exit_code = -3;
    CHECK(round_trips(&receipt));
    receipt.outcome.exit_code = 0;
    receipt.outcome.status = RECEIPT_STATUS_TRAP;
    memcpy(receipt.outcome.trap, "out of bounds memory access", 27);
    CHECK(round_trips(&receipt));
    receipt.outcome.has_function_index = true;
    receipt.outcome.function_index = UINT32_MAX;
    CHECK(round_trips(&receipt));
    receipt.outcome.has_function_index = false;
    receipt.outcome.function_index = 0;
    memset(receipt.outcome.trap, 0, sizeof(receipt.outcome.trap));
    receipt.outcome.status = RECEIPT_STATUS_TIMEOUT;
    CHECK(round_trips(&receipt));
    receipt.outcome.status = RECEIPT_STATUS_LIMIT;
    CHECK(round_trips(&receipt));
    receipt.outcome.status = RECEIPT_STATUS_CRASHED;
    receipt.sequence = KEYS_NUMBER_MAX;
    CHECK(round_trips(&receipt));
}

static void what_was_used_comes_back(void)
{
    struct receipt receipt = test_receipt();
    receipt.use_count = RECEIPT_USE_COUNT_MAX;
    for (unsigned i = 0; i < RECEIPT_USE_COUNT_MAX; i++) {
        struct receipt_use *use = &receipt.uses[i];
        snprintf(use->service, sizeof(use->service), "kv");
        memset(use->name, '~', RECEIPT_USE_NAME_SIZE_MAX);
        use->has_before = i % 2 == 0;
        use->has_after = i % 3 == 0;
        use->before.bytes[0] = use->has_before ? (uint8_t)i : 0;
        use->after.bytes[31] = use->has_after ? (uint8_t)i : 0;
    }
    CHECK(round_trips(&receipt));
    struct error error;
    AUTO_BUFFER struct buffer claims;
    buffer_init(&claims, RECEIPT_CLAIMS_SIZE_MAX);
    static const char *const bad[] = { "", "a b", "a\"", "a\\", "\x7f", "\xc3\xa4" };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        snprintf(receipt.uses[3].name, sizeof(receipt.uses[3].name), "%s", bad[i]);
        CHECK(!receipt_claims(&claims, &receipt, &error));
    }
    snprintf(receipt.uses[3].name, sizeof(receipt.uses[3].name), "x");
    snprintf(receipt.uses[3].service, sizeof(receipt.uses[3].service), "K\"");
    CHECK(!receipt_claims(&claims, &receipt, &error));
    receipt.use_count = RECEIPT_USE_COUNT_MAX + 1;
    CHECK(!receipt_claims(&claims, &receipt, &error));
}

/* Fills every text to its limit. */
static void the_largest_receipt_fits(void)
{
    struct receipt receipt = test_receipt();
    memset(receipt.id, 'i', KEYS_NAME_SIZE_MAX);
    memset(receipt.application, 'a', KEYS_NAME_SIZE_MAX);
    memset(receipt.application_version, 'v', KEYS_NAME_SIZE_MAX);
    memset(receipt.function, 'f', KEYS_NAME_SIZE_MAX);
    memset(receipt.trigger.request_id, 'r', KEYS_NAME_SIZE_MAX);
    memset(receipt.trigger.route, '/', KEYS_ROUTE_SIZE_MAX);
    memset(receipt.outcome.trap, 't', KEYS_NAME_SIZE_MAX);
    receipt.trigger.kind = RECEIPT_TRIGGER_HTTP;
    receipt.outcome.status = RECEIPT_STATUS_TRAP;
    receipt.outcome.has_function_index = true;
    receipt.outcome.function_index = UINT32_MAX;
    receipt.issued_at_s = KEYS_NUMBER_MAX;
    receipt.sequence = KEYS_NUMBER_MAX;
    receipt.usage.duration_us = KEYS_NUMBER_MAX;
    receipt.usage.memory_bytes = KEYS_NUMBER_MAX;
    receipt.usage.has_fuel = true;
    receipt.usage.fuel = KEYS_NUMBER_MAX;
    receipt.is_native = true;
    CHECK(round_trips(&receipt));
}

static void fuel_is_claimed_when_it_was_counted(void)
{
    struct error error = { 0 };
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, RECEIPT_SIZE_MAX);
    struct receipt receipt = test_receipt();
    receipt.usage.has_fuel = true;
    REQUIRE(receipt_claims(&text, &receipt, &error));
    buffer_append(&text, BYTES_LITERAL("\0"));
    CHECK(strstr((const char *)text.data, "\"duration_us\":412,\"fuel\":0,") != NULL);
    CHECK(round_trips(&receipt));
    buffer_clear(&text);
    receipt.usage.has_fuel = false;
    REQUIRE(receipt_claims(&text, &receipt, &error));
    buffer_append(&text, BYTES_LITERAL("\0"));
    CHECK(strstr((const char *)text.data, "fuel") == NULL);
}

static void the_backend_is_claimed(void)
{
    struct error error = { 0 };
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, RECEIPT_SIZE_MAX);
    struct receipt receipt = test_receipt();
    enum receipt_backend named = RECEIPT_BACKEND_KVM;
    REQUIRE(receipt_claims(&text, &receipt, &error));
    buffer_append(&text, BYTES_LITERAL("\0"));
    CHECK(strstr((const char *)text.data, "\",\"backend\":\"kvm\",\"code_") != NULL);
    buffer_clear(&text);
    receipt.backend = RECEIPT_BACKEND_PROCESS;
    REQUIRE(receipt_claims(&text, &receipt, &error));
    buffer_append(&text, BYTES_LITERAL("\0"));
    CHECK(strstr((const char *)text.data, "\",\"backend\":\"process\",\"code_") != NULL);
    CHECK(round_trips(&receipt));
    CHECK(receipt_backend_of_name(&named, "process") && named == RECEIPT_BACKEND_PROCESS);
    CHECK(receipt_backend_of_name(&named, "kvm") && named == RECEIPT_BACKEND_KVM);
    CHECK(!receipt_backend_of_name(&named, "auto"));
}

static void sealing_is_claimed(void)
{
    AUTO_BUFFER struct buffer text;
    struct error error;
    struct receipt receipt = test_receipt(), parsed;
    AUTO(ecdsa_key) struct ecdsa_key *key = test_key(1);
    buffer_init(&text, RECEIPT_SIZE_MAX);
    receipt.trigger.is_sealed = true;
    REQUIRE(receipt_issue(&text, &receipt, key, &error));
    REQUIRE(receipt_verify(&parsed, buffer_view(&text), ecdsa_key_public(key), &error));
    CHECK(parsed.trigger.is_sealed);
    buffer_clear(&text);
    REQUIRE(receipt_claims(&text, &receipt, &error));
    buffer_append(&text, bytes_of("", 1));
    CHECK(strstr((const char *)text.data, "\"sealed\":true") != NULL);
    receipt.trigger.is_sealed = false;
    buffer_clear(&text);
    REQUIRE(receipt_claims(&text, &receipt, &error));
    buffer_append(&text, bytes_of("", 1));
    CHECK(strstr((const char *)text.data, "sealed\":") == NULL);
}

static void native_code_is_claimed(void)
{
    struct error error = { 0 };
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, RECEIPT_SIZE_MAX);
    struct receipt receipt = test_receipt();
    receipt.is_native = true;
    REQUIRE(receipt_claims(&text, &receipt, &error));
    buffer_append(&text, BYTES_LITERAL("\0"));
    CHECK(strstr((const char *)text.data, "\",\"code_kind\":\"native\",\"eat_") != NULL);
    CHECK(round_trips(&receipt));
    buffer_clear(&text);
    receipt.is_native = false;
    REQUIRE(receipt_claims(&text, &receipt, &error));
    buffer_append(&text, BYTES_LITERAL("\0"));
    CHECK(strstr((const char *)text.data, "code_kind") == NULL);
}

static void bad_fields_are_not_signed(void)
{
    struct error error = { 0 };
    AUTO(ecdsa_key) struct ecdsa_key *key = test_key(1);
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, RECEIPT_SIZE_MAX);
    struct receipt wrong[12];
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        wrong[i] = test_receipt();
    wrong[0].function[0] = '\0';
    wrong[1].function[0] = '"';
    wrong[2].application[0] = '/';
    memset(wrong[3].application, 'a', sizeof(wrong[3].application)); /* no end */
    wrong[4].sequence = (uint64_t)KEYS_NUMBER_MAX + 1;
    wrong[5].issued_at_s = -1;
    wrong[6].outcome.status = RECEIPT_STATUS_EXIT; /* with code 0 */
    wrong[7].outcome.status = RECEIPT_STATUS_TRAP; /* without reason */
    wrong[8].trigger.kind = RECEIPT_TRIGGER_HTTP;  /* without route */
    wrong[9].trigger.kind = RECEIPT_TRIGGER_HTTP;
    memcpy(wrong[9].trigger.route, "/a\"b", 4);
    wrong[10].usage.memory_bytes = UINT64_MAX;
    wrong[11].usage.fuel = UINT64_MAX;
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        CHECK_NOTE(!receipt_issue(&text, &wrong[i], key, &error) && error.code == ERROR_INVALID,
                   "%zu", i);
    CHECK_NUMBER(text.size, 0);
}

static void every_flip_and_truncation_is_refused(void)
{
    struct error error = { 0 };
    AUTO(ecdsa_key) struct ecdsa_key *key = test_key(1);
    struct receipt receipt = test_receipt(), back;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, RECEIPT_SIZE_MAX);
    REQUIRE(receipt_issue(&text, &receipt, key, &error));
    for (size_t i = 0; i < text.size; i++) {
        CHECK(!receipt_verify(&back, bytes_of(text.data, i), ecdsa_key_public(key), &error));
        for (unsigned bit = 0; bit < 8; bit += 3) {
            text.data[i] ^= (uint8_t)(1u << bit);
            CHECK_NOTE(!receipt_verify(&back, buffer_view(&text), ecdsa_key_public(key), &error),
                       "byte %zu", i);
            text.data[i] ^= (uint8_t)(1u << bit);
        }
    }
    buffer_append_string(&text, "A");
    CHECK(!receipt_verify(&back, buffer_view(&text), ecdsa_key_public(key), &error));
}

/* Signs whatever header and claims it is given: what a thief of the key, or another library, could
 * produce. */
static bool accepts(const char *header, const char *claims)
{
    struct error error = { 0 };
    AUTO(ecdsa_key) struct ecdsa_key *key = test_key(1);
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 1 << 16);
    base64url_append(&text, bytes_of_string(header));
    buffer_append_string(&text, ".");
    base64url_append(&text, bytes_of_string(claims));
    struct digest32 digest = sha256_of(buffer_view(&text));
    struct ecdsa_signature signature;
    CHECK(ecdsa_sign(&signature, key, &digest, &error));
    buffer_append_string(&text, ".");
    base64url_append(&text, BYTES_OF(signature.bytes));
    struct receipt back;
    return receipt_verify(&back, buffer_view(&text), ecdsa_key_public(key), &error);
}

static bool accepts_changed(const char *from, const char *to)
{
    struct error error = { 0 };
    struct receipt receipt = test_receipt();
    AUTO_BUFFER struct buffer claims;
    buffer_init(&claims, RECEIPT_CLAIMS_SIZE_MAX);
    if (!receipt_claims(&claims, &receipt, &error))
        return true;
    buffer_append(&claims, bytes_of("", 1));
    char *start = (char *)claims.data;
    char *found = strstr(start, from);
    CHECK_NOTE(found != NULL, "%s", from);
    if (found == NULL)
        return true;
    char changed[2 * RECEIPT_CLAIMS_SIZE_MAX];
    snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(found - start), start, to,
             found + strlen(from));
    return accepts("{\"alg\":\"ES256\",\"typ\":\"s3n-receipt+jwt\"}", changed);
}

static void other_headers_are_refused_even_if_signed(void)
{
    struct error error = { 0 };
    struct receipt receipt = test_receipt();
    AUTO_BUFFER struct buffer claims;
    buffer_init(&claims, RECEIPT_CLAIMS_SIZE_MAX);
    REQUIRE(receipt_claims(&claims, &receipt, &error));
    buffer_append(&claims, bytes_of("", 1));
    const char *text = (const char *)claims.data;
    CHECK(accepts("{\"alg\":\"ES256\",\"typ\":\"s3n-receipt+jwt\"}", text));
    CHECK(!accepts("{\"alg\":\"none\",\"typ\":\"s3n-receipt+jwt\"}", text));
    CHECK(!accepts("{\"alg\":\"HS256\",\"typ\":\"s3n-receipt+jwt\"}", text));
    CHECK(!accepts("{\"alg\":\"ES256\",\"typ\":\"JWT\"}", text));
    CHECK(!accepts("{\"alg\":\"ES256\"}", text));
    CHECK(!accepts("{\"typ\":\"s3n-receipt+jwt\",\"alg\":\"ES256\"}", text));
    CHECK(!accepts("{\"alg\":\"ES256\",\"typ\":\"s3n-receipt+jwt\",\"crit\":[\"b64\"]}", text));
    CHECK(!accepts("{\"alg\":\"ES256\",\"jwk\":{},\"typ\":\"s3n-receipt+jwt\"}", text));
    CHECK(!accepts("", text));
}

static void other_claims_are_refused_even_if_signed(void)
{
    CHECK(accepts_changed("\"sequence\":7", "\"sequence\":7"));
    CHECK(accepts_changed("\"sequence\":7", "\"sequence\":8"));
    CHECK(!accepts_changed("\"sequence\":7", "\"sequence\":7.0"));
    CHECK(!accepts_changed("\"sequence\":7", "\"sequence\":\"7\""));
    CHECK(!accepts_changed("\"sequence\":7", "\"sequence\":-7"));
    CHECK(!accepts_changed("\"sequence\":7", "\"sequence\":9007199254740992"));
    CHECK(!accepts_changed("\"sequence\":7", "\"sequence\": 7"));
    CHECK(!accepts_changed("\"sequence\":7", "\"sequence\":7,\"sequence\":7"));
    CHECK(!accepts_changed("\"sequence\":7,", ""));
    CHECK(!accepts_changed("\"sequence\":7", "\"sequence\":7,\"sequencf\":1"));
    CHECK(!accepts_changed("\"status\":\"done\"", "\"status\":\"fine\""));
    CHECK(!accepts_changed("\"status\":\"done\"", "\"status\":\"exit\""));
    CHECK(!accepts_changed("\"status\":\"done\"", "\"status\":\"trap\""));
    CHECK(accepts_changed("\"status\":\"done\"", "\"exit_code\":1,\"status\":\"exit\""));
    CHECK(!accepts_changed("\"status\":\"done\"", "\"exit_code\":1,\"status\":\"done\""));
    CHECK(!accepts_changed("\"kind\":\"call\"", "\"kind\":\"http\""));
    CHECK(!accepts_changed("\"kind\":\"call\"", "\"kind\":\"cron\""));
    CHECK(accepts_changed("\"backend\":\"kvm\"", "\"backend\":\"process\""));
    CHECK(!accepts_changed("\"backend\":\"kvm\"", "\"backend\":\"auto\""));
    CHECK(!accepts_changed("\"backend\":\"kvm\",", ""));
    CHECK(!accepts_changed("urn:s3n:receipt:1", "urn:s3n:receipt:2"));
    CHECK(!accepts_changed("\"function\":\"settle\"", "\"function\":\"settl\\u0065\""));
    /* another function, whose version is not made of this code and manifest */
    CHECK(!accepts_changed("\"function\":\"settle\"", "\"function\":\"other\""));
    CHECK(!accepts_changed("\"eat_nonce\":\"77", "\"eat_nonce\":\"7"));
    CHECK(!accepts_changed("\"usage\":{", "\"usage\":[{"));
    CHECK(!accepts_changed("{\"application\"", "[{\"application\""));
}

static const struct test tests[] = {
    TEST(every_outcome_comes_back),
    TEST(what_was_used_comes_back),
    TEST(the_largest_receipt_fits),
    TEST(fuel_is_claimed_when_it_was_counted),
    TEST(the_backend_is_claimed),
    TEST(native_code_is_claimed),
    TEST(sealing_is_claimed),
    TEST(bad_fields_are_not_signed),
    TEST(every_flip_and_truncation_is_refused),
    TEST(other_headers_are_refused_even_if_signed),
    TEST(other_claims_are_refused_even_if_signed),
};
TEST_MAIN(tests)
