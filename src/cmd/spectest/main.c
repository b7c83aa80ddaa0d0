/* SPDX-License-Identifier: Apache-2.0 */
/* spectest FILE.json...: the official WebAssembly suite, as wast2json writes it, through decoder,
 * validator, compiler and a micro-VM. */
#include "base/options.h"
#include "cmd/spectest/mutate.h"

#include <stddef.h>
#include <stdio.h>

struct spectest_options {
    bool verbose;
    const char *backend;
    uint64_t mutations;
};

static const struct option_row rows[] = {
    { .name = "verbose",
      .letter = 'v',
      .kind = OPTION_FLAG,
      .offset = offsetof(struct spectest_options, verbose),
      .help = "also tell where a refusal uses other words than the suite" },
    { .name = "backend",
      .kind = OPTION_STRING,
      .offset = offsetof(struct spectest_options, backend),
      .value = "NAME",
      .help = "backend of the micro-VM (default: the best one here)" },
    { .name = "mutate",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct spectest_options, mutations),
      .value = "N",
      .help = "the files are modules: try N random changes of each",
      .min = 1,
      .max = 10000000 },
};

static const struct option_table table = {
    .program = "spectest",
    .usage = "FILE...",
    .about = "Runs files that wast2json made of the official WebAssembly test suite.",
    .rows = rows,
    .row_count = ARRAY_COUNT(rows),
    .positional_min = 1,
    .positional_max = 1000,
};

static int fail(const struct error *error)
{
    fprintf(stderr, "spectest: %s\n", error->text);
    return error_exit_code(error->code);
}

static int show_help(void)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 1 << 16);
    options_help(&text, &table);
    fwrite(text.data, 1, text.size, stdout);
    return 0;
}

int main(int argc, char **argv)
{
    struct spectest_options options = { 0 };
    struct option_arguments arguments;
    struct error error;
    if (argc < 1 || !options_parse(&table, argv + 1, &options, NULL, &arguments, &error))
        return fail(&error);
    if (arguments.wants_help)
        return show_help();
    setvbuf(stdout, NULL, _IOLBF, 0);
    AUTO(engine) struct engine *engine = NULL;
    if (!engine_open(&engine, options.backend, &error))
        return fail(&error);
    struct totals totals = { 0 };
    for (size_t i = 0; i < arguments.count; i++) {
        const char *path = arguments.items[i];
        bool ok = options.mutations > 0
                      ? mutate_run(path, engine, (unsigned)options.mutations, &totals, &error)
                      : suite_run(path, engine, options.verbose, &totals, &error);
        if (!ok) {
            printf("%s: %s\n", path, error.text);
            totals.failed++;
        }
    }
    printf("%u passed, %u failed, %u skipped\n", totals.passed, totals.failed, totals.skipped);
    return totals.failed == 0 ? 0 : 1;
}
