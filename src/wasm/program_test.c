/* SPDX-License-Identifier: Apache-2.0 */
/* s3n-compile as a program: bad modules are refused with a line and a status, never by a signal;
 * the limits hold. */
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void put_file(const char *path, struct bytes content)
{
    FILE *file = fopen(path, "wb");
    ASSERT(file != NULL);
    ASSERT(fwrite(content.data, 1, content.size, file) == content.size);
    fclose(file);
}

/* The status that the shell would give; `message` gets stderr. */
static int run(struct bytes module, const char *options, char message[256])
{
    char input[256], errors[256], command[1200];
    snprintf(input, sizeof(input), "%s/module", test_folder());
    snprintf(errors, sizeof(errors), "%s/errors", test_folder());
    put_file(input, module);
    snprintf(command, sizeof(command), "'%s' %s <'%s' >/dev/null 2>'%s'",
             test_program("s3n-compile"), options, input, errors);
    int status = system(command);
    struct bytes text = bytes_part(test_file(errors), 0, 255);
    memcpy(message, text.data, text.size);
    message[text.size] = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool is_refusal(int status, const char *message)
{
    return (status == 3 && (strncmp(message, "invalid: ", 9) == 0 ||
                            strncmp(message, "unsupported: ", 13) == 0)) ||
           (status == 9 && strncmp(message, "limit: ", 7) == 0);
}

static void answers_truncations(void)
{
    struct bytes whole = test_file("tests/data/wasm/environ.wasm");
    char message[256];
    if (access(test_program("s3n-compile"), X_OK) != 0)
        SKIP("s3n-compile isn't built");
    CHECK_NUMBER(run(whole, "", message), 0);
    for (size_t size = 0; size < whole.size; size += 1 + size / 40) {
        int status = run(bytes_part(whole, 0, size), "", message);
        CHECK_NOTE(status == 0 || is_refusal(status, message), "%zu bytes: %d %s", size, status,
                   message);
    }
}

static void answers_mutations(void)
{
    struct bytes whole = test_file("tests/data/wasm/pwrite.wasm");
    uint8_t *mutated = malloc(whole.size);
    char message[256];
    if (access(test_program("s3n-compile"), X_OK) != 0)
        SKIP("s3n-compile isn't built");
    uint64_t random = 7;
    for (unsigned round = 0; round < 200; round++) {
        memcpy(mutated, whole.data, whole.size);
        for (unsigned i = 0; i < 3; i++)
            mutated[test_random(&random) % whole.size] = (uint8_t)test_random(&random);
        int status = run(bytes_of(mutated, whole.size), "", message);
        CHECK_NOTE(status == 0 || is_refusal(status, message), "round %u: %d %s", round, status,
                   message);
    }
    free(mutated);
}

static void keeps_its_limits(void)
{
    struct bytes whole = test_file("tests/data/wasm/pwrite.wasm");
    char message[256];
    if (access(test_program("s3n-compile"), X_OK) != 0)
        SKIP("s3n-compile isn't built");
    CHECK_NUMBER(run(whole, "--output-mib 1 --memory-mib 256 --cpu-seconds 5", message), 0);
    CHECK_NUMBER(run(whole, "--tier none", message), 2);
    CHECK_NUMBER(run(whole, "--module-digest 12", message), 2);
    CHECK_NUMBER(run(whole, "--version", message), 0);
    /* Too little memory is an answer too. */
    int status = run(whole, "--memory-mib 16", message);
    CHECK_NOTE(status == 0 || status == 7 || status == 9, "%d %s", status, message);
}

static const struct test tests[] = {
    TEST(answers_truncations),
    TEST(answers_mutations),
    TEST(keeps_its_limits),
};
TEST_MAIN(tests)
