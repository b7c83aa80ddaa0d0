/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/limiter.h"

#include "crypto/crypto.h"
#include "gateway/limits.h"
#include "tests/harness.h"

#include <stdio.h>

static struct limiter *limiter;
static uint64_t wait_ms;

static bool take(const char *name, const struct gateway_rate *rate, uint64_t now_ms)
{
    wait_ms = 0;
    return limiter_take(limiter, bytes_of_string(name), rate, now_ms, &wait_ms);
}

static void lets_bursts_and_rates_through(void)
{
    const struct gateway_rate rate = { 60, 3 }; /* one a second, three at once */
    struct error error;
    REQUIRE(limiter_new(&limiter, &error));
    uint64_t now = 1000000;
    for (int i = 0; i < 3; i++)
        CHECK(take("a", &rate, now));
    CHECK(!take("a", &rate, now));
    CHECK_NUMBER(wait_ms, 1000);
    CHECK(take("b", &rate, now)); /* others have their own */
    CHECK(!take("a", &rate, now + 400));
    CHECK_NUMBER(wait_ms, 600);
    CHECK(!take("a", &rate, now + 999));
    CHECK(take("a", &rate, now + 1000));
    CHECK(!take("a", &rate, now + 1000));
    /* what is refused costs nothing, and a bucket never has more than its burst */
    now += 1000000;
    for (int i = 0; i < 3; i++)
        CHECK(take("a", &rate, now));
    CHECK(!take("a", &rate, now));
    limiter_free(limiter);
}

static void keeps_slow_rates(void)
{
    const struct gateway_rate rate = { 1, 1 };
    struct error error;
    REQUIRE(limiter_new(&limiter, &error));
    CHECK(take("a", &rate, 5));
    CHECK(!take("a", &rate, 59999));
    CHECK_NUMBER(wait_ms, 6);
    CHECK(take("a", &rate, 60005));
    limiter_free(limiter);
}

static void keeps_the_rate_over_time(void)
{
    const struct gateway_rate rate = { 600, 10 };
    struct error error;
    unsigned passed = 0;
    REQUIRE(limiter_new(&limiter, &error));
    for (uint64_t now = 0; now < 60000; now += 7)
        passed += take("a", &rate, now);
    CHECK_NOTE(passed >= 605 && passed <= 610, "%u", passed);
    limiter_free(limiter);
}

/* Callers who come in great numbers cost no memory, and don't free the ones that are over. */
static void forgets_full_buckets_first(void)
{
    const struct gateway_rate rate = { 6000, 1 }, slow = { 1, 1 };
    char name[32];
    struct error error;
    REQUIRE(limiter_new(&limiter, &error));
    REQUIRE(take("slow", &slow, 0));
    for (unsigned i = 0; i < 4 * GATEWAY_BUCKET_COUNT_MAX; i++) {
        snprintf(name, sizeof(name), "caller %u", i);
        /* each is full again 10 ms later: 100 at once */
        CHECK(take(name, &rate, i / 10));
    }
    CHECK(!take("slow", &slow, 4 * GATEWAY_BUCKET_COUNT_MAX / 10));
    limiter_free(limiter);
}

static const struct test tests[] = {
    TEST(lets_bursts_and_rates_through),
    TEST(keeps_slow_rates),
    TEST(keeps_the_rate_over_time),
    TEST(forgets_full_buckets_first),
};
int main(int argc, char **argv)
{
    crypto_init();
    return test_main(tests, ARRAY_COUNT(tests), argc, argv);
}
