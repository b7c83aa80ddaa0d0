/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/keyset.h"

#include "base/json.h"
#include "core/hex.h"
#include "keys/keys_test_support.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static bool is_same(const struct keyset *a, const struct keyset *b)
{
    return strcmp(a->node, b->node) == 0 && strcmp(a->platform, b->platform) == 0 &&
           ecdsa_public_equal(&a->receipt_key, &b->receipt_key) &&
           ecdsa_public_equal(&a->tls_key, &b->tls_key) &&
           bytes_equal(BYTES_OF(a->encryption_key.bytes), BYTES_OF(b->encryption_key.bytes)) &&
           a->validity.not_before_s == b->validity.not_before_s &&
           a->validity.not_after_s == b->validity.not_after_s &&
           a->events.count == b->events.count &&
           bytes_equal(BYTES_OF(a->events.head.bytes), BYTES_OF(b->events.head.bytes)) &&
           strcmp(a->events.event_register, b->events.event_register) == 0;
}

/* One that says how far the event log was. */
static struct keyset keyset_with_events(void)
{
    struct keyset keyset = test_keyset();
    keyset.events = (struct keyset_events){ .count = 12, .event_register = "rtmr3" };
    memset(keyset.events.head.bytes, 0x5a, sizeof(keyset.events.head.bytes));
    return keyset;
}

static void check_comes_back(struct keyset keyset)
{
    struct error error = { 0 };
    struct keyset back = { 0 };
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, KEYSET_SIZE_MAX);
    REQUIRE(keyset_write(&text, &keyset, &error));
    bool parsed = keyset_parse(&back, buffer_view(&text), &error);
    CHECK_NOTE(parsed, "%s", error.text);
    CHECK(is_same(&back, &keyset));
    AUTO_JSON json_t *json = NULL;
    AUTO_BUFFER struct buffer canonical;
    buffer_init(&canonical, KEYSET_SIZE_MAX);
    REQUIRE(json_parse(&json, buffer_view(&text), &error));
    REQUIRE(json_canonical(&canonical, json, &error));
    CHECK_BYTES(buffer_view(&text), buffer_view(&canonical));
}

static void comes_back_as_it_was(void)
{
    check_comes_back(test_keyset());
    check_comes_back(keyset_with_events());
}

static void every_changed_byte_is_refused_or_another_keyset(void)
{
    struct error error = { 0 };
    struct keyset keyset = keyset_with_events(), back = { 0 };
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, KEYSET_SIZE_MAX);
    REQUIRE(keyset_write(&text, &keyset, &error));
    unsigned refused = 0;
    for (size_t i = 0; i < text.size; i++) {
        CHECK(!keyset_parse(&back, bytes_of(text.data, i), &error));
        for (unsigned bit = 0; bit < 8; bit++) {
            text.data[i] ^= (uint8_t)(1u << bit);
            if (!keyset_parse(&back, buffer_view(&text), &error))
                refused++;
            else
                CHECK(!is_same(&back, &keyset));
            text.data[i] ^= (uint8_t)(1u << bit);
        }
    }
    CHECK(refused > text.size * 7);
}

/* Replaces the first `from` of a good keyset's text by `to`. */
static bool parses_with(const char *from, const char *to)
{
    struct error error = { 0 };
    struct keyset keyset = keyset_with_events();
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, KEYSET_SIZE_MAX);
    if (!keyset_write(&text, &keyset, &error))
        return true;
    buffer_append(&text, bytes_of("", 1));
    char *start = (char *)text.data;
    char *found = strstr(start, from);
    CHECK_NOTE(found != NULL, "%s", from);
    if (found == NULL)
        return true;
    char changed[2 * KEYSET_SIZE_MAX];
    int size = snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(found - start), start, to,
                        found + strlen(from));
    return keyset_parse(&keyset, bytes_of(changed, (size_t)size), &error);
}

