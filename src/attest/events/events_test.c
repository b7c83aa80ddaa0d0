/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/events/events.h"

#include "core/hex.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ENTRY_COUNT = 12
};

/* A log of some kinds, and where its entries begin. */
struct sample {
    uint8_t bytes[ENTRY_COUNT * 256];
    size_t offsets[ENTRY_COUNT + 1];
    struct digest48 heads[ENTRY_COUNT + 1]; /* after so many entries */
};

static struct bytes sample_part(const struct sample *sample, size_t from, size_t to)
{
    return bytes_of(sample->bytes + sample->offsets[from],
                    sample->offsets[to] - sample->offsets[from]);
}

static void sample_make(struct sample *sample)
{
    struct writer writer = writer_into(sample->bytes, sizeof(sample->bytes));
    struct error error = { 0 };
    memset(sample->heads, 0, sizeof(sample->heads));
    sample->offsets[0] = 0;
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        char details[128];
        if (i == 0)
            snprintf(details, sizeof(details), "{\"format\":1,\"node\":\"00ff\"}");
        else
            snprintf(details, sizeof(details), "{\"image\":\"%zx\",\"version\":\"%zx\"}", i, i * 7);
        struct event event = { .sequence = i + 1,
                               .time_s = 1790000000 + (int64_t)i,
                               .kind = bytes_of_string(i == 0 ? "start" : "load"),
                               .details = bytes_of_string(details) };
        CHECK(event_write(&writer, &event, &error));
        sample->offsets[i + 1] = writer.size;
        struct bytes line = sample_part(sample, i, i + 1);
        struct digest48 digest = event_digest(bytes_part(line, 0, line.size - 1));
        sample->heads[i + 1] = sample->heads[i];
        events_extend(&sample->heads[i + 1], &digest);
    }
}

static struct events_expected expected_of(const struct sample *sample, size_t count,
                                          size_t register_count)
{
    return (struct events_expected){ .count = count,
                                     .head = sample->heads[count],
                                     .has_register = register_count > 0,
                                     .value = sample->heads[register_count] };
}

static enum events_reason reason_of(struct bytes log, const struct events_expected *expected)
{
    struct events_verdict verdict;
    struct error error = { 0 };
    bool held = events_verify(&verdict, log, expected, &error);
    CHECK(held == (verdict.reason == EVENTS_REASON_NONE));
    CHECK_NOTE(held || (error.code == ERROR_UNVERIFIED &&
                        strncmp(error.text, events_reason_name(verdict.reason),
                                strlen(events_reason_name(verdict.reason))) == 0),
               "%s", error.text);
    return verdict.reason;
}

static void replays_as_the_register_does(void)
{
    /* printf '...' | openssl dgst -sha384, and once more over 48 zeros and that. */
    static const char line[] =
        "{\"details\":{\"format\":1},\"kind\":\"start\",\"sequence\":1,\"time\":1790000000}";
    struct events_replay replay;
    struct event event;
    struct error error = { 0 };
    bool is_over;
    char digits[97];
    events_begin(&replay, BYTES_LITERAL("{\"details\":{\"format\":1},\"kind\":\"start\","
                                        "\"sequence\":1,\"time\":1790000000}\n"));
    REQUIRE(events_next(&replay, &event, &is_over, &error) && !is_over);
    struct digest48 digest = event_digest(bytes_of_string(line));
    hex_encode(digits, BYTES_OF(digest.bytes));
    CHECK_STRING(digits, "a417727a34d8a184637c3c7b88c27e3c77eaf1b657b43023a31bd6fa9ebdf8e3811d52561"
                         "1c05c3f00e1a74323585ddc");
    hex_encode(digits, BYTES_OF(replay.head.bytes));
    CHECK_STRING(digits, "8ca0ca75630e9fa435293fe3744414a4df0c45371c7e8bf5ac8965032721b6013d25f6754"
                         "53a77d594e5c0d55adba43d");
    CHECK_NUMBER(event.sequence, 1);
    CHECK_NUMBER(event.time_s, 1790000000);
    CHECK_BYTES(event.text, bytes_of_string(line));
    CHECK(event_is(&event, "start") && !event_is(&event, "star"));
    REQUIRE(events_next(&replay, &event, &is_over, &error) && is_over);
}

