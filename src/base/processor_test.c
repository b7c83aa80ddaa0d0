/* SPDX-License-Identifier: Apache-2.0 */
#include "base/processor.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static void put(const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    REQUIRE(file != NULL);
    fputs(text, file);
    fclose(file);
}

static void drop(const char *name)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    (void)remove(path);
}

/* A kernel's tree like the real one. */
static void reads_the_kernels_words(void)
{
    struct processor processor;
    char names[64];
    snprintf(folder, sizeof(folder), "/tmp/s3n-processor.XXXXXX");
    REQUIRE(mkdtemp(folder) != NULL);
    char path[160];
    snprintf(path, sizeof(path), "%s/smt", folder);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/vulnerabilities", folder);
    mkdir(path, 0700);
    put("smt/active", "1\n");
    put("vulnerabilities/mds", "Mitigation: Clear CPU buffers; SMT vulnerable\n");
    put("vulnerabilities/l1tf", "Not affected\n");
    put("vulnerabilities/tsa", "Vulnerable: no microcode\n");
    put("vulnerabilities/new", "Unknown: no mitigations\n");
    processor_read(&processor, folder);
    CHECK(processor.knows_smt && processor.uses_smt);
    REQUIRE(processor.vulnerability_count == 4);
    CHECK_STRING(processor.vulnerabilities[0].name, "l1tf");
    CHECK(!processor.vulnerabilities[0].is_open);
    CHECK_STRING(processor.vulnerabilities[1].state,
                 "Mitigation: Clear CPU buffers; SMT vulnerable");
    CHECK(!processor.vulnerabilities[1].is_open);
    processor_open_names(&processor, names, sizeof(names));
    CHECK_STRING(names, "new, tsa");
    processor_open_names(&processor, names, 6);
    CHECK(strlen(names) < 6);
    put("smt/active", "0\n");
    processor_read(&processor, folder);
    CHECK(processor.knows_smt && !processor.uses_smt);
    drop("smt/active"), drop("smt"), drop("vulnerabilities/mds"), drop("vulnerabilities/l1tf");
    drop("vulnerabilities/tsa"), drop("vulnerabilities/new"), drop("vulnerabilities"), drop(".");
    CHECK(rmdir(folder) == 0);
}

static void does_without_the_kernel(void)
{
    struct processor processor;
    char names[64];
    processor_read(&processor, "/nonexistent");
    CHECK(!processor.knows_smt && !processor.uses_smt);
    CHECK_NUMBER(processor.vulnerability_count, 0);
    CHECK(processor.core_count > 0);
    processor_open_names(&processor, names, sizeof(names));
    CHECK_STRING(names, "none");
}

static const struct test tests[] = { TEST(reads_the_kernels_words), TEST(does_without_the_kernel) };
TEST_MAIN(tests)
