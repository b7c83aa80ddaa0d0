/* SPDX-License-Identifier: Apache-2.0 */
/* Calls answered inside real micro-VMs, made afterwards by a service made for the test: what comes
 * of it when they were answered wrongly, and what is not answered inside at all. */
#include "base/file.h"
#include "functions/house.h"
#include "functions/test_world.h"
#include "services/about.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Every key has the value "v" and a number; a key that was set, itself until the scope ends. */
static struct {
    unsigned number;
    unsigned foretell_count, get_count, set_count, commit_count, undo_count, begun;
    unsigned changes; /* so often the number changes between foretelling and reading */
    bool is_full;     /* nothing can be set */
    bool is_slow;     /* reads wait for the test */
    unsigned conflict_count;
    char set[64];
    struct service_call *waiting;
} kv;

static void value_now(char text[32])
{
    snprintf(text, 32, "v%u", kv.number);
}

static bool kv_foretell(void *context UNUSED, const struct service_facts *facts UNUSED,
                        const struct call_request *request, struct writer *answer)
{
    char text[32];
    if (request->call != CALL_KV_GET)
        return false;
    kv.foretell_count++;
    value_now(text);
    struct bytes data = bytes_of_string(text);
    call_answer_write(answer, (int64_t)data.size, data, data.size);
    if (kv.changes > 0) {
        kv.changes--;
        kv.number++;
    }
    return true;
}

static void get_answer(struct service_call *call)
{
    char text[32];
    value_now(text);
    bool is_set = bytes_equal_string(call->strings[1], kv.set);
    service_answer(call, 0, bytes_of_string(is_set ? kv.set : text));
}

static void kv_get(void *context UNUSED, struct service_call *call)
{
    kv.get_count++;
    if (kv.is_slow)
        kv.waiting = call;
    else
        get_answer(call);
}

static void kv_set(void *context UNUSED, struct service_call *call)
{
    kv.set_count++;
    if (kv.is_full) {
        service_refuse(call, CALL_ERROR_LIMIT, "full");
        return;
    }
    snprintf(kv.set, sizeof(kv.set), "%.*s", (int)call->strings[1].size,
             (const char *)call->strings[1].data);
    service_answer(call, 0, (struct bytes){ 0 });
}

static void kv_began(void *context UNUSED, struct service_scope *scope UNUSED)
{
    kv.begun++;
    kv.set[0] = '\0';
}

static void kv_cancelled(void *context UNUSED, struct service_call *call)
{
    CHECK(call == kv.waiting);
    kv.waiting = NULL;
}

static void kv_ended(void *context UNUSED, struct service_scope *scope UNUSED,
                     struct service_ending *ending)
{
    kv.commit_count += ending->is_commit;
    kv.undo_count += !ending->is_commit;
    bool is_conflict = kv.conflict_count > 0;
    kv.conflict_count -= is_conflict;
    service_conclude(ending, is_conflict ? SERVICE_RETRY : SERVICE_KEEP, "changed meanwhile");
}

static const struct service_handler handlers[] = { { CALL_KV_GET, kv_get },
                                                   { CALL_KV_SET, kv_set } };
static const struct service service_kv = { .name = "kv",
                                           .handlers = handlers,
                                           .handler_count = ARRAY_COUNT(handlers),
                                           .foretell = kv_foretell,
                                           .began = kv_began,
                                           .cancelled = kv_cancelled,
                                           .ended = kv_ended };
static struct services *services;

#define GRANT "permissions.kv = [\"prices\"]\n"

static bool open_with(const char *lines, const char *limits)
{
    struct error error;
    memset(&kv, 0, sizeof(kv));
    if (!services_new(&services, &error) || !services_add(services, &service_about, NULL, &error) ||
        !services_add(services, &service_kv, NULL, &error))
        return false;
    world_options.services = services;
    if (!world_open("replay"))
        return false;
    world.lines = lines;
    world.limits = limits;
    return world_deploy("guard", "calls", 8, 20000);
}

static void close_all(void)
{
    world_close();
    services_free(services);
    world_options.services = NULL;
}

static unsigned reruns(void)
{
    return (unsigned)invoker_counts(world.invoker).reruns;
}

