/* SPDX-License-Identifier: Apache-2.0 */
/* Verification with known collateral gives the verdicts of verification without, whatever came
 * before it and whatever the time is. */
#include "attest/intel/known.h"
#include "attest/intel/test_cases.h"
#include "attest/intel/test_world.h"
#include "tests/harness.h"

#include <stdio.h>

enum {
    TEXT_SIZE = 64 << 10
};

/* All of a verdict, steps and claims included. */
static struct bytes judge(char *space, struct bytes quote, const struct attest_options *options)
{
    static struct attest_verdict verdict;
    struct error error;
    struct writer writer = writer_into(space, TEXT_SIZE);
    struct json_writer json = json_writer_into(&writer);
    (void)!attest_verify(&verdict, quote, options, &error);
    json_write_object_begin(&json);
    attest_verdict_write(&json, &verdict);
    json_write_object_end(&json);
    CHECK(!writer.failed);
    return writer_view(&writer);
}

/* Compares both ways; `known` keeps what it learns. */
static void compare(struct intel_known *known, struct bytes quote, struct attest_options options,
                    const char *name)
{
    static char spaces[2][TEXT_SIZE];
    options.known = NULL;
    struct bytes plain = judge(spaces[0], quote, &options);
    options.known = known;
    for (int i = 0; i < 2; i++) {
        struct bytes again = judge(spaces[1], quote, &options);
        CHECK_NOTE(bytes_equal(plain, again), "%s: %.*s", name, (int)again.size,
                   (const char *)again.data);
    }
}

static void judges_every_case_the_same(void)
{
    AUTO_INTEL_KNOWN struct intel_known *known = intel_known_new();
    static struct test_case test_case;
    AUTO_JSON json_t *file = NULL;
    size_t count = test_cases_open(&file);
    CHECK(count > 100);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < count; i++) {
            REQUIRE(test_case_read(&test_case, file, i));
            compare(known, test_case.quote, test_case.options, test_case.name);
        }
    }
}

static void judges_every_time_anew(void)
{
    AUTO_INTEL_KNOWN struct intel_known *known = intel_known_new();
    AUTO_WORLD struct test_world world;
    world_init(&world);
    world_build(&world);
    for (int64_t day = -40000; day<40000; day += day> - 60 && day < 60 ? 1 : 97) {
        char name[32];
        snprintf(name, sizeof(name), "day %d", (int)day);
        world.options.now_s = WORLD_NOW_S + day * WORLD_DAY_S;
        compare(known, buffer_view(&world.quote), world.options, name);
    }
}

static enum attest_reason reason_of(struct test_world *world)
{
    struct attest_verdict verdict;
    struct error error;
    (void)!attest_verify(&verdict, buffer_view(&world->quote), &world->options, &error);
    return verdict.reason;
}

static struct known_piece *find(struct intel_known *known, enum known_kind kind,
                                const struct buffer *source)
{
    return intel_known_find(known, kind, buffer_view(source));
}

static void knows_each_piece_once_it_held(void)
{
    AUTO_INTEL_KNOWN struct intel_known *known = intel_known_new();
    AUTO_WORLD struct test_world world;
    world_init(&world);
    world_build(&world);
    world.options.known = known;
    for (int i = 0; i < 2; i++)
        CHECK(reason_of(&world) == ATTEST_REASON_NONE);
    const struct known_piece *chain =
        intel_known_find(known, KNOWN_TCB_CHAIN, world.options.collateral.tcb_chain);
    REQUIRE(chain != NULL);
    CHECK(chain->chain.certificates[0].is_signature_known);
    CHECK(!chain->chain.certificates[1].is_signature_known);
    const struct public_key *signer = &chain->chain.certificates[0].key;
    CHECK(known_piece_is_signed_by(find(known, KNOWN_TCB_INFO, &world.tcb_info.text), signer));
    CHECK(
        known_piece_is_signed_by(find(known, KNOWN_QE_IDENTITY, &world.qe_identity.text), signer));
    CHECK(known_piece_is_signed_by(find(known, KNOWN_CRL, &world.lists[0]), &world.anchor.key));
    CHECK(!known_piece_is_signed_by(find(known, KNOWN_CRL, &world.lists[1]), &world.anchor.key));
    CHECK(find(known, KNOWN_CRL, &world.lists[1]) != NULL);
    CHECK(find(known, KNOWN_TCB_INFO, &world.qe_identity.text) == NULL);
    const struct known_piece *pck = find(known, KNOWN_PCK_CHAIN, &world.pck_pem);
    REQUIRE(pck != NULL);
    CHECK(pck->has_pck && pck->chain.count == 3);
    CHECK(!known_piece_is_signed_by(NULL, signer));
}

