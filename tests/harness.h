/* SPDX-License-Identifier: Apache-2.0 */
/* The test harness: one program per unit, its cases in an explicit table.
 *
 *     static void reads_in_order(void) { CHECK(1 + 1 == 2); }
 *     static const struct test tests[] = { TEST(reads_in_order) };
 *     TEST_MAIN(tests)
 *
 * CHECK goes on after a failure, REQUIRE leaves the case (use it only in the case function itself),
 * SKIP leaves it with a printed reason.  After each case the number of open descriptors must be
 * what it was. The run ends with the line `N passed, N failed, N skipped`; exit code 1 when one
 * failed. Arguments name the cases to run. */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include "core/bytes.h"

enum {
    /* How long what must come may take on a machine that does much else meanwhile. */
    TEST_PATIENCE_MS = 60000
};

struct test {
    const char *name;
    void (*run)(void);
};

#define TEST(function)                                                                             \
    {                                                                                              \
#function, function                                                                        \
    }

#define CHECK(fact) test_check((fact), #fact, __FILE__, __LINE__)
/* Like CHECK, with a formatted note when it fails. */
#define CHECK_NOTE(fact, ...)                                                                      \
    ((fact) ? (void)0 : (test_check(false, #fact, __FILE__, __LINE__), test_note(__VA_ARGS__)))
#define REQUIRE(fact)                                                                              \
    do {                                                                                           \
        bool required_ = (fact);                                                                   \
        test_check(required_, #fact, __FILE__, __LINE__);                                          \
        if (!required_)                                                                            \
            return;                                                                                \
    } while (0)
/* A CHECK of what is about to be so: asks again until it is, or TEST_PATIENCE_MS are over. */
#define AWAIT(fact)                                                                                \
    do {                                                                                           \
        uint64_t since_ms_ = test_clock_ms();                                                      \
        bool there_ = (fact);                                                                      \
        while (!there_ && test_waits(since_ms_))                                                   \
            there_ = (fact);                                                                       \
        test_check(there_, #fact, __FILE__, __LINE__);                                             \
    } while (0)
#define CHECK_STRING(actual, expected) test_check_string((actual), (expected), __FILE__, __LINE__)
#define CHECK_BYTES(actual, expected)  test_check_bytes((actual), (expected), __FILE__, __LINE__)
#define CHECK_NUMBER(actual, expected)                                                             \
    test_check_number((int64_t)(actual), (int64_t)(expected), #actual, __FILE__, __LINE__)
#define SKIP(...)                                                                                  \
    do {                                                                                           \
        test_skip(__VA_ARGS__);                                                                    \
        return;                                                                                    \
    } while (0)

uint64_t test_clock_ms(void); /* monotonic */
/* Pauses a moment; false when the patience that began then is over. */
bool test_waits(uint64_t since_ms);
void test_check(bool fact, const char *text, const char *file, int line);
void test_check_string(const char *actual, const char *expected, const char *file, int line);
void test_check_bytes(struct bytes actual, struct bytes expected, const char *file, int line);
void test_check_number(int64_t actual, int64_t expected, const char *text, const char *file,
                       int line);
void test_note(const char *format, ...) PRINTF_LIKE(1, 2);
void test_skip(const char *format, ...) PRINTF_LIKE(1, 2);
int test_main(const struct test *tests, size_t count, int argc, char **argv);

/* The whole content of a file, owned by the harness until the program ends; empty with a failed
 * check when it can't be read.  Relative paths start at the source folder ($S3N_SOURCE, or the
 * working folder). */
struct bytes test_file(const char *path);
/* A fresh folder under $TMPDIR that is removed when the program ends. */
const char *test_folder(void);
/* Path of a program in build/bin ($S3N_BUILD); static storage, valid until the next call. */
const char *test_program(const char *name);
/* Deterministic numbers for mutation tests (xorshift); same sequence in every run. */
uint64_t test_random(uint64_t *state);

/* How far apart the bits are that a test of every change flips: 1; under the sanitizers, which take
 * their time, a step that meets all places and all bits of a byte, unless S3N_TEST_EVERY_BIT is
 * set. */
size_t test_bit_step(void);

#define TEST_MAIN(tests)                                                                           \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return test_main((tests), ARRAY_COUNT(tests), argc, argv);                                 \
    }

#endif
