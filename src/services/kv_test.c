/* SPDX-License-Identifier: Apache-2.0 */
/* The state's calls, and what becomes of an invocation's transaction. */
#include "services/kv.h"
#include "store/store_test_support.h"
#include "tests/harness.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

static struct test_sealer sealing;
static struct states *states;
static struct kv_service kv;
static struct services *services;
static struct permissions permissions;

static bool world_open(const char *name)
{
    struct error error = { 0 };
    static const char *names[] = { "carts", "prices" };
    struct states_options options = { .path = test_store_path(name),
                                      .sealer = test_sealer_of(&sealing),
                                      .clock = &clock_system };
    sealing = (struct test_sealer){ 0 };
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

static struct service_scope *scope_begin_of(const char *id, const char *application, uint8_t owner)
{
    struct error error;
    struct service_scope *scope = NULL;
    struct service_facts facts = { .application = application,
                                   .function = "f",
                                   .version = "1",
                                   .owner = { { owner } },
                                   .permissions = &permissions };
    snprintf(facts.id, sizeof(facts.id), "%s", id);
    CHECK(services_begin(services, &facts, &scope, &error));
    return scope;
}

static struct service_scope *scope_begin(const char *id, const char *application)
{
    return scope_begin_of(id, application, 7);
}

static struct {
    int64_t value;
    uint8_t data[CALL_AREA_SIZE];
    size_t size;
} answered;

static void on_listed(void *context UNUSED, struct bytes answers)
{
    uint32_t count;
    struct call_answer answer = { 0 };
    struct reader reader = call_answers_begin(answers);
    CHECK(call_answers_check(answers, &count) && count == 1);
    CHECK(call_answer_next(&reader, &answer));
    answered.value = answer.value;
    answered.size = answer.data.size;
    if (answer.data.size > 0)
        memcpy(answered.data, answer.data.data, answer.data.size);
}

/* Until that is so, or for 20 seconds. */
static void wait_while(bool (*is_so)(void))
{
    while (is_so()) {
        struct pollfd descriptor = { states_descriptor(states), POLLIN, 0 };
        if (poll(&descriptor, 1, TEST_PATIENCE_MS) <= 0)
            break;
        states_take(states);
    }
}

static bool has_no_answer(void)
{
    return answered.value == INT64_MIN;
}

static void ask_only(struct service_scope *scope, const struct call_request *request)
{
    static uint8_t area[CALL_AREA_SIZE];
    struct writer writer = writer_into(area, sizeof(area));
    call_requests_write_begin(&writer);
    call_request_write(&writer, request);
    call_list_write_end(&writer, 1);
    CHECK(!writer.failed);
    answered.value = INT64_MIN;
    CHECK(services_run(scope, writer_view(&writer), on_listed, NULL));
}

static int64_t ask(struct service_scope *scope, const struct call_request *request)
{
    ask_only(scope, request);
    wait_while(has_no_answer);
    return answered.value;
}

static int64_t put(struct service_scope *scope, const char *space, struct bytes key,
                   struct bytes value)
{
    return ask(scope, &(struct call_request){ .call = CALL_KV_SET,
                                              .number_count = 1,
                                              .string_count = 3,
                                              .strings = { bytes_of_string(space), key, value } });
}

static int64_t set(struct service_scope *scope, const char *space, const char *key,
                   const char *value)
{
    return put(scope, space, bytes_of_string(key), bytes_of_string(value));
}

static const char *get(struct service_scope *scope, const char *key)
{
    static char text[64];
    int64_t value =
        ask(scope,
            &(struct call_request){ .call = CALL_KV_GET,
                                    .string_count = 2,
                                    .strings = { BYTES_LITERAL("carts"), bytes_of_string(key) } });
    if (value < 0)
        snprintf(text, sizeof(text), "%lld", (long long)value);
    else
        snprintf(text, sizeof(text), "%.*s", (int)answered.size, (const char *)answered.data);
    return text;
}

/* --- endings --- */

static struct service_ending end;
static unsigned end_count;

static void on_concluded(void *context UNUSED, const struct service_ending *ending)
{
    end = *ending;
    end_count++;
}

static bool has_not_ended(void)
{
    return end_count == 0;
}

static enum service_verdict finish(struct service_scope *scope, bool is_commit)
{
    end_count = 0;
    services_end(scope, is_commit, on_concluded, NULL);
    wait_while(has_not_ended);
    CHECK_NUMBER(end_count, 1);
    return end.verdict;
}

/* The second round: waits for the disk. */
static enum service_verdict issue(struct service_scope *scope, const char *receipt)
{
    end_count = 0;
    services_issue(scope, bytes_of_string(receipt), false, on_concluded, NULL);
    wait_while(has_not_ended);
    CHECK_NUMBER(end_count, 1);
    return end.verdict;
}

static char receipt_text[64];
static bool was_looked_for;

static void on_receipt(void *context UNUSED, const char *text, const struct error *error UNUSED)
{
    was_looked_for = true;
    snprintf(receipt_text, sizeof(receipt_text), "%s", text == NULL ? "none" : text);
}

static bool was_not_looked_for(void)
{
    return !was_looked_for;
}

static bool has_receipt(const char *id, const char *text)
{
    struct error error;
    was_looked_for = false;
    if (!states_receipt_find(states, id, on_receipt, NULL, &error))
        return false;
    wait_while(was_not_looked_for);
    return strcmp(receipt_text, text) == 0;
}

static void state_commits_with_its_receipt(void)
{
    unsigned count;
    REQUIRE(world_open("commits"));
    struct service_scope *scope = scope_begin("a1", "shop");
    CHECK_STRING(get(scope, "n"), "-4");
    CHECK_NUMBER(set(scope, "carts", "n", "1"), 0);
    CHECK_STRING(get(scope, "n"), "1");
    CHECK_NUMBER(set(scope, "others", "n", "1"), CALL_ERROR_DENIED);
    CHECK_NUMBER(finish(scope, true), SERVICE_KEEP);
    const struct service_use *uses = services_uses(scope, &count);
    REQUIRE(count == 1);
    CHECK_STRING(uses[0].name, "revision:1");
    CHECK(uses[0].has_before && uses[0].has_after &&
          !digest32_equal(&uses[0].before, &uses[0].after));
    struct digest32 after = uses[0].after;
    CHECK(!has_receipt("a1", "receipt one"));
    CHECK_NUMBER(issue(scope, "receipt one"), SERVICE_KEEP);
    CHECK(has_receipt("a1", "receipt one"));
    services_forget(scope);

    scope = scope_begin("a2", "shop");
    CHECK_STRING(get(scope, "n"), "1");
    CHECK_NUMBER(finish(scope, true), SERVICE_KEEP);
    uses = services_uses(scope, &count);
    CHECK(count == 1 && digest32_equal(&uses[0].before, &after) &&
          digest32_equal(&uses[0].after, &after));
    CHECK_NUMBER(issue(scope, "receipt two"), SERVICE_KEEP);
    CHECK(!has_receipt("a2", "receipt two")); /* it wrote nothing */
    services_forget(scope);

    scope = scope_begin("a3", "shop2");
    CHECK_STRING(get(scope, "n"), "-4"); /* of another application */
    services_forget(scope);
    world_close();
}

static void what_did_not_end_well_leaves_nothing(void)
{
    REQUIRE(world_open("undone"));
    struct service_scope *scope = scope_begin("b1", "shop");
    unsigned use_count;
    CHECK_NUMBER(set(scope, "carts", "n", "1"), 0);
    CHECK_NUMBER(finish(scope, false), SERVICE_KEEP);               /* a trap, a time limit */
    CHECK_NUMBER((services_uses(scope, &use_count), use_count), 0); /* no word of a state */
    services_forget(scope);
    scope = scope_begin("b2", "shop");
    CHECK_NUMBER(set(scope, "carts", "m", "1"), 0);
    services_forget(scope); /* the node stops */
    scope = scope_begin("b3", "shop");
    CHECK_NUMBER(set(scope, "carts", "k", "1"), 0);
    CHECK_NUMBER(finish(scope, true), SERVICE_KEEP);
    CHECK_NUMBER(issue(scope, ""), SERVICE_FAIL); /* no receipt, no state */
    services_forget(scope);
    scope = scope_begin("b4", "shop");
    CHECK_NUMBER(set(scope, "carts", "l", "1"), 0);
    CHECK_NUMBER(finish(scope, true), SERVICE_KEEP);
    services_forget(scope); /* before there was a receipt */
    scope = scope_begin("b5", "shop");
    CHECK_STRING(get(scope, "n"), "-4");
    CHECK_STRING(get(scope, "m"), "-4");
    CHECK_STRING(get(scope, "k"), "-4");
    CHECK_STRING(get(scope, "l"), "-4");
    services_forget(scope);
    world_close();
}

static void one_of_two_that_disagree_is_to_run_again(void)
{
    REQUIRE(world_open("conflict"));
    struct service_scope *first = scope_begin("c1", "shop"), *second = scope_begin("c2", "shop");
    CHECK_STRING(get(first, "n"), "-4");
    CHECK_STRING(get(second, "n"), "-4");
    CHECK_NUMBER(set(first, "carts", "n", "1"), 0);
    CHECK_NUMBER(set(second, "carts", "n", "2"), 0);
    CHECK_NUMBER(finish(first, true), SERVICE_KEEP);
    CHECK_NUMBER(finish(second, true), SERVICE_RETRY);
    services_forget(second);
    CHECK_NUMBER(issue(first, "r"), SERVICE_KEEP);
    services_forget(first);
    world_close();
}

static void a_disk_that_fails_fails_the_invocation(void)
{
    REQUIRE(world_open("disk"));
    struct service_scope *scope = scope_begin("d1", "shop");
    CHECK_NUMBER(set(scope, "carts", "n", "1"), 0);
    CHECK_NUMBER(finish(scope, true), SERVICE_KEEP);
    /* Who reads what is not written yet waits for it, and fails with it. */
    struct service_scope *reader = scope_begin("d2", "shop");
    CHECK_STRING(get(reader, "n"), "1");
    CHECK_NUMBER(finish(reader, true), SERVICE_KEEP);
    sealing.fail_at = sealing.calls + 1;
    CHECK_NUMBER(issue(scope, "r"), SERVICE_FAIL);
    CHECK_NUMBER(issue(reader, "r2"), SERVICE_RETRY);
    services_forget(scope);
    services_forget(reader);
    scope = scope_begin("d3", "shop");
    CHECK_STRING(get(scope, "n"), "-4");
    CHECK(!has_receipt("d1", "r"));
    services_forget(scope);
    world_close();
}

static void lists_and_swaps_answer_as_documented(void)
{
    REQUIRE(world_open("lists"));
    struct service_scope *scope = scope_begin("e1", "shop");
    CHECK_NUMBER(set(scope, "carts", "a", "one"), 0);
    CHECK_NUMBER(set(scope, "carts", "b", ""), 0);
    CHECK_NUMBER(set(scope, "prices", "c", "x"), 0);
    struct call_request list = { .call = CALL_KV_LIST,
                                 .number_count = 1,
                                 .string_count = 3,
                                 .numbers = { 10 | KV_LIST_VALUES },
                                 .strings = { BYTES_LITERAL("carts") } };
    CHECK_NUMBER(ask(scope, &list), 8 + 16 + 4 + 16 + 1);
    static const uint8_t expected[] = "\2\0\0\0\0\0\0\0"
                                      "\1\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0aone"
                                      "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0b";
    CHECK_BYTES(bytes_of(answered.data, answered.size), bytes_of(expected, sizeof(expected) - 1));
    list.numbers[0] = 1;
    CHECK_NUMBER(ask(scope, &list), 8 + 16 + 1);
    CHECK_NUMBER(answered.data[4], 1); /* more */
    list.numbers[0] = 0;
    CHECK_NUMBER(ask(scope, &list), CALL_ERROR_INVALID);
    list.numbers[0] = 1 << 17 | 10;
    CHECK_NUMBER(ask(scope, &list), CALL_ERROR_INVALID);
    struct call_request swap = { .call = CALL_KV_COMPARE_AND_SET,
                                 .number_count = 2,
                                 .string_count = 4,
                                 .numbers = { 1, 0 },
                                 .strings = { BYTES_LITERAL("carts"), BYTES_LITERAL("a"),
                                              BYTES_LITERAL("one"), BYTES_LITERAL("two") } };
    CHECK_NUMBER(ask(scope, &swap), 1);
    CHECK_NUMBER(ask(scope, &swap), 0);
    swap.numbers[0] = 2;
    CHECK_NUMBER(ask(scope, &swap), CALL_ERROR_INVALID);
    swap.numbers[0] = 0;
    swap.numbers[1] = UINT64_MAX;
    CHECK_NUMBER(ask(scope, &swap), CALL_ERROR_INVALID);
    struct call_request gone = { .call = CALL_KV_DELETE,
                                 .string_count = 2,
                                 .strings = { BYTES_LITERAL("carts"), BYTES_LITERAL("a") } };
    CHECK_NUMBER(ask(scope, &gone), 1);
    CHECK_NUMBER(ask(scope, &gone), 0);
    services_forget(scope);
    world_close();
}

static void keys_and_values_have_limits(void)
{
    static char key[KV_KEY_SIZE_MAX + 2], value[KV_VALUE_SIZE_MAX + 1];
    struct bytes longest = bytes_of(key, KV_KEY_SIZE_MAX), none = { 0 };
    struct bytes longer = bytes_of(key, KV_KEY_SIZE_MAX + 1);
    memset(key, 'k', KV_KEY_SIZE_MAX + 1);
    REQUIRE(world_open("limits"));
    struct service_scope *scope = scope_begin("l1", "shop");
    struct call_request get = { .call = CALL_KV_GET,
                                .string_count = 2,
                                .strings = { BYTES_LITERAL("carts"), longer } };
    CHECK_NUMBER(ask(scope, &get), CALL_ERROR_INVALID);
    get.call = CALL_KV_DELETE;
    CHECK_NUMBER(ask(scope, &get), CALL_ERROR_INVALID);
    get.strings[1] = none;
    CHECK_NUMBER(ask(scope, &get), CALL_ERROR_INVALID);
    get.call = CALL_KV_GET;
    get.strings[1] = longest;
    CHECK_NUMBER(ask(scope, &get), CALL_ERROR_NOT_FOUND);
    CHECK_NUMBER(put(scope, "carts", longest, BYTES_OF(value)), CALL_ERROR_LIMIT);
    CHECK_NUMBER(put(scope, "carts", longest, bytes_of(value, KV_VALUE_SIZE_MAX)), 0);
    CHECK_NUMBER(ask(scope, &get), KV_VALUE_SIZE_MAX);
    CHECK_NUMBER(put(scope, "carts", longer, none), CALL_ERROR_INVALID);
    services_forget(scope);
    world_close();
}

/* What has no room in one answer comes with the next page. */
static void a_list_is_cut_where_an_answer_ends(void)
{
    static char value[KV_VALUE_SIZE_MAX];
    char key[8];
    REQUIRE(world_open("pages"));
    for (unsigned round = 0; round < 2; round++) { /* more than one transaction writes */
        struct service_scope *writer = scope_begin(round == 0 ? "w1" : "w2", "shop");
        for (unsigned i = 0; i < 12; i++) {
            snprintf(key, sizeof(key), "%02u", round * 12 + i);
            CHECK_NUMBER(put(writer, "carts", bytes_of_string(key), BYTES_OF(value)), 0);
        }
        CHECK_NUMBER(finish(writer, true), SERVICE_KEEP);
        CHECK_NUMBER(issue(writer, "receipt"), SERVICE_KEEP);
        services_forget(writer);
    }
    struct service_scope *scope = scope_begin("r1", "shop");
    struct call_request list = { .call = CALL_KV_LIST,
                                 .number_count = 1,
                                 .string_count = 3,
                                 .numbers = { 100 | KV_LIST_VALUES },
                                 .strings = { BYTES_LITERAL("carts") } };
    unsigned whole = (SERVICE_ANSWER_SIZE_MAX - 8) / (16 + 2 + KV_VALUE_SIZE_MAX);
    CHECK_NUMBER(ask(scope, &list), 8 + (int64_t)whole * (16 + 2 + KV_VALUE_SIZE_MAX));
    CHECK(answered.data[0] == whole && answered.data[4] == 1);
    snprintf(key, sizeof(key), "%02u", whole - 1);
    list.strings[2] = bytes_of_string(key);
    CHECK_NUMBER(ask(scope, &list), 8 + (int64_t)(24 - whole) * (16 + 2 + KV_VALUE_SIZE_MAX));
    CHECK(answered.data[0] == 24 - whole && answered.data[4] == 0);
    services_forget(scope);
    world_close();
}

/* Of two that answer the same request one answer is kept, whichever way the other finds out. */
static void one_answer_is_kept_of_two(void)
{
    struct service_result result = { { { 9 } }, 0, BYTES_LITERAL("first") };
    struct error error;
    REQUIRE(world_open("twice"));
    struct service_scope *early = scope_begin("t0", "shop"), *first = scope_begin("t1", "shop");
    CHECK_STRING(get(early, "n"), "-4"); /* its snapshot is from before */
    REQUIRE(services_keep(first, &result, &error));
    CHECK_NUMBER(finish(first, true), SERVICE_KEEP);
    CHECK_NUMBER(issue(first, "receipt"), SERVICE_KEEP);
    services_forget(first);
    struct service_scope *late = scope_begin("t2", "shop");
    result.value = BYTES_LITERAL("second");
    REQUIRE(services_keep(late, &result, &error) && services_keep(early, &result, &error));
    CHECK_NUMBER(finish(late, true), SERVICE_CONFLICT);
    CHECK_STRING(end.message, "the same request was answered meanwhile; ask again for its answer");
    CHECK_NUMBER(finish(early, true), SERVICE_RETRY);
    services_forget(late);
    services_forget(early);
    /* What can't be kept fails the invocation. */
    struct service_scope *odd = scope_begin("t3", "shop");
    result = (struct service_result){ { { 8 } }, -1, BYTES_LITERAL("third") };
    REQUIRE(services_keep(odd, &result, &error));
    CHECK_NUMBER(finish(odd, true), SERVICE_FAIL);
    CHECK_NUMBER(end.code, ERROR_INVALID);
    services_forget(odd);
    world_close();
}

/* Whatever a manifest was once allowed to name. */
static void what_the_node_keeps_is_out_of_reach(void)
{
    REQUIRE(world_open("reserved"));
    static const char *names[] = { "carts", KV_NAMESPACE_RESULTS };
    permissions.lists[CALL_PERMISSION_KV] = (struct permission_list){ names, 2 };
    struct service_scope *scope = scope_begin("e2", "shop");
    static const uint8_t rows[][3] = { { CALL_KV_GET, 0, 2 },
                                       { CALL_KV_DELETE, 0, 2 },
                                       { CALL_KV_LIST, 1, 3 },
                                       { CALL_KV_COMPARE_AND_SET, 2, 4 } };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        CHECK_NUMBER(
            ask(scope,
                &(struct call_request){ .call = rows[i][0],
                                        .number_count = rows[i][1],
                                        .string_count = rows[i][2],
                                        .numbers = { 1 },
                                        .strings = { BYTES_LITERAL(KV_NAMESPACE_RESULTS) } }),
            CALL_ERROR_DENIED);
    CHECK_NUMBER(set(scope, KV_NAMESPACE_RESULTS, "k", "v"), CALL_ERROR_DENIED);
    services_forget(scope);
    world_close();
}

static void a_state_belongs_to_a_name_and_an_owner(void)
{
    REQUIRE(world_open("owners"));
    struct service_scope *scope = scope_begin_of("o1", "shop", 7);
    CHECK_NUMBER(set(scope, "carts", "a", "mine"), 0);
    CHECK_NUMBER(finish(scope, true), SERVICE_KEEP);
    CHECK_NUMBER(issue(scope, "receipt"), SERVICE_KEEP);
    services_forget(scope);
    scope = scope_begin_of("o2", "shop", 8); /* another owner's application of the same name */
    CHECK_STRING(get(scope, "a"), "-4");
    CHECK_NUMBER(set(scope, "carts", "a", "theirs"), 0);
    CHECK_NUMBER(finish(scope, true), SERVICE_KEEP);
    CHECK_NUMBER(issue(scope, "receipt"), SERVICE_KEEP);
    services_forget(scope);
    scope = scope_begin_of("o3", "shop", 7);
    CHECK_STRING(get(scope, "a"), "mine");
    services_forget(scope);
    world_close();
}

/* The manifest's word bounds the state, and counts at every transaction. */
static void takes_no_more_than_the_manifest_allows(void)
{
    const struct service_facts bounded = { .id = "b1",
                                           .application = "shop",
                                           .function = "f",
                                           .version = "1",
                                           .owner = { { 7 } },
                                           .permissions = &permissions,
                                           .state_size = 1000,
                                           .state_count = 2 };
    struct service_scope *scope = NULL;
    struct error error;
    REQUIRE(world_open("bounded"));
    REQUIRE(services_begin(services, &bounded, &scope, &error));
    CHECK_NUMBER(set(scope, "carts", "a", "1"), 0);
    CHECK_NUMBER(set(scope, "carts", "b", "1"), 0);
    CHECK_NUMBER(set(scope, "carts", "c", "1"), CALL_ERROR_LIMIT);
    CHECK_NUMBER(finish(scope, true), SERVICE_KEEP);
    CHECK_NUMBER(issue(scope, "receipt"), SERVICE_KEEP);
    services_forget(scope);
    scope = scope_begin("b2", "shop"); /* a version that says nothing */
    CHECK_NUMBER(set(scope, "carts", "c", "1"), 0);
    CHECK_NUMBER(finish(scope, false), SERVICE_KEEP);
    services_forget(scope);
    struct state_quota quota = kv_quota(0, 7);
    CHECK(quota.size == STATE_SIZE_DEFAULT && quota.count == 7);
    world_close();
}

static const struct call_request get_a = { .call = CALL_KV_GET,
                                           .string_count = 2,
                                           .strings = { BYTES_LITERAL("carts"),
                                                        BYTES_LITERAL("a") } };

/* Nobody is held up while a state is read: the call is answered later, or never when its
 * invocation has gone. */
static void a_call_waits_until_its_state_was_read(void)
{
    struct service_result result = { { { 9 } }, 0, BYTES_LITERAL("kept") };
    struct error error;
    REQUIRE(world_open("parked"));
    struct service_scope *scope = scope_begin("p1", "shop");
    ask_only(scope, &get_a);
    CHECK(has_no_answer());
    wait_while(has_no_answer);
    CHECK_NUMBER(answered.value, CALL_ERROR_NOT_FOUND);
    ask_only(scope, &get_a); /* it is there now */
    CHECK_NUMBER(answered.value, CALL_ERROR_NOT_FOUND);
    services_forget(scope);
    /* Cancelled while it waits; then the scope goes. */
    scope = scope_begin("p2", "cancelled");
    ask_only(scope, &get_a);
    services_cancel(scope);
    CHECK_NUMBER(finish(scope, false), SERVICE_KEEP);
    services_forget(scope);
    /* An answer is kept of an invocation that made no call. */
    scope = scope_begin("p3", "keeper");
    REQUIRE(services_keep(scope, &result, &error));
    CHECK_NUMBER(finish(scope, true), SERVICE_KEEP);
    CHECK_NUMBER(issue(scope, "receipt"), SERVICE_KEEP);
    CHECK(!states_is_there(states, "nobody") && has_no_answer());
    services_forget(scope);
    world_close();
}

static void a_state_that_cannot_be_read_refuses_its_calls(void)
{
    REQUIRE(world_open("unreadable"));
    struct service_scope *scope = scope_begin("u1", "shop");
    CHECK_NUMBER(set(scope, "carts", "a", "1"), 0);
    CHECK_NUMBER(finish(scope, true), SERVICE_KEEP);
    CHECK_NUMBER(issue(scope, "receipt"), SERVICE_KEEP);
    services_forget(scope);
    states_close(TAKE(states));
    struct error error;
    struct states_options options = { .path = test_store_path("unreadable"),
                                      .sealer = test_sealer_of(&sealing),
                                      .clock = &clock_system };
    REQUIRE(states_open(&states, &options, &error));
    kv.states = states;
    scope = scope_begin("u2", "shop");
    sealing.fail_at = sealing.calls + 1;
    CHECK_NUMBER(ask(scope, &get_a), CALL_ERROR_UNAVAILABLE);
    sealing.fail_at = 0;
    CHECK_NUMBER(ask(scope, &get_a), 1); /* a later call tries again */
    services_forget(scope);
    world_close();
}

static const struct test tests[] = {
    TEST(a_call_waits_until_its_state_was_read),
    TEST(a_state_that_cannot_be_read_refuses_its_calls),
    TEST(a_state_belongs_to_a_name_and_an_owner),
    TEST(state_commits_with_its_receipt),
    TEST(what_did_not_end_well_leaves_nothing),
    TEST(one_of_two_that_disagree_is_to_run_again),
    TEST(a_disk_that_fails_fails_the_invocation),
    TEST(lists_and_swaps_answer_as_documented),
    TEST(keys_and_values_have_limits),
    TEST(a_list_is_cut_where_an_answer_ends),
    TEST(one_answer_is_kept_of_two),
    TEST(what_the_node_keeps_is_out_of_reach),
    TEST(takes_no_more_than_the_manifest_allows),
};
TEST_MAIN(tests)
