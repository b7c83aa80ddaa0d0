/* SPDX-License-Identifier: Apache-2.0 */
/* The calls for keys, with a keeper in a thread. */
#include "services/key.h"

#include "core/hex.h"
#include "crypto/base64.h"
#include "crypto/ecdsa.h"
#include "crypto/hpke.h"
#include "logs/redact.h"
#include "services/test_keeper.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static unsigned failures;
static struct key_service key;
static struct services *services;
static struct permissions permissions;

static void failed(void *context UNUSED, const struct error *error UNUSED)
{
    failures++;
}

static bool world_open(void)
{
    static const char *names[] = { "ed25519:a", "hkdf:a",      "p256:a",
                                   "p256:b",    "secp256k1:a", "x25519:a" };
    struct error error = { 0 };
    failures = 0;
    permissions = permissions_default();
    permissions.lists[CALL_PERMISSION_KEYS] = (struct permission_list){ names, ARRAY_COUNT(names) };
    bool done = test_keeper_start() && services_new(&services, &error);
    key = (struct key_service){ NULL, test_desk, failed };
    return done && services_add(services, &service_key, &key, &error);
}

static void world_close(void)
{
    test_keeper_end();
    services_free(TAKE(services));
}

static struct service_scope *scope_begin(const char *application, uint8_t owner)
{
    struct error error;
    struct service_scope *scope = NULL;
    struct service_facts facts = { .application = application,
                                   .function = "f",
                                   .version = "1",
                                   .owner = { { owner } },
                                   .permissions = &permissions };
    CHECK(services_begin(services, &facts, &scope, &error));
    return scope;
}

static int64_t public(struct service_scope *scope, const char *path, uint64_t algorithm)
{
    return test_call(scope, &(struct call_request){ .call = CALL_KEY_PUBLIC,
                                                    .number_count = 1,
                                                    .string_count = 1,
                                                    .numbers = { algorithm },
                                                    .strings = { bytes_of_string(path) } });
}

static int64_t sign(struct service_scope *scope, const char *path, uint64_t algorithm,
                    struct bytes message)
{
    return test_call(scope,
                     &(struct call_request){ .call = CALL_KEY_SIGN,
                                             .number_count = 1,
                                             .string_count = 2,
                                             .numbers = { algorithm },
                                             .strings = { bytes_of_string(path), message } });
}

static int64_t derive(struct service_scope *scope, const char *path, uint64_t size)
{
    return test_call(scope, &(struct call_request){ .call = CALL_KEY_DERIVE,
                                                    .number_count = 1,
                                                    .string_count = 1,
                                                    .numbers = { size },
                                                    .strings = { bytes_of_string(path) } });
}

static void a_key_signs_and_is_named(void)
{
    struct bytes message = BYTES_LITERAL("12.5");
    struct digest32 digest = sha256_of(message);
    struct ecdsa_public public_key;
    struct ecdsa_signature signature, again;
    struct error error;
    unsigned count;
    REQUIRE(world_open());
    struct service_scope *scope = scope_begin("shop", 7);
    REQUIRE(public(scope, "a", 1) == 65);
    struct digest32 id = sha256_of(bytes_of(test_answer.data, 65));
    memcpy(public_key.bytes, test_answer.data + 1, 64);
    services_uses(scope, &count);
    CHECK_NUMBER(count, 0); /* nothing was done with it */
    REQUIRE(sign(scope, "a", 1, message) == 64);
    memcpy(signature.bytes, test_answer.data, 64);
    CHECK(ecdsa_verify(&public_key, &digest, &signature, &error));
    REQUIRE(sign(scope, "a", 1 | KEY_OF_DIGEST, BYTES_OF(digest.bytes)) == 64);
    memcpy(again.bytes, test_answer.data, 64);
    CHECK_BYTES(BYTES_OF(again.bytes), BYTES_OF(signature.bytes));
    const struct service_use *uses = services_uses(scope, &count);
    REQUIRE(count == 1);
    CHECK_STRING(uses[0].service, "key");
    CHECK_STRING(uses[0].name, "p256:a");
    CHECK(uses[0].has_after && digest32_equal(&uses[0].after, &id));
    CHECK_NUMBER(sign(scope, "a", 2, message), 65);
    CHECK_NUMBER(sign(scope, "a", 3, (struct bytes){ 0 }), 64);
    services_uses(scope, &count);
    CHECK_NUMBER(count, 3);
    CHECK(services_redactions(scope) == NULL); /* everybody may see a signature */
    services_forget(scope);
    scope = scope_begin("shop", 8); /* another owner's application of the same name */
    REQUIRE(public(scope, "a", 1) == 65);
    CHECK(memcmp(public_key.bytes, test_answer.data + 1, 64) != 0);
    services_forget(scope);
    world_close();
}

