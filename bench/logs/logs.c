/* SPDX-License-Identifier: Apache-2.0 */
/* What an invocation that logs costs the server's loop: handing its log to the book, while the
 * book's thread seals and writes; beside the signature of its receipt, which every invocation pays.
 *
 * bench-logs FOLDER. */
#include "base/clock.h"
#include "bench/bench.h"
#include "keys/sealing.h"
#include "logs/logbook.h"

#include <string.h>
#include <time.h>

enum {
    RUNS = 20000,
    PAUSE_EVERY = 200
};

static uint64_t adds[RUNS], signatures[RUNS / 10];

int main(int argc, char **argv)
{
    static struct secret32 root = { { 1 } };
    AUTO(ecdsa_key) struct ecdsa_key *key = NULL;
    AUTO(logbook) struct logbook *book = NULL;
    char path[4096], text[200];
    if (argc != 2)
        return 2;
    snprintf(path, sizeof(path), "%s/logs.db", argv[1]);
    memset(text, 'x', sizeof(text));
    const struct logbook_options options = { .path = path,
                                             .sealer = sealing_local(&root),
                                             .clock = &clock_system,
                                             .stream_size_max = 64 << 20,
                                             .total_size_max = 64 << 20,
                                             .retention_ms = 3600000,
                                             .rate_size = UINT64_C(1) << 32,
                                             .burst_size = UINT64_C(1) << 32 };
    check(ecdsa_key_generate(&key, &error), "key");
    check(logbook_open(&book, &options, &error), "logs");
    const struct logbook_entry entry = { .application = "bench",
                                         .readers = ecdsa_key_public(key),
                                         .reader_count = 1,
                                         .invocation = "00112233445566778899aabbccddeeff",
                                         .request = "00112233445566778899aabbccddeeff",
                                         .function = "f",
                                         .version = "1.0.0",
                                         .outcome = "done",
                                         .written = BYTES_OF(text) };
    for (unsigned i = 0; i < RUNS; i++) {
        uint64_t begun_ns = clock_monotonic_ns(&clock_system);
        logbook_add(book, &entry);
        adds[i] = clock_monotonic_ns(&clock_system) - begun_ns;
        if (i % PAUSE_EVERY == 0) /* the queue empties: the next one wakes the thread */
            nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
    }
    for (unsigned i = 0; i < RUNS / 10; i++) {
        struct digest32 digest = { { (uint8_t)i } };
        struct ecdsa_signature signature;
        uint64_t begun_ns = clock_monotonic_ns(&clock_system);
        check(ecdsa_sign(&signature, key, &digest, &error), "sign");
        signatures[i] = clock_monotonic_ns(&clock_system) - begun_ns;
    }
    double ours = median_us(adds, RUNS), theirs = median_us(signatures, RUNS / 10);
    printf("{\"name\": \"a log of 200 bytes, on the loop\", \"ours\": %.3f, \"yardstick\": %.3f, "
           "\"unit\": \"us\", \"runs\": %d, \"goal\": 0.1}\n",
           ours, theirs, RUNS);
    fprintf(stderr, "the slowest hundredth takes %.1f us or more\n",
            (double)adds[RUNS - RUNS / 100] / 1000);
    return 0;
}
