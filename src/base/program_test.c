/* SPDX-License-Identifier: Apache-2.0 */
#include "base/program.h"

#include "tests/harness.h"

struct settings {
    uint64_t number;
};
static const struct option_row rows[] = { { .name = "number",
                                            .kind = OPTION_NUMBER,
                                            .offset = offsetof(struct settings, number),
                                            .value = "N",
                                            .help = "a number (7)",
                                            .max = 10 } };
static const struct option_table table = {
    .program = "s3n-test", .usage = "", .about = "A test.", .rows = rows, .row_count = 1
};
static unsigned runs;

static bool run(void *given, struct error *error)
{
    const struct settings *settings = given;
    runs++;
    return settings->number != 9 || error_set(error, ERROR_TIMEOUT, "nine");
}

static int main_of(const char *first, const char *second)
{
    struct settings settings = { .number = 7 };
    const struct program program = { &table, &settings, run };
    char *argv[] = { (char *)(uintptr_t) "s3n-test", (char *)(uintptr_t)first,
                     (char *)(uintptr_t)second, NULL };
    return program_main(&program, argv);
}

static void ends_with_what_came_of_it(void)
{
    CHECK_NUMBER(main_of(NULL, NULL), 0);
    CHECK_NUMBER(main_of("--number", "8"), 0);
    CHECK_NUMBER(runs, 2);
    CHECK_NUMBER(main_of("--number", "9"), error_exit_code(ERROR_TIMEOUT));
    CHECK_NUMBER(runs, 3);
    CHECK_NUMBER(main_of("--number", "11"), error_exit_code(ERROR_USAGE));
    CHECK_NUMBER(main_of("stray", NULL), error_exit_code(ERROR_USAGE));
    CHECK_NUMBER(main_of("--help", NULL), 0);
    CHECK_NUMBER(runs, 3); /* nothing was done */
}

static const struct test tests[] = { TEST(ends_with_what_came_of_it) };
TEST_MAIN(tests)
