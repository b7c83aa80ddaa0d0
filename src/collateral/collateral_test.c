/* SPDX-License-Identifier: Apache-2.0 */
/* What the cache and the rules of the services promise, against services that answer with recorded
 * collateral. */
#include "attest/eat/cmw.h"
#include "attest/policy/policy.h"
#include "base/file.h"
#include "collateral/test_service.h"
#include "core/time.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bytes snp_report(void)
{
    return test_file("tests/data/attest/snp/reports/milan_v2_coco.bin");
}

static void makes_tdx_evidence_whole(void)
{
    struct test_service service;
    struct error error = { 0 };
    struct attest_verdict verdict;
    AUTO_COLLATERAL struct collateral collateral;
    collateral_init(&collateral);
    service_init(&service, TDX_NOW_S, service_folder());
    service_add_intel(&service);
    CHECK_NOTE(service_gather(&collateral, &service, service_quote(), &error), "%s", error.text);
    CHECK_NUMBER(service.ask_count, 4);
    CHECK(service_judge(&verdict, &collateral, service_quote(), TDX_NOW_S));
    CHECK_NUMBER(verdict.claims.intel.tcb_status, INTEL_TCB_UP_TO_DATE);
    for (size_t i = 0; i < collateral.count; i++) {
        CHECK_NUMBER(collateral.items[i].state, COLLATERAL_FETCHED);
        CHECK(strncmp(collateral.items[i].url, "https://", 8) == 0);
    }
    int64_t issued_s, next_update_s;
    CHECK(collateral_ages(&collateral, &issued_s, &next_update_s));
    CHECK(issued_s < TDX_NOW_S && next_update_s > TDX_NOW_S);
    CHECK(collateral_due_s(&collateral) == TDX_NOW_S + DAY_S);
}

static void makes_snp_evidence_whole(void)
{
    struct test_service service;
    struct error error = { 0 };
    struct attest_verdict verdict;
    AUTO_COLLATERAL struct collateral collateral;
    collateral_init(&collateral);
    int64_t now_s = 1751371200; /* 2025-07-01T12:00:00Z */
    service_init(&service, now_s, service_folder());
    service_add_amd(&service);
    CHECK_NOTE(service_gather(&collateral, &service, snp_report(), &error), "%s", error.text);
    CHECK(service_judge(&verdict, &collateral, snp_report(), now_s));
    CHECK(verdict.claims.snp.has_crl);
    CHECK_NUMBER(service.ask_count, 3);
}

