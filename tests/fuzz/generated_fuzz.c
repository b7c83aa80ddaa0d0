/* SPDX-License-Identifier: Apache-2.0 */
/* Generated modules through every way of compiling, run in micro-VMs: what comes out must be the
 * same, call by call and byte by byte of memory, and metered code must count the same. */
#include "base/file.h"
#include "fuzz/fuzz.h"
#include "slipstream/engine.h"
#include "tests/fuzz/generate.h"
#include "wasm/wasm.h"
#ifdef WITH_OPTIMISER
#include "optimiser/optimiser.h"
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALLS = GENERATE_FUNCTION_COUNT + 1,
    TIMEOUT_MS = 5000,
    IMAGE_SIZE = 64 << 20
};

struct way {
    const char *name;
    bool fuel, optimised;
};

static const struct way ways[] = {
    { "baseline", false, false },
    { "baseline with fuel", true, false },
#ifdef WITH_OPTIMISER
    { "optimised", false, true },
    { "optimised with fuel", true, true },
#endif
};

struct seen {
    enum outcome_kind kind;
    enum trap_reason reason;
    uint64_t value;
    uint64_t fuel;
    uint32_t offset; /* of a trap, in the module */
};

static NORETURN void give_up(const char *what, const struct error *error)
{
    fprintf(stderr, "%s: %s\n", what, error->text);
    abort();
}

/* Opened once; NULL where there is no /dev/kvm. */
static struct engine *engine_of_all(void)
{
    static struct engine *engine;
    static bool was_tried;
    struct error error;
    if (!was_tried && !engine_open(&engine, "kvm", &error)) {
        fprintf(stderr, "not run, only compiled: %s\n", error.text);
        engine = NULL;
    }
    was_tried = true;
    return engine;
}

static bool compile(struct buffer *image, struct bytes module, const struct way *way,
                    struct error *error)
{
    struct wasm_options options = { .deterministic = true, .fuel = way->fuel };
#ifdef WITH_OPTIMISER
    if (way->optimised) {
        struct optimise_options optimise = { .wasm = options, .workers = 1 };
        struct optimise_report report;
        if (!optimise_compile(image, module, &optimise, &report, error))
            return false;
        /* What is left to the baseline is not compared. */
        return report.optimised_count == report.function_count ||
               error_set(error, ERROR_INTERNAL, "%u of %u functions optimised",
                         report.optimised_count, report.function_count);
    }
#endif
    return wasm_compile(image, module, &options, error);
}

/* Calls every export in turn, on one instance. */
static void run(struct engine *engine, struct bytes image, struct seen seen[CALLS])
{
    static const struct settings settings = { .timeout_ms = TIMEOUT_MS };
    AUTO(shell) struct shell *shell = NULL;
    AUTO(program) struct program *program = NULL;
    AUTO_CLOSE int descriptor = -1;
    struct outcome outcome;
    struct error error = { 0 };
    if (!file_sealed(&descriptor, "generated", image, &error) ||
        !program_open(&program, descriptor, &error) ||
        !shell_open(&shell, engine, NULL, 0, &error) ||
        !shell_load(shell, program, &settings, &outcome, &error))
        give_up("load", &error);
    for (unsigned i = 0; i < CALLS; i++) {
        char name[] = { 'r', (char)('0' + i) };
        struct bytes text = i == CALLS - 1 ? BYTES_LITERAL("digest") : bytes_of(name, sizeof(name));
        struct image_export found;
        uint64_t value = 0;
        ASSERT(image_find_export(program_image(program), text, &found));
        if (!shell_call(shell, found.where, NULL, 0, &value, 1, &outcome, &error))
            give_up("call", &error);
        bool is_done = outcome.kind == OUTCOME_DONE;
        seen[i] = (struct seen){ outcome.kind, is_done ? TRAP_NONE : outcome.reason,
                                 is_done ? value : 0, outcome.fuel, outcome.wasm_offset };
    }
}

static void show(const struct way *way, const struct seen *seen)
{
    fprintf(stderr, "  %-20s outcome %d, trap %d at 0x%x, value %016llx, fuel %llu\n", way->name,
            (int)seen->kind, (int)seen->reason, seen->offset, (unsigned long long)seen->value,
            (unsigned long long)seen->fuel);
}

/* False: the two differ. */
static bool compare(const struct seen *first, const struct way *first_way,
                    const struct seen *second, const struct way *second_way)
{
    bool same_fuel = first_way->fuel && second_way->fuel;
    for (unsigned i = 0; i < CALLS; i++) {
        if (first[i].kind == OUTCOME_TIMEOUT || second[i].kind == OUTCOME_TIMEOUT)
            return true; /* a slow machine: what follows may differ */
        /* How deep the stack goes is the tier's. */
        bool is_stack = first[i].kind == OUTCOME_TRAPPED && first[i].reason == TRAP_STACK;
        if (first[i].kind == second[i].kind && first[i].reason == second[i].reason &&
            first[i].value == second[i].value && first[i].offset == second[i].offset &&
            (!same_fuel || is_stack || first[i].fuel == second[i].fuel))
            continue;
        fprintf(stderr, "call %u\n", i);
        show(first_way, &first[i]);
        show(second_way, &second[i]);
        return false;
    }
    return true;
}

static NORETURN void fail(struct bytes module)
{
    FILE *file = fopen("generated.wasm", "wb");
    if (file != NULL && fwrite(module.data, module.size, 1, file) == 1 && fclose(file) == 0)
        fputs("the module is in generated.wasm\n", stderr);
    abort();
}

void fuzz_one(struct bytes input)
{
    AUTO_BUFFER struct buffer module, image;
    static struct seen seen[ARRAY_COUNT(ways)][CALLS];
    struct engine *engine = engine_of_all();
    struct error error = { 0 };
    buffer_init(&module, 1 << 20);
    buffer_init(&image, IMAGE_SIZE);
    generate_module(&module, input);
    if (module.failed)
        return;
    for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
        if (!compile(&image, buffer_view(&module), &ways[i], &error)) {
            fprintf(stderr, "%s: ", ways[i].name);
            fprintf(stderr, "%s\n", error.text);
            fail(buffer_view(&module));
        }
        if (engine != NULL)
            run(engine, buffer_view(&image), seen[i]);
    }
    const size_t before[] = { 0, 0, 0, 1 }; /* metered code beside metered code */
    for (size_t i = 1; engine != NULL && i < ARRAY_COUNT(ways); i++) {
        if (!compare(seen[before[i]], &ways[before[i]], seen[i], &ways[i]))
            fail(buffer_view(&module));
    }
}