static void remembers_nothing_that_did_not_hold(void)
{
    AUTO_INTEL_KNOWN struct intel_known *known = intel_known_new();
    AUTO_WORLD struct test_world world;
    world_init(&world);
    world.tcb_info.signer = world.stranger_key;
    world.root_crl_key = world.stranger_key;
    world_build(&world);
    world.options.known = known;
    CHECK(reason_of(&world) == ATTEST_REASON_PCK_CA_CRL_SIG_INVALID);
    CHECK(find(known, KNOWN_CRL, &world.lists[0]) == NULL);
    world.options.collateral.root_crl = (struct bytes){ 0 };
    CHECK(reason_of(&world) == ATTEST_REASON_TCB_INFO_SIG_INVALID);
    CHECK(find(known, KNOWN_TCB_INFO, &world.tcb_info.text) == NULL);
    world.ca_issuer_key = world.stranger_key;
    world_build(&world);
    CHECK(reason_of(&world) == ATTEST_REASON_PCK_CHAIN_INVALID);
    CHECK(find(known, KNOWN_PCK_CHAIN, &world.pck_pem) == NULL);
}

/* The same bytes below another key are not the same. */
static void judges_keys_and_roots_anew(void)
{
    AUTO_INTEL_KNOWN struct intel_known *known = intel_known_new();
    AUTO_WORLD struct test_world ours;
    AUTO_WORLD struct test_world theirs;
    world_init(&ours);
    world_build(&ours);
    world_init(&theirs);
    world_build(&theirs);
    for (int i = 0; i < 2; i++) {
        ours.options.known = theirs.options.known = known;
        CHECK(reason_of(&ours) == ATTEST_REASON_NONE);
        CHECK(reason_of(&theirs) == ATTEST_REASON_NONE);
        struct bytes *pieces[] = { &theirs.options.collateral.tcb_info,
                                   &theirs.options.collateral.qe_identity,
                                   &theirs.options.collateral.root_crl,
                                   &theirs.options.collateral.pck_crl,
                                   &theirs.options.collateral.tcb_chain };
        const struct bytes foreign[] = { ours.options.collateral.tcb_info,
                                         ours.options.collateral.qe_identity,
                                         ours.options.collateral.root_crl,
                                         ours.options.collateral.pck_crl,
                                         ours.options.collateral.tcb_chain };
        for (size_t p = 0; p < ARRAY_COUNT(pieces); p++) {
            struct bytes kept = *pieces[p];
            *pieces[p] = foreign[p];
            CHECK_NOTE(reason_of(&theirs) != ATTEST_REASON_NONE, "piece %zu", p);
            compare(known, buffer_view(&theirs.quote), theirs.options, "foreign piece");
            *pieces[p] = kept;
        }
        const struct x509_certificate *root = theirs.options.root;
        theirs.options.root = ours.options.root;
        CHECK(reason_of(&theirs) == ATTEST_REASON_ROOT_UNTRUSTED);
        theirs.options.root = NULL;
        CHECK(reason_of(&theirs) == ATTEST_REASON_ROOT_UNTRUSTED);
        theirs.options.root = root;
    }
}

/* What was used last stays; what leaves is read again. */
static void forgets_what_was_not_used(void)
{
    AUTO_INTEL_KNOWN struct intel_known *known = intel_known_new();
    AUTO_WORLD struct test_world world;
    world_init(&world);
    world_build(&world);
    world.options.known = known;
    CHECK(reason_of(&world) == ATTEST_REASON_NONE);
    struct bytes list = world.options.collateral.pck_crl;
    struct bytes source = buffer_view(&world.tcb_info.text);
    for (unsigned i = 0; i < 3 * INTEL_KNOWN_COUNT; i++) {
        uint8_t name[] = { (uint8_t)i, (uint8_t)(i >> 8) };
        intel_known_keep(known, KNOWN_CRL, BYTES_OF(name), list, NULL);
        CHECK(intel_known_find(known, KNOWN_CRL, BYTES_OF(name)) != NULL);
        CHECK(intel_known_find(known, KNOWN_TCB_INFO, source) != NULL);
    }
    CHECK(find(known, KNOWN_QE_IDENTITY, &world.qe_identity.text) == NULL);
    CHECK(reason_of(&world) == ATTEST_REASON_NONE);
    CHECK(find(known, KNOWN_QE_IDENTITY, &world.qe_identity.text) != NULL);
}

static const struct test tests[] = {
    TEST(judges_every_case_the_same),    TEST(judges_every_time_anew),
    TEST(knows_each_piece_once_it_held), TEST(remembers_nothing_that_did_not_hold),
    TEST(judges_keys_and_roots_anew),    TEST(forgets_what_was_not_used),
};
TEST_MAIN(tests)
