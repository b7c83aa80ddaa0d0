/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hpke.h"

#include "core/hex.h"
#include "crypto/limits.h"
#include "tests/harness.h"

#include <string.h>

#define PLAIN "4265617574792069732074727574682c20747275746820626561757479"

struct sealed_row {
    unsigned sequence;
    const char *associated, *sealed;
};

/* RFC 9180 appendices A.1.1 and A.1.3 (AES-128-GCM, base and auth) and A.2.1 (ChaCha20Poly1305);
 * the exporter's contexts are "", 00 and "TestContext". */
static const struct {
    enum aead_kind aead;
    const char *ephemeral, *recipient_public, *recipient, *sender_public, *sender, *encapsulated;
    struct sealed_row rows[6];
    const char *exported[3];
} vectors[] = {
    { AEAD_AES_128_GCM,
      "52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736",
      "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d",
      "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
      NULL,
      NULL,
      "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
      { { 0, "436f756e742d30",
          "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9"
          "6d8770ac83d07bea87e13c512a" },
        { 1, "436f756e742d31",
          "af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458c2494e8a6eab25"
          "1c03d0c22a56b8ca42c2063b84" },
        { 2, "436f756e742d32",
          "498dfcabd92e8acedc281e85af1cb4e3e31c7dc394a1ca20e173cb7251649158"
          "8d96a19ad4a683518973dcc180" },
        { 4, "436f756e742d34",
          "583bd32bc67a5994bb8ceaca813d369bca7b2a42408cddef5e22f880b631215a"
          "09fc0012bc69fccaa251c0246d" },
        { 255, "436f756e742d323535",
          "7175db9717964058640a3a11fb9007941a5d1757fda1a6935c805c21af32505b"
          "f106deefec4a49ac38d71c9e0a" },
        { 256, "436f756e742d323536",
          "957f9800542b0b8891badb026d79cc54597cb2d225b54c00c5238c25d05c30e3"
          "fbeda97d2e0e1aba483a2df9f2" } },
      { "3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee",
        "2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5",
        "e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931" } },
    { AEAD_AES_128_GCM,
      "ff4442ef24fbc3c1ff86375b0be1e77e88a0de1e79b30896d73411c5ff4c3518",
      "1632d5c2f71c2b38d0a8fcc359355200caa8b1ffdf28618080466c909cb69b2e",
      "fdea67cf831f1ca98d8e27b1f6abeb5b7745e9d35348b80fa407ff6958f9137e",
      "8b0c70873dc5aecb7f9ee4e62406a397b350e57012be45cf53b7105ae731790b",
      "dc4a146313cce60a278a5323d321f051c5707e9c45ba21a3479fecdf76fc69dd",
      "23fb952571a14a25e3d678140cd0e5eb47a0961bb18afcf85896e5453c312e76",
      { { 0, "436f756e742d30",
          "5fd92cc9d46dbf8943e72a07e42f363ed5f721212cd90bcfd072bfd9f44e06b8"
          "0fd17824947496e21b680c141b" },
        { 1, "436f756e742d31",
          "d3736bb256c19bfa93d79e8f80b7971262cb7c887e35c26370cfed62254369a1"
          "b52e3d505b79dd699f002bc8ed" },
        { 2, "436f756e742d32",
          "122175cfd5678e04894e4ff8789e85dd381df48dcaf970d52057df2c9acc3b12"
          "1313a2bfeaa986050f82d93645" },
        { 4, "436f756e742d34",
          "dae12318660cf963c7bcbef0f39d64de3bf178cf9e585e756654043cc5059873"
          "bc8af190b72afc43d1e0135ada" },
        { 255, "436f756e742d323535",
          "55d53d85fe4d9e1e97903101eab0b4865ef20cef28765a47f840ff99625b7d69"
          "dee927df1defa66a036fc58ff2" },
        { 256, "436f756e742d323536",
          "42fa248a0e67ccca688f2b1d13ba4ba84755acf764bd797c8f7ba3b9b1dc3330"
          "326f8d172fef6003c79ec72319" } },
      { "28c70088017d70c896a8420f04702c5a321d9cbf0279fba899b59e51bac72c85",
        "25dfc004b0892be1888c3914977aa9c9bbaf2c7471708a49e1195af48a6f29ce",
        "5a0131813abc9a522cad678eb6bafaabc43389934adb8097d23c5ff68059eb64" } },
    { AEAD_CHACHA20_POLY1305,
      "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600",
      "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a",
      "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
      NULL,
      NULL,
      "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a",
      { { 0, "436f756e742d30",
          "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db"
          "21993c62ce81883d2dd1b51a28" } },
      { NULL } },
};

