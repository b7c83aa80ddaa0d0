/* SPDX-License-Identifier: Apache-2.0 */
/* secret_get with a keeper in a thread, a list of secrets and all that can go wrong on the way. */
#include "services/secret.h"

#include "keys/sealing.h"
#include "services/test_keeper.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* --- secrets --- */

static struct {
    bool is_removed;      /* when it is asked for */
    bool is_removed_then; /* when it comes */
    unsigned released, failed;
    uint64_t version;
} book;
static struct buffer sealed;

static bool find(void *context UNUSED, const struct service_facts *facts, struct bytes name,
                 uint64_t version, struct secret_found *found, struct error *error)
{
    CHECK_STRING(facts->application, "shop");
    const char *known = bytes_equal_string(name, "KEY2") ? "KEY2" : "KEY";
    if (book.is_removed || !bytes_equal_string(name, known) ||
        (version != 0 && version != book.version))
        return error_set(error, ERROR_NOT_FOUND, "there is no such secret");
    struct secret_place place = { .application = "shop",
                                  .owner = facts->owner,
                                  .version = book.version };
    memcpy(place.name, known, strlen(known));
    uint8_t text[SECRET_PLACE_SIZE_MAX];
    struct writer writer = writer_into(text, sizeof(text));
    char value[32];
    secret_place_write(&writer, &place);
    snprintf(value, sizeof(value), "%s %llu", strlen(known) == 3 ? "value" : "other",
             (unsigned long long)book.version);
    buffer_clear(&sealed);
    CHECK(sealing_seal(&test_keeper.root, "secret/shop/07000000000000000000000000000000",
                       writer_view(&writer), bytes_of_string(value), &sealed, error));
    *found = (struct secret_found){ place, buffer_view(&sealed) };
    return true;
}

static bool release(void *context UNUSED, const struct service_facts *facts UNUSED,
                    const struct secret_place *place UNUSED, struct error *error)
{
    if (book.is_removed_then)
        return error_set(error, ERROR_NOT_FOUND, "it has gone");
    book.released++;
    return true;
}

static void failed(void *context UNUSED, const struct error *error UNUSED)
{
    book.failed++;
}

static struct secret_service secret;
static struct services *services;
static struct permissions permissions;

static bool world_open(void)
{
    static const char *names[] = { "KEY", "KEY2" };
    struct error error = { 0 };
    memset(&book, 0, sizeof(book));
    book.version = 1;
    buffer_init(&sealed, 1 << 20);
    permissions = permissions_default();
    permissions.lists[CALL_PERMISSION_SECRETS] = (struct permission_list){ names, 2 };
    bool done = test_keeper_start() && services_new(&services, &error);
    secret = (struct secret_service){ NULL, test_desk, find, release, failed };
    return done && services_add(services, &service_secret, &secret, &error);
}

static void world_close(void)
{
    test_keeper_end();
    services_free(TAKE(services));
    buffer_done(&sealed);
}

static struct service_scope *scope_begin(void)
{
    struct error error;
    struct service_scope *scope = NULL;
    struct service_facts facts = { .application = "shop",
                                   .function = "f",
                                   .version = "1",
                                   .owner = { { 7 } },
                                   .permissions = &permissions };
    CHECK(services_begin(services, &facts, &scope, &error));
    return scope;
}

/* --- asking --- */

static struct call_request request_of(const char *name, uint64_t version)
{
    return (struct call_request){ .call = CALL_SECRET_GET,
                                  .number_count = 1,
                                  .string_count = 1,
                                  .numbers = { version },
                                  .strings = { bytes_of_string(name) } };
}

static void ask(struct service_scope *scope, const char *name, uint64_t version)
{
    struct call_request request = request_of(name, version);
    test_ask(scope, &request);
}

static int64_t get(struct service_scope *scope, const char *name, uint64_t version)
{
    struct call_request request = request_of(name, version);
    return test_call(scope, &request);
}

static void a_secret_comes_once_and_is_named(void)
{
    size_t held;
    unsigned uses;
    REQUIRE(world_open());
    struct service_scope *scope = scope_begin();
    secrets_held(scope, &held);
    CHECK_NUMBER(held, 0);
    CHECK_NUMBER(get(scope, "KEY", 0), 7);
    CHECK_STRING(test_answer.text, "value 1");
    ask(scope, "KEY", 1); /* held: without the keeper */
    CHECK(test_answer.count == 1 && test_answer.value == 7);
    CHECK_STRING(test_answer.text, "value 1");
    CHECK_NUMBER(book.released, 1);
    const struct service_use *use = services_uses(scope, &uses);
    REQUIRE(uses == 1);
    CHECK_STRING(use->service, "secret");
    CHECK_STRING(use->name, "KEY:1");
    CHECK(!use->has_before && !use->has_after);
    CHECK(services_redactions(scope) != NULL);
    const struct secret_held *values = secrets_held(scope, &held);
    REQUIRE(held == 1);
    CHECK_BYTES(bytes_of(values->value.data, values->value.size), BYTES_LITERAL("value 1"));
    CHECK_NUMBER(get(scope, "KEY2", 0), 7); /* another one of the same version */
    CHECK_STRING(test_answer.text, "other 1");
    book.version = 2; /* rotated in the middle */
    CHECK_NUMBER(get(scope, "KEY", 0), 7);
    CHECK_STRING(test_answer.text, "value 2");
    CHECK_NUMBER(book.released, 3);
    services_forget(scope);
    world_close();
}

