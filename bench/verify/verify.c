/* SPDX-License-Identifier: Apache-2.0 */
/* What verification costs beside the bare signature checks that it can't do without: a TDX quote
 * (four of them), a receipt (one), and issuing a receipt (one signature).  Ours and yardstick take
 * turns; times are of this process's processor, medians of rounds. */
#include "attest/attest.h"
#include "base/file.h"
#include "keys/receipt.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    ROUNDS = 41,
    CALLS = 25, /* in a round */
    QUOTE_TIME_S = 1750377600,
    QUOTE_SIGNATURES = 4
};

struct scene {
    struct buffer quote;
    struct ecdsa_key *key;
    struct receipt receipt;
    struct buffer receipt_text;
    EVP_PKEY_CTX *sign;
    EVP_PKEY_CTX *verify;
    uint8_t digest[32];
    uint8_t signature[80];
    size_t signature_size;
};

static void quote_verify(struct scene *scene)
{
    struct error error;
    static struct attest_verdict verdict;
    struct attest_options options = { .now_s = QUOTE_TIME_S };
    bool is_valid = attest_verify(&verdict, buffer_view(&scene->quote), &options, &error);
    ASSERT(is_valid);
}

static void receipt_check(struct scene *scene)
{
    struct error error;
    struct receipt receipt;
    bool is_valid = receipt_verify(&receipt, buffer_view(&scene->receipt_text),
                                   ecdsa_key_public(scene->key), &error);
    ASSERT(is_valid);
}

static void receipt_sign(struct scene *scene)
{
    struct error error;
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, RECEIPT_SIZE_MAX);
    bool is_issued = receipt_issue(&text, &scene->receipt, scene->key, &error);
    ASSERT(is_issued);
}

static void bare_verify(struct scene *scene)
{
    ASSERT(EVP_PKEY_verify(scene->verify, scene->signature, scene->signature_size, scene->digest,
                           sizeof(scene->digest)) == 1);
}

static void bare_sign(struct scene *scene)
{
    uint8_t signature[80];
    size_t size = sizeof(signature);
    ASSERT(EVP_PKEY_sign(scene->sign, signature, &size, scene->digest, sizeof(scene->digest)) == 1);
}

static double time_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double round_us(void (*act)(struct scene *scene), struct scene *scene, unsigned times)
{
    double start = time_us();
    for (unsigned i = 0; i < CALLS * times; i++)
        act(scene);
    return (time_us() - start) / (double)CALLS;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static void measure(const char *name, void (*ours)(struct scene *),
                    void (*yardstick)(struct scene *), unsigned yardsticks, const char *goal,
                    struct scene *scene)
{
    double mine[ROUNDS];
    double theirs[ROUNDS];
    for (unsigned i = 0; i < ROUNDS; i++) {
        mine[i] = round_us(ours, scene, 1);
        theirs[i] = round_us(yardstick, scene, yardsticks);
    }
    qsort(mine, ROUNDS, sizeof(mine[0]), compare);
    qsort(theirs, ROUNDS, sizeof(theirs[0]), compare);
    printf("{\"name\": \"%s\", \"ours\": %.2f, \"yardstick\": %.2f, \"unit\": \"us\", "
           "\"runs\": %d, \"goal\": %s}\n",
           name, mine[ROUNDS / 2], theirs[ROUNDS / 2], ROUNDS * CALLS, goal);
}

static struct receipt example(void)
{
    struct receipt receipt;
    memset(&receipt, 0, sizeof(receipt));
    memcpy(receipt.node, "00112233445566778899aabbccddeeff", KEYS_NODE_SIZE);
    memcpy(receipt.platform, "sim", 3);
    memcpy(receipt.id, "0001", 4);
    memcpy(receipt.application, "bench", 5);
    memcpy(receipt.application_version, "1.0.0", 5);
    memcpy(receipt.function, "verify", 6);
    memcpy(receipt.trigger.request_id, "0001", 4);
    receipt.issued_at_s = QUOTE_TIME_S;
    return receipt;
}

int main(int argc, char **argv)
{
    struct error error;
    struct scene scene = { .receipt = example(), .signature_size = sizeof(scene.signature) };
    buffer_init(&scene.quote, QUOTE_SIZE_MAX);
    buffer_init(&scene.receipt_text, RECEIPT_SIZE_MAX);
    if (argc != 2 || !file_read(&scene.quote, argv[1], &error)) {
        fprintf(stderr, "usage: bench-verify QUOTE\n");
        return 2;
    }
    EVP_PKEY *bare = EVP_EC_gen("P-256");
    scene.sign = EVP_PKEY_CTX_new(bare, NULL);
    scene.verify = EVP_PKEY_CTX_new(bare, NULL);
    bool is_ready = ecdsa_key_generate(&scene.key, &error) &&
                    receipt_issue(&scene.receipt_text, &scene.receipt, scene.key, &error) &&
                    EVP_PKEY_sign_init(scene.sign) == 1 &&
                    EVP_PKEY_verify_init(scene.verify) == 1 &&
                    EVP_PKEY_sign(scene.sign, scene.signature, &scene.signature_size, scene.digest,
                                  sizeof(scene.digest)) == 1;
    ASSERT(is_ready);
    measure("verify a TDX quote / 4 bare P-256 checks", quote_verify, bare_verify, QUOTE_SIGNATURES,
            "1.3", &scene);
    measure("verify a receipt / 1 bare P-256 check", receipt_check, bare_verify, 1, "null", &scene);
    measure("issue a receipt / 1 bare P-256 signature", receipt_sign, bare_sign, 1, "null", &scene);
    return 0;
}
