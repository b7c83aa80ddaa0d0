/* SPDX-License-Identifier: Apache-2.0 */
/* The cache: how long what it holds is used, what it takes for damage, and who may read it. */
#include "base/file.h"
#include "collateral/test_service.h"
#include "tests/harness.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void asks_once_a_day(void)
{
    struct test_service service;
    struct error error = { 0 };
    AUTO_COLLATERAL struct collateral collateral;
    collateral_init(&collateral);
    service_init(&service, TDX_NOW_S, service_folder());
    service_add_intel(&service);
    REQUIRE(service_gather(&collateral, &service, service_quote(), &error));
    REQUIRE(service_gather(&collateral, &service, service_quote(), &error));
    CHECK_NUMBER(service.ask_count, 4);
    CHECK_NUMBER(collateral.items[0].state, COLLATERAL_FRESH);
    struct attest_verdict verdict;
    CHECK(service_judge(&verdict, &collateral, service_quote(), TDX_NOW_S));
    CHECK_NUMBER(verdict.claims.intel.tcb_status, INTEL_TCB_UP_TO_DATE);
    service.now_s += DAY_S - 1;
    REQUIRE(service_gather(&collateral, &service, service_quote(), &error));
    CHECK_NUMBER(service.ask_count, 4);
    service.now_s += 1;
    REQUIRE(service_gather(&collateral, &service, service_quote(), &error));
    CHECK_NUMBER(service.ask_count, 8);
    service.now_s -= 10 * DAY_S; /* a clock that was set back */
    REQUIRE(service_gather(&collateral, &service, service_quote(), &error));
    CHECK_NUMBER(service.ask_count, 12);
}

static void keeps_files_to_itself(void)
{
    struct test_service service;
    struct error error = { 0 };
    struct stat status;
    const char *folder = service_folder();
    AUTO_COLLATERAL struct collateral collateral;
    collateral_init(&collateral);
    service_init(&service, TDX_NOW_S, folder);
    service_add_intel(&service);
    REQUIRE(service_gather(&collateral, &service, service_quote(), &error));
    CHECK(stat(folder, &status) == 0 && (status.st_mode & 0777) == 0700);
    DIR *list = opendir(folder);
    const struct dirent *item;
    unsigned count = 0;
    while (list != NULL && (item = readdir(list)) != NULL) {
        char path[600];
        if (item->d_name[0] == '.')
            continue;
        count++;
        snprintf(path, sizeof(path), "%s/%s", folder, item->d_name);
        CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
        /* Damage in any file: it counts as absent. */
        CHECK(file_replace(path, BYTES_LITERAL("{\"s3n_collateral\":1}"), 0600, &error));
    }
    closedir(list);
    CHECK_NUMBER(count, 4);
    REQUIRE(service_gather(&collateral, &service, service_quote(), &error));
    CHECK_NUMBER(service.ask_count, 8);
}

/* Files that stand where another's should: of another address, or cut. */
static void believes_no_file(void)
{
    struct test_service service;
    struct error error = { 0 };
    const char *folder = service_folder();
    AUTO_COLLATERAL struct collateral collateral;
    collateral_init(&collateral);
    service_init(&service, TDX_NOW_S, folder);
    service_add_intel(&service);
    REQUIRE(service_gather(&collateral, &service, service_quote(), &error));
    char paths[4][600];
    unsigned count = 0;
    DIR *list = opendir(folder);
    const struct dirent *item;
    while (list != NULL && (item = readdir(list)) != NULL)
        if (item->d_name[0] != '.' && count < 4)
            snprintf(paths[count++], sizeof(paths[0]), "%s/%s", folder, item->d_name);
    closedir(list);
    REQUIRE(count == 4);
    CHECK(rename(paths[0], paths[1]) == 0);
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, COLLATERAL_FILE_SIZE_MAX);
    for (size_t cut = 1; cut < 400; cut += 7) {
        REQUIRE(file_read(&text, paths[2], &error));
        CHECK(file_replace(paths[2], bytes_part(buffer_view(&text), 0, text.size - cut), 0600,
                           &error));
        unsigned before = service.ask_count;
        CHECK(service_gather(&collateral, &service, service_quote(), &error));
        CHECK_NOTE(service.ask_count > before, "cut %zu", cut);
    }
    struct attest_verdict verdict;
    CHECK(service_judge(&verdict, &collateral, service_quote(), TDX_NOW_S));
}

static void goes_on_with_what_is_in_date(void)
{
    struct test_service service;
    struct error error = { 0 };
    AUTO_COLLATERAL struct collateral collateral;
    collateral_init(&collateral);
    service_init(&service, TDX_NOW_S, service_folder());
    service_add_intel(&service);
    REQUIRE(service_gather(&collateral, &service, service_quote(), &error));
    for (size_t i = 0; i < service.answer_count; i++) {
        service.answers[i].failure = ERROR_UNAVAILABLE;
        service.answers[i].failure_count = UINT32_MAX;
    }
    service.now_s += 2 * DAY_S;
    CHECK_NOTE(service_gather(&collateral, &service, service_quote(), &error), "%s", error.text);
    CHECK_NUMBER(collateral.items[0].state, COLLATERAL_DUE);
    CHECK_NOTE(strstr(collateral.items[0].note, "connection failed") != NULL, "%s",
               collateral.items[0].note);
    service.options.is_offline = true;
    unsigned before = service.ask_count;
    CHECK(service_gather(&collateral, &service, service_quote(), &error));
    CHECK_NUMBER(service.ask_count, before);
    CHECK_NUMBER(collateral.items[0].state, COLLATERAL_DUE);
}

