/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/amd/id_block.h"

#include "attest/amd/test_reports.h"
#include "core/hex.h"
#include "core/writer.h"
#include "crypto/fixture.h"
#include "tests/harness.h"

#include <string.h>

enum {
    KEY_SIZE = 0x404,
    ID_SIGNATURE = 0x40,
    ID_KEY = 0x240,
    AUTHOR_SIGNATURE = 0x680,
    AUTHOR_KEY = 0x880
};

static void agrees_with_the_vector(void)
{
    struct error error;
    struct snp_id_block block;
    char text[97];
    REQUIRE(snp_id_block_verify(&block, snp_file("id_block.bin"), snp_file("id_auth_block.bin"),
                                &error));
    CHECK(block.has_author_key);
    hex_encode(text, BYTES_OF(block.id_key_digest.bytes));
    CHECK_STRING(text, "59fb2c686dfa4fef49f38339aa775c90051c28d57383ddc3baf3b5eb4b1496df"
                       "3b0dbbdcbae5fe27677a644820773fe2");
    hex_encode(text, BYTES_OF(block.author_key_digest.bytes));
    CHECK_STRING(text, "eed81169fb0cb5e0ec34794f128fd4e0c4a46f67c65a1adfa81fcb24bcc088c2"
                       "72369b7ffc3eb2b6af6a4284a1b36c5f");
}

