/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: the services as a struct of functions, with a clock of their own, that answer with
 * recorded collateral until a test spoils an answer. */
#ifndef COLLATERAL_TEST_SERVICE_H
#define COLLATERAL_TEST_SERVICE_H

#include "collateral/collateral.h"

enum {
    SERVICE_ANSWER_COUNT_MAX = 8,
    DAY_S = 86400,
    TDX_NOW_S = 1750420800 /* 2025-06-20T12:00:00Z: the day after the collateral was issued */
};

struct service_answer {
    const char *url; /* the beginning, behind the host */
    int status;
    struct bytes body;
    const char *field;  /* header with the issuer chain; NULL: none */
    struct bytes chain; /* PEM, percent-encoded when it is sent */
    const char *other_field, *other_value;
    uint64_t retry_after_s;
    enum error_code failure; /* of the connection */
    unsigned failure_count;  /* so many times; then it answers */
    unsigned ask_count;
};

struct test_service {
    struct clock clock; /* first: the service is found by it */
    int64_t now_s;
    uint64_t monotonic_ns;
    uint64_t paused_ms;
    struct service_answer answers[SERVICE_ANSWER_COUNT_MAX];
    size_t answer_count;
    unsigned ask_count;
    char url[FETCH_URL_SIZE_MAX]; /* the last */
    struct collateral_options options;
};

/* Empty, at that time; with a cache in `folder` unless NULL. */
void service_init(struct test_service *service, int64_t now_s, const char *folder);
struct service_answer *service_add(struct test_service *service, const char *url, struct bytes body,
                                   const char *field, struct bytes chain);
/* Intel's five answers for the TDX quote of tests/data/attest, and AMD's three for a Milan report.
 */
void service_add_intel(struct test_service *service);
void service_add_amd(struct test_service *service);
/* The quote that service_add_intel is for. */
struct bytes service_quote(void);
/* A new cache each time. */
const char *service_folder(void);
/* Anew, with nothing given. */
bool service_gather(struct collateral *collateral, const struct test_service *service,
                    struct bytes evidence, struct error *error);
bool service_judge(struct attest_verdict *verdict, const struct collateral *collateral,
                   struct bytes evidence, int64_t now_s);

#endif