static void asks_for_the_key_of_this_chip(void)
{
    static const struct {
        const char *report;
        const char *url;
    } rows[] = {
        { "reports/milan_v2_coco.bin",
          "https://kdsintf.amd.com/vcek/v1/Milan/"
          "c38427a30d4c7af9d96f7a15b97269825a64cb76a2352ffd5d18115d89ad473f8e8c0bcd9a5d9286612bad4a"
          "adfb"
          "4426205a3b9e4fea82301135a170e477524e?blSPL=03&teeSPL=00&snpSPL=08&ucodeSPL=115" },
        { "reports/genoa_v5_cdai.bin", "https://kdsintf.amd.com/vcek/v1/Genoa/" },
        { "reports/turin_v5_microsoft.bin", "https://kdsintf.amd.com/vcek/v1/Turin/" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char path[128];
        static struct collateral_wishes wishes;
        struct error error = { 0 };
        struct attest_collateral given = { 0 };
        struct collateral_places places = { 0 };
        snprintf(path, sizeof(path), "tests/data/attest/snp/%s", rows[i].report);
        REQUIRE(collateral_wishes_of(&wishes, test_file(path), &given, &places, SNP_PRODUCT_NONE,
                                     &error));
        CHECK_NUMBER(wishes.count, 3);
        CHECK_NUMBER(wishes.items[0].part, COLLATERAL_VEK);
        CHECK_NOTE(strncmp(wishes.items[0].url, rows[i].url, strlen(rows[i].url)) == 0, "%s",
                   wishes.items[0].url);
        bool is_turin = wishes.items[0].product == SNP_PRODUCT_TURIN;
        CHECK((strstr(wishes.items[0].url, "fmcSPL=") != NULL) == is_turin);
        CHECK_NUMBER(wishes.items[0].hwid_size, is_turin ? 8 : 64);
    }
}

/* Recorded keys of each line are what was asked for, and hold; another chip's is refused. */
static void takes_the_key_of_this_chip(void)
{
    static const struct {
        const char *report, *vek, *ask;
        const char *url;
        int64_t now_s;
    } rows[] = {
        { "reports/milan_v3_microsoft.bin", "certs/vcek_microsoft_milan.der", "certs/milan_ask.der",
          "/vcek/v1/Milan/", 1772841600 },
        { "reports/genoa_v5_cdai.bin", "certs/vcek_cdai_genoa.der", "certs/genoa_ask.der",
          "/vcek/v1/Genoa/", 1773878400 },
        { "reports/turin_v5_microsoft.bin", "certs/vcek_microsoft_turin.der", "certs/turin_ask.der",
          "/vcek/v1/Turin/", 1772323200 },
    };
    for (size_t i = 0; i < 2 * ARRAY_COUNT(rows); i++) {
        struct test_service service;
        struct error error = { 0 };
        struct attest_verdict verdict;
        size_t report_index = i % ARRAY_COUNT(rows);
        size_t key_index = i < ARRAY_COUNT(rows) ? i : (i + 1) % ARRAY_COUNT(rows);
        char chain[64], path[3][128];
        AUTO_COLLATERAL struct collateral collateral;
        collateral_init(&collateral);
        snprintf(chain, sizeof(chain), "%scert_chain", rows[report_index].url);
        snprintf(path[0], sizeof(path[0]), "tests/data/attest/snp/%s", rows[report_index].report);
        snprintf(path[1], sizeof(path[1]), "tests/data/attest/snp/%s", rows[key_index].vek);
        snprintf(path[2], sizeof(path[2]), "tests/data/attest/snp/%s", rows[report_index].ask);
        service_init(&service, rows[report_index].now_s, NULL);
        service_add(&service, chain, test_file(path[2]), NULL, (struct bytes){ 0 });
        service_add(&service, rows[report_index].url, test_file(path[1]), NULL,
                    (struct bytes){ 0 });
        CHECK(!service_gather(&collateral, &service, test_file(path[0]), &error)); /* no list */
        CHECK_NUMBER(collateral.items[0].part, COLLATERAL_VEK);
        CHECK_NUMBER(collateral.items[0].state,
                     report_index == key_index ? COLLATERAL_FETCHED : COLLATERAL_MISSING);
        CHECK(service_judge(&verdict, &collateral, test_file(path[0]), rows[report_index].now_s) ==
              (report_index == key_index));
    }
}

static void knows_the_subject(void)
{
    struct digest32 first, second;
    struct error error = { 0 };
    uint8_t copy[16384];
    struct bytes quote = service_quote(), report = snp_report();
    REQUIRE(collateral_subject_of(&first, quote, &error));
    memcpy(copy, quote.data, quote.size);
    copy[48 + 520] ^= 1; /* report data */
    REQUIRE(collateral_subject_of(&second, bytes_of(copy, quote.size), &error));
    CHECK(digest32_equal(&first, &second));
    struct bytes other = test_file("tests/data/attest/tdx_v4_near_20a06f.bin");
    REQUIRE(collateral_subject_of(&second, other, &error));
    CHECK(!digest32_equal(&first, &second));
    REQUIRE(collateral_subject_of(&first, report, &error));
    memcpy(copy, report.data, report.size);
    copy[0x50] ^= 1; /* report data */
    REQUIRE(collateral_subject_of(&second, bytes_of(copy, report.size), &error));
    CHECK(digest32_equal(&first, &second));
    copy[0x187] ^= 1; /* the reported TCB's microcode */
    REQUIRE(collateral_subject_of(&second, bytes_of(copy, report.size), &error));
    CHECK(!digest32_equal(&first, &second));
    CHECK(!collateral_subject_of(&second, BYTES_LITERAL("x"), &error));
}

/* A report of version 2 says neither Milan nor Genoa. */
static void tries_the_other_product(void)
{
    struct test_service service;
    struct error error = { 0 };
    AUTO_COLLATERAL struct collateral collateral;
    collateral_init(&collateral);
    service_init(&service, TDX_NOW_S, NULL);
    CHECK(!service_gather(&collateral, &service, snp_report(), &error));
    CHECK_NUMBER(error.code, ERROR_NOT_FOUND);
    CHECK_NOTE(strstr(service.url, "/Genoa/") != NULL, "%s", service.url);
    CHECK_NUMBER(service.ask_count, 4); /* Milan's key; Genoa's key, chain and list */
}

static void says_what_no_service_has(void)
{
    static struct collateral_wishes wishes;
    struct error error = { 0 };
    struct attest_collateral given = { 0 };
    struct collateral_places places = { 0 };
    struct bytes report = test_file("tests/data/attest/snp/reports/milan_v3_vlek_coco_aws.bin");
    CHECK(!collateral_wishes_of(&wishes, report, &given, &places, SNP_PRODUCT_NONE, &error));
    CHECK_NUMBER(error.code, ERROR_NOT_FOUND);
    given.vek = test_file("tests/data/attest/snp/certs/vlek_coco_aws.der");
    REQUIRE(collateral_wishes_of(&wishes, report, &given, &places, SNP_PRODUCT_NONE, &error));
    CHECK_NUMBER(wishes.count, 2);
    CHECK_STRING(wishes.items[0].url, "https://kdsintf.amd.com/vlek/v1/Milan/cert_chain");
    CHECK_STRING(wishes.items[1].url, "https://kdsintf.amd.com/vlek/v1/Milan/crl");
    struct bytes document = test_file("tests/data/attest/nitro/docs/dstack_attest.cbor");
    REQUIRE(collateral_wishes_of(&wishes, document, &given, &places, SNP_PRODUCT_NONE, &error));
    CHECK_NUMBER(wishes.count, 0);
    /* A chain in one file has all but the list. */
    given = (struct attest_collateral){ 0 };
    given.vek = test_file("tests/data/attest/snp/certs/chain_yaxi_genoa.pem");
    report = test_file("tests/data/attest/snp/reports/genoa_v5_yaxi.bin");
    REQUIRE(collateral_wishes_of(&wishes, report, &given, &places, SNP_PRODUCT_NONE, &error));
    CHECK(wishes.count == 1 && wishes.items[0].part == COLLATERAL_CRL);
    CHECK(!collateral_wishes_of(&wishes, BYTES_LITERAL("x"), &given, &places, SNP_PRODUCT_NONE,
                                &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
}

static void follows_the_places(void)
{
    static struct collateral_wishes wishes;
    struct error error = { 0 };
    struct attest_collateral given = { 0 };
    struct collateral_places places = { .intel_url = "http://localhost:8081", .update = "early" };
    REQUIRE(
        collateral_wishes_of(&wishes, service_quote(), &given, &places, SNP_PRODUCT_NONE, &error));
    CHECK_NUMBER(wishes.count, 4);
    CHECK_STRING(wishes.items[0].url, "http://localhost:8081/tdx/certification/v4/"
                                      "tcb?fmspc=b0c06f000000&update=early");
    CHECK_STRING(wishes.items[1].url,
                 "http://localhost:8081/tdx/certification/v4/qe/identity?update=early");
    CHECK_STRING(wishes.items[2].url,
                 "http://localhost:8081/sgx/certification/v4/pckcrl?ca=platform&encoding=der");
    CHECK_STRING(wishes.items[3].url, "http://localhost:8081/sgx/certification/v4/rootcacrl");
    struct bytes sgx = test_file("tests/data/attest/sgx_v3_phala_00a067.bin");
    places = (struct collateral_places){ 0 };
    given.root_crl = BYTES_LITERAL("there");
    REQUIRE(collateral_wishes_of(&wishes, sgx, &given, &places, SNP_PRODUCT_NONE, &error));
    CHECK_NUMBER(wishes.count, 3);
    CHECK_STRING(
        wishes.items[0].url,
        "https://api.trustedservices.intel.com/sgx/certification/v4/tcb?fmspc=00a067110000");
    CHECK_STRING(wishes.items[2].url, "https://api.trustedservices.intel.com/sgx/certification/v4/"
                                      "pckcrl?ca=processor&encoding=der");
}

/* Quotes that name their certificate by an encrypted PPID: first the certificate, then the rest. */
static void asks_for_a_named_certificate_first(void)
{
    static struct collateral_wishes wishes;
    struct error error = { 0 };
    struct attest_collateral given = { 0 };
    struct collateral_places places = { 0 };
    struct bytes quote = test_file("tests/data/attest/sgx_v3_oasis_eppid.bin");
    REQUIRE(collateral_wishes_of(&wishes, quote, &given, &places, SNP_PRODUCT_NONE, &error));
    CHECK_NUMBER(wishes.count, 1);
    CHECK(wishes.is_partial);
    CHECK(strstr(wishes.items[0].url, "/sgx/certification/v4/pckcert?encrypted_ppid=") != NULL);
    CHECK(strstr(wishes.items[0].url, "&cpusvn=") != NULL);
    struct test_service service;
    service_init(&service, TDX_NOW_S, NULL);
    struct bytes pem = test_file("tests/data/attest/sample_pck_full_chain.pem");
    size_t leaf = 0;
    while (leaf < pem.size && memcmp(pem.data + leaf, "-----END CERTIFICATE-----", 25) != 0)
        leaf++;
    leaf += 26;
    service_add(&service, "/sgx/certification/v4/pckcert?", bytes_part(pem, 0, leaf),
                "sgx-pck-certificate-issuer-chain", bytes_part(pem, leaf, SIZE_MAX));
    AUTO_COLLATERAL struct collateral collateral;
    collateral_init(&collateral);
    CHECK(!service_gather(&collateral, &service, quote, &error)); /* what follows is not there */
    CHECK_NUMBER(collateral.count, 5);
    CHECK_NUMBER(collateral.items[0].state, COLLATERAL_FETCHED);
    CHECK(strstr(collateral.items[1].url, "/sgx/certification/v4/tcb?fmspc=") != NULL);
}

/* --- what services do --- */

struct trouble {
    const char *name;
    int status;
    enum error_code failure;
    unsigned count; /* 0: always */
    uint64_t retry_after_s;
    enum error_code expected;
    unsigned asked; /* times, for the first piece */
    uint64_t paused_ms;
};

static void keeps_the_rules_of_services(void)
{
    static const struct trouble rows[] = {
        { "no connection, twice", 0, ERROR_UNAVAILABLE, 2, 0, ERROR_NONE, 3, 1500 },
        { "no connection", 0, ERROR_UNAVAILABLE, UINT32_MAX, 0, ERROR_UNAVAILABLE, 3, 1500 },
        { "timeouts", 0, ERROR_TIMEOUT, UINT32_MAX, 0, ERROR_TIMEOUT, 3, 1500 },
        { "too large", 0, ERROR_LIMIT, UINT32_MAX, 0, ERROR_LIMIT, 1, 0 },
        { "a certificate of nobody's", 0, ERROR_UNVERIFIED, UINT32_MAX, 0, ERROR_UNVERIFIED, 1, 0 },
        { "not there", 404, ERROR_NONE, 0, 0, ERROR_NOT_FOUND, 1, 0 },
        { "gone", 410, ERROR_NONE, 0, 0, ERROR_NOT_FOUND, 1, 0 },
        { "no key", 401, ERROR_NONE, 0, 0, ERROR_DENIED, 1, 0 },
        { "a redirect", 302, ERROR_NONE, 0, 0, ERROR_UNAVAILABLE, 1, 0 },
        { "a bad request", 400, ERROR_NONE, 0, 0, ERROR_UNAVAILABLE, 1, 0 },
        { "broken, once", 500, ERROR_NONE, 1, 0, ERROR_NONE, 2, 500 },
        { "broken", 503, ERROR_NONE, 0, 0, ERROR_UNAVAILABLE, 3, 1500 },
        { "too often, once", 429, ERROR_NONE, 1, 7, ERROR_NONE, 2, 7000 },
        { "too often", 429, ERROR_NONE, 0, 7, ERROR_BUSY, 3, 14000 },
        { "far too often", 429, ERROR_NONE, 0, 600, ERROR_BUSY, 1, 0 },
        { "under repair", 503, ERROR_NONE, 0, 3600, ERROR_BUSY, 1, 0 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct test_service service;
        struct error error = { 0 };
        AUTO_COLLATERAL struct collateral collateral;
        collateral_init(&collateral);
        service_init(&service, TDX_NOW_S, NULL);
        service_add_intel(&service);
        struct service_answer *answer = &service.answers[0];
        answer->status = rows[i].status == 0 ? 200 : rows[i].status;
        answer->failure = rows[i].failure;
        answer->failure_count = rows[i].count;
        answer->retry_after_s = rows[i].retry_after_s;
        bool done = service_gather(&collateral, &service, service_quote(), &error);
        CHECK_NOTE(done == (rows[i].expected == ERROR_NONE), "%s: %s", rows[i].name, error.text);
        CHECK_NOTE(done || error.code == rows[i].expected, "%s: %s, %s", rows[i].name,
                   error_name(error.code), error.text);
        CHECK_NOTE(answer->ask_count == rows[i].asked, "%s: %u", rows[i].name, answer->ask_count);
        CHECK_NOTE(service.paused_ms == rows[i].paused_ms, "%s: %llu ms", rows[i].name,
                   (unsigned long long)service.paused_ms);
        CHECK_NOTE(done || strstr(error.text, "tcb-info from https://") != NULL, "%s: %s",
                   rows[i].name, error.text);
        CHECK_NUMBER(collateral.count, 4); /* what there is, is had all the same */
        CHECK_NUMBER(collateral.items[3].state, COLLATERAL_FETCHED);
    }
}

static void does_not_ask_who_asked_to_wait(void)
{
    struct test_service service;
    struct error error = { 0 };
    AUTO_COLLATERAL struct collateral collateral;
    collateral_init(&collateral);
    service_init(&service, TDX_NOW_S, service_folder());
    service_add_intel(&service);
    service.answers[0].status = 429;
    service.answers[0].retry_after_s = 1800;
    CHECK(!service_gather(&collateral, &service, service_quote(), &error));
    CHECK_NUMBER(error.code, ERROR_BUSY);
    CHECK_NUMBER(collateral.refused_until_s, service.now_s + 1800);
    CHECK_NUMBER(service.answers[1].ask_count, 0); /* of the same service */
    CHECK_NUMBER(service.answers[3].ask_count, 1); /* of another one */
    unsigned before = service.ask_count;
    service.now_s += 1799;
    CHECK(!service_gather(&collateral, &service, service_quote(), &error));
    CHECK_NUMBER(service.ask_count, before);
    CHECK_NOTE(strstr(error.text, "asked not to be asked before") != NULL, "%s", error.text);
    service.now_s += 1;
    service.answers[0].status = 200;
    CHECK_NOTE(service_gather(&collateral, &service, service_quote(), &error), "%s", error.text);
}

static void stays_within_its_time(void)
{
    struct test_service service;
    struct error error = { 0 };
    AUTO_COLLATERAL struct collateral collateral;
    collateral_init(&collateral);
    service_init(&service, TDX_NOW_S, NULL);
    service_add_intel(&service);
    for (size_t i = 0; i < service.answer_count; i++) {
        service.answers[i].failure = ERROR_TIMEOUT; /* a second each */
        service.answers[i].failure_count = UINT32_MAX;
    }
    service.options.timeout_ms = 2000;
    CHECK(!service_gather(&collateral, &service, service_quote(), &error));
    CHECK_NUMBER(error.code, ERROR_TIMEOUT);
    CHECK(service.monotonic_ns <= UINT64_C(1000000000) + UINT64_C(3000000000));
}

/* Answers that are not what was asked for are neither used nor kept. */
static void keeps_nothing_else(void)
{
    static const struct {
        const char *name;
        size_t index;
        const char *body; /* file, or NULL: `text` */
        const char *text;
        bool loses_chain;
        const char *chain;
    } rows[] = {
        { "garbage", 0, NULL, "<html>maintenance</html>", false, NULL },
        { "nothing", 0, NULL, "", false, NULL },
        { "another family", 0, "tcb_info_90c06f_20260218.json", NULL, false, NULL },
        { "SGX instead of TDX", 0, "sgx_tcb_info_00a067_20250619.json", NULL, false, NULL },
        { "an identity", 0, "td_qe_identity_b0c06f_20250619.json", NULL, false, NULL },
        { "no chain", 0, "tcb_info_b0c06f_20250619.json", NULL, true, NULL },
        { "a chain that is none", 0, "tcb_info_b0c06f_20250619.json", NULL, false, "none" },
        { "SGX's enclave", 1, "sgx_qe_identity_20250619.json", NULL, false, NULL },
        { "a list that is none", 2, NULL, "deadbeef", false, NULL },
        { "JSON for a list", 3, "tcb_info_b0c06f_20250619.json", NULL, false, NULL },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct test_service service;
        struct error error = { 0 };
        char path[128];
        AUTO_COLLATERAL struct collateral collateral;
        collateral_init(&collateral);
        service_init(&service, TDX_NOW_S, service_folder());
        service_add_intel(&service);
        struct service_answer *answer = &service.answers[rows[i].index];
        snprintf(path, sizeof(path), "tests/data/attest/intel/%s",
                 rows[i].body == NULL ? "" : rows[i].body);
        answer->body = rows[i].body == NULL ? bytes_of_string(rows[i].text) : test_file(path);
        if (rows[i].loses_chain)
            answer->field = NULL;
        if (rows[i].chain != NULL)
            answer->chain = bytes_of_string(rows[i].chain);
        CHECK_NOTE(!service_gather(&collateral, &service, service_quote(), &error), "%s",
                   rows[i].name);
        CHECK_NOTE(error.code == ERROR_INVALID, "%s: %s", rows[i].name, error.text);
        CHECK_NOTE(strstr(error.text, "not what was asked for") != NULL, "%s: %s", rows[i].name,
                   error.text);
        CHECK_NUMBER(collateral.items[rows[i].index].state, COLLATERAL_MISSING);
        CHECK_NUMBER(answer->ask_count, 1);
        (void)!service_gather(&collateral, &service, service_quote(), &error);
        CHECK_NUMBER(answer->ask_count, 2); /* nothing was kept */
    }
}

static void takes_lists_in_every_form(void)
{
    static char digits[8192];
    struct test_service service;
    struct error error = { 0 };
    AUTO_COLLATERAL struct collateral collateral;
    collateral_init(&collateral);
    service_init(&service, TDX_NOW_S, NULL);
    service_add_intel(&service);
    struct bytes der = service.answers[3].body;
    for (size_t i = 0; i < der.size; i++)
        snprintf(digits + 2 * i, 3, "%02X", der.data[i]);
    service.answers[3].url = "/sgx/certification/v4/rootcacrl";
    service.answers[3].body = bytes_of_string(digits);
    service.options.places.intel_url = "https://127.0.0.1:8081";
    CHECK_NOTE(service_gather(&collateral, &service, service_quote(), &error), "%s", error.text);
    CHECK_BYTES(buffer_view(&collateral.items[3].entry.piece.body), der);
}

/* Every cut of an answer, and its bytes changed: kept or not, never valid. */
static void survives_damage(void)
{
    uint64_t state = 7;
    for (unsigned round = 0; round < 400; round++) {
        struct test_service service;
        struct error error = { 0 };
        struct attest_verdict verdict;
        static uint8_t copy[1 << 16];
        AUTO_COLLATERAL struct collateral collateral;
        collateral_init(&collateral);
        service_init(&service, TDX_NOW_S, NULL);
        service_add_intel(&service);
        struct service_answer *answer = &service.answers[round % 4];
        memcpy(copy, answer->body.data, answer->body.size);
        if (round < 200)
            answer->body.size = test_random(&state) % answer->body.size;
        else
            copy[test_random(&state) % answer->body.size] ^=
                (uint8_t)(1 + test_random(&state) % 255);
        answer->body.data = copy;
        if (service_gather(&collateral, &service, service_quote(), &error))
            CHECK_NOTE(!service_judge(&verdict, &collateral, service_quote(), TDX_NOW_S),
                       "round %u", round);
    }
}

/* --- wrappers --- */

static void wraps_evidence_with_it(void)
{
    struct test_service service;
    struct error error = { 0 };
    struct attest_verdict verdict;
    struct cmw cmw;
    AUTO_BUFFER struct buffer wrapped, again;
    AUTO_COLLATERAL struct collateral collateral;
    collateral_init(&collateral);
    buffer_init(&wrapped, 1 << 20);
    buffer_init(&again, 1 << 20);
    service_init(&service, TDX_NOW_S, NULL);
    service_add_intel(&service);
    REQUIRE(service_gather(&collateral, &service, service_quote(), &error));
    REQUIRE(collateral_wrap(&wrapped, service_quote(), &collateral, &error));
    REQUIRE(collateral_wrap(&again, buffer_view(&wrapped), &collateral, &error));
    CHECK_BYTES(buffer_view(&wrapped), buffer_view(&again));
    struct attest_options options = { .now_s = TDX_NOW_S };
    struct bytes evidence;
    AUTO_FREE uint8_t *space = malloc(wrapped.size);
    REQUIRE(cmw_read(&cmw, buffer_view(&wrapped), space, wrapped.size, &error));
    REQUIRE(cmw_to_evidence(&cmw, &evidence, &options.collateral, &error));
    CHECK_BYTES(evidence, service_quote());
    CHECK(attest_verify(&verdict, evidence, &options, &error));
    CHECK_NUMBER(verdict.claims.intel.tcb_status, INTEL_TCB_UP_TO_DATE);
    again.size_max = 100;
    buffer_clear(&again);
    CHECK(!collateral_wrap(&again, service_quote(), &collateral, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
}

/* What a node does with what it was handed, and a receipt's bundle. */
static void adds_parts_to_evidence(void)
{
    struct test_service service;
    struct error error = { 0 };
    struct attest_verdict verdict;
    struct attest_collateral parts = { 0 };
    struct cmw cmw;
    int64_t now_s = 1751371200; /* 2025-07-01T12:00:00Z */
    AUTO_BUFFER struct buffer evidence;
    AUTO_COLLATERAL struct collateral collateral;
    collateral_init(&collateral);
    buffer_init(&evidence, 1 << 20);
    buffer_append(&evidence, snp_report());
    service_init(&service, now_s, NULL);
    service_add_amd(&service);
    REQUIRE(service_gather(&collateral, &service, snp_report(), &error));
    collateral_apply(&collateral, &parts);
    for (unsigned i = 0; i < 2; i++) { /* the second time there is nothing to add */
        struct attest_options options = { .now_s = now_s };
        struct bytes inner;
        REQUIRE(collateral_add(&evidence, &parts, &error));
        AUTO_FREE uint8_t *space = malloc(evidence.size);
        REQUIRE(cmw_read(&cmw, buffer_view(&evidence), space, evidence.size, &error));
        REQUIRE(cmw_to_evidence(&cmw, &inner, &options.collateral, &error));
        CHECK_BYTES(inner, snp_report());
        CHECK_NOTE(attest_verify(&verdict, inner, &options, &error), "%s", error.text);
        CHECK(verdict.claims.snp.has_crl);
    }
    collateral_drop_stale(&parts, now_s);
    CHECK(parts.crl.size > 0);
    collateral_drop_stale(&parts, now_s + 3 * 365 * (int64_t)DAY_S);
    CHECK(parts.crl.size == 0 && parts.vek.size > 0);
}

/* Evidence that carries what is past its date by now: it is renewed; what can't be stays. */
static void renews_what_evidence_carries(void)
{
    struct test_service service;
    struct error error = { 0 };
    struct attest_verdict verdict;
    struct attest_collateral old = { 0 };
    AUTO_BUFFER struct buffer evidence;
    AUTO_COLLATERAL struct collateral collateral;
    collateral_init(&collateral);
    buffer_init(&evidence, 1 << 20);
    buffer_append(&evidence, service_quote());
    old.tcb_info = test_file("tests/data/attest/intel/tcb_info_50806f_20230618.json");
    old.tcb_chain = test_file("tests/data/attest/intel/tcb_signing_chain_2018.pem");
    old.root_crl = test_file("tests/data/attest/intel/root_ca_crl_20230403.der");
    REQUIRE(collateral_add(&evidence, &old, &error));
    service_init(&service, TDX_NOW_S, NULL);
    service_add_intel(&service);
    CHECK_NOTE(collateral_complete(&collateral, &evidence, &service.options, &error), "%s",
               error.text);
    CHECK_NUMBER(service.ask_count, 4);
    for (unsigned i = 0; i < 2; i++) { /* with and without services it holds from then on */
        struct attest_options options = { .now_s = TDX_NOW_S };
        struct cmw cmw;
        struct bytes inner;
        AUTO_FREE uint8_t *space = malloc(evidence.size);
        REQUIRE(cmw_read(&cmw, buffer_view(&evidence), space, evidence.size, &error));
        REQUIRE(cmw_to_evidence(&cmw, &inner, &options.collateral, &error));
        CHECK_NOTE(attest_verify(&verdict, inner, &options, &error), "%s", error.text);
        CHECK_NUMBER(verdict.claims.intel.tcb_status, INTEL_TCB_UP_TO_DATE);
        service.answer_count = 0;
        collateral_done(&collateral);
        CHECK(collateral_complete(&collateral, &evidence, &service.options, &error));
        CHECK_NUMBER(service.ask_count, 4);
    }
    service.now_s += 400 * (int64_t)DAY_S;
    CHECK(!collateral_complete(&collateral, &evidence, &service.options, &error));
    CHECK_NUMBER(error.code, ERROR_NOT_FOUND);
    struct attest_options options = { .now_s = TDX_NOW_S };
    struct cmw cmw;
    struct bytes inner;
    AUTO_FREE uint8_t *space = malloc(evidence.size);
    REQUIRE(cmw_read(&cmw, buffer_view(&evidence), space, evidence.size, &error));
    REQUIRE(cmw_to_evidence(&cmw, &inner, &options.collateral, &error));
    CHECK(attest_verify(&verdict, inner, &options, &error));
}

static const struct test tests[] = {
    TEST(makes_tdx_evidence_whole),
    TEST(makes_snp_evidence_whole),
    TEST(asks_for_the_key_of_this_chip),
    TEST(takes_the_key_of_this_chip),
    TEST(knows_the_subject),
    TEST(tries_the_other_product),
    TEST(says_what_no_service_has),
    TEST(follows_the_places),
    TEST(asks_for_a_named_certificate_first),
    TEST(keeps_the_rules_of_services),
    TEST(does_not_ask_who_asked_to_wait),
    TEST(stays_within_its_time),
    TEST(keeps_nothing_else),
    TEST(takes_lists_in_every_form),
    TEST(survives_damage),
    TEST(wraps_evidence_with_it),
    TEST(adds_parts_to_evidence),
    TEST(renews_what_evidence_carries),
};
TEST_MAIN(tests)
