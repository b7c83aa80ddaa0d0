/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/spec/mutate.h"

#include "base/file.h"
#include "tests/spec/instance.h"
#include "wasm/wasm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MUTATION_TIMEOUT_MS = 50,
    MUTATION_CHANGES_MAX = 4,
    MUTATION_MEMORY_MAX = 64 << 20
};

struct mutator {
    struct engine *engine;
    struct buffer image;
    uint64_t random;
    unsigned ends[OUTCOME_CRASHED + 1]; /* by enum outcome_kind */
    unsigned refused;
};

/* xorshift64*: the same numbers in every run. */
static uint64_t next_random(struct mutator *mutator)
{
    uint64_t x = mutator->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    mutator->random = x;
    return x * 0x2545f4914f6cdd1du;
}

/* One to four bytes become another one, or one more. */
static void change(struct mutator *mutator, struct bytes original, uint8_t *mutated)
{
    memcpy(mutated, original.data, original.size);
    uint64_t changes = next_random(mutator) % MUTATION_CHANGES_MAX + 1;
    for (uint64_t i = 0; i < changes; i++) {
        size_t at = next_random(mutator) % original.size;
        uint64_t byte = next_random(mutator);
        mutated[at] = byte % 4 == 0 ? (uint8_t)(mutated[at] + 1) : (uint8_t)(byte >> 8);
    }
}

/* Runs _start if the mutation still has one; otherwise loading it was all. */
static bool run(struct mutator *mutator, struct error *error)
{
    static const struct settings limits = { .timeout_ms = MUTATION_TIMEOUT_MS,
                                            .memory_size_max = MUTATION_MEMORY_MAX };
    struct instance_of_suite instance = { 0 };
    struct outcome outcome = { 0 };
    struct image image;
    const char *reason;
    if (!image_parse(&image, buffer_view(&mutator->image), &reason))
        return error_set(error, ERROR_INTERNAL, "the compiler made a wrong image: %s", reason);
    if (image.header.memory_size > MUTATION_MEMORY_MAX) {
        mutator->refused++; /* the limit refuses it */
        return true;
    }
    if (!instance_open_within(&instance, mutator->engine, buffer_view(&mutator->image), &limits,
                              &outcome, error))
        return false;
    bool ok = true;
    if (outcome.kind == OUTCOME_DONE && (image.header.flags & IMAGE_HAS_COMMAND) != 0)
        ok = shell_run(instance.shell, NULL, &outcome, error);
    instance_done(&instance);
    if (ok && outcome.kind == OUTCOME_CRASHED)
        return error_set(error, ERROR_CRASHED, "the micro-VM broke");
    if (ok)
        mutator->ends[outcome.kind]++;
    return ok;
}

static bool try_one(struct mutator *mutator, struct bytes module, struct error *error)
{
    static const struct wasm_options options = { 0 };
    struct error why = { 0 };
    if (!wasm_compile(&mutator->image, module, &options, &why)) {
        mutator->refused++;
        return why.code == ERROR_INVALID || why.code == ERROR_UNSUPPORTED ||
               why.code == ERROR_LIMIT || error_set(error, why.code, "compiler: %s", why.text);
    }
    return run(mutator, error);
}

static bool run_all(const char *path, struct mutator *mutator, unsigned count,
                    struct report *report, struct error *error)
{
    AUTO_BUFFER struct buffer original = { 0 };
    buffer_init(&original, (size_t)64 << 20);
    if (!file_read(&original, path, error))
        return false;
    uint8_t *mutated = malloc(original.size + 1);
    if (mutated == NULL || original.size == 0)
        return error_set(error, ERROR_NO_MEMORY, "no memory for %zu bytes", original.size);
    for (unsigned i = 0; i < count; i++) {
        struct error why = { 0 };
        change(mutator, buffer_view(&original), mutated);
        if (try_one(mutator, bytes_of(mutated, original.size), &why)) {
            report_pass(report);
            continue;
        }
        char got[512];
        snprintf(got, sizeof(got), "mutation %u: %s", i, why.text);
        report_fail(report, NULL, "some end", got);
    }
    free(mutated);
    return true;
}

void mutate_run(const char *path, struct engine *engine, unsigned count, struct report *report)
{
    struct mutator mutator = { .engine = engine, .random = 0x9e3779b97f4a7c15u };
    struct error error = { 0 };
    buffer_init(&mutator.image, (size_t)256 << 20);
    report_begin(report, path);
    if (!run_all(path, &mutator, count, report, &error))
        report_fail(report, NULL, "a module", error.text);
    buffer_done(&mutator.image);
    if (report->json == NULL)
        printf("%s: %u refused, %u ran to an end, %u trapped, %u ran out of time, %u printed too "
               "much\n",
               path, mutator.refused, mutator.ends[OUTCOME_DONE], mutator.ends[OUTCOME_TRAPPED],
               mutator.ends[OUTCOME_TIMEOUT], mutator.ends[OUTCOME_LIMIT]);
    report_end(report);
}