static void uses_what_is_stale_only_when_told(void)
{
    struct test_service service;
    struct error error = { 0 };
    AUTO_COLLATERAL struct collateral collateral;
    collateral_init(&collateral);
    service_init(&service, TDX_NOW_S, service_folder());
    service_add_intel(&service);
    REQUIRE(service_gather(&collateral, &service, service_quote(), &error));
    service.now_s += 60 * DAY_S;
    service.options.is_offline = true;
    CHECK(!service_gather(&collateral, &service, service_quote(), &error));
    CHECK_NOTE(strstr(error.text, "ended on 2025-07-19") != NULL, "%s", error.text);
    CHECK_NUMBER(collateral.items[0].state, COLLATERAL_MISSING);
    service.options.is_stale_allowed = true;
    CHECK_NOTE(service_gather(&collateral, &service, service_quote(), &error), "%s", error.text);
    CHECK_NUMBER(collateral.items[0].state, COLLATERAL_STALE);
    struct attest_verdict verdict;
    CHECK(!service_judge(&verdict, &collateral, service_quote(),
                         service.now_s)); /* now it proves nothing, */
    CHECK(service_judge(&verdict, &collateral, service_quote(), TDX_NOW_S)); /* then it did */
    service.options.is_offline = false; /* the service has newer ones: they are asked for */
    unsigned before = service.ask_count;
    CHECK(service_gather(&collateral, &service, service_quote(), &error));
    CHECK_NUMBER(service.ask_count, before + 4);
}

static void asks_again_before_the_end(void)
{
    struct collateral_entry entry = { .fetched_s = 1000 * DAY_S, .max_age_s = -1 };
    entry.piece.issued_s = 1000 * DAY_S;
    entry.piece.next_update_s = 1030 * DAY_S;
    CHECK_NUMBER(collateral_refresh_s(&entry, COLLATERAL_TCB_INFO), 1001 * DAY_S);
    entry.max_age_s = 60; /* nobody is asked more often than once an hour */
    CHECK_NUMBER(collateral_refresh_s(&entry, COLLATERAL_TCB_INFO), 1000 * DAY_S + 3600);
    entry.max_age_s = 7200;
    CHECK_NUMBER(collateral_refresh_s(&entry, COLLATERAL_TCB_INFO), 1000 * DAY_S + 7200);
    entry.max_age_s = 30 * DAY_S;
    CHECK_NUMBER(collateral_refresh_s(&entry, COLLATERAL_TCB_INFO), 1001 * DAY_S);
    entry.max_age_s = -1;
    CHECK_NUMBER(collateral_refresh_s(&entry, COLLATERAL_VEK), 1023 * DAY_S); /* a week before */
    entry.piece.next_update_s = 1000 * DAY_S + 8 * 3600;
    CHECK_NUMBER(collateral_refresh_s(&entry, COLLATERAL_CRL), 1000 * DAY_S + 6 * 3600);
    entry.piece.next_update_s = 1000 * DAY_S - 1; /* served past its end: not all the time */
    CHECK_NUMBER(collateral_refresh_s(&entry, COLLATERAL_CRL), 1000 * DAY_S + 3600);
}

static void follows_cache_control(void)
{
    static const struct {
        const char *value;
        int64_t age_s; /* after which it is asked for again */
    } rows[] = { { "max-age=7200", 7200 },   { "public, max-age=7200", 7200 },
                 { "max-age=0", 3600 },      { "no-store", DAY_S },
                 { "s-maxage=7200", DAY_S }, { "max-age=999999999999999999999", DAY_S } };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct test_service service;
        struct error error = { 0 };
        AUTO_COLLATERAL struct collateral collateral;
        collateral_init(&collateral);
        service_init(&service, TDX_NOW_S, service_folder());
        service_add_intel(&service);
        service.answers[0].other_field = "cache-control";
        service.answers[0].other_value = rows[i].value;
        REQUIRE(service_gather(&collateral, &service, service_quote(), &error));
        service.now_s += rows[i].age_s - 1;
        REQUIRE(service_gather(&collateral, &service, service_quote(), &error));
        CHECK_NOTE(service.answers[0].ask_count == 1, "%s", rows[i].value);
        service.now_s += 1;
        REQUIRE(service_gather(&collateral, &service, service_quote(), &error));
        CHECK_NOTE(service.answers[0].ask_count == 2, "%s", rows[i].value);
    }
}

static const struct test tests[] = {
    TEST(asks_once_a_day),
    TEST(keeps_files_to_itself),
    TEST(believes_no_file),
    TEST(goes_on_with_what_is_in_date),
    TEST(uses_what_is_stale_only_when_told),
    TEST(asks_again_before_the_end),
    TEST(follows_cache_control),
};
TEST_MAIN(tests)