static struct bytes unhex(uint8_t *space, const char *text)
{
    size_t size = strlen(text) / 2;
    CHECK(hex_decode(space, size, bytes_of_string(text)));
    return bytes_of(space, size);
}

/* Both ends of a vector, set up. */
struct ends {
    struct hpke_context sender, recipient;
    struct x25519_public encapsulated;
};

static bool ends_make(struct ends *ends, size_t at)
{
    struct secret32 ephemeral, own, sender = { 0 };
    struct x25519_public peer, sender_public = { 0 };
    struct error error;
    (void)unhex(ephemeral.bytes, vectors[at].ephemeral);
    (void)unhex(own.bytes, vectors[at].recipient);
    (void)unhex(peer.bytes, vectors[at].recipient_public);
    struct hpke_setup setup = { .aead = vectors[at].aead,
                                .info = BYTES_LITERAL("Ode on a Grecian Urn") };
    if (vectors[at].sender != NULL) {
        (void)unhex(sender.bytes, vectors[at].sender);
        (void)unhex(sender_public.bytes, vectors[at].sender_public);
        setup.sender_private = &sender;
        setup.sender_public = &sender_public;
    }
    return hpke_setup_sender_with(&ends->sender, &ends->encapsulated, &setup, &peer, &ephemeral,
                                  &error) &&
           hpke_setup_recipient(&ends->recipient, &setup, &ends->encapsulated, &own, &error);
}

static void seals_as_the_rfc_does(void)
{
    uint8_t space[4][64];
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(vectors); i++) {
        struct ends ends;
        REQUIRE(ends_make(&ends, i));
        CHECK_BYTES(BYTES_OF(ends.encapsulated.bytes), unhex(space[0], vectors[i].encapsulated));
        for (size_t j = 0; j < 6 && vectors[i].rows[j].sealed != NULL; j++) {
            const struct sealed_row *row = &vectors[i].rows[j];
            struct bytes plain = unhex(space[0], PLAIN), more = unhex(space[1], row->associated);
            struct bytes sealed = unhex(space[2], row->sealed);
            ends.sender.sequence = ends.recipient.sequence = row->sequence;
            REQUIRE(hpke_seal(&ends.sender, space[3], plain, more, &error));
            CHECK_BYTES(bytes_of(space[3], sealed.size), sealed);
            REQUIRE(hpke_open(&ends.recipient, space[3], sealed, more, &error));
            CHECK_BYTES(bytes_of(space[3], plain.size), plain);
            CHECK_NUMBER(ends.recipient.sequence, row->sequence + 1);
        }
    }
}

static void exports_as_the_rfc_does(void)
{
    const struct bytes labels[] = { BYTES_LITERAL(""), bytes_of("", 1),
                                    BYTES_LITERAL("TestContext") };
    uint8_t exported[32], expected[32];
    for (size_t i = 0; i < 2; i++) {
        struct ends ends;
        REQUIRE(ends_make(&ends, i));
        for (size_t j = 0; j < ARRAY_COUNT(labels); j++) {
            hpke_export(exported, sizeof(exported), &ends.recipient, labels[j]);
            CHECK_BYTES(BYTES_OF(exported), unhex(expected, vectors[i].exported[j]));
        }
    }
}

