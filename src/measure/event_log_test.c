/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/event_log.h"

#include "core/hex.h"
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

#define GCP    "tests/data/measure/gcp_cos113_ccel.bin"
#define LIVE   "tests/data/measure/cdai_tdx_ccel_live2.bin"
#define DSTACK "tests/data/measure/dstack_eventlog.json"

static void check_registers(const struct event_replay *replay, const char *const expected[4])
{
    for (size_t i = 0; i < RTMR_COUNT; i++) {
        char text[97];
        hex_encode(text, BYTES_OF(replay->rtmr[i].bytes));
        CHECK_STRING(text, expected[i]);
    }
}

static void replays_real_ccel_logs(void)
{
    static const struct {
        const char *file;
        size_t event_count;
        size_t size_used;
        const char *rtmr[4];
    } rows[] = {
        { GCP,
          43,
          18101,
          { "3fa2f61f395b7f5feefb4ec2df61297f109ad8abcd6410c1b7df60f21f37b192"
            "97fc35e544039c7e1edece752afd17f6",
            "f62dbc072bd5d3f3438b7b35c39a727f5aea2ffc2473f43723953f530daf6250"
            "4f0a7944aa62c41a86e8a878c2b122c1",
            "4969684dc87381fc3b3134176c8d8806eaf0a901859f5f70cfae8d17714b46c1"
            "0a8de219048c9fc09f11f381a6fbe7c1",
            "000000000000000000000000000000000000000000000000000000000000"
            "000000000000000000000000000000000000" } },
        { LIVE,
          20,
          2120,
          { "5aca07b1e885e17d1aeaf9d94edb2674767a61547cf8a49f26b73b4a43baeb04"
            "d147ba1953310852bbdcb13f0cfcac17",
            "7fc19ed7b5726f078d331c4125a5d4664bcf811bcce0eaa78caa9e3bf4f72109"
            "1171b51b9af1c497d1c4ac19a4c9af16",
            "35b87e05bb5e6c7db86a1e3f9a5c7fe361741f01c1a3b1f54474ff8f39b38e92"
            "95ff142b932720dfc92e59797df081ec",
            "000000000000000000000000000000000000000000000000000000000000"
            "000000000000000000000000000000000000" } },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct event_replay replay = { 0 };
        struct error error = { 0 };
        bool is_whole = event_log_replay_ccel(&replay, test_file(rows[i].file), &error);
        CHECK_NOTE(is_whole, "%s: %s", rows[i].file, error.text);
        CHECK_NUMBER(replay.event_count, rows[i].event_count);
        CHECK_NUMBER(replay.size_used, rows[i].size_used);
        check_registers(&replay, rows[i].rtmr);
    }
}

static void replays_a_real_dstack_log(void)
{
    static const char *const rtmr[] = {
        "2e3843265f8ecdd4e2282694747f6f2f111605c33f2a8882f5734ee6f3a6ce63"
        "d8f34aeef06093dcda76fa5f9d33d8d6",
        "a1b79d76021970f57c45c4a7c395f780bab37011a4df27fe44e8559bd1abb4d6"
        "e52f12f866d1d08405448eb797a5970f",
        "1e31b59d605df7ee8160cf7966be9bafa6d0e1905de7e09695a24cd9748e71a6"
        "03a51fae1297619fa0c30517addbcd07",
        "0f787c3877f3e95095d5a4d13dd0fe0233803b30120d8469866719dc28f519ce"
        "021fe1e53459121e7a5a4443147185a8"
    };
    struct event_replay replay = { 0 };
    struct error error = { 0 };
    REQUIRE(event_log_replay_dstack(&replay, test_file(DSTACK), &error));
    check_registers(&replay, rtmr);
}

/* What a test looks for among the events. */
struct search {
    const char *type;
    const char *part;
    enum event_digest digest_of;
    size_t found;
};

static void search_event(void *context, const struct measured_event *event)
{
    struct search *search = context;
    for (const char *at = event->text; *at != '\0'; at++)
        CHECK(*at >= 0x20 && *at < 0x7f);
    if (strcmp(event->type_name, search->type) == 0 && strstr(event->text, search->part) != NULL &&
        event->digest_of == search->digest_of)
        search->found++;
}

static size_t count_of(const char *file, const char *type, const char *part,
                       enum event_digest digest_of)
{
    struct search search = { type, part, digest_of, 0 };
    struct event_replay replay = { .on_event = search_event, .context = &search };
    struct error error;
    CHECK(event_log_replay_ccel(&replay, test_file(file), &error));
    return search.found;
}

static void tells_what_events_say(void)
{
    CHECK(count_of(GCP, "EV_EFI_VARIABLE_DRIVER_CONFIG", "variable SecureBoot",
                   EVENT_DIGEST_DATA) == 1);
    CHECK(count_of(GCP, "EV_EFI_VARIABLE_DRIVER_CONFIG", "variable PK,", EVENT_DIGEST_DATA) == 1);
    CHECK(count_of(GCP, "EV_IPL", "grub_cmd: set timeout=0", EVENT_DIGEST_CONTENT) == 1);
    CHECK(count_of(GCP, "EV_SEPARATOR", "", EVENT_DIGEST_DATA) >= 1);
    CHECK(count_of(GCP, "EV_EFI_BOOT_SERVICES_APPLICATION", "image of", EVENT_DIGEST_OTHER) >= 1);
    CHECK(count_of(GCP, "EV_EFI_ACTION", "Exit Boot Services", EVENT_DIGEST_DATA) >= 1);
}

