/* SPDX-License-Identifier: Apache-2.0 */
/* Writes Nitro documents of a PKI of our own, one JSON object a line: random fields, one fault each
 * (or none), and what our verifier says.  nitro-cases SEED COUNT */
#include "attest/nitro/test_documents.h"
#include "core/hex.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LEAF = NITRO_MAKER_LEAF,
    NOW_S = NITRO_MAKER_NOW_S,
    DATA_SIZE = 1100
};

static uint64_t state;
/* The harness, whose checks notice some of the faults, prints to standard output. */
static FILE *cases;
static uint8_t data[3][DATA_SIZE];

static uint64_t below(uint64_t limit)
{
    return test_random(&state) % limit;
}

/* What is to happen to the finished document. */
struct work {
    struct nitro_maker maker;
    bool flips;
    size_t cut;
    bool is_longer;
    bool is_foreign; /* signed by an authority */
};

#define FAULT(label, statements)                                                                   \
    static void label(struct work *work)                                                           \
    {                                                                                              \
        struct nitro_maker *maker = &work->maker;                                                  \
        (void)maker;                                                                               \
        statements                                                                                 \
    }

static void extend(struct fixture_certificate *content, const char *oid, bool is_critical)
{
    content->extensions[content->extension_count++] = (struct x509_extra_extension){
        .oid = bytes_of_string(oid), .value = BYTES_LITERAL("\x05\x00"), .is_critical = is_critical
    };
}

static struct fixture_certificate *some(struct nitro_maker *maker)
{
    return &maker->contents[1 + below(LEAF)];
}

FAULT(none, ;)
FAULT(flip, work->flips = true;)
FAULT(cut, work->cut = 1 + below(3000);)
FAULT(trailing, work->is_longer = true;)
FAULT(foreign, work->is_foreign = true;)
FAULT(tagged, maker->is_tagged = true;)
FAULT(indefinite, maker->is_indefinite = true;)
FAULT(left_out, maker->leaves_options_out = true;)
static const char *const required[] = { "module_id", "digest",      "timestamp",
                                        "pcrs",      "certificate", "cabundle" };
FAULT(drops, maker->drops = required[below(6)];)
FAULT(adds, maker->adds = required[below(6)];)
FAULT(module_id_empty, maker->module_id = "";)
FAULT(module_id_bytes, maker->module_id = "\xff";)
static const char *const digests[] = { "SHA512", "SHA384 ", "sha384", "SHA256" };
FAULT(digest, maker->digest = digests[below(4)];)
FAULT(timestamp, maker->timestamp_ms = -(int64_t)below(2);)
FAULT(no_pcrs, maker->pcr_count = 0;)
FAULT(many_pcrs, maker->pcr_count = 33 + below(3);)
FAULT(pcr_index, maker->pcr_count = 1; maker->pcr_first = 32 + below(1000);)
static const size_t pcr_sizes[] = { 0, 20, 47, 49, 63 };
FAULT(pcr_size, maker->pcr_size = pcr_sizes[below(5)];)
FAULT(pcr_size_allowed, maker->pcr_size = below(2) == 0 ? 32 : 64;)
FAULT(data_large, maker->optional[below(3)] = bytes_of(data[0], 1025 + below(70));)
FAULT(key_empty, maker->optional[0] = bytes_of(data[0], 0);)
FAULT(data_empty, maker->optional[1 + below(2)] = bytes_of(data[0], 0);)
FAULT(bundle_empty, maker->bundle_count = 0;)
FAULT(bundle_short, maker->bundle_count = 1 + below(2);)
FAULT(bundle_doubled, maker->bundle_count = 4;)
FAULT(member_unknown, maker->extra = BYTES_LITERAL("\x61x\xf6"); maker->extra_count = 1;)
FAULT(member_number, maker->extra = BYTES_LITERAL("\x01\xf6"); maker->extra_count = 1;)
FAULT(member_behind, maker->extra = BYTES_LITERAL("\xf6");)
FAULT(member_long, maker->extra = BYTES_LITERAL("\x78\x01x\xf6"); maker->extra_count = 1;)
FAULT(member_parts, maker->extra = BYTES_LITERAL("\x61x\x5f\x41y\xff"); maker->extra_count = 1;)
FAULT(algorithm, maker->protected_part = below(2) == 0 ? BYTES_LITERAL("\xa1\x01\x26")
                                                       : BYTES_LITERAL("\xa1\x01\x38\x23");)