static void what_may_not_be_had_is_not(void)
{
    REQUIRE(world_open());
    struct service_scope *scope = scope_begin();
    CHECK_NUMBER(get(scope, "OTHER", 0), CALL_ERROR_DENIED);
    CHECK(strstr(test_answer.text, "permissions.secrets = [\"OTHER\"]") != NULL);
    CHECK_NUMBER(get(scope, "", 0), CALL_ERROR_DENIED);
    CHECK_NUMBER(get(scope, "KEY ", 0), CALL_ERROR_INVALID);
    CHECK_NUMBER(get(scope, "KEY\xff", 0), CALL_ERROR_INVALID);
    CHECK_NUMBER(get(scope, "KEY", 2), CALL_ERROR_NOT_FOUND);
    CHECK_NUMBER(get(scope, "KEY", UINT64_MAX), CALL_ERROR_NOT_FOUND);
    book.is_removed_then = true;
    CHECK_NUMBER(get(scope, "KEY", 0), CALL_ERROR_NOT_FOUND);
    CHECK_STRING(test_answer.text, "it has gone");
    book.is_removed = true;
    CHECK_NUMBER(get(scope, "KEY", 0), CALL_ERROR_NOT_FOUND);
    CHECK_NUMBER(book.released, 0);
    unsigned uses;
    services_uses(scope, &uses);
    CHECK_NUMBER(uses, 0);
    services_forget(scope);
    world_close();
}

static void an_invocation_that_ends_waits_for_nothing(void)
{
    REQUIRE(world_open());
    struct service_scope *scope = scope_begin();
    ask(scope, "KEY", 0);
    CHECK_NUMBER(test_answer.count, 0);
    services_forget(scope); /* the value is on its way */
    test_desk_wait();
    CHECK_NUMBER(test_answer.count + book.released, 0);
    scope = scope_begin();
    ask(scope, "KEY", 0);
    services_forget(scope);
    world_close(); /* the node stops, whatever has come */
    CHECK_NUMBER(test_answer.count, 0);
}

static void without_a_keeper_there_are_none(void)
{
    REQUIRE(world_open());
    struct service_scope *scope = scope_begin();
    shutdown(keeper_socket(test_keeper_client), SHUT_RDWR);
    CHECK_NUMBER(get(scope, "KEY", 0), CALL_ERROR_UNAVAILABLE);
    CHECK_NUMBER(book.failed, 1);
    services_forget(scope);
    world_close();
}

static void an_invocation_gets_so_many(void)
{
    REQUIRE(world_open());
    struct service_scope *scope = scope_begin();
    for (book.version = 1; book.version <= SECRET_HELD_COUNT_MAX; book.version++)
        CHECK_NUMBER(get(scope, "KEY", 0), book.version < 10 ? 7 : 8);
    CHECK_NUMBER(get(scope, "KEY", 0), CALL_ERROR_LIMIT);
    services_forget(scope);
    world_close();
}

/* A receipt names each: what has no room there is not handed out. */
static void a_receipt_without_room_refuses(void)
{
    size_t held;
    REQUIRE(world_open());
    struct service_scope *scope = scope_begin();
    const struct service_use use = { .service = "kv", .name = "x" };
    while (service_use(scope, &use))
        continue;
    CHECK_NUMBER(get(scope, "KEY", 0), CALL_ERROR_LIMIT);
    CHECK_STRING(test_answer.text, "the receipt has no room for another secret");
    secrets_held(scope, &held);
    CHECK_NUMBER(held, 0);
    services_forget(scope);
    world_close();
}

static const struct test tests[] = {
    TEST(a_receipt_without_room_refuses),  TEST(a_secret_comes_once_and_is_named),
    TEST(what_may_not_be_had_is_not),      TEST(an_invocation_that_ends_waits_for_nothing),
    TEST(without_a_keeper_there_are_none), TEST(an_invocation_gets_so_many),
};
TEST_MAIN(tests)