static struct digest48 rtmr0_of(struct bytes log)
{
    struct event_replay replay = { 0 };
    struct error error;
    CHECK(event_log_replay_ccel(&replay, log, &error));
    return replay.rtmr[0];
}

static void notices_swapped_events(void)
{
    struct bytes log = test_file(LIVE);
    struct digest48 before = rtmr0_of(log);
    uint8_t *changed = malloc(log.size);
    REQUIRE(changed != NULL);
    memcpy(changed, log.data, log.size);
    /* The digest of the first event behind the header event of 65 bytes or so: any change moves it.
     */
    bool is_noticed = false;
    for (size_t at = 60; at < 200 && !is_noticed; at++) {
        changed[at] ^= 1;
        struct event_replay replay = { 0 };
        struct error error;
        if (event_log_replay_ccel(&replay, bytes_of(changed, log.size), &error))
            is_noticed = memcmp(&replay.rtmr[0], &before, sizeof(before)) != 0;
        changed[at] ^= 1;
    }
    CHECK(is_noticed);
    free(changed);
}

static void refuses_cut_logs(void)
{
    struct bytes log = test_file(GCP);
    struct event_replay whole = { 0 };
    struct error error;
    REQUIRE(event_log_replay_ccel(&whole, log, &error));
    for (size_t size = 0; size < whole.size_used; size++) {
        struct event_replay replay = { 0 };
        if (event_log_replay_ccel(&replay, bytes_part(log, 0, size), &error))
            CHECK(replay.event_count < whole.event_count);
        else
            CHECK(error.code == ERROR_INVALID);
    }
}

static void refuses_changed_dstack_events(void)
{
    struct bytes log = test_file(DSTACK);
    char *text = calloc(1, log.size + 1);
    REQUIRE(text != NULL);
    memcpy(text, log.data, log.size);
    char *name = strstr(text, "app-id");
    REQUIRE(name != NULL);
    *name = 'A';
    struct event_replay replay = { 0 };
    struct error error = { 0 };
    CHECK(!event_log_replay_dstack(&replay, bytes_of_string(text), &error));
    CHECK_NOTE(strstr(error.text, "something else than was measured") != NULL, "%s", error.text);
    free(text);
    static const char *const bad[] = { "",     "{}",
                                       "[1]",  "[{\"imr\":4}]",
                                       "[{}]", "[{\"imr\":0,\"event_type\":1,\"digest\":\"00\"}]" };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        CHECK_NOTE(!event_log_replay_dstack(&replay, bytes_of_string(bad[i]), &error), "%s",
                   bad[i]);
}

static void extends_as_the_module_does(void)
{
    struct digest48 rtmr = { 0 }, digest;
    REQUIRE(hex_decode(digest.bytes, sizeof(digest.bytes),
                       BYTES_LITERAL("c850c507b802b093e71d49207b2fa9f4b17e4ccf1eda694f95ae4e3e67540"
                                     "a1f383ea9be35c2bb45ec00698e2882abcb")));
    rtmr_extend(&rtmr, &digest);
    char text[97];
    hex_encode(text, BYTES_OF(rtmr.bytes));
    CHECK_STRING(text, "57240eddbe72099740e8339d74ab23a528ca3df84c90b6950941725d1a598ebc"
                       "6cb7f8a8cbbd2b7fe2fe8134ed673126");
}

/* attest/events has the tests of its form; here it leads to RTMR3. */
static void replays_a_node_s_log(void)
{
    struct bytes log = test_file("fuzz/corpus/events-events/three");
    struct event_replay replay = { 0 };
    struct error error = { 0 };
    char text[97];
    REQUIRE(event_log_replay_s3n(&replay, log, &error));
    CHECK_NUMBER(replay.event_count, 3);
    CHECK_NUMBER(replay.size_used, log.size);
    hex_encode(text, BYTES_OF(replay.rtmr[3].bytes));
    CHECK_STRING(text, "5bd8faae1e2d129295dfa926b5f7a53ab6710b8123a2342acfe1f3498278377f0447bf1b9b7"
                       "3cac94588a9c7e71243b6");
    for (size_t i = 0; i < 47; i++)
        CHECK(replay.rtmr[0].bytes[i] == 0);
    CHECK(!event_log_replay_s3n(&replay, bytes_part(log, 0, log.size - 1), &error));
    CHECK(!event_log_replay_s3n(&replay, test_file("fuzz/corpus/events-events/gap"), &error));
    CHECK(strstr(error.text, "gap") != NULL);
}

static const struct test tests[] = {
    TEST(replays_a_node_s_log),          TEST(replays_real_ccel_logs),
    TEST(replays_a_real_dstack_log),     TEST(tells_what_events_say),
    TEST(notices_swapped_events),        TEST(refuses_cut_logs),
    TEST(refuses_changed_dstack_events), TEST(extends_as_the_module_does),
};
TEST_MAIN(tests)