FAULT(algorithm_absent,
      maker->protected_part = below(2) == 0 ? BYTES_LITERAL("\xa0") : BYTES_LITERAL("");)
FAULT(algorithm_unprotected, maker->protected_part = BYTES_LITERAL("\xa0");
      maker->unprotected = BYTES_LITERAL("\xa1\x01\x38\x22");)
FAULT(header_more, maker->protected_part = BYTES_LITERAL("\xa2\x01\x38\x22\x04\x41k");)
FAULT(header_critical, maker->protected_part = BYTES_LITERAL("\xa2\x01\x38\x22\x02\x81\x18\x63");)
FAULT(header_long, maker->protected_part = BYTES_LITERAL("\xa1\x01\x39\x00\x22");)
FAULT(header_open, maker->protected_part = BYTES_LITERAL("\xbf\x01\x38\x22\xff");)
FAULT(header_unprotected, maker->unprotected = BYTES_LITERAL("\xa1\x04\x41k");)
FAULT(header_doubled, maker->unprotected = BYTES_LITERAL("\xa1\x01\x38\x22");)
FAULT(header_null, maker->unprotected = BYTES_LITERAL("\xf6");)
FAULT(ca_flag, maker->contents[1 + below(2)].constraints = below(2) == 0 ? FIXTURE_NOT_CA
                                                                         : FIXTURE_NO_CONSTRAINTS;)
FAULT(ca_usage, maker->contents[1 + below(2)].key_usage = "\x07\x80";)
FAULT(ca_usage_absent, maker->contents[1 + below(2)].key_usage = NULL;)
FAULT(root_ca_flag, maker->contents[0].constraints = FIXTURE_NOT_CA;)
FAULT(root_usage, maker->contents[0].key_usage = "\x07\x80";)
FAULT(leaf_ca, maker->contents[LEAF].constraints = FIXTURE_CA;)
FAULT(leaf_unconstrained, maker->contents[LEAF].constraints = FIXTURE_NO_CONSTRAINTS;)
FAULT(leaf_usage, maker->contents[LEAF].key_usage = below(2) == 0 ? NULL : "\x05\x20";)
FAULT(path_length, maker->contents[1].constraints = FIXTURE_CA_OF_LEAVES;)
FAULT(issuer, some(maker)->issuer = "somebody";)
FAULT(subject, maker->contents[2].subject = "somebody";)
FAULT(signer_itself, size_t i = 1 + below(LEAF); maker->signers[i] = i;)
FAULT(signer_root, maker->signers[LEAF] = 0;)
FAULT(serial_negative, some(maker)->serial = BYTES_LITERAL("\xff");)
FAULT(serial_long,
      some(maker)->serial = BYTES_LITERAL("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1");)
FAULT(critical, extend(some(maker), "\x2a\x03\x04", true);)
FAULT(harmless, extend(some(maker), "\x2a\x03\x04", false);)
FAULT(twice, struct fixture_certificate *content = some(maker);
      extend(content, "\x2a\x03\x04", false); extend(content, "\x2a\x03\x04", false);)
FAULT(expired, maker->contents[below(4)].not_after_s = NOW_S - 1 - (int64_t)below(1000);)
FAULT(expires_now, maker->contents[below(4)].not_after_s = NOW_S;)
FAULT(not_yet, maker->contents[below(4)].not_before_s = NOW_S + 1 + (int64_t)below(1000);)
FAULT(begins_now, maker->contents[below(4)].not_before_s = NOW_S;)
FAULT(far, some(maker)->not_after_s = 253402300799;)

#define ROW(label)                                                                                 \
    {                                                                                              \
#label, label                                                                              \
    }