static void a_whole_log_holds(void)
{
    struct sample sample;
    sample_make(&sample);
    struct bytes log = sample_part(&sample, 0, ENTRY_COUNT);
    for (size_t count = 0; count <= ENTRY_COUNT; count++) {
        for (size_t value = 0; value <= ENTRY_COUNT; value++) {
            struct events_verdict verdict;
            struct error error = { 0 };
            struct events_expected expected = expected_of(&sample, count, value);
            bool held = events_verify(&verdict, log, &expected, &error);
            /* A register that is behind the keyset went backwards. */
            CHECK(held == (value == 0 || value >= count));
            CHECK(!held || verdict.covered == (value == 0 ? count : value));
            CHECK(!held || verdict.count == ENTRY_COUNT);
        }
    }
}

static void every_cut_is_refused(void)
{
    struct sample sample;
    sample_make(&sample);
    struct events_expected expected = expected_of(&sample, ENTRY_COUNT, 0);
    struct events_expected followed = expected_of(&sample, 3, ENTRY_COUNT);
    for (size_t size = 0; size < sample.offsets[ENTRY_COUNT]; size++) {
        struct bytes log = bytes_of(sample.bytes, size);
        CHECK_NOTE(reason_of(log, &expected) == EVENTS_REASON_CUT, "%zu bytes", size);
        enum events_reason reason = reason_of(log, &followed);
        CHECK_NOTE(reason == EVENTS_REASON_CUT || reason == EVENTS_REASON_REGISTER, "%zu bytes",
                   size);
    }
    /* From the front. */
    for (size_t i = 1; i < ENTRY_COUNT; i++)
        CHECK(reason_of(sample_part(&sample, i, ENTRY_COUNT), &expected) == EVENTS_REASON_GAP);
}

/* The entries in another order; the same number twice, or one left out with `count` too large. */
static struct bytes arranged(const struct sample *sample, uint8_t *target, const size_t *order,
                             size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        struct bytes entry = sample_part(sample, order[i], order[i] + 1);
        memcpy(target + size, entry.data, entry.size);
        size += entry.size;
    }
    return bytes_of(target, size);
}

static void swaps_drops_and_repeats_are_refused(void)
{
    struct sample sample;
    uint8_t target[sizeof(sample.bytes) * 2];
    size_t order[ENTRY_COUNT + 1];
    sample_make(&sample);
    struct events_expected expected = expected_of(&sample, ENTRY_COUNT, 0);
    for (size_t at = 0; at < ENTRY_COUNT; at++) {
        for (size_t i = 0; i < ENTRY_COUNT; i++)
            order[i] = i == at ? at + 1 : i == at + 1 ? at : i;
        if (at + 1 < ENTRY_COUNT)
            CHECK_NUMBER(reason_of(arranged(&sample, target, order, ENTRY_COUNT), &expected),
                         EVENTS_REASON_SWAP);
        for (size_t i = 0; i < ENTRY_COUNT - 1; i++)
            order[i] = i < at ? i : i + 1;
        CHECK_NUMBER(reason_of(arranged(&sample, target, order, ENTRY_COUNT - 1), &expected),
                     at + 1 < ENTRY_COUNT ? EVENTS_REASON_GAP : EVENTS_REASON_CUT);
        for (size_t i = 0; i < ENTRY_COUNT + 1; i++)
            order[i] = i <= at ? i : i - 1;
        CHECK_NUMBER(reason_of(arranged(&sample, target, order, ENTRY_COUNT + 1), &expected),
                     EVENTS_REASON_SWAP);
    }
}

/* Whoever numbers the entries anew is found by what they lead to. */
static void a_renumbered_log_is_refused(void)
{
    struct sample sample;
    uint8_t target[sizeof(sample.bytes)];
    sample_make(&sample);
    for (size_t left_out = 1; left_out < ENTRY_COUNT - 1; left_out++) {
        struct writer writer = writer_into(target, sizeof(target));
        struct events_replay replay;
        struct event event;
        struct error error = { 0 };
        bool is_over = false;
        events_begin(&replay, sample_part(&sample, 0, ENTRY_COUNT));
        while (events_next(&replay, &event, &is_over, &error) && !is_over) {
            if (event.sequence == left_out + 1)
                continue;
            event.sequence -= event.sequence > left_out;
            CHECK(event_write(&writer, &event, &error));
        }
        struct events_expected expected = expected_of(&sample, ENTRY_COUNT - 1, 0);
        struct events_expected followed = expected_of(&sample, 1, ENTRY_COUNT);
        CHECK_NUMBER(reason_of(writer_view(&writer), &expected), EVENTS_REASON_CHANGED);
        CHECK_NUMBER(reason_of(writer_view(&writer), &followed), EVENTS_REASON_REGISTER);
    }
}