/* The number at `at` of what an invocation printed; it must have ended well. */
static int64_t number_at(const struct outcome_seen *seen, size_t at)
{
    int64_t number = INT64_MIN;
    CHECK_NOTE(seen->ran && seen->status == RECEIPT_STATUS_DONE && seen->has_receipt, "%s",
               seen->message);
    if (seen->output_size >= at + sizeof(number))
        memcpy(&number, seen->output + at, sizeof(number));
    return number;
}

static void check_get(const char *key, const char *value)
{
    char input[64];
    snprintf(input, sizeof(input), "G%s", key);
    const struct outcome_seen *seen = world_invoke("guard", input);
    CHECK_NUMBER(number_at(seen, 0), (int64_t)strlen(value));
    CHECK_BYTES(bytes_of(seen->output + 8, seen->output_size - 8), bytes_of_string(value));
}

static void right_ones_are_made_once(void)
{
    REQUIRE_KVM();
    REQUIRE(open_with(GRANT, NULL));
    for (unsigned i = 1; i <= 10; i++) {
        check_get("neo", "v0");
        CHECK(kv.get_count == i && kv.commit_count == i && kv.begun == i);
        CHECK_NUMBER(kv.foretell_count, i - 1);
    }
    CHECK(reruns() == 0 && kv.undo_count == 0);
    close_all();
}

static void wrong_ones_run_again_once(void)
{
    REQUIRE_KVM();
    REQUIRE(open_with(GRANT, NULL));
    check_get("neo", "v0");
    kv.changes = 1;
    check_get("neo", "v1");
    CHECK(reruns() == 1 && kv.foretell_count == 1);
    CHECK(kv.get_count == 3 && kv.commit_count == 2 && kv.undo_count == 0);
    check_get("neo", "v1");
    CHECK(reruns() == 1 && kv.get_count == 4 && kv.commit_count == 3);
    /* Others' are not held up by it, and each gives what it read. */
    kv.changes = 1000;
    for (unsigned i = 2; i < 6; i++) {
        char value[16];
        snprintf(value, sizeof(value), "v%u", i);
        check_get("neo", value);
        CHECK_NUMBER(reruns(), i);
    }
    close_all();
}

/* A function hears what it would have heard: that there is no room. */
static void refused_writes_are_heard(void)
{
    REQUIRE_KVM();
    REQUIRE(open_with(GRANT, NULL));
    CHECK_NUMBER(number_at(world_invoke("guard", "Sneo"), 0), 0);
    CHECK_NUMBER(number_at(world_invoke("guard", "Sneo"), 0), 0);
    CHECK(kv.set_count == 2 && reruns() == 0 && kv.commit_count == 2);
    kv.is_full = true;
    const struct outcome_seen *seen = world_invoke("guard", "Sneo");
    CHECK_NUMBER(number_at(seen, 0), CALL_ERROR_LIMIT);
    CHECK_STRING(seen->output + 8, "full");
    CHECK(kv.set_count == 4 && reruns() == 1 && kv.commit_count == 3);
    /* And one that traps after it has been refused, too. */
    seen = world_invoke("guard", "T");
    CHECK(seen->ran && seen->status == RECEIPT_STATUS_TRAP);
    CHECK(kv.set_count == 6 && reruns() == 2 && kv.undo_count == 1);
    close_all();
}

/* The present value, the write, and what was written: not what was foretold before. */
static void writes_are_read_back(void)
{
    REQUIRE_KVM();
    REQUIRE(open_with(GRANT, NULL));
    for (unsigned i = 1; i <= 4; i++) {
        const struct outcome_seen *seen = world_invoke("guard", "Aneo");
        CHECK_NUMBER(number_at(seen, 0), 2);
        CHECK_NUMBER(number_at(seen, 8), 0);
        CHECK_NUMBER(number_at(seen, 16), 3);
        CHECK_STRING(seen->output + 24, "neo");
        CHECK(kv.get_count == 2 * i && kv.set_count == i && kv.begun == i);
    }
    CHECK(reruns() == 0 && kv.foretell_count == 3);
    /* The last read leaves, and finds that the first was wrong: it is refused, and all of it runs
     * again. */
    kv.changes = 1;
    const struct outcome_seen *seen = world_invoke("guard", "Aneo");
    CHECK_NUMBER(number_at(seen, 0), 2);
    CHECK_NUMBER(number_at(seen, 16), 3);
    CHECK(reruns() == 1 && kv.begun == 6 && kv.commit_count == 5 && kv.set_count == 6);
    close_all();
}

