/* SPDX-License-Identifier: Apache-2.0 */
/* spectest FILE.json...: the official WebAssembly suite, as wast2json writes it, through decoder,
 * validator, compiler, image and a micro-VM. */
#include "base/options.h"
#include "tests/spec/mutate.h"
#include "tests/spec/suite.h"

#include <stddef.h>
#include <stdio.h>

struct spectest_options {
    bool verbose;
    bool json;
    bool linked;
    const char *backend;
    const char *tier;
    uint64_t mutations;
};

static const struct option_row rows[] = {
    { .name = "backend",
      .kind = OPTION_STRING,
      .offset = offsetof(struct spectest_options, backend),
      .value = "NAME",
      .help = "kvm or process (default: the best one here)" },
    { .name = "tier",
      .kind = OPTION_STRING,
      .offset = offsetof(struct spectest_options, tier),
      .value = "NAME",
      .help = "baseline or optimised (default: baseline)" },
    { .name = "linked",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct spectest_options, linked),
      .help = "put every module of a file into one micro-VM, not only those that must be" },
    { .name = "json",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct spectest_options, json),
      .help = "print all results as one JSON object" },
    { .name = "verbose",
      .letter = 'v',
      .kind = OPTION_FLAG,
      .offset = offsetof(struct spectest_options, verbose),
      .help = "also tell where a refusal uses other words than the suite" },
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
    .about = "Runs files that wast2json made of the official WebAssembly test suite.\n"
             "Exit status: 0 nothing failed, 1 something did.  Skipped are modules in text form.",
    .rows = rows,
    .row_count = ARRAY_COUNT(rows),
    .positional_min = 1,
    .positional_max = 10000,
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
    struct report report;
    struct error error;
    if (argc < 1 || !options_parse(&table, argv + 1, &options, NULL, &arguments, &error))
        return fail(&error);
    if (arguments.wants_help)
        return show_help();
    setvbuf(stdout, NULL, _IOLBF, 0);
    AUTO(engine) struct engine *engine = NULL;
    const struct tier *tier;
    if (!tier_find(&tier, options.tier, &error) || !engine_open(&engine, options.backend, &error) ||
        !report_open(&report, options.json, options.verbose, &error))
        return fail(&error);
    const struct suite_options suite = { .engine = engine,
                                         .tier = tier,
                                         .links_all = options.linked };
    for (size_t i = 0; i < arguments.count; i++) {
        if (options.mutations > 0)
            mutate_run(arguments.items[i], engine, (unsigned)options.mutations, &report);
        else
            suite_run(arguments.items[i], &suite, &report);
    }
    if (tier->counts != NULL)
        report_tier(&report, tier->counts->functions, tier->counts->optimised);
    return report_close(&report) ? 0 : 1;
}