static const struct {
    const char *name;
    void (*make)(struct work *work);
} faults[] = { ROW(none),
               ROW(flip),
               ROW(cut),
               ROW(trailing),
               ROW(foreign),
               ROW(tagged),
               ROW(indefinite),
               ROW(left_out),
               ROW(drops),
               ROW(adds),
               ROW(module_id_empty),
               ROW(module_id_bytes),
               ROW(digest),
               ROW(timestamp),
               ROW(no_pcrs),
               ROW(many_pcrs),
               ROW(pcr_index),
               ROW(pcr_size),
               ROW(pcr_size_allowed),
               ROW(data_large),
               ROW(key_empty),
               ROW(data_empty),
               ROW(bundle_empty),
               ROW(bundle_short),
               ROW(bundle_doubled),
               ROW(member_unknown),
               ROW(member_number),
               ROW(member_behind),
               ROW(member_long),
               ROW(member_parts),
               ROW(algorithm),
               ROW(algorithm_absent),
               ROW(algorithm_unprotected),
               ROW(header_more),
               ROW(header_critical),
               ROW(header_long),
               ROW(header_open),
               ROW(header_unprotected),
               ROW(header_doubled),
               ROW(header_null),
               ROW(ca_flag),
               ROW(ca_usage),
               ROW(ca_usage_absent),
               ROW(root_ca_flag),
               ROW(root_usage),
               ROW(leaf_ca),
               ROW(leaf_unconstrained),
               ROW(leaf_usage),
               ROW(path_length),
               ROW(issuer),
               ROW(subject),
               ROW(signer_itself),
               ROW(signer_root),
               ROW(serial_negative),
               ROW(serial_long),
               ROW(critical),
               ROW(harmless),
               ROW(twice),
               ROW(expired),
               ROW(expires_now),
               ROW(not_yet),
               ROW(begins_now),
               ROW(far) };

static void init(struct work *work)
{
    struct nitro_maker *maker = &work->maker;
    static char id[32];
    memset(work, 0, sizeof(*work));
    nitro_maker_init(maker);
    snprintf(id, sizeof(id), "i-%llx-enc%llx", (unsigned long long)below(UINT32_MAX),
             (unsigned long long)below(UINT32_MAX));
    maker->module_id = id;
    maker->timestamp_ms = (NOW_S - (int64_t)below(3600)) * 1000 + (int64_t)below(1000);
    maker->pcr_count = 1 + below(32);
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < DATA_SIZE; j++)
            data[i][j] = (uint8_t)below(256);
        if (below(2) == 0)
            maker->optional[i] = bytes_of(data[i], 1 + below(1024));
    }
}

static void finish(struct work *work)
{
    struct nitro_maker *maker = &work->maker;
    nitro_maker_make(maker);
    if (work->is_foreign) {
        maker->keys[LEAF] = maker->keys[LEAF - 1];
        nitro_maker_sign(maker);
    }
    if (work->flips)
        maker->document[below(maker->size)] ^= (uint8_t)(1U << below(8));
    if (work->is_longer)
        maker->document[maker->size++] = (uint8_t)below(256);
    maker->size -= MIN(work->cut, maker->size);
}

static void print_hex(const char *name, struct bytes bytes)
{
    static char text[2 * NITRO_MAKER_DOCUMENT_SIZE_MAX + 1];
    hex_encode(text, bytes);
    fprintf(cases, ", \"%s\": \"%s\"", name, text);
}

static void print_case(size_t index, size_t fault)
{
    static struct work work;
    static struct attest_verdict verdict;
    struct error error;
    init(&work);
    faults[fault].make(&work);
    finish(&work);
    struct nitro_maker *maker = &work.maker;
    struct bytes document = bytes_of(maker->document, maker->size);
    struct attest_options options = { .tee = ATTEST_TEE_NITRO,
                                      .now_s = NOW_S,
                                      .root = &maker->root };
    bool is_valid = attest_verify(&verdict, document, &options, &error);
    fprintf(cases,
            "{\"index\": %zu, \"fault\": \"%s\", \"product\": \"nitro\", \"at\": %d, \"valid\": "
            "%s, \"reason\": \"%s\"",
            index, faults[fault].name, NOW_S, is_valid ? "true" : "false",
            attest_reason_name(verdict.reason));
    print_hex("document", document);
    print_hex("root", buffer_view(&maker->certificates[0]));
    fprintf(cases, "}\n");
    nitro_maker_done(maker);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: nitro-cases SEED COUNT\n");
        return 2;
    }
    cases = fdopen(dup(STDOUT_FILENO), "w");
    ASSERT(cases != NULL && freopen("/dev/null", "w", stdout) != NULL);
    state = strtoull(argv[1], NULL, 10) * 0x9e3779b97f4a7c15ULL + 1;
    size_t count = strtoull(argv[2], NULL, 10);
    for (size_t i = 0; i < count; i++)
        print_case(i, i % 4 == 0 ? 0 : 1 + (i - i / 4) % (ARRAY_COUNT(faults) - 1));
    nitro_maker_free_keys();
    return fclose(cases) == 0 ? 0 : 1;
}