static void each_use_needs_its_permission(void)
{
    REQUIRE(world_open());
    struct service_scope *scope = scope_begin("shop", 7);
    CHECK_NUMBER(sign(scope, "c", 1, BYTES_LITERAL("x")), CALL_ERROR_DENIED);
    CHECK_STRING(test_answer.text, "no permission for key 'p256:c': add `permissions.keys = "
                                   "[\"p256:c\"]` to [function.f] in s3n.toml");
    CHECK_NUMBER(sign(scope, "b", 2, BYTES_LITERAL("x")), CALL_ERROR_DENIED);
    CHECK(strstr(test_answer.text, "[\"secp256k1:b\"]") != NULL);
    CHECK_NUMBER(public(scope, "b", 3), CALL_ERROR_DENIED);
    CHECK_NUMBER(derive(scope, "b", 16), CALL_ERROR_DENIED);
    CHECK(strstr(test_answer.text, "[\"hkdf:b\"]") != NULL);
    CHECK_NUMBER(test_call(scope, &(struct call_request){ .call = CALL_HPKE_OPEN,
                                                          .string_count = 5,
                                                          .strings = { BYTES_LITERAL("b") } }),
                 CALL_ERROR_DENIED);
    CHECK_NUMBER(sign(scope, "", 1, BYTES_LITERAL("x")), CALL_ERROR_INVALID);
    CHECK_NUMBER(sign(scope, "a b", 1, BYTES_LITERAL("x")), CALL_ERROR_INVALID);
    CHECK_NUMBER(sign(scope, "\xff", 1, BYTES_LITERAL("x")), CALL_ERROR_INVALID);
    CHECK_NUMBER(sign(scope, "a:p256", 1, BYTES_LITERAL("x")), CALL_ERROR_INVALID);
    static char path[2000];
    for (size_t size = KEY_PATH_SIZE_MAX + 1; size < sizeof(path); size += 600) {
        memset(path, 'a', size);
        CHECK_NUMBER(sign(scope, path, 1, BYTES_LITERAL("x")), CALL_ERROR_INVALID);
        CHECK_STRING(test_answer.text, "the path of a key has 1 to 96 letters, digits and . _ / -");
    }
    path[KEY_PATH_SIZE_MAX] = '\0';
    CHECK_NUMBER(sign(scope, path, 1, BYTES_LITERAL("x")), CALL_ERROR_DENIED);
    CHECK_NUMBER(sign(scope, "a", 0, BYTES_LITERAL("x")), CALL_ERROR_UNSUPPORTED);
    CHECK_NUMBER(sign(scope, "a", 5, BYTES_LITERAL("x")), CALL_ERROR_UNSUPPORTED);
    CHECK_NUMBER(sign(scope, "a", 0x201, BYTES_LITERAL("x")), CALL_ERROR_UNSUPPORTED);
    CHECK_NUMBER(sign(scope, "a", UINT64_MAX, BYTES_LITERAL("x")), CALL_ERROR_UNSUPPORTED);
    CHECK_NUMBER(sign(scope, "a", 4, BYTES_LITERAL("x")), CALL_ERROR_UNSUPPORTED); /* X25519 */
    CHECK_NUMBER(sign(scope, "a", 3 | KEY_OF_DIGEST, BYTES_LITERAL("x")), CALL_ERROR_UNSUPPORTED);
    CHECK_NUMBER(sign(scope, "a", 1 | KEY_OF_DIGEST, BYTES_LITERAL("x")), CALL_ERROR_INVALID);
    unsigned count;
    services_uses(scope, &count);
    CHECK_NUMBER(count, 0);
    services_forget(scope);
    world_close();
}