static void opens_nothing_else(void)
{
    struct secret32 key = { { 7 } }, other = { { 8 } };
    struct x25519_public peer, sender, encapsulated;
    struct hpke_context context, opener;
    struct error error;
    uint8_t sealed[64], plain[64];
    struct bytes message = BYTES_LITERAL("message");
    REQUIRE(x25519_public_of(&peer, &key, &error) && x25519_public_of(&sender, &other, &error));
    struct hpke_setup setup = { .aead = AEAD_AES_256_GCM, .info = BYTES_LITERAL("a") };
    REQUIRE(hpke_setup_sender(&context, &encapsulated, &setup, &peer, &error));
    REQUIRE(hpke_seal(&context, sealed, message, message, &error));
    struct bytes whole = bytes_of(sealed, message.size + AEAD_TAG_SIZE);
    /* another purpose, AEAD, mode, key */
    struct hpke_setup others[] = { setup, setup, setup };
    others[0].info = BYTES_LITERAL("b");
    others[1].aead = AEAD_CHACHA20_POLY1305;
    others[2].sender_public = &sender;
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        REQUIRE(hpke_setup_recipient(&opener, &others[i], &encapsulated, &key, &error));
        CHECK(!hpke_open(&opener, plain, whole, message, &error));
        CHECK_NUMBER(error.code, ERROR_UNVERIFIED);
    }
    REQUIRE(hpke_setup_recipient(&opener, &setup, &encapsulated, &other, &error));
    CHECK(!hpke_open(&opener, plain, whole, message, &error));
    /* each bit counts; what does not open leaves the number as it was */
    REQUIRE(hpke_setup_recipient(&opener, &setup, &encapsulated, &key, &error));
    for (size_t i = 0; i < whole.size; i++) {
        sealed[i] ^= 1;
        CHECK(!hpke_open(&opener, plain, whole, message, &error));
        sealed[i] ^= 1;
    }
    CHECK(!hpke_open(&opener, plain, bytes_part(whole, 0, 15), message, &error));
    REQUIRE(hpke_open(&opener, plain, whole, message, &error));
    CHECK(!hpke_open(&opener, plain, whole, message, &error)); /* its turn is over */
}

static void refuses_points_of_small_order(void)
{
    struct secret32 key = { { 7 } };
    struct x25519_public zero = { { 0 } }, one = { { 1 } }, encapsulated;
    struct hpke_context context;
    struct hpke_setup setup = { .aead = AEAD_AES_128_GCM };
    struct error error;
    CHECK(!hpke_setup_sender(&context, &encapsulated, &setup, &zero, &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
    CHECK(!hpke_setup_recipient(&context, &setup, &one, &key, &error));
    CHECK_NUMBER(error.code, ERROR_INVALID);
}

static void keeps_its_limits(void)
{
    static uint8_t info[HPKE_INFO_SIZE_MAX + 1];
    struct secret32 key = { { 7 } };
    struct x25519_public peer, encapsulated;
    struct hpke_context context;
    struct error error;
    enum aead_kind kind;
    uint8_t sealed[32];
    REQUIRE(x25519_public_of(&peer, &key, &error));
    struct hpke_setup setup = { .aead = AEAD_AES_128_GCM, .info = BYTES_OF(info) };
    CHECK(!hpke_setup_sender(&context, &encapsulated, &setup, &peer, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    setup.info.size--;
    REQUIRE(hpke_setup_sender(&context, &encapsulated, &setup, &peer, &error));
    context.sequence = HPKE_MESSAGES_MAX;
    CHECK(!hpke_seal(&context, sealed, BYTES_LITERAL("x"), (struct bytes){ 0 }, &error));
    CHECK_NUMBER(error.code, ERROR_LIMIT);
    for (uint16_t id = 0; id < 6; id++)
        CHECK_NUMBER(hpke_aead_of_id(&kind, id), id >= 1 && id <= 3);
    CHECK(hpke_aead_of_id(&kind, 2) && hpke_aead_id(kind) == 2);
}

static const struct test tests[] = {
    TEST(seals_as_the_rfc_does),         TEST(exports_as_the_rfc_does), TEST(opens_nothing_else),
    TEST(refuses_points_of_small_order), TEST(keeps_its_limits),
};
TEST_MAIN(tests)
