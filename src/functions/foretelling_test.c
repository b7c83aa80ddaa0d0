/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/foretelling.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static struct foretelling foretelling;

static void note(const char *key)
{
    uint8_t area[1024];
    struct call_request request = { .call = CALL_KV_GET,
                                    .string_count = 2,
                                    .strings = { BYTES_LITERAL("a"), bytes_of_string(key) } };
    struct writer writer = writer_into(area, sizeof(area));
    call_request_write(&writer, &request);
    struct reader reader = reader_of(writer_view(&writer));
    REQUIRE(call_request_next(&reader, &request));
    foretelling_note(&foretelling, &request);
}

/* The keys, the latest first, each with a space behind it. */
static const char *list(void)
{
    static char text[8192];
    struct bytes records[CALL_FORETOLD_COUNT_MAX];
    unsigned count = foretelling_list(&foretelling, records);
    size_t size = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < count; i++) {
        struct reader reader = reader_of(records[i]);
        struct call_request request = { 0 };
        CHECK(call_request_next(&reader, &request));
        size +=
            (size_t)snprintf(text + size, sizeof(text) - size, "%.*s ",
                             (int)request.strings[1].size, (const char *)request.strings[1].data);
    }
    return text;
}

static void the_latest_eight_come_first(void)
{
    foretelling_init(&foretelling);
    CHECK_STRING(list(), "");
    for (char key[] = "a"; key[0] <= 'h'; key[0]++)
        note(key);
    CHECK_STRING(list(), "h g f e d c b a ");
    note("c");
    CHECK_STRING(list(), "c h g f e d b a ");
    note("c");
    note("x"); /* in the place of the oldest */
    CHECK_STRING(list(), "x c h g f e d b ");
    note("a");
    CHECK_STRING(list(), "a x c h g f e d ");
}

static void only_short_reads_are_kept(void)
{
    char key[CALL_FORETOLD_REQUEST_SIZE_MAX];
    struct call_request set = { .call = CALL_KV_SET };
    foretelling_init(&foretelling);
    foretelling_note(&foretelling, &set);
    memset(key, 'k', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    note(key);
    CHECK_STRING(list(), "");
    key[CALL_FORETOLD_REQUEST_SIZE_MAX - 17] = '\0'; /* head, two sizes, "a" */
    note(key);
    CHECK_NUMBER(strlen(list()), CALL_FORETOLD_REQUEST_SIZE_MAX - 17 + 1);
}

static void what_is_not_used_is_forgotten(void)
{
    foretelling_init(&foretelling);
    note("seldom");
    note("often");
    for (unsigned i = 0; i < FORETELLING_UNUSED_MAX; i++) {
        CHECK_STRING(list(), "often seldom ");
        note("often");
    }
    CHECK_STRING(list(), "often ");
    note("seldom");
    CHECK_STRING(list(), "seldom often ");
    for (unsigned i = 0; i < FORETELLING_UNUSED_MAX; i++)
        list();
    CHECK_STRING(list(), "");
    for (char key[] = "a"; key[0] <= 'h'; key[0]++) /* their places are free again */
        note(key);
    CHECK_STRING(list(), "h g f e d c b a ");
}

static void it_rests_when_it_is_wrong_too_often(void)
{
    foretelling_init(&foretelling);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 100; i++) { /* one in four */
            foretelling_learn(&foretelling, i % 4 == 0);
            CHECK(foretelling_may(&foretelling));
        }
        for (unsigned i = 0; i < FORETELLING_HISTORY; i++)
            foretelling_learn(&foretelling, false);
        for (unsigned i = 0; i <= FORETELLING_HISTORY / 4; i++) {
            CHECK(foretelling_may(&foretelling));
            foretelling_learn(&foretelling, true);
        }
        for (unsigned i = 0; i < FORETELLING_REST; i++)
            CHECK(!foretelling_may(&foretelling));
        CHECK(foretelling_may(&foretelling));
    }
}

static const struct test tests[] = { TEST(the_latest_eight_come_first),
                                     TEST(only_short_reads_are_kept),
                                     TEST(what_is_not_used_is_forgotten),
                                     TEST(it_rests_when_it_is_wrong_too_often) };
TEST_MAIN(tests)
