/* SPDX-License-Identifier: Apache-2.0 */
/* What calls of the state would be answered, told before anybody makes them. */
#include "services/kv.h"
#include "store/store_test_support.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static struct test_sealer sealing;
static struct states *states;
static struct kv_service kv;
static struct services *services;
static struct permissions permissions;
static const struct digest32 owner = { { 7 } };

static bool world_open(const char *name)
{
    struct error error = { 0 };
    static const char *names[] = { "carts", "prices" };
    struct states_options options = { .path = test_store_path(name),
                                      .sealer = test_sealer_of(&sealing),
                                      .clock = &clock_system };
    permissions = permissions_default();
    permissions.lists[CALL_PERMISSION_KV] = (struct permission_list){ names, 2 };
    bool done = states_open(&states, &options, &error) && services_new(&services, &error);
    kv.states = states;
    done = done && services_add(services, &service_kv, &kv, &error);
    CHECK_NOTE(done, "%s", error.text);
    return done;
}

static void world_close(void)
{
    services_free(TAKE(services));
    states_close(TAKE(states));
}

/* As a commit leaves it in memory. */
static void state_set(const char *key, const char *value, int64_t ttl_ms)
{
    struct kv_state_id id = kv_state_id("shop", &owner);
    AUTO(state) struct state *state = NULL;
    AUTO(transaction) struct transaction *transaction = NULL;
    AUTO(state_change) struct state_change *change = NULL;
    struct transaction_outcome outcome;
    struct kv_key name = { .space = BYTES_LITERAL("carts"), .key = bytes_of_string(key) };
    struct error error = { 0 };
    bool is_set = states_get(states, id.text, &state, &error) &&
                  transaction_begin(&transaction, state, &error) &&
                  transaction_set(transaction, name, bytes_of_string(value), ttl_ms, &error);
    CHECK_STRING(error.text, "");
    CHECK(is_set && transaction_commit(transaction, &change, &outcome, &error));
}

/* What would be answered: "VALUE TEXT", or "" when nothing is foretold. */
static const char *foretold(const struct call_request *request, const char *application,
                            size_t room)
{
    static char text[512];
    static uint8_t area[1024];
    struct writer writer = writer_into(area, room);
    struct service_facts facts = { .application = application,
                                   .function = "f",
                                   .version = "1",
                                   .owner = owner,
                                   .permissions = &permissions };
    struct call_answer answer = { 0 };
    text[0] = '\0';
    write_u8(&writer, 9); /* what stands before it stays */
    bool is_told = services_foretell(services, &facts, request, &writer);
    CHECK(!writer.failed && area[0] == 9);
    if (!is_told) {
        CHECK_NUMBER(writer.size, 1);
        return text;
    }
    struct reader reader = reader_of(bytes_of(area + 1, writer.size - 1));
    CHECK(call_answer_next(&reader, &answer) && read_end(&reader));
    CHECK_NUMBER(answer.total_size, answer.data.size);
    snprintf(text, sizeof(text), "%lld %.*s", (long long)answer.value, (int)answer.data.size,
             (const char *)answer.data.data);
    return text;
}

static struct call_request get_of(const char *space, const char *key)
{
    return (struct call_request){ .call = CALL_KV_GET,
                                  .string_count = 2,
                                  .strings = { bytes_of_string(space), bytes_of_string(key) } };
}

static const char *foretold_get(const char *space, const char *key)
{
    const struct call_request request = get_of(space, key);
    return foretold(&request, "shop", 1024);
}

/* As a call would be answered, letter by letter, but of what is in memory alone, and nothing comes
 * of it. */
static void reads_are_foretold_from_memory(void)
{
    REQUIRE(world_open("kv-foretold"));
    CHECK(services_can_foretell(services, CALL_KV_GET));
    CHECK(!services_can_foretell(services, CALL_ABOUT));
    CHECK_STRING(foretold_get("carts", "apple"), ""); /* nobody has read the state yet */
    CHECK_NUMBER(states_counts(states).open, 0);
    state_set("apple", "red", 0);
    state_set("empty", "", 0);
    state_set("brief", "gone", 1);
    CHECK_STRING(foretold_get("carts", "apple"), "3 red");
    CHECK_STRING(foretold_get("carts", "empty"), "0 ");
    int64_t start_ms = (int64_t)(clock_monotonic_ns(&clock_system) / 1000000);
    while ((int64_t)(clock_monotonic_ns(&clock_system) / 1000000) - start_ms < 3)
        ;
    CHECK_STRING(foretold_get("carts", "brief"), "-4 there is no such key");
    CHECK_STRING(foretold_get("prices", "apple"), "-4 there is no such key");
    CHECK_STRING(foretold_get("others", "apple"), ""); /* not permitted */
    CHECK_STRING(foretold_get("carts", "a\nb"), "");   /* not a key */
    const struct call_request apple = get_of("carts", "apple");
    CHECK_STRING(foretold(&apple, "other", 1024), ""); /* another state */
    for (size_t room = 1; room < 1 + CALL_ANSWER_HEAD_SIZE + 8; room++)
        CHECK_STRING(foretold(&apple, "shop", room), "");
    CHECK_STRING(foretold(&apple, "shop", 1 + CALL_ANSWER_HEAD_SIZE + 8), "3 red");
    struct call_request odd = apple;
    odd.call = CALL_KV_DELETE; /* of the same shape */
    CHECK_STRING(foretold(&odd, "shop", 1024), "");
    odd.call = CALL_KV_GET;
    odd.string_count = 1;
    CHECK_STRING(foretold(&odd, "shop", 1024), "");
    struct kv_state_id id = kv_state_id("shop", &owner);
    states_abandon(states, states_peek(states, id.text)); /* it will be read anew */
    CHECK_STRING(foretold_get("carts", "apple"), "");
    world_close();
}

/* The other side: the text is that of the call's own answer. */
static void answer_compare(void *context, struct bytes answers)
{
    struct reader reader = call_answers_begin(answers);
    struct call_answer answer = { 0 };
    char said[512];
    CHECK(call_answer_next(&reader, &answer));
    snprintf(said, sizeof(said), "%lld %.*s", (long long)answer.value, (int)answer.data.size,
             (const char *)answer.data.data);
    CHECK_STRING(said, context);
}

static void calls_say_the_same(void)
{
    static const char *const keys[] = { "apple", "empty", "none" };
    REQUIRE(world_open("kv-foretold-same"));
    state_set("apple", "red", 0);
    state_set("empty", "", 0);
    for (unsigned i = 0; i < ARRAY_COUNT(keys); i++) {
        uint8_t area[256];
        char told[512];
        struct error error;
        struct service_scope *scope = NULL;
        struct service_facts facts = { .application = "shop",
                                       .function = "f",
                                       .version = "1",
                                       .owner = owner,
                                       .permissions = &permissions };
        struct writer writer = writer_into(area, sizeof(area));
        const struct call_request request = get_of("carts", keys[i]);
        snprintf(told, sizeof(told), "%s", foretold_get("carts", keys[i]));
        call_requests_write_begin(&writer);
        call_request_write(&writer, &request);
        call_list_write_end(&writer, 1);
        REQUIRE(services_begin(services, &facts, &scope, &error));
        CHECK(services_run(scope, writer_view(&writer), answer_compare, told));
        services_forget(scope);
    }
    world_close();
}

static const struct test tests[] = { TEST(reads_are_foretold_from_memory),
                                     TEST(calls_say_the_same) };
TEST_MAIN(tests)