/* Values are secrets of the application: neither what was foretold nor what was made inside. */
static void nothing_stays_in_mailboxes(void)
{
    REQUIRE_KVM();
    REQUIRE(open_with(GRANT, NULL));
    check_get("neo", "v0");
    check_get("neo", "v0");
    for (unsigned i = 0; i < 3; i++) {
        kv.changes = i == 2 ? 1 : 0;
        CHECK_NUMBER(number_at(world_invoke("guard", i == 0 ? "Dneo" : "Aneo"), 0), i == 0 ? 0 : 2);
        const struct worker *worker = world.invoker->houses->worker;
        for (uint32_t slot = 0; slot < worker_slot_count(worker); slot++) {
            size_t size, at = 0;
            const uint8_t *memory = worker_mailbox(worker, slot, &size);
            while (at < size && memory[at] == 0)
                at++;
            CHECK_NUMBER(at, size);
        }
    }
    close_all();
}

static void what_traps_is_undone(void)
{
    REQUIRE_KVM();
    REQUIRE(open_with(GRANT, NULL));
    for (unsigned i = 1; i <= 3; i++) {
        const struct outcome_seen *seen = world_invoke("guard", "T");
        CHECK(seen->ran && seen->status == RECEIPT_STATUS_TRAP && seen->has_receipt);
        CHECK(kv.set_count == i && kv.undo_count == i && kv.commit_count == 0);
    }
    CHECK_NUMBER(reruns(), 0);
    close_all();
}

/* Three calls and one more: the VMM counts only what leaves. */
static void limits_count_all_calls(void)
{
    REQUIRE_KVM();
    REQUIRE(open_with(GRANT, ", host_calls = 4"));
    for (unsigned i = 0; i < 3; i++)
        CHECK(number_at(world_invoke("guard", "Dneo"), 8) > 0);
    CHECK_NUMBER(reruns(), 0);
    close_all();
    REQUIRE(open_with(GRANT, ", host_calls = 3"));
    check_get("neo", "v0");
    for (unsigned i = 1; i <= 3; i++) {
        const struct outcome_seen *seen = world_invoke("guard", "Dneo");
        CHECK(seen->ran && seen->status == RECEIPT_STATUS_LIMIT);
        CHECK_NUMBER(reruns(), i);
    }
    close_all();
    REQUIRE(open_with(GRANT, ", host_calls = 2"));
    check_get("neo", "v0");
    const struct outcome_seen *seen = world_invoke("guard", "Dneo");
    CHECK(seen->ran && seen->status == RECEIPT_STATUS_LIMIT);
    close_all();
}

static void conflicts_are_what_they_were(void)
{
    REQUIRE_KVM();
    REQUIRE(open_with(GRANT, NULL));
    check_get("neo", "v0");
    kv.conflict_count = 1;
    const struct outcome_seen *seen = world_invoke("guard", "Gneo");
    CHECK(!seen->ran && seen->refused == ERROR_CONFLICT);
    CHECK(kv.conflict_count == 0 && reruns() == 0);
    close_all();
    REQUIRE(open_with(GRANT "on_conflict = \"retry\"\nconflict_retries = 2\n", NULL));
    check_get("neo", "v0");
    kv.conflict_count = 2;
    check_get("neo", "v0");
    CHECK(kv.commit_count == 4 && reruns() == 0);
    kv.conflict_count = 1000;
    kv.changes = 1;
    seen = world_invoke("guard", "Gneo"); /* running again for that is no retry */
    CHECK(!seen->ran && seen->refused == ERROR_CONFLICT);
    CHECK_NUMBER(kv.commit_count, 4 + 3);
    CHECK_NUMBER(reruns(), 1);
    close_all();
}

/* Until the service has a call that waits. */
static void run_until_waiting(void)
{
    uint64_t start_ns = clock_monotonic_ns(&clock_system);
    while (kv.waiting == NULL &&
           clock_monotonic_ns(&clock_system) - start_ns < UINT64_C(1000000) * TEST_PATIENCE_MS)
        world_turn();
}