static void other_forms_are_refused(void)
{
    CHECK(parses_with("\"s3n_keyset\":1", "\"s3n_keyset\":1"));
    CHECK(!parses_with("\"s3n_keyset\":1", "\"s3n_keyset\":2"));
    CHECK(!parses_with("\"s3n_keyset\":1", "\"s3n_keyset\": 1"));
    CHECK(!parses_with("\"s3n_keyset\":1", "\"s3n_keyset\":1.0"));
    CHECK(!parses_with("\"s3n_keyset\":1", "\"s3n_keyset\":\"1\""));
    CHECK(!parses_with("\"s3n_keyset\":1,", ""));
    CHECK(!parses_with("\"s3n_keyset\":1,", "\"s3n_keyset\":1,\"t\":0,"));
    CHECK(!parses_with("\"s3n_keyset\":1,", "\"s3n_keyset\":1,\"s3n_keyset\":1,"));
    CHECK(!parses_with("{\"enc", " {\"enc"));
    CHECK(!parses_with("\"platform\":\"sim\"", "\"platform\":\"\""));
    CHECK(!parses_with("\"platform\":\"sim\"", "\"platform\":\"SIM\""));
    CHECK(!parses_with("\"platform\":\"sim\"", "\"platform\":\"\\u0073im\""));
    CHECK(!parses_with("\"platform\":\"sim\"", "\"platform\":\"abcdefghijklmnopqrst\""));
    CHECK(!parses_with("\"node\":\"", "\"node\":\"0"));
    CHECK(!parses_with("\"crv\":\"P-256\"", "\"crv\":\"P-384\""));
    CHECK(!parses_with("\"crv\":\"P-256\"", "\"alg\":\"ES256\",\"crv\":\"P-256\""));
    CHECK(!parses_with("\"crv\":\"X25519\"", "\"crv\":\"X448\""));
    CHECK(!parses_with("\"not_after\":", "\"not_after\":1"));
    CHECK(!parses_with("\"not_after\":", "\"not_after\":-"));
    CHECK(!parses_with("\"not_before\":", "\"not_before\":0"));
    CHECK(!parses_with("\"tls_spki\":\"", "\"tls_spki\":\"00"));
    CHECK(parses_with("\"count\":12", "\"count\":1"));
    CHECK(!parses_with("\"count\":12", "\"count\":0"));
    CHECK(!parses_with("\"count\":12", "\"count\":012"));
    CHECK(!parses_with("\"count\":12,", ""));
    CHECK(!parses_with("\"head\":\"5a", "\"head\":\"5A"));
    CHECK(!parses_with("\"head\":\"5a", "\"head\":\""));
    CHECK(!parses_with("\"register\":\"rtmr3\"", "\"register\":\"\""));
    CHECK(!parses_with("\"register\":\"rtmr3\"", "\"register\":\"RTMR3\""));
    CHECK(!parses_with("\"register\":\"rtmr3\"", "\"register\":\"rtmr3rtmr3\""));
    CHECK(!parses_with("\"register\":\"rtmr3\"", "\"register\":\"rtmr3\",\"x\":1"));
}

static void bad_keysets_are_not_written(void)
{
    struct error error = { 0 };
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, KEYSET_SIZE_MAX);
    struct keyset keyset = test_keyset();
    keyset.validity.not_after_s = keyset.validity.not_before_s + KEYSET_VALIDITY_MAX_S;
    CHECK(keyset_write(&text, &keyset, &error));
    keyset.validity.not_after_s++;
    CHECK(!keyset_write(&text, &keyset, &error) && error.code == ERROR_INVALID);
    keyset.validity.not_after_s = keyset.validity.not_before_s;
    CHECK(!keyset_write(&text, &keyset, &error));
    keyset = keyset_with_events();
    keyset.events.event_register[0] = '"';
    CHECK(!keyset_write(&text, &keyset, &error));
    keyset.events.event_register[0] = '\0';
    CHECK(!keyset_write(&text, &keyset, &error));
    keyset = test_keyset();
    keyset.node[0] = 'G';
    CHECK(!keyset_write(&text, &keyset, &error));
    keyset = test_keyset();
    keyset.receipt_key.bytes[5] ^= 1; /* off the curve */
    CHECK(!keyset_write(&text, &keyset, &error));
}

/* Computed apart from this code, with Python's hashlib over the statement. */
static void report_data_is_the_statements_hash(void)
{
    struct digest32 keyset;
    struct nonce32 nonce;
    memset(keyset.bytes, 0x11, sizeof(keyset.bytes));
    memset(nonce.bytes, 0x22, sizeof(nonce.bytes));
    struct digest64 data = report_data_of(&keyset, &nonce);
    char digits[129];
    hex_encode(digits, BYTES_OF(data.bytes));
    CHECK_STRING(digits, "641cfbc92424f19cc2bc0658c43fde5275276885c35e1623c147686c5b355ff3"
                         "c181b8392d4acfb17c2a91f5925886c2ddca584475e34e07714460657c51a577");
}

static const struct test tests[] = {
    TEST(comes_back_as_it_was),
    TEST(every_changed_byte_is_refused_or_another_keyset),
    TEST(other_forms_are_refused),
    TEST(bad_keysets_are_not_written),
    TEST(report_data_is_the_statements_hash),
};
TEST_MAIN(tests)