/* Not to be seen in a log: as it is, in hexadecimal, in Base64. */
static void check_is_redacted(const struct service_scope *scope, struct bytes value)
{
    char encoded[128];
    AUTO_BUFFER struct buffer text;
    REQUIRE(value.size <= 48 && services_redactions(scope) != NULL);
    buffer_init(&text, 1 << 10);
    buffer_append(&text, value);
    hex_encode(encoded, value);
    buffer_format(&text, ", %s, ", encoded);
    base64_encode(encoded, value);
    buffer_format(&text, "%.*s", (int)base64_text_size(value.size), encoded);
    redact(&text, services_redactions(scope));
    CHECK_BYTES(buffer_view(&text), BYTES_LITERAL("***, ***, ***"));
}

static void bytes_are_derived(void)
{
    uint8_t first[48];
    unsigned count;
    REQUIRE(world_open());
    struct service_scope *scope = scope_begin("shop", 7);
    uint64_t before = test_keeper.events.count;
    REQUIRE(derive(scope, "a", 48) == 48);
    memcpy(first, test_answer.data, 48);
    REQUIRE(derive(scope, "a", 32) == 32);
    CHECK(memcmp(first, test_answer.data, 32) == 0);
    CHECK_NUMBER(test_keeper.events.count, before + 1); /* once in the event log */
    CHECK_NUMBER(derive(scope, "a", 0), CALL_ERROR_INVALID);
    CHECK_NUMBER(derive(scope, "a", KEY_DERIVED_SIZE_MAX + 1), CALL_ERROR_INVALID);
    CHECK_NUMBER(derive(scope, "a", (UINT64_C(1) << 32) + 32), CALL_ERROR_INVALID);
    const struct service_use *uses = services_uses(scope, &count);
    REQUIRE(count == 1);
    CHECK_STRING(uses[0].name, "hkdf:a");
    CHECK(!uses[0].has_after); /* a digest of it could be guessed at */
    check_is_redacted(scope, bytes_of(first, sizeof(first)));
    services_forget(scope);
    scope = scope_begin("shop2", 7);
    REQUIRE(derive(scope, "a", 48) == 48);
    CHECK(memcmp(first, test_answer.data, 48) != 0);
    services_forget(scope);
    world_close();
}

static void what_was_sealed_opens(void)
{
    struct x25519_public recipient, encapsulated;
    AUTO_HPKE_CONTEXT struct hpke_context context = { 0 };
    struct hpke_setup setup = { .aead = AEAD_AES_256_GCM, .info = BYTES_LITERAL("orders") };
    uint8_t text[64];
    struct error error;
    REQUIRE(world_open());
    struct service_scope *scope = scope_begin("shop", 7);
    REQUIRE(public(scope, "a", 4) == 32);
    memcpy(recipient.bytes, test_answer.data, 32);
    REQUIRE(hpke_setup_sender(&context, &encapsulated, &setup, &recipient, &error) &&
            hpke_seal(&context, text, BYTES_LITERAL("two boxes"), BYTES_LITERAL("no. 7"), &error));
    struct call_request request = { .call = CALL_HPKE_OPEN,
                                    .string_count = 5,
                                    .strings = { BYTES_LITERAL("a"), setup.info,
                                                 BYTES_OF(encapsulated.bytes),
                                                 BYTES_LITERAL("no. 7"), bytes_of(text, 9 + 16) } };
    CHECK_NUMBER(test_call(scope, &request), 9);
    CHECK_STRING(test_answer.text, "two boxes");
    check_is_redacted(scope, BYTES_LITERAL("two boxes"));
    request.strings[3] = BYTES_LITERAL("no. 8");
    CHECK_NUMBER(test_call(scope, &request), CALL_ERROR_FAILED);
    request.strings[3] = BYTES_LITERAL("no. 7");
    request.strings[4].size--;
    CHECK_NUMBER(test_call(scope, &request), CALL_ERROR_FAILED);
    request.strings[4].size = 15;
    CHECK_NUMBER(test_call(scope, &request), CALL_ERROR_INVALID);
    services_forget(scope);
    world_close();
}