static void answer_late(const char *input, unsigned changes, unsigned waits)
{
    unsigned before = world.seen_count;
    struct error error;
    kv.changes = changes;
    kv.is_slow = true;
    REQUIRE(world_start("guard", bytes_of_string(input), &world.seen[before], &error));
    for (unsigned i = 0; i < waits; i++) {
        run_until_waiting();
        REQUIRE(kv.waiting != NULL && world.seen_count == before);
        get_answer(TAKE(kv.waiting));
    }
    world_run_until(before + 1);
    kv.is_slow = false;
}

static void services_may_take_their_time(void)
{
    REQUIRE_KVM();
    struct error error;
    REQUIRE(open_with(GRANT, NULL));
    check_get("neo", "v0");
    answer_late("Gneo", 0, 1);
    CHECK_NUMBER(number_at(&world.seen[1], 0), 2);
    CHECK_NUMBER(reruns(), 0);
    answer_late("Gneo", 1, 2);
    CHECK_STRING(world.seen[2].output + 8, "v1");
    CHECK_NUMBER(reruns(), 1);
    answer_late("Aneo", 0, 2); /* the second read waits behind what was made inside */
    CHECK_STRING(world.seen[3].output + 24, "neo");
    CHECK_NUMBER(reruns(), 1);
    answer_late("Aneo", 1, 3);
    CHECK_STRING(world.seen[4].output + 24, "neo");
    CHECK_NUMBER(reruns(), 2);
    /* And one that the end of the node finds waiting. */
    kv.is_slow = true;
    REQUIRE(world_start("guard", BYTES_LITERAL("Gneo"), &world.seen[5], &error));
    run_until_waiting();
    REQUIRE(kv.waiting != NULL);
    close_all();
    CHECK(kv.waiting == NULL);
}

static void try_without(const char *lines, const char *first, const char *input)
{
    REQUIRE(open_with(lines, NULL));
    for (unsigned i = 0; i < 3; i++)
        CHECK_NUMBER(number_at(world_invoke("guard", i == 0 ? first : input), 0), 2);
    CHECK_NUMBER(kv.foretell_count, 0);
    close_all();
}

/* What may not run again from the start, or whose compiler is not trusted. */
static void others_call_as_ever(void)
{
    REQUIRE_KVM();
    static char large[FORETOLD_INPUT_SIZE_MAX + 2];
    try_without(GRANT "isolation = \"invocation\"\n", "Gneo", "Gneo");
    struct error error;
    REQUIRE(open_with(GRANT, NULL));
    check_get("neo", "v0");
    memset(large, ' ', sizeof(large));
    large[0] = 'A'; /* its key is too long for anybody */
    for (size_t size = FORETOLD_INPUT_SIZE_MAX; size <= FORETOLD_INPUT_SIZE_MAX + 1; size++) {
        unsigned seen = world.seen_count, before = kv.foretell_count;
        REQUIRE(world_start("guard", bytes_of(large, size), &world.seen[seen], &error));
        world_run_until(seen + 1);
        CHECK_NUMBER(kv.foretell_count - before, size == FORETOLD_INPUT_SIZE_MAX ? 1 : 0);
    }
    close_all();
}

static void it_rests_when_it_is_of_no_use(void)
{
    REQUIRE_KVM();
    REQUIRE(open_with(GRANT, NULL));
    check_get("neo", "v0");
    kv.changes = 1000;
    char value[16];
    for (unsigned i = 1; i <= FORETELLING_HISTORY / 4 + 1; i++) {
        snprintf(value, sizeof(value), "v%u", i);
        check_get("neo", value);
    }
    unsigned told = kv.foretell_count;
    for (unsigned i = 0; i < FORETELLING_REST; i++)
        check_get("neo", value);
    CHECK_NUMBER(kv.foretell_count, told);
    kv.changes = 0;
    check_get("neo", value);
    CHECK_NUMBER(kv.foretell_count, told + 1);
    CHECK_NUMBER(reruns(), FORETELLING_HISTORY / 4 + 1);
    close_all();
}

/* --- lists that lie --- */

