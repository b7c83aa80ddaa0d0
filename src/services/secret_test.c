/* SPDX-License-Identifier: Apache-2.0 */
/* secret_get with a keeper in a thread, a list of secrets and all that can go wrong on the way. */
#include "services/secret.h"

#include "keys/sealing.h"
#include "tests/harness.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- a keeper --- */

static struct keeper_service service;
static int event_register = -1, service_socket = -1;
static struct keeper *keeper;
static struct keeper_desk *desk;
static pthread_t thread;

static void *serve(void *context UNUSED)
{
    struct error error;
    (void)!keeper_serve(&service, service_socket, &error);
    return NULL;
}

static bool keeper_start(void)
{
    struct error error = { 0 };
    int ends[2];
    service = (struct keeper_service){ .clock = &clock_system, .root = { { 9 } } };
    service.platform = (struct platform){ .name = "sim" };
    memcpy(service.platform.node, "00112233445566778899aabbccddeeff", KEYS_NODE_SIZE);
    event_register = memfd_create("register", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct event_book_options events = { .target =
                                             event_register_of(&service.platform, &event_register),
                                         .clock = &clock_system,
                                         .file = -1,
                                         .node = service.platform.node,
                                         .platform = "sim" };
    if (!event_book_open(&service.events, &events, &error) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    service_socket = ends[0];
    return pthread_create(&thread, NULL, serve, NULL) == 0 &&
           keeper_connect(&keeper, ends[1], &error) && keeper_desk_new(&desk, keeper, &error);
}

static void keeper_end(void)
{
    keeper_desk_free(TAKE(desk));
    keeper_close(TAKE(keeper));
    pthread_join(thread, NULL);
    event_book_done(&service.events);
    close(event_register);
}

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
    if (book.is_removed || !bytes_equal_string(name, "KEY") ||
        (version != 0 && version != book.version))
        return error_set(error, ERROR_NOT_FOUND, "there is no such secret");
    struct secret_place place = {
        .application = "shop", .name = "KEY", .owner = facts->owner, .version = book.version
    };
    uint8_t text[SECRET_PLACE_SIZE_MAX];
    struct writer writer = writer_into(text, sizeof(text));
    char value[32];
    secret_place_write(&writer, &place);
    snprintf(value, sizeof(value), "value %llu", (unsigned long long)book.version);
    buffer_clear(&sealed);
    CHECK(sealing_seal(&service.root, "secret/shop/07000000000000000000000000000000",
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
    static const char *names[] = { "KEY" };
    struct error error = { 0 };
    memset(&book, 0, sizeof(book));
    book.version = 1;
    buffer_init(&sealed, 1 << 20);
    permissions = permissions_default();
    permissions.lists[CALL_PERMISSION_SECRETS] = (struct permission_list){ names, 1 };
    bool done = keeper_start() && services_new(&services, &error);
    secret = (struct secret_service){ NULL, desk, find, release, failed };
    return done && services_add(services, &service_secret, &secret, &error);
}

static void world_close(void)
{
    keeper_end();
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

static struct {
    unsigned count;
    int64_t value;
    char text[400];
} answered;

static void on_listed(void *context UNUSED, struct bytes answers)
{
    struct call_answer answer = { 0 };
    struct reader reader = call_answers_begin(answers);
    CHECK(call_answer_next(&reader, &answer));
    answered.count++;
    answered.value = answer.value;
    snprintf(answered.text, sizeof(answered.text), "%.*s", (int)answer.data.size,
             (const char *)answer.data.data);
}

static void ask(struct service_scope *scope, const char *name, uint64_t version)
{
    uint8_t list[1024];
    struct writer writer = writer_into(list, sizeof(list));
    const struct call_request request = { .call = CALL_SECRET_GET,
                                          .number_count = 1,
                                          .string_count = 1,
                                          .numbers = { version },
                                          .strings = { bytes_of_string(name) } };
    call_requests_write_begin(&writer);
    call_request_write(&writer, &request);
    call_list_write_end(&writer, 1);
    answered.count = 0;
    REQUIRE(services_run(scope, writer_view(&writer), on_listed, NULL));
}

static void wait_for_desk(void)
{
    struct pollfd readable = { keeper_desk_descriptor(desk), POLLIN, 0 };
    REQUIRE(poll(&readable, 1, 10000) == 1);
    keeper_desk_take(desk);
}

static int64_t get(struct service_scope *scope, const char *name, uint64_t version)
{
    ask(scope, name, version);
    while (answered.count == 0)
        wait_for_desk();
    CHECK_NUMBER(answered.count, 1);
    return answered.value;
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
    CHECK_STRING(answered.text, "value 1");
    ask(scope, "KEY", 1); /* held: without the keeper */
    CHECK(answered.count == 1 && answered.value == 7);
    CHECK_STRING(answered.text, "value 1");
    CHECK_NUMBER(book.released, 1);
    const struct service_use *use = services_uses(scope, &uses);
    REQUIRE(uses == 1);
    CHECK_STRING(use->service, "secret");
    CHECK_STRING(use->name, "KEY:1");
    CHECK(!use->has_before && !use->has_after);
    const struct secret_held *values = secrets_held(scope, &held);
    REQUIRE(held == 1);
    CHECK_BYTES(bytes_of(values->value.data, values->value.size), BYTES_LITERAL("value 1"));
    book.version = 2; /* rotated in the middle */
    CHECK_NUMBER(get(scope, "KEY", 0), 7);
    CHECK_STRING(answered.text, "value 2");
    CHECK_NUMBER(book.released, 2);
    services_forget(scope);
    world_close();
}

static void what_may_not_be_had_is_not(void)
{
    REQUIRE(world_open());
    struct service_scope *scope = scope_begin();
    CHECK_NUMBER(get(scope, "OTHER", 0), CALL_ERROR_DENIED);
    CHECK(strstr(answered.text, "permissions.secrets = [\"OTHER\"]") != NULL);
    CHECK_NUMBER(get(scope, "", 0), CALL_ERROR_DENIED);
    CHECK_NUMBER(get(scope, "KEY ", 0), CALL_ERROR_INVALID);
    CHECK_NUMBER(get(scope, "KEY\xff", 0), CALL_ERROR_INVALID);
    CHECK_NUMBER(get(scope, "KEY", 2), CALL_ERROR_NOT_FOUND);
    CHECK_NUMBER(get(scope, "KEY", UINT64_MAX), CALL_ERROR_NOT_FOUND);
    book.is_removed_then = true;
    CHECK_NUMBER(get(scope, "KEY", 0), CALL_ERROR_NOT_FOUND);
    CHECK_STRING(answered.text, "it has gone");
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
    CHECK_NUMBER(answered.count, 0);
    services_forget(scope); /* the value is on its way */
    wait_for_desk();
    CHECK_NUMBER(answered.count + book.released, 0);
    scope = scope_begin();
    ask(scope, "KEY", 0);
    services_forget(scope);
    world_close(); /* the node stops, whatever has come */
    CHECK_NUMBER(answered.count, 0);
}

static void without_a_keeper_there_are_none(void)
{
    REQUIRE(world_open());
    struct service_scope *scope = scope_begin();
    shutdown(keeper_socket(keeper), SHUT_RDWR);
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

static const struct test tests[] = {
    TEST(a_secret_comes_once_and_is_named),
    TEST(what_may_not_be_had_is_not),
    TEST(an_invocation_that_ends_waits_for_nothing),
    TEST(without_a_keeper_there_are_none),
    TEST(an_invocation_gets_so_many),
};
TEST_MAIN(tests)