static void every_changed_bit_is_refused(void)
{
    struct sample sample;
    sample_make(&sample);
    struct events_expected expected = expected_of(&sample, ENTRY_COUNT, 0);
    struct events_expected followed = expected_of(&sample, 1, ENTRY_COUNT);
    struct bytes log = sample_part(&sample, 0, ENTRY_COUNT);
    for (size_t i = 0; i < log.size * 8; i++) {
        sample.bytes[i / 8] ^= (uint8_t)(1u << (i % 8));
        CHECK_NOTE(reason_of(log, &expected) != EVENTS_REASON_NONE, "bit %zu", i);
        CHECK_NOTE(reason_of(log, &followed) != EVENTS_REASON_NONE, "bit %zu", i);
        sample.bytes[i / 8] ^= (uint8_t)(1u << (i % 8));
    }
    CHECK(reason_of(log, &expected) == EVENTS_REASON_NONE);
}

/* What comes later is shown, and has its form; behind it there is nothing. */
static void what_follows_is_not_vouched_for(void)
{
    struct sample sample;
    sample_make(&sample);
    struct events_expected expected = expected_of(&sample, 2, 5);
    struct events_verdict verdict;
    struct error error = { 0 };
    CHECK(events_verify(&verdict, sample_part(&sample, 0, 9), &expected, &error));
    CHECK_NUMBER(verdict.covered, 5);
    CHECK_NUMBER(verdict.count, 9);
    static const char *const tails[] = { "\n", "x", "{}\n", "{", "\0\n", " " };
    for (size_t i = 0; i < ARRAY_COUNT(tails); i++) {
        uint8_t target[sizeof(sample.bytes) + 8];
        struct bytes log = sample_part(&sample, 0, ENTRY_COUNT);
        memcpy(target, log.data, log.size);
        memcpy(target + log.size, tails[i], strlen(tails[i]) + 1);
        enum events_reason reason =
            reason_of(bytes_of(target, log.size + MAX(strlen(tails[i]), (size_t)1)), &expected);
        CHECK_NOTE(reason == EVENTS_REASON_FORM || reason == EVENTS_REASON_CUT, "tail %zu", i);
    }
}

static bool is_refused(const char *line)
{
    struct events_replay replay;
    struct event event;
    struct error error = { 0 };
    bool is_over;
    char text[4096];
    snprintf(text, sizeof(text), "%s\n", line);
    events_begin(&replay, bytes_of_string(text));
    return !events_next(&replay, &event, &is_over, &error);
}

#define START(details) "{\"details\":" details ",\"kind\":\"start\",\"sequence\":1,\"time\":0}"

static void each_record_has_one_form(void)
{
    static const char *const refused[] = {
        "",
        "{}",
        START("{}"),
        START("{\"format\":2}"),
        START("{\"format\":01}"),
        START("{\"format\":1.0}"),
        START("{\"format\":-1}"),
        START("{\"format\":1 }"),
        START("{\"format\":1,}"),
        START("{\"format\":1,\"format\":1}"),
        START("{\"format\":1,\"a\":1}"),
        START("{\"Format\":1,\"format\":1}"),
        START("{\"\":1,\"format\":1}"),
        START("{\"format\":1,\"x\":\"a\\u0041\"}"),
        START("{\"format\":1,\"x\":\"\xc3\xa9\"}"),
        START("{\"format\":1,\"x\":\"\t\"}"),
        START("{\"format\":1,\"x\":null}"),
        START("{\"format\":1,\"x\":true}"),
        START("{\"format\":1,\"x\":[]}"),
        START("{\"format\":1,\"x\":{}}"),
        START("{\"format\":1,\"x\":9007199254740992}"),
        START("{\"format\":1,\"x\":99999999999999999999999}"),
        START("[]"),
        " " START("{\"format\":1}"),
        START("{\"format\":1}") " ",
        "{\"kind\":\"start\",\"details\":{\"format\":1},\"sequence\":1,\"time\":0}",
        "{\"details\":{\"format\":1},\"kind\":\"Start\",\"sequence\":1,\"time\":0}",
        "{\"details\":{\"format\":1},\"kind\":\"load\",\"sequence\":1,\"time\":0}",
        "{\"details\":{\"format\":1},\"kind\":\"start\",\"sequence\":0,\"time\":0}",
        "{\"details\":{\"format\":1},\"kind\":\"start\",\"sequence\":1,\"time\":00}",
        "{\"details\":{\"format\":1},\"kind\":\"start\",\"sequence\":1,\"time\":0,\"x\":1}",
    };
    CHECK(!is_refused(START("{\"format\":1}")));
    CHECK(!is_refused(START("{\"a\":\"\",\"format\":1,\"x\":9007199254740991}")));
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++)
        CHECK_NOTE(is_refused(refused[i]), "%s", refused[i]);
}