/* The mailbox of the invocation that waits for its first call, which the loop has not seen. */
static struct mailbox *mailbox_calling(void)
{
    const struct house *house = world.invoker->houses;
    uint64_t start_ns = clock_monotonic_ns(&clock_system);
    while (clock_monotonic_ns(&clock_system) - start_ns < UINT64_C(1000000) * TEST_PATIENCE_MS) {
        for (uint32_t slot = 0; slot < worker_slot_count(house->worker); slot++) {
            size_t size;
            struct mailbox *mailbox = worker_mailbox(house->worker, slot, &size);
            if (__atomic_load_n(&mailbox->magic, __ATOMIC_RELAXED) == MAILBOX_MAGIC &&
                __atomic_load_n(&mailbox->calls.size, __ATOMIC_ACQUIRE) > 0)
                return mailbox;
        }
        usleep(100);
    }
    return NULL;
}

/* The mailbox's list of calls made, as the guest might have left it: `made` and what stands there.
 */
static void try_lie(const struct mailbox_area *lie, struct bytes content)
{
    unsigned seen = world.seen_count, before = reruns();
    struct error error;
    char input[32];
    snprintf(input, sizeof(input), "Gkey%u", seen); /* never asked before: it leaves */
    REQUIRE(world_start("guard", bytes_of_string(input), &world.seen[seen], &error));
    struct mailbox *mailbox = mailbox_calling();
    REQUIRE(mailbox != NULL);
    if (content.size > 0)
        memcpy((uint8_t *)mailbox + mailbox->made.offset, content.data, content.size);
    mailbox->made.size = lie->size;
    if (lie->offset != 0)
        mailbox->made.offset = lie->offset;
    world_run_until(seen + 1);
    CHECK_STRING(world.seen[seen].output + 8, "v0");
    CHECK_NUMBER(reruns(), before + 1);
    for (unsigned i = 0; i < 4; i++) /* so that it does not rest */
        check_get("neo", "v0");
}

static struct bytes list_of(uint8_t *area, size_t size, const struct call_request *request)
{
    struct writer writer = writer_into(area, size);
    call_requests_write_begin(&writer);
    call_request_write(&writer, request);
    call_list_write_end(&writer, 1);
    return writer_view(&writer);
}

static void lies_run_again(void)
{
    REQUIRE_KVM();
    static const struct mailbox_area outside[] = {
        { .size = UINT32_MAX },
        { .size = CALL_MADE_SIZE + 1 },
        { .offset = UINT32_MAX, .size = 100 },
        { .offset = 8, .size = 100 },
    };
    uint8_t area[256];
    const struct call_request fetch = { .call = CALL_HTTP_FETCH, .string_count = 4 };
    const struct call_request get = { .call = CALL_KV_GET,
                                      .string_count = 2,
                                      .strings = { BYTES_LITERAL("prices"),
                                                   BYTES_LITERAL("not told") } };
    const struct call_request set = { .call = CALL_KV_SET,
                                      .number_count = 1,
                                      .string_count = 3,
                                      .strings = { BYTES_LITERAL("others"), BYTES_LITERAL("k") } };
    const struct call_request odd = { .call = CALL_KV_SET, .string_count = 3 };
    const struct call_request *const lists[] = { &fetch, &get, &set, &odd };
    REQUIRE(open_with(GRANT, NULL));
    check_get("neo", "v0");
    check_get("neo", "v0");
    for (unsigned i = 0; i < ARRAY_COUNT(outside); i++)
        try_lie(&outside[i], (struct bytes){ 0 });
    for (unsigned i = 0; i < ARRAY_COUNT(lists); i++) {
        struct bytes list = list_of(area, sizeof(area), lists[i]);
        try_lie(&(struct mailbox_area){ .size = (uint32_t)list.size }, list);
    }
    struct bytes list = list_of(area, sizeof(area), &get);
    try_lie(&(struct mailbox_area){ .size = (uint32_t)list.size - 8 }, list); /* cut */
    close_all();
}

static const struct test tests[] = {
    TEST(right_ones_are_made_once),      TEST(wrong_ones_run_again_once),
    TEST(refused_writes_are_heard),      TEST(writes_are_read_back),
    TEST(nothing_stays_in_mailboxes),    TEST(what_traps_is_undone),
    TEST(limits_count_all_calls),        TEST(conflicts_are_what_they_were),
    TEST(services_may_take_their_time),  TEST(others_call_as_ever),
    TEST(it_rests_when_it_is_of_no_use), TEST(lies_run_again),
};

int main(int argc, char **argv)
{
    /* What libuv opens once for all loops is not a case's leak. */
    uv_loop_t first;
    uv_loop_init(&first);
    uv_loop_close(&first);
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