static void the_largest_message_is_signed(void)
{
    static uint8_t message[CALL_AREA_SIZE - 100];
    REQUIRE(world_open());
    struct service_scope *scope = scope_begin("shop", 7);
    CHECK_NUMBER(sign(scope, "a", 3, BYTES_OF(message)), 64);
    CHECK_NUMBER(sign(scope, "a", 1, BYTES_OF(message)), 64);
    services_forget(scope);
    world_close();
}

/* Each key stands in the receipt: what has no room there is not done. */
static void so_many_keys_of_one_invocation(void)
{
    static char names[KEY_USED_COUNT_MAX + 1][16];
    const char *list[KEY_USED_COUNT_MAX + 1];
    unsigned count;
    REQUIRE(world_open());
    for (unsigned i = 0; i <= KEY_USED_COUNT_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "p256:k%u", i);
        list[i] = names[i];
    }
    permissions.lists[CALL_PERMISSION_KEYS] = (struct permission_list){ list, ARRAY_COUNT(list) };
    struct service_scope *scope = scope_begin("shop", 7);
    for (unsigned i = 0; i < KEY_USED_COUNT_MAX; i++)
        CHECK_NUMBER(sign(scope, names[i] + 5, 1, BYTES_LITERAL("x")), 64);
    CHECK_NUMBER(sign(scope, names[KEY_USED_COUNT_MAX] + 5, 1, BYTES_LITERAL("x")),
                 CALL_ERROR_LIMIT);
    CHECK_STRING(test_answer.text, "the receipt has no room for another key");
    CHECK_NUMBER(sign(scope, names[0] + 5, 1, BYTES_LITERAL("x")), 64); /* is there already */
    services_uses(scope, &count);
    CHECK_NUMBER(count, KEY_USED_COUNT_MAX);
    services_forget(scope);
    scope = scope_begin("shop", 7);
    const struct service_use use = { .service = "kv", .name = "x" };
    while (service_use(scope, &use))
        continue;
    CHECK_NUMBER(sign(scope, names[0] + 5, 1, BYTES_LITERAL("x")), CALL_ERROR_LIMIT);
    services_forget(scope);
    world_close();
}

static void who_goes_waits_for_nothing(void)
{
    REQUIRE(world_open());
    struct service_scope *scope = scope_begin("shop", 7);
    const struct call_request request = { .call = CALL_KEY_SIGN,
                                          .number_count = 1,
                                          .string_count = 2,
                                          .numbers = { 1 },
                                          .strings = { BYTES_LITERAL("a"), BYTES_LITERAL("x") } };
    test_ask(scope, &request);
    services_forget(scope);
    test_desk_wait();
    CHECK_NUMBER(test_answer.count, 0);
    scope = scope_begin("shop", 7);
    shutdown(keeper_socket(test_keeper_client), SHUT_RDWR);
    CHECK_NUMBER(test_call(scope, &request), CALL_ERROR_UNAVAILABLE);
    CHECK_NUMBER(failures, 1);
    services_forget(scope);
    world_close();
}

static const struct test tests[] = {
    TEST(a_key_signs_and_is_named),
    TEST(each_use_needs_its_permission),
    TEST(bytes_are_derived),
    TEST(what_was_sealed_opens),
    TEST(the_largest_message_is_signed),
    TEST(so_many_keys_of_one_invocation),
    TEST(who_goes_waits_for_nothing),
};
TEST_MAIN(tests)