static void limits_hold(void)
{
    struct error error = { 0 };
    uint8_t room[2 * EVENT_SIZE_MAX];
    char details[2 * EVENT_SIZE_MAX], name[64];
    struct event event = { .sequence = 2, .kind = BYTES_LITERAL("load") };
    for (size_t size = EVENT_TEXT_SIZE_MAX - 1; size <= EVENT_TEXT_SIZE_MAX + 1; size++) {
        struct writer writer = writer_into(room, sizeof(room));
        snprintf(details, sizeof(details), "{\"x\":\"%0*d\"}", (int)size, 0);
        event.details = bytes_of_string(details);
        CHECK(event_write(&writer, &event, &error) == (size <= EVENT_TEXT_SIZE_MAX));
        CHECK(event_write(&writer, &event, &error) == (size <= EVENT_TEXT_SIZE_MAX));
        CHECK((writer.size == 0) == (size > EVENT_TEXT_SIZE_MAX));
    }
    for (int size = EVENT_NAME_SIZE_MAX; size <= EVENT_NAME_SIZE_MAX + 1; size++) {
        struct writer writer = writer_into(room, sizeof(room));
        snprintf(name, sizeof(name), "%0*d", size, 0);
        snprintf(details, sizeof(details), "{\"%s\":1}", name);
        event.details = bytes_of_string(details);
        CHECK(event_write(&writer, &event, &error) == (size <= EVENT_NAME_SIZE_MAX));
    }
    for (int count = EVENT_DETAIL_COUNT_MAX; count <= EVENT_DETAIL_COUNT_MAX + 1; count++) {
        struct writer writer = writer_into(room, sizeof(room));
        size_t size = 0;
        for (int i = 0; i < count; i++)
            size += (size_t)snprintf(details + size, sizeof(details) - size, "%s\"%02d\":%d",
                                     i == 0 ? "{" : ",", i, i);
        snprintf(details + size, sizeof(details) - size, "}");
        event.details = bytes_of_string(details);
        CHECK(event_write(&writer, &event, &error) == (count <= EVENT_DETAIL_COUNT_MAX));
    }
    struct writer small = writer_into(room, 20);
    CHECK(!event_write(&small, &event, &error));
}

static void details_are_found(void)
{
    struct bytes details = BYTES_LITERAL("{\"a\":\"one\",\"b\":22,\"c\":\"\"}"), value;
    CHECK(event_detail(details, "a", &value) && bytes_equal_string(value, "one"));
    CHECK(event_detail(details, "b", &value) && bytes_equal_string(value, "22"));
    CHECK(event_detail(details, "c", &value) && value.size == 0);
    CHECK(!event_detail(details, "d", &value) && !event_detail(details, "", &value));
    CHECK(!event_detail(BYTES_LITERAL("{\"a\":1"), "a", &value));
}

static const struct test tests[] = {
    TEST(replays_as_the_register_does),
    TEST(a_whole_log_holds),
    TEST(every_cut_is_refused),
    TEST(swaps_drops_and_repeats_are_refused),
    TEST(a_renumbered_log_is_refused),
    TEST(every_changed_bit_is_refused),
    TEST(what_follows_is_not_vouched_for),
    TEST(each_record_has_one_form),
    TEST(limits_hold),
    TEST(details_are_found),
};
TEST_MAIN(tests)
