/* SPDX-License-Identifier: Apache-2.0 */
#include "base/options.h"
#include "tests/harness.h"

#include <string.h>

struct run_options {
    uint64_t memory_mib;
    const char *backend;
    struct option_list environment;
    bool fast;
};
struct shared_options {
    bool quiet;
};

static const struct option_row rows[] = {
    { .name = "memory-mib",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct run_options, memory_mib),
      .value = "N",
      .help = "memory limit (default 64)",
      .min = 1,
      .max = 4096 },
    { .name = "backend",
      .letter = 'b',
      .kind = OPTION_STRING,
      .offset = offsetof(struct run_options, backend),
      .value = "NAME",
      .help = "kvm" },
    { .name = "env",
      .kind = OPTION_LIST,
      .offset = offsetof(struct run_options, environment),
      .value = "KEY=VALUE",
      .help = "variable" },
    { .name = "fast", .offset = offsetof(struct run_options, fast), .help = "hurry" },
};
static const struct option_row shared_rows[] = {
    { .name = "quiet",
      .letter = 'q',
      .offset = offsetof(struct shared_options, quiet),
      .help = "less" },
};
static const struct option_table table = { .program = "s3n run",
                                           .usage = "FILE [ARGUMENTS]",
                                           .about = "Runs a module.",
                                           .rows = rows,
                                           .row_count = ARRAY_COUNT(rows),
                                           .shared = shared_rows,
                                           .shared_count = ARRAY_COUNT(shared_rows),
                                           .positional_min = 1,
                                           .positional_max = 3 };

static struct run_options options;
static struct shared_options shared;
static struct option_arguments arguments;
static struct error error;

/* Splits at spaces, parses. */
static bool parse(const struct option_table *used, const char *line)
{
    static char copy[4000];
    static char *argv[400];
    size_t count = 0;
    ASSERT(strlen(line) < sizeof(copy));
    memcpy(copy, line, strlen(line) + 1);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        argv[count++] = word;
    argv[count] = NULL;
    options = (struct run_options){ .memory_mib = 64 };
    shared = (struct shared_options){ 0 };
    arguments = (struct option_arguments){ 0 };
    error = (struct error){ 0 };
    return options_parse(used, argv, &options, &shared, &arguments, &error);
}

static void all_forms(void)
{
    REQUIRE(parse(&table, "a --memory-mib 7 --env A=1 -q b --backend=kvm --env=B=2 --fast c"));
    CHECK_NUMBER(options.memory_mib, 7);
    CHECK_STRING(options.backend, "kvm");
    CHECK_NUMBER(options.environment.count, 2);
    CHECK_STRING(options.environment.items[1], "B=2");
    CHECK(options.fast && shared.quiet && !arguments.wants_help);
    CHECK_NUMBER(arguments.count, 3);
    CHECK_STRING(arguments.items[2], "c");
    CHECK(arguments.items[3] == NULL);
    REQUIRE(parse(&table, "a -b x -by"));
    CHECK_STRING(options.backend, "y");
    CHECK_NUMBER(options.memory_mib, 64);
    REQUIRE(parse(&table, "- -- --fast"));
    CHECK_STRING(arguments.items[0], "-");
    CHECK_STRING(arguments.items[1], "--fast");
    CHECK(!options.fast);
    REQUIRE(parse(&table, "a --backend= --backend --fast"));
    CHECK_STRING(options.backend, "--fast");
}

static void what_follows_may_belong_to_the_first(void)
{
    struct option_table stopping = table;
    stopping.stops_at_positional = true;
    REQUIRE(parse(&stopping, "--fast file -x --quiet"));
    CHECK(options.fast && !shared.quiet);
    CHECK_NUMBER(arguments.count, 3);
    CHECK_STRING(arguments.items[1], "-x");
}

static void errors_propose(void)
{
    static const struct {
        const char *line;
        const char *text;
    } wrong[] = {
        { "a --memory-mb 7",
          "unknown option --memory-mb, did you mean --memory-mib? (s3n run --help lists them)" },
        { "a --memory-mb=7",
          "unknown option --memory-mb, did you mean --memory-mib? (s3n run --help lists them)" },
        { "a --zzzzzzzzz", "unknown option --zzzzzzzzz (s3n run --help lists them)" },
        { "a -z", "unknown option -z (s3n run --help lists them)" },
        { "a --hlep", "unknown option --hlep, did you mean --help? (s3n run --help lists them)" },
        { "a --memory-mib 0", "--memory-mib wants a number from 1 to 4096, not \"0\"" },
        { "a --memory-mib 4097", "--memory-mib wants a number from 1 to 4096, not \"4097\"" },
        { "a --memory-mib 1x", "--memory-mib wants a number from 1 to 4096, not \"1x\"" },
        { "a --memory-mib 99999999999999999999",
          "--memory-mib wants a number from 1 to 4096, not \"99999999999999999999\"" },
        { "a --memory-mib=", "--memory-mib wants a number from 1 to 4096, not \"\"" },
        { "a --backend", "--backend wants a value: NAME" },
        { "a --fast=1", "--fast takes no value" },
        { "a -qx", "--quiet takes no value" },
        { "--fast", "argument missing (usage: s3n run [options] FILE [ARGUMENTS])" },
        { "a b c d", "unexpected argument \"d\" (usage: s3n run [options] FILE [ARGUMENTS])" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        CHECK(!parse(&table, wrong[i].line));
        CHECK(error.code == ERROR_USAGE);
        CHECK_STRING(error.text, wrong[i].text);
    }
}

static void lists_are_limited(void)
{
    static char line[4000] = "a";
    for (size_t used = 1; used + 10 < sizeof(line) && used < 10 * 257; used += 8)
        memcpy(line + used, " --env=x", 9);
    CHECK(!parse(&table, line));
    CHECK_STRING(error.text, "--env given more than 256 times");
}

static void help_lists_all(void)
{
    CHECK(parse(&table, "--fast --help"));
    CHECK(arguments.wants_help);
    CHECK(parse(&table, "-h --unknown"));
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 4000);
    options_help(&text, &table);
    CHECK_BYTES(buffer_view(&text),
                BYTES_LITERAL("usage: s3n run [options] FILE [ARGUMENTS]\n\nRuns a module.\n\n"
                              "options:\n"
                              "  --memory-mib N            memory limit (default 64)\n"
                              "  -b, --backend NAME        kvm\n"
                              "  --env KEY=VALUE           variable\n"
                              "  --fast                    hurry\n"
                              "  -q, --quiet               less\n"
                              "  -h, --help                show this text\n"));
}

static const struct test tests[] = { TEST(all_forms), TEST(what_follows_may_belong_to_the_first),
                                     TEST(errors_propose), TEST(lists_are_limited),
                                     TEST(help_lists_all) };
TEST_MAIN(tests)