static void refuses_every_change_of_the_vector(void)
{
    struct error error;
    struct snp_id_block block;
    uint8_t id_block[SNP_ID_BLOCK_SIZE];
    uint8_t id_auth[SNP_ID_AUTH_SIZE];
    memcpy(id_block, snp_file("id_block.bin").data, sizeof(id_block));
    memcpy(id_auth, snp_file("id_auth_block.bin").data, sizeof(id_auth));
    for (size_t bit = 0; bit < 8 * sizeof(id_block); bit++) {
        id_block[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_NOTE(!snp_id_block_verify(&block, BYTES_OF(id_block), BYTES_OF(id_auth), &error),
                   "block bit %zu", bit);
        id_block[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t i = 0; i < sizeof(id_auth); i++) {
        static const uint8_t flips[] = { 0x01, 0x80, 0xff };
        for (size_t j = 0; j < ARRAY_COUNT(flips); j++) {
            id_auth[i] ^= flips[j];
            CHECK_NOTE(!snp_id_block_verify(&block, BYTES_OF(id_block), BYTES_OF(id_auth), &error),
                       "authentication byte %zu ^ %02x", i, flips[j]);
            id_auth[i] ^= flips[j];
        }
        CHECK(!snp_id_block_verify(&block, BYTES_OF(id_block), bytes_of(id_auth, i), &error));
    }
    for (size_t size = 0; size < sizeof(id_block); size++)
        CHECK(!snp_id_block_verify(&block, bytes_of(id_block, size), BYTES_OF(id_auth), &error));
}

struct scene {
    struct fixture_key *id_key;
    struct fixture_key *author_key;
    uint8_t id_block[SNP_ID_BLOCK_SIZE];
    uint8_t id_auth[SNP_ID_AUTH_SIZE];
};

static void scene_done(struct scene *scene)
{
    fixture_key_free(scene->id_key);
    fixture_key_free(scene->author_key);
}
#define AUTO_SCENE __attribute__((cleanup(scene_done)))

static void put_number(uint8_t *target, const uint8_t *big_endian)
{
    for (size_t i = 0; i < 48; i++)
        target[i] = big_endian[47 - i];
}

static void put_signature(uint8_t *target, const struct fixture_key *key, struct bytes message)
{
    struct ecdsa384_signature signature = fixture_sign384(key, message);
    put_number(target, signature.bytes);
    put_number(target + 72, signature.bytes + 48);
}

static void put_key(uint8_t *target, const struct fixture_key *key)
{
    struct public_key public;
    CHECK(public_key_view_spki(&public, fixture_key_spki(key)));
    target[0] = 2;
    put_number(target + 4, public.p384.bytes);
    put_number(target + 4 + 72, public.p384.bytes + 48);
}

/* Block and authentication for the launch that a report tells of. */
static void scene_init(struct scene *scene, struct snp_report *report, bool has_author)
{
    *scene = (struct scene){ .id_key = fixture_key_new(PUBLIC_KEY_P384, 0),
                             .author_key = fixture_key_new(PUBLIC_KEY_P384, 0) };
    *report = (struct snp_report){ .guest_svn = 7, .policy = 0x3001f, .key_info = has_author };
    memset(report->measurement, 1, sizeof(report->measurement));
    memset(report->family_id, 2, sizeof(report->family_id));
    memset(report->image_id, 3, sizeof(report->image_id));
    struct writer writer = writer_into(scene->id_block, sizeof(scene->id_block));
    write_bytes(&writer, BYTES_OF(report->measurement));
    write_bytes(&writer, BYTES_OF(report->family_id));
    write_bytes(&writer, BYTES_OF(report->image_id));
    write_u32_le(&writer, 1);
    write_u32_le(&writer, 7);
    write_u64_le(&writer, 0x3001f);
    uint8_t *auth = scene->id_auth;
    auth[0] = 1;
    put_signature(auth + ID_SIGNATURE, scene->id_key, BYTES_OF(scene->id_block));
    put_key(auth + ID_KEY, scene->id_key);
    struct digest48 digest = sha384_of(bytes_of(auth + ID_KEY, KEY_SIZE));
    memcpy(report->id_key_digest, digest.bytes, sizeof(digest.bytes));
    if (!has_author)
        return;
    auth[4] = 1;
    put_signature(auth + AUTHOR_SIGNATURE, scene->author_key, bytes_of(auth + ID_KEY, KEY_SIZE));
    put_key(auth + AUTHOR_KEY, scene->author_key);
    digest = sha384_of(bytes_of(auth + AUTHOR_KEY, KEY_SIZE));
    memcpy(report->author_key_digest, digest.bytes, sizeof(digest.bytes));
}

static bool verifies(const struct scene *scene, struct snp_id_block *block, struct error *error)
{
    return snp_id_block_verify(block, BYTES_OF(scene->id_block), BYTES_OF(scene->id_auth), error);
}

/* Signed all the same. */
static void knows_one_version(void)
{
    enum {
        VERSION_AT = 0x50
    };
    struct error error;
    struct snp_report report;
    struct snp_id_block block;
    AUTO_SCENE struct scene scene;
    scene_init(&scene, &report, false);
    CHECK_NUMBER(scene.id_block[VERSION_AT], 1);
    for (unsigned version = 0; version < 4; version++) {
        scene.id_block[VERSION_AT] = (uint8_t)version;
        put_signature(scene.id_auth + ID_SIGNATURE, scene.id_key, BYTES_OF(scene.id_block));
        CHECK_NOTE(verifies(&scene, &block, &error) == (version == 1), "version %u", version);
    }
}

static void works_with_and_without_an_author(void)
{
    for (unsigned has_author = 0; has_author < 2; has_author++) {
        struct error error;
        struct snp_report report;
        struct snp_id_block block;
        AUTO_SCENE struct scene scene;
        scene_init(&scene, &report, has_author == 1);
        CHECK_NOTE(verifies(&scene, &block, &error), "%s", error.text);
        CHECK(block.has_author_key == (has_author == 1));
        CHECK(snp_id_block_check(&block, &report, &error));
        scene.id_block[0] ^= 1;
        CHECK(!verifies(&scene, &block, &error));
        CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    }
    struct error error;
    struct snp_report report;
    struct snp_id_block block;
    AUTO_SCENE struct scene scene;
    scene_init(&scene, &report, true);
    scene.id_auth[4] = 0; /* an author's key that nothing announces */
    CHECK(!verifies(&scene, &block, &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
    scene.id_auth[4] = 1;
    /* Another author signed. */
    put_signature(scene.id_auth + AUTHOR_SIGNATURE, scene.id_key,
                  bytes_of(scene.id_auth + ID_KEY, KEY_SIZE));
    CHECK(!verifies(&scene, &block, &error));
    CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
}

static void compares_every_field(void)
{
    struct error error;
    struct snp_report report;
    struct snp_id_block block;
    AUTO_SCENE struct scene scene;
    scene_init(&scene, &report, true);
    REQUIRE(verifies(&scene, &block, &error));
    struct snp_report changed[8];
    for (size_t i = 0; i < ARRAY_COUNT(changed); i++)
        changed[i] = report;
    changed[0].measurement[47] ^= 1;
    changed[1].family_id[0] ^= 1;
    changed[2].image_id[15] ^= 1;
    changed[3].guest_svn++;
    changed[4].policy ^= 1 << 19;
    changed[5].id_key_digest[0] ^= 1;
    changed[6].key_info = 0;
    changed[7].author_key_digest[0] ^= 1;
    CHECK(snp_id_block_check(&block, &report, &error));
    for (size_t i = 0; i < ARRAY_COUNT(changed); i++) {
        CHECK_NOTE(!snp_id_block_check(&block, &changed[i], &error), "field %zu", i);
        CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    }
}

static const struct test tests[] = {
    TEST(agrees_with_the_vector), TEST(refuses_every_change_of_the_vector),
    TEST(knows_one_version),      TEST(works_with_and_without_an_author),
    TEST(compares_every_field),
};
TEST_MAIN(tests)
